//! Reading and writing.

use super::socket::{Link, Socket, Stage};
use super::{Errno, Fd, Sockets};
use crate::net::{Net, NetError};
use crate::option::ConnOption;
use crate::service::ConnId;
use crate::tcp_info::{TcpInfo, TcpState};

/// How to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recv {
    /// Leave what is read where it is (MSG_PEEK).
    pub peek: bool,
    /// Throw it away instead of copying it (MSG_TRUNC, as tcp(7) has it).
    pub discard: bool,
}

impl Sockets {
    /// Reads what has arrived; 0 is the end. What is not read stays with the stack and closes the window.
    ///
    /// # Errors
    /// [`Errno::EAGAIN`] if there is nothing yet, the error that waits ([`Errno::ECONNRESET`], ...), [`Errno::ENOTCONN`],
    /// [`Errno::EBADF`], [`Errno::ENOTSOCK`].
    pub fn read(&mut self, net: &mut impl Net, fd: Fd, out: &mut [u8]) -> Result<usize, Errno> {
        self.recv(net, fd, out, Recv::default())
    }

    /// Reads in another way.
    ///
    /// # Errors
    /// As [`Sockets::read`].
    pub fn recv(&mut self, net: &mut impl Net, fd: Fd, out: &mut [u8], how: Recv) -> Result<usize, Errno> {
        let socket = self.socket_mut(fd)?;
        if matches!(socket.link, Link::Listening(_)) {
            return Err(Errno::ENOTCONN);
        }
        let (first, second) = socket.unread(net);
        if first.is_empty() {
            return socket.nothing_to_read();
        }
        let n = out.len().min(first.len() + second.len());
        if !how.discard {
            let a = n.min(first.len());
            out[..a].copy_from_slice(&first[..a]);
            out[a..n].copy_from_slice(&second[..n - a]);
        }
        if !how.peek {
            socket.take(net, n);
        }
        Ok(n)
    }

    /// Bytes that can be read now (FIONREAD, SIOCINQ).
    ///
    /// # Errors
    /// [`Errno::EINVAL`] on a listener, [`Errno::EBADF`], [`Errno::ENOTSOCK`].
    pub fn readable(&self, net: &impl Net, fd: Fd) -> Result<usize, Errno> {
        let socket = self.socket_ref(fd)?;
        if matches!(socket.link, Link::Listening(_)) {
            return Err(Errno::EINVAL);
        }
        let (first, second) = socket.unread(net);
        Ok(first.len() + second.len())
    }

    /// What is known of the connection (TCP_INFO); of a listener and without a connection, that alone.
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn tcp_info(&self, net: &impl Net, fd: Fd) -> Result<TcpInfo, Errno> {
        let socket = self.socket_ref(fd)?;
        let state = match socket.link {
            Link::Listening(_) => TcpState::Listen,
            _ => TcpState::Closed,
        };
        let info = socket.conn().and_then(|id| net.tcp_info(id));
        Ok(info.unwrap_or(TcpInfo { state, ..TcpInfo::default() }))
    }

    /// Writes as much of `data` as there is room for; returns how much.
    ///
    /// # Errors
    /// [`Errno::EAGAIN`] if there is no room or the handshake is under way, [`Errno::EPIPE`] after `shutdown` or without a
    /// connection, the error that waits, [`Errno::EBADF`], [`Errno::ENOTSOCK`].
    pub fn write(&mut self, net: &mut impl Net, fd: Fd, data: &[u8]) -> Result<usize, Errno> {
        self.send(net, fd, data, false)
    }

    /// Writes, with `more` to follow (MSG_MORE): what does not fill a segment waits for it, as with TCP_CORK.
    ///
    /// # Errors
    /// As [`Sockets::write`].
    pub fn send(&mut self, net: &mut impl Net, fd: Fd, data: &[u8], more: bool) -> Result<usize, Errno> {
        let socket = self.socket_mut(fd)?;
        let id = socket.writable()?;
        if std::mem::replace(&mut socket.more, more) != more {
            let corked = socket.options.conn.contains(&ConnOption::Cork(true));
            let _ = net.set_option(id, ConnOption::Cork(more || corked));
        }
        let ring = net.sender(id).map_err(|_| Errno::EPIPE)?;
        let n = ring.write(data);
        if ring.room() == 0 {
            ring.want_room();
            socket.blocked = true;
        }
        if n == 0 && !data.is_empty() { Err(Errno::EAGAIN) } else { Ok(n) }
    }
}

impl Sockets {
    /// Writes urgent data (MSG_OOB): all that was written up to its end is urgent. Returns how much there was room for.
    ///
    /// # Errors
    /// As [`Sockets::write`]; [`Errno::EOPNOTSUPP`] if the stack below cannot say urgent.
    pub fn send_urgent(&mut self, net: &mut impl Net, fd: Fd, data: &[u8]) -> Result<usize, Errno> {
        let socket = self.socket_mut(fd)?;
        let id = socket.writable()?;
        let n = net.send_urgent(id, data).map_err(|error| match error {
            NetError::Unsupported => Errno::EOPNOTSUPP,
            _ => Errno::EPIPE,
        })?;
        if n < data.len() {
            net.sender(id).map_err(|_| Errno::EPIPE)?.want_room();
            socket.blocked = true;
        }
        if n == 0 && !data.is_empty() { Err(Errno::EAGAIN) } else { Ok(n) }
    }

    /// Whether the next byte to be read is the last urgent one (SIOCATMARK, sockatmark).
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn at_mark(&self, net: &impl Net, fd: Fd) -> Result<bool, Errno> {
        let socket = self.socket_ref(fd)?;
        Ok(socket.conn().is_some_and(|id| net.urgent(id) == 1))
    }
}

impl Socket {
    /// The connection, if it can be written.
    fn writable(&mut self) -> Result<ConnId, Errno> {
        match self.link {
            Link::Open(id) if !self.shut_write && self.error.is_none() => Ok(id),
            Link::Opening(_) => Err(self.error.take().unwrap_or(Errno::EAGAIN)),
            _ => Err(self.error.take().unwrap_or(Errno::EPIPE)),
        }
    }

    fn take(&mut self, net: &mut impl Net, n: usize) {
        if let Link::Open(id) = self.link {
            return net.take(id, n);
        }
        self.rest_read += n;
        if self.rest_read == self.rest.len() {
            self.rest = Vec::new();
            self.rest_read = 0;
        }
    }

    /// What a read says when there is nothing (Linux: tcp_recvmsg_locked).
    fn nothing_to_read(&mut self) -> Result<usize, Errno> {
        if self.fin {
            return Ok(0);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.shut_read {
            return Ok(0);
        }
        match self.link {
            Link::Closed if self.stage == Stage::Unconnected => Err(Errno::ENOTCONN),
            _ => Err(Errno::EAGAIN),
        }
    }
}
