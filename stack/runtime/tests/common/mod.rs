//! A service that the tests script: it echoes, counts, closes, holds back.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Instant, Listen, Net, Rx, Service,
};

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// What the service did, for a test on another thread.
#[derive(Debug, Default, Clone)]
pub struct Log {
    pub accepted: usize,
    pub connected: usize,
    pub failed: Vec<ConnectError>,
    pub eofs: usize,
    pub closed: BTreeMap<String, usize>,
    pub bytes: u64,
    pub timers: usize,
    pub listen_error: Option<String>,
    pub stopped: usize,
    pub peers: Vec<SocketAddr>,
}

impl Log {
    pub fn closed_as(&self, why: CloseReason) -> usize {
        self.closed.get(&format!("{why:?}")).copied().unwrap_or(0)
    }

    pub fn all_closed(&self) -> usize {
        self.closed.values().sum()
    }
}

pub type SharedLog = Arc<Mutex<Log>>;

/// How the echo behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Sends back what it gets; closes after the peer's end.
    Echo,
    /// Takes everything, says nothing.
    Sink,
    /// Takes nothing until its timer rings (100 ms), then echoes.
    Late,
    /// Says a word and closes.
    Greet,
    /// Aborts on the first byte.
    Abort,
    /// Refuses every connection.
    Refuse,
}

pub struct Echo {
    pub mode: Mode,
    pub port: Option<u16>,
    pub connect: Vec<(SocketAddr, u64)>,
    pub log: SharedLog,
    held: bool,
    /// Ids seen, to try stale ones.
    stale: Vec<ConnId>,
}

pub struct EchoConn {
    eof: bool,
    held: bool,
    pending: bool,
}

impl Echo {
    pub fn new(mode: Mode, port: Option<u16>, log: SharedLog) -> Echo {
        Echo { mode, port, connect: Vec::new(), log, held: mode == Mode::Late, stale: Vec::new() }
    }

    /// Sends back what fits; what does not is left and comes again after `writable`.
    fn echo(net: &mut impl Net, id: ConnId, conn: &mut EchoConn, rx: &mut Rx<'_>) -> u64 {
        while !rx.chunk().is_empty() {
            match net.send(id, rx.chunk()) {
                Ok(n) if n > 0 => rx.advance(n),
                _ => break,
            }
        }
        conn.pending = rx.remaining() > 0;
        if conn.eof && !conn.pending {
            net.close(id);
        }
        rx.taken() as u64
    }
}

impl Service for Echo {
    type Conn = EchoConn;

    fn start(&mut self, net: &mut impl Net) {
        if let Some(port) = self.port
            && let Err(e) = net.listen(Listen { token: 7, ..Listen::on(port) })
        {
            self.log.lock().unwrap().listen_error = Some(e.to_string());
        }
        for (to, token) in self.connect.drain(..) {
            net.connect(to, ConnectOptions { local: None, token }).unwrap();
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<EchoConn> {
        assert_eq!(net.info(id).as_ref(), Some(info));
        assert_eq!(info.token, 7);
        let mut log = self.log.lock().unwrap();
        log.accepted += 1;
        log.peers.push(info.peer);
        for &old in &self.stale {
            assert_eq!(net.send(old, b"not for you"), Err(ferroflow_stack::NetError::NoConn));
            assert!(net.info(old).is_none());
        }
        if self.mode == Mode::Refuse {
            return None;
        }
        if self.mode == Mode::Greet {
            net.send(id, b"good-bye").unwrap();
            net.close(id);
            assert_eq!(net.send(id, b"more"), Err(ferroflow_stack::NetError::Closing));
        }
        if self.held {
            net.arm(id, Some(net.now() + std::time::Duration::from_millis(100)));
        }
        Some(EchoConn { eof: false, held: self.held, pending: false })
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<EchoConn> {
        let mut log = self.log.lock().unwrap();
        match result {
            Ok(info) => {
                log.connected += 1;
                assert_eq!(net.info(id).as_ref(), Some(info));
                net.send(id, b"hello from the core").unwrap();
                Some(EchoConn { eof: false, held: false, pending: false })
            }
            Err(e) => {
                log.failed.push(e);
                None
            }
        }
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut EchoConn, rx: &mut Rx<'_>) {
        match self.mode {
            _ if conn.held => conn.pending = true,
            Mode::Abort => net.abort(id),
            Mode::Sink => {
                let n = rx.remaining();
                rx.advance(rx.chunk().len());
                rx.advance(rx.chunk().len());
                self.log.lock().unwrap().bytes += n as u64;
            }
            _ => {
                let n = Echo::echo(net, id, conn, rx);
                self.log.lock().unwrap().bytes += n;
            }
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut EchoConn) {
        self.log.lock().unwrap().eofs += 1;
        conn.eof = true;
        // What is left is echoed first.
        if !conn.pending {
            net.close(id);
        }
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, _: &mut EchoConn) {
        net.resume(id);
    }

    fn timer(&mut self, net: &mut impl Net, id: ConnId, conn: &mut EchoConn) {
        self.log.lock().unwrap().timers += 1;
        conn.held = false;
        net.resume(id);
    }

    fn closed(&mut self, _: &mut impl Net, id: ConnId, _: EchoConn, why: CloseReason) {
        *self.log.lock().unwrap().closed.entry(format!("{why:?}")).or_default() += 1;
        self.stale.push(id);
        if self.stale.len() > 8 {
            self.stale.remove(0);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn stop(&mut self, _: &mut impl Net) {
        self.log.lock().unwrap().stopped += 1;
    }
}
