//! AF_PACKET: an interface as the kernel's own packet sockets show it, for interfaces that have no XDP.
//!
//! The kernel goes on using the interface with its own addresses; the stack has a MAC and an IP address of its own on it.
//! Frames come in blocks of a ring that is mapped (TPACKET_V3) and are read where they are; frames go out by `sendmmsg`,
//! a burst per call. What comes in is handed over by the kernel when a block is full or after a millisecond, so
//! a lone frame may take that long.

mod blocks;
mod filter;
mod socket;

use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::port::{Burst, Caps, Csum, Frame, Interest, Meta, Port, PortError};
use ferroflow_stack::steer::{DEFAULT_KEY, Key};
use rustix::io::Errno;

use blocks::{Blocks, Found, Next};
pub(crate) use socket::{hear, senders};

use crate::link::LinkError;
use crate::sockopt;
use crate::spec::MTU_MAX;
use crate::vnet::{VNET_LEN, VnetHeader};

/// Bytes of a block: several frames of 64 KiB fit.
const BLOCK_BYTES: usize = 256 << 10;
/// Blocks of one socket: 8 MiB.
const BLOCKS: usize = 32;
/// Frames to send of one socket, as long as they take no more than so many bytes; but some are needed.
const BUFFERS_MAX: u32 = 1024;
const BUFFERS_MIN: u32 = 64;
const BUFFER_BYTES_MAX: usize = 16 << 20;
/// A core that never sleeps looks so often whether the interface is still there.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Before a frame to send: the header for the kernel, behind some bytes that align the frame.
const HEADROOM: usize = 16;
/// Ethernet's header and one VLAN tag.
const LINK_BYTES: usize = 18;
/// Frames that one call sends at most.
const BATCH: usize = 64;
/// Both MAC addresses: the tag comes behind them (IEEE 802.1Q).
const TAG_AT: usize = 12;
const TAG_LEN: usize = 4;
/// The type of a customer's tag, where the kernel does not say it.
const TPID: u16 = 0x8100;

/// [`Frame::port`] of received frames, which lie in the ring, and of frames to send, which lie in buffers.
const RING: u8 = 0;
const BUFFER: u8 = 1;

/// Which interface, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketBuilder {
    /// The interface.
    pub interface: String,
    /// How many sockets; one for each core.
    pub queues: u16,
    /// The stack's MAC address; `None` = one made from the interface's.
    pub mac: Option<[u8; 6]>,
    /// The key of the hash that names a connection's core.
    pub key: Key,
}

impl PacketBuilder {
    /// One socket, a MAC address of its own, the usual key.
    pub fn new(interface: impl Into<String>) -> PacketBuilder {
        PacketBuilder { interface: interface.into(), queues: 1, mac: None, key: DEFAULT_KEY }
    }

    /// Opens the sockets. Connections are spread over them as [`ferroflow_stack::steer::Steer`] with that
    /// key spreads them over cores.
    ///
    /// # Errors
    /// See [`LinkError`]; each says what to do.
    pub fn open(&self) -> Result<Packet, LinkError> {
        socket::open(self)
    }
}

/// An interface with packet sockets on it.
#[derive(Debug)]
pub struct Packet {
    /// Its name.
    pub name: String,
    /// The sockets, one for each core.
    pub ports: Vec<PacketPort>,
    /// The stack's MAC address.
    pub mac: [u8; 6],
    /// The kernel's.
    pub host_mac: [u8; 6],
}

/// What happened on one socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PacketCounters {
    /// Frames received.
    pub rx_frames: u64,
    /// Of these, several segments in one (large receive).
    pub rx_super_frames: u64,
    /// Of these, with a transport checksum that nobody has completed: the sender is on this machine.
    pub rx_csum_partial: u64,
    /// Of these, with a VLAN tag that was put back.
    pub rx_vlan_tags: u64,
    /// Frames dropped because they are not whole in the ring.
    pub rx_cut: u64,
    /// Blocks of the ring that did not make sense, dropped.
    pub rx_damaged: u64,
    /// Frames that the kernel dropped because the ring was full.
    pub rx_ring_full: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Calls of the kernel for them.
    pub tx_calls: u64,
    /// Questions to the kernel whether the interface is still there: before a sleep, or once in a while.
    pub looks: u64,
    /// Frames that the kernel refused (the interface is down or its queue full), dropped.
    pub tx_refused: u64,
    /// Times that the kernel could not take all frames at once.
    pub tx_full: u64,
    /// Times that no buffer was free.
    pub no_buffer: u64,
    /// Times that the interface went down.
    pub went_down: u64,
}

