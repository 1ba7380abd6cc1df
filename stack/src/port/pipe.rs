//! A pipe between two stacks in one process: each end a card with several queues, possibly on threads of their own.
//!
//! Buffers are owned and move: from the sender's pool through a ring to the receiver, and home again through another. No
//! byte is copied and nothing is allocated once the pipe is made.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use ferroflow_wire::ethernet;
use rtrb::{Consumer, Producer, RingBuffer};

use super::{Burst, Caps, Csum, Frame, Interest, Meta, Port, PortError};
use crate::handshake::News;
use crate::steer::{self, Owner, Steer};

mod bell;

use bell::Bell;
pub use bell::Doorbell;

/// How a pipe is made.
#[derive(Debug, Clone, Copy)]
pub struct PipeConfig {
    /// Queues of the first and of the second end; each at least 1.
    pub queues: [u16; 2],
    /// Buffers of each queue. All may be under way to one queue of the other end.
    pub frames: usize,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// How an end spreads what it receives over its queues: by the cards' hash with this key, or, with `None`, queue
    /// `i` of one end to queue `i` of the other. Frames without a hash go the second way always.
    pub spread: Option<steer::Key>,
    /// TCP and UDP checksums are left out, memory being as reliable as it is.
    pub tx_csum: bool,
    /// Largest IPv4 packet of TCP that passes uncut although it is larger than the MTU ([`Caps::tx_gso`]); 0: none. Only
    /// with `tx_csum`.
    pub tx_gso: u32,
}

impl PipeConfig {
    /// `queues` at each end, 512 buffers each, an MTU of 1500 bytes, spread by hash, without checksums.
    pub const fn new(queues: u16) -> PipeConfig {
        PipeConfig {
            queues: [queues, queues],
            frames: 512,
            mtu: 1500,
            spread: Some(steer::DEFAULT_KEY),
            tx_csum: true,
            tx_gso: 0,
        }
    }

    /// What a port of such a pipe says of segments that it does not cut, but passes as they are.
    const fn large(&self) -> u32 {
        if self.tx_csum { self.tx_gso } else { 0 }
    }
}

/// What a port has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PipeCounters {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames sent to a queue that exists no more.
    pub tx_dropped: u64,
    /// Frames that had to wait because the ring was full.
    pub tx_full: u64,
    /// Frames that were asked for when there was no buffer.
    pub no_buffer: u64,
}

/// A buffer, and the port whose pool it belongs to.
#[derive(Debug)]
struct Buffer {
    data: Box<[u8]>,
    home: u16,
}

/// A frame under way.
#[derive(Debug)]
struct Packet {
    buffer: Buffer,
    off: u32,
    len: u32,
    csum: Csum,
    gso_size: u16,
}

/// To and from one queue of the other end.
#[derive(Debug)]
struct Link {
    bell: Arc<Bell>,
    to: Producer<Packet>,
    from: Consumer<Packet>,
    /// Frames for `to`, until all of a burst are known.
    staged: Vec<Packet>,
    /// Since the last sync: frames were sent to it / room was made for it.
    sent: bool,
    made_room: bool,
    /// Since the last sleep: `to` was found full.
    full: bool,
}

/// Where buffers of another port go home to, and where ours come home from.
#[derive(Debug)]
struct Way {
    bell: Arc<Bell>,
    to: Producer<Buffer>,
    from: Consumer<Buffer>,
    /// Buffers for `to`, until the next sync.
    staged: Vec<Buffer>,
    /// Since the last sync: buffers went home.
    made_room: bool,
}

/// Buffers of frames that the instance holds, by [`Frame::idx`].
#[derive(Debug, Default)]
struct Slots {
    buffers: Vec<Option<Buffer>>,
    vacant: Vec<u32>,
}

impl Slots {
    fn held(&self) -> usize {
        self.buffers.len() - self.vacant.len()
    }

    fn put(&mut self, buffer: Buffer) -> u32 {
        match self.vacant.pop() {
            Some(idx) => {
                self.buffers[idx as usize] = Some(buffer);
                idx
            }
            None => {
                self.buffers.push(Some(buffer));
                (self.buffers.len() - 1) as u32
            }
        }
    }

    fn take(&mut self, idx: u32) -> Buffer {
        let buffer = self.buffers[idx as usize].take().expect("a frame is sent or released once");
        self.vacant.push(idx);
        buffer
    }
}

