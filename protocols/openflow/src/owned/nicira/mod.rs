//! Open vSwitch's extensions, under Nicira's vendor number 0x2320: actions, messages and statistics of 1.0 and later.
//!
//! The extended matches (NXM) are fields of [`Oxm`](super::common::Oxm), as `NXM_OF_*` and `NXM_NX_*`. The names are those
//! of Open vSwitch's header `nicira-ext.h` and of its documents. What is not here is kept as bytes: `NXT_GROUP_MOD`,
//! `NXT_REQUESTFORWARD`, `NXT_SET_ASYNC_CONFIG2` and the group statistics of 1.0, which carry structures of later versions;
//! the list of [`NxAction::Learn2`], the properties of [`NxAction::Encap`] and the TLVs of [`NxMessage::CtFlush`].

mod action;
mod learn;
mod message;
mod parts;
mod stats;

pub use action::*;
pub use learn::*;
pub use message::*;
pub use parts::*;
pub use stats::*;
