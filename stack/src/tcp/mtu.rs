//! The largest segment that a path carries: told by ICMP (RFC 1191, RFC 8201), by time-outs of full-sized segments where
//! ICMP is dropped on the way, and found out by larger segments whose loss is no sign of congestion (RFC 4821, RFC 8899).
//!
//! Sizes are what an MSS counts: a segment's options and text. So nothing here depends on the version of IP.

use std::time::Duration;

use ferroflow_wire::SeqNumber;

use crate::time::Instant;

/// When to find out by probes what a path carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MtuProbing {
    /// Never: ICMP alone is listened to.
    Off,
    /// When full-sized segments vanish and no ICMP tells why (Linux: tcp_mtu_probing = 1).
    #[default]
    BlackHole,
    /// From the beginning, starting small (Linux: tcp_mtu_probing = 2).
    Always,
}

/// What nearly every path carries (RFC 4821 7.2 recommends 1024).
pub const BASE: u16 = 1024;
/// Least to go down to: packets of 552 bytes with IPv4. Less is more likely an attack than a path (Linux: min_pmtu).
pub const FLOOR: u16 = 512;
/// RFC 1191 6.3: how long before larger packets are tried again.
pub const MAX_AGE: Duration = Duration::from_secs(600);
/// Time-outs in a row that mean a black hole (Linux: tcp_retries1).
const TIME_OUTS: u32 = 3;
/// Probes of one size that may be lost before it counts as too large (RFC 8899 5.1.2, MAX_PROBES).
const MAX_PROBES: u8 = 3;
/// A search ends when it is this close.
const CLOSE: u16 = 8;

/// A probe that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Probe {
    start: SeqNumber,
    end: SeqNumber,
    size: u16,
}

/// What a claim that segments are too large has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: it says nothing new.
    Ignored,
    /// It is believed when the segment it is about times out: larger ones have arrived before (RFC 5927 7.2).
    Pending,
    /// It is believed: segments are this large from now on. What had been sent from here on is lost.
    Believed(SeqNumber),
    /// It is believed, and about a probe: only these bytes are lost.
    Probe(SeqNumber, SeqNumber),
}

/// What one connection knows of its path.
#[derive(Debug, Clone, Copy)]
pub struct PathMtu {
    /// What our link and the peer take.
    max: u16,
    /// Largest in use.
    size: u16,
    /// This much, and more, does not pass; above `max` when nothing is known not to.
    ceiling: u16,
    /// Looking for the largest between `size` and `ceiling`.
    searching: bool,
    /// Lost probes in a row of one size.
    failures: u8,
    probe: Option<Probe>,
    /// When larger sizes are tried again.
    retry_at: Instant,
    /// Largest that is known to have arrived, and the first to be sent that was larger than that.
    arrived: u16,
    watched: Option<(SeqNumber, u16)>,
    /// A claim about this sequence number that is not believed yet.
    pending: Option<(SeqNumber, u16)>,
    /// This was found out, and others to the same destination may begin with it.
    found: Option<u16>,
}

impl PathMtu {
    /// Nothing is known but `max`, what our link and the peer take.
    pub fn new(max: u16) -> PathMtu {
        PathMtu {
            max,
            size: max,
            ceiling: max.saturating_add(1),
            searching: false,
            failures: 0,
            probe: None,
            retry_at: Instant::FAR,
            arrived: 0,
            watched: None,
            pending: None,
            found: None,
        }
    }

    /// The peer's SYN has said what it takes. `known`: what another connection has found out, and until when that holds.
    pub fn begin(&mut self, max: u16, known: Option<(u16, Instant)>, probing: MtuProbing) {
        *self = PathMtu::new(max);
        if let Some((size, until)) = known.filter(|&(size, _)| size < max) {
            self.size = size.max(FLOOR).min(max);
            self.ceiling = self.size + 1;
            self.retry_at = until;
        } else if probing == MtuProbing::Always {
            self.size = max.min(BASE);
            self.searching = self.size < max;
        }
    }

    /// Nothing larger than `max` is to be sent, even if the path would carry it.
    pub fn limit(&mut self, max: u16) {
        self.max = self.max.min(max);
        self.size = self.size.min(max);
        self.ceiling = self.ceiling.min(self.max.saturating_add(1));
        self.searching &= self.size < self.max;
        self.forget_probe();
    }

    /// The largest segment to send.
    #[inline]
    pub fn size(&self) -> u16 {
        self.size
    }

    /// Whether there is something to be told to others.
    #[inline]
    pub fn has_found(&self) -> bool {
        self.found.is_some()
    }

    /// What was found out, once.
    #[inline]
    pub fn take_found(&mut self) -> Option<u16> {
        self.found.take()
    }

    /// A segment of `size` that ends at `end` leaves.
    #[inline]
    pub fn sent(&mut self, end: SeqNumber, size: u16) {
        if size > self.arrived && self.watched.is_none() {
            self.watched = Some((end, size));
        }
    }

