//! What is wrong with a message is said with its field, offset and reason, and the error that the specification wants sent.

use ferroflow_openflow::owned::nicira::NxAction;
use ferroflow_openflow::owned::{AnyMessage, common, v10, v12, v14};
use ferroflow_openflow::{ErrorCode, ErrorMsg};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

#[track_caller]
fn refused(bytes: &str, says: &str, answer: (u16, u16)) {
    let error = AnyMessage::decode(&hex(bytes)).unwrap_err();
    assert_eq!(error.to_string(), says);
    assert_eq!(error.answer, ErrorCode { ty: answer.0, code: answer.1 }, "{says}");
}

const FLOW_MOD: &str =
    "0000000000000000 0000000000000000 00 00 0000 0000 0000 ffffffff ffffffff ffffffff 0000 0000";

#[test]
fn headers() {
    refused("", "version at offset 0: truncated: 8 bytes needed, 0 there", (1, 6));
    refused(
        "02 05 0008 00000000",
        "version at offset 0: unexpected value 2 (1.1 is not spoken: its fixed match and its actions are of no other version)",
        (1, 0),
    );
    refused("07 05 0008 00000000", "version at offset 0: unexpected value 7", (1, 0));
    refused("07 00 0009 00000000", "OFPT_HELLO: length at offset 2: impossible length 9", (1, 6));
    refused("04 63 0008 00000000", "MsgType(99): type at offset 1: unexpected value 99", (1, 1));
    refused("04 05 0009 00000000", "OFPT_FEATURES_REQUEST: length at offset 2: impossible length 9", (1, 6));
    refused("04 05 0007 00000000", "OFPT_FEATURES_REQUEST: length at offset 2: impossible length 7", (1, 6));
    refused("04 05 0008 00000000 00", "OFPT_FEATURES_REQUEST: at offset 8: 1 bytes too many", (1, 6));
    refused("04 05 0009 00000000 00", "OFPT_FEATURES_REQUEST: at offset 8: 1 bytes too many", (1, 6));
}

#[test]
fn matches() {
    let flow_mod = |len: &str, rest: &str| format!("04 0e {len} 00000001 {FLOW_MOD} {rest}");
    refused(
        &flow_mod("0038", "0000 0008 00000000"),
        "OFPT_FLOW_MOD: match.type at offset 48: unexpected value 0",
        (4, 0),
    );
    refused(
        &flow_mod("0038", "0001 0010 00000000"),
        "OFPT_FLOW_MOD: match.length at offset 50: impossible length 16",
        (4, 1),
    );
    refused(
        &flow_mod("0038", "0001 0008 80000001"),
        "OFPT_FLOW_MOD: match.oxm_fields[0].oxm_length at offset 55: impossible length 1",
        (4, 1),
    );
    // A field of the wrong size.
    refused(
        &flow_mod("0040", "0001 000b 8000 00 03 010203 0000000000"),
        "OFPT_FLOW_MOD: match.oxm_fields[0].OFPXMT_OFB_IN_PORT.oxm_length at offset 55: impossible length 3",
        (4, 1),
    );
    // A mask on a field that has none.
    refused(
        &flow_mod("0040", "0001 0010 8000 01 08 00000001 ffffffff"),
        "OFPT_FLOW_MOD: match.oxm_fields[0].OFPXMT_OFB_IN_PORT at offset 56: field cannot be masked",
        (4, 8),
    );
}

#[test]
fn lists_in_lists() {
    let flow_mod =
        |len: &str, rest: &str| format!("04 0e {len} 00000001 {FLOW_MOD} 0001 0004 00000000 {rest}");
    refused(
        &flow_mod("0040", "0004 0018 00000000"),
        "OFPT_FLOW_MOD: instructions[0].len at offset 58: impossible length 24",
        (3, 7),
    );
    refused(
        &flow_mod("0050", "0004 0018 00000000 0000 0018 00000001 0000 000000000000"),
        "OFPT_FLOW_MOD: instructions[0].actions[0].len at offset 66: impossible length 24",
        (2, 1),
    );
    refused(
        &flow_mod("0048", "0004 0010 00000000 0012 0004 00000000"),
        "OFPT_FLOW_MOD: instructions[0].actions[0].len at offset 66: impossible length 4",
        (2, 1),
    );
    refused(
        "04 0f 001c 00000001 0000 00 00 00000001 000c 0000 00000000 00000000",
        "OFPT_GROUP_MOD: buckets[0].pad at offset 28: truncated: 4 bytes needed, 0 there",
        (1, 6),
    );
}

