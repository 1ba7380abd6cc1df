//! Which MAC address a neighbour has: the ARP cache (RFC 826, RFC 1122 2.3.2, RFC 5227 for conflicts).
//!
//! Pure: packets, addresses and time come in, packets to send and connections to try again come out.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::{ArpOperation, ArpPacket};
use foldhash::fast::FixedState;

use crate::time::Instant;
use crate::timer::Wheel;

mod lru;

use lru::{Lru, NIL};

/// Limits and times of the cache.
#[derive(Debug, Clone, Copy)]
pub struct NeighborConfig {
    /// Our own MAC address.
    pub mac: MacAddr,
    /// Our own IPv4 address.
    pub address: Ipv4Addr,
    /// Length of our network's prefix, 0 to 32: only addresses in it are neighbours.
    pub prefix_len: u8,
    /// A neighbour that is never evicted: the router.
    pub gateway: Option<Ipv4Addr>,
    /// Most entries.
    pub capacity: usize,
    /// How long an address is trusted without a sign of life (RFC 1122 2.3.2.1: "on the order of a minute").
    pub reachable: Duration,
    /// Time between two requests for one address (RFC 1122 2.3.2.1: at most one a second).
    pub retry: Duration,
    /// Requests without an answer before the neighbour counts as unreachable.
    pub tries: u8,
    /// Most connections that wait for one address.
    pub pending_per_entry: usize,
    /// Most connections that wait for any address.
    pub pending: usize,
}

impl NeighborConfig {
    /// The defaults: 1024 entries, 60 s, three requests a second apart, 4096 waiting connections each and 16384 in all.
    pub fn new(mac: MacAddr, address: Ipv4Addr, prefix_len: u8, gateway: Option<Ipv4Addr>) -> NeighborConfig {
        NeighborConfig {
            mac,
            address,
            prefix_len,
            gateway,
            capacity: 1024,
            reachable: Duration::from_secs(60),
            retry: Duration::from_secs(1),
            tries: 3,
            pending_per_entry: 4096,
            pending: 16_384,
        }
    }
}

/// The answer of [`Neighbors::resolve`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolve {
    /// Send to this address.
    Known(MacAddr),
    /// Not known yet. [`Neighbors::wait`] tells when it is.
    Wait {
        /// A request has to be broadcast now; the repetitions come from [`Neighbors::poll`].
        send_request: bool,
    },
    /// Nobody answered, or the address is none that a neighbour can have.
    Unreachable,
}

/// What [`Neighbors::poll`] asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Send a request for `target`: to everyone, or only to the address it had (RFC 1122 2.3.2.1 (2), unicast poll).
    Request {
        /// The address asked for.
        target: Ipv4Addr,
        /// The frame's destination.
        to: MacAddr,
    },
    /// Nobody answered for `target`, and these connections wait for it.
    Unreachable {
        /// The address asked for.
        target: Ipv4Addr,
        /// As given to [`Neighbors::wait`].
        waiting: Vec<u32>,
    },
}

/// What follows from a received ARP packet.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ArpOutcome {
    /// To send: to its target MAC address, or to everyone if that is zero.
    pub reply: Option<ArpPacket>,
    /// Connections that can go on now, as given to [`Neighbors::wait`].
    pub ready: Vec<u32>,
}

/// What the cache has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NeighborCounters {
    /// Requests asked for, repetitions included.
    pub requests: u64,
    /// Replies given.
    pub replies: u64,
    /// Addresses learnt for the first time or anew.
    pub learned: u64,
    /// Neighbours that changed their MAC address.
    pub moved: u64,
    /// Claims not believed: group, zero or foreign addresses.
    pub refused: u64,
    /// Others that claim our own IPv4 address.
    pub conflicts: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Addresses not entered because the table was full of unanswered requests.
    pub full: u64,
    /// Connections not queued because too many waited.
    pub pending_full: u64,
    /// Neighbours that did not answer.
    pub unreachable: u64,
}

impl NeighborCounters {
    /// Name and value of each counter.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("arp_requests", self.requests),
            ("arp_replies", self.replies),
            ("arp_learned", self.learned),
            ("arp_moved", self.moved),
            ("arp_refused", self.refused),
            ("arp_conflicts", self.conflicts),
            ("arp_evicted", self.evicted),
            ("arp_full", self.full),
            ("arp_pending_full", self.pending_full),
            ("arp_unreachable", self.unreachable),
        ]
        .into_iter()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Asked, no answer yet; `tries` requests are out.
    Incomplete { tries: u8 },
    /// Known, and trusted until then; after that it is stale: still used, but probed at the next use.
    Reachable { until: Instant },
    /// Stale and in use: asked again, directly.
    Probe { tries: u8 },
    /// Nobody answered; not asked again before then.
    Failed { until: Instant },
}

