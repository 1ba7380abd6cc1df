//! Buffers that grow with the flow: the receive limit follows what the reader takes in a round trip, the send limit
//! follows the congestion window.

use std::time::Duration;

use ferroflow_wire::SeqNumber;

use crate::time::Instant;

/// Segments of headroom beyond what was measured, so that short rounds do not hold a flow back.
const HEADROOM: u32 = 16;

/// Dynamic right-sizing of one connection's receive buffer.
///
/// A window of W bytes lets W bytes pass in a round trip. So the bytes that the reader takes within one tell how large
/// a window the flow makes use of, and the limit is kept at twice that: then the window is never what holds the sender
/// back, not even while the congestion window doubles or a lost segment is awaited. A reader that falls behind takes
/// less, and the limit stays.
#[derive(Debug, Clone, Copy)]
pub struct Autotune {
    /// When the current round began.
    round: Instant,
    /// When `edge` was noted.
    edge_at: Instant,
    /// Taken by the reader in this round, and in the one before.
    taken: u32,
    last: u32,
    /// Round trip in microseconds, 0 before the first sample.
    rtt: u32,
    /// Once this has arrived, a full window has passed since `edge_at`.
    edge: SeqNumber,
}

const _: () = assert!(size_of::<Autotune>() <= 32);

impl Autotune {
    /// For a connection that is established at `now`, with `rcv_nxt` expected and `window` bytes offered.
    pub fn new(now: Instant, rcv_nxt: SeqNumber, window: u32) -> Autotune {
        Autotune { round: now, edge_at: now, taken: 0, last: 0, rtt: 0, edge: rcv_nxt + window }
    }

    /// The round trip as the receiver sees it; `None` before the first sample.
    pub fn rtt(&self) -> Option<Duration> {
        (self.rtt > 0).then(|| Duration::from_micros(u64::from(self.rtt)))
    }

    /// A sample of the round trip: from the handshake, or from the echo of a timestamp in a full-sized segment whose echo
    /// is new (a sender that had nothing to send echoes late).
    pub fn rtt_sample(&mut self, sample: Duration) {
        let sample = micros(sample);
        // RFC 6298's smoothing
        self.rtt = if self.rtt == 0 { sample } else { (self.rtt - self.rtt / 8 + sample / 8).max(1) };
    }

    /// Data arrived: where there are no timestamps, the time that one window takes is a round trip or more.
    pub fn received(&mut self, now: Instant, rcv_nxt: SeqNumber, window: u32) {
        if rcv_nxt.lt(self.edge) {
            return;
        }
        let sample = micros(now.since(self.edge_at));
        // It can only be too long, so the least of them counts.
        self.rtt = if self.rtt == 0 { sample } else { self.rtt.min(sample) };
        self.edge = rcv_nxt + window;
        self.edge_at = now;
    }

    /// The reader took `n` bytes. Once in a round trip it answers with a higher limit than `limit`, at most `max`, if the
    /// flow has use for it. `mss` is the largest segment's text.
    #[inline]
    pub fn taken(&mut self, now: Instant, n: u32, mss: u32, limit: u32, max: u32) -> Option<u32> {
        self.taken = self.taken.saturating_add(n);
        if self.rtt == 0 || now.since(self.round) < Duration::from_micros(u64::from(self.rtt)) {
            return None;
        }
        self.end_of_round(now, mss, limit, max)
    }

    fn end_of_round(&mut self, now: Instant, mss: u32, limit: u32, max: u32) -> Option<u32> {
        let taken = std::mem::take(&mut self.taken);
        let last = std::mem::replace(&mut self.last, taken);
        self.round = now;
        // Twice what was taken. In slow start, where it has doubled, four times: it doubles again before the sender hears
        // of the new window.
        let growth = taken.saturating_sub(last).min(taken / 2);
        let wanted = taken
            .saturating_add(growth.saturating_mul(2))
            .saturating_mul(2)
            .saturating_add(HEADROOM * mss)
            .min(max);
        (wanted > limit).then_some(wanted)
    }
}

/// The send buffer's limit for a congestion window of `cwnd` bytes: twice that, so that the next window's bytes can be
/// written while this one's are in flight; within `limit` (never less than before) and `max`.
#[inline]
pub fn send_limit(cwnd: u32, limit: u32, max: u32) -> u32 {
    cwnd.saturating_mul(2).min(max).max(limit)
}