impl PacketCounters {
    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            ("packet_rx_frames", self.rx_frames),
            ("packet_rx_super_frames", self.rx_super_frames),
            ("packet_rx_csum_partial", self.rx_csum_partial),
            ("packet_rx_vlan_tags", self.rx_vlan_tags),
            ("packet_rx_cut", self.rx_cut),
            ("packet_rx_damaged", self.rx_damaged),
            ("packet_rx_ring_full", self.rx_ring_full),
            ("packet_tx_frames", self.tx_frames),
            ("packet_tx_calls", self.tx_calls),
            ("packet_looks", self.looks),
            ("packet_tx_refused", self.tx_refused),
            ("packet_tx_full", self.tx_full),
            ("packet_no_buffer", self.no_buffer),
            ("packet_went_down", self.went_down),
        ]
        .into_iter()
    }
}

/// One packet socket.
#[derive(Debug)]
pub struct PacketPort {
    fd: OwnedFd,
    name: String,
    queue: u16,
    mtu: u32,
    blocks: Blocks,
    /// Room for one frame to send, with what comes before it.
    slot: usize,
    buffers: Box<[u8]>,
    /// How many there are.
    count: u32,
    free: Vec<u32>,
    /// Frames for the next [`Port::sync`].
    pending: VecDeque<Frame>,
    gone: Option<Errno>,
    now: Instant,
    look_at: Instant,
    counters: PacketCounters,
    /// The kernel forgets what it has told.
    ring_full: Cell<u64>,
}

impl PacketPort {
    fn new(fd: OwnedFd, blocks: Blocks, name: &str, queue: u16, mtu: u32) -> PacketPort {
        // Some interfaces name an MTU that is no packet's; no IP packet is larger than that.
        let mtu = mtu.min(MTU_MAX);
        let slot = (HEADROOM + mtu as usize + LINK_BYTES).next_multiple_of(64);
        let count = buffers(slot);
        PacketPort {
            fd,
            name: name.to_owned(),
            queue,
            mtu,
            blocks,
            slot,
            buffers: vec![0; slot * count as usize].into_boxed_slice(),
            count,
            free: (0..count).rev().collect(),
            pending: VecDeque::with_capacity(count as usize),
            gone: None,
            now: Instant::ZERO,
            look_at: Instant::ZERO,
            counters: PacketCounters::default(),
            ring_full: Cell::new(0),
        }
    }

    /// What happened so far.
    pub fn counters(&self) -> PacketCounters {
        let stats =
            sockopt::get::<libc::tpacket_stats_v3>(&self.fd, libc::SOL_PACKET, libc::PACKET_STATISTICS);
        let new = stats.map_or(0, |s| s.tp_drops.into());
        self.ring_full.set(self.ring_full.get() + new);
        PacketCounters { rx_ring_full: self.ring_full.get(), ..self.counters }
    }

    /// Frames that are with the stack, or wait to be sent.
    pub fn held(&self) -> usize {
        self.blocks.held() + self.count as usize - self.free.len()
    }

    fn frame_max(&self) -> usize {
        self.mtu as usize + LINK_BYTES
    }

    fn range(&self, f: &Frame) -> Range<usize> {
        let start = f.idx as usize * self.slot + f.off as usize;
        start..start + f.len as usize
    }

