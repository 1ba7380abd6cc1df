//! The project's TCP against the kernel's over a long, narrow, lossy way: goodput, fairness, and a SYN flood.
//!
//! * [`path`] is the way: rate, queue, delay, loss, reordering and duplication, in virtual time, with the simulator's own
//!   [`ferroflow_stack::sim::Link`]. [`relay`] is the thread that carries real frames over it.
//! * [`kernel`] and [`ours`] are the endpoints: sockets in a namespace behind a TAP interface, and a stack instance
//!   behind a pipe. Both send frames of at most 1514 bytes with complete checksums, and meet in the same relay.
//! * [`transfer`] runs one stream between two of them; every byte received is compared with what it has to be.
//! * [`grid`] compares the stack with the kernel over many ways, [`fairness`] lets them share one, and [`flood`] has
//!   the stack serve while SYNs pour in.
//! * [`bulk`] has no such way: one stream as fast as it goes, over TAP.

pub mod bulk;
pub mod capture;
pub mod fairness;
pub mod flood;
pub mod grid;
pub mod kernel;
pub mod ours;
pub mod path;
pub mod relay;
mod schedule;
pub mod stream;
pub mod syn;
pub mod table;
pub mod task;
pub mod transfer;
