//! The clock behind TSval (RFC 7323 5.4).

use std::time::Duration;

use crate::time::Instant;

/// Longest tick, as a power of two of milliseconds; RFC 7323 5.4 allows a second.
const MAX_TICK: u8 = 6;

/// Counts milliseconds, but ticks no more often than four times in the least round trip.
///
/// A segment that was sent again and closes a gap moves TS.Recent of the peer to its TSval, and PAWS (RFC 7323 5.3) then
/// drops what left just before it and was overtaken on the way. Over a path that reorders, one loss so causes others,
/// a round trip later again others, and the window comes down each time. RACK bears with reordering up to a quarter of
/// the least round trip (RFC 8985 6.2 step 4); with a tick of that length, nearly all that is overtaken passes PAWS. A
/// retransmission, which is a round trip later at least, still has a TSval of its own, as Eifel detection needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TsClock {
    /// Added to the time, so that the value does not tell the uptime (RFC 7323 7.1).
    offset: u32,
    /// The tick is 2^tick milliseconds.
    tick: u8,
}

impl TsClock {
    /// A clock that ticks every millisecond.
    pub fn new(offset: u32) -> TsClock {
        TsClock { offset, tick: 0 }
    }

    /// What is added to the milliseconds.
    pub fn offset(self) -> u32 {
        self.offset
    }

    /// TSval
    #[inline]
    pub fn value(self, now: Instant) -> u32 {
        (now.as_millis() as u32 >> self.tick << self.tick).wrapping_add(self.offset)
    }

    /// The least round trip has changed. The value does not go back.
    pub fn follow(&mut self, min_rtt: Duration, now: Instant) {
        let quarter = (min_rtt.as_millis() / 4).max(1);
        let before = self.value(now);
        self.tick = MAX_TICK.min(quarter.ilog2() as u8);
        let back = before.wrapping_sub(self.value(now));
        if (back as i32) > 0 {
            self.offset = self.offset.wrapping_add(back);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn ticks_four_to_eight_times_in_a_round_trip() {
        for (rtt, tick) in
            [(0, 1), (7, 1), (8, 2), (10, 2), (16, 4), (100, 16), (255, 32), (256, 64), (9000, 64)]
        {
            let mut clock = TsClock::new(0);
            clock.follow(Duration::from_millis(rtt), Instant::ZERO);
            assert_eq!(clock.value(at(tick - 1)), 0, "{rtt} ms");
            assert_eq!(u64::from(clock.value(at(tick))), tick, "{rtt} ms");
        }
    }

    #[test]
    fn never_goes_back_and_stays_within_a_tick() {
        let seed = fastrand::u64(..);
        eprintln!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let start = rng.u32(..);
        let mut clock = TsClock::new(start);
        let (mut ms, mut last) = (0, clock.value(at(0)));
        let mut changes = 0;
        for _ in 0..10_000 {
            ms += rng.u64(..20);
            if rng.u8(..) < 20 {
                clock.follow(Duration::from_millis(rng.u64(..500)), at(ms));
                changes += 1;
            }
            let value = clock.value(at(ms));
            assert!(value.wrapping_sub(last) as i32 >= 0, "at {ms} ms: {value} after {last}");
            last = value;
        }
        let ahead = last.wrapping_sub(start.wrapping_add(ms as u32)) as i32;
        assert!(ahead <= changes << MAX_TICK, "{ahead} ms ahead");
    }
}
