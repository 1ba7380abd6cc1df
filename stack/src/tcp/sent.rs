//! What is in flight, run by run: the scoreboard of RFC 6675 3, with the times of transmission that RFC 8985 5.2 asks for.
//!
//! A run is a stretch of sequence numbers that left at one time and has had one fate since. A burst of segments is one
//! run; acknowledgements and losses split it.

use std::collections::VecDeque;

use ferroflow_wire::SeqNumber;

use crate::time::Instant;

/// Most runs of one connection: a peer whose SACK blocks cut finer than this has what would cut more ignored (and
/// sent again). A window of 12 MB with every second segment lost fits.
const MAX_RUNS: usize = 8192;

/// What has become of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// On its way.
    Flying,
    /// The peer has it (RFC 2018).
    Sacked,
    /// Taken for lost, and not sent again yet.
    Lost,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    /// Behind its last byte; it begins where the one before ends.
    end: SeqNumber,
    /// `delivered` of the connection when it was sent.
    delivered: u32,
    sent_at: Instant,
    fate: Fate,
    /// Sent more than once.
    again: bool,
}

/// What an acknowledgement or a SACK block newly told about runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivered {
    /// Bytes that are known to have arrived only now.
    pub bytes: u32,
    /// The last to be sent of them (RFC 8985 6.2 step 2): when, its end, whether it was sent before.
    pub newest: Option<Newest>,
    /// The last to be sent of those that were sent once.
    pub newest_once: Option<Newest>,
    /// When the first and the last of those that were sent once were sent (Karn's rule).
    pub once: Option<(Instant, Instant)>,
    /// `delivered` of the connection when the newest was sent.
    pub delivered_then: u32,
    /// The lowest end among those sent once; if others behind it arrived before, there is reordering.
    pub lowest_once: Option<SeqNumber>,
    /// Something sent once arrived that was sent before `high` (see [`Sent::ack`]): F-RTO's proof (RFC 5682 3.1).
    pub original: bool,
}

/// What has turned out to be lost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Losses {
    /// Bytes newly lost.
    pub bytes: u32,
    /// Of these: sent again before.
    pub again: u32,
    /// When the next of those that may be lost will be.
    pub next: Option<Instant>,
}

/// A transmission that arrived.
#[derive(Debug, Clone, Copy)]
pub struct Newest {
    /// When it was sent.
    pub sent_at: Instant,
    /// Behind its last byte.
    pub end: SeqNumber,
    /// It had been sent before.
    pub again: bool,
}

impl Delivered {
    fn add(&mut self, run: &Run, start: SeqNumber, end: SeqNumber, high: SeqNumber) {
        self.bytes += end - start;
        let this = Newest { sent_at: run.sent_at, end, again: run.again };
        if self.newest.is_none_or(|n| this.is_after(&n)) {
            self.newest = Some(this);
            self.delivered_then = run.delivered;
        }
        if !run.again {
            self.newest_once = Some(self.newest_once.filter(|n| n.is_after(&this)).unwrap_or(this));
            let (first, last) = self.once.unwrap_or((run.sent_at, run.sent_at));
            self.once = Some((first.min(run.sent_at), last.max(run.sent_at)));
            self.lowest_once = Some(self.lowest_once.map_or(end, |low| low.min(end)));
            self.original |= end.le(high);
        }
    }
}

impl Newest {
    #[inline]
    pub(super) fn is_after(&self, other: &Newest) -> bool {
        sent_after(self.sent_at, self.end, other.sent_at, other.end)
    }
}

/// RFC 8985 5.1: of two that left at once, the one with the higher sequence number left later.
#[inline]
pub fn sent_after(t1: Instant, end1: SeqNumber, t2: Instant, end2: SeqNumber) -> bool {
    t1 > t2 || (t1 == t2 && end1.gt(end2))
}

