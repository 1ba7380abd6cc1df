//! What runs on one core: its sessions, its apps and its part in the directory.

mod chain;
mod directory;
mod limits;
mod mail;
mod service;
mod sessions;
mod shared;
mod work;

pub use directory::{Directory, Home};
pub use mail::Mail;
pub use service::{Controller, Started};

pub(crate) use service::OnStart;

pub(crate) use chain::Chain;
pub(crate) use mail::Letter;
pub(crate) use sessions::{Senders, Sessions};
pub(crate) use shared::{AppMeta, Outgoing, Shared};
