//! A segment arrives (RFC 9293 3.10.7).

use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::{TcpFlags, TcpOptions};

use super::TcpConfig;
use super::autotune::Autotune;
use super::ecn;
use super::recv::Insert;
use super::tcb::{AckDue, State, Tcb};
use crate::counters::Counters;
use crate::service::CloseReason;
use crate::time::Instant;

/// A segment that passed its checksum.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// SEG.SEQ
    pub seq: SeqNumber,
    /// SEG.ACK; meaningless without the ACK flag.
    pub ack: SeqNumber,
    /// Control bits.
    pub flags: TcpFlags,
    /// SEG.WND, unscaled.
    pub window: u16,
    /// SEG.UP; meaningless without the URG flag.
    pub urgent: u16,
    /// The ECN field of the IP header (RFC 3168 5).
    pub ecn: u8,
    /// Options.
    pub options: TcpOptions,
    /// Text.
    pub payload: &'a [u8],
}

impl Segment<'_> {
    /// SEG.LEN: text, SYN and FIN.
    pub fn seq_len(&self) -> u32 {
        self.payload.len() as u32 + u32::from(self.flags.syn()) + u32::from(self.flags.fin())
    }
}

/// What a segment did to its connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The handshake is complete.
    pub established: bool,
    /// These bytes of the segment's text (offset, length) are in order and wait nowhere else: to be offered in place.
    pub in_place: Option<(usize, usize)>,
    /// Bytes in the receive buffer became readable.
    pub readable: bool,
    /// New data of ours was acknowledged.
    pub acked: bool,
    /// The urgent pointer has moved on, and lies so many bytes ahead of what was read.
    pub urgent: Option<u32>,
    /// What it asks for beyond that.
    pub end: End,
}

/// Whether the connection goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum End {
    /// It does.
    #[default]
    No,
    /// The segment belongs to no connection of ours: answer with a reset, the connection goes on.
    ResetSegment,
    /// Both FINs are exchanged and we must linger (RFC 9293 3.6).
    TimeWait,
    /// It is over.
    Closed(CloseReason),
    /// It is over, and the peer is told by a reset.
    Abort(CloseReason),
}

/// What the segment is processed with.
#[derive(Debug)]
pub struct Cx<'a> {
    /// Time of the turn.
    pub now: Instant,
    /// Settings.
    pub config: &'a TcpConfig,
    /// Where drops are counted.
    pub counters: &'a mut Counters,
    /// Whether one more challenge ACK may be sent this second (RFC 5961 7).
    pub may_challenge: bool,
    /// The core's buffers hold as much as they may: [`TcpConfig::memory`].
    pub memory_short: bool,
}

impl Outcome {
    fn end(end: End) -> Outcome {
        Outcome { end, ..Outcome::default() }
    }
}

impl Tcb {
    /// Processes one segment of this connection.
    pub fn input(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>) -> Outcome {
        self.segs_in = self.segs_in.wrapping_add(1);
        match self.state {
            State::SynSent => self.input_syn_sent(seg, cx),
            _ => self.input_synchronized(seg, cx),
        }
    }

    /// RFC 9293 3.10.7.3
    fn input_syn_sent(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>) -> Outcome {
        let acceptable = seg.flags.ack() && seg.ack.gt(self.snd.iss) && seg.ack.le(self.snd.max);
        if seg.flags.ack() && !acceptable {
            cx.counters.tcp_bad_ack += 1;
            return if seg.flags.rst() { Outcome::default() } else { Outcome::end(End::ResetSegment) };
        }
        if seg.flags.rst() {
            if acceptable {
                return Outcome::end(End::Closed(CloseReason::Reset));
            }
            return Outcome::default();
        }
        if !seg.flags.syn() {
            return Outcome::default();
        }
        self.syn_received(seg, cx.now, cx.config);
        if !acceptable {
            // Simultaneous open (RFC 9293 3.5): our SYN goes again, with an ACK.
            self.state = State::SynReceived;
            self.snd.nxt = self.snd.iss;
            return Outcome::default();
        }
        self.establish(seg, cx);
        self.ack_now();
        Outcome { established: true, ..Outcome::default() }
    }

