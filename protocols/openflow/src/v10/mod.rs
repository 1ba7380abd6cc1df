//! OpenFlow 1.0 (wire version 1), by the specification of December 31, 2009 (0x01).

mod action;
mod barrier;
mod config;
mod constants;
mod features;
mod flow_mod;
mod flow_removed;
mod matching;
mod packet_in;
mod packet_out;
mod port;
mod port_status;
mod stats;

pub use action::{Action, ActionItem, ActionType, Actions};
pub use barrier::{BarrierReply, BarrierRequest};
pub use config::{GetConfigReply, GetConfigRequest, SetConfig};
pub use constants::*;
pub use features::{FeaturesReply, FeaturesRequest};
pub use flow_mod::{FlowMod, FlowModCommand};
pub use flow_removed::{FlowRemoved, FlowRemovedReason};
pub use matching::Match;
pub use packet_in::{PacketIn, PacketInReason};
pub use packet_out::PacketOut;
pub use port::{Port, PortItem};
pub use port_status::{PortReason, PortStatus};
pub use stats::{
    PortStats, PortStatsItem, StatsReply, StatsReplyBody, StatsRequest, StatsRequestBody, StatsType,
};

use crate::header::{Start, Version};

/// The wire version of this module's messages.
pub const VERSION: Version = Version::V1_0;

ferroflow_wire::open_enum! {
    /// `ofp_type`: the type byte of a 1.0 header (OF 1.0 5.1).
    pub MsgType(u8) {
        OFPT_HELLO = 0,
        OFPT_ERROR = 1,
        OFPT_ECHO_REQUEST = 2,
        OFPT_ECHO_REPLY = 3,
        OFPT_VENDOR = 4,
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
        OFPT_PORT_MOD = 15,
        OFPT_STATS_REQUEST = 16,
        OFPT_STATS_REPLY = 17,
        OFPT_BARRIER_REQUEST = 18,
        OFPT_BARRIER_REPLY = 19,
        OFPT_QUEUE_GET_CONFIG_REQUEST = 20,
        OFPT_QUEUE_GET_CONFIG_REPLY = 21,
    }
}

const fn start(message: &'static str, ty: MsgType) -> Start {
    Start { message, version: VERSION, ty: ty.0 }
}

#[cfg(test)]
mod tests;
