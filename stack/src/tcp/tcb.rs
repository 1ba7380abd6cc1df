//! What one connection remembers (RFC 9293 3.3.1): plain data, no pointers, no clock.

use std::time::Duration;

use ferroflow_wire::{MacAddr, SeqNumber};

use super::TcpConfig;
use super::autotune::Autotune;
use super::cc::Control;
use super::ecn::{self, Ecn};
use super::input::Segment;
use super::mtu::PathMtu;
use super::rack::{Rack, Tlp};
use super::recovery::Recovery;
use super::recv::RecvBuffer;
use super::rto::Rto;
use super::sent::Sent;
use super::table::Key;
use super::ts_clock::TsClock;
use super::urgent::Urgent;
use crate::option::{ConnOption, Own};
use crate::ring::SendRing;
use crate::service::{CloseReason, ConnInfo};
use crate::time::Instant;

/// States of RFC 9293 3.3.2. LISTEN is a listener, TIME_WAIT a [`super::time_wait::TimeWait`], CLOSED nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Waiting for the answer to our SYN.
    SynSent,
    /// Waiting for the ACK of our SYN, having received one.
    SynReceived,
    /// Data may flow both ways.
    Established,
    /// We have sent FIN, the peer has neither acknowledged it nor sent its own.
    FinWait1,
    /// Our FIN is acknowledged; the peer may still send.
    FinWait2,
    /// The peer has sent FIN; we may still send.
    CloseWait,
    /// Both have sent FIN; ours is not acknowledged yet.
    Closing,
    /// The peer closed first; our FIN is not acknowledged yet.
    LastAck,
    /// Nothing more can happen on the wire (CLOSED or TIME_WAIT); only unread bytes are left.
    Drained,
}

impl State {
    /// Whether the handshake is done.
    #[inline]
    pub fn is_synchronized(self) -> bool {
        !matches!(self, State::SynSent | State::SynReceived)
    }
}

/// The send sequence space.
#[derive(Debug, Clone, Copy)]
pub struct Snd {
    /// Initial sequence number.
    pub iss: SeqNumber,
    /// Oldest unacknowledged.
    pub una: SeqNumber,
    /// Next to send; `iss` again when the SYN is to be sent again.
    pub nxt: SeqNumber,
    /// Behind the last ever sent: a window probe's byte is beyond `nxt`.
    pub max: SeqNumber,
    /// The peer's window, scaled.
    pub wnd: u32,
    /// Segment sequence number of the last window update.
    pub wl1: SeqNumber,
    /// Segment acknowledgement number of the last window update.
    pub wl2: SeqNumber,
    /// Largest window the peer ever offered.
    pub max_wnd: u32,
    /// Shift of the peer's windows (RFC 7323 2.2).
    pub wscale: u8,
    /// Most payload bytes of a segment, options deducted (RFC 9293 3.7.1).
    pub mss: u32,
}

/// The receive sequence space.
#[derive(Debug, Clone, Copy)]
pub struct Rcv {
    /// Next expected.
    pub nxt: SeqNumber,
    /// Right edge of the window as announced; it never moves left (RFC 9293 3.8.6, SHLD-14).
    pub adv: SeqNumber,
    /// Initial sequence number of the peer.
    pub irs: SeqNumber,
    /// Shift of our windows.
    pub wscale: u8,
    /// Sequence number of the peer's FIN, once one was seen.
    pub fin: Option<SeqNumber>,
}

/// Timestamps (RFC 7323 3), when both sides use them.
#[derive(Debug, Clone, Copy)]
pub struct Timestamps {
    /// TS.Recent.
    pub recent: u32,
    /// When `recent` was updated; it is not compared after 24 days (RFC 7323 5.5).
    pub recent_at: Instant,
    /// Last.ACK.sent
    pub last_ack_sent: SeqNumber,
}

/// Acknowledgements that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckDue {
    /// None.
    No,
    /// One, by this time (RFC 9293 3.8.6.3).
    Delayed(Instant),
    /// This many pure ones, at the end of the burst: one, or one per out-of-order segment (RFC 5681 4.2).
    Now(u8),
}

/// What comes before the retransmission time-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// Something that was overtaken counts as lost (RFC 8985 6.3).
    Reordering,
    /// A tail loss probe is due (RFC 8985 7.3).
    Probe,
}

/// Deadlines of one connection; each at most one point in time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deadlines {
    /// Retransmission, or window probe when `probing`.
    pub retransmit: Option<Instant>,
    /// What is due before that.
    pub early: Option<(Instant, Early)>,
    /// Giving up: the handshake, unacknowledged data, or FIN_WAIT_2 after close.
    pub give_up: Option<Instant>,
    /// Next keepalive probe.
    pub keepalive: Option<Instant>,
    /// The service's own timer.
    pub service: Option<Instant>,
    /// Giving back the memory of buffers, if nothing happens until then.
    pub trim: Option<Instant>,
}

