use super::{ActionItem, Actions, MsgType, VERSION, start};
use crate::OFP_NO_BUFFER;
use crate::bytes::{get16, get32, put32};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};

packet_out_message!("OF 1.3.5 7.3.7", "OFPP_CONTROLLER", u32, put32, 24);
packet_out_parser!(u32, get32, 24);
