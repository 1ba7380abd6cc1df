//! Parts of Nicira structures that no description fits.

use crate::header::Version;
use crate::owned::common::{self, OxmClass, OxmHeader, OxmId};
use crate::owned::v10;
use ferroflow_wire::bit_flags;
use ferroflow_wire::codec::{
    Codec, Json, JsonError, JsonObject, Object, ReadError, Reader, Reason, Value, Writer,
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The four bytes of an NXM header where there is no room for more (`ovs_be32 dst`); 0 is no field.
///
/// For people: as an [`OxmHeader`], or the number where it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NxmHeader(pub u32);

impl NxmHeader {
    /// The field, if it is one.
    pub fn field(self) -> Option<OxmHeader> {
        let [class_high, class_low, field, length] = self.0.to_be_bytes();
        let class = OxmClass(u16::from_be_bytes([class_high, class_low]));
        let id = OxmId { class, field: field >> 1, experimenter: 0 };
        let known = length != 0 && class != OxmClass::OFPXMC_EXPERIMENTER;
        known.then_some(OxmHeader { id, hasmask: field & 1 == 1, length })
    }
}

impl From<OxmHeader> for NxmHeader {
    fn from(header: OxmHeader) -> Self {
        let [class_high, class_low] = header.id.class.0.to_be_bytes();
        let field = header.id.field << 1 | u8::from(header.hasmask);
        Self(u32::from_be_bytes([class_high, class_low, field, header.length]))
    }
}

ferroflow_wire::__number_codec!(NxmHeader(u32));

impl Json for NxmHeader {
    fn to_json(&self) -> Value {
        self.field().map_or(self.0.to_json(), |field| field.to_json())
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        match value {
            Value::Object(_) => OxmHeader::from_json(value).map(Self::from),
            number => u32::from_json(number).map(Self),
        }
    }
}

/// `ofs_nbits`: bits of a field, from `ofs` on (10 bits), `n_bits` of them (1 to 64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OfsNbits {
    /// The lowest bit, up to 1023.
    pub ofs: u16,
    /// How many bits, 1 to 64.
    pub n_bits: u8,
}

impl Codec for OfsNbits {
    const MIN: usize = 2;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let raw = u16::read(r)?;
        Ok(Self { ofs: raw >> 6, n_bits: (raw & 0x3f) as u8 + 1 })
    }

    fn write(&self, w: &mut Writer<'_>) {
        if self.ofs > 0x3ff || !(1..=64).contains(&self.n_bits) {
            w.fail("ofs_nbits", "ofs over 1023, or n_bits not of 1 to 64");
        }
        (self.ofs << 6 | u16::from(self.n_bits.wrapping_sub(1)) & 0x3f).write(w);
    }
}

impl Json for OfsNbits {
    fn to_json(&self) -> Value {
        let mut object = Object::default();
        self.ofs.put("ofs", &mut object);
        self.n_bits.put("n_bits", &mut object);
        Value::Object(object)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let Value::Object(mut object) = value else { return Err(JsonError::expected("an object", &value)) };
        let this = Self { ofs: object.field("ofs")?, n_bits: object.field("n_bits")? };
        object.finished()?;
        Ok(this)
    }
}

/// Actions in the form of the message's version: those of 1.0, or those of 1.1 and later.
///
/// For people: a list; those of 1.0 as `{"v10": [..]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// Of 1.0.
    V10(Vec<v10::Action>),
    /// Of 1.1 and later.
    Later(Vec<common::Action>),
}

impl Codec for Actions {
    const MIN: usize = 0;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        match r.version() == Version::V1_0.0 {
            true => Codec::read(r).map(Self::V10),
            false => Codec::read(r).map(Self::Later),
        }
    }

    fn write(&self, w: &mut Writer<'_>) {
        match self {
            Self::V10(actions) => actions.write(w),
            Self::Later(actions) => actions.write(w),
        }
    }
}

impl Json for Actions {
    fn to_json(&self) -> Value {
        match self {
            Self::V10(actions) => {
                let mut object = Object::default();
                actions.put("v10", &mut object);
                Value::Object(object)
            }
            Self::Later(actions) => actions.to_json(),
        }
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        match value {
            Value::Object(mut object) => {
                let actions = object.field("v10")?;
                object.finished()?;
                Ok(Self::V10(actions))
            }
            list => Json::from_json(list).map(Self::Later),
        }
    }
}

