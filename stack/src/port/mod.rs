//! Packet I/O: the contract between the stack and one queue pair of a card (or of whatever stands for one).

pub mod lossy;
pub mod pcap;
pub mod pipe;

use std::os::fd::BorrowedFd;

pub use pipe::Doorbell;

use crate::time::Instant;

/// One packet's bytes in a port's buffer: an index, not a reference, so that a burst can be looked at first and
/// acted on second. Not `Clone`: whoever holds it owns the buffer until it is sent or released.
#[derive(Debug)]
#[must_use = "a frame that is neither sent nor released leaks its buffer"]
pub struct Frame {
    /// Which port (or which of a decorator's pools) the buffer belongs to.
    pub port: u8,
    /// The buffer's number there.
    pub idx: u32,
    /// Where the packet starts in the buffer, in bytes.
    pub off: u32,
    /// How long the packet is, in bytes.
    pub len: u32,
    /// What the card or the kernel says about the packet.
    pub meta: Meta,
}

/// What is known of a frame beside its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meta {
    /// State of the transport checksum.
    pub csum: Csum,
    /// Segment size of a super-frame (TSO, large receive) in bytes of payload; 0 for an ordinary frame.
    pub gso_size: u16,
    /// The receive hash, where the card gave one.
    pub hash: Option<u32>,
    /// When the frame was received, where the card says so.
    pub when: Option<Instant>,
}

/// State of a frame's transport checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Csum {
    /// Nobody looked: verify it (receive), or it is complete (transmit).
    #[default]
    Unknown,
    /// The card or the kernel has verified it.
    Verified,
    /// Only the pseudo-header is summed; whoever puts the frame on a wire completes it.
    Partial {
        /// Offset of the first byte summed.
        start: u16,
        /// Offset of the checksum field from `start`.
        offset: u16,
    },
}

/// What a port can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Largest IP packet, in bytes (Ethernet's own 14 bytes come on top).
    pub mtu: u32,
    /// A reply may be written into the frame that it answers, and sent from there.
    pub reply_in_place: bool,
    /// Transmit checksums of TCP and UDP may be left [`Csum::Partial`].
    pub tx_csum: bool,
    /// Largest IPv4 packet, in bytes, with a TCP segment that the port cuts into several ([`Meta::gso_size`], TSO), at most
    /// 65535; its checksum is left [`Csum::Partial`]. 0: the port cuts none.
    pub tx_gso: u32,
    /// Which queue of its interface this is, from 0.
    pub queue: u16,
}

/// What a port waits for in [`Port::wait`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Frames to receive.
    Readable,
    /// Frames to receive, or room to send the ones that [`Port::tx`] left behind.
    Both,
}

/// A port that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The interface or the peer behind the port is gone.
    #[error("the port is gone: {0}")]
    Gone(String),
    /// The kernel refused an operation.
    #[error("packet I/O failed: {0}")]
    Io(#[from] std::io::Error),
}

/// One queue pair of one interface: to the stack, a network card of its own.
///
/// Rules: [`Port::rx`] and [`Port::tx`] never block. Every frame that `rx` or [`Port::alloc`] hands out comes back by
/// `tx` or [`Port::release`], a received one before the turn ends. The kernel is entered in [`Port::sync`]
/// and nowhere else, except for what `rx` and `tx` must do on interfaces without rings (TAP).
pub trait Port {
    /// What this port can do. Constant for its life.
    fn caps(&self) -> Caps;

    /// A turn begins, at `now`: for ports that note when things happen. A port that wraps another passes it on.
    #[inline]
    fn tick(&mut self, _now: Instant) {}

    /// Takes received frames, as many as `into` has room for; returns how many.
    fn rx(&mut self, into: &mut Burst) -> usize;

    /// A frame's bytes.
    fn bytes(&self, frame: &Frame) -> &[u8];

    /// A frame's bytes, to be written.
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8];

    /// A frame to send, `len` bytes long with undefined content; `None` when the port has no buffer
    /// (back-pressure) or `len` is more than it can ever carry.
    fn alloc(&mut self, len: usize) -> Option<Frame>;

    /// Sends frames from the front of `from`; returns how many were taken. What stays could not be sent yet.
    fn tx(&mut self, from: &mut Burst) -> usize;

    /// Gives a frame's buffer back without sending it.
    fn release(&mut self, frame: Frame);

    /// Hands a copy of a frame to core `core`, as if it had been received there: a datagram that was put together here and is of
    /// a connection of that core. Returns whether it is under way; a port of one core knows no other.
    fn hand_over(&mut self, _core: u16, _frame: &[u8]) -> bool {
        false
    }

    /// Tells the kernel or the peer about the frames taken and sent since the last call.
    ///
    /// # Errors
    /// When the port cannot go on at all.
    fn sync(&mut self) -> Result<(), PortError>;

    /// The descriptor that becomes ready when there is something to do; `None` = must be polled.
    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)>;

    /// Called once the core is about to sleep: asks to be woken ([`Port::wait`]) from now on.
    /// Returns `false` if frames have arrived meanwhile, so that the core must not sleep.
    fn prepare_wait(&mut self) -> bool {
        true
    }

    /// How often the kernel has been entered for frames so far; the owner's waits for them are not among it.
    fn kernel_entries(&self) -> u64 {
        0
    }

    /// Tells what the port has counted beside the stack's own counters, by name. Not for the data path.
    fn report(&self, _each: &mut dyn FnMut(&'static str, u64)) {}
}

/// Frames taken or sent at once, in order, with a fixed capacity.
#[derive(Debug)]
pub struct Burst {
    frames: std::collections::VecDeque<Frame>,
    capacity: usize,
}

impl Burst {
    /// An empty burst for up to `capacity` frames.
    pub fn new(capacity: usize) -> Burst {
        Burst { frames: std::collections::VecDeque::with_capacity(capacity), capacity }
    }

    /// How many more frames fit.
    #[inline]
    pub fn room(&self) -> usize {
        self.capacity - self.frames.len()
    }

    /// How many frames are in it.
    #[inline]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no frame in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Appends a frame.
    ///
    /// # Errors
    /// Gives the frame back when the burst is full.
    #[inline]
    pub fn push(&mut self, frame: Frame) -> Result<(), Frame> {
        if self.frames.len() == self.capacity {
            return Err(frame);
        }
        self.frames.push_back(frame);
        Ok(())
    }

    /// Takes the first frame.
    #[inline]
    pub fn pop(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Looks at the first frame.
    #[inline]
    pub fn front(&self) -> Option<&Frame> {
        self.frames.front()
    }

    /// All frames, first to last.
    pub fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter()
    }
}
