//! A program written for sockets, as a service.

use super::Sockets;
use crate::net::Net;
use crate::rx::Rx;
use crate::service::{CloseReason, ConnId, ConnInfo, ConnectError, Service};
use crate::time::Instant;

/// What a program does with its core's sockets: the body of its event loop, without the loop.
pub trait Program {
    /// Called once: the place to open sockets.
    fn start(&mut self, sockets: &mut Sockets, net: &mut impl Net);

    /// Called whenever something that an epoll set of the program watches may have changed, and at its deadline. It takes
    /// reports until there are none.
    fn run(&mut self, sockets: &mut Sockets, net: &mut impl Net);

    /// When [`Program::run`] is to be called although nothing happens.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The core is going to stop. What is still open afterwards is closed.
    fn stop(&mut self, sockets: &mut Sockets, net: &mut impl Net) {
        let _ = (sockets, net);
    }
}

/// A [`Program`] and its sockets, as a [`Service`]: on the own stack or on the kernel's sockets.
#[derive(Debug)]
pub struct Hosted<P> {
    /// The program.
    pub program: P,
    /// Its sockets.
    pub sockets: Sockets,
}

impl<P: Program> Hosted<P> {
    /// `program`, with no socket open yet.
    pub fn new(program: P, sockets: Sockets) -> Hosted<P> {
        Hosted { program, sockets }
    }
}

impl<P: Program> Service for Hosted<P> {
    type Conn = u32;

    fn start(&mut self, net: &mut impl Net) {
        self.program.start(&mut self.sockets, net);
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<u32> {
        self.sockets.accepted(net, id, info)
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<u32> {
        self.sockets.connected(net, id, result)
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32, rx: &mut Rx<'_>) {
        self.sockets.data(net, id, conn, rx);
    }

    fn urgent(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32, ahead: u32) {
        self.sockets.urgent(net, id, conn, ahead);
    }

    fn fin(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32) {
        self.sockets.fin(net, id, conn);
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32) {
        self.sockets.eof(net, id, conn);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32) {
        self.sockets.writable(net, id, conn);
    }

    fn closed(&mut self, net: &mut impl Net, id: ConnId, conn: u32, why: CloseReason) {
        self.sockets.closed(net, id, conn, why);
    }

    fn turn(&mut self, net: &mut impl Net) {
        let due = self.program.deadline().is_some_and(|at| at <= net.now());
        if self.sockets.take_news() || due {
            self.program.run(&mut self.sockets, net);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if self.sockets.news { Some(Instant::ZERO) } else { self.program.deadline() }
    }

    fn stop(&mut self, net: &mut impl Net) {
        self.program.stop(&mut self.sockets, net);
        self.sockets.stop(net);
    }
}
