//! A card in memory, whose every frame the test gives and takes, and which can be told to have no room.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Meta, Port, PortError};

pub struct TestPort {
    pub mtu: u32,
    /// Frames for the stack.
    pub incoming: VecDeque<Vec<u8>>,
    /// Frames of the stack.
    pub outgoing: VecDeque<Vec<u8>>,
    /// `alloc` answers this often before it has no buffer; `None` = always.
    pub allocs: Option<usize>,
    /// `tx` takes this many more frames; `None` = all.
    pub takes: Option<usize>,
    buffers: Vec<Option<Vec<u8>>>,
}

impl TestPort {
    pub fn new(mtu: u32) -> TestPort {
        TestPort {
            mtu,
            incoming: VecDeque::new(),
            outgoing: VecDeque::new(),
            allocs: None,
            takes: None,
            buffers: Vec::new(),
        }
    }

    /// Buffers that the stack holds.
    pub fn lent(&self) -> usize {
        self.buffers.iter().flatten().count()
    }

    fn lend(&mut self, bytes: Vec<u8>) -> Frame {
        let len = bytes.len() as u32;
        let idx = self.buffers.iter().position(Option::is_none).unwrap_or_else(|| {
            self.buffers.push(None);
            self.buffers.len() - 1
        });
        self.buffers[idx] = Some(bytes);
        Frame { port: 7, idx: idx as u32, off: 0, len, meta: Meta::default() }
    }

    fn take_back(&mut self, frame: &Frame) -> Vec<u8> {
        assert_eq!(frame.port, 7, "a frame of another port");
        self.buffers[frame.idx as usize].take().expect("a frame given back twice")
    }
}

impl Port for TestPort {
    fn caps(&self) -> Caps {
        Caps { mtu: self.mtu, reply_in_place: false, tx_csum: false, tx_gso: 0, queue: 0 }
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let mut n = 0;
        while into.room() > 0
            && let Some(bytes) = self.incoming.pop_front()
        {
            let frame = self.lend(bytes);
            into.push(frame).expect("there is room");
            n += 1;
        }
        n
    }

    fn bytes(&self, frame: &Frame) -> &[u8] {
        self.buffers[frame.idx as usize].as_deref().expect("a frame that was given back")
    }

    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        self.buffers[frame.idx as usize].as_deref_mut().expect("a frame that was given back")
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        match &mut self.allocs {
            Some(0) => return None,
            Some(n) => *n -= 1,
            None => {}
        }
        assert!(len <= self.mtu as usize + 14, "{len} bytes with an MTU of {}", self.mtu);
        Some(self.lend(vec![0xa5; len]))
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut n = 0;
        while self.takes != Some(0)
            && let Some(frame) = from.pop()
        {
            let bytes = self.take_back(&frame);
            self.outgoing.push_back(bytes);
            if let Some(left) = &mut self.takes {
                *left -= 1;
            }
            n += 1;
        }
        n
    }

    fn release(&mut self, frame: Frame) {
        self.take_back(&frame);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        Ok(())
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        None
    }
}
