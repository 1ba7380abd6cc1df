use crate::{DecodeError, HEADER_LEN, MAX_MESSAGE_LEN, MessageType, VERSION};

/// The first eight bytes of every message (WIRE.md 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// The message's type.
    pub ty: MessageType,
    /// Length of the whole message, in bytes.
    pub length: u16,
    /// Transaction id.
    pub xid: u32,
}

impl Header {
    /// The header of one whole message, with its version and length checked.
    ///
    /// # Errors
    /// When the version is not 4, or the length is not the message's or over 2560 bytes.
    #[inline]
    pub fn of_message(msg: &[u8]) -> Result<Self, DecodeError> {
        let Some(&[version, ty, l0, l1, x0, x1, x2, x3]) = msg.first_chunk::<HEADER_LEN>() else {
            return Err(DecodeError::Length { message: None, length: HEADER_LEN, have: msg.len() });
        };
        let message = MessageType(ty);
        if version != VERSION {
            return Err(DecodeError::Version { message, version });
        }
        let length = u16::from_be_bytes([l0, l1]);
        if usize::from(length) > MAX_MESSAGE_LEN {
            return Err(DecodeError::TooLong { message, length: length.into() });
        }
        if usize::from(length) != msg.len() {
            let message = Some(message);
            return Err(DecodeError::Length { message, length: length.into(), have: msg.len() });
        }
        Ok(Self { ty: message, length, xid: u32::from_be_bytes([x0, x1, x2, x3]) })
    }

    /// The header's bytes.
    #[inline]
    pub const fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [l0, l1] = self.length.to_be_bytes();
        let [x0, x1, x2, x3] = self.xid.to_be_bytes();
        [VERSION, self.ty.0, l0, l1, x0, x1, x2, x3]
    }
}
