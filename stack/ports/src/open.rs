//! From what was asked for to open ports, one for each core: the one place where every program opens them.

use std::net::Ipv4Addr;
use std::path::Path;

use ferroflow_stack::steer::{DEFAULT_KEY, Key};

use crate::any::AnyPort;
use crate::link::{Link, LinkError};
#[cfg(feature = "netmap")]
use crate::netmap::{NetmapBuilder, NetmapError};
use crate::packet::{self, PacketBuilder};
use crate::shm::{self, ShmConfig, ShmError};
use crate::spec::{PortKind, PortSpec, QUEUES_MAX, XdpMode};
use crate::tap::{TapBuilder, TapError};
use crate::xdp::{XdpBuilder, XdpError};

/// The stack's MAC address on shared memory, where nobody else has one but whoever comes: locally administered.
const SHM_MAC: [u8; 6] = [0x02, 0x66, 0x66, 0x00, 0x00, 0x02];

/// What the program adds to a [`PortSpec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// How many cores: so many ports.
    pub cores: usize,
    /// Address and prefix length for the kernel's side, where the port makes one (TAP).
    pub host_address: Option<(Ipv4Addr, u8)>,
    /// An interface that the kernel uses is taken all the same.
    pub force: bool,
    /// Key of the hash that spreads over the cores, where the port can be told (TAP, packet sockets, shared
    /// memory).
    pub key: Key,
}

impl Wanted {
    /// Ports for `cores` cores, the default key.
    pub const fn new(cores: usize) -> Wanted {
        Wanted { cores, host_address: None, force: false, key: DEFAULT_KEY }
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
    /// What the operator should know.
    pub warnings: Vec<String>,
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
        "{0}: the kernel has an address on that interface, and would lose its broadcasts (ARP!) to the stack: use another \
         interface, or packet:IFACE, or --force if nobody reaches this machine by it"
    )]
    InUse(PortSpec),
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
    /// A kind that has no frames for one stack alone.
    #[error("{0} is no port that one program alone can open: {1}")]
    NotHere(PortSpec, &'static str),
    /// A kind or an option that is still to be written.
    #[error("{0}: {1} not there yet")]
    NotYet(PortSpec, &'static str),
}

impl PortSpec {
    /// Opens the ports.
    ///
    /// # Errors
    /// See [`OpenError`]; each says what to do.
    pub fn open(&self, wanted: &Wanted) -> Result<Opened, OpenError> {
        if let Some(what) = self.not_yet() {
            return Err(OpenError::NotYet(self.clone(), what));
        }
        match &self.kind {
            PortKind::Tap { name, offload } => self.open_tap(name, *offload, wanted),
            PortKind::Packet { interface } => self.open_packet(interface, wanted),
            PortKind::Xdp { interface, .. } => self.open_xdp(interface, wanted),
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

    /// What of it is still to be written, as the beginning of "... not there yet".
    pub fn not_yet(&self) -> Option<&'static str> {
        match &self.kind {
            PortKind::Xdp { mode: Some(XdpMode::Shared), .. } => Some("sharing the kernel's address is"),
            _ => None,
        }
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
        builder.key = wanted.key;
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
            ports: tap.ports.into_iter().map(AnyPort::from).collect(),
            warnings: tap.warnings,
        })
    }

    fn open_packet(&self, interface: &str, wanted: &Wanted) -> Result<Opened, OpenError> {
        let queues = self.queues_for(wanted.cores)?;
        let packet =
            PacketBuilder { interface: interface.to_owned(), queues, mac: self.mac, key: wanted.key };
        let packet = packet.open()?;
        Ok(Opened {
            what: format!("interface {interface} by AF_PACKET"),
            name: packet.name,
            mac: packet.mac,
            ports: packet.ports.into_iter().map(AnyPort::from).collect(),
            warnings: Vec::new(),
        })
    }

    fn open_xdp(&self, interface: &str, wanted: &Wanted) -> Result<Opened, OpenError> {
        if Link::new(interface)?.has_address() && !wanted.force {
            return Err(OpenError::InUse(self.clone()));
        }
        let builder = XdpBuilder {
            interface: interface.to_owned(),
            queues: self.queues,
            cores: wanted.cores,
            mac: self.mac,
            busy_poll: self.busy,
        };
        let mut xdp = builder.open()?;
        let mut ports: Vec<AnyPort> = xdp.ports.into_iter().map(AnyPort::from).collect();
        let without = wanted.cores - ports.len();
        if without > 0 {
            // What is theirs arrives at the others, and is handed over; to send they need no queue.
            ports.extend(packet::senders(interface, without)?.into_iter().map(AnyPort::from));
            xdp.warnings.push(format!(
                "{interface}: {without} of {} cores have no receive queue, and get all frames from the others \
                 (more queues: ethtool -L {interface} combined {0})",
                wanted.cores
            ));
        }
        let queues = if xdp.queues == 1 { "1 queue".to_owned() } else { format!("{} queues", xdp.queues) };
        Ok(Opened {
            what: format!("interface {interface} by AF_XDP ({}, {queues})", xdp.mode),
            name: xdp.name,
            mac: xdp.mac,
            ports,
            warnings: xdp.warnings,
        })
    }

    #[cfg(feature = "netmap")]
    fn open_netmap(&self, name: &str, wanted: &Wanted) -> Result<Opened, OpenError> {
        let builder =
            NetmapBuilder { name: name.to_owned(), cores: wanted.cores, mac: self.mac, force: wanted.force };
        let netmap = builder.open()?;
        let rings = if netmap.rings == 1 { "1 pair" } else { &format!("{} pairs", netmap.rings) };
        Ok(Opened {
            what: format!("netmap:{name} ({rings} of rings)"),
            name: netmap.name,
            mac: netmap.mac,
            ports: netmap.ports.into_iter().map(AnyPort::from).collect(),
            warnings: Vec::new(),
        })
    }

    /// The listening end of a pair; the programs that come choose their own addresses.
    fn open_shm(&self, path: &Path, wanted: &Wanted) -> Result<Opened, OpenError> {
        let config = ShmConfig { key: wanted.key, ..ShmConfig::new(self.queues_for(wanted.cores)?) };
        let ports = shm::listen(path, &config)?;
        Ok(Opened {
            name: "shm".to_owned(),
            what: format!("memory shared with whoever comes to {}", path.display()),
            mac: self.mac.unwrap_or(SHM_MAC),
            ports: ports.into_iter().map(AnyPort::from).collect(),
            warnings: Vec::new(),
        })
    }
}
