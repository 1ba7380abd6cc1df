//! Rights are held only until the ports are open.

use anyhow::Context;
use rustix::thread::{
    CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};

use super::user::User;

/// Gives up every capability of this thread and of those that it will start, for good, and becomes `user` if there is one:
/// open ports need none. To be called before any other thread runs.
///
/// # Errors
/// When the kernel refuses: becoming another user is for root.
pub(super) fn give_up(user: Option<&User>) -> anyhow::Result<()> {
    set_no_new_privs(true).context("cannot forbid new privileges")?;
    if let Some(User { uid, gid }) = user.copied() {
        // The user last: whoever is no longer root may change neither groups nor user.
        set_thread_groups(&[gid])
            .and_then(|()| set_thread_res_gid(gid, gid, gid))
            .and_then(|()| set_thread_res_uid(uid, uid, uid))
            .context("--user: cannot become another user; that is for root")?;
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets).context("cannot give up capabilities")
}
