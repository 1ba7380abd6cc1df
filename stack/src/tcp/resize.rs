//! What follows for a connection from what is known of its path's MTU ([`super::mtu`]).

use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::MAX_OPTIONS_LEN;

use super::TcpConfig;
use super::mtu::{Claim, MtuProbing};
use super::recovery::Phase;
use super::tcb::{TIMESTAMPS_LEN, Tcb};
use crate::counters::Counters;
use crate::time::Instant;

/// How many full segments must be able to follow a probe, so that its loss is noticed without a time-out (RFC 4821 7.4).
const FOLLOWERS: u32 = 4;

/// Whether a larger segment is to be sent next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    /// No.
    No,
    /// As soon as acknowledgements have made room for it.
    Wait,
    /// With so much text.
    Send(u32),
}

impl Tcb {
    /// Bytes of a segment that its options take, SACK blocks apart.
    fn option_room(&self) -> u32 {
        if self.ts.is_some() { TIMESTAMPS_LEN } else { 0 }
    }

    /// The handshake is complete. `known`: the largest segment that the path is known to carry, and until when.
    pub fn begin_path(&mut self, known: Option<(u16, Instant)>, config: &TcpConfig) {
        let max = self.mtu.size();
        self.mtu.begin(max, known, config.mtu_probing);
        if self.mtu.size() < max {
            self.resize();
        }
    }

    /// No segment carries more than `text` bytes of text from now on, whatever the path would.
    pub(super) fn limit_segments(&mut self, text: u16) {
        self.mtu.limit(text.saturating_add(self.option_room() as u16));
        self.resize();
    }

    /// Segments have another size from now on.
    fn resize(&mut self) {
        self.snd.mss = u32::from(self.mtu.size()) - self.option_room();
        self.cc.change_mss(self.snd.mss);
    }

    /// An ICMP message says that the segment at `seq`, which is in flight, must have no more than `size` bytes of options
    /// and text. Returns whether that is believed.
    pub fn too_large(
        &mut self,
        seq: SeqNumber,
        size: u16,
        now: Instant,
        config: &TcpConfig,
        counters: &mut Counters,
    ) -> bool {
        // RFC 5927 7.2: no packet that large has been sent from there on, so none was too large.
        if self.snd.max - seq + MAX_OPTIONS_LEN as u32 <= u32::from(size) {
            return false;
        }
        let (from, to) = match self.mtu.too_large(seq, size, now) {
            Claim::Ignored => return false,
            Claim::Pending => {
                counters.tcp_mtu_pending += 1;
                return false;
            }
            Claim::Believed(from) => (from, self.snd.nxt),
            Claim::Probe(from, to) => (from, to),
        };
        counters.tcp_mtu_reduced += 1;
        self.resize();
        // Nothing of that is congestion (RFC 1191 6.4).
        self.sent.lose(from, to);
        self.tlp.forget();
        self.deadlines.early = None;
        self.deadlines.retransmit = Some(now + self.rto.get(config));
        self.resend_one = true;
        true
    }

    /// SND.UNA has moved.
    #[inline]
    pub(super) fn path_acked(&mut self, now: Instant, counters: &mut Counters) {
        if self.mtu.acked(self.snd.una, now) {
            counters.tcp_mtu_probe_success += 1;
            self.resize();
        }
    }

    /// `lost` bytes were just found to be lost. If they are a probe and nothing else, that is no congestion (RFC 4821 7.6.1):
    /// returns `true`, and they are only sent again.
    pub(super) fn path_lost(&mut self, lost: u32, now: Instant, counters: &mut Counters) -> bool {
        let Some((start, end)) = self.mtu.probe() else { return false };
        let alone = lost == end - start
            && self.sent.lost() == lost
            && self.sent.first_lost() == Some((start, end))
            && !self.recovery.repairing();
        if !alone {
            self.mtu.forget_probe();
            return false;
        }
        counters.tcp_mtu_probe_fail += 1;
        self.mtu.probe_lost(now);
        self.resend_one = true;
        true
    }

    /// The retransmission timer has expired.
    pub(super) fn path_timed_out(&mut self, now: Instant, config: &TcpConfig, counters: &mut Counters) {
        let len = (self.flight().min(self.snd.mss) + self.option_room()) as u16;
        let times = self.rto.expired();
        if self.mtu.timed_out(self.snd.una, len, times, config.mtu_probing, now).is_some() {
            counters.tcp_mtu_reduced += 1;
            self.resize();
        }
    }

    /// What is known of the path has become old, perhaps.
    #[inline]
    pub(super) fn path_aged(&mut self, now: Instant, config: &TcpConfig) {
        if self.mtu.aged(self.sack_ok && config.mtu_probing != MtuProbing::Off, now) {
            self.resize();
        }
    }

    /// Whether a probe is due and may be sent. Its loss must be noticed by what follows it (RFC 4821 7.4).
    #[inline]
    pub(super) fn path_probe(&self, unsent: u32, offered: u32) -> Probe {
        match self.mtu.next_probe() {
            Some(size) => self.may_probe(u32::from(size) - self.option_room(), unsent, offered),
            None => Probe::No,
        }
    }

    fn may_probe(&self, len: u32, unsent: u32, offered: u32) -> Probe {
        let need = len + FOLLOWERS * self.snd.mss;
        let calm = self.sack_ok
            && self.recovery.phase == Phase::Open
            && self.sent.lost() == 0
            && self.sent.sacked() == 0
            && self.segment_room() == self.snd.mss; // no option is due that would make it larger still
        if !calm || len <= self.snd.mss || unsent.min(offered) < need || self.cc.cwnd() < need {
            return Probe::No;
        }
        if self.pipe() + len <= self.cc.cwnd() { Probe::Send(len) } else { Probe::Wait }
    }

    /// A segment with the new bytes before `end` leaves, `len` of them text.
    #[inline]
    pub(super) fn path_sent(&mut self, end: SeqNumber, len: u32) {
        let size = (len + self.option_room()) as u16;
        if len > self.snd.mss {
            self.mtu.probe_sent(end - len, end, size);
        } else {
            self.mtu.sent(end, size);
        }
    }
}
