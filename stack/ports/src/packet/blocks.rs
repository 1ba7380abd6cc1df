//! The receive ring of TPACKET_V3: blocks that the kernel fills with frames and hands over whole
//! (Documentation/networking/packet_mmap.rst, linux/if_packet.h).
//!
//! Only arithmetic, over memory that is mapped from a socket or, in tests, is not. Numbers in a block are the
//! kernel's: they are checked before they are used, and a block whose numbers are wrong is given back, counted.

use std::mem::{offset_of, size_of};
use std::sync::atomic::Ordering;

use libc::{TP_STATUS_KERNEL, TP_STATUS_USER, tpacket_hdr_v1, tpacket3_hdr};

use crate::region::Region;
use crate::vnet::VNET_LEN;

/// Where a block's head has what: `tpacket_block_desc` is a version, an offset and `tpacket_hdr_v1`.
const HEAD: usize = 8;
const STATUS: usize = HEAD + offset_of!(tpacket_hdr_v1, block_status);
const FRAMES: usize = HEAD + offset_of!(tpacket_hdr_v1, num_pkts);
const FIRST: usize = HEAD + offset_of!(tpacket_hdr_v1, offset_to_first_pkt);
const HEAD_LEN: usize = HEAD + size_of::<tpacket_hdr_v1>();

const _: () = assert!(size_of::<tpacket3_hdr>() == 48 && HEAD_LEN == 48 && STATUS == 8);
const _: () = assert!(size_of::<libc::tpacket_block_desc>() == HEAD_LEN);

/// A frame in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Which block.
    pub block: u32,
    /// Where the frame starts there. The [`VNET_LEN`] bytes before it are ours too.
    pub off: u32,
    /// Its bytes there.
    pub len: u32,
    /// Its bytes on the wire.
    pub wire_len: u32,
    /// `TP_STATUS_*`.
    pub status: u32,
    /// The VLAN tag that was taken out of it, if `status` says that there was one.
    pub tci: u16,
    /// That tag's type.
    pub tpid: u16,
}

/// What there is to take.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A frame; its block goes back to the kernel once all its frames are given back.
    Frame(Found),
    /// A block whose numbers were wrong; what was left of it is lost.
    Damaged,
    /// Nothing.
    Dry,
}

/// The walk through a block.
#[derive(Debug, Clone, Copy)]
struct Walk {
    /// Where the next frame's header is.
    at: usize,
    left: u32,
}

/// The ring.
#[derive(Debug)]
pub(super) struct Blocks {
    memory: Region,
    size: usize,
    count: usize,
    /// The block that is walked, or looked at next.
    at: usize,
    walk: Option<Walk>,
    /// Frames of each block that are with the stack.
    out: Vec<u32>,
}

impl Blocks {
    /// A ring of `memory`, divided into blocks of `size` bytes.
    ///
    /// # Panics
    /// If the memory is no multiple of it.
    pub fn new(memory: Region, size: usize) -> Blocks {
        assert!(size >= HEAD_LEN && memory.len() >= size && memory.len().is_multiple_of(size));
        let count = memory.len() / size;
        Blocks { memory, size, count, at: 0, walk: None, out: vec![0; count] }
    }

    /// Whether there is something to take.
    pub fn has_news(&self) -> bool {
        self.walk.is_some() || self.is_ours(self.at)
    }

    /// Frames that are with the stack.
    pub fn held(&self) -> usize {
        self.out.iter().map(|&n| n as usize).sum()
    }

    /// Whether the kernel has handed block `at` over, and it has not been walked yet.
    fn is_ours(&self, at: usize) -> bool {
        // Acquire: what the kernel has written into the block is to be seen. A block with frames out has been
        // walked already.
        self.out[at] == 0
            && self.memory.word(at * self.size + STATUS).load(Ordering::Acquire) & TP_STATUS_USER != 0
    }

    /// Takes the next frame.
    pub fn next(&mut self) -> Next {
        loop {
            let Some(walk) = self.walk else {
                if !self.is_ours(self.at) {
                    return Next::Dry;
                }
                let number = |at| self.number(at);
                self.walk = Some(Walk { at: number(FIRST) as usize, left: number(FRAMES) });
                continue;
            };
            if walk.left == 0 {
                self.walked();
                continue;
            }
            let Some((found, next)) = self.frame(walk) else {
                self.walked();
                return Next::Damaged;
            };
            self.walk = Some(Walk { at: next, left: walk.left - 1 });
            self.out[self.at] += 1;
            return Next::Frame(found);
        }
    }

