//! Congestion control: how much may be in flight.
//!
//! [`Control`] keeps the window and the threshold, and does slow start, which is the same for all algorithms (RFC 5681
//! 3.1, RFC 3465, `hystart`). Congestion avoidance and the size of a reduction are an algorithm's: `newreno` (RFC 5681),
//! `cubic` (RFC 9438). Which segments are lost, and how the window moves while they are repaired, is decided elsewhere.
//! All sizes are bytes.

mod cubic;
mod hystart;
mod newreno;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ferroflow_wire::SeqNumber;

use crate::time::Instant;
use cubic::Cubic;
use hystart::{HyStart, Pace};
use newreno::NewReno;

/// RFC 7323 2.3: no window is larger than this.
const MAX_WINDOW: u32 = 1 << 30;
/// RFC 5681 3.1: the threshold is arbitrarily high until the path has been found out.
const UNKNOWN: u32 = u32::MAX;
/// No IPv4 packet carries more.
const MAX_MSS: u32 = 65_535;
/// RFC 3465's L: how many segments one ACK may add in slow start. RFC 9406 4.3 has 8 for senders that do not pace, which costs
/// two round trips on the way to 200 Mbit/s over 100 ms, because Linux acknowledges 8 to 40 segments at once when its
/// frames come in bursts. Linux has no limit as a sender; 64 is what a burst of received frames holds here.
const ABC_LIMIT: u32 = 64;

/// Which algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// RFC 5681 and 6582: one segment a round trip, and half the window at a loss.
    NewReno,
    /// RFC 9438: fills fast and long paths too, and is what peers' own stacks do.
    #[default]
    Cubic,
}

impl Algorithm {
    /// Its name, as socket options know it.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::NewReno => "reno",
            Algorithm::Cubic => "cubic",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no congestion control of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown congestion control; there are reno and cubic")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Algorithm, UnknownAlgorithm> {
        [Algorithm::NewReno, Algorithm::Cubic].into_iter().find(|a| a.name() == name).ok_or(UnknownAlgorithm)
    }
}

/// What an ACK that moved the window on tells the congestion control.
#[derive(Debug, Clone, Copy)]
pub struct Acked {
    /// When it came.
    pub now: Instant,
    /// Bytes by which it moves SND.UNA (RFC 5681 3.1), whether SACK has told of them before or not.
    pub bytes: u32,
    /// The round trip that it measured, if it did.
    pub rtt: Option<Duration>,
    /// Smoothed round trip (RFC 6298).
    pub srtt: Option<Duration>,
    /// Shortest round trip of late.
    pub min_rtt: Option<Duration>,
    /// The congestion window was what limited sending. A window that was not used says nothing about the path, and does
    /// not grow (RFC 7661's reason).
    pub limited: bool,
    /// SND.UNA after it.
    pub una: SeqNumber,
    /// SND.NXT.
    pub nxt: SeqNumber,
    /// Bytes still in flight.
    pub flight: u32,
}

/// What an algorithm sees of [`Control`].
#[derive(Debug, Clone, Copy)]
struct Window {
    cwnd: u32,
    /// Where slow start ends.
    ssthresh: u32,
    mss: u32,
}

impl Window {
    fn in_slow_start(&self) -> bool {
        self.cwnd < self.ssthresh
    }
}

/// What differs between the algorithms.
trait Congestion {
    /// An ACK in congestion avoidance: returns the window after it. Called for unlimited ones, too.
    fn avoid(&mut self, window: &Window, ack: &Acked) -> u32;
    /// Congestion: remembers its state for [`undo`](Self::undo), and returns the new threshold.
    fn reduce(&mut self, window: &Window, now: Instant, flight: u32) -> u32;
    /// The reduction just made was for a time-out.
    fn timed_out(&mut self) {}
    /// The last reduction was wrong: back to the state before it.
    fn undo(&mut self);
    /// Nothing was sent for a while; `window` is what is left of the window.
    fn idle(&mut self, _window: &Window) {}
}

#[derive(Debug, Clone, Copy)]
enum State {
    NewReno(NewReno),
    Cubic(Cubic),
}

impl State {
    fn new(algorithm: Algorithm) -> State {
        match algorithm {
            Algorithm::NewReno => State::NewReno(NewReno::default()),
            Algorithm::Cubic => State::Cubic(Cubic::default()),
        }
    }

    fn get(&mut self) -> &mut dyn Congestion {
        match self {
            State::NewReno(it) => it,
            State::Cubic(it) => it,
        }
    }
}

/// Window and threshold before a reduction.
#[derive(Debug, Clone, Copy)]
struct Former {
    cwnd: u32,
    ssthresh: u32,
}

/// Congestion control of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Control {
    window: Window,
    former: Option<Former>,
    hystart: HyStart,
    /// This slow start follows a time-out.
    after_timeout: bool,
    state: State,
}

impl Control {
    /// A connection that has sent nothing. The initial window is `initial_window_segments` of `mss` bytes (RFC 6928).
    pub fn new(algorithm: Algorithm, mss: u32, initial_window_segments: u32) -> Control {
        let mss = mss.clamp(1, MAX_MSS);
        Control {
            window: Window { cwnd: initial(mss, initial_window_segments), ssthresh: UNKNOWN, mss },
            former: None,
            hystart: HyStart::default(),
            after_timeout: false,
            state: State::new(algorithm),
        }
    }

    /// The handshake told the MSS: the window is the initial one of it (RFC 6928).
    pub fn set_mss(&mut self, mss: u32, initial_window_segments: u32) {
        self.window.mss = mss.clamp(1, MAX_MSS);
        self.window.cwnd = initial(self.window.mss, initial_window_segments);
    }

