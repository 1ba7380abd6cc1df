//! What answers connections: callbacks that the stack runs on the core that owns the connection.

use std::net::SocketAddr;

use crate::net::Net;
use crate::rx::Rx;
use crate::time::Instant;

/// A connection of one core: a slot and the generation of its use, so that a stale id is an error and never
/// another connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    index: u32,
    generation: u32,
}

impl ConnId {
    /// For implementers of [`Net`]: slot `index`, used for the `generation`th time.
    #[inline]
    pub const fn new(index: u32, generation: u32) -> ConnId {
        ConnId { index, generation }
    }

    /// The slot.
    #[inline]
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// How often the slot had been used before.
    #[inline]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl std::fmt::Display for ConnId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

/// Who a connection is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnInfo {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's address and port.
    pub peer: SocketAddr,
    /// The token given to [`Net::listen`] or [`Net::connect`].
    pub token: u64,
}

/// Why an active open failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ConnectError {
    /// The peer answered with a reset: nothing listens there.
    #[error("connection refused")]
    Refused,
    /// No answer in time.
    #[error("connecting timed out")]
    TimedOut,
    /// ICMP, or no answer to ARP: the peer cannot be reached.
    #[error("destination unreachable")]
    Unreachable,
    /// The service itself closed it before it was established.
    #[error("closed before it was established")]
    Aborted,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CloseReason {
    /// Both sides closed in order; all data arrived.
    #[error("closed by both sides")]
    Finished,
    /// The peer reset it.
    #[error("reset by the peer")]
    Reset,
    /// Data was not acknowledged, or keepalive not answered, in time.
    #[error("timed out")]
    TimedOut,
    /// The network says the peer cannot be reached any more.
    #[error("destination unreachable")]
    Unreachable,
    /// The service aborted it.
    #[error("aborted by the service")]
    Aborted,
    /// Memory or a table was full.
    #[error("out of resources")]
    NoResources,
}

/// What a core does with its connections. One value per core: `&mut self` is its state, without locks.
///
/// The order of callbacks for one connection: [`Service::accepted`] or [`Service::connected`]; then any of `data`,
/// `writable`, `timer`; at most one `eof`, after all the peer's data has been taken; exactly one `closed`, the
/// last. A connection whose `accepted` or `connected` gave no [`Service::Conn`] is aborted and gets no callback more.
///
/// Nothing is transmitted inside a callback: what is written goes out together at the end of the burst.
/// The service may use [`Net`] on any connection of its core in every callback.
pub trait Service {
    /// What the service keeps for each connection; it lives in a slab beside the connection's own state.
    type Conn;

    /// Called once, before the first frame: the place to listen and to connect.
    fn start(&mut self, net: &mut impl Net);

    /// A connection came in and is established. `None` refuses it (a reset is sent).
    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<Self::Conn>;

    /// A [`Net::connect`] came to its end. After `Err` there is no connection any more and the result is ignored.
    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<Self::Conn>;

    /// In-order bytes. What is not taken from `rx` is kept (see [`Rx`]).
    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Self::Conn, rx: &mut Rx<'_>);

    /// The peer says that what it has sent is urgent up to a point that is `ahead` bytes behind the first that was not taken
    /// yet (RFC 9293 3.8.5, MUST-32). The bytes come in their place, by `data`, and some of them may still be on their way.
    /// Not every stack below can tell.
    fn urgent(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Self::Conn, ahead: u32) {
        let _ = (net, id, conn, ahead);
    }

    /// The peer's FIN has arrived, though bytes before it may still wait to be taken; `eof` follows after them. For
    /// services that let bytes wait and need to know; not every stack below can tell before `eof`.
    fn fin(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Self::Conn) {
        let _ = (net, id, conn);
    }

    /// The peer will send no more. The connection can still be written; [`Net::close`] ends it.
    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Self::Conn);

    /// After a write found too little room: at least half the send ring is free again.
    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Self::Conn) {
        let _ = (net, id, conn);
    }

    /// The time set with [`Net::arm`] has come.
    fn timer(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Self::Conn) {
        let _ = (net, id, conn);
    }

    /// The connection is no more (or lingers in TIME_WAIT, where the service has no part in it).
    fn closed(&mut self, net: &mut impl Net, id: ConnId, conn: Self::Conn, why: CloseReason);

    /// Once per turn, after the burst: mail, and work that belongs to no connection.
    fn turn(&mut self, net: &mut impl Net) {
        let _ = net;
    }

    /// When [`Service::turn`] wants to run although nothing happens; `None` = only when something does.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The core is going to stop: say good-bye and close what is open. A few turns follow, then the rest is aborted.
    fn stop(&mut self, net: &mut impl Net) {
        let _ = net;
    }

    /// Tells what the service has counted, by name. Not for the data path.
    fn report(&self, _each: &mut dyn FnMut(&'static str, u64)) {}
}
