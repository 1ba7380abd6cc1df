//! OpenFlow 1.0, by the specification 1.0.0 (wire protocol 0x01).

mod action;
mod error;
mod messages;
mod numbers;
mod stats;
mod structures;

pub use action::*;
pub use error::*;
pub use messages::*;
pub use numbers::*;
pub use stats::*;
pub use structures::*;

use super::message::Body as MessageBody;
use crate::header::Version;
use crate::v10::MsgType;
use ferroflow_wire::choice;
use ferroflow_wire::codec::Bytes;

/// A message of 1.0.
pub type Message = super::Message<Body>;

choice! {
    /// All that a message of 1.0 can be (OF 1.0 5.1).
    pub enum Body("type": MsgType) {
        OFPT_HELLO => Hello {
            /// To be ignored in 1.0; later versions put their elements here (OF 1.0 5.5.1).
            data: Bytes,
        },
        OFPT_ERROR => Error(error: Error),
        OFPT_ECHO_REQUEST => EchoRequest { data: Bytes, },
        OFPT_ECHO_REPLY => EchoReply { data: Bytes, },
        OFPT_VENDOR => Vendor(vendor: Vendor),
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
        OFPT_PORT_MOD => PortMod(port: PortMod),
        OFPT_STATS_REQUEST => StatsRequest(request: StatsRequest),
        OFPT_STATS_REPLY => StatsReply(reply: StatsReply),
        OFPT_BARRIER_REQUEST => BarrierRequest,
        OFPT_BARRIER_REPLY => BarrierReply,
        OFPT_QUEUE_GET_CONFIG_REQUEST => QueueGetConfigRequest(request: QueueGetConfigRequest),
        OFPT_QUEUE_GET_CONFIG_REPLY => QueueGetConfigReply(reply: QueueGetConfigReply),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_TYPE
        _ => (1, 1),
    }
}

impl MessageBody for Body {
    const VERSION: Version = Version::V1_0;
}
