//! Options of a socket.

use std::mem::discriminant;
use std::time::Duration;

use super::socket::Link;
use super::{Errno, Fd, Sockets};
use crate::net::{Net, NetError};
use crate::option::ConnOption;
use crate::service::ConnId;

/// An option and its value. The comment names what Linux calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketOption {
    /// SO_REUSEADDR: a port may be bound although another socket has it that allows that too and does not listen.
    ReuseAddress(bool),
    /// IPV6_V6ONLY
    V6Only(bool),
    /// SO_LINGER: `Some(ZERO)` makes close a reset. Another time is for callers that can wait: [`Sockets::close_lingering`].
    Linger(Option<Duration>),
    /// SO_OOBINLINE: urgent data is read in its place. It always is (RFC 6093 6), so `false` is refused.
    UrgentInline(bool),
    /// One of the connection's.
    Conn(ConnOption),
}

/// The options of one socket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// SO_REUSEADDR
    pub reuse_address: bool,
    /// IPV6_V6ONLY
    pub v6_only: bool,
    /// SO_LINGER
    pub linger: Option<Duration>,
    /// The connection's that were set, each once. An accepted socket has its listener's.
    pub conn: Vec<ConnOption>,
}

impl Options {
    fn remember(&mut self, option: ConnOption) {
        match self.conn.iter_mut().find(|set| discriminant(*set) == discriminant(&option)) {
            Some(set) => *set = option,
            None => self.conn.push(option),
        }
    }

    /// Gives a new connection what was set before there was one.
    pub(super) fn apply_to_conn(&self, net: &mut impl Net, id: ConnId) {
        for &option in &self.conn {
            // It was accepted when it was set.
            let _ = net.set_option(id, option);
        }
    }

    /// Gives a new listener what its connections are to have.
    pub(super) fn apply_to_listener(&self, net: &mut impl Net, port: u16) {
        for &option in &self.conn {
            let _ = net.set_listen_option(port, option);
        }
    }
}

impl Sockets {
    /// Sets an option. An accepted socket begins with its listener's.
    ///
    /// # Errors
    /// [`Errno::EBADF`], [`Errno::ENOTSOCK`]; [`Errno::EINVAL`] if the option cannot be changed, or not any more;
    /// [`Errno::ENOPROTOOPT`] if the stack below does not know it. Before there is a connection nobody can tell: what the
    /// stack does not know is then without effect.
    pub fn set_option(&mut self, net: &mut impl Net, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let socket = self.socket_mut(fd)?;
        match option {
            SocketOption::ReuseAddress(on) => socket.options.reuse_address = on,
            SocketOption::V6Only(on) => {
                if socket.bound || !matches!(socket.link, Link::Closed) {
                    return Err(Errno::EINVAL);
                }
                socket.options.v6_only = on;
            }
            SocketOption::Linger(time) => socket.options.linger = time,
            SocketOption::UrgentInline(on) => return if on { Ok(()) } else { Err(Errno::EINVAL) },
            SocketOption::Conn(option) => {
                let result = match (&socket.link, socket.local) {
                    (Link::Opening(id) | Link::Open(id), _) => net.set_option(*id, option),
                    (Link::Listening(_), Some(local)) => net.set_listen_option(local.port(), option),
                    _ => Ok(()),
                };
                if result == Err(NetError::Unsupported) {
                    return Err(Errno::ENOPROTOOPT);
                }
                socket.options.remember(option);
            }
        }
        Ok(())
    }

    /// The options as they were set.
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn options(&self, fd: Fd) -> Result<&Options, Errno> {
        Ok(&self.socket_ref(fd)?.options)
    }
}
