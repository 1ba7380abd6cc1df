//! A service for simulations: streams of random bytes in both directions, written, read and ended at random, and checked
//! byte by byte.
//!
//! Every stream starts with a random number from which all its other bytes follow, so the reader can check what
//! it gets wherever it comes from, and the two ends' [`Record`]s can be brought together afterwards.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::pattern::{HEADER_LEN, Reader, Writer};
use crate::net::{ConnectOptions, Listen, Net};
use crate::rx::Rx;
use crate::service::{CloseReason, ConnId, ConnInfo, ConnectError, Service};
use crate::time::Instant;

/// What the streams of a service are like.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// Most bytes of a stream. One in eight is empty.
    pub bytes: u64,
    /// Most bytes written at once.
    pub chunk: usize,
    /// Longest pause of a writer, now and then.
    pub write_pause: Duration,
    /// Longest pause of a reader, now and then, that takes only a part of what there is; zero = never.
    pub read_pause: Duration,
    /// Longest pause of one side of a few connections, once: long enough for windows to close and keepalive to ask.
    pub stall: Duration,
    /// How the connections are ended: each as likely as it is often in the list.
    pub endings: Vec<Ending>,
}

impl Mix {
    /// Up to 50,000 bytes each way, ended by both sides in order.
    pub fn orderly() -> Mix {
        Mix {
            bytes: 50_000,
            chunk: 4000,
            write_pause: Duration::from_millis(100),
            read_pause: Duration::from_millis(100),
            stall: Duration::ZERO,
            endings: vec![Ending::Shutdown],
        }
    }
}

/// How a side ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// After writing all, shuts down; closes after reading all.
    Shutdown,
    /// Closes after writing all, once the peer has shut down. Not for both sides.
    AfterPeer,
    /// Closes after writing all, whatever still arrives.
    Close,
    /// Closes in the middle of reading or writing.
    CloseEarly,
    /// Aborts in the middle of reading or writing.
    Abort,
}

impl Ending {
    /// Whether all data of both sides is to arrive, if the peer's ending is of the kind too.
    pub fn is_orderly(self) -> bool {
        matches!(self, Ending::Shutdown | Ending::AfterPeer)
    }
}

/// A connection to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// When.
    pub at: Instant,
    /// Where to.
    pub to: SocketAddr,
    /// From which port; 0 = any.
    pub from_port: u16,
}

/// What one side of a connection did and saw, once it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Both addresses, as far as known.
    pub local: Option<SocketAddr>,
    /// The peer's address.
    pub peer: SocketAddr,
    /// It opened the connection.
    pub active: bool,
    /// It opened the connection from a port of its own choice.
    pub chosen_port: bool,
    /// How it wanted to end the connection.
    pub ending: Ending,
    /// The number its stream follows from.
    pub tx_nonce: u64,
    /// The number the peer's stream follows from, once it was read.
    pub rx_nonce: Option<u64>,
    /// Bytes it wanted to write.
    pub planned: u64,
    /// Bytes written: taken by the stack.
    pub written: u64,
    /// Bytes read.
    pub read: u64,
    /// The peer's FIN was seen.
    pub eof: bool,
    /// It called `close` before the peer's FIN was seen, or `abort`: what the peer sends may be lost.
    pub gave_up: bool,
    /// How it ended.
    pub end: Result<CloseReason, ConnectError>,
    /// When.
    pub at: Instant,
}