    /// Everything before `una` has arrived. Returns whether segments may be larger now.
    #[inline]
    pub fn acked(&mut self, una: SeqNumber, now: Instant) -> bool {
        if let Some((end, size)) = self.watched
            && una.ge(end)
        {
            self.arrived = self.arrived.max(size);
            self.watched = None;
        }
        if self.pending.is_some_and(|(seq, _)| una.gt(seq)) {
            self.pending = None;
        }
        match self.probe {
            Some(probe) if una.ge(probe.end) => {
                self.probe = None;
                self.failures = 0;
                self.size = self.size.max(probe.size);
                self.settle(now);
                true
            }
            _ => false,
        }
    }

    /// An ICMP message says that the segment at `seq`, which is in flight, must not be larger than `size`.
    pub fn too_large(&mut self, seq: SeqNumber, size: u16, now: Instant) -> Claim {
        let size = size.max(FLOOR);
        let probe = self.probe.filter(|probe| seq.ge(probe.start) && seq.lt(probe.end));
        if let Some(probe) = probe.filter(|probe| size >= self.size && size < probe.size) {
            // The search is over: the path itself has told.
            self.ceiling = size + 1;
            self.size = size;
            self.stop(now);
            return Claim::Probe(probe.start, probe.end);
        }
        if size >= self.size {
            return Claim::Ignored;
        }
        if self.arrived > size {
            self.pending = Some((seq, size));
            return Claim::Pending;
        }
        self.reduce(size, now);
        Claim::Believed(seq)
    }

    /// The retransmission timer has expired `times` times in a row; the first segment unacknowledged begins at `una`
    /// and had `len` bytes of text and options. Returns the size that segments must have from now on, if that is less than before.
    pub fn timed_out(
        &mut self,
        una: SeqNumber,
        len: u16,
        times: u32,
        probing: MtuProbing,
        now: Instant,
    ) -> Option<u16> {
        self.probe = None;
        self.watched = None;
        // RFC 5927 7.2: the claim was true, if segments have not become smaller than that meanwhile
        if let Some((seq, size)) = self.pending.filter(|&(_, size)| size < self.size)
            && seq.diff(una).unsigned_abs() < u32::from(self.size)
        {
            self.reduce(size, now);
            self.found = Some(size);
            return Some(size);
        }
        let black_hole = probing != MtuProbing::Off && times > 0 && times.is_multiple_of(TIME_OUTS);
        let to = if self.size > BASE { BASE } else { FLOOR };
        if !black_hole || len <= to || self.size <= to {
            return None;
        }
        self.size = to;
        self.arrived = self.arrived.min(to);
        // Perhaps nothing at all got through: all sizes are tried again.
        self.ceiling = self.max.saturating_add(1);
        self.failures = 0;
        self.searching = true;
        Some(to)
    }

    fn reduce(&mut self, size: u16, now: Instant) {
        self.size = size;
        self.ceiling = size + 1;
        self.arrived = self.arrived.min(size);
        self.watched = None;
        self.pending = None;
        self.stop(now);
    }

    fn stop(&mut self, now: Instant) {
        self.searching = false;
        self.probe = None;
        self.failures = 0;
        self.retry_at = now + MAX_AGE;
    }

    /// What is known has become old (RFC 1191 6.3). `may_search`: by probes; else the largest size is simply used again.
    /// Returns whether segments may be larger now.
    #[inline]
    pub fn aged(&mut self, may_search: bool, now: Instant) -> bool {
        if now < self.retry_at {
            return false;
        }
        self.retry_at = Instant::FAR;
        self.ceiling = self.max.saturating_add(1);
        self.searching = may_search && self.size < self.max;
        if may_search {
            return false;
        }
        self.size = self.max;
        true
    }

    /// The size of the next probe, if one is wanted.
    #[inline]
    pub fn next_probe(&self) -> Option<u16> {
        if !self.searching || self.probe.is_some() {
            return None;
        }
        Some(if self.ceiling > self.max { self.max } else { self.size + (self.ceiling - self.size) / 2 })
    }

    /// A probe leaves as the bytes `start .. end`.
    pub fn probe_sent(&mut self, start: SeqNumber, end: SeqNumber, size: u16) {
        self.probe = Some(Probe { start, end, size });
    }

    /// The bytes of the probe that is under way.
    #[inline]
    pub fn probe(&self) -> Option<(SeqNumber, SeqNumber)> {
        self.probe.map(|probe| (probe.start, probe.end))
    }

    /// More than the probe was lost: it tells nothing.
    #[inline]
    pub fn forget_probe(&mut self) {
        self.probe = None;
    }

    /// The probe, and nothing else, was lost.
    pub fn probe_lost(&mut self, now: Instant) {
        let Some(probe) = self.probe.take() else { return };
        self.failures += 1;
        if self.failures >= MAX_PROBES {
            self.failures = 0;
            self.ceiling = probe.size;
            self.settle(now);
        }
    }

    /// Whether the search is close enough to its end.
    fn settle(&mut self, now: Instant) {
        if self.searching && (self.size >= self.max || self.ceiling - self.size <= CLOSE) {
            self.found = (self.size < self.max).then_some(self.size);
            self.stop(now);
            if self.size >= self.max {
                self.retry_at = Instant::FAR;
            }
        }
    }
}

#[cfg(test)]
mod tests;