/// The runs from SND.UNA to the end of what was sent.
#[derive(Debug, Default)]
pub struct Sent {
    runs: VecDeque<Run>,
    una: SeqNumber,
    /// Bytes of runs that the peer has beyond `una`.
    sacked: u32,
    /// Bytes of runs that are lost and not sent again.
    lost: u32,
    /// Behind the highest byte that the peer has (RACK.fack, RFC 8985 5.2).
    fack: SeqNumber,
    /// Behind the highest byte that was sent again.
    again_end: SeqNumber,
}

impl Sent {
    /// Nothing is in flight from `una` on.
    pub fn begin(&mut self, una: SeqNumber) {
        self.clear(una);
        self.again_end = una;
        self.fack = una;
    }

    fn clear(&mut self, una: SeqNumber) {
        self.runs.clear();
        self.una = una;
        self.sacked = 0;
        self.lost = 0;
    }

    /// Behind the last byte sent.
    #[inline]
    fn end(&self) -> SeqNumber {
        self.runs.back().map_or(self.una, |run| run.end)
    }

    /// Whether nothing is in flight.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Bytes that the peer has beyond a gap.
    #[inline]
    pub fn sacked(&self) -> u32 {
        self.sacked
    }

    /// Bytes that are to be sent again.
    #[inline]
    pub fn lost(&self) -> u32 {
        self.lost
    }

    /// RFC 6675 4, `pipe`: bytes that are taken to be in the network.
    #[inline]
    pub fn pipe(&self) -> u32 {
        (self.end() - self.una) - self.sacked - self.lost
    }

    /// Behind the highest byte that the peer is known to have.
    #[inline]
    pub fn fack(&self) -> SeqNumber {
        self.fack
    }

    /// Memory held, in bytes.
    pub fn memory(&self) -> usize {
        self.runs.capacity() * size_of::<Run>()
    }

    /// Gives memory back when nothing is in flight.
    pub fn shrink(&mut self) {
        if self.runs.is_empty() {
            self.runs = VecDeque::new();
        }
    }

    /// New bytes up to `end` leave now.
    #[inline]
    pub fn push(&mut self, end: SeqNumber, now: Instant, delivered: u32) {
        let full = self.runs.len() >= MAX_RUNS;
        if let Some(last) = self.runs.back_mut()
            && last.fate == Fate::Flying
            && (full || (last.sent_at == now && !last.again))
        {
            last.sent_at = now;
            last.end = end;
            return;
        }
        self.runs.push_back(Run { end, delivered, sent_at: now, fate: Fate::Flying, again: false });
    }

    /// Everything before `ack` has arrived. `high`: what was sent before the last time-out ends there.
    #[inline]
    pub fn ack(&mut self, ack: SeqNumber, high: SeqNumber, news: &mut Delivered) {
        while let Some(run) = self.runs.front() {
            let end = run.end.min(ack);
            if end.le(self.una) {
                break;
            }
            let len = end - self.una;
            match run.fate {
                Fate::Sacked => self.sacked -= len,
                fate => {
                    news.add(run, self.una, end, high);
                    if fate == Fate::Lost {
                        self.lost -= len;
                    }
                }
            }
            self.una = end;
            if end != run.end {
                break;
            }
            self.runs.pop_front();
        }
        self.una = ack;
        // Never so far behind that they would seem to lie ahead.
        self.fack = self.fack.max(ack);
        self.again_end = self.again_end.max(ack);
    }

    /// The peer says that it has `start .. end`.
    pub fn sack(&mut self, start: SeqNumber, end: SeqNumber, high: SeqNumber, news: &mut Delivered) {
        let start = start.max(self.una);
        if start.ge(end) || end.gt(self.end()) {
            return;
        }
        let first = self.runs.partition_point(|run| run.end.le(start));
        let mut at = first;
        let mut run_start = self.start_of(at);
        while at < self.runs.len() && run_start.lt(end) {
            let run = self.runs[at];
            if run.fate == Fate::Sacked {
                run_start = run.end;
                at += 1;
                continue;
            }
            if run_start.lt(start) {
                run_start = if self.split(at, start) { start } else { run.end };
                at += 1;
                continue;
            }
            if run.end.gt(end) && !self.split(at, end) {
                break;
            }
            let run_end = self.runs[at].end;
            news.add(&run, run_start, run_end, high);
            let len = run_end - run_start;
            if run.fate == Fate::Lost {
                self.lost -= len;
            }
            self.sacked += len;
            self.runs[at].fate = Fate::Sacked;
            self.fack = self.fack.max(run_end);
            run_start = run_end;
            at += 1;
        }
        self.join(first, at);
    }

