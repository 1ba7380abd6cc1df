use super::slot_id::{slot_or_pad, write_slot_or_pad};
use crate::field::MatchX;
use crate::instruction::Instruction;
use crate::slot::{count, field, pad};
use crate::{ErrorCode, FlowModCommand, MAX_MATCH_FIELDS, Profile, TableType};
use ferroflow_wire::codec::{Codec, ReadError, Reader, Writer, read_slots, write_slots};

fields! {
    /// FLOW_MOD: an entry of a table.
    pub struct FlowMod {
        /// What is done. DELETE goes by table and index alone.
        command: FlowModCommand,
        /// The counter that is made and deleted with the entry; 0 is none.
        counter_id: u32,
        /// A PACKET_IN carries `cookie` AND `cookie_mask`.
        cookie: u64,
        /// See `cookie`.
        cookie_mask: u64,
        /// The table's local id: from 0 within its type.
        table_id: u8,
        /// The table's type.
        table_type: TableType,
        /// Not implemented by the known switches.
        idle_timeout: u16,
        /// Not implemented by the known switches.
        hard_timeout: u16,
        /// The highest one wins in an MM table.
        priority: u16,
        /// The entry's place in the table, chosen by the controller: it identifies the entry.
        index: u32,
        /// The slot, in profiles that have slots.
        slot: Option<u16>,
        /// The fields that are matched, at most 8.
        r#match: Vec<MatchX>,
        /// What is done with a packet: at most 4 in 1.3.4, at most 6 elsewhere.
        instructions: Vec<Instruction>,
    }
}

impl Codec for FlowMod {
    const MIN: usize = 360 + 4 * Profile::P134.instruction_len();

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let profile = Profile::of_version(r.version());
        let command = field(r, "command")?;
        let fields = count(r, "match_field_num", MAX_MATCH_FIELDS, ErrorCode::BAD_MATCH_LEN)?;
        let max = profile.max_instructions();
        let instructions = count(r, "instruction_num", max, ErrorCode::BAD_INSTRUCTION_LEN)?;
        pad(r, 1)?;
        let counter_id = field(r, "counter_id")?;
        let (cookie, cookie_mask) = (field(r, "cookie")?, field(r, "cookie_mask")?);
        let (table_id, table_type) = (field(r, "table_id")?, field(r, "table_type")?);
        let (idle_timeout, hard_timeout) = (field(r, "idle_timeout")?, field(r, "hard_timeout")?);
        let (priority, index) = (field(r, "priority")?, field(r, "index")?);
        let slot = slot_or_pad(r)?;
        pad(r, 2)?;
        let r#match = read_slots(r, fields, MAX_MATCH_FIELDS).map_err(|e| e.within("match"))?;
        let mut list = Vec::with_capacity(instructions);
        for i in 0..instructions {
            list.push(Instruction::read(r).map_err(|e| e.at_index(i).within("instructions"))?);
        }
        r.skip((max - instructions) * profile.instruction_len()).map_err(|e| e.within("instructions"))?;
        Ok(Self {
            command,
            counter_id,
            cookie,
            cookie_mask,
            table_id,
            table_type,
            idle_timeout,
            hard_timeout,
            priority,
            index,
            slot,
            r#match,
            instructions: list,
        })
    }

    fn write(&self, w: &mut Writer<'_>) {
        let profile = Profile::of_version(w.version());
        let Some(unused) = profile.max_instructions().checked_sub(self.instructions.len()) else {
            return w.fail("instructions", "more elements than slots");
        };
        w.bytes(&[self.command.0, self.r#match.len() as u8, self.instructions.len() as u8, 0]);
        self.counter_id.write(w);
        self.cookie.write(w);
        self.cookie_mask.write(w);
        w.bytes(&[self.table_id, self.table_type.0]);
        self.idle_timeout.write(w);
        self.hard_timeout.write(w);
        self.priority.write(w);
        self.index.write(w);
        write_slot_or_pad(self.slot, w);
        w.zeros(2);
        write_slots(&self.r#match, w, MAX_MATCH_FIELDS, "match");
        self.instructions.write(w);
        w.zeros(unused * profile.instruction_len());
    }
}

ferroflow_wire::__if_arbitrary! {
    use super::slot_id::any_slot;
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for FlowMod {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let mut instructions = Vec::arbitrary(e);
            instructions.truncate(Profile::of_version(e.version()).max_instructions());
            Self {
                command: Arbitrary::arbitrary(e),
                counter_id: Arbitrary::arbitrary(e),
                cookie: Arbitrary::arbitrary(e),
                cookie_mask: Arbitrary::arbitrary(e),
                table_id: Arbitrary::arbitrary(e),
                table_type: Arbitrary::arbitrary(e),
                idle_timeout: Arbitrary::arbitrary(e),
                hard_timeout: Arbitrary::arbitrary(e),
                priority: Arbitrary::arbitrary(e),
                index: Arbitrary::arbitrary(e),
                slot: any_slot(e),
                r#match: Vec::arbitrary(e),
                instructions,
            }
        }
    }
}
