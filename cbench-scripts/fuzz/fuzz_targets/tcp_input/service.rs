//! A service that echoes, records and holds the stack to the order of its callbacks.

use std::collections::BTreeMap;

use ferroflow_stack::instance::Inner;
use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Listen, Net, NetError, Rx, Service};

use crate::app::{App, conn_option};
use crate::input::Script;

/// Where it listens.
pub const PORTS: [u16; 2] = [80, 6653];

/// The byte at position `at` of every stream; it repeats after 4096 bytes.
pub fn pattern(at: u32) -> u8 {
    ((at & 0xfff).wrapping_mul(0x9e37_79b1) >> 24) as u8
}

/// What the service does when it is called, by numbers from the script.
#[derive(Default, Clone, Copy)]
pub struct Policy {
    /// How much of the offered data is taken.
    pub take: u8,
    /// What follows the data that was taken.
    pub then: u8,
    /// What the peer's FIN is answered with.
    pub eof: u8,
    /// Connections are refused.
    pub refuse: bool,
}

#[derive(Default)]
struct Stream {
    read: u32,
    written: u32,
    eof: bool,
    shut: bool,
    closing: bool,
}

#[derive(Default)]
pub struct Recorder {
    pub policy: Policy,
    /// A forged segment may have reached a stream: what is read is no longer known.
    pub tainted: bool,
    streams: BTreeMap<ConnId, Stream>,
    connecting: Vec<ConnId>,
    /// A connection that is gone: its id must lead nowhere.
    stale: Option<ConnId>,
    backlog: u32,
}

/// The user of an instance that answers callbacks.
pub struct Callbacks;

impl App for Callbacks {
    type Service = Recorder;

    fn new(backlog: u32) -> (Self, Recorder) {
        (Callbacks, Recorder { backlog, ..Recorder::default() })
    }

    fn act(&mut self, service: &mut Recorder, net: &mut Inner, script: &mut Script<'_>) {
        service.act(net, script);
    }

    fn policy(&mut self, service: &mut Recorder, script: &mut Script<'_>) {
        let [take, then, eof, refuse] = script.array();
        service.policy = Policy { take, then, eof, refuse: refuse == 1 };
    }

    fn connect(&mut self, service: &mut Recorder, net: &mut Inner, to: std::net::SocketAddr, early: u16) {
        service.connect(net, to, early);
    }

    fn taint(&mut self, service: &mut Recorder) {
        service.tainted = true;
    }

    fn check(&mut self, _: &mut Recorder, _: &mut Inner) {}

    fn close_all(&mut self, service: &mut Recorder, net: &mut Inner) {
        service.close_all(net);
    }

    fn known(&self, service: &Recorder) -> usize {
        service.known()
    }
}

impl Recorder {
    /// Connections that the service knows of, those under way included.
    fn known(&self) -> usize {
        self.streams.len() + self.connecting.len()
    }

    /// The `n`th open connection, counted round.
    fn nth(&self, n: u8) -> Option<ConnId> {
        let len = self.streams.len().max(1);
        self.streams.keys().nth(usize::from(n) % len).copied()
    }

    /// Does something, outside of callbacks.
    fn act(&mut self, net: &mut impl Net, script: &mut Script<'_>) {
        let [which, what] = script.array();
        let amount = script.u16();
        if let Some(stale) = self.stale {
            assert_eq!(net.send(stale, b"x"), Err(NetError::NoConn));
            assert_eq!(net.room(stale), 0);
            assert!(net.info(stale).is_none());
            net.close(stale);
            net.shutdown(stale);
            net.resume(stale);
        }
        match what % 32 {
            0 => return self.listen(net, which, what),
            1 => return net.set_accepting(PORTS[usize::from(which) % 2], what & 32 == 0),
            2 => {
                let _ = net.set_listen_option(PORTS[usize::from(which) % 2], conn_option(script));
                return;
            }
            _ => {}
        }
        let Some(id) = self.nth(which) else { return };
        match what % 32 {
            3..=10 => self.write(net, id, (amount & 0x1fff).into()),
            11 => self.write(net, id, amount.into()),
            12 => net.resume(id),
            13 => self.shutdown(net, id),
            14 => self.close(net, id),
            15 => self.abort(net, id),
            16 => net.arm(id, Some(net.now() + std::time::Duration::from_millis(amount.into()))),
            17 => net.arm(id, None),
            18..=20 => self.take(net, id, amount.into()),
            21 => self.write_urgent(net, id, amount & 0xfff),
            _ => match net.set_option(id, conn_option(script)) {
                Ok(()) | Err(NetError::NoConn) => {}
                Err(other) => panic!("set_option: {other}"),
            },
        }
    }

