//! Which core is home to which datapath.
//!
//! Every datapath has a registrar, a core chosen by its identifier alone. All who want to be its home ask there, so
//! there is one order of events for it: a newcomer is granted the datapath only after the old session's apps have
//! seen `datapath_down`, wherever both are.

use std::collections::HashMap;
use std::net::SocketAddr;

use foldhash::fast::FixedState;

use super::mail::Letter;
use crate::app::Dpid;

/// A session, on whichever core it is: the core and a number that is never used again there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub core: usize,
    pub session: u64,
}

/// A session's claim to be a datapath's home.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub dpid: Dpid,
    pub key: Key,
    pub peer: SocketAddr,
}

/// Where a datapath is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// The core.
    pub core: usize,
    /// Grows with every connection that its registrar grants.
    pub generation: u64,
    /// The switch's address.
    pub peer: SocketAddr,
}

/// Every connected datapath, as this core has heard of it: a snapshot that mail keeps up to date.
#[derive(Debug, Default)]
pub struct Directory {
    homes: HashMap<Dpid, Home, FixedState>,
}

impl Directory {
    /// Where a datapath is connected.
    pub fn home(&self, dpid: Dpid) -> Option<&Home> {
        self.homes.get(&dpid)
    }

    /// All datapaths, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Dpid, &Home)> {
        self.homes.iter().map(|(dpid, home)| (*dpid, home))
    }

    /// How many datapaths are connected.
    pub fn len(&self) -> usize {
        self.homes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.homes.is_empty()
    }

    /// Takes an entry that a registrar announced. Entries of one datapath come from one core, so they come in order.
    pub(crate) fn set(&mut self, dpid: Dpid, home: Option<Home>) {
        match home {
            Some(home) => {
                self.homes.insert(dpid, home);
            }
            None => {
                self.homes.remove(&dpid);
            }
        }
    }

    /// An empty directory whose hash is seeded.
    pub(crate) fn seeded(seed: u64) -> Directory {
        Directory { homes: HashMap::with_hasher(FixedState::with_seed(seed)) }
    }
}

/// The core that decides about a datapath.
pub(crate) fn registrar_of(dpid: Dpid, cores: usize) -> usize {
    // Fibonacci hashing: identifiers often count from 1 or differ in their upper bits only.
    let spread = dpid.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (spread % cores.max(1) as u64) as usize
}

/// A letter and the core it is for; `None` = every core.
pub(crate) type Addressed = (Option<usize>, Letter);

#[derive(Debug)]
struct Entry {
    key: Key,
    peer: SocketAddr,
    /// Who waits for the holder's answer to a probe.
    waiting: Option<Claim>,
}

/// The datapaths that a core decides about. Bounded by the sessions of all cores.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    entries: HashMap<Dpid, Entry, FixedState>,
    generation: u64,
}

impl Registrar {
    /// No datapaths yet; the hash is seeded.
    pub(crate) fn seeded(seed: u64) -> Registrar {
        Registrar { entries: HashMap::with_hasher(FixedState::with_seed(seed)), generation: 0 }
    }

    /// A session wants to be the datapath's home.
    pub(crate) fn claim(&mut self, claim: Claim, out: &mut Vec<Addressed>) {
        let Claim { dpid, key, peer } = claim;
        let Some(entry) = self.entries.get_mut(&dpid) else {
            return self.grant(claim, out);
        };
        if entry.waiting.is_some() {
            // One newcomer at a time; this one may come back when the probe is decided.
            out.push((Some(key.core), Letter::Refuse { dpid, key, holder: entry.peer }));
            return;
        }
        entry.waiting = Some(claim);
        out.push((Some(entry.key.core), Letter::Probe { key: entry.key, newcomer: peer }));
    }

    /// The holder answered its probe: the newcomer is refused.
    pub(crate) fn alive(&mut self, dpid: Dpid, key: Key, out: &mut Vec<Addressed>) {
        let Some(entry) = self.entries.get_mut(&dpid).filter(|e| e.key == key) else { return };
        if let Some(claim) = entry.waiting.take() {
            out.push((Some(claim.key.core), Letter::Refuse { dpid, key: claim.key, holder: entry.peer }));
        }
    }

