//! The buffers that packets are in, by their numbers in the module's memory, and which of them are ours.
//!
//! Nothing is copied: whoever takes a frame out of a slot leaves a buffer of his own there, and whoever puts one in takes what
//! was there. So the ones that are ours change, and their number does not.

use std::io;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use crate::region::Region;

/// The module keeps the first two for itself.
const FIRST: u32 = 2;

#[derive(Debug)]
pub(super) struct Buffers {
    memory: Region,
    /// Where buffer 0 is.
    first: usize,
    size: usize,
    count: u32,
    /// One bit for each buffer: it is ours, spare or with the stack.
    ours: Box<[u64]>,
    spare: Vec<u32>,
    held: usize,
}

impl Buffers {
    /// None is ours yet.
    pub fn new(memory: Region, first: usize, size: usize) -> Buffers {
        let count = u32::try_from(memory.len().saturating_sub(first) / size).unwrap_or(u32::MAX);
        let ours = vec![0; count.div_ceil(64) as usize].into();
        Buffers { memory, first, size, count, ours, spare: Vec::new(), held: 0 }
    }

    /// The memory that they are in.
    pub fn memory(&self) -> &Region {
        &self.memory
    }

    /// Bytes of each.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Buffers with the stack.
    pub fn held(&self) -> usize {
        self.held
    }

    fn at(&self, buffer: u32) -> usize {
        self.first + buffer as usize * self.size
    }

    fn is_ours(&self, buffer: u32) -> bool {
        self.ours.get(buffer as usize / 64).is_some_and(|word| word & 1 << (buffer % 64) != 0)
    }

    /// A buffer becomes ours. `false`: there is none of the number, or it is ours already.
    #[must_use]
    fn take(&mut self, buffer: u32) -> bool {
        let new = (FIRST..self.count).contains(&buffer) && !self.is_ours(buffer);
        if new {
            self.ours[buffer as usize / 64] |= 1 << (buffer % 64);
        }
        new
    }

    fn give(&mut self, buffer: u32) {
        debug_assert!(self.is_ours(buffer), "buffer {buffer} is given away twice");
        self.ours[buffer as usize / 64] &= !(1 << (buffer % 64));
    }

    /// Takes the extra buffers, `wanted` at most: a list whose links are in the buffers themselves, which ends with 0.
    pub fn take_list(&mut self, mut buffer: u32, wanted: u32) -> io::Result<()> {
        for _ in 0..wanted {
            if buffer == 0 {
                break;
            }
            if !self.take(buffer) {
                let what = format!("the netmap module's list of buffers leads to buffer {buffer}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            self.spare.push(buffer);
            buffer = self.memory.word(self.at(buffer)).load(Relaxed);
        }
        Ok(())
    }

    /// Spare ones.
    pub fn spare(&self) -> usize {
        self.spare.len()
    }

    /// So many spare ones become another pair's, whose memory is the same.
    pub fn share(&mut self, n: usize, with: &mut Buffers) {
        let left = self.spare.len().saturating_sub(n);
        for buffer in self.spare.split_off(left) {
            self.give(buffer);
            if with.take(buffer) {
                with.spare.push(buffer);
            }
        }
    }

    /// All that are ours as such a list; returns where it begins. They are ours no more.
    pub fn make_list(&mut self) -> u32 {
        let mut next = 0;
        for buffer in (FIRST..self.count).rev().filter(|&buffer| self.is_ours(buffer)) {
            self.memory.word(self.at(buffer)).store(next, Relaxed);
            next = buffer;
        }
        self.ours.fill(0);
        self.spare.clear();
        self.held = 0;
        next
    }

    /// A slot's buffer comes to the stack, for a spare one that the slot is to have instead. `Err(true)`: there is none to
    /// spare; `Err(false)`: the slot's cannot be.
    pub fn receive(&mut self, buffer: u32) -> Result<u32, bool> {
        let Some(&spare) = self.spare.last() else { return Err(true) };
        if !self.take(buffer) {
            return Err(false);
        }
        self.spare.pop();
        self.give(spare);
        self.held += 1;
        Ok(spare)
    }

    /// The stack's buffer goes into a slot; what was there is spare. `false`: that cannot be, and is left alone.
    pub fn send(&mut self, buffer: u32, instead_of: u32) -> bool {
        let taken = self.take(instead_of);
        self.give(buffer);
        self.held -= 1;
        if taken {
            self.spare.push(instead_of);
        }
        taken
    }

    /// A spare buffer for the stack, unless no more than `keep` would be left.
    pub fn alloc(&mut self, keep: usize) -> Option<u32> {
        if self.spare.len() <= keep {
            return None;
        }
        self.held += 1;
        self.spare.pop()
    }

    /// The stack gives a buffer back.
    pub fn release(&mut self, buffer: u32) {
        debug_assert!(
            self.is_ours(buffer) && !self.spare.contains(&buffer),
            "buffer {buffer} came back twice"
        );
        self.held -= 1;
        self.spare.push(buffer);
    }

    fn range(&self, buffer: u32, part: Range<usize>) -> Range<usize> {
        assert!(self.is_ours(buffer) && part.end <= self.size, "{part:?} of buffer {buffer} is not ours");
        self.at(buffer) + part.start..self.at(buffer) + part.end
    }

    /// A part of a buffer that is with the stack.
    #[inline]
    pub fn bytes(&self, buffer: u32, part: Range<usize>) -> &[u8] {
        let range = self.range(buffer, part);
        // SAFETY: the buffer is in no slot and so nobody else's; to put it into one needs `&mut self`.
        unsafe { self.memory.bytes(range) }
    }

    /// The same, to be written.
    #[inline]
    pub fn bytes_mut(&mut self, buffer: u32, part: Range<usize>) -> &mut [u8] {
        let range = self.range(buffer, part);
        // SAFETY: as above.
        unsafe { self.memory.bytes_mut(range) }
    }

    /// Whether spare and held ones are all that are ours, for tests.
    #[cfg(test)]
    pub fn adds_up(&self) -> bool {
        let ours: u32 = self.ours.iter().map(|word| word.count_ones()).sum();
        ours as usize == self.spare.len() + self.held && self.spare.iter().all(|&buffer| self.is_ours(buffer))
    }

    /// Numbers of all that are ours, for tests.
    #[cfg(test)]
    pub fn all_ours(&self) -> Vec<u32> {
        (0..self.count).filter(|&buffer| self.is_ours(buffer)).collect()
    }
}
