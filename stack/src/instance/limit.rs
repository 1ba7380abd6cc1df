//! How often a second something may happen.

use crate::time::Instant;

/// At most so many a second, counted in whole seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct RateLimit {
    per_second: u32,
    second: u64,
    used: u32,
}

impl RateLimit {
    pub(super) fn new(per_second: u32) -> RateLimit {
        RateLimit { per_second, second: 0, used: 0 }
    }

    /// Whether one more is left; it is not used up.
    pub(super) fn would_allow(&mut self, now: Instant) -> bool {
        let second = now.as_millis() / 1000;
        if second != self.second {
            self.second = second;
            self.used = 0;
        }
        self.used < self.per_second
    }

    /// Uses one up, if one is left.
    pub(super) fn allow(&mut self, now: Instant) -> bool {
        let ok = self.would_allow(now);
        self.used += u32::from(ok);
        ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_and_the_next_as_many_again() {
        let mut limit = RateLimit::new(3);
        let allowed =
            |limit: &mut RateLimit, ms| (0..10).filter(|_| limit.allow(Instant::from_millis(ms))).count();
        assert_eq!(allowed(&mut limit, 5000), 3);
        assert_eq!(allowed(&mut limit, 5999), 0);
        assert_eq!(allowed(&mut limit, 6000), 3);
    }
}
