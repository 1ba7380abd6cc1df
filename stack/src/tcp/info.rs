//! What is known of a connection, and the options it has been given.

use super::TcpConfig;
use super::config::Keepalive;
use super::recovery::Phase;
use super::tcb::{MIN_MSS, State, Tcb};
use crate::option::ConnOption;
use crate::tcp_info::{CaState, TcpInfo, TcpState};
use crate::time::Instant;
use std::time::Duration;

/// IPv4 and TCP headers without options.
const HEADERS: u32 = 40;

impl Tcb {
    /// What Linux's TCP_INFO tells.
    pub fn tcp_info(&self, now: Instant, config: &TcpConfig) -> TcpInfo {
        let mss = self.snd.mss.max(1);
        let segments = |bytes: u32| bytes.div_ceil(mss);
        let ts_len = if self.ts.is_some() { 12 } else { 0 };
        let ssthresh = self.cc.ssthresh();
        TcpInfo {
            state: self.tcp_state(),
            ca_state: self.ca_state(),
            retransmits: if self.probing { 0 } else { self.rto.expired() },
            probes: if self.probing { self.rto.expired() } else { self.keepalive_sent },
            backoff: self.rto.backoff(),
            unreachable: self.unreachable,
            timestamps: self.ts.is_some(),
            sack: self.sack_ok,
            window_scaling: self.offer.window_scaling,
            ecn: self.ecn.on,
            snd_wscale: self.snd.wscale,
            rcv_wscale: self.rcv.wscale,
            congestion: self.cc.algorithm(),
            rto: self.rto.get(config),
            ato: config.delayed_ack,
            snd_mss: self.snd.mss,
            advmss: u32::from(self.offer.mss) - ts_len,
            pmtu: self.snd.mss + ts_len + HEADERS,
            unacked: segments(self.flight()),
            sacked: segments(self.sent.sacked()),
            lost: segments(self.sent.lost()),
            last_data_sent: now.since(self.last_sent),
            last_data_recv: now.since(self.last_data),
            last_ack_recv: now.since(self.last_heard),
            rtt: self.rto.srtt().unwrap_or_default(),
            rttvar: self.rto.rttvar(),
            min_rtt: self.rack.min_rtt().unwrap_or_default(),
            rcv_rtt: self.tune.rtt().unwrap_or_default(),
            snd_ssthresh: if ssthresh == u32::MAX { ssthresh } else { ssthresh / mss },
            snd_cwnd: self.cc.cwnd() / mss,
            snd_wnd: self.snd.wnd,
            rcv_wnd: self.rcv_wnd(),
            rcv_space: self.rx.limit() as u32,
            snd_space: self.tx.limit() as u32,
            reordering: self.rack.reordering_seen(),
            total_retrans: self.retransmits,
            bytes_sent: self.bytes_acked + u64::from(self.flight()) + self.bytes_retrans,
            bytes_retrans: self.bytes_retrans,
            bytes_acked: self.bytes_acked,
            bytes_received: self.bytes_received,
            segs_out: self.segs_out,
            segs_in: self.segs_in,
            data_segs_out: self.data_segs_out,
            data_segs_in: self.data_segs_in,
            notsent_bytes: (self.tx.len() as u32).saturating_sub(self.flight()),
            unacked_bytes: self.flight(),
            unread_bytes: self.rx.len() as u32,
            ooo_bytes: self.rx.out_of_order() as u32,
            dsack_dups: self.dsack_dups,
            delivery_rate: self.delivery_rate,
        }
    }

    fn tcp_state(&self) -> TcpState {
        match self.state {
            _ if self.over.is_some() => TcpState::Closed,
            State::SynSent => TcpState::SynSent,
            State::SynReceived => TcpState::SynReceived,
            State::Established => TcpState::Established,
            State::FinWait1 => TcpState::FinWait1,
            State::FinWait2 => TcpState::FinWait2,
            State::CloseWait => TcpState::CloseWait,
            State::Closing => TcpState::Closing,
            State::LastAck => TcpState::LastAck,
            State::Drained => TcpState::TimeWait,
        }
    }

    fn ca_state(&self) -> CaState {
        match self.recovery.phase {
            Phase::Open if self.sent.sacked() > 0 || self.dup_acks > 0 => CaState::Disorder,
            Phase::Open => CaState::Open,
            Phase::Cwr => CaState::Cwr,
            Phase::Recovery => CaState::Recovery,
            Phase::Loss => CaState::Loss,
        }
    }