    /// The path's MTU has changed: the window stays as many bytes, but at least one segment.
    pub fn change_mss(&mut self, mss: u32) {
        self.window.mss = mss.clamp(1, MAX_MSS);
        self.set_cwnd(self.window.cwnd);
    }

    /// Bytes of a full segment.
    #[inline]
    pub fn mss(&self) -> u32 {
        self.window.mss
    }

    /// The congestion window: how many bytes may be in flight. From one segment to 2^30.
    #[inline]
    pub fn cwnd(&self) -> u32 {
        self.window.cwnd
    }

    /// Where slow start ends; `u32::MAX` until that is known.
    #[inline]
    pub fn ssthresh(&self) -> u32 {
        self.window.ssthresh
    }

    /// Whether the window is below the threshold (RFC 5681 3.1).
    #[inline]
    pub fn in_slow_start(&self) -> bool {
        self.window.in_slow_start()
    }

    /// The algorithm in use.
    pub fn algorithm(&self) -> Algorithm {
        match self.state {
            State::NewReno(_) => Algorithm::NewReno,
            State::Cubic(_) => Algorithm::Cubic,
        }
    }

    /// Goes on with another algorithm. Window and threshold stay; the new one begins without a past.
    pub fn set_algorithm(&mut self, algorithm: Algorithm) {
        if algorithm != self.algorithm() {
            self.state = State::new(algorithm);
        }
    }

    /// The handshake's SYN was lost: begin with one segment (RFC 5681 3.1).
    pub fn syn_was_lost(&mut self) {
        self.window.cwnd = self.window.mss;
    }

    /// New data was acknowledged outside recovery: the window may grow.
    pub fn acked(&mut self, ack: &Acked) {
        if self.in_slow_start() {
            self.slow_start(ack);
        } else {
            self.after_timeout = false;
            let cwnd = self.state.get().avoid(&self.window, ack);
            self.set_cwnd(cwnd);
        }
    }

    fn slow_start(&mut self, ack: &Acked) {
        // Round trips of a path that we do not fill are not of our making: HyStart++ does not count them either.
        if !ack.limited {
            return;
        }
        // RFC 3465 2.3: one segment only after a time-out, when an ACK may cover what had arrived long before
        let limit = if self.after_timeout { 1 } else { ABC_LIMIT };
        let mut step = ack.bytes.min(limit * self.window.mss);
        // RFC 9406 4.3: in the initial slow start only; later ones end at a threshold that is known
        if self.window.ssthresh == UNKNOWN {
            let pace = self.hystart.acked(ack);
            if pace != Pace::Full {
                step /= hystart::CSS_GROWTH_DIVISOR;
            }
            if pace == Pace::Over {
                self.set_cwnd(self.window.cwnd.saturating_add(step));
                self.window.ssthresh = self.window.cwnd; // RFC 9406 4.2
                return;
            }
        }
        self.set_cwnd(self.window.cwnd.saturating_add(step).min(self.window.ssthresh));
    }

    /// A loss or an ECN-Echo begins a reduction, `flight` bytes being in flight: sets the threshold. The window is left
    /// for recovery to move ([`set_cwnd`](Self::set_cwnd)).
    pub fn congestion(&mut self, now: Instant, flight: u32) {
        self.former = Some(Former { cwnd: self.window.cwnd, ssthresh: self.window.ssthresh });
        self.window.ssthresh = self.state.get().reduce(&self.window, now, flight);
    }

    /// Sets the window, within its bounds: during recovery, and at its end.
    #[inline]
    pub fn set_cwnd(&mut self, cwnd: u32) {
        self.window.cwnd = cwnd.clamp(self.window.mss, MAX_WINDOW);
    }

    /// The retransmission timer expired, `first` unless it has for the same segment before. In the midst of a recovery,
    /// what [`undo`](Self::undo) goes back to is that recovery.
    pub fn timed_out(&mut self, now: Instant, flight: u32, first: bool) {
        // RFC 5681 3.1: the threshold is left alone when a retransmission is lost, too
        if first {
            self.congestion(now, flight);
            self.state.get().timed_out();
        }
        self.window.cwnd = self.window.mss; // RFC 5681 3.1: the loss window
        self.after_timeout = true;
    }

    /// The last reduction was spurious: takes it back (RFC 4015 3.2, RFC 9438 4.9). Does nothing if it was taken back
    /// before, or the window has grown beyond what it was.
    pub fn undo(&mut self) {
        let Some(former) = self.former.take() else { return };
        if self.window.cwnd > former.cwnd {
            return; // RFC 9438 4.9.2: too late to matter
        }
        self.set_cwnd(former.cwnd);
        self.window.ssthresh = former.ssthresh;
        self.after_timeout = false;
        self.state.get().undo();
    }

    /// Nothing was sent for longer than a time-out: begin again with no more than the initial window (RFC 5681 4.1). The
    /// threshold remembers what the path has carried (RFC 7661 4.4.3).
    pub fn idle_restart(&mut self, initial_window_segments: u32) {
        let Window { cwnd, ssthresh, mss } = self.window;
        self.window.ssthresh = ssthresh.max(cwnd / 4 * 3);
        self.window.cwnd = cwnd.min(initial(mss, initial_window_segments));
        self.former = None; // what happened before the silence is settled
        self.state.get().idle(&self.window);
    }
}

/// RFC 6928 2: min(10 * MSS, max(2 * MSS, 14600)), with another number of segments than 10 if one is set.
fn initial(mss: u32, segments: u32) -> u32 {
    let bytes = mss.saturating_mul(segments).min((2 * mss).max(segments.saturating_mul(1460)));
    bytes.clamp(mss, MAX_WINDOW)
}
