//! Wireshark's dissectors and our codec on the same messages: the golden ones of every version that tshark knows, encoded by
//! us. Every field that tshark shows is found in our view for people by its bits, and has to have the same value, and where
//! it has a name, the same name. What tshark leaves out, shows without our having a value there or calls otherwise is in
//! `known.txt`, line by line, and what it gets wrong in `malformed.txt` with the reasons: a line more is a failure, and so is a
//! line that is no longer true. All of it is in golden messages whose every field was written by hand, which is its check, and
//! Open vSwitch reads most of it (`open_vswitch.rs`, `either.rs`, `numbers.rs`).
#![forbid(unsafe_code)]

mod either;
mod golden;
mod made_up;
mod numbers;
mod open_vswitch;
mod pdml;
mod places;

use cbench::lab::{Need, require};
use etherparse::PacketBuilder;
use golden::{golden, to_hex};
use pdml::Field;
use places::Places;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::process::Command;

/// Bytes of headers in front of each message: Ethernet, IPv4, TCP.
const HEADERS: usize = 54;

/// A capture with one connection for each message.
fn capture(messages: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut file =
        [&0xa1b2_c3d4_u32.to_be_bytes()[..], &[0, 2, 0, 4], &[0; 8], &[0, 4, 0, 0, 0, 0, 0, 1]].concat();
    for ((_, message), port) in messages.iter().zip(20000..) {
        let mut frame = Vec::new();
        let tcp = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(port, 6653, 1, 9);
        tcp.write(&mut frame, message).expect("a vector");
        let len = (frame.len() as u32).to_be_bytes();
        file.extend([&[0; 8][..], &len, &len, &frame].concat());
    }
    file
}

fn dissected(messages: &[(String, Vec<u8>)]) -> Vec<pdml::Packet> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("messages.pcap");
    std::fs::write(&file, capture(messages)).expect("a file");
    let output =
        Command::new("tshark").arg("-r").arg(&file).args(["-T", "pdml"]).output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    pdml::packets(&String::from_utf8_lossy(&output.stdout), HEADERS)
}

/// What does not agree, and how many values were compared.
#[derive(Default)]
struct Findings {
    known: BTreeSet<String>,
    /// Of that what is wrong and not only absent, without what it is in which message.
    wrong: BTreeSet<String>,
    /// Values of ours that tshark does not show, and how often.
    undecoded: BTreeMap<String, usize>,
    compared: usize,
}

/// The way to a value without the numbers of list elements.
fn plain(path: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0;
    for c in path.chars() {
        depth += usize::from(c == '[');
        if depth == 0 {
            plain.push(c);
        }
        depth -= usize::from(c == ']');
    }
    plain
}

/// Lower case letters and digits alone.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The number that these bits of a message are.
fn raw(bytes: &[u8], bits: &[usize]) -> u64 {
    bits.iter().fold(0, |n, bit| n << 1 | u64::from(bytes[bit / 8] >> (7 - bit % 8) & 1))
}

/// Bytes for the controller: a length that is a value.
fn is_max_len(name: &str) -> bool {
    matches!(name, "max_len" | "total_len" | "miss_send_len" | "max_length")
}

impl Findings {
    fn message(&mut self, title: &str, bytes: &[u8], packet: &pdml::Packet) {
        let places = Places::of(bytes);
        let what = format!(
            "{} {}",
            places.leaves["header.version"],
            places.leaves["header.type"].as_str().unwrap_or("?")
        );
        if packet.is_malformed {
            self.known.insert(format!("malformed: {what}: {title}"));
            self.wrong.insert(format!("malformed: {what}"));
        }
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for field in &packet.fields {
            if let Some(path) = self.field(&what, title, bytes, &places, field) {
                seen.insert(path);
            }
        }
        for path in places.leaves.keys().filter(|path| !seen.contains(*path) && places.start(path).is_some())
        {
            *self.undecoded.entry(format!("undecoded: {what}: {}", plain(path))).or_default() += 1;
        }
    }

    /// Compares a field, and says which value of ours it is.
    fn field(
        &mut self,
        what: &str,
        title: &str,
        bytes: &[u8],
        places: &Places,
        field: &Field,
    ) -> Option<String> {
        let bits = field.bits();
        let last = field.name.rsplit('.').next().unwrap_or_default();
        // Lengths, counts and padding are no values of ours.
        let is_structure = ["pad", "len", "reserved", "hm"].iter().any(|word| last.contains(word));
        if is_structure && !is_max_len(last) {
            return None;
        }
        let ours: BTreeSet<&str> = bits
            .iter()
            .filter_map(|&bit| places.bits.get(bit)?.as_ref())
            .map(|(path, _)| &path[..])
            .collect();
        let mut ours = ours.into_iter();
        let path = match (ours.next(), ours.next()) {
            (Some(path), None) => path.to_owned(),
            (None, _) => {
                if !field.is_tree {
                    self.known.insert(format!("no value of ours: {what}: {}", field.name));
                }
                return None;
            }
            // A structure as a whole.
            (Some(_), Some(_)) => return None,
        };
        let value = &places.leaves[&path];
        if self.agrees(what, bytes, places, field, &path, &bits) {
            self.compared += 1;
        } else {
            self.wrong.insert(format!("differs: {what}: {} and {}", plain(&path), field.name));
            self.known.insert(format!(
                "differs: {what} ({title}): {path} is {value}, and {} {:?}",
                field.name, field.showname
            ));
        }
        Some(path)
    }

