//! TAP: the kernel's end of a virtual Ethernet cable, with one queue or several.
//!
//! The interface has no rings to share: one `read` takes one frame, one `write` sends one. With offloads (`IFF_VNET_HDR`) a
//! header before each frame tells what is still to be done to it: then checksums of frames that never leave the machine
//! are nobody's work, and a frame may be a TCP segment of up to 64 KiB, in both directions.

mod interface;
mod pool;
mod port;
mod steering;

use std::net::Ipv4Addr;

use ferroflow_stack::steer::{DEFAULT_KEY, Key};
pub use port::{TapCounters, TapPort};

use crate::link::{LinkError, stack_mac};

/// What a TAP interface should be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapBuilder {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// How many queues.
    pub queues: u16,
    /// How many ports the queues are shared out to, in turn; a port without one only sends. `None` = one for each queue.
    pub cores: Option<u16>,
    /// Whether checksums and segmentation are left to the kernel; `None` = if it does that.
    pub offload: Option<bool>,
    /// The key of the hash that names a connection's core.
    pub key: Key,
    /// Largest IP packet, in bytes, 576 to 65521; `None` = as it is (1500 on a new one).
    pub mtu: Option<u32>,
    /// Address and prefix length of the kernel's side; `None` = as it is.
    pub host_address: Option<(Ipv4Addr, u8)>,
    /// MAC address of the kernel's side; `None` = as it is (the kernel draws one for a new interface).
    pub host_mac: Option<[u8; 6]>,
}

impl TapBuilder {
    /// One queue, no address, offloads where there are some.
    pub fn new(name: impl Into<String>) -> TapBuilder {
        TapBuilder {
            name: name.into(),
            queues: 1,
            cores: None,
            offload: None,
            key: DEFAULT_KEY,
            mtu: None,
            host_address: None,
            host_mac: None,
        }
    }

    /// Opens the interface, creating it if there is none of the name; it is up afterwards. One that is created
    /// here vanishes with its last port; one that was there stays.
    ///
    /// # Errors
    /// See [`TapError`]; each says what to do.
    pub fn open(&self) -> Result<Tap, TapError> {
        interface::open(self)
    }
}

/// An open TAP interface.
#[derive(Debug)]
pub struct Tap {
    /// Its name.
    pub name: String,
    /// Its queues, shared out to cores.
    pub ports: Vec<TapPort>,
    /// MAC address of the kernel's side.
    pub host_mac: [u8; 6],
    /// Whether it was created now.
    pub created: bool,
    /// Whether checksums and segmentation are left to the kernel.
    pub offload: bool,
    /// Whether the kernel brings each connection's frames to its core; otherwise it does so for most, and the cores hand over the
    /// others.
    pub steered: bool,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

impl Tap {
    /// A MAC address for the stack's side: locally administered, the same for the same kernel side, another than it.
    pub fn stack_mac(&self) -> [u8; 6] {
        stack_mac(self.host_mac)
    }
}

/// Why a TAP interface could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The name is empty, too long, or has characters that no interface may have.
    #[error("\"{0}\" is no name for an interface: use 1 to 15 letters, digits, dots or dashes")]
    BadName(String),
    /// A setting is out of its range.
    #[error("{0}")]
    BadSetting(String),
    /// The kernel has no TAP driver, or this container does not see it.
    #[error("there is no /dev/net/tun: load the driver (modprobe tun), or let the container have the device")]
    NoDevice,
    /// Not allowed.
    #[error(
        "not allowed to open TAP interface {0}: run as root or with CAP_NET_ADMIN \
         (setcap cap_net_admin+ep on the program), or have it created for you (ip tuntap add {0} mode tap user $USER)"
    )]
    NoRights(String),
    /// Another program has it.
    #[error("TAP interface {0} is in use by another program: stop that one, or take another name")]
    Busy(String),
    /// There is an interface of the name, of another kind.
    #[error("interface {0} exists and is no TAP interface: take another name")]
    NotTap(String),
    /// There is such a TAP interface, with one queue only.
    #[error(
        "TAP interface {0} exists and has one queue only: use one core, or create it anew \
         (ip link delete {0}; ip tuntap add {0} mode tap multi_queue)"
    )]
    OneQueue(String),
    /// The kernel does not take checksums and segmentation over.
    #[error("the kernel refuses offloads on TAP interface {name} ({source}): leave offload=on out")]
    NoOffload {
        /// The interface.
        name: String,
        /// The kernel's reason.
        source: std::io::Error,
    },
    /// The kernel's side could not be set up.
    #[error(transparent)]
    Link(LinkError),
    /// Something else.
    #[error("cannot {what} of TAP interface {name}: {source}")]
    Io {
        /// The interface.
        name: String,
        /// What was tried.
        what: &'static str,
        /// The kernel's reason.
        source: std::io::Error,
    },
}
