//! The field of `OFPAT_SET_FIELD`: without a mask before 1.5, and with error codes of its own.

use super::oxm::Oxm;
use crate::header::Version;
use ferroflow_wire::codec::{Codec, ReadError, Reader, Reason, Writer};

/// OFPET_BAD_ACTION with OFPBAC_BAD_SET_TYPE, OFPBAC_BAD_SET_LEN and, since 1.5, OFPBAC_BAD_SET_MASK.
const BAD_SET_TYPE: (u16, u16) = (2, 13);
const BAD_SET_LEN: (u16, u16) = (2, 14);
const BAD_SET_MASK: (u16, u16) = (2, 16);

fn answer(version: u8, reason: Reason) -> Option<(u16, u16)> {
    match reason {
        Reason::Masked if version >= Version::V1_5.0 => Some(BAD_SET_MASK),
        Reason::Masked | Reason::BadValue { .. } => Some(BAD_SET_TYPE),
        _ => reason.is_length().then_some(BAD_SET_LEN),
    }
}

/// Whether the field of a set-field action can be masked (OF 1.5.1 7.2.6.7); before 1.5 it cannot (OF 1.3.5 7.2.5).
fn may_be_masked(version: u8) -> bool {
    version >= Version::V1_5.0
}

pub fn read(r: &mut Reader<'_>) -> Result<Oxm, ReadError> {
    let (at, version) = (r.offset(), r.version());
    let field = Oxm::read(r).map_err(|e| e.or_answer_of(answer, version))?;
    if field.has_mask() && !may_be_masked(version) {
        let error = ReadError::new(at + 2, Reason::Masked).within("oxm_hasmask");
        return Err(error.or_answer_of(answer, version));
    }
    Ok(field)
}

pub fn write(field: &Oxm, w: &mut Writer<'_>) {
    // Version 0 is any version.
    if field.has_mask() && w.version() != 0 && !may_be_masked(w.version()) {
        w.fail("field", "cannot be masked before 1.5");
    }
    field.write(w);
}

#[cfg(feature = "arbitrary")]
pub fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Oxm {
    use ferroflow_wire::codec::Arbitrary;
    loop {
        // Without entropy every field is the first one, which has no mask.
        let field = Oxm::arbitrary(e);
        if !field.has_mask() || may_be_masked(e.version()) {
            return field;
        }
    }
}
