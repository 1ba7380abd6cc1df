//! From a hash to a slot: open addressing by cache lines.
//!
//! With many connections hardly any of it is in the cache. So a look-up reads one line, as a rule, and which one it is
//! follows from the hash alone: a whole burst's lines can be asked for at once. Entries carry the hash and not the key,
//! which is compared where the slot leads; so they are small, and growing reads nothing but them.
//!
//! Growing takes no turn for itself: entries move to a table of twice the size a line at a time, from front to back,
//! whenever one is added. Both tables are in the order of the hashes, so that a hash tells where its entries are.

/// Entries of a cache line.
const LINE: usize = 8;
/// Full enough to grow: so many of 8 entries.
const FULL: usize = 5;
/// Lines of the first table.
const FEWEST: usize = 8;

/// Entries: the hash, and the slot plus one; 0 is free.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([u64; LINE]);

const FREE: Line = Line([0; LINE]);

/// Slots by hash. A hash may lead to several.
#[derive(Debug, Default)]
pub struct Index {
    lines: Lines,
    /// What it grows out of; empty, as a rule.
    old: Lines,
    /// So many of the old lines' entries have moved.
    moved: usize,
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
        (self.lines.lines.capacity() + self.old.lines.capacity()) * size_of::<Line>()
    }

    /// Reads the line that a look-up begins with; the value means nothing.
    #[inline]
    pub fn touch(&self, hash: u32) -> u64 {
        let table = self.table(hash);
        table.lines.get(table.home(hash)).map_or(0, |line| line.0[0])
    }

    /// The first slot under `hash` that `is` the one that is looked for.
    #[inline]
    pub fn find(&self, hash: u32, is: impl FnMut(u32) -> bool) -> Option<u32> {
        let table = self.table(hash);
        table.position(hash, is).map(|at| slot_of(table.at(at)))
    }

    /// Adds an entry.
    pub fn insert(&mut self, hash: u32, slot: u32) {
        if self.len >= self.lines.count * FULL {
            self.grow();
        }
        self.move_line();
        let entry = u64::from(hash) << 32 | u64::from(slot + 1);
        let table = if self.is_old(hash) { &mut self.old } else { &mut self.lines };
        table.place(entry);
        self.len += 1;
    }

    /// Removes the entry of `slot`. `false`: there was none.
    pub fn remove(&mut self, hash: u32, slot: u32) -> bool {
        let table = if self.is_old(hash) { &mut self.old } else { &mut self.lines };
        let Some(at) = table.position(hash, |s| s == slot) else { return false };
        table.clear(at);
        self.len -= 1;
        true
    }

    /// Whether entries under `hash` are still in the old table.
    #[inline]
    fn is_old(&self, hash: u32) -> bool {
        self.old.count > 0 && self.old.home(hash) >= self.moved
    }

    #[inline]
    fn table(&self, hash: u32) -> &Lines {
        if self.is_old(hash) { &self.old } else { &self.lines }
    }

    /// The table that is full becomes the old one. It is empty long before the next is full: it has a line for every FULL
    /// entries that may be added until then, and each of them moves one.
    #[cold]
    fn grow(&mut self) {
        debug_assert_eq!(self.old.count, 0, "grown out of");
        let larger = Lines::new((2 * self.lines.count).max(FEWEST));
        self.old = std::mem::replace(&mut self.lines, larger);
        self.moved = 0;
    }

    /// Moves the entries of one more line.
    fn move_line(&mut self) {
        if self.old.count == 0 {
            return;
        }
        let first = self.moved * LINE;
        let mut at = first;
        // They are among those from their line to the next free place; what follows moves up when one leaves.
        while self.old.at(at) != 0 {
            let entry = self.old.at(at);
            if self.old.home(hash_of(entry)) == self.moved {
                self.old.clear(at);
                self.lines.place(entry);
            } else {
                at = self.old.after(at);
            }
        }
        self.moved += 1;
        if self.moved == self.old.count {
            self.old = Lines::default();
        }
    }
}

