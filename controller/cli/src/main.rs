//! The `ferroflow` command: runs an OpenFlow controller, or shows one at work.
#![forbid(unsafe_code)]

mod args;
mod demo;
mod entropy;
mod log;
mod run;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A progress bar and a log do not go together on one screen.
    let level = if matches!(cli.command, Command::Demo(_)) { "warn" } else { "info" };
    log::init(cli.log.as_deref(), level);
    let result = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ferroflow: {error:#}");
            ExitCode::FAILURE
        }
    }
}
