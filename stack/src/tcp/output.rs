//! What a connection may send now (RFC 9293 3.7, 3.8; RFC 5681). Called at the end of a burst, never from a callback.

use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::{SackBlocks, TcpFlags, TcpOptions};

use super::TcpConfig;
use super::ecn;
use super::resize::Probe;
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
    /// SEG.UP; with the URG flag.
    pub urgent: u16,
    /// The packet may be marked instead of dropped: ECT(0) (RFC 3168 6.1).
    pub ect: bool,
    /// Sent before.
    pub again: bool,
    /// The port is to cut it into segments with so much text each; 0: it is one segment.
    pub gso_size: u16,
    /// Options.
    pub options: TcpOptions,
    /// Text, in up to two pieces.
    pub text: (&'a [u8], &'a [u8]),
}

impl OutSegment<'_> {
    /// How many segments it is on the wire.
    #[inline]
    pub fn count(&self) -> u32 {
        match self.gso_size {
            0 => 1,
            size => ((self.text.0.len() + self.text.1.len()) as u32).div_ceil(size.into()),
        }
    }
}

/// Takes segments; answers `false` when it has no room, and the segment stays unsent.
pub trait Emit {
    /// Puts one segment of `tcb`'s connection on the port.
    fn emit(&mut self, tcb: &Tcb, segment: &OutSegment<'_>) -> bool;

    /// Most text of a segment that the port cuts ([`OutSegment::gso_size`]); 0 if it cuts none.
    #[inline]
    fn most_text(&self) -> u32 {
        0
    }
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

/// Most acknowledgements of what one burst brings in order.
const MAX_ACKS: u32 = 8;

/// Text of one segment: where it starts, how long it is.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    pub seq: SeqNumber,
    pub len: u32,
    pub fin: bool,
    /// Sent before.
    pub again: bool,
    /// If it is several segments: how long each of them is. Else 0.
    pub each: u32,
}

impl Chunk {
    fn new(seq: SeqNumber, len: u32, fin: bool, again: bool) -> Chunk {
        Chunk { seq, len, fin, again, each: 0 }
    }

    fn end(&self) -> SeqNumber {
        self.seq + self.len + u32::from(self.fin)
    }
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
        let first = self.snd.max == self.snd.iss;
        let asks = ecn::syn_flags(config.ecn, first);
        let flags = match self.state {
            State::SynSent => {
                self.offer.ecn = asks != TcpFlags::NONE;
                TcpFlags::SYN | asks
            }
            _ if self.ecn.on => TcpFlags::SYN | TcpFlags::ACK | TcpFlags::ECE,
            _ => TcpFlags::SYN | TcpFlags::ACK,
        };
        let options = TcpOptions {
            mss: Some(self.offer.mss),
            sack_permitted: self.offer.sack,
            window_scale: self.offer.window_scaling.then_some(self.rcv.wscale),
            timestamps: self
                .offer
                .timestamps
                .then(|| (self.ts_value(now), self.ts.map_or(0, |ts| ts.recent))),
            user_timeout: self.syn_user_timeout(),
            ..TcpOptions::NONE
        };
        // RFC 7323 2.2: the window of a SYN is not scaled
        let edge = self.window_edge();
        let window =
            if self.state == State::SynSent { self.rx.limit() as u32 - 1 } else { edge - self.rcv.nxt };
        let window = u16::try_from(window).unwrap_or(u16::MAX);
        let segment = OutSegment {
            seq: self.snd.iss,
            ack: self.ack_field(),
            flags,
            window,
            urgent: 0,
            ect: false,
            again: !first,
            gso_size: 0,
            options,
            text: (&[], &[]),
        };
        if !emit.emit(self, &segment) {
            return Progress::Blocked;
        }
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
        if !self.tx.is_empty() {
            if self.snd.una == self.snd.max && now.since(self.last_sent) > self.rto.get(config) {
                self.cc.idle_restart(config.initial_window); // RFC 5681 4.1
            }
            self.path_aged(now, config);
        }
        if self.probe_tail && !self.output_tail_probe(now, config, emit) {
            return Progress::Blocked;
        }
        let most_text = emit.most_text();
        // What would be left of the budget behind a large segment is not worth a small one.
        let enough =
            if most_text == 0 { budget } else { budget.saturating_sub(self.snd.mss as usize).max(1) };
        let mut sent = 0;
        loop {
            let most = match most_text {
                0 => 0,
                port => self.most_at_once(port, budget.saturating_sub(sent), now, config),
            };
            let Some(chunk) = self.next_chunk(most, config) else { break };
            if sent >= enough {
                return Progress::Budget;
            }
            if !self.resend_one && self.paced(now, config) {
                break;
            }
            if !self.send_chunk(&chunk, now, config, emit) {
                return Progress::Blocked;
            }
            self.resend_one = false;
            if !chunk.again {
                self.recovery.new_first = self.recovery.new_first.saturating_sub(chunk.len.max(1));
            }
            sent += chunk.len as usize;
        }
        self.resend_one = false;
        self.note_use();
        if self.probe_now && !self.output_probe(now, config, emit) {
            return Progress::Blocked;
        }
        self.watch_closed_window(now, config);
        Progress::Done
    }

