//! Connections that are two byte buffers.

use std::net::SocketAddr;

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectOptions, Instant, Listen, ListenError, Net, NetError, SendRing,
};

/// One connection.
#[derive(Debug)]
pub(super) struct FakeConn {
    pub generation: u32,
    pub info: ConnInfo,
    pub ring: SendRing,
    /// What the peer sent and the service has not taken.
    pub rx: Vec<u8>,
    /// `rx` must be offered.
    pub offer: bool,
    pub timer: Option<Instant>,
    /// Our side is closed for sending.
    pub shut: bool,
    /// How it ends, once that is known.
    pub ends: Option<CloseReason>,
    /// The service's own, while it has one.
    pub service: Option<u32>,
    pub eof: bool,
}

/// A [`Net`] whose connections are byte buffers.
#[derive(Debug)]
pub struct FakeNet {
    pub(super) now: Instant,
    pub(super) conns: Vec<FakeConn>,
    pub(super) ring_limit: usize,
    /// Ports on which listening fails.
    pub(super) taken: Vec<u16>,
    seed: u64,
}

impl FakeNet {
    /// No connections; `seed` is the core's entropy.
    pub fn new(seed: u64) -> FakeNet {
        FakeNet { now: Instant::ZERO, conns: Vec::new(), ring_limit: 1 << 20, taken: Vec::new(), seed }
    }

    /// A connection from `peer`.
    pub fn open(&mut self, peer: SocketAddr) -> (ConnId, ConnInfo) {
        let info = ConnInfo { local: SocketAddr::from(([10, 77, 0, 2], 6653)), peer, token: 0 };
        self.conns.push(FakeConn {
            generation: 0,
            info,
            ring: SendRing::new(self.ring_limit),
            rx: Vec::new(),
            offer: false,
            timer: None,
            shut: false,
            ends: None,
            service: None,
            eof: false,
        });
        (ConnId::new(self.conns.len() as u32 - 1, 0), info)
    }

    /// The time that services see.
    pub fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    fn conn(&mut self, id: ConnId) -> Option<&mut FakeConn> {
        self.conns.get_mut(id.index()).filter(|c| c.generation == id.generation() && c.service.is_some())
    }
}

impl Net for FakeNet {
    fn now(&self) -> Instant {
        self.now
    }

    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        self.seed
    }

    fn listen(&mut self, at: Listen) -> Result<(), ListenError> {
        if self.taken.contains(&at.port) { Err(ListenError::InUse(at.port)) } else { Ok(()) }
    }

    fn connect(&mut self, _: SocketAddr, _: ConnectOptions) -> Result<ConnId, NetError> {
        Err(NetError::NoResources)
    }

    fn sender(&mut self, id: ConnId) -> Result<&mut SendRing, NetError> {
        // While `accepted` runs the service has no state for the connection yet, but may write.
        let conn = self.conns.get_mut(id.index()).ok_or(NetError::NoConn)?;
        if conn.generation != id.generation() || conn.ends.is_some() {
            return Err(NetError::NoConn);
        }
        if conn.shut { Err(NetError::Closing) } else { Ok(&mut conn.ring) }
    }

    fn room(&self, id: ConnId) -> usize {
        self.conns.get(id.index()).filter(|c| !c.shut).map_or(0, |c| c.ring.room())
    }

    fn shutdown(&mut self, id: ConnId) {
        if let Some(conn) = self.conn(id) {
            conn.shut = true;
        }
    }

    fn close(&mut self, id: ConnId) {
        if let Some(conn) = self.conn(id) {
            conn.shut = true;
            conn.ends.get_or_insert(CloseReason::Finished);
        }
    }

    fn abort(&mut self, id: ConnId) {
        if let Some(conn) = self.conn(id) {
            conn.shut = true;
            conn.ends.get_or_insert(CloseReason::Aborted);
        }
    }

    fn resume(&mut self, id: ConnId) {
        if let Some(conn) = self.conn(id) {
            conn.offer = true;
        }
    }

    fn unread(&self, id: ConnId) -> (&[u8], &[u8]) {
        let kept = self.conns.get(id.index()).filter(|c| c.generation == id.generation());
        kept.map_or((&[], &[]), |c| (&c.rx, &[]))
    }

    fn take(&mut self, id: ConnId, n: usize) {
        if let Some(conn) = self.conn(id) {
            conn.rx.drain(..n.min(conn.rx.len()));
        }
    }

    fn unlisten(&mut self, _: u16) {}

    fn set_accepting(&mut self, _: u16, _: bool) {}

    fn arm(&mut self, id: ConnId, at: Option<Instant>) {
        if let Some(conn) = self.conns.get_mut(id.index()).filter(|c| c.generation == id.generation()) {
            conn.timer = at;
        }
    }

    fn info(&self, id: ConnId) -> Option<ConnInfo> {
        self.conns.get(id.index()).map(|c| c.info)
    }
}
