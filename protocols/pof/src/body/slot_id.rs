//! The slot's id, which stands in the place of padding.

use crate::profile::SLOTS;
use crate::slot::{field, pad};
use ferroflow_wire::codec::{Codec, ReadError, Reader, Writer};

/// The slot's id; none where there is padding.
pub(super) fn slot_or_pad(r: &mut Reader<'_>) -> Result<Option<u16>, ReadError> {
    if SLOTS.contains(&r.version()) {
        return field(r, "slot").map(Some);
    }
    pad(r, 2)?;
    Ok(None)
}

pub(super) fn write_slot_or_pad(slot: Option<u16>, w: &mut Writer<'_>) {
    match (slot, SLOTS.contains(&w.version())) {
        (Some(slot), true) => slot.write(w),
        (None, false) => w.zeros(2),
        (Some(_), false) => w.fail("slot", "this profile has no slots"),
        (None, true) => w.fail("slot", "missing in this profile"),
    }
}

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    /// A slot's id where there are slots.
    pub(super) fn any_slot(e: &mut Entropy<'_>) -> Option<u16> {
        SLOTS.contains(&e.version()).then(|| Arbitrary::arbitrary(e))
    }

}
