//! Statistics of 1.2 (OF 1.2 A.3.5).

use super::numbers::{InstructionTypes, OxmFields, StatsType, TableConfig};
use crate::owned::common::{
    ActionTypes, AggregateStats, BucketCounter, Desc, ExperimenterReply, ExperimenterRequest,
    FlowStatsRequest, GroupDesc, GroupFeatures, GroupId, GroupStatsRequest, Instruction, Match, PortNo,
    PortStatsRequest, QueueId, QueueStatsRequest, TableId,
};
use crate::owned::v10::{StatsReplyFlags, StatsRequestFlags};
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::{choice, structure};

structure! {
    /// `ofp_flow_stats` (OF 1.2 A.3.5).
    pub struct FlowStats {
        _{length: u16},
        table_id: TableId,
        _[1],
        duration_sec: u32,
        duration_nsec: u32,
        priority: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        _[6],
        cookie: u64,
        packet_count: u64,
        byte_count: u64,
        r#match: Match,
        instructions: Vec<Instruction>,
    }
}

structure! {
    /// `ofp_table_stats`, which also says what the table can do (OF 1.2 A.3.5).
    pub struct TableStats {
        table_id: TableId,
        _[7],
        name: FixedStr<32>,
        r#match: OxmFields,
        wildcards: OxmFields,
        write_actions: ActionTypes,
        apply_actions: ActionTypes,
        write_setfields: OxmFields,
        apply_setfields: OxmFields,
        /// Bits of the metadata that the table can match.
        metadata_match: u64,
        /// Bits of the metadata that the table can write.
        metadata_write: u64,
        instructions: InstructionTypes,
        config: TableConfig,
        max_entries: u32,
        active_count: u32,
        lookup_count: u64,
        matched_count: u64,
    }
}

structure! {
    /// `ofp_port_stats` (OF 1.2 A.3.5). A counter that the switch does not have is all ones.
    pub struct PortStats {
        port_no: PortNo,
        _[4],
        rx_packets: u64,
        tx_packets: u64,
        rx_bytes: u64,
        tx_bytes: u64,
        rx_dropped: u64,
        tx_dropped: u64,
        rx_errors: u64,
        tx_errors: u64,
        rx_frame_err: u64,
        rx_over_err: u64,
        rx_crc_err: u64,
        collisions: u64,
    }
}

structure! {
    /// `ofp_queue_stats` (OF 1.2 A.3.5).
    pub struct QueueStats {
        port_no: PortNo,
        queue_id: QueueId,
        tx_bytes: u64,
        tx_packets: u64,
        tx_errors: u64,
    }
}

structure! {
    /// `ofp_group_stats` (OF 1.2 A.3.5).
    pub struct GroupStats {
        _{length: u16},
        _[2],
        group_id: GroupId,
        ref_count: u32,
        _[4],
        packet_count: u64,
        byte_count: u64,
        bucket_stats: Vec<BucketCounter>,
    }
}

choice! {
    /// What a stats request asks.
    pub enum StatsRequestBody("type": StatsType) {
        OFPST_DESC => Desc,
        OFPST_FLOW => Flow(request: FlowStatsRequest),
        OFPST_AGGREGATE => Aggregate(request: FlowStatsRequest),
        OFPST_TABLE => Table,
        OFPST_PORT => Port(request: PortStatsRequest),
        OFPST_QUEUE => Queue(request: QueueStatsRequest),
        OFPST_GROUP => Group(request: GroupStatsRequest),
        OFPST_GROUP_DESC => GroupDesc,
        OFPST_GROUP_FEATURES => GroupFeatures,
        OFPST_EXPERIMENTER => Experimenter(request: ExperimenterRequest),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_STAT
        _ => (1, 2),
    }
}

choice! {
    /// What a stats reply answers.
    pub enum StatsReplyBody("type": StatsType) {
        OFPST_DESC => Desc(desc: Box<Desc>),
        OFPST_FLOW => Flow { body: Vec<FlowStats>, },
        OFPST_AGGREGATE => Aggregate(stats: AggregateStats),
        OFPST_TABLE => Table { body: Vec<TableStats>, },
        OFPST_PORT => Port { body: Vec<PortStats>, },
        OFPST_QUEUE => Queue { body: Vec<QueueStats>, },
        OFPST_GROUP => Group { body: Vec<GroupStats>, },
        OFPST_GROUP_DESC => GroupDesc { body: Vec<GroupDesc>, },
        OFPST_GROUP_FEATURES => GroupFeatures(features: GroupFeatures),
        OFPST_EXPERIMENTER => Experimenter(reply: ExperimenterReply),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_STAT
        _ => (1, 2),
    }
}

multipart! {
    /// `ofp_stats_request` (OF 1.2 A.3.5).
    StatsRequest, StatsRequestFlags, StatsRequestBody, 4
}

multipart! {
    /// `ofp_stats_reply` (OF 1.2 A.3.5).
    StatsReply, StatsReplyFlags, StatsReplyBody, 4
}