/// At least 1, so that a sample is never taken for none.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1448;
    const INITIAL: u32 = 64 * 1024;
    const MAX: u32 = 4 << 20;
    const RTT: Duration = Duration::from_millis(100);

    fn tuned() -> (Autotune, Instant) {
        let now = Instant::ZERO + Duration::from_secs(5);
        (Autotune::new(now, SeqNumber(0), INITIAL), now)
    }

    /// A sender in slow start, `rate` bytes a second at most, a reader that takes all; returns what every round carried
    /// and the last limit.
    fn slow_start(rate: u32, rounds: u32) -> (Vec<u32>, u32) {
        let (mut tune, mut now) = tuned();
        tune.rtt_sample(RTT);
        let (mut cwnd, mut limit) = (10 * MSS, INITIAL);
        let carried = (0..rounds).map(|_| {
            let flight = cwnd.min(limit).min(rate / 10);
            for segment in 0..flight.div_ceil(MSS) {
                let at = now + RTT * segment / flight.div_ceil(MSS);
                limit = tune.taken(at, MSS, MSS, limit, MAX).unwrap_or(limit);
            }
            now += RTT;
            cwnd = cwnd.saturating_add(flight);
            flight
        });
        (carried.collect(), limit)
    }

    #[test]
    fn slow_start_is_never_held_back_by_the_window() {
        let (carried, limit) = slow_start(u32::MAX, 9);
        let free: Vec<u32> = (0..9).map(|n| (10 * MSS) << n).map(|w| w.min(MAX)).collect();
        assert_eq!(carried, free, "doubles in every round");
        assert_eq!(limit, MAX);
    }

    #[test]
    fn the_limit_ends_at_what_the_flow_needs() {
        let (carried, limit) = slow_start(4_000_000, 60);
        assert_eq!(carried.last(), Some(&400_000), "the rate of the path");
        assert!((800_000..1_700_000).contains(&limit), "{limit} for 400 kB in a round trip");
    }

    #[test]
    fn a_slow_reader_gets_no_more() {
        let (mut tune, mut now) = tuned();
        tune.rtt_sample(RTT);
        for _ in 0..1000 {
            now += Duration::from_millis(10);
            assert_eq!(tune.taken(now, 1000, MSS, INITIAL, MAX), None); // 10 kB in a round trip
        }
    }

    #[test]
    fn at_the_bound_nothing_grows_and_afterwards_it_does() {
        let (mut tune, mut now) = tuned();
        tune.rtt_sample(RTT);
        for _ in 0..20 {
            now += RTT;
            assert_eq!(
                tune.taken(now, INITIAL, MSS, INITIAL, INITIAL),
                None,
                "no memory: max is what there is"
            );
        }
        now += RTT;
        let limit = tune.taken(now, INITIAL, MSS, INITIAL, MAX);
        assert_eq!(limit, Some(2 * INITIAL + 16 * MSS), "a steady flow keeps its claim");
    }

    #[test]
    fn what_comes_at_one_time_is_one_round() {
        let (mut tune, mut now) = tuned();
        tune.rtt_sample(Duration::ZERO); // less than the clock can tell
        let mut limit = INITIAL;
        for _ in 0..10 {
            now += Duration::from_millis(1);
            for _ in 0..40 {
                limit = tune.taken(now, MSS, MSS, limit, MAX).unwrap_or(limit);
            }
        }
        assert_eq!(limit, 4 * 40 * MSS + 16 * MSS, "the first full one looks like slow start");
    }

    #[test]
    fn without_a_round_trip_nothing_is_concluded() {
        let (mut tune, now) = tuned();
        assert_eq!(tune.rtt(), None);
        assert_eq!(tune.taken(now + Duration::from_secs(9), INITIAL, MSS, INITIAL, MAX), None);
    }

    #[test]
    fn a_window_takes_a_round_trip() {
        let (mut tune, now) = tuned();
        let at = |ms| now + Duration::from_millis(ms);
        tune.received(at(50), SeqNumber(INITIAL - 1), INITIAL);
        assert_eq!(tune.rtt(), None);
        tune.received(at(100), SeqNumber(INITIAL), INITIAL);
        assert_eq!(tune.rtt(), Some(RTT));
        tune.received(at(190), SeqNumber(2 * INITIAL + 5), INITIAL);
        assert_eq!(tune.rtt(), Some(Duration::from_millis(90)), "a shorter one is nearer the truth");
        tune.received(at(5000), SeqNumber(3 * INITIAL + 5), INITIAL);
        assert_eq!(tune.rtt(), Some(Duration::from_millis(90)), "the sender was silent");
    }

    #[test]
    fn samples_are_smoothed() {
        let (mut tune, _) = tuned();
        tune.rtt_sample(Duration::ZERO);
        assert_eq!(tune.rtt(), Some(Duration::from_micros(1)), "a coarse clock");
        let (mut tune, _) = tuned();
        tune.rtt_sample(RTT);
        tune.rtt_sample(2 * RTT);
        assert_eq!(tune.rtt(), Some(RTT + RTT / 8));
        for _ in 0..100 {
            tune.rtt_sample(Duration::from_millis(20));
        }
        assert!(tune.rtt().is_some_and(|rtt| rtt < Duration::from_millis(21)));
    }

    #[test]
    fn the_send_limit_follows_the_congestion_window() {
        assert_eq!(send_limit(14_480, 65_536, MAX), 65_536, "never less than it was");
        assert_eq!(send_limit(100_000, 65_536, MAX), 200_000);
        assert_eq!(send_limit(u32::MAX, 65_536, MAX), MAX);
        assert_eq!(send_limit(1000, 65_536, 1000), 65_536);
    }
}
