//! Repairing losses: when it begins and ends, how fast it sends (RFC 6675, PRR of RFC 6937), and when it turns out to have
//! been needless (RFC 3522, 3708, 5682).

use ferroflow_wire::SeqNumber;

/// How far RecoveryPoint may lie behind before it moves on: sequence numbers are compared modulo 2^32.
const MAX_BEHIND: i32 = 1 << 30;

/// What a connection is doing about losses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: there are none.
    #[default]
    Open,
    /// A router has signalled congestion by ECN: the window comes down, nothing is lost (RFC 3168 6.1.2).
    Cwr,
    /// Fast recovery (RFC 6675 5).
    Recovery,
    /// After a retransmission time-out (RFC 5681 3.1).
    Loss,
}

/// One episode of repair, and the last one when it is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Recovery {
    /// What is going on.
    pub phase: Phase,
    /// RecoveryPoint (RFC 6675 2): what was sent when it began; it is over once all of that is acknowledged.
    pub high: SeqNumber,
    /// F-RTO is deciding whether the time-out was spurious (RFC 5682 3.1).
    pub frto: bool,
    /// F-RTO step 2b: two new segments instead of old ones; this many bytes of them are left.
    pub new_first: u32,
    /// Whether the reduction may still be taken back.
    may_undo: bool,
    /// SND.UNA when it began.
    from: SeqNumber,
    /// RecoverFS, prr_delivered and prr_out of RFC 9937 6.
    prr_base: u32,
    prr_delivered: u32,
    prr_out: u32,
    /// Behind what was sent again last.
    pub resent_end: SeqNumber,
    /// Bytes sent again, and bytes of them that the peer says it had already.
    resent: u32,
    in_vain: u32,
    /// TSval of the first retransmission.
    first_resent: Option<u32>,
}

impl Recovery {
    /// Begins an episode; everything sent ends at `nxt`, and `out` bytes of it had not arrived before the acknowledgement
    /// that begins it, as far as is known (RecoverFS of RFC 9937 6.1: what arrived earlier earns nothing in it).
    pub fn begin(&mut self, phase: Phase, una: SeqNumber, nxt: SeqNumber, out: u32) {
        // A time-out during fast recovery adds to the same reduction: what was sent again before counts on.
        let goes_on = self.phase == Phase::Recovery || self.phase == Phase::Loss;
        let former = *self;
        *self = Recovery {
            phase,
            high: nxt,
            may_undo: phase != Phase::Cwr,
            from: una,
            prr_base: out.max(1),
            ..Recovery::default()
        };
        if goes_on {
            self.may_undo = former.may_undo;
            self.from = former.from;
            self.resent = former.resent;
            self.in_vain = former.in_vain;
            self.first_resent = former.first_resent;
        }
    }

    /// Everything before `una` has arrived: `high` of an episode that is long over must not seem to lie ahead.
    #[inline]
    pub fn follow(&mut self, una: SeqNumber) {
        if self.phase == Phase::Open && una.diff(self.high) > MAX_BEHIND {
            self.high = una - 1;
        }
    }

    /// Whether losses are being repaired.
    #[inline]
    pub fn repairing(&self) -> bool {
        matches!(self.phase, Phase::Recovery | Phase::Loss)
    }

    /// Whether PRR governs the window.
    #[inline]
    pub fn reducing(&self) -> bool {
        matches!(self.phase, Phase::Recovery | Phase::Cwr)
    }

    /// `bytes` leave while the window is coming down.
    #[inline]
    pub fn sent(&mut self, bytes: u32) {
        self.prr_out = self.prr_out.saturating_add(bytes);
    }

    /// `bytes` that end at `end` leave again; `ts_value` is the segment's timestamp.
    pub fn resent(&mut self, end: SeqNumber, bytes: u32, ts_value: Option<u32>) {
        self.resent_end = end;
        self.resent = self.resent.saturating_add(bytes);
        self.first_resent = self.first_resent.or(ts_value);
    }

    /// RecoverFS of RFC 9937 6.1.
    #[inline]
    pub fn flight(&self) -> u32 {
        self.prr_base
    }

    /// The window after an acknowledgement that tells of `delivered` bytes (RFC 9937 6.2). `safe`: it moves on and shows no
    /// further loss.
    pub fn prr(&mut self, delivered: u32, pipe: u32, ssthresh: u32, mss: u32, safe: bool) -> u32 {
        self.prr_delivered = self.prr_delivered.saturating_add(delivered);
        let send = if pipe > ssthresh {
            let share = u64::from(self.prr_delivered) * u64::from(ssthresh);
            let share = u32::try_from(share.div_ceil(u64::from(self.prr_base))).unwrap_or(u32::MAX);
            share.saturating_sub(self.prr_out)
        } else {
            let conserve = self.prr_delivered.saturating_sub(self.prr_out);
            let limit = conserve.max(delivered) + if safe { mss } else { 0 };
            limit.min(ssthresh - pipe)
        };
        // The first retransmission does not wait.
        let least = if self.prr_out == 0 { mss } else { 0 };
        pipe.saturating_add(send.max(least))
    }