bit_flags! {
    /// `nx_nat_range`: which parts of a range there are.
    NatRangePresent(u16) {
        NX_NAT_RANGE_IPV4_MIN = 1 << 0,
        NX_NAT_RANGE_IPV4_MAX = 1 << 1,
        NX_NAT_RANGE_IPV6_MIN = 1 << 2,
        NX_NAT_RANGE_IPV6_MAX = 1 << 3,
        NX_NAT_RANGE_PROTO_MIN = 1 << 4,
        NX_NAT_RANGE_PROTO_MAX = 1 << 5,
    }
}

/// `range_present` of `nx_action_nat` and the parts that it says are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "nicira-ext.h's names")]
pub struct NatRange {
    pub ipv4_min: Option<Ipv4Addr>,
    pub ipv4_max: Option<Ipv4Addr>,
    pub ipv6_min: Option<Ipv6Addr>,
    pub ipv6_max: Option<Ipv6Addr>,
    pub proto_min: Option<u16>,
    pub proto_max: Option<u16>,
}

impl Codec for NatRange {
    const MIN: usize = 2;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        fn part<T: Codec>(
            r: &mut Reader<'_>,
            present: u16,
            bit: NatRangePresent,
        ) -> Result<Option<T>, ReadError> {
            if present & bit.0 == 0 { Ok(None) } else { T::read(r).map(Some) }
        }
        let at = r.offset();
        let present = u16::read(r)?;
        if present & !0x3f != 0 {
            let error = ReadError::new(at, Reason::BadValue { found: present.into() });
            // OFPET_BAD_ACTION/OFPBAC_BAD_ARGUMENT
            return Err(error.within("range_present").or_answer((2, 5)));
        }
        Ok(Self {
            ipv4_min: part(r, present, NatRangePresent::NX_NAT_RANGE_IPV4_MIN)?,
            ipv4_max: part(r, present, NatRangePresent::NX_NAT_RANGE_IPV4_MAX)?,
            ipv6_min: part(r, present, NatRangePresent::NX_NAT_RANGE_IPV6_MIN)?,
            ipv6_max: part(r, present, NatRangePresent::NX_NAT_RANGE_IPV6_MAX)?,
            proto_min: part(r, present, NatRangePresent::NX_NAT_RANGE_PROTO_MIN)?,
            proto_max: part(r, present, NatRangePresent::NX_NAT_RANGE_PROTO_MAX)?,
        })
    }

    fn write(&self, w: &mut Writer<'_>) {
        let parts = [
            self.ipv4_min.is_some(),
            self.ipv4_max.is_some(),
            self.ipv6_min.is_some(),
            self.ipv6_max.is_some(),
            self.proto_min.is_some(),
            self.proto_max.is_some(),
        ];
        let present = parts.iter().enumerate().fold(0, |bits, (i, &there)| bits | u16::from(there) << i);
        present.write(w);
        self.ipv4_min.write(w);
        self.ipv4_max.write(w);
        self.ipv6_min.write(w);
        self.ipv6_max.write(w);
        self.proto_min.write(w);
        self.proto_max.write(w);
    }
}

impl JsonObject for NatRange {
    fn to_fields(&self, object: &mut Object) {
        self.ipv4_min.put("ipv4_min", object);
        self.ipv4_max.put("ipv4_max", object);
        self.ipv6_min.put("ipv6_min", object);
        self.ipv6_max.put("ipv6_max", object);
        self.proto_min.put("proto_min", object);
        self.proto_max.put("proto_max", object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        Ok(Self {
            ipv4_min: object.field("ipv4_min")?,
            ipv4_max: object.field("ipv4_max")?,
            ipv6_min: object.field("ipv6_min")?,
            ipv6_max: object.field("ipv6_max")?,
            proto_min: object.field("proto_min")?,
            proto_max: object.field("proto_max")?,
        })
    }
}

#[cfg(feature = "arbitrary")]
mod made_up {
    use super::*;
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for NxmHeader {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            Self(u32::arbitrary(e))
        }
    }

    impl Arbitrary for OfsNbits {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            Self { ofs: u16::arbitrary(e) & 0x3ff, n_bits: e.byte() % 64 + 1 }
        }
    }

    impl Arbitrary for Actions {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            match e.version() == Version::V1_0.0 {
                true => Self::V10(Arbitrary::arbitrary(e)),
                false => Self::Later(Arbitrary::arbitrary(e)),
            }
        }
    }

    impl Arbitrary for NatRange {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            Self {
                ipv4_min: Arbitrary::arbitrary(e),
                ipv4_max: Arbitrary::arbitrary(e),
                ipv6_min: Arbitrary::arbitrary(e),
                ipv6_max: Arbitrary::arbitrary(e),
                proto_min: Arbitrary::arbitrary(e),
                proto_max: Arbitrary::arbitrary(e),
            }
        }
    }
}
