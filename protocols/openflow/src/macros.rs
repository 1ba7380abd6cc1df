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