#[derive(Debug)]
struct Entry {
    ip: Ipv4Addr,
    mac: MacAddr,
    state: State,
    /// No request before then (RFC 1122 2.3.2.1: at most one a second).
    quiet_until: Instant,
    /// Tells the timers of this use of the slot from those of another.
    generation: u32,
    waiting: Vec<u32>,
}

/// How often an address conflict is answered at most (RFC 5227 2.4 (b), DEFEND_INTERVAL).
const DEFEND_INTERVAL: Duration = Duration::from_secs(10);

/// Signs of life closer together than this are not written down: packets of a busy neighbour cost a look-up only.
const REFRESH: Duration = Duration::from_secs(1);

/// The ARP cache of one core.
///
/// Entries are found by hash, evicted in the order of their last sign of life, and timed by a [`Wheel`]: no
/// operation but [`Neighbors::poll`] costs more with more entries.
#[derive(Debug)]
pub struct Neighbors {
    config: NeighborConfig,
    slots: Vec<Entry>,
    by_ip: HashMap<Ipv4Addr, u32, FixedState>,
    /// Entries that may be evicted: neither unanswered requests nor the gateway.
    lru: Lru,
    timers: Wheel,
    due: Vec<(u32, u32)>,
    pending: usize,
    generation: u32,
    defended: Option<Instant>,
    counters: NeighborCounters,
}

impl Neighbors {
    /// An empty cache. `seed` is entropy: it hides where an address hashes to.
    pub fn new(config: NeighborConfig, seed: u64) -> Neighbors {
        Neighbors {
            config: NeighborConfig { capacity: config.capacity.max(1), ..config },
            slots: Vec::new(),
            by_ip: HashMap::with_hasher(FixedState::with_seed(seed)),
            lru: Lru::default(),
            timers: Wheel::new(),
            due: Vec::new(),
            pending: 0,
            generation: 0,
            defended: None,
            counters: NeighborCounters::default(),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.by_ip.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.by_ip.is_empty()
    }

    /// How many connections wait.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// What happened so far.
    pub fn counters(&self) -> &NeighborCounters {
        &self.counters
    }

    /// Every known neighbour and its MAC address, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, MacAddr)> {
        let entries = self.by_ip.values().map(|&slot| &self.slots[slot as usize]);
        entries.filter(|entry| entry.mac != MacAddr::ZERO).map(|entry| (entry.ip, entry.mac))
    }

    /// Whether an address can be a neighbour's: a unicast address of our network that is not ours.
    pub fn is_neighbor(&self, ip: Ipv4Addr) -> bool {
        let mask = mask(self.config.prefix_len);
        let (own, other) = (u32::from(self.config.address), u32::from(ip));
        // RFC 3021: a /31 has neither network nor broadcast address.
        let host = self.config.prefix_len >= 31 || (other & !mask != 0 && other | mask != u32::MAX);
        own & mask == other & mask && own != other && host && !ip.is_multicast() && !ip.is_unspecified()
    }

    /// Where to send a frame for `ip`.
    #[inline]
    pub fn resolve(&mut self, ip: Ipv4Addr, now: Instant) -> Resolve {
        let Some(&slot) = self.by_ip.get(&ip) else { return self.start(ip, now) };
        let entry = &mut self.slots[slot as usize];
        match entry.state {
            State::Reachable { until } if now < until => Resolve::Known(entry.mac),
            State::Reachable { .. } => {
                // The probes themselves come from `poll`; until they have failed, the old address is used.
                entry.state = State::Probe { tries: 0 };
                self.timers.schedule(slot, entry.generation, now.max(entry.quiet_until));
                Resolve::Known(entry.mac)
            }
            State::Probe { .. } => Resolve::Known(entry.mac),
            State::Incomplete { .. } => Resolve::Wait { send_request: false },
            State::Failed { until } if now < until => Resolve::Unreachable,
            State::Failed { .. } => {
                self.lru.remove(slot);
                self.ask(slot, now)
            }
        }
    }

    #[cold]
    fn start(&mut self, ip: Ipv4Addr, now: Instant) -> Resolve {
        if !self.is_neighbor(ip) {
            return Resolve::Unreachable;
        }
        match self.insert(ip) {
            Some(slot) => self.ask(slot, now),
            None => Resolve::Wait { send_request: false },
        }
    }

