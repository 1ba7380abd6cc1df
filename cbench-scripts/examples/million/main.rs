//! A million idle connections: what an endpoint costs in memory, and what a packet to any of them costs in time.
//!
//! `cargo run --release -p cbench --example million`. One server instance, and clients with addresses of their own, in
//! one process and one thread, over pipes and in virtual time. Prints resident memory per endpoint (every connection
//! has two, and both are in this process), after all of them have exchanged data and fallen silent; then the time
//! that the server needs for packets to connections drawn from all, against packets to a hundred.
//!
//! Instructions: under `valgrind --tool=callgrind`, the functions `turn_among_few` and `turn_among_all` hold exactly the
//! server's turns of the two kinds, for as many packets each.
#![forbid(unsafe_code)]

mod peers;
mod trunk;

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use ferroflow_stack::config::Config;
use ferroflow_stack::instance::Instance;
use ferroflow_stack::net::{ConnectOptions, Net};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::time::Instant;
use ferroflow_wire::MacAddr;

use peers::{Client, PORTS, Server};
use trunk::{Trunk, client_mac};

/// What to build and to measure.
#[derive(Debug, Parser)]
struct Args {
    /// Connections; each has two endpoints in this process.
    #[arg(long, default_value_t = 1_000_000)]
    conns: usize,
    /// Client addresses.
    #[arg(long, default_value_t = 16)]
    clients: u8,
    /// Packets of each kind in each of the rounds.
    #[arg(long, default_value_t = 1_000_000)]
    packets: usize,
    /// Rounds; the ratio of times is their median.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Fail beyond this many bytes of resident memory per endpoint.
    #[arg(long)]
    max_bytes: Option<f64>,
    /// Fail if packets to any connection take more than this many times the time of packets to a hundred.
    #[arg(long)]
    max_time: Option<f64>,
    /// The server answers every request, instead of acknowledging it.
    #[arg(long)]
    answers: bool,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PREFIX: u8 = 8;
/// Frames taken at once, and packets sent before the server's next turn.
const BURST: usize = 64;
/// Connections that get packets when only a few do.
const FEW: usize = 100;
/// Bytes of one request.
const REQUEST: [u8; 64] = [7; 64];
/// Virtual time for a burst of packets.
const STEP: Duration = Duration::from_millis(10);
/// How long connections are silent before their memory is counted.
const SILENCE: Duration = Duration::from_secs(120);

struct World {
    now: Instant,
    server: Instance<Trunk, Server>,
    clients: Vec<Instance<PipePort, Client>>,
    rng: fastrand::Rng,
}

fn config(mac: MacAddr, address: Ipv4Addr, args: &Args, conns: usize) -> Config {
    let mut config = Config::new(mac, address, PREFIX, args.seed ^ u64::from(address.to_bits()));
    config.burst = BURST;
    config.tcp.max_conns = conns;
    // Every packet is answered in its turn, whether its connection gets many or few.
    config.tcp.delayed_ack = Duration::ZERO;
    config
}

impl World {
    fn new(args: &Args) -> World {
        let mut ends = Vec::new();
        let mut clients = Vec::new();
        for n in 0..args.clients {
            let (mut ours, mut theirs) = pipe::pair(PipeConfig { frames: BURST / 2, ..PipeConfig::new(1) });
            ends.append(&mut ours);
            let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 1, 0, 0).to_bits() + u32::from(n));
            let config = config(client_mac(n), address, args, args.conns);
            clients.extend(theirs.pop().map(|port| Instance::new(config, port, Client::default())));
        }
        let server = Server { answers: args.answers, ..Server::default() };
        let config = config(MacAddr([2, 0, 0, 0, 0, 1]), SERVER, args, args.conns);
        let server = Instance::new(config, Trunk::new(ends, BURST), server);
        let mut world =
            World { now: Instant::ZERO, server, clients, rng: fastrand::Rng::with_seed(args.seed) };
        world.server.start(world.now);
        for client in &mut world.clients {
            client.start(world.now);
        }
        world
    }

    fn run_clients(&mut self) -> anyhow::Result<bool> {
        let mut more = false;
        for client in &mut self.clients {
            let turn = client.turn(self.now)?;
            more |= turn.more || turn.frames > 0;
        }
        Ok(more)
    }

    /// Turns until nobody has anything to do at this time.
    fn settle(&mut self) -> anyhow::Result<()> {
        loop {
            let clients = self.run_clients()?;
            let turn = self.server.turn(self.now)?;
            if !clients && turn.frames == 0 && !turn.more {
                return Ok(());
            }
        }
    }

    fn established(&self) -> usize {
        self.clients.iter().map(|client| client.service().ids.len()).sum()
    }

    /// Opens all connections, and lets a request pass on each, so that every one has used its buffers.
    fn open(&mut self, args: &Args) -> anyhow::Result<()> {
        let mut opened = 0;
        while opened < args.conns {
            let first: Vec<usize> = self.clients.iter().map(|client| client.service().ids.len()).collect();
            for n in 0..(8 * BURST).min(args.conns - opened) {
                let client = opened % self.clients.len();
                let port = PORTS.start + (opened / self.clients.len() % PORTS.len()) as u16;
                let to = SocketAddr::from((SERVER, port));
                self.clients[client]
                    .with(|_, net| net.connect(to, ConnectOptions::default()))
                    .with_context(|| format!("connection {n} after {opened}"))?;
                opened += 1;
            }
            self.settle()?;
            for (client, first) in self.clients.iter_mut().zip(first) {
                client.with(|service, net| {
                    for &id in &service.ids[first..] {
                        net.sender(id).expect("it is open").write(&REQUEST);
                    }
                });
            }
            self.settle()?;
            self.now += 10 * STEP;
        }
        ensure!(self.established() == args.conns, "{} of {} connections", self.established(), args.conns);
        ensure!(self.server.conns() == args.conns, "{} at the server", self.server.conns());
        Ok(())
    }

    /// Nothing happens but what timers ask for.
    fn silence(&mut self) -> anyhow::Result<()> {
        let end = self.now + SILENCE;
        while self.now < end {
            self.now += 10 * STEP;
            self.settle()?;
        }
        Ok(())
    }

    /// A burst of requests to different connections among the first `among` of each client.
    fn requests(&mut self, among: usize) {
        let mut left = BURST;
        while left > 0 {
            let client = self.rng.usize(..self.clients.len());
            let World { clients, rng, .. } = self;
            left -= clients[client].with(|service, net| {
                let id = service.ids[rng.usize(..among.min(service.ids.len()))];
                let sender = net.sender(id).expect("it is open");
                // One with a request on its way gets no second.
                if sender.is_empty() { sender.write(&REQUEST).min(1) } else { 0 }
            });
        }
    }

    /// The time that the server takes for `packets` requests to connections among the first `among` of each client.
    fn packets(&mut self, packets: usize, among: usize) -> anyhow::Result<Duration> {
        let mut time = Duration::ZERO;
        let before = self.server.service().bytes;
        for _ in 0..packets / BURST {
            self.requests(among);
            self.run_clients()?;
            loop {
                let began = std::time::Instant::now();
                let turn = if among * self.clients.len() <= FEW + self.clients.len() {
                    turn_among_few(&mut self.server, self.now)?
                } else {
                    turn_among_all(&mut self.server, self.now)?
                };
                time += began.elapsed();
                if !self.run_clients()? && !turn {
                    break;
                }
            }
            self.now += STEP;
        }
        let bytes = self.server.service().bytes - before;
        ensure!(bytes == (packets / BURST * BURST * REQUEST.len()) as u64, "{bytes} bytes arrived");
        Ok(time)
    }
}

