//! The listening end: a thread that lets programs in, one at a time, and hands each queue its part.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, socketpair,
};

use super::area::{Area, Shape};
use super::hello::{self, Answer};
use super::port::ShmPort;
use super::session::{Parts, Session};
use super::{ShmConfig, ShmError};

/// How long a program that has come may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(1);
/// Programs that may wait at the socket.
const BACKLOG: i32 = 16;

/// Listens at `path`: one port for each of `config.queues`, in order. The socket is for this user alone (mode 0600); it
/// goes away with the last port. A socket there that nobody listens at any more is replaced.
///
/// # Errors
/// See [`ShmError`]; each says what to do.
pub fn listen(path: &Path, config: &ShmConfig) -> Result<Vec<ShmPort>, ShmError> {
    let bad = || ShmError::BadShape(config.queues, config.slots, config.mtu);
    let shape = Shape::new([config.queues, 1], config.slots, config.mtu).ok_or_else(bad)?;
    let io = |what| move |source: io::Error| ShmError::Io { path: name(path), what, source };
    let socket = bind(path)?;
    let visitors = (0..config.queues).map(|_| Visitors::new().map(Arc::new));
    let visitors: Vec<_> = visitors.collect::<io::Result<_>>().map_err(io("listen at"))?;
    let door = Door { socket, path: path.to_owned(), config: config.clone(), visitors: visitors.clone() };
    let server = Arc::new(Server::start(door).map_err(io("listen at"))?);
    (0..)
        .zip(visitors)
        .map(|(queue, visitors)| ShmPort::listening(path, queue, &shape, visitors, server.clone()))
        .collect::<io::Result<_>>()
        .map_err(io("listen at"))
}

pub(super) fn name(path: &Path) -> String {
    path.display().to_string()
}

/// A socket that keeps messages apart.
pub(super) fn socket() -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

fn bind(path: &Path) -> Result<OwnedFd, ShmError> {
    let io = |what| move |e: Errno| ShmError::Io { path: name(path), what, source: e.into() };
    let address = SocketAddrUnix::new(path).map_err(|_| ShmError::BadPath(name(path)))?;
    let socket = socket().map_err(io("make the socket"))?;
    // Before it has a name, so that there is no moment at which others may come: the name gets the socket's mode.
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(io("set the mode of"))?;
    match rustix::net::bind(&socket, &address) {
        Err(Errno::ADDRINUSE) => {
            make_way(path, &address)?;
            rustix::net::bind(&socket, &address)
        }
        result => result,
    }
    .map_err(|e| match e {
        Errno::ACCESS | Errno::PERM => ShmError::NoRights(name(path)),
        Errno::ADDRINUSE => ShmError::InUse(name(path)),
        e => io("listen at")(e),
    })?;
    rustix::net::listen(&socket, BACKLOG).map_err(io("listen at"))?;
    Ok(socket)
}

/// Removes a socket that nobody listens at.
fn make_way(path: &Path, address: &SocketAddrUnix) -> Result<(), ShmError> {
    let io = |source: io::Error| ShmError::Io { path: name(path), what: "replace", source };
    let probe = socket().map_err(|e| io(e.into()))?;
    match rustix::net::connect(&probe, address) {
        Ok(()) => Err(ShmError::InUse(name(path))),
        Err(Errno::CONNREFUSED) if is_socket(path) => std::fs::remove_file(path).map_err(io),
        Err(Errno::ACCESS | Errno::PERM) => Err(ShmError::NoRights(name(path))),
        Err(_) => Err(ShmError::NotOurs(name(path))),
    }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.symlink_metadata().is_ok_and(|about| about.file_type().is_socket())
}

/// Where the thread leaves one queue's part of a new pair.
#[derive(Debug)]
pub(super) struct Visitors {
    /// Readable while a part waits.
    fd: OwnedFd,
    waiting: AtomicBool,
    next: Mutex<Option<Session>>,
}

