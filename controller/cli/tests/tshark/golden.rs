//! The golden messages, as the encoder makes them of their owned values.

use etherparse::PacketBuilder;
use ferroflow_openflow::owned::AnyMessage;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The golden messages of a folder, as the encoder makes them of their owned values, with their titles.
pub fn golden(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocols/openflow/tests/golden").join(folder);
    let entries = std::fs::read_dir(&folder).expect("golden messages");
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
        let encoded = |digits: String| {
            let message = AnyMessage::decode(&from_hex(&digits)).expect("golden messages can be read");
            encoded(&message)
        };
        messages.extend(titled.into_iter().map(|(title, digits)| (title, encoded(digits))));
    }
    messages
}

/// The message, with something that Wireshark can read where it carries a packet or a message.
pub fn encoded(message: &AnyMessage) -> Vec<u8> {
    let mut view = serde_json::to_value(message).expect("it has a view");
    let frame = || {
        let mut frame = Vec::new();
        let udp = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 9).udp(9, 9);
        udp.write(&mut frame, &[0; 32]).expect("a vector");
        frame
    };
    let data = match view["header"]["type"].as_str() {
        Some("OFPT_PACKET_IN" | "OFPT_PACKET_OUT") => frame(),
        // The first 64 bytes of the message that failed, at least (OF 1.3.5 7.4.4).
        Some("OFPT_ERROR") => [&[message.version().0, 2, 0, 64, 0, 0, 0, 1][..], &[7; 56]].concat(),
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

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
