//! What the service may ask of the kernel's sockets.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnOption, ConnectError, ConnectOptions, Instant, Listen, ListenError,
    Net, NetError, SendRing,
};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::listener::{Listener, canonical};
use super::socket::{End, Fin, Phase, Sock, Table};
use super::timers::Timers;
use super::{Config, Counters, LISTENERS};

/// The connections of one core over the kernel's sockets.
#[derive(Debug)]
pub struct KernelNet {
    pub(super) now: Instant,
    pub(super) config: Config,
    pub(super) registry: Registry,
    pub(super) table: Table,
    /// By token; a place whose listener is gone is used again.
    pub(super) listeners: Vec<Option<Listener>>,
    /// Sockets that listen no more, but keep their ports from others.
    retired: Vec<Socket>,
    pub(super) timers: Timers,
    /// Slots to be served: something to read, to offer, or a handshake's end.
    pub(super) ready: VecDeque<u32>,
    /// Connections to be flushed at the end of the turn.
    pub(super) dirty: Vec<ConnId>,
    /// Connections whose last callback is due.
    pub(super) ending: Vec<ConnId>,
    pub(super) counters: Counters,
    random: u64,
}

impl KernelNet {
    pub(super) fn new(config: Config, registry: Registry) -> KernelNet {
        KernelNet {
            now: Instant::ZERO,
            table: Table::new(config.max_conns),
            random: config.seed,
            config,
            registry,
            listeners: Vec::new(),
            retired: Vec::new(),
            timers: Timers::default(),
            ready: VecDeque::new(),
            dirty: Vec::new(),
            ending: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Puts a socket into the table and watches it. Both directions, edge-triggered, once and for all: the kernel then
    /// tells of room to write only after it had refused some.
    pub(super) fn adopt(&mut self, sock: Sock) -> io::Result<ConnId> {
        let token = Token(self.table.next_id().index());
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut SourceFd(&sock.io.as_raw_fd()), token, interest)?;
        Ok(self.table.insert(sock))
    }

    /// Has the connection served in this turn or the next.
    pub(super) fn enqueue(&mut self, id: ConnId) {
        if let Some(sock) = self.table.get_mut(id)
            && !sock.queued
        {
            sock.queued = true;
            self.ready.push_back(id.index() as u32);
        }
    }

    pub(super) fn mark_dirty(&mut self, id: ConnId) {
        if let Some(sock) = self.table.get_mut(id)
            && !sock.dirty
        {
            sock.dirty = true;
            self.dirty.push(id);
        }
    }

    /// The connection is over; its last callback follows at the end of the turn.
    pub(super) fn end(&mut self, id: ConnId, end: End) {
        if let Some(sock) = self.table.get_mut(id)
            && !matches!(sock.phase, Phase::Ending(_))
        {
            sock.phase = Phase::Ending(end);
            self.ending.push(id);
        }
    }

    /// Sees to it that the heap holds an entry no later than the connection's next deadline.
    pub(super) fn schedule(&mut self, id: ConnId) {
        let Some(sock) = self.table.get_mut(id) else { return };
        let Some(due) = sock.due() else { return };
        if sock.in_heap.is_some_and(|at| at <= due) {
            return;
        }
        sock.in_heap = Some(due);
        self.timers.push(due, id);
        if self.timers.len() > 2 * self.table.len() + 64 {
            let table = &self.table;
            self.timers.retain(|at, id| table.get(id).is_some_and(|s| s.in_heap == Some(at)));
        }
    }

    pub(super) fn set_deadline(&mut self, id: ConnId, after: Duration) {
        let at = self.now + after;
        if let Some(sock) = self.table.get_mut(id) {
            sock.deadline = Some(at);
        }
        self.schedule(id);
    }

    fn dial(&self, to: SocketAddr, local: Option<SocketAddr>) -> io::Result<Socket> {
        let io = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        io.set_tcp_nodelay(true)?;
        if let Some(local) = local {
            if local.port() != 0 {
                io.set_reuse_address(true)?;
            }
            io.bind(&local.into())?;
        }
        Ok(io)
    }
}

/// A conn's local address as the kernel has it, or `or` if it will not say.
pub(super) fn local_address(io: &Socket, or: SocketAddr) -> SocketAddr {
    io.local_addr().ok().and_then(|a| a.as_socket()).map_or(or, canonical)
}

impl Net for KernelNet {
    fn now(&self) -> Instant {
        self.now
    }