/// Lengths are multiples of 8: of actions, instructions and, by what is in them, buckets.
#[test]
fn lengths_in_eights() {
    let flow_mod =
        |len: &str, rest: &str| format!("04 0e {len} 00000001 {FLOW_MOD} 0001 0004 00000000 {rest}");
    let packet_out = |version: &str, len: &str, actions: &str| {
        format!("{version} 0d {len} 00000001 ffffffff 00000001 0004 000000000000 {actions}")
    };
    for version in ["03", "04", "05"] {
        refused(
            &packet_out(version, "001c", "0063 0004"),
            "OFPT_PACKET_OUT: actions[0].len at offset 26: impossible length 4",
            (2, 1),
        );
    }
    refused(
        "01 0d 001c 00000001 ffffffff 0001 000c 000c 000c 00000000 00000000",
        "OFPT_PACKET_OUT: actions[0].len at offset 18: impossible length 12",
        (2, 1),
    );
    refused(
        &flow_mod("0042", "ffff 000a 00000001 0000"),
        "OFPT_FLOW_MOD: instructions[0].len at offset 58: impossible length 10",
        (3, 7),
    );
    refused(
        "04 0f 0024 00000001 0000 00 00 00000001 0014 0000 00000000 00000000 00000000 0063 0004",
        "OFPT_GROUP_MOD: buckets[0].actions[0].len at offset 34: impossible length 4",
        (2, 1),
    );
}

#[test]
fn fields_that_are_set() {
    let packet_out = |version: &str, field: &str| {
        let before = if version == "06" { "0010 0000 0001 0004 00000000" } else { "0010 000000000000" };
        let in_port = if version == "06" { "" } else { "00000001" };
        format!("{version} 0d 0028 00000001 ffffffff {in_port} {before} 0019 0010 {field}")
    };
    let length = |version: &str| packet_out(version, "8000 0a 05 0800000000 000000");
    let plain_with_mask = |version: &str| packet_out(version, "8000 0b 04 08000800 00000000");
    let masked = |version: &str| packet_out(version, "8000 0d 04 20002000 00000000");
    for version in ["03", "04", "05", "06"] {
        let answer = AnyMessage::decode(&hex(&length(version))).unwrap_err().answer;
        // OFPET_BAD_ACTION/OFPBAC_BAD_SET_LEN
        assert_eq!(answer, ErrorCode { ty: 2, code: 14 }, "{version}");
        let answer = AnyMessage::decode(&hex(&plain_with_mask(version))).unwrap_err().answer;
        // OFPBAC_BAD_SET_TYPE, and OFPBAC_BAD_SET_MASK where fields can be masked.
        let code = if version == "06" { 16 } else { 13 };
        assert_eq!(answer, ErrorCode { ty: 2, code }, "{version}");
    }
    for version in ["03", "04", "05"] {
        refused(
            &masked(version),
            "OFPT_PACKET_OUT: actions[0].field.oxm_hasmask at offset 30: field cannot be masked",
            (2, 13),
        );
    }
    assert!(AnyMessage::decode(&hex(&masked("06"))).is_ok());
}

#[test]
fn table_features() {
    let reply = |version: &str, property: &str| {
        let name = "00".repeat(32);
        format!(
            "{version} 13 0058 00000001 000c 0000 00000000 0048 00 0000000000 {name} {0} {0} 00000000 00000001 {property}",
            "00".repeat(8)
        )
    };
    // OFPET_TABLE_FEATURES_FAILED/OFPTFFC_BAD_LEN, and since 1.4 OFPET_BAD_PROPERTY/OFPBPC_BAD_LEN.
    for (version, answer) in [("04", (13, 3)), ("05", (14, 1)), ("06", (14, 1))] {
        for (property, says) in [
            ("0002 0010 00000000", "length at offset 82: impossible length 16"),
            ("0008 0006 8000 0000", "oxm_ids[0].oxm_field at offset 86: truncated: 2 bytes needed, 0 there"),
        ] {
            let says = format!("OFPT_MULTIPART_REPLY: body[0].properties[0].{says}");
            refused(&reply(version, property), &says, answer);
        }
    }
}

