//! That nothing is shared, shown: whole instances, each with its load, over pipes in memory.
//!
//! `cargo run --release -p cbench --example shared_nothing -- COMMAND`; `instructions` is to be run under
//! `valgrind --tool=callgrind`, `lines` under `valgrind --tool=lackey`: `cbench-scripts/scripts/shared_nothing.sh` does both
//! and judges. `scale` and `idle` need a quiet machine with two processors.
#![forbid(unsafe_code)]

mod idle;
mod instructions;
mod lines;
mod scale;
mod whole;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Instances that share nothing, measured.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Carries messages through so many instances, in one thread and in virtual time, for those who count instructions
    Instructions {
        /// Instances.
        #[arg(long)]
        instances: usize,
        /// Messages of each that are counted.
        #[arg(long, default_value_t = 8_000)]
        messages: u64,
    },
    /// Runs two cores, one at a time, for those who look at their memory accesses: see `shared-lines`
    Lines {
        /// Where to write the addresses of the marks.
        #[arg(long)]
        marks: PathBuf,
        /// Turns of each core that are looked at.
        #[arg(long, default_value_t = 60)]
        turns: u64,
    },
    /// Reads lackey's trace of `lines` on stdin, and says which cache lines a core accesses that another one writes
    SharedLines {
        /// The addresses of the marks.
        #[arg(long)]
        marks: PathBuf,
        /// Fail if there are more.
        #[arg(long, default_value_t = 0)]
        max: usize,
    },
    /// Compares two instances on two cores with one: the median of interleaved pairs
    Scale {
        /// Pairs.
        #[arg(long, default_value_t = 15)]
        rounds: usize,
        /// Milliseconds of each measurement.
        #[arg(long, default_value_t = 2_000)]
        ms: u64,
        /// Fail below this ratio.
        #[arg(long)]
        min: Option<f64>,
    },
    /// Compares the first response after silence with responses of a busy core: medians
    Idle {
        /// Responses of each kind.
        #[arg(long, default_value_t = 1_000)]
        rounds: usize,
        /// Milliseconds of silence before the first response.
        #[arg(long, default_value_t = 10)]
        silence: u64,
        /// Fail if the first response takes so many microseconds more.
        #[arg(long)]
        max: Option<f64>,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Instructions { instances, messages } => instructions::run(instances, messages),
        Command::Lines { marks, turns } => lines::run(&marks, turns),
        Command::SharedLines { marks, max } => lines::judge(&marks, max, std::io::stdin().lock()),
        Command::Scale { rounds, ms, min } => scale::run(rounds, ms, min),
        Command::Idle { rounds, silence, max } => idle::run(rounds, silence, max),
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn say(line: &str) {
    println!("{line}");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