    fn establish(&mut self, seg: &Segment<'_>, cx: &Cx<'_>) {
        // The service may have closed its side while the handshake was under way.
        self.state = if self.fin_wanted { State::FinWait1 } else { State::Established };
        self.listener = None;
        self.snd.una = self.snd.iss + 1;
        self.snd.nxt = self.snd.una.max(self.snd.nxt);
        self.sent.begin(self.snd.una);
        self.recovery.high = self.snd.iss;
        self.flight_round = self.snd.una;
        self.snd.wl1 = seg.seq;
        self.snd.wl2 = seg.ack;
        self.deadlines.give_up = None;
        self.deadlines.retransmit = None;
        let syn_was_lost = self.rto.expired() > 0;
        self.measure_handshake(seg, cx);
        self.tune = Autotune::new(cx.now, self.rcv.nxt, self.rx.limit() as u32);
        if let Some(rtt) = self.rto.srtt() {
            self.tune.rtt_sample(rtt);
        }
        self.arm_keepalive(cx.now, cx.config);
        if syn_was_lost {
            self.rto.syn_was_lost();
            self.cc.syn_was_lost();
        }
        self.heard(cx.now, cx.config);
    }

    /// The peer is alive: the keepalive clock starts again.
    fn heard(&mut self, now: Instant, config: &TcpConfig) {
        self.last_heard = now;
        if self.deadlines.keepalive.is_some() || config.keepalive.is_some() {
            self.arm_keepalive(now, config);
        }
    }

    /// Silence is counted from now on.
    pub(super) fn arm_keepalive(&mut self, now: Instant, config: &TcpConfig) {
        self.keepalive_sent = 0;
        let keepalive = self.keepalive(config).filter(|_| self.state.is_synchronized());
        self.deadlines.keepalive = keepalive.map(|keepalive| now + keepalive.idle);
    }

    /// RFC 9293 3.10.7.4
    fn input_synchronized(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>) -> Outcome {
        if self.state == State::SynReceived
            && seg.flags.syn()
            && !seg.flags.ack()
            && !seg.flags.rst()
            && seg.seq == self.rcv.irs
        {
            // The peer's SYN again: our SYN,ACK was lost. Without ECN the second time, perhaps because of middleboxes, it is
            // without from now on (RFC 3168 6.1.1).
            self.ecn.on &= ecn::negotiate(cx.config.ecn, seg.flags, false);
            self.snd.nxt = self.snd.iss;
            return Outcome::default();
        }
        let mut seg = *seg;
        if self.state == State::SynReceived
            && seg.flags.without(OTHER_FLAGS) == SYN_ACK
            && seg.seq == self.rcv.irs
        {
            // Simultaneous open (RFC 9293 3.5, figure 8, line 6): the peer's SYN is known already.
            seg.flags = seg.flags.without(TcpFlags::SYN);
            seg.seq += 1;
        }
        let mut outcome = Outcome::default();
        if !self.sequence_ok(&mut seg, cx, &mut outcome) {
            return outcome;
        }
        if seg.flags.rst() {
            return self.input_rst(&seg, cx);
        }
        if seg.flags.syn() {
            if self.state == State::SynReceived && !self.active {
                // RFC 9293 3.10.7.4 fourth step: back to LISTEN, where the SYN is welcome when it comes again
                return Outcome::end(End::Closed(CloseReason::Reset));
            }
            // RFC 9293 3.10.7.4 fourth step, RFC 5961 4: a challenge, never a reset
            cx.counters.tcp_syn_challenge += 1;
            self.challenge(cx);
            return Outcome::default();
        }
        if !seg.flags.ack() {
            return Outcome::default();
        }
        if self.state == State::SynReceived {
            if !(seg.ack.gt(self.snd.una) && seg.ack.le(self.snd.max)) {
                cx.counters.tcp_bad_ack += 1;
                return Outcome::end(End::ResetSegment);
            }
            self.establish(&seg, cx);
            self.set_window(&seg);
            outcome.established = true;
        }
        self.heard(cx.now, cx.config);
        ecn::received(self, &seg, cx);
        if !self.input_ack(&seg, cx, &mut outcome) {
            return outcome;
        }
        // Only now: a forged segment with a wrong acknowledgement must not make the peer's seem old (RFC 5961 5's spirit).
        self.update_ts_recent(&seg, cx.now);
        self.user_timeout_received(seg.options.user_timeout, cx.config);
        if seg.flags.contains(TcpFlags::URG) {
            outcome.urgent = self.urgent_received(&seg);
        }
        self.input_text(&seg, cx, &mut outcome);
        self.input_fin(&seg, &mut outcome);
        outcome
    }

