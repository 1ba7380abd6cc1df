//! One pinned thread per core: runs stack instances over ports, or the same service over kernel sockets.
//!
//! [`Runtime::spawn`] starts the cores. Each drives one [`Engine`] by turns ([`core`]): a [`Kernel`] for the kernel's
//! sockets, a [`PortEngine`] for a stack instance on a port, a [`BesideEngine`] for both with
//! one service. A core with nothing to do sleeps in the kernel until a frame, an event, [`mail`] or a deadline comes.
#![forbid(unsafe_code)]

pub mod beside;
pub mod capture;
pub mod clock;
pub mod core;
pub mod engine;
pub mod inspect;
pub mod kernel;
pub mod mail;
pub mod places;
pub mod port_engine;
pub mod processors;
pub mod runtime;
pub mod steer;
pub mod wake;
pub mod wall;

pub use crate::core::Idle;
pub use beside::BesideEngine;
pub use capture::CaptureFile;
pub use engine::{Engine, Turn};
pub use inspect::{Figures, Inspector};
pub use kernel::Kernel;
pub use mail::Mailbox;
pub use places::Pin;
pub use port_engine::PortEngine;
pub use processors::{CpuList, Machine};
pub use runtime::{Core, CoreReport, Options, Runtime, RuntimeError, Stop};
pub use steer::Steered;
pub use wake::{EventBell, Waker};
pub use wall::WallClock;
