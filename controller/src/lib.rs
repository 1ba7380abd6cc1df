//! An OpenFlow controller library: sessions, a version-neutral flow model and the app contract.
//!
//! A [`Controller`] is the [`ferroflow_stack::Service`] of one core. It keeps a session per switch and calls a chain of
//! [`App`]s with what happens there. Apps say what they want in the words of [`flow`]; sessions compile that to the
//! version their switch speaks. Cores share nothing: the [`Directory`] and commands to other cores' switches travel
//! by mail.
#![forbid(unsafe_code)]

mod app;
mod builder;
mod codec;
mod config;
mod core;
mod counters;
pub mod flow;
mod run;
mod session;
pub mod testing;

pub use app::{
    App, AppFactory, AppRegistry, BufferId, Command, Cx, Dp, Dpid, Event, Failed, FlowName, FlowRemoved,
    Next, PacketIn, PacketInReason, PortChange, PortStatus, Refused, RemovedReason, Reply, Token, UnknownApp,
};
pub use builder::{BuildError, Builder};
pub use config::Config;
pub use core::{Controller, Directory, Home, Mail, Started};
pub use counters::Counters;
pub use ferroflow_openflow::{ErrorCode, Version, VersionBitmap};
pub use ferroflow_stack::Instant;
pub use ferroflow_wire::{MacAddr, ethernet};
pub use run::{RunError, spawn_kernel};
