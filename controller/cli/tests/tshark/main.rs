//! Wireshark's dissectors and our codec on the same messages: the golden ones of every version that tshark knows, encoded by
//! us. Every field that tshark shows is found in our view for people by its bits, and has to have the same value, and where
//! it has a name, the same name. What tshark leaves out, shows without our having a value there, calls otherwise or gets wrong
//! is in `known.txt`, line by line: a line more is a failure, and so is a line that is no longer true. All of it is in golden
//! messages whose every field was written by hand, which is its check.
#![forbid(unsafe_code)]

mod pdml;
mod places;

use cbench::lab::{Need, require};
use etherparse::PacketBuilder;
use ferroflow_openflow::owned::AnyMessage;
use pdml::Field;
use places::Places;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The golden messages of a folder, as the encoder makes them of their owned values, with their titles.
fn golden(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocols/openflow/tests/golden").join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder").path()).collect();
    files.sort();
    let mut messages: Vec<(String, Vec<u8>)> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let mut titled: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let (hex, note) = line.split_once('#').unwrap_or((line, ""));
            match (note.trim().strip_prefix("== "), titled.last_mut()) {
                (Some(title), _) => titled.push((title.to_owned(), String::new())),
                (None, Some((_, digits))) => digits.extend(hex.chars().filter(|c| !c.is_whitespace())),
                (None, None) => {}
            }
        }
        messages.extend(titled.into_iter().map(|(title, digits)| (title, encoded(&digits))));
    }
    messages
}

/// The message, with something that Wireshark can read where it carries a packet or a message.
fn encoded(digits: &str) -> Vec<u8> {
    let bytes = from_hex(digits);
    let message = AnyMessage::decode(&bytes).expect("golden messages can be read");
    let mut view = serde_json::to_value(&message).expect("it has a view");
    let frame = || {
        let mut frame = Vec::new();
        let udp = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 9).udp(9, 9);
        udp.write(&mut frame, &[0; 32]).expect("a vector");
        frame
    };
    let data = match view["header"]["type"].as_str() {
        Some("OFPT_PACKET_IN" | "OFPT_PACKET_OUT") => frame(),
        // The first 64 bytes of the message that failed, at least (OF 1.3.5 7.4.4).
        Some("OFPT_ERROR") => [&[bytes[0], 2, 0, 64, 0, 0, 0, 1][..], &[7; 56]].concat(),
        _ => Vec::new(),
    };
    if !data.is_empty() && view.get("data").is_some_and(Value::is_string) {
        view["data"] = to_hex(&data).into();
    }
    let message: AnyMessage = serde_json::from_value(view).expect("bytes may be any");
    message.encode().expect("it is short enough")
}

fn from_hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.chars().map(|c| c.to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

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
        }
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for field in &packet.fields {
            if let Some(path) = self.field(&what, title, bytes, &places, field) {
                seen.insert(path);
            }
        }
        for path in places.leaves.keys().filter(|path| !seen.contains(*path) && places.start(path).is_some())
        {
            self.known.insert(format!("undecoded: {what}: {}", plain(path)));
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
            Value::Number(n) => {
                field.is_tree
                    || n.as_u64().map_or_else(
                        || field.show == n.to_string(),
                        |n| field.is(n) || field.is(places.part(path, n, bits)),
                    )
            }
            Value::Bool(b) => field.number() == Some(u64::from(*b)),
            Value::Array(set) => match *bits {
                [bit] => self.flag(what, set, places, field, bit),
                // The set as a whole: its flags follow one by one.
                _ if field.is_tree => true,
                _ => self.list(what, set, places, field, path),
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
                is_name
            }
            _ => false,
        }
    }

    /// A number of a list by its place; or a set of flags that tshark shows as one number.
    fn list(&mut self, what: &str, list: &[Value], places: &Places, field: &Field, path: &str) -> bool {
        if !list.is_empty() && list.iter().all(Value::is_number) {
            // Counted from the end: the bits of the list's length change it as well.
            let from_end = (places.end(path) - field.at) / field.size;
            let number = list.len().checked_sub(from_end).and_then(|index| list.get(index)?.as_u64());
            return number.is_some_and(|n| field.is(n));
        }
        self.known.insert(format!("flags as a number: {what}: {}", field.name));
        true
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
    assert!(findings.compared > 500, "{}", findings.compared);
    let known: BTreeSet<String> = include_str!("known.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    let is = |from: &BTreeSet<String>, less: &BTreeSet<String>| {
        from.difference(less).cloned().collect::<Vec<_>>().join("\n")
    };
    let (more, gone) = (is(&findings.known, &known), is(&known, &findings.known));
    assert!(
        more.is_empty() && gone.is_empty(),
        "{} compared; not in known.txt:\n{more}\nno longer true:\n{gone}",
        findings.compared
    );
}
