use super::{MsgType, Port, VERSION, start};
use crate::bytes::get32;
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

port_status_message!("OF 1.3.5 7.4.3");
