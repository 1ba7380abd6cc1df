//! A port that loses, repeats, reorders and damages frames: for tests in real time, over any other port.

use std::os::fd::BorrowedFd;

use super::{Burst, Caps, Csum, Frame, Interest, Meta, Port, PortError};
use crate::time::Instant;

/// How often what goes wrong; each a probability from 0 to 1, per frame.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// The frame is lost.
    pub loss: f64,
    /// The frame comes twice, the second time up to [`MAX_LAG`] frames later.
    pub duplicate: f64,
    /// The frame is overtaken by up to [`MAX_LAG`] others.
    pub reorder: f64,
    /// One bit of the frame is flipped.
    pub corrupt: f64,
}

impl Faults {
    /// Only loss.
    pub fn loss(loss: f64) -> Faults {
        Faults { loss, ..Faults::default() }
    }
}

/// By how many frames a late one is overtaken at most. It waits for them: on a silent link, for ever.
pub const MAX_LAG: u32 = 4;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultCounters {
    /// Frames lost.
    pub lost: u64,
    /// Frames repeated.
    pub duplicated: u64,
    /// Frames put behind others.
    pub reordered: u64,
    /// Frames with a flipped bit.
    pub corrupted: u64,
}

/// Most frames taken at once, lost ones included.
const MAX_BURST: usize = 256;

/// Marks frames whose bytes are kept here and not in the port below.
const OWN: u8 = u8::MAX;

/// What comes later, each after so many others have passed.
#[derive(Debug)]
struct Late<T> {
    waiting: Vec<(u32, T)>,
}

impl<T> Late<T> {
    fn new() -> Late<T> {
        Late { waiting: Vec::new() }
    }

    fn push(&mut self, lag: u32, what: T) {
        self.waiting.push((lag, what));
    }

    fn one_passed(&mut self) {
        for (lag, _) in &mut self.waiting {
            *lag = lag.saturating_sub(1);
        }
    }

    fn pop_ready(&mut self) -> Option<T> {
        let at = self.waiting.iter().position(|&(lag, _)| lag == 0)?;
        Some(self.waiting.remove(at).1)
    }
}

/// A port `P` with faults in both directions, drawn from a seed.
///
/// Checksums of what is sent are complete, those of damaged frames are verified, and no reply leaves in the frame it answers:
/// damage is to be found, and a frame may be a copy. What is sent is lost segment by segment: the port is given none to cut.
#[derive(Debug)]
pub struct Lossy<P> {
    port: P,
    rng: fastrand::Rng,
    rx: Faults,
    tx: Faults,
    counters: FaultCounters,
    /// Copies of received frames that come later. A received frame itself may not outlive its turn.
    late_rx: Late<(Meta, Box<[u8]>)>,
    /// Copies that the instance holds, by [`Frame::idx`].
    copies: Vec<Option<Box<[u8]>>>,
    late_tx: Late<Frame>,
    /// Frames whose fate is decided.
    out: Burst,
    one: Burst,
}

impl<P: Port> Lossy<P> {
    /// Adds faults to `port`: `rx` to what it receives, `tx` to what it sends.
    pub fn new(port: P, seed: u64, rx: Faults, tx: Faults) -> Lossy<P> {
        Lossy {
            port,
            rng: fastrand::Rng::with_seed(seed),
            rx,
            tx,
            counters: FaultCounters::default(),
            late_rx: Late::new(),
            copies: Vec::new(),
            late_tx: Late::new(),
            out: Burst::new(MAX_BURST),
            one: Burst::new(1),
        }
    }

    /// What was done so far.
    pub fn counters(&self) -> &FaultCounters {
        &self.counters
    }

    /// The port below.
    pub fn inner(&self) -> &P {
        &self.port
    }

    /// The port below, to be changed.
    pub fn inner_mut(&mut self) -> &mut P {
        &mut self.port
    }

