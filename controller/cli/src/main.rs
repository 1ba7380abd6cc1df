//! The `ferroflow` command: runs an OpenFlow controller, or shows one at work; decodes and encodes its messages.
#![forbid(unsafe_code)]

mod args;
mod codec;
mod control;
mod demo;
mod doctor;
mod entropy;
mod log;
mod run;
mod top;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A progress bar and a log do not go together on one screen.
    let level = if matches!(cli.command, Command::Demo(_)) { "warn" } else { "info" };
    log::init(cli.log.as_deref(), level);
    let result = match &cli.command {
        Command::Run(args) => run::run(args).map(|()| ExitCode::SUCCESS),
        Command::Demo(args) => demo::run(args).map(|()| ExitCode::SUCCESS),
        Command::Doctor(args) => doctor::run(args).map(|()| ExitCode::SUCCESS),
        Command::Top(args) => top::run(args).map(|()| ExitCode::SUCCESS),
        Command::Decode(args) => codec::decode(args),
        Command::Encode(args) => codec::encode(args),
    };
    result.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "ferroflow: {error:#}");
        match cli.command {
            Command::Run(_) | Command::Demo(_) | Command::Doctor(_) | Command::Top(_) => ExitCode::FAILURE,
            Command::Decode(_) | Command::Encode(_) => ExitCode::from(codec::WRONG),
        }
    })
}