/// One connection. Its fields are in the order in which they are needed, those that every segment needs in as few cache
/// lines as can be: with many connections, waiting for memory is most of the work.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Tcb {
    // Every segment needs these.
    /// Who it is with, and its place in the table.
    pub key: Key,
    /// Send sequence space.
    pub snd: Snd,
    /// Receive sequence space.
    pub rcv: Rcv,
    /// `Some` once both SYNs carried the option.
    pub ts: Option<Timestamps>,
    /// Where TSval comes from.
    pub ts_clock: TsClock,
    /// When the next segment may leave, if sending is paced.
    pub pace_at: Instant,
    /// A segment waits for that.
    pub pace_waits: bool,
    /// In-order bytes received since the last ACK.
    pub unacked: u32,
    /// The most of them that came in one frame.
    pub unacked_at_once: u32,
    /// Acknowledgements that are due.
    pub ack: AckDue,
    /// Time of the timer wheel's entry.
    pub scheduled: Instant,
    /// When an unacceptable segment without text was last answered.
    pub answered: Option<Instant>,
    /// When a segment was last sent (RFC 5681 4.1).
    pub last_sent: Instant,
    /// Since when what is first in flight has been unacknowledged: when SND.UNA moved last, or something left with nothing in
    /// flight.
    pub waiting_since: Instant,
    /// When the last acceptable segment arrived.
    pub last_heard: Instant,
    /// When the last text arrived.
    pub last_data: Instant,
    /// Bytes received in order.
    pub bytes_received: u64,
    /// See `segs_out`.
    pub segs_in: u32,
    /// See `segs_out`.
    pub data_segs_in: u32,
    /// Segments sent and received, and those of them with text.
    pub segs_out: u32,
    /// Bytes of buffers that the instance knows of (see [`Tcb::memory`]).
    pub counted: u32,
    /// Received and not read.
    pub rx: RecvBuffer,
    /// Written and not acknowledged.
    pub tx: SendRing,
    /// How the receive buffer grows.
    pub tune: Autotune,
    /// What the clock has to do with it.
    pub deadlines: Deadlines,
    /// Where frames to the peer go; learnt from what it sends, or by ARP.
    pub next_hop: Option<MacAddr>,
    /// Whether our SYN offers timestamps / window scaling.
    pub offer: Offer,
    /// The listener it came in by, until it is established.
    pub listener: Option<u16>,
    /// RFC 3168
    pub ecn: Ecn,
    /// RFC 9293 3.3.2
    pub state: State,
    /// It is over; only the service's last callback is due.
    pub over: Option<CloseReason>,
    /// The service has been told of it and keeps something for it.
    pub told: bool,
    /// The service is done: data that still arrives is answered with a reset.
    pub service_done: bool,
    /// The service wants to send no more: FIN after what is in `tx`.
    pub fin_wanted: bool,
    /// The service has been told that the peer's FIN is there.
    pub fin_told: bool,
    /// The service has been told of the peer's FIN, having taken everything before it.
    pub eof_told: bool,
    /// We opened it.
    pub active: bool,
    /// In the list of connections whose unread bytes are to be offered again.
    pub resumed: bool,
    /// Both SYNs carried SACK-permitted (RFC 2018 2).
    pub sack_ok: bool,
    /// So many of the next segments are acknowledged at once: the sender is repairing losses, and its window is small.
    pub quick_acks: u8,
    /// The first segment that is lost is to be sent again at once, whatever the window says.
    pub resend_one: bool,
    /// A tail loss probe is to be sent now.
    pub probe_tail: bool,
    /// The retransmission timer probes a closed window (RFC 9293 3.8.6.1).
    pub probing: bool,
    /// A window probe is to be sent now.
    pub probe_now: bool,
    /// A keepalive probe is to be sent now.
    pub keepalive_now: bool,
    /// Keepalive probes since the peer was last heard.
    pub keepalive_sent: u32,
    /// Options of this connection alone.
    pub(crate) own: Option<Box<Own>>,
    /// What is in flight.
    pub sent: Sent,
    /// How losses are repaired.
    pub recovery: Recovery,
    // What is in flight needs these.
    /// Duplicate acknowledgements in a row; counted only without SACK.
    pub dup_acks: u32,
    /// Bytes known to have arrived, modulo 2^32.
    pub delivered: u32,
    /// The congestion window holds something back in this output.
    pub held_back: bool,
    /// It did when `max_flight` was noted.
    pub cwnd_limited: bool,
    /// Most bytes in flight in this round trip, which ends at `flight_round`.
    pub max_flight: u32,
    /// See `max_flight`.
    pub flight_round: SeqNumber,
    /// See `segs_out`.
    pub data_segs_out: u32,
    /// RFC 8985 7
    pub tlp: Tlp,
    /// RFC 6298
    pub rto: Rto,
    /// RFC 8985 6
    pub rack: Rack,
    /// The congestion window.
    pub cc: Control,
    /// Bytes a second that arrived in the last round trip.
    pub delivery_rate: u64,
    /// Bytes of ours that were acknowledged.
    pub bytes_acked: u64,
    // The rest is needed now and then.
    /// When our SYN was sent, if only once (Karn).
    pub timed: Option<(SeqNumber, Instant)>,
    /// See [`ConnInfo::token`].
    pub token: u64,
    /// Segments sent again.
    pub retransmits: u32,
    /// Bytes sent again.
    pub bytes_retrans: u64,
    /// D-SACK blocks received.
    pub dsack_dups: u32,
    /// The largest segment that the path carries.
    pub mtu: PathMtu,
    /// ICMP says that the peer cannot be reached, and nothing was acknowledged since.
    pub unreachable: bool,
    /// RFC 9293 3.8.5
    pub urgent: Urgent,
}