    /// Where the run at an index begins.
    fn start_of(&self, at: usize) -> SeqNumber {
        if at == 0 { self.una } else { self.runs[at - 1].end }
    }

    /// Cuts a run in two at `seq`, which is inside it; `false` when there are too many already.
    fn split(&mut self, at: usize, seq: SeqNumber) -> bool {
        if self.runs.len() >= MAX_RUNS {
            return false;
        }
        let first = Run { end: seq, ..self.runs[at] };
        self.runs.insert(at, first);
        true
    }

    /// Makes one of neighbouring runs that the peer has, between these indices.
    fn join(&mut self, from: usize, to: usize) {
        let mut at = to.min(self.runs.len().saturating_sub(1));
        while at > from.saturating_sub(1) {
            if self.runs[at].fate == Fate::Sacked && self.runs[at - 1].fate == Fate::Sacked {
                self.runs.remove(at - 1);
            }
            at -= 1;
        }
    }

    /// RFC 8985 6.2 step 5: what was sent so long before something that has arrived (`newest`), that it should have
    /// arrived too, is lost. `patience` is RACK.rtt + RACK.reo_wnd.
    pub fn detect(&mut self, newest: &Newest, patience: std::time::Duration, now: Instant) -> Losses {
        let mut found = Losses::default();
        let (fack, again_end) = (self.fack(), self.again_end);
        let mut start = self.una;
        for run in &mut self.runs {
            if start.ge(fack) && start.ge(again_end) {
                break; // sent once, and nothing sent behind it has arrived
            }
            let len = run.end - start;
            start = run.end;
            if run.fate != Fate::Flying || !sent_after(newest.sent_at, newest.end, run.sent_at, run.end) {
                continue;
            }
            let due = run.sent_at + patience;
            if due <= now {
                run.fate = Fate::Lost;
                found.bytes += len;
                found.again += if run.again { len } else { 0 };
            } else {
                found.next = Some(found.next.map_or(due, |n| n.max(due)));
            }
        }
        self.lost += found.bytes;
        found
    }

    /// The retransmission timer expired: the first segment (of at most `mss` bytes) is lost, and all that was sent before
    /// `before` (RFC 8985 6.3). If the peer has dropped what it had (RFC 2018 8), that is lost too.
    /// Returns whether it has.
    pub fn time_out(&mut self, mss: u32, before: Instant) -> bool {
        let reneged = self.runs.front().is_some_and(|run| run.fate == Fate::Sacked);
        if let Some(first) = self.runs.front()
            && first.end - self.una > mss
            && first.sent_at > before
        {
            self.split(0, self.una + mss);
        }
        let mut start = self.una;
        for (n, run) in self.runs.iter_mut().enumerate() {
            let len = run.end - start;
            start = run.end;
            if reneged && run.fate == Fate::Sacked {
                run.fate = Fate::Flying;
                self.sacked -= len;
            }
            if run.fate == Fate::Flying && (n == 0 || run.sent_at <= before || reneged) {
                run.fate = Fate::Lost;
                self.lost += len;
            }
        }
        reneged
    }

    /// What is on its way of `start .. end` is lost.
    pub fn lose(&mut self, start: SeqNumber, end: SeqNumber) {
        let mut run_start = self.una;
        let mut at = 0;
        while at < self.runs.len() && run_start.lt(end) {
            let run = self.runs[at];
            if run.fate == Fate::Flying && run.end.gt(start) {
                if run_start.lt(start) {
                    run_start = if self.split(at, start) { start } else { run.end };
                    at += 1;
                    continue;
                }
                if run.end.gt(end) {
                    self.split(at, end);
                }
                self.lost += self.runs[at].end - run_start;
                self.runs[at].fate = Fate::Lost;
            }
            run_start = self.runs[at].end;
            at += 1;
        }
    }

