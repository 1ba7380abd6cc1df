use super::*;
use crate::checksum;

/// A header that is widely used as an example; its checksum is b861.
const HEADER: [u8; 20] = [
    0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0,
    0xa8, 0x00, 0xc7,
];

fn datagram() -> [u8; 0x73] {
    let mut bytes = [0; 0x73];
    bytes[..20].copy_from_slice(&HEADER);
    bytes
}

#[test]
fn getters() {
    let mut frame = [0xee; 0x73 + 6];
    frame[..0x73].copy_from_slice(&datagram());
    let ip = Ipv4View::parse(&frame).unwrap();
    assert_eq!((ip.src(), ip.dst()), (Ipv4Addr::new(192, 168, 0, 1), Ipv4Addr::new(192, 168, 0, 199)));
    assert_eq!((ip.protocol(), ip.ttl(), ip.ident()), (IpProtocol::UDP, 64, 0));
    assert!(ip.dont_fragment() && !ip.more_fragments() && !ip.is_fragment());
    assert_eq!((ip.fragment_offset(), ip.header_len(), ip.total_len()), (0, 20, 0x73));
    assert_eq!(ip.payload(), [0; 0x73 - 20], "padding is cut off");
    assert_eq!((ip.checksum(), ip.verify_checksum()), (0xb861, Ok(())));
}

#[test]
fn writes_the_same_bytes() {
    let header = Ipv4Header::new(
        Ipv4Addr::new(192, 168, 0, 1),
        Ipv4Addr::new(192, 168, 0, 199),
        IpProtocol::UDP,
        0x73 - 20,
    );
    let mut buf = [0xee; 24];
    assert_eq!(header.write(&mut buf), Ok(20));
    assert_eq!((&buf[..20], &buf[20..]), (&HEADER[..], &[0xee; 4][..]));
}

#[test]
fn fragments_options_and_services() {
    let mut bytes = [0; 32];
    // Header of 24 bytes, DSCP 46, ECN 1, MF, offset 1480, router alert.
    bytes[..8].copy_from_slice(&[0x46, 0xb9, 0, 32, 0xab, 0xcd, 0x20, 0xb9]);
    bytes[20..24].copy_from_slice(&[0x94, 4, 0, 0]);
    let sum = checksum::checksum(&bytes[..24]);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    let ip = Ipv4View::parse(&bytes).unwrap();
    assert_eq!((ip.dscp(), ip.ecn(), ip.ident()), (46, 1, 0xabcd));
    assert!(!ip.dont_fragment() && ip.more_fragments() && ip.is_fragment());
    assert_eq!((ip.fragment_offset(), ip.header_len()), (1480, 24));
    assert_eq!((ip.options(), ip.payload()), (&[0x94, 4, 0, 0][..], &[0; 8][..]));
    assert_eq!(ip.verify_checksum(), Ok(()), "options are part of the checksum");
    bytes[23] = 1;
    assert_eq!(Ipv4View::parse(&bytes).unwrap().verify_checksum().unwrap_err().reason, Reason::BadChecksum);
}

#[test]
fn what_is_refused() {
    let reason = |edit: &dyn Fn(&mut [u8; 0x73])| {
        let mut bytes = datagram();
        edit(&mut bytes);
        Ipv4View::parse(&bytes).unwrap_err().reason
    };
    assert_eq!(reason(&|b| b[0] = 0x65), Reason::BadVersion(6));
    assert_eq!(reason(&|b| b[0] = 0x44), Reason::BadLength(16));
    assert_eq!(reason(&|b| b[3] = 19), Reason::BadLength(19));
    assert_eq!(reason(&|b| (b[0], b[3]) = (0x46, 20)), Reason::BadLength(20));
    assert_eq!(reason(&|b| b[3] = 0x74), Reason::Truncated { need: 0x74, have: 0x73 });
    assert_eq!(Ipv4View::parse(&[0x45; 19]).unwrap_err().reason, Reason::Truncated { need: 20, have: 19 });
    assert_eq!(
        Ipv4View::parse_quoted(&[&[0x46], &HEADER[1..]].concat()).unwrap_err().reason,
        Reason::Truncated { need: 24, have: 20 }
    );
}

#[test]
fn what_cannot_be_written() {
    let any = Ipv4Addr::UNSPECIFIED;
    let mut buf = [0; 20];
    assert!(Ipv4Header::new(any, any, IpProtocol::TCP, 65_515).write(&mut buf).is_ok());
    assert!(Ipv4Header::new(any, any, IpProtocol::TCP, 65_516).write(&mut buf).is_err());
    let odd = Ipv4Header { fragment_offset: 12, ..Ipv4Header::new(any, any, IpProtocol::TCP, 0) };
    assert!(odd.write(&mut buf).is_err());
    assert!(Ipv4Header::new(any, any, IpProtocol::TCP, 0).write(&mut buf[..19]).is_err());
}

#[test]
fn a_quoted_datagram_may_be_cut() {
    let bytes = datagram();
    assert!(Ipv4View::parse(&bytes[..28]).is_err());
    let quoted = Ipv4View::parse_quoted(&bytes[..28]).unwrap();
    assert_eq!((quoted.total_len(), quoted.payload().len()), (0x73, 8));
}
