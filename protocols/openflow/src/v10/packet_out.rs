use super::{ActionItem, Actions, MsgType, OFPP_NONE, VERSION, start};
use crate::OFP_NO_BUFFER;
use crate::bytes::{get16, get32, put16, put32};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};

packet_out_message!("OF 1.0 5.3.6", "OFPP_NONE", u16, put16, 16);
packet_out_parser!(u16, get16, 16);

impl<A> PacketOut<'_, A> {
    /// The input switch port, if there is one.
    pub const fn in_port(&self) -> Option<u16> {
        if self.in_port == OFPP_NONE { None } else { Some(self.in_port) }
    }
}
