//! One pair of rings with its descriptor: frames in and out by changing buffers, and two calls that move them.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::{Acquire, Release};

use ferroflow_stack::port::{Burst, Frame, Meta};
use rustix::io::Errno;

use super::NetmapCounters;
use super::api;
use super::buffers::Buffers;
use super::device::{Device, Direction};
use super::ring::{Ring, Slot, wide};
use crate::region::Region;

/// Spare buffers that are kept for what is received: a burst's, or whoever sends would in the end receive no acknowledgement.
const KEEP: usize = 64;

/// Which pair of a port's rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The card's (or the switch port's, or the pipe's) of this number.
    Nic(u16),
    /// To and from the kernel's stack.
    Host(u16),
}

#[derive(Debug)]
pub(super) struct Pair<D: Device> {
    device: D,
    buffers: Buffers,
    rx: Ring,
    tx: Ring,
    /// Where the module's description of the port is in its memory.
    interface: usize,
    /// The next slot has more of a packet that has been dropped.
    skipping: bool,
    /// The module has not been called since there was no room to send.
    stuck: bool,
    gone: Option<Errno>,
}

impl<D: Device> Pair<D> {
    /// A pair of the port that is described at byte `interface` of the module's memory, with as many as `extra` buffers of our
    /// own.
    pub fn new(device: D, memory: Region, interface: usize, which: Which, extra: u32) -> io::Result<Pair<D>> {
        let [tx_rings, host_tx_rings, rx_rings, host_rx_rings] = [
            api::interface::TX_RINGS,
            api::interface::HOST_TX_RINGS,
            api::interface::RX_RINGS,
            api::interface::HOST_RX_RINGS,
        ]
        .map(|field| word(&memory, interface, field));
        let ([tx_rings, host_tx_rings], [rx_rings, host_rx_rings]) =
            ([tx_rings?, host_tx_rings?], [rx_rings?, host_rx_rings?]);
        // net/netmap.h, struct netmap_if: the card's transmit rings, the host's, the card's receive rings, the host's.
        let behind = tx_rings.saturating_add(host_tx_rings);
        let (tx, rx, there) = match which {
            Which::Nic(n) => {
                (n.into(), behind.saturating_add(n.into()), u32::from(n) < tx_rings.min(rx_rings))
            }
            Which::Host(n) => {
                let rx = behind.saturating_add(rx_rings).saturating_add(n.into());
                (tx_rings.saturating_add(n.into()), rx, u32::from(n) < host_tx_rings.min(host_rx_rings))
            }
        };
        if !there {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("the port has no pair of rings {which:?}"),
            ));
        }
        let (tx, rx) = (ring(&memory, interface, tx)?, ring(&memory, interface, rx)?);
        if (tx.first_buffer, tx.buffer_size) != (rx.first_buffer, rx.buffer_size) {
            return Err(io::Error::other("the rings' buffers are not in one place"));
        }
        let head = word(&memory, interface, api::interface::BUFS_HEAD)?;
        let mut buffers = Buffers::new(memory, rx.first_buffer, rx.buffer_size);
        buffers.take_list(head, extra)?;
        // They are ours until we end.
        buffers.memory().word(interface + api::interface::BUFS_HEAD).store(0, Release);
        Ok(Pair { device, buffers, rx, tx, interface, skipping: false, stuck: false, gone: None })
    }

    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.device.fd()
    }

    pub fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    pub fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }

    /// Why it cannot go on.
    pub fn gone(&self) -> Option<Errno> {
        self.gone
    }

    /// Takes frames out of the ring, as many as `into` has room for. `port` is to be their [`Frame::port`].
    pub fn receive(&mut self, into: &mut Burst, port: u8, counters: &mut NetmapCounters) -> usize {
        let mut count = 0;
        for _ in 0..self.available() {
            if into.room() == 0 {
                break;
            }
            let slot = self.rx.front(self.buffers.memory());
            let goes_on = slot.flags & api::MOREFRAG != 0;
            if goes_on || self.skipping {
                counters.rx_in_parts += u64::from(!self.skipping);
                self.skipping = goes_on;
                self.rx.advance();
                continue;
            }
            if usize::from(slot.len) > self.buffers.size() {
                counters.rx_damaged += 1;
                self.rx.advance();
                continue;
            }
            match self.buffers.receive(slot.buffer) {
                Ok(spare) => {
                    let instead = Slot { buffer: spare, len: 0, flags: api::BUF_CHANGED };
                    self.rx.set_front(self.buffers.memory(), instead);
                    let frame =
                        Frame { port, idx: slot.buffer, off: 0, len: slot.len.into(), meta: Meta::default() };
                    // There is room.
                    if let Err(frame) = into.push(frame) {
                        self.buffers.release(frame.idx);
                    }
                    counters.rx_frames += 1;
                    count += 1;
                }
                Err(true) => {
                    counters.rx_no_buffer += 1;
                    break;
                }
                Err(false) => counters.rx_damaged += 1,
            }
            self.rx.advance();
        }
        count
    }

    /// Received slots that are ours.
    fn available(&mut self) -> u32 {
        let available = self.rx.available(self.buffers.memory());
        self.sane(available)
    }

    /// A ring whose end is nowhere cannot be used any more.
    fn sane(&mut self, available: Option<u32>) -> u32 {
        if available.is_none() {
            self.gone = Some(Errno::BADMSG);
        }
        available.unwrap_or(0)
    }

    /// Whether there is something to receive.
    pub fn has_news(&mut self) -> bool {
        self.available() > 0
    }

    /// A buffer for a frame to send.
    pub fn alloc(&mut self) -> Option<u32> {
        self.buffers.alloc(KEEP)
    }

    /// Puts a frame into the ring. `false`: there is no room, and the frame is still the stack's.
    pub fn send(&mut self, frame: &Frame, counters: &mut NetmapCounters) -> bool {
        let room = self.tx.available(self.buffers.memory());
        if self.sane(room) == 0 {
            self.stuck = true;
            return false;
        }
        let (from, len) = (frame.off as usize, frame.len as usize);
        if from > 0 {
            // Slots know no offset. Nobody who takes a frame from `alloc` comes here.
            self.buffers.bytes_mut(frame.idx, 0..from + len).copy_within(from.., 0);
        }
        let before = self.tx.front(self.buffers.memory());
        let slot = Slot { buffer: frame.idx, len: len as u16, flags: api::BUF_CHANGED };
        self.tx.set_front(self.buffers.memory(), slot);
        self.tx.advance();
        let swapped = self.buffers.send(frame.idx, before.buffer);
        counters.tx_damaged += u64::from(!swapped);
        counters.tx_frames += 1;
        true
    }

    /// Whether frames wait for room to be sent.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// Calls the module, once for each direction at most.
    pub fn sync(&mut self, counters: &mut NetmapCounters) {
        if self.gone.is_some() {
            return;
        }
        if self.tx.passed() > 0 || self.stuck {
            self.tx.publish(self.buffers.memory());
            self.call(Direction::Tx, counters);
            self.stuck = self.gone.is_none() && self.tx.available(self.buffers.memory()) == Some(0);
        }
        // Nothing new comes without a call. Before everything is read only if many slots are to be given back.
        if !self.has_news() || self.rx.passed() > self.rx.slots() / 2 {
            self.rx.publish(self.buffers.memory());
            self.call(Direction::Rx, counters);
        }
    }

    fn call(&mut self, direction: Direction, counters: &mut NetmapCounters) {
        counters.calls += 1;
        match self.device.sync(direction) {
            Ok(()) | Err(Errno::INTR | Errno::AGAIN) => {}
            Err(e) => self.gone = Some(e),
        }
    }
}

impl<D: Device> Drop for Pair<D> {
    fn drop(&mut self) {
        // net/netmap.h: "On close, ni_bufs_head must point to the list of buffers to be released."
        let list = self.buffers.make_list();
        self.buffers.memory().word(self.interface + api::interface::BUFS_HEAD).store(list, Release);
    }
}

fn word(memory: &Region, interface: usize, field: usize) -> io::Result<u32> {
    let at = interface
        .checked_add(field)
        .filter(|&at| at.is_multiple_of(4) && at < memory.len().saturating_sub(4));
    let at = at.ok_or_else(|| io::Error::other("the port's description is outside the module's memory"))?;
    Ok(memory.word(at).load(Acquire))
}

/// The ring of this number in the description's list.
fn ring(memory: &Region, interface: usize, number: u32) -> io::Result<Ring> {
    let field = api::interface::RING_OFS + number as usize * 8;
    word(memory, interface, field + 4)?;
    // Offsets are from the description.
    let at = interface.checked_add_signed(wide(memory, interface + field) as isize);
    Ring::new(memory, at.unwrap_or(usize::MAX))
}
