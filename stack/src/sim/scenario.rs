//! A whole net from one seed, and what has to hold in it whatever happens:
//!
//! * what is read is a prefix of what was written, byte by byte;
//! * after an orderly end, or a reader's end of file, or a writer's [`CloseReason::Finished`], it is all of it;
//! * no connection hangs for ever, and none times out without faults that explain it;
//! * afterwards the net falls silent, and nothing is left: no connection, no buffer, no frame.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::stream::{Ending, Mix, Open, Record, Streams};
use super::{LinkConfig, NodeId, SimNet, SimPortConfig};
use crate::net::Listen;
use crate::service::{CloseReason, ConnectError};
use crate::tcp::Keepalive;
use crate::time::Instant;

/// What goes wrong in a net.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weather {
    /// Nothing.
    Clear,
    /// Up to 2% of everything.
    Fair,
    /// Up to 20% loss and reordering, 10% duplicates, 2% damage.
    Storm,
    /// Little bandwidth and short queues.
    Narrow,
    /// Hosts that vanish, some for good.
    Outage,
    /// Tables that are too small for all the connections.
    Crowded,
    /// A stranger who knows addresses and ports but no sequence numbers, and sends garbage.
    Hostile,
}

impl Weather {
    /// Every one.
    pub const ALL: [Weather; 7] = [
        Weather::Clear,
        Weather::Fair,
        Weather::Storm,
        Weather::Narrow,
        Weather::Outage,
        Weather::Crowded,
        Weather::Hostile,
    ];

    /// Opens may fail, connections may time out.
    fn is_rough(self) -> bool {
        matches!(self, Weather::Storm | Weather::Outage | Weather::Crowded)
    }

    /// Resets and acknowledgements may be lost: only keepalive finds out what happened.
    fn is_clear(self) -> bool {
        matches!(self, Weather::Clear | Weather::Crowded)
    }
}

/// What a scenario came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// What went wrong in it.
    pub weather: Weather,
    /// When the last connection was over.
    pub done_at: Instant,
    /// Frames sent.
    pub frames: u64,
    /// Turns of all hosts.
    pub turns: u64,
    /// Connections opened, successfully or not.
    pub opens: usize,
    /// Bytes read by all.
    pub bytes: u64,
    /// Ends of connections that timed out, as a storm may make them.
    pub timed_out: usize,
}

/// A scenario that broke a rule: a bug, to be replayed by its seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What went wrong in the net.
    pub weather: Weather,
    /// Which rules were broken, and how.
    pub what: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} ({:?}):", self.seed, self.weather)?;
        self.what.iter().try_for_each(|what| writeln!(f, "  {what}"))
    }
}

/// Connections must be over by then.
const DONE_BY: Instant = Instant::from_secs(3600);
/// TIME_WAIT and ARP must be over by then.
const SILENT_BY: Instant = Instant::from_secs(8 * 3600);

/// Runs the scenario of a seed.
///
/// # Errors
/// Every rule that was broken.
pub fn run(seed: u64) -> Result<Report, Failure> {
    Scenario::new(seed).run()
}

/// Runs the scenario of a seed and tells `line` about every frame.
///
/// # Errors
/// Every rule that was broken.
pub fn run_traced(seed: u64, line: impl FnMut(&str) + 'static) -> Result<Report, Failure> {
    let mut scenario = Scenario::new(seed);
    scenario.net.trace(line);
    scenario.run()
}

/// A host leaves the net, and perhaps comes back.
#[derive(Debug, Clone, Copy)]
struct Outage {
    node: NodeId,
    from: Instant,
    to: Instant,
}

struct Scenario {
    seed: u64,
    weather: Weather,
    net: SimNet<Streams>,
    hosts: Vec<NodeId>,
    outages: Vec<Outage>,
    opens: usize,
    what: Vec<String>,
}

