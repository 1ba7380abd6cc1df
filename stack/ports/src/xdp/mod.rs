//! AF_XDP: an interface's queues, taken before the kernel makes packets of their frames.
//!
//! A program that is assembled here leads frames to the stack's MAC address into memory of ours, or, where the address is
//! the kernel's too, TCP segments to our ports; everything else goes on to the kernel. Each queue has a socket and memory of its own; a core has one or several. The program is held by a
//! descriptor (a BPF link that is pinned nowhere): when the process ends, however it ends, the kernel takes it off.

mod chunks;
mod deaf;
mod led;
mod partial;
mod program;
mod queue;
mod ring;
mod socket;
mod watch;

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Meta, Port, PortError};
use rustix::io::Errno;

pub use deaf::Deaf;
pub(crate) use led::Led;
use queue::Queue;
use socket::Held;
use watch::Watch;

use crate::link::{self, Ethernet, LinkError};

/// Frames of one queue, and places in each of its rings: no ring can be full.
const BUFFERS: u32 = 2048;
/// Of these, with the kernel to receive into.
const FILL: u32 = BUFFERS / 2;
/// Most queues of one core: a frame tells its queue in a byte, of which others use the upper values.
const QUEUES_PER_CORE: u32 = 128;
/// Ethernet's header and one VLAN tag.
const LINK_BYTES: usize = 18;
/// A core that never sleeps looks so often whether the interface is still there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Which interface, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XdpBuilder {
    /// The interface.
    pub interface: String,
    /// How many of its queues are taken, from 0; `None` = all.
    pub queues: Option<u16>,
    /// How many ports they are shared out to, in turn; one for each core. There are never more ports than queues.
    pub cores: usize,
    /// The stack's MAC address; `None` = one made from the interface's. Not looked at where the address is shared.
    pub mac: Option<[u8; 6]>,
    /// The kernel's address on the interface, if the stack uses that, and only takes TCP to ports that it is led; `None` = all
    /// frames to its own MAC address are the stack's.
    pub shared: Option<Ipv4Addr>,
    /// For so many microseconds the kernel polls the card in a call instead of waiting for its interrupt; `None` = it waits.
    pub busy_poll: Option<u32>,
}

impl XdpBuilder {
    /// All queues for one core, a MAC address of its own.
    pub fn new(interface: impl Into<String>) -> XdpBuilder {
        XdpBuilder {
            interface: interface.into(),
            queues: None,
            cores: 1,
            mac: None,
            shared: None,
            busy_poll: None,
        }
    }

    /// Opens the sockets and attaches the program.
    ///
    /// # Errors
    /// See [`XdpError`]; each says what to do.
    pub fn open(&self) -> Result<Xdp, XdpError> {
        socket::open(self)
    }
}

/// How frames come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The card writes them into our memory.
    ZeroCopy,
    /// The driver runs the program; frames are copied.
    Native,
    /// The kernel runs the program, behind the driver; frames are copied.
    Generic,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mode::ZeroCopy => "zero-copy",
            Mode::Native => "native",
            Mode::Generic => "generic",
        })
    }
}

/// An interface whose queues are ours.
#[derive(Debug)]
pub struct Xdp {
    /// Its name.
    pub name: String,
    /// The queues, shared out to cores.
    pub ports: Vec<XdpPort>,
    /// The stack's MAC address.
    pub mac: [u8; 6],
    /// The kernel's.
    pub host_mac: [u8; 6],
    /// The kernel's number for the interface.
    pub index: u32,
    /// How many queues.
    pub queues: u32,
    /// How frames come.
    pub mode: Mode,
    /// Which TCP ports are led to the stack, where the address is shared.
    pub(crate) led: Option<Arc<Led>>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// Why an interface could not be opened by AF_XDP, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum XdpError {
    /// The interface cannot be had.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The kernel was built without.
    #[error("this kernel has no AF_XDP sockets: use packet:IFACE")]
    NoKernel,
    /// Another program is there.
    #[error(
        "interface {name} has an XDP program of somebody else: {what}. Stop the process that holds it (`bpftool link` and \
         `bpftool net` name it), or if none does: {detach}"
    )]
    Busy {
        /// The interface.
        name: String,
        /// Which program, and how it is attached.
        what: String,
        /// The command that detaches it.
        detach: String,
    },
    /// Another program is on what the interface is a part of.
    #[error(
        "a device that interface {0} is a part of (a bond, a bridge; `ip link show {0}` names it as its master) has an XDP \
         program: use that device, or detach its program"
    )]
    BusyAbove(String),
    /// There are not so many queues.
    #[error(
        "interface {name} has {there} receive queues, not {wanted} (more: ethtool -L {name} combined {wanted})"
    )]
    Queues {
        /// The interface.
        name: String,
        /// The queues that it has.
        there: u32,
        /// The queues that were asked for.
        wanted: u32,
    },
    /// Too many queues for the cores.
    #[error(
        "interface {name} has {queues} queues for {cores} cores: at most 128 each (queues=N, or ethtool -L {name})"
    )]
    Crowded {
        /// The interface.
        name: String,
        /// The queues that were asked for.
        queues: u32,
        /// The cores that there are.
        cores: usize,
    },
    /// A frame does not fit in a page.
    #[error("interface {name} has an MTU of {mtu}, and AF_XDP takes up to 3822: ip link set {name} mtu 1500")]
    Mtu {
        /// The interface.
        name: String,
        /// What it has.
        mtu: u32,
    },
    /// Memory may not be locked.
    #[error(
        "not enough memory may be locked for interface {0}: 4 MiB for each queue are needed (ulimit -l unlimited), \
         or CAP_IPC_LOCK"
    )]
    Locked(String),
}

