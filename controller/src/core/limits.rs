//! How many sessions may be unready, in all and per address.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::FixedState;

use crate::config::Config;

/// Sessions that are not ready yet. Holds at most as many addresses as there may be unready sessions.
#[derive(Debug, Default)]
pub(crate) struct Unready {
    all: usize,
    by_address: HashMap<IpAddr, usize, FixedState>,
}

/// Why a connection is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Over {
    All,
    Address,
}

impl Unready {
    /// Nobody; the hash is seeded, since addresses are chosen by others.
    pub(crate) fn seeded(seed: u64) -> Unready {
        Unready { all: 0, by_address: HashMap::with_hasher(FixedState::with_seed(seed)) }
    }

    /// Counts a new session, unless that is one too many.
    pub(crate) fn enter(&mut self, address: IpAddr, config: &Config) -> Result<(), Over> {
        if self.all >= config.max_unready {
            return Err(Over::All);
        }
        let n = self.by_address.get(&address).copied().unwrap_or(0);
        if n >= config.max_unready_per_address {
            return Err(Over::Address);
        }
        self.all += 1;
        self.by_address.insert(address, n + 1);
        Ok(())
    }

    /// A session became ready, or ended before it was.
    pub(crate) fn leave(&mut self, address: IpAddr) {
        self.all = self.all.saturating_sub(1);
        if let Some(n) = self.by_address.get_mut(&address) {
            *n -= 1;
            if *n == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold_and_room_returns() {
        let config = Config { max_unready: 3, max_unready_per_address: 2, ..Config::default() };
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut u = Unready::default();
        assert_eq!(u.enter(a, &config), Ok(()));
        assert_eq!(u.enter(a, &config), Ok(()));
        assert_eq!(u.enter(a, &config), Err(Over::Address));
        assert_eq!(u.enter(b, &config), Ok(()));
        assert_eq!(u.enter(b, &config), Err(Over::All));
        u.leave(a);
        assert_eq!(u.enter(b, &config), Ok(()));
        for address in [a, b, b] {
            u.leave(address);
        }
        assert_eq!((u.all, u.by_address.len()), (0, 0));
    }
}
