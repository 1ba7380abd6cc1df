use super::*;

const SRC: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const DST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

#[test]
fn header_and_checksum() {
    // 0a00+0001+0a00+0002+0011+000b, 0035+1234+000b, 6869+2100 sum up to affc, complement 5003.
    let bytes = [0x00, 0x35, 0x12, 0x34, 0x00, 0x0b, 0x50, 0x03, b'h', b'i', b'!', 0xee];
    let udp = UdpView::parse(&bytes).unwrap();
    assert_eq!((udp.src_port(), udp.dst_port(), udp.payload()), (53, 0x1234, &b"hi!"[..]));
    assert_eq!(udp.verify_checksum(SRC, DST), Ok(()));
    assert!(udp.verify_checksum(SRC, SRC).is_err());

    let mut buf = [0; 11];
    let header = UdpHeader { src_port: 53, dst_port: 0x1234, payload_len: 3 };
    let len = header.write(&mut buf).unwrap();
    buf[len..].copy_from_slice(b"hi!");
    fill_checksum(&mut buf, SRC, DST).unwrap();
    assert_eq!(buf, bytes[..11]);
}

#[test]
fn no_checksum_passes_and_zero_is_never_sent() {
    let bytes = [0, 1, 0, 2, 0, 8, 0, 0];
    assert_eq!(UdpView::parse(&bytes).unwrap().verify_checksum(SRC, DST), Ok(()));

    let mut found = false;
    for payload in 0..=u16::MAX {
        let mut buf = [0, 1, 0, 2, 0, 10, 0, 0, 0, 0];
        buf[8..].copy_from_slice(&payload.to_be_bytes());
        fill_checksum(&mut buf, SRC, DST).unwrap();
        assert_ne!(buf[6..8], [0, 0]);
        found |= buf[6..8] == [0xff, 0xff];
        assert_eq!(UdpView::parse(&buf).unwrap().verify_checksum(SRC, DST), Ok(()));
    }
    assert!(found, "one of the payloads has a sum that complements to zero");
}

#[test]
fn what_is_refused() {
    let reason = |bytes: &[u8]| UdpView::parse(bytes).unwrap_err().reason;
    assert_eq!(reason(&[0; 7]), Reason::Truncated { need: 8, have: 7 });
    assert_eq!(reason(&[0; 8]), Reason::BadLength(0));
    assert_eq!(reason(&[0, 1, 0, 2, 0, 9, 0, 0]), Reason::Truncated { need: 9, have: 8 });
    let header = UdpHeader { src_port: 1, dst_port: 2, payload_len: 65_528 };
    assert_eq!(header.write(&mut [0; 8]).unwrap_err().reason, Reason::BadLength(65_528));
    assert!(fill_checksum(&mut [0; 7], SRC, DST).is_err());
}
