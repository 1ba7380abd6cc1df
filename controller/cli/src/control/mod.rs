//! What a running controller can be asked over its control socket, and the two ends of that.
//!
//! One JSON object a line, both ways: a [`Request`], and an [`Answer`] to each. A socket file is for its user alone. The
//! server's threads are the control thread of the architecture: they ask the cores by message and never touch what is
//! theirs, so whoever reads slowly delays nobody but himself.

mod client;
mod server;
mod socket;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ferroflow_runtime::Figures;
use serde::{Deserialize, Serialize};

pub(crate) use client::Client;
pub(crate) use server::{About, Server};
pub(crate) use socket::{Bound, LiveOwner};

/// The version of the protocol. It grows when a field changes its meaning or goes; new fields may come at any time.
pub(crate) const VERSION: u32 = 1;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// [`VERSION`].
    pub(crate) v: u32,
    /// `"snapshot"`, so far.
    pub(crate) get: String,
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// [`VERSION`].
    pub(crate) v: u32,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot: Option<Snapshot>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// All that was counted so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The process.
    pub(crate) pid: u32,
    /// What runs where, in one line.
    pub(crate) runs: String,
    /// Where it listens.
    pub(crate) listening: Vec<String>,
    /// How long it has run, in milliseconds.
    pub(crate) uptime_ms: u64,
    /// Every core in order; `null` is one that did not answer in time.
    pub(crate) cores: Vec<Option<Core>>,
}

/// One core's figures, as [`Figures`] has them. Counters only grow; what does not exist is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Core {
    /// When, in nanoseconds of a clock that never jumps.
    pub(crate) at_ns: u64,
    pub(crate) conns: u64,
    pub(crate) turns: u64,
    pub(crate) idle_turns: u64,
    pub(crate) sleeps: u64,
    pub(crate) idle_ns: u64,
    pub(crate) kernel_entries: u64,
    pub(crate) stack: BTreeMap<String, u64>,
    pub(crate) port: BTreeMap<String, u64>,
    pub(crate) service: BTreeMap<String, u64>,
}

impl From<Figures> for Core {
    fn from(figures: Figures) -> Core {
        let map = |list: Vec<(&str, u64)>| list.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        Core {
            at_ns: figures.at.as_nanos(),
            conns: figures.conns,
            turns: figures.turns,
            idle_turns: figures.idle_turns,
            sleeps: figures.sleeps,
            idle_ns: u64::try_from(figures.idle.as_nanos()).unwrap_or(u64::MAX),
            kernel_entries: figures.kernel_entries,
            stack: map(figures.stack),
            port: map(figures.port),
            service: map(figures.service),
        }
    }
}

/// Name of the socket in its folder.
const NAME: &str = "control.sock";

/// The folder where a controller of this user is found if nothing else is said: `None` for whoever has none.
pub(crate) fn default_folder() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/run/ferroflow".into());
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty())?;
    Some(PathBuf::from(runtime).join("ferroflow"))
}

/// The socket there.
pub(crate) fn default_path() -> Option<PathBuf> {
    default_folder().map(|folder| folder.join(NAME))
}
