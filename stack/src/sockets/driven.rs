//! Sockets without a thread: waiting drives the instance.

use super::{Errno, Event, Fd, Sockets};
use crate::config::Config;
use crate::instance::{Inner, Instance, Turn};
use crate::port::{Port, PortError};
use crate::time::Instant;

/// The time, and how to let it pass.
pub trait Clock<P> {
    /// The time now.
    fn now(&mut self) -> Instant;

    /// Returns when `port` may have received something, or at `until`, or earlier. A test lets virtual time pass instead.
    fn sleep(&mut self, port: &mut P, until: Option<Instant>);
}

/// An instance and its sockets, owned by whoever makes the calls.
pub struct Driven<P: Port> {
    instance: Instance<P, Sockets>,
}

impl<P: Port> Driven<P> {
    /// An instance at `now`.
    pub fn new(config: Config, port: P, sockets: Sockets, now: Instant) -> Driven<P> {
        let mut instance = Instance::new(config, port, sockets);
        instance.start(now);
        Driven { instance }
    }

    /// Makes calls at `now`: `f` gets the sockets and what most of their methods take first. What they wrote is sent by the
    /// next turn.
    pub fn with<R>(&mut self, now: Instant, f: impl FnOnce(&mut Sockets, &mut Inner) -> R) -> R {
        self.instance.set_now(now);
        self.instance.with(f)
    }

    /// One turn of the instance.
    ///
    /// # Errors
    /// When the port cannot go on.
    pub fn turn(&mut self, now: Instant) -> Result<Turn, PortError> {
        self.instance.turn(now)
    }

    /// Waits for reports of an epoll set, driving the instance meanwhile; returns how many there are: 0 if there were none
    /// by `until` (`None` = for ever). There is always one turn at least, so what was written before is sent.
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait(
        &mut self,
        epoll: Fd,
        out: &mut [Event],
        until: Option<Instant>,
        clock: &mut impl Clock<P>,
    ) -> Result<usize, WaitError> {
        loop {
            let now = clock.now();
            let turn = self.instance.turn(now)?;
            let n = self.instance.with(|sockets, net| sockets.epoll_wait(net, epoll, out))?;
            if n > 0 || until.is_some_and(|until| until <= now) {
                return Ok(n);
            }
            if !turn.more {
                let next = [until, turn.next].into_iter().flatten().min();
                clock.sleep(self.instance.port_mut(), next);
            }
        }
    }

    /// Closes a descriptor. If SO_LINGER has a time, drives the instance until the peer has everything or the time is up, as a
    /// `close` that blocks.
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn close(&mut self, fd: Fd, clock: &mut impl Clock<P>) -> Result<(), WaitError> {
        let now = clock.now();
        let Some(closing) = self.with(now, |sockets, net| sockets.close_lingering(net, fd))? else {
            return Ok(());
        };
        loop {
            let turn = self.instance.turn(clock.now())?;
            if self.instance.with(|_, net| closing.is_over(net)) {
                return Ok(());
            }
            if !turn.more {
                let next = turn.next.map_or(closing.until(), |next| next.min(closing.until()));
                clock.sleep(self.instance.port_mut(), Some(next));
            }
        }
    }

    /// The instance.
    pub fn instance(&self) -> &Instance<P, Sockets> {
        &self.instance
    }

    /// The instance, to be changed.
    pub fn instance_mut(&mut self) -> &mut Instance<P, Sockets> {
        &mut self.instance
    }
}

/// Why waiting ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The call was wrong.
    #[error(transparent)]
    Call(#[from] Errno),
    /// The port cannot go on.
    #[error(transparent)]
    Port(#[from] PortError),
}