    /// The port below, after everything late has been given up.
    pub fn into_inner(mut self) -> P {
        while let Some(frame) = self.out.pop().or_else(|| self.late_tx.waiting.pop().map(|(_, frame)| frame))
        {
            self.port.release(frame);
        }
        self.port
    }

    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.f64() < probability
    }

    fn damage(&mut self, frame: &mut Frame) {
        let bytes = self.port.bytes_mut(frame);
        if bytes.is_empty() {
            return;
        }
        let bit = self.rng.usize(..bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        frame.meta = Meta { csum: Csum::Unknown, ..frame.meta };
        self.counters.corrupted += 1;
    }

    fn own(&mut self, meta: Meta, bytes: Box<[u8]>) -> Frame {
        let len = bytes.len() as u32;
        let free = self.copies.iter().position(Option::is_none);
        let idx = free.unwrap_or_else(|| {
            self.copies.push(None);
            self.copies.len() - 1
        });
        self.copies[idx] = Some(bytes);
        Frame { port: OWN, idx: idx as u32, off: 0, len, meta }
    }

    fn copy(&self, frame: &Frame) -> &[u8] {
        let bytes = self.copies[frame.idx as usize].as_deref().expect("the frame is held");
        &bytes[frame.off as usize..][..frame.len as usize]
    }

    /// One frame from below, with its fate; what is to be seen goes `into`.
    fn receive(&mut self, mut frame: Frame, into: &mut Burst) {
        if self.happens(self.rx.loss) {
            self.counters.lost += 1;
            return self.port.release(frame);
        }
        if self.happens(self.rx.corrupt) {
            self.damage(&mut frame);
        }
        let late = self.happens(self.rx.reorder);
        let twice = self.happens(self.rx.duplicate);
        if late || twice {
            let lag = self.rng.u32(1..=MAX_LAG);
            self.late_rx.push(lag, (frame.meta, self.port.bytes(&frame).into()));
        }
        if late {
            self.counters.reordered += 1;
            return self.port.release(frame);
        }
        self.counters.duplicated += u64::from(twice);
        into.push(frame).expect("room was looked at");
        self.late_rx.one_passed();
    }

    /// What was late and has waited long enough.
    fn receive_late(&mut self, into: &mut Burst) {
        while into.room() > 0
            && let Some((meta, bytes)) = self.late_rx.pop_ready()
        {
            let frame = self.own(meta, bytes);
            into.push(frame).expect("room was looked at");
        }
    }

    /// One frame to send, with its fate; what is to be sent goes to `out`.
    fn send(&mut self, mut frame: Frame) {
        if self.happens(self.tx.loss) {
            self.counters.lost += 1;
            return self.port.release(frame);
        }
        if self.happens(self.tx.corrupt) {
            self.damage(&mut frame);
        }
        if self.happens(self.tx.duplicate)
            && let Some(mut twin) = self.port.alloc(frame.len as usize)
        {
            let bytes = self.port.bytes(&frame).to_vec();
            self.port.bytes_mut(&mut twin).copy_from_slice(&bytes);
            twin.meta = frame.meta;
            self.counters.duplicated += 1;
            let lag = self.rng.u32(1..=MAX_LAG);
            self.late_tx.push(lag, twin);
        }
        if self.happens(self.tx.reorder) {
            self.counters.reordered += 1;
            let lag = self.rng.u32(1..=MAX_LAG);
            return self.late_tx.push(lag, frame);
        }
        self.out.push(frame).expect("room was looked at");
        self.late_tx.one_passed();
        while self.out.room() > 0
            && let Some(frame) = self.late_tx.pop_ready()
        {
            self.out.push(frame).expect("room was looked at");
        }
    }
}

impl<P: Port> Port for Lossy<P> {
    fn caps(&self) -> Caps {
        Caps { reply_in_place: false, tx_csum: false, tx_gso: 0, ..self.port.caps() }
    }

    fn tick(&mut self, now: Instant) {
        self.port.tick(now);
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let before = into.len();
        self.receive_late(into);
        for _ in 0..MAX_BURST {
            if into.room() == 0 || self.port.rx(&mut self.one) == 0 {
                break;
            }
            let frame = self.one.pop().expect("one was received");
            self.receive(frame, into);
            self.receive_late(into);
        }
        into.len() - before
    }

    fn bytes(&self, frame: &Frame) -> &[u8] {
        if frame.port == OWN { self.copy(frame) } else { self.port.bytes(frame) }
    }

    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        if frame.port != OWN {
            return self.port.bytes_mut(frame);
        }
        let bytes = self.copies[frame.idx as usize].as_deref_mut().expect("the frame is held");
        &mut bytes[frame.off as usize..][..frame.len as usize]
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        self.port.alloc(len)
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut taken = 0;
        while self.out.room() > 0
            && let Some(frame) = from.pop()
        {
            taken += 1;
            self.send(frame);
        }
        self.port.tx(&mut self.out);
        taken
    }

    fn release(&mut self, frame: Frame) {
        if frame.port == OWN {
            self.copies[frame.idx as usize] = None;
        } else {
            self.port.release(frame);
        }
    }

    fn sync(&mut self) -> Result<(), PortError> {
        if !self.out.is_empty() {
            self.port.tx(&mut self.out);
        }
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
    }
}

#[cfg(test)]
mod tests;
