use super::{MsgType, VERSION};

barrier_messages!("OF 1.3.5 7.3.8");