    /// Notes how much of the congestion window was used, once a round trip and whenever it was the limit (RFC 7661's question,
    /// answered as Linux does): a window that is not used does not grow.
    fn note_use(&mut self) {
        let pipe = self.pipe();
        let held_back = std::mem::take(&mut self.held_back);
        if self.snd.una.ge(self.flight_round) || held_back || (!self.cwnd_limited && pipe > self.max_flight) {
            self.cwnd_limited = held_back;
            self.max_flight = pipe;
            self.flight_round = self.snd.nxt;
        }
    }

    /// Most text that a segment can carry beside the options it has now.
    pub(super) fn segment_room(&self) -> u32 {
        let blocks = self.sack_blocks().len() as u32;
        let sack = if blocks > 0 { 4 + 8 * blocks } else { 0 };
        self.snd.mss - sack - if self.text_user_timeout().is_some() { 4 } else { 0 }
    }

    /// The next segment that may be sent: what is lost before what is new (RFC 6675 4, NextSeg), except that F-RTO tries
    /// new data first (RFC 5682 3.1 step 2b). `most`: text of a segment that the port may cut.
    fn next_chunk(&mut self, most: u32, config: &TcpConfig) -> Option<Chunk> {
        if self.recovery.new_first > 0 {
            if let Some(chunk) = self.next_new(0, config) {
                return Some(chunk);
            }
            self.recovery.new_first = 0;
        }
        self.next_lost(most).or_else(|| self.next_new(most, config))
    }

    fn next_lost(&mut self, most: u32) -> Option<Chunk> {
        let (start, end) = self.sent.first_lost()?;
        let text_end = end.min(self.tx_end());
        let len = (text_end - start).min(self.segment_room());
        let chunk = Chunk::new(start, len, start + len == text_end && end.gt(text_end), true);
        let room = self.cc.cwnd().saturating_sub(self.pipe());
        // RFC 9293 3.8.6: what a shrunk window no longer covers waits, but for the first.
        let window = self.snd.una + self.snd.wnd;
        let covered = start.lt(window) || start == self.snd.una;
        self.held_back |= len > room && covered;
        if self.resend_one {
            return Some(chunk);
        }
        if len > room || !covered {
            return None;
        }
        if most == 0 {
            return Some(chunk);
        }
        // Behind the text there may be the FIN.
        let inside = window.min(text_end - u32::from(end.gt(text_end))).diff(start).max(0) as u32;
        Some(self.enlarge(chunk, most.min(room).min(inside)))
    }

