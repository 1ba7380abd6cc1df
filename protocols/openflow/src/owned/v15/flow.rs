//! Flows of 1.5, whose statistics are extensible, and may come without what describes the flow.

use super::numbers::FlowStatsReason;
use super::stats::Stats;
use crate::owned::common::{FlowModFlags, Instruction, Match, TableId};
use crate::v13::FlowRemovedReason;
use ferroflow_wire::structure;

structure! {
    /// `ofp_flow_desc`: all of a flow (OF 1.5.1 7.3.5.2).
    pub struct FlowDesc {
        _{length: u16},
        _[2],
        table_id: TableId,
        _[1],
        priority: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        flags: FlowModFlags,
        /// What goes first when room is needed has less.
        importance: u16,
        cookie: u64,
        r#match: Match,
        stats: Stats,
        _[align 8],
        instructions: Vec<Instruction>,
    }
}

structure! {
    /// `ofp_flow_stats` of 1.5: a flow's statistics, asked for or sent by `OFPIT_STAT_TRIGGER` (OF 1.5.1 7.3.5.3).
    pub struct FlowStats {
        _{length: u16},
        _[2],
        table_id: TableId,
        reason: FlowStatsReason,
        priority: u16,
        r#match: Match,
        stats: Stats,
        _[align 8],
    }
}

structure! {
    /// `ofp_flow_removed` of 1.5 (OF 1.5.1 7.4.2).
    pub struct FlowRemoved {
        table_id: TableId,
        reason: FlowRemovedReason,
        priority: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        cookie: u64,
        r#match: Match,
        stats: Stats,
        _[align 8],
    }
}