impl Visitors {
    fn new() -> io::Result<Visitors> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Visitors { fd, waiting: AtomicBool::new(false), next: Mutex::new(None) })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn put(&self, session: Session) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        self.waiting.store(true, Ordering::Release);
        // It can fail only when it is readable already.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }

    /// Whether a part waits: one load.
    #[inline]
    pub fn has_next(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// The part that waits.
    #[cold]
    pub fn take(&self) -> Option<Session> {
        self.waiting.store(false, Ordering::Relaxed);
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The thread that listens, ended with this value.
#[derive(Debug)]
pub(super) struct Server {
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    /// Which file the socket's name is: another may have taken its place.
    inode: Option<(u64, u64)>,
}

impl Server {
    fn start(door: Door) -> io::Result<Server> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let stopped = stop.try_clone()?;
        let path = door.path.clone();
        let inode = path.symlink_metadata().ok().map(|about| (about.dev(), about.ino()));
        let thread = std::thread::Builder::new().name("shm".to_owned()).spawn(move || door.keep(&stopped))?;
        Ok(Server { stop, thread: Some(thread), path, inode })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let still = self.path.symlink_metadata().ok().map(|about| (about.dev(), about.ino()));
        if still.is_some() && still == self.inode {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What the thread has.
struct Door {
    socket: OwnedFd,
    path: PathBuf,
    config: ShmConfig,
    visitors: Vec<Arc<Visitors>>,
}

impl Door {
    /// Lets programs in until it is told to stop.
    fn keep(&self, stop: &OwnedFd) {
        let mut visitor: Option<OwnedFd> = None;
        loop {
            let watched = [Some(stop), Some(&self.socket), visitor.as_ref()];
            let mut fds: Vec<_> =
                watched.into_iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return tracing::error!("nobody can come to {} any more: {error}", self.name()),
            }
            let ready: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            if ready[0] {
                return;
            }
            // Whoever has gone first makes room for whoever has come.
            if ready.get(2) == Some(&true) && visitor.as_ref().is_some_and(has_left) {
                tracing::info!("{}: the other program has gone", self.name());
                visitor = None;
            }
            if ready[1] {
                self.open(&mut visitor);
            }
        }
    }

    fn name(&self) -> String {
        format!("shm:{}", self.path.display())
    }

    fn open(&self, visitor: &mut Option<OwnedFd>) {
        let Ok(socket) = accept_with(&self.socket, SocketFlags::CLOEXEC) else { return };
        match self.greet(socket, visitor.is_some()) {
            Ok(Ok(socket)) => *visitor = Some(socket),
            Ok(Err(why)) => tracing::warn!("{}: somebody was refused: {why}", self.name()),
            Err(error) => tracing::warn!("{}: somebody came and could not stay: {error}", self.name()),
        }
    }

    /// Gives whoever has come its end of a new pair, or the reason why not.
    fn greet(&self, socket: OwnedFd, occupied: bool) -> io::Result<Result<OwnedFd, String>> {
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
        let Some(theirs) = hello::asked(&socket)? else {
            let why = "it speaks another version of this protocol".to_owned();
            hello::refuse(&socket, &why)?;
            return Ok(Err(why));
        };
        if occupied {
            let why = "another program is attached; one at a time".to_owned();
            hello::refuse(&socket, &why)?;
            return Ok(Err(why));
        }
        let ours = self.config.queues;
        let Some(shape) = Shape::new([ours, theirs], self.config.slots, self.config.mtu) else {
            let why = format!("{theirs} queues are too many, or too few");
            hello::refuse(&socket, &why)?;
            return Ok(Err(why));
        };
        let who = socket_peercred(&socket)?;
        self.pair(&socket, shape)?;
        tracing::info!(
            "{}: process {} is attached, with {theirs} queues",
            self.name(),
            who.pid.as_raw_nonzero()
        );
        Ok(Ok(socket))
    }

    fn pair(&self, socket: &OwnedFd, shape: Shape) -> io::Result<()> {
        let (area, memory) = Area::create(shape)?;
        let [ours, theirs] = shape.queues();
        let (our_bells, ring_us) = bells(ours)?;
        let (their_bells, ring_them) = bells(theirs)?;
        let fds: Vec<_> =
            std::iter::once(&memory).chain(&ring_us).chain(&their_bells).map(AsFd::as_fd).collect();
        hello::welcome(socket, &Answer { shape, key: self.config.key }, &fds)?;
        let meeting = socket.try_clone()?;
        let parts = Parts { area, end: 0, bells: our_bells, peers: ring_them, key: self.config.key, meeting };
        for (visitors, session) in self.visitors.iter().zip(parts.sessions()) {
            visitors.put(session);
        }
        Ok(())
    }
}

/// For each queue what it sleeps on, and what wakes it.
fn bells(queues: u16) -> io::Result<(Vec<OwnedFd>, Vec<OwnedFd>)> {
    let pair = |_| Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?);
    Ok((0..queues).map(pair).collect::<io::Result<Vec<_>>>()?.into_iter().unzip())
}

/// Whether whoever has come has hung up. It has nothing more to say: what it says is thrown away.
fn has_left(socket: &OwnedFd) -> bool {
    !matches!(
        rustix::net::recv(socket, &mut [0; 64], RecvFlags::DONTWAIT),
        Ok((_, 1..)) | Err(Errno::AGAIN | Errno::INTR)
    )
}
