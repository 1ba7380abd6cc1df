//! Options of a socket.

use std::time::Duration;

use super::socket::Link;
use super::{Errno, Fd, Sockets};
use crate::net::Net;

/// An option and its value. The comment names what Linux calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketOption {
    /// SO_REUSEADDR: a port may be bound although another socket has it that allows that too and does not listen.
    ReuseAddress(bool),
    /// IPV6_V6ONLY
    V6Only(bool),
    /// SO_LINGER: `Some(ZERO)` makes close a reset. Another time is remembered, but a close never waits here.
    Linger(Option<Duration>),
}

/// The options of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// SO_REUSEADDR
    pub reuse_address: bool,
    /// IPV6_V6ONLY
    pub v6_only: bool,
    /// SO_LINGER
    pub linger: Option<Duration>,
}

impl Sockets {
    /// Sets an option. An accepted socket begins with its listener's.
    ///
    /// # Errors
    /// [`Errno::EBADF`], [`Errno::ENOTSOCK`]; [`Errno::EINVAL`] if the option cannot be changed any more.
    pub fn set_option(&mut self, net: &mut impl Net, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let _ = net;
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
        }
        Ok(())
    }

    /// The options as they are.
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn options(&self, fd: Fd) -> Result<&Options, Errno> {
        Ok(&self.socket_ref(fd)?.options)
    }
}
