//! All connections in TIME_WAIT of one instance: found by key, ended in the order of their age.
//!
//! There may be as many as connections end within a minute, so everything that is kept of one, its part of the index
//! included, stands in one slot of less than a cache line. The index is linear hashing (Litwin 1980): there are as many
//! chains as slots were ever in use, the head of the nth stands in the nth slot, and with each further slot one chain is
//! split in two. So nothing is ever hashed anew in one turn, and nothing moves: slots are allocated some at a time.

use std::hash::BuildHasher;

use ferroflow_wire::{MacAddr, SeqNumber};

use super::table::Key;
use super::time_wait::TimeWait;
use crate::time::Instant;

/// No slot.
const NIL: u32 = u32::MAX;
/// Slots that are allocated at once.
const CHUNK: usize = 64;

/// The slot has an entry.
const USED: u8 = 1;
/// The connection used timestamps.
const TIMESTAMPS: u8 = 2;
/// Its next hop is known.
const NEXT_HOP: u8 = 4;

/// An entry, without the gaps between a [`TimeWait`]'s fields, and what finds it.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: [u32; 3],
    snd_nxt: SeqNumber,
    rcv_nxt: SeqNumber,
    ts_recent: u32,
    ts_offset: u32,
    /// When it ends: milliseconds since the origin of the clock, the lower 32 of 48 bits.
    until_low: u32,
    until_high: u16,
    window: u16,
    next_hop: MacAddr,
    flags: u8,
    /// The next older one.
    older: u32,
    /// The next younger one; of a free slot, the next free one.
    next: u32,
    /// The next one of the same chain.
    chained: u32,
    /// The first one of the chain that has this slot's number, whatever is in the slot.
    head: u32,
}

const EMPTY: Slot = Slot {
    key: [0; 3],
    snd_nxt: SeqNumber(0),
    rcv_nxt: SeqNumber(0),
    ts_recent: 0,
    ts_offset: 0,
    until_low: 0,
    until_high: 0,
    window: 0,
    next_hop: MacAddr::ZERO,
    flags: 0,
    older: NIL,
    next: NIL,
    chained: NIL,
    head: NIL,
};

// With the pointer to its chunk, twice while their list grows, and up to 63 unused slots at the end, no more than 64 from
// a thousand entries on.
const _: () = assert!(size_of::<Slot>() == 60);

impl Slot {
    fn put(&mut self, entry: &TimeWait) {
        self.key = entry.key.packed();
        (self.snd_nxt, self.rcv_nxt, self.window) = (entry.snd_nxt, entry.rcv_nxt, entry.window);
        (self.ts_recent, self.ts_offset) = (entry.ts_recent.unwrap_or(0), entry.ts_offset);
        self.next_hop = entry.next_hop.unwrap_or(MacAddr::ZERO);
        self.flags = USED;
        self.flags |= if entry.ts_recent.is_some() { TIMESTAMPS } else { 0 };
        self.flags |= if entry.next_hop.is_some() { NEXT_HOP } else { 0 };
        self.set_until(entry.until);
    }

    fn entry(&self) -> Option<TimeWait> {
        let has = |flag| self.flags & flag != 0;
        has(USED).then(|| TimeWait {
            key: Key::unpacked(self.key),
            next_hop: has(NEXT_HOP).then_some(self.next_hop),
            snd_nxt: self.snd_nxt,
            rcv_nxt: self.rcv_nxt,
            window: self.window,
            ts_recent: has(TIMESTAMPS).then_some(self.ts_recent),
            ts_offset: self.ts_offset,
            until: self.until(),
        })
    }

    /// To the next millisecond: never earlier.
    fn set_until(&mut self, until: Instant) {
        let ms = (until + std::time::Duration::from_nanos(999_999)).as_millis();
        (self.until_low, self.until_high) = (ms as u32, (ms >> 32) as u16);
    }

    fn until(&self) -> Instant {
        Instant::from_millis(u64::from(self.until_high) << 32 | u64::from(self.until_low))
    }
}

