//! Messages written by hand from WIRE.md, every field annotated: `hex  # @offset path = value`. The offset counts from
//! the end of the header, the value is the one of the JSON view.

use ferroflow_pof::codec::Json;
use ferroflow_pof::{HEADER_LEN, Message, Profile};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

struct Golden {
    name: String,
    profile: Profile,
    bytes: Vec<u8>,
    fields: Vec<Field>,
}

/// A field, as the annotation has it.
struct Field {
    /// From the start of the message; none for what has no bytes.
    at: Option<usize>,
    path: String,
    value: Value,
}

impl Golden {
    fn read(file: &Path) -> Self {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).unwrap();
        let (mut bytes, mut fields) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let (hex, comment) = line.split_once('#').unwrap_or((line, ""));
            let at = bytes.len();
            let digits: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
            let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
            bytes.extend(digits.chunks(2).map(byte));
            let mut comment = comment.trim();
            if let Some(rest) = comment.strip_prefix('@') {
                let (offset, rest) = rest.split_once(' ').unwrap();
                assert_eq!(offset.parse::<usize>().unwrap() + HEADER_LEN, at, "{name}: offset of {rest}");
                comment = rest;
            }
            let Some((path, value)) = comment.split_once(" = ") else { continue };
            let value = serde_json::from_str(value).unwrap_or_else(|e| panic!("{name}: {comment}: {e}"));
            // The message's own fields have the annotation without an offset.
            let is_own = matches!(path, "profile" | "type" | "xid") && at < HEADER_LEN;
            let path = if is_own { format!("header.{path}") } else { path.to_owned() };
            fields.push(Field { at: (bytes.len() > at).then_some(at), path, value });
        }
        let profile = fields.iter().find(|f| f.path == "header.profile").unwrap().value.as_str().unwrap();
        Self { name, profile: profile.parse().unwrap(), bytes, fields }
    }
}

fn goldens() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| Golden::read(file)).collect()
}

/// `match[0].len` of a JSON value.
fn at<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer: String =
        path.split(['.', '[']).map(|step| format!("/{}", step.trim_end_matches(']'))).collect();
    json.pointer(&pointer)
}

