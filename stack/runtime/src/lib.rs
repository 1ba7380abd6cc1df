//! One pinned thread per core: runs stack instances over ports, or the same service over kernel sockets.
#![forbid(unsafe_code)]

pub mod mail;
pub mod wake;

pub use mail::Mailbox;
pub use wake::Waker;