/// All connections in TIME_WAIT of one instance: bounded; at the bound the oldest makes room. All operations take
/// constant time. All entries last equally long, so the order of age is that of their ends.
#[derive(Debug)]
pub struct TimeWaits {
    hasher: foldhash::fast::FixedState,
    #[allow(clippy::vec_box, reason = "when their list grows, pointers move and not the slots")]
    chunks: Vec<Box<[Slot; CHUNK]>>,
    /// Slots that were ever in use, and so chains.
    count: usize,
    free: u32,
    oldest: u32,
    newest: u32,
    len: usize,
    max: usize,
}

impl TimeWaits {
    /// At most `max` entries; `seed` makes the hash unpredictable from outside.
    pub fn new(max: usize, seed: u64) -> TimeWaits {
        TimeWaits {
            hasher: foldhash::fast::FixedState::with_seed(seed),
            chunks: Vec::new(),
            count: 0,
            free: NIL,
            oldest: NIL,
            newest: NIL,
            len: 0,
            max: max.clamp(1, NIL as usize),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory held, those of the index included.
    pub fn memory(&self) -> usize {
        self.chunks.len() * size_of::<[Slot; CHUNK]>()
            + self.chunks.capacity() * size_of::<Box<[Slot; CHUNK]>>()
    }

    /// The slot of the entry with a key.
    pub fn find(&self, key: &Key) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let key = key.packed();
        let mut at = self.slot(self.chain(key)).head;
        while at != NIL && self.slot(at).key != key {
            at = self.slot(at).chained;
        }
        (at != NIL).then_some(at)
    }

    /// Adds an entry, whose key has none yet; returns the oldest one if that had to make room.
    pub fn insert(&mut self, entry: &TimeWait) -> Option<TimeWait> {
        debug_assert!(self.find(&entry.key).is_none(), "a key has two entries");
        let evicted = if self.len >= self.max { self.remove(self.oldest) } else { None };
        let slot = self.free_slot();
        self.slot_mut(slot).put(entry);
        self.chain_up(slot);
        self.link(slot);
        self.len += 1;
        evicted
    }

    /// Looks at an entry.
    pub fn get(&self, slot: u32) -> Option<TimeWait> {
        ((slot as usize) < self.count).then(|| self.slot(slot).entry())?
    }

    /// The peer's FIN came again: the time starts anew (RFC 9293 3.10.7.4 eighth step).
    pub fn restart(&mut self, slot: u32, until: Instant) {
        if self.get(slot).is_some() {
            self.slot_mut(slot).set_until(until);
            self.unlink(slot);
            self.link(slot);
        }
    }

    /// Removes an entry before its time.
    pub fn remove(&mut self, slot: u32) -> Option<TimeWait> {
        let entry = self.get(slot)?;
        self.unchain(slot);
        self.unlink(slot);
        let free = std::mem::replace(&mut self.free, slot);
        let slot = self.slot_mut(slot);
        (slot.flags, slot.next) = (0, free);
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
        (self.oldest != NIL).then(|| self.slot(self.oldest).until())
    }

    /// Whether every entry is found, once; for tests.
    pub fn check(&self) -> bool {
        let mut slots = (0..self.count as u32).filter_map(|slot| Some((slot, self.get(slot)?)));
        slots.all(|(slot, entry)| self.find(&entry.key) == Some(slot))
            && (0..self.count as u32).filter(|&slot| self.get(slot).is_some()).count() == self.len
    }

    #[inline]
    fn slot(&self, slot: u32) -> &Slot {
        &self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }

    #[inline]
    fn slot_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }

    fn free_slot(&mut self) -> u32 {
        let slot = self.free;
        if slot == NIL {
            return self.add_slot();
        }
        self.free = self.slot(slot).next;
        slot
    }

    /// One more slot and chain; the entries of the chain that it is split from go where they belong now.
    fn add_slot(&mut self) -> u32 {
        if self.count == self.chunks.len() * CHUNK {
            self.chunks.push(Box::new([EMPTY; CHUNK]));
        }
        let slot = self.count as u32;
        self.count += 1;
        if slot > 0 {
            let split = slot - (1 << slot.ilog2());
            let mut at = std::mem::replace(&mut self.slot_mut(split).head, NIL);
            while at != NIL {
                let next = self.slot(at).chained;
                self.chain_up(at);
                at = next;
            }
        }
        slot
    }

