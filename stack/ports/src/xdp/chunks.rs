//! The memory of a socket's frames: equal chunks, and who has which. An address that the kernel tells is believed only if
//! the kernel had that chunk for that purpose.

use std::io;

use super::ring::{Consumer, Producer};
use crate::region::Region;

/// Who has a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Nobody: it is in the pool.
    Pool,
    /// The stack.
    Stack,
    /// The kernel, to receive into it.
    Filling,
    /// The kernel, to send from it.
    Sending,
}

/// An entry of the receive and the transmit ring (`struct xdp_desc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub address: u64,
    pub len: u32,
    pub options: u32,
}

pub(super) const DESCRIPTOR_LEN: usize = 16;
const _: () = assert!(size_of::<libc::xdp_desc>() == DESCRIPTOR_LEN);

impl Descriptor {
    pub fn parse(b: [u8; DESCRIPTOR_LEN]) -> Descriptor {
        let [a0, a1, a2, a3, a4, a5, a6, a7, l0, l1, l2, l3, o0, o1, o2, o3] = b;
        Descriptor {
            address: u64::from_ne_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
            len: u32::from_ne_bytes([l0, l1, l2, l3]),
            options: u32::from_ne_bytes([o0, o1, o2, o3]),
        }
    }

    pub fn to_bytes(self) -> [u8; DESCRIPTOR_LEN] {
        let mut b = [0; DESCRIPTOR_LEN];
        b[..8].copy_from_slice(&self.address.to_ne_bytes());
        b[8..12].copy_from_slice(&self.len.to_ne_bytes());
        b[12..].copy_from_slice(&self.options.to_ne_bytes());
        b
    }
}

/// A frame in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub chunk: u32,
    pub off: u32,
    pub len: u32,
}

/// The chunks of one socket.
#[derive(Debug)]
pub(super) struct Chunks {
    memory: Region,
    size: u32,
    owners: Box<[Owner]>,
    pool: Vec<u32>,
    filling: u32,
}

impl Chunks {
    /// `count` chunks of `size` bytes, a power of two.
    pub fn new(count: u32, size: u32) -> io::Result<Chunks> {
        assert!(size.is_power_of_two());
        Ok(Chunks {
            memory: Region::anonymous(count as usize * size as usize)?,
            size,
            owners: vec![Owner::Pool; count as usize].into(),
            pool: (0..count).rev().collect(),
            filling: 0,
        })
    }

    /// The memory, to be registered.
    pub fn memory(&self) -> &Region {
        &self.memory
    }

    /// Chunks with the stack.
    pub fn held(&self) -> usize {
        self.owners.iter().filter(|&&owner| owner == Owner::Stack).count()
    }

    /// Takes a chunk for the stack, unless the kernel is to have it: `fill` to receive into come first, or whoever sends
    /// would in the end receive no acknowledgement.
    pub fn alloc(&mut self, fill: u32) -> Option<u32> {
        if self.pool.len() <= fill.saturating_sub(self.filling) as usize {
            return None;
        }
        let chunk = self.pool.pop()?;
        self.owners[chunk as usize] = Owner::Stack;
        Some(chunk)
    }

    /// The stack gives a chunk back.
    pub fn release(&mut self, chunk: u32) {
        debug_assert!(self.owners[chunk as usize] == Owner::Stack, "chunk {chunk} came back twice");
        self.put_back(chunk);
    }

    fn put_back(&mut self, chunk: u32) {
        self.owners[chunk as usize] = Owner::Pool;
        self.pool.push(chunk);
    }

    /// Gives the kernel chunks to receive into, until it has `target`.
    pub fn fill(&mut self, ring: &mut Producer<8>, target: u32) {
        while self.filling < target {
            let Some(chunk) = self.pool.pop() else { return };
            let address = u64::from(chunk) * u64::from(self.size);
            if !ring.push(address.to_ne_bytes()) {
                self.pool.push(chunk);
                return;
            }
            self.owners[chunk as usize] = Owner::Filling;
            self.filling += 1;
        }
    }

    /// Takes what the kernel has received. `Err` = it cannot be, or it is a part of a frame only; a chunk that it names
    /// rightly is back in the pool.
    pub fn received(&mut self, d: Descriptor) -> Result<Place, ()> {
        let chunk = self.find(d.address, Owner::Filling).ok_or(())?;
        self.filling -= 1;
        // The size is a power of two.
        let off = (d.address & u64::from(self.size - 1)) as u32;
        // Every part of a frame but its last says that there is more (XDP_PKT_CONTD). The kernel makes parts only for sockets
        // that ask for them when they are bound (XDP_USE_SG), which ours do not: it drops such frames itself. Should one come
        // all the same, its last part cannot be told from a frame; it fails by its checksums.
        let whole = d.options & libc::XDP_PKT_CONTD == 0;
        if !whole || off.checked_add(d.len).is_none_or(|end| end > self.size) {
            self.put_back(chunk);
            return Err(());
        }
        self.owners[chunk as usize] = Owner::Stack;
        Ok(Place { chunk, off, len: d.len })
    }

    /// The stack's chunk goes to the kernel to be sent.
    pub fn sending(&mut self, place: Place) -> Descriptor {
        debug_assert!(self.owners[place.chunk as usize] == Owner::Stack);
        self.owners[place.chunk as usize] = Owner::Sending;
        let address = u64::from(place.chunk) * u64::from(self.size) + u64::from(place.off);
        Descriptor { address, len: place.len, options: 0 }
    }

    /// Takes back what the kernel has sent. Returns how many addresses could not be.
    pub fn sent(&mut self, ring: &mut Consumer<8>) -> u64 {
        let mut wrong = 0;
        while let Some(address) = ring.pop() {
            match self.find(u64::from_ne_bytes(address), Owner::Sending) {
                Some(chunk) => self.put_back(chunk),
                None => wrong += 1,
            }
        }
        ring.publish();
        wrong
    }

    fn find(&self, address: u64, owner: Owner) -> Option<u32> {
        let chunk = u32::try_from(address / u64::from(self.size)).ok()?;
        (self.owners.get(chunk as usize) == Some(&owner)).then_some(chunk)
    }

    fn range(&self, place: Place) -> std::ops::Range<usize> {
        let end = place.off as usize + place.len as usize;
        let ours = self.owners[place.chunk as usize] == Owner::Stack;
        assert!(ours && end <= self.size as usize, "{place:?} is not the stack's");
        let start = place.chunk as usize * self.size as usize;
        start + place.off as usize..start + end
    }

    /// A frame's bytes.
    #[inline]
    pub fn bytes(&self, place: Place) -> &[u8] {
        let range = self.range(place);
        // SAFETY: the chunk is the stack's, so the kernel does not touch it; to give it away needs `&mut self`.
        unsafe { self.memory.bytes(range) }
    }

    /// The same, to be written.
    #[inline]
    pub fn bytes_mut(&mut self, place: Place) -> &mut [u8] {
        let range = self.range(place);
        // SAFETY: as above.
        unsafe { self.memory.bytes_mut(range) }
    }
}

#[cfg(test)]
mod tests;