    fn ask(&mut self, slot: u32, now: Instant) -> Resolve {
        let entry = &mut self.slots[slot as usize];
        entry.state = State::Incomplete { tries: 1 };
        entry.quiet_until = now + self.config.retry;
        self.timers.schedule(slot, entry.generation, entry.quiet_until);
        self.counters.requests += 1;
        Resolve::Wait { send_request: true }
    }

    /// Remembers that connection `conn` waits for `ip`, after [`Resolve::Wait`]. It comes back once, from
    /// [`Neighbors::arp`], [`Neighbors::confirm`] or [`Neighbors::poll`], by which time the connection may be another.
    /// `false`: too many wait, or there is no request for `ip`; the connection's own timer has to try again.
    pub fn wait(&mut self, ip: Ipv4Addr, conn: u32) -> bool {
        let Some(&slot) = self.by_ip.get(&ip) else { return false };
        let entry = &mut self.slots[slot as usize];
        if !matches!(entry.state, State::Incomplete { .. }) {
            return false;
        }
        if entry.waiting.last() == Some(&conn) {
            return true;
        }
        if entry.waiting.len() >= self.config.pending_per_entry || self.pending >= self.config.pending {
            self.counters.pending_full += 1;
            return false;
        }
        entry.waiting.push(conn);
        self.pending += 1;
        true
    }

    /// A received ARP packet, sent to us or to everyone.
    pub fn arp(&mut self, packet: &ArpPacket, now: Instant) -> ArpOutcome {
        let to_us = packet.target_ip == self.config.address;
        let mut out = ArpOutcome::default();
        if packet.sender_ip == self.config.address {
            out.reply = self.conflict(packet, now);
            return out;
        }
        // RFC 5227 1.1: a probe has no sender address and must not be learnt from.
        if !packet.sender_ip.is_unspecified() {
            // RFC 826, packet reception: update what is known from any packet (the merge flag), enter what is new only
            // if the packet is for us. So a gratuitous ARP updates and never fills the table.
            out.ready = self.learned(packet.sender_ip, packet.sender_mac, to_us, now);
        }
        if to_us && packet.operation == ArpOperation::REQUEST && packet.sender_mac.is_unicast() {
            self.counters.replies += 1;
            out.reply = Some(ArpPacket::reply_to(packet, self.config.mac));
        }
        out
    }

    /// Somebody uses our address. RFC 5227 2.4 (b): say so, but not more often than every 10 s.
    fn conflict(&mut self, packet: &ArpPacket, now: Instant) -> Option<ArpPacket> {
        if packet.sender_mac == self.config.mac {
            return None;
        }
        self.counters.conflicts += 1;
        if self.defended.is_some_and(|at| now.since(at) < DEFEND_INTERVAL) {
            return None;
        }
        self.defended = Some(now);
        Some(self.announcement())
    }

    /// The packet that tells everyone our address (RFC 5227 3).
    pub fn announcement(&self) -> ArpPacket {
        ArpPacket::request(self.config.mac, self.config.address, self.config.address)
    }

    /// The packet that asks for `target`.
    pub fn request(&self, target: Ipv4Addr) -> ArpPacket {
        ArpPacket::request(self.config.mac, self.config.address, target)
    }

    /// `ip` says it has `mac`. A new entry is made only if `create` is set. Returns the connections that waited.
    pub fn learned(&mut self, ip: Ipv4Addr, mac: MacAddr, create: bool, now: Instant) -> Vec<u32> {
        let known = self.by_ip.get(&ip).copied();
        if known.is_none() && !create {
            return Vec::new();
        }
        if !mac.is_unicast() || mac == self.config.mac || !self.is_neighbor(ip) {
            self.counters.refused += 1;
            return Vec::new();
        }
        let Some(slot) = known.or_else(|| self.insert(ip)) else { return Vec::new() };
        let entry = &mut self.slots[slot as usize];
        let usable = matches!(entry.state, State::Reachable { .. } | State::Probe { .. });
        if usable && entry.mac != mac {
            self.counters.moved += 1;
        }
        if !usable || entry.mac != mac {
            self.counters.learned += 1;
        }
        entry.mac = mac;
        entry.state = State::Reachable { until: now + self.config.reachable };
        self.touch(slot);
        self.release(slot)
    }

    /// Makes a slot the last to be evicted; the router's never is.
    fn touch(&mut self, slot: u32) {
        if self.config.gateway != Some(self.slots[slot as usize].ip) {
            self.lru.touch(slot);
        }
    }

