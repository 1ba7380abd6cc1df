//! From what was asked for to open ports, one for each core: the one place where every program opens them.

use std::net::Ipv4Addr;
use std::path::Path;

use ferroflow_stack::steer::Spread;

use crate::any::AnyPort;
use crate::interfaces::addresses;
use crate::link::{Link, LinkError};
#[cfg(feature = "netmap")]
use crate::netmap::{NetmapBuilder, NetmapError};
use crate::packet::{self, PacketBuilder};
use crate::rss::{self, RssKey};
use crate::shared::{Resolved, Shared};
use crate::shm::{self, ShmConfig, ShmError};
use crate::spec::{PortKind, PortSpec, QUEUES_MAX, XdpMode};
use crate::tap::{TapBuilder, TapError};
use crate::xdp::{XdpBuilder, XdpError};

/// The stack's MAC address on shared memory, where nobody else has one but whoever comes: locally administered.
const SHM_MAC: [u8; 6] = [0x02, 0x66, 0x66, 0x00, 0x00, 0x02];

/// Ports that the stack may open connections from where it shares an address: so many connections to one peer's port at
/// once.
const SOURCES: u16 = 64;

/// What the program adds to a [`PortSpec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// How many cores: so many ports.
    pub cores: usize,
    /// Address and prefix length for the kernel's side, where the port makes one (TAP).
    pub host_address: Option<(Ipv4Addr, u8)>,
    /// An interface that the kernel uses is taken all the same, with an address of its own.
    pub force: bool,
    /// An address may be shared with the kernel: the program looks at [`Opened::shared`].
    pub beside: bool,
    /// Key of the hash that spreads connections over the cores.
    pub rss: RssKey,
}

impl Wanted {
    /// Ports for `cores` cores, the card's key.
    pub const fn new(cores: usize) -> Wanted {
        Wanted { cores, host_address: None, force: false, beside: false, rss: RssKey::Auto }
    }
}

/// What was opened.
#[derive(Debug)]
pub struct Opened {
    /// The interface or whatever stands for one, for example `ff0`.
    pub name: String,
    /// The same in words, for example "the TAP interface ff0".
    pub what: String,
    /// One for each core, in order.
    pub ports: Vec<AnyPort>,
    /// The MAC address that the stack is to use.
    pub mac: [u8; 6],
    /// How connections are spread over the ports: for [`ferroflow_stack::steer::Steer::with_spread`].
    pub spread: Spread,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// What the stack shares with the kernel, where the address on the interface is the kernel's: the stack's address and
    /// other settings are then to be these, and the kernel's sockets run beside it (`ferroflow_runtime::beside`).
    pub shared: Option<Shared>,
}

/// Why there are no ports, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The TAP interface could not be had.
    #[error(transparent)]
    Tap(#[from] TapError),
    /// The interface could not be had.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The interface could not be had by AF_XDP.
    #[error(transparent)]
    Xdp(#[from] XdpError),
    /// The netmap port could not be had.
    #[cfg(feature = "netmap")]
    #[error(transparent)]
    Netmap(#[from] NetmapError),
    /// The program was built without it.
    #[error("{0}: this program was built without {1}: cargo build --release --features {1}")]
    NotBuilt(PortSpec, &'static str),
    /// The kernel would not hear broadcasts any more.
    #[error(
        "{0}: the kernel has an address on that interface, and would lose its broadcasts (ARP!) to the stack: share its \
         IPv4 address (`shared`), or use another interface, or packet:IFACE, or --force if nobody reaches this machine by it"
    )]
    InUse(PortSpec),
    /// There is nothing to share.
    #[error(
        "{0}: the kernel has no IPv4 address on that interface that could be shared: `ip addr add`, or `own`"
    )]
    NoAddress(PortSpec),
    /// An option that does not go with the mode.
    #[error("{0}: {1}")]
    Mode(PortSpec, &'static str),
    /// The kernel does not say what it has on the interface, or does not give what is shared.
    #[error("{spec}: cannot share the interface with the kernel: {source}")]
    Share {
        /// What was asked for.
        spec: PortSpec,
        /// The kernel's reason.
        source: std::io::Error,
    },
    /// The shared memory could not be had.
    #[error(transparent)]
    Shm(#[from] ShmError),
    /// As many queues as cores are needed.
    #[error("{spec}: {queues} queues for {cores} cores: there must be one for each core; leave `queues` out")]
    Queues {
        /// What was asked for.
        spec: PortSpec,
        /// The queues that were asked for.
        queues: u16,
        /// The cores that there are.
        cores: usize,
    },
    /// There is no card to be given a key.
    #[error(
        "{0}: --rss-key set: gives a card its key, and there is none here; leave `set:` out, or use xdp or netmap"
    )]
    NoCard(PortSpec),
    /// A kind that has no frames for one stack alone.
    #[error("{0} is no port that one program alone can open: {1}")]
    NotHere(PortSpec, &'static str),
}

