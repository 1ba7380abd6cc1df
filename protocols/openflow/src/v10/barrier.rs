use super::{MsgType, VERSION};

barrier_messages!("OF 1.0 5.3.7");
