//! Memory that the kernel writes too: a ring that is mapped from a descriptor, or memory that is registered with it.
//!
//! Words through which the two parties agree who owns what are only ever touched as atomics. Everything else is lent
//! as a slice only while it is ours by that agreement, which whoever asks for the slice must know.

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// A piece of such memory, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Region {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory belongs to this value alone on our side, and no thread's own state is involved.
unsafe impl Send for Region {}
// SAFETY: through a shared reference there are atomics only, and bytes of which whoever asks for them vouches that nobody
// writes them.
unsafe impl Sync for Region {}

impl Region {
    /// The first `len` bytes behind `offset` of a descriptor's memory.
    pub fn of(fd: impl AsFd, len: usize, offset: u64) -> io::Result<Region> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::POPULATE);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe { mmap(std::ptr::null_mut(), len, access, flags, fd, offset) }?;
        Region::at(base, len)
    }

    /// `len` bytes of our own, zeroed.
    pub fn anonymous(len: usize) -> io::Result<Region> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::POPULATE);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), len, access, flags) }?;
        Region::at(base, len)
    }

    fn at(base: *mut std::ffi::c_void, len: usize) -> io::Result<Region> {
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Region { base, len })
    }

    /// Its length, in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where it starts, for the kernel.
    pub fn address(&self) -> u64 {
        self.base.as_ptr() as u64
    }

    /// The word at byte `at`, that both parties write.
    ///
    /// # Panics
    /// If it is not aligned or not within the region.
    #[inline]
    pub fn word(&self, at: usize) -> &AtomicU32 {
        assert!(
            at.is_multiple_of(4) && at.checked_add(4).is_some_and(|end| end <= self.len),
            "no word at {at}"
        );
        // SAFETY: in bounds and aligned (the base is page-aligned), and only ever accessed atomically by us.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(at).cast()) }
    }

    /// Some of the bytes.
    ///
    /// # Safety
    /// Nobody else may write them as long as the slice lives.
    ///
    /// # Panics
    /// If they are not within the region.
    #[inline]
    pub unsafe fn bytes(&self, range: Range<usize>) -> &[u8] {
        assert!(range.start <= range.end && range.end <= self.len, "no bytes {range:?}");
        // SAFETY: in bounds of a live mapping; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(range.start), range.len()) }
    }

    /// Some of the bytes, to be written.
    ///
    /// # Safety
    /// Nobody else may read or write them as long as the slice lives.
    ///
    /// # Panics
    /// If they are not within the region.
    #[inline]
    pub unsafe fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        assert!(range.start <= range.end && range.end <= self.len, "no bytes {range:?}");
        // SAFETY: in bounds of a live mapping; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len()) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this address and length, and nothing that was lent from it can be alive. It cannot
        // fail for such a mapping.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}
