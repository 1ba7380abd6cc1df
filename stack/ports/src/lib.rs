//! Packet I/O for the Ferroflow stack: TAP, AF_PACKET, AF_XDP, netmap, and memory shared with another process.
//!
//! [`spec`] is the grammar by which a program is told its port, [`open`] opens it; [`tap`] opens a TAP interface's queues,
//! [`packet`] packet sockets on an interface that is there, [`xdp`] takes such an interface's queues, with an address of the
//! stack's own or the kernel's ([`shared`]), `netmap` (with the feature of that name) netmap's rings, [`shm`] is a pipe
//! between two processes. [`AnyPort`] is whichever port was asked for, without dynamic dispatch. [`interfaces`] is what the
//! kernel says of its own.

pub mod any;
mod bpf;
mod ethtool;
pub mod interfaces;
mod link;
#[cfg(feature = "netmap")]
pub mod netmap;
pub mod open;
pub mod packet;
mod region;
mod rss;
pub mod shared;
pub mod shm;
mod sockopt;
pub mod spec;
pub mod tap;
mod vnet;
pub mod xdp;

pub use any::AnyPort;
pub use link::LinkError;
#[cfg(feature = "netmap")]
pub use netmap::{Netmap, NetmapBuilder, NetmapError, NetmapPort};
pub use open::{OpenError, Opened, Wanted};
pub use packet::{Packet, PacketBuilder, PacketPort};
pub use rss::{BadRssKey, RssKey};
pub use shared::Shared;
pub use shm::ShmPort;
pub use spec::{GRAMMAR, PortKind, PortSpec, SpecError, XdpMode};
pub use tap::{Tap, TapBuilder, TapError, TapPort};
pub use xdp::{Deaf, Xdp, XdpBuilder, XdpError, XdpPort};
