//! `ofp_match` of 1.2 and later (OF 1.3.5 7.2.3).

use super::oxm::Oxm;
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
// The length leaves the padding out (OF 1.3.5 7.2.3.1). OFPET_BAD_MATCH/OFPBMC_BAD_LEN
tlv!(Match, length: u16, answer (4, 1), pad 8);

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
