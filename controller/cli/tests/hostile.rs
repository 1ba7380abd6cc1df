//! What a broken or hostile peer does to others: nothing. Over the kernel's sockets; the own stack has tests of its own.
#![forbid(unsafe_code)]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `OFPT_HELLO` of 1.0.
const HELLO: [u8; 8] = [1, 0, 0, 8, 0, 0, 0, 1];
const PATIENCE: Duration = Duration::from_secs(5);

/// A running controller; ended with the test.
struct Controller {
    child: Child,
    port: u16,
}

impl Controller {
    fn start() -> Controller {
        let port =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
        let child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
            .args(["run", "--port", "kernel", "--listen", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        Controller { child, port }
    }

    fn connect(&self) -> TcpStream {
        let until = Instant::now() + PATIENCE;
        loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
                    return stream;
                }
                Err(e) => assert!(Instant::now() < until, "{e}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it and gives its log.
    fn log(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill runs").success());
        let mut log = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut log).expect("text");
        assert!(self.child.wait().expect("our child").success(), "{log}");
        log
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One message: its type and the bytes behind the header.
fn message(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut header = [0; 8];
    stream.read_exact(&mut header).expect("a header");
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 8];
    stream.read_exact(&mut body).expect("a body");
    (header[1], body)
}

/// A 1.0 switch that behaves, up to the end of the handshake.
fn good_switch(controller: &Controller, dpid: u8) -> TcpStream {
    let mut s = controller.connect();
    s.write_all(&HELLO).expect("sent");
    while message(&mut s).0 != 5 {} // OFPT_FEATURES_REQUEST
    let mut reply = vec![1, 6, 0, 32, 0, 0, 0, 1];
    reply.extend([0, 0, 0, 0, 0, 0, 0, dpid, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0xff]);
    s.write_all(&reply).expect("sent");
    while message(&mut s).0 != 9 {} // OFPT_SET_CONFIG
    s
}

/// The switch is still served: its echo is answered, and so is a packet.
fn is_served(s: &mut TcpStream) {
    s.write_all(&[1, 2, 0, 12, 0, 0, 0, 7, b'p', b'i', b'n', b'g']).expect("sent");
    loop {
        let (kind, body) = message(s);
        if kind == 3 {
            assert_eq!(body, b"ping");
            break;
        }
    }
    let mut packet_in = vec![1, 10, 0, 78, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 60, 0, 1, 0, 0];
    packet_in.extend([0xff; 6]);
    packet_in.extend([2, 0, 0, 0, 0, 1, 0x08, 0x06]);
    packet_in.resize(78, 0);
    s.write_all(&packet_in).expect("sent");
    while message(s).0 != 13 {} // OFPT_PACKET_OUT: a broadcast is flooded
}

/// The controller ends this connection (in whatever way).
fn is_closed(s: &mut TcpStream) {
    let until = Instant::now() + PATIENCE;
    let mut sink = [0; 4096];
    loop {
        match s.read(&mut sink) {
            Ok(0) => return,
            Ok(_) => assert!(Instant::now() < until, "it goes on for ever"),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the connection is still open")
            }
            Err(_) => return,
        }
    }
}

/// Bytes that look random and are the same every time.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| rng.u8(..)).take(len).collect()
}

#[test]
fn a_bad_peer_harms_no_one_else() {
    let controller = Controller::start();
    let mut good = good_switch(&controller, 1);
    is_served(&mut good);

    // A length that cannot be.
    let mut s = controller.connect();
    s.write_all(&[1, 0, 0, 4, 0, 0, 0, 1]).expect("sent");
    is_closed(&mut s);

    // A version that we do not speak, and no bitmap.
    let mut s = controller.connect();
    s.write_all(&[0, 0, 0, 8, 0, 0, 0, 1]).expect("sent");
    is_closed(&mut s);

    // Another version in the middle of a session.
    let mut s = good_switch(&controller, 2);
    s.write_all(&[4, 2, 0, 8, 0, 0, 0, 1]).expect("sent");
    let _ = s.write_all(&[4, 20, 0, 8, 0, 0, 0, 2]);
    is_closed(&mut s);

    // Noise, before and after the handshake. It may be anything, so the connection may live or die.
    for seed in 0..20 {
        let mut s =
            if seed % 2 == 0 { controller.connect() } else { good_switch(&controller, 3 + seed as u8) };
        let _ = s.write_all(&noise(seed, 4096));
    }

    // Half a message, and gone.
    let mut s = good_switch(&controller, 100);
    s.write_all(&[1, 10, 0, 82, 0, 0]).expect("sent");
    drop(s);

    // Truncated packet_ins: whole by their header, too short for what they are.
    let mut s = good_switch(&controller, 101);
    for _ in 0..10 {
        s.write_all(&[1, 10, 0, 12, 0, 0, 0, 0, 1, 2, 3, 4]).expect("sent");
    }
    is_served(&mut s);

    // One that asks and never reads: it may fill its own ring and no other.
    let mut slow = good_switch(&controller, 102);
    slow.set_nonblocking(true).expect("non-blocking");
    let echo: Vec<u8> = [1, 2, 0x10, 0, 0, 0, 0, 9].into_iter().chain(vec![0; 4088]).collect();
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        let _ = slow.write(&echo);
    }

    is_served(&mut good);
    drop((good, slow, s));
    let log = controller.log();
    assert!(!log.contains("panicked"), "{log}");
    for reason in
        ["impossible message length", "no common version", "message of another version", "malformed message"]
    {
        assert!(log.contains(reason), "the log does not say {reason:?}: {log}");
    }
}
