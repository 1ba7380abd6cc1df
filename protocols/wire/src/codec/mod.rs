//! Codecs from descriptions: a structure is described once, as the specification's table does, and what follows from
//! the description is made of it.
//!
//! | macro | makes |
//! |---|---|
//! | [`open_enum!`](crate::open_enum) | a number with names for some of its values |
//! | [`bit_flags!`](crate::bit_flags) | a set of bits with names for some of them |
//! | [`structure!`](crate::structure) | a structure |
//! | [`choice!`](crate::choice) | an enum of structures of several types |
//! | [`tlv!`](crate::tlv), [`ltv!`](crate::ltv), [`tagged!`](crate::tagged) | the header of a `choice!`: number and length, length and number, or number alone |
//!
//! Each type made has [`Codec`] (bytes), [`Json`] (the view for people; with the feature `serde` also serde's two
//! traits), with the feature `arbitrary` [`Arbitrary`] (made-up values for property tests), and a structure also
//! `MIN`, its least size, and `layout()`, the offsets of its fields, to be tested against the specification. A type
//! that no macro can describe has these traits written by hand, and can then be a field like any other.
//!
//! # What a description says
//! * `name: Type,` is a field: a number, `U24`, `MacAddr`, `Ipv4Addr`, `Ipv6Addr`, `FixedStr<N>`, `Raw<N>` (bytes), an
//!   array, another described type, or, filling what is left of the structure, `Bytes`, `Text`, a `Vec` or an `Option`.
//! * `_[4],` is padding of four bytes, `_[align 8],` padding to a multiple of 8 from the start of the structure,
//!   `_[4 in 1..=3],` padding in these versions alone.
//! * `name: Option<Type> as only(1..=3),` is a field in these versions alone: it has to be there in them, and must not
//!   be there in others. Such a message is written by [`to_bytes_of`].
//! * `_{length: u16},` is the length of the structure as a whole: it ends there, and nothing may be left over.
//! * `_(n: u16),` is a length or count that a later field goes by: `list: Vec<T> as len(n),` (bytes),
//!   `as count(n),` (elements), `as slots(n, 6),` (elements, in six slots of `T::MIN` bytes of which the rest is unused).
//! * `list: Vec<T> as padded(8),` is a list to the end of the structure that, unless it is empty, begins at a multiple of
//!   8 bytes from the start of the message, after padding.
//! * `rest: Bytes as after(8),` is bytes of which there are so many that the structure, with 8 bytes before them, has a
//!   multiple of 8 as a whole ([`tlv!`](crate::tlv) checks it; it is said here for made-up values).
//! * `field: Type as with(module),` is a field that `module::read`, `module::write` and `module::arbitrary` stand for.
//! * `part: Type as flat,` is a field whose own fields are the structure's in the view for people.
//! * in a `choice!`, `CONSTANT => Variant { fields },`, `CONSTANT => Variant(name: Type),` or `CONSTANT => Variant,`, each
//!   constant once; `CONSTANT in 4..=6 => Variant { .. },` is there in these versions alone (elsewhere its number is
//!   unknown). At the end `_ => Unknown,` keeps all other numbers with their bytes (`_ => Unknown[Type],` with a value of
//!   `Type`, `_ => Unknown after 8,` with as many as `after` says above), or `_ => (1, 1),` makes them an error with this
//!   (type, code) to answer.
//!
//! # Rules
//! * What is read and written again is the same to the byte, with one exception: padding is ignored when read, as
//!   specifications want, and is zero when written.
//! * Reading never panics, never loops, nests at most [`MAX_DEPTH`] deep, and allocates by the bytes that are there, not by what a count says.
//! * A wrong field is a [`ReadError`] with the way to it, its offset, the reason, and the error (type, code) to answer.
//! * A value that the format cannot carry is a [`WriteError`] at the end.
//!
//! # Example
//! ```
//! use ferroflow_wire::codec::{self, Bytes, Json};
//! use ferroflow_wire::{MacAddr, choice, open_enum, structure, tlv};
//!
//! open_enum! {
//!     /// Types of actions.
//!     pub ActionType(u16) { AT_OUTPUT = 0, AT_SET_ADDRESS = 7, AT_DROP = 9 }
//! }
//!
//! choice! {
//!     /// What is done with a packet.
//!     pub enum Action("type": ActionType) {
//!         AT_OUTPUT => Output { port: u32, max_len: u16, _[6], },
//!         AT_SET_ADDRESS => SetAddress { _[2], address: MacAddr, _[align 8], },
//!         AT_DROP in 2..=3 => Drop { _[4], },
//!         _ => Unknown,
//!     }
//! }
//! tlv!(Action, len: u16, answer (2, 1));
//!
//! structure! {
//!     /// A packet and what is done with it.
//!     pub struct PacketOut {
//!         port: u32,
//!         _(actions_len: u16),
//!         _[2],
//!         actions: Vec<Action> as len(actions_len),
//!         data: Bytes,
//!     }
//! }
//! assert_eq!(PacketOut::layout(), [("port", 0), ("actions_len", 4), ("actions", 8), ("data", 8)]);
//!
//! let bytes = [
//!     0, 0, 0, 7, 0, 24, 0, 0, // port 7, 24 bytes of actions
//!     0, 0, 0, 16, 0, 0, 0, 2, 0, 64, 0, 0, 0, 0, 0, 0, // output to port 2
//!     0, 99, 0, 8, 1, 2, 3, 4, // an unknown action
//!     0xab, // data
//! ];
//! let value: PacketOut = codec::from_bytes(&bytes, 1).unwrap();
//! assert_eq!(value.actions[0], Action::Output { port: 2, max_len: 64 });
//! assert_eq!(codec::to_bytes(&value).unwrap(), bytes);
//! assert_eq!(PacketOut::from_json(value.to_json()).unwrap(), value);
//!
//! let error = codec::from_bytes::<PacketOut>(&bytes[..20], 1).unwrap_err();
//! assert_eq!(error.to_string(), "actions at offset 8: impossible length 24");
//! ```

