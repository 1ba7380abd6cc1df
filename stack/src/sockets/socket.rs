//! What one socket remembers.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::options::Options;
use super::slab::NIL;
use super::{Errno, Ready};
use crate::net::Net;
use crate::service::ConnId;

/// Address family of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// AF_INET
    V4,
    /// AF_INET6
    V6,
}

impl Family {
    /// The address that stands for any.
    pub fn unspecified(self) -> SocketAddr {
        match self {
            Family::V4 => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            Family::V6 => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
        }
    }

    pub(super) fn is_of(self, address: SocketAddr) -> bool {
        (self == Family::V4) == address.is_ipv4()
    }
}

/// What is below a socket.
#[derive(Debug)]
pub(super) enum Link {
    /// Nothing: never connected, or the connection is no more.
    Closed,
    /// A listener.
    Listening(Queue),
    /// A connection whose handshake is under way.
    Opening(ConnId),
    /// A connection.
    Open(ConnId),
}

/// How far `connect` has got, in the words of Linux's `socket_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Unconnected,
    /// Begun; a further `connect` tells the outcome.
    Connecting,
    Connected,
}

/// Connections that wait for `accept`.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub waiting: VecDeque<u32>,
    /// One more than this may wait, as on Linux.
    pub backlog: usize,
    /// The stack was told to let handshakes wait.
    pub held: bool,
}

impl Queue {
    pub fn is_full(&self) -> bool {
        self.waiting.len() > self.backlog
    }
}

/// One socket.
#[derive(Debug)]
pub(super) struct Socket {
    pub family: Family,
    pub link: Link,
    pub stage: Stage,
    /// Our address, once bound or connected.
    pub local: Option<SocketAddr>,
    /// Whether `local` was bound: it is then kept when a connection fails.
    pub bound: bool,
    pub peer: Option<SocketAddr>,
    /// SO_ERROR.
    pub error: Option<Errno>,
    /// The peer's FIN has arrived.
    pub fin: bool,
    pub shut_read: bool,
    pub shut_write: bool,
    /// The send ring was full; `writable` will follow.
    pub blocked: bool,
    /// More was announced with the last write (MSG_MORE).
    pub more: bool,
    /// What was unread when the connection ended, and how much of it has been read since.
    pub rest: Vec<u8>,
    pub rest_read: usize,
    pub options: Options,
    /// First of the epoll items that watch it.
    pub items: u32,
}

impl Socket {
    pub fn new(family: Family) -> Socket {
        Socket {
            family,
            link: Link::Closed,
            stage: Stage::Unconnected,
            local: None,
            bound: false,
            peer: None,
            error: None,
            fin: false,
            shut_read: false,
            shut_write: false,
            blocked: false,
            more: false,
            rest: Vec::new(),
            rest_read: 0,
            options: Options::default(),
            items: NIL,
        }
    }

    /// Forgets a connection that is over or never came to be, so that another can be tried.
    pub fn disconnect(&mut self) {
        self.link = Link::Closed;
        self.stage = Stage::Unconnected;
        if !self.bound {
            self.local = None;
        }
        self.peer = None;
        self.error = None;
        (self.fin, self.shut_read, self.shut_write) = (false, false, false);
        (self.blocked, self.more) = (false, false);
        self.rest = Vec::new();
        self.rest_read = 0;
    }

    /// The connection is no more.
    pub fn over(&mut self, error: Option<Errno>) {
        self.link = Link::Closed;
        self.error = self.error.or(error);
        self.shut_read = true;
        self.shut_write = true;
    }

    /// Its connection, while there is one.
    #[inline]
    pub fn conn(&self) -> Option<ConnId> {
        match self.link {
            Link::Opening(id) | Link::Open(id) => Some(id),
            Link::Closed | Link::Listening(_) => None,
        }
    }

    /// What can be read now, in up to two pieces.
    pub fn unread<'a>(&'a self, net: &'a impl Net) -> (&'a [u8], &'a [u8]) {
        match self.link {
            Link::Open(id) => net.unread(id),
            _ => (&self.rest[self.rest_read..], &[]),
        }
    }

    /// What it is ready for (Linux: tcp_poll).
    pub fn ready(&self, net: &impl Net) -> Ready {
        let err = Ready::ERR.when(self.error.is_some());
        let id = match &self.link {
            Link::Listening(queue) => return Ready::READ.when(!queue.waiting.is_empty()) | err,
            Link::Opening(_) => return err,
            Link::Open(id) => Some(*id),
            Link::Closed => None,
        };
        let ended = self.fin || self.shut_read;
        let readable = ended || !self.unread(net).0.is_empty();
        let writable = match id {
            Some(id) if !self.shut_write => !self.blocked && net.room(id) > 0,
            _ => true,
        };
        let urgent = id.is_some_and(|id| net.urgent(id) > 0);
        let hup = id.is_none() || (ended && self.shut_write);
        Ready::READ.when(readable)
            | Ready::WRITE.when(writable)
            | Ready::PRI.when(urgent)
            | Ready::RDHUP.when(ended)
            | Ready::HUP.when(hup)
            | err
    }
}
