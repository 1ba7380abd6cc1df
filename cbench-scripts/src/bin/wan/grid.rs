//! `wan grid`.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use cbench::wan::grid::{self, Cell, Plan, RATE};
use cbench::wan::kernel::{CONGESTION_CONTROL, KernelHost};
use cbench::wan::table::{self, Verdict};
use cbench::wan::transfer::{CPU_US, Outcome, Roles, Tuning};
use clap::Args;

use crate::named;

#[derive(Debug, Args)]
pub struct GridArgs {
    /// How many cells: all 30, or a fixed choice of 12
    #[arg(long, value_name = "N", default_value = "30", value_parser = ["12", "30"])]
    cells: String,
    /// Twelve cells with 32 MiB or 3 s each, once: within two minutes
    #[arg(long)]
    small: bool,
    /// Only cells like this: loss=3,rtt=10,reorder=0 (each part may be left out)
    #[arg(long, value_name = "CELL", value_parser = parse_only)]
    only: Option<Only>,
    /// Only these roles of the stack: client-sends, server-sends, client-receives, server-receives
    #[arg(long, value_name = "ROLE", value_delimiter = ',', value_parser = parse_role)]
    roles: Vec<Roles>,
    /// Most MiB of a transfer
    #[arg(long, value_name = "MIB")]
    mib: Option<u64>,
    /// Most seconds of a transfer
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Transfers of each kind; the median counts
    #[arg(long, value_name = "N")]
    repeat: Option<usize>,
    /// Transfers of a kind whose results are more than 25% apart, at most
    #[arg(long, value_name = "N")]
    repeat_max: Option<usize>,
    /// All faults follow from it
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Per cent of frames that come twice
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    duplicate: f64,
    /// Most transfers side by side
    #[arg(long, value_name = "N", default_value_t = 12)]
    at_once: usize,
    /// Wanted: the geometric mean of the ratios
    #[arg(long, value_name = "RATIO", default_value_t = 0.9)]
    want_mean: f64,
    /// Wanted: the smallest ratio
    #[arg(long, value_name = "RATIO", default_value_t = 0.7)]
    want_min: f64,
    /// The stack's send ring per connection, in KiB (its default otherwise)
    #[arg(long, value_name = "KIB")]
    send_buffer: Option<usize>,
    /// The stack's receive buffer per connection, in KiB (its default otherwise)
    #[arg(long, value_name = "KIB")]
    recv_buffer: Option<usize>,
    /// Write the table with all counters as TSV to this file
    #[arg(long, value_name = "FILE")]
    tsv: Option<PathBuf>,
    /// Write what passes both ends of every transfer to pcap files in this folder
    #[arg(long, value_name = "DIR")]
    pcap: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Only {
    loss: Option<f64>,
    rtt: Option<u64>,
    reorder: Option<f64>,
}

impl Only {
    fn has(&self, cell: &Cell) -> bool {
        self.loss.is_none_or(|v| v == cell.loss)
            && self.rtt.is_none_or(|v| v == cell.rtt)
            && self.reorder.is_none_or(|v| v == cell.reorder)
    }
}

fn parse_only(text: &str) -> Result<Only, String> {
    let mut only = Only::default();
    for part in text.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part}: expected name=number"))?;
        let number: f64 = value.parse().map_err(|_| format!("{value} is no number"))?;
        match name {
            "loss" => only.loss = Some(number),
            "rtt" => only.rtt = Some(number as u64),
            "reorder" => only.reorder = Some(number),
            _ => return Err(format!("{name}? There are loss, rtt and reorder")),
        }
    }
    Ok(only)
}

fn parse_role(text: &str) -> Result<Roles, String> {
    Roles::OURS.into_iter().find(|r| r.to_string() == text).ok_or_else(|| format!("there is no role {text}"))
}

