//! Datagrams that arrive in fragments: kept until they are whole (RFC 791 3.2, RFC 1122 3.3.2), within bounds.
//!
//! The fragments of a datagram are kept in order and never overlap: what overlaps is what fragments are attacked with, and
//! ends the datagram (RFC 5722). So it is whole when as many bytes are there as its last fragment says; RFC 815's list of
//! holes would say the same. Memory is taken only for what has arrived.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use ferroflow_wire::checksum;
use ferroflow_wire::ethernet::{self, EtherType, EthernetHeader, EthernetView};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4View};

use crate::counters::Counters;
use crate::time::Instant;

/// The most fragments of one datagram: 64 KiB in packets of 576 bytes, the smallest that any host must take (RFC 791 3.1), are
/// 119. Each fragment has to find its place among the others.
pub const MAX_FRAGMENTS: usize = 128;

/// What a fragment costs beside its bytes.
const OVERHEAD: usize = 64;

/// Values of the ECN field (RFC 3168 5).
const NOT_ECT: u8 = 0;
const CE: u8 = 3;

/// How much may wait for the rest of its datagram on one core. Where there is more, the oldest makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FragmentConfig {
    /// Datagrams; 0 counts as 1.
    pub datagrams: usize,
    /// Bytes, 64 for every fragment included. The largest datagram needs 75,000 in packets of 576 bytes.
    pub memory: usize,
    /// How long a datagram waits from its first fragment on (RFC 1122 3.3.2: between 60 and 120 seconds).
    pub lifetime: Duration,
}

impl Default for FragmentConfig {
    fn default() -> FragmentConfig {
        FragmentConfig { datagrams: 64, memory: 512 * 1024, lifetime: Duration::from_secs(60) }
    }
}

/// What the fragments of one datagram have in common (RFC 791 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    src: Ipv4Addr,
    dst: Ipv4Addr,
    protocol: IpProtocol,
    ident: u16,
}

/// Bytes of a datagram's payload.
#[derive(Debug)]
struct Piece {
    at: usize,
    bytes: Box<[u8]>,
}

impl Piece {
    fn end(&self) -> usize {
        self.at + self.bytes.len()
    }
}

#[derive(Debug)]
struct Datagram {
    key: Key,
    until: Instant,
    /// Ethernet's and IP's header of the fragment at offset 0; empty until it is there.
    head: Box<[u8]>,
    /// In order, and none over another.
    pieces: Vec<Piece>,
    /// Bytes in `pieces`.
    have: usize,
    /// Bytes of the whole payload, once the last fragment has told.
    len: Option<usize>,
    /// Bit n: a fragment had n in its ECN field.
    ecn: u8,
    /// It cannot become whole any more; what still comes of it is dropped, too (RFC 5722 4).
    dead: bool,
}

/// How a fragment goes with those that are there.
enum Fit {
    /// It belongs before the piece of this number.
    Before(usize),
    Duplicate,
    Contradiction,
}

impl Datagram {
    fn new(key: Key, until: Instant) -> Datagram {
        Datagram {
            key,
            until,
            head: Box::default(),
            pieces: Vec::new(),
            have: 0,
            len: None,
            ecn: 0,
            dead: false,
        }
    }

    fn memory(&self) -> usize {
        self.have + self.pieces.len() * OVERHEAD
    }

    fn fit(&self, at: usize, bytes: &[u8], more: bool) -> Fit {
        let end = at + bytes.len();
        let beyond_the_end = match (self.len, more) {
            (Some(len), true) => end >= len,
            (Some(len), false) => end != len,
            (None, true) => false,
            (None, false) => self.pieces.last().is_some_and(|last| last.end() >= end),
        };
        let place = self.pieces.partition_point(|piece| piece.at < at);
        let (before, behind) = self.pieces.split_at(place);
        if behind.first().is_some_and(|same| same.at == at && *same.bytes == *bytes) && !beyond_the_end {
            return Fit::Duplicate;
        }
        let overlaps = before.last().is_some_and(|piece| piece.end() > at)
            || behind.first().is_some_and(|piece| piece.at < end);
        if beyond_the_end || overlaps { Fit::Contradiction } else { Fit::Before(place) }
    }

