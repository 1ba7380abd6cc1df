//! Listening sockets: one for each core and port, all in one SO_REUSEPORT group.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use ferroflow_ports::Deaf;
use ferroflow_stack::{Instant, Listen, ListenError};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// The addresses that the cores of one runtime listen on together.
///
/// SO_REUSEPORT alone would let a second process of the same user share the port unnoticed. So the first core to
/// listen on an address takes it alone for a moment, which fails if anyone else has it.
#[derive(Debug, Clone, Default)]
pub struct ListenGroup {
    ours: Arc<Mutex<HashSet<SocketAddr>>>,
    deaf: Option<Deaf>,
}

impl ListenGroup {
    /// A group of its own: share it (clone it) among the cores of one runtime.
    pub fn new() -> ListenGroup {
        ListenGroup::default()
    }

    /// A group whose sockets do not hear what somebody else answers, and so neither answer nor reset it. Ports that they have
    /// listened on once stay theirs, since that goes on.
    pub fn deaf_to(deaf: Deaf) -> ListenGroup {
        ListenGroup { deaf: Some(deaf), ..ListenGroup::default() }
    }

    /// Whether ports that are listened on no more are kept from others.
    pub(super) fn keeps_ports(&self) -> bool {
        self.deaf.is_some()
    }

    pub(super) fn open(&self, at: Listen) -> Result<Socket, ListenError> {
        match at.address {
            Some(ip) => self.open_on(SocketAddr::new(ip, at.port), at),
            None => match self.open_on(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), at.port), at) {
                Err(ListenError::BadAddress(_)) => {
                    self.open_on(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), at.port), at)
                }
                other => other,
            },
        }
    }

    fn open_on(&self, addr: SocketAddr, at: Listen) -> Result<Socket, ListenError> {
        if at.port == 0 {
            return Err(ListenError::BadAddress(addr));
        }
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        let explain = |source: io::Error| match Errno::from_io_error(&source) {
            Some(Errno::ADDRINUSE) => ListenError::InUse(at.port),
            Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT) => ListenError::BadAddress(addr),
            _ => ListenError::Io { port: at.port, source },
        };
        if !ours.contains(&addr) {
            bind(addr, false).map_err(explain)?;
        }
        let socket = bind(addr, true).map_err(explain)?;
        if let Some(deaf) = &self.deaf {
            // Before it listens, so that it never hears what it must not.
            deaf.make(&socket).map_err(explain)?;
        }
        socket.listen(i32::try_from(at.backlog).unwrap_or(i32::MAX)).map_err(explain)?;
        ours.insert(addr);
        Ok(socket)
    }
}

fn bind(addr: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(!addr.ip().is_unspecified())?;
    }
    // Without it, a restart would wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    // Accepted sockets inherit it.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// One listening socket of one core.
#[derive(Debug)]
pub(super) struct Listener {
    pub socket: Socket,
    pub at: Listen,
    /// Whether the service wants connections now; until then they wait in the kernel's queue.
    pub accepting: bool,
    /// Connections may be waiting.
    pub ready: bool,
    /// After the process ran out of descriptors: not before then.
    pub retry: Option<Instant>,
}

/// What one attempt to accept gave.
pub(super) enum Accepted {
    Conn(Socket, SocketAddr),
    /// None is waiting.
    Empty,
    /// That one was lost; there may be others.
    Lost,
    /// Out of descriptors or memory: try again later.
    Exhausted(io::Error),
}

impl Listener {
    /// Whether there may be something to accept now.
    pub fn is_due(&self) -> bool {
        self.ready && self.accepting && self.retry.is_none()
    }

    pub fn accept(&self) -> Accepted {
        use rustix::net::{SocketFlags, acceptfrom_with};
        match acceptfrom_with(&self.socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            Ok((fd, peer)) => conn(fd, peer),
            Err(Errno::AGAIN) => Accepted::Empty,
            Err(e @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                Accepted::Exhausted(e.into())
            }
            // accept(2): errors of the new connection itself are passed on; they are no reason to stop.
            Err(_) => Accepted::Lost,
        }
    }
}

fn conn(fd: OwnedFd, peer: Option<rustix::net::SocketAddrAny>) -> Accepted {
    match peer.and_then(|p| SocketAddr::try_from(p).ok()) {
        Some(peer) => Accepted::Conn(Socket::from(fd), canonical(peer)),
        None => Accepted::Lost,
    }
}

/// An IPv4 peer of a dual-stack socket as the IPv4 address it is.
pub(super) fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, addr.port()),
        IpAddr::V6(_) => addr,
    }
}
