//! The memory that both processes see: how it is laid out, how it is made, and how it is looked at.
//!
//! The other process may write anything there at any time. So nothing in it is ever borrowed as plain bytes: it is words
//! that are read and written atomically, and what is decided upon has been copied out before.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

use ferroflow_stack::handshake::SleepFlag;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

/// What is written by different processes is this far apart: two cache lines, since processors fetch them in pairs.
const LINE: usize = 128;
/// Ethernet's header and one VLAN tag.
const LINK_BYTES: usize = 18;
/// Before each frame: its length, and whether its checksum needs no look.
pub(super) const HEAD_LEN: usize = 8;
/// Most queues of one end.
pub(super) const QUEUES_MAX: u16 = 64;
/// Most frames of one ring.
const SLOTS_MAX: u32 = 1 << 16;
/// Most memory of one pair.
const LEN_MAX: usize = 1 << 30;

/// How the memory is divided. Both ends compute it, from numbers that they agreed on over the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    queues: [u16; 2],
    slots: u32,
    mtu: u32,
}

impl Shape {
    /// `queues` of the first and of the second end, rings of `slots` frames; `None` where a number is out of bounds.
    pub fn new(queues: [u16; 2], slots: u32, mtu: u32) -> Option<Shape> {
        let fits = queues.iter().all(|n| (1..=QUEUES_MAX).contains(n))
            && (2..=SLOTS_MAX).contains(&slots)
            && slots.is_power_of_two()
            // RFC 791 3.2; an IP packet's length has 16 bits.
            && (68..=65_535).contains(&mtu);
        let shape = Shape { queues, slots, mtu };
        (fits && shape.len() <= LEN_MAX).then_some(shape)
    }

    pub fn queues(&self) -> [u16; 2] {
        self.queues
    }

    pub fn slots(&self) -> u32 {
        self.slots
    }

    pub fn mtu(&self) -> u32 {
        self.mtu
    }

    /// Longest frame, in bytes.
    pub fn frame_max(&self) -> usize {
        self.mtu as usize + LINK_BYTES
    }

    /// One frame with what is said about it.
    pub fn slot_len(&self) -> usize {
        (HEAD_LEN + self.frame_max()).next_multiple_of(64)
    }

    fn ring_len(&self) -> usize {
        2 * LINE + self.slots as usize * self.slot_len()
    }

    fn flags_len(&self) -> usize {
        self.queues.iter().map(|&n| usize::from(n)).sum::<usize>() * LINE
    }

    /// All of it, in bytes. Cannot overflow for numbers within their bounds.
    pub fn len(&self) -> usize {
        let [a, b] = self.queues.map(usize::from);
        (self.flags_len() + 2 * a * b * self.ring_len()).next_multiple_of(4096)
    }

    /// Where the flag of a queue of an end is.
    fn flag_at(&self, end: usize, queue: u16) -> usize {
        let before = if end == 0 { 0 } else { usize::from(self.queues[0]) };
        (before + usize::from(queue)) * LINE
    }

    /// Where the ring is that a queue of `end` writes and a queue of the other end reads.
    pub fn ring(&self, end: usize, from: u16, to: u16) -> RingPlace {
        let [a, b] = self.queues.map(usize::from);
        let (first, second) = if end == 0 { (from, to) } else { (to, from) };
        let number = end * a * b + usize::from(first) * b + usize::from(second);
        let start = self.flags_len() + number * self.ring_len();
        RingPlace {
            tail: start,
            head: start + LINE,
            data: start + 2 * LINE,
            slots: self.slots,
            slot_len: self.slot_len(),
            frame_max: self.frame_max(),
        }
    }
}

/// Where the parts of one ring are, in bytes from the memory's start.
#[derive(Debug, Clone, Copy)]
pub(super) struct RingPlace {
    /// The writer's count.
    pub tail: usize,
    /// The reader's count.
    pub head: usize,
    pub data: usize,
    pub slots: u32,
    pub slot_len: usize,
    /// Longest frame, in bytes.
    pub frame_max: usize,
}

impl RingPlace {
    /// Where the frame with this count is.
    pub fn slot(&self, count: u32) -> usize {
        self.data + (count & (self.slots - 1)) as usize * self.slot_len
    }
}

/// The mapped memory.
#[derive(Debug)]
pub(super) struct Area {
    base: NonNull<u8>,
    shape: Shape,
    /// One of our queues has found the other end out: the others need not try.
    pub given_up: AtomicBool,
}

// SAFETY: all access goes through atomics (see `word` and `words`), and the mapping lives as long as the value.
unsafe impl Send for Area {}
// SAFETY: as above.
unsafe impl Sync for Area {}

impl Area {
    /// New memory, zeroed and sealed, and the descriptor to pass on. It cannot become shorter: what is mapped stays
    /// readable, whatever the other end does.
    pub fn create(shape: Shape) -> io::Result<(Area, OwnedFd)> {
        let fd = rustix::fs::memfd_create("ferroflow-shm", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&fd, shape.len() as u64)?;
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Area::map(&fd, shape)?, fd))
    }

    /// The memory that another process made.
    pub fn open(fd: &OwnedFd, shape: Shape) -> io::Result<Area> {
        let sealed = rustix::fs::fcntl_get_seals(fd)?.contains(SealFlags::SHRINK);
        let len = rustix::fs::fstat(fd)?.st_size;
        if !sealed || u64::try_from(len).ok() != Some(shape.len() as u64) {
            let what =
                if sealed { "has another size than was agreed" } else { "could be taken away under us" };
            return Err(io::Error::other(format!("the shared memory {what}")));
        }
        Area::map(fd, shape)
    }

    fn map(fd: &OwnedFd, shape: Shape) -> io::Result<Area> {
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: a new mapping at an address that the kernel chooses aliases nothing.
        let base =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), shape.len(), prot, flags, fd.as_fd(), 0)? };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Area { base, shape, given_up: AtomicBool::new(false) })
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The word at `at`.
    ///
    /// # Panics
    /// If it is not inside the memory: `at` never comes from there.
    #[inline]
    pub fn word(&self, at: usize) -> &AtomicU32 {
        assert!(at.is_multiple_of(4) && at + 4 <= self.shape.len());
        // SAFETY: aligned and inside the mapping, which lives as long as `self`; other processes may write it, as an
        // atomic allows.
        unsafe { self.base.add(at).cast::<AtomicU32>().as_ref() }
    }

    /// `count` words of 8 bytes at `at`.
    ///
    /// # Panics
    /// As [`Area::word`].
    #[inline]
    pub fn words(&self, at: usize, count: usize) -> &[AtomicU64] {
        assert!(at.is_multiple_of(8) && at + count * 8 <= self.shape.len());
        // SAFETY: as in `word`.
        unsafe { std::slice::from_raw_parts(self.base.add(at).cast::<AtomicU64>().as_ptr(), count) }
    }

    /// The flag by which a queue of an end says that it sleeps.
    pub fn flag(&self, end: usize, queue: u16) -> SleepFlag<&AtomicU32> {
        SleepFlag::new(self.word(self.shape.flag_at(end, queue)))
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length; nothing borrows from it any more.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.shape.len()) };
    }
}
