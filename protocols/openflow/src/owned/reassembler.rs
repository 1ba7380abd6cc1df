//! The parts of multipart messages put together.

use super::any::AnyMessage;
use super::message::{Body as _, DecodeError};
use super::{v10, v12, v13, v14, v15};
use crate::error::ErrorCode;
use crate::header::{Header, OFP_HEADER_LEN, Version};
use ferroflow_wire::codec::{Choice, Codec, ReadError, Reader, Reason};
use std::collections::VecDeque;

/// A request's or reply's body, all parts of it together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// The header of the last part. Its length is that part's.
    pub header: Header,
    /// `OFPMP_*`, or `OFPST_*` in 1.0.
    pub ty: u16,
    /// What follows type, flags and padding, of all parts.
    pub body: Vec<u8>,
}

/// One arm for every version: the module, and the bodies of requests and of replies.
macro_rules! decode_whole {
    ($self:ident, $($variant:ident $module:ident $name:literal $request:ident($request_body:ident)
        $reply:ident($reply_body:ident),)*) => {
        $(
            if $self.header.version == $module::Body::VERSION {
                let xid = $self.header.xid;
                let body = if $self.is_request() {
                    $module::Body::$request($self.read::<$module::$request_body>(concat!($name, "_REQUEST"))?.into())
                } else {
                    $module::Body::$reply($self.read::<$module::$reply_body>(concat!($name, "_REPLY"))?.into())
                };
                return Ok(AnyMessage::$variant($module::Message { xid, body }));
            }
        )*
    };
}

impl Assembled {
    /// The message as a whole, as if it had come in one part.
    ///
    /// # Errors
    /// When the parts together are no message. The offset of the field is from the start of [`body`](Self::body).
    pub fn decode(&self) -> Result<AnyMessage, DecodeError> {
        decode_whole! { self,
            V10 v10 "OFPT_STATS" StatsRequest(StatsRequestBody) StatsReply(StatsReplyBody),
            V12 v12 "OFPT_STATS" StatsRequest(StatsRequestBody) StatsReply(StatsReplyBody),
            V13 v13 "OFPT_MULTIPART" MultipartRequest(MultipartRequestBody) MultipartReply(MultipartReplyBody),
            V14 v14 "OFPT_MULTIPART" MultipartRequest(MultipartRequestBody) MultipartReply(MultipartReplyBody),
            V15 v15 "OFPT_MULTIPART" MultipartRequest(MultipartRequestBody) MultipartReply(MultipartReplyBody),
        }
        let reason = Reason::BadValue { found: self.header.version.0.into() };
        let field = ReadError::new(0, reason).within("version");
        Err(DecodeError { message: String::new(), field, answer: ErrorCode::BAD_VERSION })
    }

    fn is_request(&self) -> bool {
        self.header.ty == types(self.header.version)[0]
    }

    fn read<B: Choice>(&self, message: &str) -> Result<B, DecodeError> {
        let ty = self.ty.to_be_bytes();
        let mut r = Reader::new(&self.body, self.header.version.0);
        let body = B::Tag::read(&mut Reader::new(&ty, 0))
            .and_then(|tag| B::read_rest(tag, 0, &mut r))
            .and_then(|body| r.finished().map(|()| body));
        body.map_err(|field| DecodeError::of(message.to_owned(), field))
    }
}

/// The types of requests and of replies in parts.
fn types(version: Version) -> [u8; 2] {
    if version == Version::V1_0 { [16, 17] } else { [18, 19] }
}

/// Why a part was refused. What was kept of its message is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReassembleError {
    /// No multipart message, or cut short.
    #[error("not a whole multipart message")]
    NotMultipart,
    /// A part of another type than the one before it.
    #[error("a part of type {found} after one of type {expected}")]
    MixedTypes {
        /// The type of the first part.
        expected: u16,
        /// The type of this part.
        found: u16,
    },
    /// The message is longer than allowed (`OFPBRC_MULTIPART_BUFFER_OVERFLOW`).
    #[error("over {limit} bytes in parts")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

#[derive(Debug)]
struct Open {
    xid: u32,
    message_ty: u8,
    ty: u16,
    body: Vec<u8>,
}

/// Collects the parts of multipart messages of one connection until the last one (OF 1.3.5 7.3.5), within bounds: at
/// most so many messages at once, of which the oldest gives way, and so many bytes in each.
#[derive(Debug)]
pub struct Reassembler {
    open: VecDeque<Open>,
    max_open: usize,
    max_len: usize,
}

/// `OFPMPF_*_MORE`, of requests and replies in every version.
const MORE: u16 = 1;

impl Reassembler {
    /// At most `max_open` messages in the making, with bodies of at most `max_len` bytes.
    pub fn new(max_open: usize, max_len: usize) -> Self {
        Self { open: VecDeque::new(), max_open: max_open.max(1), max_len }
    }

    /// Takes one whole message. The answer is the body when this part was the last one, or the only one.
    ///
    /// # Errors
    /// When the part is none, or does not go with those before it.
    pub fn push(&mut self, message: &[u8]) -> Result<Option<Assembled>, ReassembleError> {
        let (header, ty, flags, part) = split(message).ok_or(ReassembleError::NotMultipart)?;
        let known = self.open.iter().position(|open| (open.xid, open.message_ty) == (header.xid, header.ty));
        let mut open = match known.and_then(|at| self.open.remove(at)) {
            Some(open) if open.ty != ty => {
                return Err(ReassembleError::MixedTypes { expected: open.ty, found: ty });
            }
            Some(open) => open,
            None => Open { xid: header.xid, message_ty: header.ty, ty, body: Vec::new() },
        };
        if open.body.len() + part.len() > self.max_len {
            return Err(ReassembleError::TooLong { limit: self.max_len });
        }
        open.body.extend_from_slice(part);
        if flags & MORE == 0 {
            return Ok(Some(Assembled { header, ty, body: open.body }));
        }
        if self.open.len() == self.max_open {
            self.open.pop_front();
        }
        self.open.push_back(open);
        Ok(None)
    }

    /// Messages of which parts are missing.
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

/// Header, type, flags and body of a multipart message of any version.
fn split(message: &[u8]) -> Option<(Header, u16, u16, &[u8])> {
    let header = Header::parse(message).ok()?;
    let padding = if header.version == Version::V1_0 { 0 } else { 4 };
    if !types(header.version).contains(&header.ty) || usize::from(header.length) != message.len() {
        return None;
    }
    let (fixed, rest) = message[OFP_HEADER_LEN..].split_first_chunk::<4>()?;
    let [ty_high, ty_low, flags_high, flags_low] = *fixed;
    let body = rest.get(padding..)?;
    Some((header, u16::from_be_bytes([ty_high, ty_low]), u16::from_be_bytes([flags_high, flags_low]), body))
}