    /// A number of the head of the block that is walked.
    fn number(&self, at: usize) -> u32 {
        // The block is ours, so this does not change; as an atomic it needs no further argument.
        self.memory.word(self.at * self.size + at).load(Ordering::Relaxed)
    }

    /// The frame at a place of the walk, and where the next one's header is; `None` if that cannot be.
    fn frame(&self, walk: Walk) -> Option<(Found, usize)> {
        if walk.at < HEAD_LEN || !walk.at.is_multiple_of(8) {
            return None;
        }
        let start = self.at * self.size;
        let header =
            walk.at..walk.at.checked_add(size_of::<tpacket3_hdr>()).filter(|&end| end <= self.size)?;
        // SAFETY: the block is ours until it is given back.
        let bytes = unsafe { self.memory.bytes(start + header.start..start + header.end) };
        let long = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let short = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        let len = long(offset_of!(tpacket3_hdr, tp_snaplen));
        let mac = usize::from(short(offset_of!(tpacket3_hdr, tp_mac)));
        // Behind the frame's own header there is room for what we ask the kernel to put before the frame.
        if mac < size_of::<tpacket3_hdr>() + VNET_LEN {
            return None;
        }
        let off = walk.at.checked_add(mac)?;
        off.checked_add(len as usize).filter(|&end| end <= self.size)?;
        let next = match long(offset_of!(tpacket3_hdr, tp_next_offset)) as usize {
            // The last one's need not lead anywhere.
            _ if walk.left == 1 => walk.at,
            step if step < size_of::<tpacket3_hdr>() => return None,
            step => walk.at.checked_add(step)?,
        };
        const VARIANT: usize = offset_of!(tpacket3_hdr, hv1);
        let found = Found {
            block: self.at as u32,
            off: off as u32,
            len,
            wire_len: long(offset_of!(tpacket3_hdr, tp_len)),
            status: long(offset_of!(tpacket3_hdr, tp_status)),
            // A tag has 16 bits; the field has more.
            tci: long(VARIANT + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tci)) as u16,
            tpid: short(VARIANT + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tpid)),
        };
        Some((found, next))
    }

    /// The walk is over.
    fn walked(&mut self) {
        self.walk = None;
        if self.out[self.at] == 0 {
            self.give_back(self.at);
        }
        self.at = (self.at + 1) % self.count;
    }

    /// Takes back a frame that came from [`Blocks::next`].
    pub fn release(&mut self, block: u32) {
        let block = block as usize;
        debug_assert!(self.out[block] > 0, "a frame of block {block} came back twice");
        self.out[block] -= 1;
        let being_walked = self.walk.is_some() && block == self.at;
        if self.out[block] == 0 && !being_walked {
            self.give_back(block);
        }
    }

    fn give_back(&mut self, block: usize) {
        // Release: the kernel must not write before we have read.
        self.memory.word(block * self.size + STATUS).store(TP_STATUS_KERNEL, Ordering::Release);
    }

    fn range(&self, block: u32, off: u32, len: u32) -> std::ops::Range<usize> {
        let (block, off, len) = (block as usize, off as usize, len as usize);
        assert!(self.out[block] > 0 && off + len <= self.size, "{len} bytes at {off} of block {block}");
        block * self.size + off..block * self.size + off + len
    }

    /// Bytes of a block that has a frame with the stack.
    #[inline]
    pub fn bytes(&self, block: u32, off: u32, len: u32) -> &[u8] {
        let range = self.range(block, off, len);
        // SAFETY: the block is ours as long as one of its frames is out, and giving that back needs `&mut self`.
        unsafe { self.memory.bytes(range) }
    }

    /// The same, to be written.
    #[inline]
    pub fn bytes_mut(&mut self, block: u32, off: u32, len: u32) -> &mut [u8] {
        let range = self.range(block, off, len);
        // SAFETY: as above.
        unsafe { self.memory.bytes_mut(range) }
    }
}

#[cfg(test)]
mod tests;
