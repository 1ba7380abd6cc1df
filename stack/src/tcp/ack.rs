//! An acknowledgement arrives: what has been delivered, what is lost, how large the window is now
//! (RFC 9293 3.10.7.4 fifth step; RFC 2018, 2883, 5681, 6675, 6937, 8985).

use std::time::Duration;

use ferroflow_wire::SeqNumber;

use super::cc;
use super::input::{Cx, Segment};
use super::rack::{self, Tlp};
use super::recovery::Phase;
use super::sent::Delivered;
use super::tcb::{Early, State, Tcb};
use super::{TcpConfig, ecn};
use crate::counters::Counters;
use crate::time::Instant;

/// Duplicates that mean loss (RFC 5681 3.2).
const DUP_THRESH: u32 = 3;
/// A longer round trip by timestamp is a wrong echo.
const MAX_RTT_MS: u32 = 600_000;

/// What one acknowledgement has told.
#[derive(Debug, Default)]
struct News {
    delivered: Delivered,
    /// Bytes by which SND.UNA has moved.
    moved: u32,
    /// RFC 5681 2: it repeats the last one and is nothing else.
    duplicate: bool,
    /// It says that something arrived twice (RFC 2883).
    dsack: bool,
    /// Round trip of what was sent once and delivered last.
    rtt: Option<Duration>,
    /// Bytes that turned out to be lost.
    lost: u32,
    /// TSecr
    echo: Option<u32>,
    /// A router has marked what we sent (ECN-Echo, RFC 3168 6.1.3).
    marked: bool,
}

impl Tcb {
    /// An acknowledgement between SND.UNA and SND.MAX. Returns whether it acknowledges our FIN.
    pub(super) fn acknowledge(&mut self, seg: &Segment<'_>, cx: &mut Cx<'_>) -> bool {
        let fack = self.sent.fack();
        let mut news = News {
            duplicate: self.is_duplicate(seg),
            moved: u32::try_from(seg.ack.diff(self.snd.una)).unwrap_or(0),
            echo: seg.options.timestamps.filter(|_| self.ts.is_some()).map(|(_, echo)| echo),
            marked: ecn::is_echo(self, seg),
            ..News::default()
        };
        if news.moved == 0 && seg.options.sack.is_empty() && !news.duplicate && !self.recovery.repairing() {
            if news.marked {
                self.marked(&news, cx);
            }
            return false; // most segments of a flow that comes our way
        }
        let fin_acked = news.moved > 0 && self.advance(seg, &mut news, cx);
        if self.sack_ok {
            let sacked = self.sent.sacked();
            self.take_sacks(seg, &mut news, cx);
            if self.sent.sacked() > sacked {
                self.rack.sacked();
            }
        }
        self.measure_ack(&mut news, cx);
        self.rack.delivered(&news.delivered, fack, self.recovery.echo_is_old(news.echo), cx.now);
        // RFC 8985 6.2 step 3
        let overtaken = news.delivered.lowest_once.is_some_and(|end| end.lt(fack));
        cx.counters.tcp_reordered += u64::from(overtaken);
        self.find_losses(&mut news, cx);
        let over = self.judge(&news, cx);
        if news.marked {
            self.marked(&news, cx);
        }
        if !over {
            self.grow(&news, cx);
        }
        self.rearm(&news, cx);
        #[cfg(debug_assertions)]
        self.sent.check();
        fin_acked
    }

    /// RFC 5681 2: nothing but an acknowledgement, with outstanding data, that repeats the last one.
    fn is_duplicate(&self, seg: &Segment<'_>) -> bool {
        seg.ack == self.snd.una
            && !self.sent.is_empty()
            && !self.probing
            && seg.seq_len() == 0
            && (u32::from(seg.window) << self.snd.wscale) == self.snd.wnd
    }

