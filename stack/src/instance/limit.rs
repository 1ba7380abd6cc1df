//! How often a second something may happen.

use std::time::Duration;

use super::inner::split_mix;
use crate::time::Instant;

/// At most so many a second. Every second has a budget of its own, drawn between half of that and all of it: whoever uses
/// up what is left cannot tell how much others had used (CVE-2016-5696 for challenge ACKs, CVE-2020-25705 for ICMP).
#[derive(Debug, Clone, Copy)]
pub(super) struct RateLimit {
    per_second: u32,
    rng: u64,
    /// When the budget is renewed: at full seconds.
    ends: Instant,
    left: u32,
}

impl RateLimit {
    pub(super) fn new(per_second: u32, seed: u64) -> RateLimit {
        RateLimit { per_second, rng: seed, ends: Instant::ZERO, left: 0 }
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
        self.ends = Instant::from_secs(now.as_millis() / 1000) + Duration::from_secs(1);
        let spread = u64::from(self.per_second / 2);
        self.left = self.per_second - (split_mix(&mut self.rng) % (spread + 1)) as u32;
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
        let mut limit = RateLimit::new(1, 0);
        assert_eq!(used(&mut limit, 5000), 1);
        assert_eq!(used(&mut limit, 5999), 0);
        assert_eq!(used(&mut limit, 6000), 1);
        assert_eq!(used(&mut RateLimit::new(0, 0), 5000), 0);
    }

    #[test]
    fn no_second_tells_how_many_the_next_has() {
        let mut limit = RateLimit::new(100, 7);
        let budgets: Vec<u32> = (0..1000).map(|s| used(&mut limit, s * 1000 + 500)).collect();
        assert!(budgets.iter().all(|n| (50..=100).contains(n)));
        let distinct: std::collections::HashSet<_> = budgets.iter().collect();
        assert_eq!(distinct.len(), 51, "each of them occurs");
        let mean = budgets.iter().sum::<u32>() / 1000;
        assert!((73..=77).contains(&mean), "{mean}");
    }
}
