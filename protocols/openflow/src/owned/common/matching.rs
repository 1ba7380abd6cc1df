//! `ofp_match` of 1.2 and later (OF 1.3.5 7.2.3).

use super::oxm::Oxm;
use ferroflow_wire::codec::Reason;
use ferroflow_wire::{choice, open_enum, tlv};

open_enum! {
    /// `ofp_match_type` (OF 1.3.5 7.2.3.1).
    pub MatchType(u16) { OFPMT_STANDARD = 0, OFPMT_OXM = 1 }
}

choice! {
    /// `ofp_match`: which packets.
    pub enum Match("type": MatchType) {
        OFPMT_OXM => Oxm { oxm_fields: Vec<Oxm>, },
        // OFPET_BAD_MATCH/OFPBMC_BAD_TYPE
        _ => (4, 0),
    }
}
// The length leaves the padding out (OF 1.3.5 7.2.3.1).
tlv!(Match, length: u16, answer bad_match, pad 8);

/// OFPET_BAD_MATCH with OFPBMC_BAD_MASK or OFPBMC_BAD_LEN.
fn bad_match(_version: u8, reason: Reason) -> Option<(u16, u16)> {
    match reason {
        Reason::Masked => Some((4, 8)),
        _ => reason.is_length().then_some((4, 1)),
    }
}

impl Match {
    /// A match of these fields; none matches every packet.
    pub fn new(oxm_fields: Vec<Oxm>) -> Self {
        Self::Oxm { oxm_fields }
    }

    /// The fields.
    pub fn fields(&self) -> &[Oxm] {
        let Self::Oxm { oxm_fields } = self;
        oxm_fields
    }
}