mod arbitrary;
mod basic;
mod choice;
mod error;
mod json;
mod names;
mod reader;
#[cfg(feature = "serde")]
mod serde_impl;
mod structure;
#[cfg(test)]
mod tests;
mod text;
mod writer;

pub use arbitrary::{Arbitrary, Entropy};
pub use basic::{Bytes, Number, Raw, U24};
pub use choice::Choice;
pub use error::{Answer, Path, ReadError, Reason, Step, WriteError};
pub use json::{Json, JsonError, JsonObject, Object, Value};
pub use reader::{MAX_DEPTH, Outer, Reader};
pub use text::{FixedStr, Text};
pub use writer::{Hole, Writer};

#[doc(hidden)]
pub use basic::{read_count, read_only, read_padded, read_slots, write_only, write_padded, write_slots};
#[doc(hidden)]
pub use choice::{
    arbitrary_octets, read_length, read_ltv, read_number, read_sized, read_tlv, unknown_name, unknown_tag,
    variant_from_fields, write_ltv, write_tlv,
};
#[doc(hidden)]
pub use error::plain_name;
#[doc(hidden)]
pub use json::{object_from_json, object_to_json};
#[doc(hidden)]
pub use names::{flags_from_json, flags_to_json, named_from_json, write_flags};
#[cfg(feature = "serde")]
#[doc(hidden)]
pub use serde;

/// A value with a wire format.
pub trait Codec: Sized {
    /// The fewest bytes that it takes; where the size is fixed, the size.
    const MIN: usize;

    /// Reads the value off the front.
    ///
    /// # Errors
    /// When the bytes are not such a value.
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError>;

    /// Appends the value.
    fn write(&self, w: &mut Writer<'_>);
}

/// The value that `bytes` are as a whole.
///
/// # Errors
/// When they are not such a value, or something is left over.
pub fn from_bytes<T: Codec>(bytes: &[u8], version: u8) -> Result<T, ReadError> {
    let mut r = Reader::new(bytes, version);
    let value = T::read(&mut r)?;
    r.finished()?;
    Ok(value)
}

/// The bytes of a value.
///
/// # Errors
/// When the format cannot carry it.
pub fn to_bytes<T: Codec>(value: &T) -> Result<Vec<u8>, WriteError> {
    to_bytes_of(value, 0)
}

/// The bytes of a value in a version.
///
/// # Errors
/// When the format cannot carry it, or has no such structure or field in this version.
pub fn to_bytes_of<T: Codec>(value: &T, version: u8) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    let mut w = Writer::append(&mut bytes, version);
    value.write(&mut w);
    w.finish()?;
    Ok(bytes)
}

/// Passes its tokens on if this crate has the feature `arbitrary`.
#[cfg(feature = "arbitrary")]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_arbitrary {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Passes its tokens on if this crate has the feature `arbitrary`.
#[cfg(not(feature = "arbitrary"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_arbitrary {
    ($($tokens:tt)*) => {};
}

/// serde's traits by way of [`Json`], if this crate has the feature `serde`.
#[cfg(feature = "serde")]
#[doc(hidden)]
#[macro_export]
macro_rules! __serde {
    ($name:ident $(<$generic:ident: $bound:path>)?) => {
        impl $(<$generic: $bound>)? $crate::codec::serde::Serialize for $name $(<$generic>)? {
            fn serialize<S: $crate::codec::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                let view = $crate::codec::Json::to_json(self);
                $crate::codec::serde::Serialize::serialize(&view, serializer)
            }
        }

        impl<'de, $($generic: $bound)?> $crate::codec::serde::Deserialize<'de> for $name $(<$generic>)? {
            fn deserialize<D: $crate::codec::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let view: $crate::codec::Value = $crate::codec::serde::Deserialize::deserialize(deserializer)?;
                $crate::codec::Json::from_json(view).map_err($crate::codec::serde::de::Error::custom)
            }
        }
    };
}

/// serde's traits by way of [`Json`], if this crate has the feature `serde`.
#[cfg(not(feature = "serde"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __serde {
    ($($tokens:tt)*) => {};
}
