//! Requests that wait for their one end.

use std::collections::{HashMap, VecDeque};

use ferroflow_stack::Instant;
use foldhash::fast::FixedState;

use crate::app::{FlowName, Token};
use crate::flow::PortStats;

/// The most ports of a port-stats answer that are kept.
const MAX_PORT_STATS: usize = 65_536;

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub slot: u8,
    pub token: Token,
    /// The core whose app it was.
    pub origin: usize,
}

/// What was asked.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Ends with a barrier_reply; before it, something with the xid `before` may have been sent.
    Barrier {
        before: Option<u32>,
        flow: Option<Box<FlowName>>,
    },
    Description,
    /// The parts of the answer so far.
    Ports(Vec<PortStats>),
}

#[derive(Debug)]
pub(crate) struct Request {
    pub ask: Ask,
    pub kind: Kind,
}

/// A session's open requests.
#[derive(Debug)]
pub(crate) struct Pending {
    by_xid: HashMap<u32, Request, FixedState>,
    /// In the order of their deadlines, since all have the same time to live. May name requests that have ended.
    order: VecDeque<(Instant, u32)>,
}

impl Pending {
    pub(crate) fn seeded(seed: u64) -> Pending {
        Pending { by_xid: HashMap::with_hasher(FixedState::with_seed(seed)), order: VecDeque::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_xid.len()
    }

    /// Adds a request that ends at `deadline` at the latest.
    pub(crate) fn insert(&mut self, xid: u32, request: Request, deadline: Instant) {
        // Ended requests must not pile up in front of a long-lived one.
        if self.order.len() > 2 * self.by_xid.len() + 16 {
            self.order.retain(|(_, xid)| self.by_xid.contains_key(xid));
        }
        self.by_xid.insert(xid, request);
        self.order.push_back((deadline, xid));
    }

    pub(crate) fn get_mut(&mut self, xid: u32) -> Option<&mut Request> {
        self.by_xid.get_mut(&xid)
    }

    pub(crate) fn remove(&mut self, xid: u32) -> Option<Request> {
        self.by_xid.remove(&xid)
    }

    /// Takes the request that an error with this xid ends: it, or the barrier behind what failed.
    pub(crate) fn remove_failed(&mut self, xid: u32) -> Option<Request> {
        if let Some(request) = self.by_xid.remove(&xid) {
            return Some(request);
        }
        let next = xid & 0xff00_0000 | (xid + 1) & 0x00ff_ffff;
        let request = self.by_xid.get(&next)?;
        let belongs = matches!(request.kind, Kind::Barrier { before, .. } if before == Some(xid));
        if belongs { self.by_xid.remove(&next) } else { None }
    }

    /// When the next request times out.
    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        while let Some((at, xid)) = self.order.front() {
            if self.by_xid.contains_key(xid) {
                return Some(*at);
            }
            self.order.pop_front();
        }
        None
    }

    /// Takes a request whose time has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Request> {
        let at = self.deadline()?;
        if at > now {
            return None;
        }
        let (_, xid) = self.order.pop_front()?;
        self.by_xid.remove(&xid)
    }

    /// Takes any request, for the end of the connection.
    pub(crate) fn take_any(&mut self) -> Option<Request> {
        while let Some((_, xid)) = self.order.pop_front() {
            if let Some(request) = self.by_xid.remove(&xid) {
                return Some(request);
            }
        }
        None
    }
}

/// Appends a part of an answer, unless that makes it too long; whether it did.
pub(crate) fn append(parts: &mut Vec<PortStats>, part: Vec<PortStats>) -> bool {
    let fits = part.len() <= MAX_PORT_STATS - parts.len().min(MAX_PORT_STATS);
    if fits {
        parts.extend(part);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_nothing() {
        let one = PortStats {
            number: crate::flow::PortNo(1),
            rx_packets: 0,
            tx_packets: 0,
            rx_bytes: 0,
            tx_bytes: 0,
            rx_dropped: 0,
            tx_dropped: 0,
            rx_errors: 0,
            tx_errors: 0,
        };
        let stats = |n| vec![one; n];
        let mut parts = Vec::new();
        assert!(append(&mut parts, stats(MAX_PORT_STATS - 1)));
        assert!(!append(&mut parts, stats(2)));
        assert!(append(&mut parts, stats(1)));
        assert!(!append(&mut parts, stats(1)));
        assert_eq!(parts.len(), MAX_PORT_STATS);
    }
}