/// What our SYN offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// MSS option: what we can receive (RFC 9293 3.7.1).
    pub mss: u16,
    /// RFC 7323 3
    pub timestamps: bool,
    /// RFC 7323 2
    pub window_scaling: bool,
    /// RFC 2018 2
    pub sack: bool,
    /// RFC 3168 6.1.1: what our SYN asked for, or our SYN,ACK grants.
    pub ecn: bool,
}

/// MSS to assume when the peer names none (RFC 9293 3.7.1, MUST-15).
const DEFAULT_MSS: u32 = 536;
/// Smallest MSS to believe: less only serves to make us work.
pub(super) const MIN_MSS: u32 = 64;
/// Bytes of the timestamps option, padded.
pub(super) const TIMESTAMPS_LEN: u32 = 12;

/// How a new connection begins.
pub struct Open<'a> {
    /// Who with.
    pub key: Key,
    /// See [`ConnInfo::token`].
    pub token: u64,
    /// Initial sequence number (RFC 6528).
    pub iss: SeqNumber,
    /// Random offset of our timestamps.
    pub ts_offset: u32,
    /// Largest segment we can receive: the port's MTU less 40.
    pub mss: u16,
    /// What it is to have from its SYN on.
    pub options: &'a [ConnOption],
}

impl Tcb {
    /// An active open: SYN is to be sent.
    pub fn active(open: Open<'_>, now: Instant, config: &TcpConfig) -> Tcb {
        let mut tcb = Tcb::new(open, State::SynSent, now, config);
        tcb.deadlines.give_up = Some(now + config.connect_timeout);
        tcb
    }

    /// A SYN has come in: SYN,ACK is to be sent.
    pub fn passive(
        open: Open<'_>,
        listener: u16,
        syn: &Segment<'_>,
        now: Instant,
        config: &TcpConfig,
    ) -> Tcb {
        let mut tcb = Tcb::new(open, State::SynReceived, now, config);
        tcb.listener = Some(listener);
        tcb.deadlines.give_up = Some(now + config.accept_timeout);
        tcb.syn_received(syn, now, config);
        tcb
    }