    fn write_urgent(&mut self, net: &mut impl Net, id: ConnId, amount: u16) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let bytes: Vec<u8> = (0..u32::from(amount)).map(|n| pattern(stream.written + n)).collect();
        if let Ok(sent) = net.send_urgent(id, &bytes) {
            stream.written += sent as u32;
        }
    }

    /// Listens no more, or again.
    fn listen(&mut self, net: &mut impl Net, which: u8, what: u8) {
        let port = PORTS[usize::from(which) % 2];
        net.unlisten(port);
        if what & 32 == 0 {
            net.listen(Listen { backlog: self.backlog, ..Listen::on(port) }).expect("the port is free");
        }
    }

    /// Takes what waits to be read, outside of a callback.
    fn take(&mut self, net: &mut impl Net, id: ConnId, most: usize) {
        let tainted = self.tainted;
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.closing) else { return };
        let (first, second) = net.unread(id);
        let bytes: Vec<u8> = first.iter().chain(second).copied().take(most).collect();
        for byte in &bytes {
            assert!(tainted || *byte == pattern(stream.read), "wrong byte at {}", stream.read);
            stream.read += 1;
        }
        net.take(id, bytes.len());
    }

    /// Opens a connection.
    fn connect(&mut self, net: &mut impl Net, to: std::net::SocketAddr, early: u16) {
        if let Ok(id) = net.connect(to, Default::default()) {
            self.connecting.push(id);
            // What is written before the connection is open is sent once it is.
            let early: Vec<u8> = (0..u32::from(early) % 3000).map(pattern).collect();
            let sent = net.send(id, &early).expect("an open that is under way can be written");
            self.streams.insert(id, Stream { written: sent as u32, ..Stream::default() });
        }
    }

    /// Closes everything.
    fn close_all(&mut self, net: &mut impl Net) {
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            self.close(net, id);
        }
    }

    fn write(&mut self, net: &mut impl Net, id: ConnId, amount: usize) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let bytes: Vec<u8> = (0..amount as u32).map(|n| pattern(stream.written + n)).collect();
        match net.send(id, &bytes) {
            Ok(sent) => {
                assert!(sent <= amount && !stream.shut);
                stream.written += sent as u32;
            }
            Err(NetError::Closing) => assert!(stream.shut),
            // Over, and `closed` is under way.
            Err(NetError::NoConn) => {}
            Err(other) => panic!("send: {other}"),
        }
    }

    fn shutdown(&mut self, net: &mut impl Net, id: ConnId) {
        net.shutdown(id);
        self.stream(id).shut = true;
    }

    fn close(&mut self, net: &mut impl Net, id: ConnId) {
        net.close(id);
        let stream = self.stream(id);
        (stream.shut, stream.closing) = (true, true);
    }

    fn abort(&mut self, net: &mut impl Net, id: ConnId) {
        net.abort(id);
        let stream = self.stream(id);
        (stream.shut, stream.closing) = (true, true);
    }

    fn stream(&mut self, id: ConnId) -> &mut Stream {
        self.streams.get_mut(&id).expect("a callback for a connection that is open")
    }

    /// Takes up to `most` bytes, which must be the next of the stream; returns how many.
    fn read(&mut self, id: ConnId, rx: &mut Rx<'_>, most: usize) -> usize {
        let tainted = self.tainted;
        let stream = self.stream(id);
        let mut left = most;
        while left > 0 && !rx.chunk().is_empty() {
            let n = left.min(rx.chunk().len());
            for byte in &rx.chunk()[..n] {
                assert!(tainted || *byte == pattern(stream.read), "wrong byte at {}", stream.read);
                stream.read += 1;
            }
            rx.advance(n);
            left -= n;
        }
        most - left
    }
}

impl Service for Recorder {
    type Conn = ConnId;

    fn start(&mut self, net: &mut impl Net) {
        for port in PORTS {
            net.listen(Listen { backlog: self.backlog, ..Listen::on(port) }).expect("the port is free");
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<ConnId> {
        assert_eq!(net.info(id).as_ref(), Some(info));
        assert!(PORTS.contains(&info.local.port()));
        if self.policy.refuse {
            return None;
        }
        assert!(self.streams.insert(id, Stream::default()).is_none(), "an id is given once");
        Some(id)
    }

    fn connected(
        &mut self,
        _: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<ConnId> {
        let at = self.connecting.iter().position(|c| *c == id).expect("a connection that was asked for");
        self.connecting.swap_remove(at);
        if result.is_err() || self.policy.refuse {
            self.streams.remove(&id);
            return None;
        }
        Some(id)
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut ConnId, rx: &mut Rx<'_>) {
        assert_eq!(id, *conn);
        let stream = self.stream(id);
        assert!(!stream.eof && !stream.closing, "no data after the end");
        let offered = rx.remaining();
        assert!(offered > 0, "an event has data");
        let taken = match self.policy.take % 4 {
            0 => self.read(id, rx, usize::MAX),
            1 => self.read(id, rx, 0),
            2 => self.read(id, rx, 1),
            _ => self.read(id, rx, offered / 2),
        };
        match self.policy.then % 8 {
            0..=2 => self.write(net, id, taken),
            3 => {}
            // Asking again without having taken anything would go on for ever.
            4 if taken > 0 => net.resume(id),
            4 => {}
            5 => self.shutdown(net, id),
            6 => self.close(net, id),
            _ => self.abort(net, id),
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, _: &mut ConnId) {
        let stream = self.stream(id);
        assert!(!stream.eof && !stream.closing, "one end");
        stream.eof = true;
        match self.policy.eof % 4 {
            0 => self.close(net, id),
            1 => self.shutdown(net, id),
            2 => self.write(net, id, 700),
            _ => {}
        }
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, _: &mut ConnId) {
        let stream = self.stream(id);
        assert!(!stream.closing && !stream.shut, "nobody wants to write");
        self.write(net, id, 100);
    }

    fn timer(&mut self, net: &mut impl Net, id: ConnId, _: &mut ConnId) {
        assert!(!self.stream(id).closing, "no timer after the end");
        net.resume(id);
    }

    fn closed(&mut self, net: &mut impl Net, id: ConnId, conn: ConnId, _: CloseReason) {
        assert_eq!(id, conn);
        self.streams.remove(&id).expect("a connection ends once");
        assert_eq!(net.room(id), 0);
        self.stale = Some(id);
    }
}
