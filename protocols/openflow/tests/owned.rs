//! Every message of every version: value, bytes and view for people are the same thing.

use ferroflow_openflow::owned::AnyMessage;
use ferroflow_wire::codec::{Entropy, Json};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn value_bytes_value(version in 0..AnyMessage::VERSIONS.len(), entropy in prop::collection::vec(any::<u8>(), 0..400)) {
        let version = AnyMessage::VERSIONS[version].0;
        let message = AnyMessage::made_up(&mut Entropy::new(&entropy, version)).unwrap();
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
}
