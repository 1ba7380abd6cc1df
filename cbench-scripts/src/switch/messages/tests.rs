use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn packet_in_is_82_bytes_with_a_frame_of_64() {
    let mut m = packet_in(7);
    patch_packet_in(&mut m, 0x0102_0304, 99_999, 0x0001_0203);
    let expected = concat!(
        "010a0052", // version 1, PACKET_IN, 82 bytes
        "01020304", // xid
        "0001869f", // buffer 99,999
        "0040",     // total_len 64
        "0001",     // in_port 1
        "0000",     // reason, padding
        "800000000007",
        "000302010007", // 00, the counter with its lowest byte first, the id
        "0800",
        "450000320000000040fff72cc0a80028c0a80128",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d",
    );
    assert_eq!(hex(&m), expected);
}

#[test]
fn packet_in_is_right_for_a_parser_of_ipv4() {
    let m = packet_in(1);
    let sum: u32 = m[32..52].chunks(2).map(|c| u32::from(u16::from_be_bytes([c[0], c[1]]))).sum();
    assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "header checksum");
}

#[test]
fn learn_is_84_bytes_from_port_2_without_a_buffer() {
    let expected = concat!(
        "010a0054",
        "00000001",
        "ffffffff",
        "0040",
        "0002",
        "0000",
        "ffffffffffff",
        "800000000005",
        "0806",
        "0001080006040002",
        "800000000005c0a80528",
        "800000000005c0a80528",
        "00000000000000000000000000000000000000000000", // to 64 bytes
        "0000",                                         // the padding after it
    );
    assert_eq!(hex(&learn(5, 1)), expected);
}

#[test]
fn features_reply_is_224_bytes_with_four_ports() {
    let m = features_reply(0x1234, 9);
    assert_eq!(m.len(), 224);
    assert_eq!(
        hex(&m[..32]),
        "010600e00000000900000000000012340000010002000000000000000000".to_owned() + "07ff"
    );
    for (i, p) in m[32..].chunks(48).enumerate() {
        assert_eq!(usize::from(u16::from_be_bytes([p[0], p[1]])), i + 1);
        assert_eq!(hex(&p[24..48]), "0000000000000000000000c0000000000000000000000000");
    }
}

#[test]
fn small_replies() {
    assert_eq!(hex(&header(types::HELLO, 8, 1)), "0100000800000001");
    assert_eq!(hex(&config_reply(3, [0, 1, 0xff, 0xff])), "0108000c000000030001ffff");
    assert_eq!(hex(&vendor_error(4)), "0101000c0000000400010003");
    let d = desc_reply(5);
    assert_eq!(hex(&d[..12]), "0111042c0000000500000000");
    assert!(d[12..].starts_with(b"Cbench"));
    assert_eq!(&d[780..785], b"none\0");
    assert_eq!(&d[812..817], b"none\0");
}

fn flow_mod(command: u16) -> Vec<u8> {
    let mut m = vec![0; 80];
    m[..8].copy_from_slice(&header(types::FLOW_MOD, 80, 1));
    m[56..58].copy_from_slice(&command.to_be_bytes());
    m[64..68].copy_from_slice(&42u32.to_be_bytes());
    m
}

#[test]
fn flow_mods_that_add_or_modify_strictly_count() {
    // ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT, unknown
    let counted: Vec<_> = (0..6).map(|c| flow_mod_answer(&flow_mod(c))).collect();
    assert_eq!(counted, [Some(42), None, Some(42), None, None, None]);
    assert_eq!(flow_mod_answer(&flow_mod(0)[..71]), None, "cut short");
}

fn packet_out(actions: usize, frame: &[u8]) -> Vec<u8> {
    let len = 16 + actions + frame.len();
    let mut m = header(types::PACKET_OUT, len, 1).to_vec();
    m.extend(7u32.to_be_bytes());
    m.extend([0, 1]);
    m.extend((actions as u16).to_be_bytes());
    m.resize(16 + actions, 0);
    m.extend(frame);
    m
}

#[test]
fn packet_outs_count_unless_they_carry_lldp() {
    let frame = |tail: &[u8]| [&[0; 12], tail].concat();
    assert_eq!(packet_out_answer(&packet_out(8, &frame(&[0x08, 0x00, 1]))), Some(7));
    assert_eq!(packet_out_answer(&packet_out(8, &[])), Some(7), "names a buffer, carries nothing");
    assert_eq!(packet_out_answer(&packet_out(0, &frame(&[0x88, 0xcc]))), None);
    assert_eq!(packet_out_answer(&packet_out(8, &frame(&[0x88, 0xcc]))), None);
    assert_eq!(packet_out_answer(&packet_out(8, &frame(&[0x81, 0, 0, 5, 0x88, 0xcc]))), None, "tagged");
    assert_eq!(packet_out_answer(&packet_out(8, &frame(&[0x81, 0, 0, 5, 0x08, 0]))), Some(7));
    assert_eq!(packet_out_answer(&packet_out(8, &[])[..15]), None, "cut short");
}
