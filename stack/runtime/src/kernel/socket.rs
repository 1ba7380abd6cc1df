//! One connection over a kernel socket, and the table of them.

use std::io::{self, IoSlice};

use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Instant, SendRing};
use socket2::Socket;

/// Where a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The handshake is under way.
    Connecting,
    /// The service has it.
    Open,
    /// The service has closed it: the ring drains, what arrives is thrown away, the peer's FIN is awaited.
    Closing,
    /// It is over; the last callback is due.
    Ending(End),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// `connected` with this error is due.
    Failed(ConnectError),
    /// `closed` is due.
    Closed(CloseReason),
}

/// Our side's FIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fin {
    Open,
    /// To be sent behind what is in the ring.
    Wanted,
    Sent,
}

#[derive(Debug)]
pub(super) struct Sock {
    pub io: Socket,
    pub info: ConnInfo,
    pub phase: Phase,
    pub ring: SendRing,
    /// Received, offered, and not taken.
    pub kept: Vec<u8>,
    /// The kernel may hold something to read.
    pub readable: bool,
    /// An event said that the end or an error follows the data: a short read is not the last.
    pub hangup: bool,
    /// The kernel's send buffer is full; an event will tell when it is not.
    pub blocked: bool,
    /// In the list of those to be served.
    pub queued: bool,
    /// In the list of those to be flushed.
    pub dirty: bool,
    /// The service asked for what is kept.
    pub offer: bool,
    /// The peer's FIN has been read.
    pub eof: bool,
    /// The service has been told that it is there, whatever is unread before it.
    pub fin_told: bool,
    /// The service has been told of it, or has closed before.
    pub eof_told: bool,
    pub fin: Fin,
    /// Sending failed for this reason; what had arrived before is still read.
    pub broken: Option<CloseReason>,
    /// The service's timer.
    pub armed: Option<Instant>,
    /// Our own: the end of patience with a handshake or with a close.
    pub deadline: Option<Instant>,
    /// The earliest entry in the heap of timers.
    pub in_heap: Option<Instant>,
}

impl Sock {
    pub fn new(io: Socket, info: ConnInfo, phase: Phase, ring_limit: usize) -> Sock {
        Sock {
            io,
            info,
            phase,
            ring: SendRing::new(ring_limit),
            kept: Vec::new(),
            readable: false,
            hangup: false,
            blocked: false,
            queued: false,
            dirty: false,
            offer: false,
            eof: false,
            fin_told: false,
            eof_told: false,
            fin: Fin::Open,
            broken: None,
            armed: None,
            deadline: None,
            in_heap: None,
        }
    }

    /// The earlier of the two deadlines.
    pub fn due(&self) -> Option<Instant> {
        match (self.armed, self.deadline) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Writes the ring to the kernel, as far as it takes it, in one call.
    pub fn write(&mut self) -> io::Result<()> {
        while !self.blocked && !self.ring.is_empty() {
            let (a, b) = self.ring.slices(0, usize::MAX);
            let whole = a.len() + b.len();
            let sent = if b.is_empty() {
                self.io.send_with_flags(a, MSG_NOSIGNAL)
            } else {
                self.io.send_vectored_with_flags(&[IoSlice::new(a), IoSlice::new(b)], MSG_NOSIGNAL)
            };
            match sent {
                Ok(n) => {
                    self.ring.consume(n);
                    self.blocked = n < whole;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.blocked = true,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// A write to a reset connection is an error, not a signal.
const MSG_NOSIGNAL: i32 = rustix::net::SendFlags::NOSIGNAL.bits() as i32;

/// The reason a connection ended, from the kernel's error.
pub(super) fn close_reason(e: &io::Error) -> CloseReason {
    use rustix::io::Errno;
    match Errno::from_io_error(e) {
        Some(Errno::TIMEDOUT) => CloseReason::TimedOut,
        Some(Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::NETDOWN | Errno::HOSTDOWN) => {
            CloseReason::Unreachable
        }
        Some(Errno::NOBUFS | Errno::NOMEM) => CloseReason::NoResources,
        _ => CloseReason::Reset,
    }
}

/// The reason connecting failed, from the kernel's error.
pub(super) fn connect_error(e: &io::Error) -> ConnectError {
    use rustix::io::Errno;
    match Errno::from_io_error(e) {
        Some(Errno::CONNREFUSED | Errno::CONNRESET) => ConnectError::Refused,
        Some(Errno::TIMEDOUT) => ConnectError::TimedOut,
        _ => ConnectError::Unreachable,
    }
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    sock: Option<Sock>,
}

/// The connections of one core, by slot.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    limit: usize,
}

impl Table {
    pub fn new(limit: usize) -> Table {
        Table { slots: Vec::new(), free: Vec::new(), limit: limit.min(u32::MAX as usize / 4) }
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn is_full(&self) -> bool {
        self.len() >= self.limit
    }

    /// The id that the next [`Table::insert`] will use.
    pub fn next_id(&self) -> ConnId {
        match self.free.last() {
            Some(&index) => ConnId::new(index, self.slots[index as usize].generation),
            None => ConnId::new(self.slots.len() as u32, 0),
        }
    }

    /// Puts a connection into a free slot. The caller has asked [`Table::is_full`].
    pub fn insert(&mut self, sock: Sock) -> ConnId {
        let id = self.next_id();
        if self.free.pop().is_none() {
            self.slots.push(Slot::default());
        }
        self.slots[id.index()].sock = Some(sock);
        id
    }

    pub fn remove(&mut self, id: ConnId) -> Option<Sock> {
        let slot = self.slots.get_mut(id.index()).filter(|s| s.generation == id.generation())?;
        let sock = slot.sock.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index() as u32);
        Some(sock)
    }

    #[inline]
    pub fn get(&self, id: ConnId) -> Option<&Sock> {
        self.slots.get(id.index()).filter(|s| s.generation == id.generation())?.sock.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, id: ConnId) -> Option<&mut Sock> {
        self.slots.get_mut(id.index()).filter(|s| s.generation == id.generation())?.sock.as_mut()
    }

    /// The ids of all connections.
    pub fn ids(&self) -> impl Iterator<Item = ConnId> + '_ {
        (0..self.slots.len()).filter_map(|index| self.id_at(index))
    }

    /// The id of whatever lives in the slot now.
    #[inline]
    pub fn id_at(&self, index: usize) -> Option<ConnId> {
        let slot = self.slots.get(index)?;
        slot.sock.as_ref()?;
        Some(ConnId::new(index as u32, slot.generation))
    }
}
