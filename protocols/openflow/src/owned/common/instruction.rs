//! Instructions of 1.2 and later (OF 1.3.5 7.2.4).

use super::action::Action;
use super::numbers::{ExperimenterId, MeterId, TableId};
use crate::owned::v15::{StatTriggerFlags, Stats};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, open_enum, tlv};

open_enum! {
    /// `ofp_instruction_type` (OF 1.3.5 7.2.4; meters are of 1.3 and 1.4, `OFPIT_STAT_TRIGGER` of 1.5).
    pub InstructionType(u16) {
        OFPIT_GOTO_TABLE = 1,
        OFPIT_WRITE_METADATA = 2,
        OFPIT_WRITE_ACTIONS = 3,
        OFPIT_APPLY_ACTIONS = 4,
        OFPIT_CLEAR_ACTIONS = 5,
        OFPIT_METER = 6,
        OFPIT_STAT_TRIGGER = 7,
        OFPIT_EXPERIMENTER = 0xffff,
    }
}

choice! {
    /// `ofp_instruction` and what follows it.
    pub enum Instruction("type": InstructionType) {
        OFPIT_GOTO_TABLE => GotoTable { table_id: TableId, _[3], },
        OFPIT_WRITE_METADATA => WriteMetadata { _[4], metadata: u64, metadata_mask: u64, },
        OFPIT_WRITE_ACTIONS => WriteActions { _[4], actions: Vec<Action>, },
        OFPIT_APPLY_ACTIONS => ApplyActions { _[4], actions: Vec<Action>, },
        OFPIT_CLEAR_ACTIONS => ClearActions { _[4], },
        OFPIT_METER in 4..=5 => Meter { meter_id: MeterId, },
        OFPIT_STAT_TRIGGER in 6..=6 => StatTrigger {
            flags: StatTriggerFlags,
            /// Statistics at which the flow's statistics are sent.
            thresholds: Stats,
            _[align 8],
        },
        OFPIT_EXPERIMENTER => Experimenter { experimenter: ExperimenterId, data: Bytes as after(8), },
        _ => Unknown,
    }
}
// The length is a multiple of 8, as those of all that there are (OF 1.3.5 7.2.4). OFPET_BAD_INSTRUCTION/OFPBIC_BAD_LEN
tlv!(Instruction, len: u16, answer (3, 7), unit 8);
