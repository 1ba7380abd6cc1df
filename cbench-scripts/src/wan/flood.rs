//! The stack as a server in a SYN flood: who wants in still gets in, and who is in goes on.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ferroflow_stack::sim::LinkConfig;
use ferroflow_stack::{CloseReason, Config, ConnId, ConnInfo, ConnectError, Listen, Net, Rx, Service};

use super::kernel::{KernelHost, connect};
use super::ours::{Leaving, Stack};
use super::path::{Path, Way};
use super::relay::{Attachment, Relay, RelayReport, Side};
use super::stream::Stream;
use super::syn::{Flood, FloodReport};
use super::task::{Account, Open, Report, Role, Task};

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 2);
/// What the established client sends to.
const SINK: u16 = 5001;
/// What it receives from.
const SOURCE: u16 = 5002;
/// What is flooded, and where visitors want in.
const DOOR: u16 = 80;
/// The client's way to the server. The flood has one of its own, as wide as may be.
const WAY: Way = Way::clean(200_000_000, Duration::from_millis(2));
/// What the client reads a second.
const PACE: u64 = 8_000_000;
/// Transfers run so long before they are looked at.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long they are looked at before the flood.
const BEFORE: Duration = Duration::from_secs(5);
const EVERY: Duration = Duration::from_millis(500);
/// A visitor that has had no answer by then is turned away.
const PATIENCE: Duration = Duration::from_millis(3500);

/// A flood to be stood.
#[derive(Debug, Clone, Copy)]
pub struct Stand {
    /// SYNs a second.
    pub rate: u64,
    /// How long.
    pub time: Duration,
    /// Sources, sequence numbers and bytes are drawn from it.
    pub seed: u64,
}

/// A transfer's goodput, in Mbit/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goodput {
    /// Before the flood.
    pub before: f64,
    /// While it lasts.
    pub during: f64,
}

impl Goodput {
    /// What is left of it, from 0 to 1.
    pub fn kept(&self) -> f64 {
        self.during / self.before.max(1e-6)
    }
}

/// How the flood was stood.
#[derive(Debug, Clone)]
pub struct Stood {
    /// What was sent.
    pub flood: FloodReport,
    /// How long each visitor had to wait until it was answered; `None` = longer than 3.5 s.
    pub visits: Vec<Option<Duration>>,
    /// The client's upload.
    pub upload: Goodput,
    /// The client's download.
    pub download: Goodput,
    /// Share of the frames to the server that its port dropped, from 0 to 1.
    pub port_dropped: f64,
    /// By how many bytes the process grew from before the flood to its largest in it.
    pub grown: u64,
    /// What the stack left.
    pub stack: Leaving,
    /// What the relay did.
    pub relay: RelayReport,
}

impl Stood {
    /// Share of the visitors that got in in time.
    pub fn admitted(&self) -> f64 {
        let in_time = self.visits.iter().flatten().count();
        in_time as f64 / self.visits.len().max(1) as f64
    }
}

impl Stand {
    /// Runs it.
    ///
    /// # Errors
    /// When something cannot be set up, or an established transfer fails.
    pub fn run(&self) -> anyhow::Result<Stood> {
        let stream = Stream::new(self.seed);
        let whole = WARM_UP + BEFORE + self.time + Duration::from_secs(60);
        let to = |port| Open::Connect(SocketAddrV4::new(SERVER, port));
        let (upload, upload_reports) = Task::new(Role::Send, to(SINK), &stream, whole);
        let (download, download_reports) = Task::new(Role::Receive, to(SOURCE), &stream, whole);
        let download = Task { pace: Some(PACE), ..download };
        let counts = [&upload, &download].map(|task| Arc::clone(&task.progress));
        let stops = [&upload, &download].map(|task| Arc::clone(&task.stop));

        let server = Server { stream: stream.clone(), sink: upload.clone() };
        let (stack, right) = Stack::start(SERVER, self.seed, |_: &mut Config| (), server)?;
        let (client, left) = KernelHost::new(CLIENT)?;
        let (flood, source) = Flood::new(self.rate, self.seed, SocketAddrV4::new(SERVER, DOOR))?;
        let at = |port, side, path| Attachment { port, side, path, capture: None };
        let wide = LinkConfig { bits_per_second: None, delay: Duration::from_millis(1), ..WAY.link() };
        let paths = [WAY.link(), wide, LinkConfig { delay: Duration::ZERO, ..wide }]
            .map(|link| Path::new(link, self.seed));
        let attachments = vec![at(left, Side::Left, 0), at(source, Side::Left, 2), at(right, Side::Right, 1)];
        let relay = Relay::start(attachments, paths.into())?;
        let mut threads = vec![client.start(upload)?, client.start(download)?];

        std::thread::sleep(WARM_UP);
        let before = measure(&counts, BEFORE, |_| Ok(()))?;
        let mut memory = Memory::new()?;
        let flood = flood.start()?;
        let mut visits = Vec::new();
        let during = measure(&counts, self.time, |passed| {
            memory.look()?;
            if passed >= EVERY * (visits.len() as u32 + 1) {
                let seed = self.seed ^ visits.len() as u64;
                visits.push(client.visit(move || visit(seed)));
            }
            failures(&[&upload_reports, &download_reports])
        })?;
        let flood = flood.stop();
        let visits = visits.into_iter().map(|v| v.join().ok().and_then(Result::ok).flatten()).collect();
        stops.iter().for_each(|stop| stop.store(true, Ordering::Relaxed));
        let stack = stack.stop()?;
        for thread in threads.drain(..) {
            thread.join().map_err(|_| anyhow::anyhow!("a thread of the client panicked"))??;
        }
        let relay = relay.stop()?;
        let refused = relay.refused.last().copied().unwrap_or(0);
        let passed: u64 = [0, 2].iter().map(|&path| relay.paths[path].frames).sum();
        Ok(Stood {
            visits,
            upload: Goodput { before: before[0], during: during[0] },
            download: Goodput { before: before[1], during: during[1] },
            port_dropped: (refused + flood.refused) as f64 / (passed + flood.refused).max(1) as f64,
            grown: memory.grown(),
            flood,
            stack,
            relay,
        })
    }
}

