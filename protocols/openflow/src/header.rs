use crate::bytes::{get16, get32};
use crate::error::{DecodeError, ErrorCode, Reason};

ferroflow_wire::open_enum! {
    /// The version byte of a header (OF 1.3.5 7.1).
    pub Version(u8) { V1_0 = 1, V1_1 = 2, V1_2 = 3, V1_3 = 4, V1_4 = 5, V1_5 = 6 }
}

impl Version {
    /// The version as people write it: `1.3`. None for a number that no version has.
    pub const fn dotted(self) -> Option<&'static str> {
        Some(match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
            Self::V1_5 => "1.5",
            _ => return None,
        })
    }
}

/// Length of `ofp_header` in bytes.
pub const OFP_HEADER_LEN: usize = 8;

/// `ofp_header`, the first eight bytes of every message (OF 1.3.5 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Version of the protocol.
    pub version: Version,
    /// `OFPT_*`, whose names depend on the version.
    pub ty: u8,
    /// Length of the message with this header, in bytes.
    pub length: u16,
    /// Transaction id.
    pub xid: u32,
}

impl Header {
    /// Reads the first eight bytes. Nothing is checked but that they are there.
    ///
    /// # Errors
    /// When there are fewer than eight bytes.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.first_chunk() {
            Some(first) => Ok(Self::read(first)),
            None => Err(truncated("ofp_header", OFP_HEADER_LEN, bytes.len())),
        }
    }

    /// Reads a header from its eight bytes.
    #[inline]
    pub fn read(b: &[u8; OFP_HEADER_LEN]) -> Self {
        Self { version: Version(b[0]), ty: b[1], length: get16(b, 2), xid: get32(b, 4) }
    }
}

/// What a message must start with.
pub(crate) struct Start {
    pub message: &'static str,
    pub version: Version,
    pub ty: u8,
}

impl Start {
    /// Checks the header, and splits off the message's fixed part of `N` bytes.
    #[inline(always)]
    pub(crate) fn split<'a, const N: usize>(
        &self,
        msg: &'a [u8],
    ) -> Result<(&'a [u8; N], &'a [u8]), DecodeError> {
        const { assert!(N >= OFP_HEADER_LEN) };
        let Some((fixed, rest)) = msg.split_first_chunk::<N>() else {
            return Err(self.too_short(msg, N));
        };
        if fixed[0] != self.version.0 || fixed[1] != self.ty || usize::from(get16(fixed, 2)) != msg.len() {
            return Err(self.bad_header(msg));
        }
        Ok((fixed, rest))
    }

    /// Checks that the message has ended.
    #[inline(always)]
    pub(crate) fn nothing_after(&self, rest: &[u8], offset: usize) -> Result<(), DecodeError> {
        if rest.is_empty() { Ok(()) } else { Err(self.trailing(rest.len(), offset)) }
    }

    #[cold]
    fn trailing(&self, bytes: usize, offset: usize) -> DecodeError {
        DecodeError {
            message: self.message,
            field: "length",
            offset,
            reason: Reason::Trailing { bytes: bytes as u32 },
            answer: ErrorCode::BAD_LEN,
        }
    }

    #[cold]
    fn too_short(&self, msg: &[u8], need: usize) -> DecodeError {
        match Header::parse(msg) {
            Ok(h) if (h.version, h.ty) != (self.version, self.ty) => self.bad_header(msg),
            _ => truncated(self.message, need, msg.len()),
        }
    }

    #[cold]
    fn bad_header(&self, msg: &[u8]) -> DecodeError {
        let h = match Header::parse(msg) {
            Ok(h) => h,
            Err(e) => return e,
        };
        let (field, offset, reason, answer) = if h.version != self.version {
            ("version", 0, Reason::BadVersion { found: h.version.0 }, ErrorCode::BAD_VERSION)
        } else if h.ty != self.ty {
            ("type", 1, Reason::BadType { found: h.ty.into() }, ErrorCode::BAD_TYPE)
        } else {
            ("length", 2, Reason::BadLength { length: h.length.into() }, ErrorCode::BAD_LEN)
        };
        DecodeError { message: self.message, field, offset, reason, answer }
    }
}

#[cold]
pub(crate) fn truncated(message: &'static str, need: usize, have: usize) -> DecodeError {
    DecodeError {
        message,
        field: "length",
        offset: have,
        reason: Reason::Truncated { need: need as u32, have: have as u32 },
        answer: ErrorCode::BAD_LEN,
    }
}
