//! OXS: extensible statistics of flows (OF 1.5.1 7.2.4).

use crate::owned::common::ExperimenterId;
use ferroflow_wire::codec::{
    Bytes, Codec, Json, JsonError, JsonObject, Object, ReadError, Reader, Value, Writer,
};
use ferroflow_wire::{bit_flags, open_enum, structure};

open_enum! {
    /// `ofp_oxs_class` (OF 1.5.1 7.2.4.2).
    pub OxsClass(u16) { OFPXSC_OPENFLOW_BASIC = 0x8002, OFPXSC_EXPERIMENTER = 0xffff }
}

structure! {
    /// The value of `OFPXST_OFB_DURATION` and `OFPXST_OFB_IDLE_TIME` (OF 1.5.1 7.2.4.3).
    pub struct OxsTime {
        sec: u32,
        /// Beyond the seconds.
        nsec: u32,
    }
}

/// Which statistic, apart from its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OxsId {
    /// `oxs_class`.
    pub class: OxsClass,
    /// `oxs_field`, 7 bits.
    pub field: u8,
    /// Whose statistic, for the class `OFPXSC_EXPERIMENTER`; else 0.
    pub experimenter: ExperimenterId,
}

impl OxsId {
    const fn basic(field: u8) -> Self {
        Self { class: OxsClass::OFPXSC_OPENFLOW_BASIC, field, experimenter: ExperimenterId(0) }
    }
}

macro_rules! oxs_fields {
    ($($name:ident = $field:literal $variant:ident: $ty:ty;)*) => {
        /// A statistic with its value: an OXS TLV (OF 1.5.1 7.2.4.2).
        ///
        /// For people: `{"field": "OFPXST_OFB_PACKET_COUNT", "value": 5}`.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Oxs {
            $(#[doc = concat!("`", stringify!($name), "`.")] $variant($ty),)*
            /// A statistic that this library does not know, kept as bytes.
            Unknown {
                /// Which statistic.
                id: OxsId,
                /// Its value.
                unknown: Bytes,
            },
        }

        impl Oxs {
            /// Which statistic.
            pub fn id(&self) -> OxsId {
                match self {
                    $(Self::$variant(_) => OxsId::basic($field),)*
                    Self::Unknown { id, .. } => *id,
                }
            }

            fn read_value(id: OxsId, r: &mut Reader<'_>) -> Result<Self, ReadError> {
                Ok(match (id.class, id.field) {
                    $((OxsClass::OFPXSC_OPENFLOW_BASIC, $field) => Self::$variant(Codec::read(r)?),)*
                    _ => Self::Unknown { id, unknown: Codec::read(r)? },
                })
            }

            fn write_value(&self, w: &mut Writer<'_>) {
                match self {
                    $(Self::$variant(value) => value.write(w),)*
                    Self::Unknown { unknown, .. } => unknown.write(w),
                }
            }
        }

        impl OxsId {
            /// The statistic's name, where it is known.
            pub fn name(self) -> Option<&'static str> {
                match (self.class, self.field) {
                    $((OxsClass::OFPXSC_OPENFLOW_BASIC, $field) => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// The statistic of a name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::basic($field)),)*
                    _ => None,
                }
            }
        }

        impl JsonObject for Oxs {
            fn to_fields(&self, object: &mut Object) {
                self.id().to_fields(object);
                match self {
                    $(Self::$variant(value) => value.put("value", object),)*
                    Self::Unknown { unknown, .. } => unknown.put("unknown", object),
                }
            }

            fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
                let id = OxsId::from_fields(object)?;
                Ok(match (id.class, id.field) {
                    $((OxsClass::OFPXSC_OPENFLOW_BASIC, $field) => Self::$variant(object.field("value")?),)*
                    _ => Self::Unknown { id, unknown: object.field("unknown")? },
                })
            }
        }

        #[cfg(feature = "arbitrary")]
        impl ferroflow_wire::codec::Arbitrary for Oxs {
            fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Self {
                use ferroflow_wire::codec::{Arbitrary, Entropy};
                let make: &[fn(&mut Entropy<'_>) -> Self] = &[
                    $(|e| Self::$variant(Arbitrary::arbitrary(e)),)*
                    |e| {
                        let class = OxsClass::OFPXSC_EXPERIMENTER;
                        let experimenter = Arbitrary::arbitrary(e);
                        let id = OxsId { class, field: e.byte() & 0x7f, experimenter };
                        Self::Unknown { id, unknown: Arbitrary::arbitrary(e) }
                    },
                    |e| {
                        let id = OxsId { class: OxsClass(0x4242), ..OxsId::basic(e.byte() & 0x7f) };
                        Self::Unknown { id, unknown: Arbitrary::arbitrary(e) }
                    },
                ];
                make[e.below(make.len())](e)
            }
        }
    };
}