    /// All pieces behind one another, in a frame of their own. `None`: it would be longer than any datagram, or lose a mark.
    fn whole(&self, counters: &mut Counters) -> Option<Vec<u8>> {
        let header_len = self.head.len() - ethernet::HEADER_LEN;
        let Ok(total_len) = u16::try_from(header_len + self.have) else {
            counters.reassembly_malformed += 1;
            return None;
        };
        let marked = self.ecn & 1 << CE != 0;
        if marked && self.ecn & 1 << NOT_ECT != 0 {
            // RFC 3168 5.3: CE must not be set if another fragment was Not-ECT, and must not be lost.
            counters.reassembly_ecn += 1;
            return None;
        }
        let mut frame = Vec::with_capacity(self.head.len() + self.have);
        frame.extend_from_slice(&self.head);
        self.pieces.iter().for_each(|piece| frame.extend_from_slice(&piece.bytes));
        let header = &mut frame[ethernet::HEADER_LEN..self.head.len()];
        if marked {
            header[1] |= CE;
        }
        header[2..4].copy_from_slice(&total_len.to_be_bytes());
        // RFC 791 3.1: no more fragments, and an offset of 0; "don't fragment" stays.
        header[6] &= 0x40;
        header[7] = 0;
        header[10..12].fill(0);
        let sum = checksum::checksum(header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        Some(frame)
    }
}

/// The fragments of one core.
#[derive(Debug)]
pub struct Fragments {
    config: FragmentConfig,
    /// Oldest first.
    waiting: VecDeque<Datagram>,
    /// What all of them cost.
    memory: usize,
}

impl Fragments {
    /// Nothing waits.
    pub fn new(config: FragmentConfig) -> Fragments {
        Fragments { config, waiting: VecDeque::new(), memory: 0 }
    }

    /// Datagrams that wait, dead ones included.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes that wait, 64 for every fragment included.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Takes a fragment, whose header is known to be good. Returns the whole datagram in a frame if nothing of it is missing.
    pub fn put(
        &mut self,
        eth: &EthernetView<'_>,
        ip: &Ipv4View<'_>,
        now: Instant,
        counters: &mut Counters,
    ) -> Option<Vec<u8>> {
        counters.fragments += 1;
        let (at, bytes, more) = (usize::from(ip.fragment_offset()), ip.payload(), ip.more_fragments());
        // RFC 791 3.1: offsets count in 8 octets, and no datagram is longer than its length can tell.
        let too_long = ip.header_len() + at + bytes.len() > usize::from(u16::MAX);
        if bytes.is_empty() || too_long || (more && !bytes.len().is_multiple_of(8)) {
            counters.reassembly_malformed += 1;
            return None;
        }
        let key = Key { src: ip.src(), dst: ip.dst(), protocol: ip.protocol(), ident: ip.ident() };
        let index = self.find(key, now, counters);
        let datagram = &self.waiting[index];
        if datagram.dead {
            counters.reassembly_late += 1;
            return None;
        }
        let place = match datagram.fit(at, bytes, more) {
            Fit::Before(_) if datagram.pieces.len() == MAX_FRAGMENTS => {
                counters.reassembly_too_many += 1;
                self.kill(index);
                return None;
            }
            Fit::Before(place) => place,
            Fit::Duplicate => {
                counters.reassembly_duplicate += 1;
                return None;
            }
            Fit::Contradiction => {
                counters.reassembly_overlap += 1;
                self.kill(index);
                return None;
            }
        };
        let index = self.make_room(index, bytes.len() + OVERHEAD, counters)?;
        self.memory += bytes.len() + OVERHEAD;
        let datagram = &mut self.waiting[index];
        datagram.pieces.insert(place, Piece { at, bytes: bytes.into() });
        datagram.have += bytes.len();
        datagram.ecn |= 1 << ip.ecn();
        if at == 0 {
            datagram.head = head(eth, ip);
        }
        if !more {
            datagram.len = Some(at + bytes.len());
        }
        if datagram.len != Some(datagram.have) {
            return None;
        }
        let whole = self.remove(index)?.whole(counters)?;
        counters.reassembled += 1;
        Some(whole)
    }