impl PortSpec {
    /// Opens the ports.
    ///
    /// # Errors
    /// See [`OpenError`]; each says what to do.
    pub fn open(&self, wanted: &Wanted) -> Result<Opened, OpenError> {
        if matches!(wanted.rss, RssKey::Set(_)) && !self.has_card() {
            return Err(OpenError::NoCard(self.clone()));
        }
        match &self.kind {
            PortKind::Tap { name, offload } => self.open_tap(name, *offload, wanted),
            PortKind::Packet { interface } => self.open_packet(interface, wanted),
            PortKind::Xdp { interface, mode } => self.open_xdp(interface, *mode, wanted),
            PortKind::Shm { path } => self.open_shm(path, wanted),
            #[cfg(feature = "netmap")]
            PortKind::Netmap { name } => self.open_netmap(name, wanted),
            #[cfg(not(feature = "netmap"))]
            PortKind::Netmap { .. } => Err(OpenError::NotBuilt(self.clone(), "netmap")),
            PortKind::Pipe => Err(OpenError::NotHere(
                self.clone(),
                "both of its ends are in one process (`ferroflow demo`)",
            )),
            _ => Err(OpenError::NotHere(self.clone(), "the kernel's sockets are used without one")),
        }
    }

    /// Whether it is a card whose receive hash brings frames to cores; elsewhere it is the kernel, or nobody.
    fn has_card(&self) -> bool {
        matches!(self.kind, PortKind::Xdp { .. } | PortKind::Netmap { .. })
    }

    /// One queue for each core.
    fn queues_for(&self, cores: usize) -> Result<u16, OpenError> {
        let wanted = u16::try_from(cores).unwrap_or(u16::MAX);
        match self.queues {
            Some(queues) if queues != wanted => Err(OpenError::Queues { spec: self.clone(), queues, cores }),
            _ => Ok(wanted),
        }
    }

    fn open_tap(&self, name: &str, offload: Option<bool>, wanted: &Wanted) -> Result<Opened, OpenError> {
        let cores = u16::try_from(wanted.cores).unwrap_or(u16::MAX);
        let mut builder = TapBuilder::new(name);
        builder.queues = self.queues.unwrap_or(cores.min(QUEUES_MAX));
        builder.cores = Some(cores);
        builder.offload = offload;
        builder.key = wanted.rss.without_card();
        builder.mtu = self.mtu;
        builder.host_address = wanted.host_address;
        let mut tap = builder.open()?;
        let without = cores.saturating_sub(builder.queues);
        if without > 0 {
            tap.warnings.push(format!(
                "{name}: {without} of {cores} cores have no queue, and get all frames from the others"
            ));
        }
        Ok(Opened {
            what: format!("the TAP interface {name}"),
            mac: self.mac.unwrap_or_else(|| tap.stack_mac()),
            name: tap.name,
            spread: wanted.rss.without_card().into(),
            ports: tap.ports.into_iter().map(AnyPort::from).collect(),
            warnings: tap.warnings,
            shared: None,
        })
    }

    fn open_packet(&self, interface: &str, wanted: &Wanted) -> Result<Opened, OpenError> {
        let queues = self.queues_for(wanted.cores)?;
        let key = wanted.rss.without_card();
        let packet = PacketBuilder { interface: interface.to_owned(), queues, mac: self.mac, key };
        let packet = packet.open()?;
        Ok(Opened {
            what: format!("interface {interface} by AF_PACKET"),
            name: packet.name,
            mac: packet.mac,
            spread: key.into(),
            ports: packet.ports.into_iter().map(AnyPort::from).collect(),
            warnings: Vec::new(),
            shared: None,
        })
    }

    /// The kernel's address and prefix length if it is to be shared.
    fn shared_address(
        &self,
        interface: &str,
        mode: Option<XdpMode>,
        wanted: &Wanted,
    ) -> Result<Option<(Ipv4Addr, u8)>, OpenError> {
        let index = Link::new(interface)?.ethernet()?.index;
        let here = addresses::of(index).map_err(|source| OpenError::Share { spec: self.clone(), source })?;
        let shared = match mode {
            None => here.ipv4.filter(|_| self.mac.is_none() && wanted.beside),
            Some(XdpMode::Own) => None,
            Some(XdpMode::Shared) if !wanted.beside => {
                return Err(OpenError::Mode(
                    self.clone(),
                    "this program has no kernel sockets beside its stack; use `own`",
                ));
            }
            Some(XdpMode::Shared) if self.mac.is_some() => {
                return Err(OpenError::Mode(self.clone(), "whoever shares an address shares its MAC, too"));
            }
            Some(XdpMode::Shared) => Some(here.ipv4.ok_or_else(|| OpenError::NoAddress(self.clone()))?),
        };
        if shared.is_none() && here.any && !wanted.force {
            return Err(OpenError::InUse(self.clone()));
        }
        if shared.is_none() && self.sources.is_some() {
            return Err(OpenError::Mode(
                self.clone(),
                "`sources` are for `shared`; otherwise all ports are ours",
            ));
        }
        Ok(shared)
    }