    /// First step: is the segment in the window? Trims what is not. Answers what is outside with an ACK.
    fn sequence_ok(&mut self, seg: &mut Segment<'_>, cx: &mut Cx<'_>, outcome: &mut Outcome) -> bool {
        if !seg.flags.rst() && !self.timestamp_ok(seg, cx) {
            return false;
        }
        let wnd = self.rcv_wnd();
        let len = seg.seq_len();
        let start_ok =
            seg.seq.in_window(self.rcv.nxt, wnd) || (seg.seq == self.rcv.nxt && (len == 0 || wnd == 0));
        // Of a reset only the beginning counts (RFC 5961 3.2).
        let len = if seg.flags.rst() { 0 } else { len };
        let end_ok = len > 0 && wnd > 0 && (seg.seq + (len - 1)).in_window(self.rcv.nxt, wnd);
        // A segment that covers the whole window begins before and ends behind it.
        let before = self.rcv.nxt - seg.seq;
        let covers = wnd > 0 && before < len && wnd <= len - before;
        if !(start_ok || end_ok || covers) {
            cx.counters.tcp_out_of_window += 1;
            if seg.flags.syn() && !seg.flags.rst() && self.state.is_synchronized() {
                cx.counters.tcp_syn_challenge += 1;
                self.challenge(cx); // RFC 5961 4: whatever its number
            } else if !seg.flags.rst() {
                let end = seg.seq + seg.payload.len() as u32;
                if !seg.payload.is_empty() && end.le(self.rcv.nxt) && self.state.is_synchronized() {
                    self.duplicate_text(seg.seq, end, cx);
                }
                let answered = self.ack_unacceptable(len, cx.now);
                cx.counters.tcp_ack_skipped_seq += u64::from(!answered);
                outcome.acked = self.late_ack(seg, cx);
            }
            return false;
        }
        if wnd == 0 && !seg.payload.is_empty() {
            // RFC 9293 3.10.7.4: with a zero window its ACK is still believed; 3.8.6.1: a probe is answered
            seg.payload = &[];
            seg.flags = seg.flags.without(TcpFlags::FIN);
            self.ack_now();
        }
        true
    }

    /// RFC 7323 3.2, 5.3 R1
    fn timestamp_ok(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>) -> bool {
        let Some(ts) = self.ts else { return true };
        let Some((value, _)) = seg.options.timestamps else {
            // Once negotiated, a segment without the option is dropped; but a peer that begins anew, and without it, must
            // have its challenge (RFC 5961 4).
            cx.counters.tcp_no_timestamp += u64::from(!seg.flags.syn());
            return seg.flags.syn();
        };
        let old = (value.wrapping_sub(ts.recent) as i32) < 0;
        if old && cx.now.since(ts.recent_at) < PAWS_IDLE {
            cx.counters.tcp_paws += 1;
            let answered = self.ack_unacceptable(seg.seq_len(), cx.now);
            cx.counters.tcp_ack_skipped_paws += u64::from(!answered);
            return false;
        }
        true
    }

    /// RFC 9293 3.10.7.4 first step: an unacceptable segment is answered with an ACK. One without text only now and then:
    /// two ends that disagree would answer each other's ACKs for ever.
    fn ack_unacceptable(&mut self, len: u32, now: Instant) -> bool {
        if len == 0 {
            if self.answered.is_some_and(|at| now.since(at) < ANSWER_INTERVAL) {
                return false;
            }
            self.answered = Some(now);
        }
        self.ack_now();
        true
    }

