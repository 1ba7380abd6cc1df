use super::*;
use crate::{MacAddr, bit_flags, choice, ltv, open_enum, structure, tagged, tlv};
use proptest::prelude::{any, prop, prop_assert_eq, proptest};

open_enum! {
    /// Kinds.
    Kind(u16) { K_PLAIN = 1, K_NESTED = 2, K_LATER = 3, K_UNIT = 4, K_OTHER = 5 }
}

bit_flags! {
    /// Bits.
    Bits(u8) { B_ONE = 1, B_FOUR = 4 }
}

choice! {
    enum Item("type": Kind) {
        K_PLAIN => Plain { _[1], bits: Bits, r#in: u16, },
        K_NESTED => Nested { _[4], items: Vec<Item>, },
        K_LATER in 2..=9 => Later { address: MacAddr, _[align 8], },
        K_UNIT => Unit,
        K_OTHER => Other(inner: Tagged),
        _ => Unknown,
    }
}
tlv!(Item, len: u16, answer (2, 1), pad 8);

choice! {
    enum Tagged("kind": Kind) {
        K_PLAIN => Plain { n: U24, },
        _ => (7, 8),
    }
}
tagged!(Tagged);

structure! {
    struct Whole {
        _[2],
        name: FixedStr<4>,
        _(items_len: u16),
        _(raw_count: u8),
        _(slot_count: u8),
        _{length: u16},
        pair: [u16; 2],
        items: Vec<Item> as len(items_len),
        raw: Vec<Raw<2>> as count(raw_count),
        slots: Vec<u16> as slots(slot_count, 6),
        tail: Option<u32>,
    }
}

structure! {
    struct Frame {
        xid: u32,
        whole: Whole as flat,
        data: Bytes,
    }
}

fn hex(text: &str) -> Vec<u8> {
    let text: String = text.lines().map(|l| l.split('#').next().unwrap()).collect();
    let digits: String = text.split_whitespace().collect();
    match Bytes::from_json(digits.into()) {
        Ok(Bytes(bytes)) => bytes,
        Err(e) => panic!("{e}"),
    }
}

fn value() -> Frame {
    Frame {
        xid: 1,
        whole: Whole {
            name: FixedStr::new("ab"),
            pair: [3, 4],
            items: vec![
                Item::Plain { bits: Bits::B_ONE | Bits(0x80), r#in: 9 },
                Item::Nested { items: vec![Item::Unit] },
                Item::Later { address: MacAddr([1, 2, 3, 4, 5, 6]) },
                Item::Other(Tagged::Plain { n: U24(0x010203) }),
                Item::Unknown { tag: Kind(0x99), unknown: Bytes(vec![0xaa]) },
            ],
            raw: vec![Raw([5, 6])],
            slots: vec![7, 8],
            tail: Some(10),
        },
        data: Bytes(vec![0xfe]),
    }
}

const BYTES: &str = "
    00000001
    0000 61620000 0040 01 02 0062  # pad, name, items_len, counts, length
    0003 0004
    0001 0008 00 81 0009
    0002 0010 00000000  0004 0004 00000000
    0003 0010 010203040506 000000000000
    0005 0009 0001 010203 00000000000000
    0099 0005 aa 000000
    0506
    0007 0008 0000 0000 0000 0000
    0000000a
    fe";

#[test]
fn every_part_of_a_description() {
    let bytes = hex(BYTES);
    let value = value();
    assert_eq!(to_bytes(&value).unwrap(), bytes);
    assert_eq!(from_bytes::<Frame>(&bytes, 2).unwrap(), value);
    let layout = [
        ("name", 2),
        ("items_len", 6),
        ("raw_count", 8),
        ("slot_count", 9),
        ("length", 10),
        ("pair", 12),
        ("items", 16),
        ("raw", 16),
        ("slots", 16),
        ("tail", 28),
    ];
    assert_eq!(Whole::layout(), layout);
    assert_eq!(Whole::MIN, 28);
}

#[test]
fn the_view_for_people() {
    let json = value().to_json();
    assert_eq!(Frame::from_json(json.clone()).unwrap(), value());
    let Value::Object(mut object) = json else { panic!("no object") };
    let names: Vec<_> = object.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["xid", "name", "pair", "items", "raw", "slots", "tail", "data"]);
    let Some(Value::List(items)) = object.get_mut("items") else { panic!("no items") };
    let Value::Object(plain) = &mut items[0] else { panic!("no object") };
    assert_eq!(plain.get("bits"), Some(&Value::List(vec!["B_ONE".into(), Value::Number(0x80)])));
    assert_eq!(plain.get("type"), Some(&"K_PLAIN".into()));
}

#[test]
fn what_is_wrong_is_named() {
    let bytes = hex(BYTES);
    let changed = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        from_bytes::<Frame>(&bytes, 2).unwrap_err()
    };
    let error = changed(23, 99);
    assert_eq!(error.to_string(), "whole.items[0].len at offset 22: impossible length 99");
    assert_eq!(error.answer(), Some((2, 1)));
    let error = changed(23, 9);
    assert_eq!(error.to_string(), "whole.items[0] at offset 28: 1 bytes too many");
    let error = changed(65, 9);
    assert_eq!(error.to_string(), "whole.items[3].kind at offset 64: unexpected value 9");
    assert_eq!(error.answer(), Some((7, 8)));
    let error = changed(13, 7);
    assert_eq!(error.to_string(), "whole.slots at offset 86: impossible length 7");
    assert_eq!(error.path().field(), Some("slots"));
}

