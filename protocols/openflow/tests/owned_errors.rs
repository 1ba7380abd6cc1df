//! What is wrong with a message is said with its field, offset and reason, and the error that the specification wants sent.

use ferroflow_openflow::ErrorCode;
use ferroflow_openflow::owned::AnyMessage;

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
    refused("02 00 0008 00000000", "version at offset 0: unexpected value 2", (1, 0));
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
        "OFPT_FLOW_MOD: instructions[0].actions[0].pad at offset 68: truncated: 4 bytes needed, 0 there",
        (2, 1),
    );
    refused(
        "04 0f 001c 00000001 0000 00 00 00000001 000c 0000 00000000 00000000",
        "OFPT_GROUP_MOD: buckets[0].pad at offset 28: truncated: 4 bytes needed, 0 there",
        (1, 6),
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
}
