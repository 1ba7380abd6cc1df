use crate::bytes::{get16, get32, put16};
use crate::encode::{Encode, Writer};
use crate::error::{DecodeError, ErrorCode};
use crate::header::{Header, Start, Version};
use crate::owned::{common, v10, v12};
use std::fmt;

const OFPT_ERROR: u8 = 1;

/// `OFPT_ERROR` of any version (OF 1.0 5.4.4, OF 1.3.5 7.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorMsg<'a> {
    /// The header's version, on which the meaning of `error` depends.
    pub version: Version,
    /// Transaction id: that of the message that failed.
    pub xid: u32,
    /// Type and code.
    pub error: ErrorCode,
    /// At least the first 64 bytes of the message that failed, or a text for `OFPET_HELLO_FAILED`.
    pub data: &'a [u8],
}

impl<'a> ErrorMsg<'a> {
    /// The answer to a message that could not be read: quotes up to 64 bytes of it.
    pub fn answer(version: Version, failed: &'a [u8], error: ErrorCode) -> Self {
        let xid = Header::parse(failed).map_or(0, |h| h.xid);
        Self { version, xid, error, data: &failed[..failed.len().min(64)] }
    }

    /// `OFPET_HELLO_FAILED`/`OFPHFC_INCOMPATIBLE` with a text (OF 1.3.5 6.3.1).
    pub const fn hello_failed(version: Version, xid: u32, text: &'a str) -> Self {
        Self { version, xid, error: ErrorCode { ty: 0, code: 0 }, data: text.as_bytes() }
    }

    /// Reads one whole message of any version.
    ///
    /// # Errors
    /// When the header is not an error's or the message is too short.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let version = Header::parse(msg)?.version;
        let start = Start { message: "ErrorMsg", version, ty: OFPT_ERROR };
        let (fixed, data) = start.split::<12>(msg)?;
        let error = ErrorCode { ty: get16(fixed, 8), code: get16(fixed, 10) };
        Ok(Self { version, xid: get32(fixed, 4), error, data })
    }

    /// The header of the message that failed, where enough of it is quoted.
    pub fn failed(&self) -> Option<Header> {
        // The hello errors carry a text instead.
        if self.error.ty == 0 { None } else { Header::parse(self.data).ok() }
    }

    /// The standard's names of the type and the code, by the latest version that has them.
    pub fn names(&self) -> (Option<&'static str>, Option<&'static str>) {
        match self.version {
            Version::V1_0 => v10::error_names(self.error.ty, self.error.code),
            Version::V1_2 => v12::error_names(self.error.ty, self.error.code),
            _ => common::error_names(self.error.ty, self.error.code),
        }
    }
}

impl fmt::Display for ErrorMsg<'_> {
    /// `OFPET_FLOW_MOD_FAILED/OFPFMFC_OVERLAP`, with numbers for what has no name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ty, code) = self.names();
        match ty {
            Some(name) => f.write_str(name)?,
            None => write!(f, "type {}", self.error.ty)?,
        }
        match code {
            Some(name) => write!(f, "/{name}"),
            None => write!(f, "/code {}", self.error.code),
        }
    }
}

impl Encode for ErrorMsg<'_> {
    fn wire_len(&self) -> usize {
        12 + self.data.len()
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<12>(self.version, OFPT_ERROR, self.xid);
        put16(b, 8, self.error.ty);
        put16(b, 10, self.error.code);
        w.bytes(self.data);
        w.finish();
    }
}
