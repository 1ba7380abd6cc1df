//! The views and the owned values are two decoders of the same bytes: they take the same messages, and for a wrong one
//! they want the same error sent. Made-up messages with bytes changed, from a seed that is printed.

use ferroflow_openflow::owned::{AnyMessage, DecodeError as OwnedError};
use ferroflow_openflow::owned::{
    v10 as owned10, v12 as owned12, v13 as owned13, v14 as owned14, v15 as owned15,
};
use ferroflow_openflow::{DecodeError as ViewError, ErrorCode, Reason, v10, v12, v13, v14, v15};
use ferroflow_wire::codec::{Arbitrary, Choice, Entropy};

#[path = "common/mutate.rs"]
#[allow(dead_code, reason = "all messages here have a view")]
mod mutate;

use mutate::Random;

#[derive(Debug, Default)]
struct Seen {
    good: u64,
    refused: u64,
    /// Of `refused`, with an answer other than `OFPBRC_BAD_LEN`.
    with_an_answer: u64,
    /// The owned value looks into what a view leaves as it is.
    opaque: u64,
    /// A match with a header that cannot be and a second fault (type, length, padding, a field): each decoder names
    /// another one of the two, both with an `OFPET_BAD_MATCH`.
    two_faults: u64,
    /// Open vSwitch masks fields that the specification does not let be masked: owned values take them.
    masked: u64,
}

/// A made-up message that `has_view`, and its bytes with some of them changed.
fn changed<B: Choice + Arbitrary>(
    random: &mut Random,
    version: u8,
    has_view: fn(&B) -> bool,
    encode: fn(B) -> Vec<u8>,
) -> Vec<u8> {
    loop {
        let entropy = random.bytes(300);
        let body = B::arbitrary(&mut Entropy::new(&entropy, version));
        if has_view(&body) {
            let mut bytes = encode(body);
            mutate::change(random, &mut bytes);
            // Whoever splits the stream goes by the length, and decodes by the version.
            bytes[0] = version;
            let length = (bytes.len() as u16).to_be_bytes();
            bytes[2..4].copy_from_slice(&length);
            return bytes;
        }
    }
}

fn message13(random: &mut Random) -> Vec<u8> {
    use owned13::{Body, Message};
    let has_view = |body: &Body| {
        matches!(body, Body::PacketIn(_) | Body::PacketOut(_) | Body::FlowMod(_) | Body::FlowRemoved(_))
    };
    changed(random, 4, has_view, |body| Message { xid: 1, body }.encode().expect("it can be written"))
}

/// Whether a view leaves these as they are.
fn oxm13(oxm: v13::Oxm<'_>) -> bool {
    matches!(oxm, v13::Oxm::Other { .. })
}

fn action13(action: v13::Action<'_>) -> bool {
    match action {
        v13::Action::Other { .. } => true,
        v13::Action::SetField(field) => oxm13(field),
        _ => false,
    }
}

fn instruction13(instruction: v13::Instruction<'_>) -> bool {
    match instruction {
        v13::Instruction::ApplyActions(actions) | v13::Instruction::WriteActions(actions) => {
            actions.iter().any(action13)
        }
        v13::Instruction::Other { .. } => true,
        _ => false,
    }
}

fn view13(bytes: &[u8]) -> Option<Result<bool, ViewError>> {
    Some(match bytes[1] {
        10 => v13::PacketIn::parse(bytes).map(|packet| packet.matching.iter().any(oxm13)),
        11 => v13::FlowRemoved::parse(bytes).map(|flow| flow.matching.iter().any(oxm13)),
        13 => v13::PacketOut::parse(bytes).map(|packet| packet.actions.iter().any(action13)),
        14 => v13::FlowMod::parse(bytes)
            .map(|flow| flow.matching.iter().any(oxm13) || flow.instructions.iter().any(instruction13)),
        _ => return None,
    })
}

fn message10(random: &mut Random) -> Vec<u8> {
    use owned10::{Body, Message};
    let has_view = |body: &Body| {
        matches!(body, Body::PacketIn(_) | Body::PacketOut(_) | Body::FlowMod(_) | Body::FlowRemoved(_))
    };
    changed(random, 1, has_view, |body| Message { xid: 1, body }.encode().expect("it can be written"))
}

