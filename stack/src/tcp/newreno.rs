//! Congestion control: slow start, congestion avoidance (RFC 5681), NewReno's fast recovery (RFC 6582).

use ferroflow_wire::SeqNumber;

/// What the sender must do after an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Nothing,
    /// Send the segment at `snd_una` again, at once.
    Retransmit,
}

/// Congestion state of one connection. All sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub struct NewReno {
    cwnd: u32,
    ssthresh: u32,
    mss: u32,
    dup_acks: u32,
    /// RFC 6582 3.2: the highest sequence number sent when recovery began.
    recover: SeqNumber,
    recovering: bool,
    /// Partial acknowledgements since recovery began.
    partial: u32,
    /// Bytes acknowledged in congestion avoidance since the window last grew (RFC 3465).
    acked: u32,
}

/// Duplicates that mean loss (RFC 5681 3.2).
const DUP_THRESH: u32 = 3;

impl NewReno {
    /// A connection that has sent nothing; `iss` is its initial sequence number.
    pub fn new(mss: u32, initial_window: u32, iss: SeqNumber) -> NewReno {
        NewReno {
            cwnd: initial(mss, initial_window),
            ssthresh: u32::MAX / 2,
            mss,
            dup_acks: 0,
            recover: iss,
            recovering: false,
            partial: 0,
            acked: 0,
        }
    }

    /// The handshake told the peer's MSS.
    pub fn set_mss(&mut self, mss: u32, initial_window: u32) {
        self.mss = mss;
        self.cwnd = initial(mss, initial_window);
    }

    /// How much may be in flight.
    #[inline]
    pub fn cwnd(&self) -> u32 {
        self.cwnd
    }

    /// Where slow start ends.
    pub fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    /// Whether the retransmission timer runs on although new data is acknowledged: only the first partial acknowledgement
    /// restarts it (RFC 6582 3.2 step 3), because a window with many losses, repaired by one segment per round trip, is
    /// better sent again as a whole (section 4, "Impatient").
    pub fn keeps_timer(&self) -> bool {
        self.recovering && self.partial > 1
    }

    /// Whether a loss is being repaired.
    pub fn recovering(&self) -> bool {
        self.recovering
    }

    /// The handshake's SYN was lost: begin with one segment (RFC 5681 3.1).
    pub fn syn_was_lost(&mut self) {
        self.cwnd = self.mss;
    }

    /// `acked` new bytes were acknowledged, up to `una`; `flight` bytes are still out.
    pub fn acked(&mut self, acked: u32, una: SeqNumber, flight: u32) -> Verdict {
        self.dup_acks = 0;
        if !self.recovering {
            self.grow(acked, flight);
            return Verdict::Nothing;
        }
        if una.ge(self.recover) {
            // RFC 6582 3.2 step 3, full acknowledgement, the first of its two choices
            self.cwnd = self.ssthresh.min(flight.max(self.mss) + self.mss);
            self.recovering = false;
            return Verdict::Nothing;
        }
        // RFC 6582 3.2 step 3, partial acknowledgement
        self.partial = self.partial.saturating_add(1);
        self.cwnd = self.cwnd.saturating_sub(acked).max(self.mss);
        if acked >= self.mss {
            self.cwnd += self.mss;
        }
        Verdict::Retransmit
    }

    fn grow(&mut self, acked: u32, flight: u32) {
        // A window that was not used says nothing about the path (RFC 7661's reason).
        if flight.saturating_add(acked) < self.cwnd / 2 {
            return;
        }
        if self.cwnd < self.ssthresh {
            // RFC 3465 2.2 with L = 2: peers acknowledge several segments at once
            self.cwnd = self.cwnd.saturating_add(acked.min(2 * self.mss)).min(MAX_WINDOW);
            return;
        }
        self.acked = self.acked.saturating_add(acked);
        if self.acked >= self.cwnd {
            // RFC 5681 3.1: one segment per round trip
            self.acked -= self.cwnd;
            self.cwnd = (self.cwnd + self.mss).min(MAX_WINDOW);
        }
    }

    /// A duplicate acknowledgement (RFC 5681 2); `una` is what it repeats, `max` the end of all that was sent.
    pub fn duplicate(&mut self, una: SeqNumber, max: SeqNumber, flight: u32) -> Verdict {
        self.dup_acks += 1;
        if self.recovering {
            // RFC 6582 3.2 step 2: a segment has left the network
            self.cwnd = self.cwnd.saturating_add(self.mss).min(MAX_WINDOW);
            return Verdict::Nothing;
        }
        // RFC 6582 3.2 step 1: not again for the losses of a window that is being repaired
        if self.dup_acks != DUP_THRESH || !una.gt(self.recover) {
            return Verdict::Nothing;
        }
        self.ssthresh = self.half(flight);
        self.cwnd = self.ssthresh + DUP_THRESH * self.mss;
        self.recover = max;
        self.recovering = true;
        self.partial = 0;
        Verdict::Retransmit
    }

