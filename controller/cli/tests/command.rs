//! The command as a person meets it: what it says, and how it ends.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cbench::lab::{Need, Netns, require};

fn ferroflow(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ferroflow")).args(args).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The command must fail, in words that name `parts`.
#[track_caller]
fn refuses(args: &[&str], parts: &[&str]) {
    let output = ferroflow(args);
    let said = text(&output.stderr);
    assert!(!output.status.success(), "{args:?} was accepted");
    for part in parts {
        assert!(said.contains(part), "{args:?} says nothing of {part:?}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn wrong_words_get_a_clear_sentence() {
    refuses(&["run", "--port", "6653"], &["did you mean --listen 6653?"]);
    refuses(&["run", "--port", "eth0"], &["no kind of port", "  ^^^^", "tap:NAME", "auto"]);
    refuses(&["run", "--port", "tap:"], &["a name is missing", "tap:ff0"]);
    refuses(&["run", "--port", "tap:ff0,ofload=on"], &["no option \"ofload\"", "offload=on|off"]);
    refuses(&["run", "--port", "packet:lo,queues=2"], &["2 queues for 1 cores", "one for each core"]);
    refuses(&["run", "--port", "pipe"], &["ferroflow demo"]);
    refuses(&["run", "--port", "netmap:eth0*"], &["  ^^^^^", "one pair of rings"]);
    #[cfg(not(feature = "netmap"))]
    refuses(&["run", "--port", "netmap:eth0"], &["built without netmap", "--features netmap"]);
    #[cfg(feature = "netmap")]
    refuses(&["run", "--port", "netmap:nosuch0"], &["there is no interface nosuch0"]);
    refuses(&["run", "--port", "netmap:eth0", "--host-address", "10.77.0.1/24"], &["TAP interface"]);
    refuses(&["run", "--port", "tap:a-name-that-is-too-long"], &["1 to 15 characters"]);
    refuses(&["run", "--listen", "0"], &["--listen", "1..=65535"]);
    refuses(&["run", "--cores", "0"], &["1 to 256"]);
    refuses(&["run", "--cores", "2", "--cpus", "0"], &["--cpus", "cannot be used with"]);
    refuses(&["run", "--cpus", "0,1023"], &["there is no processor 1023 online"]);
    refuses(&["run", "--cpus", "0,,1"], &["for example 0,2-3"]);
    refuses(&["run", "--user", "nobody-of-that-name"], &["there is no user"]);
    refuses(&["run", "--rss-key", "6d:5a"], &["ethtool -x"]);
    refuses(&["run", "--rss-key", "set:microsoft", "--port", "tap:ff0"], &["tap:ff0", "leave `set:` out"]);
    refuses(&["run", "--address", "10.0.0.0/24"], &["not a host's"]);
    refuses(
        &["run", "--port", "kernel", "--host-address", "10.9.0.1/24"],
        &["not in the network of --address"],
    );
    refuses(&["run", "--port", "kernel", "--app", "fireball"], &["\"fireball\"", "learning-switch", "hub"]);
    refuses(&["run", "--port", "kernel", "--app", "hub", "--app", "hub"], &["given twice"]);
    refuses(&["run", "--port", "kernel", "--pcap", "x.pcapng"], &["--pcap", "--port kernel"]);
    refuses(&["run", "--pcap", "x.pcapng,snaplen=no"], &["snaplen"]);
    refuses(&["runn"], &["run"]);
}

#[test]
fn help_and_version_are_there() {
    for args in [&["--help"][..], &["run", "--help"], &["demo", "--help"]] {
        let output = ferroflow(args);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("Usage: ferroflow"), "{args:?}");
    }
    assert!(text(&ferroflow(&["--version"]).stdout).starts_with("ferroflow "));
}

/// A running command, ended with the test.
struct Running(Child);

impl Running {
    fn start(args: &[&str]) -> Running {
        let child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        Running(child)
    }

    fn first_lines(&mut self, n: usize) -> Vec<String> {
        let out = self.0.stdout.take().expect("its stdout is ours");
        BufReader::new(out).lines().take(n).map(|line| line.expect("text")).collect()
    }

    /// The line of its stderr that has this, and those before it.
    fn says(&mut self, what: &str) -> String {
        let err = self.0.stderr.as_mut().expect("its stderr is ours");
        let (mut said, mut byte) = (Vec::new(), [0]);
        while std::io::Read::read(err, &mut byte).expect("text") == 1 {
            said.push(byte[0]);
            if byte[0] == b'\n' && text(&said).contains(what) {
                break;
            }
        }
        text(&said)
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    fn ends_within(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait().expect("our child") {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("0.0.0.0", 0)).and_then(|l| l.local_addr()).expect("a free port").port()
}

#[test]
fn stops_cleanly_on_both_signals() {
    for signal in ["INT", "TERM"] {
        let port = free_port().to_string();
        let mut run = Running::start(&["run", "--port", "kernel", "--listen", &port, "--cores", "2"]);
        let lines = run.first_lines(5);
        assert!(lines[1].contains(&format!("listening on *:{port}")), "{lines:?}");
        assert!(lines[4].contains("ovs-vsctl set-controller br0 tcp:127.0.0.1:"), "{lines:?}");
        run.signal(signal);
        let status = run.ends_within(Duration::from_secs(5)).expect("it ends");
        assert!(status.success(), "{signal}: {status}");
    }
}

#[test]
fn a_signal_shows_what_the_cores_hold() {
    let port = free_port().to_string();
    let mut run = Running::start(&["run", "--port", "kernel", "--listen", &port, "--cores", "2"]);
    run.first_lines(5);
    let switch = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
    let us = switch.local_addr().expect("bound").to_string();
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        run.signal("USR1");
        let said = run.says("core 1: ") + &run.says(&format!("*:{port}"));
        assert!(said.contains("core 0: "), "{said}");
        // The second core's connections come behind its listeners.
        run.signal("USR1");
        if (said + &run.says("core 1: ")).contains(&us) {
            break;
        }
        assert!(Instant::now() < until, "the connection from {us} is not shown");
    }
    run.signal("TERM");
    assert!(run.ends_within(Duration::from_secs(5)).is_some_and(|status| status.success()));
}

/// Its interface is deleted under it: the core cannot go on, and so the process ends, saying which core and why.
#[test]
fn a_core_that_dies_takes_the_process_with_it() {
    if !require(&[Need::Root, Need::Tun, Need::Command("ip")]) {
        return;
    }
    let net = Netns::new("dies").expect("a namespace");
    let mut command = net.command(env!("CARGO_BIN_EXE_ferroflow"));
    command.args(["run", "--port", "tap:ff0", "--cores", "2"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = Running(command.spawn().expect("the command runs"));
    run.first_lines(2);
    net.run("ip", &["link", "delete", "ff0"]).expect("it is there");
    let status = run.ends_within(Duration::from_secs(10)).expect("it ends");
    let said = run.says("ferroflow: core ");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(" has failed: the port is gone: TAP interface ff0 was deleted"), "{said}");
}

/// Every thread is somebody without rights, who cannot get any, once the interface is open.
#[test]
fn rights_are_given_up_for_good() {
    if !require(&[Need::Root, Need::Tun, Need::Command("ip")]) {
        return;
    }
    let net = Netns::new("rights").expect("a namespace");
    for port in ["tap:ff0", "kernel"] {
        let mut command = net.command(env!("CARGO_BIN_EXE_ferroflow"));
        command.args(["run", "--port", port, "--user", "nobody", "--cores", "2"]);
        let mut run =
            Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs"));
        run.first_lines(5);
        let tasks = format!("/proc/{}/task", run.0.id());
        let mut threads = 0;
        for task in std::fs::read_dir(&tasks).expect("it runs") {
            let status = task.expect("a thread").path().join("status");
            let status = std::fs::read_to_string(status).expect("it runs");
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
                line.split_whitespace().collect::<Vec<_>>().join(" ")
            };
            let nobody = "65534 65534 65534 65534";
            assert_eq!((field("Uid:").as_str(), field("Gid:").as_str()), (nobody, nobody), "{status}");
            assert_eq!(
                (field("Groups:").as_str(), field("NoNewPrivs:").as_str()),
                ("65534", "1"),
                "{status}"
            );
            for set in ["CapEff:", "CapPrm:", "CapInh:"] {
                assert_eq!(field(set), "0000000000000000", "{status}");
            }
            threads += 1;
        }
        assert!(threads >= 3, "two cores and whoever waits for them");
        run.signal("TERM");
        assert!(run.ends_within(Duration::from_secs(5)).is_some_and(|status| status.success()));
    }
}

#[test]
fn a_taken_port_is_an_error_when_it_was_asked_for() {
    let taken = TcpListener::bind(("0.0.0.0", 0)).expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    refuses(&["run", "--port", "kernel", "--listen", &port], &["already in use", &port, "--listen"]);
}

#[test]
fn the_demo_succeeds_on_one_core_and_on_two() {
    for cores in ["1", "2"] {
        let output = ferroflow(&["demo", "--seconds", "1", "--cores", cores]);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{cores} cores: {out}{err}");
        assert!(out.contains("48 of 48"), "{out}");
    }
}