fn view10(bytes: &[u8]) -> Option<Result<bool, ViewError>> {
    let action = |action| matches!(action, v10::Action::Other { .. });
    Some(match bytes[1] {
        10 => v10::PacketIn::parse(bytes).map(|_| false),
        11 => v10::FlowRemoved::parse(bytes).map(|_| false),
        13 => v10::PacketOut::parse(bytes).map(|packet| packet.actions.iter().any(action)),
        14 => v10::FlowMod::parse(bytes).map(|flow| flow.actions.iter().any(action)),
        _ => return None,
    })
}

/// The packet_ins of a version that has a view of these alone.
macro_rules! packet_ins {
    ($message:ident, $view:ident, $owned:ident, $module:ident) => {
        fn $message(random: &mut Random) -> Vec<u8> {
            use $owned::{Body, Message};
            let has_view = |body: &Body| matches!(body, Body::PacketIn(_));
            changed(random, $module::VERSION.0, has_view, |body| {
                Message { xid: 1, body }.encode().expect("it can be written")
            })
        }

        fn $view(bytes: &[u8]) -> Option<Result<bool, ViewError>> {
            (bytes[1] == 10)
                .then(|| $module::PacketIn::parse(bytes).map(|packet| packet.matching.iter().any(oxm13)))
        }
    };
}

packet_ins!(message12, view12, owned12, v12);
packet_ins!(message14, view14, owned14, v14);
packet_ins!(message15, view15, owned15, v15);

/// `view` says whether there is something in the message that it left as it is.
fn compare(
    bytes: &[u8],
    view: Result<bool, ViewError>,
    owned: Result<AnyMessage, OwnedError>,
    seen: &mut Seen,
) {
    match (view, owned) {
        (Ok(_), Ok(_)) => seen.good += 1,
        (Ok(true), Err(_)) => seen.opaque += 1,
        (Err(view), Err(owned)) if view.answer == owned.answer => {
            seen.refused += 1;
            seen.with_an_answer += u64::from(view.answer != ErrorCode::BAD_LEN);
        }
        // An error in what the view left as it is, and another one.
        (Err(_), Err(owned)) if looks_further(bytes, &owned) => seen.opaque += 1,
        (Err(view), Ok(_)) if view.reason == Reason::Masked => seen.masked += 1,
        (Err(view), Err(owned)) if view.reason == Reason::Masked && owned.offset() > view.offset => {
            seen.masked += 1;
        }
        (Err(view), Err(owned))
            if view.field.starts_with("ofp_match.") && (view.answer.ty, owned.answer.ty) == (4, 4) =>
        {
            seen.two_faults += 1;
        }
        (view, owned) => {
            panic!("view: {view:?}\nowned: {:?}\n{bytes:02x?}", owned.map_err(|e| e.to_string()))
        }
    }
}

/// Whether an error is in an experimenter's structure or a field that 1.3 does not have: of another class, or of 1.4 or 1.5.
fn looks_further(bytes: &[u8], error: &OwnedError) -> bool {
    let before = &bytes[..bytes.len().min(error.offset())];
    let path = error.path().to_string();
    let has_own_fields = [
        "NXM",
        "NXOXM",
        "ONFOXM",
        "ERICOXM",
        "PKT_REG",
        "PBB_UCA",
        "TCP_FLAGS",
        "ACTSET_OUTPUT",
        "PACKET_TYPE",
    ]
    .iter()
    .any(|class| path.contains(class));
    has_own_fields || path.contains("actions") && before.windows(4).any(|four| four == [0, 0, 0x23, 0x20])
}

fn run(message: fn(&mut Random) -> Vec<u8>, view: fn(&[u8]) -> Option<Result<bool, ViewError>>) -> Seen {
    let mut seen = Seen::default();
    mutate::run(|random| {
        let bytes = message(random);
        if let Some(view) = view(&bytes) {
            compare(&bytes, view, AnyMessage::decode(&bytes), &mut seen);
        }
        bytes.len()
    });
    eprintln!("{seen:?}");
    assert!(seen.good > 1000 && seen.refused > 1000 && seen.with_an_answer > 300, "{seen:?}");
    assert!(seen.opaque < seen.refused / 10, "{seen:?}");
    seen
}

#[test]
fn v13_agrees() {
    let seen = run(message13, view13);
    assert!(seen.masked > 0 && seen.masked < seen.good, "{seen:?}");
}

#[test]
fn v10_agrees() {
    let seen = run(message10, view10);
    assert_eq!(seen.masked, 0, "{seen:?}");
}

#[test]
fn packet_ins_of_other_versions_agree() {
    for seen in [run(message12, view12), run(message14, view14), run(message15, view15)] {
        assert!(seen.masked > 0 && seen.masked < seen.good, "{seen:?}");
    }
}