    /// SND.UNA moves on.
    fn advance(&mut self, seg: &Segment<'_>, news: &mut News, cx: &mut Cx<'_>) -> bool {
        let acked = news.moved;
        let data = (acked as usize).min(self.tx.len());
        let fin_acked = self.fin_open() && seg.ack == self.tx_end() + 1;
        self.tx.consume(data);
        self.bytes_acked += data as u64;
        let high = self.f_rto_limit();
        self.sent.ack(seg.ack, high, &mut news.delivered);
        self.snd.una = seg.ack;
        // The right edge stays where it is unless this segment is new enough to move it (`update_window`).
        self.snd.wnd = self.snd.wnd.saturating_sub(acked);
        self.snd.nxt = self.snd.nxt.max(seg.ack);
        self.rto.progress();
        self.recovery.follow(seg.ack);
        self.rack.follow(seg.ack);
        self.waiting_since = cx.now;
        self.path_acked(cx.now, cx.counters);
        self.user_timeout_acked();
        self.resend_one = false;
        self.unreachable = false;
        // Progress: the user time-out starts anew, and so does the patience with a peer that the service has left.
        self.deadlines.give_up = self.service_done.then(|| cx.now + cx.config.linger);
        self.probing = false;
        fin_acked
    }

    /// What was sent before the last time-out ends there; before anything that was sent, when there was none.
    fn f_rto_limit(&self) -> SeqNumber {
        if self.recovery.frto { self.recovery.high } else { self.snd.una }
    }

    /// SACK blocks (RFC 2018 4, 5), the first of which may be a D-SACK (RFC 2883 4).
    fn take_sacks(&mut self, seg: &Segment<'_>, news: &mut News, cx: &mut Cx<'_>) {
        let blocks = seg.options.sack.as_slice();
        let Some(&(start, end)) = blocks.first() else { return };
        let again =
            seg.ack.ge(end) || blocks.get(1).is_some_and(|&(start2, end2)| start.ge(start2) && end.le(end2));
        let mut rest = blocks;
        // RFC 2883 5: not of what we never sent, nor of what is too old to be of this window
        if again {
            rest = &blocks[1..];
            let known = end.le(self.snd.nxt) && end.gt(self.snd.una - self.snd.max_wnd.max(1));
            if known && start.lt(end) {
                news.dsack = true;
                cx.counters.tcp_dsack_received += 1;
                self.dsack_dups = self.dsack_dups.wrapping_add(1);
                self.recovery.dsack(start, end);
                self.rack.dsack(self.snd.nxt);
            } else {
                cx.counters.tcp_dsack_ignored += 1;
            }
        }
        let high = self.f_rto_limit();
        for &(start, end) in rest {
            // RFC 2018 8: the data sender believes only what lies in its window
            if start.lt(end) && end.gt(self.snd.una) && end.le(self.snd.nxt) {
                self.sent.sack(start, end, high, &mut news.delivered);
            } else if end.gt(self.snd.nxt) {
                cx.counters.tcp_sack_ignored += 1;
            }
        }
    }

    /// Round trips: of what was sent once (Karn), else by timestamp (RFC 7323 4.1).
    fn measure_ack(&mut self, news: &mut News, cx: &Cx<'_>) {
        let delivered = &news.delivered;
        self.delivered = self.delivered.wrapping_add(delivered.bytes);
        if let Some((first, last)) = delivered.once {
            let rtt = cx.now.since(last);
            news.rtt = Some(rtt);
            self.sample_path(rtt, cx.now);
            // The acknowledgement of the first may have been delayed; the time-out has to live with that.
            self.measured(cx.now.since(first), cx.config);
        } else if news.moved > 0 && !self.recovery.echo_is_old(news.echo) {
            self.measure_echo(news.echo, cx);
        }
        if let Some(newest) = delivered.newest {
            let took = cx.now.since(newest.sent_at).as_nanos().max(1_000);
            let bytes = u128::from(self.delivered.wrapping_sub(delivered.delivered_then));
            self.delivery_rate = u64::try_from(bytes * 1_000_000_000 / took).unwrap_or(u64::MAX);
        }
    }

    /// What depends on the least round trip.
    pub(super) fn sample_path(&mut self, rtt: Duration, now: Instant) {
        if self.rack.sample(rtt, now) {
            self.ts_clock.follow(rtt, now);
        }
    }

