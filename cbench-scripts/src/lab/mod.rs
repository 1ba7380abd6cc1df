//! Labs as code: network namespaces, Open vSwitch and hosts, for end-to-end tests and measurements.
//!
//! A lab lives in network namespaces of its own and never touches the root namespace. It drives `ip`, `ethtool`,
//! `ping` and Open vSwitch's programs as child processes, each call with a time limit. Everything is removed when its
//! value is dropped, also while a panic unwinds. Namespaces are named `fflab<pid>-<n>-<label>`, so labs run side by
//! side; what a killed process left behind can be found by that name (`ip netns list`).
//!
//! Needs Linux, root and the programs of [`Need`]. A small lab:
//!
//! ```no_run
//! use cbench::lab::{Host, OpenFlow, Ovs};
//! # fn main() -> cbench::lab::Result<()> {
//! let mut ovs = Ovs::start("one")?;
//! ovs.add_bridge("br0", 1, OpenFlow::V13)?;
//! ovs.add_flow("br0", "actions=normal")?;
//! let mut a = Host::new("a", 1)?;
//! a.attach(&ovs, "br0", 1)?;
//! let mut b = Host::new("b", 2)?;
//! b.attach(&ovs, "br0", 2)?;
//! assert_eq!(a.ping(&b, 3)?.received, 3);
//! # Ok(())
//! # }
//! ```

mod command;
mod control_net;
mod host;
mod need;
mod netns;
mod ovs;
mod process;
mod transfer;

#[cfg(test)]
mod tests;

pub use command::{Output, run};
pub use control_net::ControlNet;
pub use host::{Host, Ping};
pub use need::{Need, require};
pub use netns::{Netns, veth};
pub use ovs::{OpenFlow, Ovs};
pub use process::{Line, Mark, Proc};
pub use transfer::{LiveTransfer, Transfer, transfer};

use std::time::{Duration, Instant};

/// What can go wrong in a lab.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A command ended with a failure.
    #[error("`{command}` failed ({status}): {stderr}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it wrote to standard error, or to standard output if that was empty.
        stderr: String,
    },
    /// Something did not happen in time.
    #[error("{what}: not within {after:?}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// Something was said that is not understood, or a process ended early.
    #[error("{0}")]
    Unexpected(String),
}

/// The result of a lab operation.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let what = what.into();
        move |source| Error::Io { what, source }
    }
}

/// Asks `ready` every 20 ms until it says yes; answers how long that took.
///
/// # Errors
/// [`Error::Timeout`] naming `what` after `timeout`; whatever `ready` fails with.
pub fn wait_until(
    what: &str,
    timeout: Duration,
    mut ready: impl FnMut() -> Result<bool>,
) -> Result<Duration> {
    let start = Instant::now();
    loop {
        if ready()? {
            return Ok(start.elapsed());
        }
        if start.elapsed() >= timeout {
            return Err(Error::Timeout { what: what.to_owned(), after: timeout });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
