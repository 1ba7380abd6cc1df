//! Which asynchronous messages a controller wants, as 1.3 says it (OF 1.3.5 7.3.10).

use ferroflow_wire::{bit_flags, structure};

bit_flags! {
    /// A set of `ofp_packet_in_reason`, bit `n` for reason `n`.
    pub PacketInReasons(u32) { OFPR_NO_MATCH = 1 << 0, OFPR_ACTION = 1 << 1, OFPR_INVALID_TTL = 1 << 2 }
}

bit_flags! {
    /// A set of `ofp_port_reason`, bit `n` for reason `n`.
    pub PortReasons(u32) { OFPPR_ADD = 1 << 0, OFPPR_DELETE = 1 << 1, OFPPR_MODIFY = 1 << 2 }
}

bit_flags! {
    /// A set of `ofp_flow_removed_reason`, bit `n` for reason `n`; the last two are of 1.4.
    pub FlowRemovedReasons(u32) {
        OFPRR_IDLE_TIMEOUT = 1 << 0,
        OFPRR_HARD_TIMEOUT = 1 << 1,
        OFPRR_DELETE = 1 << 2,
        OFPRR_GROUP_DELETE = 1 << 3,
        OFPRR_METER_DELETE = 1 << 4,
        OFPRR_EVICTION = 1 << 5,
    }
}

structure! {
    /// `ofp_async_config` of 1.3: the first of each pair is for the roles master and equal, the second for slave.
    pub struct AsyncConfig {
        packet_in_mask: [PacketInReasons; 2],
        port_status_mask: [PortReasons; 2],
        flow_removed_mask: [FlowRemovedReasons; 2],
    }
}