impl Record {
    fn failed(open: &Open, error: ConnectError, at: Instant) -> Record {
        Record {
            local: None,
            peer: open.to,
            active: true,
            chosen_port: open.from_port != 0,
            ending: Ending::Shutdown,
            tx_nonce: 0,
            rx_nonce: None,
            planned: 0,
            written: 0,
            read: 0,
            eof: false,
            gave_up: false,
            end: Err(error),
            at,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Open,
    ShutDown,
    Closed,
}

/// One live connection.
#[derive(Debug)]
pub struct Flow {
    rng: fastrand::Rng,
    info: ConnInfo,
    active: bool,
    chosen_port: bool,
    ending: Ending,
    planned: u64,
    /// With [`Ending::CloseEarly`] and [`Ending::Abort`]: after so many bytes read and written.
    give_up_at: u64,
    tx: Writer,
    rx: Reader,
    side: Side,
    eof: bool,
    gave_up: bool,
    /// The next write and the next `resume`, where they are put off.
    write_at: Option<Instant>,
    read_at: Option<Instant>,
    armed: Option<Instant>,
    /// Pauses once for so long, after so many bytes read and written.
    stall: Option<(u64, Duration)>,
    /// In the long pause of its reading side.
    stalled: bool,
}

impl Flow {
    /// How long to pause now, if it is time for the one long pause.
    fn stalls(&mut self) -> Option<Duration> {
        let done = self.tx.position() + self.rx.position();
        self.stall.take_if(|(after, _)| done >= *after).map(|(_, pause)| pause)
    }
}

/// The service: opens and accepts connections, and keeps book.
#[derive(Debug)]
pub struct Streams {
    rng: fastrand::Rng,
    mix: Mix,
    listen: Vec<Listen>,
    opens: Vec<Open>,
    opened: usize,
    /// Opens under way, and which.
    pending: HashMap<ConnId, usize>,
    live: usize,
    records: Vec<Record>,
    violations: Vec<String>,
    refused: u64,
}

/// How late a timer may come: the wheel's tick, and the turn's own time, which is none here.
const TIMER_SLACK: Duration = Duration::from_millis(2);
/// `send_with` writes no more than fits the smallest send ring.
const MAX_MESSAGE: usize = 4096;

impl Streams {
    /// Listens and opens; `opens` in any order.
    pub fn new(listen: Vec<Listen>, mut opens: Vec<Open>, mix: Mix, seed: u64) -> Streams {
        opens.sort_by_key(|open| open.at);
        Streams {
            rng: fastrand::Rng::with_seed(seed),
            mix,
            listen,
            opens,
            opened: 0,
            pending: HashMap::new(),
            live: 0,
            records: Vec::new(),
            violations: Vec::new(),
            refused: 0,
        }
    }

    /// Only listens.
    pub fn server(listen: Listen, mix: Mix, seed: u64) -> Streams {
        Streams::new(vec![listen], Vec::new(), mix, seed)
    }

    /// Only opens: when, and where to.
    pub fn client(opens: Vec<(Instant, SocketAddr)>, mix: Mix, seed: u64) -> Streams {
        let opens = opens.into_iter().map(|(at, to)| Open { at, to, from_port: 0 }).collect();
        Streams::new(Vec::new(), opens, mix, seed)
    }

    /// Whether every connection to be opened was, and is over, and no accepted one is left.
    pub fn is_done(&self) -> bool {
        self.opened == self.opens.len() && self.live == 0
    }

    /// Connections that are not over.
    pub fn live(&self) -> usize {
        self.live
    }

    /// Connections that are over.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Opens that [`Net::connect`] itself refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// What must not have happened, in words.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    fn violation(&mut self, at: Instant, what: impl std::fmt::Display) {
        if self.violations.len() < 20 {
            self.violations.push(format!("{:.6} s: {what}", at.as_nanos() as f64 / 1e9));
        }
    }

    fn flow(&mut self, info: ConnInfo, active: bool, chosen_port: bool) -> Flow {
        let mut rng = self.rng.fork();
        let planned = match rng.u32(..8) {
            0 => 0,
            1 => HEADER_LEN,
            _ => rng.u64(HEADER_LEN..=self.mix.bytes.max(HEADER_LEN)),
        };
        let ending = self.mix.endings[rng.usize(..self.mix.endings.len())];
        // Both sides waiting for the other would wait for ever.
        let ending = if active && ending == Ending::AfterPeer { Ending::Shutdown } else { ending };
        let stalls = !self.mix.stall.is_zero() && rng.u32(..4) == 0;
        self.live += 1;
        Flow {
            info,
            active,
            chosen_port,
            ending,
            planned,
            give_up_at: rng.u64(..=self.mix.bytes),
            tx: Writer::new(rng.u64(..)),
            rx: Reader::default(),
            side: Side::Open,
            eof: false,
            gave_up: false,
            write_at: None,
            read_at: None,
            armed: None,
            stalled: false,
            stall: stalls.then(|| (rng.u64(..=self.mix.bytes), random(&mut rng, self.mix.stall))),
            rng,
        }
    }

    fn open_due(&mut self, net: &mut impl Net) {
        while let Some(&Open { at, to, from_port }) = self.opens.get(self.opened)
            && at <= net.now()
        {
            let local = (from_port != 0).then(|| (std::net::Ipv4Addr::UNSPECIFIED, from_port).into());
            let options = ConnectOptions { local, token: self.opened as u64 };
            self.opened += 1;
            match net.connect(to, options) {
                Ok(id) => {
                    self.live += 1;
                    self.pending.insert(id, self.opened - 1);
                }
                Err(_) => self.refused += 1,
            }
        }
    }

    /// Writes until the plan, the ring or a pause ends it.
    fn pump(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        while flow.side == Side::Open && flow.write_at.is_none() && !give_up(net, id, flow) {
            let left = flow.planned - flow.tx.position();
            if left == 0 {
                return wrote_all(net, id, flow);
            }
            let n =
                flow.rng.usize(1..=self.mix.chunk.max(1)).min(usize::try_from(left).unwrap_or(usize::MAX));
            match write(net, id, flow, n) {
                Ok(true) => {}
                Ok(false) => return, // `writable` will follow
                Err(error) => {
                    return self
                        .violation(net.now(), format!("{id}: writing to an open connection: {error}"));
                }
            }
            if let Some(pause) = flow.stalls() {
                flow.write_at = Some(net.now() + pause);
            } else if !self.mix.write_pause.is_zero() && flow.rng.u32(..8) == 0 {
                flow.write_at = Some(net.now() + random(&mut flow.rng, self.mix.write_pause));
            }
        }
    }

    /// Reads some or all; what is left is asked for again later.
    fn read(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow, rx: &mut Rx<'_>) {
        if flow.read_at.is_some_and(|at| at > net.now()) && flow.stalled {
            return; // it does not look at what arrives meanwhile
        }
        flow.stalled = false;
        if let Some(pause) = flow.stalls() {
            flow.read_at = Some(net.now() + pause);
            flow.stalled = true;
            return;
        }
        let partial = !self.mix.read_pause.is_zero() && flow.rng.u32(..4) == 0;
        while !rx.chunk().is_empty() {
            let chunk = rx.chunk();
            let n = if partial { flow.rng.usize(..=chunk.len()) } else { chunk.len() };
            if let Err(at) = flow.rx.check(&chunk[..n]) {
                self.violation(net.now(), format!("{id}: byte {at} of the stream is wrong"));
            }
            rx.advance(n);
            if n < chunk.len() {
                // Often later, sometimes at once, which the stack must not take for "for ever".
                let pause = random(&mut flow.rng, self.mix.read_pause);
                flow.read_at.get_or_insert(net.now() + pause);
                return;
            }
        }
        flow.read_at = None;
    }

    /// Sets the timer to what is put off, or stops it.
    fn arm(net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        let next = [flow.write_at, flow.read_at].into_iter().flatten().min();
        if next != flow.armed && flow.side != Side::Closed {
            flow.armed = next;
            net.arm(id, next);
        }
    }
}

/// The middle of the stream, for those who end there. Returns whether the connection is ended.
fn give_up(net: &mut impl Net, id: ConnId, flow: &mut Flow) -> bool {
    let done = flow.tx.position() + flow.rx.position();
    let early = matches!(flow.ending, Ending::CloseEarly | Ending::Abort);
    if !early || flow.side == Side::Closed || done < flow.give_up_at.min(flow.planned) {
        return false;
    }
    flow.side = Side::Closed;
    flow.gave_up = true;
    match flow.ending {
        Ending::Abort => net.abort(id),
        _ => net.close(id),
    }
    true
}

fn wrote_all(net: &mut impl Net, id: ConnId, flow: &mut Flow) {
    match flow.ending {
        Ending::AfterPeer if !flow.eof => {}
        Ending::Shutdown if !flow.eof => {
            flow.side = Side::ShutDown;
            net.shutdown(id);
        }
        _ => {
            flow.side = Side::Closed;
            flow.gave_up = !flow.eof;
            net.close(id);
        }
    }
}

/// Writes `n` bytes in one of the ways there are. `false`: not all fitted.
fn write(net: &mut impl Net, id: ConnId, flow: &mut Flow, n: usize) -> Result<bool, crate::NetError> {
    let room = net.room(id);
    let wrote = match flow.rng.u32(..3) {
        0 => net.send(id, &flow.tx.peek(n))?,
        1 => {
            let mut written = 0;
            let ring = net.sender(id)?;
            for piece in flow.tx.peek(n).chunks(700) {
                written += ring.write(piece);
            }
            written
        }
        _ => {
            let n = n.min(MAX_MESSAGE);
            let bytes = flow.tx.peek(n);
            match net.send_with(id, n, |buf| buf.copy_from_slice(&bytes)) {
                Ok(()) => {
                    flow.tx.advance(n);
                    return Ok(true);
                }
                Err(crate::NetError::Full) => 0,
                Err(error) => return Err(error),
            }
        }
    };
    debug_assert!(wrote <= room);
    flow.tx.advance(wrote);
    Ok(wrote == n)
}

fn random(rng: &mut fastrand::Rng, most: Duration) -> Duration {
    Duration::from_micros(rng.u64(..=u64::try_from(most.as_micros()).unwrap_or(u64::MAX)))
}

impl Service for Streams {
    type Conn = Flow;

