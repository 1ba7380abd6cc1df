//! The sockets of one core, and what a turn does with them. The service is lent for each call, so that it may be somebody
//! else's as well.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use ferroflow_stack::{Instant, Net, Service};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::{Config, Counters, KernelNet, describe, listener};
use crate::inspect::Figures;

/// A descriptor that only interrupts the sleep.
pub(super) const BELL: Token = Token(usize::MAX);
/// Events taken from the kernel at once.
const EVENTS: usize = 1024;

/// Sockets, and the service's part `C` of each connection.
#[derive(Debug)]
pub(crate) struct Sockets<C> {
    pub(super) net: KernelNet,
    /// By slot.
    pub(super) conns: Vec<Option<C>>,
    poll: Poll,
    pub(super) events: Events,
    /// `events` holds what the last wait brought.
    polled: bool,
    /// What is read, for every connection in turn: room for what one may have kept and for one read.
    pub(super) buf: Box<[u8]>,
}

impl<C> Sockets<C> {
    pub fn new(config: Config) -> io::Result<Sockets<C>> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        Ok(Sockets {
            buf: vec![0; config.kept_bytes_max + config.read_bytes].into_boxed_slice(),
            net: KernelNet::new(config, registry),
            conns: Vec::new(),
            poll,
            events: Events::with_capacity(EVENTS),
            polled: false,
        })
    }

    /// Has [`Sockets::poll`] end when something happens there, edge-triggered. The caller keeps it open.
    pub fn watch(&mut self, fd: impl AsFd) -> io::Result<()> {
        self.poll.registry().register(&mut SourceFd(&fd.as_fd().as_raw_fd()), BELL, Interest::READABLE)
    }

    pub fn counters(&self) -> &Counters {
        &self.net.counters
    }

    /// What a service sees.
    pub fn net_at(&mut self, now: Instant) -> &mut KernelNet {
        self.net.now = now;
        &mut self.net
    }

    /// Sleeps until something happens, at most so long; the next turn sees what.
    pub fn poll(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.net.counters.polls += 1;
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            other => other?,
        }
        self.polled = true;
        Ok(())
    }

    /// Whether a sleep has told what is new.
    pub fn has_been_told(&self) -> bool {
        self.polled
    }

    /// A turn: asks the kernel what has happened, unless a sleep has just told. Returns how much it was.
    pub fn turn<S: Service<Conn = C>>(&mut self, service: &mut S, now: Instant) -> io::Result<usize> {
        if !self.polled {
            self.poll(Some(Duration::ZERO))?;
        }
        Ok(self.turn_without_asking(service, now))
    }

    /// A turn with what is known already.
    pub fn turn_without_asking<S: Service<Conn = C>>(&mut self, service: &mut S, now: Instant) -> usize {
        self.net.now = now;
        self.polled = false;
        let mut handled = self.take_events();
        handled += self.accept(service);
        handled += self.serve(service);
        handled += self.expire(service);
        service.turn(&mut self.net);
        // What the service has resumed, in this turn still.
        handled += self.serve(service);
        self.settle(service);
        handled
    }

    /// Whether the next turn should follow at once.
    pub fn has_work(&self) -> bool {
        let net = &self.net;
        !net.ready.is_empty()
            || !net.dirty.is_empty()
            || !net.ending.is_empty()
            || net.listeners.iter().flatten().any(listener::Listener::is_due)
    }

    /// When a turn is due although nothing happens, as far as the sockets know.
    pub fn next_deadline(&self) -> Option<Instant> {
        let retry = self.net.listeners.iter().flatten().filter_map(|l| l.retry).min();
        self.net.timers.next().into_iter().chain(retry).min()
    }

    /// Resets every connection; one more turn calls the service's last callbacks.
    pub fn abort(&mut self) {
        for id in self.net.table.ids().collect::<Vec<_>>() {
            self.net.abort(id);
        }
    }

    pub fn conns(&self) -> usize {
        self.net.table.len()
    }

    /// Adds what was counted.
    pub fn report(&self, figures: &mut Figures) {
        let counters = &self.net.counters;
        figures.kernel_entries += counters.polls + counters.accepts + counters.reads + counters.writes;
        figures.stack.extend(counters.iter());
    }

    pub fn describe(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = describe::write(&self.net, out);
    }
}
