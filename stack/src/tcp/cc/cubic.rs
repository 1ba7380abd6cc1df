//! CUBIC (RFC 9438): the window is a cubic function of the time since the last reduction, flat around the window at which
//! congestion was met. Formulas are the RFC's, in bytes where it has segments.

use super::{Acked, Congestion, MAX_WINDOW, Window};
use crate::time::Instant;

/// RFC 9438 5: how steep the curve is, in segments per second cubed.
const C: f64 = 0.4;
/// RFC 9438 4.6: what is left of the window after a reduction.
const BETA: f64 = 0.7;
/// RFC 9438 4.3: Reno's increase that, with this beta, gets as much as Reno does with a half.
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cubic {
    curve: Curve,
    /// The curve before the last reduction (RFC 9438 4.9).
    former: Curve,
    /// Growth that does not make a byte yet.
    rest: f32,
}

/// A congestion avoidance stage, and what the next one has to know of it.
#[derive(Debug, Clone, Copy, Default)]
struct Curve {
    /// Window before the last reduction, less if others need room; 0 = unknown.
    w_max: u32,
    /// Window before the last reduction; 0 = there was none.
    cwnd_prior: u32,
    /// Segment size for which the stage was begun; 0 = none has.
    mss: u32,
    /// Seconds until the curve is back at `w_max`.
    k: f32,
    /// What Reno would have.
    w_est: f64,
    /// Nanoseconds of this stage during which the window was the limit.
    elapsed: u64,
    /// Until when `elapsed` is counted.
    counted: Instant,
}

impl Curve {
    /// Congestion avoidance begins (RFC 9438 4.2).
    fn begin(&mut self, window: &Window, now: Instant) {
        let (cwnd, mss) = (window.cwnd, window.mss);
        if self.w_max <= cwnd {
            self.w_max = cwnd; // RFC 9438 4.8, 4.10: K = 0
        }
        if self.cwnd_prior == 0 {
            self.cwnd_prior = cwnd; // RFC 9438 4.10
        }
        self.k = (f64::from(self.w_max - cwnd) / f64::from(mss) / C).cbrt() as f32;
        self.w_est = f64::from(cwnd);
        self.mss = mss;
        self.elapsed = 0;
        self.counted = now;
    }

    /// W_cubic (RFC 9438 4.2) at `t` seconds of this stage.
    fn at(&self, t: f64) -> f64 {
        C * (t - f64::from(self.k)).powi(3) * f64::from(self.mss) + f64::from(self.w_max)
    }

    /// W_est after `bytes` more were acknowledged (RFC 9438 4.3).
    fn reno(&mut self, bytes: u32, cwnd: u32) -> f64 {
        let alpha = if self.w_est >= f64::from(self.cwnd_prior) { 1.0 } else { ALPHA };
        self.w_est += alpha * f64::from(self.mss) * f64::from(bytes) / f64::from(cwnd);
        self.w_est = self.w_est.min(f64::from(MAX_WINDOW));
        self.w_est
    }
}

impl Congestion for Cubic {
    fn avoid(&mut self, window: &Window, ack: &Acked) -> u32 {
        let curve = &mut self.curve;
        if curve.mss != window.mss {
            curve.begin(window, ack.now);
        }
        if ack.limited {
            curve.elapsed = curve.elapsed.saturating_add(ack.now.since(curve.counted).as_nanos() as u64);
        }
        curve.counted = ack.now;
        if !ack.limited {
            return window.cwnd; // RFC 9438 5.8: and t stands still
        }
        let t = curve.elapsed as f64 / 1e9;
        let bytes = ack.bytes.min(window.cwnd);
        let w_est = curve.reno(bytes, window.cwnd);
        if curve.at(t) < w_est {
            // RFC 9438 4.3; never faster than slow start, wherever recovery has left the window
            return (w_est as u32).clamp(window.cwnd, window.cwnd.saturating_add(bytes));
        }
        let rtt = ack.srtt.or(ack.rtt).unwrap_or_default().as_secs_f64();
        let cwnd = f64::from(window.cwnd);
        let target = curve.at(t + rtt).clamp(cwnd, 1.5 * cwnd); // RFC 9438 4.2
        let growth = (target - cwnd) / cwnd * f64::from(bytes) + f64::from(self.rest); // RFC 9438 4.4, 4.5
        self.rest = growth.fract() as f32;
        window.cwnd.saturating_add(growth as u32)
    }

    fn reduce(&mut self, window: &Window, _now: Instant, flight: u32) -> u32 {
        self.former = self.curve;
        let cwnd = window.cwnd;
        // RFC 9438 4.7: a window that has not come back to where it was leaves room for others
        let w_max = if cwnd < self.curve.w_max { scale(cwnd, 17, 20) } else { cwnd };
        self.curve = Curve { w_max, cwnd_prior: cwnd, ..Curve::default() };
        self.rest = 0.0;
        scale(flight, 7, 10).max(2 * window.mss) // RFC 9438 4.6
    }

