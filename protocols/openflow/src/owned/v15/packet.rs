//! Packets from the controller, which in 1.5 have a match instead of a port.

use crate::owned::common::{Action, BufferId, Match};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::structure;

structure! {
    /// `ofp_packet_out` of 1.5 (OF 1.5.1 7.3.6).
    pub struct PacketOut {
        buffer_id: BufferId,
        _(actions_len: u16),
        _[2],
        /// Pipeline fields: the input port, and what else there is of a packet apart from its bytes.
        r#match: Match,
        actions: Vec<Action> as len(actions_len),
        data: Bytes,
    }
}
