//! TAP: the kernel's end of a virtual Ethernet cable; each queue is a port.
//!
//! The interface has no rings to share: one `read` takes one frame, one `write` sends one. Frames of 64 KiB with
//! offloads (`IFF_VNET_HDR`) would come in here, as a second size class of buffers and a header before each frame.

mod interface;

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Meta, Port, PortError};
use rustix::io::Errno;

use crate::link::{LinkError, stack_mac};

/// Ethernet's header and one VLAN tag.
const LINK_BYTES: usize = 18;
/// Buffers of one queue.
const BUFFERS: u32 = 1024;

/// What a TAP interface should be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapBuilder {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// How many queues; one for each core.
    pub queues: u16,
    /// Largest IP packet, in bytes, 576 to 65521; `None` = as it is (1500 on a new one).
    pub mtu: Option<u32>,
    /// Address and prefix length of the kernel's side; `None` = as it is.
    pub host_address: Option<(Ipv4Addr, u8)>,
    /// MAC address of the kernel's side; `None` = as it is (the kernel draws one for a new interface).
    pub host_mac: Option<[u8; 6]>,
}

impl TapBuilder {
    /// One queue, no address.
    pub fn new(name: impl Into<String>) -> TapBuilder {
        TapBuilder { name: name.into(), queues: 1, mtu: None, host_address: None, host_mac: None }
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
    /// Its queues.
    pub ports: Vec<TapPort>,
    /// MAC address of the kernel's side.
    pub host_mac: [u8; 6],
    /// Whether it was created now.
    pub created: bool,
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

/// What happened on one queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TapCounters {
    /// Frames read.
    pub rx_frames: u64,
    /// Frames written.
    pub tx_frames: u64,
    /// Frames dropped because they were longer than the MTU allows.
    pub rx_too_long: u64,
    /// Frames that the kernel refused (its side is down, or short of memory), dropped.
    pub tx_refused: u64,
    /// Times that the kernel's queue was full.
    pub tx_full: u64,
    /// Times that no buffer was free.
    pub no_buffer: u64,
}

/// One queue of a TAP interface.
#[derive(Debug)]
pub struct TapPort {
    fd: OwnedFd,
    name: String,
    queue: u16,
    mtu: u32,
    /// Room for one frame.
    slot: usize,
    buffers: Box<[u8]>,
    free: Vec<u32>,
    /// The last read found nothing.
    dry: bool,
    /// The last write was refused for want of room.
    full: bool,
    gone: Option<Errno>,
    counters: TapCounters,
}

impl TapPort {
    fn new(fd: OwnedFd, name: &str, queue: u16, mtu: u32) -> TapPort {
        // A multiple of the cache line, with a byte more than the longest frame, to tell a longer one.
        let slot = (mtu as usize + LINK_BYTES + 1).next_multiple_of(64);
        TapPort {
            fd,
            name: name.to_owned(),
            queue,
            mtu,
            slot,
            buffers: vec![0; slot * BUFFERS as usize].into_boxed_slice(),
            free: (0..BUFFERS).rev().collect(),
            dry: true,
            full: false,
            gone: None,
            counters: TapCounters::default(),
        }
    }

    /// What happened so far.
    pub fn counters(&self) -> &TapCounters {
        &self.counters
    }

    /// Buffers that are out of the pool.
    pub fn held(&self) -> usize {
        BUFFERS as usize - self.free.len()
    }

    fn frame_max(&self) -> usize {
        self.mtu as usize + LINK_BYTES
    }

    fn range(&self, f: &Frame) -> std::ops::Range<usize> {
        let start = f.idx as usize * self.slot + f.off as usize;
        start..start + f.len as usize
    }

    /// Reads once, into buffer `idx`.
    fn read(&mut self, idx: u32) -> Read {
        let start = idx as usize * self.slot;
        match rustix::io::read(&self.fd, &mut self.buffers[start..start + self.slot]) {
            Ok(n) if n > self.frame_max() => {
                self.counters.rx_too_long += 1;
                Read::Nothing
            }
            Ok(n) => {
                self.counters.rx_frames += 1;
                Read::Frame(Frame { port: 0, idx, off: 0, len: n as u32, meta: Meta::default() })
            }
            Err(Errno::INTR) => Read::Nothing,
            Err(Errno::AGAIN) => Read::Dry,
            Err(e) => {
                // The interface was deleted or taken from us: `sync` says so.
                self.gone = Some(e);
                Read::Dry
            }
        }
    }
}

/// What one read brought.
enum Read {
    Frame(Frame),
    /// Nothing to keep, but there may be more.
    Nothing,
    /// Nothing more.
    Dry,
}

impl Port for TapPort {
    fn caps(&self) -> Caps {
        Caps { mtu: self.mtu, reply_in_place: true, tx_csum: false, tx_gso: 0, queue: self.queue }
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let mut count = 0;
        self.dry = false;
        // Frames too long to be kept count as well, or a peer that sends nothing else would hold the core here.
        for _ in 0..into.room() {
            if self.gone.is_some() {
                break;
            }
            let Some(idx) = self.free.pop() else {
                self.counters.no_buffer += 1;
                break;
            };
            let frame = match self.read(idx) {
                Read::Frame(frame) => frame,
                Read::Nothing => {
                    self.free.push(idx);
                    continue;
                }
                Read::Dry => {
                    self.free.push(idx);
                    self.dry = true;
                    break;
                }
            };
            if let Err(frame) = into.push(frame) {
                self.release(frame);
                break;
            }
            count += 1;
        }
        count
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        &self.buffers[self.range(frame)]
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        let range = self.range(frame);
        &mut self.buffers[range]
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.frame_max() {
            return None;
        }
        let Some(idx) = self.free.pop() else {
            self.counters.no_buffer += 1;
            return None;
        };
        Some(Frame { port: 0, idx, off: 0, len: len as u32, meta: Meta::default() })
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut count = 0;
        self.full = false;
        while let Some(frame) = from.front() {
            match rustix::io::write(&self.fd, &self.buffers[self.range(frame)]) {
                Ok(_) => self.counters.tx_frames += 1,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    self.counters.tx_full += 1;
                    self.full = true;
                    break;
                }
                Err(e) => {
                    // Its side being down or short of memory is a loss, as on any cable; a detached queue is the end.
                    self.counters.tx_refused += 1;
                    if e == Errno::BADFD {
                        self.gone = Some(e);
                    }
                }
            }
            if let Some(frame) = from.pop() {
                self.release(frame);
            }
            count += 1;
        }
        count
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        debug_assert!(!self.free.contains(&frame.idx), "buffer {} came back twice", frame.idx);
        self.free.push(frame.idx);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        match self.gone {
            None => Ok(()),
            Some(e) => {
                Err(PortError::Gone(format!("TAP interface {} was deleted or detached ({e})", self.name)))
            }
        }
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        Some((self.fd.as_fd(), if self.full { Interest::Both } else { Interest::Readable }))
    }

    fn prepare_wait(&mut self) -> bool {
        self.dry
    }
}
