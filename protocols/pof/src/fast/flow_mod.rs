use super::{ActionSlot, BuildError, start};
use crate::{
    ACTION_LEN, FlowModCommand, InstructionType, MAX_FIELD_LEN, MAX_MATCH_FIELDS, MessageType, Profile,
    TableType,
};

/// A field of a FLOW_MOD's match: where it is in the packet, its value and its mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldMatch {
    /// A label, or [`FieldId::METADATA`](crate::FieldId::METADATA).
    pub field_id: u16,
    /// From the current packet offset, in bits.
    pub offset: u16,
    /// In bits, 128 at most.
    pub len: u16,
    /// Left-aligned.
    pub value: [u8; MAX_FIELD_LEN],
    /// Left-aligned.
    pub mask: [u8; MAX_FIELD_LEN],
}

impl FieldMatch {
    /// All bits of a field of whole bytes, at `offset` bits.
    ///
    /// # Errors
    /// When the field has more than 16 bytes.
    #[inline]
    pub fn exact(field_id: u16, offset: u16, value: &[u8]) -> Result<Self, BuildError> {
        BuildError::at_most("bytes of a field", MAX_FIELD_LEN, value.len())?;
        let mut field = Self { field_id, offset, len: 8 * value.len() as u16, value: [0; 16], mask: [0; 16] };
        field.value[..value.len()].copy_from_slice(value);
        field.mask[..value.len()].fill(0xff);
        Ok(field)
    }
}

/// Offsets from the start of the message (WIRE.md 4, FLOW_MOD).
const MATCH: usize = 8 + 40;
const INSTRUCTIONS: usize = 8 + 360;

/// Writes a FLOW_MOD into a buffer. What is not said is zero.
#[derive(Debug)]
pub struct FlowModBuilder<'a> {
    msg: &'a mut [u8],
    profile: Profile,
}

impl<'a> FlowModBuilder<'a> {
    /// Starts at the front of `buf`, which is longer than [`Profile::flow_mod_len`] or as long.
    ///
    /// # Errors
    /// When `buf` is too short.
    #[inline]
    pub fn new(
        profile: Profile,
        buf: &'a mut [u8],
        xid: u32,
        command: FlowModCommand,
    ) -> Result<Self, BuildError> {
        let msg = start(MessageType::FLOW_MOD, xid, profile.flow_mod_len(), buf)?;
        msg[8] = command.0;
        Ok(Self { msg, profile })
    }

    /// The table, by its local id.
    #[inline]
    pub fn table(&mut self, table_type: TableType, table_id: u8) -> &mut Self {
        self.put(32, [table_id, table_type.0])
    }

    /// The entry's slot in the table, which the controller chooses: it identifies the entry.
    #[inline]
    pub fn index(&mut self, index: u32) -> &mut Self {
        self.put(40, index.to_be_bytes())
    }

    /// The highest one wins in an MM table.
    #[inline]
    pub fn priority(&mut self, priority: u16) -> &mut Self {
        self.put(38, priority.to_be_bytes())
    }

    /// What a PACKET_IN of the entry carries: `cookie` AND `mask`.
    #[inline]
    pub fn cookie(&mut self, cookie: u64, mask: u64) -> &mut Self {
        self.put(16, cookie.to_be_bytes()).put(24, mask.to_be_bytes())
    }

    /// The counter that is made and deleted with the entry; 0 is none.
    #[inline]
    pub fn counter_id(&mut self, counter_id: u32) -> &mut Self {
        self.put(12, counter_id.to_be_bytes())
    }

    /// In seconds. The known switches take no notice of them.
    #[inline]
    pub fn timeouts(&mut self, idle: u16, hard: u16) -> &mut Self {
        self.put(34, idle.to_be_bytes()).put(36, hard.to_be_bytes())
    }

    /// The slot's id: profiles without slots have none, and then nothing is written.
    #[inline]
    pub fn slot(&mut self, slot: u16) -> &mut Self {
        if self.profile.has_slots() { self.put(44, slot.to_be_bytes()) } else { self }
    }

    /// Adds a field to the match.
    ///
    /// # Errors
    /// When there are eight already, or the field has more than 128 bits.
    #[inline]
    pub fn matching(&mut self, field: &FieldMatch) -> Result<&mut Self, BuildError> {
        BuildError::at_most("bits of a field", 8 * MAX_FIELD_LEN, field.len.into())?;
        let n = usize::from(self.msg[9]);
        BuildError::at_most("match_field_num", MAX_MATCH_FIELDS, n + 1)?;
        self.msg[9] += 1;
        let at = MATCH + 40 * n;
        self.put(at, field.field_id.to_be_bytes()).put(at + 2, field.offset.to_be_bytes());
        Ok(self.put(at + 4, field.len.to_be_bytes()).put(at + 8, field.value).put(at + 24, field.mask))
    }

    /// Adds APPLY_ACTIONS.
    ///
    /// # Errors
    /// When there are more actions, or instructions, than the profile has slots for.
    #[inline]
    pub fn apply_actions(&mut self, actions: &[ActionSlot]) -> Result<&mut Self, BuildError> {
        BuildError::at_most("action_num", self.profile.max_actions(), actions.len())?;
        let at = self.instruction(InstructionType::APPLY_ACTIONS, 8 + actions.len() * ACTION_LEN)?;
        self.msg[at] = actions.len() as u8;
        for (i, action) in actions.iter().enumerate() {
            self.put(at + 8 + ACTION_LEN * i, action.0);
        }
        Ok(self)
    }

    /// Adds GOTO_TABLE: to the table of this global id, `packet_offset` bytes further in the packet.
    ///
    /// # Errors
    /// When there are more instructions than the profile has slots for.
    #[inline]
    pub fn goto_table(&mut self, next_table: u8, packet_offset: u16) -> Result<&mut Self, BuildError> {
        let at = self.instruction(InstructionType::GOTO_TABLE, 72)?;
        self.msg[at] = next_table;
        Ok(self.put(at + 2, packet_offset.to_be_bytes()))
    }

    /// Adds METER.
    ///
    /// # Errors
    /// When there are more instructions than the profile has slots for.
    #[inline]
    pub fn meter(&mut self, meter_id: u32) -> Result<&mut Self, BuildError> {
        let at = self.instruction(InstructionType::METER, 8)?;
        Ok(self.put(at, meter_id.to_be_bytes()))
    }

    /// The message's length in bytes.
    #[inline]
    pub fn finish(self) -> usize {
        self.msg.len()
    }

    /// Starts an instruction with `data_len` bytes of data, and says where its data starts.
    #[inline]
    fn instruction(&mut self, ty: InstructionType, data_len: usize) -> Result<usize, BuildError> {
        let n = usize::from(self.msg[10]);
        BuildError::at_most("instruction_num", self.profile.max_instructions(), n + 1)?;
        self.msg[10] += 1;
        let at = INSTRUCTIONS + self.profile.instruction_len() * n;
        self.put(at, ty.0.to_be_bytes()).put(at + 2, (8 + data_len as u16).to_be_bytes());
        Ok(at + 8)
    }

    #[inline(always)]
    fn put<const N: usize>(&mut self, at: usize, v: [u8; N]) -> &mut Self {
        self.msg[at..at + N].copy_from_slice(&v);
        self
    }
}
