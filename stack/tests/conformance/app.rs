//! A service that records every callback, checks their order, and does in them what the test has asked for.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Listen, Net, Rx, Service,
};

/// One callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Accepted(ConnId),
    Connected(ConnId, Result<(), ConnectError>),
    Data(ConnId, Vec<u8>),
    Urgent(ConnId, u32),
    Eof(ConnId),
    Writable(ConnId),
    Timer(ConnId),
    Closed(ConnId, CloseReason),
}

/// Which callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum On {
    Accepted,
    Connected,
    Failed,
    Data,
    Eof,
    Writable,
    Timer,
    Closed,
}

/// What to do in a callback, with its connection.
#[derive(Debug, Clone)]
pub enum Act {
    Close,
    Abort,
    Shutdown,
    Resume,
    Send(Vec<u8>),
    /// Give no `Conn`.
    Refuse,
    Connect(SocketAddr),
}

/// How much of the data to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    All,
    AtMost(usize),
    Nothing,
}

pub struct App {
    pub events: Vec<Event>,
    pub take: Take,
    pub acts: Vec<(On, Act)>,
    pub listen: Vec<Listen>,
    pub infos: HashMap<ConnId, ConnInfo>,
    open: HashSet<ConnId>,
    at_eof: HashSet<ConnId>,
}

impl App {
    pub fn new() -> App {
        App {
            events: Vec::new(),
            take: Take::All,
            acts: Vec::new(),
            listen: vec![Listen { token: 99, ..Listen::on(crate::peer::LISTEN) }],
            infos: HashMap::new(),
            open: HashSet::new(),
            at_eof: HashSet::new(),
        }
    }

    /// Connections whose `closed` is still to come.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// All bytes read from a connection.
    pub fn read(&self, id: ConnId) -> Vec<u8> {
        let texts = self.events.iter().filter_map(|e| match e {
            Event::Data(i, text) if *i == id => Some(text.as_slice()),
            _ => None,
        });
        texts.collect::<Vec<_>>().concat()
    }

    fn alive(&self, id: ConnId, conn: ConnId, what: On) {
        assert_eq!(id, conn, "{what:?} with another connection's Conn");
        assert!(self.open.contains(&id), "{what:?} for {id}, which is not open");
    }

    fn act(&mut self, net: &mut impl Net, id: ConnId, on: On) {
        for (_, act) in self.acts.clone().into_iter().filter(|(o, _)| *o == on) {
            match act {
                Act::Close => net.close(id),
                Act::Abort => net.abort(id),
                Act::Shutdown => net.shutdown(id),
                Act::Resume => net.resume(id),
                Act::Send(bytes) => {
                    let _ = net.send(id, &bytes);
                }
                Act::Connect(to) => {
                    let _ = net.connect(to, ConnectOptions::default());
                }
                Act::Refuse => {}
            }
        }
    }

    fn begin(&mut self, on: On, id: ConnId) -> Option<ConnId> {
        if self.acts.iter().any(|(o, act)| *o == on && matches!(act, Act::Refuse)) {
            return None;
        }
        assert!(self.open.insert(id), "{id} begins twice");
        Some(id)
    }
}

impl Service for App {
    type Conn = ConnId;

    fn start(&mut self, net: &mut impl Net) {
        for at in self.listen.clone() {
            net.listen(at).expect("to listen");
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<ConnId> {
        self.events.push(Event::Accepted(id));
        self.infos.insert(id, *info);
        assert_eq!(net.info(id), Some(*info));
        let conn = self.begin(On::Accepted, id);
        self.act(net, id, On::Accepted);
        conn
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<ConnId> {
        self.events.push(Event::Connected(id, result.map(|_| ())));
        let Ok(info) = result else {
            self.act(net, id, On::Failed);
            return None;
        };
        self.infos.insert(id, *info);
        let conn = self.begin(On::Connected, id);
        self.act(net, id, On::Connected);
        conn
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut ConnId, rx: &mut Rx<'_>) {
        self.alive(id, *conn, On::Data);
        assert!(!self.at_eof.contains(&id), "data behind eof");
        assert!(rx.remaining() > 0, "data without data");
        let mut left = match self.take {
            Take::All => usize::MAX,
            Take::AtMost(n) => n,
            Take::Nothing => 0,
        };
        let mut text = Vec::new();
        while left > 0 && !rx.chunk().is_empty() {
            let n = rx.chunk().len().min(left);
            text.extend_from_slice(&rx.chunk()[..n]);
            rx.advance(n);
            left -= n;
        }
        self.events.push(Event::Data(id, text));
        self.act(net, id, On::Data);
    }

    fn urgent(&mut self, _: &mut impl Net, id: ConnId, conn: &mut ConnId, ahead: u32) {
        self.alive(id, *conn, On::Data);
        assert!(ahead > 0, "urgent data that was read already");
        self.events.push(Event::Urgent(id, ahead));
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut ConnId) {
        self.alive(id, *conn, On::Eof);
        assert!(self.at_eof.insert(id), "eof twice");
        self.events.push(Event::Eof(id));
        self.act(net, id, On::Eof);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut ConnId) {
        self.alive(id, *conn, On::Writable);
        self.events.push(Event::Writable(id));
        self.act(net, id, On::Writable);
    }

    fn timer(&mut self, net: &mut impl Net, id: ConnId, conn: &mut ConnId) {
        self.alive(id, *conn, On::Timer);
        self.events.push(Event::Timer(id));
        self.act(net, id, On::Timer);
    }

    fn closed(&mut self, net: &mut impl Net, id: ConnId, conn: ConnId, why: CloseReason) {
        self.alive(id, conn, On::Closed);
        self.events.push(Event::Closed(id, why));
        self.open.remove(&id);
        assert_eq!(net.info(id), None, "a connection that is closed has no info");
        self.act(net, id, On::Closed);
    }
}
