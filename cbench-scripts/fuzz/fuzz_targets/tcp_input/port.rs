//! A card in memory that keeps account of its buffers.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

use ferroflow_stack::port::{Burst, Caps, Csum, Frame, Interest, Meta, Port, PortError};
use ferroflow_stack::sim::card;

/// Buffers that the instance can hold at once, received and allocated together.
pub const BUFFERS: usize = 24;

/// The instance's only card. Handing in a frame twice, or one that is not held, panics.
pub struct TestPort {
    mtu: u32,
    tx_csum: bool,
    tx_gso: u32,
    held: [Option<Vec<u8>>; BUFFERS],
    inbox: VecDeque<(Vec<u8>, Csum)>,
    /// What was sent: the frame, and what is said of its checksum.
    pub sent: Vec<(Vec<u8>, Csum)>,
    /// How many frames may still be sent before the card is full.
    pub credit: usize,
}

impl TestPort {
    /// `tx_gso`: it cuts packets up to that size, and completes all checksums; 0: it does neither.
    pub fn new(mtu: u32, tx_csum: bool, tx_gso: u32) -> Self {
        TestPort {
            mtu,
            tx_csum,
            tx_gso,
            held: Default::default(),
            inbox: VecDeque::new(),
            sent: Vec::new(),
            credit: usize::MAX,
        }
    }

    /// A frame arrives.
    pub fn deliver(&mut self, frame: Vec<u8>, csum: Csum) {
        self.inbox.push_back((frame, csum));
    }

    /// Buffers that the instance holds.
    pub fn held(&self) -> usize {
        self.held.iter().flatten().count()
    }

    fn hold(&mut self, bytes: Vec<u8>, meta: Meta) -> Option<Frame> {
        let idx = self.held.iter().position(Option::is_none)?;
        let len = bytes.len() as u32;
        self.held[idx] = Some(bytes);
        Some(Frame { port: 0, idx: idx as u32, off: 0, len, meta })
    }

    fn take(&mut self, frame: &Frame) -> Vec<u8> {
        self.held[frame.idx as usize].take().expect("a frame is sent or released once")
    }
}

impl Port for TestPort {
    fn caps(&self) -> Caps {
        let TestPort { mtu, tx_gso, .. } = *self;
        Caps { mtu, reply_in_place: false, tx_csum: self.tx_csum || tx_gso > 0, tx_gso, queue: 0 }
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let before = into.len();
        while into.room() > 0 && self.held() < BUFFERS {
            let Some((bytes, csum)) = self.inbox.pop_front() else { break };
            if let Some(frame) = self.hold(bytes, Meta { csum, ..Meta::default() }) {
                into.push(frame).expect("room was counted");
            }
        }
        into.len() - before
    }

    fn bytes(&self, frame: &Frame) -> &[u8] {
        let buffer = self.held[frame.idx as usize].as_ref().expect("the frame is held");
        &buffer[frame.off as usize..][..frame.len as usize]
    }

    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        let buffer = self.held[frame.idx as usize].as_mut().expect("the frame is held");
        &mut buffer[frame.off as usize..][..frame.len as usize]
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.mtu.max(self.tx_gso) as usize + 18 {
            return None;
        }
        // Undefined content, as the contract says.
        self.hold(vec![0xaa; len], Meta::default())
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut taken = 0;
        while self.credit > 0 {
            let Some(frame) = from.pop() else { break };
            let bytes = self.take(&frame)[frame.off as usize..][..frame.len as usize].to_vec();
            if self.tx_gso > 0 {
                self.sent.extend(
                    card::frames(&bytes, &frame.meta).into_iter().map(|bytes| (bytes, Csum::Unknown)),
                );
            } else {
                self.sent.push((bytes, frame.meta.csum));
            }
            self.credit = self.credit.saturating_sub(1);
            taken += 1;
        }
        taken
    }

    fn release(&mut self, frame: Frame) {
        self.take(&frame);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        Ok(())
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        None
    }
}
