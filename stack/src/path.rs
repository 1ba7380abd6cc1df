//! Path MTUs by destination (RFC 1191 6.2, 6.3): what one connection was told, the next to the same host begins with.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::tcp::mtu::MAX_AGE;
use crate::time::Instant;

/// Most destinations; the one asked for longest ago makes room.
const MAX_PATHS: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Entry {
    mtu: u32,
    until: Instant,
    used: Instant,
}

/// Destinations whose path carries less than our link.
#[derive(Debug)]
pub struct PathMtus {
    map: HashMap<IpAddr, Entry, foldhash::fast::FixedState>,
}

impl PathMtus {
    /// None known. `seed` makes the hash unpredictable from outside.
    pub fn new(seed: u64) -> PathMtus {
        PathMtus { map: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(seed)) }
    }

    /// The MTU of the path to `to`, if it is known to be small, and until when that is believed.
    pub fn get(&mut self, to: IpAddr, now: Instant) -> Option<(u32, Instant)> {
        if self.map.is_empty() {
            return None;
        }
        let entry = self.map.get_mut(&to)?;
        if entry.until <= now {
            self.map.remove(&to);
            return None;
        }
        entry.used = now;
        Some((entry.mtu, entry.until))
    }

    /// The path to `to` carries packets of `mtu` bytes, and none that are larger.
    pub fn set(&mut self, to: IpAddr, mtu: u32, now: Instant) {
        if self.map.len() >= MAX_PATHS && !self.map.contains_key(&to) {
            self.make_room(now);
        }
        self.map.insert(to, Entry { mtu, until: now + MAX_AGE, used: now });
    }

    fn make_room(&mut self, now: Instant) {
        self.map.retain(|_, entry| entry.until > now);
        if self.map.len() >= MAX_PATHS
            && let Some((&oldest, _)) = self.map.iter().min_by_key(|(_, entry)| entry.used)
        {
            self.map.remove(&oldest);
        }
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn host(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0x0a00_0000 + n).into()
    }

    #[test]
    fn ten_minutes_later_it_is_forgotten() {
        let mut paths = PathMtus::new(1);
        let now = Instant::from_secs(5);
        paths.set(host(1), 1400, now);
        assert_eq!(paths.get(host(1), now + Duration::from_secs(599)), Some((1400, now + MAX_AGE)));
        assert_eq!(paths.get(host(2), now), None);
        assert_eq!(paths.get(host(1), now + MAX_AGE), None);
        assert!(paths.is_empty());
    }

    #[test]
    fn it_is_bounded_and_the_one_not_asked_for_makes_room() {
        let mut paths = PathMtus::new(1);
        for n in 0..MAX_PATHS as u32 {
            paths.set(host(n), 1400, Instant::from_millis(u64::from(n)));
        }
        let now = Instant::from_secs(2);
        assert!(paths.get(host(0), now).is_some());
        paths.set(host(5000), 1300, now);
        assert_eq!(paths.len(), MAX_PATHS);
        assert!(paths.get(host(0), now).is_some() && paths.get(host(5000), now).is_some());
        assert_eq!(paths.get(host(1), now), None);
        // those that are too old go first, all of them
        paths.set(host(6000), 1300, Instant::from_millis(601_500));
        assert_eq!(paths.len(), 2);
    }
}