/// What happened on a core's queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct XdpCounters {
    /// Frames received.
    pub rx_frames: u64,
    /// Of these, with a transport checksum that their sender has left out: the stack drops them. Counted on veth only.
    pub rx_csum_partial: u64,
    /// Frames dropped because what the kernel says of them cannot be, or they are parts.
    pub rx_invalid: u64,
    /// Frames that the kernel dropped, for reasons of its own.
    pub rx_dropped: u64,
    /// Frames that the kernel dropped because the receive ring was full.
    pub rx_ring_full: u64,
    /// Frames that the kernel dropped because we had given it no memory.
    pub rx_no_buffer: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Calls of the kernel for them.
    pub tx_calls: u64,
    /// Calls of the kernel for frames to receive.
    pub rx_calls: u64,
    /// Questions to the kernel whether the interface is still up: before a sleep, or once in a while.
    pub looks: u64,
    /// Frames that the kernel refused (the interface has no carrier), dropped.
    pub tx_refused: u64,
    /// Times that the kernel could not take all frames at once.
    pub tx_full: u64,
    /// Times that the kernel would not send at all, for whatever reason: what is to be sent is kept, and tried again.
    pub tx_errors: u64,
    /// Frames that the kernel gave back without having had them.
    pub tx_invalid: u64,
    /// Entries of rings that the kernel refused.
    pub kernel_invalid: u64,
    /// Times that an index of the kernel made no sense.
    pub insane: u64,
    /// Times that no buffer was free.
    pub no_buffer: u64,
    /// Times that the interface went down.
    pub went_down: u64,
}

impl XdpCounters {
    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            ("xdp_rx_frames", self.rx_frames),
            ("xdp_rx_csum_partial", self.rx_csum_partial),
            ("xdp_rx_invalid", self.rx_invalid),
            ("xdp_rx_dropped", self.rx_dropped),
            ("xdp_rx_ring_full", self.rx_ring_full),
            ("xdp_rx_no_buffer", self.rx_no_buffer),
            ("xdp_tx_frames", self.tx_frames),
            ("xdp_tx_calls", self.tx_calls),
            ("xdp_rx_calls", self.rx_calls),
            ("xdp_looks", self.looks),
            ("xdp_tx_refused", self.tx_refused),
            ("xdp_tx_full", self.tx_full),
            ("xdp_tx_errors", self.tx_errors),
            ("xdp_tx_invalid", self.tx_invalid),
            ("xdp_kernel_invalid", self.kernel_invalid),
            ("xdp_index_invalid", self.insane),
            ("xdp_no_buffer", self.no_buffer),
            ("xdp_went_down", self.went_down),
        ]
        .into_iter()
    }
}

/// One core's queues of an interface.
#[derive(Debug)]
pub struct XdpPort {
    /// By [`Frame::port`]. Before the program: sockets are closed first.
    queues: Vec<Queue>,
    _attached: Arc<Held>,
    name: String,
    core: u16,
    mtu: u32,
    veth: bool,
    index: u32,
    watch: Watch,
    /// Which queue is asked first for frames next time.
    first: usize,
    /// Which queue sends, as long as it has buffers.
    sender: usize,
    now: Instant,
    /// When to look whether the interface is still there, should the core not sleep before.
    look_at: Instant,
    gone: bool,
    /// The log has been told that the kernel does not send.
    said: bool,
    counters: XdpCounters,
}

