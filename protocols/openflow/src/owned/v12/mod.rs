//! OpenFlow 1.2, by the specification 1.2 (wire protocol 0x03). Most of its structures are in [`common`](super::common); what
//! is here 1.2 has otherwise than 1.3.

mod error;
mod messages;
mod numbers;
mod stats;

pub use error::*;
pub use messages::*;
pub use numbers::*;
pub use stats::*;

use super::common::{
    Experimenter, FlowMod, FlowRemoved, GroupMod, PacketOut, PortMod, PortStatus, QueueGetConfigReply,
    QueueGetConfigRequest, RoleRequest,
};
use super::message::Body as MessageBody;
use crate::header::Version;
use ferroflow_wire::choice;
use ferroflow_wire::codec::Bytes;

/// A message of 1.2.
pub type Message = super::Message<Body>;

choice! {
    /// All that a message of 1.2 can be (OF 1.2 A.1).
    pub enum Body("type": MsgType) {
        OFPT_HELLO => Hello {
            /// To be ignored in 1.2; later versions put their elements here (OF 1.2 A.5.1).
            data: Bytes,
        },
        OFPT_ERROR => Error(error: Error),
        OFPT_ECHO_REQUEST => EchoRequest { data: Bytes, },
        OFPT_ECHO_REPLY => EchoReply { data: Bytes, },
        OFPT_EXPERIMENTER => Experimenter(experimenter: Experimenter),
        OFPT_FEATURES_REQUEST => FeaturesRequest,
        OFPT_FEATURES_REPLY => FeaturesReply(features: SwitchFeatures),
        OFPT_GET_CONFIG_REQUEST => GetConfigRequest,
        OFPT_GET_CONFIG_REPLY => GetConfigReply(config: SwitchConfig),
        OFPT_SET_CONFIG => SetConfig(config: SwitchConfig),
        OFPT_PACKET_IN => PacketIn(packet: PacketIn),
        OFPT_FLOW_REMOVED => FlowRemoved(flow: FlowRemoved),
        OFPT_PORT_STATUS => PortStatus(status: PortStatus),
        OFPT_PACKET_OUT => PacketOut(packet: PacketOut),
        OFPT_FLOW_MOD => FlowMod(flow: FlowMod),
        OFPT_GROUP_MOD => GroupMod(group: GroupMod),
        OFPT_PORT_MOD => PortMod(port: PortMod),
        OFPT_TABLE_MOD => TableMod(table: TableMod),
        OFPT_STATS_REQUEST => StatsRequest(request: StatsRequest),
        OFPT_STATS_REPLY => StatsReply(reply: StatsReply),
        OFPT_BARRIER_REQUEST => BarrierRequest,
        OFPT_BARRIER_REPLY => BarrierReply,
        OFPT_QUEUE_GET_CONFIG_REQUEST => QueueGetConfigRequest(request: QueueGetConfigRequest),
        OFPT_QUEUE_GET_CONFIG_REPLY => QueueGetConfigReply(reply: QueueGetConfigReply),
        OFPT_ROLE_REQUEST => RoleRequest(role: RoleRequest),
        OFPT_ROLE_REPLY => RoleReply(role: RoleRequest),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_TYPE
        _ => (1, 1),
    }
}

impl MessageBody for Body {
    const VERSION: Version = Version::V1_2;
}
