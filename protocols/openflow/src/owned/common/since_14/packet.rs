//! Packets to the controller, 1.4 and later (OF 1.4.1 7.4.1).

use crate::owned::common::{BufferId, Match, TableId};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{open_enum, structure};

open_enum! {
    /// `ofp_packet_in_reason` by its names since 1.4 (OF 1.4.1 7.4.1).
    pub PacketInReason(u8) {
        OFPR_TABLE_MISS = 0,
        OFPR_APPLY_ACTION = 1,
        OFPR_INVALID_TTL = 2,
        OFPR_ACTION_SET = 3,
        OFPR_GROUP = 4,
        OFPR_PACKET_OUT = 5,
    }
}

structure! {
    /// `ofp_packet_in` (OF 1.4.1 7.4.1).
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
