//! Opening, closing, names, errors, and waiting.

use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use super::epoll::{Event, Interest};
use super::files::File;
use super::socket::{Family, Link, Socket, Stage};
use super::{Errno, Fd, Ready, Sockets};
use crate::net::Net;

/// Which direction to shut down.
pub type How = Shutdown;

impl Sockets {
    /// Opens a TCP socket.
    ///
    /// # Errors
    /// [`Errno::EMFILE`].
    pub fn socket(&mut self, family: Family) -> Result<Fd, Errno> {
        if !self.files.has_room() {
            return Err(Errno::EMFILE);
        }
        let slot = self.sockets.insert(Socket::new(family));
        self.files.open(File::Socket(slot))
    }

    /// Closes a socket or an epoll set. What was written is still sent; what was not read makes the close a reset (RFC 9293
    /// 3.6.1, RFC 2525 2.17), as does SO_LINGER with a time of zero. With another time, see [`Sockets::close_lingering`].
    ///
    /// # Errors
    /// [`Errno::EBADF`].
    pub fn close(&mut self, net: &mut impl Net, fd: Fd) -> Result<(), Errno> {
        match self.files.close(fd)? {
            File::Socket(slot) => self.release(net, slot),
            File::Epoll(set) => {
                let sockets = &mut self.sockets;
                self.sets.destroy(set, |slot, f| {
                    if let Some(socket) = sockets.get_mut(slot) {
                        f(&mut socket.items);
                    }
                });
            }
        }
        Ok(())
    }

    pub(super) fn release(&mut self, net: &mut impl Net, slot: u32) {
        self.unbind(slot);
        let Some(mut socket) = self.sockets.remove(slot) else { return };
        self.sets.forget(&mut socket.items);
        match socket.link {
            Link::Closed => {}
            Link::Listening(queue) => {
                if let Some(local) = socket.local {
                    net.unlisten(local.port());
                }
                self.reset_waiting(net, queue);
            }
            Link::Opening(id) => net.abort(id),
            Link::Open(id) if socket.options.linger == Some(Duration::ZERO) => net.abort(id),
            Link::Open(id) => net.close(id),
        }
    }

    /// Shuts down a direction: after `Write` a FIN follows what was written; after `Read` a read gives the end once what has
    /// arrived is read. A listener stops listening with `Read`.
    ///
    /// # Errors
    /// [`Errno::ENOTCONN`] without a connection, or [`Errno::EBADF`], [`Errno::ENOTSOCK`].
    pub fn shutdown(&mut self, net: &mut impl Net, fd: Fd, how: How) -> Result<(), Errno> {
        let slot = self.slot(fd)?;
        let Some(socket) = self.sockets.get(slot) else { return Err(Errno::EBADF) };
        let (read, write) = (how != How::Write, how != How::Read);
        match socket.link {
            Link::Closed => return Err(Errno::ENOTCONN),
            Link::Listening(_) if read => self.stop_listening(net, slot),
            Link::Listening(_) => {}
            // Linux: inet_shutdown disconnects
            Link::Opening(id) => self.change(net, slot, |socket, net| {
                net.abort(id);
                socket.disconnect();
            }),
            Link::Open(id) => self.change(net, slot, |socket, net| {
                socket.shut_read |= read;
                if write && !std::mem::replace(&mut socket.shut_write, true) {
                    net.shutdown(id);
                }
            }),
        }
        Ok(())
    }

    /// Our address: any, while the socket is neither bound nor connected.
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn local_address(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let socket = self.socket_ref(fd)?;
        Ok(socket.local.unwrap_or(socket.family.unspecified()))
    }