/// One queue of one end of a pipe.
#[derive(Debug)]
pub struct PipePort {
    /// Its number among the queues of both ends.
    number: u16,
    queue: u16,
    mtu: u32,
    tx_csum: bool,
    tx_gso: u32,
    frames: usize,
    buffer_len: usize,
    /// The queue of the other end that takes a frame, as that end's card would choose it.
    steer: Steer,
    bell: Arc<Bell>,
    /// The other end's queues, in order.
    links: Vec<Link>,
    /// All other ports, by number; `None` for this one.
    ways: Vec<Option<Way>>,
    /// Our buffers that are here and unused.
    pool: Vec<Box<[u8]>>,
    slots: Slots,
    /// Which link is asked first in the next `rx`.
    first: usize,
    /// Since the last sleep: there was no buffer for a frame.
    short: bool,
    asleep: bool,
    counters: PipeCounters,
}

/// Both ends of a new pipe, queue by queue.
///
/// # Panics
/// If a number of queues is 0, the MTU less than 68 (RFC 791 3.2) or more than 65535, or `tx_gso` more than that.
pub fn pair(config: PipeConfig) -> (Vec<PipePort>, Vec<PipePort>) {
    let [first, second] = config.queues;
    assert!(first > 0 && second > 0, "an end needs a queue");
    assert!((68..=65_535).contains(&config.mtu), "MTU {}", config.mtu);
    assert!(config.tx_gso <= 65_535, "packets of {} bytes", config.tx_gso);
    let all = usize::from(first) + usize::from(second);
    let bells: Vec<Arc<Bell>> = (0..all).map(|_| Arc::default()).collect();
    let mut ports: Vec<PipePort> = (0..all)
        .map(|number| {
            let (queue, peers) = if number < usize::from(first) {
                (number, second)
            } else {
                (number - usize::from(first), first)
            };
            PipePort::new(&config, number as u16, queue as u16, peers, Arc::clone(&bells[number]))
        })
        .collect();
    wire(&mut ports, &bells, usize::from(first), config.frames);
    let ends = ports.split_off(usize::from(first));
    (ports, ends)
}

/// Joins every two ports: buffers go home between all of them, frames only between the ends.
fn wire(ports: &mut [PipePort], bells: &[Arc<Bell>], first: usize, frames: usize) {
    let all = ports.len();
    // A ring home never fills: it holds all that its reader owns. A frame ring holds all that its writer can have.
    for a in 0..all {
        for b in 0..all {
            if a == b {
                ports[a].ways.push(None);
            } else if a < b {
                let (to_b, from_a) = RingBuffer::new(frames);
                let (to_a, from_b) = RingBuffer::new(frames);
                let (bell_a, bell_b) = (Arc::clone(&bells[a]), Arc::clone(&bells[b]));
                ports[a].ways.push(Some(Way {
                    bell: bell_b,
                    to: to_b,
                    from: from_b,
                    staged: Vec::new(),
                    made_room: false,
                }));
                ports[b].ways.push(Some(Way {
                    bell: bell_a,
                    to: to_a,
                    from: from_a,
                    staged: Vec::new(),
                    made_room: false,
                }));
            }
        }
    }
    for a in 0..first {
        for b in first..all {
            let (to_b, from_a) = RingBuffer::new(frames);
            let (to_a, from_b) = RingBuffer::new(frames);
            ports[a].links.push(Link::new(&bells[b], to_b, from_b));
            ports[b].links.push(Link::new(&bells[a], to_a, from_a));
        }
    }
}

impl Link {
    fn new(bell: &Arc<Bell>, to: Producer<Packet>, from: Consumer<Packet>) -> Link {
        Link {
            bell: Arc::clone(bell),
            to,
            from,
            staged: Vec::new(),
            sent: false,
            made_room: false,
            full: false,
        }
    }

    fn flush(&mut self) {
        let n = self.staged.len();
        if n > 0 {
            self.sent = true;
            let chunk = self.to.write_chunk_uninit(n).expect("room was counted before staging");
            chunk.fill_from_iter(self.staged.drain(..));
        }
    }
}