impl Scenario {
    fn new(seed: u64) -> Scenario {
        // Neighbouring seeds are to have nothing in common.
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed);
        let weather = match rng.u32(..100) {
            0..15 => Weather::Clear,
            15..35 => Weather::Fair,
            35..60 => Weather::Storm,
            60..72 => Weather::Narrow,
            72..82 => Weather::Outage,
            82..92 => Weather::Crowded,
            _ => Weather::Hostile,
        };
        let mut net = SimNet::new(rng.u64(..));
        net.watch();
        let mix = mix(&mut rng, weather);
        let count = rng.usize(2..=4);
        let plans = opens(&mut rng, weather, count);
        let opens = plans.iter().map(Vec::len).sum();
        let hosts: Vec<_> = plans
            .into_iter()
            .map(|plan| {
                let config = config(&mut rng, weather, &mut net);
                let port = port(&mut rng, weather);
                let backlog = if weather == Weather::Crowded { rng.u32(1..4) } else { 1024 };
                let listen =
                    [80, 81].map(|port| Listen { token: u64::from(port), backlog, ..Listen::on(port) });
                let streams = Streams::new(listen.to_vec(), plan, mix.clone(), rng.u64(..));
                let link = link(&mut rng, weather);
                net.add_host_with(config, port, link, streams)
            })
            .collect();
        let outages = if weather == Weather::Outage { outages(&mut rng, &hosts) } else { Vec::new() };
        Scenario { seed, weather, net, hosts, outages, opens, what: Vec::new() }
    }

    fn run(mut self) -> Result<Report, Failure> {
        let hosts = self.hosts.clone();
        let outages = std::mem::take(&mut self.outages);
        let mut stranger = (self.weather == Weather::Hostile).then(|| Stranger::new(self.seed));
        let result = self.net.run_until(DONE_BY, |net| {
            if let Some(stranger) = &mut stranger {
                stranger.act(net);
            }
            for outage in &outages {
                net.plug(outage.node, !(outage.from..outage.to).contains(&net.now()));
            }
            hosts.iter().all(|&host| net.host(host).service().is_done())
        });
        let done_at = self.net.now();
        if let Err(error) = result {
            self.broken(format!("the connections are not over: {error}"));
            self.list_live();
        } else if let Err(error) = self.net.run_to_silence(SILENT_BY) {
            self.broken(format!("the net does not fall silent: {error}"));
        } else {
            self.nothing_is_left();
        }
        for rule in self.net.broken_rules().to_vec() {
            self.broken(format!("broken rule: {rule}"));
        }
        let records = self.records();
        self.each_record(&records);
        self.pairs(&records);
        if self.what.is_empty() { Ok(self.report(done_at, &records)) } else { Err(self.failure()) }
    }

    fn failure(self) -> Failure {
        Failure { seed: self.seed, weather: self.weather, what: self.what }
    }

    fn report(&self, done_at: Instant, records: &[Record]) -> Report {
        let timed_out = records
            .iter()
            .filter(|r| matches!(r.end, Ok(CloseReason::TimedOut) | Err(ConnectError::TimedOut)))
            .count();
        Report {
            weather: self.weather,
            done_at,
            frames: self.net.frames(),
            turns: self.net.turns(),
            opens: self.opens,
            bytes: records.iter().map(|r| r.read).sum(),
            timed_out,
        }
    }

    fn broken(&mut self, what: String) {
        if self.what.len() < 20 {
            self.what.push(what);
        }
    }

    fn records(&self) -> Vec<Record> {
        self.hosts.iter().flat_map(|&host| self.net.host(host).service().records().to_vec()).collect()
    }

    fn list_live(&mut self) {
        for host in self.hosts.clone() {
            let stack = self.net.host(host);
            let (live, conns) = (stack.service().live(), stack.conns());
            self.broken(format!(
                "{}: {live} connections of the service, {conns} of the stack",
                self.net.address(host)
            ));
        }
    }

    fn nothing_is_left(&mut self) {
        for host in self.hosts.clone() {
            let stack = self.net.host(host);
            let counters = stack.counters();
            let closed = counters.tcp_closed + counters.tcp_refused_by_service;
            let left = [
                ("connections", stack.conns() as u64),
                ("connections in TIME_WAIT", stack.time_waits() as u64),
                ("bytes of buffers", stack.memory() as u64),
                ("frames", (stack.port().allocated_held() + stack.port().received_held()) as u64),
                ("connections without an end", counters.tcp_accepted + counters.tcp_connected - closed),
            ];
            for (name, n) in left.into_iter().filter(|&(_, n)| n > 0) {
                self.broken(format!("{}: {n} {name} left", self.net.address(host)));
            }
        }
    }

    /// What each end knows by itself.
    fn each_record(&mut self, records: &[Record]) {
        for host in self.hosts.clone() {
            for violation in self.net.host(host).service().violations().to_vec() {
                self.broken(format!("{}: {violation}", self.net.address(host)));
            }
        }
        for r in records {
            let orderly = r.ending.is_orderly();
            if r.end == Ok(CloseReason::Finished) && orderly && (!r.eof || r.written < r.planned) {
                self.broken(format!("finished without an end of file, or before all was written: {r:?}"));
            }
            // A close that cannot deliver what still arrives is a reset (RFC 9293 3.6.1).
            if r.end == Ok(CloseReason::Aborted) && !r.gave_up {
                self.broken(format!("aborted, but not by the service: {r:?}"));
            }
            if matches!(r.end, Ok(CloseReason::NoResources)) {
                self.broken(format!("out of resources: {r:?}"));
            }
            let timed_out = matches!(r.end, Ok(CloseReason::TimedOut) | Err(ConnectError::TimedOut));
            // A stranger can break a handshake, but nothing that is established.
            let broken = self.weather == Weather::Hostile && r.end.is_err();
            if timed_out && !self.weather.is_rough() && !r.gave_up && !broken {
                self.broken(format!("timed out in {:?} weather: {r:?}", self.weather));
            }
            if let Err(error) = r.end {
                self.failed_open(r, error);
            }
        }
    }

    fn failed_open(&mut self, r: &Record, error: ConnectError) {
        let expected = if self.hosts.iter().all(|&host| self.net.address(host) != r.peer.ip()) {
            error == ConnectError::Unreachable
        } else if r.chosen_port {
            // Opens that should cross may miss each other.
            true
        } else {
            // Three ARP requests or their answers may be lost in a row.
            let lossy = matches!(self.weather, Weather::Fair | Weather::Narrow);
            (error == ConnectError::Refused && r.peer.port() == CLOSED_PORT)
                || (error == ConnectError::Unreachable && lossy)
        };
        // A stranger who is lucky in time can break a handshake: that is TCP.
        if !expected && !self.weather.is_rough() && self.weather != Weather::Hostile {
            self.broken(format!("open failed ({error}): {r:?}"));
        }
    }

    /// What both ends of a connection have to agree on.
    fn pairs(&mut self, records: &[Record]) {
        let by_nonce: HashMap<u64, &Record> = records.iter().map(|r| (r.tx_nonce, r)).collect();
        for reader in records {
            let Some(nonce) = reader.rx_nonce else { continue };
            match by_nonce.get(&nonce) {
                Some(writer) => self.direction(writer, reader),
                // The writer's record is missing only if it hangs, which is told already.
                None if self.what.is_empty() => self.broken(format!("read what nobody wrote: {reader:?}")),
                None => {}
            }
        }
        let read: HashMap<u64, &Record> = records.iter().filter_map(|r| Some((r.rx_nonce?, r))).collect();
        for writer in records.iter().filter(|w| w.written > 0 && w.end == Ok(CloseReason::Finished)) {
            if writer.ending.is_orderly()
                && !read.contains_key(&writer.tx_nonce)
                && !self.may_be_unread(writer)
            {
                self.broken(format!("finished, but nobody has read it: {writer:?}"));
            }
        }
    }

    /// Whether the peer of a writer that finished may have read nothing at all: it gave up at once. Its
    /// record cannot be told from others', so any that did will do.
    fn may_be_unread(&self, writer: &Record) -> bool {
        let peers = self.records();
        peers.iter().any(|r| r.gave_up && r.rx_nonce.is_none() && r.local == Some(writer.peer))
    }

    fn direction(&mut self, w: &Record, r: &Record) {
        let mut wrong = Vec::new();
        if r.read > w.written {
            wrong.push("more was read than written");
        }
        if r.eof && r.read != w.written {
            wrong.push("end of file before all was read");
        }
        // A reset takes with it what the reader has not looked at yet (RFC 9293 3.10.7.4); so does giving up.
        let cut = matches!(r.end, Ok(CloseReason::Reset | CloseReason::TimedOut)) && self.weather.is_rough();
        if w.end == Ok(CloseReason::Finished) && !r.gave_up && !cut && r.read != w.written {
            wrong.push("the writer finished, but not all was read");
        }
        let orderly = w.ending.is_orderly() && r.ending.is_orderly();
        if orderly && !self.weather.is_rough() {
            if r.end != Ok(CloseReason::Finished) {
                wrong.push("both sides were orderly, but the reader's end was not");
            } else if r.read != w.planned {
                wrong.push("both sides were orderly, but not all was written and read");
            }
        }
        for wrong in wrong {
            self.broken(format!("{wrong}:\n    writer {w:?}\n    reader {r:?}"));
        }
    }
}

