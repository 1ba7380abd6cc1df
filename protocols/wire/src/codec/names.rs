//! Numbers with names: [`open_enum!`](crate::open_enum) and [`bit_flags!`](crate::bit_flags).

/// A number with the standard's names for some of its values; all other values are kept as they are.
///
/// ```
/// ferroflow_wire::open_enum! {
///     /// Why a port_status was sent.
///     pub PortReason(u8) { OFPPR_ADD = 0, OFPPR_DELETE = 1, OFPPR_MODIFY = 2 }
/// }
/// assert_eq!(PortReason(1).to_string(), "OFPPR_DELETE");
/// assert_eq!(PortReason(9).to_string(), "PortReason(9)");
/// ```
///
/// For people a value is its name, or a number where it has none; the number of a named value is understood too.
#[macro_export]
macro_rules! open_enum {
    ($(#[$meta:meta])* $vis:vis $name:ident($int:ident) { $($constant:ident = $value:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        $vis struct $name(pub $int);

        #[allow(dead_code, reason = "names and methods are for whoever needs them")]
        impl $name {
            $(
                #[doc = concat!("`", stringify!($constant), "` = ", stringify!($value), ".")]
                pub const $constant: Self = Self($value);
            )*

            /// All names of the standard, with their values.
            pub const NAMES: &'static [(&'static str, $int)] = &[$((stringify!($constant), $value)),*];

            /// The standard's name, if the value has one.
            pub const fn name(self) -> Option<&'static str> {
                #[allow(unreachable_patterns, reason = "all values may have names")]
                match self.0 {
                    $($value => Some(stringify!($constant)),)*
                    _ => None,
                }
            }

            /// The value of a name of the standard.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::NAMES.iter().find_map(|&(n, value)| (n == name).then_some(Self(value)))
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({})"), self.0),
                }
            }
        }

        $crate::__number_codec!($name($int));

        impl $crate::codec::Json for $name {
            fn to_json(&self) -> $crate::codec::Value {
                match self.name() {
                    Some(name) => name.into(),
                    None => self.0.to_json(),
                }
            }

            fn from_json(
                value: $crate::codec::Value,
            ) -> ::std::result::Result<Self, $crate::codec::JsonError> {
                $crate::codec::named_from_json(value, Self::NAMES, stringify!($name)).map(Self)
            }
        }

        $crate::__if_arbitrary! {
            impl $crate::codec::Arbitrary for $name {
                fn arbitrary(e: &mut $crate::codec::Entropy<'_>) -> Self {
                    // Three of four values have a name, if any has.
                    match Self::NAMES.len() {
                        n if n > 0 && e.below(4) < 3 => Self(Self::NAMES[e.number(2) as usize % n].1),
                        _ => Self($crate::codec::Arbitrary::arbitrary(e)),
                    }
                }
            }
        }
    };
}

/// A set of bits with the standard's names for some of them; all other bits are kept as they are.
///
/// ```
/// ferroflow_wire::bit_flags! {
///     /// Flags of a flow_mod.
///     pub FlowModFlags(u16) { OFPFF_SEND_FLOW_REM = 1, OFPFF_CHECK_OVERLAP = 2 }
/// }
/// let flags = FlowModFlags::OFPFF_SEND_FLOW_REM | FlowModFlags(0x40);
/// assert!(flags.contains(FlowModFlags::OFPFF_SEND_FLOW_REM));
/// assert_eq!(flags.to_string(), "OFPFF_SEND_FLOW_REM|0x40");
/// ```
///
/// For people a value is the list of the names of its bits, the bits without a name one number at the end; a mere
/// number is understood too.
#[macro_export]
macro_rules! bit_flags {
    ($(#[$meta:meta])* $vis:vis $name:ident($int:ident) { $($constant:ident = $value:expr),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        $vis struct $name(pub $int);

        #[allow(dead_code, reason = "names and methods are for whoever needs them")]
        impl $name {
            $(
                #[doc = concat!("`", stringify!($constant), "` = ", stringify!($value), ".")]
                pub const $constant: Self = Self($value);
            )*

            /// All names of the standard, with their bits.
            pub const NAMES: &'static [(&'static str, $int)] = &[$((stringify!($constant), $value)),*];

            /// Whether all bits of `other` are set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl ::std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl ::std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                self.0 |= other.0;
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::codec::write_flags(self.0, Self::NAMES, f)
            }
        }

        $crate::__number_codec!($name($int));

        impl $crate::codec::Json for $name {
            fn to_json(&self) -> $crate::codec::Value {
                $crate::codec::flags_to_json(self.0, Self::NAMES)
            }

            fn from_json(
                value: $crate::codec::Value,
            ) -> ::std::result::Result<Self, $crate::codec::JsonError> {
                $crate::codec::flags_from_json(value, Self::NAMES, stringify!($name)).map(Self)
            }
        }

        $crate::__if_arbitrary! {
            impl $crate::codec::Arbitrary for $name {
                fn arbitrary(e: &mut $crate::codec::Entropy<'_>) -> Self {
                    let known = Self::NAMES.iter().fold(0, |all, &(_, bit)| all | bit);
                    let bits = <$int as $crate::codec::Arbitrary>::arbitrary(e);
                    // Three of four values have no bit without a name.
                    Self(if e.below(4) < 3 { bits & known } else { bits })
                }
            }
        }
    };
}