    /// A valid IP packet came from `mac` with the source address `ip`, for us: a sign of life, and an address good enough
    /// to answer to when there is none yet. Returns the connections that waited.
    ///
    /// A packet does not change a known address (it may come through another router): that takes ARP, which is
    /// asked at the next use.
    #[inline]
    pub fn confirm(&mut self, ip: Ipv4Addr, mac: MacAddr, now: Instant) -> Vec<u32> {
        if let Some(&slot) = self.by_ip.get(&ip) {
            let entry = &mut self.slots[slot as usize];
            match &mut entry.state {
                State::Reachable { until } if entry.mac == mac => {
                    let fresh = now + self.config.reachable;
                    if fresh.since(*until) >= REFRESH {
                        *until = fresh;
                        self.touch(slot);
                    }
                    return Vec::new();
                }
                State::Reachable { until } => {
                    *until = now;
                    return Vec::new();
                }
                State::Probe { .. } if entry.mac != mac => return Vec::new(),
                _ => {}
            }
        }
        if self.is_neighbor(ip) { self.learned(ip, mac, true, now) } else { Vec::new() }
    }

    /// When [`Neighbors::poll`] has to be called; `None` = nothing waits.
    #[inline]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Requests that are due, and neighbours that did not answer.
    pub fn poll(&mut self, now: Instant, mut due: impl FnMut(Due)) {
        let mut fired = std::mem::take(&mut self.due);
        self.timers.advance(now, |slot, generation| fired.push((slot, generation)));
        for (slot, generation) in fired.drain(..) {
            if self.slots[slot as usize].generation == generation
                && let Some(what) = self.expire(slot, now)
            {
                due(what);
            }
        }
        self.due = fired;
    }

    fn expire(&mut self, slot: u32, now: Instant) -> Option<Due> {
        let entry = &mut self.slots[slot as usize];
        let (tries, to) = match &mut entry.state {
            State::Incomplete { tries } => (tries, MacAddr::BROADCAST),
            // It may have moved: ask the old address once, then everyone.
            State::Probe { tries } => {
                let to = if *tries == 0 { entry.mac } else { MacAddr::BROADCAST };
                (tries, to)
            }
            State::Reachable { .. } | State::Failed { .. } => return None,
        };
        if now < entry.quiet_until {
            // An entry of the wheel that was meant for a former state.
            self.timers.schedule(slot, entry.generation, entry.quiet_until);
            return None;
        }
        if *tries < self.config.tries {
            *tries += 1;
            entry.quiet_until = now + self.config.retry;
            self.timers.schedule(slot, entry.generation, entry.quiet_until);
            self.counters.requests += 1;
            return Some(Due::Request { target: entry.ip, to });
        }
        self.counters.unreachable += 1;
        entry.state = State::Failed { until: now + self.config.retry };
        entry.mac = MacAddr::ZERO;
        let target = entry.ip;
        self.touch(slot);
        Some(Due::Unreachable { target, waiting: self.release(slot) })
    }

    fn release(&mut self, slot: u32) -> Vec<u32> {
        let waiting = std::mem::take(&mut self.slots[slot as usize].waiting);
        self.pending -= waiting.len();
        waiting
    }

    /// A slot for `ip`, not in the order of eviction yet; the oldest entry makes room. `None`: all are unanswered requests.
    fn insert(&mut self, ip: Ipv4Addr) -> Option<u32> {
        let slot = if self.slots.len() < self.config.capacity {
            self.slots.push(Entry {
                ip,
                mac: MacAddr::ZERO,
                state: State::Incomplete { tries: 0 },
                quiet_until: Instant::ZERO,
                generation: 0,
                waiting: Vec::new(),
            });
            (self.slots.len() - 1) as u32
        } else {
            self.evict()?
        };
        self.generation = self.generation.wrapping_add(1);
        let entry = &mut self.slots[slot as usize];
        entry.ip = ip;
        entry.mac = MacAddr::ZERO;
        entry.state = State::Incomplete { tries: 0 };
        entry.quiet_until = Instant::ZERO;
        entry.generation = self.generation;
        self.by_ip.insert(ip, slot);
        Some(slot)
    }

    fn evict(&mut self) -> Option<u32> {
        let slot = self.lru.oldest();
        if slot == NIL {
            self.counters.full += 1;
            return None;
        }
        self.lru.remove(slot);
        self.by_ip.remove(&self.slots[slot as usize].ip);
        self.counters.evicted += 1;
        Some(slot)
    }
}

const fn mask(prefix_len: u8) -> u32 {
    match prefix_len {
        0 => 0,
        1..=32 => u32::MAX << (32 - prefix_len),
        _ => u32::MAX,
    }
}

#[cfg(test)]
mod tests;
