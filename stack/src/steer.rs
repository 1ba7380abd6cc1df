//! Which core a connection belongs to: the hash that network cards compute over addresses and ports.
//!
//! The function is the card's own (Toeplitz, as in Microsoft's "RSS hashing types"), so a card with the same key
//! delivers a connection's packets to the core that owns it; wherever they arrive otherwise, the owner is the same.

use std::net::Ipv4Addr;

use ferroflow_wire::ethernet::{EtherType, EthernetView};
use ferroflow_wire::icmpv4::{IcmpMessage, Icmpv4View};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4View};

mod key;

pub use key::{BadKey, DEFAULT_KEY, KEY_LEN, Key, NamedKey, SYMMETRIC_KEY};

/// Entries of the indirection table between hash and queue; a card's default spreads the queues over it in turn.
pub const INDIRECTION: u32 = 128;

/// Source address, destination address, source port, destination port.
const INPUT_LEN: usize = 12;

/// How connections are spread: what the registers of a card hold, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// Key of the hash.
    pub key: Key,
    /// The queue for each value of the hash's lowest bits: the card's indirection table, whose queues the cores share in turn.
    /// Empty: the queues in turn, [`INDIRECTION`] entries.
    pub table: Vec<u32>,
}

impl Default for Spread {
    /// [`DEFAULT_KEY`], queues in turn.
    fn default() -> Spread {
        Spread::from(DEFAULT_KEY)
    }
}

impl From<Key> for Spread {
    fn from(key: Key) -> Spread {
        Spread { key, table: Vec::new() }
    }
}

impl Spread {
    /// The core for each value of the hash's lowest bits.
    fn of_cores(&self, cores: u16) -> Box<[u16]> {
        let of_queue = |queue: u32| (queue % u32::from(cores)) as u16;
        match &self.table[..] {
            [] => (0..INDIRECTION).map(of_queue).collect(),
            table => table.iter().copied().map(of_queue).collect(),
        }
    }
}

#[derive(Debug, Clone)]
struct Tables {
    /// What each value of each input byte adds to the hash: 12 KiB.
    hash: Table,
    /// The core for each value of the hash's lowest bits.
    cores: Box<[u16]>,
}

type Table = [[u32; 256]; INPUT_LEN];

/// Who takes a received frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The core it arrived at.
    Here,
    /// Another core.
    Core(u16),
    /// Every core: the one it arrived at answers, all learn (ARP).
    All,
}

/// Which core this is, of how many, and how connections are spread over them.
#[derive(Debug, Clone)]
pub struct Steer {
    core: u16,
    cores: u16,
    /// Absent where there is nothing to choose.
    tables: Option<Box<Tables>>,
}

impl Default for Steer {
    fn default() -> Steer {
        Steer::single()
    }
}

impl Steer {
    /// The only core.
    pub const fn single() -> Steer {
        Steer { core: 0, cores: 1, tables: None }
    }

    /// Core `core` (from 0) of `cores`, with [`DEFAULT_KEY`].
    ///
    /// # Panics
    /// If `core` is not less than `cores`.
    pub fn new(core: u16, cores: u16) -> Steer {
        Steer::with_spread(core, cores, &Spread::default())
    }

    /// Core `core` (from 0) of `cores`, with a key, and queues in turn.
    ///
    /// # Panics
    /// If `core` is not less than `cores`.
    pub fn with_key(core: u16, cores: u16, key: &Key) -> Steer {
        Steer::with_spread(core, cores, &Spread::from(*key))
    }

    /// Core `core` (from 0) of `cores`, as the card spreads.
    ///
    /// # Panics
    /// If `core` is not less than `cores`.
    pub fn with_spread(core: u16, cores: u16, spread: &Spread) -> Steer {
        assert!(core < cores, "core {core} of {cores}");
        let tables = || Box::new(Tables { hash: *table(&spread.key), cores: spread.of_cores(cores) });
        Steer { core, cores, tables: (cores > 1).then(tables) }
    }

    /// Which core this is.
    #[inline]
    pub fn core(&self) -> u16 {
        self.core
    }

    /// How many cores there are.
    #[inline]
    pub fn cores(&self) -> u16 {
        self.cores
    }

