//! Binding, listening, accepting.

use std::net::SocketAddr;

use super::files::File;
use super::socket::{Link, Queue, Socket, Stage};
use super::{Errno, Fd, Sockets};
use crate::net::{Listen, ListenError, Net};

/// Ports for sockets that are bound to none in particular (Linux: ip_local_port_range).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

impl Sockets {
    /// Gives the socket our address and port; port 0 = one that is free.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] if it has one already, [`Errno::EADDRINUSE`], [`Errno::EAFNOSUPPORT`], [`Errno::EBADF`],
    /// [`Errno::ENOTSOCK`]. An address that is not ours is found out by `listen` and `connect`.
    pub fn bind(&mut self, net: &mut impl Net, fd: Fd, address: SocketAddr) -> Result<(), Errno> {
        let slot = self.slot(fd)?;
        let Some(socket) = self.sockets.get(slot) else { return Err(Errno::EBADF) };
        if !socket.family.is_of(address) {
            return Err(Errno::EAFNOSUPPORT);
        }
        if socket.bound || !matches!(socket.link, Link::Closed) {
            return Err(Errno::EINVAL);
        }
        let address = match address.port() {
            0 => SocketAddr::new(address.ip(), self.free_port(net)?),
            _ if self.is_taken(slot, address) => return Err(Errno::EADDRINUSE),
            _ => address,
        };
        self.bound.entry(address.port()).or_default().push(slot);
        if let Some(socket) = self.sockets.get_mut(slot) {
            socket.local = Some(address);
            socket.bound = true;
        }
        Ok(())
    }

    fn free_port(&self, net: &mut impl Net) -> Result<u16, Errno> {
        let count = EPHEMERAL.end() - EPHEMERAL.start() + 1;
        let first = (net.random() % u64::from(count)) as u16;
        (0..count)
            .map(|n| EPHEMERAL.start() + ((u32::from(first) + u32::from(n)) % u32::from(count)) as u16)
            .find(|port| !self.bound.contains_key(port))
            .ok_or(Errno::EADDRINUSE)
    }

    /// Whether another socket has the port, in a way that leaves no room for a second (Linux: inet_csk_bind_conflict).
    fn is_taken(&self, slot: u32, address: SocketAddr) -> bool {
        let reuse = self.sockets.get(slot).is_some_and(|socket| socket.options.reuse_address);
        let others = self.bound.get(&address.port()).into_iter().flatten();
        others.filter_map(|&other| self.sockets.get(other)).any(|other| {
            let overlap = other.local.is_some_and(|local| {
                local.ip() == address.ip() || local.ip().is_unspecified() || address.ip().is_unspecified()
            });
            let shared = reuse && other.options.reuse_address && !matches!(other.link, Link::Listening(_));
            overlap && !shared
        })
    }

    pub(super) fn unbind(&mut self, slot: u32) {
        let Some(socket) = self.sockets.get_mut(slot).filter(|socket| socket.bound) else { return };
        socket.bound = false;
        let port = socket.local.map_or(0, |local| local.port());
        if let Some(slots) = self.bound.get_mut(&port) {
            slots.retain(|&other| other != slot);
            if slots.is_empty() {
                self.bound.remove(&port);
            }
        }
    }

    /// Listens; called again, changes the backlog. One connection more than `backlog` may wait for `accept`, as on Linux:
    /// further handshakes are then left unfinished, and the peers try again.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] if the socket is connected, [`Errno::EADDRINUSE`], [`Errno::EADDRNOTAVAIL`], [`Errno::ENOBUFS`],
    /// [`Errno::EBADF`], [`Errno::ENOTSOCK`].
    pub fn listen(&mut self, net: &mut impl Net, fd: Fd, backlog: usize) -> Result<(), Errno> {
        let slot = self.slot(fd)?;
        let backlog = backlog.min(self.limits.max_backlog);
        let Some(socket) = self.sockets.get_mut(slot) else { return Err(Errno::EBADF) };
        match &mut socket.link {
            Link::Listening(queue) => {
                queue.backlog = backlog;
                self.admit(net, slot);
                return Ok(());
            }
            Link::Closed if socket.stage == Stage::Unconnected => {}
            _ => return Err(Errno::EINVAL),
        }
        if !socket.bound {
            let any = socket.family.unspecified();
            self.bind(net, fd, any)?;
        }
        self.begin_listening(net, slot, backlog)
    }

