//! Calls that block, in virtual time: a host that two threads share.
//!
//! packetdrill makes calls that may block from a second thread, while its first goes on with the script, and only the
//! script lets time pass. So that a script gives the same every time, the threads take turns: whenever something has
//! happened, each call that waits is tried again before anything else does; and a call that has come to its end has looked
//! at the clock (as packetdrill does) before time goes on.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ferroflow_stack::Instant;

use crate::host::Host;

/// How long, in real time, one thread waits for the other to look at the clock.
const COURTESY: Duration = Duration::from_millis(500);

struct State {
    host: Host,
    /// Counts what has happened.
    happened: u64,
    /// Calls that wait, and how many of them have not been tried again since something happened.
    waiting: usize,
    untried: usize,
    /// When waits end by themselves.
    deadlines: Vec<(ThreadId, Instant)>,
    /// Threads whose call has ended and that have not looked at the clock since.
    returning: Vec<ThreadId>,
}

/// A host that several threads make calls of.
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// The thread that the script runs on.
    script: ThreadId,
}

impl Shared {
    /// For the thread that calls this, and others.
    pub(crate) fn new(host: Host) -> Shared {
        let state =
            State { host, happened: 0, waiting: 0, untried: 0, deadlines: Vec::new(), returning: Vec::new() };
        Shared { state: Mutex::new(state), changed: Condvar::new(), script: thread::current().id() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that never blocks.
    pub(crate) fn call<T>(&self, f: impl FnOnce(&mut Host) -> T) -> T {
        let mut state = self.lock();
        let result = f(&mut state.host);
        let state = self.stir(state);
        self.end(state);
        result
    }

    /// A call that is tried until it gives something. `until`: when it will by itself. `None`: it would
    /// block for ever.
    pub(crate) fn block<T>(
        &self,
        until: Option<Instant>,
        mut attempt: impl FnMut(&mut Host) -> Option<T>,
    ) -> Option<T> {
        let me = thread::current().id();
        let mut state = self.lock();
        if let Some(result) = attempt(&mut state.host) {
            let state = self.stir(state);
            self.end(state);
            return Some(result);
        }
        if me == self.script {
            // Nobody else lets time pass.
            return self.drive(state, until, attempt);
        }
        state.waiting += 1;
        state.deadlines.extend(until.map(|until| (me, until)));
        let result = loop {
            let seen = state.happened;
            while state.happened == seen {
                state = self.wait(state);
            }
            let result = attempt(&mut state.host);
            state.untried -= 1;
            self.changed.notify_all();
            if let Some(result) = result {
                break result;
            }
        };
        state.waiting -= 1;
        state.deadlines.retain(|(thread, _)| *thread != me);
        self.end(state);
        Some(result)
    }

    /// A blocking call of the script's own thread: time passes until it gives something.
    fn drive<T>(
        &self,
        mut state: MutexGuard<'_, State>,
        until: Option<Instant>,
        mut attempt: impl FnMut(&mut Host) -> Option<T>,
    ) -> Option<T> {
        loop {
            let next = [until, state.host.next_timer()].into_iter().flatten().min()?;
            state = self.step(state, next);
            if let Some(result) = attempt(&mut state.host) {
                return Some(result);
            }
        }
    }

    /// A call ends. Another thread's is not over before it has looked at the clock.
    fn end(&self, mut state: MutexGuard<'_, State>) {
        let me = thread::current().id();
        if me != self.script && !state.returning.contains(&me) {
            state.returning.push(me);
            self.changed.notify_all();
        }
    }

    /// Something has happened: whoever waits tries again, now.
    fn stir<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if state.waiting == 0 || thread::current().id() != self.script {
            return state;
        }
        state.happened += 1;
        state.untried = state.waiting;
        self.changed.notify_all();
        while state.untried > 0 {
            state = self.wait(state);
        }
        self.courtesy(state)
    }

    /// Waits for threads whose calls have ended to look at the clock.
    fn courtesy<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, COURTESY, |state| !state.returning.is_empty());
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            state.returning.clear();
        }
        state
    }

    /// Lets time pass to the next thing that happens, or to `until` if that is earlier.
    fn step<'a>(&self, state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        let mut state = self.courtesy(state);
        let until = state.deadlines.iter().map(|(_, at)| *at).fold(until, Instant::min);
        state.host.step(until);
        self.stir(state)
    }

    /// Lets `time` pass.
    pub(crate) fn sleep(&self, time: Duration) {
        let mut state = self.lock();
        let until = state.host.now() + time;
        while state.host.now() < until {
            state = self.step(state, until);
        }
    }

    /// The time. To look at the clock takes a microsecond, so that a loop around it ends.
    pub(crate) fn look_at_clock(&self) -> Instant {
        let me = thread::current().id();
        let mut state = self.lock();
        if state.returning.contains(&me) {
            state.returning.retain(|thread| *thread != me);
            self.changed.notify_all();
            return state.host.now();
        }
        // Another thread that looks before its call waits for the call's time, and the script's thread waits for it.
        let until = state.host.now() + Duration::from_micros(1);
        while state.host.now() < until {
            state = self.step(state, until);
        }
        state.host.now()
    }

    /// The next packet that the stack sends, within `patience` of virtual time.
    pub(crate) fn receive(&self, patience: Duration) -> Option<(Instant, Vec<u8>)> {
        let mut state = self.lock();
        let until = state.host.now() + patience;
        loop {
            if let Some(sent) = state.host.sent() {
                return Some(sent);
            }
            if state.host.now() >= until {
                return None;
            }
            state = self.step(state, until);
        }
    }
}
