//! The end that goes to a listening one.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::SocketAddrUnix;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use super::ShmError;
use super::area::Area;
use super::hello::{self, Said};
use super::port::ShmPort;
use super::server::{name, socket};
use super::session::Parts;

/// How long the listening program may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Goes to the program that listens at `path`: one port for each of `queues`, in order. When that program ends, the ports
/// say that they are gone.
///
/// # Errors
/// See [`ShmError`]; each says what to do.
pub fn visit(path: &Path, queues: u16) -> Result<Vec<ShmPort>, ShmError> {
    let io = |what| move |source: io::Error| ShmError::Io { path: name(path), what, source };
    let address = SocketAddrUnix::new(path).map_err(|_| ShmError::BadPath(name(path)))?;
    let socket = socket().map_err(|e| io("make a socket for")(e.into()))?;
    rustix::net::connect(&socket, &address).map_err(|e| match e {
        Errno::NOENT | Errno::CONNREFUSED => ShmError::Nobody(name(path)),
        Errno::ACCESS | Errno::PERM => ShmError::NoRights(name(path)),
        Errno::PROTOTYPE => ShmError::Nonsense(name(path)),
        e => io("go to")(e.into()),
    })?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE)).map_err(|e| io("go to")(e.into()))?;
    hello::ask(&socket, queues).map_err(io("ask"))?;
    let (answer, fds) = match hello::answered(&socket).map_err(io("hear from"))? {
        Said::Welcome(answer, fds) if answer.shape.queues()[1] == queues => (answer, fds),
        Said::Refused(why) => return Err(ShmError::Refused { path: name(path), why }),
        Said::Welcome(..) | Said::Nonsense => return Err(ShmError::Nonsense(name(path))),
    };
    let mut fds = fds.into_iter();
    let memory = fds.next().ok_or_else(|| ShmError::Nonsense(name(path)))?;
    let area = Area::open(&memory, answer.shape).map_err(io("use the memory of"))?;
    let theirs = usize::from(answer.shape.queues()[0]);
    let peers = fds.by_ref().take(theirs).collect();
    let parts = Parts { area, end: 1, bells: fds.collect(), peers, key: answer.key, meeting: socket };
    (0..)
        .zip(parts.sessions())
        .map(|(queue, session)| ShmPort::visiting(path, queue, session))
        .collect::<io::Result<_>>()
        .map_err(io("use"))
}
