//! Flows of 1.4 and later, which say how important they are (OF 1.4.1 7.3.4).

use crate::owned::common::{BufferId, FlowModFlags, GroupId, Instruction, Match, PortNo, TableId};
use crate::v13::FlowModCommand;
use ferroflow_wire::structure;

structure! {
    /// `ofp_flow_mod` (OF 1.4.1 7.3.4).
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
        /// The lower, the earlier is the flow evicted from a full table.
        importance: u16,
        r#match: Match,
        instructions: Vec<Instruction>,
    }
}