/// 1.0 has no errors of matches by fields (type 4 is `OFPET_PORT_MOD_FAILED`).
#[test]
fn nicira_in_1_0() {
    let flow_mod = "0000000000000000 0000 0000 0000 0000 ffffffff ffff 0000 0009 000000000000";
    refused(
        &format!("01 04 0040 00000001 00002320 0000000d {flow_mod} 0001 06 05 0000000000 00000000000000"),
        "OFPT_VENDOR: nxm_fields[0].NXM_NX_REG.oxm_length at offset 51: impossible length 5",
        (1, 6),
    );
    refused(
        "01 10 0028 00000001 ffff 0000 00002320 00000000 00000000 ffff 0005 ff 000000 0000 00 01 02 000000",
        "OFPT_STATS_REQUEST: request.nxm_fields[0].NXM_OF_IN_PORT.oxm_length at offset 35: impossible length 1",
        (1, 6),
    );
    let packet_out =
        |field: &str| format!("01 0d 0028 00000001 ffffffff 0001 0018 ffff 0018 00002320 0021 {field}");
    // OFPET_BAD_ACTION/OFPBAC_BAD_LEN and OFPBAC_BAD_ARGUMENT
    refused(
        &packet_out("0001 00 05 0000000000 00 00000000"),
        "OFPT_PACKET_OUT: actions[0].field.NXM_NX_REG.oxm_length at offset 29: impossible length 5",
        (2, 1),
    );
    refused(
        &packet_out("0000 0b 02 0800 000000000000 0000"),
        "OFPT_PACKET_OUT: actions[0].field.NXM_OF_IP_TOS at offset 30: field cannot be masked",
        (2, 5),
    );
}

#[test]
fn multiparts_and_meters() {
    refused(
        "04 12 0010 00000001 0063 0000 00000000",
        "OFPT_MULTIPART_REQUEST: type at offset 8: unexpected value 99",
        (1, 2),
    );
    refused(
        "01 10 000c 00000001 0063 0000",
        "OFPT_STATS_REQUEST: type at offset 8: unexpected value 99",
        (1, 2),
    );
    refused(
        "04 1d 0018 00000001 0000 0000 00000001 0001 000c 00000000",
        "OFPT_METER_MOD: bands[0].len at offset 18: impossible length 12",
        (12, 8),
    );
}

#[test]
fn properties_and_bundles() {
    // A property's length goes over the message's end; a known one is too short.
    refused(
        "05 11 0018 00000001 00 000000 00000000 0002 0010 00000000",
        "OFPT_TABLE_MOD: properties[0].length at offset 18: impossible length 16",
        (14, 1),
    );
    refused(
        "05 11 0018 00000001 00 000000 00000000 0003 0007 00000000",
        "OFPT_TABLE_MOD: properties[0].pad at offset 23: truncated: 1 bytes needed, 0 there",
        (14, 1),
    );
    refused(
        "05 22 0018 00000001 00000001 0000 0000 05 14 0009 00000001",
        "OFPT_BUNDLE_ADD_MESSAGE: message.length at offset 18: impossible length 9",
        (17, 8),
    );
    refused(
        "05 22 0018 00000001 00000001 0000 0000 04 14 0008 00000001",
        "OFPT_BUNDLE_ADD_MESSAGE: message.version at offset 16: unexpected value 4",
        (1, 0),
    );
    refused(
        "05 22 001c 00000001 00000001 0000 0000 05 02 0009 00000001 aa 000000",
        "OFPT_BUNDLE_ADD_MESSAGE: properties at offset 25: truncated: 7 bytes needed, 3 there",
        (1, 6),
    );
    refused(
        "05 13 0018 00000001 0010 0000 00000000 0009 0004 00000000",
        "OFPT_MULTIPART_REPLY: body[0].length at offset 16: impossible length 9",
        (1, 6),
    );
}

