//! What a connection may send now (RFC 9293 3.7, 3.8; RFC 5681). Called at the end of a burst, never from a callback.

use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::{TcpFlags, TcpOptions};

use super::TcpConfig;
use super::tcb::{AckDue, State, Tcb};
use crate::time::Instant;

/// A segment to be put into a frame.
#[derive(Debug, Clone, Copy)]
pub struct OutSegment<'a> {
    /// SEG.SEQ
    pub seq: SeqNumber,
    /// SEG.ACK
    pub ack: SeqNumber,
    /// Control bits.
    pub flags: TcpFlags,
    /// SEG.WND as it goes on the wire.
    pub window: u16,
    /// Options.
    pub options: TcpOptions,
    /// Text, in up to two pieces.
    pub text: (&'a [u8], &'a [u8]),
}

/// Takes segments; answers `false` when it has no room, and the segment stays unsent.
pub trait Emit {
    /// Puts one segment of `tcb`'s connection on the port.
    fn emit(&mut self, tcb: &Tcb, segment: &OutSegment<'_>) -> bool;
}

/// Whether a connection has sent all it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has; the next event will tell.
    Done,
    /// Its share of this turn is used up: call again in the next.
    Budget,
    /// The port has no room: call again in the next turn.
    Blocked,
}

/// Text of one segment: where it starts, how long it is.
struct Chunk {
    seq: SeqNumber,
    len: u32,
    fin: bool,
}

impl Tcb {
    /// Sends what may be sent: the handshake, retransmissions, new data within `budget` bytes, probes, and
    /// acknowledgements that nothing else carried.
    pub fn output(
        &mut self,
        now: Instant,
        config: &TcpConfig,
        budget: usize,
        emit: &mut impl Emit,
    ) -> Progress {
        let progress = match self.state {
            State::SynSent | State::SynReceived => self.output_syn(now, config, emit),
            State::Drained => return Progress::Done,
            _ => self.output_text(now, config, budget, emit),
        };
        if progress != Progress::Blocked && !self.output_acks(now, emit) {
            return Progress::Blocked;
        }
        progress
    }

    fn output_syn(&mut self, now: Instant, config: &TcpConfig, emit: &mut impl Emit) -> Progress {
        if self.snd.nxt != self.snd.iss {
            return Progress::Done;
        }
        let flags = match self.state {
            State::SynSent => TcpFlags::SYN,
            _ => TcpFlags::SYN | TcpFlags::ACK,
        };
        let options = TcpOptions {
            mss: Some(self.offer.mss),
            window_scale: self.offer.window_scaling.then_some(self.rcv.wscale),
            timestamps: self
                .offer
                .timestamps
                .then(|| (self.ts_value(now), self.ts.map_or(0, |ts| ts.recent))),
            ..TcpOptions::NONE
        };
        // RFC 7323 2.2: the window of a SYN is not scaled
        let edge = self.window_edge();
        let window =
            if self.state == State::SynSent { self.rx.limit() as u32 - 1 } else { edge - self.rcv.nxt };
        let window = u16::try_from(window).unwrap_or(u16::MAX);
        let segment =
            OutSegment { seq: self.snd.iss, ack: self.ack_field(), flags, window, options, text: (&[], &[]) };
        if !emit.emit(self, &segment) {
            return Progress::Blocked;
        }
        let first = self.snd.max == self.snd.iss;
        self.snd.nxt = self.snd.iss + 1;
        self.snd.max = self.snd.nxt;
        self.timed = first.then_some((self.snd.nxt, now));
        if self.state == State::SynReceived {
            self.rcv.adv = self.rcv.adv.max(self.rcv.nxt + u32::from(window));
            self.ack_sent();
        }
        self.deadlines.retransmit = Some(now + self.rto.get(config));
        self.last_sent = now;
        Progress::Done
    }

    fn output_text(
        &mut self,
        now: Instant,
        config: &TcpConfig,
        budget: usize,
        emit: &mut impl Emit,
    ) -> Progress {
        if self.retransmit_head && !self.output_head(now, config, emit) {
            return Progress::Blocked;
        }
        if self.snd.una == self.snd.max && now.since(self.last_sent) > self.rto.get(config) {
            self.cc.idle(config.initial_window); // RFC 5681 4.1
        }
        let mut sent = 0;
        while let Some(chunk) = self.next_chunk(config) {
            if sent >= budget {
                return Progress::Budget;
            }
            if !self.send_chunk(&chunk, now, config, emit) {
                return Progress::Blocked;
            }
            self.snd.nxt = chunk.seq + chunk.len + u32::from(chunk.fin);
            self.snd.max = self.snd.max.max(self.snd.nxt);
            sent += chunk.len as usize;
        }
        if self.probe_now && !self.output_probe(now, config, emit) {
            return Progress::Blocked;
        }
        self.watch_closed_window(now, config);
        Progress::Done
    }

