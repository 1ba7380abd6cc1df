//! Whose segment is it? Connections by address and port, found by hash: the cost does not grow with their number.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::index::Index;
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

    /// Without a gap.
    pub fn packed(&self) -> [u32; 3] {
        [(self.a >> 32) as u32, self.a as u32, self.b]
    }

    /// From that.
    pub fn unpacked([high, low, b]: [u32; 3]) -> Key {
        Key { a: u64::from(high) << 32 | u64::from(low), b }
    }

    /// Our address.
    pub fn local(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.b)
    }

    /// Our address and port.
    pub fn local_end(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.local()), self.local_port())
    }

    /// The peer's address and port.
    pub fn remote_end(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.remote()), self.remote_port())
    }

    /// The peer's address.
    pub fn remote(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits((self.a >> 32) as u32)
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

#[derive(Debug)]
struct Slot {
    generation: u32,
    /// Its number stands in the list of those with something to send; that outlives the connection.
    dirty: bool,
    tcb: Option<Box<Tcb>>,
}

/// The connections of one instance: slots that are used again, and the index that finds them.
#[derive(Debug)]
pub struct Table {
    hasher: foldhash::fast::FixedState,
    index: Index,
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
    max: usize,
    /// Bytes that the connections' buffers held when they were counted last.
    memory: usize,
}

impl Table {
    /// At most `max` connections; `seed` makes the hash unpredictable from outside.
    pub fn new(max: usize, seed: u64) -> Table {
        Table {
            hasher: foldhash::fast::FixedState::with_seed(seed),
            index: Index::default(),
            slots: Vec::new(),
            free: Vec::new(),
            len: 0,
            max,
            memory: 0,
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

    /// The slot of the connection that has the key.
    #[inline]
    pub fn find(&self, key: &Key) -> Option<u32> {
        self.index.find(self.hash(key), |slot| self.is_of(slot, key))
    }

    /// The hash of a key, for [`Table::touch_index`] and [`Table::guess`].
    #[inline]
    pub fn hash(&self, key: &Key) -> u32 {
        let hash = self.hasher.hash_one(key);
        (hash ^ (hash >> 32)) as u32
    }

    #[inline]
    fn is_of(&self, index: u32, key: &Key) -> bool {
        self.slots[index as usize].tcb.as_deref().is_some_and(|tcb| tcb.key == *key)
    }

    /// Reads what [`Table::find`] will look at first; the value means nothing.
    #[inline]
    pub fn touch_index(&self, hash: u32) -> u64 {
        self.index.touch(hash)
    }

    /// The slot of a connection that very likely is the one with this hash.
    #[inline]
    pub fn guess(&self, hash: u32) -> Option<u32> {
        self.index.find(hash, |_| true)
    }

    /// Reads what a segment for a connection will need; the value means nothing.
    #[inline]
    pub fn touch(&self, index: u32) -> u64 {
        let tcb = self.slots.get(index as usize).and_then(|slot| slot.tcb.as_deref());
        tcb.map_or(0, Tcb::touch)
    }

    /// Adds a connection; `None` when the table is full.
    pub fn insert(&mut self, tcb: Tcb) -> Option<ConnId> {
        if self.len >= self.max {
            return None;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, dirty: false, tcb: None });
            self.slots.len() as u32 - 1
        });
        self.index.insert(self.hash(&tcb.key), index);
        let slot = &mut self.slots[index as usize];
        slot.tcb = Some(Box::new(tcb));
        self.len += 1;
        Some(ConnId::new(index, slot.generation))
    }

    /// The key leads nowhere any more, if it led to this connection.
    pub fn forget_conn(&mut self, key: &Key, index: u32) {
        self.index.remove(self.hash(key), index);
    }

    /// Removes a connection; its key too, if it still leads here.
    pub fn remove(&mut self, index: u32) -> Option<Box<Tcb>> {
        let slot = self.slots.get_mut(index as usize)?;
        let tcb = slot.tcb.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(index);
        self.len -= 1;
        self.memory -= tcb.counted as usize;
        self.forget_conn(&tcb.key, index);
        Some(tcb)
    }

    /// Notes that a slot stands in the list of those with something to send. `false`: it did already, or is empty.
    #[inline]
    pub fn set_dirty(&mut self, index: u32) -> bool {
        match self.slots.get_mut(index as usize) {
            Some(slot) if slot.tcb.is_some() => !std::mem::replace(&mut slot.dirty, true),
            _ => false,
        }
    }

    /// The slot was taken off that list.
    #[inline]
    pub fn clear_dirty(&mut self, index: u32) {
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.dirty = false;
        }
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

    /// Bytes that connections hold in buffers, as of their last turn.
    #[inline]
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Counts what the buffers of a connection hold now.
    #[inline]
    pub fn count_memory(&mut self, index: u32) {
        let Some(tcb) = self.slots.get_mut(index as usize).and_then(|slot| slot.tcb.as_deref_mut()) else {
            return;
        };
        let held = u32::try_from(tcb.memory()).unwrap_or(u32::MAX);
        self.memory = self.memory + held as usize - tcb.counted as usize;
        tcb.counted = held;
    }

    /// How many keys lead somewhere.
    pub fn keys(&self) -> usize {
        self.index.len()
    }

    /// All connections, and whether they stand in the list of those with something to send.
    pub fn each(&self) -> impl Iterator<Item = (ConnId, &Tcb, bool)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            Some((ConnId::new(index as u32, slot.generation), slot.tcb.as_deref()?, slot.dirty))
        })
    }

    /// All connections' slots.
    pub fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.iter().enumerate().filter(|(_, s)| s.tcb.is_some()).map(|(i, _)| i as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::TcpConfig;
    use crate::tcp::tcb::Open;
    use crate::time::Instant;
    use ferroflow_wire::SeqNumber;

    fn tcb(port: u16) -> Tcb {
        let (local, remote) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let key = Key::new(local, 80, remote, port);
        let open = Open { key, token: 0, iss: SeqNumber(0), ts_offset: 0, mss: 1460, options: &[] };
        Tcb::active(open, Instant::ZERO, &TcpConfig::default())
    }

    #[test]
    fn a_slot_used_again_stands_in_line_once() {
        let mut table = Table::new(4, 7);
        let id = table.insert(tcb(1)).unwrap();
        let index = id.index() as u32;
        assert!(table.set_dirty(index) && !table.set_dirty(index));
        table.remove(index);
        assert!(!table.set_dirty(index), "an empty slot has nothing to send");
        assert_eq!(table.insert(tcb(2)).unwrap().index() as u32, index);
        assert!(!table.set_dirty(index), "its number is still in the list");
        table.clear_dirty(index);
        assert!(table.set_dirty(index));
    }

    #[test]
    fn a_stale_id_is_nobody_and_a_full_table_takes_no_more() {
        let mut table = Table::new(1, 7);
        let old = table.insert(tcb(1)).unwrap();
        assert!(table.insert(tcb(2)).is_none());
        table.remove(old.index() as u32);
        let new = table.insert(tcb(2)).unwrap();
        assert_eq!(new.index(), old.index());
        assert!(table.get(old).is_none() && table.get(new).is_some());
    }
}
