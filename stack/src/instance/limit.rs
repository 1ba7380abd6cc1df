//! How often something may happen.

use std::time::Duration;

use super::inner::split_mix;
use crate::time::Instant;

/// At most so many in a period. Every period has a budget of its own, drawn between half of that and all of it: whoever uses
/// up what is left cannot tell how much others had used (CVE-2016-5696 for challenge ACKs, CVE-2020-25705 for ICMP).
#[derive(Debug, Clone, Copy)]
pub(super) struct RateLimit {
    most: u32,
    period: Duration,
    rng: u64,
    /// When the budget is renewed: at multiples of the period.
    ends: Instant,
    left: u32,
}

impl RateLimit {
    pub(super) fn per_second(most: u32, seed: u64) -> RateLimit {
        RateLimit::new(most, Duration::from_secs(1), seed)
    }

    /// `period`: a millisecond at least.
    pub(super) fn new(most: u32, period: Duration, seed: u64) -> RateLimit {
        let period = period.max(Duration::from_millis(1));
        RateLimit { most, period, rng: seed, ends: Instant::ZERO, left: 0 }
    }

    /// Whether one more is left; it is not used up.
    #[inline]
    pub(super) fn would_allow(&mut self, now: Instant) -> bool {
        if now >= self.ends {
            self.renew(now);
        }
        self.left > 0
    }

    /// Uses one up, if one is left.
    pub(super) fn allow(&mut self, now: Instant) -> bool {
        let ok = self.would_allow(now);
        self.left -= u32::from(ok);
        ok
    }

    fn renew(&mut self, now: Instant) {
        let into = u128::from(now.as_nanos()) % self.period.as_nanos();
        self.ends = now + (self.period - Duration::from_nanos(into as u64));
        let spread = u64::from(self.most / 2);
        self.left = self.most - (split_mix(&mut self.rng) % (spread + 1)) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(limit: &mut RateLimit, ms: u64) -> u32 {
        (0..1000).map(|_| u32::from(limit.allow(Instant::from_millis(ms)))).sum()
    }

    #[test]
    fn a_second_has_so_many_and_the_next_as_many_again() {
        let mut limit = RateLimit::per_second(1, 0);
        assert_eq!(used(&mut limit, 5000), 1);
        assert_eq!(used(&mut limit, 5999), 0);
        assert_eq!(used(&mut limit, 6000), 1);
        assert_eq!(used(&mut RateLimit::per_second(0, 0), 5000), 0);
    }

    #[test]
    fn a_period_may_be_another_time() {
        let mut limit = RateLimit::new(1, Duration::from_millis(300), 0);
        let allowed: Vec<u64> = (0..1000).filter(|&ms| limit.allow(Instant::from_millis(ms))).collect();
        assert_eq!(allowed, [0, 300, 600, 900]);
        let mut limit = RateLimit::new(1, Duration::ZERO, 0);
        assert_eq!((used(&mut limit, 5), used(&mut limit, 6)), (1, 1), "a millisecond at least");
        let mut limit = RateLimit::new(1, Duration::MAX, 0);
        assert_eq!((used(&mut limit, 5), used(&mut limit, 1 << 40)), (1, 0));
    }

    #[test]
    fn no_second_tells_how_many_the_next_has() {
        let mut limit = RateLimit::per_second(100, 7);
        let budgets: Vec<u32> = (0..1000).map(|s| used(&mut limit, s * 1000 + 500)).collect();
        assert!(budgets.iter().all(|n| (50..=100).contains(n)));
        let distinct: std::collections::HashSet<_> = budgets.iter().collect();
        assert_eq!(distinct.len(), 51, "each of them occurs");
        let mean = budgets.iter().sum::<u32>() / 1000;
        assert!((73..=77).contains(&mean), "{mean}");
    }
}
