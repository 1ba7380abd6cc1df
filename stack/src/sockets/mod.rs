//! Sockets by number, and waiting for what they are ready for: the interface that programs written for `epoll` know.
//!
//! [`Sockets`] is a [`Service`](crate::Service) like any other, so it runs wherever services run: on an [`Instance`](crate::Instance),
//! on the kernel's sockets, in the simulator. It answers every callback by noting what a socket has become ready for, and
//! takes no bytes: they wait in the stack's own buffer, closing the window, until [`Sockets::recv`] takes them. No call ever
//! blocks. Errors are Linux's, in number and in meaning ([`Errno`]).
//!
//! Whoever has the sockets and the [`Net`] below them may make calls:
//! * a [`Program`] within a [`Hosted`] service, once per turn, on any core of the runtime;
//! * the owner of a [`Driven`] instance, which has no thread: waiting itself drives the instance's turns;
//! * anyone with an instance, by [`Instance::with`](crate::Instance::with).
//!
//! An event allocates nothing; what is open, what waits for `accept` and what is unread are bounded.

mod calls;
mod connect;
mod driven;
mod epoll;
mod errno;
mod files;
mod io;
mod linger;
mod listen;
mod options;
mod program;
mod ready;
mod service;
mod slab;
mod socket;

use std::collections::HashMap;

pub use calls::How;
pub use driven::{Clock, Driven, WaitError};
pub use epoll::{Event, Interest};
pub use errno::Errno;
pub use files::{FIRST_FD, Fd};
pub use io::Recv;
pub use linger::Closing;
pub use options::{Options, SocketOption};
pub use program::{Hosted, Program};
pub use ready::Ready;
pub use socket::Family;

use epoll::Sets;
use files::{File, Files};
use slab::Slab;
use socket::Socket;

use crate::net::Net;

/// Bounds of one core's sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most sockets and epoll sets open at once (RLIMIT_NOFILE).
    pub max_files: usize,
    /// Longest queue of a listener, whatever it asks for (net.core.somaxconn).
    pub max_backlog: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_files: 1 << 20, max_backlog: 4096 }
    }
}

/// The sockets of one core.
#[derive(Debug)]
pub struct Sockets {
    limits: Limits,
    files: Files,
    sockets: Slab<Socket>,
    sets: Sets,
    /// The socket of an open under way, by the connection's slot.
    opening: Vec<u32>,
    /// Which sockets have bound a port.
    bound: HashMap<u16, Vec<u32>>,
    /// Something watched has changed since [`Sockets::take_news`].
    news: bool,
}

impl Default for Sockets {
    fn default() -> Sockets {
        Sockets::new(Limits::default())
    }
}

impl Sockets {
    /// None are open.
    pub fn new(limits: Limits) -> Sockets {
        Sockets {
            limits,
            files: Files::new(limits.max_files),
            sockets: Slab::default(),
            sets: Sets::default(),
            opening: Vec::new(),
            bound: HashMap::new(),
            news: false,
        }
    }

    /// Sockets in use, those that wait for `accept` included.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Whether no socket is in use.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether anything that an epoll set watches has changed since the last call.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    fn slot(&self, fd: Fd) -> Result<u32, Errno> {
        match self.files.get(fd)? {
            File::Socket(slot) => Ok(slot),
            File::Epoll(_) => Err(Errno::ENOTSOCK),
        }
    }

    fn socket_ref(&self, fd: Fd) -> Result<&Socket, Errno> {
        self.sockets.get(self.slot(fd)?).ok_or(Errno::EBADF)
    }

    fn socket_mut(&mut self, fd: Fd) -> Result<&mut Socket, Errno> {
        let slot = self.slot(fd)?;
        self.sockets.get_mut(slot).ok_or(Errno::EBADF)
    }

    /// Changes a socket's state, and tells who watches it what it has become ready for by that.
    fn change<N: Net>(&mut self, net: &mut N, slot: u32, f: impl FnOnce(&mut Socket, &mut N)) {
        let Some(socket) = self.sockets.get_mut(slot) else { return };
        let before = socket.ready(net);
        f(socket, net);
        let risen = socket.ready(net).without(before);
        self.wake(slot, risen);
    }

    /// Tells who watches the socket that `what` has changed.
    fn wake(&mut self, slot: u32, what: Ready) {
        if let Some(socket) = self.sockets.get(slot) {
            self.news |= self.sets.wake(socket.items, what);
        }
    }
}
