//! What a service may ask of the stack below it. The own stack and the kernel's sockets both implement it.

use std::net::{IpAddr, SocketAddr};

use crate::option::ConnOption;
use crate::ring::SendRing;
use crate::service::{ConnId, ConnInfo};
use crate::tcp_info::TcpInfo;
use crate::time::Instant;

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Only this local address; `None` = any address of the stack.
    pub address: Option<IpAddr>,
    /// The TCP port; never 0.
    pub port: u16,
    /// How many connections may wait half-open at once.
    pub backlog: u32,
    /// Handed back in [`ConnInfo::token`] of every connection accepted here.
    pub token: u64,
}

impl Listen {
    /// Any address, `port`, a backlog of 1024.
    pub const fn on(port: u16) -> Listen {
        Listen { address: None, port, backlog: 1024, token: 0 }
    }
}

/// How to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectOptions {
    /// Our address and port; `None` or port 0 = chosen so that the answers come to this core.
    pub local: Option<SocketAddr>,
    /// Handed back in [`ConnInfo::token`].
    pub token: u64,
}

/// Why listening failed.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The port is listened on already.
    #[error("port {0} is already in use")]
    InUse(u16),
    /// Port 0, or an address that is not ours.
    #[error("cannot listen on {0}: not an address of this stack")]
    BadAddress(SocketAddr),
    /// The table of listeners is full.
    #[error("too many listeners")]
    TooMany,
    /// The kernel refused.
    #[error("cannot listen on port {port}: {source}")]
    Io {
        /// The port asked for.
        port: u16,
        /// The kernel's reason.
        source: std::io::Error,
    },
}

/// Why an operation on a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NetError {
    /// The id is stale or never was: there is no such connection.
    #[error("no such connection")]
    NoConn,
    /// Our side of the connection is closed already.
    #[error("the connection is closed for sending")]
    Closing,
    /// Not enough room in the send ring; `writable` will follow.
    #[error("the send ring is full")]
    Full,
    /// No free source port, slot or memory.
    #[error("out of resources")]
    NoResources,
    /// The address has no meaning here (no route, port 0, wrong family).
    #[error("bad address")]
    BadAddress,
    /// The stack below has nothing of the kind.
    #[error("not supported by this stack")]
    Unsupported,
}

/// The connections of one core, to the service that answers them.
pub trait Net {
    /// The time of this turn, read once.
    fn now(&self) -> Instant;

    /// A random number from the core's own generator (seeded from entropy, or by a test).
    fn random(&mut self) -> u64;

    /// Accepts connections from now on.
    ///
    /// # Errors
    /// See [`ListenError`].
    fn listen(&mut self, at: Listen) -> Result<(), ListenError>;

    /// Opens a connection; [`crate::Service::connected`] tells the outcome, always later than this call returns. What is
    /// written meanwhile is sent once established.
    ///
    /// # Errors
    /// [`NetError::NoResources`] or [`NetError::BadAddress`].
    fn connect(&mut self, to: SocketAddr, options: ConnectOptions) -> Result<ConnId, NetError>;

    /// Writes as much of `data` as fits; returns how much that was.
    ///
    /// # Errors
    /// [`NetError::NoConn`] or [`NetError::Closing`].
    fn send(&mut self, id: ConnId, data: &[u8]) -> Result<usize, NetError> {
        Ok(self.sender(id)?.write(data))
    }

    /// Writes exactly `len` contiguous bytes, filled in by `fill`, or nothing.
    ///
    /// # Errors
    /// [`NetError::NoConn`], [`NetError::Closing`] or [`NetError::Full`].
    fn send_with(&mut self, id: ConnId, len: usize, fill: impl FnOnce(&mut [u8])) -> Result<(), NetError> {
        if self.sender(id)?.write_with(len, fill) { Ok(()) } else { Err(NetError::Full) }
    }

