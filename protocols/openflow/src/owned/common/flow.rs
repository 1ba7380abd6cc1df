//! Flows of 1.2 to 1.4.

use super::instruction::Instruction;
use super::matching::Match;
use super::numbers::{BufferId, FlowModFlags, GroupId, PortNo, TableId};
use crate::v13::{FlowModCommand, FlowRemovedReason};
use ferroflow_wire::structure;

structure! {
    /// `ofp_flow_mod` of 1.1 to 1.3 (OF 1.3.5 7.3.4.1).
    pub struct FlowMod {
        cookie: u64,
        /// For changes and deletes: the bits of the cookie that must agree; 0 for none.
        cookie_mask: u64,
        table_id: TableId,
        command: FlowModCommand,
        /// Seconds without a packet; 0 for never.
        idle_timeout: u16,
        /// Seconds; 0 for never.
        hard_timeout: u16,
        priority: u16,
        buffer_id: BufferId,
        /// For deletes: a flow must output here; `OFPP_ANY` for no such restriction.
        out_port: PortNo,
        /// For deletes: a flow must refer to this group; `OFPG_ANY` for no such restriction.
        out_group: GroupId,
        flags: FlowModFlags,
        _[2],
        r#match: Match,
        instructions: Vec<Instruction>,
    }
}

structure! {
    /// `ofp_flow_removed` of 1.2 to 1.4 (OF 1.3.5 7.4.2).
    pub struct FlowRemoved {
        cookie: u64,
        priority: u16,
        reason: FlowRemovedReason,
        table_id: TableId,
        duration_sec: u32,
        duration_nsec: u32,
        idle_timeout: u16,
        hard_timeout: u16,
        packet_count: u64,
        byte_count: u64,
        r#match: Match,
    }
}

structure! {
    /// `ofp_flow_stats_request` of 1.2 to 1.5 (OF 1.3.5 7.3.5.2); aggregate requests have the same form.
    pub struct FlowStatsRequest {
        table_id: TableId,
        _[3],
        out_port: PortNo,
        out_group: GroupId,
        _[4],
        cookie: u64,
        cookie_mask: u64,
        r#match: Match,
    }
}

structure! {
    /// `ofp_flow_stats` of 1.3 (OF 1.3.5 7.3.5.2).
    pub struct FlowStats {
        _{length: u16},
        table_id: TableId,
        _[1],
        duration_sec: u32,
        duration_nsec: u32,
        priority: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        flags: FlowModFlags,
        _[4],
        cookie: u64,
        packet_count: u64,
        byte_count: u64,
        r#match: Match,
        instructions: Vec<Instruction>,
    }
}

structure! {
    /// `ofp_aggregate_stats_reply` of 1.0 to 1.4 (OF 1.3.5 7.3.5.3).
    pub struct AggregateStats {
        packet_count: u64,
        byte_count: u64,
        flow_count: u32,
        _[4],
    }
}