    fn new(open: Open<'_>, state: State, now: Instant, config: &TcpConfig) -> Tcb {
        let Open { key, token, iss, ts_offset, mss, options } = open;
        let rx = RecvBuffer::new(config.recv_buffer_initial.min(config.recv_buffer));
        let wscale = if config.window_scaling { scale_for(config.recv_buffer) } else { 0 };
        let mut tcb = Tcb {
            key,
            token,
            next_hop: None,
            state,
            listener: None,
            snd: Snd {
                iss,
                una: iss,
                nxt: iss,
                max: iss,
                wnd: 0,
                wl1: SeqNumber(0),
                wl2: SeqNumber(0),
                max_wnd: 0,
                wscale: 0,
                mss: DEFAULT_MSS.min(u32::from(mss)),
            },
            rcv: Rcv { nxt: SeqNumber(0), adv: SeqNumber(0), irs: SeqNumber(0), wscale, fin: None },
            ts: None,
            ts_clock: TsClock::new(ts_offset),
            offer: Offer {
                mss,
                timestamps: config.timestamps,
                window_scaling: config.window_scaling,
                sack: config.sack,
                ecn: false,
            },
            tx: SendRing::new(config.send_buffer_initial.min(config.send_buffer)),
            rx,
            rto: Rto::new(config),
            cc: Control::new(config.congestion, DEFAULT_MSS.min(u32::from(mss)), config.initial_window),
            sent: Sent::default(),
            rack: Rack::default(),
            tlp: Tlp::default(),
            mtu: PathMtu::new(mss),
            unreachable: false,
            urgent: Urgent::default(),
            recovery: Recovery::default(),
            ecn: Ecn::default(),
            sack_ok: false,
            dup_acks: 0,
            delivered: 0,
            delivery_rate: 0,
            held_back: false,
            cwnd_limited: false,
            max_flight: 0,
            flight_round: iss,
            bytes_acked: 0,
            bytes_received: 0,
            retransmits: 0,
            bytes_retrans: 0,
            segs_out: 0,
            segs_in: 0,
            data_segs_out: 0,
            data_segs_in: 0,
            dsack_dups: 0,
            last_heard: now,
            last_data: now,
            tune: Autotune::new(now, SeqNumber(0), 0),
            own: None,
            deadlines: Deadlines::default(),
            scheduled: Instant::FAR,
            ack: AckDue::No,
            pace_at: now,
            pace_waits: false,
            unacked: 0,
            unacked_at_once: 0,
            quick_acks: 0,
            resend_one: false,
            probe_tail: false,
            probing: false,
            probe_now: false,
            keepalive_now: false,
            keepalive_sent: 0,
            timed: None,
            answered: None,
            last_sent: now,
            waiting_since: now,
            fin_wanted: false,
            service_done: false,
            fin_told: false,
            eof_told: false,
            active: state == State::SynSent,
            told: false,
            over: None,
            resumed: false,
            counted: 0,
        };
        for &option in options {
            tcb.set_option(option, now, config);
        }
        tcb
    }

    /// Takes what the peer's SYN says. The window of a SYN is never scaled (RFC 7323 2.2).
    pub fn syn_received(&mut self, syn: &Segment<'_>, now: Instant, config: &TcpConfig) {
        let Segment { seq, window, options, .. } = *syn;
        self.rcv.irs = seq;
        self.rcv.nxt = seq + 1;
        self.rcv.adv = self.rcv.nxt;
        self.snd.wnd = u32::from(window);
        self.snd.max_wnd = self.snd.wnd;
        self.snd.wl1 = seq;
        match options.window_scale {
            // RFC 7323 2.3: a shift above 14 is taken for 14
            Some(shift) if self.offer.window_scaling => self.snd.wscale = shift.min(14),
            _ => {
                self.offer.window_scaling = false;
                self.rcv.wscale = 0;
            }
        }
        match options.timestamps {
            Some((value, _)) if self.offer.timestamps => {
                self.ts = Some(Timestamps { recent: value, recent_at: now, last_ack_sent: self.rcv.nxt });
            }
            _ => self.offer.timestamps = false,
        }
        self.sack_ok = self.offer.sack && options.sack_permitted;
        self.offer.sack = self.sack_ok;
        self.ecn.on = ecn::negotiate(config.ecn, syn.flags, self.offer.ecn);
        self.offer.ecn = self.ecn.on;
        let theirs = options.mss.map_or(DEFAULT_MSS, u32::from).max(MIN_MSS);
        let ours = u32::from(self.offer.mss);
        let overhead = if self.ts.is_some() { TIMESTAMPS_LEN } else { 0 };
        self.snd.mss = theirs.min(ours) - overhead;
        self.mtu = PathMtu::new(theirs.min(ours) as u16);
        self.user_timeout_received(options.user_timeout, config);
        self.cc.set_mss(self.snd.mss, config.initial_window);
    }

    /// Sequence number of the first byte in `tx`.
    #[inline]
    pub fn tx_base(&self) -> SeqNumber {
        if self.state.is_synchronized() { self.snd.una } else { self.snd.iss + 1 }
    }

    /// Sequence number behind the last byte in `tx`: that of our FIN, if there is one.
    #[inline]
    pub fn tx_end(&self) -> SeqNumber {
        self.tx_base() + self.tx.len() as u32
    }

    /// Sent and not acknowledged: FlightSize of RFC 5681 2.
    #[inline]
    pub fn flight(&self) -> u32 {
        self.snd.nxt - self.snd.una
    }

    /// Whether a FIN of ours is to be sent or waits for its acknowledgement.
    #[inline]
    pub fn fin_open(&self) -> bool {
        self.fin_wanted && !matches!(self.state, State::FinWait2 | State::Drained)
    }

