//! Packet I/O for the Ferroflow stack: TAP.
//!
//! [`tap`] opens a TAP interface's queues; [`AnyPort`] is whichever port a program was told to use, without dynamic
//! dispatch.

pub mod any;
pub mod tap;

pub use any::AnyPort;
pub use tap::{Tap, TapBuilder, TapError, TapPort};
