#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[macro_use]
mod macros;

mod action;
mod body;
mod constants;
mod error;
mod error_code;
pub mod fast;
mod field;
pub mod handshake;
mod header;
mod instruction;
mod message;
mod profile;
mod slot;
mod unused;

pub use action::{Action, ActionData, DeleteField, Output};
pub use body::{
    Body, Counter, ErrorMsg, FeaturesReply, FlowMod, Frame, GroupMod, MeterMod, PacketIn, PacketOut, Port,
    PortChange, PortId, ResourceReport, SwitchConfig, TableMod, TableResource,
};
pub use constants::*;
pub use error::{DecodeError, EncodeError};
pub use error_code::{ErrorCode, ErrorType};
pub use field::{FieldBits, Match, MatchX, Number, Value};
pub use header::Header;
pub use instruction::{
    ActionList, CalculateField, ConditionalJmp, GotoDirectTable, Instruction, InstructionData,
    MovePacketOffset,
};
pub use message::Message;
pub use profile::{Profile, UnknownProfile};
pub use unused::Unused;

// The vocabulary of fields and of the view for people.
pub use ferroflow_wire::MacAddr;
pub use ferroflow_wire::codec::{self, Bytes, FixedStr, Json, Raw, WriteError};
pub use ferroflow_wire::splitter::{RawHeader, SplitError, SplitReason, Splitter};

/// Cuts a byte stream into messages of at most 2560 bytes.
///
/// ```
/// let mut splitter = ferroflow_pof::splitter();
/// // A HELLO, and the first half of an ECHO_REQUEST.
/// let mut chunk = &[4, 0, 0, 8, 0, 0, 0, 1, 4, 2, 0, 8][..];
/// assert_eq!(splitter.next(&mut chunk).unwrap(), Some(&[4, 0, 0, 8, 0, 0, 0, 1][..]));
/// assert_eq!(splitter.next(&mut chunk).unwrap(), None);
/// assert_eq!(splitter.pending(), 4);
/// ```
pub const fn splitter() -> Splitter {
    Splitter::new(MAX_MESSAGE_LEN)
}
