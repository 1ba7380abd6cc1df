//! OpenFlow 1.2 (wire version 3): the messages of the data path. A packet_in is read and written, packet_out and flow_mod
//! are written alone.
//!
//! Matches, actions and instructions are those of [`v13`](crate::v13). 1.2 has all of them but the meter instruction, the
//! actions `OFPAT_PUSH_PBB` and `OFPAT_POP_PBB`, and the fields `PBB_ISID`, `TUNNEL_ID` and `IPV6_EXTHDR`.

use crate::bytes::{get16, get32, put16, put32, put64};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};
use crate::header::{Start, Version};
use crate::v13::{MsgType, OFPG_ANY, OFPP_ANY, match_len, write_match};
use crate::{OFP_DEFAULT_PRIORITY, OFP_NO_BUFFER};

pub use crate::v13::{
    Action, ActionItem, Actions, FlowModCommand, Instruction, InstructionItem, Match, Oxm, OxmItem,
    PacketInReason,
};

/// The wire version of this module's messages.
pub const VERSION: Version = Version::V1_2;

const fn start(message: &'static str, ty: MsgType) -> Start {
    Start { message, version: VERSION, ty: ty.0 }
}

packet_in_message!("OF 1.2 A.4.1", 16);
packet_out_message!("OF 1.2 A.3.7", "OFPP_CONTROLLER", u32, put32, 24);
flow_mod_message!("OF 1.2 A.3.4");
