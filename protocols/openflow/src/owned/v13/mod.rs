//! OpenFlow 1.3 by the specification 1.3.5. All its structures are in [`common`](super::common).

mod multipart;

pub use multipart::*;

use super::common::*;
use super::message::Body as MessageBody;
use crate::header::Version;
use crate::v13::MsgType;
use ferroflow_wire::choice;
use ferroflow_wire::codec::Bytes;

/// A message of 1.3.
pub type Message = super::Message<Body>;

choice! {
    /// All that a message of 1.3 can be (OF 1.3.5 7.1).
    pub enum Body("type": MsgType) {
        OFPT_HELLO => Hello(hello: Hello),
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
        OFPT_MULTIPART_REQUEST => MultipartRequest(request: MultipartRequest),
        OFPT_MULTIPART_REPLY => MultipartReply(reply: MultipartReply),
        OFPT_BARRIER_REQUEST => BarrierRequest,
        OFPT_BARRIER_REPLY => BarrierReply,
        OFPT_QUEUE_GET_CONFIG_REQUEST => QueueGetConfigRequest(request: QueueGetConfigRequest),
        OFPT_QUEUE_GET_CONFIG_REPLY => QueueGetConfigReply(reply: QueueGetConfigReply),
        OFPT_ROLE_REQUEST => RoleRequest(role: RoleRequest),
        OFPT_ROLE_REPLY => RoleReply(role: RoleRequest),
        OFPT_GET_ASYNC_REQUEST => GetAsyncRequest,
        OFPT_GET_ASYNC_REPLY => GetAsyncReply(config: AsyncConfig),
        OFPT_SET_ASYNC => SetAsync(config: AsyncConfig),
        OFPT_METER_MOD => MeterMod(meter: MeterMod),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_TYPE
        _ => (1, 1),
    }
}

impl MessageBody for Body {
    const VERSION: Version = Version::V1_3;
}