    /// A duplicate from before the window carries an acknowledgement all the same: a peer that probes, or whose last ACK
    /// was lost, must not wait for it (RFC 9293 3.10.7.4 drops it; BSD and Linux do as we do for plain duplicates). Returns
    /// whether it acknowledged something.
    fn late_ack(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>) -> bool {
        // No older than a window: a stranger has to guess its number (RFC 5961 5).
        let window = (self.rx.limit() as u32).min(u32::from(u16::MAX) << self.rcv.wscale);
        let recent = self.rcv.nxt.diff(seg.seq) <= window as i32;
        let duplicate = recent && (seg.seq + seg.seq_len()).le(self.rcv.nxt) && !seg.flags.syn();
        // Only up to what was sent before; a FIN's acknowledgement comes again by itself.
        let news = seg.ack.gt(self.snd.una) && seg.ack.le(self.tx_end()) && seg.ack.le(self.snd.max);
        if !(duplicate && seg.flags.ack() && self.state.is_synchronized() && news) {
            return false;
        }
        self.acknowledge(seg, cx);
        true
    }

    /// Second step (RFC 5961 3).
    fn input_rst(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>) -> Outcome {
        if seg.seq != self.rcv.nxt {
            self.challenge(cx);
            return Outcome::default();
        }
        cx.counters.tcp_reset_received += 1;
        Outcome::end(End::Closed(CloseReason::Reset))
    }

    fn challenge(&mut self, cx: &mut Cx<'_>) {
        if cx.may_challenge {
            cx.counters.tcp_challenge_ack += 1;
            self.ack_now();
        } else {
            cx.counters.tcp_challenge_skipped += 1;
        }
    }

    /// RFC 7323 4.3 (2)
    fn update_ts_recent(&mut self, seg: &Segment<'_>, now: Instant) {
        if let (Some(ts), Some((value, _))) = (self.ts.as_mut(), seg.options.timestamps)
            && seg.seq.le(ts.last_ack_sent)
        {
            ts.recent = value;
            ts.recent_at = now;
        }
    }

    /// Fifth step. Returns whether the segment's text is still of interest.
    fn input_ack(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>, outcome: &mut Outcome) -> bool {
        let snd = &self.snd;
        if seg.ack.gt(snd.max) {
            cx.counters.tcp_bad_ack += 1;
            self.challenge(cx);
            return false;
        }
        // RFC 5961 5.2
        if seg.ack.lt(snd.una - snd.max_wnd.max(1)) {
            cx.counters.tcp_bad_ack += 1;
            self.challenge(cx);
            return false;
        }
        outcome.acked = seg.ack.gt(snd.una);
        if self.acknowledge(seg, cx) {
            self.fin_acknowledged(cx, outcome);
        }
        if (self.probing || self.snd.wnd == 0) && !self.service_done {
            self.deadlines.give_up = None; // RFC 9293 3.8.6.1: a peer that answers probes is alive
        }
        self.update_window(seg);
        if self.probing && self.snd.wnd > 0 {
            self.rto.probe_answered();
        }
        true
    }

    /// The round trip of the SYN: of one that was sent once, else by timestamp.
    fn measure_handshake(&mut self, seg: &Segment<'_>, cx: &Cx<'_>) {
        match self.timed.take() {
            Some((end, sent)) if seg.ack.ge(end) => {
                let rtt = cx.now.since(sent);
                self.measured(rtt, cx.config);
                self.sample_path(rtt, cx.now);
            }
            _ if self.ts.is_some() => {
                self.measure_echo(seg.options.timestamps.map(|(_, echo)| echo), cx);
            }
            _ => {}
        }
    }

    fn fin_acknowledged(&mut self, cx: &Cx<'_>, outcome: &mut Outcome) {
        match self.state {
            State::FinWait1 => {
                self.state = State::FinWait2;
                if self.service_done {
                    self.deadlines.give_up = Some(cx.now + self.fin_wait_2(cx.config));
                }
            }
            State::Closing => outcome.end = End::TimeWait,
            State::LastAck => outcome.end = End::Closed(CloseReason::Finished),
            _ => {}
        }
    }

