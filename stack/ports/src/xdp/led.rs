//! The TCP ports that the XDP program leads to the stack: a map of the kernel's that is mapped into our memory, so that a
//! core that begins to listen enters it there itself, without rights.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use crate::bpf;
use crate::region::Region;

/// One for each TCP port.
const ENTRIES: u32 = 1 << 16;
/// What the kernel makes of a word in such a map.
const ENTRY_LEN: usize = 8;

/// The map.
#[derive(Debug)]
pub(crate) struct Led {
    map: OwnedFd,
    memory: Region,
}

impl Led {
    /// No port is led yet.
    pub(super) fn new() -> io::Result<Led> {
        let map = bpf::word_map(ENTRIES)?;
        let memory = Region::of(&map, ENTRIES as usize * ENTRY_LEN, 0)?;
        Ok(Led { map, memory })
    }

    /// For the program, as long as it is being loaded.
    pub(super) fn fd(&self) -> i32 {
        self.map.as_fd().as_raw_fd()
    }

    /// From now on segments to that port go to the stack, until the program is gone.
    pub fn lead(&self, port: u16) {
        self.memory.word(usize::from(port) * ENTRY_LEN).store(1, Ordering::Release);
    }
}
