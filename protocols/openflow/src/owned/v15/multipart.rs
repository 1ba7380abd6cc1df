//! Multipart requests and replies of 1.5 (OF 1.5.1 7.3.5).

use super::bundle_features::{BundleFeatures, BundleFeaturesRequest};
use super::controller_status::ControllerStatus;
use super::flow::{FlowDesc, FlowStats};
use super::group::GroupDesc;
use super::meter::{MeterFeatures, MeterStats};
use super::numbers::MultipartType;
use super::stats::Stats;
use super::table::TableFeatures;
use crate::owned::common::since_14::{
    FlowMonitorRequest, FlowUpdate, Port, PortStats, QueueDesc, QueueDescRequest, QueueStats, TableDesc,
};
use crate::owned::common::{
    Desc, ExperimenterReply, ExperimenterRequest, FlowStatsRequest, GroupFeatures, GroupStats,
    GroupStatsRequest, MeterConfig, MeterMultipartRequest, MultipartReplyFlags, MultipartRequestFlags,
    PortStatsRequest, QueueStatsRequest, TableStats,
};
use ferroflow_wire::choice;

choice! {
    /// What a multipart request asks.
    pub enum MultipartRequestBody("type": MultipartType) {
        OFPMP_DESC => Desc,
        OFPMP_FLOW_DESC => FlowDesc(request: FlowStatsRequest),
        OFPMP_AGGREGATE_STATS => AggregateStats(request: FlowStatsRequest),
        OFPMP_TABLE_STATS => TableStats,
        OFPMP_PORT_STATS => PortStats(request: PortStatsRequest),
        OFPMP_QUEUE_STATS => QueueStats(request: QueueStatsRequest),
        OFPMP_GROUP_STATS => GroupStats(request: GroupStatsRequest),
        OFPMP_GROUP_DESC => GroupDesc(request: GroupStatsRequest),
        OFPMP_GROUP_FEATURES => GroupFeatures,
        OFPMP_METER_STATS => MeterStats(request: MeterMultipartRequest),
        OFPMP_METER_DESC => MeterDesc(request: MeterMultipartRequest),
        OFPMP_METER_FEATURES => MeterFeatures,
        OFPMP_TABLE_FEATURES => TableFeatures {
            /// None asks for the tables as they are; else they are to become so.
            body: Vec<TableFeatures>,
        },
        OFPMP_PORT_DESC => PortDesc(request: PortStatsRequest),
        OFPMP_TABLE_DESC => TableDesc,
        OFPMP_QUEUE_DESC => QueueDesc(request: QueueDescRequest),
        OFPMP_FLOW_MONITOR => FlowMonitor { body: Vec<FlowMonitorRequest>, },
        OFPMP_FLOW_STATS => FlowStats(request: FlowStatsRequest),
        OFPMP_CONTROLLER_STATUS => ControllerStatus,
        OFPMP_BUNDLE_FEATURES => BundleFeatures(request: BundleFeaturesRequest),
        OFPMP_EXPERIMENTER => Experimenter(request: ExperimenterRequest),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_MULTIPART
        _ => (1, 2),
    }
}

choice! {
    /// What a multipart reply answers.
    pub enum MultipartReplyBody("type": MultipartType) {
        OFPMP_DESC => Desc(desc: Box<Desc>),
        OFPMP_FLOW_DESC => FlowDesc { body: Vec<FlowDesc>, },
        OFPMP_AGGREGATE_STATS => AggregateStats { stats: Stats, _[align 8], },
        OFPMP_TABLE_STATS => TableStats { body: Vec<TableStats>, },
        OFPMP_PORT_STATS => PortStats { body: Vec<PortStats>, },
        OFPMP_QUEUE_STATS => QueueStats { body: Vec<QueueStats>, },
        OFPMP_GROUP_STATS => GroupStats { body: Vec<GroupStats>, },
        OFPMP_GROUP_DESC => GroupDesc { body: Vec<GroupDesc>, },
        OFPMP_GROUP_FEATURES => GroupFeatures(features: GroupFeatures),
        OFPMP_METER_STATS => MeterStats { body: Vec<MeterStats>, },
        OFPMP_METER_DESC => MeterDesc { body: Vec<MeterConfig>, },
        OFPMP_METER_FEATURES => MeterFeatures(features: MeterFeatures),
        OFPMP_TABLE_FEATURES => TableFeatures { body: Vec<TableFeatures>, },
        OFPMP_PORT_DESC => PortDesc { body: Vec<Port>, },
        OFPMP_TABLE_DESC => TableDesc { body: Vec<TableDesc>, },
        OFPMP_QUEUE_DESC => QueueDesc { body: Vec<QueueDesc>, },
        OFPMP_FLOW_MONITOR => FlowMonitor { body: Vec<FlowUpdate>, },
        OFPMP_FLOW_STATS => FlowStats { body: Vec<FlowStats>, },
        OFPMP_CONTROLLER_STATUS => ControllerStatus { body: Vec<ControllerStatus>, },
        OFPMP_BUNDLE_FEATURES => BundleFeatures(features: BundleFeatures),
        OFPMP_EXPERIMENTER => Experimenter(reply: ExperimenterReply),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_MULTIPART
        _ => (1, 2),
    }
}

multipart! {
    /// `ofp_multipart_request` (OF 1.5.1 7.3.5).
    MultipartRequest, MultipartRequestFlags, MultipartRequestBody, 4
}

multipart! {
    /// `ofp_multipart_reply` (OF 1.5.1 7.3.5).
    MultipartReply, MultipartReplyFlags, MultipartReplyBody, 4
}