    /// Makes a frame of what the ring has, or drops it.
    fn take(&mut self, mut found: Found) -> Option<Frame> {
        if found.len < found.wire_len || (found.len as usize) < TAG_AT {
            self.counters.rx_cut += 1;
            self.blocks.release(found.block);
            return None;
        }
        let before = self.blocks.bytes(found.block, found.off - VNET_LEN as u32, VNET_LEN as u32);
        let header = before.first_chunk().map_or_else(VnetHeader::default, VnetHeader::parse);
        let mut csum = match header.csum() {
            Csum::Unknown if found.status & libc::TP_STATUS_CSUM_VALID != 0 => Csum::Verified,
            csum => csum,
        };
        if found.status & libc::TP_STATUS_VLAN_VALID != 0 {
            self.put_tag_back(&mut found);
            if let Csum::Partial { start, .. } = &mut csum {
                *start = start.saturating_add(TAG_LEN as u16);
            }
        }
        let gso_size = header.gso_size();
        self.counters.rx_frames += 1;
        self.counters.rx_super_frames += u64::from(gso_size > 0);
        self.counters.rx_csum_partial += u64::from(matches!(csum, Csum::Partial { .. }));
        let meta = Meta { csum, gso_size, ..Meta::default() };
        Some(Frame { port: RING, idx: found.block, off: found.off, len: found.len, meta })
    }

    /// The kernel takes VLAN tags out of frames and tells them beside; the stack wants them where they were, or it would
    /// take another network's frames for its own.
    fn put_tag_back(&mut self, found: &mut Found) {
        self.counters.rx_vlan_tags += 1;
        let known = found.status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
        let tpid = if known { found.tpid } else { TPID };
        // The kernel's header before the frame has been read: its place is free.
        found.off -= TAG_LEN as u32;
        found.len += TAG_LEN as u32;
        let bytes = self.blocks.bytes_mut(found.block, found.off, found.len);
        bytes.copy_within(TAG_LEN..TAG_LEN + TAG_AT, 0);
        bytes[TAG_AT..TAG_AT + 2].copy_from_slice(&tpid.to_be_bytes());
        bytes[TAG_AT + 2..TAG_AT + TAG_LEN].copy_from_slice(&found.tci.to_be_bytes());
    }

    /// Sends what is pending, or as much as the kernel takes.
    fn flush(&mut self) {
        while !self.pending.is_empty() && self.gone.is_none() {
            match self.send_some() {
                Ok(sent) => {
                    self.counters.tx_frames += sent as u64;
                    self.drop_pending(sent);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.counters.tx_full += 1;
                    return;
                }
                Err(e) => {
                    // Down, or its queue full: a loss, as on any cable.
                    self.counters.tx_refused += 1;
                    self.drop_pending(1);
                    if e == Errno::NXIO || e == Errno::NODEV {
                        self.gone = Some(e);
                    }
                }
            }
        }
    }

    /// Gives the first buffers back.
    fn drop_pending(&mut self, n: usize) {
        for frame in self.pending.drain(..n) {
            self.free.push(frame.idx);
        }
    }

    /// One call of the kernel. How many frames it has taken.
    fn send_some(&mut self) -> Result<usize, Errno> {
        let none = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
        let mut parts = [none; BATCH];
        // SAFETY: `mmsghdr` is plain data for which all zeroes is a value: no address, no parts, no control data.
        let mut messages: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
        let mut count = 0;
        for ((frame, part), message) in self.pending.iter().zip(&mut parts).zip(&mut messages) {
            let range = self.range(frame);
            let bytes = &self.buffers[range.start - VNET_LEN..range.end];
            // The structure has no pointer for reading only.
            *part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            message.msg_hdr.msg_iov = std::ptr::from_mut(part);
            message.msg_hdr.msg_iovlen = 1;
            count += 1;
        }
        self.counters.tx_calls += 1;
        // SAFETY: `count` messages are filled in, each with one part that lies in `buffers`; all of them live on until the
        // call returns, and the kernel only reads the parts.
        let sent = unsafe {
            libc::sendmmsg(self.fd.as_raw_fd(), messages.as_mut_ptr(), count, libc::MSG_DONTWAIT as _)
        };
        match usize::try_from(sent) {
            Ok(sent) => Ok(sent),
            Err(_) => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
        }
    }

    /// The kernel tells by an error that the interface went down. That it is deleted then it does not tell, nor to whoever only
    /// sends, so that is looked at once in a while, too.
    fn look_for_errors(&mut self) {
        self.counters.looks += 1;
        let error: i32 = sockopt::get(&self.fd, libc::SOL_SOCKET, libc::SO_ERROR).unwrap_or(0);
        self.counters.went_down += u64::from(error != 0);
        if error == 0 && self.now < self.look_at {
            return;
        }
        self.look_at = self.now + LOOK_EVERY;
        self.counters.looks += 1;
        if !self.is_bound() {
            self.gone = Some(Errno::NODEV);
        }
    }

