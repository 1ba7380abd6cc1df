//! The numbers behind our names, as Open vSwitch reads them: every match field, every error code, and every Nicira action, each
//! alone in a message. What it calls otherwise, or does not know, is in `numbers.txt`. A line more is a failure, and so is one
//! less.

use crate::check;
use crate::golden::{encoded, golden};
use crate::open_vswitch::said;
use cbench::lab::{Need, require};
use ferroflow_openflow::owned::common::{self, BufferId, Oxm, OxmHeader, PacketOut, PortNo};
use ferroflow_openflow::owned::nicira::{NxAction, NxActionType};
use ferroflow_openflow::owned::{AnyMessage, v10, v12, v13};
use ferroflow_wire::codec::{Arbitrary, Entropy, from_bytes, to_bytes_of};
use std::collections::{BTreeMap, BTreeSet};

const VERSION: u8 = 4;
/// Of 128 packet registers Open vSwitch has these.
const PACKET_REGISTERS: u8 = 8;

/// The headers of all match fields that have a name.
fn fields() -> BTreeMap<String, OxmHeader> {
    let mut fields = BTreeMap::new();
    for choice in 0..200_u16 {
        for number in 0..64 {
            let [high, low] = choice.to_be_bytes();
            // With the bytes run out there is no mask.
            let field = Oxm::arbitrary(&mut Entropy::new(&[high, low, number], VERSION));
            let bytes = to_bytes_of(&field, VERSION).expect("it can be written");
            let header_len = if bytes[..2] == [0xff; 2] { 8 } else { 4 };
            let mut header: OxmHeader = from_bytes(&bytes[..header_len], VERSION).expect("a header");
            match field {
                Oxm::PktReg(n, ..) if n >= PACKET_REGISTERS => continue,
                // Its length is the switch's to say.
                Oxm::NxTunMetadata(..) => header.length = 124,
                _ => {}
            }
            if let Some(name) = header.id.name().filter(|_| !header.hasmask) {
                fields.insert(name.into_owned(), header);
            }
        }
    }
    fields
}

/// A packet_out that moves a field's lowest bit to a register.
fn move_from(src: OxmHeader) -> Vec<u8> {
    let dst: OxmHeader = from_bytes(&[0, 1, 0, 4], VERSION).expect("the header of register 0");
    let action = NxAction::RegMove { n_bits: 1, src_ofs: 0, dst_ofs: 0, src, dst };
    let body = v13::Body::PacketOut(PacketOut {
        buffer_id: BufferId::OFP_NO_BUFFER,
        in_port: PortNo(1),
        actions: vec![action.into()],
        data: Vec::new().into(),
    });
    AnyMessage::V13(v13::Message { xid: 1, body }).encode().expect("it is short enough")
}

/// What is between `start` and the next character that is of no name.
fn name_after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
}

#[test]
fn open_vswitch_has_the_same_numbers() {
    if !require(&[Need::Command("ovs-ofctl")]) {
        return;
    }
    let mut found = BTreeSet::new();
    match_fields(&mut found);
    errors(&mut found);
    actions(&mut found);
    check(&found, include_str!("numbers.txt"), "numbers.txt");
}

fn match_fields(found: &mut BTreeSet<String>) {
    let fields = fields();
    assert!(fields.len() > 200, "{}", fields.len());
    let messages: Vec<_> = fields.iter().map(|(name, header)| (name.clone(), move_from(*header))).collect();
    for ((name, _), said) in messages.iter().zip(said(&messages)) {
        let ours = name.replace("OFPXMT_OFB_", "OXM_OF_");
        let theirs = name_after(&said, "move:");
        if theirs != Some(&ours) {
            found.insert(
                theirs.map_or(format!("{name} is not known"), |theirs| format!("{name} is {theirs}")),
            );
        }
    }
}

fn errors(found: &mut BTreeSet<String>) {
    let numbers = || (0..19_u8).flat_map(|ty| (0..20_u8).map(move |code| (ty, code)));
    let all: Vec<_> =
        [1, 3, 4, 5, 6].iter().flat_map(|&v| numbers().map(move |(ty, code)| (v, ty, code))).collect();
    let messages: Vec<_> = all
        .iter()
        .map(|&(version, ty, code)| {
            let title = format!("error {ty}/{code} of version {version}");
            (title, vec![version, 1, 0, 12, 0, 0, 0, 1, 0, ty, 0, code])
        })
        .collect();
    // The names of a version that Open vSwitch knows in it, and those that it does not.
    let (mut known, mut unknown) = (BTreeSet::new(), BTreeSet::new());
    for ((version, ty, code), said) in all.into_iter().zip(said(&messages)) {
        let (ty, code) = (ty.into(), code.into());
        let (_, ours) = match version {
            1 => v10::error_names(ty, code),
            3 => v12::error_names(ty, code),
            _ => common::error_names(ty, code),
        };
        let theirs = name_after(&said, "(xid=0x1): ").filter(|name| !name.is_empty());
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                known.insert(ours);
                if ours != theirs {
                    found.insert(format!("{ours} is {theirs}"));
                }
            }
            (Some(ours), None) => {
                unknown.insert(ours);
            }
            (None, Some(theirs)) => {
                found.insert(format!("{ty}/{code} of version {version} has no name here: {theirs}"));
            }
            (None, None) => {}
        }
    }
    assert!(known.len() > 120, "{}", known.len());
    // A name that only a later version has is known in that one.
    found.extend(unknown.difference(&known).map(|name| format!("{name} is not known")));
}

/// The Nicira actions of the golden messages, each in a packet_out of its own; that of addresses (NAT) is within another.
fn actions(found: &mut BTreeSet<String>) {
    let mut messages: Vec<(String, Vec<u8>)> = Vec::new();
    for (_, bytes) in golden("nicira") {
        let message = AnyMessage::decode(&bytes).expect("what we wrote can be read");
        let mut view = serde_json::to_value(&message).expect("it has a view");
        let Some(actions) = view["actions"].as_array().cloned() else { continue };
        for action in actions {
            let Some(subtype) = action["subtype"].as_str().map(str::to_owned) else { continue };
            view["actions"] = vec![action].into();
            let alone: AnyMessage = serde_json::from_value(view.clone()).expect("a message of one action");
            messages.push((subtype, encoded(&alone)));
        }
    }
    let mut names: BTreeMap<String, Option<String>> =
        NxActionType::NAMES.iter().map(|&(name, _)| (name.to_owned(), None)).collect();
    for ((subtype, _), said) in messages.iter().zip(said(&messages)) {
        let Some(theirs) = name_after(&said, "actions=") else { continue };
        names.insert(subtype.clone(), Some(theirs.to_owned()));
        if said.contains("nat(") {
            names.insert("NXAST_NAT".to_owned(), Some("nat".to_owned()));
        }
    }
    found.extend(names.into_iter().map(|(name, theirs)| match theirs {
        Some(theirs) => format!("{name} is {theirs}"),
        None => format!("{name} is not known"),
    }));
}
