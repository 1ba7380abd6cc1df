//! Every script in `scripts/`, each with its own line. Arguments that are no options choose the scripts whose names hold one of them.
#![allow(clippy::print_stdout, reason = "a program's output")]

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ferroflow_packetdrill::script;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let (mut passed, mut failed) = (0, 0);
    for path in scripts(&root) {
        let name = path.strip_prefix(&root).expect("a path below the root").display().to_string();
        if !wanted.is_empty() && !wanted.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        match verdict(&path) {
            Ok(report) => {
                passed += 1;
                println!("script {name} ... ok ({} checked)", report.checked);
            }
            Err(why) => {
                failed += 1;
                println!("script {name} ... FAILED\n{name}:{why}");
            }
        }
    }
    println!("\n{passed} scripts passed, {failed} failed");
    let enough = wanted.is_empty() && passed + failed == 0;
    if failed > 0 || enough { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn verdict(path: &Path) -> Result<script::Report, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!(" {e}"))?;
    let run = catch_unwind(|| script::run(&text)).map_err(|_| " the stack panicked".to_string())?;
    run.map_err(|e| e.to_string())
}

/// All scripts below `folder`, sorted.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the scripts' folder").flatten() {
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
