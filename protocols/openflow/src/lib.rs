//! OpenFlow codecs that parse in place and write into a given buffer.
//!
//! The messages of the hot path have views in [`v10`] and [`v13`], those of the data path in [`v12`], [`v14`] and [`v15`], too;
//! every message of every version is an owned value in [`owned`], which also has the view for people (JSON, with the feature
//! `serde`).
//!
//! Every view is one plain struct per version. `parse` takes exactly one whole message (what
//! [`Splitter`] yields) and borrows its variable parts; [`Encode`] tells the exact length and writes
//! into a buffer of that length. Neither allocates. The lists inside a message (actions, OXM fields,
//! ports, ...) are a type parameter: a parsed message holds a checked view, a message that is being
//! built holds anything that iterates over elements: an array, a slice, a `map` over one's own types.
//!
//! ```
//! use ferroflow_openflow::{Encode, v13};
//! use v13::{Action, Instruction, Oxm};
//!
//! let flow = v13::FlowMod {
//!     xid: 7,
//!     priority: 10,
//!     ..v13::FlowMod::new(
//!         [Oxm::InPort(1), Oxm::EthDst([2, 0, 0, 0, 0, 9], None)],
//!         [Instruction::ApplyActions([Action::output(2)])],
//!     )
//! };
//! let mut buf = vec![0; flow.wire_len()];
//! flow.write(&mut buf);
//! let seen = v13::FlowMod::parse(&buf).unwrap();
//! assert_eq!(seen.matching.in_port(), Some(1));
//! ```
#![forbid(unsafe_code)]

#[macro_use]
mod macros;
#[macro_use]
mod shared;

mod bytes;
mod desc;
mod echo;
mod encode;
mod error;
mod error_msg;
mod header;
mod hello;
mod list;
pub mod owned;
mod port_counters;
pub mod v10;
pub mod v12;
pub mod v13;
pub mod v14;
pub mod v15;

pub use desc::Desc;
pub use echo::{Echo, EchoKind};
pub use encode::{Encode, Part, Writer};
pub use error::{DecodeError, ErrorCode, Reason};
pub use error_msg::ErrorMsg;
// The vocabulary of fields, of errors and of the view for people.
pub use ferroflow_wire::MacAddr;
pub use ferroflow_wire::codec::{self, FixedStr};
pub use ferroflow_wire::splitter::{MAX_MESSAGE_LEN, RawHeader, SplitError, SplitReason, Splitter};
pub use header::{Header, OFP_HEADER_LEN, Version};
pub use hello::{Hello, Incompatible, OFPHET_VERSIONBITMAP, VersionBitmap, negotiate};
pub use list::{Elements, List};
pub use port_counters::PortCounters;

/// `OFP_NO_BUFFER`: the switch holds no copy of the packet, the message carries it whole (every version).
pub const OFP_NO_BUFFER: u32 = 0xffff_ffff;

/// `OFP_DEFAULT_PRIORITY` (OF 1.0 5.3.3).
pub const OFP_DEFAULT_PRIORITY: u16 = 0x8000;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
