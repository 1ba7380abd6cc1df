//! One pinned thread per core: runs stack instances over ports, or the same service over kernel sockets.
#![forbid(unsafe_code)]

pub mod engine;
pub mod kernel;
pub mod mail;
pub mod wake;

pub use engine::{Engine, Turn};
pub use kernel::Kernel;
pub use mail::Mailbox;
pub use wake::Waker;
