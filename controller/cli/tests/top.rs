//! `ferroflow top` and the control socket, as a person and a script meet them.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cbench::drive;
use cbench::load::Load;
use cbench::options::Options;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running controller on the kernel's sockets, ended with the value.
struct Controller {
    child: Child,
    port: u16,
}

impl Controller {
    fn start(control: &Path) -> Controller {
        let port =
            TcpListener::bind(("0.0.0.0", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
            .args(["run", "--port", "kernel", "--cores", "2", "--listen", &port.to_string(), "--control"])
            .arg(control)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command runs");
        let out = child.stdout.take().expect("piped");
        assert_eq!(BufReader::new(out).lines().take(5).count(), 5, "it has started");
        Controller { child, port }
    }

    /// Runs a short cbench against it.
    fn load(&self) {
        let options = Options {
            switches: 8,
            loops: 2,
            ms_per_test: 300,
            macs: 100,
            throughput: true,
            ..Options::default()
        };
        let load = Load::new(options, ([127, 0, 0, 1], self.port).into());
        drive::to_the_end(load).expect("the load runs");
    }

    fn end(mut self, signal: Signal) {
        signal_to(&self.child, signal);
        self.child.wait().expect("our child");
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal_to(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

fn top(control: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferroflow"));
    command.arg("top").arg("--control").arg(control).args(args).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn refuses(control: &Path, part: &str) {
    let output = top(control, &["--json"]);
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains(part), "nothing of {part:?}: {said}");
}

fn ask(control: &mut UnixStream, line: &str) -> Value {
    control.write_all(line.as_bytes()).expect("it listens");
    let mut answer = String::new();
    BufReader::new(control).read_line(&mut answer).expect("it answers");
    serde_json::from_str(&answer).expect("one JSON object on a line")
}

#[test]
fn figures_of_a_loaded_controller() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("control");
    let controller = Controller::start(&path);
    assert_eq!(path.metadata().expect("a socket").permissions().mode() & 0o777, 0o600);
    let mut socket = UnixStream::connect(&path).expect("it listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let request = "{\"v\":1,\"get\":\"snapshot\"}\n";
    let before = ask(&mut socket, request);
    let once = std::thread::spawn({
        let path = path.clone();
        move || top(&path, &["--once", "--interval", "0.4"])
    });
    controller.load();
    let after = ask(&mut socket, request);
    let sum = |answer: &Value, group: &str, name: &str| -> u64 {
        let cores = answer["snapshot"]["cores"].as_array().expect("cores");
        assert_eq!(cores.len(), 2);
        cores.iter().map(|core| core[group][name].as_u64().expect("a counter")).sum()
    };
    assert_eq!(before["v"], 1);
    assert_eq!(sum(&before, "service", "packet_ins"), 0);
    let packet_ins = sum(&after, "service", "packet_ins");
    assert!(packet_ins > 1_000, "{packet_ins} packet_ins");
    assert!(sum(&after, "service", "flow_mods") + sum(&after, "service", "packet_outs") >= packet_ins);
    assert!(sum(&after, "stack", "bytes_in") > 64 * packet_ins);
    for core in after["snapshot"]["cores"].as_array().expect("cores") {
        assert!(core["stack"].get("rx_frames").is_none(), "the kernel's sockets know no frames");
        let calls =
            ["polls", "accepts", "reads", "writes"].map(|name| core["stack"][name].as_u64().expect("calls"));
        assert_eq!(core["kernel_entries"].as_u64(), Some(calls.iter().sum()));
        assert!(core["idle_ns"].as_u64() <= core["at_ns"].as_u64());
    }
    let refused = ask(&mut socket, "{\"v\":1,\"get\":\"tea\"}\n");
    assert!(refused["error"].as_str().is_some_and(|error| error.contains("tea")), "{refused}");
    let page = text(&once.join().expect("it runs").stdout);
    assert!(page.contains("the kernel's sockets") && page.contains("\nall "), "{page}");
    let json: Value = serde_json::from_slice(&top(&path, &["--json"]).stdout).expect("JSON");
    assert_eq!(json["pid"], controller.child.id());
    controller.end(Signal::TERM);
    assert!(!path.exists(), "the socket goes with its process");
}

#[test]
fn what_is_no_controller_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("control");
    refuses(&path, "no controller at");
    drop(UnixListener::bind(&path).expect("a socket"));
    refuses(&path, "nobody listens at");
    std::fs::remove_file(&path).expect("it is there");
    std::fs::write(&path, "").expect("a file");
    refuses(&path, "nobody listens at");
    std::fs::remove_file(&path).expect("it is there");
    let foreign = UnixListener::bind(&path).expect("a socket");
    for (answer, part) in [
        ("HTTP/1.1 400 Bad Request\r\n", "as a controller does"),
        ("{\"v\":2}\n", "version 2"),
        ("", "hung up"),
    ] {
        let thread = std::thread::spawn({
            let foreign = foreign.try_clone().expect("a descriptor");
            move || {
                let (mut client, _) = foreign.accept().expect("somebody comes");
                let mut line = [0; 64];
                assert!(client.read(&mut line).expect("a request") > 0);
                client.write_all(answer.as_bytes()).expect("it reads");
            }
        });
        refuses(&path, part);
        thread.join().expect("no panic");
    }
    let output = top(&path, &[]);
    assert!(text(&output.stderr).contains("--once"), "without a terminal");
}

#[test]
fn a_dead_controllers_socket_is_taken_over_and_a_live_ones_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("control");
    Controller::start(&path).end(Signal::KILL);
    assert!(path.exists(), "a killed process leaves it");
    let controller = Controller::start(&path);
    let mut second = Command::new(env!("CARGO_BIN_EXE_ferroflow"));
    second.args(["run", "--port", "kernel", "--listen", "1", "--control"]).arg(&path);
    let said = text(&second.output().expect("the command runs").stderr);
    assert!(said.contains(&format!("process {} listens at", controller.child.id())), "{said}");
    assert!(top(&path, &["--json"]).status.success(), "the first one's still works");
    controller.end(Signal::INT);
    assert!(!path.exists());
}

/// `ferroflow top` on a terminal of its own.
struct Screen {
    child: Child,
    master: OwnedFd,
    slave: std::fs::File,
    before: rustix::termios::Termios,
    seen: String,
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A test that fails leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Screen {
    fn open(control: &Path, columns: u16, rows: u16) -> Screen {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("text");
        let slave = std::fs::File::options().read(true).write(true).open(name).expect("its other end");
        tcsetwinsize(&slave, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("a size");
        // Taken before the command is there: it changes them at once.
        let before = tcgetattr(&slave).expect("a terminal");
        let end = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
            .args(["top", "--interval", "0.1", "--control"])
            .arg(control)
            .env("TERM", "xterm")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the command runs");
        Screen { child, master, slave, before, seen: String::new() }
    }

    /// Reads what it draws until this has come. Words are drawn one by one.
    fn wait_for(&mut self, what: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.seen.contains(what) {
            assert!(Instant::now() < until, "no {what:?} in {:?}", self.seen);
            let mut bytes = [0; 65_536];
            let n = rustix::io::read(&self.master, &mut bytes).expect("it draws");
            self.seen += &String::from_utf8_lossy(&bytes[..n]);
        }
    }
}

const ALTERNATE: &str = "\u{1b}[?1049h";
const ORDINARY: &str = "\u{1b}[?1049l";

#[test]
fn the_terminal_is_as_it_was_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("control");
    let controller = Controller::start(&path);
    for end in ["q", "\u{3}", "a signal"] {
        let mut screen = Screen::open(&path, 80, 24);
        let before = screen.before.clone();
        screen.wait_for(ALTERNATE);
        screen.wait_for("learning-switch");
        screen.wait_for("100%");
        let raw = tcgetattr(&screen.slave).expect("a terminal");
        assert_ne!(raw.local_modes, before.local_modes, "keys come one by one");
        match end {
            "a signal" => signal_to(&screen.child, Signal::TERM),
            key => assert_eq!(rustix::io::write(&screen.master, key.as_bytes()), Ok(1)),
        }
        screen.wait_for(ORDINARY);
        assert!(screen.child.wait().expect("our child").success(), "{end:?}");
        let after = tcgetattr(&screen.slave).expect("a terminal");
        assert_eq!(
            (after.local_modes, after.input_modes),
            (before.local_modes, before.input_modes),
            "{end:?}"
        );
    }
    let mut small = Screen::open(&path, 40, 8);
    small.wait_for("small:");
    assert_eq!(rustix::io::write(&small.master, b"q"), Ok(1));
    assert!(small.child.wait().expect("our child").success());
    let mut screen = Screen::open(&path, 120, 40);
    screen.wait_for("100%");
    controller.end(Signal::TERM);
    screen.wait_for("hung");
    assert_eq!(rustix::io::write(&screen.master, b"q"), Ok(1));
    assert!(screen.child.wait().expect("our child").success());
}
