//! netmap: the rings of a card, of a port of a VALE switch, of a pipe, or of the kernel's own stack, mapped into the process.
//!
//! A port has one descriptor for each pair of rings, and the memory of the module is mapped. Frames are neither copied in nor
//! out: a received one leaves its slot with its buffer, and another buffer takes its place; likewise to send (`NS_BUF_CHANGED`).
//! The module is called once a turn for each direction and does the rest, and a core that has nothing to do sleeps in `poll`.
//!
//! `api` is what programs and the module say to each other, `device` says it, `ring` and `buffers` are the arithmetic of what
//! is in the memory, `pair` is both rings of a queue.

mod api;
mod buffers;
mod device;
mod pair;
mod ring;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Meta, Port, PortError};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use device::{Bound, Descriptor, Device};
use pair::{Pair, Which};

use crate::interfaces::addresses;
use crate::link::{Link, LinkError, stack_mac};
use crate::spec::QUEUES_MAX;
use crate::spec::netmap::{NetmapKind, NetmapName, NetmapRings};

/// Buffers beside those in the rings, for each pair.
const EXTRA: u32 = 1024;
/// The least that will do: a burst's to receive and a burst's to send.
const EXTRA_MIN: u32 = 128;
/// Ethernet's header and one VLAN tag.
const LINK_BYTES: usize = 18;
/// Largest IP packet where no interface says another, in bytes: Ethernet's.
const MTU: u32 = 1500;

/// Why there is no port, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum NetmapError {
    /// The name is none.
    #[error("netmap:{0}: {1}")]
    Name(String, String),
    /// The module is not loaded.
    #[error(
        "there is no /dev/netmap: load the module (modprobe netmap; github.com/luigirizzo/netmap has it)"
    )]
    NoModule,
    /// Not allowed.
    #[error("/dev/netmap is not ours to open: run as root, or chmod 666 /dev/netmap")]
    NoRights,
    /// The module speaks another version.
    #[error(
        "the netmap module speaks version {0} of its interface, and this program 14: load a module that is newer or older"
    )]
    Version(u16),
    /// Somebody has the rings.
    #[error("netmap:{0}: its rings are another program's, or the port is in use in another way")]
    Busy(String),
    /// There is no such port.
    #[error("netmap:{0}: there is no such interface, or netmap cannot use it")]
    NotThere(String),
    /// The module's memory is used up.
    #[error("netmap:{0}: the module has no memory left for it (modprobe netmap buf_num=N ring_num=N)")]
    NoMemory(String),
    /// The kernel has an address there.
    #[error(
        "netmap:{0}: the kernel has an address on that interface, and would receive nothing there any more: use another \
         interface, or packet:{0}, or --force if nobody reaches this machine by it"
    )]
    InUse(String),
    /// The interface cannot be had.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Fewer rings than cores.
    #[error(
        "netmap:{name}: {rings} pairs of rings for {cores} cores, and every core needs one: --cores {rings}{more}"
    )]
    TooFew {
        /// The port.
        name: String,
        /// Pairs that there are.
        rings: u16,
        /// Cores that there are to be.
        cores: usize,
        /// How there may be more.
        more: String,
    },
    /// Not as many to send as to receive.
    #[error(
        "netmap:{name}: {tx} rings to send and {rx} to receive: there must be as many (ethtool -L {name} combined N)"
    )]
    Uneven {
        /// The port.
        name: String,
        /// Rings to send.
        tx: u16,
        /// Rings to receive.
        rx: u16,
    },
    /// Too few buffers.
    #[error(
        "netmap:{name}: the module gives {got} buffers beside the rings', and {EXTRA_MIN} for each pair are needed (modprobe netmap buf_num=N)"
    )]
    TooFewBuffers {
        /// The port.
        name: String,
        /// How many it gives.
        got: usize,
    },
    /// Something else.
    #[error("netmap:{name}: cannot {what}: {source}")]
    Io {
        /// The port.
        name: String,
        /// What was tried.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
}

impl NetmapError {
    fn io(name: &str, what: &'static str, source: io::Error) -> NetmapError {
        NetmapError::Io { name: name.to_owned(), what, source }
    }
}