impl GridArgs {
    fn plan(&self) -> anyhow::Result<Plan> {
        let mut cells = if self.small || self.cells == "12" { Cell::twelve() } else { Cell::all() };
        if let Some(only) = &self.only {
            cells = Cell::all();
            cells.retain(|cell| only.has(cell));
        }
        ensure!(!cells.is_empty(), "--only leaves no cell");
        let (mib, seconds, repeat) = if self.small { (32, 3.0, 1) } else { (64, 20.0, 3) };
        let repeat = self.repeat.unwrap_or(repeat).max(1);
        if let Some(folder) = &self.pcap {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        Ok(Plan {
            cells,
            roles: if self.roles.is_empty() { Roles::OURS.into() } else { self.roles.clone() },
            bytes: self.mib.unwrap_or(mib) << 20,
            limit: Duration::try_from_secs_f64(self.seconds.unwrap_or(seconds)).context("--seconds")?,
            repeat,
            repeat_max: self.repeat_max.unwrap_or(if self.small { repeat } else { repeat + 4 }),
            seed: self.seed,
            duplicate: self.duplicate / 100.0,
            at_once: self.at_once.max(1),
            tuning: Tuning {
                send_buffer: self.send_buffer.map(|k| k << 10),
                recv_buffer: self.recv_buffer.map(|k| k << 10),
            },
            captures: self.pcap.clone(),
        })
    }
}

/// Runs it; whether what was wanted is reached.
pub fn run(args: &GridArgs) -> anyhow::Result<bool> {
    crate::prepare()?;
    let plan = args.plan()?;
    let mut out = io::stdout();
    writeln!(out, "{}", heading(&plan)?)?;
    let started = Instant::now();
    let results = grid::run(&plan, |cell, roles, outcome| progress(started, cell, roles, outcome));
    let rows = table::rows(&plan, &results);
    write!(out, "{}", table::markdown(&plan, &rows))?;
    for ((cell, roles), series) in &results {
        for why in &series.failures {
            writeln!(out, "\nFailed: {:?} {roles}: {why}", plan.cells[*cell])?;
        }
    }
    if let Some(path) = &args.tsv {
        std::fs::write(path, table::tsv(&plan, &rows)).with_context(|| path.display().to_string())?;
    }
    let verdict = Verdict::of(&rows);
    writeln!(
        out,
        "\nGeometric mean {:.3} (wanted {}), minimum {:.3} (wanted {}), {} comparisons in {:.0} s.",
        verdict.mean,
        args.want_mean,
        verdict.min,
        args.want_min,
        rows.len(),
        started.elapsed().as_secs_f64()
    )?;
    Ok(verdict.mean >= args.want_mean && verdict.min >= args.want_min)
}

/// What the figures depend on.
fn heading(plan: &Plan) -> anyhow::Result<String> {
    let (host, _port) = KernelHost::new(Ipv4Addr::new(10, 78, 0, 1))?;
    let settings: Vec<String> =
        host.settings()?.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    Ok(format!(
        "{} Mbit/s, {} MiB or {:?}, {} to {} transfers of each kind, seed {}, {:?}.\nLinux {kernel}: {CONGESTION_CONTROL}, {}.\n",
        RATE / 1_000_000,
        plan.bytes >> 20,
        plan.limit,
        plan.repeat,
        plan.repeat_max,
        plan.seed,
        plan.tuning,
        settings.join(", ")
    ))
}

fn progress(started: Instant, cell: &Cell, roles: Roles, outcome: &anyhow::Result<Outcome>) {
    let at = started.elapsed().as_secs_f64();
    let what = format!("loss {}% rtt {} ms reorder {}% {roles}", cell.loss, cell.rtt, cell.reorder);
    let line = match outcome {
        Err(e) => format!("{at:7.1} s  {what}: {e:#}"),
        Ok(o) => {
            let relay = &o.relay;
            let data = relay.paths.first().copied().unwrap_or_default();
            format!(
                "{at:7.1} s  {what}: {:.2} Mbit/s ({} bytes in {:.2} s); lost {}, queue full {}, late {}; relay tardy \
                 {:.2}%, at most {:?}, {:?} CPU, stack {:.3} s{}",
                o.received.goodput(),
                o.received.bytes,
                o.received.elapsed.as_secs_f64(),
                data.lost,
                data.queue_full,
                data.late,
                relay.tardiness() * 100.0,
                relay.latest,
                relay.cpu_time,
                (named(&o.sender, CPU_US) + named(&o.receiver, CPU_US)) as f64 / 1e6,
                if relay.refused.iter().any(|&n| n > 0) || relay.paths.iter().any(|p| p.no_room > 0) {
                    format!(" REFUSED {:?} {:?}", relay.refused, relay.paths)
                } else {
                    String::new()
                }
            )
        }
    };
    let _ = writeln!(io::stderr(), "{line}");
}
