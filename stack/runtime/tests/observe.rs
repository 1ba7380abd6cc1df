//! What can be seen of running cores: their frames in a capture file, their connections in a dump.

mod common;
#[path = "common/lab.rs"]
mod lab;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Echo, Log, Mode, SharedLog, free_port};
use ferroflow_runtime::kernel::{Config, ListenGroup};
use ferroflow_runtime::{CaptureFile, Kernel, Options, Runtime, steer};
use ferroflow_stack::port::pcap::Pcap;
use ferroflow_stack::steer::Steer;
use lab::{End, HOST, STACK, Stack, connect, has_program, in_namespace, tap};

const PORT: u16 = 6653;
const CONNS: usize = 8;
const NAMES: [&str; 2] = ["ff0/0", "ff0/1"];

/// A file in the temporary directory, removed with it.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str) -> TempFile {
        TempFile(std::env::temp_dir().join(format!("ferroflow-{}-{name}", std::process::id())))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn nanos() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

/// Sends a text over each of some connections and reads it back.
fn talk() -> Vec<TcpStream> {
    (0..CONNS)
        .map(|n| {
            let mut conn = connect(PORT);
            let text = vec![n as u8; 3000];
            conn.write_all(&text).unwrap();
            let mut back = vec![0; text.len()];
            conn.read_exact(&mut back).unwrap();
            assert_eq!(back, text);
            conn
        })
        .collect()
}

fn echo(_: usize) -> Echo {
    Echo::new(Mode::Echo, Some(PORT), Arc::new(Mutex::new(Log::default())))
}

/// Two cores echo; what passes their queues is captured. Returns what the cores counted.
fn captured_echo(file: &Path, snaplen: u32) -> Vec<End> {
    let (ports, mac) = tap(2);
    let names = NAMES.map(str::to_owned);
    let (capture, captures) = CaptureFile::create(file, "the test", &names, snaplen).unwrap();
    let ports = ports.into_iter().zip(captures).map(|(port, capture)| Pcap::new(port, capture)).collect();
    let stack = Stack::start(steer::join(ports, 256, Steer::new), mac, echo, |_| ());
    drop(talk());
    stack.wait_idle();
    let ends = stack.stop().into_iter().map(|report| report.result).collect();
    capture.finish().unwrap();
    ends
}

#[derive(Debug)]
struct Packet {
    interface: usize,
    time: u64,
    /// epb_flags: 1 inbound, 2 outbound.
    direction: u32,
    original: usize,
    bytes: Vec<u8>,
}

/// The enhanced packet blocks of a file, as the draft lays them out.
fn packets(file: &Path) -> Vec<Packet> {
    let file = std::fs::read(file).unwrap();
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let (mut packets, mut at) = (Vec::new(), 0);
    while at < file.len() {
        let (kind, len) = (word(at), word(at + 4) as usize);
        assert_eq!(word(at + len - 4) as usize, len, "both lengths of the block at {at}");
        if kind == 6 {
            let kept = word(at + 20) as usize;
            let options = at + 28 + kept.next_multiple_of(4);
            assert_eq!(word(options), 4 << 16 | 2, "epb_flags comes first");
            packets.push(Packet {
                interface: word(at + 8) as usize,
                time: u64::from(word(at + 12)) << 32 | u64::from(word(at + 16)),
                direction: word(options + 4),
                original: word(at + 24) as usize,
                bytes: file[at + 28..at + 28 + kept].to_vec(),
            });
        }
        at += len;
    }
    packets
}

#[test]
fn a_capture_has_every_frame_of_every_core() {
    in_namespace(|| {
        let file = TempFile::new("all.pcapng");
        let before = nanos();
        let ends = captured_echo(&file.0, 0);
        let after = nanos();
        let packets = packets(&file.0);
        let sent: u64 = ends.iter().map(|end| end.counter("tx_frames")).sum();
        let outbound = packets.iter().filter(|p| p.direction == 2).count();
        assert_eq!(outbound as u64, sent);
        let inbound: Vec<_> = packets.iter().filter(|p| p.direction == 1).collect();
        assert_eq!(inbound.len() + outbound, packets.len());
        // ARP is shown to every core, but arrives once.
        let seen: u64 = ends.iter().map(|end| end.counter("rx_frames")).sum();
        assert!(inbound.len() as u64 <= seen && inbound.len() >= 4 * CONNS, "{} of {seen}", inbound.len());
        assert!(packets.iter().all(|p| p.bytes.len() == p.original));
        assert!(packets.iter().all(|p| (before..=after).contains(&p.time)), "the time of day");
        assert!(packets.is_sorted_by_key(|p| p.time));
        assert!(packets.iter().any(|p| p.time % 1000 > 0), "nanoseconds");
        let used: BTreeSet<_> = packets.iter().map(|p| p.interface).collect();
        assert_eq!(used, BTreeSet::from([0, 1]), "both cores sent");
    });
}

