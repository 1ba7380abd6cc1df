/// An integer with the standard's names for some of its values; all other values are kept as they are.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident($int:ty) { $($constant:ident = $value:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub $int);

        impl $name {
            $(
                #[doc = concat!("`", stringify!($constant), "` = ", stringify!($value), ".")]
                pub const $constant: Self = Self($value);
            )*

            /// The standard's name, if the value has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({})"), self.0),
                }
            }
        }
    };
}

/// Integer constants that carry their value in their documentation.
macro_rules! constants {
    ($int:ty { $($constant:ident = $value:literal, $doc:literal;)* }) => {
        $(
            #[doc = concat!("`", stringify!($value), "`: ", $doc)]
            pub const $constant: $int = $value;
        )*
    };
}

/// A message that is a header and nothing else.
macro_rules! header_only {
    ($(#[$meta:meta])* $name:ident, $version:expr, $ty:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name {
            /// Transaction id.
            pub xid: u32,
        }

        impl $name {
            /// Reads one whole message.
            ///
            /// # Errors
            /// When the header is not this message's, or bytes follow it.
            pub fn parse(msg: &[u8]) -> Result<Self, $crate::DecodeError> {
                let start = $crate::header::Start { message: stringify!($name), version: $version, ty: $ty.0 };
                let (fixed, rest) = start.split::<8>(msg)?;
                start.nothing_after(rest, 8)?;
                Ok(Self { xid: $crate::bytes::get32(fixed, 4) })
            }
        }

        impl $crate::Encode for $name {
            fn wire_len(&self) -> usize {
                8
            }

            fn write(&self, buf: &mut [u8]) {
                let mut w = $crate::Writer::new(buf);
                w.header($version, $ty.0, self.xid);
                w.finish();
            }
        }
    };
}
