//! The header of multipart messages (statistics, in 1.0).

/// Describes a multipart message: its type, flags, padding, and a body of the type.
///
/// `multipart!(MultipartRequest, MultipartRequestFlags, MultipartRequestBody, 4)`, with the bytes of padding last.
macro_rules! multipart {
    ($(#[$meta:meta])* $name:ident, $flags:ty, $body:ident, $pad:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            /// Whether more parts follow.
            pub flags: $flags,
            /// The part's own.
            pub body: $body,
        }

        impl From<$body> for $name {
            /// The only or last part.
            fn from(body: $body) -> Self {
                Self { flags: Default::default(), body }
            }
        }

        const _: () = {
            use ferroflow_wire::codec::{
                Choice, Codec, Json, JsonError, JsonObject, Object, ReadError, Reader, Writer,
            };

            impl Codec for $name {
                const MIN: usize = 4 + $pad;

                fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
                    let start = r.offset();
                    let tag = Codec::read(r).map_err(|e| e.within("type"))?;
                    let flags = Codec::read(r).map_err(|e| e.within("flags"))?;
                    r.skip($pad).map_err(|e| e.within("pad"))?;
                    Ok(Self { flags, body: $body::read_rest(tag, start, r)? })
                }

                fn write(&self, w: &mut Writer<'_>) {
                    let start = w.offset();
                    self.body.tag().write(w);
                    self.flags.write(w);
                    w.zeros($pad);
                    self.body.write_rest(start, w);
                }
            }

            impl JsonObject for $name {
                fn to_fields(&self, object: &mut Object) {
                    self.body.tag().put($body::TAG, object);
                    self.flags.put("flags", object);
                    self.body.rest_to_fields(object);
                }

                fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
                    let tag = object.field($body::TAG)?;
                    let flags = object.field("flags")?;
                    Ok(Self { flags, body: $body::rest_from_fields(tag, object)? })
                }
            }

            ferroflow_wire::__object_json!($name);

            #[cfg(feature = "arbitrary")]
            impl ferroflow_wire::codec::Arbitrary for $name {
                fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Self {
                    Self {
                        flags: ferroflow_wire::codec::Arbitrary::arbitrary(e),
                        body: ferroflow_wire::codec::Arbitrary::arbitrary(e),
                    }
                }
            }
        };
    };
}
