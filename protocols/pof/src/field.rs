//! Fields of packets and metadata, and values that stand in them.

use crate::profile::WIDE_VALUES;
use crate::slot::pad;
use crate::{ErrorCode, FieldId, MAX_FIELD_LEN};
use ferroflow_wire::codec::{
    Codec, Json, JsonError, Object, Raw, ReadError, Reader, Reason, Value as View, Writer,
};
use ferroflow_wire::structure;

structure! {
    /// Where a field is (WIRE.md 4, match).
    #[derive(Copy, Hash)]
    pub struct Match {
        /// Packet data, metadata, or a parameter of the table.
        field_id: FieldId,
        /// From the current packet offset, in bits.
        offset: u16,
        /// In bits.
        len: u16,
        _[2],
    }
}

impl Match {
    /// Packet data, `offset` bits from the current packet offset, `len` bits long. `field_id` is a label.
    pub const fn packet(field_id: u16, offset: u16, len: u16) -> Self {
        Self { field_id: FieldId(field_id), offset, len }
    }

    /// Metadata, from bit `offset` on, `len` bits long. Bits 16 to 23 are the ingress port in 1.3.4 (WIRE.md 4: not
    /// tried with 1.4.0); what a program writes starts at bit 32.
    pub const fn metadata(offset: u16, len: u16) -> Self {
        Self { field_id: FieldId::METADATA, offset, len }
    }
}

structure! {
    /// A field with value and mask (WIRE.md 4, matchX). Value and mask are left-aligned; only `len` bits count.
    #[derive(Copy, Hash)]
    pub struct MatchX {
        /// Packet data, metadata, or a parameter of the table.
        field_id: FieldId,
        /// From the current packet offset, in bits.
        offset: u16,
        /// In bits, 128 at most.
        len: FieldBits,
        _[2],
        /// Left-aligned.
        value: Raw<16>,
        /// Left-aligned; a bit that is not set is not looked at.
        mask: Raw<16>,
    }
}

impl MatchX {
    /// A field of whole bytes with all of its bits: `value` at `offset` bits. None if it has more than 16 bytes.
    pub fn exact(field: FieldId, offset: u16, value: &[u8]) -> Option<Self> {
        let (mut bytes, mut mask) = ([0; MAX_FIELD_LEN], [0; MAX_FIELD_LEN]);
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        mask[..value.len()].fill(0xff);
        let len = FieldBits(8 * value.len() as u16);
        Some(Self { field_id: field, offset, len, value: Raw(bytes), mask: Raw(mask) })
    }
}

/// The length of a field with a value: 128 bits at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldBits(pub u16);

impl FieldBits {
    /// The most.
    pub const MAX: Self = Self(8 * MAX_FIELD_LEN as u16);
}

impl Codec for FieldBits {
    const MIN: usize = 2;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let at = r.offset();
        let bits = Self(u16::read(r)?);
        if bits > Self::MAX {
            let reason = Reason::BadLength { length: bits.0.into() };
            return Err(ReadError::new(at, reason).or_answer(ErrorCode::BAD_MATCH_LEN.into()));
        }
        Ok(bits)
    }

    fn write(&self, w: &mut Writer<'_>) {
        if *self > Self::MAX {
            w.fail("len", "over 128 bits");
        }
        self.0.write(w);
    }
}

impl Json for FieldBits {
    fn to_json(&self) -> View {
        self.0.to_json()
    }

    fn from_json(value: View) -> Result<Self, JsonError> {
        u16::from_json(value).map(Self)
    }
}

/// A value that an action or instruction goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    /// A number.
    Immediate(u32),
    /// The number that stands in a field. Not in 1.3.4.
    Field(Match),
    /// Of a type without a meaning, kept as bytes. Not in 1.3.4.
    Unknown {
        /// The type: neither 0 nor 1.
        value_type: u8,
        /// The bytes.
        bytes: Raw<8>,
    },
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Immediate(number)
    }
}

impl From<Match> for Value {
    fn from(field: Match) -> Self {
        Self::Field(field)
    }
}

impl Value {
    /// The byte that says what the union is (WIRE.md 4, value-type rule).
    pub(crate) fn value_type(&self) -> u8 {
        match self {
            Self::Immediate(_) => 0,
            Self::Field(_) => 1,
            Self::Unknown { value_type, .. } => *value_type,
        }
    }

