//! One ring of frames in the shared memory, seen from its writer and from its reader.
//!
//! Each side believes its own count, kept in its own memory, and checks the other's: it may have been written by a program
//! that is broken or means harm.

use std::sync::atomic::Ordering;

use super::area::{Area, HEAD_LEN, RingPlace};

/// The other side's count cannot be: the ring is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// Said of a frame beside its length: nobody needs to verify its checksum, which may not be complete.
const CSUM_SKIPPED: u64 = 1 << 32;

/// Bytes in a word.
const WORD: usize = 8;

#[derive(Debug)]
pub(super) struct Writer {
    place: RingPlace,
    /// Frames written so far.
    tail: u32,
    /// What the reader has taken, as far as we looked.
    head: u32,
    /// What the reader has been told of `tail`.
    told: u32,
}

impl Writer {
    pub fn new(place: RingPlace) -> Writer {
        Writer { place, tail: 0, head: 0, told: 0 }
    }

    /// How many frames fit, looking at the reader's count only if need be.
    #[inline]
    pub fn room(&mut self, area: &Area) -> Result<u32, Broken> {
        let used = self.tail.wrapping_sub(self.head);
        if used < self.place.slots { Ok(self.place.slots - used) } else { self.look(area) }
    }

    /// The same, from what the reader has taken by now.
    pub fn look(&mut self, area: &Area) -> Result<u32, Broken> {
        let head = area.word(self.place.head).load(Ordering::Acquire);
        let used = self.tail.wrapping_sub(head);
        if used > self.tail.wrapping_sub(self.head) {
            return Err(Broken);
        }
        self.head = head;
        Ok(self.place.slots - used)
    }

    /// Writes a frame; there is room, and it is no longer than a frame may be. The reader sees it after
    /// [`Writer::tell`].
    #[inline]
    pub fn push(&mut self, area: &Area, frame: &[u8], csum_skipped: bool) {
        debug_assert!(self.tail.wrapping_sub(self.head) < self.place.slots);
        let words = area.words(self.place.slot(self.tail), self.place.slot_len / WORD);
        let about = frame.len() as u64 | if csum_skipped { CSUM_SKIPPED } else { 0 };
        words[0].store(about, Ordering::Relaxed);
        let (whole, rest) = frame.as_chunks::<WORD>();
        for (word, bytes) in words[HEAD_LEN / WORD..].iter().zip(whole) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        if !rest.is_empty() {
            let mut last = [0; WORD];
            last[..rest.len()].copy_from_slice(rest);
            words[HEAD_LEN / WORD + whole.len()].store(u64::from_ne_bytes(last), Ordering::Relaxed);
        }
        self.tail = self.tail.wrapping_add(1);
    }

    /// Lets the reader see what was written. Whether there was anything new.
    pub fn tell(&mut self, area: &Area) -> bool {
        let news = self.told != self.tail;
        if news {
            self.told = self.tail;
            area.word(self.place.tail).store(self.tail, Ordering::Release);
        }
        news
    }
}

/// What a slot held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Frame {
        len: u32,
        csum_skipped: bool,
    },
    /// A frame that is longer than any may be.
    TooLong,
}

#[derive(Debug)]
pub(super) struct Reader {
    place: RingPlace,
    /// Frames taken so far.
    head: u32,
    /// What the writer has written, as far as we looked.
    tail: u32,
    told: u32,
    /// We do not look any more.
    closed: bool,
}

impl Reader {
    pub fn new(place: RingPlace) -> Reader {
        Reader { place, head: 0, tail: 0, told: 0, closed: false }
    }

    /// Looks a last time: what the writer has told of until now can be taken, a ring's length at most, and nothing that is
    /// written later.
    pub fn close(&mut self, area: &Area) -> Result<(), Broken> {
        self.look(area)?;
        self.closed = true;
        Ok(())
    }

    /// How many frames there are to take.
    #[inline]
    pub fn look(&mut self, area: &Area) -> Result<u32, Broken> {
        if self.closed {
            return Ok(self.tail.wrapping_sub(self.head));
        }
        let tail = area.word(self.place.tail).load(Ordering::Acquire);
        let (before, now) = (self.tail.wrapping_sub(self.head), tail.wrapping_sub(self.head));
        if now > self.place.slots || now < before {
            return Err(Broken);
        }
        self.tail = tail;
        Ok(now)
    }

    /// Takes the next frame, of those that [`Reader::look`] has told of, by one copy to `into`, which is long enough for
    /// the longest frame in whole words.
    #[inline]
    pub fn pop(&mut self, area: &Area, into: &mut [u8]) -> Slot {
        debug_assert!(self.head != self.tail);
        let words = area.words(self.place.slot(self.head), self.place.slot_len / WORD);
        self.head = self.head.wrapping_add(1);
        // Read once: what is checked is what is used.
        let about = words[0].load(Ordering::Relaxed);
        let (len, csum_skipped) = (about as u32, about & CSUM_SKIPPED != 0);
        if len as usize > self.place.frame_max {
            return Slot::TooLong;
        }
        let (whole, _) = into.as_chunks_mut::<WORD>();
        let used = (len as usize).div_ceil(WORD);
        for (bytes, word) in whole[..used].iter_mut().zip(&words[HEAD_LEN / WORD..]) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        Slot::Frame { len, csum_skipped }
    }

    /// Lets the writer use the places of what was taken. Whether there were any.
    pub fn tell(&mut self, area: &Area) -> bool {
        let news = self.told != self.head;
        if news {
            self.told = self.head;
            area.word(self.place.head).store(self.head, Ordering::Release);
        }
        news
    }
}