    /// The segment at `una` is lost (RFC 6582: three duplicates, or a partial acknowledgement). Returns its length.
    pub fn lose_first(&mut self, mss: u32) -> u32 {
        let Some(first) = self.runs.front().copied() else { return 0 };
        if first.fate != Fate::Flying {
            return 0;
        }
        if first.end - self.una > mss {
            self.split(0, self.una + mss);
        }
        let len = self.runs[0].end - self.una;
        self.runs[0].fate = Fate::Lost;
        self.lost += len;
        len
    }

    /// The first stretch that is to be sent again: where it begins and ends.
    #[inline]
    pub fn first_lost(&self) -> Option<(SeqNumber, SeqNumber)> {
        if self.lost == 0 {
            return None;
        }
        let mut start = self.una;
        for run in &self.runs {
            if run.fate == Fate::Lost {
                return Some((start, run.end));
            }
            start = run.end;
        }
        None
    }

    /// The last stretch that the peer does not have, for a tail loss probe (RFC 8985 7.3).
    pub fn last_unsacked(&self) -> Option<(SeqNumber, SeqNumber)> {
        let at = self.runs.iter().rposition(|run| run.fate != Fate::Sacked)?;
        Some((self.start_of(at), self.runs[at].end))
    }

    /// `start .. end`, inside one run that the peer does not have, leaves again now.
    pub fn resend(&mut self, start: SeqNumber, end: SeqNumber, now: Instant, delivered: u32) {
        let mut at = self.runs.partition_point(|run| run.end.le(start));
        if at >= self.runs.len() {
            return;
        }
        if self.start_of(at).lt(start) && self.split(at, start) {
            at += 1;
        }
        if self.runs[at].end.gt(end) {
            self.split(at, end);
        }
        let begin = self.start_of(at);
        let run = &mut self.runs[at];
        if run.fate == Fate::Lost {
            self.lost -= run.end - begin;
        }
        let end = run.end;
        *run = Run { end, delivered, sent_at: now, fate: Fate::Flying, again: true };
        self.again_end = self.again_end.max(end);
        // Those of one burst are one run again.
        if at > 0 {
            let before = self.runs[at - 1];
            if before.again && before.sent_at == now && before.fate == Fate::Flying {
                self.runs.remove(at - 1);
            }
        }
    }

    /// What was taken for lost is on its way after all (RFC 8985 6.2, RFC 4015: a spurious recovery).
    pub fn undo(&mut self) {
        for run in &mut self.runs {
            if run.fate == Fate::Lost {
                run.fate = Fate::Flying;
            }
        }
        self.lost = 0;
    }

    /// Whether something that was sent again is on its way.
    pub fn resent_in_flight(&self) -> bool {
        self.runs.iter().any(|run| run.again && run.fate == Fate::Flying)
    }

    /// Whether something that was lost once has not arrived yet.
    pub fn is_missing(&self) -> bool {
        self.lost > 0 || self.resent_in_flight()
    }

    /// What has to hold always.
    #[cfg(any(test, debug_assertions))]
    pub fn check(&self) {
        let (mut sacked, mut lost, mut start) = (0, 0, self.una);
        for run in &self.runs {
            assert!(run.end.gt(start), "an empty run: {self:?}");
            match run.fate {
                Fate::Sacked => sacked += run.end - start,
                Fate::Lost => lost += run.end - start,
                Fate::Flying => {}
            }
            start = run.end;
        }
        assert_eq!((sacked, lost), (self.sacked, self.lost), "{self:?}");
        assert!(self.runs.len() <= MAX_RUNS + 1);
    }
}

#[cfg(test)]
mod tests;
