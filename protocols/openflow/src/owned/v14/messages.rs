//! Messages that carry a message, and the flow statistics of 1.4 alone.

use super::Message;
use crate::owned::common::since_14::{BundleFlags, BundleProp};
use crate::owned::common::{FlowModFlags, Instruction, Match, TableId};
use ferroflow_wire::structure;

structure! {
    /// `ofp_requestforward_header`: what another controller has asked for, a group_mod or meter_mod (OF 1.4.1 7.4.6).
    pub struct Requestforward {
        request: Box<Message>,
    }
}

structure! {
    /// `ofp_bundle_add_msg` (OF 1.4.1 7.3.9).
    pub struct BundleAddMsg {
        bundle_id: u32,
        _[2],
        flags: BundleFlags,
        /// Its xid is that of the message around it.
        message: Box<Message>,
        properties: Vec<BundleProp> as padded(8),
    }
}

structure! {
    /// `ofp_flow_stats` of 1.4 (OF 1.4.1 7.3.5).
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
        importance: u16,
        _[2],
        cookie: u64,
        packet_count: u64,
        byte_count: u64,
        r#match: Match,
        instructions: Vec<Instruction>,
    }
}
