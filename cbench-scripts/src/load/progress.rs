//! What another thread may know of a run while it goes on.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferroflow_stack::CloseReason;
use serde::Serialize;

use crate::options::Options;
use crate::report::{LoopResult, Summary};
use crate::switch::fake::{Malformed, Record};

/// Why a run came to no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The controller could not be reached.
    #[error("cannot connect switch {switch} to the controller: {why}")]
    CannotConnect {
        /// Which switch, from 0.
        switch: usize,
        /// The stack's reason.
        why: String,
    },
    /// One connection ended, which ends the run: the load would not be what was asked for.
    #[error("the controller closed the connection of switch {switch} ({why})")]
    Closed {
        /// Which switch, from 0.
        switch: usize,
        /// How it ended.
        why: CloseReason,
    },
    /// What arrived is not OpenFlow.
    #[error("switch {switch}: {why}")]
    Malformed {
        /// Which switch, from 0.
        switch: usize,
        /// What is wrong.
        why: Malformed,
    },
    /// The core was stopped before the last loop had ended.
    #[error("stopped before the end")]
    Stopped,
}

/// Round trips of the counted loops, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// How many were measured: every one in latency mode, a sample in throughput mode.
    pub samples: u64,
    /// Arithmetic mean.
    pub mean_ns: f64,
    /// Half were no longer.
    pub p50_ns: u64,
    /// 90% were no longer.
    pub p90_ns: u64,
    /// 99% were no longer.
    pub p99_ns: u64,
    /// 99.9% were no longer.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Latency {
    /// The percentiles of a record; `None` when nothing was measured.
    pub fn of(record: &Record) -> Option<Latency> {
        let h = &record.latency;
        (!h.is_empty()).then(|| Latency {
            samples: h.len(),
            mean_ns: h.mean(),
            p50_ns: h.value_at_quantile(0.5),
            p90_ns: h.value_at_quantile(0.9),
            p99_ns: h.value_at_quantile(0.99),
            p999_ns: h.value_at_quantile(0.999),
            max_ns: h.max(),
        })
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Switches connected so far.
    pub connected: u32,
    /// Loops ended so far, over all tests.
    pub loops_done: u32,
    /// Loops there will be.
    pub loops_total: u32,
    /// Answers counted so far, warm-up included.
    pub responses: u64,
    /// Loops that have ended.
    pub loops: Vec<LoopResult>,
    /// One result for each number of switches: a single one, unless the test is ranged.
    pub summaries: Vec<Summary>,
    /// Round trips of the last test.
    pub latency: Option<Latency>,
    /// Messages of types that a cbench switch ignores: type and number.
    pub ignored: Vec<(u8, u64)>,
    /// The run is over.
    pub finished: bool,
    /// Why it has no result.
    pub failure: Option<Failure>,
}

#[derive(Debug, Default)]
struct Shared {
    connected: AtomicU32,
    loops_done: AtomicU32,
    /// Answers of the loops that have ended, and of the one that runs. Written by the load's core alone.
    before: AtomicU64,
    current: AtomicU64,
    finished: AtomicBool,
    /// Changed once per loop, never per message.
    state: Mutex<Snapshot>,
}

/// A handle to a run: cheap to clone, to be read from any thread.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Shared>);

impl Progress {
    pub(super) fn new(options: &Options) -> Progress {
        let progress = Progress(Arc::default());
        progress.state().loops_total = options.loops * if options.ranged { options.switches } else { 1 };
        progress
    }

    fn state(&self) -> MutexGuard<'_, Snapshot> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the run is over.
    pub fn is_finished(&self) -> bool {
        self.0.finished.load(Relaxed)
    }

    /// Answers counted so far, warm-up included.
    pub fn total_responses(&self) -> u64 {
        self.0.before.load(Relaxed) + self.0.current.load(Relaxed)
    }

    /// Everything there is to know now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            connected: self.0.connected.load(Relaxed),
            loops_done: self.0.loops_done.load(Relaxed),
            responses: self.total_responses(),
            finished: self.is_finished(),
            ..self.state().clone()
        }
    }

    pub(super) fn connected(&self, n: usize) {
        self.0.connected.store(n as u32, Relaxed);
    }

    pub(super) fn responses(&self, in_this_loop: u64) {
        self.0.current.store(in_this_loop, Relaxed);
    }

    pub(super) fn loop_ended(&self, result: &LoopResult) {
        let s = &*self.0;
        s.current.store(0, Relaxed);
        s.before.store(s.before.load(Relaxed) + result.counts.iter().sum::<u64>(), Relaxed);
        s.loops_done.store(s.loops_done.load(Relaxed) + 1, Relaxed);
        self.state().loops.push(result.clone());
    }

    pub(super) fn test_ended(&self, summary: Summary, record: &Record) {
        let mut state = self.state();
        state.summaries.push(summary);
        state.latency = Latency::of(record);
        state.ignored = (0u8..=255).zip(record.ignored.iter().copied()).filter(|(_, n)| *n > 0).collect();
    }

    pub(super) fn finished(&self, failure: Option<Failure>) {
        self.state().failure = failure;
        self.0.finished.store(true, Release);
    }
}