/// Which port, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetmapBuilder {
    /// Its name: `eth0`, `eth0-1` (one pair of its rings), `eth0^` (the kernel's), `vale0:1`, `x{1` and `x}1` (ends of a pipe).
    pub name: String,
    /// How many cores; the pairs of rings are shared out to them in turn.
    pub cores: usize,
    /// The stack's MAC address; `None` = the interface's own, or one made from the port's name.
    pub mac: Option<[u8; 6]>,
    /// An interface on which the kernel has an address is taken all the same.
    pub force: bool,
}

/// An open port.
#[derive(Debug)]
pub struct Netmap {
    /// Its name.
    pub name: String,
    /// One for each core.
    pub ports: Vec<NetmapPort>,
    /// Pairs of rings in all.
    pub rings: u16,
    /// The stack's MAC address.
    pub mac: [u8; 6],
    /// The card whose rings they are, if it is one.
    pub(crate) link: Option<Link>,
}

impl NetmapBuilder {
    /// Binds the rings.
    ///
    /// # Errors
    /// See [`NetmapError`]; each says what to do.
    pub fn open(&self) -> Result<Netmap, NetmapError> {
        let name = &self.name;
        let parsed = NetmapName::parse(name).map_err(|why| NetmapError::Name(name.clone(), why))?;
        let (mac, mtu, link) = self.link(&parsed)?;
        let wanted = match (parsed.kind, parsed.rings) {
            // Switch ports and pipes are made by the first who comes, with as many rings as he wants.
            (NetmapKind::Vale | NetmapKind::Pipe, NetmapRings::All) => {
                u16::try_from(self.cores).unwrap_or(u16::MAX).min(QUEUES_MAX)
            }
            _ => 0,
        };
        let which = |n| match parsed.rings {
            NetmapRings::All => Which::Nic(n),
            NetmapRings::One(n) => Which::Nic(n),
            NetmapRings::Host => Which::Host(n),
        };
        // The memory of a port that the module makes is as large as the first who comes wants it.
        let all = EXTRA * u32::from(wanted.max(1));
        let first = device::bind(&parsed.base, which(0), wanted, all)?;
        let rings = self.pairs(parsed.rings, &first)?;
        let mut pairs = vec![self.pair(first, which(0))?];
        for n in 1..rings {
            pairs.push(self.pair(device::bind(&parsed.base, which(n), wanted, EXTRA)?, which(n))?);
        }
        self.share_buffers(&mut pairs)?;
        let mut shares: Vec<Vec<Pair<Descriptor>>> = (0..self.cores).map(|_| Vec::new()).collect();
        pairs.into_iter().enumerate().for_each(|(n, pair)| shares[n % self.cores].push(pair));
        let ports = shares.into_iter().enumerate().map(|(core, pairs)| {
            NetmapPort::new(pairs, name, core as u16, mtu)
                .map_err(|e| NetmapError::io(name, "watch several rings", e))
        });
        Ok(Netmap { name: name.clone(), ports: ports.collect::<Result<_, _>>()?, rings, mac, link })
    }

    /// The stack's MAC address, the largest IP packet, and the card.
    fn link(&self, name: &NetmapName) -> Result<([u8; 6], u32, Option<Link>), NetmapError> {
        if name.kind != NetmapKind::Interface {
            return Ok((self.mac.unwrap_or_else(|| made_up_mac(&self.name)), MTU, None));
        }
        let link = Link::new(&name.base)?;
        let ethernet = link.ethernet()?;
        let mac = match name.rings {
            // The kernel is at the other end.
            NetmapRings::Host => stack_mac(ethernet.mac),
            // The kernel receives nothing any more, and the card takes its own address's frames only.
            NetmapRings::All | NetmapRings::One(_) => {
                // What the kernel does not tell is taken for none.
                let addressed = addresses::of(ethernet.index).is_ok_and(|addresses| addresses.any);
                if addressed && !self.force {
                    return Err(NetmapError::InUse(name.base.clone()));
                }
                ethernet.mac
            }
        };
        // One pair alone is no matter of its hash, nor are the kernel's.
        let card = (name.rings == NetmapRings::All).then_some(link);
        Ok((self.mac.unwrap_or(mac), ethernet.mtu, card))
    }

