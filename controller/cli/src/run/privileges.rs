//! Rights are held only until the interface is open.

use anyhow::Context;
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

/// Gives up every capability of this thread and of those that it will start, for good: an open TAP interface needs
/// none. To be called before any other thread runs.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn give_up() -> anyhow::Result<()> {
    set_no_new_privs(true).context("cannot forbid new privileges")?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets).context("cannot give up capabilities")
}
