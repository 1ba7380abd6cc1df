//! `wan flood`.

use std::io::{self, Write};
use std::time::Duration;

use cbench::wan::flood::{Goodput, Stand, Stood};
use clap::Args;

#[derive(Debug, Args)]
pub struct FloodArgs {
    /// SYNs a second
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rate: u64,
    /// Seconds that it lasts
    #[arg(long, value_name = "S", default_value_t = 30)]
    seconds: u64,
    /// Sources and sequence numbers follow from it
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Wanted: per cent of the visitors that get in within 3.5 s
    #[arg(long, value_name = "PERCENT", default_value_t = 99.0)]
    want_admitted: f64,
    /// Wanted: per cent of their goodput that transfers keep, of what their port lets through
    #[arg(long, value_name = "PERCENT", default_value_t = 90.0)]
    want_goodput: f64,
    /// Wanted: MiB by which the process grows, at most
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    want_memory: u64,
}

/// Runs it; whether what was wanted is reached.
pub fn run(args: &FloodArgs) -> anyhow::Result<bool> {
    crate::prepare()?;
    let stood = Stand { rate: args.rate, time: Duration::from_secs(args.seconds), seed: args.seed }.run()?;
    print(&stood)?;
    let enough = |goodput: Goodput| {
        goodput.before > 1.0 && goodput.kept() >= args.want_goodput / 100.0 - stood.port_dropped
    };
    let sent = stood.flood.sent as f64 / stood.flood.time.as_secs_f64();
    let verdicts = [
        ("the flood was as fast as asked for", sent >= 0.95 * args.rate as f64),
        ("visitors", stood.admitted() >= args.want_admitted / 100.0),
        ("upload", enough(stood.upload)),
        ("download", enough(stood.download)),
        ("memory", stood.grown <= args.want_memory << 20),
    ];
    for (what, good) in verdicts {
        writeln!(io::stdout(), "{what}: {}", if good { "as wanted" } else { "NOT as wanted" })?;
    }
    Ok(verdicts.iter().all(|(_, good)| *good))
}

fn print(stood: &Stood) -> io::Result<()> {
    let mut out = io::stdout();
    let flood = &stood.flood;
    writeln!(
        out,
        "{} SYNs in {:.1} s ({:.0} a second), {} more that its port refused; {} frames came back.",
        flood.sent,
        flood.time.as_secs_f64(),
        flood.sent as f64 / flood.time.as_secs_f64(),
        flood.refused,
        flood.answers
    )?;
    let mut times: Vec<_> = stood.visits.iter().flatten().collect();
    times.sort_unstable();
    writeln!(
        out,
        "{} of {} visitors got in ({:.1}%); median {:?}, longest {:?}.",
        times.len(),
        stood.visits.len(),
        stood.admitted() * 100.0,
        times.get(times.len() / 2),
        times.last()
    )?;
    for (what, goodput) in [("Upload", stood.upload), ("Download", stood.download)] {
        let Goodput { before, during } = goodput;
        writeln!(out, "{what}: {before:.1} Mbit/s before, {during:.1} during ({:.2}).", goodput.kept())?;
    }
    writeln!(
        out,
        "The server's port dropped {:.3}% of the frames; the process grew by {:.1} MiB.",
        stood.port_dropped * 100.0,
        stood.grown as f64 / f64::from(1 << 20)
    )?;
    writeln!(out, "Relay: {:?}", stood.relay)?;
    let counters: Vec<String> = stood.stack.counters.iter().map(|(name, n)| format!("{name}={n}")).collect();
    writeln!(out, "Stack: {}", counters.join(" "))
}