    /// Which chain a key belongs to. There are between 2^n and 2^(n+1) of them: those that the next bit has not split yet
    /// have the keys of both halves.
    fn chain(&self, key: [u32; 3]) -> u32 {
        let hash = self.hasher.hash_one(key);
        let hash = (hash ^ (hash >> 32)) as u32;
        let all = (self.count as u32).next_power_of_two() - 1;
        let chain = hash & all;
        if chain < self.count as u32 { chain } else { hash & (all >> 1) }
    }

    fn chain_up(&mut self, slot: u32) {
        let chain = self.chain(self.slot(slot).key);
        let first = std::mem::replace(&mut self.slot_mut(chain).head, slot);
        self.slot_mut(slot).chained = first;
    }

    fn unchain(&mut self, slot: u32) {
        let Slot { key, chained, .. } = *self.slot(slot);
        let chain = self.chain(key);
        let mut at = self.slot(chain).head;
        if at == slot {
            self.slot_mut(chain).head = chained;
            return;
        }
        while self.slot(at).chained != slot {
            at = self.slot(at).chained;
        }
        self.slot_mut(at).chained = chained;
    }

    /// Makes a slot the newest.
    fn link(&mut self, slot: u32) {
        let older = std::mem::replace(&mut self.newest, slot);
        match older {
            NIL => self.oldest = slot,
            _ => self.slot_mut(older).next = slot,
        }
        let slot = self.slot_mut(slot);
        (slot.older, slot.next) = (older, NIL);
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { older, next, .. } = *self.slot(slot);
        match older {
            NIL => self.oldest = next,
            _ => self.slot_mut(older).next = next,
        }
        match next {
            NIL => self.newest = older,
            _ => self.slot_mut(next).older = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// More than a chunk, so that slots come back and chains split.
    const MOST: usize = 80;
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

    fn key(n: u32) -> Key {
        entry(n, Instant::ZERO).key
    }

    fn new(max: usize) -> TimeWaits {
        TimeWaits::new(max, 7)
    }

    #[test]
    fn the_oldest_makes_room_and_memory_is_bounded() {
        let mut all = new(1000);
        for n in 0..10_000 {
            let evicted = all.insert(&entry(n, Instant::ZERO + LIFE));
            assert_eq!(evicted.map(|e| e.snd_nxt.0), n.checked_sub(1000));
        }
        assert_eq!(all.len(), 1000);
        assert!(all.memory() <= 64_000 && all.check(), "{}", all.memory());
    }

    /// At every number, and so while it grows too.
    #[test]
    fn an_entry_takes_64_bytes_at_most_all_told() {
        let mut all = new(1_000_000);
        for n in 1..=1_000_000 {
            all.insert(&entry(n, Instant::ZERO + LIFE));
            assert!(n < 1000 || all.memory() <= 64 * n as usize, "{} for {n}", all.memory());
        }
        assert_eq!(all.len(), 1_000_000);
    }

    /// Growing splits one chain, and chains are short: no insertion waits for many entries to move.
    #[test]
    fn chains_are_short() {
        let mut all = new(100_000);
        let length = |all: &TimeWaits, chain| {
            let some = |at: u32| (at != NIL).then_some(at);
            std::iter::successors(some(all.slot(chain).head), |&at| some(all.slot(at).chained)).count()
        };
        for n in 0..100_000 {
            all.insert(&entry(n, Instant::ZERO + LIFE));
            // the two halves of what was split just now
            let half = n - if n > 0 { 1 << n.ilog2() } else { 0 };
            assert!(length(&all, n) + length(&all, half) <= 16, "at {n}");
        }
        let lengths: Vec<usize> = (0..100_000).map(|chain| length(&all, chain)).collect();
        assert_eq!(lengths.iter().sum::<usize>(), 100_000);
        let looked_at: usize = lengths.iter().map(|n| n * (n + 1) / 2).sum();
        assert!(looked_at < 170_000, "{looked_at} to find each of 100,000");
    }

    #[test]
    fn what_is_kept_comes_back() {
        let full = TimeWait {
            key: Key::new(Ipv4Addr::new(10, 1, 2, 3), 0xfedc, Ipv4Addr::new(192, 168, 9, 8), 0x1234),
            next_hop: Some(MacAddr::ZERO),
            snd_nxt: SeqNumber(0xffff_fff0),
            rcv_nxt: SeqNumber(0x8000_0001),
            window: 0xabcd,
            ts_recent: Some(0),
            ts_offset: 0xdead_beef,
            until: Instant::from_millis(1 << 33 | 5),
        };
        let bare =
            TimeWait { key: key(1), next_hop: None, ts_recent: None, until: Instant::from_nanos(1), ..full };
        let mut all = new(9);
        for entry in [full, bare] {
            all.insert(&entry);
            let kept = all.find(&entry.key).and_then(|slot| all.get(slot)).expect("it is there");
            let until = if entry.key == bare.key { Instant::from_millis(1) } else { entry.until };
            assert_eq!(format!("{kept:?}"), format!("{:?}", TimeWait { until, ..entry }));
        }
        assert!(all.find(&key(2)).is_none() && all.get(2).is_none() && all.get(NIL).is_none());
    }

    #[test]
    fn a_restarted_one_is_the_newest() {
        let mut all = new(3);
        let at = |s| Instant::from_secs(s);
        for n in 0..3 {
            all.insert(&entry(n, at(60)));
        }
        let first = all.find(&key(0)).unwrap();
        all.restart(first, at(70));
        assert_eq!(all.next(), Some(at(60)));
        assert_eq!(all.insert(&entry(3, at(80))).map(|e| e.snd_nxt.0), Some(1));
        assert_eq!(all.expire(at(60)).map(|e| e.snd_nxt.0), Some(2));
        assert_eq!(all.expire(at(69)).map(|e| e.snd_nxt.0), None);
        assert_eq!(all.expire(at(70)).map(|e| e.snd_nxt.0), Some(0));
        assert_eq!(all.remove(first).map(|e| e.snd_nxt.0), None);
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
            12 => Just(Op::Insert),
            1 => any::<prop::sample::Index>().prop_map(Op::Restart),
            1 => any::<prop::sample::Index>().prop_map(Op::Remove),
            1 => (0u64..10).prop_map(Op::Wait),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_list(ops in prop::collection::vec(op(), 1..300)) {
            let mut all = new(MOST);
            let mut model: Vec<(u32, Instant)> = Vec::new(); // name, end; the oldest first
            let mut now = Instant::ZERO;
            for (name, op) in (0u32..).zip(ops) {
                match op {
                    Op::Insert => {
                        let evicted = all.insert(&entry(name, now + LIFE));
                        let expected = (model.len() == MOST).then(|| model.remove(0).0);
                        prop_assert_eq!(evicted.map(|e| e.snd_nxt.0), expected);
                        model.push((name, now + LIFE));
                    }
                    Op::Restart(which) if !model.is_empty() => {
                        let (name, _) = model.remove(which.index(model.len()));
                        all.restart(all.find(&key(name)).unwrap(), now + LIFE);
                        model.push((name, now + LIFE));
                    }
                    Op::Remove(which) if !model.is_empty() => {
                        let (name, _) = model.remove(which.index(model.len()));
                        let slot = all.find(&key(name)).unwrap();
                        prop_assert_eq!(all.remove(slot).map(|e| e.snd_nxt.0), Some(name));
                        prop_assert!(all.get(slot).is_none() && all.find(&key(name)).is_none());
                    }
                    Op::Wait(s) => now += Duration::from_secs(s),
                    _ => {}
                }
                while let Some(ended) = all.expire(now) {
                    let (name, end) = model.remove(0);
                    prop_assert_eq!((ended.snd_nxt.0, ended.until), (name, end));
                    prop_assert!(all.find(&key(name)).is_none());
                }
                prop_assert!(model.first().is_none_or(|m| m.1 > now));
                prop_assert_eq!((all.len(), all.next()), (model.len(), model.first().map(|m| m.1)));
                for &(name, _) in &model {
                    let found = all.find(&key(name)).and_then(|slot| all.get(slot));
                    prop_assert_eq!(found.map(|e| e.snd_nxt.0), Some(name));
                }
                prop_assert!(all.check());
            }
        }
    }
}
