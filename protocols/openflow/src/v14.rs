//! OpenFlow 1.4 (wire version 5), by the specification 1.4.1: the messages of the data path. A packet_in is read and
//! written, packet_out and flow_mod are written alone.
//!
//! Matches, actions and instructions are those of [`v13`](crate::v13): what 1.4 added to them is their `Other`.

use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};
use crate::header::{Start, Version};
use crate::v13::{MsgType, OFPG_ANY, OFPP_ANY, match_len, write_match};
use crate::{OFP_DEFAULT_PRIORITY, OFP_NO_BUFFER};

pub use crate::owned::common::since_14::PacketInReason;
pub use crate::v13::{
    Action, ActionItem, Actions, FlowModCommand, Instruction, InstructionItem, Match, Oxm, OxmItem,
};

/// The wire version of this module's messages.
pub const VERSION: Version = Version::V1_4;

const fn start(message: &'static str, ty: MsgType) -> Start {
    Start { message, version: VERSION, ty: ty.0 }
}

packet_in_message!("OF 1.4.1 7.4.1", 24, cookie at 16);
packet_out_message!("OF 1.4.1 7.3.6", "OFPP_CONTROLLER", u32, put32, 24);
flow_mod_message!("OF 1.4.1 7.3.4", importance at 46);
