//! Whose segment is it? Connections by address and port, found by hash: the cost does not grow with their number.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::tcb::Tcb;
use crate::service::ConnId;

/// A connection's addresses and ports, as a received segment shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Remote address and port, local port.
    a: u64,
    /// Local address.
    b: u32,
}

impl Key {
    /// From the local and the remote end.
    #[inline]
    pub fn new(local: Ipv4Addr, local_port: u16, remote: Ipv4Addr, remote_port: u16) -> Key {
        Key {
            a: u64::from(remote.to_bits()) << 32 | u64::from(remote_port) << 16 | u64::from(local_port),
            b: local.to_bits(),
        }
    }

    /// The same without ports.
    pub fn addresses(&self) -> Key {
        Key { a: self.a & !0xffff_ffff, b: self.b }
    }

    /// The same with another local port.
    pub fn with_local_port(&self, port: u16) -> Key {
        Key { a: self.a & !0xffff | u64::from(port), b: self.b }
    }

    /// As numbers, for hashing with a key.
    pub fn words(&self) -> [u64; 2] {
        [self.a, u64::from(self.b)]
    }

    /// The peer's port.
    pub fn remote_port(&self) -> u16 {
        (self.a >> 16) as u16
    }

    /// Our port.
    pub fn local_port(&self) -> u16 {
        self.a as u16
    }
}

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A connection's slot.
    Conn(u32),
    /// A slot of [`super::time_wait::TimeWaits`].
    TimeWait(u32),
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    tcb: Option<Box<Tcb>>,
}

/// The connections of one instance: slots that are used again, and the map that finds them.
#[derive(Debug)]
pub struct Table {
    map: HashMap<Key, Entry, foldhash::fast::FixedState>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
    max: usize,
}

impl Table {
    /// At most `max` connections; `seed` makes the hash unpredictable from outside.
    pub fn new(max: usize, seed: u64) -> Table {
        Table {
            map: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(seed)),
            slots: Vec::new(),
            free: Vec::new(),
            len: 0,
            max,
        }
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Who has the key.
    #[inline]
    pub fn find(&self, key: &Key) -> Option<Entry> {
        self.map.get(key).copied()
    }

    /// Adds a connection; `None` when the table is full.
    pub fn insert(&mut self, tcb: Tcb) -> Option<ConnId> {
        if self.len >= self.max {
            return None;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, tcb: None });
            self.slots.len() as u32 - 1
        });
        self.map.insert(tcb.key, Entry::Conn(index));
        let slot = &mut self.slots[index as usize];
        slot.tcb = Some(Box::new(tcb));
        self.len += 1;
        Some(ConnId::new(index, slot.generation))
    }

    /// Leads a key to a TIME_WAIT entry instead of its connection.
    pub fn set_time_wait(&mut self, key: Key, slot: u32) {
        self.map.insert(key, Entry::TimeWait(slot));
    }

    /// The key leads nowhere any more.
    pub fn forget(&mut self, key: &Key) {
        self.map.remove(key);
    }

    /// The key leads nowhere any more, if it led to this connection.
    pub fn forget_conn(&mut self, key: &Key, index: u32) {
        if self.map.get(key) == Some(&Entry::Conn(index)) {
            self.map.remove(key);
        }
    }

    /// Removes a connection; its key too, if it still leads here.
    pub fn remove(&mut self, index: u32) -> Option<Box<Tcb>> {
        let slot = self.slots.get_mut(index as usize)?;
        let tcb = slot.tcb.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(index);
        self.len -= 1;
        self.forget_conn(&tcb.key, index);
        Some(tcb)
    }

    /// The id of the connection in a slot.
    #[inline]
    pub fn id(&self, index: u32) -> ConnId {
        ConnId::new(index, self.slots[index as usize].generation)
    }

    /// A connection by slot.
    #[inline]
    pub fn at(&mut self, index: u32) -> Option<&mut Tcb> {
        self.slots.get_mut(index as usize)?.tcb.as_deref_mut()
    }

    /// A connection by id; `None` for a stale one.
    #[inline]
    pub fn get(&self, id: ConnId) -> Option<&Tcb> {
        let slot = self.slots.get(id.index())?;
        if slot.generation != id.generation() {
            return None;
        }
        slot.tcb.as_deref()
    }

    /// A connection by id, to be changed.
    #[inline]
    pub fn get_mut(&mut self, id: ConnId) -> Option<&mut Tcb> {
        let slot = self.slots.get_mut(id.index())?;
        if slot.generation != id.generation() {
            return None;
        }
        slot.tcb.as_deref_mut()
    }

    /// Bytes that connections hold in buffers.
    pub fn memory(&self) -> usize {
        self.slots.iter().filter_map(|s| s.tcb.as_ref()).map(|tcb| tcb.tx.memory() + tcb.rx.memory()).sum()
    }

    /// All connections' slots.
    pub fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.iter().enumerate().filter(|(_, s)| s.tcb.is_some()).map(|(i, _)| i as u32)
    }
}
