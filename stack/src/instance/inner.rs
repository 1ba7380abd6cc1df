//! The state of an instance, without its port and its service.

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;

use ferroflow_wire::arp::ArpPacket;
use ferroflow_wire::ethernet::{EtherType, EthernetHeader};
use ferroflow_wire::{MacAddr, SeqNumber, arp, ethernet};

use super::limit::RateLimit;
use super::outbox::Outbox;
use crate::config::Config;
use crate::counters::Counters;
use crate::fragments::Fragments;
use crate::neighbor::{Due, NeighborConfig, Neighbors, Resolve};
use crate::net::Listen;
use crate::option::ConnOption;
use crate::path::PathMtus;
use crate::service::{CloseReason, ConnId};
use crate::tcp::isn::Secret;
use crate::tcp::table::{Key, Table};
use crate::tcp::tcb::{AckDue, State};
use crate::tcp::time_wait::TimeWait;
use crate::tcp::time_waits::TimeWaits;
use crate::time::Instant;
use crate::timer::Wheel;

/// What a key leads to: never to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A connection's slot.
    Conn(u32),
    /// A slot of [`TimeWaits`].
    TimeWait(u32),
}

/// A port that is listened on.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) at: Listen,
    /// Connections whose handshake is not complete.
    pub(super) half_open: u32,
    /// Whether handshakes may begin and end ([`crate::Net::set_accepting`]).
    pub(super) accepting: bool,
    /// When it last sent a SYN cookie.
    pub(super) cookie_sent: Option<Instant>,
    /// What its connections are to have.
    pub(super) options: Vec<ConnOption>,
}

impl Listener {
    /// The receive buffer that its options name.
    pub(super) fn recv_buffer(&self) -> Option<usize> {
        self.options.iter().find_map(|option| match option {
            ConnOption::RecvBuffer(size) => Some(*size),
            _ => None,
        })
    }
}

/// The connections of one instance and what they need: what a service sees as [`crate::Net`].
#[derive(Debug)]
pub struct Inner {
    pub(super) config: Config,
    pub(super) mtu: u32,
    pub(super) now: Instant,
    pub(super) rng: u64,
    pub(super) secret: Secret,
    pub(super) counters: Counters,
    pub(super) table: Table,
    pub(super) time_waits: TimeWaits,
    pub(super) listeners: HashMap<u16, Listener>,
    pub(super) wheel: Wheel,
    pub(super) fired: Vec<(u32, u32)>,
    pub(super) neighbors: Neighbors,
    pub(super) paths: PathMtus,
    pub(super) outbox: Outbox,
    pub(super) fragments: Fragments,
    /// Datagrams that became whole here and belong to another core.
    pub(super) elsewhere: Vec<(u16, Vec<u8>)>,
    /// Connections with something to send, in the order of their turn.
    pub(super) dirty: VecDeque<u32>,
    /// Connections whose unread bytes are to be offered again.
    pub(super) resumed: Vec<ConnId>,
    /// Connections whose end the service does not know yet.
    pub(super) ended: VecDeque<ConnId>,
    /// Resets, and ACKs from TIME_WAIT.
    pub(super) replies: RateLimit,
    pub(super) challenges: RateLimit,
    pub(super) icmp_errors: RateLimit,
}

/// Most listeners.
pub(super) const MAX_LISTENERS: usize = 1024;
/// Smallest MTU every IPv4 link has (RFC 791), and so the least we reckon with.
const MIN_MTU: u32 = 576;