impl PipePort {
    fn new(config: &PipeConfig, number: u16, queue: u16, peers: u16, bell: Arc<Bell>) -> PipePort {
        let core = queue % peers;
        let steer = match &config.spread {
            Some(key) => Steer::with_key(core, peers, key),
            None => Steer::single(),
        };
        let packet = config.mtu.max(config.large()) as usize;
        let buffer_len = packet + ethernet::HEADER_LEN + ethernet::TAG_LEN;
        PipePort {
            number,
            queue,
            mtu: config.mtu,
            tx_csum: config.tx_csum,
            tx_gso: config.large(),
            frames: config.frames,
            buffer_len,
            steer,
            bell,
            links: Vec::with_capacity(usize::from(peers)),
            ways: Vec::new(),
            pool: (0..config.frames).map(|_| vec![0; buffer_len].into_boxed_slice()).collect(),
            slots: Slots::default(),
            first: 0,
            short: false,
            asleep: false,
            counters: PipeCounters::default(),
        }
    }

    /// What happened so far.
    pub fn counters(&self) -> &PipeCounters {
        &self.counters
    }

    /// What the other end rings, if this port's owner sleeps. To be set once, before the first
    /// [`Port::prepare_wait`]; without it [`Port::wait`] gives `None`.
    ///
    /// # Panics
    /// If there is one already.
    pub fn set_doorbell(&mut self, doorbell: Arc<dyn Doorbell>) {
        self.bell.set(doorbell);
    }

    /// Frames that the instance holds: received or allocated, and neither sent nor released.
    pub fn held(&self) -> usize {
        self.slots.held()
    }

    /// How many of this port's buffers are at home.
    pub fn at_home(&mut self) -> usize {
        self.collect();
        self.pool.len()
    }

    /// Whether every queue of the other end is gone.
    pub fn is_abandoned(&self) -> bool {
        self.links.iter().all(|link| link.to.is_abandoned())
    }

    /// Sends a buffer home.
    fn give_back(&mut self, buffer: Buffer) {
        match &mut self.ways[usize::from(buffer.home)] {
            Some(way) => way.staged.push(buffer),
            // More than there were only after a queue of the other end took some away (see `replace`).
            None if self.pool.len() < self.frames => self.pool.push(buffer.data),
            None => {}
        }
    }

    /// Fetches our buffers that others are done with.
    fn collect(&mut self) {
        for way in self.ways.iter_mut().flatten() {
            let n = way.from.slots();
            if let Ok(chunk) = way.from.read_chunk(n) {
                let room = self.frames - self.pool.len();
                self.pool.extend(chunk.into_iter().map(|buffer| buffer.data).take(room));
            }
        }
    }

    /// A new buffer in place of one that a queue of the other end had when it went away.
    #[cold]
    fn replace(&self) -> Option<Box<[u8]>> {
        let gone = self.links.iter().any(|link| link.to.is_abandoned());
        (gone && self.held() < self.frames).then(|| vec![0; self.buffer_len].into_boxed_slice())
    }

    fn buffer(&self, frame: &Frame) -> &Buffer {
        self.slots.buffers[frame.idx as usize].as_ref().expect("the frame is held")
    }

    /// The queue of the other end that gets a frame.
    fn destination(&self, frame: &Frame) -> usize {
        match self.steer.owner(self.bytes(frame)) {
            Owner::Core(core) => usize::from(core),
            Owner::Here | Owner::All => usize::from(self.queue) % self.links.len(),
        }
    }

    /// Whether something has arrived, or what was wanting to send is there again.
    fn has_news(&self) -> bool {
        let buffers = || !self.pool.is_empty() || self.ways.iter().flatten().any(|way| !way.from.is_empty());
        self.links.iter().any(|link| !link.from.is_empty() || (link.full && !link.to.is_full()))
            || (self.short && buffers())
    }
}

impl Port for PipePort {
    fn caps(&self) -> Caps {
        Caps {
            mtu: self.mtu,
            reply_in_place: true,
            tx_csum: self.tx_csum,
            tx_gso: self.tx_gso,
            queue: self.queue,
        }
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        if self.asleep {
            self.asleep = false;
            self.bell.wake_up();
        }
        let before = into.len();
        for i in 0..self.links.len() {
            let at = (self.first + i) % self.links.len();
            let link = &mut self.links[at];
            let n = link.from.slots().min(into.room());
            let Ok(chunk) = link.from.read_chunk(n) else { continue };
            link.made_room |= n > 0;
            for Packet { buffer, off, len, csum, gso_size } in chunk {
                self.counters.rx_bytes += u64::from(len);
                // Nobody completes a partial checksum on the way, and nothing can have changed what it covers.
                let csum = if csum == Csum::Unknown { Csum::Unknown } else { Csum::Verified };
                let meta = Meta { csum, gso_size, ..Meta::default() };
                let frame = Frame { port: 0, idx: self.slots.put(buffer), off, len, meta };
                into.push(frame).expect("room was counted");
            }
        }
        self.first = (self.first + 1) % self.links.len();
        let n = into.len() - before;
        self.counters.rx_frames += n as u64;
        n
    }

