//! Do packetdrill and our runner say the same of every script?
//!
//! `cargo run -p ferroflow-packetdrill --example compare -- PACKETDRILL LIBRARY.so`
//!
//! PACKETDRILL is the program (github.com/google/packetdrill, built as its README says), LIBRARY.so this crate's
//! `libferroflow_packetdrill.so`. Our runner is stricter in a few things (see its documentation), so a script that is wrong may
//! pass there; none that passes here may fail there.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use ferroflow_packetdrill::script;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [packetdrill, library] = arguments.as_slice() else {
        println!("usage: compare PACKETDRILL LIBRARY.so");
        return ExitCode::FAILURE;
    };
    let (mut same, mut different) = (0, 0);
    for path in scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")) {
        let ours = std::fs::read_to_string(&path)
            .map_err(|e| e.to_string())
            .and_then(|text| script::run(&text).map(|_| ()).map_err(|e| e.to_string()));
        let theirs = theirs(packetdrill, library, &path);
        if ours.is_ok() == theirs.is_ok() {
            same += 1;
        } else {
            different += 1;
            println!("{}\n  ours:   {ours:?}\n  theirs: {theirs:?}", path.display());
        }
    }
    println!("{same} scripts with the same verdict, {different} with different ones");
    if different == 0 && same > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn theirs(packetdrill: &str, library: &str, script: &Path) -> Result<(), String> {
    let output = Command::new(packetdrill).arg(format!("--so_filename={library}")).arg(script).output();
    let output = output.map_err(|e| format!("cannot run {packetdrill}: {e}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// All scripts below `folder`, sorted.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(scripts(&path));
        } else if path.extension().is_some_and(|e| e == "pkt") {
            all.push(path);
        }
    }
    all.sort();
    all
}
