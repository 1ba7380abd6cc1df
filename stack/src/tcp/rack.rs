//! RACK: which segments are lost, judged by time (RFC 8985 6.2), and the tail loss probe (RFC 8985 7).

use std::time::Duration;

use ferroflow_wire::SeqNumber;

use super::sent::{Delivered, Newest};
use crate::time::Instant;

/// RFC 8985 6.2 step 4: recoveries without D-SACK after which a widened reordering window is narrow again.
const REO_WND_PERSIST: u8 = 16;
/// How long the least round trip is believed: routes change. Linux's value (tcp_min_rtt_wlen).
const MIN_RTT_WINDOW: Duration = Duration::from_secs(300);
/// Segments beyond a gap that mean loss when nothing was ever reordered (RFC 8985 6.2 step 4).
const DUP_THRESH: u32 = 3;
/// Least time to a tail loss probe. RFC 8985 leaves it to the implementation; the first draft of the probe had this value, and
/// on a path of microseconds anything less takes a peer that was not scheduled for a loss.
const LEAST_TIMEOUT: Duration = Duration::from_millis(10);
/// RFC 8985 7.2: how long a peer may delay the acknowledgement of a single segment.
const WORST_DELAYED_ACK: Duration = Duration::from_millis(200);

/// Per-connection state of RACK (RFC 8985 5.3).
#[derive(Debug, Clone, Copy, Default)]
pub struct Rack {
    /// RACK.xmit_ts and RACK.end_seq: of all that has arrived, what was sent last.
    newest: Option<Newest>,
    /// RACK.rtt: how long that took.
    rtt: Duration,
    min_rtt: Option<(Duration, Instant)>,
    reordering_seen: bool,
    /// RACK.reo_wnd_mult: quarters of the least round trip.
    mult: u8,
    persist: u8,
    /// How many acknowledgements have told of something beyond a gap since SND.UNA moved: at least so many segments are
    /// there, however small.
    sacks: u8,
    /// RACK.dsack_round: the window widens once per round trip.
    dsack_round: Option<SeqNumber>,
}

/// What the reordering window depends on beside RACK's own state.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// Losses are being repaired.
    pub recovering: bool,
    /// Bytes beyond gaps that the peer has.
    pub sacked: u32,
    /// Segment size.
    pub mss: u32,
    /// Smoothed round trip.
    pub srtt: Option<Duration>,
}

impl Rack {
    /// RACK.min_RTT
    pub fn min_rtt(&self) -> Option<Duration> {
        self.min_rtt.map(|(rtt, _)| rtt)
    }

    /// What has arrived and was sent last.
    pub fn newest(&self) -> Option<Newest> {
        self.newest
    }

    /// Whether segments were ever overtaken.
    pub fn reordering_seen(&self) -> bool {
        self.reordering_seen
    }

    /// A recovery was needless: segments had been overtaken, not lost.
    pub fn reordered(&mut self) {
        self.reordering_seen = true;
    }

    /// RFC 8985 6.2 step 1. Returns whether the least round trip has changed.
    pub fn sample(&mut self, rtt: Duration, now: Instant) -> bool {
        let keep = self.min_rtt.is_some_and(|(least, at)| least < rtt && now.since(at) < MIN_RTT_WINDOW);
        if !keep {
            self.min_rtt = Some((rtt, now));
        }
        !keep
    }

    /// RFC 8985 6.2 steps 2 and 3. `fack`: the highest sequence number that had arrived before. `echo_is_old`: the
    /// echoed timestamp is older than the retransmission, so it is the first transmission that arrived.
    pub fn delivered(&mut self, news: &Delivered, fack: SeqNumber, echo_is_old: bool, now: Instant) {
        let doubtful = |newest: &Newest| {
            let rtt = now.since(newest.sent_at);
            newest.again && (echo_is_old || self.min_rtt().is_some_and(|least| rtt < least))
        };
        // If the last to be sent is in doubt, those that were sent once are not.
        if let Some(newest) = news.newest.filter(|newest| !doubtful(newest)).or(news.newest_once) {
            self.rtt = now.since(newest.sent_at);
            if self.newest.is_none_or(|n| newest.is_after(&n)) {
                self.newest = Some(newest);
            }
        }
        if news.lowest_once.is_some_and(|end| end.lt(fack)) {
            self.reordering_seen = true;
        }
    }

