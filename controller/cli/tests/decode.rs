//! `ferroflow decode` and `ferroflow encode` as a person meets them.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use etherparse::PacketBuilder;

/// What the command makes of its input.
fn ferroflow(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut stdin = child.stdin.take().expect("its stdin is ours");
    let input = input.to_vec();
    // It may answer before it has read everything, and end early.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Its output when all is well.
#[track_caller]
fn good(args: &[&str], input: &[u8]) -> String {
    let output = ferroflow(args, input);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "{args:?}");
    text(&output.stdout)
}

/// Its output and complaints when something is wrong.
#[track_caller]
fn wrong(args: &[&str], input: &[u8], parts: &[&str]) -> String {
    let output = ferroflow(args, input);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{args:?} says nothing of {part:?}: {said}");
    }
    text(&output.stdout)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const HELLO: [u8; 8] = [4, 0, 0, 8, 0, 0, 0, 1];
const BARRIER: [u8; 8] = [4, 20, 0, 8, 0, 0, 0, 7];
const BARRIER_JSON: &str = r#"{"header":{"version":4,"type":"OFPT_BARRIER_REQUEST","xid":7}}"#;
/// A packet_in of 1.3 whose match is of no type that there is.
const BAD: [u8; 34] = {
    let mut bytes = [0; 34];
    bytes[0] = 4;
    bytes[1] = 10;
    bytes[3] = 34;
    bytes[25] = 9;
    bytes[27] = 4;
    bytes
};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocols").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The hex digits of a file with comments.
fn digits(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase()
}

/// The golden messages: decoded, written again, and written from what was shown.
#[test]
fn golden_messages_come_out_as_they_went_in() {
    let mut all: Vec<(PathBuf, Option<String>)> = Vec::new();
    for folder in files("openflow/tests/golden").iter().filter(|path| path.is_dir()) {
        all.extend(files(folder.to_str().unwrap()).into_iter().map(|file| (file, None)));
    }
    for file in files("pof/tests/golden") {
        let digits = file.file_name().unwrap().to_str().unwrap()[..3].to_owned();
        let profile = digits.split("").filter(|c| !c.is_empty()).collect::<Vec<_>>().join(".");
        all.push((file, Some(profile)));
    }
    assert!(all.len() > 60, "{}", all.len());
    for (file, profile) in all {
        let name = file.to_str().unwrap();
        let mut args = vec!["decode", name];
        args.extend(profile.iter().flat_map(|profile| ["--pof", profile.as_str()]));
        let shown = good(&args, b"");
        args.push("--reencode");
        let again = good(&args, b"");
        let wanted = digits(&file);
        assert_eq!(again.replace('\n', ""), wanted, "{name}");
        assert_eq!(good(&["encode"], shown.as_bytes()), again, "{name}");
        assert_eq!(shown.lines().count(), again.lines().count());
    }
}

#[test]
fn hex_and_raw_bytes() {
    let message = format!("{BARRIER_JSON}\n");
    assert_eq!(good(&["decode"], b"04 14 0008 # a barrier\n0000 0007\n"), message);
    assert_eq!(good(&["decode", "-"], hex(&BARRIER).as_bytes()), message);
    assert_eq!(good(&["decode", "--binary"], &BARRIER), message);
    assert_eq!(good(&["decode", "--binary"], &BARRIER.repeat(50_000)), message.repeat(50_000));
    assert_eq!(
        good(&["decode", "--reencode"], hex(&BARRIER.repeat(2)).as_bytes()),
        "0414000800000007\n".repeat(2)
    );
    assert_eq!(good(&["decode"], b"# nothing\n"), "");
}

