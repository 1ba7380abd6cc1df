//! The callbacks: each notes what has changed at a socket.

use super::socket::{Link, Socket, Stage};
use super::{Errno, Family, Ready, Sockets};
use crate::net::Net;
use crate::rx::Rx;
use crate::service::{CloseReason, ConnId, ConnInfo, ConnectError, Service};

impl Sockets {
    /// The socket at `slot`, if it is still the one of connection `id`.
    fn of(&mut self, slot: u32, id: ConnId) -> Option<&mut Socket> {
        self.sockets.get_mut(slot).filter(|socket| socket.conn() == Some(id))
    }

    fn peer_finished(&mut self, slot: u32, id: ConnId) {
        if let Some(socket) = self.of(slot, id)
            && !std::mem::replace(&mut socket.fin, true)
        {
            self.wake(slot, Ready::READ | Ready::RDHUP | Ready::HUP);
        }
    }
}

impl Service for Sockets {
    /// The socket's slot.
    type Conn = u32;

    fn start(&mut self, _: &mut impl Net) {}

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<u32> {
        let listener = self.sockets.index_of(info.token)?;
        let parent = self.sockets.get(listener)?;
        let socket = Socket {
            link: Link::Open(id),
            stage: Stage::Connected,
            local: Some(info.local),
            peer: Some(info.peer),
            options: parent.options.clone(),
            ..Socket::new(if info.local.is_ipv4() { Family::V4 } else { Family::V6 })
        };
        let slot = self.enqueue(net, listener, socket)?;
        self.wake(listener, Ready::READ);
        Some(slot)
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<u32> {
        let slot = self.opening.get(id.index()).copied()?;
        self.of(slot, id)?;
        self.change(net, slot, |socket, _| match result {
            Ok(info) => {
                socket.link = Link::Open(id);
                (socket.local, socket.peer) = (Some(info.local), Some(info.peer));
            }
            Err(error) => socket.over(Some(match error {
                ConnectError::Refused => Errno::ECONNREFUSED,
                ConnectError::TimedOut => Errno::ETIMEDOUT,
                ConnectError::Unreachable => Errno::EHOSTUNREACH,
                ConnectError::Aborted => Errno::ECONNABORTED,
            })),
        });
        Some(slot)
    }

    fn data(&mut self, _: &mut impl Net, id: ConnId, conn: &mut u32, rx: &mut Rx<'_>) {
        if rx.remaining() > 0 && self.of(*conn, id).is_some() {
            self.wake(*conn, Ready::READ);
        }
    }

    fn urgent(&mut self, _: &mut impl Net, id: ConnId, conn: &mut u32, _: u32) {
        if self.of(*conn, id).is_some() {
            self.wake(*conn, Ready::PRI);
        }
    }

    fn fin(&mut self, _: &mut impl Net, id: ConnId, conn: &mut u32) {
        self.peer_finished(*conn, id);
    }

    fn eof(&mut self, _: &mut impl Net, id: ConnId, conn: &mut u32) {
        self.peer_finished(*conn, id);
    }

    fn writable(&mut self, _: &mut impl Net, id: ConnId, conn: &mut u32) {
        if let Some(socket) = self.of(*conn, id) {
            socket.blocked = false;
            self.wake(*conn, Ready::WRITE);
        }
    }

    fn closed(&mut self, net: &mut impl Net, id: ConnId, conn: u32, why: CloseReason) {
        if self.of(conn, id).is_none() {
            return;
        }
        self.change(net, conn, |socket, net| {
            let (first, second) = net.unread(id);
            socket.rest = [first, second].concat();
            socket.over(match why {
                CloseReason::Finished => None,
                // Linux: tcp_reset, in CLOSE_WAIT
                CloseReason::Reset if socket.fin && !socket.shut_write => Some(Errno::EPIPE),
                CloseReason::Reset => Some(Errno::ECONNRESET),
                CloseReason::TimedOut => Some(Errno::ETIMEDOUT),
                CloseReason::Unreachable => Some(Errno::EHOSTUNREACH),
                CloseReason::Aborted => Some(Errno::ECONNABORTED),
                CloseReason::NoResources => Some(Errno::ENOMEM),
            });
        });
    }

    fn stop(&mut self, net: &mut impl Net) {
        let open: Vec<ConnId> = self.sockets.iter().filter_map(|(_, socket)| socket.conn()).collect();
        for id in open {
            net.close(id);
        }
    }
}
