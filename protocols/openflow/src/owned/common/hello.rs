//! `OFPT_HELLO` of 1.3 and later, which earlier versions understand (OF 1.3.5 7.5.1).

use ferroflow_wire::{choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_hello_elem_type` (OF 1.3.5 7.5.1).
    pub HelloElemType(u16) { OFPHET_VERSIONBITMAP = 1 }
}

choice! {
    /// `ofp_hello_elem_header` and what follows it.
    pub enum HelloElem("type": HelloElemType) {
        OFPHET_VERSIONBITMAP => VersionBitmap {
            /// Bit `n` of the first number stands for version byte `n`, and so on by 32.
            bitmaps: Vec<u32>,
        },
        _ => Unknown,
    }
}
// OFPET_BAD_REQUEST/OFPBRC_BAD_LEN
tlv!(HelloElem, length: u16, answer (1, 6), pad 8);

structure! {
    /// `ofp_hello`.
    #[derive(Default)]
    pub struct Hello {
        elements: Vec<HelloElem>,
    }
}
