//! From a hash to a slot: open addressing by cache lines.
//!
//! With many connections hardly any of it is in the cache. So a look-up reads one line, as a rule, and which one it is
//! follows from the hash alone: a whole burst's lines can be asked for at once. Entries carry the hash and not the key,
//! which is compared where the slot leads; so they are small, and growing reads nothing but them, from front to back.

/// Entries of a cache line.
const LINE: usize = 8;
/// Full enough to grow: so many of 8 entries.
const FULL: usize = 5;

/// Entries: the hash, and the slot plus one; 0 is free.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([u64; LINE]);

/// Slots by hash. A hash may lead to several.
#[derive(Debug, Default)]
pub struct Index {
    /// As many as a power of two, or none.
    lines: Vec<Line>,
    len: usize,
}

impl Index {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// Reads the line that a look-up begins with; the value means nothing.
    #[inline]
    pub fn touch(&self, hash: u32) -> u64 {
        self.lines.get(self.home(hash)).map_or(0, |line| line.0[0])
    }

    /// The first slot under `hash` that `is` the one that is looked for.
    #[inline]
    pub fn find(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        self.position(hash, &mut is).map(|at| slot_of(self.at(at)))
    }

    /// Adds an entry.
    pub fn insert(&mut self, hash: u32, slot: u32) {
        if self.len >= self.lines.len() * FULL {
            self.grow();
        }
        self.place(u64::from(hash) << 32 | u64::from(slot + 1));
        self.len += 1;
    }

    /// Removes the entry of `slot`. `false`: there was none.
    pub fn remove(&mut self, hash: u32, slot: u32) -> bool {
        let Some(mut free) = self.position(hash, |s| s == slot) else { return false };
        self.len -= 1;
        // What follows moves up as far as it may, so that no look-up ends before it.
        let mut next = free;
        loop {
            next = self.after(next);
            let entry = self.at(next);
            if entry == 0 {
                break;
            }
            let home = self.home((entry >> 32) as u32) * LINE;
            let mask = self.lines.len() * LINE - 1;
            if free.wrapping_sub(home) & mask <= next.wrapping_sub(home) & mask {
                self.set(free, entry);
                free = next;
            }
        }
        self.set(free, 0);
        true
    }

    /// The line that entries under `hash` are in, or follow.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.lines.len() as u64) >> 32) as usize
    }

    #[inline]
    fn position(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<usize> {
        if self.lines.is_empty() {
            return None;
        }
        let mut at = self.home(hash) * LINE;
        loop {
            let entry = self.at(at);
            if entry == 0 {
                return None;
            }
            if (entry >> 32) as u32 == hash && is(slot_of(entry)) {
                return Some(at);
            }
            at = self.after(at);
        }
    }

    #[inline]
    fn at(&self, at: usize) -> u64 {
        self.lines[at / LINE].0[at % LINE]
    }

    fn set(&mut self, at: usize, entry: u64) {
        self.lines[at / LINE].0[at % LINE] = entry;
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.lines.len() * LINE - 1)
    }

    fn place(&mut self, entry: u64) {
        let mut at = self.home((entry >> 32) as u32) * LINE;
        while self.at(at) != 0 {
            at = self.after(at);
        }
        self.set(at, entry);
    }

    fn grow(&mut self) {
        let lines = (2 * self.lines.len()).max(8);
        for line in std::mem::replace(&mut self.lines, vec![Line([0; LINE]); lines]) {
            line.0.into_iter().filter(|&entry| entry != 0).for_each(|entry| self.place(entry));
        }
    }
}

#[inline]
fn slot_of(entry: u64) -> u32 {
    (entry as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Against a set, with hashes that collide, stand at the end of the table and wrap round.
    #[test]
    fn it_finds_what_was_inserted_and_nothing_else() {
        let mut rng = fastrand::Rng::with_seed(7);
        for bits in [2, 6, 16, 32] {
            let (mut index, mut set) = (Index::default(), BTreeSet::new());
            for _ in 0..20_000 {
                let hash = rng.u32(..) | !(u32::MAX >> (32 - bits));
                let slot = rng.u32(..300);
                if rng.u8(..) < 140 && set.len() < 250 {
                    if set.insert((hash, slot)) {
                        index.insert(hash, slot);
                    }
                } else if let Some(&(hash, slot)) = set.range((hash, slot)..).next() {
                    assert!(index.remove(hash, slot));
                    set.remove(&(hash, slot));
                } else {
                    assert_eq!(index.remove(hash, slot), set.remove(&(hash, slot)));
                }
                assert_eq!(index.len(), set.len());
                assert_eq!(index.find(hash, |s| s == slot).is_some(), set.contains(&(hash, slot)));
            }
            for &(hash, slot) in &set {
                assert_eq!(index.find(hash, |s| s == slot), Some(slot));
            }
        }
    }

    #[test]
    fn it_is_small_and_look_ups_are_short() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut index = Index::default();
        let hashes: Vec<u32> = (0..100_000).map(|_| rng.u32(..)).collect();
        for (slot, &hash) in hashes.iter().enumerate() {
            index.insert(hash, slot as u32);
            assert!(index.memory() <= 64 * 8 + 26 * index.len(), "{} for {}", index.memory(), index.len());
        }
        let lines = |(slot, &hash): (usize, &u32)| {
            let at = index.position(hash, |s| s == slot as u32).unwrap();
            at / LINE - index.home(hash)
        };
        let far = hashes.iter().enumerate().filter(|&entry| lines(entry) > 0).count();
        assert!(far < 10_000, "{far} of 100,000 are not in their line");
    }
}
