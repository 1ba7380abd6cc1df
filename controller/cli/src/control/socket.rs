//! The socket file: made for its user alone, taken over from the dead and not from the living, removed at the end.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// Clients that may wait to be let in.
const BACKLOG: i32 = 16;

/// A living process has the socket.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("process {pid} listens at {} already: stop that one, or take another path", path.display())]
pub(crate) struct LiveOwner {
    pub(crate) pid: i32,
    pub(crate) path: PathBuf,
}

/// A socket that listens; its file goes with it.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Which file its name is: another may have taken its place.
    inode: Option<(u64, u64)>,
}

impl Bound {
    /// Listens at `path`, mode 0600. A socket of a process that is gone is replaced.
    ///
    /// # Errors
    /// [`LiveOwner`], or in words what is in the way.
    pub(crate) fn new(path: &Path) -> anyhow::Result<Bound> {
        let name = path.display();
        let address = SocketAddrUnix::new(path)
            .map_err(|_| anyhow!("{name} is no path for a socket: at most 107 bytes are wanted"))?;
        let socket = socket()?;
        // Before it has a name, so that there is no moment at which others may come: the name gets the socket's mode.
        rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).context("cannot set a socket's mode")?;
        match rustix::net::bind(&socket, &address) {
            Err(Errno::ADDRINUSE) => {
                make_way(path, &address)?;
                rustix::net::bind(&socket, &address)
            }
            result => result,
        }
        .and_then(|()| rustix::net::listen(&socket, BACKLOG))
        .with_context(|| format!("cannot listen at {name}"))?;
        Ok(Bound { listener: socket.into(), path: path.to_owned(), inode: inode(path) })
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if self.inode.is_some() && inode(&self.path) == self.inode {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|about| (about.dev(), about.ino()))
}

fn socket() -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// Removes a socket that nobody listens at.
fn make_way(path: &Path, address: &SocketAddrUnix) -> anyhow::Result<()> {
    let name = path.display();
    if !path.symlink_metadata().is_ok_and(|about| about.file_type().is_socket()) {
        bail!("{name} is there and is no socket: take another path, or remove it");
    }
    let probe = socket()?;
    match rustix::net::connect(&probe, address) {
        Ok(()) => {
            let pid = socket_peercred(&probe).map_or(0, |who| who.pid.as_raw_nonzero().get());
            Err(LiveOwner { pid, path: path.to_owned() }.into())
        }
        Err(Errno::CONNREFUSED) => {
            std::fs::remove_file(path).with_context(|| format!("cannot replace {name}, which is dead"))
        }
        Err(Errno::ACCESS | Errno::PERM) => bail!("{name} belongs to another user"),
        Err(e) => bail!("{name} is a socket of another kind ({e})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn it_is_for_its_user_alone_and_goes_with_the_value() {
        let folder = folder();
        let path = folder.path().join("c");
        let bound = Bound::new(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
        drop(bound);
        assert!(!path.exists());
    }

    #[test]
    fn the_dead_make_way_and_the_living_do_not() {
        let folder = folder();
        let path = folder.path().join("c");
        // Closed and not removed: what a killed process leaves.
        drop(UnixListener::bind(&path).unwrap());
        let bound = Bound::new(&path).unwrap();
        let error = Bound::new(&path).unwrap_err();
        let owner = error.downcast::<LiveOwner>().unwrap();
        assert_eq!(owner, LiveOwner { pid: std::process::id() as i32, path: path.clone() });
        assert!(owner.to_string().contains(&format!("process {}", std::process::id())));
        drop(bound);
    }

    #[test]
    fn what_is_no_socket_stays() {
        let folder = folder();
        let path = folder.path().join("c");
        std::fs::write(&path, "precious").unwrap();
        let error = Bound::new(&path).unwrap_err().to_string();
        assert!(error.contains("no socket"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(folder.path().join("other"), &path).unwrap();
        assert!(Bound::new(&path).unwrap_err().to_string().contains("no socket"));
        let long = folder.path().join("x".repeat(200));
        assert!(Bound::new(&long).unwrap_err().to_string().contains("107 bytes"));
        // Another has taken its place: that one's file stays.
        let path = folder.path().join("d");
        let first = Bound::new(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let second = Bound::new(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }
}