    /// New data, as far as windows, Nagle and silly window avoidance allow.
    fn next_new(&mut self, most: u32, config: &TcpConfig) -> Option<Chunk> {
        let end = self.tx_end();
        let unsent = u32::try_from(end.diff(self.snd.nxt)).ok()?; // negative: the FIN is out
        if unsent == 0 && !self.fin_open() {
            return None;
        }
        let offered = self.snd.wnd.saturating_sub(self.flight());
        match self.path_probe(unsent, offered) {
            Probe::Send(len) => return Some(Chunk::new(self.snd.nxt, len, false, false)),
            Probe::Wait => {
                self.held_back = true;
                return None;
            }
            Probe::No => {}
        }
        let segment = unsent.min(self.segment_room());
        let len = segment.min(offered);
        // A FIN takes one of the peer's window, but adds nothing to the congestion.
        let fin = self.fin_open() && len == unsent && offered > len;
        if len == 0 {
            return fin.then_some(Chunk::new(self.snd.nxt, 0, fin, false));
        }
        let (pipe, cwnd) = (self.pipe(), self.cc.cwnd());
        if pipe + len > cwnd {
            self.held_back = true;
            return None;
        }
        if !fin && !self.worth_sending(len, unsent, config) {
            return None;
        }
        let chunk = Chunk::new(self.snd.nxt, len, fin, false);
        if most == 0 {
            return Some(chunk);
        }
        // The last goes by itself if the FIN goes with it.
        let open = unsent - u32::from(self.fin_open());
        Some(self.enlarge(chunk, most.min(cwnd - pipe).min(offered).min(open)))
    }

    /// Sender's silly window avoidance (RFC 9293 3.8.6.2.1) and Nagle (3.7.4).
    fn worth_sending(&self, len: u32, unsent: u32, config: &TcpConfig) -> bool {
        if len == self.segment_room() || self.snd.nxt.lt(self.snd.max) {
            return true;
        }
        if self.corked() {
            return false;
        }
        if len == unsent && (!self.nagle(config) || self.flight() == 0) {
            return true;
        }
        len >= self.snd.max_wnd / 2
    }

    fn send_chunk(&mut self, chunk: &Chunk, now: Instant, config: &TcpConfig, emit: &mut impl Emit) -> bool {
        let sent = self.emit_chunk(chunk, now, emit);
        if sent {
            self.chunk_sent(chunk, now, config);
        }
        sent
    }

    fn emit_chunk(&mut self, chunk: &Chunk, now: Instant, emit: &mut impl Emit) -> bool {
        let offset = (chunk.seq - self.snd.una) as usize;
        let last = offset + chunk.len as usize == self.tx.len();
        let mut flags = TcpFlags::ACK;
        if last && chunk.len > 0 {
            flags |= TcpFlags::PSH; // RFC 9293 3.9.1.2: when the last of what was written is sent
        }
        if chunk.fin {
            flags |= TcpFlags::FIN;
        }
        // RFC 3168 6.1.5, 6.1.6: neither what is sent again nor a window probe may be marked, or says CWR
        let markable = self.ecn.on
            && !chunk.again
            && chunk.len > 0
            && (chunk.seq + chunk.len).le(self.snd.una + self.snd.wnd);
        if self.ecn.on {
            flags |= self.ecn_flags(markable);
        }
        let urgent = self.urgent_pointer(offset);
        if urgent > 0 {
            flags |= TcpFlags::URG;
        }
        let (window, adv) = self.window_field();
        let segment = OutSegment {
            seq: chunk.seq,
            ack: self.rcv.nxt,
            flags,
            window,
            urgent,
            ect: markable,
            again: chunk.again,
            gso_size: chunk.each as u16,
            options: TcpOptions { user_timeout: self.text_user_timeout(), ..self.options(now) },
            text: self.tx.slices(offset, chunk.len as usize),
        };
        if !emit.emit(self, &segment) {
            return false;
        }
        self.rcv.adv = adv;
        self.ack_sent();
        true
    }

    /// `new`: of a segment with new text within the window.
    fn ecn_flags(&self, new: bool) -> TcpFlags {
        let mut flags = if self.ecn.echo { TcpFlags::ECE } else { TcpFlags::NONE };
        if self.ecn.reduced && new {
            flags |= TcpFlags::CWR; // RFC 3168 6.1.2: on the first new data after the reduction
        }
        flags
    }

