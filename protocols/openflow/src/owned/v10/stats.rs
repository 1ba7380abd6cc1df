//! Statistics of 1.0 (OF 1.0 5.3.5).

use super::action::Action;
use super::numbers::{PortNo, StatsReplyFlags, StatsRequestFlags, Wildcards};
use super::structures::Match;
use crate::owned::common::{AggregateStats, Desc, ExperimenterId, QueueId, TableId};
use crate::owned::nicira::{NxStatsReply, NxStatsRequest};
use crate::v10::StatsType;
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::{choice, structure, tagged};

structure! {
    /// `ofp_flow_stats_request`; aggregate requests have the same form (OF 1.0 5.3.5).
    pub struct FlowStatsRequest {
        r#match: Match,
        table_id: TableId,
        _[1],
        out_port: PortNo,
    }
}

structure! {
    /// `ofp_flow_stats` (OF 1.0 5.3.5).
    pub struct FlowStats {
        _{length: u16},
        table_id: TableId,
        _[1],
        r#match: Match,
        duration_sec: u32,
        duration_nsec: u32,
        priority: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        _[6],
        cookie: u64,
        packet_count: u64,
        byte_count: u64,
        actions: Vec<Action>,
    }
}

structure! {
    /// `ofp_table_stats` (OF 1.0 5.3.5).
    pub struct TableStats {
        table_id: TableId,
        _[3],
        name: FixedStr<32>,
        /// The wildcards that the table supports.
        wildcards: Wildcards,
        max_entries: u32,
        active_count: u32,
        lookup_count: u64,
        matched_count: u64,
    }
}

structure! {
    /// `ofp_port_stats_request` (OF 1.0 5.3.5).
    pub struct PortStatsRequest {
        port_no: PortNo,
        _[6],
    }
}

structure! {
    /// `ofp_port_stats` (OF 1.0 5.3.5). A counter that the switch does not have is all ones.
    pub struct PortStats {
        port_no: PortNo,
        _[6],
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
    /// `ofp_queue_stats_request` (OF 1.0 5.3.5).
    pub struct QueueStatsRequest {
        port_no: PortNo,
        _[2],
        queue_id: QueueId,
    }
}

structure! {
    /// `ofp_queue_stats` (OF 1.0 5.3.5).
    pub struct QueueStats {
        port_no: PortNo,
        _[2],
        queue_id: QueueId,
        tx_bytes: u64,
        tx_packets: u64,
        tx_errors: u64,
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
        OFPST_VENDOR => Vendor(request: VendorStatsRequest),
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
        OFPST_VENDOR => Vendor(reply: VendorStatsReply),
        // OFPET_BAD_REQUEST/OFPBRC_BAD_STAT
        _ => (1, 2),
    }
}

multipart! {
    /// `ofp_stats_request` (OF 1.0 5.3.5).
    StatsRequest, StatsRequestFlags, StatsRequestBody, 0
}

multipart! {
    /// `ofp_stats_reply` (OF 1.0 5.3.5).
    StatsReply, StatsReplyFlags, StatsReplyBody, 0
}

choice! {
    /// A vendor's stats request.
    pub enum VendorStatsRequest("vendor": ExperimenterId) {
        NX_VENDOR_ID => Nicira(request: NxStatsRequest),
        _ => Unknown,
    }
}
tagged!(VendorStatsRequest);

choice! {
    /// A vendor's stats reply.
    pub enum VendorStatsReply("vendor": ExperimenterId) {
        NX_VENDOR_ID => Nicira(reply: NxStatsReply),
        _ => Unknown,
    }
}
tagged!(VendorStatsReply);
