//! What a switch tells of itself unasked, 1.4 and later (OF 1.4.1 7.4.4, 7.4.5).

use super::property::{BAD_LEN, ExperimenterProp};
use super::table::TableDesc;
use crate::owned::common::ControllerRole;
use ferroflow_wire::{choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_controller_role_reason` (OF 1.4.1 7.4.4).
    pub ControllerRoleReason(u8) { OFPCRR_MASTER_REQUEST = 0, OFPCRR_CONFIG = 1, OFPCRR_EXPERIMENTER = 2 }
}

open_enum! {
    /// `ofp_role_prop_type` (OF 1.4.1 7.4.4).
    pub RolePropType(u16) { OFPRPT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_role_prop_header` and what follows it.
    pub enum RoleProp("type": RolePropType) {
        OFPRPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(RoleProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_role_status` (OF 1.4.1 7.4.4).
    pub struct RoleStatus {
        role: ControllerRole,
        reason: ControllerRoleReason,
        _[3],
        generation_id: u64,
        properties: Vec<RoleProp>,
    }
}

open_enum! {
    /// `ofp_table_reason` (OF 1.4.1 7.4.5).
    pub TableReason(u8) { OFPTR_VACANCY_DOWN = 3, OFPTR_VACANCY_UP = 4 }
}

structure! {
    /// `ofp_table_status` (OF 1.4.1 7.4.5).
    pub struct TableStatus {
        reason: TableReason,
        _[7],
        table: TableDesc,
    }
}
