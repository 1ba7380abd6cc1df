//! [`choice!`](crate::choice), [`tlv!`](crate::tlv), [`ltv!`](crate::ltv) and [`tagged!`](crate::tagged): structures of several types.

use super::error::{ReadError, Reason};
use super::json::{Json, JsonError, Object};
use super::{Codec, Number, Reader, Writer};

/// A structure of which there are several types, told apart by a number: [`choice!`](crate::choice) makes it.
pub trait Choice: Sized {
    /// The number.
    type Tag: Number + Json;

    /// The number's name in the specification.
    const TAG: &'static str;

    /// The number of this type.
    fn tag(&self) -> Self::Tag;

    /// Reads what follows the number (and a length, if one follows it). The structure began at offset `start`.
    ///
    /// # Errors
    /// When the bytes are not a structure of this type.
    fn read_rest(tag: Self::Tag, start: usize, r: &mut Reader<'_>) -> Result<Self, ReadError>;

    /// Writes what [`read_rest`](Self::read_rest) reads.
    fn write_rest(&self, start: usize, w: &mut Writer<'_>);

    /// Appends the fields but for the number.
    fn rest_to_fields(&self, object: &mut Object);

    /// Takes the fields but for the number out.
    ///
    /// # Errors
    /// When one is missing, or is of something else.
    fn rest_from_fields(tag: Self::Tag, object: &mut Object) -> Result<Self, JsonError>;
}

/// Describes an enum of structures of several types; see the [module](crate::codec).
#[macro_export]
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident($key:literal: $tag:ident) {
            $(
                $(#[$vmeta:meta])*
                $constant:ident $(in $range:expr)? => $variant:ident
                $(($inner:ident: $ity:ty))?
                $({
                    $(_ $lead:tt,)*
                    $(
                        $(#[$fmeta:meta])*
                        $field:ident: $ty:ty $(as $how:ident $(($($arg:tt)*))?)?,
                        $(_ $fill:tt,)*
                    )*
                })?,
            )*
            $(_ => $unknown:ident $([$uty:ty])? $(after $before:literal)?,)?
            $(_ => ($error:literal, $code:literal),)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(
            missing_docs,
            clippy::large_enum_variant,
            reason = "the specification's names, documented there; values for people are not many"
        )]
        $vis enum $name {
            $(
                #[doc = concat!("`", stringify!($constant), "`.")]
                $(#[$vmeta])*
                $variant $(($ity))? $({ $($(#[$fmeta])* $field: $ty),* })?,
            )*
            $(
                /// A type that this library does not know, kept as bytes.
                $unknown {
                    /// The type's number.
                    tag: $tag,
                    /// All that follows it.
                    unknown: $crate::__unknown_type!($($uty)?),
                },
            )?
        }

        #[allow(unused_variables, reason = "not every description has lengths, padding and unknown types")]
        impl $crate::codec::Choice for $name {
            type Tag = $tag;

            const TAG: &'static str = $key;

            fn tag(&self) -> $tag {
                match self {
                    $(Self::$variant { .. } => $tag::$constant,)*
                    $(Self::$unknown { tag, .. } => *tag,)?
                }
            }

            fn read_rest(
                tag: $tag,
                start: usize,
                r: &mut $crate::codec::Reader<'_>,
            ) -> ::std::result::Result<Self, $crate::codec::ReadError> {
                match tag {
                    $($tag::$constant $(if ($range).contains(&r.version()))? => {
                        $crate::__read_variant!(r, start, (Self::$variant) $(($inner: $ity))? $({
                            $(_ $lead,)*
                            $($field: $ty $(as $how $(($($arg)*))?)?, $(_ $fill,)*)*
                        })?)
                    })*
                    tag => {
                        $(Ok(Self::$unknown { tag, unknown: $crate::codec::Codec::read(r)? }))?
                        $(Err($crate::codec::unknown_tag::<Self>(tag, start, ($error, $code))))?
                    }
                }
            }

            fn write_rest(&self, start: usize, w: &mut $crate::codec::Writer<'_>) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        $(
                            // Version 0 is any version.
                            if w.version() != 0 && !($range).contains(&w.version()) {
                                w.fail(stringify!($constant), "not a type of this version");
                            }
                        )?
                        $($crate::codec::Codec::write($inner, w);)?
                        $($crate::__write_body!(w, start, {
                            $(_ $lead,)*
                            $($field: $ty $(as $how $(($($arg)*))?)?, $(_ $fill,)*)*
                        });)?
                    })*
                    $(Self::$unknown { unknown, .. } => $crate::codec::Codec::write(unknown, w),)?
                }
            }

            fn rest_to_fields(&self, object: &mut $crate::codec::Object) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        $($crate::codec::JsonObject::to_fields($inner, object);)?
                        $($($crate::__to_field!(object, $field, $field, ($($how)?));)*)?
                    })*
                    $(Self::$unknown { unknown, .. } => $crate::codec::Json::put(unknown, "unknown", object),)?
                }
            }

            fn rest_from_fields(
                tag: $tag,
                object: &mut $crate::codec::Object,
            ) -> ::std::result::Result<Self, $crate::codec::JsonError> {
                // A structure inside may be an unknown one of its own kind.
                let nested = match tag {
                    $($tag::$constant => $crate::__is_nested!(object, ($($inner: $ity)?), ($($range)?)),)*
                    _ => false,
                };
                $(
                    if !nested && object.get("unknown").is_some() {
                        return Ok(Self::$unknown { tag, unknown: object.field("unknown")? });
                    }
                )?
                match tag {
                    $($tag::$constant => Ok(Self::$variant
                        $(($crate::codec::variant_from_fields::<$ity>(object)?))?
                        $({ $($field: $crate::__from_field!(object, $field, ($($how)?))),* })?
                    ),)*
                    _ => Err($crate::codec::unknown_name::<Self>()),
                }
            }
        }