#[test]
fn nesting_has_an_end() {
    let mut item = Item::Unit;
    for _ in 0..60 {
        item = Item::Nested { items: vec![item] };
    }
    let error = from_bytes::<Item>(&to_bytes(&item).unwrap(), 1).unwrap_err();
    assert_eq!(error.reason(), Reason::TooDeep);
}

#[test]
fn what_does_not_fit_is_refused() {
    let long = Item::Unknown { tag: Kind(77), unknown: Bytes(vec![0; 0xfffc]) };
    let error = to_bytes(&long).unwrap_err();
    assert_eq!(error.to_string(), "len: too great for its field");
    assert!(to_bytes(&U24(1 << 24)).is_err());
}

#[test]
fn a_version_without_the_type_keeps_its_bytes() {
    let bytes = hex("0003 0010 010203040506 000000000000");
    let item = from_bytes::<Item>(&bytes, 1).unwrap();
    assert!(matches!(item, Item::Unknown { tag: Kind::K_LATER, .. }), "{item:?}");
    assert_eq!(to_bytes(&item).unwrap(), bytes);
    assert_eq!(Item::from_json(item.to_json()).unwrap(), item);
}

structure! {
    struct Versioned {
        a: u8,
        _[1 in 2..=3],
        b: Option<u16> as only(2..=2),
        c: i32,
    }
}

#[test]
fn a_field_of_some_versions() {
    for (version, bytes, b) in
        [(1, "07 fffffffe", None), (2, "07 00 0102 fffffffe", Some(0x0102)), (3, "07 00 fffffffe", None)]
    {
        let bytes = hex(bytes);
        let value = from_bytes::<Versioned>(&bytes, version).unwrap();
        assert_eq!(value, Versioned { a: 7, b, c: -2 });
        assert_eq!(to_bytes_of(&value, version).unwrap(), bytes);
        assert_eq!(Versioned::from_json(value.to_json()).unwrap(), value);
        let other = if b.is_some() { 1 } else { 2 };
        let error = to_bytes_of(&value, other).unwrap_err();
        assert!(error.to_string().starts_with("b: "), "{error}");
    }
    assert_eq!(Versioned::MIN, 5);
}

#[test]
fn a_type_of_other_versions_is_refused() {
    let later = Item::Later { address: MacAddr([0; 6]) };
    assert!(to_bytes_of(&later, 2).is_ok() && to_bytes(&later).is_ok());
    let error = to_bytes_of(&later, 1).unwrap_err();
    assert_eq!(error.to_string(), "K_LATER: not a type of this version");
}

choice! {
    enum Update("kind": Kind) {
        K_PLAIN => Plain { n: u16, },
        _ => Unknown,
    }
}
ltv!(Update, length: u16, answer (1, 6));

#[test]
fn the_length_before_the_number() {
    let bytes = hex("0006 0001 002a  0005 0063 ff");
    let updates = from_bytes::<Vec<Update>>(&bytes, 1).unwrap();
    assert_eq!(updates[0], Update::Plain { n: 42 });
    assert_eq!(updates[1], Update::Unknown { tag: Kind(99), unknown: Bytes(vec![0xff]) });
    assert_eq!(to_bytes(&updates).unwrap(), bytes);
    let error = from_bytes::<Update>(&hex("0007 0001 002a"), 1).unwrap_err();
    assert_eq!(error.to_string(), "length at offset 0: impossible length 7");
    assert_eq!(error.answer(), Some((1, 6)));
    let error = from_bytes::<Update>(&hex("0003 0001 002a"), 1).unwrap_err();
    assert_eq!(error.to_string(), "kind at offset 2: truncated: 2 bytes needed, 1 there");
}

