//! The socket calls, with the numbers of Linux.

use std::net::SocketAddr;
use std::time::Duration;

use ferroflow_stack::instance::Inner;
use ferroflow_stack::sockets::{Closing, Errno, Event, Family, Fd, How, Interest, Ready, Recv, Sockets};

use super::Host;

/// One entry of `poll`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollFd {
    /// The descriptor; a negative one is passed over.
    pub fd: Fd,
    /// What is waited for.
    pub events: i16,
    /// What is the case.
    pub revents: i16,
}

/// Flags of `recv` and `send` that are known here.
pub mod flag {
    /// Leave it in the buffer.
    pub const PEEK: i32 = libc::MSG_PEEK;
    /// Throw it away.
    pub const TRUNC: i32 = libc::MSG_TRUNC;
    /// More will follow: what does not fill a segment can wait.
    pub const MORE: i32 = libc::MSG_MORE;
    /// Urgent.
    pub const OOB: i32 = libc::MSG_OOB;
    /// Do not block, this once.
    pub const DONTWAIT: i32 = libc::MSG_DONTWAIT;
}

/// linux/sockios.h
const SIOCOUTQNSD: u64 = 0x894b;
const SIOCATMARK: u64 = 0x8905;

type Result<T> = std::result::Result<T, Errno>;

impl Host {
    /// Makes a call, and lets the stack do what follows from it at once.
    pub(super) fn call<R>(&mut self, f: impl FnOnce(&mut Sockets, &mut Inner) -> R) -> R {
        let result = self.look(f);
        self.run();
        result
    }

    /// Makes a call that changes nothing below the sockets.
    pub(super) fn look<R>(&mut self, f: impl FnOnce(&mut Sockets, &mut Inner) -> R) -> R {
        self.driven.with(self.now, f)
    }

    /// Whether calls on a descriptor should block: it is open and not in non-blocking mode.
    pub fn blocks(&self, fd: Fd) -> bool {
        let nonblocking = usize::try_from(fd).ok().and_then(|at| self.nonblocking.get(at));
        nonblocking.is_none_or(|on| !on)
    }

    /// Whether a descriptor is open.
    pub fn is_open(&mut self, fd: Fd) -> bool {
        self.look(|sockets, net| sockets.ready(net, fd)) != Ready::NVAL
    }

