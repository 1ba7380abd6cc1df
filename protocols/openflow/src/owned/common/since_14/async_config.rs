//! Which asynchronous messages a controller wants, as 1.4 and later say it (OF 1.4.1 7.3.10).

use super::property::{BAD_LEN, ExperimenterProp};
use crate::owned::common::{FlowRemovedReasons, PortReasons};
use crate::owned::v15::{ControllerStatusReasons, FlowStatsReasons};
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_async_config_prop_type` (OF 1.4.1 7.3.10; `FLOW_STATS` and `CONT_STATUS` are of 1.5).
    pub AsyncConfigPropType(u16) {
        OFPACPT_PACKET_IN_SLAVE = 0,
        OFPACPT_PACKET_IN_MASTER = 1,
        OFPACPT_PORT_STATUS_SLAVE = 2,
        OFPACPT_PORT_STATUS_MASTER = 3,
        OFPACPT_FLOW_REMOVED_SLAVE = 4,
        OFPACPT_FLOW_REMOVED_MASTER = 5,
        OFPACPT_ROLE_STATUS_SLAVE = 6,
        OFPACPT_ROLE_STATUS_MASTER = 7,
        OFPACPT_TABLE_STATUS_SLAVE = 8,
        OFPACPT_TABLE_STATUS_MASTER = 9,
        OFPACPT_REQUESTFORWARD_SLAVE = 10,
        OFPACPT_REQUESTFORWARD_MASTER = 11,
        OFPACPT_FLOW_STATS_SLAVE = 12,
        OFPACPT_FLOW_STATS_MASTER = 13,
        OFPACPT_CONT_STATUS_SLAVE = 14,
        OFPACPT_CONT_STATUS_MASTER = 15,
        OFPACPT_EXPERIMENTER_SLAVE = 0xfffe,
        OFPACPT_EXPERIMENTER_MASTER = 0xffff,
    }
}

bit_flags! {
    /// A set of `ofp_packet_in_reason` by their names since 1.4, bit `n` for reason `n`.
    pub PacketInReasons(u32) {
        OFPR_TABLE_MISS = 1 << 0,
        OFPR_APPLY_ACTION = 1 << 1,
        OFPR_INVALID_TTL = 1 << 2,
        OFPR_ACTION_SET = 1 << 3,
        OFPR_GROUP = 1 << 4,
        OFPR_PACKET_OUT = 1 << 5,
    }
}

bit_flags! {
    /// A set of `ofp_controller_role_reason`, bit `n` for reason `n`.
    pub ControllerRoleReasons(u32) {
        OFPCRR_MASTER_REQUEST = 1 << 0,
        OFPCRR_CONFIG = 1 << 1,
        OFPCRR_EXPERIMENTER = 1 << 2,
    }
}

bit_flags! {
    /// A set of `ofp_table_reason`, bit `n` for reason `n`.
    pub TableReasons(u32) { OFPTR_VACANCY_DOWN = 1 << 3, OFPTR_VACANCY_UP = 1 << 4 }
}

bit_flags! {
    /// A set of `ofp_requestforward_reason`, bit `n` for reason `n`.
    pub RequestforwardReasons(u32) { OFPRFR_GROUP_MOD = 1 << 0, OFPRFR_METER_MOD = 1 << 1 }
}

choice! {
    /// `ofp_async_config_prop_header` and what follows it. The role equal goes with master.
    pub enum AsyncConfigProp("type": AsyncConfigPropType) {
        OFPACPT_PACKET_IN_SLAVE => PacketInSlave { mask: PacketInReasons, },
        OFPACPT_PACKET_IN_MASTER => PacketInMaster { mask: PacketInReasons, },
        OFPACPT_PORT_STATUS_SLAVE => PortStatusSlave { mask: PortReasons, },
        OFPACPT_PORT_STATUS_MASTER => PortStatusMaster { mask: PortReasons, },
        OFPACPT_FLOW_REMOVED_SLAVE => FlowRemovedSlave { mask: FlowRemovedReasons, },
        OFPACPT_FLOW_REMOVED_MASTER => FlowRemovedMaster { mask: FlowRemovedReasons, },
        OFPACPT_ROLE_STATUS_SLAVE => RoleStatusSlave { mask: ControllerRoleReasons, },
        OFPACPT_ROLE_STATUS_MASTER => RoleStatusMaster { mask: ControllerRoleReasons, },
        OFPACPT_TABLE_STATUS_SLAVE => TableStatusSlave { mask: TableReasons, },
        OFPACPT_TABLE_STATUS_MASTER => TableStatusMaster { mask: TableReasons, },
        OFPACPT_REQUESTFORWARD_SLAVE => RequestforwardSlave { mask: RequestforwardReasons, },
        OFPACPT_REQUESTFORWARD_MASTER => RequestforwardMaster { mask: RequestforwardReasons, },
        OFPACPT_FLOW_STATS_SLAVE in 6..=6 => FlowStatsSlave { mask: FlowStatsReasons, },
        OFPACPT_FLOW_STATS_MASTER in 6..=6 => FlowStatsMaster { mask: FlowStatsReasons, },
        OFPACPT_CONT_STATUS_SLAVE in 6..=6 => ContStatusSlave { mask: ControllerStatusReasons, },
        OFPACPT_CONT_STATUS_MASTER in 6..=6 => ContStatusMaster { mask: ControllerStatusReasons, },
        OFPACPT_EXPERIMENTER_SLAVE => ExperimenterSlave(property: ExperimenterProp),
        OFPACPT_EXPERIMENTER_MASTER => ExperimenterMaster(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(AsyncConfigProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_async_config` (OF 1.4.1 7.3.10).
    pub struct AsyncConfig {
        properties: Vec<AsyncConfigProp>,
    }
}
