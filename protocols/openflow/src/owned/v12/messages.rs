//! Messages of 1.2 that 1.3 has otherwise, but for statistics.

use super::numbers::{ConfigFlags, TableConfig};
use crate::owned::common::{BufferId, Capabilities, Match, MaxLen, Port, TableId};
use crate::v13::PacketInReason;
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::structure;

structure! {
    /// `ofp_switch_features` (OF 1.2 A.3.1).
    pub struct SwitchFeatures {
        datapath_id: u64,
        /// Packets that the switch can buffer.
        n_buffers: u32,
        n_tables: u8,
        _[3],
        capabilities: Capabilities,
        reserved: u32,
        ports: Vec<Port>,
    }
}

structure! {
    /// `ofp_switch_config` (OF 1.2 A.3.2).
    pub struct SwitchConfig {
        flags: ConfigFlags,
        miss_send_len: MaxLen,
    }
}

structure! {
    /// `ofp_table_mod` (OF 1.2 A.3.3).
    pub struct TableMod {
        table_id: TableId,
        _[3],
        config: TableConfig,
    }
}

structure! {
    /// `ofp_packet_in` (OF 1.2 A.4.1).
    pub struct PacketIn {
        buffer_id: BufferId,
        /// Bytes of the whole packet.
        total_len: u16,
        reason: PacketInReason,
        table_id: TableId,
        r#match: Match,
        _[2],
        data: Bytes,
    }
}
