//! OXM and NXM: extensible match fields (OF 1.3.5 7.2.3), and references to them without a value.

use ferroflow_wire::codec::{
    Codec, Json, JsonError, JsonObject, Object, ReadError, Reader, Reason, Value, Writer,
};
use ferroflow_wire::open_enum;

pub use super::oxm_table::Oxm;

open_enum! {
    /// `ofp_oxm_class` (OF 1.3.5 7.2.3.3; packet registers are of 1.5).
    pub OxmClass(u16) {
        OFPXMC_NXM_0 = 0x0000,
        OFPXMC_NXM_1 = 0x0001,
        OFPXMC_OPENFLOW_BASIC = 0x8000,
        OFPXMC_PACKET_REGS = 0x8001,
        OFPXMC_EXPERIMENTER = 0xffff,
    }
}

/// Which field, apart from its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OxmId {
    /// `oxm_class`.
    pub class: OxmClass,
    /// `oxm_field`, 7 bits.
    pub field: u8,
    /// Whose field, for the class `OFPXMC_EXPERIMENTER`; else 0.
    pub experimenter: u32,
}

impl OxmId {
    /// Bytes of the experimenter's number, which the length of a field counts.
    fn experimenter_len(self) -> u8 {
        if self.class == OxmClass::OFPXMC_EXPERIMENTER { 4 } else { 0 }
    }
}

/// The header of a field, without its value: how structures refer to fields (OF 1.3.5 7.2.3.2).
///
/// For people: `{"field": "OFPXMT_OFB_ETH_DST", "oxm_hasmask": true, "oxm_length": 12}`, or the class and field as
/// numbers where the field is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OxmHeader {
    /// Which field.
    pub id: OxmId,
    /// Whether the field is, or can be, masked.
    pub hasmask: bool,
    /// `oxm_length`: bytes of value and mask, and of an experimenter's number.
    pub length: u8,
}

impl OxmHeader {
    /// Bytes of value and mask.
    pub fn payload_len(&self) -> Option<usize> {
        self.length.checked_sub(self.id.experimenter_len()).map(usize::from)
    }
}

impl Codec for OxmHeader {
    const MIN: usize = 4;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let class = OxmClass::read(r).map_err(|e| e.within("oxm_class"))?;
        let [field, length] = r.array().map_err(|e| e.within("oxm_field"))?;
        let experimenter = match class {
            OxmClass::OFPXMC_EXPERIMENTER => u32::read(r).map_err(|e| e.within("experimenter"))?,
            _ => 0,
        };
        let id = OxmId { class, field: field >> 1, experimenter };
        Ok(Self { id, hasmask: field & 1 == 1, length })
    }

    fn write(&self, w: &mut Writer<'_>) {
        self.id.class.write(w);
        if self.id.field > 0x7f {
            w.fail("oxm_field", "over 127");
        }
        w.bytes(&[self.id.field << 1 | u8::from(self.hasmask), self.length]);
        if self.id.class == OxmClass::OFPXMC_EXPERIMENTER {
            self.id.experimenter.write(w);
        }
    }
}

impl JsonObject for OxmId {
    fn to_fields(&self, object: &mut Object) {
        match self.name() {
            Some(name) => object.push("field", name.into()),
            None => {
                self.class.put("oxm_class", object);
                self.field.put("oxm_field", object);
                if self.class == OxmClass::OFPXMC_EXPERIMENTER {
                    self.experimenter.put("experimenter", object);
                }
            }
        }
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        if let Some(name) = object.take("field") {
            return match &name {
                Value::Text(text) => Self::from_name(text),
                _ => None,
            }
            .ok_or_else(|| JsonError::expected("the name of a match field", &name).within("field"));
        }
        let class = object.field("oxm_class")?;
        let experimenter =
            if class == OxmClass::OFPXMC_EXPERIMENTER { object.field("experimenter")? } else { 0 };
        Ok(Self { class, field: object.field("oxm_field")?, experimenter })
    }
}

