//! Every message of every version: value, bytes and view for people are the same thing.

use ferroflow_openflow::owned::AnyMessage;
use ferroflow_wire::codec::{Entropy, Json};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_assert_ne, proptest};
use serde_json::Value;

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
            let n = n.as_u64().unwrap();
            vec![(n ^ 1).into()]
        }
        Value::Bool(b) => vec![(!b).into()],
        // A name for another value, an address, hex: what is not understood is no change.
        Value::String(text) => {
            let other = if text.ends_with('1') { '2' } else { '1' };
            let mut changed = text.clone();
            changed.pop();
            vec![format!("{changed}{other}").into(), 1.into()]
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

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_changed_field_changes_the_bytes(message in message()) {
        let bytes = message.encode().unwrap();
        for json in changed(&serde_json::to_value(&message).unwrap()) {
            if let Ok(other) = serde_json::from_value::<AnyMessage>(json.clone())
                && other != message
                && let Ok(other) = other.encode()
            {
                prop_assert_ne!(&other, &bytes, "{}", json);
            }
        }
    }

    #[test]
    fn what_is_cut_is_refused(message in message(), at in any::<usize>()) {
        let bytes = message.encode().unwrap();
        let cut = at % bytes.len();
        let error = AnyMessage::decode(&bytes[..cut]).unwrap_err();
        assert!(error.offset() <= cut, "{error}");
    }
}
