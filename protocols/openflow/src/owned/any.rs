use super::message::{Body, DecodeError, EncodeError, Message};
use super::other_hello::{OFPT_HELLO, OtherHello};
use super::{v10, v12, v13, v14, v15};
use crate::error::ErrorCode;
use crate::header::Version;
use ferroflow_wire::codec::{Json, JsonError, JsonObject, Object, ReadError, Reason, Value};

/// Expands to one arm for every version.
macro_rules! each_version {
    ($($variant:ident($module:ident)),*) => {
        /// A message of any version that this library speaks.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum AnyMessage {
            $(
                #[doc = concat!("Of ", stringify!($module), ".")]
                $variant($module::Message),
            )*
            /// `OFPT_HELLO` of another version: whoever speaks that begins so, and can still agree on one of these.
            OtherHello(OtherHello),
        }

        impl AnyMessage {
            /// Reads exactly one whole message, of the version that its first byte says.
            ///
            /// # Errors
            /// When the bytes are not a message, or of no version that this library speaks and not a hello.
            pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                let version = bytes.first().copied();
                $(
                    if version == Some($module::Body::VERSION.0) {
                        return Message::decode(bytes).map(Self::$variant);
                    }
                )*
                if bytes.get(1) == Some(&OFPT_HELLO) {
                    return OtherHello::decode(bytes).map(Self::OtherHello);
                }
                Err(bad_version(version))
            }

            /// The message's bytes.
            ///
            /// # Errors
            /// When a part is too long for its length field.
            pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
                match self {
                    $(Self::$variant(message) => message.encode(),)*
                    Self::OtherHello(hello) => hello.encode(),
                }
            }

            /// Writes the message at the front of `buf`, and says how many bytes it has. Nothing but an error allocates.
            ///
            /// # Errors
            /// As [`encode`](Self::encode), and when `buf` is too short.
            pub fn encode_into(&self, buf: &mut [u8]) -> Result<usize, EncodeError> {
                match self {
                    $(Self::$variant(message) => message.encode_into(buf),)*
                    Self::OtherHello(hello) => hello.encode_into(buf),
                }
            }

            /// The message's version.
            pub fn version(&self) -> Version {
                match self {
                    $(Self::$variant(_) => $module::Body::VERSION,)*
                    Self::OtherHello(hello) => hello.version,
                }
            }

            /// The transaction id.
            pub fn xid(&self) -> u32 {
                match self {
                    $(Self::$variant(message) => message.xid,)*
                    Self::OtherHello(hello) => hello.xid,
                }
            }
        }

        impl JsonObject for AnyMessage {
            fn to_fields(&self, object: &mut Object) {
                match self {
                    $(Self::$variant(message) => message.to_fields(object),)*
                    Self::OtherHello(hello) => hello.to_fields(object),
                }
            }

            fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
                let version = version_of(object)?;
                $(
                    if version == $module::Body::VERSION.0 {
                        return Message::from_fields(object).map(Self::$variant);
                    }
                )*
                OtherHello::from_fields(object).map(Self::OtherHello)
            }
        }

        #[cfg(feature = "arbitrary")]
        impl AnyMessage {
            /// The versions that there are, for tests of all of them.
            pub const VERSIONS: &'static [Version] = &[$($module::Body::VERSION),*];

            /// A made-up message of the version that `e` is for.
            pub fn made_up(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Option<Self> {
                use ferroflow_wire::codec::Arbitrary;
                $(
                    if e.version() == $module::Body::VERSION.0 {
                        return Some(Self::$variant(Arbitrary::arbitrary(e)));
                    }
                )*
                None
            }
        }
    };
}

each_version! { V10(v10), V12(v12), V13(v13), V14(v14), V15(v15) }

ferroflow_wire::__object_json!(AnyMessage);

#[cold]
fn bad_version(found: Option<u8>) -> DecodeError {
    let (reason, answer) = match found {
        Some(found) => (Reason::BadValue { found: found.into() }, ErrorCode::BAD_VERSION),
        None => (Reason::Truncated { need: 8, have: 0 }, ErrorCode::BAD_LEN),
    };
    DecodeError { message: String::new(), field: ReadError::new(0, reason).within("version"), answer }
}

fn version_of(object: &Object) -> Result<u8, JsonError> {
    match object.get("header") {
        Some(Value::Object(header)) => match header.get("version") {
            Some(version) => u8::from_json(version.clone()).map_err(|e| e.within("version").within("header")),
            None => Err(JsonError::new("missing").within("version").within("header")),
        },
        _ => Err(JsonError::new("missing").within("header")),
    }
}