    /// As [`Net::send`]; and everything that was written up to its end is urgent (RFC 9293 3.8.5, 3.9.1.2). RFC 6093 and RFC
    /// 9293 (SHLD-13) advise new programs against it.
    ///
    /// # Errors
    /// As [`Net::send`]; [`NetError::Unsupported`] where the stack below cannot say urgent.
    fn send_urgent(&mut self, id: ConnId, data: &[u8]) -> Result<usize, NetError> {
        let _ = (id, data);
        Err(NetError::Unsupported)
    }

    /// Bytes from the first that was not taken to the end of the peer's urgent data; 0 if there is none (RFC 9293 3.8.5,
    /// MUST-33). While `data` runs, what it was given does not count.
    fn urgent(&self, id: ConnId) -> usize {
        let _ = id;
        0
    }

    /// The connection's send ring itself, for a caller that writes several messages or is not generic over `Net`.
    /// What is written is sent at the end of the burst.
    ///
    /// # Errors
    /// [`NetError::NoConn`] or [`NetError::Closing`].
    fn sender(&mut self, id: ConnId) -> Result<&mut SendRing, NetError>;

    /// Free bytes in the send ring; 0 for a connection that is closed or gone.
    fn room(&self, id: ConnId) -> usize;

    /// No more will be sent: a FIN follows what is in the ring. Receiving goes on.
    fn shutdown(&mut self, id: ConnId);

    /// The service is done with the connection: what is in the ring and a FIN are sent, what still arrives is
    /// refused (RFC 9293 3.6.1: a reset when data was lost). `closed` follows.
    fn close(&mut self, id: ConnId);

    /// Ends the connection at once with a reset. `closed` follows with [`crate::CloseReason::Aborted`].
    fn abort(&mut self, id: ConnId);

    /// Offers what `data` left untaken again, later in this turn.
    fn resume(&mut self, id: ConnId);

    /// What `data` left untaken, oldest first, in up to two pieces; also within [`crate::Service::closed`], where it can
    /// be had for the last time.
    fn unread(&self, id: ConnId) -> (&[u8], &[u8]);

    /// Takes the first `n` bytes of [`Net::unread`] (fewer if there are fewer), as [`crate::Rx::advance`] does within
    /// `data`: the receive window opens, and `eof` follows once nothing is left before the peer's FIN.
    fn take(&mut self, id: ConnId, n: usize);

    /// Listens on `port` no more. Handshakes under way there end; connections that the service has live on.
    fn unlisten(&mut self, port: u16);

    /// Whether handshakes on `port` may begin and end now. While they may not, their segments are ignored, as if lost, and
    /// the peer tries again: what a full queue of connections to be accepted needs.
    fn set_accepting(&mut self, port: u16, accepting: bool);

    /// Sets the connection's one timer: [`crate::Service::timer`] is called at `at` or soon after; `None` stops it.
    fn arm(&mut self, id: ConnId, at: Option<Instant>);

    /// Changes an option of a connection, also of one that is being opened.
    ///
    /// # Errors
    /// [`NetError::NoConn`]; [`NetError::Unsupported`] where the stack below has no such option.
    fn set_option(&mut self, id: ConnId, option: ConnOption) -> Result<(), NetError> {
        let _ = (id, option);
        Err(NetError::Unsupported)
    }

    /// Gives an option to every connection that is accepted on `port` from now on, from its SYN on.
    ///
    /// # Errors
    /// [`NetError::NoConn`] if nobody listens there; [`NetError::Unsupported`] where the stack below has no such option.
    fn set_listen_option(&mut self, port: u16, option: ConnOption) -> Result<(), NetError> {
        let _ = (port, option);
        Err(NetError::Unsupported)
    }

    /// What is known of a connection; `None` when there is none, or the stack below does not tell.
    fn tcp_info(&self, id: ConnId) -> Option<TcpInfo> {
        let _ = id;
        None
    }

    /// Who the connection is with; `None` when there is none.
    fn info(&self, id: ConnId) -> Option<ConnInfo>;
}
