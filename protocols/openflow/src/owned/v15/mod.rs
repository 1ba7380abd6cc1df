//! OpenFlow 1.5 by the specification 1.5.1: what it does not share with earlier versions.

mod bundle;
mod bundle_features;
mod controller_status;
mod flow;
mod group;
mod header_type;
mod meter;
mod multipart;
mod numbers;
mod packet;
mod role;
mod stats;
mod table;

pub use bundle::*;
pub use bundle_features::*;
pub use controller_status::*;
pub use flow::*;
pub use group::*;
pub use header_type::*;
pub use meter::*;
pub use multipart::*;
pub use numbers::*;
pub use packet::*;
pub use role::*;
pub use stats::*;
pub use table::*;

use super::common::since_14::{
    AsyncConfig, BundleCtrlMsg, FlowMod, PacketIn, PortMod, PortStatus, RoleStatus, TableMod, TableStatus,
};
use super::common::{Error, Experimenter, Hello, MeterMod, SwitchConfig, SwitchFeatures};
use super::message::Body as MessageBody;
use crate::header::Version;
use ferroflow_wire::choice;
use ferroflow_wire::codec::Bytes;

/// A message of 1.5.
pub type Message = super::Message<Body>;

choice! {
    /// All that a message of 1.5 can be (OF 1.5.1 7.1.1).
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
        OFPT_REQUESTFORWARD => Requestforward(forwarded: Requestforward),
        OFPT_BUNDLE_CONTROL => BundleControl(bundle: BundleCtrlMsg),
        OFPT_BUNDLE_ADD_MESSAGE => BundleAddMessage(bundle: BundleAddMsg),
        OFPT_CONTROLLER_STATUS => ControllerStatus(status: ControllerStatus),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_TYPE
        _ => (1, 1),
    }
}

impl MessageBody for Body {
    const VERSION: Version = Version::V1_5;
}
