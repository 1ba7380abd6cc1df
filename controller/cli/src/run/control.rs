//! The control socket of a controller that starts.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ferroflow_runtime::Inspector;
use rustix::process::{getegid, geteuid};

use super::user::User;
use crate::args::{ControlSpec, RunArgs};
use crate::control::{self, About, Bound, LiveOwner, Server};

/// Where the socket is to be.
pub(super) struct Control {
    path: Option<PathBuf>,
    /// Nobody has asked for it: what keeps it from being is told, and the controller runs without.
    by_default: bool,
}

/// The socket, before the cores run.
pub(super) struct Socket(Option<Bound>);

impl Control {
    /// Makes the folder where the default is, for whoever we will be. To be called while we have our rights.
    pub(super) fn prepare(args: &RunArgs) -> Control {
        match &args.control {
            Some(ControlSpec::None) => Control { path: None, by_default: false },
            Some(ControlSpec::At(path)) => Control { path: Some(path.clone()), by_default: false },
            None => {
                let made = control::default_folder().map(|folder| make(&folder, args.user).map(|()| folder));
                if let Some(Err(error)) = &made {
                    tracing::warn!("`ferroflow top` will not find this controller: {error:#}");
                }
                let path = made.and_then(Result::ok).and_then(|_| control::default_path());
                Control { path, by_default: true }
            }
        }
    }

    /// Listens, as whoever we are now.
    ///
    /// # Errors
    /// When the socket that was asked for cannot be had.
    pub(super) fn open(self) -> anyhow::Result<Socket> {
        let Some(path) = self.path else { return Ok(Socket(None)) };
        match Bound::new(&path) {
            Ok(bound) => Ok(Socket(Some(bound))),
            Err(error) if !self.by_default => Err(error).context("--control"),
            Err(error) => {
                match error.downcast_ref::<LiveOwner>() {
                    Some(owner) => tracing::warn!(
                        "`ferroflow top` shows process {}, which was here before: with --control PATH this one has a \
                         socket of its own",
                        owner.pid
                    ),
                    None => tracing::warn!("`ferroflow top` will not find this controller: {error:#}"),
                }
                Ok(Socket(None))
            }
        }
    }
}

impl Socket {
    /// Answers whoever comes, as long as the value lives.
    ///
    /// # Errors
    /// When there is no thread left.
    pub(super) fn serve(self, about: About, cores: Inspector) -> anyhow::Result<Option<Server>> {
        self.0.map(|bound| Server::start(bound, about, cores)).transpose()
    }
}

/// A folder for `user`, or us, alone: one where the socket can be removed again, too, when we are that user.
fn make(folder: &Path, user: Option<User>) -> anyhow::Result<()> {
    let name = folder.display();
    DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(folder)
        .with_context(|| format!("cannot make {name}"))?;
    let (uid, gid) = user.map_or_else(|| (geteuid(), getegid()), |user| (user.uid, user.gid));
    rustix::fs::chown(folder, Some(uid), Some(gid)).with_context(|| format!("cannot give {name} its owner"))
}
