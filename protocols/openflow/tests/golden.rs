//! Messages written by hand from the specifications, with every field annotated: `golden/*/*.hex`.
//!
//! A line is hex digits and, after `#`, what they are: parts separated by `;`, each `path value` (the value as JSON), `header
//! "OFPT_.." xid`, or `- ..` for what is no field (lengths, padding). `# in PATH` puts PATH before the paths that follow, a
//! path with `/` in front stays as it is, and `# == title` begins a message. Every value is checked, and every field of the message has to have one.

use ferroflow_openflow::owned::AnyMessage;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[path = "common/types.rs"]
mod types;

use types::{parts, types};

#[derive(Default)]
struct Golden {
    title: String,
    bytes: Vec<u8>,
    fields: BTreeMap<String, Value>,
}

fn parse_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("a hex digit")).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn parse(file: &Path) -> Vec<Golden> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut found: Vec<Golden> = Vec::new();
    let mut prefix = String::new();
    for (number, line) in text.lines().enumerate() {
        let (hex, note) = line.split_once('#').unwrap_or((line, ""));
        let note = note.trim();
        if let Some(title) = note.strip_prefix("== ") {
            let title = format!("{}:{} {title}", file.display(), number + 1);
            found.push(Golden { title, ..Golden::default() });
            prefix.clear();
            continue;
        }
        let Some(golden) = found.last_mut() else { continue };
        golden.bytes.extend(parse_hex(hex));
        if let Some(path) = note.strip_prefix("in ") {
            prefix = path.to_owned();
            continue;
        }
        if hex.trim().is_empty() {
            continue;
        }
        for part in note.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            annotate(golden, &prefix, part);
        }
    }
    found
}

fn annotate(golden: &mut Golden, prefix: &str, part: &str) {
    let (path, value) = part.split_once(' ').unwrap_or_else(|| panic!("{}: {part:?}", golden.title));
    let json =
        |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {part:?}: {e}", golden.title));
    match path {
        "-" => {}
        "header" => {
            let (ty, xid) = value.split_once(' ').expect("type and xid");
            let version = Value::from(golden.bytes[0]);
            let fields = [("header.version", version), ("header.type", json(ty)), ("header.xid", json(xid))];
            golden.fields.extend(fields.map(|(path, value)| (path.to_owned(), value)));
        }
        path => {
            let full = match (prefix, path.strip_prefix('/')) {
                (_, Some(path)) => path.to_owned(),
                ("", None) => path.to_owned(),
                (prefix, None) => format!("{prefix}.{path}"),
            };
            let value = json(value);
            assert!(golden.fields.insert(full, value).is_none(), "{}: {path} twice", golden.title);
        }
    }
}

/// The fields that have no fields of their own. A list of texts and numbers is one: a set of flags.
fn leaves(path: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, value, into);
            }
        }
        Value::Array(list) if list.iter().any(|e| e.is_object() || e.is_array()) => {
            for (i, value) in list.iter().enumerate() {
                leaves(&format!("{path}[{i}]"), value, into);
            }
        }
        leaf => {
            into.insert(path.to_owned(), leaf.clone());
        }
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Checks a folder's messages and says how many there are.
fn check(folder: &str) -> usize {
    let mut wrong = Vec::new();
    let all: Vec<Golden> = files(folder).iter().flat_map(|file| parse(file)).collect();
    for golden in &all {
        if let Err(e) = check_one(golden) {
            wrong.push(format!("{}: {e}", golden.title));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    all.len()
}

fn check_one(golden: &Golden) -> Result<(), String> {
    let message = AnyMessage::decode(&golden.bytes).map_err(|e| e.to_string())?;
    let json = serde_json::to_value(&message).map_err(|e| e.to_string())?;
    let mut found = BTreeMap::new();
    leaves("", &json, &mut found);
    for (path, value) in &golden.fields {
        match found.remove(path) {
            Some(found) if found == *value => {}
            Some(found) => return Err(format!("{path} is {found}, not {value}")),
            None => return Err(format!("there is no {path} in {json}")),
        }
    }
    if let Some((path, value)) = found.first_key_value() {
        return Err(format!("{path} {value} is not annotated"));
    }
    let encoded = message.encode().map_err(|e| e.to_string())?;
    if encoded != golden.bytes {
        return Err(format!("written as {encoded:02x?}"));
    }
    let again: AnyMessage = serde_json::from_value(json).map_err(|e| e.to_string())?;
    if again == message { Ok(()) } else { Err("another message by way of JSON".to_owned()) }
}

#[test]
fn v10() {
    assert!(check("v10") >= 30);
}

#[test]
fn v13() {
    assert!(check("v13") >= 60);
}

#[test]
fn v12() {
    assert!(check("v12") >= 25);
}

#[test]
fn v14() {
    assert!(check("v14") >= 70);
}

#[test]
fn v15() {
    assert!(check("v15") >= 90);
}

#[test]
fn nicira() {
    assert!(check("nicira") >= 20);
}

/// The texts in a message, without the fields that they are the values of.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| texts(value, into)),
        Value::Array(list) => list.iter().for_each(|value| texts(value, into)),
        Value::String(text) => drop(into.insert(text.clone())),
        _ => {}
    }
}

/// Every type of message and multipart of each version is in a golden message, and every type of the parts of messages. (Which
/// version has which part is in `variants.rs`.)
#[test]
fn everything_is_in_a_golden_message() {
    let folders = ["v10", "v12", "v13", "v14", "v15", "nicira"];
    let all: Vec<Golden> = folders.iter().flat_map(|f| files(f)).flat_map(|file| parse(&file)).collect();
    let (mut missing, mut names) = (BTreeSet::new(), BTreeSet::new());
    for version in AnyMessage::VERSIONS {
        let mut kinds = BTreeSet::new();
        for golden in all.iter().filter(|golden| golden.bytes[0] == version.0) {
            let json = serde_json::to_value(AnyMessage::decode(&golden.bytes).unwrap()).unwrap();
            let ty = json["header"]["type"].as_str().unwrap_or_default();
            kinds.insert(ty.to_owned());
            if let (Some(part), Some((_, way))) = (json["type"].as_str(), ty.rsplit_once('_')) {
                kinds.insert(format!("{part} {way}"));
            }
            texts(&json, &mut names);
        }
        let (messages, multiparts) = types(version.0);
        let ways = ["REQUEST", "REPLY"].into_iter();
        let multiparts = ways.flat_map(|way| multiparts.iter().map(move |part| format!("{part} {way}")));
        let wanted: BTreeSet<String> = messages.into_iter().map(str::to_owned).chain(multiparts).collect();
        missing.extend(wanted.difference(&kinds).map(|kind| format!("{kind} of {version}")));
    }
    missing.extend(parts().into_iter().filter(|part| !names.contains(*part)).map(str::to_owned));
    assert!(missing.is_empty(), "in no golden message: {missing:#?}");
}