/// The paths of all that is not an object or a list of objects.
fn leaves(json: &Value, path: &str, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(value, &path, found);
            }
        }
        Value::Array(list) if list.first().is_some_and(Value::is_object) => {
            for (i, value) in list.iter().enumerate() {
                leaves(value, &format!("{path}[{i}]"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// A list without elements has no bytes and no annotation; nor has a frame without any.
fn is_empty(json: &Value) -> bool {
    json.as_array().is_some_and(Vec::is_empty) || json.as_str() == Some("")
}

fn decode(golden: &Golden) -> Message {
    Message::decode(golden.profile, &golden.bytes).unwrap_or_else(|e| panic!("{}: {e}", golden.name))
}

#[test]
fn there_are_enough_of_every_profile() {
    let goldens = goldens();
    assert!(goldens.len() >= 60, "{}", goldens.len());
    let of = |profile| goldens.iter().filter(|g| g.profile == profile).count();
    assert!(of(Profile::P134) >= 30 && of(Profile::P140) >= 36);
    assert!(of(Profile::P118) >= 6 && of(Profile::P119) >= 3);
}

#[test]
fn every_field_has_the_value_that_is_annotated() {
    for golden in goldens() {
        let json = serde_json::to_value(decode(&golden)).unwrap();
        for field in &golden.fields {
            assert_eq!(at(&json, &field.path), Some(&field.value), "{}: {}", golden.name, field.path);
        }
        let mut all = BTreeSet::new();
        leaves(&json, "", &mut all);
        for field in &golden.fields {
            all.remove(&field.path);
        }
        all.retain(|path| !is_empty(at(&json, path).unwrap()));
        assert!(all.is_empty(), "{}: not annotated: {all:?}", golden.name);
    }
}

#[test]
fn written_again_they_are_the_same() {
    for golden in goldens() {
        let message = decode(&golden);
        assert!(message.unused.is_empty(), "{}: {:?}", golden.name, message.unused);
        assert_eq!(message.to_vec().unwrap(), golden.bytes, "{}", golden.name);
        let text = serde_json::to_string(&message).unwrap();
        let again: Message = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
        assert_eq!(again, message, "{}", golden.name);
        assert_eq!(Message::from_json(message.to_json()).unwrap(), message);
    }
}

#[test]
fn every_field_stands_at_its_offset() {
    let (mut moved, mut refused) = (0, 0);
    for golden in goldens() {
        let json = serde_json::to_value(decode(&golden)).unwrap();
        for field in &golden.fields {
            let Some(offset) = field.at else { continue };
            // Another type has another layout; a message's length is checked apart.
            if field.path == "header.type" {
                continue;
            }
            let mut bytes = golden.bytes.clone();
            bytes[offset] ^= 0x80;
            match Message::decode(golden.profile, &bytes) {
                Ok(changed) => {
                    let changed = serde_json::to_value(&changed).unwrap();
                    assert_ne!(
                        at(&changed, &field.path),
                        at(&json, &field.path),
                        "{}: {}",
                        golden.name,
                        field.path
                    );
                }
                Err(error) => {
                    assert!(error.offset() <= offset + 4, "{}: {error}", golden.name);
                    refused += 1;
                }
            }
            moved += 1;
        }
    }
    assert!(moved > 10 * refused, "{refused} of {moved} refused");
}

#[test]
fn every_unused_byte_is_kept() {
    for golden in goldens() {
        // What a lone bit changes in the view, byte by byte: a field, or what is unused.
        for offset in HEADER_LEN..golden.bytes.len() {
            let mut bytes = golden.bytes.clone();
            bytes[offset] ^= 1;
            let Ok(message) = Message::decode(golden.profile, &bytes) else { continue };
            assert_eq!(message.to_vec().as_ref(), Ok(&bytes), "{}: offset {offset}", golden.name);
            let text = serde_json::to_string(&message).unwrap();
            let again: Message = serde_json::from_str(&text).unwrap();
            assert_eq!(again.to_vec().as_ref(), Ok(&bytes), "{}: offset {offset}", golden.name);
        }
    }
}

#[test]
fn cut_short_they_are_refused() {
    for golden in goldens() {
        for len in 0..golden.bytes.len() {
            let mut cut = golden.bytes[..len].to_vec();
            assert!(Message::decode(golden.profile, &cut).is_err(), "{}: {len} bytes", golden.name);
            if len < HEADER_LEN {
                continue;
            }
            // With a length that is right, a layout of fixed size still has too few bytes.
            cut[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            match Message::decode(golden.profile, &cut) {
                Ok(shorter) => {
                    // The rest of a frame, or bytes of no known meaning.
                    let keeps = golden.name.contains("packet_")
                        || serde_json::to_string(&shorter).unwrap().contains("unknown");
                    assert!(keeps, "{}: {len} bytes", golden.name);
                }
                Err(error) => {
                    assert!(!error.field().is_empty() && error.offset() <= len, "{}: {error}", golden.name);
                }
            }
        }
    }
}

#[test]
fn a_changed_value_changes_the_bytes() {
    let (mut changed_fields, mut refused) = (0, Vec::new());
    for golden in goldens() {
        let json = serde_json::to_value(decode(&golden)).unwrap();
        for field in golden.fields.iter().filter(|f| f.at.is_some() && f.path != "header.type") {
            let pointer: String =
                field.path.split(['.', '[']).map(|s| format!("/{}", s.trim_end_matches(']'))).collect();
            let written = change(&field.value).into_iter().find_map(|value| {
                let mut changed = json.clone();
                *changed.pointer_mut(&pointer).unwrap() = value;
                serde_json::from_value::<Message>(changed).ok()?.to_vec().ok()
            });
            // What the field cannot be is refused; nothing is passed over.
            match written {
                Some(bytes) => {
                    assert_ne!(bytes, golden.bytes, "{}: {}", golden.name, field.path);
                    changed_fields += 1;
                }
                None => refused.push(format!("{}: {}", golden.name, field.path)),
            }
        }
    }
    // Another type has other data, and a frame is as long as it is.
    refused.retain(|field| !field.ends_with("type") && !field.ends_with("packet_len"));
    assert!(changed_fields > 1000 && refused.is_empty(), "{changed_fields} changed, refused: {refused:#?}");
}

/// Other values of the same kind: one of them fits.
fn change(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(n) => vec![u64::from(n.as_u64() == Some(0)).into()],
        Value::Array(list) if list.is_empty() => vec![vec![Value::from(1)].into()],
        Value::Array(_) => vec![Value::Array(Vec::new())],
        Value::String(text) if text.contains(':') => vec!["00:00:00:00:00:07".into()],
        // Hex digits; a named number, which is understood as a number too; a text.
        Value::String(text) => {
            let digit = if text.starts_with('0') { "1" } else { "0" };
            let hex = text.get(1..).map_or_else(|| "11".to_owned(), |rest| format!("{digit}{rest}"));
            vec![213.into(), hex.into(), "another".into()]
        }
        other => panic!("{other}"),
    }
}
