use super::arbitrary::{Arbitrary, Entropy};
use super::error::ReadError;
use super::json::{Json, JsonError, Object, Value};
use super::{Bytes, Codec, Reader, Writer};
use std::borrow::Cow;
use std::fmt;

/// A zero-padded text field of `N` bytes: a switch port's name, a description string.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FixedStr<const N: usize>(pub [u8; N]);

impl<const N: usize> FixedStr<N> {
    /// `text` cut at `N - 1` bytes, so that a zero always ends it (OF 1.3.5 7.2.1).
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(N.saturating_sub(1));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self::padded(&text.as_bytes()[..end])
    }

    /// `bytes`, of which there are at most `N`, with zeros after them.
    fn padded(bytes: &[u8]) -> Self {
        let mut field = [0; N];
        field[..bytes.len()].copy_from_slice(bytes);
        Self(field)
    }

    /// The bytes before the first zero.
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|&b| b == 0).unwrap_or(N);
        &self.0[..end]
    }

    /// The text, with what is not UTF-8 replaced.
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    /// The text, if it alone says what all `N` bytes are.
    fn exact_text(&self) -> Option<&str> {
        let text = self.as_bytes();
        let padding = &self.0[text.len()..];
        if padding.iter().all(|&b| b == 0) { std::str::from_utf8(text).ok() } else { None }
    }
}

impl<const N: usize> Default for FixedStr<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Debug for FixedStr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

impl<const N: usize> fmt::Display for FixedStr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl<const N: usize> Codec for FixedStr<N> {
    const MIN: usize = N;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        r.array().map(Self)
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }
}

/// The text; or `{"bytes": "<hex>"}` when the field holds what no text says, such as bytes after the zero.
impl<const N: usize> Json for FixedStr<N> {
    fn to_json(&self) -> Value {
        match self.exact_text() {
            Some(text) => text.to_owned().into(),
            None => bytes_to_json(&self.0),
        }
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let bytes = bytes_from_json(value)?;
        if bytes.len() > N {
            return Err(JsonError::new(format!("a text of at most {N} bytes expected")));
        }
        Ok(Self::padded(&bytes))
    }
}

impl<const N: usize> Arbitrary for FixedStr<N> {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        match e.below(3) {
            0 => Self::default(),
            1 => Self::new(&format!("eth{}", e.byte())),
            _ => Self(std::array::from_fn(|_| e.byte())),
        }
    }
}

/// A text to the end of the structure.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Text(pub Vec<u8>);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.0))
    }
}

impl Codec for Text {
    const MIN: usize = 0;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self(r.rest().to_vec()))
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }
}

/// The text; or `{"bytes": "<hex>"}` when it is not UTF-8.
impl Json for Text {
    fn to_json(&self) -> Value {
        match std::str::from_utf8(&self.0) {
            Ok(text) => text.to_owned().into(),
            Err(_) => bytes_to_json(&self.0),
        }
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        bytes_from_json(value).map(Self)
    }
}

impl Arbitrary for Text {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        if e.below(2) == 0 { Self::from("tcp:10.0.0.1:6653") } else { Self(Bytes::arbitrary(e).0) }
    }
}

/// `{"bytes": "<hex>"}`
fn bytes_to_json(bytes: &[u8]) -> Value {
    let mut object = Object::default();
    object.push("bytes", Bytes(bytes.to_vec()).to_json());
    Value::Object(object)
}

/// The bytes of a text or of `{"bytes": "<hex>"}`.
fn bytes_from_json(value: Value) -> Result<Vec<u8>, JsonError> {
    match value {
        Value::Text(text) => Ok(text.as_bytes().to_vec()),
        Value::Object(mut object) => {
            let Bytes(bytes) = object.field("bytes")?;
            object.finished()?;
            Ok(bytes)
        }
        other => Err(JsonError::expected("a text", &other)),
    }
}
