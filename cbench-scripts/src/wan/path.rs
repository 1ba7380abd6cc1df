//! One direction of the relay: frames in, the same frames out later, or never. No clock and no I/O.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::sim::{Fate, Link, LinkConfig};

/// Longest frame carried: an MTU of 1500 bytes, Ethernet's header and a VLAN tag.
pub const FRAME_MAX: usize = 1518;
/// Frames that a path has room for beside the data that fills it: acknowledgements are small and many.
const SPARE_FRAMES: usize = 4096;
const ETHERTYPE_ARP: [u8; 2] = [8, 6];

/// What became of the frames of one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathCounters {
    /// Frames that came in.
    pub frames: u64,
    /// Lost at random.
    pub lost: u64,
    /// Lost because the queue was full.
    pub queue_full: u64,
    /// Held up, so that later ones overtake them.
    pub late: u64,
    /// Delivered twice.
    pub duplicated: u64,
    /// Lost because this program had no room: the run says nothing about the stacks.
    pub no_room: u64,
}

/// A frame that has arrived.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// When it was due.
    pub due: Instant,
    /// Where it came from, as told to [`Path::push`].
    pub from: u8,
    /// Its bytes.
    pub bytes: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    /// Frames due at once leave in the order in which they came.
    number: u64,
    slot: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    len: u16,
    from: u8,
}

/// One direction of a long, narrow, lossy way. Its faults are a [`Link`]'s; this keeps the frames meanwhile, in memory
/// that is taken once.
#[derive(Debug)]
pub struct Path {
    link: Link,
    due: BinaryHeap<Reverse<Due>>,
    slots: Box<[Slot]>,
    bytes: Box<[u8]>,
    free: Vec<u32>,
    number: u64,
    counters: PathCounters,
}

impl Path {
    /// An empty path with the faults of `config`, drawn from `seed`.
    pub fn new(config: LinkConfig, seed: u64) -> Path {
        let slots = slots_for(&config);
        Path {
            link: Link::new(config, seed),
            due: BinaryHeap::with_capacity(slots),
            slots: vec![Slot::default(); slots].into_boxed_slice(),
            bytes: vec![0; slots * FRAME_MAX].into_boxed_slice(),
            free: (0..slots as u32).rev().collect(),
            number: 0,
            counters: PathCounters::default(),
        }
    }

    /// What happened so far.
    pub fn counters(&self) -> PathCounters {
        self.counters
    }

    /// When the next frame arrives.
    pub fn next(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse(due)| due.at)
    }

    /// A frame comes in at `now`. ARP passes without faults: it belongs to the cable at either end, not to the way between.
    pub fn push(&mut self, now: Instant, from: u8, frame: &[u8]) {
        self.counters.frames += 1;
        let Some(slot) = self.take(from, frame) else { return };
        if frame.get(12..14) == Some(&ETHERTYPE_ARP) {
            return self.arrives(slot, now + self.link.config().delay);
        }
        let (fate, twin) = self.link.send(now, &mut self.bytes[range(slot, frame.len())]);
        match fate {
            Fate::Lost => self.counters.lost += 1,
            Fate::QueueFull => self.counters.queue_full += 1,
            Fate::Late(_) => self.counters.late += 1,
            Fate::Arrives(_) | Fate::Corrupted(_) | Fate::Duplicate(_) => {}
        }
        match fate.arrival() {
            Some(at) => self.arrives(slot, at),
            None => self.free.push(slot),
        }
        if let Some(at) = twin.and_then(Fate::arrival) {
            self.counters.duplicated += 1;
            self.again(slot, at);
        }
    }

    /// The next frame that has arrived by `now`.
    pub fn pop(&mut self, now: Instant) -> Option<Arrived<'_>> {
        let Reverse(due) = *self.due.peek().filter(|Reverse(due)| due.at <= now)?;
        self.due.pop();
        // Its slot is free from here on; nothing can be put there as long as the frame is looked at.
        self.free.push(due.slot);
        let Slot { len, from } = self.slots[due.slot as usize];
        Some(Arrived { due: due.at, from, bytes: &self.bytes[range(due.slot, usize::from(len))] })
    }

    fn take(&mut self, from: u8, frame: &[u8]) -> Option<u32> {
        let slot = if frame.len() > FRAME_MAX { None } else { self.free.pop() };
        let Some(slot) = slot else {
            self.counters.no_room += 1;
            return None;
        };
        self.slots[slot as usize] = Slot { len: frame.len() as u16, from };
        self.bytes[range(slot, frame.len())].copy_from_slice(frame);
        Some(slot)
    }

    fn arrives(&mut self, slot: u32, at: Instant) {
        self.number += 1;
        self.due.push(Reverse(Due { at, number: self.number, slot }));
    }

    /// The frame in `slot` arrives a second time.
    fn again(&mut self, slot: u32, at: Instant) {
        let Some(copy) = self.free.pop() else {
            self.counters.no_room += 1;
            return;
        };
        let held = self.slots[slot as usize];
        self.slots[copy as usize] = held;
        let from = range(slot, usize::from(held.len));
        self.bytes.copy_within(from, range(copy, 0).start);
        self.arrives(copy, at);
    }
}

fn range(slot: u32, len: usize) -> std::ops::Range<usize> {
    let start = slot as usize * FRAME_MAX;
    start..start + len
}

/// Room for all that can be under way in frames of full size.
fn slots_for(config: &LinkConfig) -> usize {
    let rate = config.bits_per_second.unwrap_or(1_000_000_000);
    let seconds = (config.delay + config.jitter + config.reorder_by).as_secs_f64();
    let bytes = rate as f64 / 8.0 * seconds + config.queue_bytes as f64;
    (bytes / FRAME_MAX as f64) as usize + SPARE_FRAMES
}

/// The way between two ends, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    /// Bits per second, counted over Ethernet frames without preamble and check sequence.
    pub rate: u64,
    /// Round trip without queues.
    pub rtt: Duration,
    /// Probability of loss per frame, in each direction.
    pub loss: f64,
    /// Probability per frame of being held up.
    pub reorder: f64,
    /// Probability per frame of coming twice.
    pub duplicate: f64,
}

impl Way {
    /// Smallest queue.
    const QUEUE_MIN: u64 = 64 * 1024;

    /// A way without faults.
    pub const fn clean(rate: u64, rtt: Duration) -> Way {
        Way { rate, rtt, loss: 0.0, reorder: 0.0, duplicate: 0.0 }
    }

    /// One direction of it. The queue drops at its tail and holds one bandwidth-delay product, at least 64 KiB. A frame
    /// that is held up comes later by a random time of up to an eighth of the round trip, at least up to 1 ms.
    pub fn link(&self) -> LinkConfig {
        let product = (self.rate as f64 / 8.0 * self.rtt.as_secs_f64()) as u64;
        LinkConfig {
            delay: self.rtt / 2,
            loss: self.loss,
            reorder: self.reorder,
            reorder_by: (self.rtt / 8).max(Duration::from_millis(1)),
            duplicate: self.duplicate,
            bits_per_second: Some(self.rate),
            queue_bytes: product.max(Way::QUEUE_MIN),
            ..LinkConfig::default()
        }
    }
}

#[cfg(test)]
mod tests;
