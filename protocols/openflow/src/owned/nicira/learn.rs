//! `NXAST_LEARN`'s and `NXAST_LEARN2`'s list of what a learned flow matches and does.

use super::parts::NxmHeader;
use ferroflow_wire::codec::{
    Bytes, Codec, Json, JsonError, Object, ReadError, Reader, Reason, Value, Writer,
};
use ferroflow_wire::{bit_flags, structure};

bit_flags! {
    /// `nx_learn_flags`.
    pub LearnFlags(u16) {
        NX_LEARN_F_SEND_FLOW_REM = 1 << 0,
        NX_LEARN_F_DELETE_LEARNED = 1 << 1,
        NX_LEARN_F_WRITE_RESULT = 1 << 2,
    }
}

structure! {
    /// Bits of a field, from `ofs` on; how many is said elsewhere.
    #[derive(Copy)]
    pub struct NxSubfield {
        field: NxmHeader,
        ofs: u16,
    }
}

/// Where a [`FlowModSpec`] takes its bits from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LearnSource {
    /// A field of the packet.
    Field(NxSubfield),
    /// A constant, in as many 16-bit words as it needs.
    Immediate(Bytes),
}

/// What a [`FlowModSpec`] does with its bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LearnDestination {
    /// The learned flow matches them in this field.
    Match(NxSubfield),
    /// The learned flow loads them into this field.
    Load(NxSubfield),
    /// The learned flow outputs to the port of this number.
    Output,
}

/// `flow_mod_spec`: one thing that a learned flow matches or does.
///
/// For people: `{"n_bits": 48, "src": {"field": .., "ofs": 0}, "dst_match": {"field": .., "ofs": 0}}`, with `src_immediate`
/// for `src`, `dst_load` or nothing for `dst_match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowModSpec {
    /// How many bits, 1 to 1023; 0 ends the list.
    pub n_bits: u16,
    /// From where.
    pub src: LearnSource,
    /// To where.
    pub dst: LearnDestination,
}

const N_BITS: u16 = 0x3ff;
const SRC_IMMEDIATE: u16 = 1 << 13;
const DST_MATCH: u16 = 0 << 11;
const DST_LOAD: u16 = 1 << 11;
const DST_OUTPUT: u16 = 2 << 11;
const DST: u16 = 3 << 11;

/// Bytes of a constant of `n_bits`: whole 16-bit words.
fn immediate_len(n_bits: u16) -> usize {
    usize::from(n_bits).div_ceil(16) * 2
}

impl Codec for FlowModSpec {
    const MIN: usize = 4;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let at = r.offset();
        let header = u16::read(r)?;
        let n_bits = header & N_BITS;
        let bad = || ReadError::new(at, Reason::BadValue { found: header.into() }).within("header");
        if header & !(N_BITS | SRC_IMMEDIATE | DST) != 0 || n_bits == 0 {
            return Err(bad());
        }
        let src = match header & SRC_IMMEDIATE {
            0 => LearnSource::Field(Codec::read(r).map_err(|e| e.within("src"))?),
            _ => LearnSource::Immediate(r.bytes(immediate_len(n_bits)).map_err(|e| e.within("src"))?.into()),
        };
        let dst = match header & DST {
            DST_MATCH => LearnDestination::Match(Codec::read(r).map_err(|e| e.within("dst"))?),
            DST_LOAD => LearnDestination::Load(Codec::read(r).map_err(|e| e.within("dst"))?),
            DST_OUTPUT => LearnDestination::Output,
            _ => return Err(bad()),
        };
        Ok(Self { n_bits, src, dst })
    }

    fn write(&self, w: &mut Writer<'_>) {
        if !(1..=N_BITS).contains(&self.n_bits) {
            w.fail("n_bits", "not of 1 to 1023");
        }
        let src = match &self.src {
            LearnSource::Field(_) => 0,
            LearnSource::Immediate(_) => SRC_IMMEDIATE,
        };
        let dst = match &self.dst {
            LearnDestination::Match(_) => DST_MATCH,
            LearnDestination::Load(_) => DST_LOAD,
            LearnDestination::Output => DST_OUTPUT,
        };
        (self.n_bits | src | dst).write(w);
        match &self.src {
            LearnSource::Field(field) => field.write(w),
            LearnSource::Immediate(bytes) => {
                if bytes.len() != immediate_len(self.n_bits) {
                    w.fail("src_immediate", "not as long as n_bits says");
                }
                bytes.write(w);
            }
        }
        match &self.dst {
            LearnDestination::Match(field) | LearnDestination::Load(field) => field.write(w),
            LearnDestination::Output => {}
        }
    }
}

