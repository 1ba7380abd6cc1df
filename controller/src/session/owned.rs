//! Whose flow is whose, where the protocol cannot tell.
//!
//! 1.0 has no cookie in its deletes, so with several apps the session deletes one by one what it remembers of an app.
//! The same memory refuses the same table, priority and match to a second app.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::flow::{Delete, Match, PortNo};

/// What makes two flows the same to a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Remembered {
    pub table: u8,
    /// On the wire.
    pub priority: u16,
    pub matching: Match,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    slot: u8,
    out_port: Option<PortNo>,
}

/// Why a flow is not remembered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotRemembered {
    /// It is this other app's.
    Conflict(u8),
    /// There is no room.
    Full,
}

/// A session's memory of flows; empty and unused where it is not needed.
#[derive(Debug)]
pub(crate) struct Memory {
    flows: HashMap<Remembered, Owner, FixedState>,
}

impl Memory {
    pub(crate) fn seeded(seed: u64) -> Memory {
        Memory { flows: HashMap::with_hasher(FixedState::with_seed(seed)) }
    }

    /// Says whether `slot` may have this flow, and remembers that it does. `out_port` is where it sends to. The answer
    /// is whether it is new.
    pub(crate) fn add(
        &mut self,
        slot: u8,
        flow: Remembered,
        out_port: Option<PortNo>,
        max: usize,
    ) -> Result<bool, NotRemembered> {
        match self.flows.get(&flow) {
            Some(owner) if owner.slot != slot => return Err(NotRemembered::Conflict(owner.slot)),
            None if self.flows.len() >= max => return Err(NotRemembered::Full),
            _ => {}
        }
        Ok(self.flows.insert(flow, Owner { slot, out_port }).is_none())
    }

    /// The switch removed it.
    pub(crate) fn remove(&mut self, flow: &Remembered) {
        self.flows.remove(flow);
    }

    /// Takes out an app's flows that a delete is for, with where they send to; `strict` is the priority on the wire.
    pub(crate) fn take(
        &mut self,
        slot: u8,
        delete: &Delete,
        strict: Option<u16>,
    ) -> Vec<(Remembered, Option<PortNo>)> {
        let wanted = |flow: &Remembered, owner: &Owner| {
            owner.slot == slot
                && delete.table.is_none_or(|t| t == flow.table)
                && delete.out_port.is_none_or(|p| owner.out_port == Some(p))
                && match strict {
                    Some(priority) => flow.priority == priority && flow.matching == delete.matching,
                    None => delete.matching.covers(&flow.matching),
                }
        };
        self.flows
            .extract_if(|flow, owner| wanted(flow, owner))
            .map(|(flow, owner)| (flow, owner.out_port))
            .collect()
    }

    /// Takes back what was taken out: it was not deleted.
    pub(crate) fn restore(&mut self, slot: u8, taken: &[(Remembered, Option<PortNo>)]) {
        let owned = taken.iter().map(|(flow, out_port)| (*flow, Owner { slot, out_port: *out_port }));
        self.flows.extend(owned);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(n: u32) -> Remembered {
        Remembered { table: 0, priority: 5, matching: Match::new().in_port(PortNo(n)) }
    }

    #[test]
    fn the_same_flow_is_refused_to_a_second_app_and_the_bound_holds() {
        let mut m = Memory::seeded(1);
        assert_eq!(m.add(0, flow(1), None, 2), Ok(true));
        assert_eq!(m.add(1, flow(1), None, 2), Err(NotRemembered::Conflict(0)));
        assert_eq!(m.add(1, flow(2), None, 2), Ok(true));
        assert_eq!(m.add(1, flow(3), None, 2), Err(NotRemembered::Full));
        assert_eq!(m.add(0, flow(1), None, 2), Ok(false), "the owner may install it again at the bound");
        m.remove(&flow(1));
        assert_eq!(m.add(1, flow(1), None, 2), Ok(true));
        assert_eq!(m.len(), 2);
    }

    #[test]
    fn a_delete_takes_what_it_covers_of_its_app_and_no_other() {
        let mut m = Memory::seeded(1);
        for n in 0..4 {
            m.add((n % 2) as u8, flow(n), Some(PortNo(10 + n)), 10).unwrap();
        }
        let towards = m.take(0, &Delete::towards(PortNo(12)), None);
        assert_eq!(towards, [(flow(2), Some(PortNo(12)))]);
        m.restore(0, &towards);
        assert_eq!(m.take(0, &Delete::towards(PortNo(12)), None), towards, "the port is kept");
        assert_eq!(m.take(0, &Delete::covered_by(Match::ALL), Some(5)), [], "strict: no flow matches all");
        assert_eq!(m.take(0, &Delete::covered_by(Match::ALL), None), [(flow(0), Some(PortNo(10)))]);
        assert_eq!(m.len(), 2);
    }
}
