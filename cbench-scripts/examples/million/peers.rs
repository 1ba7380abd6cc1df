//! The two services: a server that takes what comes (and may answer), clients that keep their connections.

use ferroflow_stack::net::{Listen, Net};
use ferroflow_stack::rx::Rx;
use ferroflow_stack::service::{CloseReason, ConnId, ConnInfo, ConnectError, Service};

/// A connection's ports of the server: each gives a client address 32,768 connections.
pub const PORTS: std::ops::Range<u16> = 6653..6661;

/// Takes bytes; sends as many back where it is told to.
#[derive(Default)]
pub struct Server {
    pub answers: bool,
    pub bytes: u64,
    pub closed: u64,
}

impl Service for Server {
    type Conn = ();

    fn start(&mut self, net: &mut impl Net) {
        for port in PORTS {
            net.listen(Listen { backlog: 1 << 16, ..Listen::on(port) }).expect("the ports are free");
        }
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        Some(())
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<()> {
        None
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, _: &mut (), rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            let chunk = rx.chunk();
            self.bytes += chunk.len() as u64;
            if self.answers {
                net.sender(id).expect("it is open").write(chunk);
            }
            let n = chunk.len();
            rx.advance(n);
        }
    }

    fn eof(&mut self, _: &mut impl Net, _: ConnId, _: &mut ()) {}

    fn closed(&mut self, _: &mut impl Net, _: ConnId, _: (), _: CloseReason) {
        self.closed += 1;
    }
}

/// Opens connections and takes answers.
#[derive(Default)]
pub struct Client {
    pub ids: Vec<ConnId>,
    pub failed: u64,
    pub bytes: u64,
}

impl Service for Client {
    type Conn = ();

    fn start(&mut self, _: &mut impl Net) {}

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        None
    }

    fn connected(
        &mut self,
        _: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<()> {
        if result.is_err() {
            self.failed += 1;
            return None;
        }
        self.ids.push(id);
        Some(())
    }

    fn data(&mut self, _: &mut impl Net, _: ConnId, _: &mut (), rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            let n = rx.chunk().len();
            self.bytes += n as u64;
            rx.advance(n);
        }
    }

    fn eof(&mut self, _: &mut impl Net, _: ConnId, _: &mut ()) {}

    fn closed(&mut self, _: &mut impl Net, _: ConnId, _: (), _: CloseReason) {
        self.failed += 1;
    }
}
