//! What the clock asks of a connection.

use std::time::Duration;

use super::TcpConfig;
use super::recovery::Phase;
use super::tcb::{AckDue, Early, State, Tcb};
use crate::counters::Counters;
use crate::service::CloseReason;
use crate::time::Instant;

/// Retransmissions of a segment that make the next hop suspect (RFC 9293 3.8.3, MUST-20 (b), SHLD-10).
const R1: u32 = 3;
/// Least time between two keepalive probes, as on Linux: with none at all the timer would be due for ever.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// What the timers that fell due want.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// There is something to send.
    pub output: bool,
    /// The service's own timer.
    pub service: bool,
    /// The connection is given up.
    pub over: Option<CloseReason>,
    /// Buffers were given back.
    pub trimmed: bool,
    /// Several time-outs in a row: perhaps the next hop has moved.
    pub suspect_next_hop: bool,
}

impl Tcb {
    /// Runs every timer that is due at `now`.
    pub fn timers(&mut self, now: Instant, config: &TcpConfig, counters: &mut Counters) -> Fired {
        let mut fired = Fired::default();
        if due(self.deadlines.give_up, now) {
            counters.tcp_given_up += 1;
            fired.over = Some(self.out_of_time());
            return fired;
        }
        if due(self.deadlines.retransmit, now) && self.syns_exhausted() {
            counters.tcp_given_up += 1;
            fired.over = Some(self.out_of_time());
            return fired;
        }
        // Before the retransmission time-out, which a probe puts off: with a coarse clock both may be due at once.
        if let Some((at, what)) = self.deadlines.early
            && at <= now
        {
            self.early_timer(what, now, config, counters);
            fired.output = true;
        }
        if due(self.deadlines.retransmit, now) {
            self.retransmit_timer(now, config, counters);
            fired.output = true;
            fired.suspect_next_hop = self.rto.expired() >= R1;
        }
        if self.pace_waits && self.pace_at <= now {
            self.pace_waits = false;
            fired.output = true;
        }
        if let AckDue::Delayed(at) = self.ack
            && at <= now
        {
            self.ack_now();
            counters.tcp_delayed_acks += 1;
            fired.output = true;
        }
        if due(self.deadlines.keepalive, now) {
            self.keepalive_timer(now, config, counters, &mut fired);
        }
        if due(self.deadlines.trim, now) {
            self.deadlines.trim = None;
            self.shrink();
            fired.trimmed = true;
        }
        if due(self.deadlines.service, now) {
            self.deadlines.service = None;
            fired.service = true;
        }
        fired
    }

    /// Time is over; if ICMP has said why, the service is told (RFC 1122 4.2.3.9: soft errors).
    fn out_of_time(&self) -> CloseReason {
        if self.unreachable { CloseReason::Unreachable } else { CloseReason::TimedOut }
    }

    fn retransmit_timer(&mut self, now: Instant, config: &TcpConfig, counters: &mut Counters) {
        if self.snd.max == self.snd.iss {
            // Our SYN has not even left: its next hop is not known yet.
            self.deadlines.retransmit = Some(now + self.rto.get(config));
            return;
        }
        let first = self.rto.expired() == 0;
        self.rto.back_off();
        self.deadlines.retransmit = Some(now + self.rto.get(config));
        // R2 of RFC 9293 3.8.3, counted from when the text was sent (RFC 5482 1) or the last of the text before it was
        // acknowledged; a handshake has its own limit.
        if self.deadlines.give_up.is_none() {
            let since = if self.sent.is_empty() { now } else { self.waiting_since };
            self.deadlines.give_up = Some(since + self.user_timeout(config));
        }
        if self.probing {
            counters.tcp_window_probes += 1;
            self.probe_now = true;
            return;
        }
        counters.tcp_timeouts += 1;
        self.timed = None; // Karn
        if matches!(self.state, State::SynSent | State::SynReceived) {
            self.snd.nxt = self.snd.iss;
            return;
        }
        self.time_out(now, first, config, counters);
    }

