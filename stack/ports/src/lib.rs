//! Packet I/O for the Ferroflow stack: TAP.
//!
//! [`spec`] is the grammar by which a program is told its port, [`open`] opens it; [`tap`] opens a TAP interface's queues.
//! [`AnyPort`] is whichever port was asked for, without dynamic dispatch.

pub mod any;
pub mod open;
pub mod spec;
pub mod tap;

pub use any::AnyPort;
pub use open::{OpenError, Opened, Wanted};
pub use spec::{GRAMMAR, PortKind, PortSpec, SpecError, XdpMode};
pub use tap::{Tap, TapBuilder, TapError, TapPort};
