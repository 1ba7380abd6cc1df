use super::*;

/// Chassis 02:00:00:00:00:01 (MAC), port "7" (local), 120 s, system name "s1", OUI 26e100 subtype 3, end, padding.
const PDU: [u8; 36] = [
    0x02, 0x07, 4, 2, 0, 0, 0, 0, 1, // chassis
    0x04, 0x02, 7, b'7', // port
    0x06, 0x02, 0, 120, // TTL
    0x0a, 0x02, b's', b'1', // system name
    0xfe, 0x06, 0x26, 0xe1, 0x00, 3, 0xca, 0xfe, // organizationally specific
    0, 0, // end
    0xff, 0xff, 0xff, 0xff, 0xff, // padding
];
const PDU_LEN: usize = 31;

fn reason(bytes: &[u8]) -> Reason {
    LldpView::parse(bytes).unwrap_err().reason
}

#[test]
fn reads() {
    let mac = MacAddr([2, 0, 0, 0, 0, 1]);
    let lldp = LldpView::parse(&PDU).unwrap();
    assert_eq!(lldp.chassis_id(), LldpId::chassis_mac(&mac));
    assert_eq!((lldp.port_id(), lldp.ttl_s()), (LldpId::port_local(b"7"), 120));
    let tlvs: Vec<_> = lldp.optional().map(|t| (t.tlv_type, t.info.len())).collect();
    assert_eq!(tlvs, [(tlv_type::SYSTEM_NAME, 2), (tlv_type::ORGANIZATIONALLY_SPECIFIC, 6)]);
    assert_eq!(lldp.custom([0x26, 0xe1, 0], 3), Some(&[0xca, 0xfe][..]));
    assert_eq!(lldp.custom([0x26, 0xe1, 0], 4), None);
    assert!(LldpView::parse(&PDU[..PDU_LEN - 2]).is_ok(), "the end TLV may be missing");
}

#[test]
fn writes_the_same_bytes() {
    let mac = MacAddr([2, 0, 0, 0, 0, 1]);
    let write = |buf: &mut [u8]| {
        LldpWriter::new(buf, LldpId::chassis_mac(&mac), LldpId::port_local(b"7"), 120)?
            .tlv(tlv_type::SYSTEM_NAME, b"s1")?
            .custom([0x26, 0xe1, 0], 3, &[0xca, 0xfe])?
            .finish()
    };
    let mut buf = [0xff; PDU.len()];
    assert_eq!(write(&mut buf), Ok(PDU_LEN));
    assert_eq!(buf, PDU);
    for short in 0..PDU_LEN {
        let error = write(&mut vec![0; short]).unwrap_err();
        assert!(matches!(error.reason, Reason::Truncated { .. }), "{short}: {error}");
    }
}

#[test]
fn mandatory_tlvs() {
    assert_eq!(reason(&[]), Reason::BadOrder(tlv_type::CHASSIS_ID));
    assert_eq!(reason(&PDU[9..]), Reason::BadOrder(tlv_type::CHASSIS_ID));
    assert_eq!(reason(&PDU[..9]), Reason::BadOrder(tlv_type::PORT_ID));
    assert_eq!(reason(&[&PDU[..9], &PDU[13..]].concat()), Reason::BadOrder(tlv_type::PORT_ID));
    assert_eq!(reason(&[&PDU[..13], &PDU[17..]].concat()), Reason::BadOrder(tlv_type::TTL));
    assert_eq!(reason(&[&PDU[..17], &PDU[13..]].concat()), Reason::BadOrder(tlv_type::TTL));
}

#[test]
fn lengths() {
    assert_eq!(reason(&[0x02, 0x01, 4]), Reason::BadOption(tlv_type::CHASSIS_ID));
    assert_eq!(reason(&[&PDU[..13], &[0x06, 0x01, 0]].concat()), Reason::BadOption(tlv_type::TTL));
    assert_eq!(reason(&PDU[..20]), Reason::Truncated { need: 2, have: 1 });
    assert_eq!(reason(&PDU[..18]), Reason::Truncated { need: 2, have: 1 });
    // An identifier of 256 bytes behind its subtype.
    let mut long = vec![0x03, 0x01, 7];
    long.resize(3 + 256, b'x');
    assert_eq!(reason(&long), Reason::BadOption(tlv_type::CHASSIS_ID));
}

fn writer(buf: &mut [u8]) -> LldpWriter<'_> {
    LldpWriter::new(buf, LldpId::chassis_local(b"a"), LldpId::port_local(b"7"), 1).unwrap()
}

#[test]
fn what_cannot_be_written() {
    let (id, long) = (LldpId::port_local(b"7"), [b'x'; 512]);
    let mut buf = [0; 2000];
    let mut start =
        |id_len| LldpWriter::new(&mut buf, LldpId::chassis_local(&long[..id_len]), id, 1).map(|w| w.len);
    assert!(start(0).is_err() && start(256).is_err());
    assert_eq!(start(255), Ok(2 + 256 + 4 + 4));
    assert!(writer(&mut buf).tlv(tlv_type::SYSTEM_NAME, &long[..511]).is_ok());
    assert!(writer(&mut buf).tlv(tlv_type::SYSTEM_NAME, &long).is_err());
    assert!(writer(&mut buf).custom([0; 3], 0, &long[..507]).is_ok());
    assert!(writer(&mut buf).custom([0; 3], 0, &long[..508]).is_err());
    for wrong in [tlv_type::END, tlv_type::TTL, 128] {
        assert_eq!(writer(&mut buf).tlv(wrong, b"").unwrap_err().reason, Reason::BadOrder(wrong));
    }
}

proptest::proptest! {
    #[test]
    fn rubbish_ends(bytes: Vec<u8>) {
        assert!(TlvIter::new(&bytes).count() <= bytes.len());
        if let Ok(lldp) = LldpView::parse(&[&PDU[..17], &bytes].concat()) {
            assert_eq!(lldp.optional().count(), TlvIter::new(&bytes).count());
        }
    }
}