    /// RFC 9438 4.8: the next stage begins at its own window, K = 0.
    fn timed_out(&mut self) {
        self.curve.w_max = 0;
    }

    fn undo(&mut self) {
        self.curve = self.former;
        self.curve.counted = Instant::FAR; // the time since the reduction is not the curve's
    }

    fn idle(&mut self, window: &Window) {
        if window.in_slow_start() {
            self.curve.mss = 0; // another stage follows
        } else {
            self.curve.counted = Instant::FAR; // RFC 9438 5.8: silence is not time
        }
    }
}

/// `bytes * num / den`, for a fraction below 1: [`BETA`] and (1 + `BETA`) / 2 without rounding errors.
fn scale(bytes: u32, num: u64, den: u64) -> u32 {
    (u64::from(bytes) * num / den) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1000;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-3 * b.abs().max(1.0), "{a} is not {b}");
    }

    #[test]
    fn the_curve_is_the_rfcs() {
        // w_max and cwnd_epoch in segments, K as a calculator has it
        for (w_max, cwnd, k) in
            [(100, 70, 4.217_163), (1000, 700, 9.085_603), (10, 7, 1.957_434), (70, 70, 0.0)]
        {
            let mut curve = Curve { w_max: w_max * MSS, cwnd_prior: w_max * MSS, ..Curve::default() };
            curve.begin(&Window { cwnd: cwnd * MSS, ssthresh: cwnd * MSS, mss: MSS }, Instant::ZERO);
            close(f64::from(curve.k), k);
            close(curve.at(0.0), f64::from(cwnd * MSS));
            close(curve.at(k), f64::from(w_max * MSS));
            close(curve.at(k + 5.0), f64::from(w_max * MSS) + 50_000.0); // 0.4 * 5^3 = 50
        }
    }

    #[test]
    fn reno_is_slower_below_the_former_window_and_as_ever_above() {
        let mut curve = Curve { w_max: 100 * MSS, cwnd_prior: 100 * MSS, ..Curve::default() };
        curve.begin(&Window { cwnd: 70 * MSS, ssthresh: 70 * MSS, mss: MSS }, Instant::ZERO);
        close(curve.reno(70 * MSS, 70 * MSS), 70_529.41); // 9/17 of a segment
        curve.w_est = f64::from(100 * MSS);
        close(curve.reno(100 * MSS, 100 * MSS), 101_000.0);
    }

    #[test]
    fn fast_convergence_lowers_the_plateau_only_when_the_window_has_not_come_back() {
        let mut cubic = Cubic::default();
        let window = |cwnd| Window { cwnd, ssthresh: 1, mss: MSS };
        assert_eq!(cubic.reduce(&window(100 * MSS), Instant::ZERO, 100 * MSS), 70 * MSS);
        assert_eq!(cubic.curve.w_max, 100 * MSS);
        assert_eq!(cubic.reduce(&window(80 * MSS), Instant::ZERO, 80 * MSS), 56 * MSS);
        assert_eq!((cubic.curve.w_max, cubic.curve.cwnd_prior), (68 * MSS, 80 * MSS)); // 80 * 0.85
        assert_eq!(cubic.reduce(&window(90 * MSS), Instant::ZERO, 90 * MSS), 63 * MSS);
        assert_eq!(cubic.curve.w_max, 90 * MSS);
        cubic.undo();
        assert_eq!((cubic.curve.w_max, cubic.curve.cwnd_prior), (68 * MSS, 80 * MSS));
    }

    #[test]
    fn the_time_that_an_undone_reduction_took_is_not_the_curves() {
        let mut cubic = Cubic::default();
        let window = Window { cwnd: 100 * MSS, ssthresh: 100 * MSS, mss: MSS };
        let ack = |ms| Acked {
            now: Instant::from_millis(ms),
            bytes: MSS,
            rtt: None,
            srtt: Some(std::time::Duration::from_millis(100)),
            min_rtt: None,
            limited: true,
            una: ferroflow_wire::SeqNumber(0),
            nxt: ferroflow_wire::SeqNumber(0),
            flight: window.cwnd,
        };
        cubic.avoid(&window, &ack(0));
        cubic.reduce(&window, Instant::from_millis(100), 100 * MSS);
        cubic.undo();
        let grown = cubic.avoid(&window, &ack(5_100)) - window.cwnd;
        assert!(grown < MSS / 10, "{grown} bytes by one acknowledgement, as if five seconds had passed");
    }
}
