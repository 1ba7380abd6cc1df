//! Controllers without a network, in virtual time: for the tests of apps and of this crate.
//!
//! A [`Lab`] runs the controllers of one or more cores over connections that are two byte buffers; a [`Switch`] is
//! the other end of one of them.
//!
//! ```
//! use ferroflow::{Controller, Version};
//! use ferroflow::testing::Lab;
//!
//! let mut lab = Lab::new(Controller::builder().build_cores(1).unwrap());
//! let switch = lab.switch(0, Version::V1_3, 7);
//! assert!(lab.is_up(7));
//! assert!(lab.is_open(switch));
//! ```

mod lab;
mod net;
mod switch;

pub use lab::{Lab, SwitchId};
pub use net::FakeNet;
pub use switch::{FlowModSeen, PacketOutSeen, Switch};
