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
mod sockets;
mod timers;

use std::io;
use std::time::Duration;

use ferroflow_stack::port::PortError;
use ferroflow_stack::{Instant, Service};

use crate::engine::{Engine, Turn};
use crate::inspect::Figures;
use crate::wake::Waker;

pub use listener::ListenGroup;
pub use net::KernelNet;
pub(crate) use sockets::Sockets;

/// Tokens from here on are listeners; below are slots of connections.
const LISTENERS: usize = 1 << 31;

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
    sockets: Sockets<S::Conn>,
    /// Must outlive its registration.
    waker: Waker,
}

impl<S: Service> Kernel<S> {
    /// An engine that `waker` interrupts.
    ///
    /// # Errors
    /// When the kernel has no descriptor left.
    pub fn new(config: Config, waker: Waker, service: S) -> io::Result<Kernel<S>> {
        let mut sockets = Sockets::new(config)?;
        if let Some(fd) = waker.fd() {
            sockets.watch(fd)?;
        }
        Ok(Kernel { service, sockets, waker })
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
        self.sockets.counters()
    }

    /// The service and what happened. Connections still open are dropped.
    pub fn into_parts(self) -> (S, Counters) {
        (self.service, *self.sockets.counters())
    }

    /// The waker it was made with.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }
}

impl<S: Service> Engine for Kernel<S> {
    fn start(&mut self, now: Instant) {
        self.service.start(self.sockets.net_at(now));
    }

    fn turn(&mut self, now: Instant) -> Result<Turn, PortError> {
        let handled = self.sockets.turn(&mut self.service, now)?;
        let next = [self.sockets.next_deadline(), self.service.deadline()].into_iter().flatten().min();
        Ok(Turn { handled, more: self.sockets.has_work(), next })
    }

    fn prepare_wait(&mut self) -> bool {
        true
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sockets.poll(timeout)
    }

    fn stop(&mut self, now: Instant) {
        let net = self.sockets.net_at(now);
        net.listeners.clear();
        self.service.stop(net);
    }

    fn abort(&mut self) {
        self.sockets.abort();
    }

    fn conns(&self) -> usize {
        self.sockets.conns()
    }

    fn describe(&self, out: &mut String) {
        self.sockets.describe(out);
    }

    fn report(&self, figures: &mut Figures) {
        self.sockets.report(figures);
        self.service.report(&mut |name, value| figures.service.push((name, value)));
    }
}