/// Sends what an attacker can who is not on the path.
struct Stranger {
    rng: fastrand::Rng,
}

impl Stranger {
    fn new(seed: u64) -> Stranger {
        Stranger { rng: fastrand::Rng::with_seed(seed ^ 0xbad) }
    }

    fn act(&mut self, net: &mut SimNet<Streams>) {
        if self.rng.u32(..4) != 0 || net.recent_frames().is_empty() {
            return;
        }
        let frames = net.recent_frames();
        let mut frame = frames[self.rng.usize(..frames.len())].clone();
        if self.rng.bool() {
            self.damage(&mut frame);
        } else if !self.forge(&mut frame) {
            return;
        }
        net.inject(frame);
    }

    /// Another header or length, with a checksum that does not match, or too few bytes. The address stays.
    fn damage(&mut self, frame: &mut Vec<u8>) {
        if self.rng.bool() {
            frame.truncate(self.rng.usize(14..frame.len()));
            return;
        }
        for _ in 0..self.rng.usize(1..4) {
            let at = self.rng.usize(14..frame.len().min(60));
            frame[at] = self.rng.u8(..);
        }
        if super::trace::check(frame).is_ok() {
            frame.truncate(20); // a lucky one would be no damage
        }
    }

    /// A segment between the same ports with numbers out of the blue: a reset, a SYN, data, anything.
    fn forge(&mut self, frame: &mut [u8]) -> bool {
        const TCP: usize = 34;
        if frame.len() < TCP + 20 || frame[23] != 6 {
            return false;
        }
        let (src, dst) = (&frame[26..30], &frame[30..34]);
        let address = |b: &[u8]| std::net::Ipv4Addr::new(b[0], b[1], b[2], b[3]);
        let (src, dst) = (address(src), address(dst));
        let segment = &mut frame[TCP..];
        segment[4..8].copy_from_slice(&self.rng.u32(..).to_be_bytes());
        segment[8..12].copy_from_slice(&self.rng.u32(..).to_be_bytes());
        segment[13] = pick(&mut self.rng, &[0x02, 0x04, 0x14, 0x10, 0x11, 0x18, 0x12, 0x00, 0xff]);
        ferroflow_wire::tcp::fill_checksum(segment, src, dst).is_ok()
    }
}

