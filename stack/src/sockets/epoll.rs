//! Sets of watched sockets, and which of them have news.
//!
//! As in Linux's epoll: a change puts an item on its set's ready list, if it is not there already. A wait takes items
//! from the list, looks at what their sockets are ready for *then*, and reports what is asked for. An item that is watched
//! for edges leaves the list with that, any other stays on it for as long as its socket is ready. Lists are links within
//! the items: an event allocates nothing.

use super::slab::{NIL, Slab};
use super::{Errno, Fd, Ready};

/// What a socket is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interest {
    /// The conditions; ERR and HUP are reported in any case.
    pub events: Ready,
    /// Report each change once (EPOLLET), and not for as long as a condition lasts.
    pub edge: bool,
    /// Report once and then no more, until changed (EPOLLONESHOT).
    pub once: bool,
}

impl Interest {
    /// `events`, for as long as they last.
    pub const fn level(events: Ready) -> Interest {
        Interest { events, edge: false, once: false }
    }

    /// `events`, once per change.
    pub const fn edge(events: Ready) -> Interest {
        Interest { events, edge: true, once: false }
    }

    /// From Linux's bits: EPOLLET is bit 31, EPOLLONESHOT bit 30.
    pub const fn from_bits(bits: u32) -> Interest {
        Interest { events: Ready(bits & 0xffff), edge: bits >> 31 & 1 == 1, once: bits >> 30 & 1 == 1 }
    }

    fn mask(self) -> Ready {
        self.events | Ready::ERR | Ready::HUP
    }
}

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Event {
    /// What the socket is ready for, of what it is watched for.
    pub ready: Ready,
    /// What was given with the interest.
    pub data: u64,
}

#[derive(Debug)]
struct Item {
    set: u32,
    socket: u32,
    fd: Fd,
    interest: Interest,
    data: u64,
    /// Not after a report of an item that reports once.
    armed: bool,
    queued: bool,
    /// Neighbours on the ready list.
    before: u32,
    after: u32,
    /// Next item of the same socket.
    sibling: u32,
}

/// One set: its ready list.
#[derive(Debug)]
struct Set {
    first: u32,
    last: u32,
    queued: usize,
}

/// All sets and their items.
#[derive(Debug, Default)]
pub(super) struct Sets {
    sets: Slab<Set>,
    items: Slab<Item>,
}

impl Sets {
    pub(super) fn create(&mut self) -> u32 {
        self.sets.insert(Set { first: NIL, last: NIL, queued: 0 })
    }

    /// Removes a set. `head` gives the first item of a socket, to be changed.
    pub(super) fn destroy(&mut self, set: u32, mut head: impl FnMut(u32, &mut dyn FnMut(&mut u32))) {
        let items: Vec<(u32, u32)> = self
            .items
            .iter()
            .filter(|(_, item)| item.set == set)
            .map(|(at, item)| (at, item.socket))
            .collect();
        for (at, socket) in items {
            head(socket, &mut |first| self.remove(at, first));
        }
        self.sets.remove(set);
    }

    /// The item by which `set` watches a descriptor.
    pub(super) fn find(&self, head: u32, set: u32, fd: Fd) -> Option<u32> {
        self.chain(head).find(|&at| self.items.get(at).is_some_and(|item| item.set == set && item.fd == fd))
    }

