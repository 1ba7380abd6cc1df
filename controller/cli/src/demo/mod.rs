//! `ferroflow demo`: a controller at work, without rights, network or switches.
//!
//! Three acts, each on a fresh pair of stacks joined by a pipe in memory: hosts ping each other through the
//! controller, then cbench asks one packet_in at a time (latency), then as many as fit (throughput).

mod stage;
mod table;

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use cbench::load::{Load, Snapshot};
use cbench::network::{Emulated, NetworkSnapshot};
use cbench::options::Options;
use cbench::switch::dialect::Dialect;
use cbench::switch::emulated::EmulatedConfig;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::DemoArgs;
use stage::{Stage, Totals};

/// Emulated switches in the first act, and hosts at each.
const SWITCHES: u8 = 4;
const HOSTS: u8 = 4;
/// cbench's switches and MAC addresses per switch.
const LOAD_SWITCHES: u32 = 16;
const LOAD_MACS: u32 = 1000;
/// How long the pings may take; they need a fraction of it.
const PING_PATIENCE: Duration = Duration::from_secs(5);
/// How long after its nominal end a load may still run.
const LOAD_PATIENCE: Duration = Duration::from_secs(3);

/// What the demo found out.
pub(super) struct Findings {
    pub(super) pings: NetworkSnapshot,
    pub(super) latency: Snapshot,
    pub(super) throughput: Snapshot,
    pub(super) latency_totals: Totals,
    pub(super) throughput_totals: Totals,
    pub(super) ping_totals: Totals,
    pub(super) cores: usize,
}

/// Runs the three acts and prints a table.
///
/// # Errors
/// When one of them did not come to its end, or something in it did not happen.
pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let bar = ProgressBar::new(100);
    bar.set_style(ProgressStyle::with_template("{spinner} {msg:<52} [{bar:30}] {elapsed}")?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let (pings, ping_totals) = pings(args, &bar)?;
    let (latency, latency_totals) = load(args, &bar, false)?;
    let (throughput, throughput_totals) = load(args, &bar, true)?;
    bar.finish_and_clear();
    let findings = Findings {
        pings,
        latency,
        throughput,
        latency_totals,
        throughput_totals,
        ping_totals,
        cores: args.cores,
    };
    table::print(&findings)?;
    judge(&findings)
}

/// Every host pings every other on its switch; half of the switches speak 1.0, half 1.3; half of them buffer.
fn pings(args: &DemoArgs, bar: &ProgressBar) -> anyhow::Result<(NetworkSnapshot, Totals)> {
    bar.set_message(format!("{SWITCHES} switches, {HOSTS} hosts each: everyone pings everyone"));
    let switches = (1..=SWITCHES).map(|n| EmulatedConfig {
        version: if n % 2 == 0 { Dialect::V13 } else { Dialect::V10 },
        n_buffers: if n <= SWITCHES / 2 { 0 } else { 256 },
        ..EmulatedConfig::with_hosts(n.into(), HOSTS)
    });
    let network = Emulated::new(stage::CONTROLLER, switches.collect()).ping_all();
    let progress = network.progress();
    let stage = Stage::open(args.cores, network)?;
    let begun = Instant::now();
    while !progress.pings_done() && begun.elapsed() < PING_PATIENCE && !stage.has_failed() {
        std::thread::sleep(Duration::from_millis(20));
        let now = progress.snapshot();
        bar.set_position((now.pings_answered * 10).checked_div(now.pings_wanted).unwrap_or(0));
    }
    let totals = stage.close()?;
    Ok((progress.snapshot(), totals))
}

/// cbench in one of its modes, for the seconds asked for and one of warm-up.
fn load(args: &DemoArgs, bar: &ProgressBar, throughput: bool) -> anyhow::Result<(Snapshot, Totals)> {
    let mode = if throughput { "throughput" } else { "latency" };
    bar.set_message(format!("cbench, {LOAD_SWITCHES} switches, {mode} mode"));
    let options = Options {
        switches: LOAD_SWITCHES,
        macs: LOAD_MACS,
        loops: args.seconds + 1,
        ms_per_test: 1000,
        warmup: 1,
        throughput,
        ..Options::default()
    };
    let loops = options.loops;
    let load = Load::new(options, stage::CONTROLLER);
    let progress = load.progress();
    let stage = Stage::open(args.cores, load)?;
    let begun = Instant::now();
    let nominal = Duration::from_millis(1100) * loops;
    while !progress.is_finished() && begun.elapsed() < nominal + LOAD_PATIENCE && !stage.has_failed() {
        std::thread::sleep(Duration::from_millis(50));
        let part = begun.elapsed().as_secs_f64() / nominal.as_secs_f64();
        let start = if throughput { 55.0 } else { 10.0 };
        bar.set_position((start + 45.0 * part.min(1.0)) as u64);
    }
    let totals = stage.close()?;
    Ok((progress.snapshot(), totals))
}

/// Whether all of it happened.
fn judge(f: &Findings) -> anyhow::Result<()> {
    let p = &f.pings;
    ensure!(
        p.pings_wanted > 0 && p.pings_answered == p.pings_wanted,
        "{} of {} pings were answered",
        p.pings_answered,
        p.pings_wanted
    );
    ensure!(p.flows_added() > 0, "no flow was installed");
    for totals in [&f.ping_totals, &f.latency_totals, &f.throughput_totals] {
        ensure!(totals.flow_mods > 0, "the controller installed no flow");
    }
    for (mode, snapshot) in [("latency", &f.latency), ("throughput", &f.throughput)] {
        if let Some(why) = &snapshot.failure {
            bail!("the load in {mode} mode came to no result: {why}");
        }
        ensure!(snapshot.finished, "the load in {mode} mode did not end in time");
        ensure!(
            snapshot.summaries.first().is_some_and(|s| s.min > 0.0),
            "the load in {mode} mode was not answered"
        );
    }
    ensure!(f.latency.latency.is_some(), "no round trip was measured");
    Ok(())
}