    fn update_window(&mut self, seg: &Segment<'_>) {
        if seg.ack.lt(self.snd.una) {
            return; // RFC 9293 3.10.7.4: only with SND.UNA =< SEG.ACK =< SND.NXT
        }
        let newer = self.snd.wl1.lt(seg.seq) || (self.snd.wl1 == seg.seq && self.snd.wl2.le(seg.ack));
        if newer {
            self.set_window(seg);
        }
    }

    fn set_window(&mut self, seg: &Segment<'_>) {
        self.snd.wnd = u32::from(seg.window) << self.snd.wscale;
        self.snd.max_wnd = self.snd.max_wnd.max(self.snd.wnd);
        self.snd.wl1 = seg.seq;
        self.snd.wl2 = seg.ack;
    }

    /// Seventh step.
    fn input_text(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>, outcome: &mut Outcome) {
        if seg.payload.is_empty() {
            return;
        }
        if !matches!(self.state, State::Established | State::FinWait1 | State::FinWait2) {
            return;
        }
        let old = (self.rcv.nxt.diff(seg.seq)).max(0) as usize;
        let end = seg.seq + seg.payload.len() as u32;
        let beyond = end.diff(self.rcv.adv).max(0) as usize;
        if old + beyond >= seg.payload.len() {
            if old >= seg.payload.len() {
                self.duplicate_text(seg.seq, end, cx);
            }
            self.ack_now();
            return;
        }
        if self.service_done {
            // RFC 9293 3.6.1: nobody will read this, and the peer must know
            cx.counters.tcp_data_after_close += 1;
            outcome.end = End::Abort(CloseReason::Aborted);
            return;
        }
        if let Some(fin) = self.rcv.fin
            && end.gt(fin)
        {
            cx.counters.tcp_data_after_fin += 1;
            return;
        }
        self.last_data = cx.now;
        self.data_segs_in = self.data_segs_in.wrapping_add(1);
        self.measure_as_receiver(seg, cx);
        let (from, to) = (old, seg.payload.len() - beyond);
        if old > 0 {
            self.duplicate_text(seg.seq, self.rcv.nxt, cx);
        }
        if old > 0 || beyond > 0 {
            self.ack_now();
        }
        self.accept_text(seg.seq + old as u32, &seg.payload[from..to], from, cx, outcome);
    }

    /// The round trip as the receiver sees it: the echo in a full segment is of an acknowledgement that let it go.
    fn measure_as_receiver(&mut self, seg: &Segment<'_>, cx: &Cx<'_>) {
        let Some((_, echo)) = seg.options.timestamps.filter(|_| self.ts.is_some()) else { return };
        if seg.payload.len() as u32 >= self.snd.mss && echo != 0 {
            let ms = self.ts_value(cx.now).wrapping_sub(echo);
            if ms < 600_000 {
                self.tune.rtt_sample(std::time::Duration::from_millis(u64::from(ms.max(1))));
            }
        }
    }

    /// Bytes that were received before: the next acknowledgement says so (D-SACK, RFC 2883 4).
    fn duplicate_text(&mut self, start: SeqNumber, end: SeqNumber, cx: &mut Cx<'_>) {
        self.quick_acks = QUICK_ACKS;
        if self.sack_ok {
            cx.counters.tcp_dsack_old_sent += 1;
            self.rx.duplicate(start, end);
        }
    }

    fn accept_text(
        &mut self,
        seq: SeqNumber,
        text: &[u8],
        offset: usize,
        cx: &mut Cx<'_>,
        outcome: &mut Outcome,
    ) {
        let len = text.len() as u32;
        if seq == self.rcv.nxt && self.rx.is_empty() && !self.rx.has_gaps() {
            self.rcv.nxt += len;
            self.received(len, cx);
            outcome.in_place = Some((offset, text.len()));
            self.schedule_ack(len, cx);
            return;
        }
        if seq == self.rcv.nxt && !self.rx.has_gaps() {
            self.rx.append(text);
            self.rcv.nxt += len;
            self.received(len, cx);
            outcome.readable = true;
            self.schedule_ack(len, cx);
            return;
        }
        let merged = if seq == self.rcv.nxt {
            self.rx.fill(seq, text)
        } else {
            self.keep_out_of_order(seq, text, cx);
            0
        };
        self.rcv.nxt += merged;
        self.received(merged, cx);
        outcome.readable |= merged > 0;
        // RFC 5681 4.2: at once, when a segment leaves a gap or fills one
        self.quick_acks = QUICK_ACKS;
        if merged == 0 {
            self.ack_each();
        } else {
            self.ack_now();
        }
    }

