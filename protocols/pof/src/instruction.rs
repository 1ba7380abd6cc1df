//! Instructions (WIRE.md 4, instruction slot).

use crate::action::Action;
use crate::field::{Match, Number, Value};
use crate::profile::{FIELD_VALUES, Profile, WIDE_VALUES};
use crate::slot::{count, field, pad, read_slot, slot_from_fields, slot_to_fields, trimmed, write_slot};
use crate::{ACTION_LEN, Calculation, Direction, ErrorCode, InstructionType};
use ferroflow_wire::choice;
use ferroflow_wire::codec::{
    Choice, Codec, JsonError, JsonObject, Object, ReadError, Reader, Writer, read_slots, write_slots,
};

/// An instruction in its slot of 208 bytes (1.3.4) or 304.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Bytes of the instruction as its sender counts them. No known switch looks at it.
    pub len: u16,
    /// Type and data.
    pub data: InstructionData,
}

choice! {
    /// What an instruction does. WRITE_ACTIONS and CLEAR_ACTIONS are not implemented by any known switch, and their
    /// data is not known.
    #[non_exhaustive]
    pub enum InstructionData("type": InstructionType) {
        /// Goes to the table of this global id, `packet_offset` bytes further in the packet.
        GOTO_TABLE => GotoTable {
            next_table: u8,
            _(match_field_num: u8),
            packet_offset: u16,
            _[4],
            r#match: Vec<Match> as slots(match_field_num, 8),
        },
        /// Writes `len` bits of metadata from bit `metadata_offset` on.
        WRITE_METADATA => WriteMetadata { metadata_offset: u16, len: u16, value: Number<u32>, _[4 in WIDE_VALUES], },
        /// Runs actions.
        APPLY_ACTIONS => ApplyActions(list: ActionList),
        /// Meters the packet.
        METER => Meter { meter_id: u32, _[4], },
        /// Copies `len` bits of the packet into the metadata. Offsets are in bits.
        WRITE_METADATA_FROM_PACKET => WriteMetadataFromPacket {
            metadata_offset: u16,
            packet_offset: u16,
            len: u16,
            _[2],
        },
        /// Goes to an entry of a table.
        GOTO_DIRECT_TABLE => GotoDirectTable(to: GotoDirectTable),
        /// Compares two values, and jumps by one of three offsets.
        CONDITIONAL_JMP in FIELD_VALUES => ConditionalJmp(jump: ConditionalJmp),
        /// Calculates with a field.
        CALCULATE_FIELD in FIELD_VALUES => CalculateField(calculation: CalculateField),
        /// Moves the current packet offset.
        MOVE_PACKET_OFFSET in FIELD_VALUES => MovePacketOffset(movement: MovePacketOffset),
        _ => Unknown,
    }
}

fields! {
    /// The data of APPLY_ACTIONS.
    pub struct ActionList {
        /// At most 4 in 1.3.4, at most 6 elsewhere.
        actions: Vec<Action>,
    }
}

impl Codec for ActionList {
    const MIN: usize = 8;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let max = Profile::of_version(r.version()).max_actions();
        let count = count(r, "action_num", max, ErrorCode::TOO_MANY_ACTIONS)?;
        pad(r, 7)?;
        let actions = read_slots(r, count, max).map_err(|e| e.within("actions"))?;
        Ok(Self { actions })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.actions.len() as u8]);
        w.zeros(7);
        write_slots(&self.actions, w, Profile::of_version(w.version()).max_actions(), "actions");
    }
}

fields! {
    /// The data of GOTO_DIRECT_TABLE.
    pub struct GotoDirectTable {
        /// The table's global id.
        next_table: u8,
        /// Bytes further in the packet.
        packet_offset: u16,
        /// The entry: in 1.3.4 a number.
        index: Value,
    }
}

arbitrary_fields!(GotoDirectTable { next_table, packet_offset, index });

impl Codec for GotoDirectTable {
    const MIN: usize = 8;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let next_table = field(r, "next_table")?;
        let index_type = field(r, "index_type")?;
        let packet_offset = field(r, "packet_offset")?;
        let index = if FIELD_VALUES.contains(&r.version()) {
            pad(r, 4)?;
            Value::read_union(r, index_type).map_err(|e| e.within("index"))?
        } else {
            Value::Immediate(field(r, "index")?)
        };
        Ok(Self { next_table, packet_offset, index })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.next_table, self.index.value_type()]);
        self.packet_offset.write(w);
        if FIELD_VALUES.contains(&w.version()) {
            w.zeros(4);
            self.index.write_union(w, "index");
        } else {
            self.index.write_number(w, "index");
        }
    }
}

fields! {
    /// The data of CONDITIONAL_JMP. `off1` is for less, `off2` for equal, `off3` for greater.
    pub struct ConditionalJmp {
        /// What is compared.
        field1: Match,
        /// What it is compared with.
        field2: Value,
        /// Which way `offset1` counts.
        off1_dir: Direction,
        /// Instructions to jump if less.
        offset1: Value,
        /// Which way `offset2` counts.
        off2_dir: Direction,
        /// Instructions to jump if equal.
        offset2: Value,
        /// Which way `offset3` counts.
        off3_dir: Direction,
        /// Instructions to jump if greater.
        offset3: Value,
    }
}

arbitrary_fields!(ConditionalJmp { field1, field2, off1_dir, offset1, off2_dir, offset2, off3_dir, offset3 });

