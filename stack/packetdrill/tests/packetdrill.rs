//! packetdrill itself gives every script of ours the verdict that our runner gives.
//!
//! It is in no Debian release and its licence keeps it out of this project: `FERROFLOW_PACKETDRILL` names the program where
//! somebody has built it. Where it is absent the test is skipped, with `FERROFLOW_NO_SKIP=1` too: there is no package that
//! could be asked for.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Far more than any script takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn packetdrill(test: &str) -> Option<PathBuf> {
    let program = std::env::var_os("FERROFLOW_PACKETDRILL").map(PathBuf::from);
    if program.is_none() {
        // Not by the test harness, which would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: {test} needs packetdrill, in no Debian release: FERROFLOW_PACKETDRILL=PATH names the program"
        );
    }
    program
}

/// The shared object, which cargo puts beside the tests.
fn shared_object() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let object = test.with_file_name("libferroflow_packetdrill.so");
    assert!(object.exists(), "{} is not there", object.display());
    object
}

/// What packetdrill says to a script: nothing, if it is content.
fn verdict(program: &Path, script: &Path) -> Result<(), String> {
    let name = script.file_stem().unwrap_or_default();
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("out");
    let out = std::fs::File::create(&output).map_err(|e| e.to_string())?;
    let mut object = std::ffi::OsString::from("--so_filename=");
    object.push(shared_object());
    let mut child = Command::new(program)
        .env("LD_PRELOAD", shared_object()) // for assertions: see the crate's `preload`
        .arg(object)
        .arg(script)
        .stdin(Stdio::null())
        .stdout(out.try_clone().map_err(|e| e.to_string())?)
        .stderr(out)
        .spawn()
        .map_err(|e| format!("{}: {e}", program.display()))?;
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None if begin.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no end after {PATIENCE:?}"));
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let said = std::fs::read_to_string(&output).unwrap_or_default();
    if status.success() { Ok(()) } else { Err(format!("{status}: {said}")) }
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
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

#[test]
fn every_script_passes() {
    let Some(program) = packetdrill("every_script_passes") else { return };
    let all = scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts"));
    assert!(all.len() >= 120, "{} scripts", all.len());
    let failed: Vec<String> = all
        .iter()
        .filter_map(|script| Some(format!("{}: {}", script.display(), verdict(&program, script).err()?)))
        .collect();
    assert!(failed.is_empty(), "{} of {} scripts fail:\n{}", failed.len(), all.len(), failed.join("\n"));
}

/// Else the test above would say nothing.
#[test]
fn a_wrong_script_fails() {
    let Some(program) = packetdrill("a_wrong_script_fails") else { return };
    let right = "0.0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n\
                 +0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n\
                 +0 read(3, ..., 1) = -1 ENOTCONN (not connected)\n\
                 +0 %{ assert tcpi_state == 7, tcpi_state }%\n";
    let wrong = right.replace("ENOTCONN", "EAGAIN");
    let untrue = right.replace("== 7", "== 1");
    let all = [("right.pkt", right, true), ("wrong.pkt", &wrong, false), ("untrue.pkt", &untrue, false)];
    for (name, text, passes) in all {
        let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&script, text).unwrap();
        assert_eq!(verdict(&program, &script).is_ok(), passes, "{name}");
    }
}
