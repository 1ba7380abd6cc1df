use super::{OFPMT_OXM, Oxm, OxmItem};
use crate::bytes::{get16, pad8};
use crate::encode::{Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault, Reason};
use crate::list::{Elements, List};
use std::fmt;

/// A received `ofp_match`: a checked list of OXM fields (OF 1.3.5 7.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Match<'a> {
    fields: List<'a, Oxm<'a>>,
}

/// `OXM_OF_IN_PORT` as it is on the wire.
const IN_PORT: [u8; 4] = [0x80, 0x00, 0x00, 0x04];

impl<'a> Match<'a> {
    /// Reads a match off the front of `bytes`, which start at byte `base` of the message.
    #[inline]
    pub(crate) fn split(
        bytes: &'a [u8],
        message: &'static str,
        base: usize,
    ) -> Result<(Self, &'a [u8]), DecodeError> {
        match Self::split_inner(bytes) {
            Ok(split) => Ok(split),
            Err(fault) => Err(fault.in_message(message, base)),
        }
    }

    #[inline]
    fn split_inner(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let Some(head) = bytes.first_chunk::<4>() else {
            return Err(Fault::truncated("ofp_match", 4, bytes.len(), ErrorCode::BAD_MATCH_LEN));
        };
        let (ty, len) = (get16(head, 0), usize::from(get16(head, 2)));
        if ty != OFPMT_OXM {
            return Err(bad_type(ty));
        }
        // OF 1.3.5 7.2.3.1: the length leaves out the padding to a multiple of 8.
        let Some((this, rest)) = bytes.split_at_checked(pad8(len)) else {
            return Err(Fault::length("ofp_match.length", 2, len, ErrorCode::BAD_MATCH_LEN));
        };
        let Some(fields) = this.get(4..len) else {
            return Err(Fault::length("ofp_match.length", 2, len, ErrorCode::BAD_MATCH_LEN));
        };
        // What nearly every packet_in has: the input port and nothing else.
        if fields.len() == 8 && fields.starts_with(&IN_PORT) {
            return Ok((Self { fields: List::unchecked(fields) }, rest));
        }
        let fields = List::checked(fields).map_err(|fault| fault.shifted(4))?;
        Ok((Self { fields }, rest))
    }

    /// `OXM_OF_IN_PORT`, if it is there.
    #[inline]
    pub fn in_port(&self) -> Option<u32> {
        match *self.fields.as_bytes() {
            // As a rule it comes first.
            [0x80, 0x00, 0x00, 0x04, a, b, c, d, ..] => Some(u32::from_be_bytes([a, b, c, d])),
            _ => self.iter().find_map(|oxm| match oxm {
                Oxm::InPort(port) => Some(port),
                _ => None,
            }),
        }
    }

    /// The fields in order.
    #[inline]
    pub const fn iter(&self) -> Elements<'a, Oxm<'a>> {
        self.fields.iter()
    }

    /// Whether it matches every packet.
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields as they are on the wire.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.fields.as_bytes()
    }
}

#[cold]
fn bad_type(ty: u16) -> Fault {
    let reason = Reason::BadType { found: ty.into() };
    Fault { field: "ofp_match.type", at: 0, reason, answer: ErrorCode::BAD_MATCH_TYPE }
}

impl fmt::Debug for Match<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

impl<'a> IntoIterator for Match<'a> {
    type Item = Oxm<'a>;
    type IntoIter = Elements<'a, Oxm<'a>>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Length of an `ofp_match` of these fields, with its padding.
#[inline]
pub(crate) fn match_len<M: Clone + IntoIterator<Item: OxmItem>>(fields: &M) -> usize {
    pad8(4 + list_len(fields))
}

/// Appends an `ofp_match` of these fields, with its padding.
#[inline]
pub(crate) fn write_match<M: Clone + IntoIterator<Item: OxmItem>>(fields: &M, w: &mut Writer<'_>) {
    let at = w.position();
    *w.take::<4>() = [0, OFPMT_OXM as u8, 0, 0];
    let len = 4 + write_list(fields, w);
    w.patch16(at + 2, len as u16);
    w.pad_after(len);
}
