//! Multipart requests and replies of 1.4 (OF 1.4.1 7.3.5).

use super::messages::FlowStats;
use super::numbers::MultipartType;
use crate::owned::common::since_14::{
    FlowMonitorRequest, FlowUpdate, Port, PortStats, QueueDesc, QueueDescRequest, QueueStats, TableDesc,
};
use crate::owned::common::{
    AggregateStats, Desc, ExperimenterReply, ExperimenterRequest, FlowStatsRequest, GroupDesc, GroupFeatures,
    GroupStats, GroupStatsRequest, MeterConfig, MeterFeatures, MeterMultipartRequest, MeterStats,
    MultipartReplyFlags, MultipartRequestFlags, PortStatsRequest, QueueStatsRequest, TableFeatures,
    TableStats,
};
use ferroflow_wire::choice;

choice! {
    /// What a multipart request asks.
    pub enum MultipartRequestBody("type": MultipartType) {
        OFPMP_DESC => Desc,
        OFPMP_FLOW => Flow(request: FlowStatsRequest),
        OFPMP_AGGREGATE => Aggregate(request: FlowStatsRequest),
        OFPMP_TABLE => Table,
        OFPMP_PORT_STATS => PortStats(request: PortStatsRequest),
        OFPMP_QUEUE_STATS => QueueStats(request: QueueStatsRequest),
        OFPMP_GROUP => Group(request: GroupStatsRequest),
        OFPMP_GROUP_DESC => GroupDesc,
        OFPMP_GROUP_FEATURES => GroupFeatures,
        OFPMP_METER => Meter(request: MeterMultipartRequest),
        OFPMP_METER_CONFIG => MeterConfig(request: MeterMultipartRequest),
        OFPMP_METER_FEATURES => MeterFeatures,
        OFPMP_TABLE_FEATURES => TableFeatures {
            /// None asks for the tables as they are; else they are to become so.
            body: Vec<TableFeatures>,
        },
        OFPMP_PORT_DESC => PortDesc,
        OFPMP_TABLE_DESC => TableDesc,
        OFPMP_QUEUE_DESC => QueueDesc(request: QueueDescRequest),
        OFPMP_FLOW_MONITOR => FlowMonitor { body: Vec<FlowMonitorRequest>, },
        OFPMP_EXPERIMENTER => Experimenter(request: ExperimenterRequest),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_MULTIPART
        _ => (1, 2),
    }
}

choice! {
    /// What a multipart reply answers.
    pub enum MultipartReplyBody("type": MultipartType) {
        OFPMP_DESC => Desc(desc: Box<Desc>),
        OFPMP_FLOW => Flow { body: Vec<FlowStats>, },
        OFPMP_AGGREGATE => Aggregate(stats: AggregateStats),
        OFPMP_TABLE => Table { body: Vec<TableStats>, },
        OFPMP_PORT_STATS => PortStats { body: Vec<PortStats>, },
        OFPMP_QUEUE_STATS => QueueStats { body: Vec<QueueStats>, },
        OFPMP_GROUP => Group { body: Vec<GroupStats>, },
        OFPMP_GROUP_DESC => GroupDesc { body: Vec<GroupDesc>, },
        OFPMP_GROUP_FEATURES => GroupFeatures(features: GroupFeatures),
        OFPMP_METER => Meter { body: Vec<MeterStats>, },
        OFPMP_METER_CONFIG => MeterConfig { body: Vec<MeterConfig>, },
        OFPMP_METER_FEATURES => MeterFeatures(features: MeterFeatures),
        OFPMP_TABLE_FEATURES => TableFeatures { body: Vec<TableFeatures>, },
        OFPMP_PORT_DESC => PortDesc { body: Vec<Port>, },
        OFPMP_TABLE_DESC => TableDesc { body: Vec<TableDesc>, },
        OFPMP_QUEUE_DESC => QueueDesc { body: Vec<QueueDesc>, },
        OFPMP_FLOW_MONITOR => FlowMonitor { body: Vec<FlowUpdate>, },
        OFPMP_EXPERIMENTER => Experimenter(reply: ExperimenterReply),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_MULTIPART
        _ => (1, 2),
    }
}

multipart! {
    /// `ofp_multipart_request` (OF 1.4.1 7.3.5).
    MultipartRequest, MultipartRequestFlags, MultipartRequestBody, 4
}

multipart! {
    /// `ofp_multipart_reply` (OF 1.4.1 7.3.5).
    MultipartReply, MultipartReplyFlags, MultipartReplyBody, 4
}
