//! The four rings of an AF_XDP socket (Documentation/networking/af_xdp.rst): each has one writer and one reader, who tell
//! each other by two indices how far they are.
//!
//! Only arithmetic, over memory that is mapped from a socket or, in tests, is not. The indices are the other
//! party's to write: what cannot be (more entries than the ring has) is taken for none, and counted.

use std::sync::atomic::Ordering;

use crate::region::Region;

/// Where a ring has what, in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offsets {
    pub producer: usize,
    pub consumer: usize,
    pub flags: usize,
    pub entries: usize,
}

/// The other party wants to be woken by a call of the kernel.
const NEED_WAKEUP: u32 = libc::XDP_RING_NEED_WAKEUP;

/// What both ends of a ring have.
#[derive(Debug)]
struct Ring {
    memory: Region,
    at: Offsets,
    /// Entries; a power of two.
    size: u32,
    /// Bytes of an entry.
    width: usize,
    /// Our index, as far as we are ourselves.
    ours: u32,
    /// The other party's, as we last saw it.
    theirs: u32,
    /// Times that their index made no sense.
    insane: u64,
}

impl Ring {
    fn new(memory: Region, at: Offsets, size: u32, width: usize) -> Ring {
        assert!(size.is_power_of_two() && at.entries + size as usize * width <= memory.len());
        Ring { memory, at, size, width, ours: 0, theirs: 0, insane: 0 }
    }

    fn range(&self, index: u32) -> std::ops::Range<usize> {
        let start = self.at.entries + (index & (self.size - 1)) as usize * self.width;
        start..start + self.width
    }

    fn wants_a_call(&self) -> bool {
        self.memory.word(self.at.flags).load(Ordering::Relaxed) & NEED_WAKEUP != 0
    }
}

/// The end that writes: of the fill ring and the transmit ring.
#[derive(Debug)]
pub(super) struct Producer<const WIDTH: usize>(Ring);

impl<const WIDTH: usize> Producer<WIDTH> {
    /// The end of a new ring.
    pub fn new(memory: Region, at: Offsets, size: u32) -> Producer<WIDTH> {
        Producer(Ring::new(memory, at, size, WIDTH))
    }

    /// Entries that the other party has not taken yet, published or not.
    pub fn under_way(&mut self) -> u32 {
        let ring = &mut self.0;
        // Acquire: what we write next goes where the other party has read.
        let consumer = ring.memory.word(ring.at.consumer).load(Ordering::Acquire);
        let used = ring.ours.wrapping_sub(consumer);
        if used <= ring.size {
            ring.theirs = consumer;
        } else {
            ring.insane += 1;
        }
        ring.ours.wrapping_sub(ring.theirs)
    }

    /// Writes an entry, which is seen after the next [`Producer::publish`]. `false` = the ring is full.
    pub fn push(&mut self, entry: [u8; WIDTH]) -> bool {
        if self.0.ours.wrapping_sub(self.0.theirs) == self.0.size && self.under_way() == self.0.size {
            return false;
        }
        let range = self.0.range(self.0.ours);
        // SAFETY: it lies between their index and what we have published, so that it is ours.
        unsafe { self.0.memory.bytes_mut(range) }.copy_from_slice(&entry);
        self.0.ours = self.0.ours.wrapping_add(1);
        true
    }

    /// Shows what was written.
    pub fn publish(&mut self) {
        // Release: the entries are to be seen before the index.
        self.0.memory.word(self.0.at.producer).store(self.0.ours, Ordering::Release);
    }

    /// Whether the kernel does nothing with it before it is called.
    pub fn wants_a_call(&self) -> bool {
        self.0.wants_a_call()
    }

    /// Times that the other party's index made no sense.
    pub fn insane(&self) -> u64 {
        self.0.insane
    }
}

/// The end that reads: of the receive ring and the completion ring.
#[derive(Debug)]
pub(super) struct Consumer<const WIDTH: usize>(Ring);

impl<const WIDTH: usize> Consumer<WIDTH> {
    /// The end of a new ring.
    pub fn new(memory: Region, at: Offsets, size: u32) -> Consumer<WIDTH> {
        Consumer(Ring::new(memory, at, size, WIDTH))
    }

    /// Whether there is something to read.
    pub fn has_news(&mut self) -> bool {
        self.0.ours != self.0.theirs || self.look()
    }

    fn look(&mut self) -> bool {
        let ring = &mut self.0;
        // Acquire: the entries are to be seen that came before the index.
        let producer = ring.memory.word(ring.at.producer).load(Ordering::Acquire);
        if producer.wrapping_sub(ring.ours) <= ring.size {
            ring.theirs = producer;
        } else {
            ring.insane += 1;
        }
        ring.ours != ring.theirs
    }

    /// Reads the next entry; its place is free after the next [`Consumer::publish`].
    pub fn pop(&mut self) -> Option<[u8; WIDTH]> {
        if !self.has_news() {
            return None;
        }
        let mut entry = [0; WIDTH];
        let range = self.0.range(self.0.ours);
        // SAFETY: it lies between what we have given back and their index, so that the other party does not write it.
        entry.copy_from_slice(unsafe { self.0.memory.bytes(range) });
        self.0.ours = self.0.ours.wrapping_add(1);
        Some(entry)
    }

    /// Gives back the places of what was read.
    pub fn publish(&mut self) {
        // Release: we have read before the other party writes there again.
        self.0.memory.word(self.0.at.consumer).store(self.0.ours, Ordering::Release);
    }

    /// Times that the other party's index made no sense.
    pub fn insane(&self) -> u64 {
        self.0.insane
    }
}

#[cfg(test)]
mod tests;
