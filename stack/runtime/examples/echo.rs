//! An echo server on the stack over any port, or on the kernel's sockets: the same service on either.
//!
//!     cargo run --release -p ferroflow-runtime --example echo -- --port tap:ff0 --cores 1 --listen 7
//!     cargo run --release -p ferroflow-runtime --example echo -- --port kernel --listen 7007
//!     cargo run --release -p ferroflow-runtime --example echo --features netmap -- --port netmap:vale0:1 --listen 7
//!
//! The stack answers at 10.77.0.2, or with `xdp:` at the kernel's address on the interface; on TAP the kernel's side is
//! 10.77.0.1. It runs for --seconds N, or until it is killed.
//! --cpus 0,2-3 pins its cores to these processors; --idle sleep, spin or adaptive is what a core does that has nothing
//! to do. With --pcap FILE it writes its frames to FILE, for Wireshark.

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant as Wall};

use ferroflow_ports::{PortKind, PortSpec, Shared, Wanted};
use ferroflow_runtime::kernel::ListenGroup;
use ferroflow_runtime::{
    BesideEngine, CaptureFile, CoreReport, CpuList, Idle, Kernel, Machine, Options, Pin, PortEngine, Runtime,
    Steered, beside, kernel, steer,
};
use ferroflow_stack::port::Port;
use ferroflow_stack::port::pcap::Pcap;
use ferroflow_stack::steer::{Spread, Steer};
use ferroflow_stack::{
    CloseReason, Config, ConnId, ConnInfo, ConnectError, Instance, Listen, Net, Rx, Service,
};

/// Sends back what it gets.
struct Echo {
    port: u16,
    answer: Answer,
}

/// What it says to what it gets.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// The same.
    Echo,
    /// Nothing.
    Sink,
    /// `len` bytes for every `per` bytes: what a controller without a thought would do.
    Canned { per: usize, len: usize },
}

struct Conn {
    /// The last data did not fit: it comes again after `writable`.
    pending: bool,
    eof: bool,
    /// Bytes received of a message whose answer is still due.
    part: usize,
}

impl Service for Echo {
    type Conn = Conn;

