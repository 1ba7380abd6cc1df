use super::{MsgType, VERSION, start};
use crate::bytes::{get16, get32, put16};
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

header_only! {
    /// `OFPT_GET_CONFIG_REQUEST` (OF 1.3.5 7.3.2).
    GetConfigRequest, VERSION, MsgType::OFPT_GET_CONFIG_REQUEST
}

macro_rules! switch_config {
    ($(#[$meta:meta])* $name:ident, $ty:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// Transaction id.
            pub xid: u32,
            /// `OFPC_FRAG_*`.
            pub flags: u16,
            /// Bytes of each packet that goes to the controller for want of a `max_len` in an action.
            pub miss_send_len: u16,
        }

        impl $name {
            /// Reads one whole message.
            ///
            /// # Errors
            /// When the header is not this message's, or the length is not its length.
            pub fn parse(msg: &[u8]) -> Result<Self, DecodeError> {
                let start = start(stringify!($name), $ty);
                let (b, rest) = start.split::<12>(msg)?;
                start.nothing_after(rest, 12)?;
                Ok(Self { xid: get32(b, 4), flags: get16(b, 8), miss_send_len: get16(b, 10) })
            }
        }

        impl Encode for $name {
            fn wire_len(&self) -> usize {
                12
            }

            fn write(&self, buf: &mut [u8]) {
                let mut w = Writer::new(buf);
                let b = w.fixed::<12>(VERSION, $ty.0, self.xid);
                put16(b, 8, self.flags);
                put16(b, 10, self.miss_send_len);
                w.finish();
            }
        }
    };
}

switch_config! {
    /// `OFPT_GET_CONFIG_REPLY` (OF 1.3.5 7.3.2).
    GetConfigReply, MsgType::OFPT_GET_CONFIG_REPLY
}

switch_config! {
    /// `OFPT_SET_CONFIG` (OF 1.3.5 7.3.2).
    SetConfig, MsgType::OFPT_SET_CONFIG
}
