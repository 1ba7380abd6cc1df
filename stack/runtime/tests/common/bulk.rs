//! Both sides send a long stream and check the one they get, byte for byte.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Listen, Net, Rx, Service,
};

/// A stream repeats these bytes; the length divides neither segments nor buffers, so that a shift is seen.
pub fn block() -> Arc<[u8]> {
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x as u8
    };
    std::iter::repeat_with(next).take(1_000_003).collect()
}

/// Where a stream is.
#[derive(Debug, Default)]
pub struct Stream {
    at: u64,
}

impl Stream {
    /// What comes next, at most `left` bytes.
    fn next<'a>(&self, block: &'a [u8], total: u64) -> &'a [u8] {
        let off = (self.at % block.len() as u64) as usize;
        let left = usize::try_from(total - self.at).unwrap_or(usize::MAX);
        &block[off..block.len().min(off.saturating_add(left))]
    }

    /// Whether `data` is what comes next; goes on behind it.
    fn check(&mut self, block: &[u8], mut data: &[u8]) -> bool {
        while !data.is_empty() {
            let want = self.next(block, u64::MAX);
            let n = want.len().min(data.len());
            if want[..n] != data[..n] {
                return false;
            }
            self.at += n as u64;
            data = &data[n..];
        }
        true
    }
}

/// What came of the connections.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    /// Streams received in full and right, that ended in order.
    pub good: usize,
    /// What went wrong.
    pub bad: Vec<String>,
}

/// Waits until so many connections have ended well; `test` is for the message.
pub fn expect(test: impl Debug, outcome: &Mutex<Outcome>, good: usize) {
    let start = Instant::now();
    loop {
        let now = outcome.lock().unwrap().clone();
        assert!(now.bad.is_empty(), "{:?} (and {} good): {test:?}", now.bad, now.good);
        if now.good == good {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{} of {good} ended well: {test:?}", now.good);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The stack's side: listens, or connects `conns` times.
pub struct Bulk {
    pub listen: Option<u16>,
    pub connect: Option<(SocketAddr, usize)>,
    pub total: u64,
    pub block: Arc<[u8]>,
    pub outcome: Arc<Mutex<Outcome>>,
}

pub struct BulkConn {
    out: Stream,
    into: Stream,
    eof: bool,
    wrong: bool,
}

impl Bulk {
    /// Listens; streams of `total` bytes each way.
    pub fn server(port: u16, total: u64, outcome: &Arc<Mutex<Outcome>>) -> Bulk {
        Bulk { listen: Some(port), connect: None, total, block: block(), outcome: outcome.clone() }
    }

    /// Connects `conns` times.
    pub fn client(to: SocketAddr, conns: usize, total: u64, outcome: &Arc<Mutex<Outcome>>) -> Bulk {
        Bulk { listen: None, connect: Some((to, conns)), total, block: block(), outcome: outcome.clone() }
    }

    fn pump(&self, net: &mut impl Net, id: ConnId, conn: &mut BulkConn) {
        while conn.out.at < self.total {
            match net.send(id, conn.out.next(&self.block, self.total)) {
                Ok(n) if n > 0 => conn.out.at += n as u64,
                _ => return,
            }
        }
        if conn.eof {
            net.close(id);
        } else {
            net.shutdown(id);
        }
    }

    fn begin(&self, net: &mut impl Net, id: ConnId) -> BulkConn {
        let mut conn = BulkConn { out: Stream::default(), into: Stream::default(), eof: false, wrong: false };
        self.pump(net, id, &mut conn);
        conn
    }
}

impl Service for Bulk {
    type Conn = BulkConn;

    fn start(&mut self, net: &mut impl Net) {
        if let Some(port) = self.listen {
            net.listen(Listen::on(port)).unwrap();
        }
        if let Some((to, conns)) = self.connect {
            for _ in 0..conns {
                net.connect(to, ConnectOptions::default()).unwrap();
            }
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, _: &ConnInfo) -> Option<BulkConn> {
        Some(self.begin(net, id))
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        r: Result<&ConnInfo, ConnectError>,
    ) -> Option<BulkConn> {
        match r {
            Ok(_) => Some(self.begin(net, id)),
            Err(e) => {
                self.outcome.lock().unwrap().bad.push(format!("connect: {e}"));
                None
            }
        }
    }

    fn data(&mut self, _: &mut impl Net, _: ConnId, conn: &mut BulkConn, rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            conn.wrong |= !conn.into.check(&self.block, rx.chunk());
            rx.advance(rx.chunk().len());
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut BulkConn) {
        conn.eof = true;
        if conn.out.at == self.total {
            net.close(id);
        }
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut BulkConn) {
        self.pump(net, id, conn);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, conn: BulkConn, why: CloseReason) {
        let mut outcome = self.outcome.lock().unwrap();
        if why == CloseReason::Finished && !conn.wrong && conn.eof && conn.into.at == self.total {
            outcome.good += 1;
        } else {
            outcome.bad.push(format!(
                "{why:?}, wrong {}, eof {}, {} in, {} out of {}",
                conn.wrong, conn.eof, conn.into.at, conn.out.at, self.total
            ));
        }
    }
}

/// The kernel's side of one connection: sends and checks at once, and panics on what is wrong.
pub fn exchange(stream: TcpStream, total: u64, block: &Arc<[u8]>) {
    let mut writer = stream.try_clone().unwrap();
    let out = block.clone();
    let sender = std::thread::Builder::new().stack_size(64 << 10);
    let sender = sender.spawn(move || {
        let mut position = Stream::default();
        while position.at < total {
            let n = writer.write(position.next(&out, total)).expect("write");
            position.at += n as u64;
        }
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut position = Stream::default();
    let mut buf = vec![0; if total > 1 << 20 { 256 << 10 } else { 4 << 10 }];
    let mut reader = stream;
    loop {
        let n = reader.read(&mut buf).unwrap_or_else(|e| panic!("read after {} bytes: {e}", position.at));
        if n == 0 {
            break;
        }
        assert!(position.check(block, &buf[..n]), "wrong bytes within {n} after {}", position.at);
    }
    sender.unwrap().join().unwrap();
    assert_eq!(position.at, total);
}