    fn chain(&self, head: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(head), |&at| self.items.get(at).map(|item| item.sibling))
            .take_while(|&at| at != NIL)
    }

    /// Watches a socket; if it is `ready` already, that is news.
    pub(super) fn add(
        &mut self,
        (set, socket, fd): (u32, u32, Fd),
        head: &mut u32,
        (interest, data): (Interest, u64),
        ready: Ready,
    ) -> Result<(), Errno> {
        if self.find(*head, set, fd).is_some() {
            return Err(Errno::EEXIST);
        }
        let item = Item {
            set,
            socket,
            fd,
            interest,
            data,
            armed: true,
            queued: false,
            before: NIL,
            after: NIL,
            sibling: *head,
        };
        *head = self.items.insert(item);
        self.wake_item(*head, ready);
        Ok(())
    }

    pub(super) fn modify(&mut self, at: u32, interest: Interest, data: u64, ready: Ready) {
        let Some(item) = self.items.get_mut(at) else { return };
        (item.interest, item.data, item.armed) = (interest, data, true);
        self.wake_item(at, ready);
    }

    /// Removes an item. `head`: the first of its socket.
    pub(super) fn remove(&mut self, at: u32, head: &mut u32) {
        self.unqueue(at);
        let Some(gone) = self.items.remove(at) else { return };
        if *head == at {
            *head = gone.sibling;
            return;
        }
        let before = self.chain(*head).find(|&i| self.items.get(i).is_some_and(|item| item.sibling == at));
        if let Some(item) = before.and_then(|i| self.items.get_mut(i)) {
            item.sibling = gone.sibling;
        }
    }

    /// Removes all items of a socket.
    pub(super) fn forget(&mut self, head: &mut u32) {
        while *head != NIL {
            self.remove(*head, head);
        }
    }

    /// `what` has changed at the socket whose items begin at `head`. Returns whether anybody watches that.
    #[inline]
    pub(super) fn wake(&mut self, head: u32, what: Ready) -> bool {
        let mut at = head;
        let mut any = false;
        while let Some(item) = self.items.get(at) {
            let next = item.sibling;
            any |= self.wake_item(at, what);
            at = next;
        }
        any
    }

    fn wake_item(&mut self, at: u32, what: Ready) -> bool {
        let Some(item) = self.items.get(at) else { return false };
        if !item.armed || !what.intersects(item.interest.mask()) {
            return false;
        }
        self.queue(at);
        true
    }

    /// Takes reports from the ready list. `ready` tells what a socket is ready for.
    pub(super) fn wait(&mut self, set: u32, out: &mut [Event], ready: impl Fn(u32) -> Ready) -> usize {
        let queued = self.sets.get(set).map_or(0, |set| set.queued);
        let mut n = 0;
        // What stays on the list goes to its end, so every item has its turn, and none has two.
        for _ in 0..queued {
            if n == out.len() {
                break;
            }
            let Some(at) = self.sets.get(set).map(|set| set.first) else { break };
            self.unqueue(at);
            let Some(item) = self.items.get_mut(at) else { break };
            let now = ready(item.socket) & item.interest.mask();
            if now.is_empty() || !item.armed {
                continue;
            }
            out[n] = Event { ready: now, data: item.data };
            n += 1;
            item.armed = !item.interest.once;
            if item.armed && !item.interest.edge {
                self.queue(at);
            }
        }
        n
    }

    /// Whether a wait would report something.
    pub(super) fn peek(&self, set: u32, ready: impl Fn(u32) -> Ready) -> bool {
        let first = self.sets.get(set).map_or(NIL, |set| set.first);
        std::iter::successors(self.items.get(first), |item| self.items.get(item.after))
            .any(|item| item.armed && ready(item.socket).intersects(item.interest.mask()))
    }

    fn queue(&mut self, at: u32) {
        let Some(item) = self.items.get_mut(at).filter(|item| !item.queued) else { return };
        let Some(set) = self.sets.get_mut(item.set) else { return };
        (item.queued, item.before, item.after) = (true, set.last, NIL);
        let last = std::mem::replace(&mut set.last, at);
        set.queued += 1;
        if last == NIL {
            set.first = at;
        } else if let Some(last) = self.items.get_mut(last) {
            last.after = at;
        }
    }

    fn unqueue(&mut self, at: u32) {
        let Some(item) = self.items.get_mut(at).filter(|item| item.queued) else { return };
        item.queued = false;
        let (before, after) = (item.before, item.after);
        let Some(set) = self.sets.get_mut(item.set) else { return };
        set.queued -= 1;
        if before == NIL {
            set.first = after;
        }
        if after == NIL {
            set.last = before;
        }
        if let Some(item) = self.items.get_mut(before) {
            item.after = after;
        }
        if let Some(item) = self.items.get_mut(after) {
            item.before = before;
        }
    }
}
