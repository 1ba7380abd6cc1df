//! Structures that several versions share. Each says of which versions it is. What 1.4 gave another form that 1.5 kept has
//! the same names in [`since_14`].

mod action;
mod async_config;
mod error;
mod experimenter;
mod features;
mod flow;
mod group;
mod hello;
mod instruction;
mod matching;
mod meter;
mod numbers;
mod oxm;
mod oxm_table;
mod packet;
mod port;
mod queue;
mod role;
mod set_field;
pub mod since_14;
mod table;

pub(super) use action::bad_action;
pub use action::{Action, ActionType, ExperimenterAction};
pub use async_config::*;
pub use error::*;
pub use experimenter::*;
pub use features::*;
pub use flow::*;
pub use group::*;
pub use hello::*;
pub use instruction::*;
pub use matching::*;
pub use meter::*;
pub use numbers::*;
pub use oxm::{Oxm, OxmClass, OxmHeader, OxmId};
pub use packet::*;
pub use port::*;
pub use queue::*;
pub use role::*;
pub use table::*;
