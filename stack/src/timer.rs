//! Timers by connection index: a hierarchical wheel that is armed lazily.
//!
//! The owner keeps the true deadline beside the connection's state and asks the wheel only for an entry that fires no
//! later than it. Putting a deadline off (every acknowledgement does) costs nothing here: the entry fires at the
//! old time, the owner compares, and schedules again.

use crate::time::Instant;

/// Nanoseconds of a tick as a power of two: 2^20 ns are 1.05 ms.
const TICK_SHIFT: u32 = 20;
/// Each level has 64 slots, so that one word tells which are occupied.
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// 8 levels of 6 bits hold every tick an [`Instant`] can name (44 bits): nothing wraps, nothing is clamped.
const LEVELS: usize = 8;
/// The end of a list, and the slot of an entry that is in none.
const NIL: u32 = u32::MAX;
/// No entry: later than every tick.
const NEVER: u64 = u64::MAX;

#[derive(Debug, Clone, Copy)]
struct Entry {
    tick: u64,
    generation: u32,
    slot: u32,
    next: u32,
    prev: u32,
}

const UNLINKED: Entry = Entry { tick: NEVER, generation: 0, slot: NIL, next: NIL, prev: NIL };

/// Timers of one core: at most one entry per connection index, so memory is bounded by the highest index ever used.
///
/// Resolution is one tick of 2^20 ns (1.05 ms): an entry never fires early and is at most a tick late. All
/// operations are constant time (firing: per entry, with at most 8 moves in its life) and allocate only when an index
/// is used for the first time.
#[derive(Debug)]
pub struct Wheel {
    entries: Vec<Entry>,
    /// Heads of the slots' lists, level by level.
    slots: [u32; LEVELS * SLOTS],
    /// Which slots of a level are not empty.
    occupied: [u64; LEVELS],
    /// Everything before this tick has fired.
    elapsed: u64,
    /// No entry fires and none has to be moved before this tick.
    next: u64,
    len: usize,
}

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel::new()
    }
}

impl Wheel {
    /// How late an entry may fire, in nanoseconds.
    pub const TICK_NS: u64 = 1 << TICK_SHIFT;

    /// An empty wheel, at the origin of time.
    pub fn new() -> Wheel {
        Wheel {
            entries: Vec::new(),
            slots: [NIL; LEVELS * SLOTS],
            occupied: [0; LEVELS],
            elapsed: 0,
            next: NEVER,
            len: 0,
        }
    }

    /// How many entries wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no entry waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes sure that an entry for `index` fires no later than `at` (plus a tick).
    ///
    /// If one of the same `generation` waits for an earlier time already, nothing changes; one of another generation
    /// is replaced. [`Instant::FAR`] asks for nothing.
    #[inline]
    pub fn schedule(&mut self, index: u32, generation: u32, at: Instant) {
        let tick = tick_after(at);
        if let Some(entry) = self.entries.get(index as usize)
            && entry.slot != NIL
            && entry.generation == generation
            && entry.tick <= tick
        {
            return;
        }
        self.place(index, generation, at);
    }

    /// When the entry for `index` fires, within a tick; [`Instant::FAR`] if none of this `generation` waits.
    pub fn due(&self, index: u32, generation: u32) -> Instant {
        let entry = self.entries.get(index as usize).filter(|e| e.slot != NIL && e.generation == generation);
        let ns = entry.map_or(u128::MAX, |entry| u128::from(entry.tick) << TICK_SHIFT);
        u64::try_from(ns).map_or(Instant::FAR, |ns| Instant::from_nanos(ns.saturating_sub(Wheel::TICK_NS)))
    }

    fn place(&mut self, index: u32, generation: u32, at: Instant) {
        if index as usize >= self.entries.len() {
            self.entries.resize(index as usize + 1, UNLINKED);
        }
        if self.entries[index as usize].slot != NIL {
            self.unlink(index);
        }
        if at == Instant::FAR {
            return;
        }
        // What is late already fires with the next call of `advance`.
        let tick = tick_after(at).max(self.elapsed);
        self.entries[index as usize] = Entry { tick, generation, ..UNLINKED };
        let starts = self.link(index, tick);
        self.next = self.next.min(starts);
        self.len += 1;
    }

