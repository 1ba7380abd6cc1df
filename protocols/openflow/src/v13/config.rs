use super::{MsgType, VERSION, start};
use crate::bytes::{get16, get32, put16};
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

config_messages!("OF 1.3.5 7.3.2");
