//! Packets to the controller in 1.3, and from it in 1.1 to 1.4.

use super::action::Action;
use super::matching::Match;
use super::numbers::{BufferId, PortNo, TableId};
use crate::v13::PacketInReason;
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::structure;

structure! {
    /// `ofp_packet_in` of 1.3 (OF 1.3.5 7.4.1).
    pub struct PacketIn {
        buffer_id: BufferId,
        /// Bytes of the whole packet.
        total_len: u16,
        reason: PacketInReason,
        table_id: TableId,
        cookie: u64,
        r#match: Match,
        _[2],
        data: Bytes,
    }
}

structure! {
    /// `ofp_packet_out` of 1.1 to 1.4 (OF 1.3.5 7.3.7).
    pub struct PacketOut {
        buffer_id: BufferId,
        in_port: PortNo,
        _(actions_len: u16),
        _[6],
        actions: Vec<Action> as len(actions_len),
        data: Bytes,
    }
}