    /// A round trip by echoed timestamp, in whole milliseconds.
    pub(super) fn measure_echo(&mut self, echo: Option<u32>, cx: &Cx<'_>) {
        let Some(echo) = echo.filter(|&echo| echo != 0) else { return };
        let ms = self.ts_value(cx.now).wrapping_sub(echo);
        if ms < MAX_RTT_MS {
            self.measured(Duration::from_millis(u64::from(ms.max(1))), cx.config);
        }
    }

    /// A round trip was measured.
    pub(super) fn measured(&mut self, rtt: Duration, config: &TcpConfig) {
        self.rto.measured(rtt, config);
        self.tlp.measured();
    }

    /// Which of what is in flight is lost: by RACK (RFC 8985 6.2), or by duplicates (RFC 6582) where the peer has no SACK.
    fn find_losses(&mut self, news: &mut News, cx: &mut Cx<'_>) {
        if self.sack_ok {
            news.lost = self.detect_losses(cx.now, cx.counters);
            if news.lost > 0 && self.path_lost(news.lost, cx.now, cx.counters) {
                news.lost = 0;
            }
            return;
        }
        if self.recovery.phase == Phase::Loss {
            return; // everything is taken for lost, and duplicates are of what was out before (RFC 6582 3.2 step 2)
        }
        self.count_duplicates(news);
        let recovering = self.recovery.phase == Phase::Recovery;
        let partial = recovering && news.moved > 0 && self.snd.una.lt(self.recovery.high);
        // RFC 6582 3.2 step 2: not for the losses of a window that is being repaired
        let third = !self.recovery.repairing()
            && self.dup_acks == DUP_THRESH
            && news.duplicate
            && self.snd.una.gt(self.recovery.high);
        if partial || third {
            news.lost = self.sent.lose_first(self.snd.mss);
            self.resend_one |= partial; // RFC 6582 3.2 step 3: at once
        }
        if news.moved > 0 && !recovering {
            self.dup_acks = 0;
        }
    }

    /// RFC 9937 6.2: without SACK a duplicate stands for a segment, which what moves SND.UNA on later must not count again.
    /// During a repair there are no more of them than segments were out, whatever the peer says.
    fn count_duplicates(&mut self, news: &mut News) {
        let mss = self.snd.mss;
        let told = self.dup_acks.saturating_mul(mss);
        if news.duplicate {
            if !self.recovery.reducing() || told < self.recovery.flight() {
                self.dup_acks += 1;
                news.delivered.bytes += mss;
            }
        } else if news.moved > 0 {
            news.delivered.bytes = news.delivered.bytes.saturating_sub(told);
            self.dup_acks = self.dup_acks.saturating_sub(news.moved / mss);
        }
    }

    /// RFC 8985 6.2 step 5. Sets the reordering timer if something may turn out to be lost soon. Returns the bytes lost.
    pub(super) fn detect_losses(&mut self, now: Instant, counters: &mut Counters) -> u32 {
        // The reordering timer is set anew. A tail loss probe, which is for flows that miss nothing, goes on waiting if
        // nothing is missing.
        let missing = self.sent.sacked() > 0 || self.recovery.repairing();
        if missing || matches!(self.deadlines.early, Some((_, Early::Reordering))) {
            self.deadlines.early = None;
        }
        let Some(newest) = self.rack.newest().filter(|_| missing) else { return 0 };
        let found = self.sent.detect(&newest, self.rack_patience(), now);
        counters.tcp_lost_retransmit += u64::from(found.again.div_ceil(self.snd.mss));
        if let Some(at) = found.next {
            self.deadlines.early = Some((at, Early::Reordering));
        }
        found.bytes
    }

    /// How long after its transmission a segment counts as lost, once a later one has arrived.
    pub(super) fn rack_patience(&self) -> Duration {
        self.rack.patience(&rack::Path {
            recovering: self.recovery.repairing(),
            sacked: self.sent.sacked(),
            mss: self.snd.mss,
            srtt: self.rto.srtt(),
        })
    }

