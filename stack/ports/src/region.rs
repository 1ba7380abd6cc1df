//! Memory that the kernel writes too: a ring that is mapped from a descriptor, or memory that is registered with it.
//!
//! Words through which the two parties agree who owns what are only ever touched as atomics. Everything else is lent
//! as a slice only while it is ours by that agreement, which whoever asks for the slice must know.

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

/// Bytes of the huge pages that are used.
const HUGE_PAGE: usize = 2 << 20;

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

    /// `len` bytes of our own, zeroed, all of them there: in huge pages of the pool if it has enough of them, else in pages that
    /// the kernel is asked to make huge by itself (transparent huge pages).
    pub fn anonymous(len: usize) -> io::Result<Region> {
        if let Ok(region) = Region::of_the_pool(len) {
            return Ok(region);
        }
        let region = Region::private(len, MapFlags::empty())?;
        if len >= HUGE_PAGE {
            // A wish. Kernels without transparent huge pages refuse it, and small pages do as well.
            let _ = region.advise(Advice::LinuxHugepage);
        }
        // Where the kernel cannot (before 5.14), pages come when they are touched.
        let _ = region.advise(Advice::LinuxPopulateWrite);
        Ok(region)
    }

    /// Whole huge pages, reserved by the operator (`vm.nr_hugepages`).
    fn of_the_pool(len: usize) -> io::Result<Region> {
        if len == 0 || !len.is_multiple_of(HUGE_PAGE) {
            return Err(Errno::INVAL.into());
        }
        let region = Region::private(len, MapFlags::HUGETLB | MapFlags::HUGE_2MB)?;
        // Now: a limit of a control group shows when pages are touched, and would then kill us (mmap(2), MAP_HUGETLB).
        region.advise(Advice::LinuxPopulateWrite)?;
        Ok(region)
    }

    fn private(len: usize, flags: MapFlags) -> io::Result<Region> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | flags);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), len, access, flags) }?;
        Region::at(base, len)
    }

    fn advise(&self, advice: Advice) -> io::Result<()> {
        // SAFETY: neither of the advices that are given changes what the memory holds, and it is all of one live mapping.
        Ok(unsafe { madvise(self.base.as_ptr().cast(), self.len, advice) }?)
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    /// What the kernel says of the mapping that a region is in: a line of /proc/self/smaps.
    fn said(region: &Region, line: &str) -> String {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let (mut inside, mut found) = (false, None);
        for text in smaps.lines() {
            let ends = text.split_whitespace().next().and_then(|word| word.split_once('-'));
            let ends = ends.and_then(|(from, to)| {
                Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
            });
            if let Some((from, to)) = ends {
                inside = (from..to).contains(&region.address());
            } else if inside && text.starts_with(line) {
                found = Some(text.to_owned());
            }
        }
        found.unwrap_or_else(|| panic!("no {line:?} for {region:?}"))
    }

    fn has(path: &str, what: &str) -> bool {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(what))
    }

    #[test]
    fn much_memory_is_in_huge_pages_where_there_are_some() {
        let region = Region::anonymous(2 * HUGE_PAGE).unwrap();
        let flags = said(&region, "VmFlags:");
        // proc(5): hugetlb, or advised to be huge. A kernel without transparent ones knows no such wish.
        let wished = flags.contains(" ht") || flags.contains(" hg");
        assert!(wished || !has("/sys/kernel/mm/transparent_hugepage/enabled", "madvise"), "{flags}");
        assert_eq!((region.word(0).load(Relaxed), region.word(2 * HUGE_PAGE - 4).load(Relaxed)), (0, 0));
        region.word(2 * HUGE_PAGE - 4).store(7, Relaxed);
        assert_eq!(region.word(2 * HUGE_PAGE - 4).load(Relaxed), 7);
    }

    /// A pool that is empty, or too small, is no error.
    #[test]
    fn more_than_the_pool_has_is_in_other_pages() {
        let pool = 1 << 40;
        assert!(Region::of_the_pool(pool).is_err(), "a pool of a TiB?");
        let odd = Region::anonymous(HUGE_PAGE + 4096).unwrap();
        assert!(!said(&odd, "VmFlags:").contains(" ht"), "no multiple of a huge page");
        assert!(Region::of_the_pool(0).is_err() && Region::of_the_pool(4096).is_err());
    }

    #[test]
    fn all_of_it_is_there_before_it_is_used() {
        let region = Region::anonymous(64 * 4096).unwrap();
        assert!(said(&region, "Rss:").contains(|c: char| ('1'..='9').contains(&c)));
    }
}
