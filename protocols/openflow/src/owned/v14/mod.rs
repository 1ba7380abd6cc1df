//! OpenFlow 1.4 by the specification 1.4.1. Its structures are in [`common`](super::common), those that 1.3 has otherwise in
//! [`common::since_14`](super::common::since_14); what is here 1.4 alone has.

mod messages;
mod multipart;
mod numbers;

pub use messages::*;
pub use multipart::*;
pub use numbers::*;

use super::common::since_14::{
    AsyncConfig, BundleCtrlMsg, FlowMod, PacketIn, PortMod, PortStatus, RoleStatus, TableMod, TableStatus,
};
use super::common::{
    Error, Experimenter, FlowRemoved, GroupMod, Hello, MeterMod, PacketOut, RoleRequest, SwitchConfig,
    SwitchFeatures,
};
use super::message::Body as MessageBody;
use crate::header::Version;
use ferroflow_wire::choice;
use ferroflow_wire::codec::Bytes;

/// A message of 1.4.
pub type Message = super::Message<Body>;

choice! {
    /// All that a message of 1.4 can be (OF 1.4.1 7.1).
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
        OFPT_ROLE_REQUEST => RoleRequest(role: RoleRequest),
        OFPT_ROLE_REPLY => RoleReply(role: RoleRequest),
        OFPT_GET_ASYNC_REQUEST => GetAsyncRequest,
        OFPT_GET_ASYNC_REPLY => GetAsyncReply(config: AsyncConfig),
        OFPT_SET_ASYNC => SetAsync(config: AsyncConfig),
        OFPT_METER_MOD => MeterMod(meter: MeterMod),
        OFPT_ROLE_STATUS => RoleStatus(status: RoleStatus),
        OFPT_TABLE_STATUS => TableStatus(status: TableStatus),
        OFPT_REQUESTFORWARD => Requestforward(forward: Requestforward),
        OFPT_BUNDLE_CONTROL => BundleControl(bundle: BundleCtrlMsg),
        OFPT_BUNDLE_ADD_MESSAGE => BundleAddMessage(bundle: BundleAddMsg),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_TYPE
        _ => (1, 1),
    }
}

impl MessageBody for Body {
    const VERSION: Version = Version::V1_4;
}