    /// The retransmission timer expired; `first` unless it has for the same segment before.
    pub fn timed_out(&mut self, max: SeqNumber, flight: u32, first: bool) {
        if first {
            self.ssthresh = self.half(flight); // RFC 5681 (4)
        }
        self.cwnd = self.mss; // RFC 5681 3.1: the loss window
        self.recover = max; // RFC 6582 4
        self.recovering = false;
        self.dup_acks = 0;
        self.acked = 0;
    }

    /// Nothing was sent for longer than a time-out: RFC 5681 4.1.
    pub fn idle(&mut self, initial_window: u32) {
        self.cwnd = self.cwnd.min(initial(self.mss, initial_window));
    }

    fn half(&self, flight: u32) -> u32 {
        (flight / 2).max(2 * self.mss)
    }
}

/// RFC 6928 2: min(10 * MSS, max(2 * MSS, 14600)), with another number of segments than 10 if one is set.
fn initial(mss: u32, segments: u32) -> u32 {
    (mss * segments).min((2 * mss).max(1460 * segments))
}

/// RFC 7323 2.3: no window is larger than this.
const MAX_WINDOW: u32 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u32) -> SeqNumber {
        SeqNumber(n)
    }

    #[test]
    fn slow_start_doubles_and_avoidance_adds_one() {
        let mut cc = NewReno::new(1000, 2, seq(0));
        cc.acked(1000, seq(1000), 1000);
        cc.acked(1000, seq(2000), 1000);
        assert_eq!(cc.cwnd(), 4000);
        cc.ssthresh = 4000;
        for n in 0..4 {
            cc.acked(1000, seq(3000 + n * 1000), 3000);
        }
        assert_eq!(cc.cwnd(), 5000);
    }

    #[test]
    fn an_unused_window_does_not_grow() {
        let mut cc = NewReno::new(1000, 10, seq(0));
        cc.acked(100, seq(100), 0);
        assert_eq!(cc.cwnd(), 10_000);
    }

    #[test]
    fn three_duplicates_start_recovery_and_a_partial_ack_retransmits() {
        let mut cc = NewReno::new(1000, 10, seq(0));
        assert_eq!(cc.duplicate(seq(1), seq(10_001), 10_000), Verdict::Nothing);
        assert_eq!(cc.duplicate(seq(1), seq(10_001), 10_000), Verdict::Nothing);
        assert_eq!(cc.duplicate(seq(1), seq(10_001), 10_000), Verdict::Retransmit);
        assert_eq!((cc.ssthresh(), cc.cwnd()), (5000, 8000));
        assert_eq!(cc.duplicate(seq(1), seq(10_001), 10_000), Verdict::Nothing);
        assert_eq!(cc.cwnd(), 9000);
        assert_eq!(cc.acked(2000, seq(2001), 8000), Verdict::Retransmit);
        assert_eq!((cc.cwnd(), cc.keeps_timer()), (8000, false));
        assert_eq!(cc.acked(8000, seq(10_001), 0), Verdict::Nothing);
        assert_eq!((cc.cwnd(), cc.recovering()), (2000, false));
    }

    #[test]
    fn only_the_first_partial_acknowledgement_restarts_the_timer() {
        let mut cc = NewReno::new(1000, 10, seq(0));
        for _ in 0..3 {
            cc.duplicate(seq(1), seq(10_001), 10_000);
        }
        cc.acked(1000, seq(1001), 9000);
        assert!(!cc.keeps_timer());
        cc.acked(1000, seq(2001), 8000);
        assert!(cc.keeps_timer());
        cc.acked(8000, seq(10_001), 0);
        assert!(!cc.keeps_timer());
    }

    #[test]
    fn duplicates_of_a_window_being_repaired_do_not_halve_again() {
        let mut cc = NewReno::new(1000, 10, seq(0));
        cc.timed_out(seq(10_001), 10_000, true);
        assert_eq!(cc.cwnd(), 1000);
        for _ in 0..5 {
            assert_eq!(cc.duplicate(seq(5001), seq(10_001), 5000), Verdict::Nothing);
        }
        assert_eq!(cc.ssthresh(), 5000);
        cc.timed_out(seq(10_001), 1000, false);
        assert_eq!(cc.ssthresh(), 5000);
    }
}
