//! The command line of [`cbench::wan`].
#![forbid(unsafe_code)]

mod bulk;
mod fairness;
mod flood;
mod grid;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::ensure;
use cbench::lab::{Need, require};
use clap::{Parser, Subcommand};

use bulk::BulkArgs;
use fairness::FairnessArgs;
use flood::FloodArgs;
use grid::GridArgs;

/// Compares the project's TCP with the kernel's over a relay that delays, loses and reorders.
///
/// Needs Linux, root, /dev/net/tun, and the programs ip and ethtool. Everything runs in network namespaces that are made
/// for the run and removed after it; the program gives itself the highest ordinary priority. Exit status: 0 when what was wanted is reached, 1 when not, 2 when it could not be
/// measured.
#[derive(Debug, Parser)]
#[command(name = "wan", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Goodput by loss, round trip and reordering, the stack against the kernel
    ///
    /// Each cell is a way of 200 Mbit/s with a queue of one bandwidth-delay product (at least 64 KiB) that drops at its tail;
    /// loss and reordering hit both directions. The kernel sends to the kernel, and the stack sends and receives as client and
    /// as server, with the same seeds; the time counts at the receiver from the established connection on. Transfers
    /// that are expected to take less than half of the rate run side by side.
    Grid(Box<GridArgs>),
    /// A flow of the stack and one of the kernel share a bottleneck of 50 Mbit/s and 20 ms
    Fairness(FairnessArgs),
    /// The stack as a server while SYNs from random sources pour in
    ///
    /// Beside the flood a client of the kernel keeps an upload and a download going, and every 500 ms another connects and
    /// wants an answer.
    Flood(FloodArgs),
    /// One connection as fast as it goes over TAP with offloads, against kernel to kernel over veth
    ///
    /// There is no relay here: what is compared is what a byte costs. Before it is measured, every byte of a stream each way is
    /// compared with what it has to be.
    Bulk(BulkArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Grid(args) => grid::run(args),
        Command::Fairness(args) => fairness::run(args),
        Command::Flood(args) => flood::run(args),
        Command::Bulk(args) => bulk::run(args),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            let _ = writeln!(io::stderr(), "wan: {e:#}");
            ExitCode::from(2)
        }
    }
}

/// Before anything is measured: the rights, and a place before other work on the machine.
fn prepare() -> anyhow::Result<()> {
    ensure!(
        require(&[Need::Root, Need::Tun, Need::Command("ip"), Need::Command("ethtool")]),
        "it cannot run on this machine"
    );
    // What is measured is the stacks, not their neighbours. A real-time priority would measure better still, but a thread
    // that spins for any reason would then hold the whole machine.
    let _ = rustix::process::setpriority_process(None, -20);
    Ok(())
}

/// A counter by its name; 0 if it is not there.
fn named(counters: &[(String, u64)], name: &str) -> u64 {
    counters.iter().find(|(n, _)| n == name).map_or(0, |(_, value)| *value)
}
