//! A message: the header, and a body of the header's type.

use crate::error::ErrorCode;
use crate::header::{OFP_HEADER_LEN, Version};
use crate::hello::NOT_1_1;
use ferroflow_wire::codec::{
    Choice, Codec, Json, JsonError, JsonObject, Object, Path, ReadError, Reader, Reason, Value, WriteError,
    Writer,
};
use std::fmt;

/// All that a message of one version can be.
pub trait Body: Choice<Tag: fmt::Display> {
    /// The version.
    const VERSION: Version;
}

/// `ofp_header` and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<B> {
    /// Transaction id.
    pub xid: u32,
    /// The message's own part.
    pub body: B,
}

/// Bytes that are not a message: which message, which field, where, why, and what to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DecodeError {
    /// The message's type, as the specification calls it; empty where not so much as that is known.
    pub message: String,
    /// Field, offset and reason.
    pub field: ReadError,
    /// The error that the specification wants sent.
    pub answer: ErrorCode,
}

impl DecodeError {
    /// What is wrong with a message of this name; where no structure knows what to answer, `OFPBRC_BAD_LEN`.
    pub(super) fn of(message: String, field: ReadError) -> Self {
        let (ty, code) = field.answer().unwrap_or((ErrorCode::BAD_LEN.ty, ErrorCode::BAD_LEN.code));
        Self { message, field, answer: ErrorCode { ty, code } }
    }

    /// The way to the field, from the message inwards.
    pub fn path(&self) -> &Path {
        self.field.path()
    }

    /// Where the field starts, in bytes from the start of the message.
    pub fn offset(&self) -> usize {
        self.field.offset()
    }

    /// What is wrong with it.
    pub fn reason(&self) -> Reason {
        self.field.reason()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(f, "{}", self.field)?;
        } else {
            write!(f, "{}: {}", self.message, self.field)?;
        }
        match self.reason() {
            Reason::BadValue { found: 2 } if self.answer == ErrorCode::BAD_VERSION => {
                write!(f, " ({NOT_1_1})")
            }
            _ => Ok(()),
        }
    }
}

/// A message that the wire format cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {field}")]
pub struct EncodeError {
    /// The message's type, as the specification calls it.
    pub message: String,
    /// The field, and why.
    pub field: WriteError,
}

impl<B: Body> Message<B> {
    /// Reads exactly one whole message.
    ///
    /// # Errors
    /// When the bytes are not a message of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, B::VERSION.0);
        let message = Self::read(&mut r).and_then(|message| r.finished().map(|()| message));
        message.map_err(|field| {
            let tag = bytes.get(1).and_then(|&ty| B::Tag::read(&mut Reader::new(&[ty], 0)).ok());
            let message = tag.map_or(String::new(), |tag| tag.to_string());
            DecodeError::of(message, field)
        })
    }

    /// The message's bytes.
    ///
    /// # Errors
    /// When a part is too long for its length field, or not of this version.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        self.finish(Writer::append(&mut bytes, B::VERSION.0))?;
        Ok(bytes)
    }

    /// Writes the message at the front of `buf`, and says how many bytes it has. Nothing but an error allocates.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and when `buf` is too short. What is in `buf` is then of no use.
    pub fn encode_into(&self, buf: &mut [u8]) -> Result<usize, EncodeError> {
        self.finish(Writer::fill_slice(buf, B::VERSION.0))
    }

    fn finish(&self, mut w: Writer<'_>) -> Result<usize, EncodeError> {
        self.write(&mut w);
        w.finish().map_err(|field| EncodeError { message: self.body.tag().to_string(), field })
    }
}

/// A whole message, as one is carried in a bundle's message, too.
impl<B: Body> Codec for Message<B> {
    const MIN: usize = OFP_HEADER_LEN;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let start = r.offset();
        let version = u8::read(r).map_err(|e| e.within("version"))?;
        if version != B::VERSION.0 {
            let error = ReadError::new(start, Reason::BadValue { found: version.into() }).within("version");
            return Err(error.or_answer((ErrorCode::BAD_VERSION.ty, ErrorCode::BAD_VERSION.code)));
        }
        let tag = B::Tag::read(r).map_err(|e| e.within("type"))?;
        let length = u16::read(r).map_err(|e| e.within("length"))?;
        let xid = u32::read(r).map_err(|e| e.within("xid"))?;
        // OF 1.4.1 7.5.4: OFPET_BUNDLE_FAILED/OFPBFC_MSG_BAD_LEN for a message within a message.
        let answer = if start == 0 { ErrorCode::BAD_LEN } else { ErrorCode { ty: 17, code: 8 } };
        let outer = r
            .narrow_from(start, length.into(), start + 2)
            .map_err(|e| e.within("length").or_answer((answer.ty, answer.code)))?;
        // The tag is the header's second byte.
        let body = B::read_rest(tag, start + 1, r)?;
        r.widen(outer)?;
        Ok(Self { xid, body })
    }

    fn write(&self, w: &mut Writer<'_>) {
        let start = w.offset();
        B::VERSION.0.write(w);
        self.body.tag().write(w);
        let length = w.hole(2, "length");
        self.xid.write(w);
        self.body.write_rest(start + 1, w);
        w.fill(length, w.offset() - start);
    }
}

/// `{"header": {"version": 4, "type": "OFPT_..", "xid": 1}, ..}`: the length follows from the rest.
impl<B: Body> JsonObject for Message<B> {
    fn to_fields(&self, object: &mut Object) {
        let mut header = Object::default();
        B::VERSION.0.put("version", &mut header);
        self.body.tag().put("type", &mut header);
        self.xid.put("xid", &mut header);
        object.push("header", Value::Object(header));
        self.body.rest_to_fields(object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        let (tag, xid) = match object.take("header") {
            Some(Value::Object(mut header)) => {
                header_fields::<B>(&mut header).map_err(|e| e.within("header"))?
            }
            other => {
                return Err(JsonError::expected("an object", &other.unwrap_or(Value::Null)).within("header"));
            }
        };
        Ok(Self { xid, body: B::rest_from_fields(tag, object)? })
    }
}

fn header_fields<B: Body>(header: &mut Object) -> Result<(B::Tag, u32), JsonError> {
    let version: u8 = header.field("version")?;
    if version != B::VERSION.0 {
        return Err(JsonError::new(format!("{} expected, {version} found", B::VERSION.0)).within("version"));
    }
    let tag_and_xid = (header.field("type")?, header.field("xid")?);
    header.finished()?;
    Ok(tag_and_xid)
}

impl<B: Body> Json for Message<B> {
    fn to_json(&self) -> Value {
        ferroflow_wire::codec::object_to_json(self)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        ferroflow_wire::codec::object_from_json(value)
    }
}

ferroflow_wire::__serde!(Message<B: Body>);

#[cfg(feature = "arbitrary")]
impl<B: Body + ferroflow_wire::codec::Arbitrary> ferroflow_wire::codec::Arbitrary for Message<B> {
    fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Self {
        Self { xid: u32::arbitrary(e), body: B::arbitrary(e) }
    }
}