    /// The service will send no more.
    pub fn shutdown(&mut self) {
        self.fin_wanted = true;
        self.state = match self.state {
            State::Established => State::FinWait1,
            State::CloseWait => State::LastAck,
            other => other,
        };
    }

    /// Whether the peer's FIN and all data before it have arrived.
    #[inline]
    pub fn fin_received(&self) -> bool {
        self.rcv.fin.is_some_and(|fin| self.rcv.nxt.gt(fin))
    }

    /// Right edge that the buffer allows: unread bytes and one unit of rounding are not offered.
    #[inline]
    pub fn window_edge(&self) -> SeqNumber {
        let limit = (self.rx.limit() as u32).saturating_sub(1u32 << self.rcv.wscale);
        let limit = if self.rcv.wscale == 0 { limit.min(u32::from(u16::MAX)) } else { limit };
        self.rcv.nxt + limit.saturating_sub(self.rx.len() as u32)
    }

    /// The window that the peer may use now.
    #[inline]
    pub fn rcv_wnd(&self) -> u32 {
        u32::try_from(self.rcv.adv.diff(self.rcv.nxt)).unwrap_or(0)
    }

    /// TSval at `now`.
    #[inline]
    pub fn ts_value(&self, now: Instant) -> u32 {
        self.ts_clock.value(now)
    }

    /// An ACK goes out at the end of this burst.
    #[inline]
    pub fn ack_now(&mut self) {
        if !matches!(self.ack, AckDue::Now(_)) {
            self.ack = AckDue::Now(1);
        }
    }

    /// One more ACK goes out at the end of this burst (RFC 5681 4.2: the sender counts them).
    pub fn ack_each(&mut self) {
        self.ack = match self.ack {
            AckDue::Now(n) => AckDue::Now(n.saturating_add(1)),
            _ => AckDue::Now(1),
        };
    }

    /// Bytes of memory that its buffers hold.
    #[inline]
    pub fn memory(&self) -> usize {
        self.tx.memory() + self.rx.memory() + self.sent.memory()
    }

    /// Its turn is over: buffers that are not used again for a while are given back.
    #[inline]
    pub fn keep_buffers(&mut self, now: Instant, config: &TcpConfig) {
        self.deadlines.trim = (self.memory() > 0).then(|| now + config.buffers_idle);
    }

    /// Gives back the memory that its buffers do not need for what they hold.
    pub fn shrink(&mut self) {
        self.tx.shrink();
        self.rx.shrink();
        self.sent.shrink();
    }

    /// Reads something of every cache line that the next segment is likely to need; the value means nothing.
    #[inline]
    pub fn touch(&self) -> u64 {
        let all = self.key.words()[0]
            ^ u64::from(self.rcv.nxt.0)
            ^ self.scheduled.as_nanos()
            ^ self.bytes_received
            ^ self.rx.len() as u64
            ^ self.tx.len() as u64
            ^ self.deadlines.give_up.map_or(0, Instant::as_nanos)
            ^ u64::from(self.sack_ok)
            ^ u64::from(self.sent.sacked())
            ^ u64::from(self.recovery.repairing());
        if self.snd.una == self.snd.max {
            return all;
        }
        all ^ u64::from(self.flight_round.0)
            ^ u64::from(self.rto.expired())
            ^ u64::from(self.rack.reordering_seen())
            ^ u64::from(self.cc.cwnd())
            ^ self.delivery_rate
    }

    /// The earliest of all deadlines; [`Instant::FAR`] when there is none.
    pub fn deadline(&self) -> Instant {
        let d = &self.deadlines;
        let ack = match self.ack {
            AckDue::Delayed(at) => Some(at),
            _ => None,
        };
        let early = d.early.map(|(at, _)| at);
        let pace = self.pace_waits.then_some(self.pace_at);
        [d.retransmit, early, pace, d.give_up, d.keepalive, d.service, d.trim, ack]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Instant::FAR)
    }

    /// How long to wait for an acknowledgement, now.
    pub fn rto(&self, config: &TcpConfig) -> Duration {
        self.rto.get(config)
    }

    /// Who it is with.
    pub fn info(&self) -> ConnInfo {
        ConnInfo { local: self.key.local_end(), peer: self.key.remote_end(), token: self.token }
    }
}

/// The smallest shift that lets 16 bits express `limit` (RFC 7323 2.3: at most 14).
pub(super) fn scale_for(limit: usize) -> u8 {
    (0..14).find(|&s| (limit >> s) <= usize::from(u16::MAX)).unwrap_or(14)
}
