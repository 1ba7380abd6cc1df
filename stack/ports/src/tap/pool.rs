//! A queue's buffers, of two sizes: one for what the interface's MTU allows, and, with offloads, a few for 64 KiB.

use std::io::IoSliceMut;
use std::ops::Range;

use ferroflow_stack::port::Frame;

/// Small buffers of a queue.
pub(super) const SMALL: u32 = 1024;
/// Large ones: what is received or sent at once is fewer.
pub(super) const LARGE: u32 = 64;

/// [`Frame::port`] of frames in small buffers, and in large ones.
pub(super) const IN_SMALL: u8 = 0;
pub(super) const IN_LARGE: u8 = 1;

/// Buffers of one size.
#[derive(Debug)]
struct Class {
    slot: usize,
    bytes: Box<[u8]>,
    count: u32,
    free: Vec<u32>,
}

impl Class {
    fn new(slot: usize, count: u32) -> Class {
        let bytes = vec![0; slot * count as usize].into_boxed_slice();
        Class { slot, bytes, count, free: (0..count).rev().collect() }
    }

    fn at(&mut self, idx: u32) -> &mut [u8] {
        let start = idx as usize * self.slot;
        &mut self.bytes[start..start + self.slot]
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    small: Class,
    large: Class,
}

impl Pool {
    /// Small buffers of `small` bytes at least, and large ones of `large` if that is not 0.
    pub fn new(small: usize, large: usize) -> Pool {
        // A multiple of the cache line.
        let large_count = if large > 0 { LARGE } else { 0 };
        Pool {
            small: Class::new(small.next_multiple_of(64), SMALL),
            large: Class::new(large.next_multiple_of(64), large_count),
        }
    }

    fn class(&self, port: u8) -> &Class {
        if port == IN_SMALL { &self.small } else { &self.large }
    }

    fn class_mut(&mut self, port: u8) -> &mut Class {
        if port == IN_SMALL { &mut self.small } else { &mut self.large }
    }

    /// A buffer of a size, if one is free.
    #[inline]
    pub fn take(&mut self, port: u8) -> Option<u32> {
        self.class_mut(port).free.pop()
    }

    #[inline]
    pub fn give_back(&mut self, port: u8, idx: u32) {
        let class = self.class_mut(port);
        debug_assert!(!class.free.contains(&idx), "buffer {idx} came back twice");
        class.free.push(idx);
    }

    /// Buffers that are out.
    pub fn held(&self) -> usize {
        let out = |class: &Class| class.count as usize - class.free.len();
        out(&self.small) + out(&self.large)
    }

    /// Bytes of a small buffer.
    pub fn small_slot(&self) -> usize {
        self.small.slot
    }

    /// A small buffer's bytes, all of them.
    pub fn small(&mut self, idx: u32) -> &mut [u8] {
        self.small.at(idx)
    }

    /// Where to read a frame of any length with one call: a small buffer, and of a large one what is behind the small
    /// one's length.
    pub fn landing(&mut self, small: u32, large: u32) -> [IoSliceMut<'_>; 2] {
        let slot = self.small.slot.min(self.large.slot);
        [IoSliceMut::new(self.small.at(small)), IoSliceMut::new(&mut self.large.at(large)[slot..])]
    }

    /// What was read there was longer than the small buffer: all of it is in the large one then.
    pub fn complete(&mut self, small: u32, large: u32) {
        let slot = self.small.slot.min(self.large.slot);
        let Pool { small: from, large: to } = self;
        to.at(large)[..slot].copy_from_slice(&from.at(small)[..slot]);
    }

    /// The bytes of a frame, and `before` more in front of them.
    #[inline]
    pub fn bytes(&self, frame: &Frame, before: usize) -> &[u8] {
        let class = self.class(frame.port);
        &class.bytes[range(class.slot, frame, before)]
    }

    #[inline]
    pub fn bytes_mut(&mut self, frame: &Frame, before: usize) -> &mut [u8] {
        let class = self.class_mut(frame.port);
        &mut class.bytes[range(class.slot, frame, before)]
    }
}

#[inline]
fn range(slot: usize, frame: &Frame, before: usize) -> Range<usize> {
    let start = frame.idx as usize * slot + frame.off as usize;
    start - before..start + frame.len as usize
}
