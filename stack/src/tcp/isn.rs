//! Initial sequence numbers (RFC 6528): a clock plus a keyed hash of the connection's addresses and ports.

use std::hash::Hasher;

use ferroflow_wire::SeqNumber;

use super::table::Key;
use crate::time::Instant;

/// The secret of one instance, drawn from its entropy.
#[derive(Debug, Clone, Copy)]
pub struct Secret([u64; 2]);

impl Secret {
    /// From two random numbers.
    pub fn new(a: u64, b: u64) -> Secret {
        Secret([a, b])
    }

    /// The `n`th number that follows from `seed`. Who knows one of them, because a service has told it, knows neither the
    /// seed nor another.
    #[allow(deprecated, reason = "SipHash-2-4 with a key, as for the numbers that follow")]
    pub fn derived(seed: u64, n: u64) -> u64 {
        let mut hasher = std::hash::SipHasher::new_with_keys(seed, 0);
        hasher.write_u64(n);
        hasher.finish()
    }

    /// ISN = M + F(localip, localport, remoteip, remoteport, secretkey); M ticks every 4 microseconds.
    pub fn isn(&self, key: &Key, now: Instant) -> SeqNumber {
        SeqNumber(((now.as_nanos() / 4000) as u32).wrapping_add(self.hash(key, 1, &[]) as u32))
    }

    /// Offset of the timestamps towards one peer: constant per address pair, so that a reused port's timestamps go on
    /// growing (RFC 7323 5.4, RFC 6191).
    pub fn ts_offset(&self, key: &Key) -> u32 {
        self.hash(&key.addresses(), 2, &[]) as u32
    }

    /// What moves the source ports towards `key`: F of RFC 6056 3.3.3.
    pub fn port_offset(&self, key: &Key) -> u32 {
        self.hash(key, 3, &[]) as u32
    }

    /// A keyed hash of `key` and `more`; each use has a `salt` of its own.
    #[allow(
        deprecated,
        reason = "SipHash-2-4 with a key is what RFC 6528 asks for; std keeps it, if under protest"
    )]
    pub(super) fn hash(&self, key: &Key, salt: u8, more: &[u64]) -> u64 {
        let mut hasher = std::hash::SipHasher::new_with_keys(self.0[0], self.0[1]);
        for &word in key.words().iter().chain(more) {
            hasher.write_u64(word);
        }
        hasher.write_u8(salt);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_clock_ticks_every_four_microseconds_and_the_rest_is_secret() {
        // RFC 6528 3; RFC 9293 3.4.1, MUST-8, MUST-9
        let key = |port| Key::new(Ipv4Addr::from_bits(1), 80, Ipv4Addr::from_bits(2), port);
        let (ours, other) = (Secret::new(1, 2), Secret::new(1, 3));
        let at = |micros| Instant::from_secs(1) + Duration::from_micros(micros);
        let first = ours.isn(&key(1024), at(0));
        assert_eq!(ours.isn(&key(1024), at(3)), first);
        assert_eq!(ours.isn(&key(1024), at(4)), first + 1);
        assert_eq!(ours.isn(&key(1024), at(4 << 20)), first + (1 << 20));
        // neither another connection's number nor another instance's tells this one
        let differences: std::collections::HashSet<u32> =
            (1025..2025).map(|port| ours.isn(&key(port), at(0)) - first).collect();
        assert_eq!(differences.len(), 1000);
        assert_ne!(other.isn(&key(1024), at(0)), first);
    }
}