structure! {
    struct Padded {
        _(len: u16),
        data: Bytes as len(len),
        items: Vec<u32> as padded(8),
    }
}

#[test]
fn padding_before_a_list_that_is_there() {
    for (bytes, items) in [
        ("0001 aa", vec![]),
        ("0001 aa 0000000000 00000007", vec![7]),
        ("0006 aaaaaaaaaaaa 00000007 00000008", vec![7, 8]),
    ] {
        let bytes = hex(bytes);
        let value = from_bytes::<Padded>(&bytes, 1).unwrap();
        assert_eq!(value.items, items);
        assert_eq!(to_bytes(&value).unwrap(), bytes);
        assert_eq!(Padded::from_json(value.to_json()).unwrap(), value);
    }
    let error = from_bytes::<Padded>(&hex("0001 aa 0000000000"), 1).unwrap_err();
    assert_eq!(error.to_string(), "items at offset 3: 5 bytes too many");
    let error = from_bytes::<Padded>(&hex("0001 aa 0000"), 1).unwrap_err();
    assert_eq!(error.to_string(), "items at offset 3: truncated: 5 bytes needed, 2 there");
}

choice! {
    enum Message("type": Kind) {
        K_NESTED in 2..=9 => Nested(inner: Whole),
        K_OTHER in 2..=9 => Other(inner: Item),
        _ => Unknown,
    }
}
tagged!(Message);

#[test]
fn what_is_unknown_within_and_what_is_unknown_as_a_whole() {
    for (version, bytes) in
        [(1, "0005 0099 0006 aabb 0000"), (2, "0005 0099 0006 aabb 0000"), (1, "0002 0099")]
    {
        let bytes = hex(bytes);
        let message = from_bytes::<Message>(&bytes, version).unwrap();
        assert_eq!(matches!(message, Message::Unknown { .. }), version == 1, "{message:?}");
        assert_eq!(Message::from_json(message.to_json()).unwrap(), message);
        assert_eq!(to_bytes_of(&message, version).unwrap(), bytes);
    }
}

#[test]
fn texts_that_no_text_says() {
    for raw in [*b"ab\0\0", *b"abcd", *b"a\0b\0", [0xff, 0, 0, 0]] {
        let text = FixedStr(raw);
        assert_eq!(FixedStr::from_json(text.to_json()).unwrap(), text);
    }
    assert!(FixedStr::<4>::from_json("abcde".into()).is_err());
}

#[test]
fn texts_of_any_length() {
    for (raw, json) in [(&b""[..], Value::from("")), (b"tcp:1", "tcp:1".into())] {
        let text = from_bytes::<Text>(raw, 1).unwrap();
        assert_eq!(text.to_json(), json);
        assert_eq!(Text::from_json(json).unwrap(), text);
        assert_eq!(to_bytes(&text).unwrap(), raw);
    }
    let text = Text(vec![b'a', 0xff]);
    assert_eq!((text.to_string(), format!("{text:?}")), ("a\u{fffd}".to_owned(), "\"a\u{fffd}\"".to_owned()));
    let Value::Object(object) = text.to_json() else { panic!("no object") };
    assert_eq!(object.get("bytes"), Some(&"61ff".into()));
    assert_eq!(Text::from_json(Value::Object(object)).unwrap(), text);
    assert!(Text::from_json(Value::Number(1)).is_err());
}

#[cfg(feature = "arbitrary")]
proptest! {
    #[test]
    fn a_value_is_its_bytes_and_its_view(entropy in prop::collection::vec(any::<u8>(), 0..200)) {
        let value = Item::arbitrary(&mut Entropy::new(&entropy, 2));
        let bytes = to_bytes(&value).unwrap();
        prop_assert_eq!(&from_bytes::<Item>(&bytes, 2).unwrap(), &value);
        let value = Whole::arbitrary(&mut Entropy::new(&entropy, 2));
        let bytes = to_bytes(&value).unwrap();
        prop_assert_eq!(&from_bytes::<Whole>(&bytes, 2).unwrap(), &value);
    }
}

proptest! {
    #[test]
    fn rubbish_is_refused_or_kept(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(value) = from_bytes::<Whole>(&bytes, 2) {
            let again = to_bytes(&value).unwrap();
            prop_assert_eq!(from_bytes::<Whole>(&again, 2).unwrap(), value);
        }
    }
}
