//! One core's loop: turns while there is work, a short spin, sleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::port::PortError;

use crate::clock;
use crate::engine::Engine;
use crate::inspect::{Figures, Question};
use crate::wake::Waker;

/// What a core with nothing to do does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Idle {
    /// Sleeps in the kernel at once: the least processor time.
    Sleep,
    /// Looks again, for ever: the shortest answer, and a processor taken whole. Not where cores share processors.
    Spin,
    /// Looks again for a bounded time, where sleeps have turned out to be shorter than that; then sleeps.
    #[default]
    Adaptive,
}

/// What a core has done so far; readable by any thread while it runs.
///
/// In cache lines of its own (two, since processors fetch them in pairs): the core writes it in every turn.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct CoreStats {
    turns: AtomicU64,
    idle_turns: AtomicU64,
    sleeps: AtomicU64,
    conns: AtomicU64,
    idle_nanos: AtomicU64,
}

impl CoreStats {
    /// Turns run.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Turns that found nothing to do.
    pub fn idle_turns(&self) -> u64 {
        self.idle_turns.load(Ordering::Relaxed)
    }

    /// Times the core slept in the kernel.
    pub fn sleeps(&self) -> u64 {
        self.sleeps.load(Ordering::Relaxed)
    }

    /// Open connections after the last turn.
    pub fn conns(&self) -> u64 {
        self.conns.load(Ordering::Relaxed)
    }

    /// Time without anything to do: asleep, or in turns that found nothing.
    pub fn idle(&self) -> Duration {
        Duration::from_nanos(self.idle_nanos.load(Ordering::Relaxed))
    }
}

/// Only the core itself writes: a load and a store are enough.
fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed) + n, Ordering::Relaxed);
}

/// What the loop needs beside its engine.
#[derive(Debug)]
pub(crate) struct Loop {
    pub waker: Waker,
    pub stop: Arc<AtomicBool>,
    pub stats: Arc<CoreStats>,
    /// This core's place among them.
    pub core: usize,
    pub questions: Arc<[Question]>,
    pub idle: Idle,
    /// Longest spin of [`Idle::Adaptive`] before a sleep.
    pub spin: Duration,
    /// How long connections may take to end after the stop.
    pub grace: Duration,
}

impl Loop {
    /// Runs turns until the stop, and then until the connections are gone or patience is.
    pub fn run(&self, engine: &mut impl Engine) -> Result<(), PortError> {
        let mut now = clock::now();
        let mut stopping: Option<Instant> = None;
        let mut spin = Spin::new(self.idle, self.spin);
        loop {
            if stopping.is_none() && self.stop.load(Ordering::Acquire) {
                engine.stop(now);
                stopping = Some(now + self.grace);
            }
            self.waker.begin_turn();
            let turn = engine.turn(now)?;
            add(&self.stats.turns, 1);
            let nothing = turn.handled == 0 && !turn.more;
            add(&self.stats.idle_turns, u64::from(nothing));
            self.stats.conns.store(engine.conns() as u64, Ordering::Relaxed);
            self.questions[self.core].answer(engine, || self.figures());
            if let Some(end) = stopping {
                if engine.conns() == 0 && !turn.more {
                    return Ok(());
                }
                if now >= end {
                    engine.abort();
                    return engine.turn(now).map(|_| ());
                }
            }
            let awake = turn.more || spin.goes_on(turn.handled > 0, now);
            let next = match (turn.next, stopping) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let mut idle_since = nothing.then_some(now);
            if !awake && self.stop_seen(stopping) && engine.prepare_wait() && self.waker.try_sleep() {
                // The turn itself has taken time: the deadline counts from the clock as it is.
                let asleep = clock::now();
                let timeout = next.map(|at| at.since(asleep));
                if timeout != Some(Duration::ZERO) {
                    engine.wait(timeout)?;
                    add(&self.stats.sleeps, 1);
                }
                now = clock::now();
                spin.slept(now.since(asleep));
                idle_since = idle_since.or(Some(asleep));
            } else {
                now = clock::now();
            }
            if let Some(since) = idle_since {
                add(&self.stats.idle_nanos, now.since(since).as_nanos() as u64);
            }
        }
    }

    /// What the loop itself knows for [`crate::Inspector::figures`], at this moment.
    fn figures(&self) -> Figures {
        let stats = &self.stats;
        Figures {
            at: clock::now(),
            conns: stats.conns(),
            turns: stats.turns(),
            idle_turns: stats.idle_turns(),
            sleeps: stats.sleeps(),
            idle: stats.idle(),
            ..Figures::default()
        }
    }

    /// Whether there is no stop that the loop has yet to pass on.
    fn stop_seen(&self, stopping: Option<Instant>) -> bool {
        stopping.is_some() || !self.stop.load(Ordering::Acquire)
    }
}

/// How long to look again before sleeping: only while sleeps turn out to be shorter than the spin would be.
#[derive(Debug)]
struct Spin {
    always: bool,
    limit: Duration,
    /// Sleeps in a row that a spin would have saved.
    short_sleeps: u32,
    until: Option<Instant>,
}

/// So many short sleeps in a row make spinning worth while.
const SHORT_SLEEPS: u32 = 4;

impl Spin {
    fn new(idle: Idle, limit: Duration) -> Spin {
        let limit = if idle == Idle::Sleep { Duration::ZERO } else { limit };
        Spin { always: idle == Idle::Spin, limit, short_sleeps: 0, until: None }
    }

    /// Whether to run another turn although the last one leaves nothing to do.
    fn goes_on(&mut self, handled: bool, now: Instant) -> bool {
        if self.always || self.short_sleeps < SHORT_SLEEPS {
            return self.always;
        }
        if handled || self.until.is_none() {
            self.until = Some(now + self.limit);
        }
        let on = self.until.is_some_and(|until| now < until);
        if !on {
            // It was in vain: the next sleeps decide anew.
            self.until = None;
            self.short_sleeps = 0;
        }
        on
    }

    fn slept(&mut self, time: Duration) {
        self.short_sleeps = if time < self.limit { self.short_sleeps.saturating_add(1) } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spins_only_after_short_sleeps_and_not_for_ever() {
        let limit = Duration::from_micros(10);
        let mut spin = Spin::new(Idle::Adaptive, limit);
        let t = Instant::from_millis(1);
        assert!(!spin.goes_on(true, t));
        for _ in 0..SHORT_SLEEPS {
            spin.slept(Duration::from_micros(3));
        }
        assert!(spin.goes_on(true, t));
        assert!(spin.goes_on(false, t + Duration::from_micros(9)));
        assert!(!spin.goes_on(false, t + Duration::from_micros(10)));
        assert!(!spin.goes_on(true, t + Duration::from_micros(20)), "it must be earned again");
        spin.slept(Duration::from_micros(3));
        spin.slept(Duration::from_millis(3));
        assert_eq!(spin.short_sleeps, 0);
    }

    #[test]
    fn whoever_always_sleeps_never_spins_and_the_other_way_round() {
        let limit = Duration::from_micros(10);
        let mut all = [Spin::new(Idle::Sleep, limit), Spin::new(Idle::Adaptive, Duration::ZERO)];
        let mut always = Spin::new(Idle::Spin, limit);
        for i in 0..100 {
            for spin in &mut all {
                spin.slept(Duration::ZERO);
                assert!(!spin.goes_on(true, Instant::ZERO));
            }
            assert!(always.goes_on(false, Instant::from_millis(i)));
        }
    }
}