    fn agrees(
        &mut self,
        what: &str,
        bytes: &[u8],
        places: &Places,
        field: &Field,
        path: &str,
        bits: &[usize],
    ) -> bool {
        match &places.leaves[path] {
            Value::Number(n) => n.as_u64().map_or_else(
                || field.show == n.to_string(),
                |n| field.is(n) || field.is(places.part(path, n, bits)),
            ),
            Value::Bool(b) => field.number() == Some(u64::from(*b)),
            Value::Array(set) => match *bits {
                [bit] => self.flag(what, set, places, field, bit),
                _ => self.list(what, set, places, field, path, bits),
            },
            Value::String(text) => {
                if field.showname.contains(&text[..]) || field.show.eq_ignore_ascii_case(text) {
                    return true;
                }
                if text.parse::<Ipv6Addr>().is_ok_and(|address| to_hex(&address.octets()) == field.value) {
                    return true;
                }
                let start = places.start(path).map_or(0, |bit| bit / 8);
                let from = 2 * field.at.saturating_sub(start);
                // Bytes, or a part of them.
                if text.get(from..from + 2 * field.size)
                    == Some(&to_hex(&bytes[field.at..field.at + field.size]))
                {
                    return text.bytes().all(|b| b.is_ascii_hexdigit());
                }
                let is_name = text.contains('_')
                    && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
                if is_name {
                    let label = field.showname.rsplit(" = ").next().unwrap_or_default();
                    self.known.insert(format!("another name: {}: {text} is {label:?}", field.name));
                }
                is_name && field.is(raw(bytes, bits))
            }
            _ => false,
        }
    }

    /// A number of a list by its place; or a set of flags as one number.
    fn list(
        &mut self,
        what: &str,
        list: &[Value],
        places: &Places,
        field: &Field,
        path: &str,
        bits: &[usize],
    ) -> bool {
        if !list.is_empty() && list.iter().all(Value::is_number) {
            // Counted from the end: the bits of the list's length change it as well.
            let from_end = (places.end(path) - field.at) / field.size;
            let number = list.len().checked_sub(from_end).and_then(|index| list.get(index)?.as_u64());
            // Or all of them as the bytes that they are.
            let digits = 2 * field.size / list.len();
            let all: String = list.iter().map(|n| format!("{:0digits$x}", n.as_u64().unwrap_or(0))).collect();
            return number.is_some_and(|n| field.is(n)) || all == field.value;
        }
        // In a tree its flags follow one by one.
        if !field.is_tree {
            self.known.insert(format!("flags as a number: {what}: {}", field.name));
        }
        field.is(places.flags(path, list, bits))
    }

    /// A flag by its bit: its name, and whether it is set.
    fn flag(&mut self, what: &str, set: &[Value], places: &Places, field: &Field, bit: usize) -> bool {
        let Some(Some((_, Some(name)))) = places.bits.get(bit) else { return false };
        let last = field.name.rsplit('.').next().unwrap_or_default();
        if !letters(name).ends_with(&letters(last)) {
            let version = what.split(' ').next().unwrap_or_default();
            self.known.insert(format!("another name: {version} {}: {name}", field.name));
        }
        field.number() == Some(u64::from(set.iter().any(|flag| flag == name.as_str())))
    }
}

#[test]
fn tshark_reads_what_we_write() {
    if !require(&[Need::Command("tshark")]) {
        return;
    }
    let folders = ["v10", "v13", "v14", "v15", "nicira"];
    // tshark does not know 1.2.
    let messages: Vec<_> =
        folders.iter().flat_map(|folder| golden(folder)).filter(|(_, bytes)| bytes[0] != 3).collect();
    assert!(messages.len() >= 120, "{}", messages.len());
    let packets = dissected(&messages);
    assert_eq!(packets.len(), messages.len());
    let mut findings = Findings::default();
    for ((title, bytes), packet) in messages.iter().zip(&packets) {
        assert!(!packet.fields.is_empty(), "{title}: tshark sees no OpenFlow in it");
        findings.message(title, bytes, packet);
    }
    eprintln!("{} values compared", findings.compared);
    assert!(findings.compared > 3500, "{}", findings.compared);
    let is_wrong = |line: &String| line.starts_with("malformed: ") || line.starts_with("differs: ");
    let (wrong, mut known): (_, BTreeSet<_>) = findings.known.into_iter().partition(is_wrong);
    known.extend(findings.undecoded.iter().map(|(what, times)| format!("{what} ({times})")));
    check(&wrong, include_str!("malformed.txt"), "malformed.txt");
    check(&known, include_str!("known.txt"), "known.txt");
}

/// A line more than in the file is a failure, and so is one less.
fn check(found: &BTreeSet<String>, file: &str, name: &str) {
    let is_line = |line: &&str| !line.starts_with('#') && !line.is_empty();
    let known: BTreeSet<String> = file.lines().filter(is_line).map(str::to_owned).collect();
    let less = |from: &BTreeSet<String>, less: &BTreeSet<String>| {
        from.difference(less).cloned().collect::<Vec<_>>().join("\n")
    };
    let (more, gone) = (less(found, &known), less(&known, found));
    assert!(more.is_empty() && gone.is_empty(), "not in {name}:\n{more}\nno longer true:\n{gone}");
}
