use crate::{ErrorCode, MAX_MESSAGE_LEN, MessageType};
use ferroflow_wire::codec::{ReadError, WriteError};

/// A message that cannot be read: which field, where, why, and what to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A field is wrong.
    #[error("{message}: {error}")]
    Field {
        /// The message.
        message: MessageType,
        /// The field.
        error: ReadError,
    },
    /// There are fewer bytes than a header has, or other than the header says.
    #[error("{}: length at offset 2: {length} bytes announced, {have} there", name(.message))]
    Length {
        /// The message, if there is a header.
        message: Option<MessageType>,
        /// What the header says, or the length of a header.
        length: usize,
        /// The bytes there.
        have: usize,
    },
    /// The message is longer than any that a switch takes.
    #[error("{message}: length at offset 2: {length} bytes, and {MAX_MESSAGE_LEN} is the most")]
    TooLong {
        /// The message.
        message: MessageType,
        /// Its length.
        length: usize,
    },
    /// The version is not 4.
    #[error("{message}: version at offset 0: {version}, and POF's is 4")]
    Version {
        /// The message.
        message: MessageType,
        /// The version.
        version: u8,
    },
}

fn name(message: &Option<MessageType>) -> String {
    message.map_or_else(|| "message".to_owned(), |message| message.to_string())
}

impl DecodeError {
    /// The message's type, if there is one.
    pub fn message(&self) -> Option<MessageType> {
        match self {
            Self::Field { message, .. } | Self::TooLong { message, .. } | Self::Version { message, .. } => {
                Some(*message)
            }
            Self::Length { message, .. } => *message,
        }
    }

    /// The way to the field: `instructions[0].data.actions[1].port`.
    pub fn field(&self) -> String {
        match self {
            Self::Field { error, .. } => error.path().to_string(),
            Self::Length { .. } | Self::TooLong { .. } => "length".to_owned(),
            Self::Version { .. } => "version".to_owned(),
        }
    }

    /// The field's offset from the start of the message, in bytes.
    pub fn offset(&self) -> usize {
        match self {
            Self::Field { error, .. } => error.offset(),
            Self::Length { .. } | Self::TooLong { .. } => 2,
            Self::Version { .. } => 0,
        }
    }

    /// The error to send for it.
    pub fn answer(&self) -> ErrorCode {
        match self {
            Self::Field { error, .. } => error.answer().map_or(ErrorCode::BAD_LEN, ErrorCode::from),
            Self::Length { .. } | Self::TooLong { .. } => ErrorCode::BAD_LEN,
            // WIRE.md 3: a HELLO of a later version.
            Self::Version { message: MessageType::HELLO, .. } => ErrorCode::INCOMPATIBLE,
            Self::Version { .. } => ErrorCode::BAD_VERSION,
        }
    }
}

/// A message that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The profile cannot carry a field's value.
    #[error("{message}: {error}")]
    Field {
        /// The message.
        message: MessageType,
        /// The field, and why.
        error: WriteError,
    },
    /// It would be longer than any that a switch takes.
    #[error("{message}: {length} bytes, and {MAX_MESSAGE_LEN} is the most")]
    TooLong {
        /// The message.
        message: MessageType,
        /// How long it would be.
        length: usize,
    },
    /// A byte that is said to be unused is part of a field, or not part of the message.
    #[error("{message}: offset {offset} is not unused")]
    NotUnused {
        /// The message.
        message: MessageType,
        /// Where, in bytes from the start of the message.
        offset: u16,
    },
    /// The buffer is too small.
    #[error("{need} bytes of buffer needed, {have} there")]
    Room {
        /// Bytes needed.
        need: usize,
        /// Bytes there.
        have: usize,
    },
}
