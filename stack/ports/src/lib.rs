//! Packet I/O for the Ferroflow stack: TAP, AF_PACKET and AF_XDP.
//!
//! [`spec`] is the grammar by which a program is told its port, [`open`] opens it; [`tap`] opens a TAP interface's queues,
//! [`packet`] packet sockets on an interface that is there, [`xdp`] takes such an interface's queues. [`AnyPort`] is whichever port was asked for, without dynamic dispatch.

pub mod any;
mod ethtool;
mod link;
pub mod open;
pub mod packet;
mod region;
mod sockopt;
pub mod spec;
pub mod tap;
pub mod xdp;

pub use any::AnyPort;
pub use link::LinkError;
pub use open::{OpenError, Opened, Wanted};
pub use packet::{Packet, PacketBuilder, PacketPort};
pub use spec::{GRAMMAR, PortKind, PortSpec, SpecError, XdpMode};
pub use tap::{Tap, TapBuilder, TapError, TapPort};
pub use xdp::{Xdp, XdpBuilder, XdpError, XdpPort};
