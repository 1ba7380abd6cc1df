//! A core's sessions.

use std::collections::HashMap;

use ferroflow_stack::{ConnId, Net, SendRing};
use foldhash::fast::FixedState;

use crate::app::Dpid;
use crate::session::Session;

/// Send rings by connection: what code that is not generic over [`Net`] needs of it.
pub(crate) trait Senders {
    fn sender(&mut self, id: ConnId) -> Option<&mut SendRing>;
}

/// A [`Net`] as [`Senders`].
pub(crate) struct NetSenders<'a, N: Net>(pub &'a mut N);

impl<N: Net> Senders for NetSenders<'_, N> {
    fn sender(&mut self, id: ConnId) -> Option<&mut SendRing> {
        self.0.sender(id).ok()
    }
}

/// All sessions of a core, by slot, and the ready ones by datapath.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    slots: Vec<Option<Box<Session>>>,
    free: Vec<u32>,
    uses: u32,
    ready: HashMap<Dpid, u32, FixedState>,
}

impl Sessions {
    pub(crate) fn seeded(seed: u64) -> Sessions {
        Sessions { ready: HashMap::with_hasher(FixedState::with_seed(seed)), ..Sessions::default() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Adds the session that `make` makes of its slot and its serial number.
    pub(crate) fn insert(&mut self, make: impl FnOnce(u32, u64) -> Session) -> &mut Session {
        self.uses = self.uses.wrapping_add(1);
        let key = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        // The slot is in the serial number, so that it can be found by it.
        let serial = u64::from(self.uses) << 32 | u64::from(key);
        self.slots[key as usize].insert(Box::new(make(key, serial)))
    }

    #[inline]
    pub(crate) fn get(&mut self, key: u32) -> Option<&mut Session> {
        self.slots.get_mut(key as usize)?.as_deref_mut()
    }

    pub(crate) fn by_serial(&mut self, serial: u64) -> Option<&mut Session> {
        self.get(serial as u32).filter(|s| s.dp.serial == serial)
    }

    /// The ready session of a datapath.
    pub(crate) fn ready(&mut self, dpid: Dpid) -> Option<&mut Session> {
        let key = *self.ready.get(&dpid)?;
        self.get(key)
    }

    pub(crate) fn set_ready(&mut self, dpid: Dpid, key: u32) {
        self.ready.insert(dpid, key);
    }

    pub(crate) fn unset_ready(&mut self, dpid: Dpid, key: u32) {
        if self.ready.get(&dpid) == Some(&key) {
            self.ready.remove(&dpid);
        }
    }

    pub(crate) fn remove(&mut self, key: u32) {
        if let Some(slot) = self.slots.get_mut(key as usize)
            && slot.take().is_some()
        {
            self.free.push(key);
        }
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.slots.iter_mut().filter_map(Option::as_deref_mut)
    }
}
