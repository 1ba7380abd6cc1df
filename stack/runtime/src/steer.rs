//! Handing frames to the core that owns their connection (one-queue interfaces, TAP's own steering).
//!
//! A frame that lands on the wrong core is copied into a buffer that travels to its owner through a bounded ring and
//! comes back through another; nothing is allocated on the way. ARP goes to everyone. Fragments meet at one core, and the
//! datagram that they make goes on through the same ring.

use std::os::fd::BorrowedFd;

use ferroflow_stack::Instant;
use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Meta, Port, PortError};
use ferroflow_stack::steer::{Owner, Steer};

use crate::mail::{self, Mailbox};
use crate::wake::Waker;

/// Marks frames that came from another core; their bytes are in a parcel.
const FOREIGN: u8 = u8::MAX - 1;
/// Ethernet's header and one VLAN tag.
const LINK_BYTES: usize = 18;
const TAG_BYTES: usize = 4;
/// Ethernet's type and ARP's operation, in a frame without a VLAN tag.
const TYPE: std::ops::Range<usize> = 12..14;
const ARP_OPERATION: std::ops::Range<usize> = 20..22;

/// A frame on its way between cores.
#[derive(Debug)]
struct Parcel {
    bytes: Box<[u8]>,
    len: u32,
    meta: Meta,
}

/// What was handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SteerCounters {
    /// Frames copied to another core (once for each core that got one).
    pub handed_over: u64,
    /// Frames taken from other cores.
    pub taken_over: u64,
    /// Frames dropped because all parcels were under way: their owner is too slow.
    pub dropped: u64,
}

/// A port of one core that passes on what belongs to the others, and receives from them as well.
///
/// With a single core it does nothing but call the port below.
#[derive(Debug)]
pub struct Steered<P> {
    inner: P,
    steer: Steer,
    mail: Mailbox<Parcel>,
    /// Empty parcels on their way home.
    returns: Mailbox<Parcel>,
    spare: Vec<Parcel>,
    /// Parcels whose frames are in the stack's hands, by the frame's index, and who sent them.
    held: Vec<Option<(usize, Parcel)>>,
    vacant: Vec<u32>,
    /// The cores that got something in this burst.
    news: Vec<bool>,
    counters: SteerCounters,
}

/// Joins the ports of one interface, one for each core in order. `steer` makes each core's [`Steer`], and `parcels`
/// is how many frames of one core may be on their way to others (a power of two is not needed; 256 is plenty).
///
/// # Panics
/// If there are no ports, more than 65,535, or `parcels` is 0.
pub fn join<P: Port>(ports: Vec<P>, parcels: usize, steer: impl Fn(u16, u16) -> Steer) -> Vec<Steered<P>> {
    let cores = u16::try_from(ports.len()).unwrap_or(u16::MAX);
    assert!(cores > 0 && usize::from(cores) == ports.len(), "{} ports", ports.len());
    let out = mail::mesh(ports.len(), parcels).into_iter().zip(mail::mesh(ports.len(), parcels));
    let joined = (0..cores).zip(ports).zip(out);
    joined
        .map(|((core, inner), (mail, returns))| {
            let size = inner.caps().mtu as usize + LINK_BYTES;
            let parcel = || Parcel { bytes: vec![0; size].into(), len: 0, meta: Meta::default() };
            let parcels = if cores > 1 { parcels } else { 0 };
            Steered {
                inner,
                steer: steer(core, cores),
                mail,
                returns,
                spare: (0..parcels).map(|_| parcel()).collect(),
                held: Vec::new(),
                vacant: Vec::new(),
                news: vec![false; usize::from(cores)],
                counters: SteerCounters::default(),
            }
        })
        .collect()
}

impl<P: Port> Steered<P> {
    /// Tells the other cores how to wake this one: to be called before the core's first turn.
    pub fn attach(&self, waker: Waker) {
        self.mail.attach(waker);
    }