#[test]
fn properties_buckets_and_statistics_of_1_5() {
    // OFPET_BAD_PROPERTY/OFPBPC_BAD_LEN
    refused(
        "06 1c 0010 00000001 0000 0010 00000000",
        "OFPT_SET_ASYNC: properties[0].length at offset 10: impossible length 16",
        (14, 1),
    );
    refused(
        "06 1c 0010 00000001 0000 0007 00000000",
        "OFPT_SET_ASYNC: properties[0].mask at offset 12: truncated: 4 bytes needed, 3 there",
        (14, 1),
    );
    refused(
        "06 23 0020 00000001 0018 0001 00000001 00 00 000000000000 0000 0005 61 0000",
        "OFPT_CONTROLLER_STATUS: length at offset 2: impossible length 32",
        (1, 6),
    );
    refused(
        "06 0f 0020 00000001 0000 00 00 00000001 0008 0000 ffffffff 0008 0008 00000001",
        "OFPT_GROUP_MOD: buckets[0].actions at offset 32: impossible length 8",
        (1, 6),
    );
    let reply = |len: &str, stats: &str| format!("06 13 {len} 00000001 0002 0000 00000000 {stats}");
    refused(
        &reply("0018", "0000 0010 8002 06 04"),
        "OFPT_MULTIPART_REPLY: stats.length at offset 18: impossible length 16",
        (1, 6),
    );
    refused(
        &reply("0018", "0000 0008 8002 06 04"),
        "OFPT_MULTIPART_REPLY: stats.oxs_fields[0].oxs_length at offset 23: impossible length 4",
        (1, 6),
    );
    refused(
        &reply("001c", "0000 000c 8002 06 04 00000001"),
        "OFPT_MULTIPART_REPLY: pad at offset 28: truncated: 4 bytes needed, 0 there",
        (1, 6),
    );
    refused(
        &reply("0018", "0000 0006 8002 06 00"),
        "OFPT_MULTIPART_REPLY: stats.oxs_fields[0].oxs_field at offset 22: truncated: 2 bytes needed, 0 there",
        (1, 6),
    );
    refused(
        &reply("0018", "0000 0008 8002 06 00"),
        "OFPT_MULTIPART_REPLY: stats.oxs_fields[0].OFPXST_OFB_FLOW_COUNT at offset 24: truncated: 4 bytes needed, 0 there",
        (1, 6),
    );
}

#[test]
fn messages_in_messages() {
    let bundle = |len: &str, message: &str| format!("06 22 {len} 00000001 00000001 0000 0000 {message}");
    // A message of another version than its bundle's.
    refused(
        &bundle("0018", "04 14 0008 00000001"),
        "OFPT_BUNDLE_ADD_MESSAGE: message.version at offset 16: unexpected value 4",
        (1, 0),
    );
    refused(
        &bundle("0018", "06 63 0008 00000001"),
        "OFPT_BUNDLE_ADD_MESSAGE: message.type at offset 17: unexpected value 99",
        (1, 1),
    );
    // OFPET_BUNDLE_FAILED/OFPBFC_MSG_BAD_LEN
    refused(
        &bundle("0018", "06 14 0010 00000001"),
        "OFPT_BUNDLE_ADD_MESSAGE: message.length at offset 18: impossible length 16",
        (17, 8),
    );
    refused(
        "06 20 0018 00000001 06 14 0008 00000001 0000000000000000",
        "OFPT_REQUESTFORWARD: at offset 16: 8 bytes too many",
        (1, 6),
    );
}

/// What one version has and another has not.
#[test]
fn types_of_other_versions() {
    refused("04 1e 0008 00000000", "MsgType(30): type at offset 1: unexpected value 30", (1, 1));
    refused(
        "05 16 0010 00000000 0000000000000000",
        "MsgType(22): type at offset 1: unexpected value 22",
        (1, 1),
    );
    refused("03 1a 0008 00000000", "MsgType(26): type at offset 1: unexpected value 26", (1, 1));
    refused(
        "04 12 0010 00000001 000e 0000 00000000",
        "OFPT_MULTIPART_REQUEST: type at offset 8: unexpected value 14",
        (1, 2),
    );
    refused("05 23 0008 00000000", "MsgType(35): type at offset 1: unexpected value 35", (1, 1));
    refused(
        "05 12 0010 00000001 0012 0000 00000000",
        "OFPT_MULTIPART_REQUEST: type at offset 8: unexpected value 18",
        (1, 2),
    );
    refused(
        "03 12 0010 00000001 0009 0000 00000000",
        "OFPT_STATS_REQUEST: type at offset 8: unexpected value 9",
        (1, 2),
    );
}

/// The field for `NXAST_LEARN2`'s result is there if the flags say so, and only then.
#[test]
fn the_result_of_learning() {
    let learn =
        "ffff 0028 00002320 002d 0000 0000 0000 0000000000000000 0004 00 00 0000 0000 00000000 0000 0000";
    refused(
        &format!("01 0d 0038 00000001 ffffffff 0001 0028 {learn}"),
        "OFPT_PACKET_OUT: actions[0].learn.result_dst.oxm_class at offset 56: truncated: 2 bytes needed, 0 there",
        (2, 1),
    );
    let with_field = learn.replacen("0028", "0030", 1) + "0001 00 04 00000000";
    let bytes = hex(&format!("01 0d 0040 00000001 ffffffff 0001 0030 {with_field}"));
    let AnyMessage::V10(mut message) = AnyMessage::decode(&bytes).unwrap() else { panic!("not 1.0") };
    let v10::Body::PacketOut(packet) = &mut message.body else { panic!("no packet_out") };
    let v10::Action::Vendor(v10::VendorAction::Nicira(NxAction::Learn2 { learn })) = &mut packet.actions[0]
    else {
        panic!("{packet:?}");
    };
    learn.result_dst = None;
    let error = message.encode().unwrap_err();
    assert_eq!(error.to_string(), "OFPT_PACKET_OUT: result_dst: not as NX_LEARN_F_WRITE_RESULT says");
}

