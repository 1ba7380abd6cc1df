//! The same [`Service`] over the kernel's own sockets: one instance for each core.
//!
//! A turn costs one `epoll_wait`, one `recv` for each connection that has something, and one `send` for each that
//! has something to say. Sockets are watched edge-triggered in both directions from the beginning, so nothing is ever
//! registered again; a short read or write says that the kernel has no more, and is not asked twice.

mod describe;
mod listener;
mod net;
mod serve;
mod socket;
mod timers;

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use ferroflow_stack::port::PortError;
use ferroflow_stack::{Instant, Net, Service};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::engine::{Engine, Turn};
use crate::inspect::Figures;
use crate::wake::Waker;

pub use listener::ListenGroup;
pub use net::KernelNet;

/// Tokens from here on are listeners; below are slots of connections.
const LISTENERS: usize = 1 << 31;
/// The waker's descriptor.
const WAKER: Token = Token(usize::MAX);
/// Events taken from the kernel at once.
const EVENTS: usize = 1024;

/// How a core uses the kernel's sockets.
#[derive(Debug, Clone)]
pub struct Config {
    /// Most connections at once; more are refused (and counted).
    pub max_conns: usize,
    /// Most listeners.
    pub max_listeners: usize,
    /// Most bytes that wait in one connection's send ring.
    pub send_bytes_max: usize,
    /// Most bytes read from one connection in one go.
    pub read_bytes: usize,
    /// A connection of which this many bytes are kept untaken is not read from until the service takes some.
    pub kept_bytes_max: usize,
    /// Most connections accepted from one listener in one turn.
    pub accepts_per_turn: usize,
    /// How long an active open may take.
    pub connect_timeout: Duration,
    /// How long a closed connection may take to send its rest and to see the peer's end.
    pub linger: Duration,
    /// Entropy for [`ferroflow_stack::Net::random`].
    pub seed: u64,
    /// Shared by the cores of one runtime.
    pub group: ListenGroup,
}

impl Config {
    /// The defaults, for the cores that share `group`.
    pub fn new(group: ListenGroup, seed: u64) -> Config {
        Config {
            max_conns: 100_000,
            max_listeners: 64,
            send_bytes_max: 1 << 20,
            read_bytes: 64 << 10,
            kept_bytes_max: 128 << 10,
            accepts_per_turn: 64,
            connect_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(5),
            seed,
            group,
        }
    }
}

/// What happened on one core's sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that the service refused.
    pub refused: u64,
    /// Connections refused because the table was full.
    pub table_full: u64,
    /// Connections lost while they were accepted.
    pub accept_lost: u64,
    /// Times that accepting stopped for want of descriptors or memory.
    pub accept_exhausted: u64,
    /// Active opens.
    pub connects: u64,
    /// Active opens that failed.
    pub connects_failed: u64,
    /// Connections that ended, in whatever way.
    pub closed: u64,
    /// Connections whose close took longer than [`Config::linger`].
    pub lingered: u64,
    /// Calls of `recv`.
    pub reads: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Calls of `send`.
    pub writes: u64,
    /// Bytes that the kernel took.
    pub bytes_out: u64,
    /// Times that the kernel's send buffer was full.
    pub blocked: u64,
    /// Times that reading stopped because the service did not take what was kept.
    pub kept_full: u64,
    /// Bytes thrown away because they arrived on a closed connection.
    pub bytes_discarded: u64,
    /// Calls of `accept4`.
    pub accepts: u64,
    /// Calls of `epoll_wait`.
    pub polls: u64,
}

impl Counters {
    /// Every counter with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("accepted", self.accepted),
            ("refused", self.refused),
            ("table_full", self.table_full),
            ("accept_lost", self.accept_lost),
            ("accept_exhausted", self.accept_exhausted),
            ("connects", self.connects),
            ("connects_failed", self.connects_failed),
            ("closed", self.closed),
            ("lingered", self.lingered),
            ("reads", self.reads),
            ("bytes_in", self.bytes_in),
            ("writes", self.writes),
            ("bytes_out", self.bytes_out),
            ("blocked", self.blocked),
            ("kept_full", self.kept_full),
            ("bytes_discarded", self.bytes_discarded),
            ("accepts", self.accepts),
            ("polls", self.polls),
        ]
        .into_iter()
    }
}