    /// How many pairs of rings are to be had: enough for the cores.
    fn pairs(&self, rings: NetmapRings, first: &Bound) -> Result<u16, NetmapError> {
        let (tx, rx) = match rings {
            NetmapRings::All => (first.said.nr_tx_rings, first.said.nr_rx_rings),
            NetmapRings::One(_) => (1, 1),
            NetmapRings::Host => (first.said.nr_host_tx_rings, first.said.nr_host_rx_rings),
        };
        let name = self.name.clone();
        if tx != rx {
            return Err(NetmapError::Uneven { name, tx, rx });
        }
        if usize::from(rx) < self.cores {
            let more = match rings {
                NetmapRings::All => format!(", or more rings (ethtool -L {name} combined {})", self.cores),
                NetmapRings::One(_) | NetmapRings::Host => String::new(),
            };
            return Err(NetmapError::TooFew { name, rings: rx, cores: self.cores, more });
        }
        Ok(rx)
    }

    fn pair(&self, bound: Bound, which: Which) -> Result<Pair<Descriptor>, NetmapError> {
        let memory = bound.memory().map_err(|e| NetmapError::io(&self.name, "map the module's memory", e))?;
        let at = usize::try_from(bound.said.nr_offset).unwrap_or(usize::MAX);
        Pair::new(bound.descriptor, memory, at, which, bound.said.nr_extra_bufs)
            .map_err(|e| NetmapError::io(&self.name, "use its rings", e))
    }

    /// Every pair gets as many of the buffers as the others: the first may have got them all.
    fn share_buffers<D: Device>(&self, pairs: &mut [Pair<D>]) -> Result<(), NetmapError> {
        let all: usize = pairs.iter().map(|pair| pair.buffers().spare()).sum();
        let each = all / pairs.len().max(1);
        if each < EXTRA_MIN as usize {
            return Err(NetmapError::TooFewBuffers { name: self.name.clone(), got: all });
        }
        let Some((first, others)) = pairs.split_first_mut() else { return Ok(()) };
        for pair in others {
            let missing = each.saturating_sub(pair.buffers().spare());
            first.buffers_mut().share(missing, pair.buffers_mut());
        }
        Ok(())
    }
}

/// A locally administered address (IEEE 802) that follows from the name: the ports of one switch differ.
fn made_up_mac(name: &str) -> [u8; 6] {
    // FNV-1a: it only has to differ.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let [_, _, _, a, b, c, d, e] = hash.to_be_bytes();
    [0x02, a, b, c, d, e]
}

/// What happened on one core's rings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NetmapCounters {
    /// Frames received.
    pub rx_frames: u64,
    /// Packets in several buffers, dropped.
    pub rx_in_parts: u64,
    /// Slots that did not make sense, dropped.
    pub rx_damaged: u64,
    /// Times that frames had to wait in the ring because no buffer was spare.
    pub rx_no_buffer: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Slots to send whose buffer did not make sense.
    pub tx_damaged: u64,
    /// Times that a ring had no room.
    pub tx_full: u64,
    /// Times that no buffer was free to send.
    pub no_buffer: u64,
    /// Calls of the module.
    pub calls: u64,
}

impl NetmapCounters {
    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            ("netmap_rx_frames", self.rx_frames),
            ("netmap_rx_in_parts", self.rx_in_parts),
            ("netmap_rx_damaged", self.rx_damaged),
            ("netmap_rx_no_buffer", self.rx_no_buffer),
            ("netmap_tx_frames", self.tx_frames),
            ("netmap_tx_damaged", self.tx_damaged),
            ("netmap_tx_full", self.tx_full),
            ("netmap_no_buffer", self.no_buffer),
            ("netmap_calls", self.calls),
        ]
        .into_iter()
    }
}

/// One core's rings.
#[derive(Debug)]
pub struct NetmapPort<D: Device = Descriptor> {
    /// By [`Frame::port`].
    pairs: Vec<Pair<D>>,
    /// Watches several descriptors at once; which of them for room as well.
    watch: Option<(OwnedFd, Vec<bool>)>,
    name: String,
    core: u16,
    mtu: u32,
    /// Which pair is asked first for frames next time.
    first: usize,
    counters: NetmapCounters,
}