/// A value that the message's version does not have is not written.
#[test]
fn values_of_other_versions() {
    let actions = vec![common::Action::PushPbb { ethertype: 0x88e7 }];
    let (buffer_id, in_port) = (common::BufferId::OFP_NO_BUFFER, common::PortNo::OFPP_ANY);
    let packet = common::PacketOut { buffer_id, in_port, actions, data: Default::default() };
    assert!(v14::Message { xid: 1, body: v14::Body::PacketOut(packet.clone()) }.encode().is_ok());
    let error = v12::Message { xid: 1, body: v12::Body::PacketOut(packet) }.encode().unwrap_err();
    assert_eq!(error.to_string(), "OFPT_PACKET_OUT: OFPAT_PUSH_PBB: not a type of this version");
}

#[test]
fn codes_by_the_names_of_their_version() {
    for (message, says) in [
        ("01 01 000c 00000000 0001 0002", "OFPET_BAD_REQUEST/OFPBRC_BAD_STAT"),
        ("03 01 000c 00000000 0001 0002", "OFPET_BAD_REQUEST/OFPBRC_BAD_STAT"),
        ("04 01 000c 00000000 0001 0002", "OFPET_BAD_REQUEST/OFPBRC_BAD_MULTIPART"),
        ("05 01 000c 00000000 0001 0002", "OFPET_BAD_REQUEST/OFPBRC_BAD_MULTIPART"),
        ("01 01 000c 00000000 0003 0001", "OFPET_FLOW_MOD_FAILED/OFPFMFC_OVERLAP"),
        ("03 01 000c 00000000 0003 0001", "OFPET_BAD_INSTRUCTION/OFPBIC_UNSUP_INST"),
        ("05 01 000c 00000000 000e 0004", "OFPET_BAD_PROPERTY/OFPBPC_DUP_TYPE"),
        ("05 01 000c 00000000 0011 000a", "OFPET_BUNDLE_FAILED/OFPBFC_MSG_UNSUP"),
        ("05 01 000c 00000000 0012 000a", "type 18/code 10"),
        ("06 01 000c 00000000 0002 0011", "OFPET_BAD_ACTION/OFPBAC_BAD_METER"),
        ("06 01 000c 00000000 000d 0009", "OFPET_TABLE_FEATURES_FAILED/OFPTFFC_BAD_COMMAND"),
    ] {
        assert_eq!(ErrorMsg::parse(&hex(message)).unwrap().to_string(), says);
    }
}

/// Structures in structures without end do not run the stack over.
#[test]
fn nesting() {
    let mut actions = Vec::new();
    for _ in 0..2000 {
        let mut clone = hex("ffff 0000 00002320 002a 000000000000");
        let len = 16 + actions.len();
        clone[2..4].copy_from_slice(&(len as u16).to_be_bytes());
        clone.extend(actions);
        actions = clone;
    }
    let mut bytes = hex("04 0d 0000 00000001 ffffffff 00000001 0000 000000000000");
    bytes[16..18].copy_from_slice(&(actions.len() as u16).to_be_bytes());
    bytes.extend(actions);
    let len = (bytes.len() as u16).to_be_bytes();
    bytes[2..4].copy_from_slice(&len);
    let error = AnyMessage::decode(&bytes).unwrap_err();
    assert!(error.to_string().ends_with("nested too deeply"), "{error}");

    // Bundles in bundles.
    let mut bytes = hex("05 14 0008 00000001");
    for _ in 0..2000 {
        let mut bundle = hex("05 22 0000 00000001 00000001 0000 0000");
        let len = (bundle.len() + bytes.len()) as u16;
        bundle[2..4].copy_from_slice(&len.to_be_bytes());
        bundle.extend(bytes);
        bytes = bundle;
    }
    let error = AnyMessage::decode(&bytes).unwrap_err();
    assert!(error.to_string().ends_with("nested too deeply"), "{error}");
}
