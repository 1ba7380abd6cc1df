//! Numbers, addresses, bytes and lists.

use super::arbitrary::{Arbitrary, Entropy};
use super::error::{ReadError, Reason};
use super::json::{self, Json, JsonError, Value};
use super::{Codec, Reader, Writer};
use crate::MacAddr;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An unsigned number: what lengths and counts are.
pub trait Number: Codec + Copy {
    /// The number, cut to the address space.
    fn to_usize(self) -> usize;
}

macro_rules! number {
    ($($int:ident)*) => { $(
        impl Codec for $int {
            const MIN: usize = size_of::<Self>();

            fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
                r.array().map(Self::from_be_bytes)
            }

            fn write(&self, w: &mut Writer<'_>) {
                w.bytes(&self.to_be_bytes());
            }
        }

        impl Number for $int {
            fn to_usize(self) -> usize {
                usize::try_from(self).unwrap_or(usize::MAX)
            }
        }

        impl Json for $int {
            fn to_json(&self) -> Value {
                Value::Number((*self).into())
            }

            fn from_json(value: Value) -> Result<Self, JsonError> {
                json::number(&value, Self::BITS).map(|n| n as Self)
            }
        }

        impl Arbitrary for $int {
            fn arbitrary(e: &mut Entropy<'_>) -> Self {
                e.number(size_of::<Self>()) as Self
            }
        }
    )* };
}

number! { u8 u16 u32 u64 }

impl Codec for i32 {
    const MIN: usize = 4;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        r.array().map(Self::from_be_bytes)
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&self.to_be_bytes());
    }
}

impl Json for i32 {
    fn to_json(&self) -> Value {
        u64::try_from(*self).map_or(Value::Negative((*self).into()), Value::Number)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let n = match &value {
            Value::Negative(n) => Self::try_from(*n).ok(),
            Value::Number(n) => Self::try_from(*n).ok(),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        n.ok_or_else(|| JsonError::expected("a number of 32 bits, one of them its sign", &value))
    }
}

impl Arbitrary for i32 {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        e.number(4) as u32 as Self
    }
}

/// A number of 24 bits, in the low bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct U24(pub u32);

impl Codec for U24 {
    const MIN: usize = 3;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let [a, b, c] = r.array()?;
        Ok(Self(u32::from_be_bytes([0, a, b, c])))
    }

    fn write(&self, w: &mut Writer<'_>) {
        let [over, a, b, c] = self.0.to_be_bytes();
        if over != 0 {
            w.fail("number", "over 24 bits");
        }
        w.bytes(&[a, b, c]);
    }
}

impl Json for U24 {
    fn to_json(&self) -> Value {
        Value::Number(self.0.into())
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        json::number(&value, 24).map(|n| Self(n as u32))
    }
}

impl Arbitrary for U24 {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        Self(e.number(3) as u32)
    }
}

macro_rules! address {
    ($($ty:ident($octets:literal) $wanted:literal)*) => { $(
        impl Codec for $ty {
            const MIN: usize = $octets;

            fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
                r.array::<$octets>().map(Self::from)
            }

            fn write(&self, w: &mut Writer<'_>) {
                w.bytes(&self.octets());
            }
        }

        impl Json for $ty {
            fn to_json(&self) -> Value {
                self.to_string().into()
            }

            fn from_json(value: Value) -> Result<Self, JsonError> {
                json::text(value, $wanted, |text| text.parse().ok())
            }
        }

        impl Arbitrary for $ty {
            fn arbitrary(e: &mut Entropy<'_>) -> Self {
                Self::from(std::array::from_fn::<u8, $octets, _>(|_| e.byte()))
            }
        }
    )* };
}

address! {
    MacAddr(6) "a MAC address"
    Ipv4Addr(4) "an IPv4 address"
    Ipv6Addr(16) "an IPv6 address"
}

fn write_hex(bytes: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
}

fn hex(bytes: &[u8]) -> Value {
    let mut text = String::with_capacity(2 * bytes.len());
    let _ = write_hex(bytes, &mut text);
    text.into()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(nibble(high)? << 4 | nibble(low)?)).collect()
}

/// Bytes to the end of the structure, whatever they mean. For people: hex digits.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl<T: AsRef<[u8]>> From<T> for Bytes {
    fn from(bytes: T) -> Self {
        Self(bytes.as_ref().to_vec())
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl Codec for Bytes {
    const MIN: usize = 0;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self(r.rest().to_vec()))
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }
}

impl Json for Bytes {
    fn to_json(&self) -> Value {
        hex(&self.0)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        json::text(value, "bytes in hex", from_hex).map(Self)
    }
}

impl Arbitrary for Bytes {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        let len = e.below(24);
        Self((0..len).map(|_| e.byte()).collect())
    }
}

/// Exactly `N` bytes, whatever they mean. For people: hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Raw<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Raw<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Debug for Raw<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl<const N: usize> Codec for Raw<N> {
    const MIN: usize = N;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        r.array().map(Self)
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }
}