    /// Begins, ends or takes back a repair. Returns whether a reduction of the window has come to its end.
    fn judge(&mut self, news: &News, cx: &mut Cx<'_>) -> bool {
        let plain = news.duplicate && news.delivered.bytes == 0;
        if self.tlp.acked(self.snd.una, news.dsack, plain) && !self.recovery.repairing() {
            // RFC 8985 7.4.2: the probe has repaired a loss; the window comes down all the same
            cx.counters.tcp_loss_probe_recovery += 1;
            self.begin_reduction(news, cx.now);
        }
        // In fast recovery one late segment says nothing of the others that were sent again and are not answered yet.
        let open_question = self.recovery.phase == Phase::Recovery && self.sent.resent_in_flight();
        let repairing = self.recovery.repairing();
        // RFC 3522 3.2 step 5: if nothing is left in flight, perhaps only all acknowledgements were lost. A peer that has D-SACK
        // says so.
        let conclusive = !news.dsack && (self.snd.una != self.snd.max || self.dsack_dups > 0);
        let echo = news.echo.filter(|_| conclusive);
        if news.moved > 0 && self.recovery.answers_original(echo) && !open_question {
            cx.counters.tcp_spurious_by_timestamp += 1;
            self.count_undo(cx);
            self.undo(news, cx);
        } else if news.dsack && self.recovery.all_in_vain() {
            cx.counters.tcp_spurious_by_dsack += 1;
            self.undo(news, cx);
        }
        if self.recovery.frto {
            self.f_rto(news, cx);
        }
        // RFC 4015 3.4: a window that was restored does not grow by the same acknowledgement.
        let mut over = repairing && !self.recovery.repairing();
        let mut lost_later = false;
        if self.recovery.phase != Phase::Open && self.snd.una.ge(self.recovery.high) {
            over = self.recovery.reducing();
            // RFC 5681 4.3: what left during the repair and was lost, too, is a second indication of congestion.
            lost_later = self.sack_ok && self.recovery.repairing() && self.sent.is_missing();
            self.repaired(lost_later);
        }
        if lost_later || (news.lost > 0 && !self.recovery.repairing()) {
            self.begin_recovery(news.moved, news.delivered.bytes, cx.now, cx.counters);
        } else if news.lost > 0 && news.moved == 0 {
            self.resend_one |= self.sent.pipe() == 0;
        }
        if news.moved > 0 && self.recovery.repairing() {
            cx.counters.tcp_partial_ack += 1;
        }
        over
    }

    /// Fast recovery begins (RFC 6675 5 step 4), by an acknowledgement that moved SND.UNA by `moved` bytes and told of
    /// `delivered` ones.
    pub(super) fn begin_recovery(
        &mut self,
        moved: u32,
        delivered: u32,
        now: Instant,
        counters: &mut Counters,
    ) {
        let begun =
            if self.sack_ok { &mut counters.tcp_sack_recovery } else { &mut counters.tcp_reno_recovery };
        *begun += 1;
        // A window that ECN is bringing down already is not brought down twice (RFC 3168 6.1.2).
        if self.recovery.phase != Phase::Cwr {
            self.cc.congestion(now, self.load(moved));
        }
        self.begin_episode(Phase::Recovery, self.newly(moved, delivered));
        self.ecn.reduced = self.ecn.on; // RFC 3168 6.1.2
        self.tlp.forget();
        self.resend_one = true;
    }

    /// ECN-Echo: as if a segment were lost, once per round trip (RFC 3168 6.1.2).
    fn marked(&mut self, news: &News, cx: &mut Cx<'_>) {
        // An answer to what was sent before the last reduction, and so before CWR, tells nothing new.
        let answered = self.recovery.phase != Phase::Open || self.snd.una.le(self.recovery.high);
        if answered || (self.sent.is_empty() && news.moved == 0) {
            return;
        }
        cx.counters.tcp_ecn_reductions += 1;
        self.begin_reduction(news, cx.now);
        self.ecn.reduced = true;
        if self.sent.is_empty() {
            self.repaired(false); // nothing in flight whose arrival would bring the window down
        }
    }