/// Mbit/s of each count over `time`; `tick` is called every few milliseconds with the time passed.
fn measure(
    counts: &[Arc<AtomicU64>; 2],
    time: Duration,
    mut tick: impl FnMut(Duration) -> anyhow::Result<()>,
) -> anyhow::Result<[f64; 2]> {
    let read = || counts.each_ref().map(|count| count.load(Ordering::Relaxed));
    let (start, first) = (Instant::now(), read());
    while start.elapsed() < time {
        std::thread::sleep(Duration::from_millis(5));
        tick(start.elapsed())?;
    }
    let (passed, last) = (start.elapsed().as_secs_f64(), read());
    Ok([0, 1].map(|i| (last[i] - first[i]) as f64 * 8.0 / 1e6 / passed))
}

fn failures(reports: &[&Receiver<Report>]) -> anyhow::Result<()> {
    for report in reports.iter().flat_map(|r| r.try_iter()) {
        if let Report::Failed(what) = report {
            bail!("an established transfer failed: {what}");
        }
    }
    Ok(())
}

/// How long it takes to connect and to be answered.
fn visit(seed: u64) -> Option<Duration> {
    let start = Instant::now();
    let word = seed.to_be_bytes();
    let ask = || -> io::Result<()> {
        let mut stream = connect(SocketAddrV4::new(SERVER, DOOR), PATIENCE)?;
        let left = PATIENCE.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left))?;
        stream.write_all(&word)?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer)?;
        if answer == word { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    };
    ask().ok().map(|()| start.elapsed()).filter(|&took| took <= PATIENCE)
}

/// Resident memory of this process.
struct Memory {
    first: u64,
    most: u64,
}

impl Memory {
    fn new() -> anyhow::Result<Memory> {
        let first = resident()?;
        Ok(Memory { first, most: first })
    }

    fn look(&mut self) -> anyhow::Result<()> {
        self.most = self.most.max(resident()?);
        Ok(())
    }

    fn grown(&self) -> u64 {
        self.most - self.first
    }
}

/// The second field of proc(5)'s statm, in pages.
fn resident() -> anyhow::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split_whitespace().nth(1).context("statm")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// What the stack serves.
struct Server {
    stream: Stream,
    /// The client's upload, to be checked and counted.
    sink: Task,
}

/// What a connection is for.
enum Serving {
    Sink(Account),
    Source(u64),
    Visitor,
}

impl Server {
    fn pump(&self, net: &mut impl Net, id: ConnId, sent: &mut u64) {
        while let Ok(n) = net.send(id, self.stream.at(*sent, u64::MAX))
            && n > 0
        {
            *sent += n as u64;
        }
    }
}

impl Service for Server {
    type Conn = Serving;

    fn start(&mut self, net: &mut impl Net) {
        for port in [SINK, SOURCE, DOOR] {
            if let Err(e) = net.listen(Listen { token: port.into(), ..Listen::on(port) }) {
                self.sink.failed(e);
            }
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<Serving> {
        match info.local.port() {
            SINK => Some(Serving::Sink(Account::default())),
            SOURCE => {
                let mut sent = 0;
                self.pump(net, id, &mut sent);
                Some(Serving::Source(sent))
            }
            _ => Some(Serving::Visitor),
        }
    }

    fn connected(
        &mut self,
        _: &mut impl Net,
        _: ConnId,
        _: Result<&ConnInfo, ConnectError>,
    ) -> Option<Serving> {
        None
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Serving, rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            match conn {
                Serving::Sink(account) => account.take(&self.sink, rx.chunk()),
                Serving::Visitor => {
                    let _ = net.send(id, rx.chunk());
                }
                Serving::Source(_) => {}
            }
            rx.advance(rx.chunk().len());
        }
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Serving) {
        if let Serving::Source(sent) = conn {
            self.pump(net, id, sent);
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, _: &mut Serving) {
        net.close(id);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, conn: Serving, why: CloseReason) {
        if !matches!(conn, Serving::Visitor) {
            self.sink.failed(format!("an established connection ended: {why}"));
        }
    }
}