    fn keep_out_of_order(&mut self, seq: SeqNumber, text: &[u8], cx: &mut Cx<'_>) {
        if cx.memory_short {
            cx.counters.tcp_memory_short += 1;
            return;
        }
        if self.rx.holds_some(seq, seq + text.len() as u32) {
            cx.counters.tcp_ofo_merge += 1;
            cx.counters.tcp_dsack_ofo_sent += u64::from(self.sack_ok);
        }
        match self.rx.insert(self.rcv.nxt, seq, text, cx.config.max_gaps) {
            Insert::Kept => cx.counters.tcp_out_of_order += 1,
            Insert::TooManyGaps | Insert::NoRoom => cx.counters.tcp_too_many_gaps += 1,
        }
    }

    fn received(&mut self, len: u32, cx: &mut Cx<'_>) {
        cx.counters.tcp_bytes_in += u64::from(len);
        self.bytes_received += u64::from(len);
        if self.ts.is_none() {
            self.tune.received(cx.now, self.rcv.nxt, self.rx.limit() as u32);
        }
    }

    /// RFC 9293 3.8.6.3, RFC 5681 4.2: at least every second full segment is acknowledged, none waits for long.
    fn schedule_ack(&mut self, len: u32, cx: &Cx<'_>) {
        self.unacked += len;
        self.unacked_at_once = self.unacked_at_once.max(len);
        let quick = self.quick_acks > 0;
        self.quick_acks = self.quick_acks.saturating_sub(1);
        if self.unacked >= 2 * self.snd.mss || quick || self.quick_ack() {
            self.ack_now();
        } else if self.ack == AckDue::No {
            self.ack = AckDue::Delayed(cx.now + cx.config.delayed_ack);
        }
    }

    /// Eighth step.
    fn input_fin(&mut self, seg: &Segment<'_>, outcome: &mut Outcome) {
        if outcome.end != End::No {
            return;
        }
        if seg.flags.fin() && self.rcv.fin.is_none() {
            let fin = seg.seq + seg.payload.len() as u32;
            // Never before what was received, nor behind the window.
            let known = self.rx.end().map_or(self.rcv.nxt, |end| end.max(self.rcv.nxt));
            if fin.ge(known) && fin.le(self.rcv.adv) {
                self.rcv.fin = Some(fin);
                self.ack_now();
            }
        } else if seg.flags.fin() {
            self.ack_now();
        }
        if self.rcv.fin != Some(self.rcv.nxt) {
            return;
        }
        match self.state {
            State::Established => self.state = State::CloseWait,
            State::FinWait1 => self.state = State::Closing,
            State::FinWait2 => outcome.end = End::TimeWait,
            _ => return,
        }
        self.rcv.nxt += 1;
        self.rcv.adv = self.rcv.adv.max(self.rcv.nxt);
        self.ack_now();
    }
}

const SYN_ACK: TcpFlags = TcpFlags::SYN.union(TcpFlags::ACK);
/// Flags that do not tell what a segment is.
const OTHER_FLAGS: TcpFlags = TcpFlags::PSH.union(TcpFlags::URG).union(TcpFlags::ECE).union(TcpFlags::CWR);
/// Segments that are acknowledged at once after something was missing or came twice (Linux: TCP_MAX_QUICKACKS).
const QUICK_ACKS: u8 = 16;
/// RFC 7323 5.5: TS.Recent older than 24 days is not compared.
const PAWS_IDLE: std::time::Duration = std::time::Duration::from_secs(24 * 24 * 3600);
/// Least time between two answers to unacceptable segments without text; keepalive probes are further apart.
const ANSWER_INTERVAL: std::time::Duration = std::time::Duration::from_millis(500);
