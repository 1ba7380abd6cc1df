//! Flow tables of 1.3 (OF 1.3.5 7.3.3, 7.3.5.4, 7.3.5.5); the statistics and features are those of 1.4, too.

use super::action::ActionType;
use super::instruction::InstructionType;
use super::numbers::{ExperimenterId, TableId};
use super::oxm::{Oxm, OxmHeader};
use super::since_14;
use crate::header::Version;
use ferroflow_wire::codec::{Bytes, FixedStr, Reason};
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

bit_flags! {
    /// `ofp_table_config`: in 1.3 deprecated, to be 0 (OF 1.3.5 7.3.3); the last two are of 1.4.
    pub TableConfig(u32) { OFPTC_DEPRECATED_MASK = 3, OFPTC_EVICTION = 1 << 2, OFPTC_VACANCY_EVENTS = 1 << 3 }
}

structure! {
    /// `ofp_table_mod` of 1.1 to 1.3 (OF 1.3.5 7.3.3).
    pub struct TableMod {
        table_id: TableId,
        _[3],
        config: TableConfig,
    }
}

structure! {
    /// `ofp_table_stats` of 1.3 and later (OF 1.3.5 7.3.5.4).
    pub struct TableStats {
        table_id: TableId,
        _[3],
        active_count: u32,
        lookup_count: u64,
        matched_count: u64,
    }
}

open_enum! {
    /// `ofp_table_feature_prop_type` (OF 1.3.5 7.3.5.5.2; `TABLE_SYNC_FROM` is of 1.4, `PACKET_TYPES` of 1.5).
    pub TableFeaturePropType(u16) {
        OFPTFPT_INSTRUCTIONS = 0,
        OFPTFPT_INSTRUCTIONS_MISS = 1,
        OFPTFPT_NEXT_TABLES = 2,
        OFPTFPT_NEXT_TABLES_MISS = 3,
        OFPTFPT_WRITE_ACTIONS = 4,
        OFPTFPT_WRITE_ACTIONS_MISS = 5,
        OFPTFPT_APPLY_ACTIONS = 6,
        OFPTFPT_APPLY_ACTIONS_MISS = 7,
        OFPTFPT_MATCH = 8,
        OFPTFPT_WILDCARDS = 10,
        OFPTFPT_WRITE_SETFIELD = 12,
        OFPTFPT_WRITE_SETFIELD_MISS = 13,
        OFPTFPT_APPLY_SETFIELD = 14,
        OFPTFPT_APPLY_SETFIELD_MISS = 15,
        OFPTFPT_TABLE_SYNC_FROM = 16,
        OFPTFPT_WRITE_COPYFIELD = 18,
        OFPTFPT_WRITE_COPYFIELD_MISS = 19,
        OFPTFPT_APPLY_COPYFIELD = 20,
        OFPTFPT_APPLY_COPYFIELD_MISS = 21,
        OFPTFPT_PACKET_TYPES = 22,
        OFPTFPT_EXPERIMENTER = 0xfffe,
        OFPTFPT_EXPERIMENTER_MISS = 0xffff,
    }
}

structure! {
    /// An experimenter's part of an [`InstructionId`] or [`ActionId`].
    pub struct ExperimenterOfId {
        experimenter: ExperimenterId,
        data: Bytes,
    }
}

structure! {
    /// `ofp_instruction_id`: an instruction's header alone, in a table's features (OF 1.3.5 7.3.5.5.2).
    pub struct InstructionId {
        r#type: InstructionType,
        _{len: u16},
        experimenter: Option<ExperimenterOfId>,
    }
}

structure! {
    /// `ofp_action_id`: an action's header alone, in a table's features (OF 1.3.5 7.3.5.5.2).
    pub struct ActionId {
        r#type: ActionType,
        _{len: u16},
        experimenter: Option<ExperimenterOfId>,
    }
}