impl Inner {
    pub(super) fn new(config: Config, mtu: u32) -> Inner {
        let mut drawn = 0;
        let mut draw = || {
            drawn += 1;
            Secret::derived(config.seed, drawn)
        };
        let secret = Secret::new(draw(), draw());
        let hash_seed = draw();
        let table = Table::new(config.tcp.max_conns, hash_seed);
        let neighbors = Neighbors::new(
            NeighborConfig::new(config.mac, config.address, config.prefix_len, config.gateway),
            draw(),
        );
        Inner {
            mtu: mtu.clamp(MIN_MTU, 65_535),
            now: Instant::ZERO,
            secret,
            counters: Counters::default(),
            table,
            time_waits: TimeWaits::new(config.tcp.max_time_wait, hash_seed),
            listeners: HashMap::new(),
            wheel: Wheel::new(),
            fired: Vec::new(),
            neighbors,
            paths: PathMtus::new(draw()),
            outbox: Outbox::default(),
            fragments: Fragments::new(config.fragments),
            elsewhere: Vec::new(),
            dirty: VecDeque::new(),
            resumed: Vec::new(),
            ended: VecDeque::new(),
            replies: RateLimit::per_second(config.tcp.replies_per_second, draw()),
            challenges: RateLimit::new(config.tcp.challenge_acks, config.tcp.challenge_period, draw()),
            icmp_errors: RateLimit::per_second(config.icmp_errors_per_second, draw()),
            rng: draw(),
            config,
        }
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn draw(&mut self) -> u64 {
        split_mix(&mut self.rng)
    }

    /// Our MSS: what fits the port in one packet (RFC 9293 3.7.1).
    pub(super) fn mss(&self) -> u16 {
        u16::try_from(self.mtu - 40).unwrap_or(u16::MAX)
    }

    /// Puts a connection in line for sending.
    #[inline]
    pub(super) fn mark_dirty(&mut self, index: u32) {
        if self.table.set_dirty(index) {
            self.dirty.push_back(index);
        }
    }

    /// Makes the timer wheel wake us for the connection's next deadline.
    #[inline]
    pub(super) fn rearm(&mut self, index: u32) {
        let id = self.table.id(index);
        if let Some(tcb) = self.table.at(index) {
            let at = tcb.deadline();
            if at < tcb.scheduled {
                tcb.scheduled = at;
                self.wheel.schedule(index, id.generation(), at);
            }
        }
    }

    /// The connection is over: it is found no more, and the service will be told.
    pub(super) fn finish(&mut self, index: u32, why: CloseReason) {
        let id = self.table.id(index);
        let Some(tcb) = self.table.at(index) else { return };
        if tcb.over.is_some() {
            return;
        }
        tcb.over = Some(why);
        let key = tcb.key;
        if let Some(port) = tcb.listener.take()
            && let Some(listener) = self.listeners.get_mut(&port)
        {
            listener.half_open -= 1;
        }
        self.table.forget_conn(&key, index);
        self.ended.push_back(id);
    }

    /// Who has the key.
    #[inline]
    pub(super) fn find(&self, key: &Key) -> Option<Entry> {
        let conn = self.table.find(key).map(Entry::Conn);
        conn.or_else(|| self.time_waits.find(key).map(Entry::TimeWait))
    }

    /// TIME_WAIT begins: the segments that still come are answered from what is kept here.
    pub(super) fn enter_time_wait(&mut self, index: u32) {
        let until = self.now + self.config.tcp.time_wait;
        let Some(tcb) = self.table.at(index) else { return };
        let entry = TimeWait::of(tcb, until);
        let ack_due = tcb.ack != AckDue::No;
        self.table.forget_conn(&entry.key, index);
        let evicted = self.time_waits.insert(&entry);
        self.counters.tcp_time_wait_evicted += u64::from(evicted.is_some());
        if ack_due {
            self.send_time_wait_ack(&entry);
        }
    }

    pub(super) fn expire_time_waits(&mut self) {
        while self.time_waits.expire(self.now).is_some() {}
    }

    /// An initial sequence number (RFC 6528), beyond `after` if an old connection used the same ports.
    pub(super) fn new_iss(&self, key: &crate::tcp::table::Key, after: Option<SeqNumber>) -> SeqNumber {
        let isn = self.secret.isn(key, self.now);
        match after {
            // RFC 9293 3.6.1 (MAY-2), RFC 6191 2
            Some(old) if !isn.gt(old) => old + (1 << 16),
            _ => isn,
        }
    }

    /// The neighbour that packets to `remote` go to.
    fn next_hop(&self, remote: Ipv4Addr) -> Ipv4Addr {
        match self.config.gateway {
            Some(gateway) if !self.neighbors.is_neighbor(remote) => gateway,
            _ => remote,
        }
    }

    /// Brings the cache's own counters among ours.
    pub(super) fn count_neighbors(&mut self) {
        let (all, cache) = (&mut self.counters, self.neighbors.counters());
        all.arp_conflicts = cache.conflicts;
        all.arp_refused = cache.refused;
        all.arp_evicted = cache.evicted;
        all.arp_full = cache.full;
        all.arp_pending_full = cache.pending_full;
    }

    /// Whether ARP can tell where packets to `remote` go; if not, they go to where its own come from.
    pub(super) fn is_resolvable(&self, remote: Ipv4Addr) -> bool {
        self.neighbors.is_neighbor(self.next_hop(remote))
    }

    /// The MAC address for a connection's frames; if it is not known yet, the connection waits for it.
    pub(super) fn resolve(&mut self, index: u32, remote: Ipv4Addr) -> Resolve {
        let hop = self.next_hop(remote);
        let answer = self.neighbors.resolve(hop, self.now);
        if let Resolve::Wait { send_request } = answer {
            if send_request {
                self.send_arp(self.neighbors.request(hop), MacAddr::BROADCAST);
            }
            self.neighbors.wait(hop, index);
        }
        answer
    }

    /// Tells the network our address (RFC 5227 3).
    pub(super) fn announce(&mut self) {
        self.send_arp(self.neighbors.announcement(), MacAddr::BROADCAST);
    }

    pub(super) fn send_arp(&mut self, packet: ArpPacket, to: MacAddr) {
        let header = EthernetHeader { dst: to, src: self.config.mac, vlan: None, ethertype: EtherType::ARP };
        let queued = self.outbox.push(ethernet::HEADER_LEN + arp::LEN, |buf| {
            let at = header.write(buf).unwrap_or(0);
            let _ = packet.write(&mut buf[at..]);
        });
        if packet.operation == arp::ArpOperation::REQUEST {
            self.counters.arp_requests += 1;
        } else {
            self.counters.arp_replies += 1;
        }
        self.counters.tx_dropped += u64::from(!queued);
    }

    /// ARP requests that are due again, and neighbours that do not answer.
    pub(super) fn poll_neighbors(&mut self) {
        if self.neighbors.next_deadline().is_none_or(|at| at > self.now) {
            return;
        }
        let mut due = Vec::new();
        self.neighbors.poll(self.now, |d| due.push(d));
        for d in due {
            match d {
                Due::Request { target, to } => self.send_arp(self.neighbors.request(target), to),
                Due::Unreachable { target, waiting } => {
                    self.counters.arp_unreachable += 1;
                    for index in waiting {
                        // The slot may have another connection by now, with another next hop.
                        let remote = self.table.at(index).map(|tcb| tcb.key.remote());
                        if remote.is_some_and(|remote| self.next_hop(remote) == target) {
                            self.unreachable(index);
                        }
                    }
                }
            }
        }
    }

    /// Nobody answers for a connection's next hop: an open fails, an established one goes on trying (RFC 1122
    /// 4.2.3.9: a soft error).
    pub(super) fn unreachable(&mut self, index: u32) {
        if let Some(tcb) = self.table.at(index)
            && tcb.state == State::SynSent
            && tcb.next_hop.is_none()
        {
            self.finish(index, CloseReason::Unreachable);
        }
    }

    /// When a turn is due although no frame arrives.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        [self.wheel.next(), self.neighbors.next_deadline(), self.time_waits.next(), self.fragments.next()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether the next turn should follow at once. `blocked`: the port has no room, so waiting is better.
    pub(super) fn has_work(&self, blocked: bool) -> bool {
        (!blocked && !self.dirty.is_empty()) || !self.resumed.is_empty() || !self.ended.is_empty()
    }

    pub(super) fn memory(&self) -> usize {
        self.table.memory()
    }

    /// Up to what a connection's receive buffer may grow now.
    #[inline]
    pub(super) fn recv_limit(&self) -> u32 {
        if self.memory_short() { 0 } else { u32::try_from(self.config.tcp.recv_buffer).unwrap_or(u32::MAX) }
    }

    /// The buffers hold as much as they may.
    #[inline]
    pub(super) fn memory_short(&self) -> bool {
        self.table.memory() >= self.config.tcp.memory
    }
}

/// SplitMix64: small, and good enough where nothing secret follows from it.
pub(super) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