#[test]
fn pof_has_the_same_version_byte() {
    let bytes = [4, 30, 0, 16, 0, 0, 0, 20, 0, 0, 3, 232, 0, 0, 0, 5];
    let shown = good(&["decode", "--pof", "1.3.4", "--binary"], &bytes);
    assert!(shown.contains(r#""profile":"1.3.4","type":"METER_MOD""#), "{shown}");
    assert_eq!(good(&["encode"], shown.as_bytes()), hex(&bytes) + "\n");
    wrong(&["decode", "--binary"], &bytes, &["message 1 at byte 0", "type at offset 1: unexpected value 30"]);
    wrong(&["decode", "--pof", "9.9"], b"", &["1.4.0"]);
    // A length that no switch takes is followed all the same.
    let long = [&[4, 0, 0x0b, 0, 0, 0, 0, 0][..], &[0; 2808], &HELLO].concat();
    let shown = wrong(&["decode", "--pof", "1.4.0", "--binary"], &long, &["message 1 at byte 0", "2560"]);
    assert!(shown.contains("HELLO"), "{shown}");
}

#[test]
fn what_is_wrong_is_named_and_passed_over() {
    let bytes = [&BARRIER[..], &BAD, &BARRIER].concat();
    let parts = [
        "message 2 at byte 8",
        "OFPT_PACKET_IN: match",
        "at offset 24",
        "unexpected value 9; to be answered with OFPET_BAD_MATCH/OFPBMC_BAD_TYPE",
        "2 good, 1 wrong",
    ];
    assert_eq!(wrong(&["decode", "--binary"], &bytes, &parts), format!("{BARRIER_JSON}\n").repeat(2));
    let bytes = [&BARRIER[..], &[9, 5, 0, 8, 0, 0, 0, 1], &BARRIER].concat();
    assert_eq!(wrong(&["decode", "--binary"], &bytes, &["version"]).lines().count(), 2);
}

/// Whoever speaks a version that is not spoken here says hello in it, and no more is understood.
#[test]
fn a_hello_of_another_version() {
    let hello = [7, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x92];
    let shown = good(&["decode", "--binary"], &[&hello[..], &[2, 0, 0, 8, 0, 0, 0, 2]].concat());
    assert!(
        shown.starts_with(r#"{"header":{"version":7,"type":"OFPT_HELLO","xid":1},"elements":[{"#),
        "{shown}"
    );
    assert_eq!(good(&["encode"], shown.as_bytes()), format!("{}\n0200000800000002\n", hex(&hello)));
    let parts = [
        "version at offset 0: unexpected value 2 (1.1 is not spoken",
        "OFPET_BAD_REQUEST/OFPBRC_BAD_VERSION",
    ];
    wrong(&["decode", "--binary"], &[2, 5, 0, 8, 0, 0, 0, 2], &parts);
}

#[test]
fn the_last_message_may_not_be_cut() {
    let bytes = [&BARRIER[..], &BAD[..20]].concat();
    let parts = ["message 2 at byte 8: OFPT_PACKET_IN: truncated: 34 bytes announced, 20 there"];
    assert_eq!(wrong(&["decode", "--binary"], &bytes, &parts), format!("{BARRIER_JSON}\n"));
    wrong(&["decode"], b"0414", &["message 1 at byte 0", "8 bytes of header needed, 2 there"]);
    let parts = ["message 2 at byte 8", "length 7", "where the next message begins is not known"];
    wrong(&["decode"], format!("{}04140007ffffffff", hex(&BARRIER)).as_bytes(), &parts);
}

#[test]
fn what_is_no_hex_is_said_with_its_place() {
    let shown = wrong(&["decode"], b"0414 0008 0000 0007\n04xy", &["line 2, column 3", "'x'"]);
    assert_eq!(shown, format!("{BARRIER_JSON}\n"));
    wrong(&["decode"], &[4, 20, 0, 8, 0, 0, 0, 7], &["--binary"]);
    wrong(
        &["decode"],
        b"0414 000",
        &["message 1 at byte 0: OFPT_BARRIER_REQUEST: truncated", "line 1", "two make a byte"],
    );
    wrong(&["decode", "/nonexistent/file"], b"", &["/nonexistent/file"]);
}

#[test]
fn json_that_is_wrong_is_named() {
    assert_eq!(good(&["encode"], BARRIER_JSON.as_bytes()), "0414000800000007\n");
    let pretty = format!("{}\n\n{BARRIER_JSON}", BARRIER_JSON.replace(',', ",\n  "));
    assert_eq!(good(&["encode", "-"], pretty.as_bytes()), "0414000800000007\n".repeat(2));
    let shown = wrong(
        &["encode"],
        format!("{}\n{BARRIER_JSON}\n", BARRIER_JSON.replace("_REQUEST", "_REQ")).as_bytes(),
        &["message 1: header.type", "OFPT_BARRIER_REQ"],
    );
    assert_eq!(shown, "0414000800000007\n");
    wrong(&["encode"], b"{\"header\":{\"version\":4", &["message 1: this is no JSON"]);
    wrong(
        &["encode"],
        b"{\"header\":{\"version\":77,\"type\":5,\"xid\":0}}",
        &["header.version: version 77"],
    );
    let strange = BARRIER_JSON.replace("}}", "},\"foo\":1}");
    wrong(&["encode"], strange.as_bytes(), &["message 1: no field is named \"foo\""]);
    wrong(&["encode"], b"[1.5]", &["message 1"]);
}

/// A frame's bytes from its IP header on.
fn packet(v6: bool, port: u16, seq: u32, payload: &[u8]) -> Vec<u8> {
    let ip = if v6 {
        PacketBuilder::ipv6([0xfd; 16], [0xfc; 16], 64)
    } else {
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
    };
    let mut bytes = Vec::new();
    ip.tcp(port, 40000, seq, 100).write(&mut bytes, payload).unwrap();
    bytes
}

/// A packet below each link header that is known.
fn links(v6: bool, packet: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let ether_type: &[u8] = if v6 { &[0x86, 0xdd] } else { &[8, 0] };
    let with = |head: &[&[u8]]| [&head.concat()[..], packet].concat();
    vec![
        (1, with(&[&[2; 12], ether_type])),
        (1, with(&[&[2; 12], &[0x81, 0, 0, 7], ether_type])),
        (1, with(&[&[2; 12], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9], ether_type])),
        (0, with(&[&[2, 0, 0, 0]])),
        (108, with(&[&[0, 0, 0, 2]])),
        (101, packet.to_vec()),
        (if v6 { 229 } else { 228 }, packet.to_vec()),
        (113, with(&[&[0; 14], ether_type])),
        (276, with(&[ether_type, &[0; 18]])),
    ]
}

/// Numbers in one byte order.
struct Order(bool);

impl Order {
    fn u32(&self, n: u32) -> [u8; 4] {
        if self.0 { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn u16(&self, n: u16) -> [u8; 2] {
        if self.0 { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn pcap(&self, magic: u32, link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
        let mut file =
            [&self.u32(magic)[..], &self.u16(2), &self.u16(4), &[0; 8], &self.u32(65535), &self.u32(link)]
                .concat();
        for packet in packets {
            let len = self.u32(packet.len() as u32);
            file.extend([&[0; 8][..], &len, &len, packet].concat());
        }
        file
    }

    fn block(&self, ty: u32, body: &[u8]) -> Vec<u8> {
        let body = [body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
        let len = self.u32(12 + body.len() as u32);
        [&self.u32(ty)[..], &len, &body, &len].concat()
    }

    fn pcapng(&self, link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
        let section = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        let interface = |link: u32| [&self.u16(link as u16)[..], &[0; 2], &[0; 4]].concat();
        // A first interface, of another type, a name resolution block, and the one that the packets are of.
        let mut file = [
            self.block(0x0a0d_0d0a, &section),
            self.block(1, &interface(147)),
            self.block(4, &[0; 4]),
            self.block(1, &interface(link)),
        ]
        .concat();
        for packet in packets {
            let len = self.u32(packet.len() as u32);
            file.extend(self.block(6, &[&self.u32(1)[..], &[0; 8], &len, &len, packet].concat()));
        }
        file
    }
}

#[test]
fn captures_of_every_kind() {
    let (first, second) = BARRIER.split_at(3);
    let wanted = format!("{BARRIER_JSON}\n").repeat(2);
    let mut kinds = 0;
    for v6 in [false, true] {
        let packets = [packet(v6, 6653, 1, &[&BARRIER[..], first].concat()), packet(v6, 6653, 12, second)];
        let below = packets.map(|packet| links(v6, &packet));
        for (one, two) in below[0].iter().zip(&below[1]) {
            let frames = [one.1.clone(), two.1.clone()];
            for big_endian in [false, true] {
                let order = Order(big_endian);
                for file in [
                    order.pcap(0xa1b2_c3d4, one.0, &frames),
                    order.pcap(0xa1b2_3c4d, one.0, &frames),
                    order.pcapng(one.0, &frames),
                    // Two sections, of different byte orders.
                    [Order(!big_endian).pcapng(1, &[]), order.pcapng(one.0, &frames)].concat(),
                ] {
                    assert_eq!(good(&["decode"], &file), wanted, "link type {}, IPv6 {v6}", one.0);
                    kinds += 1;
                }
            }
        }
    }
    assert_eq!(kinds, 2 * 9 * 2 * 4);
}

#[test]
fn other_ports_are_asked_for() {
    let file = Order(true).pcap(0xa1b2_c3d4, 101, &[packet(false, 16633, 1, &BARRIER)]);
    assert_eq!(
        good(&["decode", "--tcp-port", "80", "--tcp-port", "16633"], &file),
        format!("{BARRIER_JSON}\n")
    );
    let output = ferroflow(&["decode"], &file);
    assert!(output.status.success() && text(&output.stderr).contains("--tcp-port"), "{output:?}");
    let file = Order(true).pcap(0xa1b2_c3d4, 101, &[packet(false, 6633, 1, &HELLO)]);
    assert!(good(&["decode"], &file).contains("OFPT_HELLO"));
}

/// As `tcpdump -U -w -` writes it: what was said is seen before the capture ends.
#[test]
fn a_capture_is_decoded_as_it_comes() {
    let packets = [packet(false, 6653, 1, &BARRIER), packet(false, 6653, 9, &BARRIER)];
    for file in [Order(false).pcap(0xa1b2_c3d4, 101, &packets), Order(true).pcapng(101, &packets)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
            .arg("decode")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let mut stdin = child.stdin.take().expect("its stdin is ours");
        let mut lines = BufReader::new(child.stdout.take().expect("its stdout is ours")).lines();
        let last = file.len() - 10;
        for byte in &file[..last] {
            stdin.write_all(&[*byte]).unwrap();
        }
        assert_eq!(lines.next().expect("a line").unwrap(), BARRIER_JSON);
        stdin.write_all(&file[last..]).unwrap();
        drop(stdin);
        assert_eq!(lines.next().expect("a line").unwrap(), BARRIER_JSON);
        assert!(child.wait().unwrap().success());
    }
}

/// Whoever reads may have enough.
#[test]
fn a_reader_may_go_away() {
    let packets: Vec<_> = (0..2000).map(|n| packet(false, 6653, 1 + 8 * n, &BARRIER)).collect();
    let file = Order(false).pcap(0xa1b2_c3d4, 101, &packets);
    let hex = hex(&BARRIER.repeat(20_000));
    let json = format!("{BARRIER_JSON}\n").repeat(20_000);
    for (args, input) in [("decode", &file[..]), ("decode", hex.as_bytes()), ("encode", json.as_bytes())] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ferroflow"))
            .arg(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        drop(child.stdout.take());
        // It may have gone before all of this is written.
        let _ = child.stdin.take().expect("its stdin is ours").write_all(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{args}: {output:?}");
    }
}

#[test]
fn captures_that_lack_something() {
    let packets =
        [packet(false, 6653, 1, &BARRIER), packet(false, 6653, 20, &BARRIER), packet(false, 6653, 28, &BAD)];
    let file = Order(false).pcap(0xa1b2_c3d4, 101, &packets);
    let from = "from 10.0.0.1:6653 to 10.0.0.2:40000 (packet 3)";
    let parts = [
        "message 2 at byte 8",
        from,
        "11 bytes are missing in the capture",
        "message 4 at byte 27",
        "at offset 24",
    ];
    assert_eq!(wrong(&["decode"], &file, &parts), format!("{BARRIER_JSON}\n").repeat(2));
    let shown = wrong(&["decode"], &file[..file.len() - 1], &["the file ends within a block"]);
    assert_eq!(shown.lines().count(), 2);
    let strange = Order(false).pcap(0xa1b2_c3d4, 147, &packets);
    wrong(&["decode"], &strange, &["3 packets passed over: link type 147"]);
}