    /// `socket(2)`
    ///
    /// # Errors
    /// As on Linux; so everywhere here.
    pub fn socket(&mut self, domain: i32, kind: i32, protocol: i32) -> Result<Fd> {
        let family = match domain {
            libc::AF_INET => Family::V4,
            libc::AF_INET6 => Family::V6,
            _ => return Err(Errno::EAFNOSUPPORT),
        };
        if kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) != libc::SOCK_STREAM {
            return Err(Errno::ESOCKTNOSUPPORT);
        }
        if protocol != 0 && protocol != libc::IPPROTO_TCP {
            return Err(Errno::EPROTONOSUPPORT);
        }
        let fd = self.call(|sockets, _| sockets.socket(family))?;
        self.set_nonblocking(fd, kind & libc::SOCK_NONBLOCK != 0);
        Ok(fd)
    }

    /// `bind(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn bind(&mut self, fd: Fd, to: SocketAddr) -> Result<()> {
        self.settle_address(to.ip());
        if !to.ip().is_unspecified() && to.ip() != self.settings.local_ip {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.call(|sockets, net| sockets.bind(net, fd, to))
    }

    /// `listen(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn listen(&mut self, fd: Fd, backlog: i32) -> Result<()> {
        // Linux takes the backlog for unsigned: a negative one is as much as there may be.
        let backlog = usize::try_from(backlog).unwrap_or(usize::MAX);
        self.call(|sockets, net| sockets.listen(net, fd, backlog))
    }

    /// `accept(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn accept(&mut self, fd: Fd) -> Result<(Fd, SocketAddr)> {
        let (new, peer) = self.call(|sockets, net| sockets.accept(net, fd))?;
        self.set_nonblocking(new, false);
        Ok((new, peer))
    }

    /// `connect(2)`. On a descriptor that blocks, `EAGAIN` means that the handshake is under way: to be called again.
    ///
    /// # Errors
    /// As on Linux.
    pub fn connect(&mut self, fd: Fd, to: SocketAddr) -> Result<()> {
        self.fixed = true;
        let blocks = self.blocks(fd);
        match self.call(|sockets, net| sockets.connect(net, fd, to)) {
            Err(Errno::EINPROGRESS | Errno::EALREADY) if blocks => Err(Errno::EAGAIN),
            other => other,
        }
    }

    /// `recv(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn recv(&mut self, fd: Fd, into: &mut [u8], flags: i32) -> Result<usize> {
        if flags & flag::OOB != 0 {
            return Err(Errno::EINVAL); // as with SO_OOBINLINE on Linux
        }
        let how = Recv { peek: flags & flag::PEEK != 0, discard: flags & flag::TRUNC != 0 };
        self.call(|sockets, net| sockets.recv(net, fd, into, how))
    }

    /// `send(2)`: as much as there is room for, on every descriptor. On one that blocks the caller goes on with the rest.
    ///
    /// # Errors
    /// As on Linux.
    pub fn send(&mut self, fd: Fd, data: &[u8], flags: i32) -> Result<usize> {
        if flags & flag::OOB != 0 {
            return self.call(|sockets, net| sockets.send_urgent(net, fd, data));
        }
        let more = flags & flag::MORE != 0;
        self.call(|sockets, net| sockets.send(net, fd, data, more))
    }

    /// `close(2)`. `Some`: SO_LINGER makes the call wait until that is over.
    ///
    /// # Errors
    /// As on Linux.
    pub fn close(&mut self, fd: Fd) -> Result<Option<Closing>> {
        let closing = self.call(|sockets, net| sockets.close_lingering(net, fd))?;
        self.set_nonblocking(fd, false);
        Ok(closing.filter(|closing| !self.is_over(closing)))
    }

    /// Whether a close need not wait any longer.
    pub fn is_over(&mut self, closing: &Closing) -> bool {
        self.look(|_, net| closing.is_over(net))
    }

    /// How long a close may wait (SO_LINGER).
    pub fn linger(&mut self, fd: Fd) -> Option<Duration> {
        self.look(|sockets, _| sockets.options(fd).ok().and_then(|options| options.linger))
    }

    /// `shutdown(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn shutdown(&mut self, fd: Fd, how: i32) -> Result<()> {
        let how = match how {
            libc::SHUT_RD => How::Read,
            libc::SHUT_WR => How::Write,
            libc::SHUT_RDWR => How::Both,
            _ => return Err(Errno::EINVAL),
        };
        self.call(|sockets, net| sockets.shutdown(net, fd, how))
    }

    /// `fcntl(2)`: F_GETFL, F_SETFL, F_GETFD, F_SETFD.
    ///
    /// # Errors
    /// As on Linux.
    pub fn fcntl(&mut self, fd: Fd, command: i32, argument: i32) -> Result<i32> {
        if !self.is_open(fd) {
            return Err(Errno::EBADF);
        }
        match command {
            libc::F_GETFL => Ok(libc::O_RDWR | if self.blocks(fd) { 0 } else { libc::O_NONBLOCK }),
            libc::F_SETFL => {
                self.set_nonblocking(fd, argument & libc::O_NONBLOCK != 0);
                Ok(0)
            }
            libc::F_GETFD | libc::F_SETFD => Ok(0),
            _ => Err(Errno::EINVAL),
        }
    }

    /// `ioctl(2)` with an int: FIONREAD (SIOCINQ), SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK and FIONBIO.
    ///
    /// # Errors
    /// As on Linux.
    pub fn ioctl(&mut self, fd: Fd, request: u64, value: &mut i32) -> Result<()> {
        match request {
            libc::FIONREAD => {
                let n = self.look(|sockets, net| sockets.readable(net, fd))?;
                *value = i32::try_from(n).unwrap_or(i32::MAX);
            }
            // SIOCOUTQ: all that is not acknowledged; SIOCOUTQNSD: all that is not sent
            libc::TIOCOUTQ | SIOCOUTQNSD => {
                let info = self.look(|sockets, net| sockets.tcp_info(net, fd))?;
                let sent = if request == SIOCOUTQNSD { 0 } else { info.unacked_bytes };
                *value = i32::try_from(info.notsent_bytes + sent).unwrap_or(i32::MAX);
            }
            SIOCATMARK => *value = self.look(|sockets, net| sockets.at_mark(net, fd))?.into(),
            libc::FIONBIO => self.set_nonblocking(fd, *value != 0),
            _ => return Err(Errno::ENOTTY),
        }
        Ok(())
    }

    /// `poll(2)`, without waiting: how many entries have something.
    pub fn poll(&mut self, entries: &mut [PollFd]) -> usize {
        let mut n = 0;
        for entry in entries {
            let ready = match entry.fd {
                ..0 => Ready::NONE,
                fd => self.look(|sockets, net| sockets.ready(net, fd)),
            };
            let asked = Ready(u32::from(entry.events as u16)) | Ready::ERR | Ready::HUP | Ready::NVAL;
            entry.revents = (ready & asked).0 as i16;
            n += usize::from(entry.revents != 0);
        }
        n
    }

    /// `epoll_create(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn epoll_create(&mut self, size: i32) -> Result<Fd> {
        if size <= 0 {
            return Err(Errno::EINVAL);
        }
        self.look(|sockets, _| sockets.epoll_create())
    }

    /// `epoll_ctl(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn epoll_ctl(&mut self, epoll: Fd, operation: i32, fd: Fd, events: u32, data: u64) -> Result<()> {
        let interest = Interest::from_bits(events);
        self.look(|sockets, net| match operation {
            libc::EPOLL_CTL_ADD => sockets.epoll_add(net, epoll, fd, interest, data),
            libc::EPOLL_CTL_MOD => sockets.epoll_modify(net, epoll, fd, interest, data),
            libc::EPOLL_CTL_DEL => sockets.epoll_remove(epoll, fd),
            _ => Err(Errno::EINVAL),
        })
    }

    /// `epoll_wait(2)`, without waiting.
    ///
    /// # Errors
    /// As on Linux.
    pub fn epoll_wait(&mut self, epoll: Fd, into: &mut [Event]) -> Result<usize> {
        self.look(|sockets, net| sockets.epoll_wait(net, epoll, into))
    }

    /// `getsockname(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn local_address(&mut self, fd: Fd) -> Result<SocketAddr> {
        self.look(|sockets, _| sockets.local_address(fd))
    }

    /// `getpeername(2)`
    ///
    /// # Errors
    /// As on Linux.
    pub fn peer_address(&mut self, fd: Fd) -> Result<SocketAddr> {
        self.look(|sockets, _| sockets.peer_address(fd))
    }
}