/// Nobody listens there.
const CLOSED_PORT: u16 = 9;

fn pick<T: Copy>(rng: &mut fastrand::Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

fn mix(rng: &mut fastrand::Rng, weather: Weather) -> Mix {
    use Ending::{Abort, AfterPeer, Close, CloseEarly, Shutdown};
    let sizes: &[u64] = if weather == Weather::Storm {
        &[16, 1000, 8_000, 40_000]
    } else {
        &[16, 2_000, 40_000, 200_000, 1_000_000]
    };
    let ms =
        |rng: &mut fastrand::Rng, most| Duration::from_millis(if rng.bool() { 0 } else { rng.u64(..most) });
    let chunk = pick(rng, &[1, 50, 536, 1460, 5_000, 70_000]);
    Mix {
        // Bytes written one by one, with pauses, take their time.
        bytes: pick(rng, sizes).min(chunk as u64 * 600),
        chunk,
        write_pause: ms(rng, 400),
        read_pause: ms(rng, 800),
        stall: Duration::from_secs(if rng.u32(..4) == 0 { 200 } else { 0 }),
        endings: match rng.u32(..4) {
            0 | 1 => vec![Shutdown, AfterPeer],
            2 => vec![Shutdown, AfterPeer, Close, CloseEarly, Abort],
            _ => vec![Close, CloseEarly, Abort],
        },
    }
}

fn probability(rng: &mut fastrand::Rng, most: f64) -> f64 {
    if rng.u32(..4) == 0 { 0.0 } else { rng.f64() * most }
}

fn link(rng: &mut fastrand::Rng, weather: Weather) -> LinkConfig {
    let delay = Duration::from_micros(pick(rng, &[0, 50, 1_000, 10_000, 100_000]));
    let jitter = if rng.bool() { Duration::ZERO } else { delay / 4 };
    let clean = LinkConfig { delay, jitter, ..LinkConfig::default() };
    let (loss, reorder, duplicate, corrupt) = match weather {
        Weather::Clear | Weather::Outage | Weather::Crowded | Weather::Hostile => (0.0, 0.0, 0.0, 0.0),
        Weather::Narrow => {
            let bits_per_second = Some(pick(rng, &[1_000_000, 5_000_000, 50_000_000]));
            let queue_bytes = pick(rng, &[16_000, 30_000, 200_000]);
            return LinkConfig { bits_per_second, queue_bytes, ..clean };
        }
        Weather::Fair => (0.02, 0.02, 0.02, 0.005),
        Weather::Storm => (0.2, 0.2, 0.1, 0.02),
    };
    LinkConfig {
        loss: probability(rng, loss),
        reorder: probability(rng, reorder),
        // Some come so late that they are of another connection by then.
        reorder_by: Duration::from_millis(rng.u64(1..60) * pick(rng, &[1, 1, 1, 50, 500])),
        duplicate: probability(rng, duplicate),
        corrupt: probability(rng, corrupt),
        ..clean
    }
}

fn port(rng: &mut fastrand::Rng, weather: Weather) -> SimPortConfig {
    SimPortConfig {
        mtu: if weather == Weather::Narrow { 1500 } else { pick(rng, &[576, 1280, 1500, 1500, 9000]) },
        frames: pick(rng, &[2, 16, 256]),
        tx_per_turn: pick(rng, &[3, 64, 256]),
        rx_queue: if weather == Weather::Storm { pick(rng, &[8, 1024]) } else { 1024 },
        tx_gso: pick(rng, &[0, 0, 5_000, 65_535]),
    }
}

fn config(rng: &mut fastrand::Rng, weather: Weather, net: &mut SimNet<Streams>) -> crate::config::Config {
    let mut config = net.next_config();
    let tcp = &mut config.tcp;
    tcp.send_buffer = 1 << rng.u32(12..20);
    tcp.recv_buffer = 1 << rng.u32(12..20);
    tcp.nagle = rng.bool();
    tcp.timestamps = rng.u32(..3) > 0;
    tcp.window_scaling = rng.u32(..3) > 0;
    tcp.initial_window = pick(rng, &[1, 2, 10]);
    // Longer than any reader pauses (`Mix::stall`): what was written before a close must arrive.
    tcp.linger = Duration::from_secs(600);
    tcp.max_gaps = pick(rng, &[1, 4, 64]);
    // A lost reset leaves the other side waiting for one that is gone: only keepalive finds out.
    if weather == Weather::Crowded {
        tcp.max_conns = rng.usize(1..=6);
        tcp.max_time_wait = rng.usize(1..=4);
    }
    tcp.keepalive = (!weather.is_clear() || rng.bool()).then_some(Keepalive {
        idle: Duration::from_secs(30),
        interval: Duration::from_secs(5),
        probes: 8,
    });
    config.burst = pick(rng, &[1, 8, 64]);
    config.send_budget = pick(rng, &[1_000, 64 * 1024]);
    config
}

/// What every host opens: most of it to each other, some where nobody listens or nobody is.
fn opens(rng: &mut fastrand::Rng, weather: Weather, hosts: usize) -> Vec<Vec<Open>> {
    let address = |host: usize| std::net::Ipv4Addr::new(10, 0, 0, host as u8 + 1);
    // More connections than the queue holds segments starve each other for minutes: that is congestion, and no bug.
    let storm = rng.u32(..10) == 0 && weather != Weather::Narrow;
    let (count, span_ms) = if storm { (rng.usize(20..=80), 10) } else { (rng.usize(1..=8), 3_000) };
    let mut plans = vec![Vec::new(); hosts];
    for _ in 0..count {
        let from = rng.usize(..hosts);
        let other = (from + rng.usize(1..hosts)) % hosts;
        let at = Instant::from_millis(rng.u64(..span_ms));
        let (ip, port) = match rng.u32(..24) {
            0 => (address(other), CLOSED_PORT),
            1 => (std::net::Ipv4Addr::new(10, 0, 200, 1), 80),
            _ => (address(other), pick(rng, &[80, 81])),
        };
        plans[from].push(Open { at, to: (ip, port).into(), from_port: 0 });
    }
    if rng.u32(..6) == 0 {
        crossing(rng, &mut plans, address);
    }
    if rng.u32(..4) == 0 {
        again(rng, &mut plans, address);
    }
    plans
}

/// Two hosts that open the same connection to each other at the same time (RFC 9293 3.5, figure 7).
fn crossing(rng: &mut fastrand::Rng, plans: &mut [Vec<Open>], address: impl Fn(usize) -> std::net::Ipv4Addr) {
    let at = Instant::from_millis(rng.u64(..3_000));
    plans[0].push(Open { at, to: (address(1), 7001).into(), from_port: 7000 });
    plans[1].push(Open { at, to: (address(0), 7000).into(), from_port: 7001 });
}

/// The same ports again and again: connections that meet what is left of the one before.
fn again(rng: &mut fastrand::Rng, plans: &mut [Vec<Open>], address: impl Fn(usize) -> std::net::Ipv4Addr) {
    let from = rng.usize(..plans.len());
    let to = (address((from + 1) % plans.len()), 80).into();
    let spacing_ms = pick(rng, &[50, 1_000, 20_000]);
    for n in 0..rng.u64(2..8) {
        let at = Instant::from_millis(n * spacing_ms + rng.u64(..spacing_ms));
        plans[from].push(Open { at, to, from_port: 7100 });
    }
}

fn outages(rng: &mut fastrand::Rng, hosts: &[NodeId]) -> Vec<Outage> {
    (0..rng.usize(1..=3))
        .map(|_| {
            let from = Instant::from_millis(rng.u64(..5_000));
            let for_good = rng.u32(..4) == 0;
            let to = if for_good { Instant::FAR } else { from + Duration::from_millis(rng.u64(10..200_000)) };
            Outage { node: pick(rng, hosts), from, to }
        })
        .collect()
}
