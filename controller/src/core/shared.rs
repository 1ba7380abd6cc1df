//! What a core's sessions and apps have in common, apart from each other.

use std::collections::VecDeque;
use std::sync::Arc;

use ferroflow_stack::Instant;

use super::directory::Directory;
use super::mail::Letter;
use crate::app::{Event, Queued, Routed};
use crate::config::Config;
use crate::counters::Counters;

/// The most events that may wait for their app. Reading stops for delivery long before.
const MAX_QUEUED: usize = 1024;

/// What is fixed about an app.
#[derive(Debug, Clone)]
pub(crate) struct AppMeta {
    pub name: &'static str,
    /// The top 16 bits of its cookies.
    pub id: u16,
    /// What is added to its priorities.
    pub base: u16,
    /// The highest priority within its band.
    pub top: u16,
}

/// A command on its way out of a callback.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub slot: u8,
    /// The core whose app it is from; its end is reported there.
    pub origin: usize,
    pub command: Routed,
}

/// One core's common state.
#[derive(Debug)]
pub(crate) struct Shared {
    pub now: Instant,
    pub core: usize,
    pub cores: usize,
    pub config: Arc<Config>,
    pub apps: Arc<[AppMeta]>,
    /// Several apps' flows must be told apart by memory where the version has no cookie filter.
    pub remember_v10: bool,
    /// Bands overlap: two apps can ask for the same flow.
    pub remember_all: bool,
    pub counters: Counters,
    pub directory: Directory,
    pub outbox: VecDeque<Outgoing>,
    pub queued: VecDeque<(u64, Queued)>,
    /// Mail that a callback caused, and the core it is for.
    pub letters: VecDeque<(usize, Letter)>,
    entropy: u64,
}

impl Shared {
    pub(crate) fn new(core: usize, cores: usize, config: Arc<Config>, apps: Arc<[AppMeta]>) -> Shared {
        let range = |a: &AppMeta| (u32::from(a.base) + 1, u32::from(a.base) + u32::from(a.top));
        let overlap = |a: &AppMeta, b: &AppMeta| range(a).0 <= range(b).1 && range(b).0 <= range(a).1;
        let remember_all = apps.iter().enumerate().any(|(i, a)| apps[..i].iter().any(|b| overlap(a, b)));
        Shared {
            now: Instant::ZERO,
            core,
            cores,
            config,
            remember_v10: apps.len() > 1,
            remember_all,
            apps,
            counters: Counters::default(),
            directory: Directory::default(),
            outbox: VecDeque::new(),
            queued: VecDeque::new(),
            letters: VecDeque::new(),
            entropy: 0,
        }
    }

    /// Takes the core's entropy, once it is known.
    pub(crate) fn seed(&mut self, entropy: u64) {
        self.entropy = entropy;
        let seed = self.random();
        self.directory = Directory::seeded(seed);
    }

    /// The next number of a SplitMix64 generator seeded by the core's entropy.
    pub(crate) fn random(&mut self) -> u64 {
        self.entropy = self.entropy.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.entropy ^ (self.entropy >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Something for an app to be told, about session `serial`, once its callback has returned.
    #[cold]
    pub(crate) fn queue(&mut self, serial: u64, what: Queued) {
        // A request's end is never dropped; its number is bounded by the requests.
        if matches!(what, Queued::Event { .. }) && self.queued.len() >= MAX_QUEUED {
            self.counters.events_dropped += 1;
            return;
        }
        self.queued.push_back((serial, what));
    }

    #[cold]
    pub(crate) fn event(&mut self, serial: u64, slot: u8, event: Event) {
        self.queue(serial, Queued::Event { slot, event });
    }

    /// Whether something waits that a callback left behind.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        !self.queued.is_empty() || !self.outbox.is_empty()
    }
}