    /// The core's share of the hash: for [`ferroflow_stack::Config::steer`].
    pub fn steer(&self) -> &Steer {
        &self.steer
    }

    /// The port below.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// What was handed over so far.
    pub fn counters(&self) -> &SteerCounters {
        &self.counters
    }

    /// Parcels at home.
    pub fn spare(&mut self) -> usize {
        self.collect_returns();
        self.spare.len()
    }

    fn collect_returns(&mut self) {
        let spare = &mut self.spare;
        self.returns.drain(|_, parcel| spare.push(parcel));
    }

    /// Takes what other cores have left here, at most `limit` frames.
    fn take_over(&mut self, into: &mut Burst, limit: usize) -> usize {
        let limit = limit.min(into.room());
        for count in 0..limit {
            let Some((from, parcel)) = self.mail.recv() else { return count };
            let idx = self.vacant.pop().unwrap_or_else(|| {
                self.held.push(None);
                (self.held.len() - 1) as u32
            });
            let frame = Frame { port: FOREIGN, idx, off: 0, len: parcel.len, meta: parcel.meta };
            self.held[idx as usize] = Some((from, parcel));
            self.counters.taken_over += 1;
            // There is room: `limit` saw to it.
            if let Err(frame) = into.push(frame) {
                self.release(frame);
            }
        }
        limit
    }

    /// Passes on what the port brought for others; `new` frames at the end of the burst are from it. Returns how many of
    /// them stay.
    fn sort(&mut self, burst: &mut Burst, new: usize) -> usize {
        let old = burst.len() - new;
        let mut stay = 0;
        for i in 0..old + new {
            let Some(frame) = burst.pop() else { break };
            if i >= old && !self.keep(&frame) {
                self.inner.release(frame);
                continue;
            }
            stay += usize::from(i >= old);
            if let Err(frame) = burst.push(frame) {
                self.release(frame);
            }
        }
        for (core, news) in self.news.iter_mut().enumerate() {
            if std::mem::take(news) {
                self.mail.wake(core);
            }
        }
        stay
    }

    /// Whether a frame stays here; otherwise it has been copied to its owner.
    fn keep(&mut self, frame: &Frame) -> bool {
        match self.steer.owner(self.inner.bytes(frame)) {
            Owner::Here => true,
            Owner::Core(core) => {
                self.pass_on(usize::from(core), frame, false);
                false
            }
            Owner::All => {
                let own = self.mail.core();
                (0..self.mail.cores()).filter(|&c| c != own).for_each(|c| self.pass_on(c, frame, true));
                true
            }
        }
    }

    fn pass_on(&mut self, core: usize, frame: &Frame, arp: bool) {
        let parcel = self.spare.pop().map(|mut parcel| {
            let bytes = parcel.fill(self.inner.bytes(frame), frame.meta);
            if arp {
                as_reply(bytes);
            }
            parcel
        });
        self.news[core] |= self.post(core, parcel);
    }

    /// Sends a parcel, if there was one.
    fn post(&mut self, core: usize, parcel: Option<Parcel>) -> bool {
        let posted = match parcel.map(|parcel| self.mail.post(core, parcel)) {
            Some(Ok(())) => true,
            Some(Err(parcel)) => {
                self.spare.push(parcel);
                false
            }
            None => false,
        };
        self.counters.handed_over += u64::from(posted);
        self.counters.dropped += u64::from(!posted);
        posted
    }
}

impl Parcel {
    /// Puts a copy of a frame in it.
    fn fill(&mut self, bytes: &[u8], meta: Meta) -> &mut [u8] {
        if bytes.len() > self.bytes.len() {
            // Several segments in one (large receive), or fragments put together: it is large from now on, and no frame is
            // larger.
            self.bytes = vec![0; bytes.len().next_power_of_two()].into();
        }
        self.len = bytes.len() as u32;
        self.meta = meta;
        let filled = &mut self.bytes[..bytes.len()];
        filled.copy_from_slice(bytes);
        filled
    }
}