    /// Whether the interface is still there: the kernel unbinds a socket whose interface is deleted.
    fn is_bound(&self) -> bool {
        // SAFETY: `sockaddr_ll` is plain data for which all zeroes is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        let mut len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        let to = std::ptr::from_mut(&mut address).cast();
        // SAFETY: the kernel writes at most `len` bytes at the pointer, where there is room for as many.
        let result = unsafe { libc::getsockname(self.fd.as_raw_fd(), to, &raw mut len) };
        result == 0 && address.sll_ifindex > 0
    }
}

/// How many buffers of so many bytes a socket has.
fn buffers(slot: usize) -> u32 {
    u32::try_from(BUFFER_BYTES_MAX / slot).unwrap_or(BUFFERS_MAX).clamp(BUFFERS_MIN, BUFFERS_MAX)
}

impl Port for PacketPort {
    fn caps(&self) -> Caps {
        Caps { mtu: self.mtu, reply_in_place: false, tx_csum: true, tx_gso: 0, queue: self.queue }
    }

    #[inline]
    fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let mut count = 0;
        // What is dropped counts as well, or a peer that sends nothing else would hold the core here.
        for _ in 0..into.room() {
            let frame = match self.blocks.next() {
                Next::Frame(found) => self.take(found),
                Next::Damaged => {
                    self.counters.rx_damaged += 1;
                    None
                }
                Next::Dry => break,
            };
            let Some(frame) = frame else { continue };
            if let Err(frame) = into.push(frame) {
                self.release(frame);
                break;
            }
            count += 1;
        }
        count
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        match frame.port {
            RING => self.blocks.bytes(frame.idx, frame.off, frame.len),
            _ => &self.buffers[self.range(frame)],
        }
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        match frame.port {
            RING => self.blocks.bytes_mut(frame.idx, frame.off, frame.len),
            _ => {
                let range = self.range(frame);
                &mut self.buffers[range]
            }
        }
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.frame_max() {
            return None;
        }
        let Some(idx) = self.free.pop() else {
            self.counters.no_buffer += 1;
            return None;
        };
        Some(Frame { port: BUFFER, idx, off: HEADROOM as u32, len: len as u32, meta: Meta::default() })
    }

    /// Frames from [`Port::alloc`] only: a block of the ring goes back whole, so nothing is sent from there.
    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut count = 0;
        while let Some(frame) = from.pop() {
            debug_assert!(frame.port == BUFFER, "a received frame cannot be sent from the ring");
            let Range { start, end } = self.range(&frame);
            if let Some((before, packet)) = self.buffers[start - VNET_LEN..end].split_first_chunk_mut() {
                VnetHeader::of(&frame.meta, packet).write(before);
            }
            self.pending.push_back(frame);
            count += 1;
        }
        count
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        match frame.port {
            RING => self.blocks.release(frame.idx),
            _ => {
                debug_assert!(!self.free.contains(&frame.idx), "buffer {} came back twice", frame.idx);
                self.free.push(frame.idx);
            }
        }
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.flush();
        if self.now >= self.look_at {
            self.look_for_errors();
        }
        match self.gone {
            None => Ok(()),
            Some(e) => Err(PortError::Gone(format!("interface {} was deleted ({e})", self.name))),
        }
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        Some((self.fd.as_fd(), if self.pending.is_empty() { Interest::Readable } else { Interest::Both }))
    }

    fn prepare_wait(&mut self) -> bool {
        self.look_for_errors();
        self.gone.is_none() && !self.blocks.has_news()
    }

    fn kernel_entries(&self) -> u64 {
        self.counters.tx_calls + self.counters.looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_frames_take_no_more_memory_than_is_said() {
        assert_eq!(buffers(1536), BUFFERS_MAX);
        let largest = HEADROOM + MTU_MAX as usize + LINK_BYTES;
        assert!(buffers(largest) as usize * largest <= BUFFER_BYTES_MAX);
        assert!((BUFFERS_MIN..BUFFERS_MAX).contains(&buffers(largest)));
    }
}