    /// The peer's address.
    ///
    /// # Errors
    /// [`Errno::ENOTCONN`], [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn peer_address(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let socket = self.socket_ref(fd)?;
        match socket.link {
            Link::Open(_) => socket.peer.ok_or(Errno::ENOTCONN),
            _ => Err(Errno::ENOTCONN),
        }
    }

    /// SO_ERROR: the error that waits, which is thereby fetched.
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn take_error(&mut self, fd: Fd) -> Result<Option<Errno>, Errno> {
        Ok(self.socket_mut(fd)?.error.take())
    }

    /// Whether the socket listens (SO_ACCEPTCONN).
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn is_listening(&self, fd: Fd) -> Result<bool, Errno> {
        Ok(matches!(self.socket_ref(fd)?.link, Link::Listening(_)))
    }

    /// Whether a handshake begun by `connect` is still under way.
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn is_connecting(&self, fd: Fd) -> Result<bool, Errno> {
        Ok(matches!(self.socket_ref(fd)?.link, Link::Opening(_)))
    }

    /// Whether a connection, established once, is still there in any state.
    ///
    /// # Errors
    /// [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn is_connected(&self, fd: Fd) -> Result<bool, Errno> {
        let socket = self.socket_ref(fd)?;
        Ok(matches!(socket.link, Link::Open(_)) && socket.stage != Stage::Unconnected)
    }

    /// The connection below a socket, for what only the stack can tell.
    ///
    /// # Errors
    /// [`Errno::ENOTCONN`], [`Errno::EBADF`] or [`Errno::ENOTSOCK`].
    pub fn conn(&self, fd: Fd) -> Result<crate::ConnId, Errno> {
        self.socket_ref(fd)?.conn().ok_or(Errno::ENOTCONN)
    }

    /// What a descriptor is ready for, now: `poll` for one of them. [`Ready::NVAL`] if it is not open.
    pub fn ready(&self, net: &impl Net, fd: Fd) -> Ready {
        match self.files.get(fd) {
            Ok(File::Socket(slot)) => self.ready_slot(net, slot),
            Ok(File::Epoll(set)) => Ready::READ.when(self.sets.peek(set, |slot| self.ready_slot(net, slot))),
            Err(_) => Ready::NVAL,
        }
    }

    fn ready_slot(&self, net: &impl Net, slot: u32) -> Ready {
        self.sockets.get(slot).map_or(Ready::NONE, |socket| socket.ready(net))
    }

    /// Opens an epoll set.
    ///
    /// # Errors
    /// [`Errno::EMFILE`].
    pub fn epoll_create(&mut self) -> Result<Fd, Errno> {
        if !self.files.has_room() {
            return Err(Errno::EMFILE);
        }
        let set = self.sets.create();
        self.files.open(File::Epoll(set))
    }

    fn set(&self, fd: Fd) -> Result<u32, Errno> {
        match self.files.get(fd)? {
            File::Epoll(set) => Ok(set),
            File::Socket(_) => Err(Errno::EINVAL),
        }
    }

    /// The socket to be watched. Epoll sets within epoll sets are not known here.
    fn watched(&self, fd: Fd) -> Result<u32, Errno> {
        match self.files.get(fd)? {
            File::Socket(slot) => Ok(slot),
            File::Epoll(_) => Err(Errno::EINVAL),
        }
    }

    /// Begins to watch a socket; `data` comes back with its reports. What it is ready for already is reported first.
    ///
    /// # Errors
    /// [`Errno::EEXIST`], [`Errno::EBADF`], or [`Errno::EINVAL`] if `epoll` is not an epoll set or `fd` is not a socket.
    pub fn epoll_add(
        &mut self,
        net: &impl Net,
        epoll: Fd,
        fd: Fd,
        interest: Interest,
        data: u64,
    ) -> Result<(), Errno> {
        let (slot, set) = (self.watched(fd)?, self.set(epoll)?);
        let ready = self.ready_slot(net, slot);
        let Some(socket) = self.sockets.get_mut(slot) else { return Err(Errno::EBADF) };
        self.sets.add((set, slot, fd), &mut socket.items, (interest, data), ready)?;
        self.news = true;
        Ok(())
    }

    /// Watches a socket for something else, or again after a report of an item that reports once.
    ///
    /// # Errors
    /// [`Errno::ENOENT`] if it is not watched, [`Errno::EBADF`], or [`Errno::EINVAL`] as in [`Sockets::epoll_add`].
    pub fn epoll_modify(
        &mut self,
        net: &impl Net,
        epoll: Fd,
        fd: Fd,
        interest: Interest,
        data: u64,
    ) -> Result<(), Errno> {
        let (item, slot) = self.item(epoll, fd)?;
        let ready = self.ready_slot(net, slot);
        self.sets.modify(item, interest, data, ready);
        self.news = true;
        Ok(())
    }

    /// Watches a socket no more. Closing it does the same.
    ///
    /// # Errors
    /// As [`Sockets::epoll_modify`].
    pub fn epoll_remove(&mut self, epoll: Fd, fd: Fd) -> Result<(), Errno> {
        let (item, slot) = self.item(epoll, fd)?;
        if let Some(socket) = self.sockets.get_mut(slot) {
            self.sets.remove(item, &mut socket.items);
        }
        Ok(())
    }

    fn item(&self, epoll: Fd, fd: Fd) -> Result<(u32, u32), Errno> {
        let (slot, set) = (self.watched(fd)?, self.set(epoll)?);
        let Some(socket) = self.sockets.get(slot) else { return Err(Errno::EBADF) };
        Ok((self.sets.find(socket.items, set, fd).ok_or(Errno::ENOENT)?, slot))
    }

    /// Takes reports, without waiting; returns how many.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] if `out` is empty or `epoll` is not an epoll set; [`Errno::EBADF`].
    pub fn epoll_wait(&mut self, net: &impl Net, epoll: Fd, out: &mut [Event]) -> Result<usize, Errno> {
        let set = self.set(epoll)?;
        if out.is_empty() {
            return Err(Errno::EINVAL);
        }
        let sockets = &self.sockets;
        Ok(self.sets.wait(set, out, |slot| sockets.get(slot).map_or(Ready::NONE, |s| s.ready(net))))
    }
}
