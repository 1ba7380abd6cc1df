//! Conformance of one stack instance, packet by packet: a scripted peer on one side, a recording service on the other,
//! virtual time between them. Expected values come from the standards, and each test names its section.
//!
//! `peer` drives the instance · `segment` builds and reads segments · `port` is the card · `app` is the service.

mod app;
mod peer;
mod port;
mod segment;

mod arp;
mod close;
mod congestion;
mod counters;
mod data;
mod dump;
mod fragments;
mod handshake;
mod icmp;
mod ip_header;
mod ipv4_udp;
mod keepalive;
mod limits;
mod memory;
mod mtu;
mod net_contract;
mod ports;
mod reset;
mod retransmit;
mod sequence;
mod syn_cookies;
mod time_wait;
mod urgent;
mod user_timeout;
mod windows;

/// What most tests need.
mod prelude {
    pub use std::time::Duration;

    pub use ferroflow_stack::{CloseReason, ConnId, ConnectError, ConnectOptions, Listen, Net, NetError};
    pub use ferroflow_wire::tcp::TcpFlags;

    pub use crate::app::{Act, Event, On, Take};
    pub use crate::peer::{Flow, Peer, bytes};
    pub use crate::segment::*;
}