    fn start(&mut self, net: &mut impl Net) {
        net.listen(Listen::on(self.port)).unwrap_or_else(|e| panic!("{e}"));
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<Conn> {
        Some(Conn { pending: false, eof: false, part: 0 })
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<Conn> {
        None
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Conn, rx: &mut Rx<'_>) {
        match self.answer {
            Answer::Echo => echo(net, id, rx),
            Answer::Sink => skip(rx),
            Answer::Canned { per, len } => canned(net, id, conn, rx, per, len),
        }
        conn.pending = rx.remaining() > 0;
        if conn.eof && !conn.pending {
            net.close(id);
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Conn) {
        conn.eof = true;
        if !conn.pending {
            net.close(id);
        }
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, _: &mut Conn) {
        net.resume(id);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, _: Conn, _: CloseReason) {}
}

fn echo(net: &mut impl Net, id: ConnId, rx: &mut Rx<'_>) {
    while !rx.chunk().is_empty() {
        match net.send(id, rx.chunk()) {
            Ok(n) if n > 0 => rx.advance(n),
            _ => return,
        }
    }
}

fn skip(rx: &mut Rx<'_>) {
    while !rx.chunk().is_empty() {
        rx.advance(rx.chunk().len());
    }
}

fn canned(net: &mut impl Net, id: ConnId, conn: &mut Conn, rx: &mut Rx<'_>, per: usize, len: usize) {
    while !rx.chunk().is_empty() {
        let n = rx.chunk().len().min(per - conn.part);
        if conn.part + n == per && net.send_with(id, len, |out| out.fill(0x5a)).is_err() {
            return;
        }
        conn.part = (conn.part + n) % per;
        rx.advance(n);
    }
}

struct Args {
    port: PortSpec,
    cores: Options,
    listen: u16,
    seconds: Option<u64>,
    answer: Answer,
    pcap: Option<PathBuf>,
}

fn args() -> Result<Args, Box<dyn Error>> {
    let mut parsed = Args {
        port: PortSpec::new(PortKind::Kernel),
        cores: Options::new(1),
        listen: 7007,
        seconds: None,
        answer: Answer::Echo,
        pcap: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--port" => parsed.port = value.parse()?,
            "--cores" => parsed.cores.cores = value.parse()?,
            "--cpus" => {
                let list: CpuList = value.parse()?;
                Machine::here().check(&list)?;
                parsed.cores.cores = list.0.len();
                parsed.cores.pin = Pin::To(list);
            }
            "--idle" => parsed.cores.idle = idle(&value)?,
            "--listen" => parsed.listen = value.parse()?,
            "--seconds" => parsed.seconds = Some(value.parse()?),
            "--answer" => parsed.answer = answer(&value)?,
            "--pcap" => parsed.pcap = Some(value.into()),
            _ => {
                let all = "--port, --cores, --cpus, --idle, --listen, --seconds, --answer and --pcap";
                return Err(format!("{flag}? There are {all}").into());
            }
        }
    }
    Ok(parsed)
}

fn idle(value: &str) -> Result<Idle, Box<dyn Error>> {
    match value {
        "sleep" => Ok(Idle::Sleep),
        "spin" => Ok(Idle::Spin),
        "adaptive" => Ok(Idle::Adaptive),
        _ => Err(format!("--idle {value}? Use sleep, spin or adaptive").into()),
    }
}

/// `echo`, `sink`, or `PER:LEN` for a canned answer.
fn answer(value: &str) -> Result<Answer, Box<dyn Error>> {
    match (value, value.split_once(':')) {
        ("echo", _) => Ok(Answer::Echo),
        ("sink", _) => Ok(Answer::Sink),
        (_, Some((per, len))) => Ok(Answer::Canned { per: per.parse::<usize>()?.max(1), len: len.parse()? }),
        _ => Err(format!("--answer {value}? Use echo, sink or PER:LEN").into()),
    }
}

type Counters = Vec<(&'static str, u64)>;

fn on_kernel(args: &Args) -> Result<Runtime<Counters>, Box<dyn Error>> {
    let group = ListenGroup::new();
    let (port, answer) = (args.listen, args.answer);
    let runtime = Runtime::spawn(
        &args.cores,
        |core| {
            let (config, waker) = (kernel::Config::new(group.clone(), core.index as u64), core.waker.clone());
            move || Ok(Kernel::new(config, waker, Echo { port, answer })?)
        },
        |engine: Kernel<Echo>| engine.counters().iter().collect::<Counters>(),
    )?;
    Ok(runtime)
}

fn on_stack(args: &Args) -> Result<(Runtime<Counters>, Option<CaptureFile>), Box<dyn Error>> {
    let host_address = Some((Ipv4Addr::new(10, 77, 0, 1), 24));
    let wanted = Wanted { host_address, beside: true, ..Wanted::new(args.cores.cores) };
    let opened = args.port.open(&wanted)?;
    opened.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let (ports, mac, shared, spread) = (opened.ports, opened.mac, opened.shared, opened.spread);
    let Some(path) = &args.pcap else { return Ok((on_ports(args, ports, mac, shared, &spread)?, None)) };
    let names: Vec<_> = (0..args.cores.cores).map(|queue| format!("{}/{queue}", opened.name)).collect();
    let (file, captures) = CaptureFile::create(path, "the echo example", &names, 0)?;
    let ports = ports.into_iter().zip(captures).map(|(port, capture)| Pcap::new(port, capture));
    Ok((on_ports(args, ports.collect(), mac, shared, &spread)?, Some(file)))
}

fn on_ports<P: Port + Send + 'static>(
    args: &Args,
    ports: Vec<P>,
    mac: [u8; 6],
    shared: Option<Shared>,
    spread: &Spread,
) -> Result<Runtime<Counters>, Box<dyn Error>> {
    let steer = |core, cores| Steer::with_spread(core, cores, spread);
    let mut ports = steer::join(ports, 256, steer).into_iter();
    let (listen, answer) = (args.listen, args.answer);
    if let Some(shared) = shared {
        return beside_the_kernel(args, ports, &shared);
    }
    let runtime = Runtime::spawn(
        &args.cores,
        |core| {
            let port = ports.next();
            let (waker, index) = (core.waker.clone(), core.index as u64);
            move || {
                let port = port.ok_or("a core without a port")?;
                port.attach(waker.clone());
                let seed = getrandom::u64()? ^ index;
                let mut config = Config::new(mac.into(), Ipv4Addr::new(10, 77, 0, 2), 24, seed);
                config.steer = port.steer().clone();
                Ok(PortEngine::new(Instance::new(config, port, Echo { port: listen, answer }), waker)?)
            }
        },
        |engine| engine.instance().counters().iter().collect::<Counters>(),
    )?;
    Ok(runtime)
}

/// On an interface with the kernel's address: what comes by other ways is served by the kernel's sockets.
fn beside_the_kernel<P: Port + Send + 'static>(
    args: &Args,
    mut ports: impl Iterator<Item = Steered<P>>,
    shared: &Shared,
) -> Result<Runtime<Counters>, Box<dyn Error>> {
    let (listen, answer) = (args.listen, args.answer);
    let group = beside::group(shared);
    let runtime = Runtime::spawn(
        &args.cores,
        |core| {
            let (port, shared, group) = (ports.next(), shared.clone(), group.clone());
            let (waker, index) = (core.waker.clone(), core.index as u64);
            move || {
                let port = port.ok_or("a core without a port")?;
                port.attach(waker.clone());
                let seed = getrandom::u64()? ^ index;
                let mut config = Config::new(shared.mac.into(), shared.address, shared.prefix_len, seed);
                config.steer = port.steer().clone();
                let (sockets, echo) = (kernel::Config::new(group, index), Echo { port: listen, answer });
                Ok(BesideEngine::new(config, port, shared, sockets, waker, echo)?)
            }
        },
        |engine| {
            let stacks = engine.instance().counters().iter();
            stacks.chain(engine.counters().iter()).collect::<Counters>()
        },
    )?;
    Ok(runtime)
}

#[allow(clippy::print_stdout, reason = "a program's output")]
fn report(started: Wall, reports: &[CoreReport<Counters>]) {
    println!("{:.1} s", started.elapsed().as_secs_f64());
    for r in reports {
        let (turns, sleeps) = (r.stats.turns(), r.stats.sleeps());
        println!("core {}: {:?} of processor time, {turns} turns, {sleeps} sleeps", r.core, r.cpu_time);
        for (name, value) in r.result.iter().filter(|(_, v)| *v > 0) {
            println!("  {name} {value}");
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let args = args()?;
    let (runtime, capture) = match args.port.kind {
        PortKind::Kernel => (on_kernel(&args)?, None),
        _ => on_stack(&args)?,
    };
    let started = Wall::now();
    if let Some(seconds) = args.seconds {
        let stop = runtime.stop_handle();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(seconds));
            stop.stop();
        });
    }
    let reports = runtime.join()?;
    capture.map_or(Ok(()), CaptureFile::finish)?;
    report(started, &reports);
    Ok(())
}