    fn begin_listening(&mut self, net: &mut impl Net, slot: u32, backlog: usize) -> Result<(), Errno> {
        let token = self.sockets.token(slot);
        let Some(socket) = self.sockets.get_mut(slot) else { return Err(Errno::EBADF) };
        let Some(local) = socket.local else { return Err(Errno::EINVAL) };
        let at = Listen {
            address: Some(local.ip()).filter(|ip| !ip.is_unspecified()),
            port: local.port(),
            backlog: backlog.max(1) as u32,
            token,
        };
        net.listen(at).map_err(|error| match error {
            ListenError::InUse(_) => Errno::EADDRINUSE,
            ListenError::BadAddress(_) => Errno::EADDRNOTAVAIL,
            ListenError::TooMany => Errno::ENOBUFS,
            ListenError::Io { source, .. } => {
                source.raw_os_error().and_then(Errno::from_number).unwrap_or(Errno::EINVAL)
            }
        })?;
        socket.options.apply_to_listener(net, local.port());
        socket.link = Link::Listening(Queue { backlog, ..Queue::default() });
        Ok(())
    }

    /// Takes the first connection that waits, which is established, and its peer's address.
    ///
    /// # Errors
    /// [`Errno::EAGAIN`] if none waits, [`Errno::EINVAL`] if the socket does not listen, [`Errno::EMFILE`],
    /// [`Errno::EBADF`], [`Errno::ENOTSOCK`].
    pub fn accept(&mut self, net: &mut impl Net, fd: Fd) -> Result<(Fd, SocketAddr), Errno> {
        let listener = self.slot(fd)?;
        let has_room = self.files.has_room();
        let Some(socket) = self.sockets.get_mut(listener) else { return Err(Errno::EBADF) };
        let Link::Listening(queue) = &mut socket.link else { return Err(Errno::EINVAL) };
        if queue.waiting.is_empty() {
            return Err(Errno::EAGAIN);
        }
        if !has_room {
            return Err(Errno::EMFILE);
        }
        let Some(slot) = queue.waiting.pop_front() else { return Err(Errno::EAGAIN) };
        self.admit(net, listener);
        let peer = self.sockets.get(slot).and_then(|socket| socket.peer);
        let family = self.sockets.get(slot).map_or(super::Family::V4, |socket| socket.family);
        Ok((self.files.open(File::Socket(slot))?, peer.unwrap_or(family.unspecified())))
    }

    /// Tells the stack whether handshakes may end at a listener.
    pub(super) fn admit(&mut self, net: &mut impl Net, slot: u32) {
        let Some(socket) = self.sockets.get_mut(slot) else { return };
        let Link::Listening(queue) = &mut socket.link else { return };
        let full = queue.is_full();
        if full != queue.held
            && let Some(local) = socket.local
        {
            queue.held = full;
            net.set_accepting(local.port(), !full);
        }
    }

    /// A connection for the queue of listener `slot`; `None` if there is no room.
    pub(super) fn enqueue(&mut self, net: &mut impl Net, slot: u32, socket: Socket) -> Option<u32> {
        match self.sockets.get(slot).map(|listener| &listener.link) {
            Some(Link::Listening(queue)) if !queue.is_full() => {}
            _ => return None,
        }
        let child = self.sockets.insert(socket);
        if let Some(Socket { link: Link::Listening(queue), .. }) = self.sockets.get_mut(slot) {
            queue.waiting.push_back(child);
        }
        self.admit(net, slot);
        Some(child)
    }

    pub(super) fn stop_listening(&mut self, net: &mut impl Net, slot: u32) {
        let mut queue = Queue::default();
        // Whoever waits for connections learns that none will come: HUP.
        self.change(net, slot, |socket, net| {
            if let Link::Listening(waiting) = std::mem::replace(&mut socket.link, Link::Closed) {
                queue = waiting;
                if let Some(local) = socket.local {
                    net.unlisten(local.port());
                }
            }
        });
        self.reset_waiting(net, queue);
    }

    /// Nobody will accept these any more.
    pub(super) fn reset_waiting(&mut self, net: &mut impl Net, queue: Queue) {
        for slot in queue.waiting {
            if let Some(id) = self.sockets.remove(slot).and_then(|socket| socket.conn()) {
                net.abort(id);
            }
        }
    }
}