/// A function of its own for those who count instructions; the argument keeps it apart from the other.
#[inline(never)]
fn turn_among_few(server: &mut Instance<Trunk, Server>, now: Instant) -> anyhow::Result<bool> {
    black_box("few");
    let turn = server.turn(now)?;
    Ok(turn.frames > 0 || turn.more)
}

#[inline(never)]
fn turn_among_all(server: &mut Instance<Trunk, Server>, now: Instant) -> anyhow::Result<bool> {
    black_box("all");
    let turn = server.turn(now)?;
    Ok(turn.frames > 0 || turn.more)
}

/// Resident memory of this process, in bytes.
fn resident() -> anyhow::Result<f64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("resident memory: /proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib = line.split_whitespace().nth(1).context("no VmRSS")?;
    Ok(kib.parse::<f64>()? * 1024.0)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    ensure!(args.conns >= FEW && args.clients >= 1, "at least {FEW} connections and a client");
    let mut world = World::new(&args);
    world.settle()?;
    let before = resident()?;
    let began = std::time::Instant::now();
    world.open(&args)?;
    println!(
        "{} connections from {} addresses, seed {}: {:.1} s",
        args.conns,
        args.clients,
        args.seed,
        began.elapsed().as_secs_f64()
    );
    world.silence()?;
    let buffers = world.server.memory() + world.clients.iter().map(|c| c.memory()).sum::<usize>();
    let bytes = (resident()? - before) / (2 * args.conns) as f64;
    println!("memory: {bytes:.0} bytes per endpoint, {buffers} bytes in buffers");
    let few = FEW.div_ceil(world.clients.len());
    let mut ratios = Vec::new();
    for _ in 0..args.rounds {
        let [few, all] = [few, usize::MAX].map(|among| world.packets(args.packets, among));
        let (few, all) = (few?.as_secs_f64(), all?.as_secs_f64());
        let ns = |s: f64| s * 1e9 / args.packets as f64;
        println!("packets to few: {:.0} ns, to any: {:.0} ns, ratio {:.2}", ns(few), ns(all), all / few);
        ratios.push(all / few);
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or(1.0);
    println!("time: packets to any take {ratio:.2} times as long");
    ensure!(
        world.server.service().closed == 0 && world.clients.iter().all(|c| c.service().failed == 0),
        "some closed"
    );
    ensure!(args.max_bytes.is_none_or(|max| bytes <= max), "more than {:?} bytes", args.max_bytes);
    ensure!(args.max_time.is_none_or(|max| ratio <= max), "more than {:?} times the time", args.max_time);
    Ok(())
}