    /// Notes what has left.
    fn chunk_sent(&mut self, chunk: &Chunk, now: Instant, config: &TcpConfig) {
        let end = chunk.end();
        self.user_timeout_sent(end);
        self.data_segs_out = self.data_segs_out.wrapping_add(u32::from(chunk.len > 0));
        if chunk.each > 0 {
            self.count_large(chunk);
        }
        let rto = now + self.rto.get(config);
        if self.recovery.reducing() {
            self.recovery.sent(chunk.len);
        }
        if chunk.again {
            self.retransmits = self.retransmits.saturating_add(1);
            self.bytes_retrans += u64::from(chunk.len);
            self.sent.resend(chunk.seq, end, now, self.delivered);
            if self.recovery.repairing() {
                let ts_value = self.ts.map(|_| self.ts_value(now));
                self.recovery.resent(end, chunk.len + u32::from(chunk.fin), ts_value);
            }
            if chunk.seq == self.snd.una {
                self.deadlines.retransmit = Some(rto); // it has as long as the first had
            }
        } else {
            self.ecn.reduced &= chunk.len == 0;
            let first = if chunk.each == 0 { chunk.len } else { chunk.each };
            self.path_sent(chunk.seq + first, first);
            if self.sent.is_empty() {
                self.waiting_since = now;
            }
            self.sent.push(end, now, self.delivered);
            self.snd.nxt = end;
            self.snd.max = self.snd.max.max(end);
        }
        if self.deadlines.retransmit.is_none() || self.probing {
            self.deadlines.retransmit = Some(rto); // RFC 6298 5.1
            self.probing = false;
        }
        if !chunk.again {
            self.arm_probe(now, config);
        }
        self.pace(chunk.len, now, config);
        self.last_sent = now;
    }

    /// RFC 8985 7.3: a new segment if there is one, whatever the congestion window says, else the last one again.
    fn output_tail_probe(&mut self, now: Instant, config: &TcpConfig, emit: &mut impl Emit) -> bool {
        self.probe_tail = false;
        if self.sent.is_empty() {
            return true;
        }
        let unsent = u32::try_from(self.tx_end().diff(self.snd.nxt)).unwrap_or(0);
        let offered = self.snd.wnd.saturating_sub(self.flight());
        let len = unsent.min(self.segment_room()).min(offered);
        let chunk = if len > 0 {
            let fin = self.fin_open() && len == unsent && offered > len;
            Chunk::new(self.snd.nxt, len, fin, false)
        } else {
            let Some((start, end)) = self.sent.last_unsacked() else { return true };
            let fin = end.gt(self.tx_end());
            let text_end = end - u32::from(fin);
            let len = (text_end - start).min(self.segment_room());
            Chunk::new(text_end - len, len, fin, true)
        };
        if !self.send_chunk(&chunk, now, config, emit) {
            self.probe_tail = true;
            return false;
        }
        self.tlp.sent(self.snd.nxt, chunk.again);
        self.deadlines.early = None;
        self.deadlines.retransmit = Some(now + self.rto.get(config));
        true
    }

    /// One byte, or the FIN, beyond a closed window (RFC 9293 3.8.6.1); it does not count as sent until it is
    /// acknowledged. If the window is not closed but too small to be worth sending, all it takes (3.8.6.2.1 (4), the
    /// override time-out).
    fn output_probe(&mut self, now: Instant, config: &TcpConfig, emit: &mut impl Emit) -> bool {
        self.probe_now = false;
        let unsent = self.tx_end().diff(self.snd.nxt).max(0) as u32;
        let usable = self.snd.wnd.saturating_sub(self.flight());
        let len = usable.clamp(1, self.segment_room()).min(unsent);
        let chunk = Chunk::new(self.snd.nxt, len, len == 0, false);
        if len == 0 && !self.fin_unsent() {
            return true;
        }
        if usable > 0 {
            self.probe_now = !self.send_chunk(&chunk, now, config, emit);
        } else if self.emit_chunk(&chunk, now, emit) {
            self.snd.max = self.snd.max.max(chunk.end());
            self.last_sent = now;
        } else {
            self.probe_now = true;
        }
        !self.probe_now
    }