    fn bytes(&self, frame: &Frame) -> &[u8] {
        &self.buffer(frame).data[frame.off as usize..][..frame.len as usize]
    }

    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        let buffer = self.slots.buffers[frame.idx as usize].as_mut().expect("the frame is held");
        &mut buffer.data[frame.off as usize..][..frame.len as usize]
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.buffer_len {
            return None;
        }
        if self.pool.is_empty() {
            self.collect();
        }
        let Some(data) = self.pool.pop().or_else(|| self.replace()) else {
            self.short = true;
            self.counters.no_buffer += 1;
            return None;
        };
        let idx = self.slots.put(Buffer { data, home: self.number });
        Some(Frame { port: 0, idx, off: 0, len: len as u32, meta: Meta::default() })
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut taken = 0;
        while let Some(frame) = from.front() {
            let to = self.destination(frame);
            let link = &mut self.links[to];
            if link.to.is_abandoned() {
                self.counters.tx_dropped += 1;
                let frame = from.pop().expect("it was looked at");
                self.release(frame);
                taken += 1;
                continue;
            }
            if link.staged.len() >= link.to.cached_slots() && link.staged.len() >= link.to.slots() {
                link.full = true;
                self.counters.tx_full += 1;
                break;
            }
            let frame = from.pop().expect("it was looked at");
            let buffer = self.slots.take(frame.idx);
            self.counters.tx_frames += 1;
            self.counters.tx_bytes += u64::from(frame.len);
            self.links[to].staged.push(Packet {
                buffer,
                off: frame.off,
                len: frame.len,
                csum: frame.meta.csum,
                gso_size: frame.meta.gso_size,
            });
            taken += 1;
        }
        for link in &mut self.links {
            link.flush();
        }
        taken
    }

    fn release(&mut self, frame: Frame) {
        let buffer = self.slots.take(frame.idx);
        self.give_back(buffer);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        let mut news = false;
        for way in self.ways.iter_mut().flatten().filter(|way| !way.staged.is_empty()) {
            news = true;
            let n = way.staged.len().min(way.to.slots());
            if let Ok(chunk) = way.to.write_chunk_uninit(n) {
                chunk.fill_from_iter(way.staged.drain(..n));
            }
            // What is left had been replaced: its owner has as many as it may.
            way.staged.clear();
            way.made_room = true;
        }
        news |= self.links.iter().any(|link| link.sent || link.made_room);
        if !news {
            return Ok(());
        }
        Bell::before_news();
        for link in &mut self.links {
            if std::mem::take(&mut link.sent) {
                link.bell.news(News::Frames);
            }
            if std::mem::take(&mut link.made_room) {
                link.bell.news(News::Room);
            }
        }
        for way in self.ways.iter_mut().flatten() {
            if std::mem::take(&mut way.made_room) {
                way.bell.news(News::Room);
            }
        }
        Ok(())
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        Some((self.bell.doorbell()?.fd(), Interest::Readable))
    }

    fn prepare_wait(&mut self) -> bool {
        self.bell.sleep(self.short || self.links.iter().any(|link| link.full));
        self.asleep = !self.has_news();
        self.short = false;
        for link in &mut self.links {
            link.full = false;
        }
        if !self.asleep {
            self.bell.wake_up();
        }
        self.asleep
    }
}

impl Drop for PipePort {
    /// Buffers of other ports go home as far as possible; what is sent to this port from now on is dropped there.
    fn drop(&mut self) {
        for at in 0..self.links.len() {
            while let Ok(packet) = self.links[at].from.pop() {
                self.give_back(packet.buffer);
            }
        }
        for buffer in std::mem::take(&mut self.slots.buffers).into_iter().flatten() {
            self.give_back(buffer);
        }
        let _ = self.sync();
    }
}

#[cfg(test)]
mod tests;
