//! Actions (WIRE.md 4, action slot).

use crate::field::{Match, MatchX, Number, Value};
use crate::profile::{FIELD_VALUES, WIDE_VALUES};
use crate::slot::{field, pad, read_slot, slot_from_fields, slot_to_fields, trimmed, write_slot};
use crate::{ACTION_DATA_LEN, ACTION_LEN, ActionType, ChecksumPlace, ErrorCode};
use ferroflow_wire::choice;
use ferroflow_wire::codec::{Codec, JsonError, JsonObject, Object, ReadError, Reader, Writer};

/// An action in its slot of 48 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Bytes of the action as its sender counts them. No known switch looks at it.
    pub len: u16,
    /// Type and data.
    pub data: ActionData,
}

choice! {
    /// What an action does. All `match` and `dst` fields count from the current packet offset.
    #[non_exhaustive]
    pub enum ActionData("type": ActionType) {
        /// Sends the packet.
        OUTPUT => Output(output: Output),
        /// Sets the masked bits of a field.
        SET_FIELD => SetField(field: MatchX),
        /// Sets a field to what stands in the metadata, `metadata_offset` in bits.
        SET_FIELD_FROM_METADATA => SetFieldFromMetadata { dst: Match, metadata_offset: u16, _[6], },
        /// Adds to a field.
        MODIFY_FIELD => ModifyField { r#match: Match, increment: i32, _[4], },
        /// Puts `tag_len` bits in at bit `tag_pos`.
        ADD_FIELD => AddField { tag_id: u16, tag_pos: u16, tag_len: u32, value: Number<u64>, },
        /// Takes bits out.
        DELETE_FIELD => DeleteField(deleted: DeleteField),
        /// Calculates a checksum over `cal_len` bits from bit `cal_start` on. The two types are in 1.1.9 and 1.4.0 alone.
        CALCULATE_CHECKSUM => CalculateChecksum {
            pos_type: Option<ChecksumPlace> as only(WIDE_VALUES),
            start_type: Option<ChecksumPlace> as only(WIDE_VALUES),
            checksum_pos: u16,
            checksum_len: u16,
            cal_start: u16,
            cal_len: u16,
            _[6 in WIDE_VALUES],
        },
        /// Runs a group's actions.
        GROUP => Group { group_id: u32, _[4], },
        /// Drops the packet, and ends processing.
        DROP => Drop { reason: u32, _[4], },
        /// Sends the packet to the controller, with this reason.
        PACKET_IN => PacketIn { reason: u32, _[4], },
        /// Counts the packet.
        COUNTER => Counter { counter_id: u32, _[4], },
        _ => Unknown,
    }
}

fields! {
    /// The data of OUTPUT.
    pub struct Output {
        /// The port: in 1.3.4 a number; in 1.4.0 with the slot in the upper 16 bits.
        port: Value,
        /// Metadata that is put in front of the packet: its first bit.
        metadata_offset: u16,
        /// Metadata that is put in front of the packet: how many bits.
        metadata_len: u16,
        /// Where the packet starts, in bytes.
        packet_offset: u16,
    }
}

arbitrary_fields!(Output { port, metadata_offset, metadata_len, packet_offset });

impl Codec for Output {
    const MIN: usize = 16;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let has_types = FIELD_VALUES.contains(&r.version());
        let (mut port, mut port_type) = (Value::Immediate(0), 0);
        if has_types {
            port_type = field(r, "port_type")?;
            pad(r, 1)?;
        } else {
            port = Value::Immediate(field(r, "port")?);
        }
        let (metadata_offset, metadata_len) = (field(r, "metadata_offset")?, field(r, "metadata_len")?);
        let packet_offset = field(r, "packet_offset")?;
        if has_types {
            port = Value::read_union(r, port_type).map_err(|e| e.within("port"))?;
        } else {
            pad(r, 6)?;
        }
        Ok(Self { port, metadata_offset, metadata_len, packet_offset })
    }

    fn write(&self, w: &mut Writer<'_>) {
        let has_types = FIELD_VALUES.contains(&w.version());
        if has_types {
            w.bytes(&[self.port.value_type(), 0]);
        } else {
            self.port.write_number(w, "port");
        }
        self.metadata_offset.write(w);
        self.metadata_len.write(w);
        self.packet_offset.write(w);
        if has_types {
            self.port.write_union(w, "port");
        } else {
            w.zeros(6);
        }
    }
}

fields! {
    /// The data of DELETE_FIELD.
    pub struct DeleteField {
        /// The first bit.
        tag_pos: u16,
        /// How many bits: in 1.3.4 a number.
        tag_len: Value,
    }
}

arbitrary_fields!(DeleteField { tag_pos, tag_len });

impl Codec for DeleteField {
    const MIN: usize = 8;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let tag_pos = field(r, "tag_pos")?;
        let tag_len = if FIELD_VALUES.contains(&r.version()) {
            let len_type = field(r, "len_type")?;
            pad(r, 5)?;
            Value::read_union(r, len_type).map_err(|e| e.within("tag_len"))?
        } else {
            pad(r, 2)?;
            Value::Immediate(field(r, "tag_len")?)
        };
        Ok(Self { tag_pos, tag_len })
    }

    fn write(&self, w: &mut Writer<'_>) {
        self.tag_pos.write(w);
        if FIELD_VALUES.contains(&w.version()) {
            w.bytes(&[self.tag_len.value_type()]);
            w.zeros(5);
            self.tag_len.write_union(w, "tag_len");
        } else {
            w.zeros(2);
            self.tag_len.write_number(w, "tag_len");
        }
    }
}

impl ActionData {
    /// Bytes of the data in a profile (by its number).
    fn size(&self, version: u8) -> usize {
        // Without room it only counts.
        let mut w = Writer::fill_slice(&mut [], version);
        ferroflow_wire::codec::Choice::write_rest(self, 0, &mut w);
        w.offset()
    }

    /// The action, with the length that its header and data have in `profile`.
    pub fn in_profile(self, profile: crate::Profile) -> Action {
        let len = 4 + self.size(profile.version()) as u16;
        Action { len, data: self }
    }
}

impl Action {
    /// OUTPUT of the whole packet.
    pub fn output(profile: crate::Profile, port: impl Into<Value>) -> Self {
        let output = Output { port: port.into(), metadata_offset: 0, metadata_len: 0, packet_offset: 0 };
        ActionData::Output(output).in_profile(profile)
    }
}

impl Codec for Action {
    const MIN: usize = ACTION_LEN;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let answer = ErrorCode::BAD_ACTION_LEN.into();
        let (len, data) = read_slot(r, 0, ACTION_DATA_LEN, answer)?;
        let data = match data {
            ActionData::Unknown { tag, unknown } => ActionData::Unknown { tag, unknown: trimmed(unknown) },
            known => known,
        };
        Ok(Self { len, data })
    }

    fn write(&self, w: &mut Writer<'_>) {
        write_slot(self.len, &self.data, w, 0, ACTION_DATA_LEN);
    }
}

impl JsonObject for Action {
    fn to_fields(&self, object: &mut Object) {
        slot_to_fields(self.len, &self.data, object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        slot_from_fields(object).map(|(len, data)| Self { len, data })
    }
}

ferroflow_wire::__object_json!(Action);

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for Action {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let data = match Arbitrary::arbitrary(e) {
                ActionData::Unknown { tag, unknown } => ActionData::Unknown { tag, unknown: trimmed(unknown) },
                known => known,
            };
            Self { len: Arbitrary::arbitrary(e), data }
        }
    }
}
