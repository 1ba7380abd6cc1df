//! OpenFlow 1.3 (wire version 4), by the specification 1.3.5.

mod action;
mod barrier;
mod config;
mod constants;
mod features;
mod flow_mod;
mod flow_removed;
mod instruction;
mod matching;
mod multipart;
mod oxm;
mod packet_in;
mod packet_out;
mod port;
mod port_stats;
mod port_status;

pub use action::{Action, ActionItem, ActionType, Actions};
pub use barrier::{BarrierReply, BarrierRequest};
pub use config::{GetConfigReply, GetConfigRequest, SetConfig};
pub use constants::*;
pub use features::{FeaturesReply, FeaturesRequest};
pub use flow_mod::{FlowMod, FlowModCommand};
pub use flow_removed::{FlowRemoved, FlowRemovedReason};
pub use instruction::{Instruction, InstructionItem, InstructionType, Instructions};
pub use matching::Match;
pub(crate) use matching::{match_len, write_match};
pub use multipart::{
    MultipartReply, MultipartReplyBody, MultipartRequest, MultipartRequestBody, MultipartType,
};
pub use oxm::{Oxm, OxmHeader, OxmItem};
pub use packet_in::{PacketIn, PacketInReason};
pub use packet_out::PacketOut;
pub use port::{Port, PortItem};
pub use port_stats::{PortStats, PortStatsItem};
pub use port_status::{PortReason, PortStatus};

use crate::header::{Start, Version};

/// The wire version of this module's messages.
pub const VERSION: Version = Version::V1_3;

ferroflow_wire::open_enum! {
    /// `ofp_type`: the type byte of a 1.3 header (OF 1.3.5 7.1).
    pub MsgType(u8) {
        OFPT_HELLO = 0,
        OFPT_ERROR = 1,
        OFPT_ECHO_REQUEST = 2,
        OFPT_ECHO_REPLY = 3,
        OFPT_EXPERIMENTER = 4,
        OFPT_FEATURES_REQUEST = 5,
        OFPT_FEATURES_REPLY = 6,
        OFPT_GET_CONFIG_REQUEST = 7,
        OFPT_GET_CONFIG_REPLY = 8,
        OFPT_SET_CONFIG = 9,
        OFPT_PACKET_IN = 10,
        OFPT_FLOW_REMOVED = 11,
        OFPT_PORT_STATUS = 12,
        OFPT_PACKET_OUT = 13,
        OFPT_FLOW_MOD = 14,
        OFPT_GROUP_MOD = 15,
        OFPT_PORT_MOD = 16,
        OFPT_TABLE_MOD = 17,
        OFPT_MULTIPART_REQUEST = 18,
        OFPT_MULTIPART_REPLY = 19,
        OFPT_BARRIER_REQUEST = 20,
        OFPT_BARRIER_REPLY = 21,
        OFPT_QUEUE_GET_CONFIG_REQUEST = 22,
        OFPT_QUEUE_GET_CONFIG_REPLY = 23,
        OFPT_ROLE_REQUEST = 24,
        OFPT_ROLE_REPLY = 25,
        OFPT_GET_ASYNC_REQUEST = 26,
        OFPT_GET_ASYNC_REPLY = 27,
        OFPT_SET_ASYNC = 28,
        OFPT_METER_MOD = 29,
    }
}

const fn start(message: &'static str, ty: MsgType) -> Start {
    Start { message, version: VERSION, ty: ty.0 }
}

#[cfg(test)]
mod tests;