    /// Changes an option of this connection. Returns whether something may be sent now.
    pub fn set_option(&mut self, option: ConnOption, now: Instant, config: &TcpConfig) -> bool {
        match option {
            ConnOption::SendBuffer(bytes) => self.tx.set_limit(bytes),
            ConnOption::RecvBuffer(bytes) => self.set_recv_buffer(bytes),
            ConnOption::MaxSegment(mss) => self.set_max_segment(mss),
            ConnOption::Congestion(algorithm) => self.cc.set_algorithm(algorithm),
            _ => {}
        }
        let user_timeout = self.user_timeout(config);
        let own = self.own.get_or_insert_default();
        match option {
            ConnOption::NoDelay(on) => own.nagle = Some(!on),
            ConnOption::Cork(on) => own.cork = on,
            ConnOption::QuickAck(on) => own.quick_ack = on,
            ConnOption::Keepalive(on) => own.keepalive_mut(config).0 = on,
            ConnOption::KeepaliveIdle(idle) => own.keepalive_mut(config).1.idle = idle,
            ConnOption::KeepaliveInterval(interval) => own.keepalive_mut(config).1.interval = interval,
            ConnOption::KeepaliveProbes(probes) => own.keepalive_mut(config).1.probes = probes,
            ConnOption::SendBuffer(_) => own.send_fixed = true,
            ConnOption::RecvBuffer(_) => own.recv_fixed = true,
            ConnOption::UserTimeout(time) => own.user_timeout = Some(time).filter(|t| !t.is_zero()),
            ConnOption::UserTimeoutExchange(on) => {
                own.exchange = on.then(|| own.exchange.unwrap_or_default());
            }
            ConnOption::SynRetries(n) => own.syn_retries = Some(n),
            ConnOption::FinTimeout(time) => own.fin_wait_2 = Some(time),
            ConnOption::DiffServ(field) => own.dscp = field >> 2,
            ConnOption::TimeToLive(ttl) => own.ttl = Some(ttl.max(1)),
            ConnOption::MaxSegment(_) | ConnOption::Congestion(_) => {}
        }
        if matches!(option, ConnOption::Keepalive(_) | ConnOption::KeepaliveIdle(_)) {
            self.arm_keepalive(now, config);
        }
        if matches!(option, ConnOption::UserTimeout(_) | ConnOption::UserTimeoutExchange(_)) {
            self.user_timeout_changed(user_timeout, config);
        }
        matches!(option, ConnOption::NoDelay(true) | ConnOption::Cork(false))
    }

    fn set_recv_buffer(&mut self, bytes: usize) {
        // Before our SYN or SYN,ACK has left no window is announced, and the scale may still be chosen.
        if self.snd.max == self.snd.iss {
            self.rx.set_limit(bytes);
            if self.offer.window_scaling {
                self.rcv.wscale = super::tcb::scale_for(self.rx.limit());
            }
        } else {
            self.rx.raise_limit(bytes);
        }
    }

    fn set_max_segment(&mut self, mss: u16) {
        let mss = mss.max(MIN_MSS as u16); // options have to fit, and text beside them
        self.offer.mss = self.offer.mss.min(mss);
        if self.state.is_synchronized() && self.snd.mss > u32::from(mss) {
            self.limit_segments(mss);
        }
    }

    /// RFC 9293 3.7.4
    #[inline]
    pub(super) fn nagle(&self, config: &TcpConfig) -> bool {
        self.own.as_ref().and_then(|own| own.nagle).unwrap_or(config.nagle)
    }

    /// Whether what does not fill a segment waits.
    #[inline]
    pub(super) fn corked(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.cork)
    }

    /// Whether every acknowledgement goes at once.
    #[inline]
    pub(super) fn quick_ack(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.quick_ack)
    }

    /// Keepalive, if it is on.
    #[inline]
    pub(super) fn keepalive(&self, config: &TcpConfig) -> Option<Keepalive> {
        let Some(own) = &self.own else { return config.keepalive };
        let mut keepalive = match own.keepalive {
            Some((on, keepalive)) => on.then_some(keepalive)?,
            None => config.keepalive?,
        };
        if own.exchange.is_some() {
            // RFC 5482 4.2: keepalive must not end what the time-out that both agreed on would keep
            keepalive.idle = keepalive.idle.max(self.user_timeout(config) + Duration::from_secs(1));
        }
        Some(keepalive)
    }

    /// How long FIN_WAIT_2 lasts after a close.
    pub fn fin_wait_2(&self, config: &TcpConfig) -> Duration {
        self.own.as_ref().and_then(|own| own.fin_wait_2).unwrap_or(config.fin_wait_2)
    }

    /// Whether our SYN was sent as often as was asked for.
    pub(super) fn syns_exhausted(&self) -> bool {
        let most = self.own.as_ref().and_then(|own| own.syn_retries);
        self.state == State::SynSent && most.is_some_and(|most| self.rto.expired() >= most)
    }

    /// The reader took `n` bytes: the buffer grows with the flow, up to `max` (see [`super::autotune`]).
    #[inline]
    pub fn reader_took(&mut self, n: usize, now: Instant, max: u32) {
        let (limit, mss) = (self.rx.limit() as u32, u32::from(self.offer.mss));
        if let Some(limit) = self.tune.taken(now, n as u32, mss, limit, max)
            && !self.own.as_ref().is_some_and(|own| own.recv_fixed)
        {
            self.rx.raise_limit(limit as usize);
        }
    }

    /// The send ring grows with the congestion window.
    pub(super) fn grow_send_ring(&mut self, config: &TcpConfig) {
        let limit = self.tx.limit() as u32;
        let max = u32::try_from(config.send_buffer).unwrap_or(u32::MAX);
        let wanted = super::autotune::send_limit(self.cc.cwnd(), limit, max);
        if wanted > limit && !self.own.as_ref().is_some_and(|own| own.send_fixed) {
            self.tx.raise_limit(wanted as usize);
        }
    }
}
