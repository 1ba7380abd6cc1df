//! A port whose frames are written down on their way, as pcapng for Wireshark.
//!
//! The few blocks are written by hand: the crates for this format build packets in memory of their own and write to
//! `io::Write`, while a tap below the runtime may neither allocate for a frame nor wait for a file.

use std::os::fd::BorrowedFd;

use super::{Burst, Caps, Frame, Interest, Port, PortError};
use crate::time::Instant;

pub mod block;

pub use block::{Direction, Interface, Section};
use block::{Packet, Statistics};

/// Where the blocks of a capture go.
pub trait Sink {
    /// Takes a block, whole or not at all; returns whether it did. Does not block.
    fn put(&mut self, block: &[u8]) -> bool;

    /// The blocks of a turn are complete.
    fn flush(&mut self) {}
}

/// Memory takes everything.
impl Sink for Vec<u8> {
    fn put(&mut self, block: &[u8]) -> bool {
        self.extend_from_slice(block);
        true
    }
}

/// What became of the frames that passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaptureCounters {
    /// Frames in the capture.
    pub captured: u64,
    /// Frames missing in the capture because the sink had no room. They were sent and received all the same.
    pub dropped: u64,
}

/// How frames of one interface are written down. At its end it leaves an interface statistics block.
///
/// It writes no head: a file begins with [`block::section_header`] and an [`block::interface_description`] for each
/// interface, in the order of their numbers.
#[derive(Debug)]
pub struct Capture<W: Sink> {
    sink: W,
    interface: u32,
    snaplen: u32,
    /// The time of [`Instant::ZERO`], in nanoseconds since 1970.
    epoch: u64,
    now: Instant,
    /// Packet blocks whose frames are about to be sent.
    staged: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// Drops that the first of them tells of.
    told: u64,
    /// Drops that no block in the sink tells of.
    untold: u64,
    counters: CaptureCounters,
}

impl<W: Sink> Capture<W> {
    /// Nothing has been captured. `interface`: its number in the file; `snaplen`: most bytes of a frame to keep, 0 = all;
    /// `epoch`: nanoseconds from 1970 (UTC) to the origin of the stack's clock.
    pub fn new(sink: W, interface: u32, snaplen: u32, epoch: u64) -> Capture<W> {
        Capture {
            sink,
            interface,
            snaplen,
            epoch,
            now: Instant::ZERO,
            staged: Vec::new(),
            ends: Vec::new(),
            told: 0,
            untold: 0,
            counters: CaptureCounters::default(),
        }
    }

    /// What became of the frames so far.
    pub fn counters(&self) -> &CaptureCounters {
        &self.counters
    }

    /// The sink.
    pub fn sink(&self) -> &W {
        &self.sink
    }

    /// Prepares the block of a frame; [`Capture::commit`] decides about it.
    fn stage(&mut self, direction: Direction, when: Option<Instant>, bytes: &[u8]) {
        if self.ends.is_empty() {
            self.told = self.untold;
        }
        let packet = Packet {
            interface: self.interface,
            time: self.wall(when.unwrap_or(self.now)),
            direction,
            dropped: if self.ends.is_empty() { self.told } else { 0 },
            snaplen: self.snaplen,
            bytes,
        };
        block::enhanced_packet(&mut self.staged, &packet);
        self.ends.push(self.staged.len());
    }

    /// The first `count` of the staged frames have passed; the others have not.
    fn commit(&mut self, count: usize) {
        let mut start = 0;
        for (n, &end) in self.ends.iter().take(count).enumerate() {
            if self.sink.put(&self.staged[start..end]) {
                self.counters.captured += 1;
                if n == 0 {
                    self.untold -= self.told;
                }
            } else {
                self.counters.dropped += 1;
                self.untold += 1;
            }
            start = end;
        }
        self.staged.clear();
        self.ends.clear();
    }

    fn wall(&self, at: Instant) -> u64 {
        self.epoch.saturating_add(at.as_nanos())
    }
}

impl<W: Sink> Drop for Capture<W> {
    fn drop(&mut self) {
        let CaptureCounters { captured, dropped } = self.counters;
        let time = self.wall(self.now);
        self.staged.clear();
        let statistics = Statistics { interface: self.interface, time, captured, dropped };
        block::interface_statistics(&mut self.staged, &statistics);
        self.sink.put(&self.staged);
        self.sink.flush();
    }
}

/// A port `P` that passes everything on as it is, and has it written down. A frame counts as sent when the port below
/// takes it.
#[derive(Debug)]
pub struct Pcap<P, W: Sink> {
    port: P,
    capture: Capture<W>,
}

impl<P: Port, W: Sink> Pcap<P, W> {
    /// Writes down what `port` receives and sends from now on.
    pub fn new(port: P, capture: Capture<W>) -> Pcap<P, W> {
        Pcap { port, capture }
    }

    /// The port below.
    pub fn inner(&self) -> &P {
        &self.port
    }

    /// The port below, to be changed.
    pub fn inner_mut(&mut self) -> &mut P {
        &mut self.port
    }

    /// What is written down.
    pub fn capture(&self) -> &Capture<W> {
        &self.capture
    }

    /// The port below; the capture ends.
    pub fn into_inner(self) -> P {
        self.port
    }
}

impl<P: Port, W: Sink> Port for Pcap<P, W> {
    fn caps(&self) -> Caps {
        self.port.caps()
    }

    fn tick(&mut self, now: Instant) {
        self.capture.now = now;
        self.port.tick(now);
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let count = self.port.rx(into);
        for frame in into.iter().skip(into.len() - count) {
            self.capture.stage(Direction::Inbound, frame.meta.when, self.port.bytes(frame));
        }
        self.capture.commit(count);
        count
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        self.port.bytes(frame)
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        self.port.bytes_mut(frame)
    }

    #[inline]
    fn alloc(&mut self, len: usize) -> Option<Frame> {
        self.port.alloc(len)
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        for frame in from.iter() {
            self.capture.stage(Direction::Outbound, None, self.port.bytes(frame));
        }
        let count = self.port.tx(from);
        self.capture.commit(count);
        count
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        self.port.release(frame);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.capture.sink.flush();
        self.port.sync()
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        self.port.wait()
    }

    fn prepare_wait(&mut self) -> bool {
        self.port.prepare_wait()
    }

    fn kernel_entries(&self) -> u64 {
        self.port.kernel_entries()
    }

    fn report(&self, each: &mut dyn FnMut(&'static str, u64)) {
        self.port.report(each);
        each("captured", self.capture.counters.captured);
        each("capture_dropped", self.capture.counters.dropped);
    }
}

#[cfg(test)]
mod tests;