    /// The window is to come down although nothing is lost.
    fn begin_reduction(&mut self, news: &News, now: Instant) {
        self.cc.congestion(now, self.load(news.moved));
        self.begin_episode(Phase::Cwr, self.newly(news.moved, news.delivered.bytes));
    }

    /// What an acknowledgement has taken out of the scoreboard: without SACK, what duplicates stand for is still in it.
    fn newly(&self, moved: u32, delivered: u32) -> u32 {
        if self.sack_ok { delivered } else { moved }
    }

    /// `delivered`: bytes that the acknowledgement which begins it has taken out of the scoreboard.
    pub(super) fn begin_episode(&mut self, phase: Phase, delivered: u32) {
        let out = self.sent.pipe() + self.sent.lost() + delivered;
        self.recovery.begin(phase, self.snd.una, self.snd.nxt, out);
    }

    /// What the path carried when congestion showed: FlightSize (RFC 5681 3.1) before the acknowledgement that showed it,
    /// which has taken `moved` bytes off; SACK may have let go more than a window.
    pub(super) fn load(&self, moved: u32) -> u32 {
        (self.flight() + moved).min(self.cc.cwnd())
    }

    /// Everything that was out when it began has arrived. `go_on`: another repair follows, and what was sent again in this one
    /// counts on.
    fn repaired(&mut self, go_on: bool) {
        if self.recovery.repairing() {
            self.rack.recovered();
        }
        if self.recovery.reducing() {
            // RFC 6675 5; without SACK nobody knows what is out, and no burst must follow (RFC 6582 3.2 step 3)
            let mss = self.snd.mss;
            let burst = if self.sack_ok { u32::MAX } else { self.flight().max(mss) + mss };
            self.cc.set_cwnd(self.cc.ssthresh().min(burst));
        }
        if !go_on {
            self.recovery.end();
        }
        self.dup_acks = 0;
    }

    fn count_undo(&self, cx: &mut Cx<'_>) {
        match self.recovery.phase {
            Phase::Loss => cx.counters.tcp_loss_undo += 1,
            Phase::Recovery if self.snd.una.lt(self.recovery.high) => cx.counters.tcp_partial_undo += 1,
            _ => cx.counters.tcp_full_undo += 1,
        }
    }

    /// Nothing was lost: the window is what it was (RFC 4015, RFC 3708), unless a router says that it is too large.
    fn undo(&mut self, news: &News, cx: &mut Cx<'_>) {
        cx.counters.tcp_undone += 1;
        if self.recovery.phase == Phase::Recovery {
            self.rack.reordered();
        }
        self.sent.undo();
        self.recovery.undone();
        if !news.marked {
            self.cc.undo(); // RFC 4015 3.1 step 9
            // RFC 5682 2.1 step 3b, RFC 4015 4: duplicates may show a loss again.
            self.recovery.high = self.snd.una - 1;
        }
        self.resend_one = false;
        self.dup_acks = 0;
    }

    /// F-RTO: was the time-out spurious (RFC 5682)?
    fn f_rto(&mut self, news: &News, cx: &mut Cx<'_>) {
        // Step 3: new segments have been sent since the time-out was answered.
        let tried = self.snd.nxt.gt(self.recovery.high);
        // Step 3b: what was sent once, before the time-out, still arrives. Without SACK only the second acknowledgement tells,
        // as the first may stand for what the peer has kept behind the gap.
        let original = if self.sack_ok { news.delivered.original } else { tried && news.moved > 0 };
        if original {
            cx.counters.tcp_spurious_by_f_rto += 1;
            self.count_undo(cx);
            return self.undo(news, cx);
        }
        match tried {
            true if self.sack_ok => self.recovery.frto &= news.delivered.bytes == 0 || news.moved > 0, // 3.1 step 3a
            true if news.duplicate => {
                self.recovery.frto = false; // 2.1 step 3a
                self.cc.set_cwnd(3 * self.snd.mss);
            }
            true => {}
            false if news.moved > 0 && self.snd.una.lt(self.recovery.high) => self.f_rto_try(),
            false => self.recovery.frto &= self.sack_ok || !news.duplicate, // 2.1 step 2a
        }
    }

