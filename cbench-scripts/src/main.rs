//! The command line: a run over the kernel's sockets or shared memory, printed as the original prints it.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, bail};
use cbench::cpu::{Meter, Process, Spent};
use cbench::drive;
use cbench::load::{Event, Load};
use cbench::options::Options;
use cbench::report::{Report, latency_line};
use clap::Parser;
use ferroflow_ports::{PortKind, PortSpec, shm};
use ferroflow_stack::Config;

/// Measures an OpenFlow controller: emulated OpenFlow 1.0 switches ask it with packet_ins and count its answers.
///
/// Flags, defaults, counting and output are those of the original cbench, so that figures can be compared. Every
/// FLOW_MOD that adds or strictly modifies and every PACKET_OUT that does not carry LLDP counts: a controller that
/// answers a packet_in with both scores two. Unlike the original it sends without Nagle's delay, and gives the time of
/// day in UTC.
#[derive(Debug, Parser)]
#[command(name = "cbench", version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    /// Print the result as one JSON object on stdout, and the lines on stderr
    #[arg(long)]
    json: bool,
    /// The controller's process: print its CPU seconds in the counted loops, and responses per core-second
    #[arg(long, value_name = "PID")]
    ctl_pid: Option<u32>,
    /// Go to the controller without the kernel: through the memory that it shares at this port, for example
    /// shm:/run/ferroflow.sock
    #[arg(long, value_name = "PORT")]
    via: Option<PortSpec>,
    /// With --via: the address that the switches have, in a network of 24 bits
    #[arg(long, value_name = "ADDRESS", default_value = "10.77.0.1", requires = "via")]
    address: Ipv4Addr,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(io::stderr(), "cbench: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let options = &cli.options;
    options.check()?;
    let process = match cli.ctl_pid {
        Some(pid) => Some(Process::new(pid).with_context(|| format!("there is no process {pid}"))?),
        None => None,
    };
    let target = resolve(&options.controller, options.port)?;
    write!(io::stderr(), "{}", options.banner())?;
    let load = Load::new(options.clone(), target);
    let progress = load.progress();
    let spent = Arc::new(Mutex::new(Vec::new()));
    let watch = Watch { json: cli.json, meter: process.map(Meter::new), spent: Arc::clone(&spent) };
    let load = load.observe(watch.observer());
    match &cli.via {
        Some(port) => visit(port, cli.address, load)?,
        None => drop(drive::to_the_end(load)?),
    }
    let snapshot = progress.snapshot();
    for (kind, count) in &snapshot.ignored {
        writeln!(io::stderr(), "Ignoring OpenFlow message type {kind} ({count} times)")?;
    }
    if let Some(why) = snapshot.failure {
        bail!("{why}");
    }
    let mut lines: Box<dyn Write> = if cli.json { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    writeln!(lines, "{}", latency_line(snapshot.latency.as_ref(), options.throughput))?;
    if cli.json {
        let spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_writer(io::stdout(), &Report::new(options, &snapshot, &spent))?;
        writeln!(io::stdout())?;
    }
    Ok(())
}

/// Runs the load over the memory that the controller shares.
fn visit(port: &PortSpec, address: Ipv4Addr, load: Load) -> anyhow::Result<()> {
    let PortKind::Shm { path } = &port.kind else {
        bail!(
            "--via {port}: cbench uses the kernel's sockets, or memory that the controller shares (shm:PATH)"
        );
    };
    let port = shm::visit(path, 1).context("--via")?.pop().context("--via: there is no queue")?;
    let [a, b, c, d] = address.octets();
    // Locally administered, and the controller's is another.
    let mac = [0x02, 0x00, a, b, c, d];
    let seed = u64::from(std::process::id());
    drive::over_port(load, port.into(), Config::new(mac.into(), address, 24, seed))?;
    Ok(())
}

/// The first IPv4 address of `host`: the original speaks nothing else.
fn resolve(host: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let mut addresses =
        (host, port).to_socket_addrs().with_context(|| format!("cannot resolve the controller {host}"))?;
    addresses.find(SocketAddr::is_ipv4).with_context(|| format!("the controller {host} has no IPv4 address"))
}

/// Prints what happens, and reads the controller's CPU time around each counted loop.
struct Watch {
    json: bool,
    meter: Option<Meter>,
    spent: Arc<Mutex<Vec<Spent>>>,
}

impl Watch {
    fn observer(mut self) -> impl FnMut(Event<'_>) + Send + 'static {
        move |event| self.event(&event)
    }

    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::LoopStarted { counted, .. } => {
                if let Some(meter) = self.meter.as_mut().filter(|_| *counted) {
                    meter.start();
                }
            }
            Event::LoopEnded(result) => {
                if let Some(meter) = &mut self.meter {
                    meter.stop();
                }
                self.line(result.line(SystemTime::now()));
            }
            Event::TestEnded(summary) => {
                self.line(summary);
                if let Some(meter) = &mut self.meter {
                    let spent = Spent::new(summary.responses, meter.take());
                    self.line(spent);
                    self.spent.lock().unwrap_or_else(PoisonError::into_inner).push(spent);
                }
            }
        }
    }

    fn line(&self, line: impl Display) {
        // Whoever reads may have gone (`| head`): that does not end a run.
        let _ = if self.json { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
    }
}
