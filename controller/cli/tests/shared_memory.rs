//! A controller and its load in two processes, over memory that they share.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use cbench::drive;
use cbench::load::Load;
use cbench::options::Options;
use ferroflow_ports::shm;
use ferroflow_stack::Config;

/// A running controller, ended with the value.
struct Controller(Child);

impl Controller {
    fn start(socket: &Path, more: &[&str]) -> (Controller, Vec<String>) {
        let port = format!("shm:{}", socket.display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
            .args(["run", "--port", &port])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let out = child.stdout.take().expect("piped");
        let lines = BufReader::new(out).lines().take(5).map(|line| line.expect("text")).collect();
        (Controller(child), lines)
    }

    /// Stops it and gives its log.
    fn log(mut self) -> String {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill runs").success());
        let mut log = String::new();
        self.0.stderr.take().expect("piped").read_to_string(&mut log).expect("text");
        assert!(self.0.wait().expect("our child").success(), "{log}");
        log
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Responses that switches get in a short run. Each run has datapaths and TCP ports of its own.
fn load(socket: &Path, run: u32, throughput: bool) -> u64 {
    let options = Options {
        switches: 8,
        loops: 2,
        ms_per_test: 200,
        macs: 100,
        dpid_offset: 1000 * run,
        throughput,
        ..Options::default()
    };
    let port = shm::visit(socket, 1).expect("the controller listens").remove(0);
    let config = Config::new([2, 0, 10, 77, 0, 1].into(), [10, 77, 0, 1].into(), 24, run.into());
    let load = Load::new(options, "10.77.0.2:6653".parse().expect("an address"));
    let progress = load.progress();
    drive::over_port(load, port.into(), config).expect("the load runs");
    let snapshot = progress.snapshot();
    assert!(snapshot.failure.is_none(), "{:?}", snapshot.failure);
    snapshot.responses
}

#[test]
fn a_controller_is_loaded_from_another_process_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("ff");
    let (controller, lines) = Controller::start(&socket, &["--cores", "2"]);
    assert!(lines[0].contains("its own TCP/IP stack at 10.77.0.2 on memory shared with"), "{lines:?}");
    assert!(
        lines[4].starts_with(&format!("  cbench --via shm:{} -c 10.77.0.2", socket.display())),
        "{lines:?}"
    );
    assert!(load(&socket, 1, false) > 100);
    assert!(load(&socket, 2, true) > 10_000);
    let log = controller.log();
    assert!(log.contains("shm_sessions=2"), "{log}");
    assert!(!log.contains("shm_broken"), "{log}");
    assert!(!socket.exists());
}

/// A load that is killed leaves connections behind; the next one, at the same address, is served all the same.
#[test]
fn a_load_that_is_killed_does_not_keep_the_next_from_its_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("ff");
    let (controller, _) = Controller::start(&socket, &[]);
    for run in 1..=3 {
        let mut victim = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "victim", "--nocapture"])
            .env("FERROFLOW_VICTIM", &socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        std::thread::sleep(Duration::from_millis(400));
        victim.kill().expect("it still runs");
        victim.wait().expect("our child");
        assert!(load(&socket, run, true) > 1_000);
    }
    let log = controller.log();
    assert!(log.contains("shm_sessions=6"), "{log}");
}

/// Runs in a process of its own, to be killed there; in the test run itself it does nothing.
#[test]
fn victim() {
    if let Some(socket) = std::env::var_os("FERROFLOW_VICTIM") {
        let port = shm::visit(socket.as_ref(), 1).expect("the controller listens").remove(0);
        let options = Options { switches: 8, loops: 100, macs: 100, throughput: true, ..Options::default() };
        let load = Load::new(options, "10.77.0.2:6653".parse().expect("an address"));
        let config = Config::new([2, 0, 10, 77, 0, 1].into(), [10, 77, 0, 1].into(), 24, 7);
        let _ = drive::over_port(load, port.into(), config);
    }
}

fn ferroflow(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ferroflow")).args(args).output().expect("the command runs")
}

#[test]
fn a_path_that_cannot_be_used_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letter");
    std::fs::write(&file, "dear").expect("written");
    let output = ferroflow(&["run", "--port", &format!("shm:{}", file.display())]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("is no socket of ours"), "{said}");
}
