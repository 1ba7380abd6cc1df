use super::matching::{match_len, write_match};
use super::{Match, MsgType, OxmItem, VERSION, start};
use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer};
use crate::error::{DecodeError, ErrorCode, Fault};

ferroflow_wire::open_enum! {
    /// `ofp_packet_in_reason` (OF 1.3.5 7.4.1).
    pub PacketInReason(u8) { OFPR_NO_MATCH = 0, OFPR_ACTION = 1, OFPR_INVALID_TTL = 2 }
}

packet_in_message!("OF 1.3.5 7.4.1", 24, cookie at 16);
