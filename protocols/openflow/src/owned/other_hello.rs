//! A hello of a version that has no module here.

use super::common;
use super::message::{DecodeError, EncodeError};
use crate::header::Version;
use ferroflow_wire::codec::{Codec, Json, JsonError, JsonObject, Object, ReadError, Reader, Value, Writer};

/// The type of a hello, the same in every version.
pub(super) const OFPT_HELLO: u8 = 0;
const NAME: &str = "OFPT_HELLO";

/// `OFPT_HELLO` of another version than 1.0 and 1.2 to 1.5. Its form is that of every version, since it comes before a
/// version is agreed on (OF 1.3.5 6.3.1, 7.5.1); no other message of such a version is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHello {
    /// The header's version.
    pub version: Version,
    /// Transaction id.
    pub xid: u32,
    /// The elements.
    pub hello: common::Hello,
}

impl OtherHello {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, bytes.first().copied().unwrap_or_default());
        let hello = Self::read(&mut r).and_then(|hello| r.finished().map(|()| hello));
        hello.map_err(|field| DecodeError::of(NAME.to_owned(), field))
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let version = Version::read(r).map_err(|e| e.within("version"))?;
        r.skip(1).map_err(|e| e.within("type"))?;
        let length = u16::read(r).map_err(|e| e.within("length"))?;
        let xid = u32::read(r).map_err(|e| e.within("xid"))?;
        let outer = r.narrow_from(0, length.into(), 2).map_err(|e| e.within("length"))?;
        let hello = common::Hello::read(r)?;
        r.widen(outer)?;
        Ok(Self { version, xid, hello })
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        self.finish(Writer::append(&mut bytes, self.version.0))?;
        Ok(bytes)
    }

    pub(super) fn encode_into(&self, buf: &mut [u8]) -> Result<usize, EncodeError> {
        self.finish(Writer::fill_slice(buf, self.version.0))
    }

    fn finish(&self, mut w: Writer<'_>) -> Result<usize, EncodeError> {
        w.bytes(&[self.version.0, OFPT_HELLO]);
        let length = w.hole(2, "length");
        self.xid.write(&mut w);
        self.hello.write(&mut w);
        w.fill(length, w.offset());
        w.finish().map_err(|field| EncodeError { message: NAME.to_owned(), field })
    }
}

/// `{"header": {"version": 7, "type": "OFPT_HELLO", "xid": 1}, "elements": [..]}`, as a hello of 1.3.
impl JsonObject for OtherHello {
    fn to_fields(&self, object: &mut Object) {
        let mut header = Object::default();
        self.version.0.put("version", &mut header);
        header.push("type", NAME.into());
        self.xid.put("xid", &mut header);
        object.push("header", Value::Object(header));
        self.hello.to_fields(object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        let header = object.take("header").unwrap_or(Value::Null);
        let (version, xid) = match header {
            Value::Object(mut header) => header_fields(&mut header),
            other => Err(JsonError::expected("an object", &other)),
        }
        .map_err(|e| e.within("header"))?;
        Ok(Self { version, xid, hello: JsonObject::from_fields(object)? })
    }
}

fn header_fields(header: &mut Object) -> Result<(Version, u32), JsonError> {
    let version = header.field("version")?;
    match header.take("type") {
        Some(Value::Text(name)) if name == NAME => {}
        Some(Value::Number(0)) => {}
        _ => {
            let what = format!("version {version} is not spoken here: only its {NAME} is understood");
            return Err(JsonError::new(what).within("version"));
        }
    }
    let xid = header.field("xid")?;
    header.finished()?;
    Ok((Version(version), xid))
}
