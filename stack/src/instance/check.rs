//! What always holds of an instance between two turns, for tests that do to it what they like.

use super::Instance;
use super::inner::Inner;
use crate::port::Port;
use crate::service::{ConnInfo, Service};
use crate::tcp::State;
use crate::tcp::tcb::Tcb;

/// What cannot be, and is: a bug.
#[derive(Debug, thiserror::Error)]
#[error("{what}{}", .conn.map(|conn| format!(", with {}", conn.peer)).unwrap_or_default())]
pub struct Broken {
    /// In words.
    pub what: &'static str,
    /// The connection, if it is about one.
    pub conn: Option<ConnInfo>,
}

impl<P: Port, S: Service> Instance<P, S> {
    /// Looks at every connection and at what is counted of all of them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), Broken> {
        self.inner.check()
    }
}

impl Inner {
    fn check(&self) -> Result<(), Broken> {
        let (mut held, mut known, mut dirty, mut half_open) = (0, 0, 0, 0);
        for (id, tcb, in_line) in self.table.each() {
            let index = id.index() as u32;
            let broken = |what| Broken { what, conn: Some(tcb.info()) };
            tcb.check(!in_line).map_err(broken)?;
            let found = self.table.find(&tcb.key) == Some(index);
            if found != is_known(tcb) {
                return Err(broken("the table finds what is over, or does not find what is not"));
            }
            if !in_line && tcb.memory() != tcb.counted as usize {
                return Err(broken("memory that is not counted"));
            }
            // What is late already fires with the next turn.
            let due = tcb.deadline().max(self.now);
            if !in_line && tcb.over.is_none() && self.wheel.due(index, id.generation()) > due {
                return Err(broken("the timer wheel wakes too late"));
            }
            held += tcb.counted as usize;
            known += usize::from(found);
            dirty += usize::from(in_line);
            half_open += u32::from(tcb.listener.is_some());
        }
        self.check_sums(held, known, dirty, half_open).map_err(|what| Broken { what, conn: None })
    }

    fn check_sums(
        &self,
        held: usize,
        known: usize,
        dirty: usize,
        half_open: u32,
    ) -> Result<(), &'static str> {
        if held != self.table.memory() {
            return Err("the buffers' sum is wrong");
        }
        if known != self.table.keys() {
            return Err("a key leads nowhere");
        }
        if !self.time_waits.check() {
            return Err("an entry of TIME_WAIT is not found, or is lost");
        }
        if dirty > self.dirty.len() {
            return Err("a connection waits for its turn, and nobody will call it");
        }
        if half_open != self.listeners.values().map(|listener| listener.half_open).sum::<u32>() {
            return Err("handshakes are counted wrong");
        }
        self.fragments.check()
    }
}

/// Whether its segments are to find it.
fn is_known(tcb: &Tcb) -> bool {
    tcb.over.is_none() && tcb.state != State::Drained
}