    /// Whether a FIN is to be sent and is not in flight.
    fn fin_unsent(&self) -> bool {
        self.fin_open() && self.snd.nxt.le(self.tx_end())
    }

    /// Data waits, nothing is in flight, and the window does not let it go: the timer becomes a probe timer.
    fn watch_closed_window(&mut self, now: Instant, config: &TcpConfig) {
        let waits = self.tx.len() as u32 > self.flight() || self.fin_unsent();
        if waits && self.flight() == 0 {
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
        if due > 0 {
            for steps in (2..=self.acks_in_order()).rev() {
                if !self.send_step(steps, now, emit) {
                    return false;
                }
            }
        }
        while due > 0 {
            if !self.send_pure(self.ack_seq(), now, emit) {
                self.ack = AckDue::Now(due);
                return false;
            }
            due -= 1;
        }
        true
    }

    /// How many acknowledgements the text of this burst deserves: one for two full segments (RFC 5681 4.2), or for one
    /// while the sender is repairing losses, but not one for each of a long burst. One for all of them would do, were it
    /// sure to arrive: a sender with a small window waits for its time-out if it does not. What came in one frame, several
    /// segments put together by a card or never cut by the kernel, has one (as in Linux).
    fn acks_in_order(&self) -> u8 {
        let each =
            if self.quick_acks > 0 { self.snd.mss } else { self.unacked_at_once.max(2 * self.snd.mss) };
        (self.unacked / each.max(1)).min(MAX_ACKS) as u8
    }

    /// The first of `steps` acknowledgements of what is in order: of its part, within the window already announced.
    fn send_step(&mut self, steps: u8, now: Instant, emit: &mut impl Emit) -> bool {
        let step = self.unacked.div_ceil(u32::from(steps));
        let ack = self.rcv.nxt - (self.unacked - step);
        let window = u32::try_from(self.rcv.adv.diff(ack)).unwrap_or(0) >> self.rcv.wscale;
        let segment = OutSegment {
            seq: self.ack_seq(),
            ack,
            flags: if self.ecn.echo { TcpFlags::ACK | TcpFlags::ECE } else { TcpFlags::ACK },
            window: u16::try_from(window).unwrap_or(u16::MAX),
            urgent: 0,
            ect: false,
            again: false,
            gso_size: 0,
            options: self.options(now),
            text: (&[], &[]),
        };
        if !emit.emit(self, &segment) {
            return false;
        }
        self.unacked -= step;
        self.segs_out = self.segs_out.wrapping_add(1);
        self.rx.acked();
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
            flags: if self.ecn.echo { TcpFlags::ACK | TcpFlags::ECE } else { TcpFlags::ACK },
            window,
            urgent: 0,
            ect: false,
            again: false,
            gso_size: 0,
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
        self.unacked_at_once = 0;
        self.segs_out = self.segs_out.wrapping_add(1);
        self.rx.acked();
        if let Some(ts) = self.ts.as_mut() {
            ts.last_ack_sent = self.rcv.nxt;
        }
    }

    fn ack_field(&self) -> SeqNumber {
        if self.state == State::SynSent { SeqNumber(0) } else { self.rcv.nxt }
    }

    /// Timestamps, where they are agreed on (RFC 7323 3.2), and nothing else.
    pub fn timestamps(&self, now: Instant) -> TcpOptions {
        self.ts.map_or(TcpOptions::NONE, |ts| TcpOptions::timestamps(self.ts_value(now), ts.recent))
    }

    fn options(&self, now: Instant) -> TcpOptions {
        TcpOptions { sack: self.sack_blocks(), ..self.timestamps(now) }
    }

    /// What we have beyond gaps, as far as there is room to say it (RFC 2018 3).
    fn sack_blocks(&self) -> SackBlocks {
        if !(self.sack_ok && self.rx.has_sack()) {
            return SackBlocks::NONE;
        }
        let most = if self.ts.is_some() { 3 } else { SackBlocks::MAX };
        self.rx.sack_blocks(self.rcv.nxt, most)
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
