//! A stack instance on a port, as a core's engine.

use std::fmt::Write as _;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use ferroflow_stack::port::{Interest, Port, PortError};
use ferroflow_stack::{Instance, Instant, Service};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::engine::{Engine, Turn};
use crate::inspect::Figures;
use crate::wake::Waker;

/// How long to sleep at most on a port that cannot wake anyone.
const POLL_EVERY: Duration = Duration::from_micros(50);

/// A stack instance, and what its core sleeps on.
pub struct PortEngine<P: Port, S: Service> {
    instance: Instance<P, S>,
    epoll: OwnedFd,
    events: Vec<Event>,
    /// What of the port is being watched.
    watched: Option<(RawFd, Interest)>,
    /// Calls of `epoll_wait`.
    waits: u64,
    /// Keeps the registered descriptor open.
    _waker: Waker,
}

impl<P: Port, S: Service> PortEngine<P, S> {
    /// An engine that `waker` interrupts.
    ///
    /// # Errors
    /// When the kernel has no descriptor left.
    pub fn new(instance: Instance<P, S>, waker: Waker) -> io::Result<PortEngine<P, S>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        if let Some(fd) = waker.fd() {
            // Edge-triggered: every write to it is an event, and it is never read.
            epoll::add(&epoll, fd, EventData::new_u64(0), EventFlags::IN | EventFlags::ET)?;
        }
        Ok(PortEngine {
            instance,
            epoll,
            events: Vec::with_capacity(4),
            watched: None,
            waits: 0,
            _waker: waker,
        })
    }

    /// The instance.
    pub fn instance(&self) -> &Instance<P, S> {
        &self.instance
    }

    /// The instance, to be changed between turns.
    pub fn instance_mut(&mut self) -> &mut Instance<P, S> {
        &mut self.instance
    }

    /// The instance, at the end.
    pub fn into_instance(self) -> Instance<P, S> {
        self.instance
    }

    /// Has something of the service's watch what this engine sleeps on: the core then sleeps there instead, after
    /// [`PortEngine::prepare_sleep`].
    pub(crate) fn sleep_with(
        &mut self,
        watch: impl FnOnce(&mut S, BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        watch(self.instance.service_mut(), self.epoll.as_fd())
    }

    /// Watches the port. Returns how long the core may sleep.
    pub(crate) fn prepare_sleep(&mut self, timeout: Option<Duration>) -> io::Result<Option<Duration>> {
        Ok(match (self.watch()?, timeout) {
            (true, timeout) => timeout,
            (false, timeout) => Some(timeout.map_or(POLL_EVERY, |t| t.min(POLL_EVERY))),
        })
    }

    /// Watches what the port wants to be watched. Returns whether there is anything.
    fn watch(&mut self) -> io::Result<bool> {
        let Some((fd, interest)) = self.instance.port().wait() else { return Ok(false) };
        let raw = fd.as_fd().as_raw_fd();
        if self.watched != Some((raw, interest)) {
            let flags = match interest {
                Interest::Readable => EventFlags::IN,
                Interest::Both => EventFlags::IN | EventFlags::OUT,
            };
            let data = EventData::new_u64(1);
            match self.watched {
                Some((old, _)) if old == raw => epoll::modify(&self.epoll, fd, data, flags)?,
                _ => epoll::add(&self.epoll, fd, data, flags)?,
            }
            self.watched = Some((raw, interest));
        }
        Ok(true)
    }
}

impl<P: Port, S: Service> Engine for PortEngine<P, S> {
    fn start(&mut self, now: Instant) {
        self.instance.start(now);
    }

    fn turn(&mut self, now: Instant) -> Result<Turn, PortError> {
        let turn = self.instance.turn(now)?;
        Ok(Turn { handled: turn.frames, more: turn.more, next: turn.next })
    }

    fn prepare_wait(&mut self) -> bool {
        self.instance.port_mut().prepare_wait()
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = self.prepare_sleep(timeout)?;
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: t.subsec_nanos().into(),
        });
        self.events.clear();
        self.waits += 1;
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    fn stop(&mut self, now: Instant) {
        self.instance.stop(now);
    }

    fn abort(&mut self) {
        self.instance.abort_all();
    }

    fn conns(&self) -> usize {
        self.instance.conns()
    }

    fn describe(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = write!(out, "{}", self.instance.dump());
    }

    fn report(&self, figures: &mut Figures) {
        let (port, service) = (self.instance.port(), self.instance.service());
        figures.kernel_entries = self.waits + port.kernel_entries();
        figures.stack.extend(self.instance.counters().iter());
        port.report(&mut |name, value| figures.port.push((name, value)));
        service.report(&mut |name, value| figures.service.push((name, value)));
    }
}
