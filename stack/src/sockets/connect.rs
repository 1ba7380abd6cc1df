//! Connecting, without blocking.

use std::net::SocketAddr;

use super::socket::{Link, Stage};
use super::{Errno, Fd, Sockets};
use crate::net::{ConnectOptions, Net, NetError};

impl Sockets {
    /// Begins to connect, or tells what came of it: the first call gives [`Errno::EINPROGRESS`], calls until the handshake's
    /// end [`Errno::EALREADY`], the next one `Ok` or the reason of the failure, and further ones [`Errno::EISCONN`]. The end
    /// makes the socket ready for [`super::Ready::OUT`].
    ///
    /// # Errors
    /// Those, and [`Errno::EADDRINUSE`], [`Errno::EADDRNOTAVAIL`], [`Errno::ENETUNREACH`], [`Errno::EAFNOSUPPORT`],
    /// [`Errno::EBADF`], [`Errno::ENOTSOCK`].
    pub fn connect(&mut self, net: &mut impl Net, fd: Fd, to: SocketAddr) -> Result<(), Errno> {
        let slot = self.slot(fd)?;
        let Some(socket) = self.sockets.get_mut(slot) else { return Err(Errno::EBADF) };
        if !socket.family.is_of(to) {
            return Err(Errno::EAFNOSUPPORT);
        }
        match (socket.stage, &socket.link) {
            (Stage::Connected, _) | (Stage::Unconnected, Link::Listening(_)) => Err(Errno::EISCONN),
            (Stage::Connecting, Link::Opening(_)) => Err(Errno::EALREADY),
            (Stage::Connecting, Link::Open(_)) => {
                socket.stage = Stage::Connected;
                Ok(())
            }
            (Stage::Connecting, _) => {
                let error = socket.error.take().unwrap_or(Errno::ECONNABORTED);
                socket.disconnect();
                Err(error)
            }
            (Stage::Unconnected, _) => self.open(net, slot, to),
        }
    }

    fn open(&mut self, net: &mut impl Net, slot: u32, to: SocketAddr) -> Result<(), Errno> {
        let Some(socket) = self.sockets.get_mut(slot) else { return Err(Errno::EBADF) };
        let options = ConnectOptions { local: socket.local.filter(|_| socket.bound), token: u64::from(slot) };
        let id = net.connect(to, options).map_err(|error| match error {
            NetError::BadAddress if socket.bound => Errno::EADDRNOTAVAIL,
            NetError::BadAddress => Errno::ENETUNREACH,
            _ if socket.bound => Errno::EADDRINUSE,
            _ => Errno::EADDRNOTAVAIL,
        })?;
        socket.options.apply_to_conn(net, id);
        socket.link = Link::Opening(id);
        socket.stage = Stage::Connecting;
        socket.peer = Some(to);
        socket.local = net.info(id).map(|info| info.local).or(socket.local);
        if self.opening.len() <= id.index() {
            self.opening.resize(id.index() + 1, super::slab::NIL);
        }
        self.opening[id.index()] = slot;
        Err(Errno::EINPROGRESS)
    }
}