impl Json for FlowModSpec {
    fn to_json(&self) -> Value {
        let mut object = Object::default();
        self.n_bits.put("n_bits", &mut object);
        match &self.src {
            LearnSource::Field(field) => field.put("src", &mut object),
            LearnSource::Immediate(bytes) => bytes.put("src_immediate", &mut object),
        }
        match &self.dst {
            LearnDestination::Match(field) => field.put("dst_match", &mut object),
            LearnDestination::Load(field) => field.put("dst_load", &mut object),
            LearnDestination::Output => {}
        }
        Value::Object(object)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let Value::Object(mut object) = value else { return Err(JsonError::expected("an object", &value)) };
        let n_bits = object.field("n_bits")?;
        let src = match object.field("src_immediate")? {
            Some(bytes) => LearnSource::Immediate(bytes),
            None => LearnSource::Field(object.field("src")?),
        };
        let dst = match (object.field("dst_match")?, object.field("dst_load")?) {
            (Some(field), None) => LearnDestination::Match(field),
            (None, Some(field)) => LearnDestination::Load(field),
            (None, None) => LearnDestination::Output,
            _ => return Err(JsonError::new("dst_match and dst_load exclude each other")),
        };
        object.finished()?;
        Ok(Self { n_bits, src, dst })
    }
}

/// The list of [`FlowModSpec`]s that ends a learn action, with padding to a multiple of 8 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowModSpecs(pub Vec<FlowModSpec>);

impl Codec for FlowModSpecs {
    const MIN: usize = 0;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let mut specs = Vec::new();
        // A header of 0, or one byte alone, begins the padding.
        while r.peek().len() >= 2 && r.peek()[..2] != [0, 0] {
            specs.push(FlowModSpec::read(r).map_err(|e| e.at_index(specs.len()))?);
        }
        if r.remaining() >= 8 {
            return Err(r.error(Reason::Trailing { bytes: r.remaining() }).at_index(specs.len()));
        }
        r.rest();
        Ok(Self(specs))
    }

    fn write(&self, w: &mut Writer<'_>) {
        self.0.write(w);
    }
}

impl Json for FlowModSpecs {
    fn to_json(&self) -> Value {
        self.0.to_json()
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        Json::from_json(value).map(Self)
    }
}

#[cfg(feature = "arbitrary")]
mod made_up {
    use super::*;
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for FlowModSpec {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let n_bits = u16::arbitrary(e) % 64 + 1;
            let src = match bool::arbitrary(e) {
                true => LearnSource::Field(Arbitrary::arbitrary(e)),
                false => {
                    LearnSource::Immediate(Bytes((0..immediate_len(n_bits)).map(|_| e.byte()).collect()))
                }
            };
            let dst = match e.below(3) {
                0 => LearnDestination::Output,
                1 => LearnDestination::Load(Arbitrary::arbitrary(e)),
                _ => LearnDestination::Match(Arbitrary::arbitrary(e)),
            };
            Self { n_bits, src, dst }
        }
    }

    impl Arbitrary for FlowModSpecs {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            Self(Arbitrary::arbitrary(e))
        }
    }
}
