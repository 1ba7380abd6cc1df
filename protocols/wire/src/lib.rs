//! Checked views and writers for the packet headers Ferroflow speaks.
//!
//! Every protocol is one module with the same shape:
//!
//! * a *view* (`TcpView`, `Ipv4View`, ..) borrows bytes and is checked once by `parse`; its getters cannot fail
//!   and cannot panic afterwards, whatever the bytes were;
//! * a *value* (`TcpHeader`, `Ipv4Header`, ..) is plain data with `len()` and `write(&self, buf)`, which writes
//!   into a buffer of the caller's and never allocates;
//! * what is malformed is a [`WireError`]: which protocol, and for which [`Reason`], both with stable names for
//!   counters.
//!
//! Checksums are never verified by `parse`: a port may have verified them already, or may be asked to fill them in.
//! They are methods (`verify_checksum`, `fill_checksum`) over the arithmetic in [`checksum`].
//!
//! Where IPv6 will stand: `ipv6` and `icmpv6` beside [`ipv4`] and [`icmpv4`], and a second pseudo-header in
//! [`checksum`]; TCP and UDP views do not depend on the IP version but for their two checksum methods.
//!
//! ```
//! use ferroflow_wire::{ethernet::{EthernetView, EtherType}, ipv4::Ipv4View, tcp::TcpView, WireError};
//!
//! fn destination_port(frame: &[u8]) -> Result<Option<u16>, WireError> {
//!     let eth = EthernetView::parse(frame)?;
//!     if eth.ethertype() != EtherType::IPV4 {
//!         return Ok(None);
//!     }
//!     let ip = Ipv4View::parse(eth.payload())?;
//!     Ok(Some(TcpView::parse(ip.payload())?.dst_port()))
//! }
//! assert!(destination_port(&[0; 13]).is_err());
//! ```
#![forbid(unsafe_code)]

pub mod arp;
pub mod checksum;
pub mod codec;
mod error;
pub mod ethernet;
pub mod icmpv4;
pub mod ipv4;
pub mod lldp;
mod seq;
pub mod splitter;
pub mod tcp;
pub mod udp;

pub use error::{Protocol, Reason, WireError};
pub use ethernet::MacAddr;
pub use seq::SeqNumber;