    fn start(&mut self, net: &mut impl Net) {
        for at in self.listen.clone() {
            if let Err(error) = net.listen(at) {
                self.violation(net.now(), error);
            }
        }
        self.open_due(net);
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<Flow> {
        if !self.listen.iter().any(|at| at.port == info.local.port() && at.token == info.token) {
            self.violation(net.now(), format!("{id}: accepted where nobody listens: {info:?}"));
        }
        let mut flow = self.flow(*info, false, false);
        self.pump(net, id, &mut flow);
        Streams::arm(net, id, &mut flow);
        Some(flow)
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<Flow> {
        let Some(open) = self.pending.remove(&id).map(|open| self.opens[open]) else {
            self.violation(net.now(), format!("{id}: connected, but was not opened: {result:?}"));
            return None;
        };
        self.live -= 1;
        match result {
            Ok(info) => {
                let mut flow = self.flow(*info, true, open.from_port != 0);
                self.pump(net, id, &mut flow);
                Streams::arm(net, id, &mut flow);
                Some(flow)
            }
            Err(error) => {
                self.records.push(Record::failed(&open, error, net.now()));
                None
            }
        }
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow, rx: &mut Rx<'_>) {
        if flow.side == Side::Closed || flow.eof || rx.remaining() == 0 {
            let (side, eof, n) = (flow.side, flow.eof, rx.remaining());
            self.violation(net.now(), format!("{id}: data of {n} bytes, {side:?}, eof {eof}"));
        }
        self.read(net, id, flow, rx);
        if !give_up(net, id, flow) {
            self.pump(net, id, flow);
        }
        Streams::arm(net, id, flow);
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        if flow.eof || flow.side == Side::Closed {
            let side = flow.side;
            self.violation(net.now(), format!("{id}: end of file again, or after close ({side:?})"));
        }
        flow.eof = true;
        if flow.side == Side::ShutDown {
            flow.side = Side::Closed;
            net.close(id);
        } else {
            self.pump(net, id, flow);
        }
        Streams::arm(net, id, flow);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        if net.room(id) == 0 && flow.side == Side::Open {
            self.violation(net.now(), format!("{id}: writable without room"));
        }
        self.pump(net, id, flow);
        Streams::arm(net, id, flow);
    }

    fn timer(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        let now = net.now();
        match flow.armed.take() {
            Some(at) if at <= now && now.since(at) <= TIMER_SLACK => {}
            other => self.violation(now, format!("{id}: a timer that was set to {other:?}")),
        }
        if flow.read_at.is_some_and(|at| at <= now) {
            flow.read_at = None;
            net.resume(id);
        }
        if flow.write_at.is_some_and(|at| at <= now) {
            flow.write_at = None;
            self.pump(net, id, flow);
        }
        Streams::arm(net, id, flow);
    }

    fn closed(&mut self, net: &mut impl Net, _: ConnId, flow: Flow, why: CloseReason) {
        self.live -= 1;
        self.records.push(Record {
            local: Some(flow.info.local),
            peer: flow.info.peer,
            active: flow.active,
            chosen_port: flow.chosen_port,
            ending: flow.ending,
            tx_nonce: flow.tx.nonce(),
            rx_nonce: flow.rx.nonce(),
            planned: flow.planned,
            written: flow.tx.position(),
            read: flow.rx.position(),
            eof: flow.eof,
            gave_up: flow.gave_up,
            end: Ok(why),
            at: net.now(),
        });
    }

    fn turn(&mut self, net: &mut impl Net) {
        self.open_due(net);
    }

    fn deadline(&self) -> Option<Instant> {
        self.opens.get(self.opened).map(|open| open.at)
    }
}
