//! Open vSwitch's extensions, under Nicira's vendor number 0x2320: actions, messages and statistics of 1.0 and later.
//!
//! The extended matches (NXM) are fields of [`Oxm`](super::common::Oxm), as `NXM_OF_*` and `NXM_NX_*`. The names are those
//! of Open vSwitch's header `nicira-ext.h` and of its documents. What is not here is kept as bytes: `NXT_REQUESTFORWARD`,
//! behind whose subtype is a whole message; the properties of [`NxAction::Encap`] and the TLVs of [`NxMessage::CtFlush`].

mod action;
mod group;
mod learn;
mod learn2;
mod message;
mod parts;
mod stats;

pub use action::*;
pub use group::*;
pub use learn::*;
pub use learn2::NxLearn2;
pub use message::*;
pub use parts::*;
pub use stats::*;