    /// RFC 5681 3.1, RFC 6298 5.4, RFC 8985 6.3: the first segment goes again, and what is as old as it when the window
    /// allows.
    fn time_out(&mut self, now: Instant, first: bool, config: &TcpConfig, counters: &mut Counters) {
        self.path_timed_out(now, config, counters);
        let load = self.load(0);
        // RFC 5682 2.1, 3.1: not in the midst of another repair; but once more if the same segment times out again.
        let f_rto = if first { !self.recovery.repairing() } else { self.recovery.frto };
        if first {
            self.count_failure(counters);
        }
        let before = if self.sack_ok { now - self.rack_patience() } else { now };
        if self.sent.time_out(self.snd.mss, before) {
            counters.tcp_sack_reneging += 1;
        }
        self.cc.timed_out(now, load, first);
        self.tlp.forget();
        self.deadlines.early = None;
        self.begin_episode(Phase::Loss, 0);
        self.recovery.frto = config.f_rto && f_rto;
        self.ecn.reduced = self.ecn.on; // RFC 3168 6.1.2
        self.dup_acks = 0;
        self.resend_one = true;
    }

    /// Whether something else had tried to repair what now takes a time-out.
    fn count_failure(&self, counters: &mut Counters) {
        let disorder = self.sent.sacked() > 0 || self.dup_acks > 0;
        match self.recovery.phase {
            Phase::Loss => counters.tcp_loss_failures += 1,
            Phase::Open | Phase::Cwr if !disorder => {}
            _ if self.sack_ok => counters.tcp_sack_failures += 1,
            _ => counters.tcp_reno_failures += 1,
        }
    }

    /// The reordering timer, or the tail loss probe (RFC 8985 6.3, 7.3).
    fn early_timer(&mut self, what: Early, now: Instant, config: &TcpConfig, counters: &mut Counters) {
        self.deadlines.early = None;
        match what {
            Early::Probe => {
                counters.tcp_loss_probes += 1;
                self.probe_tail = true;
                self.deadlines.retransmit = Some(now + self.rto.get(config));
            }
            Early::Reordering => {
                let lost = self.detect_losses(now, counters);
                if lost == 0 || self.path_lost(lost, now, counters) {
                    return;
                }
                if self.recovery.repairing() {
                    // What was sent again is lost again: nothing is acknowledged that PRR could answer with a segment.
                    self.resend_one = true;
                } else {
                    self.begin_recovery(0, 0, now, counters);
                    // RFC 9438 4.6: at once. No acknowledgement has come that PRR could answer.
                    self.cc.set_cwnd(self.cc.cwnd().min(self.cc.ssthresh()));
                }
            }
        }
    }

    /// RFC 9293 3.8.4
    fn keepalive_timer(
        &mut self,
        now: Instant,
        config: &TcpConfig,
        counters: &mut Counters,
        fired: &mut Fired,
    ) {
        let Some(keepalive) = self.keepalive(config) else {
            self.deadlines.keepalive = None;
            return;
        };
        // The time may have become longer since the clock was set.
        let first = self.last_heard + keepalive.idle;
        if self.keepalive_sent == 0 && now < first {
            self.deadlines.keepalive = Some(first);
            return;
        }
        if self.keepalive_sent >= keepalive.probes {
            counters.tcp_given_up += 1;
            fired.over = Some(self.out_of_time());
            return;
        }
        // Data in flight is a probe already.
        if self.snd.una == self.snd.max {
            counters.tcp_keepalive_probes += 1;
            self.keepalive_sent += 1;
            self.keepalive_now = true;
            fired.output = true;
        }
        self.deadlines.keepalive = Some(now + keepalive.interval.max(MIN_INTERVAL));
    }
}

fn due(deadline: Option<Instant>, now: Instant) -> bool {
    deadline.is_some_and(|at| at <= now)
}