impl<D: Device> NetmapPort<D> {
    fn new(pairs: Vec<Pair<D>>, name: &str, core: u16, mtu: u32) -> io::Result<NetmapPort<D>> {
        let fds: Vec<_> = pairs.iter().filter_map(Pair::fd).collect();
        let watch = if fds.len() > 1 {
            let epoll = epoll::create(CreateFlags::CLOEXEC)?;
            for (i, fd) in fds.iter().enumerate() {
                epoll::add(&epoll, fd, EventData::new_u64(i as u64), EventFlags::IN)?;
            }
            Some((epoll, vec![false; fds.len()]))
        } else {
            None
        };
        let buffer = pairs.iter().map(|pair| pair.buffers().size()).min().unwrap_or(0);
        let mtu = mtu.min(buffer.saturating_sub(LINK_BYTES) as u32);
        let (name, counters) = (name.to_owned(), NetmapCounters::default());
        Ok(NetmapPort { pairs, watch, name, core, mtu, first: 0, counters })
    }

    /// What happened so far.
    pub fn counters(&self) -> NetmapCounters {
        self.counters
    }

    /// Frames that are with the stack.
    pub fn held(&self) -> usize {
        self.pairs.iter().map(|pair| pair.buffers().held()).sum()
    }

    /// Watches the descriptors for room too that have none, and no others.
    fn watch_for_room(&mut self) -> io::Result<()> {
        let Some((epoll, both)) = &mut self.watch else { return Ok(()) };
        for (i, (pair, both)) in self.pairs.iter().zip(both).enumerate() {
            if *both != pair.is_stuck()
                && let Some(fd) = pair.fd()
            {
                *both = pair.is_stuck();
                let flags = if *both { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
                epoll::modify(&*epoll, fd, EventData::new_u64(i as u64), flags)?;
            }
        }
        Ok(())
    }
}

fn part(frame: &Frame) -> std::ops::Range<usize> {
    frame.off as usize..frame.off as usize + frame.len as usize
}

impl<D: Device> Port for NetmapPort<D> {
    fn caps(&self) -> Caps {
        Caps { mtu: self.mtu, reply_in_place: true, tx_csum: false, tx_gso: 0, queue: self.core }
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let pairs = self.pairs.len();
        let first = self.first;
        self.first = (first + 1) % pairs.max(1);
        let mut count = 0;
        for at in (0..pairs).map(|i| (first + i) % pairs) {
            count += self.pairs[at].receive(into, at as u8, &mut self.counters);
        }
        count
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        self.pairs[usize::from(frame.port)].buffers().bytes(frame.idx, part(frame))
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        self.pairs[usize::from(frame.port)].buffers_mut().bytes_mut(frame.idx, part(frame))
    }

    /// Of the first pair: what it sends leaves in order.
    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.mtu as usize + LINK_BYTES {
            return None;
        }
        match self.pairs.first_mut()?.alloc() {
            Some(idx) => Some(Frame { port: 0, idx, off: 0, len: len as u32, meta: Meta::default() }),
            None => {
                self.counters.no_buffer += 1;
                None
            }
        }
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut count = 0;
        while let Some(frame) = from.front() {
            if !self.pairs[usize::from(frame.port)].send(frame, &mut self.counters) {
                self.counters.tx_full += 1;
                break;
            }
            // Its buffer is the module's.
            let _ = from.pop();
            count += 1;
        }
        count
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        self.pairs[usize::from(frame.port)].buffers_mut().release(frame.idx);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        for pair in &mut self.pairs {
            pair.sync(&mut self.counters);
            if let Some(e) = pair.gone() {
                return Err(PortError::Gone(format!("netmap:{} cannot be used any more ({e})", self.name)));
            }
        }
        Ok(())
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        match (&self.watch, &self.pairs[..]) {
            (Some((epoll, _)), _) => Some((epoll.as_fd(), Interest::Readable)),
            (None, [pair, ..]) => {
                Some((pair.fd()?, if pair.is_stuck() { Interest::Both } else { Interest::Readable }))
            }
            (None, []) => None,
        }
    }

    fn prepare_wait(&mut self) -> bool {
        // What cannot be watched now is tried again in the next turn.
        self.watch_for_room().is_ok() && !self.pairs.iter_mut().any(Pair::has_news)
    }

    fn kernel_entries(&self) -> u64 {
        self.counters.calls
    }
}

#[cfg(test)]
mod tests;
