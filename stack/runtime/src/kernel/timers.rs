//! Deadlines of sockets: the time lives in the socket, the heap only says when to look.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ferroflow_stack::{ConnId, Instant};

/// When to look at which socket. An entry may be outdated: the socket's own deadline decides.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, ConnId)>>,
}

impl Timers {
    pub fn push(&mut self, at: Instant, id: ConnId) {
        self.heap.push(Reverse((at, id)));
    }

    /// The earliest entry, if it is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, ConnId)> {
        match self.heap.peek() {
            Some(Reverse((at, _))) if *at <= now => self.heap.pop().map(|Reverse(entry)| entry),
            _ => None,
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Drops entries that nobody waits for, so that the heap stays in proportion to the sockets.
    pub fn retain(&mut self, mut wanted: impl FnMut(Instant, ConnId) -> bool) {
        self.heap.retain(|Reverse((at, id))| wanted(*at, *id));
    }
}
