//! Flow monitors: a controller hears of what others do to flows, 1.4 and later (OF 1.4.1 7.3.5).

use crate::owned::common::{GroupId, Instruction, Match, PortNo, TableId};
use crate::v13::FlowRemovedReason;
use ferroflow_wire::{bit_flags, choice, ltv, open_enum, structure};

open_enum! {
    /// `ofp_flow_monitor_command` (OF 1.4.1 7.3.5).
    pub FlowMonitorCommand(u8) { OFPFMC_ADD = 0, OFPFMC_MODIFY = 1, OFPFMC_DELETE = 2 }
}

bit_flags! {
    /// `ofp_flow_monitor_flags`: when to send updates, and what to include in them (OF 1.4.1 7.3.5).
    pub FlowMonitorFlags(u16) {
        OFPFMF_INITIAL = 1 << 0,
        OFPFMF_ADD = 1 << 1,
        OFPFMF_REMOVED = 1 << 2,
        OFPFMF_MODIFY = 1 << 3,
        OFPFMF_INSTRUCTIONS = 1 << 4,
        OFPFMF_NO_ABBREV = 1 << 5,
        OFPFMF_ONLY_OWN = 1 << 6,
    }
}

structure! {
    /// `ofp_flow_monitor_request` (OF 1.4.1 7.3.5).
    pub struct FlowMonitorRequest {
        monitor_id: u32,
        out_port: PortNo,
        out_group: GroupId,
        flags: FlowMonitorFlags,
        table_id: TableId,
        command: FlowMonitorCommand,
        r#match: Match,
    }
}

open_enum! {
    /// `ofp_flow_update_event` (OF 1.4.1 7.3.5).
    pub FlowUpdateEvent(u16) {
        OFPFME_INITIAL = 0,
        OFPFME_ADDED = 1,
        OFPFME_REMOVED = 2,
        OFPFME_MODIFIED = 3,
        OFPFME_ABBREV = 4,
        OFPFME_PAUSED = 5,
        OFPFME_RESUMED = 6,
    }
}

structure! {
    /// `ofp_flow_update_full` after its header (OF 1.4.1 7.3.5).
    pub struct FlowUpdateFull {
        table_id: TableId,
        /// For `OFPFME_REMOVED`, else 0.
        reason: FlowRemovedReason,
        idle_timeout: u16,
        hard_timeout: u16,
        priority: u16,
        _[4],
        cookie: u64,
        r#match: Match,
        /// None without `OFPFMF_INSTRUCTIONS`, and none for `OFPFME_REMOVED`.
        instructions: Vec<Instruction>,
    }
}

choice! {
    /// `ofp_flow_update_header` and what follows it.
    pub enum FlowUpdate("event": FlowUpdateEvent) {
        OFPFME_INITIAL => Initial(update: Box<FlowUpdateFull>),
        OFPFME_ADDED => Added(update: Box<FlowUpdateFull>),
        OFPFME_REMOVED => Removed(update: Box<FlowUpdateFull>),
        OFPFME_MODIFIED => Modified(update: Box<FlowUpdateFull>),
        OFPFME_ABBREV => Abbrev {
            /// Of the controller's own message that caused the change.
            xid: u32,
        },
        OFPFME_PAUSED => Paused { _[4], },
        OFPFME_RESUMED => Resumed { _[4], },
        _ => Unknown,
    }
}
// OFPET_BAD_REQUEST/OFPBRC_BAD_LEN
ltv!(FlowUpdate, length: u16, answer (1, 6));
