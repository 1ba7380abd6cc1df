//! `wan fairness`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use cbench::wan::fairness::{Share, Shared, WAY};
use cbench::wan::transfer::Tuning;
use clap::Args;

use crate::named;

#[derive(Debug, Args)]
pub struct FairnessArgs {
    /// Seconds that the flows share the bottleneck
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u64,
    /// Microseconds of random delay on each way, so that it is not always the same flow whose frame meets the full queue
    #[arg(long, value_name = "US", default_value_t = 500)]
    jitter: u64,
    /// How often; the median of the ratios counts
    #[arg(long, value_name = "N", default_value_t = 5)]
    repeat: u64,
    /// The bytes and the stack's choices follow from it
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Wanted: the smallest ratio
    #[arg(long, value_name = "RATIO", default_value_t = 0.6)]
    want_min: f64,
    /// Wanted: the largest ratio
    #[arg(long, value_name = "RATIO", default_value_t = 1.6)]
    want_max: f64,
    /// Write what the receiver sees to a pcap file in this folder
    #[arg(long, value_name = "DIR")]
    pcap: Option<PathBuf>,
}

/// Runs it; whether what was wanted is reached.
pub fn run(args: &FairnessArgs) -> anyhow::Result<bool> {
    crate::prepare()?;
    let mut out = io::stdout();
    writeln!(
        out,
        "{} Mbit/s, {:?} round trip and up to {} us each way, a queue of {} bytes, {} s, CUBIC on both sides.\n",
        WAY.rate / 1_000_000,
        WAY.rtt,
        args.jitter,
        WAY.link().queue_bytes,
        args.seconds
    )?;
    if let Some(folder) = &args.pcap {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    writeln!(
        out,
        "| seed | kernel Mbit/s | stack Mbit/s | ratio | queue full |\n|---:|---:|---:|---:|---:|"
    )?;
    let mut ratios = Vec::new();
    for seed in args.seed..args.seed + args.repeat.max(1) {
        let capture = args.pcap.as_ref().map(|folder| folder.join(format!("fairness-{seed}.pcap")));
        let time = Duration::from_secs(args.seconds);
        let jitter = Duration::from_micros(args.jitter);
        let shared = Share { way: WAY, jitter, time, seed, tuning: Tuning::default(), capture }.run()?;
        let lost = shared.relay.paths.first().map_or(0, |path| path.queue_full);
        let (kernel, ours) = (shared.kernel.goodput(), shared.ours.goodput());
        writeln!(out, "| {seed} | {kernel:.2} | {ours:.2} | {:.2} | {lost} |", shared.ratio())?;
        say_counters(&shared);
        ratios.push(shared.ratio());
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    writeln!(out, "\nMedian {median:.3} (wanted {} to {}).", args.want_min, args.want_max)?;
    Ok((args.want_min..=args.want_max).contains(&median))
}

fn say_counters(shared: &Shared) {
    let kernel = ["TcpRetransSegs", "TcpExtTCPSackRecovery", "TcpExtTCPTimeouts"]
        .map(|name| named(&shared.kernel_counters, name));
    let ours = ["tcp_retransmitted", "tcp_sack_recovery", "tcp_timeouts"]
        .map(|name| named(&shared.our_counters, name));
    let _ = writeln!(
        io::stderr(),
        "resent, recoveries and time-outs: kernel {kernel:?}, stack {ours:?}; relay tardy {:.2}%, at most {:?}",
        shared.relay.tardiness() * 100.0,
        shared.relay.latest
    );
}
