//! TIME_WAIT (RFC 9293 3.6.1, 3.10.7.4; RFC 6191; RFC 1337): what is remembered of a connection after its end.

use ferroflow_wire::{MacAddr, SeqNumber};

use super::input::Segment;
use super::table::Key;
use super::tcb::Tcb;
use crate::time::Instant;

/// One connection in TIME_WAIT.
#[derive(Debug, Clone, Copy)]
pub struct TimeWait {
    /// Its place in the table, and so its addresses and ports.
    pub key: Key,
    /// Where frames to the peer go.
    pub next_hop: Option<MacAddr>,
    /// Next sequence number of ours.
    pub snd_nxt: SeqNumber,
    /// Next expected of the peer.
    pub rcv_nxt: SeqNumber,
    /// Our last window, as on the wire.
    pub window: u16,
    /// TS.Recent, if timestamps were used.
    pub ts_recent: Option<u32>,
    /// Offset of our timestamps.
    pub ts_offset: u32,
    /// When it ends.
    pub until: Instant,
}

/// What a segment that arrives in TIME_WAIT asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Ignore,
    /// The last ACK again.
    Ack,
    /// A SYN that is certainly new: the entry makes room for a new connection, whose first sequence number must be
    /// beyond the old one's last (RFC 9293 3.6.1, MAY-2).
    Reopen,
}

impl TimeWait {
    /// What is kept of `tcb`.
    pub fn of(tcb: &Tcb, until: Instant) -> TimeWait {
        TimeWait {
            key: tcb.key,
            next_hop: tcb.next_hop,
            snd_nxt: tcb.snd.max,
            rcv_nxt: tcb.rcv.nxt,
            window: u16::try_from(tcb.rcv_wnd() >> tcb.rcv.wscale).unwrap_or(u16::MAX),
            ts_recent: tcb.ts.map(|ts| ts.recent),
            ts_offset: tcb.ts_clock.offset(),
            until,
        }
    }

    /// RFC 9293 3.10.7.4 for the state TIME_WAIT. `timestamps`: whether a new connection would use them.
    pub fn input(&self, seg: &Segment<'_>, timestamps: bool) -> Answer {
        if seg.flags.rst() {
            return Answer::Ignore; // RFC 1337: a reset must not cut TIME_WAIT short
        }
        if seg.flags.syn() && !seg.flags.ack() {
            return if self.is_new(seg, timestamps) { Answer::Reopen } else { Answer::Ack };
        }
        if seg.seq_len() == 0 && seg.seq == self.rcv_nxt { Answer::Ignore } else { Answer::Ack }
    }

    /// RFC 6191 2: by timestamp where both connections have them, else by sequence number.
    fn is_new(&self, seg: &Segment<'_>, timestamps: bool) -> bool {
        match (self.ts_recent, seg.options.timestamps.filter(|_| timestamps)) {
            (Some(old), Some((new, _))) if new != old => (new.wrapping_sub(old) as i32) > 0,
            // What is left of the old connection has no timestamps, and the new one will not take it.
            (None, Some(_)) => true,
            _ => seg.seq.gt(self.rcv_nxt),
        }
    }
}

/// No entry.
const NIL: u32 = u32::MAX;

/// An entry and its neighbours by age; of a free slot, `next` is the next free one.
#[derive(Debug)]
struct Slot {
    entry: Option<TimeWait>,
    older: u32,
    next: u32,
}

// There may be as many as connections end within a minute.
const _: () = assert!(size_of::<Slot>() <= 64);

/// All connections in TIME_WAIT of one instance: bounded; at the bound the oldest makes room. All operations take
/// constant time. All entries last equally long, so the order of age is that of their ends.
#[derive(Debug)]
pub struct TimeWaits {
    slots: Vec<Slot>,
    free: u32,
    oldest: u32,
    newest: u32,
    len: usize,
    max: usize,
}

