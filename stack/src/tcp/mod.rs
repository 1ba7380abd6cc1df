//! TCP (RFC 9293), without I/O: a [`Tcb`] takes segments and times, and says what to send.
//!
//! `tcb` what a connection remembers · `input` a segment arrives · `output` what may be sent now · `timers` what the
//! clock asks for · `recv` bytes waiting for their turn or their reader · `autotune` how many may wait · `table` whose
//! segment is it, `index` by its hash · `time_wait` what is left after the end, `time_waits` all of that · `isn` RFC 6528 · `info` what
//! can be known of it, and its options · `cookie` SYN cookies · `urgent` how far urgent data goes · `check` what always
//! holds.
//!
//! Sending over a path that loses: `ack` what an acknowledgement tells · `sent` what is in flight (RFC 6675) · `rack`
//! what of it is lost (RFC 8985) · `recovery` how that is repaired (RFC 6937, 5682, 3522) · `cc` how much may be in
//! flight (RFC 9438, 5681, 9406) · `pacing` how fast · `ecn` RFC 3168 · `rto` RFC 6298 · `ts_clock` timestamps (RFC 7323).

pub mod ack;
pub mod autotune;
pub mod cc;
pub mod check;
pub mod config;
pub mod cookie;
pub mod ecn;
pub mod index;
pub mod info;
pub mod input;
pub mod isn;
mod large;
pub mod mtu;
pub mod output;
mod pacing;
pub mod rack;
pub mod recovery;
pub mod recv;
pub mod resize;
pub mod rto;
pub mod sent;
pub mod table;
pub mod tcb;
pub mod time_wait;
pub mod time_waits;
pub mod timers;
pub mod ts_clock;
pub mod urgent;
pub mod user_timeout;

pub use cc::Algorithm;
pub use config::{Keepalive, TcpConfig};
pub use ecn::EcnMode;
pub use tcb::{State, Tcb};
