//! Numbers for what is open: the lowest free one first, as POSIX has it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Errno;

/// The number of an open socket or epoll set.
pub type Fd = i32;

/// The first number given out: programs take 0 to 2 for their standard streams.
pub const FIRST_FD: Fd = 3;

/// What a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// A slot of the sockets.
    Socket(u32),
    /// A slot of the epoll sets.
    Epoll(u32),
}

/// The open numbers.
#[derive(Debug)]
pub(super) struct Files {
    files: Vec<Option<File>>,
    free: BinaryHeap<Reverse<usize>>,
    max: usize,
}

impl Files {
    pub(super) fn new(max: usize) -> Files {
        Files { files: Vec::new(), free: BinaryHeap::new(), max }
    }

    /// Whether another one can be opened.
    pub(super) fn has_room(&self) -> bool {
        !self.free.is_empty() || self.files.len() < self.max
    }

    pub(super) fn open(&mut self, file: File) -> Result<Fd, Errno> {
        let at = match self.free.pop() {
            Some(Reverse(at)) => at,
            None if self.files.len() < self.max => {
                self.files.push(None);
                self.files.len() - 1
            }
            None => return Err(Errno::EMFILE),
        };
        self.files[at] = Some(file);
        Ok(at as Fd + FIRST_FD)
    }

    pub(super) fn get(&self, fd: Fd) -> Result<File, Errno> {
        let at = fd.checked_sub(FIRST_FD).and_then(|at| usize::try_from(at).ok()).ok_or(Errno::EBADF)?;
        self.files.get(at).copied().flatten().ok_or(Errno::EBADF)
    }

    pub(super) fn close(&mut self, fd: Fd) -> Result<File, Errno> {
        let file = self.get(fd)?;
        let at = (fd - FIRST_FD) as usize;
        self.files[at] = None;
        self.free.push(Reverse(at));
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_comes_first() {
        let mut files = Files::new(4);
        let fds: Vec<_> = (0..4).map(|n| files.open(File::Socket(n)).unwrap()).collect();
        assert_eq!(fds, [3, 4, 5, 6]);
        assert_eq!(files.open(File::Socket(9)), Err(Errno::EMFILE));
        files.close(5).unwrap();
        files.close(3).unwrap();
        assert_eq!(files.close(3), Err(Errno::EBADF));
        assert_eq!(files.open(File::Epoll(0)), Ok(3));
        assert_eq!(files.open(File::Epoll(1)), Ok(5));
        for bad in [i32::MIN, -1, 0, 2, 7, i32::MAX] {
            assert_eq!(files.get(bad), Err(Errno::EBADF), "{bad}");
        }
    }
}
