//! A TCP/IP stack for one core, without I/O of its own.
//!
//! One [`instance`] owns one [`port::Port`] (a queue pair of a card, a TAP queue, an in-memory pipe), every connection
//! that arrives there, and the [`service::Service`] that answers them. Time, randomness and I/O are arguments: a turn is a
//! function of what the instance holds, `now`, the frames that came in and the seed, so every test runs in
//! virtual time ([`sim`]).
//!
//! How a frame travels: [`port`] → [`instance`] (Ethernet, ARP, IPv4, ICMP, UDP) → [`tcp`] → the [`service`]'s
//! callback, and back out at the end of the burst.
#![forbid(unsafe_code)]

pub mod config;
pub mod counters;
pub mod fragments;
pub mod handshake;
pub mod instance;
pub mod neighbor;
pub mod net;
pub mod option;
pub mod path;
pub mod port;
pub mod ring;
pub mod rx;
pub mod service;
pub mod sim;
pub mod sockets;
pub mod steer;
pub mod tcp;
pub mod tcp_info;
pub mod time;
pub mod timer;

pub use config::Config;
pub use counters::Counters;
pub use instance::{Instance, Turn};
pub use net::{ConnectOptions, Listen, ListenError, Net, NetError};
pub use option::ConnOption;
pub use ring::SendRing;
pub use rx::Rx;
pub use service::{CloseReason, ConnId, ConnInfo, ConnectError, Service};
pub use tcp_info::TcpInfo;
pub use time::Instant;