// OF 1.5.1 7.2.4.3
oxs_fields! {
    OFPXST_OFB_DURATION = 0 Duration: OxsTime;
    OFPXST_OFB_IDLE_TIME = 1 IdleTime: OxsTime;
    OFPXST_OFB_FLOW_COUNT = 3 FlowCount: u32;
    OFPXST_OFB_PACKET_COUNT = 4 PacketCount: u64;
    OFPXST_OFB_BYTE_COUNT = 5 ByteCount: u64;
}

ferroflow_wire::__object_json!(Oxs);

/// The header is class, field with a reserved bit, and length of what follows, an experimenter's number included
/// (OF 1.5.1 7.2.4.2, 7.2.4.4).
impl Codec for Oxs {
    const MIN: usize = 4;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let start = r.offset();
        let class = OxsClass::read(r).map_err(|e| e.within("oxs_class"))?;
        let [field, length] = r.array().map_err(|e| e.within("oxs_field"))?;
        let outer = r.narrow_from(start + 4, length.into(), start + 3).map_err(|e| e.within("oxs_length"))?;
        let experimenter = match class {
            OxsClass::OFPXSC_EXPERIMENTER => Codec::read(r).map_err(|e| e.within("experimenter"))?,
            _ => ExperimenterId(0),
        };
        let id = OxsId { class, field: field >> 1, experimenter };
        let oxs = Self::read_value(id, r).and_then(|oxs| r.widen(outer).map(|()| oxs));
        oxs.map_err(|e| e.within(id.name().unwrap_or("oxs")))
    }

    fn write(&self, w: &mut Writer<'_>) {
        let id = self.id();
        id.class.write(w);
        if id.field > 0x7f {
            w.fail("oxs_field", "over 127");
        }
        (id.field << 1).write(w);
        let length = w.hole(1, "oxs_length");
        let start = w.offset();
        if id.class == OxsClass::OFPXSC_EXPERIMENTER {
            id.experimenter.write(w);
        }
        self.write_value(w);
        w.fill(length, w.offset() - start);
    }
}

impl JsonObject for OxsId {
    fn to_fields(&self, object: &mut Object) {
        if let Some(name) = self.name() {
            return object.push("field", name.into());
        }
        self.class.put("oxs_class", object);
        self.field.put("oxs_field", object);
        if self.class == OxsClass::OFPXSC_EXPERIMENTER {
            self.experimenter.put("experimenter", object);
        }
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        if let Some(name) = object.take("field") {
            let id = if let Value::Text(text) = &name { Self::from_name(text) } else { None };
            return id.ok_or_else(|| JsonError::expected("the name of a statistic", &name).within("field"));
        }
        let (class, field) = (object.field("oxs_class")?, object.field("oxs_field")?);
        let experimenter = match class {
            OxsClass::OFPXSC_EXPERIMENTER => object.field("experimenter")?,
            _ => ExperimenterId(0),
        };
        Ok(Self { class, field, experimenter })
    }
}

structure! {
    /// `ofp_stats` without the padding to a multiple of 8 bytes that follows it (OF 1.5.1 7.2.4.1).
    #[derive(Default)]
    pub struct Stats {
        _[2],
        _{length: u16},
        oxs_fields: Vec<Oxs>,
    }
}

impl From<Vec<Oxs>> for Stats {
    fn from(oxs_fields: Vec<Oxs>) -> Self {
        Self { oxs_fields }
    }
}

bit_flags! {
    /// `ofp_stat_trigger_flags`: at which of a threshold's multiples statistics are sent (OF 1.5.1 7.2.5).
    pub StatTriggerFlags(u32) { OFPSTF_PERIODIC = 1 << 0, OFPSTF_ONLY_FIRST = 1 << 1 }
}