/// A service on the kernel's sockets.
#[derive(Debug)]
pub struct Kernel<S: Service> {
    service: S,
    net: KernelNet,
    /// The service's part of each connection, by slot.
    conns: Vec<Option<S::Conn>>,
    poll: Poll,
    events: Events,
    /// `events` holds what the last wait brought.
    polled: bool,
    /// What is read, for every connection in turn: room for what one may have kept and for one read.
    buf: Box<[u8]>,
    /// Must outlive its registration.
    waker: Waker,
}

impl<S: Service> Kernel<S> {
    /// An engine that `waker` interrupts.
    ///
    /// # Errors
    /// When the kernel has no descriptor left.
    pub fn new(config: Config, waker: Waker, service: S) -> io::Result<Kernel<S>> {
        let poll = Poll::new()?;
        if let Some(fd) = waker.fd() {
            poll.registry().register(&mut SourceFd(&fd.as_raw_fd()), WAKER, Interest::READABLE)?;
        }
        let registry = poll.registry().try_clone()?;
        Ok(Kernel {
            service,
            buf: vec![0; config.kept_bytes_max + config.read_bytes].into_boxed_slice(),
            net: KernelNet::new(config, registry),
            conns: Vec::new(),
            poll,
            events: Events::with_capacity(EVENTS),
            polled: false,
            waker,
        })
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The service, to be changed between turns.
    pub fn service_mut(&mut self) -> &mut S {
        &mut self.service
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.net.counters
    }

    /// The service and what happened. Connections still open are dropped.
    pub fn into_parts(self) -> (S, Counters) {
        (self.service, self.net.counters)
    }

    /// The waker it was made with.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    fn poll(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.net.counters.polls += 1;
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            other => other?,
        }
        self.polled = true;
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let retry = self.net.listeners.iter().flatten().filter_map(|l| l.retry).min();
        [self.net.timers.next(), self.service.deadline(), retry].into_iter().flatten().min()
    }
}

impl<S: Service> Engine for Kernel<S> {
    fn start(&mut self, now: Instant) {
        self.net.now = now;
        self.service.start(&mut self.net);
    }

    fn turn(&mut self, now: Instant) -> Result<Turn, PortError> {
        self.net.now = now;
        if !self.polled {
            self.poll(Some(Duration::ZERO))?;
        }
        self.polled = false;
        let mut handled = self.take_events();
        handled += self.accept();
        handled += self.serve();
        handled += self.expire();
        self.service.turn(&mut self.net);
        // What the service has resumed, in this turn still.
        handled += self.serve();
        self.settle();
        let net = &self.net;
        let more = !net.ready.is_empty()
            || !net.dirty.is_empty()
            || !net.ending.is_empty()
            || net.listeners.iter().flatten().any(listener::Listener::is_due);
        Ok(Turn { handled, more, next: self.next_deadline() })
    }

    fn prepare_wait(&mut self) -> bool {
        true
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.poll(timeout)
    }

    fn stop(&mut self, now: Instant) {
        self.net.now = now;
        self.net.listeners.clear();
        self.service.stop(&mut self.net);
    }

    fn abort(&mut self) {
        for id in self.net.table.ids().collect::<Vec<_>>() {
            self.net.abort(id);
        }
    }

    fn conns(&self) -> usize {
        self.net.table.len()
    }

    fn describe(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = describe::write(&self.net, out);
    }

    fn report(&self, figures: &mut Figures) {
        let counters = &self.net.counters;
        figures.kernel_entries = counters.polls + counters.accepts + counters.reads + counters.writes;
        figures.stack.extend(counters.iter());
        self.service.report(&mut |name, value| figures.service.push((name, value)));
    }
}