    /// A D-SACK block: the peer had `start .. end` already (RFC 3708).
    pub fn dsack(&mut self, start: SeqNumber, end: SeqNumber) {
        if start.ge(self.from) && end.le(self.high) {
            self.in_vain = self.in_vain.saturating_add(end - start);
        }
    }

    /// Whether all that was sent again had arrived before.
    pub fn all_in_vain(&self) -> bool {
        self.may_undo && self.resent > 0 && self.in_vain >= self.resent
    }

    /// Whether an acknowledgement that moves on answers the first transmission (Eifel detection, RFC 3522 3.2), by its
    /// echoed timestamp; or nothing had been sent again at all.
    pub fn answers_original(&self, echo: Option<u32>) -> bool {
        if !self.may_undo || !self.repairing() {
            return false;
        }
        match (self.first_resent, echo) {
            (None, _) => self.resent == 0,
            (Some(first), Some(echo)) => (echo.wrapping_sub(first) as i32) < 0,
            (Some(_), None) => false,
        }
    }

    /// The echoed timestamp shows that a segment sent before the first retransmission of this episode was answered.
    pub fn echo_is_old(&self, echo: Option<u32>) -> bool {
        matches!((self.first_resent, echo), (Some(first), Some(echo)) if (echo.wrapping_sub(first) as i32) < 0)
    }

    /// The reduction was taken back.
    pub fn undone(&mut self) {
        self.end();
        self.may_undo = false;
    }

    /// It is over; a D-SACK may still show that it was needless.
    pub fn end(&mut self) {
        self.phase = Phase::Open;
        self.frto = false;
        self.new_first = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u32) -> SeqNumber {
        SeqNumber(n)
    }

    #[test]
    fn prr_sends_in_proportion_and_ends_at_ssthresh() {
        let mut r = Recovery::default();
        r.begin(Phase::Recovery, seq(0), seq(100_000), 100_000);
        let (ssthresh, mss) = (50_000, 1000);
        let (mut pipe, mut sent) = (97_000u32, 0);
        for _ in 0..97 {
            pipe -= mss;
            let cwnd = r.prr(mss, pipe, ssthresh, mss, true);
            while pipe + mss <= cwnd {
                pipe += mss;
                sent += mss;
                r.sent(mss);
            }
        }
        // One for two, as ssthresh is half.
        assert!((47_000..=51_000).contains(&sent), "{sent}");
        assert!((49_000..=51_000).contains(&pipe), "{pipe}");
    }

    #[test]
    fn prr_after_heavy_loss_grows_as_in_slow_start_only_while_it_is_safe() {
        let mut r = Recovery::default();
        r.begin(Phase::Recovery, seq(0), seq(20_000), 20_000);
        let cwnd = r.prr(1000, 3000, 10_000, 1000, true);
        assert_eq!(cwnd, 3000 + 2000);
        r.sent(2000);
        let cwnd = r.prr(1000, 4000, 10_000, 1000, false);
        assert_eq!(cwnd, 4000 + 1000, "what is delivered makes room for as much");
    }

    #[test]
    fn what_was_sent_in_vain_is_counted_only_in_this_episode() {
        let mut r = Recovery::default();
        r.begin(Phase::Recovery, seq(1000), seq(9000), 8000);
        r.resent(seq(3000), 2000, Some(500));
        r.dsack(seq(0), seq(1000));
        assert!(!r.all_in_vain());
        r.dsack(seq(1000), seq(3000));
        assert!(r.all_in_vain());
        r.undone();
        assert!(!r.all_in_vain());
    }

    #[test]
    fn the_recovery_point_never_seems_to_lie_ahead() {
        let mut r = Recovery::default();
        r.begin(Phase::Recovery, seq(0), seq(5000), 5000);
        r.follow(seq(6000 + (1 << 30)));
        assert_eq!(r.high, seq(5000), "an episode ends by its own");
        r.end();
        let mut una = seq(5000);
        for _ in 0..100 {
            una += 100_000_000;
            r.follow(una);
            assert!(una.gt(r.high));
        }
    }

    #[test]
    fn an_older_echo_answers_the_original() {
        let mut r = Recovery::default();
        r.begin(Phase::Loss, seq(0), seq(5000), 5000);
        assert!(r.answers_original(None), "nothing was sent again");
        r.resent(seq(1000), 1000, Some(100));
        assert!(r.answers_original(Some(99)));
        assert!(!r.answers_original(Some(100)));
        assert!(!r.answers_original(None));
    }
}