    /// RFC 8985 6.2 step 4: a D-SACK says that something was sent again in vain.
    pub fn dsack(&mut self, nxt: SeqNumber) {
        if self.dsack_round.is_none() {
            self.dsack_round = Some(nxt);
            self.mult = self.mult.max(1).saturating_add(1);
            self.persist = REO_WND_PERSIST;
        }
    }

    /// An acknowledgement has told of something beyond a gap that no other had told of.
    #[inline]
    pub fn sacked(&mut self) {
        self.sacks = self.sacks.saturating_add(1);
    }

    /// SND.UNA has moved: a round that is over is forgotten, before it would seem to lie ahead.
    #[inline]
    pub fn follow(&mut self, una: SeqNumber) {
        self.sacks = 0;
        self.dsack_round = self.dsack_round.filter(|&round| una.lt(round));
    }

    /// RFC 8985 6.2 step 4: a recovery is over.
    pub fn recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.mult = 1;
        }
    }

    /// RACK.reo_wnd (RFC 8985 6.2 step 4)
    fn reo_wnd(&self, path: &Path) -> Duration {
        // Segments are not counted but bytes are; small ones show by the number of acknowledgements.
        let three = path.sacked >= DUP_THRESH * path.mss || u32::from(self.sacks) >= DUP_THRESH;
        if !self.reordering_seen && (path.recovering || three) {
            return Duration::ZERO;
        }
        let wide = self.min_rtt().unwrap_or_default() * u32::from(self.mult.max(1)) / 4;
        path.srtt.map_or(wide, |srtt| wide.min(srtt))
    }

    /// How long after its transmission a segment counts as lost, once a later one has arrived.
    pub fn patience(&self, path: &Path) -> Duration {
        self.rtt + self.reo_wnd(path)
    }
}

/// The tail loss probe of a connection (RFC 8985 7.1).
#[derive(Debug, Clone, Copy, Default)]
pub struct Tlp {
    /// TLP.end_seq: what a probe that is under way ends with, and whether it carried old data.
    probe: Option<(SeqNumber, bool)>,
    /// A round trip was measured since the last probe, or since the beginning.
    measured: bool,
}

impl Tlp {
    /// PTO (RFC 8985 7.2): how long after the last transmission to wait for an acknowledgement. `single`: one segment
    /// is in flight, whose acknowledgement may be delayed.
    pub fn timeout(srtt: Option<Duration>, single: bool) -> Duration {
        match srtt {
            None => Duration::from_secs(1),
            Some(srtt) if single => srtt * 2 + WORST_DELAYED_ACK,
            Some(srtt) => (srtt * 2).max(LEAST_TIMEOUT),
        }
    }

    /// RFC 8985 7.3: there is one at a time, and between two a round trip is measured: else the time-out would never learn
    /// that the path has become longer.
    pub fn may_probe(&self) -> bool {
        self.probe.is_none() && self.measured
    }

    /// A round trip was measured.
    #[inline]
    pub fn measured(&mut self) {
        self.measured = true;
    }

    /// A probe leaves; everything sent ends at `end`.
    pub fn sent(&mut self, end: SeqNumber, old_data: bool) {
        self.probe = Some((end, old_data));
        self.measured = false;
    }

    /// No probe counts any more: a time-out, or a recovery.
    pub fn forget(&mut self) {
        self.probe = None;
    }

    /// An acknowledgement (RFC 8985 7.4.2). Returns whether the probe has repaired a loss that nothing else has told, so
    /// that the congestion control must hear of it.
    pub fn acked(&mut self, ack: SeqNumber, dsack: bool, plain_duplicate: bool) -> bool {
        let Some((end, old_data)) = self.probe else { return false };
        if ack.lt(end) {
            return false;
        }
        if !old_data || dsack {
            self.probe = None;
            return false;
        }
        if ack.gt(end) {
            self.probe = None;
            return true;
        }
        // The same acknowledgement twice: the first transmission and the probe both arrived.
        if plain_duplicate {
            self.probe = None;
        }
        false
    }
}

#[cfg(test)]
mod tests;