    /// A session is over: the datapath's home, or one that waited to be.
    pub(crate) fn release(&mut self, dpid: Dpid, key: Key, out: &mut Vec<Addressed>) {
        let Some(entry) = self.entries.get_mut(&dpid) else { return };
        if entry.key != key {
            entry.waiting.take_if(|claim| claim.key == key);
            return;
        }
        let waiting = entry.waiting.take();
        self.entries.remove(&dpid);
        out.push((None, Letter::Entry { dpid, home: None }));
        if let Some(claim) = waiting {
            self.grant(claim, out);
        }
    }

    fn grant(&mut self, claim: Claim, out: &mut Vec<Addressed>) {
        let Claim { dpid, key, peer } = claim;
        self.generation += 1;
        let generation = self.generation;
        self.entries.insert(dpid, Entry { key, peer, waiting: None });
        let home = Home { core: key.core, generation, peer };
        out.push((None, Letter::Entry { dpid, home: Some(home) }));
        out.push((Some(key.core), Letter::Grant { dpid, key }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(core: usize, session: u64) -> Claim {
        let peer = SocketAddr::from(([10, 0, 0, session as u8], 1));
        Claim { dpid: Dpid(7), key: Key { core, session }, peer }
    }

    fn run(f: impl FnOnce(&mut Vec<Addressed>)) -> Vec<String> {
        let mut out = Vec::new();
        f(&mut out);
        out.iter()
            .map(|(to, letter)| {
                let what = match letter {
                    Letter::Grant { key, .. } => format!("grant {}", key.session),
                    Letter::Refuse { key, .. } => format!("refuse {}", key.session),
                    Letter::Probe { key, .. } => format!("probe {}", key.session),
                    Letter::Entry { home, .. } => format!("home {:?}", home.map(|h| h.core)),
                    other => panic!("unexpected {other:?}"),
                };
                format!("{to:?} {what}")
            })
            .collect()
    }

    #[test]
    fn a_newcomer_waits_for_the_probe_and_gets_the_datapath_only_when_the_old_one_is_gone() {
        let mut r = Registrar::default();
        let (old, new) = (claim(0, 1), claim(1, 2));
        assert_eq!(run(|o| r.claim(old, o)), ["None home Some(0)", "Some(0) grant 1"]);
        assert_eq!(run(|o| r.claim(new, o)), ["Some(0) probe 1"]);
        assert_eq!(run(|o| r.claim(claim(1, 3), o)), ["Some(1) refuse 3"], "one at a time");
        assert_eq!(
            run(|o| r.release(old.dpid, old.key, o)),
            ["None home None", "None home Some(1)", "Some(1) grant 2"]
        );
        assert_eq!(run(|o| r.release(old.dpid, old.key, o)), [""; 0], "a late release changes nothing");
    }

    #[test]
    fn a_holder_that_answers_keeps_the_datapath() {
        let mut r = Registrar::default();
        run(|o| r.claim(claim(0, 1), o));
        run(|o| r.claim(claim(1, 2), o));
        assert_eq!(run(|o| r.alive(Dpid(7), Key { core: 0, session: 1 }, o)), ["Some(1) refuse 2"]);
        assert_eq!(run(|o| r.alive(Dpid(7), Key { core: 0, session: 1 }, o)), [""; 0]);
        assert_eq!(run(|o| r.release(Dpid(7), Key { core: 0, session: 1 }, o)), ["None home None"]);
    }

    #[test]
    fn a_newcomer_that_leaves_while_it_waits_is_forgotten() {
        let mut r = Registrar::default();
        run(|o| r.claim(claim(0, 1), o));
        run(|o| r.claim(claim(1, 2), o));
        run(|o| r.release(Dpid(7), Key { core: 1, session: 2 }, o));
        assert_eq!(run(|o| r.release(Dpid(7), Key { core: 0, session: 1 }, o)), ["None home None"]);
    }
}
