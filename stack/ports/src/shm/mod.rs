//! A pipe between two processes: frames in memory that both see, without the kernel in their way.
//!
//! One end listens at a Unix socket ([`listen`]), with one queue for each of its cores; another program goes there
//! ([`visit`]) with as many queues as it likes. For every two queues there is one ring each way. When the visiting program
//! ends, however it ends, what it had sent is taken, and the next may come; one at a time.
//!
//! Neither end trusts the other. The memory is sealed against becoming shorter; counts and lengths that are read there are
//! checked, and each frame is copied once into private memory before anything looks at it (`ring.rs`). Whoever writes
//! what cannot be is hung up on, and counted. The kernel is entered only to wake a side that sleeps.

mod area;
mod client;
mod hello;
mod port;
mod ring;
mod server;
mod session;

pub use client::visit;
pub use port::ShmPort;
pub use server::listen;

use ferroflow_stack::steer::{DEFAULT_KEY, Key};

/// What the listening end decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShmConfig {
    /// Its queues, 1 to 64; one for each core.
    pub queues: u16,
    /// Largest IP packet, in bytes, 68 to 65535.
    pub mtu: u32,
    /// Frames of one ring, a power of two from 2 to 65536.
    pub slots: u32,
    /// Key of the hash by which each end spreads over the other's queues, as a card would.
    pub key: Key,
}

impl ShmConfig {
    /// `queues`, an MTU of 1500 bytes, rings of 512 frames, the default key.
    pub const fn new(queues: u16) -> ShmConfig {
        ShmConfig { queues, mtu: 1500, slots: 512, key: DEFAULT_KEY }
    }
}

/// What happened on one queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShmCounters {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames dropped because their length was more than any frame's may be.
    pub rx_too_long: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames dropped because nobody is attached.
    pub tx_dropped: u64,
    /// Times that the other end's ring was full.
    pub tx_full: u64,
    /// Times that no buffer was free.
    pub no_buffer: u64,
    /// Times that a sleeping queue of the other end was woken: entries into the kernel.
    pub wake_ups: u64,
    /// Times that our own bell was read: entries into the kernel, too.
    pub bell_reads: u64,
    /// Programs that were attached.
    pub sessions: u64,
    /// Programs that were hung up on since they wrote what cannot be.
    pub broken: u64,
}

/// Why there is no pair, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ShmError {
    /// A number is out of its range.
    #[error(
        "{0} queues with rings of {1} frames of an MTU of {2} bytes are not possible: use 1 to 64 queues, a power of two up \
         to 65536 of frames, an MTU of 68 to 65535, and 1 GiB in all"
    )]
    BadShape(u16, u32, u32),
    /// The path is no name for a socket.
    #[error("{0} is no path for a socket: use one of at most 107 bytes")]
    BadPath(String),
    /// Another program listens there.
    #[error("another program listens at {0}: stop that one, or take another path")]
    InUse(String),
    /// Something else is there.
    #[error("{0} is there already and is no socket of ours: take another path, or remove it")]
    NotOurs(String),
    /// Nobody listens there.
    #[error("nobody listens at {0}: start the listening program first (ferroflow run --port shm:{0})")]
    Nobody(String),
    /// Not allowed.
    #[error("not allowed to use {0}: it is for the user who started the listening program")]
    NoRights(String),
    /// The listening program does not want us.
    #[error("the program that listens at {path} refuses: {why}")]
    Refused {
        /// The socket.
        path: String,
        /// What it says.
        why: String,
    },
    /// The program there is none of ours, or of another version.
    #[error(
        "the program that listens at {0} does not speak as it should: use the same version on both sides"
    )]
    Nonsense(String),
    /// Something else.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// The socket.
        path: String,
        /// What was tried.
        what: &'static str,
        /// The kernel's reason.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests;
