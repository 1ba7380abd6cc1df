//! What the clock asks of a connection.

use super::TcpConfig;
use super::tcb::{AckDue, State, Tcb};
use crate::counters::Counters;
use crate::service::CloseReason;
use crate::time::Instant;

/// What the timers that fell due want.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// There is something to send.
    pub output: bool,
    /// The service's own timer.
    pub service: bool,
    /// The connection is given up.
    pub over: Option<CloseReason>,
    /// Several time-outs in a row: perhaps the next hop has moved.
    pub suspect_next_hop: bool,
}

impl Tcb {
    /// Runs every timer that is due at `now`.
    pub fn timers(&mut self, now: Instant, config: &TcpConfig, counters: &mut Counters) -> Fired {
        let mut fired = Fired::default();
        if due(self.deadlines.give_up, now) {
            counters.tcp_given_up += 1;
            fired.over = Some(CloseReason::TimedOut);
            return fired;
        }
        if due(self.deadlines.retransmit, now) {
            self.retransmit_timer(now, config, counters);
            fired.output = true;
            fired.suspect_next_hop = self.rto.expired() >= 2;
        }
        if let AckDue::Delayed(at) = self.ack
            && at <= now
        {
            self.ack_now();
            counters.tcp_delayed_acks += 1;
            fired.output = true;
        }
        if due(self.deadlines.keepalive, now) {
            self.keepalive_timer(now, config, &mut fired);
        }
        if due(self.deadlines.service, now) {
            self.deadlines.service = None;
            fired.service = true;
        }
        fired
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
        // R2 of RFC 9293 3.8.3: measured from the first time-out; a handshake has its own limit.
        if self.deadlines.give_up.is_none() {
            self.deadlines.give_up = Some(now + config.user_timeout);
        }
        if self.probing {
            counters.tcp_window_probes += 1;
            self.probe_now = true;
            return;
        }
        counters.tcp_timeouts += 1;
        self.timed = None; // Karn
        self.resent = Some((self.snd.max, self.ts_value(now)));
        if matches!(self.state, State::SynSent | State::SynReceived) {
            self.snd.nxt = self.snd.iss;
            return;
        }
        let outstanding = self.snd.max - self.snd.una;
        let flight = if first { outstanding } else { self.flight() };
        self.cc.timed_out(self.snd.max, flight, first);
        // Everything from the oldest unacknowledged byte on goes again, as the window opens (RFC 6298 5.4, RFC 5681 3.1).
        self.snd.nxt = self.snd.una;
        self.retransmit_head = false;
    }

    /// RFC 9293 3.8.4
    fn keepalive_timer(&mut self, now: Instant, config: &TcpConfig, fired: &mut Fired) {
        let Some(keepalive) = config.keepalive else {
            self.deadlines.keepalive = None;
            return;
        };
        if self.keepalive_sent >= keepalive.probes {
            fired.over = Some(CloseReason::TimedOut);
            return;
        }
        // Data in flight is a probe already.
        if self.snd.una == self.snd.max {
            self.keepalive_sent += 1;
            self.keepalive_now = true;
            fired.output = true;
        }
        self.deadlines.keepalive = Some(now + keepalive.interval);
    }
}

fn due(deadline: Option<Instant>, now: Instant) -> bool {
    deadline.is_some_and(|at| at <= now)
}