impl From<InstructionType> for InstructionId {
    fn from(r#type: InstructionType) -> Self {
        Self { r#type, experimenter: None }
    }
}

impl From<ActionType> for ActionId {
    fn from(r#type: ActionType) -> Self {
        Self { r#type, experimenter: None }
    }
}

choice! {
    /// `ofp_table_feature_prop_header` and what follows it.
    pub enum TableFeatureProp("type": TableFeaturePropType) {
        OFPTFPT_INSTRUCTIONS => Instructions { instruction_ids: Vec<InstructionId>, },
        OFPTFPT_INSTRUCTIONS_MISS => InstructionsMiss { instruction_ids: Vec<InstructionId>, },
        OFPTFPT_NEXT_TABLES => NextTables { next_table_ids: Vec<TableId>, },
        OFPTFPT_NEXT_TABLES_MISS => NextTablesMiss { next_table_ids: Vec<TableId>, },
        OFPTFPT_WRITE_ACTIONS => WriteActions { action_ids: Vec<ActionId>, },
        OFPTFPT_WRITE_ACTIONS_MISS => WriteActionsMiss { action_ids: Vec<ActionId>, },
        OFPTFPT_APPLY_ACTIONS => ApplyActions { action_ids: Vec<ActionId>, },
        OFPTFPT_APPLY_ACTIONS_MISS => ApplyActionsMiss { action_ids: Vec<ActionId>, },
        OFPTFPT_MATCH => Match { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_WILDCARDS => Wildcards { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_WRITE_SETFIELD => WriteSetfield { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_WRITE_SETFIELD_MISS => WriteSetfieldMiss { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_APPLY_SETFIELD => ApplySetfield { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_APPLY_SETFIELD_MISS => ApplySetfieldMiss { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_TABLE_SYNC_FROM in 5..=6 => TableSyncFrom { table_ids: Vec<TableId>, },
        OFPTFPT_WRITE_COPYFIELD in 6..=6 => WriteCopyfield { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_WRITE_COPYFIELD_MISS in 6..=6 => WriteCopyfieldMiss { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_APPLY_COPYFIELD in 6..=6 => ApplyCopyfield { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_APPLY_COPYFIELD_MISS in 6..=6 => ApplyCopyfieldMiss { oxm_ids: Vec<OxmHeader>, },
        OFPTFPT_PACKET_TYPES in 6..=6 => PacketTypes { oxm_values: Vec<Oxm>, },
        OFPTFPT_EXPERIMENTER => Experimenter { experimenter: ExperimenterId, exp_type: u32, experimenter_data: Bytes, },
        OFPTFPT_EXPERIMENTER_MISS => ExperimenterMiss {
            experimenter: ExperimenterId,
            exp_type: u32,
            experimenter_data: Bytes,
        },
        _ => Unknown,
    }
}
// The length leaves the padding out.
tlv!(TableFeatureProp, length: u16, answer bad_property, pad 8);

/// OFPET_TABLE_FEATURES_FAILED/OFPTFFC_BAD_LEN; since 1.4 the errors of every property, OFPET_BAD_PROPERTY with
/// OFPBPC_BAD_LEN or OFPBPC_BAD_VALUE.
fn bad_property(version: u8, reason: Reason) -> Option<(u16, u16)> {
    let since_14 = version >= Version::V1_4.0;
    match reason {
        Reason::Masked if since_14 => Some((14, 2)),
        _ if since_14 => reason.is_length().then_some(since_14::BAD_LEN),
        _ => reason.is_length().then_some((13, 3)),
    }
}

structure! {
    /// `ofp_table_features` of 1.3 and 1.4 (OF 1.3.5 7.3.5.5).
    pub struct TableFeatures {
        _{length: u16},
        table_id: TableId,
        _[5],
        name: FixedStr<32>,
        /// Bits of the metadata that the table can match.
        metadata_match: u64,
        /// Bits of the metadata that the table can write.
        metadata_write: u64,
        config: TableConfig,
        max_entries: u32,
        properties: Vec<TableFeatureProp>,
    }
}
