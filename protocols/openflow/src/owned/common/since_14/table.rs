//! How flow tables make room, 1.4 and later (OF 1.4.1 7.3.4, 7.3.5).

use super::property::{BAD_LEN, ExperimenterProp};
use crate::owned::common::{TableConfig, TableId};
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_table_mod_prop_type` (OF 1.4.1 7.3.4).
    pub TableModPropType(u16) { OFPTMPT_EVICTION = 2, OFPTMPT_VACANCY = 3, OFPTMPT_EXPERIMENTER = 0xffff }
}

bit_flags! {
    /// `ofp_table_mod_prop_eviction_flag`: what a table goes by when it removes flows (OF 1.4.1 7.3.4).
    pub EvictionFlags(u32) { OFPTMPEF_OTHER = 1 << 0, OFPTMPEF_IMPORTANCE = 1 << 1, OFPTMPEF_LIFETIME = 1 << 2 }
}

choice! {
    /// `ofp_table_mod_prop_header` and what follows it, in table_mod and in a table's description.
    pub enum TableModProp("type": TableModPropType) {
        OFPTMPT_EVICTION => Eviction { flags: EvictionFlags, },
        OFPTMPT_VACANCY => Vacancy {
            /// Per cent of free space below which the controller hears of it.
            vacancy_down: u8,
            /// Per cent of free space above which the controller hears of it.
            vacancy_up: u8,
            /// Per cent of free space now; 0 in table_mod.
            vacancy: u8,
            _[1],
        },
        OFPTMPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(TableModProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_table_mod` (OF 1.4.1 7.3.4).
    pub struct TableMod {
        table_id: TableId,
        _[3],
        config: TableConfig,
        properties: Vec<TableModProp>,
    }
}

structure! {
    /// `ofp_table_desc` (OF 1.4.1 7.3.5).
    pub struct TableDesc {
        _{length: u16},
        table_id: TableId,
        _[1],
        config: TableConfig,
        properties: Vec<TableModProp>,
    }
}
