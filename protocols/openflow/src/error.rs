use std::fmt;

/// An OpenFlow error type and code, as numbers: what the specification wants sent for a bad message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    /// `OFPET_*`.
    pub ty: u16,
    /// `OFPxxC_*`, whose meaning depends on `ty`.
    pub code: u16,
}

// These have the same numbers in every version from 1.0 on; BAD_INSTRUCTION and BAD_MATCH since 1.1.
impl ErrorCode {
    /// `OFPET_BAD_REQUEST`/`OFPBRC_BAD_VERSION`.
    pub const BAD_VERSION: Self = Self { ty: 1, code: 0 };
    /// `OFPET_BAD_REQUEST`/`OFPBRC_BAD_TYPE`.
    pub const BAD_TYPE: Self = Self { ty: 1, code: 1 };
    /// `OFPET_BAD_REQUEST`/`OFPBRC_BAD_STAT` (1.0), `OFPBRC_BAD_MULTIPART` (1.3).
    pub const BAD_STAT: Self = Self { ty: 1, code: 2 };
    /// `OFPET_BAD_REQUEST`/`OFPBRC_BAD_LEN`.
    pub const BAD_LEN: Self = Self { ty: 1, code: 6 };
    /// `OFPET_BAD_ACTION`/`OFPBAC_BAD_LEN`.
    pub const BAD_ACTION_LEN: Self = Self { ty: 2, code: 1 };
    /// `OFPET_BAD_ACTION`/`OFPBAC_BAD_SET_TYPE` (1.3).
    pub const BAD_ACTION_SET_TYPE: Self = Self { ty: 2, code: 13 };
    /// `OFPET_BAD_ACTION`/`OFPBAC_BAD_SET_LEN` (1.3).
    pub const BAD_ACTION_SET_LEN: Self = Self { ty: 2, code: 14 };
    /// `OFPET_BAD_INSTRUCTION`/`OFPBIC_BAD_LEN` (1.3).
    pub const BAD_INSTRUCTION_LEN: Self = Self { ty: 3, code: 7 };
    /// `OFPET_BAD_MATCH`/`OFPBMC_BAD_TYPE` (1.3).
    pub const BAD_MATCH_TYPE: Self = Self { ty: 4, code: 0 };
    /// `OFPET_BAD_MATCH`/`OFPBMC_BAD_LEN` (1.3).
    pub const BAD_MATCH_LEN: Self = Self { ty: 4, code: 1 };
    /// `OFPET_BAD_MATCH`/`OFPBMC_BAD_MASK` (1.3).
    pub const BAD_MATCH_MASK: Self = Self { ty: 4, code: 8 };
}

/// Why a message could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The field needs `need` bytes and `have` are left.
    Truncated {
        /// Bytes wanted.
        need: u32,
        /// Bytes there.
        have: u32,
    },
    /// The length field says `length`, which cannot be.
    BadLength {
        /// The value on the wire.
        length: u32,
    },
    /// The header is of another version.
    BadVersion {
        /// The value on the wire.
        found: u8,
    },
    /// The message, match or multipart is of another type.
    BadType {
        /// The value on the wire.
        found: u32,
    },
    /// Bytes follow the end of the message's last field.
    Trailing {
        /// How many.
        bytes: u32,
    },
    /// The field is one that may not have a mask.
    Masked,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { need, have } => write!(f, "truncated: {need} bytes needed, {have} there"),
            Self::BadLength { length } => write!(f, "impossible length {length}"),
            Self::BadVersion { found } => write!(f, "unexpected version {found}"),
            Self::BadType { found } => write!(f, "unexpected type {found}"),
            Self::Trailing { bytes } => write!(f, "{bytes} bytes too many"),
            Self::Masked => f.write_str("field cannot be masked"),
        }
    }
}

/// A message that cannot be read: where, why, and what to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {field} at offset {offset}: {reason}")]
pub struct DecodeError {
    /// The message that was expected.
    pub message: &'static str,
    /// The field, by the standard's name.
    pub field: &'static str,
    /// The field's offset from the start of the message, in bytes.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Reason,
    /// The error that the specification wants sent.
    pub answer: ErrorCode,
}

/// An error inside a list element, its offset relative to the element: the list knows the rest.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub field: &'static str,
    pub at: usize,
    pub reason: Reason,
    pub answer: ErrorCode,
}

impl Fault {
    #[cold]
    pub(crate) fn truncated(field: &'static str, need: usize, have: usize, answer: ErrorCode) -> Self {
        Self { field, at: 0, reason: Reason::Truncated { need: need as u32, have: have as u32 }, answer }
    }

    #[cold]
    pub(crate) fn length(field: &'static str, at: usize, length: usize, answer: ErrorCode) -> Self {
        Self { field, at, reason: Reason::BadLength { length: length as u32 }, answer }
    }

    #[cold]
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self { at: self.at + by, ..self }
    }

    #[cold]
    pub(crate) fn in_message(self, message: &'static str, base: usize) -> DecodeError {
        DecodeError {
            message,
            field: self.field,
            offset: base + self.at,
            reason: self.reason,
            answer: self.answer,
        }
    }
}
