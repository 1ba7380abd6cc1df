//! Every made-up message is its bytes and its view for people; what is read from any bytes is written as it was.

use ferroflow_pof::codec::{Arbitrary, Codec, Entropy, Json, from_bytes, to_bytes_of};
use ferroflow_pof::fast::PacketInView;
use ferroflow_pof::{
    Action, ActionList, Body, CalculateField, ConditionalJmp, Counter, DeleteField, ErrorMsg, FeaturesReply,
    FlowMod, GotoDirectTable, GroupMod, HEADER_LEN, Instruction, MAX_MESSAGE_LEN, Match, MatchX, Message,
    MessageType, MeterMod, MovePacketOffset, Output, PacketIn, PacketOut, Port, PortChange, Profile,
    ResourceReport, SwitchConfig, TableMod, TableResource,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Debug;

fn profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(&Profile::ALL[..])
}

fn entropy() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..1500)
}

/// The number that structures of a profile go by, as a message's reader has it.
fn version(profile: Profile) -> u8 {
    Profile::ALL.iter().position(|&other| other == profile).unwrap() as u8 + 1
}

fn value_and_bytes<T>(profile: Profile, entropy: &[u8]) -> Result<(), TestCaseError>
where
    T: Arbitrary + Codec + Json + PartialEq + Debug,
{
    let version = version(profile);
    let value = T::arbitrary(&mut Entropy::new(entropy, version));
    let bytes = to_bytes_of(&value, version).unwrap();
    prop_assert!(bytes.len() >= T::MIN);
    prop_assert_eq!(&from_bytes::<T>(&bytes, version).unwrap(), &value);
    prop_assert_eq!(&T::from_json(value.to_json()).unwrap(), &value);
    Ok(())
}

/// Every part of a message by itself.
macro_rules! parts {
    ($($test:ident: $ty:ty),* $(,)?) => {
        proptest! {
            $(
                #[test]
                fn $test(profile in profile(), entropy in entropy()) {
                    value_and_bytes::<$ty>(profile, &entropy)?;
                }
            )*
        }
    };
}

parts! {
    matches: Match,
    matches_with_values: MatchX,
    actions: Action,
    outputs: Output,
    deleted_fields: DeleteField,
    action_lists: ActionList,
    instructions: Instruction,
    direct_tables: GotoDirectTable,
    calculations: CalculateField,
    jumps: ConditionalJmp,
    movements: MovePacketOffset,
    errors: ErrorMsg,
    features: FeaturesReply,
    configs: SwitchConfig,
    ports: Port,
    port_changes: PortChange,
    resources: ResourceReport,
    table_resources: TableResource,
    tables: TableMod,
    flows: FlowMod,
    groups: GroupMod,
    meters: MeterMod,
    counters: Counter,
    packets_in: PacketIn,
    packets_out: PacketOut,
}

#[test]
fn every_type_is_made_up_in_every_profile() {
    for profile in Profile::ALL {
        let mut types = BTreeSet::new();
        // Knuth's generator (TAOCP 3.3.4), its upper bits: the types are well spread.
        let mut state = 1u64;
        for _ in 0..20_000 {
            let entropy: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .take(16)
            .collect();
            types.insert(Message::arbitrary(profile, &entropy).message_type().0);
        }
        // As values, or kept as bytes where the profile has no such type.
        for ty in 0..=35 {
            assert!(types.contains(&ty), "{profile}: no {} in {types:?}", MessageType(ty));
        }
    }
}

/// Puts the message through all that it can be put through.
fn all_ways(message: &Message) -> Result<(), TestCaseError> {
    let bytes = message.to_vec().unwrap();
    prop_assert!((HEADER_LEN..=MAX_MESSAGE_LEN).contains(&bytes.len()));
    prop_assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), bytes.len());
    let again = Message::decode(message.profile, &bytes).unwrap();
    prop_assert_eq!(&again, message);
    let text = serde_json::to_string(message).unwrap();
    prop_assert_eq!(&serde_json::from_str::<Message>(&text).unwrap(), message);
    // However the names are ordered.
    let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
    prop_assert_eq!(&serde_json::from_value::<Message>(tree).unwrap(), message);
    let mut buf = [0; MAX_MESSAGE_LEN];
    let len = message.encode(&mut buf).unwrap();
    prop_assert_eq!(&buf[..len], &bytes[..]);
    prop_assert!(message.encode(&mut buf[..len - 1]).is_err());
    Ok(())
}

