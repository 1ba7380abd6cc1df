//! TCP (RFC 9293), without I/O: a [`Tcb`] takes segments and times, and says what to send.
//!
//! `tcb` what a connection remembers · `input` a segment arrives · `output` what may be sent now · `timers` what the
//! clock asks for · `recv` bytes waiting for their turn or their reader · `rto` RFC 6298 · `newreno` RFC 5681 and
//! 6582 · `cc` congestion control by algorithm · `table` whose segment is it · `time_wait` what is left after the end ·
//! `isn` RFC 6528 · `cookie` SYN cookies.

pub mod autotune;
pub mod cc;
pub mod config;
pub mod cookie;
pub mod input;
pub mod isn;
pub mod newreno;
pub mod output;
pub mod recv;
pub mod rto;
pub mod table;
pub mod tcb;
pub mod time_wait;
pub mod timers;

pub use config::{Keepalive, TcpConfig};
pub use tcb::{State, Tcb};
