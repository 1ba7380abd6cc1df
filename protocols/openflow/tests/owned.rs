//! Every message of every version: value, bytes and view for people are the same thing.

use ferroflow_openflow::owned::AnyMessage;
use ferroflow_wire::codec::{Entropy, Json};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_assert_ne, proptest};
use proptest::test_runner::TestRunner;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeSet;

#[path = "common/types.rs"]
mod types;

use types::types;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A made-up message of any version.
fn message() -> impl Strategy<Value = AnyMessage> {
    let entropy = prop::collection::vec(any::<u8>(), 0..400);
    (0..AnyMessage::VERSIONS.len(), entropy).prop_map(|(version, entropy)| {
        let version = AnyMessage::VERSIONS[version].0;
        AnyMessage::made_up(&mut Entropy::new(&entropy, version)).unwrap()
    })
}

/// Every number, text and truth in the tree, one after the other, changed to something near it.
fn changed(json: &Value) -> Vec<Value> {
    match json {
        Value::Number(n) => {
            let near = match n.as_u64() {
                Some(n) => Value::from(n ^ 1),
                None => Value::from(n.as_i64().unwrap() ^ 1),
            };
            vec![near]
        }
        Value::Bool(b) => vec![(!b).into()],
        // A name for another number. One of the two may be the number that it is for.
        Value::String(text) if text.contains('_') && text.bytes().all(|b| !b.is_ascii_lowercase()) => {
            vec![1.into(), 2.into()]
        }
        // An address, hex, a text: what is not understood is no change.
        Value::String(text) => {
            let other = if text.ends_with('1') { '2' } else { '1' };
            let mut changed = text.clone();
            changed.pop();
            vec![format!("{changed}{other}").into()]
        }
        Value::Array(list) => {
            let each = list.iter().enumerate();
            each.flat_map(|(i, element)| {
                changed(element).into_iter().map(move |element| {
                    let mut list = list.clone();
                    list[i] = element;
                    Value::Array(list)
                })
            })
            .collect()
        }
        Value::Object(fields) => {
            let each = fields.iter();
            each.flat_map(|(name, value)| {
                changed(value).into_iter().map(move |value| {
                    let mut fields = fields.clone();
                    fields[name] = value;
                    Value::Object(fields)
                })
            })
            .collect()
        }
        Value::Null => Vec::new(),
    }
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn value_bytes_value(message in message()) {
        let bytes = message.encode().unwrap();
        match AnyMessage::decode(&bytes) {
            Ok(read) => prop_assert_eq!(&read, &message),
            Err(e) => panic!("{e}\n{message:?}\n{bytes:02x?}"),
        }
        let json = serde_json::to_string(&message).unwrap();
        let read: AnyMessage = serde_json::from_str(&json).map_err(|e| format!("{e}: {json}")).unwrap();
        prop_assert_eq!(&read, &message);
        prop_assert_eq!(AnyMessage::from_json(message.to_json()).unwrap().encode().unwrap(), bytes);
    }

    /// Bytes near a message: refused, or read and written to something that is read the same. What differs is padding.
    #[test]
    fn bytes_value_bytes(message in message(), changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4)) {
        let mut bytes = message.encode().unwrap();
        for (at, to) in changes {
            let at = at % bytes.len();
            bytes[at] = to;
        }
        if let Ok(read) = AnyMessage::decode(&bytes) {
            let again = read.encode().unwrap();
            prop_assert_eq!(again.len(), bytes.len(), "{:?}", read);
            prop_assert_eq!(AnyMessage::decode(&again).unwrap(), read);
        }
    }
}

/// Made-up messages from a fixed seed are of every type that there is, and survive.
#[test]
fn every_type_of_every_version() {
    for version in AnyMessage::VERSIONS {
        let (messages, parts) = types(version.0);
        let mut missing: BTreeSet<String> = messages.iter().map(|name| (*name).to_owned()).collect();
        missing.extend(
            ["REQUEST", "REPLY"].iter().flat_map(|way| parts.iter().map(move |p| format!("{p} {way}"))),
        );
        let mut random = 7u64;
        for _ in 0..20_000 {
            let entropy: [u8; 200] = std::array::from_fn(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 56) as u8
            });
            let message = AnyMessage::made_up(&mut Entropy::new(&entropy, version.0)).unwrap();
            let bytes = message.encode().unwrap();
            assert_eq!(AnyMessage::decode(&bytes).as_ref(), Ok(&message));
            let json = serde_json::to_value(&message).unwrap();
            let ty = json["header"]["type"].as_str().unwrap();
            missing.remove(ty);
            if let (Some(part), Some((_, way))) = (json["type"].as_str(), ty.rsplit_once('_')) {
                missing.remove(&format!("{part} {way}"));
            }
        }
        assert!(missing.is_empty(), "never of {version}: {missing:?}");
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn what_is_cut_is_refused(message in message(), at in any::<usize>()) {
        let bytes = message.encode().unwrap();
        let cut = at % bytes.len();
        let error = AnyMessage::decode(&bytes[..cut]).unwrap_err();
        assert!(error.offset() <= cut, "{error}");
    }
}

/// Some of the changes are none (1 for the name of 1), and some cannot be: another type, with the fields of the first.
#[test]
fn a_changed_field_changes_the_bytes() {
    let [tried, refused, same, other] = std::array::from_fn(|_| Cell::new(0));
    let count = |what: &Cell<u32>| what.set(what.get() + 1);
    let result = TestRunner::new(config(1000)).run(&message(), |message| {
        let bytes = message.encode().unwrap();
        for json in changed(&serde_json::to_value(&message).unwrap()) {
            count(&tried);
            match serde_json::from_value::<AnyMessage>(json.clone()).map(|read| (read.encode(), read)) {
                Ok((_, read)) if read == message => count(&same),
                Ok((Ok(written), _)) => {
                    count(&other);
                    prop_assert_ne!(&written, &bytes, "{}", json);
                }
                _ => count(&refused),
            }
        }
        Ok(())
    });
    result.unwrap();
    let [tried, refused, same, other] = [tried, refused, same, other].map(|count| count.get());
    eprintln!("{tried} changes: {refused} refused, {same} the same message, {other} another one");
    assert!(tried > 10_000 && other * 2 > tried && same * 8 < tried);
}
