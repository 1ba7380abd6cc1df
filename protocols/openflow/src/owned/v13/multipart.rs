//! Multipart requests and replies of 1.3 (OF 1.3.5 7.3.5).

use crate::owned::common::*;
use crate::v13::MultipartType;
use ferroflow_wire::choice;

choice! {
    /// What a multipart request asks.
    pub enum MultipartRequestBody("type": MultipartType) {
        OFPMP_DESC => Desc,
        OFPMP_FLOW => Flow(request: FlowStatsRequest),
        OFPMP_AGGREGATE => Aggregate(request: FlowStatsRequest),
        OFPMP_TABLE => Table,
        OFPMP_PORT_STATS => PortStats(request: PortStatsRequest),
        OFPMP_QUEUE => Queue(request: QueueStatsRequest),
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
        OFPMP_QUEUE => Queue { body: Vec<QueueStats>, },
        OFPMP_GROUP => Group { body: Vec<GroupStats>, },
        OFPMP_GROUP_DESC => GroupDesc { body: Vec<GroupDesc>, },
        OFPMP_GROUP_FEATURES => GroupFeatures(features: GroupFeatures),
        OFPMP_METER => Meter { body: Vec<MeterStats>, },
        OFPMP_METER_CONFIG => MeterConfig { body: Vec<MeterConfig>, },
        OFPMP_METER_FEATURES => MeterFeatures(features: MeterFeatures),
        OFPMP_TABLE_FEATURES => TableFeatures { body: Vec<TableFeatures>, },
        OFPMP_PORT_DESC => PortDesc { body: Vec<Port>, },
        OFPMP_EXPERIMENTER => Experimenter(reply: ExperimenterReply),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_MULTIPART
        _ => (1, 2),
    }
}

multipart! {
    /// `ofp_multipart_request` (OF 1.3.5 7.3.5).
    MultipartRequest, MultipartRequestFlags, MultipartRequestBody, 4
}

multipart! {
    /// `ofp_multipart_reply` (OF 1.3.5 7.3.5).
    MultipartReply, MultipartReplyFlags, MultipartReplyBody, 4
}