        impl $crate::codec::JsonObject for $name {
            fn to_fields(&self, object: &mut $crate::codec::Object) {
                $crate::codec::Json::put(
                    &$crate::codec::Choice::tag(self),
                    <Self as $crate::codec::Choice>::TAG,
                    object,
                );
                $crate::codec::Choice::rest_to_fields(self, object);
            }

            fn from_fields(
                object: &mut $crate::codec::Object,
            ) -> ::std::result::Result<Self, $crate::codec::JsonError> {
                let tag = object.field(<Self as $crate::codec::Choice>::TAG)?;
                $crate::codec::Choice::rest_from_fields(tag, object)
            }
        }

        $crate::__object_json!($name);

        $crate::__if_arbitrary! {
            impl $crate::codec::Arbitrary for $name {
                #[allow(
                    unused_variables,
                    clippy::redundant_closure_call,
                    reason = "types without fields need no choices; closures give each type a row of a table"
                )]
                fn arbitrary(e: &mut $crate::codec::Entropy<'_>) -> Self {
                    #[allow(unused_imports, reason = "a description may have no field to make up")]
                    use $crate::codec::Arbitrary as _;
                    type Make = fn(&mut $crate::codec::Entropy<'_>) -> $name;
                    let version = e.version();
                    let known: Vec<($tag, Make)> = [$((
                        true $(&& ($range).contains(&version))?,
                        $tag::$constant,
                        (|e: &mut $crate::codec::Entropy<'_>| Self::$variant
                            $((<$ity>::arbitrary(e)))?
                            $({ $($field: $crate::__arbitrary_field!(e, ($($how $(($($arg)*))?)?))),* })?) as Make,
                    )),*].into_iter().filter_map(|(there, tag, make)| there.then_some((tag, make))).collect();
                    let choice = e.below(known.len() + 1);
                    $(
                        if choice == known.len() {
                            let tag = $tag::arbitrary(e);
                            if known.iter().all(|&(known, _)| known != tag) {
                                return Self::$unknown { tag, unknown: $crate::__arbitrary_unknown!(e $(, $uty)? $(, after $before)?) };
                            }
                        }
                    )?
                    known[choice % known.len()].1(e)
                }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __is_nested {
    ($object:ident, (), $range:tt) => {
        false
    };
    ($object:ident, ($inner:ident: $ty:ty), ()) => {
        true
    };
    // In other versions it is unknown as a whole.
    ($object:ident, ($inner:ident: $ty:ty), ($range:expr)) => {
        <$ty as $crate::codec::JsonObject>::from_fields(&mut $object.clone()).is_ok()
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __unknown_type {
    () => {
        $crate::codec::Bytes
    };
    ($ty:ty) => {
        $ty
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __arbitrary_unknown {
    // The number and a length of two bytes each are before it.
    ($e:ident) => {
        $crate::codec::arbitrary_octets($e, 4)
    };
    ($e:ident, after $before:literal) => {
        $crate::codec::arbitrary_octets($e, $before)
    };
    ($e:ident, $ty:ty) => {
        <$ty>::arbitrary($e)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_variant {
    ($r:ident, $start:ident, ($($make:tt)*)) => { Ok($($make)*) };
    ($r:ident, $start:ident, ($($make:tt)*) ($inner:ident: $ity:ty)) => {
        <$ity as $crate::codec::Codec>::read($r).map($($make)*)
    };
    ($r:ident, $start:ident, ($($make:tt)*) {$($body:tt)*}) => {
        Ok($crate::__read_body!($r, $start, ($($make)*), {$($body)*}))
    };
}

/// Makes a [`choice!`](crate::choice) a structure that begins with its number and its length as a whole:
/// `tlv!(Action, len: u16, answer (2, 1))`. The answer is an [`Answer`](crate::codec::Answer). With `, unit 8` the length
/// has to be a multiple of 8; with `, pad 8` at the end the structure is followed by padding to a multiple of 8 bytes, which
/// its length does not count.
#[macro_export]
macro_rules! tlv {
    (
        $name:ident, $len:ident: $int:ident, answer $answer:expr
        $(, unit $multiple:literal)? $(, pad $unit:literal)?
    ) => {
        impl $crate::codec::Codec for $name {
            const MIN: usize = <<Self as $crate::codec::Choice>::Tag as $crate::codec::Codec>::MIN
                + <$int as $crate::codec::Codec>::MIN;

            fn read(
                r: &mut $crate::codec::Reader<'_>,
            ) -> ::std::result::Result<Self, $crate::codec::ReadError> {
                #[allow(unused_variables, reason = "only padding goes by it")]
                let start = r.offset();
                let version = r.version();
                let value = $crate::codec::read_tlv::<Self, $int>(r, stringify!($len), 1 $(* $multiple)?)
                    .map_err(|e| e.or_answer_of($answer, version))?;
                $(r.align(start, $unit).map_err(|e| e.within("pad").or_answer_of($answer, version))?;)?
                Ok(value)
            }

            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                #[allow(unused_variables, reason = "only padding goes by it")]
                let start = w.offset();
                $crate::codec::write_tlv::<Self, $int>(self, w, stringify!($len), 1 $(* $multiple)?);
                $(w.align(start, $unit);)?
            }
        }
    };
}

/// As [`tlv!`](crate::tlv), with the length before the number: `ltv!(FlowUpdate, length: u16, answer (1, 6))`.
#[macro_export]
macro_rules! ltv {
    ($name:ident, $len:ident: $int:ident, answer $answer:expr) => {
        impl $crate::codec::Codec for $name {
            const MIN: usize = <$int as $crate::codec::Codec>::MIN
                + <<Self as $crate::codec::Choice>::Tag as $crate::codec::Codec>::MIN;

            fn read(
                r: &mut $crate::codec::Reader<'_>,
            ) -> ::std::result::Result<Self, $crate::codec::ReadError> {
                let version = r.version();
                $crate::codec::read_ltv::<Self, $int>(r, stringify!($len))
                    .map_err(|e| e.or_answer_of($answer, version))
            }

            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                $crate::codec::write_ltv::<Self, $int>(self, w, stringify!($len));
            }
        }
    };
}

/// Makes a [`choice!`](crate::choice) a structure that begins with its number and ends where the enclosing one does.
#[macro_export]
macro_rules! tagged {
    ($name:ident) => {
        impl $crate::codec::Codec for $name {
            const MIN: usize = <<Self as $crate::codec::Choice>::Tag as $crate::codec::Codec>::MIN;

            fn read(
                r: &mut $crate::codec::Reader<'_>,
            ) -> ::std::result::Result<Self, $crate::codec::ReadError> {
                let start = r.offset();
                let tag = $crate::codec::Codec::read(r)
                    .map_err(|e| e.within(<Self as $crate::codec::Choice>::TAG))?;
                $crate::codec::Choice::read_rest(tag, start, r)
            }

            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                let start = w.offset();
                $crate::codec::Codec::write(&$crate::codec::Choice::tag(self), w);
                $crate::codec::Choice::write_rest(self, start, w);
            }
        }
    };
}

#[doc(hidden)]
#[cold]
pub fn unknown_tag<T: Choice>(tag: T::Tag, start: usize, answer: (u16, u16)) -> ReadError {
    let found = tag.to_usize() as u64;
    ReadError::new(start, Reason::BadValue { found }).within(T::TAG).or_answer(answer)
}

#[doc(hidden)]
#[cold]
pub fn unknown_name<T: Choice>() -> JsonError {
    JsonError::new("there is no structure of this type").within(T::TAG)
}

#[doc(hidden)]
pub fn variant_from_fields<T: super::JsonObject>(object: &mut Object) -> Result<T, JsonError> {
    T::from_fields(object)
}

#[doc(hidden)]
pub fn read_number<T: Number>(r: &mut Reader<'_>, name: &'static str) -> Result<usize, ReadError> {
    T::read(r).map(Number::to_usize).map_err(|e| e.within(name))
}

/// Reads the length of the structure that began at `start`, and confines the reader to it.
#[doc(hidden)]
pub fn read_length<T: Number>(
    r: &mut Reader<'_>,
    start: usize,
    name: &'static str,
) -> Result<super::Outer, ReadError> {
    let at = r.offset();
    let len = read_number::<T>(r, name)?;
    r.narrow_from(start, len, at).map_err(|e| e.within(name))
}

/// Reads a value that fills exactly `len` bytes.
#[doc(hidden)]
pub fn read_sized<T: Codec>(r: &mut Reader<'_>, len: usize) -> Result<T, ReadError> {
    let outer = r.narrow(len)?;
    let value = T::read(r)?;
    r.widen(outer)?;
    Ok(value)
}

#[doc(hidden)]
pub fn read_tlv<T: Choice, L: Number>(
    r: &mut Reader<'_>,
    len: &'static str,
    unit: usize,
) -> Result<T, ReadError> {
    let start = r.offset();
    let tag = T::Tag::read(r).map_err(|e| e.within(T::TAG))?;
    let at = r.offset();
    let outer = read_length::<L>(r, start, len)?;
    let length = r.offset() + r.remaining() - start;
    if !length.is_multiple_of(unit) {
        return Err(ReadError::new(at, Reason::BadLength { length: length as u64 }).within(len));
    }
    let value = T::read_rest(tag, start, r)?;
    r.widen(outer)?;
    Ok(value)
}

#[doc(hidden)]
pub fn write_tlv<T: Choice, L: Number>(value: &T, w: &mut Writer<'_>, len: &'static str, unit: usize) {
    let start = w.offset();
    value.tag().write(w);
    let hole = w.hole(L::MIN, len);
    value.write_rest(start, w);
    let length = w.offset() - start;
    if !length.is_multiple_of(unit) {
        w.fail(len, "not a multiple of what the structure is measured in");
    }
    w.fill(hole, length);
}

#[doc(hidden)]
pub fn read_ltv<T: Choice, L: Number>(r: &mut Reader<'_>, len: &'static str) -> Result<T, ReadError> {
    let start = r.offset();
    let outer = read_length::<L>(r, start, len)?;
    let tag = T::Tag::read(r).map_err(|e| e.within(T::TAG))?;
    let value = T::read_rest(tag, start, r)?;
    r.widen(outer)?;
    Ok(value)
}

#[doc(hidden)]
pub fn write_ltv<T: Choice, L: Number>(value: &T, w: &mut Writer<'_>, len: &'static str) {
    let start = w.offset();
    let hole = w.hole(L::MIN, len);
    value.tag().write(w);
    value.write_rest(start, w);
    w.fill(hole, w.offset() - start);
}

/// Bytes for the rest of a structure that has `before` bytes before them and a multiple of eight as a whole.
#[doc(hidden)]
pub fn arbitrary_octets(e: &mut super::Entropy<'_>, before: usize) -> super::Bytes {
    let len = before.next_multiple_of(8) - before + 8 * e.below(3);
    super::Bytes((0..len).map(|_| e.byte()).collect())
}