    fn random(&mut self) -> u64 {
        // SplitMix64: one addition and three mixing steps, every seed is good.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn listen(&mut self, at: Listen) -> Result<(), ListenError> {
        if self.listeners.iter().flatten().any(|l| l.at.port == at.port && l.at.address == at.address) {
            return Err(ListenError::InUse(at.port));
        }
        let place = match self.listeners.iter().position(Option::is_none) {
            Some(vacant) => vacant,
            None if self.listeners.len() >= self.config.max_listeners => return Err(ListenError::TooMany),
            None => self.listeners.len(),
        };
        let socket = self.config.group.open(at)?;
        let token = Token(LISTENERS + place);
        self.registry
            .register(&mut SourceFd(&socket.as_raw_fd()), token, Interest::READABLE)
            .map_err(|source| ListenError::Io { port: at.port, source })?;
        if place == self.listeners.len() {
            self.listeners.push(None);
        }
        self.listeners[place] = Some(Listener { socket, at, accepting: true, ready: false, retry: None });
        Ok(())
    }

    fn connect(&mut self, to: SocketAddr, options: ConnectOptions) -> Result<ConnId, NetError> {
        if to.port() == 0
            || to.ip().is_unspecified()
            || options.local.is_some_and(|l| l.is_ipv4() != to.is_ipv4())
        {
            return Err(NetError::BadAddress);
        }
        if self.table.is_full() {
            self.counters.table_full += 1;
            return Err(NetError::NoResources);
        }
        let io = self.dial(to, options.local).map_err(|e| match Errno::from_io_error(&e) {
            Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT | Errno::INVAL) => NetError::BadAddress,
            _ => NetError::NoResources,
        })?;
        let failed = match io.connect(&to.into()) {
            Ok(()) => None,
            Err(e) => match Errno::from_io_error(&e) {
                Some(Errno::INPROGRESS | Errno::INTR) => None,
                // connect(2): no free ephemeral port.
                Some(Errno::ADDRNOTAVAIL) => return Err(NetError::NoResources),
                Some(Errno::INVAL | Errno::AFNOSUPPORT | Errno::PERM | Errno::ACCESS) => {
                    return Err(NetError::BadAddress);
                }
                _ => Some(super::socket::connect_error(&e)),
            },
        };
        let unknown = SocketAddr::new(
            if to.is_ipv4() {
                std::net::Ipv4Addr::UNSPECIFIED.into()
            } else {
                std::net::Ipv6Addr::UNSPECIFIED.into()
            },
            0,
        );
        let local = local_address(&io, options.local.unwrap_or(unknown));
        let info = ConnInfo { local, peer: to, token: options.token };
        let sock = Sock::new(io, info, Phase::Connecting, self.config.send_bytes_max);
        let id = self.adopt(sock).map_err(|_| NetError::NoResources)?;
        self.counters.connects += 1;
        match failed {
            Some(error) => self.end(id, End::Failed(error)),
            None => self.set_deadline(id, self.config.connect_timeout),
        }
        Ok(id)
    }

    #[inline]
    fn sender(&mut self, id: ConnId) -> Result<&mut SendRing, NetError> {
        let sock = self.table.get_mut(id).ok_or(NetError::NoConn)?;
        match sock.phase {
            Phase::Ending(_) => return Err(NetError::NoConn),
            Phase::Closing => return Err(NetError::Closing),
            Phase::Connecting | Phase::Open if sock.fin != Fin::Open => return Err(NetError::Closing),
            Phase::Connecting | Phase::Open => {}
        }
        if !sock.dirty {
            sock.dirty = true;
            self.dirty.push(id);
        }
        Ok(&mut sock.ring)
    }

    fn room(&self, id: ConnId) -> usize {
        match self.table.get(id) {
            Some(s) if matches!(s.phase, Phase::Connecting | Phase::Open) && s.fin == Fin::Open => {
                s.ring.room()
            }
            _ => 0,
        }
    }

    fn shutdown(&mut self, id: ConnId) {
        if let Some(sock) = self.table.get_mut(id)
            && sock.fin == Fin::Open
        {
            sock.fin = Fin::Wanted;
            self.mark_dirty(id);
        }
    }

    fn close(&mut self, id: ConnId) {
        let Some(sock) = self.table.get_mut(id) else { return };
        match sock.phase {
            Phase::Connecting => self.end(id, End::Failed(ConnectError::Aborted)),
            Phase::Open => {
                sock.phase = Phase::Closing;
                sock.armed = None;
                self.counters.bytes_discarded += sock.kept.len() as u64;
                sock.kept = Vec::new();
                self.shutdown(id);
                // What the kernel holds for us already is read and thrown away, or it would answer our close with a
                // reset that overtakes our last words.
                if let Some(sock) = self.table.get_mut(id)
                    && sock.readable
                {
                    self.enqueue(id);
                }
                self.mark_dirty(id);
                self.set_deadline(id, self.config.linger);
            }
            Phase::Closing | Phase::Ending(_) => {}
        }
    }