/// A table of entries in the order of their hashes: each is in its home line or, if that was full, in the first free place
/// behind it.
#[derive(Debug, Default)]
struct Lines {
    /// How many there are in all: a power of two, or none.
    count: usize,
    /// Those behind the last entry ever placed may not be here yet: with the first write the system clears their memory.
    lines: Vec<Line>,
}

impl Lines {
    fn new(count: usize) -> Lines {
        Lines { count, lines: Vec::with_capacity(count) }
    }

    /// The line that entries under `hash` are in, or follow.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.count as u64) >> 32) as usize
    }

    /// Where the entry is that has `hash` and the slot that is looked for.
    #[inline]
    fn position(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<usize> {
        let mut at = self.home(hash) * LINE;
        loop {
            let entry = self.at(at);
            if entry == 0 {
                return None;
            }
            if hash_of(entry) == hash && is(slot_of(entry)) {
                return Some(at);
            }
            at = self.after(at);
        }
    }

    #[inline]
    fn at(&self, at: usize) -> u64 {
        self.lines.get(at / LINE).map_or(0, |line| line.0[at % LINE])
    }

    fn set(&mut self, at: usize, entry: u64) {
        let line = at / LINE;
        if line >= self.lines.len() {
            self.lines.resize(line + 1, FREE);
        }
        self.lines[line].0[at % LINE] = entry;
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.count * LINE - 1)
    }

    fn place(&mut self, entry: u64) {
        let mut at = self.home(hash_of(entry)) * LINE;
        while self.at(at) != 0 {
            at = self.after(at);
        }
        self.set(at, entry);
    }

    /// Frees a place. What follows moves up as far as it may, so that no look-up ends before it.
    fn clear(&mut self, at: usize) {
        let (mut free, mut next) = (at, at);
        loop {
            next = self.after(next);
            let entry = self.at(next);
            if entry == 0 {
                break;
            }
            let home = self.home(hash_of(entry)) * LINE;
            let mask = self.count * LINE - 1;
            if free.wrapping_sub(home) & mask <= next.wrapping_sub(home) & mask {
                self.set(free, entry);
                free = next;
            }
        }
        self.set(free, 0);
    }
}

#[inline]
fn hash_of(entry: u64) -> u32 {
    (entry >> 32) as u32
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
            // both tables, while it grows
            let most = if index.old.count > 0 { 39 } else { 26 };
            assert!(
                index.memory() <= 64 * FEWEST + most * index.len(),
                "{} for {}",
                index.memory(),
                index.len()
            );
        }
        let lines = |(slot, &hash): (usize, &u32)| {
            let table = index.table(hash);
            table.position(hash, |s| s == slot as u32).unwrap() / LINE - table.home(hash)
        };
        let far = hashes.iter().enumerate().filter(|&entry| lines(entry) > 0).count();
        assert!(far < 10_000, "{far} of 100,000 are not in their line");
    }

    /// While it grows, every entry is found and can be removed, and none waits for many others to move.
    #[test]
    fn it_grows_a_line_at_a_time() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut index = Index::default();
        let mut entries = Vec::new();
        let mut growing = 0;
        for slot in 0..1500 {
            let hash = if slot % 3 == 0 { rng.u32(..) } else { rng.u32(..) | 0xffff_0000 };
            let before = if index.old.count > 0 { index.moved } else { 0 };
            entries.push((hash, slot));
            index.insert(hash, slot);
            if index.old.count > 0 {
                growing += 1;
                assert_eq!(index.moved, before + 1);
                let (hash, slot) = entries.swap_remove(rng.usize(..entries.len()));
                assert!(index.remove(hash, slot) && !index.remove(hash, slot));
            }
            for &(hash, slot) in &entries {
                assert_eq!(index.find(hash, |s| s == slot), Some(slot));
            }
            assert_eq!(index.len(), entries.len());
        }
        assert!(growing > 100, "{growing}");
    }
}