#[test]
fn tshark_reads_it() {
    if !has_program("tshark", "tshark") {
        return;
    }
    in_namespace(|| {
        let file = TempFile::new("tshark.pcapng");
        captured_echo(&file.0, 96);
        let fields = [
            "frame.time_epoch",
            "frame.interface_name",
            "frame.packet_flags_direction",
            "ip.src",
            "frame.len",
            "frame.cap_len",
        ];
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(&file.0).args(["-T", "fields"]);
        fields.iter().for_each(|field| {
            tshark.args(["-e", field]);
        });
        let out = tshark.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8(out.stdout).unwrap();
        let packets = packets(&file.0);
        assert_eq!(text.lines().count(), packets.len());
        for (line, packet) in text.lines().zip(&packets) {
            let got: Vec<_> = line.split('\t').collect();
            let time = format!("{}.{:09}", packet.time / 1_000_000_000, packet.time % 1_000_000_000);
            assert_eq!((got[0], got[1]), (time.as_str(), NAMES[packet.interface]));
            let direction = u32::from_str_radix(got[2].trim_start_matches("0x"), 16).unwrap();
            assert_eq!(direction, packet.direction, "{line}");
            let source = if direction == 2 { STACK } else { HOST };
            assert!(got[3].is_empty() || got[3] == source.to_string(), "{line}");
            assert_eq!((got[4].parse(), got[5].parse()), (Ok(packet.original), Ok(packet.original.min(96))));
        }
    });
}

#[test]
fn a_dump_shows_the_connections_of_every_core() {
    in_namespace(|| {
        let (ports, mac) = tap(2);
        let stack = Stack::start(steer::join(ports, 256, Steer::new), mac, echo, |_| ());
        let conns = talk();
        let dumps = stack.describe();
        let all = dumps.join("");
        assert_eq!(all.matches("*:6653").count(), 2, "each core listens: {all}");
        for conn in &conns {
            let line = format!("{:<22} {}\n", format!("{STACK}:{PORT}"), conn.local_addr().unwrap());
            let at = all.find(&line).unwrap_or_else(|| panic!("no {line:?} in {all}"));
            let info = all[at..].lines().nth(1).unwrap();
            assert!(info.contains("cubic") && info.contains("bytes_received:3000"), "{info}");
        }
        assert_eq!(all.lines().filter(|line| line.starts_with("ESTAB")).count(), CONNS);
        assert!(all.contains("TcpPassiveOpens"), "{all}");
        drop(conns);
        stack.wait_idle();
        assert!(!stack.describe().join("").contains("ESTAB"));
        stack.stop();
    });
}

#[test]
fn a_dump_of_the_kernels_sockets() {
    let log: SharedLog = Arc::default();
    let port = free_port();
    let runtime = Runtime::spawn(
        &Options::new(1),
        |core| {
            let (config, waker) = (Config::new(ListenGroup::new(), 1), core.waker.clone());
            let echo = Echo::new(Mode::Echo, Some(port), log.clone());
            move || Ok(Kernel::new(config, waker, echo)?)
        },
        |_| (),
    )
    .unwrap();
    let inspector = runtime.inspector();
    let mut conn = TcpStream::connect(("127.0.0.1", port)).unwrap();
    conn.write_all(b"hello").unwrap();
    conn.read_exact(&mut [0; 5]).unwrap();
    let patience = Duration::from_secs(20);
    let dump = inspector.describe(patience).pop().unwrap().expect("an answer");
    assert!(dump.starts_with("1 connections"), "{dump}");
    let client = conn.local_addr().unwrap().to_string();
    for part in [format!("*:{port}"), client, "open ".to_owned(), "bytes_in".to_owned()] {
        assert!(dump.contains(&part), "no {part:?} in {dump}");
    }
    drop(conn);
    runtime.stop_handle().stop();
    runtime.join().unwrap();
    assert_eq!(inspector.describe(Duration::from_millis(50)), [None], "nobody is there to answer");
}