    /// Reads the union of 8 bytes.
    pub(crate) fn read_union(r: &mut Reader<'_>, value_type: u8) -> Result<Self, ReadError> {
        Ok(match value_type {
            0 => {
                let number = u32::read(r)?;
                pad(r, 4)?;
                Self::Immediate(number)
            }
            1 => Self::Field(Match::read(r)?),
            _ => Self::Unknown { value_type, bytes: Raw::read(r)? },
        })
    }

    /// Writes the union of 8 bytes.
    pub(crate) fn write_union(&self, w: &mut Writer<'_>, name: &'static str) {
        match self {
            Self::Immediate(number) => {
                number.write(w);
                w.zeros(4);
            }
            Self::Field(field) => field.write(w),
            Self::Unknown { value_type: 0 | 1, .. } => w.fail(name, "types 0 and 1 are not unknown"),
            Self::Unknown { bytes, .. } => bytes.write(w),
        }
    }

    /// Writes a mere number of 4 bytes, where the profile has no other values.
    pub(crate) fn write_number(&self, w: &mut Writer<'_>, name: &'static str) {
        match self {
            Self::Immediate(number) => number.write(w),
            _ => w.fail(name, "profile 1.3.4 has numbers alone here"),
        }
    }
}

/// A number, the field, or `{"type": .., "unknown": ..}`.
impl Json for Value {
    fn to_json(&self) -> View {
        match self {
            Self::Immediate(number) => number.to_json(),
            Self::Field(field) => field.to_json(),
            Self::Unknown { value_type, bytes } => {
                let mut object = Object::default();
                value_type.put("type", &mut object);
                bytes.put("unknown", &mut object);
                View::Object(object)
            }
        }
    }

    fn from_json(value: View) -> Result<Self, JsonError> {
        match value {
            View::Object(mut object) if object.get("unknown").is_some() => {
                let value =
                    Self::Unknown { value_type: object.field("type")?, bytes: object.field("unknown")? };
                object.finished()?;
                Ok(value)
            }
            View::Object(_) => Match::from_json(value).map(Self::Field),
            number => u32::from_json(number).map(Self::Immediate),
        }
    }
}

/// A number, in 1.1.9 and 1.4.0 16 bytes, left-aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Number<N> {
    /// 1.1.8 and 1.3.4.
    Number(N),
    /// 1.1.9 and 1.4.0.
    Bytes(Raw<16>),
}

impl<N: Codec> Codec for Number<N> {
    const MIN: usize = N::MIN;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        if WIDE_VALUES.contains(&r.version()) {
            Raw::read(r).map(Self::Bytes)
        } else {
            N::read(r).map(Self::Number)
        }
    }

    fn write(&self, w: &mut Writer<'_>) {
        match (self, WIDE_VALUES.contains(&w.version())) {
            (Self::Number(number), false) => number.write(w),
            (Self::Bytes(bytes), true) => bytes.write(w),
            (Self::Number(_), true) => w.fail("value", "16 bytes in this profile, not a number"),
            (Self::Bytes(_), false) => w.fail("value", "a number in this profile, not 16 bytes"),
        }
    }
}

/// A number, or 16 bytes in hex.
impl<N: Json> Json for Number<N> {
    fn to_json(&self) -> View {
        match self {
            Self::Number(number) => number.to_json(),
            Self::Bytes(bytes) => bytes.to_json(),
        }
    }

    fn from_json(value: View) -> Result<Self, JsonError> {
        match &value {
            View::Text(text) if text.len() == 32 => Raw::from_json(value).map(Self::Bytes),
            _ => N::from_json(value).map(Self::Number),
        }
    }
}

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl<N: Arbitrary> Arbitrary for Number<N> {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            if WIDE_VALUES.contains(&e.version()) {
                Self::Bytes(Arbitrary::arbitrary(e))
            } else {
                Self::Number(Arbitrary::arbitrary(e))
            }
        }
    }

    impl Arbitrary for FieldBits {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            Self(u16::from(e.byte()) % 129)
        }
    }

    impl Arbitrary for Value {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let kinds = if crate::profile::FIELD_VALUES.contains(&e.version()) { 3 } else { 1 };
            match e.below(kinds) {
                0 => Self::Immediate(Arbitrary::arbitrary(e)),
                1 => Self::Field(Arbitrary::arbitrary(e)),
                _ => Self::Unknown { value_type: e.byte() | 2, bytes: Arbitrary::arbitrary(e) },
            }
        }
    }
}
