//! One direction of a simulated wire.

use std::time::Duration;

use crate::time::Instant;

/// What a link does to frames. Probabilities are from 0 to 1, per frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkConfig {
    /// Propagation delay.
    pub delay: Duration,
    /// Up to this much is added to the delay, at random. By itself it does not reorder.
    pub jitter: Duration,
    /// The frame is lost.
    pub loss: f64,
    /// The frame comes twice.
    pub duplicate: f64,
    /// The frame is held up by [`LinkConfig::reorder_by`] and overtaken.
    pub reorder: f64,
    /// How long a frame is held up at most; also, how much later a duplicate comes.
    pub reorder_by: Duration,
    /// One bit is flipped, where no frame check sequence sees it: in the packet, not in the Ethernet header.
    pub corrupt: f64,
    /// Bandwidth in bits per second; `None` = no limit.
    pub bits_per_second: Option<u64>,
    /// Bytes that may wait for the bandwidth; frames beyond that are lost.
    pub queue_bytes: u64,
}

impl Default for LinkConfig {
    /// A perfect link with a delay of 1 ms.
    fn default() -> Self {
        LinkConfig {
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_by: Duration::from_millis(5),
            corrupt: 0.0,
            bits_per_second: None,
            queue_bytes: 256 * 1024,
        }
    }
}

impl LinkConfig {
    /// Whether every frame arrives, once, whole and in order.
    pub fn is_clean(&self) -> bool {
        self.loss == 0.0
            && self.duplicate == 0.0
            && self.reorder == 0.0
            && self.corrupt == 0.0
            && self.bits_per_second.is_none()
    }
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will arrive, then.
    Arrives(Instant),
    /// It will arrive with a flipped bit.
    Corrupted(Instant),
    /// It will arrive again.
    Duplicate(Instant),
    /// It will arrive after others that were sent later.
    Late(Instant),
    /// It is lost.
    Lost,
    /// It is lost because the queue was full.
    QueueFull,
}

impl Fate {
    /// When the frame arrives, if it does.
    pub fn arrival(self) -> Option<Instant> {
        match self {
            Fate::Arrives(at) | Fate::Corrupted(at) | Fate::Duplicate(at) | Fate::Late(at) => Some(at),
            Fate::Lost | Fate::QueueFull => None,
        }
    }
}

/// One direction of a wire: decides when frames arrive, and which do.
#[derive(Debug)]
pub struct Link {
    config: LinkConfig,
    rng: fastrand::Rng,
    /// When the last frame has been put on the wire.
    busy_until: Instant,
    /// When the last frame that is in order arrives.
    last: Instant,
}

impl Link {
    /// An idle link whose faults are drawn from `seed`.
    pub fn new(config: LinkConfig, seed: u64) -> Link {
        Link { config, rng: fastrand::Rng::with_seed(seed), busy_until: Instant::ZERO, last: Instant::ZERO }
    }

    /// Other settings from now on.
    pub fn configure(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// The settings.
    pub fn config(&self) -> &LinkConfig {
        &self.config
    }

    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.f64() < probability
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(if most == 0 { 0 } else { self.rng.u64(..most) })
    }

    /// A frame is sent at `now`: what becomes of it, and of a duplicate if there is one. The frame may be changed.
    pub fn send(&mut self, now: Instant, frame: &mut [u8]) -> (Fate, Option<Fate>) {
        if self.happens(self.config.loss) {
            return (Fate::Lost, None);
        }
        let Some(sent) = self.serialise(now, frame.len()) else { return (Fate::QueueFull, None) };
        let mut arrival = sent + self.config.delay + self.up_to(self.config.jitter);
        let corrupted = self.happens(self.config.corrupt);
        if corrupted && !self.flip(frame) {
            return (Fate::Lost, None);
        }
        let late = self.happens(self.config.reorder);
        if late {
            arrival += self.up_to(self.config.reorder_by);
        } else {
            arrival = arrival.max(self.last);
            self.last = arrival;
        }
        let twin = self.happens(self.config.duplicate).then(|| arrival + self.up_to(self.config.reorder_by));
        let fate = match (corrupted, late) {
            (true, _) => Fate::Corrupted(arrival),
            (false, true) => Fate::Late(arrival),
            (false, false) => Fate::Arrives(arrival),
        };
        (fate, twin.map(Fate::Duplicate))
    }

    /// When the frame has left, given the bandwidth; `None` if the queue is full.
    fn serialise(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let Some(rate) = self.config.bits_per_second else { return Some(now) };
        let nanos = |bytes: u64| Duration::from_nanos(bytes * 8 * 1_000_000_000 / rate.max(1));
        if self.busy_until.since(now) > nanos(self.config.queue_bytes) {
            return None;
        }
        self.busy_until = self.busy_until.max(now) + nanos(len as u64);
        Some(self.busy_until)
    }

    /// Flips a bit of an IPv4 packet. Damage elsewhere is what a frame check sequence finds: `false`.
    fn flip(&mut self, frame: &mut [u8]) -> bool {
        const HEADER: usize = ferroflow_wire::ethernet::HEADER_LEN;
        if frame.len() <= HEADER || frame[12..14] != [8, 0] {
            return false;
        }
        let bit = self.rng.usize(HEADER * 8..frame.len() * 8);
        frame[bit / 8] ^= 1 << (bit % 8);
        true
    }
}