    /// Fires what is due at `now`: `fire` gets index and generation of each entry, which is no longer in the wheel
    /// then. A `now` before the last one fires nothing new.
    pub fn advance(&mut self, now: Instant, mut fire: impl FnMut(u32, u32)) {
        let now = now.as_nanos() >> TICK_SHIFT;
        while let Some((slot, starts)) = self.first() {
            if starts > now {
                break;
            }
            self.elapsed = self.elapsed.max(starts);
            self.empty(slot, &mut fire);
        }
        self.elapsed = self.elapsed.max(now);
        self.next = self.first().map_or(NEVER, |(_, starts)| starts);
    }

    /// When [`Wheel::advance`] has to be called next; `None` = nothing waits.
    ///
    /// Never later than the earliest entry's time plus a tick. It may be earlier (entries far away are moved closer
    /// in steps), but a call of `advance` at that time always brings the next one forward.
    #[inline]
    pub fn next(&self) -> Option<Instant> {
        if self.len == 0 || self.next == NEVER {
            return None;
        }
        let ns = u128::from(self.next) << TICK_SHIFT;
        Some(u64::try_from(ns).map_or(Instant::FAR, Instant::from_nanos))
    }

    /// The slot that comes first, and the tick it starts at. Entries of a level agree with `elapsed` in
    /// all bits above it, so the lowest level in use holds the earliest.
    #[inline]
    fn first(&self) -> Option<(usize, u64)> {
        let level = self.occupied.iter().position(|&o| o != 0)?;
        let slot = self.occupied[level].trailing_zeros();
        let shift = level as u32 * SLOT_BITS;
        let above = shift + SLOT_BITS;
        let starts = (self.elapsed >> above << above) | (u64::from(slot) << shift);
        Some((level * SLOTS + slot as usize, starts))
    }

    /// Takes a slot's list apart: level 0 fires, the others move closer.
    fn empty(&mut self, slot: usize, fire: &mut impl FnMut(u32, u32)) {
        let mut index = std::mem::replace(&mut self.slots[slot], NIL);
        self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
        while index != NIL {
            let Entry { tick, generation, next, .. } = self.entries[index as usize];
            self.entries[index as usize].slot = NIL;
            if slot < SLOTS {
                self.len -= 1;
                fire(index, generation);
            } else {
                self.link(index, tick);
            }
            index = next;
        }
    }

    /// Puts an entry into the slot for `tick`, which is not before `elapsed`; returns the tick its slot starts at.
    fn link(&mut self, index: u32, tick: u64) -> u64 {
        let differing = (tick ^ self.elapsed) | (SLOTS as u64 - 1);
        let level = (u64::BITS - 1 - differing.leading_zeros()) / SLOT_BITS;
        let shift = level * SLOT_BITS;
        let slot = (tick >> shift) as usize % SLOTS;
        self.occupied[level as usize] |= 1 << slot;
        let slot = level as usize * SLOTS + slot;
        let next = std::mem::replace(&mut self.slots[slot], index);
        if next != NIL {
            self.entries[next as usize].prev = index;
        }
        let entry = &mut self.entries[index as usize];
        (entry.slot, entry.next, entry.prev) = (slot as u32, next, NIL);
        tick >> shift << shift
    }

    fn unlink(&mut self, index: u32) {
        let Entry { slot, next, prev, .. } = self.entries[index as usize];
        if next != NIL {
            self.entries[next as usize].prev = prev;
        }
        if prev != NIL {
            self.entries[prev as usize].next = next;
        } else {
            self.slots[slot as usize] = next;
            if next == NIL {
                self.occupied[slot as usize / SLOTS] &= !(1 << (slot as usize % SLOTS));
            }
        }
        self.entries[index as usize].slot = NIL;
        self.len -= 1;
    }
}

/// The first tick that starts at `at` or later.
#[inline]
const fn tick_after(at: Instant) -> u64 {
    at.as_nanos().div_ceil(Wheel::TICK_NS)
}

#[cfg(test)]
mod tests;
