//! The flow_mods sent last that named a buffer.
//!
//! A switch that does not know the buffer refuses the flow as well (Open vSwitch does), and its error does not quote the
//! actions: what is sent again must be remembered. A flow forgotten here costs one more packet_in, nothing else.

use crate::codec::CopyBuf;

/// How many are remembered: more than a switch has on the way to us in a round trip of a quiet network.
const SLOTS: usize = 32;

/// A ring of copies, allocated when the first is made.
#[derive(Debug, Default)]
pub(crate) struct Buffered {
    slots: Vec<(u32, CopyBuf)>,
    next: usize,
}

impl Buffered {
    /// Room for a copy of the flow_mod with this xid; the oldest goes.
    #[inline]
    pub(crate) fn slot(&mut self, xid: u32) -> &mut CopyBuf {
        if self.slots.is_empty() {
            self.slots = vec![(0, CopyBuf::EMPTY); SLOTS];
        }
        self.next = (self.next + 1) % SLOTS;
        let slot = &mut self.slots[self.next];
        slot.0 = xid;
        slot.1.len = 0;
        &mut slot.1
    }

    /// Forgets an app's copies: a delete must not be followed by one of the flows that it was for.
    pub(crate) fn forget(&mut self, app: u8) {
        for (_, copy) in self.slots.iter_mut().filter(|(xid, _)| (xid >> 24) as u8 == app) {
            copy.len = 0;
        }
    }

    /// Takes the copy of the flow_mod with this xid.
    pub(crate) fn take(&mut self, xid: u32) -> Option<CopyBuf> {
        let slot = self.slots.iter_mut().find(|(x, copy)| *x == xid && copy.len > 0)?;
        let copy = slot.1;
        slot.1.len = 0;
        Some(copy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_remembered_once_and_older_ones_are_gone() {
        let mut b = Buffered::default();
        for xid in 0..SLOTS as u32 + 1 {
            b.slot(xid).len = 1;
        }
        assert!(b.take(0).is_none());
        assert!(b.take(1).is_some());
        assert!(b.take(1).is_none());
        assert_eq!(b.slots.len(), SLOTS);
    }
}