    /// The core that owns a connection, from addresses and ports as a *received* packet has them: `remote` is its
    /// source.
    #[inline]
    pub fn owner_of(&self, remote: Ipv4Addr, local: Ipv4Addr, remote_port: u16, local_port: u16) -> u16 {
        match &self.tables {
            Some(tables) => tables.core_of(hash(&tables.hash, remote, local, remote_port, local_port)),
            None => 0,
        }
    }

    /// Who takes a received Ethernet frame. What is malformed, or is no matter of a connection, stays where it is and is
    /// judged there.
    #[inline]
    pub fn owner(&self, frame: &[u8]) -> Owner {
        match &self.tables {
            Some(tables) => self.look(tables, frame).unwrap_or(Owner::Here),
            None => Owner::Here,
        }
    }

    fn look(&self, tables: &Tables, frame: &[u8]) -> Option<Owner> {
        let table = &tables.hash;
        let eth = EthernetView::parse(frame).ok()?;
        match eth.ethertype() {
            EtherType::ARP => return Some(Owner::All),
            EtherType::IPV4 => {}
            _ => return None,
        }
        let ip = Ipv4View::parse(eth.payload()).ok()?;
        let hash = match ip.protocol() {
            // Without the others a fragment has no connection. They meet at a core that follows from what they have in
            // common (RFC 791 3.2); when the datagram is whole, it goes on to its owner.
            IpProtocol(protocol) if ip.is_fragment() => {
                hash(table, ip.src(), ip.dst(), ip.ident(), protocol.into())
            }
            IpProtocol::TCP => {
                let (src, dst) = ports(ip.payload())?;
                hash(table, ip.src(), ip.dst(), src, dst)
            }
            IpProtocol::ICMP => self.quoted(table, ip.payload())?,
            _ => return None,
        };
        let core = tables.core_of(hash);
        Some(if core == self.core { Owner::Here } else { Owner::Core(core) })
    }

    /// An ICMP error belongs to whoever sent the segment that it quotes: what was its destination is the peer.
    fn quoted(&self, table: &Table, icmp: &[u8]) -> Option<u32> {
        let (IcmpMessage::DestUnreachable { original, .. }
        | IcmpMessage::TimeExceeded { original, .. }
        | IcmpMessage::ParameterProblem { original, .. }) = Icmpv4View::parse(icmp).ok()?.message()
        else {
            return None;
        };
        let ip = Ipv4View::parse_quoted(original).ok()?;
        if ip.protocol() != IpProtocol::TCP || ip.fragment_offset() != 0 {
            return None;
        }
        let (src, dst) = ports(ip.payload())?;
        Some(hash(table, ip.dst(), ip.src(), dst, src))
    }
}

impl Tables {
    /// The core that a hash names.
    #[inline]
    fn core_of(&self, hash: u32) -> u16 {
        self.cores[hash as usize % self.cores.len()]
    }
}

#[inline]
fn ports(segment: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d, ..] = *segment else { return None };
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

#[inline]
fn hash(table: &Table, src: Ipv4Addr, dst: Ipv4Addr, src_port: u16, dst_port: u16) -> u32 {
    let ([a, b, c, d], [e, f, g, h]) = (src.octets(), dst.octets());
    let ([i, j], [k, l]) = (src_port.to_be_bytes(), dst_port.to_be_bytes());
    let input: [u8; INPUT_LEN] = [a, b, c, d, e, f, g, h, i, j, k, l];
    table.iter().zip(input).fold(0, |hash, (row, byte)| hash ^ row[usize::from(byte)])
}

/// The 32 bits of the key that start at a bit, which are what Toeplitz adds to the hash if that bit of the input is set.
///
/// # Panics
/// If the bit is behind the key's end.
pub fn window(key: &Key, bit: usize) -> u32 {
    let mut bytes = [0; 8];
    let from = bit / 8;
    let n = bytes.len().min(KEY_LEN - from);
    bytes[..n].copy_from_slice(&key[from..from + n]);
    (u64::from_be_bytes(bytes) << (bit % 8) >> 32) as u32
}

/// What each value of each byte of the input adds.
fn table(key: &Key) -> Box<Table> {
    let mut table = Box::new([[0; 256]; INPUT_LEN]);
    for (position, row) in table.iter_mut().enumerate() {
        for (byte, sum) in row.iter_mut().enumerate() {
            let set = (0..8).filter(|bit| byte & (0x80 >> bit) != 0);
            *sum = set.fold(0, |sum, bit| sum ^ window(key, position * 8 + bit));
        }
    }
    table
}

#[cfg(test)]
mod tests;
