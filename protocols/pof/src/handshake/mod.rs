//! The handshake, which POF's switches are strict about, as a state machine for either end: bytes in, bytes out, no
//! clock and no socket.
//!
//! | step | controller | switch |
//! |---|---|---|
//! | 1 | | HELLO, as soon as it is connected |
//! | 2 | HELLO, and with the switch's HELLO: FEATURES_REQUEST | forgets all tables, groups, meters and counters |
//! | 3 | | FEATURES_REPLY, in 1.4.0 one for each slot |
//! | 4 | SET_CONFIG, at once GET_CONFIG_REQUEST | |
//! | 5 | nothing else | GET_CONFIG_REPLY, RESOURCE_REPORT (one for each slot), PORT_STATUS for each port |
//! | 6 | anything | anything, after a sleep of 1 s |
//!
//! A switch closes the connection on any other message: so [`ControllerHandshake::may_send`] refuses it before it is
//! sent, an ECHO_REQUEST too.
//!
//! ```
//! use ferroflow_pof::handshake::{ControllerHandshake, SwitchHandshake, SwitchStep};
//! use ferroflow_pof::{MessageType, Profile};
//!
//! let mut controller = ControllerHandshake::new(Profile::P134, 1);
//! let mut switch = SwitchHandshake::new();
//! let (hello, theirs) = (controller.connected(), switch.connected());
//! let request = controller.receive(&theirs).unwrap();
//! assert!(matches!(switch.receive(&hello), Ok(SwitchStep::Forget)));
//! assert!(matches!(switch.receive(&request), Ok(SwitchStep::SendFeatures { xid: 1 })));
//!
//! // No ECHO_REQUEST now: the switch would hang up.
//! let early = controller.may_send(MessageType::ECHO_REQUEST).unwrap_err();
//! assert_eq!(early.to_string(), "ECHO_REQUEST in state REQUEST_FEATURE: FEATURES_REPLY expected");
//! ```

mod controller;
mod switch;

pub use controller::{ControllerHandshake, ControllerState};
pub use switch::{SwitchHandshake, SwitchState, SwitchStep};

use crate::{DecodeError, ErrorCode, HEADER_LEN, Header, MessageType, Profile, VERSION};

/// The messages that a step of the handshake sends, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outgoing {
    // The longest is SET_CONFIG of 1.4.0 with GET_CONFIG_REQUEST.
    bytes: [u8; 24],
    len: usize,
}

impl Outgoing {
    fn push(mut self, ty: MessageType, xid: u32, body: &[u8]) -> Self {
        let len = HEADER_LEN + body.len();
        let (header, rest) = self.bytes[self.len..self.len + len].split_at_mut(HEADER_LEN);
        header.copy_from_slice(&Header { ty, length: len as u16, xid }.to_bytes());
        rest.copy_from_slice(body);
        self.len += len;
        self
    }
}

impl std::ops::Deref for Outgoing {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What may not come, or go, now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Another message than the one whose turn it is.
    #[error("{found} in state {state}: {expected} expected")]
    Order {
        /// The state's name.
        state: &'static str,
        /// The message whose turn it is.
        expected: MessageType,
        /// The message that came, or was to be sent.
        found: MessageType,
    },
    /// The peer's HELLO is of a later version than 4.
    #[error("HELLO of version {version}: at most 4 expected")]
    Version {
        /// The peer's version.
        version: u8,
    },
    /// The profile's layout of a message of the handshake is not known (1.1.8, 1.1.9).
    #[error("the layout of {message} in profile {profile} is not known")]
    NotKnown {
        /// The message.
        message: MessageType,
        /// The profile.
        profile: Profile,
    },
    /// Bytes that are no message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl HandshakeError {
    /// The error to send before hanging up.
    pub fn answer(&self) -> ErrorCode {
        match self {
            Self::Order { .. } | Self::NotKnown { .. } => ErrorCode::BAD_TYPE,
            Self::Version { .. } => ErrorCode::INCOMPATIBLE,
            Self::Decode(error) => error.answer(),
        }
    }
}

/// Type and xid of a whole message, whose version and length are checked.
fn header(msg: &[u8]) -> Result<(MessageType, u32), HandshakeError> {
    if let Some(&[version, ty, ..]) = msg.first_chunk::<HEADER_LEN>()
        && version > VERSION
        && MessageType(ty) == MessageType::HELLO
    {
        return Err(HandshakeError::Version { version });
    }
    let header = Header::of_message(msg)?;
    Ok((header.ty, header.xid))
}

fn only(expected: MessageType, state: &'static str, found: MessageType) -> Result<(), HandshakeError> {
    if found == expected { Ok(()) } else { Err(HandshakeError::Order { state, expected, found }) }
}

#[cfg(test)]
mod tests;
