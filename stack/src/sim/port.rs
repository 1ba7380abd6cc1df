//! The port of a simulated host.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

use ferroflow_wire::ethernet;

use super::card;
use crate::port::{Burst, Caps, Csum, Frame, Interest, Meta, Port, PortError};

/// What a simulated port can do.
#[derive(Debug, Clone, Copy)]
pub struct SimPortConfig {
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// Frames that can be allocated at once.
    pub frames: usize,
    /// Largest IPv4 packet with a TCP segment that the port cuts, in bytes ([`Caps::tx_gso`]); 0: it cuts none, and all checksums
    /// are the stack's.
    pub tx_gso: u32,
    /// Frames sent in one turn; the rest has to wait.
    pub tx_per_turn: usize,
    /// Received frames that wait for a turn; more are lost.
    pub rx_queue: usize,
}

impl Default for SimPortConfig {
    fn default() -> Self {
        SimPortConfig { mtu: 1500, frames: 256, tx_gso: 0, tx_per_turn: 256, rx_queue: 1024 }
    }
}

#[derive(Debug)]
struct Slot {
    bytes: Vec<u8>,
    received: bool,
}

/// A port without a wire: frames are put in and taken out by the simulator.
///
/// It holds its user to the rules of [`Port`]: a frame that is too long, leaves to the port what it does not do, or is used
/// after it was given back is a panic. What is left to it, it does when the frame leaves ([`super::card`]).
#[derive(Debug)]
pub struct SimPort {
    config: SimPortConfig,
    slots: Vec<Option<Slot>>,
    vacant: Vec<u32>,
    allocated: usize,
    received: usize,
    rx: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
    sent_in_turn: usize,
    overrun: u64,
    starved: u64,
}

impl SimPort {
    /// A port nothing has happened at.
    pub fn new(config: SimPortConfig) -> SimPort {
        SimPort {
            config,
            slots: Vec::new(),
            vacant: Vec::new(),
            allocated: 0,
            received: 0,
            rx: VecDeque::new(),
            sent: Vec::new(),
            sent_in_turn: 0,
            overrun: 0,
            starved: 0,
        }
    }

    /// A frame arrives. It is lost if too many wait.
    pub fn deliver(&mut self, frame: Vec<u8>) {
        if self.rx.len() < self.config.rx_queue {
            self.rx.push_back(frame);
        } else {
            self.overrun += 1;
        }
    }

    /// What was sent since the last call, in order.
    pub fn take_sent(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.sent)
    }

    /// Received frames that the instance has not given back.
    pub fn received_held(&self) -> usize {
        self.received
    }

    /// Allocated frames that the instance has neither sent nor given back.
    pub fn allocated_held(&self) -> usize {
        self.allocated
    }

    /// Frames lost because too many waited.
    pub fn overrun(&self) -> u64 {
        self.overrun
    }

    /// How often there was no frame to allocate, or no room to send one.
    pub fn starved(&self) -> u64 {
        self.starved
    }

    fn store(&mut self, bytes: Vec<u8>, received: bool) -> Frame {
        let idx = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        *self.held(received) += 1;
        let len = bytes.len() as u32;
        self.slots[idx as usize] = Some(Slot { bytes, received });
        Frame { port: 0, idx, off: 0, len, meta: Meta::default() }
    }

    fn take(&mut self, idx: u32) -> Vec<u8> {
        let slot = self.slots[idx as usize].take().expect("a frame is sent or released once");
        self.vacant.push(idx);
        *self.held(slot.received) -= 1;
        slot.bytes
    }

    fn held(&mut self, received: bool) -> &mut usize {
        if received { &mut self.received } else { &mut self.allocated }
    }
}

impl Port for SimPort {
    fn caps(&self) -> Caps {
        let SimPortConfig { mtu, tx_gso, .. } = self.config;
        Caps { mtu, reply_in_place: true, tx_csum: tx_gso > 0, tx_gso, queue: 0 }
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let mut n = 0;
        while into.room() > 0
            && let Some(bytes) = self.rx.pop_front()
        {
            let frame = self.store(bytes, true);
            into.push(frame).expect("room was looked at");
            n += 1;
        }
        n
    }

    fn bytes(&self, frame: &Frame) -> &[u8] {
        let slot = self.slots[frame.idx as usize].as_ref().expect("the frame is held");
        &slot.bytes[frame.off as usize..][..frame.len as usize]
    }

    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        let slot = self.slots[frame.idx as usize].as_mut().expect("the frame is held");
        &mut slot.bytes[frame.off as usize..][..frame.len as usize]
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.config.mtu.max(self.config.tx_gso) as usize + ethernet::HEADER_LEN {
            return None;
        }
        if self.allocated == self.config.frames {
            self.starved += 1;
            return None;
        }
        // Not zero, so that a byte which is never written shows.
        Some(self.store(vec![0xa5; len], false))
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut n = 0;
        while let Some(frame) = from.front() {
            if self.sent_in_turn == self.config.tx_per_turn {
                self.starved += 1;
                break;
            }
            let partial = matches!(frame.meta.csum, Csum::Partial { .. });
            assert!(self.config.tx_gso > 0 || !partial, "a checksum was left to the port");
            let sent = card::frames(self.bytes(frame), &frame.meta);
            let most = self.config.mtu as usize + ethernet::HEADER_LEN;
            assert!(sent.iter().all(|frame| frame.len() <= most), "longer than the MTU");
            let frame = from.pop().expect("it was looked at");
            self.take(frame.idx);
            self.sent.extend(sent);
            self.sent_in_turn += 1;
            n += 1;
        }
        n
    }

    fn release(&mut self, frame: Frame) {
        self.take(frame.idx);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.sent_in_turn = 0;
        Ok(())
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        None
    }
}