/// Numbers, texts and lists of the view, each with another value.
fn changes(value: &serde_json::Value) -> Vec<serde_json::Value> {
    use serde_json::Value;
    match value {
        Value::Number(n) => vec![if n.as_u64() == Some(1) { 0.into() } else { 1.into() }],
        Value::String(text) if text.starts_with('0') && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            vec![text.replacen('0', "1", 1).into()]
        }
        Value::String(text) if text.contains(':') && text.len() == 17 => vec!["00:00:00:00:00:09".into()],
        // A name of a number or a text: one of the two fits.
        Value::String(_) => vec![201.into(), "another text".into()],
        Value::Array(list) if list.iter().all(|v| v.is_string() || v.is_number()) => {
            vec![vec![Value::from(if list.is_empty() { 1 } else { 2 << 20 })].into()]
        }
        _ => Vec::new(),
    }
}

/// Calls `change` for every place of the tree that is no object, nor a list of objects.
fn places(value: &serde_json::Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            object.iter().for_each(|(name, value)| places(value, &format!("{pointer}/{name}"), found));
        }
        serde_json::Value::Array(list) if list.first().is_some_and(serde_json::Value::is_object) => {
            list.iter().enumerate().for_each(|(i, value)| places(value, &format!("{pointer}/{i}"), found));
        }
        _ => found.push(pointer.to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_message_is_its_bytes_and_its_view(profile in profile(), entropy in entropy()) {
        all_ways(&Message::arbitrary(profile, &entropy))?;
    }

    #[test]
    fn a_changed_field_changes_the_bytes(profile in profile(), entropy in entropy()) {
        let message = Message::arbitrary(profile, &entropy);
        let bytes = message.to_vec().unwrap();
        let tree = serde_json::to_value(&message).unwrap();
        let mut found = Vec::new();
        places(&tree, "", &mut found);
        for place in found.iter().filter(|place| !matches!(&place[..], "/header/profile" | "/header/type")) {
            for other in changes(tree.pointer(place).unwrap()) {
                let mut changed = tree.clone();
                *changed.pointer_mut(place).unwrap() = other.clone();
                // Refused, or another message: no field is passed over.
                if let Ok(read) = serde_json::from_value::<Message>(changed)
                    && let Ok(written) = read.to_vec()
                    && &other != tree.pointer(place).unwrap()
                    && read != message
                {
                    prop_assert_ne!(&written, &bytes, "{} = {}", place, other);
                }
            }
            let mut without = tree.clone();
            let (parent, name) = place.rsplit_once('/').unwrap();
            without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let refused = serde_json::from_value::<Message>(without).map(|read| read.to_vec().ok());
            prop_assert!(!matches!(refused, Ok(Some(ref written)) if *written == bytes), "without {}", place);
        }
    }

    #[test]
    fn any_body_is_refused_or_comes_out_unchanged(
        profile in profile(),
        ty in 0u8..40,
        body in prop::collection::vec(prop_oneof![6 => Just(0u8), 3 => 0u8..12, 1 => any::<u8>()], 0..2600),
    ) {
        // The lengths of fixed layouts, half of the time.
        let len = [4, 8, 12, 16, 24, 80, 128, 144, 208, 264, 272, 304, 1192, 2184, 400, body.len()]
            [body.first().map_or(0, |&b| usize::from(b) % 16)];
        let mut msg = vec![4, ty, 0, 0, 0, 0, 0, 1];
        msg.extend(body.iter().copied().chain(std::iter::repeat(0)).take(len));
        let length = (msg.len() as u16).to_be_bytes();
        msg[2..4].copy_from_slice(&length);
        match Message::decode(profile, &msg) {
            Ok(message) => {
                prop_assert_eq!(&message.to_vec().unwrap(), &msg);
                let text = serde_json::to_string(&message).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Message>(&text).unwrap(), &message);
                if let Body::PacketIn(packet) = &message.body {
                    let view = PacketInView::parse(profile, &msg).unwrap();
                    prop_assert_eq!((view.frame, view.cookie), (&packet.frame.0[..], packet.cookie));
                }
            }
            Err(error) => {
                prop_assert!(error.offset() <= msg.len(), "{}", error);
                prop_assert!(error.answer().name().is_some() && !error.field().is_empty());
            }
        }
    }

    #[test]
    fn a_made_up_message_with_wrong_bytes_is_refused_or_comes_out_unchanged(
        profile in profile(),
        entropy in entropy(),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut msg = Message::arbitrary(profile, &entropy).to_vec().unwrap();
        if let Some(cut) = cut {
            msg.truncate(cut.index(msg.len() + 1));
        }
        if !msg.is_empty() {
            wrong.iter().for_each(|(at, byte)| { let at = at.index(msg.len()); msg[at] = *byte; });
        }
        if let Ok(message) = Message::decode(profile, &msg) {
            prop_assert_eq!(&message.to_vec().unwrap(), &msg);
            all_ways(&message)?;
        }
    }

    #[test]
    fn random_bytes_never_panic(profile in profile(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::decode(profile, &bytes);
        let _ = PacketInView::parse(profile, &bytes);
    }
}
