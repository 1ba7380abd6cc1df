//! One card at the server's end of many pipes, as behind a switch: a frame goes to the pipe whose client has its address.

use std::os::fd::BorrowedFd;

use ferroflow_stack::port::pipe::PipePort;
use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Port, PortError};
use ferroflow_wire::MacAddr;

/// The address of client `n`; pipe `n` leads there.
pub fn client_mac(n: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 1, n])
}

/// Frames taken from a pipe at once.
const BATCH: usize = 8;

/// Frame.port is the number of the pipe whose buffer it is.
pub struct Trunk {
    pipes: Vec<PipePort>,
    /// Frames on their way into each pipe.
    staged: Vec<Burst>,
    received: Burst,
    /// The pipe that is asked first in the next `rx`.
    first: usize,
}

impl Trunk {
    pub fn new(pipes: Vec<PipePort>, burst: usize) -> Trunk {
        let staged = pipes.iter().map(|_| Burst::new(burst)).collect();
        Trunk { pipes, staged, received: Burst::new(BATCH), first: 0 }
    }

    /// The pipe that a frame has to go to; `None` = all.
    fn destination(&self, frame: &Frame) -> Option<usize> {
        let dst = self.bytes(frame).first_chunk::<6>()?;
        (dst[0] & 1 == 0).then_some(usize::from(dst[5]))
    }

    /// Stages a copy for pipe `to`. `false`: there is no room.
    fn copy(&mut self, frame: &Frame, to: usize) -> bool {
        if self.staged[to].room() == 0 {
            return false;
        }
        let Some(mut copy) = self.pipes[to].alloc(frame.len as usize) else { return false };
        copy.meta = frame.meta;
        let from = usize::from(frame.port);
        if let Ok([from, to]) = self.pipes.get_disjoint_mut([from, to]) {
            to.bytes_mut(&mut copy).copy_from_slice(from.bytes(frame));
        } else {
            let bytes = self.pipes[from].bytes(frame).to_vec();
            self.pipes[to].bytes_mut(&mut copy).copy_from_slice(&bytes);
        }
        self.staged[to].push(copy).is_ok()
    }

    /// Stages a frame; gives it back if there is no room.
    fn stage(&mut self, frame: Frame) -> Result<(), Frame> {
        let from = usize::from(frame.port);
        match self.destination(&frame) {
            Some(to) if to == from => return self.staged[to].push(frame),
            Some(to) if to < self.pipes.len() => {
                if !self.copy(&frame, to) {
                    return Err(frame);
                }
            }
            Some(_) => {}
            None => {
                for to in 0..self.pipes.len() {
                    self.copy(&frame, to);
                }
            }
        }
        self.pipes[from].release(frame);
        Ok(())
    }
}

impl Port for Trunk {
    fn caps(&self) -> Caps {
        self.pipes[0].caps()
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let before = into.len();
        for i in 0..self.pipes.len() {
            let at = (self.first + i) % self.pipes.len();
            if into.room() < BATCH {
                break;
            }
            self.pipes[at].rx(&mut self.received);
            while let Some(frame) = self.received.pop() {
                into.push(Frame { port: at as u8, ..frame }).expect("room was counted");
            }
        }
        self.first = (self.first + 1) % self.pipes.len();
        into.len() - before
    }

    fn bytes(&self, frame: &Frame) -> &[u8] {
        self.pipes[usize::from(frame.port)].bytes(frame)
    }

    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        self.pipes[usize::from(frame.port)].bytes_mut(frame)
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        // Any pipe's buffer will do: where the frame goes is not known yet.
        let frame = self.pipes[self.first].alloc(len)?;
        Some(Frame { port: self.first as u8, ..frame })
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut sent = 0;
        while let Some(frame) = from.pop() {
            if let Err(frame) = self.stage(frame) {
                // What waits behind it keeps its order.
                let rest: Vec<Frame> = std::iter::from_fn(|| from.pop()).collect();
                for frame in std::iter::once(frame).chain(rest) {
                    from.push(frame).expect("it was in there");
                }
                break;
            }
            sent += 1;
        }
        for (pipe, staged) in self.pipes.iter_mut().zip(&mut self.staged) {
            pipe.tx(staged);
        }
        sent
    }

    fn release(&mut self, frame: Frame) {
        self.pipes[usize::from(frame.port)].release(frame);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.pipes.iter_mut().try_for_each(Port::sync)
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        None
    }
}