/// What a number with names has on the wire: the number.
#[doc(hidden)]
#[macro_export]
macro_rules! __number_codec {
    ($name:ident($int:ident)) => {
        impl $crate::codec::Codec for $name {
            const MIN: usize = <$int as $crate::codec::Codec>::MIN;

            fn read(
                r: &mut $crate::codec::Reader<'_>,
            ) -> ::std::result::Result<Self, $crate::codec::ReadError> {
                $crate::codec::Codec::read(r).map(Self)
            }

            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                $crate::codec::Codec::write(&self.0, w);
            }
        }

        impl $crate::codec::Number for $name {
            fn to_usize(self) -> usize {
                $crate::codec::Number::to_usize(self.0)
            }
        }

        $crate::__serde!($name);
    };
}

use super::json::{Json, JsonError, Value};
use std::fmt;

/// A value from its name or number.
#[doc(hidden)]
pub fn named_from_json<T: Json + Copy>(
    value: Value,
    names: &[(&'static str, T)],
    ty: &str,
) -> Result<T, JsonError> {
    if let Value::Text(text) = &value {
        if let Some(&(_, value)) = names.iter().find(|(name, _)| name == text) {
            return Ok(value);
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(JsonError::new(format!("{ty} has no value named {text:?}")));
        }
    }
    T::from_json(value)
}

/// The names of the bits, and the bits that have none.
fn named_bits<T: Copy + Into<u64>>(bits: T, names: &[(&'static str, T)]) -> (Vec<&'static str>, u64) {
    let mut rest = bits.into();
    let mut found = Vec::new();
    for &(name, bit) in names {
        let bit = bit.into();
        // Of what is left: a name of several bits comes before those of its parts.
        if bit != 0 && rest & bit == bit {
            found.push(name);
            rest &= !bit;
        }
    }
    (found, rest)
}

#[doc(hidden)]
pub fn write_flags<T: Copy + Into<u64>>(
    bits: T,
    names: &[(&'static str, T)],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (found, rest) = named_bits(bits, names);
    f.write_str(&found.join("|"))?;
    match rest {
        0 if found.is_empty() => f.write_str("0"),
        0 => Ok(()),
        rest if found.is_empty() => write!(f, "{rest:#x}"),
        rest => write!(f, "|{rest:#x}"),
    }
}

#[doc(hidden)]
pub fn flags_to_json<T: Copy + Into<u64>>(bits: T, names: &[(&'static str, T)]) -> Value {
    let (found, rest) = named_bits(bits, names);
    let mut list: Vec<Value> = found.into_iter().map(Value::from).collect();
    if rest != 0 {
        list.push(Value::Number(rest));
    }
    Value::List(list)
}

#[doc(hidden)]
pub fn flags_from_json<T>(value: Value, names: &[(&'static str, T)], ty: &str) -> Result<T, JsonError>
where
    T: Json + Copy + Default + std::ops::BitOr<Output = T>,
{
    match value {
        Value::List(list) => list.into_iter().enumerate().try_fold(T::default(), |bits, (i, value)| {
            named_from_json(value, names, ty).map(|bit| bits | bit).map_err(|e| e.at_index(i))
        }),
        number => T::from_json(number),
    }
}