impl Codec for ConditionalJmp {
    const MIN: usize = 48;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let field2_type = field(r, "field2_type")?;
        let (off1_dir, off1_type) = (field(r, "off1_dir")?, field(r, "off1_type")?);
        let (off2_dir, off2_type) = (field(r, "off2_dir")?, field(r, "off2_type")?);
        let (off3_dir, off3_type) = (field(r, "off3_dir")?, field(r, "off3_type")?);
        pad(r, 1)?;
        let field1 = field(r, "field1")?;
        let mut union = |value_type, name| Value::read_union(r, value_type).map_err(|e| e.within(name));
        Ok(Self {
            field1,
            field2: union(field2_type, "field2")?,
            off1_dir,
            offset1: union(off1_type, "offset1")?,
            off2_dir,
            offset2: union(off2_type, "offset2")?,
            off3_dir,
            offset3: union(off3_type, "offset3")?,
        })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.field2.value_type()]);
        w.bytes(&[self.off1_dir.0, self.offset1.value_type()]);
        w.bytes(&[self.off2_dir.0, self.offset2.value_type()]);
        w.bytes(&[self.off3_dir.0, self.offset3.value_type(), 0]);
        self.field1.write(w);
        self.field2.write_union(w, "field2");
        self.offset1.write_union(w, "offset1");
        self.offset2.write_union(w, "offset2");
        self.offset3.write_union(w, "offset3");
    }
}

fields! {
    /// The data of CALCULATE_FIELD.
    pub struct CalculateField {
        /// What is done.
        calc_type: Calculation,
        /// The field that is changed.
        dst: Match,
        /// The other operand.
        src: Value,
    }
}

arbitrary_fields!(CalculateField { calc_type, dst, src });

impl Codec for CalculateField {
    const MIN: usize = 24;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let calc_type = field(r, "calc_type")?;
        let src_type = field(r, "src_type")?;
        pad(r, 5)?;
        let dst = field(r, "dst")?;
        let src = Value::read_union(r, src_type).map_err(|e| e.within("src"))?;
        Ok(Self { calc_type, dst, src })
    }

    fn write(&self, w: &mut Writer<'_>) {
        self.calc_type.write(w);
        w.bytes(&[self.src.value_type()]);
        w.zeros(5);
        self.dst.write(w);
        self.src.write_union(w, "src");
    }
}

fields! {
    /// The data of MOVE_PACKET_OFFSET.
    pub struct MovePacketOffset {
        /// Which way.
        direction: Direction,
        /// How many bytes.
        value: Value,
    }
}

arbitrary_fields!(MovePacketOffset { direction, value });

impl Codec for MovePacketOffset {
    const MIN: usize = 16;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let direction = field(r, "direction")?;
        let value_type = field(r, "value_type")?;
        pad(r, 6)?;
        let value = Value::read_union(r, value_type).map_err(|e| e.within("value"))?;
        Ok(Self { direction, value })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.direction.0, self.value.value_type()]);
        w.zeros(6);
        self.value.write_union(w, "value");
    }
}

impl InstructionData {
    /// The instruction, with the length that its header and data have in `profile`; of APPLY_ACTIONS the slots in use
    /// count.
    pub fn in_profile(self, profile: Profile) -> Instruction {
        let len = match &self {
            Self::ApplyActions(list) => 8 + list.actions.len() * ACTION_LEN,
            other => {
                // Without room it only counts.
                let mut w = Writer::fill_slice(&mut [], profile.version());
                Choice::write_rest(other, 0, &mut w);
                w.offset()
            }
        };
        Instruction { len: 8 + len as u16, data: self }
    }
}

impl Instruction {
    /// APPLY_ACTIONS.
    pub fn apply(profile: Profile, actions: impl Into<Vec<Action>>) -> Self {
        InstructionData::ApplyActions(ActionList { actions: actions.into() }).in_profile(profile)
    }

    /// GOTO_TABLE: to the table of this global id, `packet_offset` bytes further in the packet.
    pub fn goto_table(profile: Profile, next_table: u8, packet_offset: u16) -> Self {
        InstructionData::GotoTable { next_table, packet_offset, r#match: Vec::new() }.in_profile(profile)
    }
}

impl Codec for Instruction {
    const MIN: usize = Profile::P134.instruction_len();

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let room = Profile::of_version(r.version()).instruction_data_len();
        let (len, data) = read_slot(r, 4, room, ErrorCode::BAD_INSTRUCTION_LEN.into())?;
        let data = match data {
            InstructionData::Unknown { tag, unknown } => {
                InstructionData::Unknown { tag, unknown: trimmed(unknown) }
            }
            known => known,
        };
        Ok(Self { len, data })
    }

    fn write(&self, w: &mut Writer<'_>) {
        let room = Profile::of_version(w.version()).instruction_data_len();
        write_slot(self.len, &self.data, w, 4, room);
    }
}

impl JsonObject for Instruction {
    fn to_fields(&self, object: &mut Object) {
        slot_to_fields(self.len, &self.data, object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        slot_from_fields(object).map(|(len, data)| Self { len, data })
    }
}

ferroflow_wire::__object_json!(Instruction);

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for ActionList {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let mut actions = Vec::arbitrary(e);
            actions.truncate(Profile::of_version(e.version()).max_actions());
            Self { actions }
        }
    }

    impl Arbitrary for Instruction {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let data = match Arbitrary::arbitrary(e) {
                InstructionData::Unknown { tag, unknown } => {
                    InstructionData::Unknown { tag, unknown: trimmed(unknown) }
                }
                known => known,
            };
            Self { len: Arbitrary::arbitrary(e), data }
        }
    }
}