    fn abort(&mut self, id: ConnId) {
        let Some(sock) = self.table.get_mut(id) else { return };
        match sock.phase {
            Phase::Connecting => self.end(id, End::Failed(ConnectError::Aborted)),
            Phase::Open | Phase::Closing => {
                reset(&sock.io);
                self.end(id, End::Closed(CloseReason::Aborted));
            }
            Phase::Ending(_) => {}
        }
    }

    fn resume(&mut self, id: ConnId) {
        if let Some(sock) = self.table.get_mut(id)
            && sock.phase == Phase::Open
        {
            sock.offer = true;
            self.enqueue(id);
        }
    }

    fn unread(&self, id: ConnId) -> (&[u8], &[u8]) {
        self.table.get(id).map_or((&[], &[]), |sock| (&sock.kept, &[]))
    }

    fn take(&mut self, id: ConnId, n: usize) {
        let Some(sock) = self.table.get_mut(id) else { return };
        let n = n.min(sock.kept.len());
        sock.kept.drain(..n);
        // There is room to read again, and the peer's end may be due.
        if n > 0 {
            self.enqueue(id);
        }
    }

    fn unlisten(&mut self, port: u16) {
        for place in &mut self.listeners {
            let Some(listener) = place.take_if(|listener| listener.at.port == port) else { continue };
            if self.config.group.keeps_ports() {
                // A listening socket stays bound after this, and refuses who comes. It is still watched, without news.
                let _ = listener.socket.shutdown(std::net::Shutdown::Read);
                self.retired.push(listener.socket);
            }
            // Otherwise closing the socket ends its registration.
        }
    }

    fn set_accepting(&mut self, port: u16, accepting: bool) {
        for listener in self.listeners.iter_mut().flatten().filter(|listener| listener.at.port == port) {
            listener.accepting = accepting;
        }
    }

    fn arm(&mut self, id: ConnId, at: Option<Instant>) {
        if let Some(sock) = self.table.get_mut(id)
            && matches!(sock.phase, Phase::Open | Phase::Connecting)
        {
            sock.armed = at;
            self.schedule(id);
        }
    }

    fn set_option(&mut self, id: ConnId, option: ConnOption) -> Result<(), NetError> {
        let sock = self.table.get(id).ok_or(NetError::NoConn)?;
        let keepalive = TcpKeepalive::new();
        let done = match option {
            ConnOption::NoDelay(on) => sock.io.set_tcp_nodelay(on),
            ConnOption::Cork(on) => sock.io.set_tcp_cork(on),
            ConnOption::QuickAck(on) => sock.io.set_tcp_quickack(on),
            ConnOption::Keepalive(on) => sock.io.set_keepalive(on),
            // These three switch it on as well.
            ConnOption::KeepaliveIdle(time) => sock.io.set_tcp_keepalive(&keepalive.with_time(time)),
            ConnOption::KeepaliveInterval(time) => sock.io.set_tcp_keepalive(&keepalive.with_interval(time)),
            ConnOption::KeepaliveProbes(count) => sock.io.set_tcp_keepalive(&keepalive.with_retries(count)),
            ConnOption::SendBuffer(bytes) => sock.io.set_send_buffer_size(bytes),
            ConnOption::RecvBuffer(bytes) => sock.io.set_recv_buffer_size(bytes),
            ConnOption::MaxSegment(bytes) => sock.io.set_tcp_mss(bytes.into()),
            ConnOption::UserTimeout(time) => sock.io.set_tcp_user_timeout(Some(time)),
            ConnOption::Congestion(algorithm) => sock.io.set_tcp_congestion(algorithm.name().as_bytes()),
            ConnOption::DiffServ(field) => sock.io.set_tos_v4(field.into()),
            ConnOption::TimeToLive(ttl) => sock.io.set_ttl_v4(ttl.max(1).into()),
            _ => return Err(NetError::Unsupported),
        };
        done.map_err(|_| NetError::Unsupported)
    }

    fn info(&self, id: ConnId) -> Option<ConnInfo> {
        self.table.get(id).map(|s| s.info)
    }
}

/// Makes the coming close of the descriptor a reset (RFC 9293 3.10.5, ABORT).
pub(super) fn reset(io: &Socket) {
    // It fails only where the connection is gone already.
    let _ = io.set_linger(Some(Duration::ZERO));
}
