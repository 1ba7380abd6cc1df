//! Whichever port a program was told to use, by one `match` per call instead of dynamic dispatch.

use std::os::fd::BorrowedFd;

use ferroflow_stack::Instant;
use ferroflow_stack::port::pipe::PipePort;
use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Port, PortError};

#[cfg(feature = "netmap")]
use crate::netmap::NetmapPort;
use crate::packet::PacketPort;
use crate::shared::Resolved;
use crate::shm::ShmPort;
use crate::tap::TapPort;
use crate::xdp::XdpPort;

/// One of the ports there are.
#[derive(Debug)]
pub enum AnyPort {
    /// A queue of a TAP interface.
    Tap(TapPort),
    /// A packet socket on an interface.
    Packet(PacketPort),
    /// Queues of an interface, taken by an XDP program.
    Xdp(XdpPort),
    /// Rings of netmap's.
    #[cfg(feature = "netmap")]
    Netmap(NetmapPort),
    /// The same, where the kernel answers for the neighbours.
    SharedXdp(Resolved<XdpPort>),
    /// A packet socket that only sends, for a core without a queue of such an interface.
    SharedSender(Resolved<PacketPort>),
    /// An end of a pipe in memory.
    Pipe(PipePort),
    /// An end of a pipe to another process.
    Shm(ShmPort),
}

impl From<TapPort> for AnyPort {
    fn from(port: TapPort) -> AnyPort {
        AnyPort::Tap(port)
    }
}

impl From<PacketPort> for AnyPort {
    fn from(port: PacketPort) -> AnyPort {
        AnyPort::Packet(port)
    }
}

impl From<XdpPort> for AnyPort {
    fn from(port: XdpPort) -> AnyPort {
        AnyPort::Xdp(port)
    }
}

#[cfg(feature = "netmap")]
impl From<NetmapPort> for AnyPort {
    fn from(port: NetmapPort) -> AnyPort {
        AnyPort::Netmap(port)
    }
}

impl From<Resolved<XdpPort>> for AnyPort {
    fn from(port: Resolved<XdpPort>) -> AnyPort {
        AnyPort::SharedXdp(port)
    }
}

impl From<Resolved<PacketPort>> for AnyPort {
    fn from(port: Resolved<PacketPort>) -> AnyPort {
        AnyPort::SharedSender(port)
    }
}

impl From<PipePort> for AnyPort {
    fn from(port: PipePort) -> AnyPort {
        AnyPort::Pipe(port)
    }
}

impl From<ShmPort> for AnyPort {
    fn from(port: ShmPort) -> AnyPort {
        AnyPort::Shm(port)
    }
}

macro_rules! each {
    ($self:expr, $port:ident => $call:expr) => {
        match $self {
            AnyPort::Tap($port) => $call,
            AnyPort::Packet($port) => $call,
            AnyPort::Xdp($port) => $call,
            #[cfg(feature = "netmap")]
            AnyPort::Netmap($port) => $call,
            AnyPort::SharedXdp($port) => $call,
            AnyPort::SharedSender($port) => $call,
            AnyPort::Pipe($port) => $call,
            AnyPort::Shm($port) => $call,
        }
    };
}

impl AnyPort {
    /// Frames that are out of the port's pools: with the stack, or waiting to be sent.
    pub fn held(&self) -> usize {
        each!(self, p => p.held())
    }

    /// What happened so far, by name; only what tells more than the stack's own counters.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        match self {
            AnyPort::Tap(port) => port.counters().iter().collect(),
            AnyPort::Packet(port) => port.counters().iter().collect(),
            AnyPort::Xdp(port) => port.counters().iter().collect(),
            #[cfg(feature = "netmap")]
            AnyPort::Netmap(port) => port.counters().iter().collect(),
            AnyPort::SharedXdp(port) => port.inner().counters().iter().chain(port.counters()).collect(),
            AnyPort::SharedSender(port) => port.inner().counters().iter().chain(port.counters()).collect(),
            AnyPort::Pipe(port) => {
                let c = port.counters();
                vec![
                    ("pipe_tx_dropped", c.tx_dropped),
                    ("pipe_tx_full", c.tx_full),
                    ("pipe_no_buffer", c.no_buffer),
                ]
            }
            AnyPort::Shm(port) => {
                let c = port.counters();
                vec![
                    ("shm_rx_too_long", c.rx_too_long),
                    ("shm_tx_dropped", c.tx_dropped),
                    ("shm_tx_full", c.tx_full),
                    ("shm_no_buffer", c.no_buffer),
                    ("shm_wake_ups", c.wake_ups),
                    ("shm_bell_reads", c.bell_reads),
                    ("shm_sessions", c.sessions),
                    ("shm_broken", c.broken),
                ]
            }
        }
    }
}

impl Port for AnyPort {
    fn caps(&self) -> Caps {
        each!(self, p => p.caps())
    }

    #[inline]
    fn tick(&mut self, now: Instant) {
        each!(self, p => p.tick(now));
    }

    #[inline]
    fn rx(&mut self, into: &mut Burst) -> usize {
        each!(self, p => p.rx(into))
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        each!(self, p => p.bytes(frame))
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        each!(self, p => p.bytes_mut(frame))
    }

    #[inline]
    fn alloc(&mut self, len: usize) -> Option<Frame> {
        each!(self, p => p.alloc(len))
    }

    #[inline]
    fn tx(&mut self, from: &mut Burst) -> usize {
        each!(self, p => p.tx(from))
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        each!(self, p => p.release(frame));
    }

    #[inline]
    fn sync(&mut self) -> Result<(), PortError> {
        each!(self, p => p.sync())
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        each!(self, p => p.wait())
    }

    fn prepare_wait(&mut self) -> bool {
        each!(self, p => p.prepare_wait())
    }

    fn kernel_entries(&self) -> u64 {
        each!(self, p => p.kernel_entries())
    }

    fn report(&self, each: &mut dyn FnMut(&'static str, u64)) {
        self.counters().into_iter().for_each(|(name, value)| each(name, value));
    }
}