    /// The segment at `una` again: fast retransmit (RFC 5681 3.2), partial acknowledgement (RFC 6582).
    fn output_head(&mut self, now: Instant, config: &TcpConfig, emit: &mut impl Emit) -> bool {
        let outstanding = self.snd.max - self.snd.una;
        if outstanding == 0 {
            self.retransmit_head = false;
            return true;
        }
        let len = (self.tx.len() as u32).min(self.snd.mss).min(outstanding);
        let chunk =
            Chunk { seq: self.snd.una, len, fin: self.fin_at(self.snd.una + len) && outstanding > len };
        if (chunk.len > 0 || chunk.fin) && !self.send_chunk(&chunk, now, config, emit) {
            return false;
        }
        self.retransmit_head = false;
        self.resent = Some((self.snd.max, self.ts_value(now)));
        self.snd.nxt = self.snd.nxt.max(chunk.seq + chunk.len + u32::from(chunk.fin));
        // RFC 6298 5: the timer restarts with the retransmission
        if !self.cc.keeps_timer() || self.deadlines.retransmit.is_none() {
            self.deadlines.retransmit = Some(now + self.rto.get(config));
        }
        true
    }

    /// Whether our FIN has sequence number `seq`.
    fn fin_at(&self, seq: SeqNumber) -> bool {
        self.fin_open() && seq == self.tx_end()
    }

    /// The next segment that windows, Nagle and silly window avoidance allow.
    fn next_chunk(&self, config: &TcpConfig) -> Option<Chunk> {
        let end = self.tx_end();
        let unsent = u32::try_from(end.diff(self.snd.nxt)).ok()?; // negative: the FIN is out
        let window = self.snd.wnd.min(self.cc.cwnd());
        let usable = window.saturating_sub(self.flight());
        let len = unsent.min(self.snd.mss).min(usable);
        // A FIN takes one of the peer's window, but adds nothing to the congestion.
        let fin = self.fin_open() && len == unsent && self.snd.wnd > self.flight() + len;
        if len == 0 {
            return fin.then_some(Chunk { seq: self.snd.nxt, len: 0, fin });
        }
        (fin || self.worth_sending(len, unsent, config)).then_some(Chunk { seq: self.snd.nxt, len, fin })
    }

    /// Sender's silly window avoidance (RFC 9293 3.8.6.2.1) and Nagle (3.7.4).
    fn worth_sending(&self, len: u32, unsent: u32, config: &TcpConfig) -> bool {
        if len == self.snd.mss || self.snd.nxt.lt(self.snd.max) {
            return true;
        }
        if len == unsent && (!config.nagle || self.flight() == 0) {
            return true;
        }
        len >= self.snd.max_wnd / 2
    }

    fn send_chunk(&mut self, chunk: &Chunk, now: Instant, config: &TcpConfig, emit: &mut impl Emit) -> bool {
        let offset = (chunk.seq - self.snd.una) as usize;
        let last = offset + chunk.len as usize == self.tx.len();
        let mut flags = TcpFlags::ACK;
        if last && chunk.len > 0 {
            flags |= TcpFlags::PSH; // RFC 9293 3.9.1.2: when the last of what was written is sent
        }
        if chunk.fin {
            flags |= TcpFlags::FIN;
        }
        let (window, adv) = self.window_field();
        let segment = OutSegment {
            seq: chunk.seq,
            ack: self.rcv.nxt,
            flags,
            window,
            options: self.options(now),
            text: self.tx.slices(offset, chunk.len as usize),
        };
        if !emit.emit(self, &segment) {
            return false;
        }
        self.rcv.adv = adv;
        self.ack_sent();
        let end = chunk.seq + chunk.len + u32::from(chunk.fin);
        let fresh = chunk.seq == self.snd.max;
        if fresh && self.timed.is_none() && self.ts.is_none() {
            self.timed = Some((end, now));
        } else if !fresh {
            self.timed = None; // Karn
        }
        if self.deadlines.retransmit.is_none() || self.probing {
            self.deadlines.retransmit = Some(now + self.rto.get(config)); // RFC 6298 5.1
            self.probing = false;
        }
        self.last_sent = now;
        true
    }

    /// One byte, or the FIN, beyond a closed window (RFC 9293 3.8.6.1); it does not count as sent until it is
    /// acknowledged. If the window is not closed but too small to be worth sending, all it takes (3.8.6.2.1 (4), the
    /// override time-out).
    fn output_probe(&mut self, now: Instant, config: &TcpConfig, emit: &mut impl Emit) -> bool {
        self.probe_now = false;
        let unsent = self.tx_end().diff(self.snd.nxt).max(0) as u32;
        let usable = self.snd.wnd.saturating_sub(self.flight());
        let len = usable.clamp(1, self.snd.mss).min(unsent);
        let chunk = Chunk { seq: self.snd.nxt, len, fin: len == 0 };
        if len == 0 && !self.fin_unsent() {
            return true;
        }
        if !self.send_chunk(&chunk, now, config, emit) {
            self.probe_now = true;
            return false;
        }
        self.snd.max = self.snd.max.max(chunk.seq + len.max(1));
        if usable > 0 {
            self.snd.nxt = chunk.seq + len.max(1);
        } else {
            self.probing = true;
        }
        true
    }

