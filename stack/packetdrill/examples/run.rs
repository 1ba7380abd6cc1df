//! Runs packet scripts: `cargo run -p ferroflow-packetdrill --example run -- script.pkt...`
#![allow(clippy::print_stdout, reason = "a program's output")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut failed = 0;
    for path in std::env::args().skip(1) {
        let verdict = std::fs::read_to_string(&path)
            .map_err(|e| format!(" {e}"))
            .and_then(|text| ferroflow_packetdrill::script::run(&text).map_err(|e| e.to_string()));
        match verdict {
            Ok(report) => {
                println!("ok {path} ({} checked, {:.3} s)", report.checked, report.took as f64 / 1e6);
            }
            Err(why) => {
                failed += 1;
                println!("FAILED {path}:{why}");
            }
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
