//! What a core's loop runs: a stack instance over a port, or the kernel's sockets.

use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::port::PortError;

use crate::inspect::Figures;

/// What one turn did and what it leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Frames, events or expired timers handled; 0 = the turn found nothing to do.
    pub handled: usize,
    /// Work is left: run the next turn without sleeping.
    pub more: bool,
    /// The earliest deadline; the next turn may wait until then if nothing else happens.
    pub next: Option<Instant>,
}

/// Everything one core owns, driven by turns. It stays on the thread that built it.
pub trait Engine {
    /// Called once, before the first turn.
    fn start(&mut self, now: Instant);

    /// Takes what has arrived, runs it to completion, and sends what came of it.
    ///
    /// # Errors
    /// When the engine cannot go on at all.
    fn turn(&mut self, now: Instant) -> Result<Turn, PortError>;

    /// The core is about to sleep. `false` = something has arrived meanwhile, so it must not.
    fn prepare_wait(&mut self) -> bool;

    /// Sleeps until something arrives, the core's [`crate::Waker`] is used, or `timeout` has passed (`None` = no limit).
    /// Waking early is allowed.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    fn wait(&mut self, timeout: Option<Duration>) -> std::io::Result<()>;

    /// The core is going to stop: a few turns follow.
    fn stop(&mut self, now: Instant);

    /// Patience has ended: reset what is still open. One more turn follows.
    fn abort(&mut self);

    /// Open connections.
    fn conns(&self) -> usize;

    /// Says in lines for people what the core holds and has counted: see [`crate::Inspector`].
    fn describe(&self, _out: &mut String) {}

    /// Adds what the engine has counted: see [`crate::Inspector`].
    fn report(&self, _figures: &mut Figures) {}
}