    /// Whether a FIN is to be sent and is not in flight.
    fn fin_unsent(&self) -> bool {
        self.fin_open() && self.snd.nxt.le(self.tx_end())
    }

    /// Data waits, nothing is in flight, and the window does not let it go: the timer becomes a probe timer.
    fn watch_closed_window(&mut self, now: Instant, config: &TcpConfig) {
        let waits = self.tx.len() as u32 > self.flight() || self.fin_unsent();
        if waits && self.flight() == 0 && !self.retransmit_head {
            if !self.probing || self.deadlines.retransmit.is_none() {
                self.probing = true;
                self.deadlines.retransmit = Some(now + self.rto.get(config));
            }
        } else if self.probing {
            self.probing = false;
            if self.snd.una == self.snd.max {
                self.deadlines.retransmit = None;
            }
        }
    }

    /// Acknowledgements that are due and were not carried by data, and keepalive probes.
    fn output_acks(&mut self, now: Instant, emit: &mut impl Emit) -> bool {
        if matches!(self.state, State::SynSent) {
            return true;
        }
        if self.keepalive_now {
            // RFC 9293 3.8.4: SEG.SEQ = SND.NXT-1 makes any peer answer
            if !self.send_pure(self.snd.una - 1, now, emit) {
                return false;
            }
            self.keepalive_now = false;
        }
        let mut due = match self.ack {
            AckDue::Now(n) => n,
            AckDue::Delayed(at) if at <= now => 1,
            _ => u8::from(self.window_reopened()),
        };
        while due > 0 {
            if !self.send_pure(self.ack_seq(), now, emit) {
                self.ack = AckDue::Now(due);
                return false;
            }
            due -= 1;
        }
        true
    }

    /// The sequence number of a segment without text: SND.NXT, even while retransmission has gone back behind it, but never
    /// behind the peer's window, where the segment would not be looked at (RFC 9293 3.10.7.4, first step).
    pub fn ack_seq(&self) -> SeqNumber {
        if self.state.is_synchronized() {
            self.snd.max.min(self.snd.una + self.snd.wnd)
        } else {
            self.snd.max
        }
    }

    fn send_pure(&mut self, seq: SeqNumber, now: Instant, emit: &mut impl Emit) -> bool {
        let (window, adv) = self.window_field();
        let segment = OutSegment {
            seq,
            ack: self.rcv.nxt,
            flags: TcpFlags::ACK,
            window,
            options: self.options(now),
            text: (&[], &[]),
        };
        if !emit.emit(self, &segment) {
            return false;
        }
        self.rcv.adv = adv;
        self.ack_sent();
        true
    }

    fn ack_sent(&mut self) {
        self.ack = AckDue::No;
        self.unacked = 0;
        if let Some(ts) = self.ts.as_mut() {
            ts.last_ack_sent = self.rcv.nxt;
        }
    }

    fn ack_field(&self) -> SeqNumber {
        if self.state == State::SynSent { SeqNumber(0) } else { self.rcv.nxt }
    }

    fn options(&self, now: Instant) -> TcpOptions {
        match self.ts {
            Some(ts) => TcpOptions::timestamps(self.ts_value(now), ts.recent),
            None => TcpOptions::NONE,
        }
    }

    /// The window to announce and the right edge that it makes. Receiver's silly window avoidance (RFC 9293 3.8.6.2.2):
    /// the edge moves by whole segments or half the buffer; it never moves left.
    fn window_field(&self) -> (u16, SeqNumber) {
        let wanted = self.window_edge();
        let step = (self.rx.limit() as u32 / 2).min(u32::from(self.offer.mss));
        let edge = if wanted.diff(self.rcv.adv) >= step as i32 { wanted } else { self.rcv.adv };
        let window = u32::try_from(edge.diff(self.rcv.nxt)).unwrap_or(0);
        // Rounded up, so that the edge does not move left, but not beyond what the buffer holds: there it may seem to move
        // by less than a unit (RFC 7323 2.4), and what was offered once is still taken.
        let scale = self.rcv.wscale;
        let room = (self.rx.limit() - self.rx.len()) as u32;
        let units = window.div_ceil(1 << scale).min(room >> scale);
        let field = u16::try_from(units).unwrap_or(u16::MAX);
        (field, self.rcv.adv.max(self.rcv.nxt + (u32::from(field) << scale)))
    }

    /// The reader has caught up: a window that was closed, or half used up, is open again, and the peer must know.
    fn window_reopened(&self) -> bool {
        let gain = self.window_edge().diff(self.rcv.adv);
        let open = self.rcv_wnd();
        // A sender that still has 64 KiB to go, as after the handshake, learns it with the next ACK.
        (open < u32::from(u16::MAX) && gain >= (self.rx.limit() / 2) as i32)
            || (open < u32::from(self.offer.mss) && gain >= i32::from(self.offer.mss))
    }
}