/// Makes an ARP request for the others a reply: they learn from it, and only the core where it arrived answers.
fn as_reply(frame: &mut [u8]) {
    const TAG: [u8; 2] = [0x81, 0x00];
    const ARP: [u8; 2] = [0x08, 0x06];
    const REPLY: [u8; 2] = [0, 2];
    let tag = if frame.get(TYPE) == Some(&TAG) { TAG_BYTES } else { 0 };
    let Some(frame) = frame.get_mut(tag..) else { return };
    if frame.len() >= ARP_OPERATION.end && frame[TYPE] == ARP {
        frame[ARP_OPERATION].copy_from_slice(&REPLY);
    }
}

impl<P: Port> Port for Steered<P> {
    fn caps(&self) -> Caps {
        let caps = self.inner.caps();
        Caps { reply_in_place: caps.reply_in_place && self.mail.cores() == 1, ..caps }
    }

    #[inline]
    fn tick(&mut self, now: Instant) {
        self.inner.tick(now);
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        if self.mail.cores() == 1 {
            return self.inner.rx(into);
        }
        self.collect_returns();
        // Neither the other cores' frames nor the port's own may starve the others.
        let mut count = self.take_over(into, into.room().div_ceil(2));
        let new = self.inner.rx(into);
        count += self.sort(into, new);
        count + self.take_over(into, into.room())
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        if frame.port != FOREIGN {
            return self.inner.bytes(frame);
        }
        let range = frame.off as usize..(frame.off + frame.len) as usize;
        self.held[frame.idx as usize].as_ref().map_or(&[], |(_, parcel)| &parcel.bytes[range])
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        if frame.port != FOREIGN {
            return self.inner.bytes_mut(frame);
        }
        let range = frame.off as usize..(frame.off + frame.len) as usize;
        self.held[frame.idx as usize].as_mut().map_or(&mut [], |(_, parcel)| &mut parcel.bytes[range])
    }

    #[inline]
    fn alloc(&mut self, len: usize) -> Option<Frame> {
        self.inner.alloc(len)
    }

    /// Frames from [`Port::alloc`] only: with several cores a received one may not be sent from where it is.
    #[inline]
    fn tx(&mut self, from: &mut Burst) -> usize {
        debug_assert!(from.iter().all(|f| f.port != FOREIGN), "another core's frame cannot be sent here");
        self.inner.tx(from)
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        if frame.port != FOREIGN {
            return self.inner.release(frame);
        }
        if let Some((from, parcel)) = self.held[frame.idx as usize].take() {
            self.vacant.push(frame.idx);
            // As many places as the sender has parcels: it cannot be full.
            let back = self.returns.post(from, parcel);
            debug_assert!(back.is_ok(), "no room for a parcel on its way home");
        }
    }

    fn hand_over(&mut self, core: u16, frame: &[u8]) -> bool {
        let parcel = self.spare.pop().map(|mut parcel| {
            parcel.fill(frame, Meta::default());
            parcel
        });
        let posted = self.post(core.into(), parcel);
        if posted {
            self.mail.wake(core.into());
        }
        posted
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.inner.sync()
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        self.inner.wait()
    }

    /// # Panics
    /// If there are several cores and [`Steered::attach`] was not called: frames of this core would be slept over.
    fn prepare_wait(&mut self) -> bool {
        assert!(self.mail.cores() == 1 || self.mail.is_attached(), "Steered::attach was not called");
        self.mail.is_empty() && self.inner.prepare_wait()
    }

    fn kernel_entries(&self) -> u64 {
        self.inner.kernel_entries()
    }

    fn report(&self, each: &mut dyn FnMut(&'static str, u64)) {
        each("handed_over", self.counters.handed_over);
        each("taken_over", self.counters.taken_over);
        each("handing_over_dropped", self.counters.dropped);
        self.inner.report(each);
    }
}

#[cfg(test)]
mod tests;
