//! `wan bulk`.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, ensure};
use cbench::wan::bulk::Bulk;
use cbench::wan::task::Role;
use clap::Args;

use crate::named;

/// Bytes that are compared, one by one, before anything is measured.
const CHECKED: u64 = 256 << 20;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub struct BulkArgs {
    /// Seconds of each stream
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    /// Pairs of streams in each direction; the median of their ratios counts
    #[arg(long, value_name = "N", default_value_t = 9)]
    repeat: u64,
    /// The bytes and the stack's choices follow from it
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Only this direction of the stack's
    #[arg(long, value_name = "WHAT", value_parser = ["receive", "send"])]
    only: Option<String>,
    /// Sender and receiver stay on a processor each, instead of where the kernel puts them
    #[arg(long)]
    pin: bool,
    /// The TAP interface has no offloads
    #[arg(long)]
    no_offload: bool,
    /// Wanted: of the kernel's goodput where the stack receives
    #[arg(long, value_name = "RATIO", default_value_t = 0.8)]
    want_receive: f64,
    /// Wanted: of the kernel's goodput where the stack sends
    #[arg(long, value_name = "RATIO", default_value_t = 0.6)]
    want_send: f64,
}

/// Runs it; whether what was wanted is reached.
pub fn run(args: &BulkArgs) -> anyhow::Result<bool> {
    crate::prepare()?;
    ensure!(args.repeat > 0, "--repeat 0 leaves nothing to measure");
    let time = Duration::try_from_secs_f64(args.seconds).context("--seconds")?;
    let offload = !args.no_offload;
    let bulk = Bulk { time, bytes: u64::MAX, check: false, pin: args.pin, offload, seed: args.seed };
    let mut out = io::stdout();
    writeln!(
        out,
        "One connection for {time:?}: the stack over TAP{}, and kernel to kernel over veth with TSO, one after the other.\n",
        if bulk.offload { " with offloads" } else { " without offloads" }
    )?;
    let checked = Bulk { bytes: CHECKED, check: true, time: PATIENCE, ..bulk };
    let directions = [("receive", Role::Receive, args.want_receive), ("send", Role::Send, args.want_send)];
    let mut good = true;
    for (what, role, want) in directions {
        if args.only.as_ref().is_some_and(|only| only != what) {
            continue;
        }
        let pairs = series(args, &bulk, &checked, role)?;
        let ratio = median(pairs.iter().map(|(kernel, ours)| ours / kernel));
        let most = |all: fn(&(f64, f64)) -> f64| pairs.iter().map(all).fold(0.0, f64::max);
        writeln!(
            out,
            "\nTo {what}: {ratio:.2} of the kernel's goodput, median of {} (wanted {want}); the best of each: {:.2}.\n",
            args.repeat,
            most(|pair| pair.1) / most(|pair| pair.0)
        )?;
        good &= ratio >= want;
    }
    Ok(good)
}

fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// All pairs of one direction: goodput from kernel to kernel, and the stack's.
fn series(args: &BulkArgs, bulk: &Bulk, checked: &Bulk, role: Role) -> anyhow::Result<Vec<(f64, f64)>> {
    let mut out = io::stdout();
    for bytes in [checked.kernels()?.bytes, checked.stack(role)?.0.bytes] {
        ensure!(bytes == CHECKED, "{bytes} of {CHECKED} bytes arrived in {PATIENCE:?}");
    }
    writeln!(
        out,
        "| the stack | kernel Mbit/s | stack Mbit/s | ratio | its core | resent |\n|---|---:|---:|---:|---:|---:|"
    )?;
    let mut pairs = Vec::new();
    for n in 0..args.repeat {
        // Whoever comes first may have it better, or worse: each does as often.
        let first = if n % 2 == 0 { Some(bulk.kernels()?) } else { None };
        let (ours, left) = bulk.stack(role)?;
        let kernel = match first {
            Some(kernel) => kernel,
            None => bulk.kernels()?,
        };
        let ratio = ours.goodput() / kernel.goodput();
        let what = if role == Role::Send { "sends" } else { "receives" };
        let busy = left.cpu_time.as_secs_f64() / ours.elapsed.as_secs_f64() * 100.0;
        let resent = named(&left.counters, "tcp_retransmitted");
        writeln!(
            out,
            "| {what} | {:.0} | {:.0} | {ratio:.2} | {busy:.0}% | {resent} |",
            kernel.goodput(),
            ours.goodput()
        )?;
        pairs.push((kernel.goodput(), ours.goodput()));
    }
    Ok(pairs)
}
