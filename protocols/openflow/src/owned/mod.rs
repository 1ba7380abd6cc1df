//! Every message of every version as an owned value, for people: to be looked at, changed, compared, printed as JSON.
//!
//! The hot path has views that borrow ([`v10`](crate::v10), [`v13`](crate::v13)); here completeness and clarity come
//! first. All structures are descriptions in the sense of [`ferroflow_wire::codec`], whose rules hold: what is read and
//! written again is the same to the byte but for padding, and what is unknown is kept as it is.
//!
//! | where | what |
//! |---|---|
//! | [`Message`], [`DecodeError`], [`EncodeError`] | header and body; what is wrong |
//! | [`AnyMessage`] | a message of any version |
//! | [`Reassembler`] | the parts of multipart messages put together |
//! | [`common`] | structures of several versions, one file each by what they are about |
//! | [`v10`], [`v12`], [`v13`], [`v14`], [`v15`] | what a version alone has, and all that its messages can be: `Body` |
//! | [`nicira`] | Open vSwitch's extensions |
//!
//! A version's module has a `Body` (a `choice!` over the message types), the two multipart bodies, and files for the
//! structures that it alone has. A structure that a second version shares is in `common`, in `common::since_14` in the form
//! that 1.4 gave it; one that gained a type keeps it there with the versions that have it (`OFPAT_METER in 6..=6 => ..`). A
//! value that the message's version does not have is an [`EncodeError`].
//!
//! ```
//! use ferroflow_openflow::owned::common::{Action, Instruction, Match, Oxm, PortNo};
//! use ferroflow_openflow::owned::{AnyMessage, v13};
//!
//! let bytes = [4, 14, 0, 88, 0, 0, 0, 7, // ofp_header: flow_mod, 88 bytes, xid 7
//!     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // cookie, cookie_mask
//!     0, 0, 0, 0, 0, 0, 0, 10, // table_id, command, idle_timeout, hard_timeout, priority
//!     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // buffer_id, out_port, out_group
//!     0, 0, 0, 0, // flags, pad
//!     0, 1, 0, 12, 0x80, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, // match: in_port 1
//!     0, 4, 0, 24, 0, 0, 0, 0, // apply_actions
//!     0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]; // output to port 2
//! let AnyMessage::V13(message) = AnyMessage::decode(&bytes).unwrap() else { panic!("not 1.3") };
//! let v13::Body::FlowMod(flow) = &message.body else { panic!("not a flow_mod") };
//! assert_eq!(flow.r#match, Match::new(vec![Oxm::InPort(PortNo(1))]));
//! assert_eq!(flow.instructions, [Instruction::ApplyActions { actions: vec![Action::output(2)] }]);
//! assert_eq!(message.encode().unwrap(), bytes);
//! ```

#[macro_use]
mod multipart;

mod any;
pub mod common;
mod message;
pub mod nicira;
mod other_hello;
mod reassembler;
pub mod v10;
pub mod v12;
pub mod v13;
pub mod v14;
pub mod v15;

pub use any::AnyMessage;
pub use message::{Body, DecodeError, EncodeError, Message};
pub use other_hello::OtherHello;
pub use reassembler::{Assembled, ReassembleError, Reassembler};