impl TimeWaits {
    /// At most `max` entries.
    pub fn new(max: usize) -> TimeWaits {
        let max = max.clamp(1, NIL as usize);
        TimeWaits { slots: Vec::new(), free: NIL, oldest: NIL, newest: NIL, len: 0, max }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// Adds an entry; returns its slot, and the oldest entry if it had to make room.
    pub fn insert(&mut self, entry: TimeWait) -> (u32, Option<TimeWait>) {
        let evicted = if self.len >= self.max { self.remove(self.oldest) } else { None };
        let slot = self.free_slot();
        self.slots[slot as usize].entry = Some(entry);
        self.link(slot);
        self.len += 1;
        (slot, evicted)
    }

    fn free_slot(&mut self) -> u32 {
        if self.free != NIL {
            let slot = self.free;
            self.free = self.slots[slot as usize].next;
            return slot;
        }
        if self.slots.len() == self.slots.capacity() {
            let more = self.slots.len().max(16).min(self.max - self.slots.len());
            self.slots.reserve_exact(more);
        }
        self.slots.push(Slot { entry: None, older: NIL, next: NIL });
        self.slots.len() as u32 - 1
    }

    /// Looks at an entry.
    pub fn get(&self, slot: u32) -> Option<&TimeWait> {
        self.slots.get(slot as usize)?.entry.as_ref()
    }

    /// The peer's FIN came again: the time starts anew (RFC 9293 3.10.7.4 eighth step).
    pub fn restart(&mut self, slot: u32, until: Instant) {
        let Some(entry) = self.slots.get_mut(slot as usize).and_then(|s| s.entry.as_mut()) else { return };
        entry.until = until;
        self.unlink(slot);
        self.link(slot);
    }

    /// Removes an entry before its time.
    pub fn remove(&mut self, slot: u32) -> Option<TimeWait> {
        let entry = self.slots.get_mut(slot as usize)?.entry.take()?;
        self.unlink(slot);
        self.slots[slot as usize].next = self.free;
        self.free = slot;
        self.len -= 1;
        Some(entry)
    }

    /// Removes one entry whose time is over; `None` when there is none.
    pub fn expire(&mut self, now: Instant) -> Option<TimeWait> {
        if self.next()? > now {
            return None;
        }
        self.remove(self.oldest)
    }

    /// When the next entry ends.
    #[inline]
    pub fn next(&self) -> Option<Instant> {
        self.get(self.oldest).map(|entry| entry.until)
    }

    /// Makes a slot the newest.
    fn link(&mut self, slot: u32) {
        let older = std::mem::replace(&mut self.newest, slot);
        match self.slots.get_mut(older as usize) {
            Some(s) => s.next = slot,
            None => self.oldest = slot,
        }
        (self.slots[slot as usize].older, self.slots[slot as usize].next) = (older, NIL);
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { older, next, .. } = self.slots[slot as usize];
        match self.slots.get_mut(older as usize) {
            Some(s) => s.next = next,
            None => self.oldest = next,
        }
        match self.slots.get_mut(next as usize) {
            Some(s) => s.older = older,
            None => self.newest = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const LIFE: Duration = Duration::from_secs(60);

    fn entry(n: u32, until: Instant) -> TimeWait {
        let key = Key::new(Ipv4Addr::from_bits(1), 80, Ipv4Addr::from_bits(n), 1024);
        TimeWait {
            key,
            next_hop: None,
            snd_nxt: SeqNumber(n),
            rcv_nxt: SeqNumber(0),
            window: 0,
            ts_recent: None,
            ts_offset: 0,
            until,
        }
    }

    #[test]
    fn the_oldest_makes_room_and_memory_is_bounded() {
        let mut all = TimeWaits::new(1000);
        for n in 0..10_000 {
            let evicted = all.insert(entry(n, Instant::ZERO + LIFE)).1;
            assert_eq!(evicted.map(|e| e.snd_nxt.0), n.checked_sub(1000));
        }
        assert_eq!((all.len(), all.memory()), (1000, 64_000));
    }

    #[test]
    fn a_restarted_one_is_the_newest() {
        let mut all = TimeWaits::new(3);
        let at = |s| Instant::from_secs(s);
        let slots: Vec<u32> = (0..3).map(|n| all.insert(entry(n, at(60))).0).collect();
        all.restart(slots[0], at(70));
        assert_eq!(all.next(), Some(at(60)));
        assert_eq!(all.insert(entry(3, at(80))).1.map(|e| e.snd_nxt.0), Some(1));
        assert_eq!(all.expire(at(60)).map(|e| e.snd_nxt.0), Some(2));
        assert_eq!(all.expire(at(69)).map(|e| e.snd_nxt.0), None);
        assert_eq!(all.expire(at(70)).map(|e| e.snd_nxt.0), Some(0));
        assert_eq!(all.remove(slots[0]).map(|e| e.snd_nxt.0), None);
        assert_eq!((all.len(), all.next()), (1, Some(at(80))));
    }

    #[derive(Debug, Clone)]
    enum Op {
        Insert,
        Restart(prop::sample::Index),
        Remove(prop::sample::Index),
        Wait(u64),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => Just(Op::Insert),
            1 => any::<prop::sample::Index>().prop_map(Op::Restart),
            1 => any::<prop::sample::Index>().prop_map(Op::Remove),
            1 => (0u64..30).prop_map(Op::Wait),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_list(ops in prop::collection::vec(op(), 1..200)) {
            let mut all = TimeWaits::new(8);
            let mut model: Vec<(u32, u32, Instant)> = Vec::new(); // slot, name, end; the oldest first
            let mut now = Instant::ZERO;
            for (name, op) in (0u32..).zip(ops) {
                match op {
                    Op::Insert => {
                        let (slot, evicted) = all.insert(entry(name, now + LIFE));
                        let expected = (model.len() == 8).then(|| model.remove(0).1);
                        prop_assert_eq!(evicted.map(|e| e.snd_nxt.0), expected);
                        model.push((slot, name, now + LIFE));
                    }
                    Op::Restart(which) if !model.is_empty() => {
                        let (slot, name, _) = model.remove(which.index(model.len()));
                        all.restart(slot, now + LIFE);
                        model.push((slot, name, now + LIFE));
                    }
                    Op::Remove(which) if !model.is_empty() => {
                        let (slot, name, _) = model.remove(which.index(model.len()));
                        prop_assert_eq!(all.remove(slot).map(|e| e.snd_nxt.0), Some(name));
                        prop_assert!(all.get(slot).is_none());
                    }
                    Op::Wait(s) => now += Duration::from_secs(s),
                    _ => {}
                }
                while let Some(ended) = all.expire(now) {
                    let (_, name, end) = model.remove(0);
                    prop_assert_eq!((ended.snd_nxt.0, ended.until), (name, end));
                }
                prop_assert!(model.first().is_none_or(|m| m.2 > now));
                prop_assert_eq!((all.len(), all.next()), (model.len(), model.first().map(|m| m.2)));
                for &(slot, name, _) in &model {
                    prop_assert_eq!(all.get(slot).map(|e| e.snd_nxt.0), Some(name));
                }
            }
        }
    }
}
