//! A message of OpenFlow or of a profile of POF.

use ferroflow_openflow::owned::AnyMessage;
use ferroflow_openflow::{ErrorMsg, Version};
use ferroflow_pof as pof;
use ferroflow_wire::codec::{Json, JsonError, Value};
use serde::Serialize;

/// What version byte 4 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenFlow,
    Pof(pof::Profile),
}

/// A message as an owned value. Its JSON tells by its header which it is: `version`, or POF's `profile`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Message {
    OpenFlow(AnyMessage),
    Pof(Box<pof::Message>),
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) enum Unreadable {
    OpenFlow(#[from] ferroflow_openflow::owned::DecodeError),
    Pof(#[from] pof::DecodeError),
}

impl Unreadable {
    /// The error that the specification wants sent for a message of `version`.
    pub(crate) fn answer(&self, version: u8) -> String {
        match self {
            Self::OpenFlow(error) => ErrorMsg::answer(Version(version), &[], error.answer).to_string(),
            Self::Pof(error) => error.answer().to_string(),
        }
    }
}

/// A message that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) enum Unwritable {
    OpenFlow(#[from] ferroflow_openflow::owned::EncodeError),
    Pof(#[from] pof::EncodeError),
}

impl Dialect {
    /// The value of one whole message.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Message, Unreadable> {
        Ok(match self {
            Self::OpenFlow => Message::OpenFlow(AnyMessage::decode(bytes)?),
            Self::Pof(profile) => Message::Pof(Box::new(pof::Message::decode(profile, bytes)?)),
        })
    }

    /// The name of the type of a message of which these are the first bytes, where it is known.
    pub(crate) fn name(self, bytes: &[u8]) -> Option<String> {
        match self {
            // An error names the message; eight bytes alone are hardly ever a whole one.
            Self::OpenFlow => {
                AnyMessage::decode(bytes).err().map(|e| e.message).filter(|name| !name.is_empty())
            }
            Self::Pof(_) => bytes.get(1).map(|&ty| pof::MessageType(ty).to_string()),
        }
    }
}

impl Message {
    /// The message's bytes, as the encoder makes them of the value.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Unwritable> {
        Ok(match self {
            Self::OpenFlow(message) => message.encode()?,
            Self::Pof(message) => message.to_vec()?,
        })
    }

    /// The message that [`Serialize`] wrote.
    pub(crate) fn from_json(value: Value) -> Result<Self, JsonError> {
        let header = match &value {
            Value::Object(object) => object.get("header"),
            _ => None,
        };
        match header {
            Some(Value::Object(header)) if header.get("profile").is_some() => {
                pof::Message::from_json(value).map(|message| Self::Pof(Box::new(message)))
            }
            _ => AnyMessage::from_json(value).map(Self::OpenFlow),
        }
    }
}
