//! A ring of slots: the arithmetic of `head`, `cur` and `tail` (netmap(4)), without a system call.
//!
//! The slots from `head` up to `tail` are ours; the module touches them, and reads `head`, in our own system calls only. What
//! it tells is checked all the same: a wrong number would lead out of the memory.

use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::api;
use crate::region::Region;

/// The most slots of a ring that are believed; the module allows 16,384.
const MAX_SLOTS: u32 = 1 << 16;

/// What is in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Number of the buffer.
    pub buffer: u32,
    /// Bytes of the packet, or of its part.
    pub len: u16,
    /// `NS_*`
    pub flags: u16,
}

/// A ring in the module's memory.
#[derive(Debug)]
pub(super) struct Ring {
    at: usize,
    slots: u32,
    /// The first slot that is ours: where the next frame is, or goes.
    head: u32,
    /// What the module has been told of it.
    told: u32,
    /// Where buffer 0 is, and how large each is, in bytes.
    pub first_buffer: usize,
    pub buffer_size: usize,
}

fn insane(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the netmap module tells {what}"))
}

/// A number of 64 bits.
pub(super) fn wide(memory: &Region, at: usize) -> i64 {
    let half = |at| memory.word(at).load(Relaxed).to_ne_bytes();
    let ([a, b, c, d], [e, f, g, h]) = (half(at), half(at + 4));
    i64::from_ne_bytes([a, b, c, d, e, f, g, h])
}

impl Ring {
    /// The ring at byte `at`.
    pub fn new(memory: &Region, at: usize) -> io::Result<Ring> {
        let inside =
            |len: usize| at.is_multiple_of(8) && at.checked_add(len).is_some_and(|end| end <= memory.len());
        if !inside(api::ring::SLOTS) {
            return Err(insane("of a ring outside its memory"));
        }
        let word = |field: usize| memory.word(at + field).load(Acquire);
        let (slots, size) = (word(api::ring::NUM_SLOTS), word(api::ring::BUF_SIZE) as usize);
        if !(2..=MAX_SLOTS).contains(&slots) || !inside(api::ring::SLOTS + slots as usize * api::slot::SIZE) {
            return Err(insane("of a ring that does not fit into its memory"));
        }
        let first = at.checked_add_signed(wide(memory, at + api::ring::BUF_OFS) as isize);
        let Some(first) = first.filter(|&first| first < memory.len() && first.is_multiple_of(4)) else {
            return Err(insane("of buffers outside its memory"));
        };
        if !(64..=1 << 16).contains(&size) || !size.is_multiple_of(4) {
            return Err(insane("of buffers of a size that cannot be"));
        }
        let head = word(api::ring::HEAD);
        if head >= slots {
            return Err(insane("of a ring that begins behind its end"));
        }
        Ok(Ring { at, slots, head, told: head, first_buffer: first, buffer_size: size })
    }

    /// How many slots it has.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// How many slots are ours: frames that have come, or room for frames to send. `None`: the module tells nonsense.
    pub fn available(&self, memory: &Region) -> Option<u32> {
        let tail = memory.word(self.at + api::ring::TAIL).load(Acquire);
        (tail < self.slots).then(|| (tail + self.slots - self.head) % self.slots)
    }

    /// Slots that we have left behind since the module was told.
    pub fn passed(&self) -> u32 {
        (self.head + self.slots - self.told) % self.slots
    }

    /// The first slot that is ours, if any is.
    pub fn front(&self, memory: &Region) -> Slot {
        let at = self.slot_at();
        let [a, b, c, d] = memory.word(at + api::slot::LEN_AND_FLAGS).load(Relaxed).to_ne_bytes();
        Slot {
            buffer: memory.word(at + api::slot::BUF_IDX).load(Relaxed),
            len: u16::from_ne_bytes([a, b]),
            flags: u16::from_ne_bytes([c, d]),
        }
    }

    /// Writes the first slot.
    pub fn set_front(&mut self, memory: &Region, slot: Slot) {
        let at = self.slot_at();
        let ([a, b], [c, d]) = (slot.len.to_ne_bytes(), slot.flags.to_ne_bytes());
        memory.word(at + api::slot::BUF_IDX).store(slot.buffer, Relaxed);
        memory.word(at + api::slot::LEN_AND_FLAGS).store(u32::from_ne_bytes([a, b, c, d]), Relaxed);
    }

    fn slot_at(&self) -> usize {
        self.at + api::ring::SLOTS + self.head as usize * api::slot::SIZE
    }

    /// Leaves the first slot behind: the module's, from the next [`Ring::publish`] on.
    pub fn advance(&mut self) {
        self.head = if self.head + 1 == self.slots { 0 } else { self.head + 1 };
    }

    /// Tells the module which slots are its own, before it is called.
    pub fn publish(&mut self, memory: &Region) {
        self.told = self.head;
        // poll(2) wakes when there is more than what `cur` says that we have seen.
        memory.word(self.at + api::ring::CUR).store(self.head, Relaxed);
        memory.word(self.at + api::ring::HEAD).store(self.head, Release);
    }
}