    /// The datagram's place; a new one is the last.
    fn find(&mut self, key: Key, now: Instant, counters: &mut Counters) -> usize {
        if let Some(index) = self.waiting.iter().position(|datagram| datagram.key == key) {
            return index;
        }
        if self.waiting.len() >= self.config.datagrams.max(1) {
            let oldest = self.remove(0);
            counters.reassembly_evicted += u64::from(oldest.is_some_and(|oldest| !oldest.dead));
        }
        self.waiting.push_back(Datagram::new(key, now + self.config.lifetime));
        self.waiting.len() - 1
    }

    /// Drops the oldest of the others until `cost` bytes more are allowed. Returns where datagram `index` is then; `None` if it
    /// alone is too large, and dropped.
    fn make_room(&mut self, mut index: usize, cost: usize, counters: &mut Counters) -> Option<usize> {
        while self.memory + cost > self.config.memory {
            counters.reassembly_evicted += 1;
            let mut all = self.waiting.iter().enumerate();
            let Some((oldest, _)) = all.find(|&(other, d)| other != index && !d.pieces.is_empty()) else {
                self.kill(index);
                return None;
            };
            self.remove(oldest);
            index -= usize::from(oldest < index);
        }
        Some(index)
    }

    fn remove(&mut self, index: usize) -> Option<Datagram> {
        let datagram = self.waiting.remove(index)?;
        self.memory -= datagram.memory();
        Some(datagram)
    }

    /// What there is of a datagram is dropped; what is to come is known by what stays.
    fn kill(&mut self, index: usize) {
        if let Some(datagram) = self.waiting.get_mut(index) {
            self.memory -= datagram.memory();
            *datagram = Datagram { dead: true, ..Datagram::new(datagram.key, datagram.until) };
        }
    }

    /// When the oldest has waited for too long.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|datagram| datagram.until)
    }

    /// Drops what has waited for too long, up to the first datagram whose fragment at offset 0 is there. Returns that fragment,
    /// as it came: its sender is to be told (RFC 1122 3.3.2). `None`: that was all.
    pub fn expire(&mut self, now: Instant, counters: &mut Counters) -> Option<Vec<u8>> {
        while self.next().is_some_and(|until| until <= now) {
            let Datagram { head, pieces, dead, .. } = self.remove(0)?;
            counters.reassembly_timed_out += u64::from(!dead);
            if let Some(first) = pieces.first()
                && !head.is_empty()
            {
                return Some([&*head, &*first.bytes].concat());
            }
        }
        None
    }

    /// Looks for what cannot be, for tests.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.memory != self.waiting.iter().map(Datagram::memory).sum::<usize>() {
            return Err("the fragments' sum is wrong");
        }
        if self.memory > self.config.memory || self.waiting.len() > self.config.datagrams.max(1) {
            return Err("more fragments wait than may");
        }
        for datagram in &self.waiting {
            let ordered = datagram.pieces.windows(2).all(|pair| pair[0].end() <= pair[1].at);
            if !ordered || datagram.len == Some(datagram.have) {
                return Err("fragments overlap, or are a whole datagram and wait");
            }
        }
        Ok(())
    }
}

/// The headers of a fragment, without a tag.
fn head(eth: &EthernetView<'_>, ip: &Ipv4View<'_>) -> Box<[u8]> {
    let mut head = vec![0; ethernet::HEADER_LEN];
    let link = EthernetHeader { dst: eth.dst(), src: eth.src(), vlan: None, ethertype: EtherType::IPV4 };
    let len = link.write(&mut head).unwrap_or(0);
    debug_assert_eq!(len, ethernet::HEADER_LEN);
    head.extend_from_slice(ip.header());
    head.into()
}

#[cfg(test)]
mod tests;