    /// Step 2b: two new segments tell whether the old ones are still on their way.
    fn f_rto_try(&mut self) {
        let unsent = self.tx_end().diff(self.snd.nxt) > 0;
        // 2.1 step 2a: not if the peer acknowledges less than what was sent again
        let whole = self.sack_ok || self.snd.una.ge(self.recovery.resent_end);
        if whole && unsent && self.snd.wnd > self.flight() {
            self.recovery.high = self.snd.nxt;
            self.recovery.new_first = 2 * self.snd.mss;
        } else {
            self.recovery.frto = false;
        }
    }

    /// How large the window is now.
    fn grow(&mut self, news: &News, cx: &Cx<'_>) {
        let bytes = news.delivered.bytes;
        if self.recovery.reducing() {
            let safe = news.moved > 0 && news.lost == 0;
            let pipe = self.pipe();
            let cwnd = self.recovery.prr(bytes, pipe, self.cc.ssthresh(), self.snd.mss, safe);
            self.cc.set_cwnd(cwnd);
        } else if news.moved > 0 && !news.marked {
            let flight = self.pipe();
            let limited = self.cwnd_limited
                || (self.cc.in_slow_start() && self.max_flight.saturating_mul(2) > self.cc.cwnd());
            self.cc.acked(&cc::Acked {
                now: cx.now,
                // RFC 5681 3.1: all that is acknowledged by it, also what SACK had told before, when nothing grew
                bytes: news.moved,
                rtt: news.rtt,
                srtt: self.rto.srtt(),
                min_rtt: self.rack.min_rtt(),
                limited,
                una: self.snd.una,
                nxt: self.snd.nxt,
                flight,
            });
            if !cx.memory_short {
                self.grow_send_ring(cx.config);
            }
        }
    }

    /// Bytes taken to be in the network: by the scoreboard, or by duplicates (RFC 6582 3.2 step 3 inflates instead). Where they
    /// begin no repair, two of them count (RFC 3042 2: no more than two segments beyond the window).
    #[inline]
    pub(super) fn pipe(&self) -> u32 {
        if self.sack_ok || self.dup_acks == 0 {
            return self.sent.pipe();
        }
        let most = if self.recovery.reducing() { u32::MAX } else { DUP_THRESH - 1 };
        self.sent.pipe().saturating_sub(self.dup_acks.min(most).saturating_mul(self.snd.mss))
    }

    /// RFC 6298 5.2, 5.3; RFC 8985 7.2
    fn rearm(&mut self, news: &News, cx: &Cx<'_>) {
        if self.snd.una == self.snd.max {
            self.deadlines.retransmit = None;
            self.deadlines.early = None;
        } else if news.moved > 0 {
            self.deadlines.retransmit = Some(cx.now + self.rto.get(cx.config));
            self.arm_probe(cx.now, cx.config);
        }
    }

    /// Sets the tail loss probe's timer, if one is in order (RFC 8985 7.2).
    pub(super) fn arm_probe(&mut self, now: Instant, config: &TcpConfig) {
        let flight = self.flight();
        let calm = self.sack_ok
            && config.tail_loss_probe
            && self.recovery.phase == Phase::Open
            && self.sent.sacked() == 0
            && self.tlp.may_probe()
            && flight > 0
            && self.state != State::SynReceived;
        if !calm || matches!(self.deadlines.early, Some((_, Early::Reordering))) {
            return;
        }
        let at = now + Tlp::timeout(self.rto.srtt(), flight <= self.snd.mss);
        // RFC 8985 7.2: no later than the time-out, in whose place it then comes
        let rto = self.deadlines.retransmit.unwrap_or(Instant::FAR);
        self.deadlines.early = Some((at.min(rto), Early::Probe));
    }
}