    fn open_xdp(&self, interface: &str, mode: Option<XdpMode>, wanted: &Wanted) -> Result<Opened, OpenError> {
        let address = self.shared_address(interface, mode, wanted)?;
        let builder = XdpBuilder {
            interface: interface.to_owned(),
            queues: self.queues,
            cores: wanted.cores,
            mac: self.mac,
            shared: address.map(|(address, _)| address),
            busy_poll: self.busy,
        };
        let xdp = builder.open()?;
        let mut warnings = xdp.warnings;
        let (spread, warning) = rss::of_card(&Link::new(interface)?, wanted.rss, wanted.cores, xdp.queues)?;
        warnings.extend(warning);
        let without = wanted.cores - xdp.ports.len();
        // What is theirs arrives at the others, and is handed over; to send they need no queue.
        let senders = if without > 0 { packet::senders(interface, without)? } else { Vec::new() };
        if without > 0 {
            warnings.push(format!(
                "{interface}: {without} of {} cores have no receive queue, and get all frames from the others \
                 (more queues: ethtool -L {interface} combined {0})",
                wanted.cores
            ));
        }
        let queues = if xdp.queues == 1 { "1 queue".to_owned() } else { format!("{} queues", xdp.queues) };
        let what = format!("interface {interface} by AF_XDP ({}, {queues})", xdp.mode);
        let mut opened =
            Opened { what, name: xdp.name, mac: xdp.mac, spread, ports: Vec::new(), warnings, shared: None };
        match address.zip(xdp.led) {
            None => {
                opened.ports.extend(xdp.ports.into_iter().map(AnyPort::from));
                opened.ports.extend(senders.into_iter().map(AnyPort::from));
            }
            Some((address, led)) => {
                let refused = |source| OpenError::Share { spec: self.clone(), source };
                let sources = self.sources.unwrap_or(SOURCES);
                let shared = Shared::new(xdp.index, xdp.mac, address, sources, led).map_err(refused)?;
                for port in xdp.ports {
                    let port = Resolved::new(port, xdp.index, interface, xdp.mac).map_err(refused)?;
                    opened.ports.push(port.into());
                }
                for port in senders {
                    let port = Resolved::new(port, xdp.index, interface, xdp.mac).map_err(refused)?;
                    opened.ports.push(port.into());
                }
                opened.shared = Some(shared);
            }
        }
        Ok(opened)
    }

    #[cfg(feature = "netmap")]
    fn open_netmap(&self, name: &str, wanted: &Wanted) -> Result<Opened, OpenError> {
        let builder =
            NetmapBuilder { name: name.to_owned(), cores: wanted.cores, mac: self.mac, force: wanted.force };
        let netmap = builder.open()?;
        let (spread, warning) = match netmap.link {
            Some(link) => rss::of_card(&link, wanted.rss, wanted.cores, netmap.rings.into())?,
            None if matches!(wanted.rss, RssKey::Set(_)) => return Err(OpenError::NoCard(self.clone())),
            None => (wanted.rss.without_card().into(), None),
        };
        let rings = if netmap.rings == 1 { "1 pair" } else { &format!("{} pairs", netmap.rings) };
        Ok(Opened {
            what: format!("netmap:{name} ({rings} of rings)"),
            name: netmap.name,
            mac: netmap.mac,
            ports: netmap.ports.into_iter().map(AnyPort::from).collect(),
            spread,
            warnings: warning.into_iter().collect(),
            shared: None,
        })
    }

    /// The listening end of a pair; the programs that come choose their own addresses.
    fn open_shm(&self, path: &Path, wanted: &Wanted) -> Result<Opened, OpenError> {
        let key = wanted.rss.without_card();
        let config = ShmConfig { key, ..ShmConfig::new(self.queues_for(wanted.cores)?) };
        let ports = shm::listen(path, &config)?;
        Ok(Opened {
            name: "shm".to_owned(),
            what: format!("memory shared with whoever comes to {}", path.display()),
            mac: self.mac.unwrap_or(SHM_MAC),
            spread: key.into(),
            ports: ports.into_iter().map(AnyPort::from).collect(),
            warnings: Vec::new(),
            shared: None,
        })
    }
}