impl JsonObject for OxmHeader {
    fn to_fields(&self, object: &mut Object) {
        self.id.to_fields(object);
        self.hasmask.put("oxm_hasmask", object);
        self.length.put("oxm_length", object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        Ok(Self {
            id: OxmId::from_fields(object)?,
            hasmask: object.field("oxm_hasmask")?,
            length: object.field("oxm_length")?,
        })
    }
}

ferroflow_wire::__object_json!(OxmHeader);

#[cfg(feature = "arbitrary")]
mod made_up {
    use super::{OxmClass, OxmHeader, OxmId};
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for OxmId {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let class = OxmClass::arbitrary(e);
            let experimenter = if class == OxmClass::OFPXMC_EXPERIMENTER { u32::arbitrary(e) } else { 0 };
            Self { class, field: e.byte() & 0x7f, experimenter }
        }
    }

    impl Arbitrary for OxmHeader {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            Self { id: OxmId::arbitrary(e), hasmask: bool::arbitrary(e), length: e.byte() }
        }
    }
}

/// Reads one field: its header, and what `read` makes of the payload. What to answer to an error depends on what the field
/// is in: a match, an action, a table's properties.
pub(super) fn read_field<T>(
    r: &mut Reader<'_>,
    read: impl FnOnce(OxmHeader, &mut Reader<'_>, usize) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let start = r.offset();
    let header = OxmHeader::read(r)?;
    let bad_length =
        || ReadError::new(start + 3, Reason::BadLength { length: header.length.into() }).within("oxm_length");
    let len = header.payload_len().ok_or_else(&bad_length)?;
    let outer = r.narrow_from(r.offset(), len, start + 3).map_err(|e| e.within("oxm_length"))?;
    let name = header.id.static_name();
    let field = read(header, r, len).map_err(|e| match e.reason() {
        // A field of another size than its own is a matter of its length field.
        reason if reason.is_length() => bad_length(),
        _ => e,
    });
    let field = field.and_then(|field| r.widen(outer).map(|()| field).map_err(|_| bad_length()));
    field.map_err(|e| e.within(name))
}

/// The value of a field that has no mask.
pub(super) fn read_plain<T: Codec>(r: &mut Reader<'_>, header: OxmHeader) -> Result<T, ReadError> {
    if header.hasmask {
        return Err(ReadError::new(r.offset(), Reason::Masked));
    }
    T::read(r)
}

/// The value of a field, and its mask, each of half the payload.
pub(super) fn read_maskable<T: Codec>(
    r: &mut Reader<'_>,
    header: OxmHeader,
    len: usize,
) -> Result<(T, Option<T>), ReadError> {
    if !header.hasmask {
        return Ok((T::read(r)?, None));
    }
    if len % 2 == 1 {
        // OF 1.3.5 7.2.3.2: a mask is as long as its value.
        return Err(r.error(Reason::BadLength { length: len as u64 }).within("oxm_mask"));
    }
    let half = r.narrow(len / 2)?;
    let value = T::read(r)?;
    r.widen(half)?;
    Ok((value, Some(T::read(r)?)))
}

/// Writes a field: its header, and what `payload` appends.
pub(super) fn write_field(
    id: OxmId,
    hasmask: bool,
    w: &mut Writer<'_>,
    payload: impl FnOnce(&mut Writer<'_>),
) {
    id.class.write(w);
    if id.field > 0x7f {
        w.fail("oxm_field", "over 127");
    }
    w.bytes(&[id.field << 1 | u8::from(hasmask)]);
    let length = w.hole(1, "oxm_length");
    let start = w.offset();
    if id.class == OxmClass::OFPXMC_EXPERIMENTER {
        id.experimenter.write(w);
    }
    payload(w);
    w.fill(length, w.offset() - start);
}

/// Writes a field of a value and perhaps a mask.
pub(super) fn write_value<T: Codec>(id: OxmId, value: &T, mask: Option<&T>, w: &mut Writer<'_>) {
    write_field(id, mask.is_some(), w, |w| {
        let start = w.offset();
        value.write(w);
        let half = w.offset() - start;
        if let Some(mask) = mask {
            mask.write(w);
            if w.offset() - start != 2 * half {
                w.fail("oxm mask", "not as long as the value");
            }
        }
    });
}