impl<const N: usize> Json for Raw<N> {
    fn to_json(&self) -> Value {
        hex(&self.0)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let exact = |text: &str| from_hex(text)?.try_into().ok();
        json::text(value, &format!("{N} bytes in hex"), exact).map(Self)
    }
}

impl<const N: usize> Arbitrary for Raw<N> {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        Self(std::array::from_fn(|_| e.byte()))
    }
}

/// To the end of the structure.
impl<T: Codec> Codec for Vec<T> {
    const MIN: usize = 0;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let mut list = Self::new();
        while !r.is_empty() {
            let start = r.offset();
            list.push(T::read(r).map_err(|e| e.at_index(list.len()))?);
            if r.offset() == start {
                // An element of no bytes would never end.
                return Err(r.error(Reason::BadLength { length: 0 }).at_index(list.len() - 1));
            }
        }
        Ok(list)
    }

    fn write(&self, w: &mut Writer<'_>) {
        self.iter().for_each(|element| element.write(w));
    }
}

impl<T: Codec, const N: usize> Codec for [T; N] {
    const MIN: usize = N * T::MIN;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let list = read_count(r, N)?;
        list.try_into().map_err(|_| r.error(Reason::BadLength { length: N as u64 }))
    }

    fn write(&self, w: &mut Writer<'_>) {
        self.iter().for_each(|element| element.write(w));
    }
}

impl<T: Codec> Codec for Box<T> {
    const MIN: usize = T::MIN;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        T::read(r).map(Self::new)
    }

    fn write(&self, w: &mut Writer<'_>) {
        (**self).write(w);
    }
}

/// There if the structure has not ended.
impl<T: Codec> Codec for Option<T> {
    const MIN: usize = 0;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        if r.is_empty() { Ok(None) } else { T::read(r).map(Some) }
    }

    fn write(&self, w: &mut Writer<'_>) {
        if let Some(value) = self {
            value.write(w);
        }
    }
}

/// Exactly `count` elements. No more memory is asked for than the bytes that are there can fill.
#[doc(hidden)]
pub fn read_count<T: Codec>(r: &mut Reader<'_>, count: usize) -> Result<Vec<T>, ReadError> {
    let mut list = Vec::new();
    for i in 0..count {
        let start = r.offset();
        list.push(T::read(r).map_err(|e| e.at_index(i))?);
        if r.offset() == start && count > 256 {
            return Err(r.error(Reason::BadLength { length: count as u64 }));
        }
    }
    Ok(list)
}

/// A field of some versions.
#[doc(hidden)]
pub fn read_only<T: Codec>(r: &mut Reader<'_>, is_there: bool) -> Result<Option<T>, ReadError> {
    if is_there { T::read(r).map(Some) } else { Ok(None) }
}

#[doc(hidden)]
pub fn write_only<T: Codec>(value: &Option<T>, w: &mut Writer<'_>, is_there: bool, field: &'static str) {
    match value {
        Some(value) if is_there => value.write(w),
        Some(_) => w.fail(field, "not a field of this version"),
        None if is_there => w.fail(field, "missing in this version"),
        None => {}
    }
}

/// A list to the end of the structure that padding to a multiple of `unit` bytes from the start of the message comes
/// before. Without elements there is no padding.
#[doc(hidden)]
pub fn read_padded<T: Codec>(r: &mut Reader<'_>, unit: usize) -> Result<Vec<T>, ReadError> {
    if r.is_empty() {
        return Ok(Vec::new());
    }
    let start = r.offset();
    r.align(0, unit)?;
    if r.is_empty() {
        return Err(ReadError::new(start, Reason::Trailing { bytes: r.offset() - start }));
    }
    Vec::read(r)
}

#[doc(hidden)]
pub fn write_padded<T: Codec>(list: &[T], w: &mut Writer<'_>, unit: usize) {
    if !list.is_empty() {
        w.align(0, unit);
        list.iter().for_each(|element| element.write(w));
    }
}

/// `count` elements at the front of `slots` slots of `T::MIN` bytes; the other slots are ignored.
#[doc(hidden)]
pub fn read_slots<T: Codec>(r: &mut Reader<'_>, count: usize, slots: usize) -> Result<Vec<T>, ReadError> {
    if count > slots {
        return Err(r.error(Reason::BadLength { length: count as u64 }));
    }
    let list = read_count(r, count)?;
    r.skip((slots - count) * T::MIN)?;
    Ok(list)
}

#[doc(hidden)]
pub fn write_slots<T: Codec>(list: &[T], w: &mut Writer<'_>, slots: usize, field: &'static str) {
    if list.len() > slots {
        return w.fail(field, "more elements than slots");
    }
    list.iter().for_each(|element| element.write(w));
    w.zeros((slots - list.len()) * T::MIN);
}