impl XdpPort {
    fn new(
        queues: Vec<Queue>,
        attached: Arc<Held>,
        link: (&str, Ethernet),
        core: u16,
        veth: bool,
    ) -> io::Result<XdpPort> {
        let (name, Ethernet { index, mtu, .. }) = link;
        Ok(XdpPort {
            watch: Watch::new(queues.iter().map(Queue::fd))?,
            queues,
            _attached: attached,
            name: name.to_owned(),
            core,
            mtu,
            veth,
            index,
            first: 0,
            sender: 0,
            now: Instant::ZERO,
            look_at: Instant::ZERO,
            gone: false,
            said: false,
            counters: XdpCounters::default(),
        })
    }

    /// What happened so far.
    pub fn counters(&self) -> XdpCounters {
        let mut counters = self.counters;
        self.queues.iter().for_each(|queue| queue.add_kernels(&mut counters));
        counters
    }

    /// Frames that are with the stack.
    pub fn held(&self) -> usize {
        self.queues.iter().map(Queue::held).sum()
    }

    fn queue(&mut self, frame: &Frame) -> &mut Queue {
        &mut self.queues[usize::from(frame.port)]
    }

    /// The queues one after another, another first each time.
    fn turns(&mut self) -> impl Iterator<Item = usize> + use<> {
        let (first, n) = (self.first, self.queues.len());
        self.first = (first + 1) % n;
        (0..n).map(move |i| (first + i) % n)
    }

    /// The kernel tells by an error that the interface went down or away.
    fn look_for_errors(&mut self) {
        self.look_at = self.now + LOOK_EVERY;
        self.counters.looks += self.queues.len() as u64;
        let down = self.queues.iter().filter(|queue| queue.has_error()).count();
        self.counters.went_down += down as u64;
        self.gone |= down > 0 && link::is_gone(self.index);
    }

    /// The kernel has refused to send: for good if the interface is gone, else until it does again.
    fn refused(&mut self, why: Errno) {
        self.gone = link::is_gone(self.index);
        if !self.gone && !std::mem::replace(&mut self.said, true) {
            tracing::warn!("interface {}: the kernel does not send ({why}); trying on", self.name);
        }
    }
}

impl Port for XdpPort {
    fn caps(&self) -> Caps {
        Caps { mtu: self.mtu, reply_in_place: true, tx_csum: false, tx_gso: 0, queue: self.core }
    }

    #[inline]
    fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let mut count = 0;
        for at in self.turns() {
            count += self.queues[at].receive(into, at as u8, self.veth, &mut self.counters);
        }
        count
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        self.queues[usize::from(frame.port)].bytes(frame)
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        self.queue(frame).bytes_mut(frame)
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.mtu as usize + LINK_BYTES {
            return None;
        }
        for _ in 0..self.queues.len() {
            let at = self.sender;
            if let Some(idx) = self.queues[at].alloc(&mut self.counters) {
                return Some(Frame { port: at as u8, idx, off: 0, len: len as u32, meta: Meta::default() });
            }
            // Not before: frames of different queues overtake each other, and a connection's are to leave in order.
            self.sender = (at + 1) % self.queues.len();
        }
        self.counters.no_buffer += 1;
        None
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut count = 0;
        while let Some(frame) = from.pop() {
            self.queue(&frame).send(&frame);
            self.counters.tx_frames += 1;
            count += 1;
        }
        count
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        self.queue(&frame).release(frame);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        for at in 0..self.queues.len() {
            if let Err(why) = self.queues[at].sync(&mut self.counters) {
                self.refused(why);
            }
        }
        if self.now >= self.look_at {
            self.look_for_errors();
        }
        if self.gone {
            return Err(PortError::Gone(format!("interface {} was deleted", self.name)));
        }
        Ok(())
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        // It sees to room by itself.
        Some((self.watch.fd(), Interest::Readable))
    }

    fn prepare_wait(&mut self) -> bool {
        let sockets = self.queues.iter().map(|queue| (queue.fd(), queue.is_stuck()));
        // After an error it is tried again in the next turn.
        if self.watch.may_go_on(sockets).unwrap_or(true) {
            return false;
        }
        self.look_for_errors();
        !self.gone && self.queues.iter_mut().all(|queue| !queue.has_news())
    }

    fn kernel_entries(&self) -> u64 {
        self.counters.tx_calls + self.counters.rx_calls + self.counters.looks
    }
}
