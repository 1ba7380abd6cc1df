use super::*;

const SRC: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const DST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

/// A SYN as Linux sends it, 48000 to 6653, with its checksum.
const SYN: [u8; 40] = [
    0xbb, 0x80, 0x19, 0xfd, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0, 0xa0, 0x02, 0xfa, 0xf0, 0x2e, 0xb6, 0,
    0, //
    2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0x30, 0x39, 0, 0, 0, 0, 1, 3, 3, 7,
];

fn syn_header() -> TcpHeader {
    TcpHeader {
        src_port: 48_000,
        dst_port: 6653,
        seq: SeqNumber(0x0102_0304),
        ack: SeqNumber(0),
        flags: TcpFlags::SYN,
        window: 64_240,
        urgent: 0,
        options: TcpOptions {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((12_345, 0)),
            ..TcpOptions::NONE
        },
    }
}

#[test]
fn syn() {
    let tcp = TcpView::parse(&SYN).unwrap();
    let expected = syn_header();
    assert_eq!(
        (tcp.src_port(), tcp.dst_port(), tcp.seq(), tcp.ack()),
        (48_000, 6653, expected.seq, expected.ack)
    );
    assert_eq!((tcp.flags(), tcp.window(), tcp.urgent()), (TcpFlags::SYN, 64_240, 0));
    assert_eq!((tcp.header_len(), tcp.payload_offset(), tcp.payload(), tcp.seq_len()), (40, 40, &[][..], 1));
    assert_eq!(tcp.options(), Ok(expected.options));
    assert_eq!(tcp.verify_checksum(SRC, DST), Ok(()));
    assert_eq!(tcp.verify_checksum(SRC, SRC).unwrap_err().reason, Reason::BadChecksum);

    let mut buf = [0xee; 44];
    assert_eq!(expected.write(&mut buf), Ok(40));
    fill_checksum(&mut buf[..40], SRC, DST).unwrap();
    assert_eq!((&buf[..40], &buf[40..]), (&SYN[..], &[0xee; 4][..]));
    assert!(expected.write(&mut buf[..39]).is_err());
}

#[test]
fn partial_checksum_completes_to_the_whole() {
    let mut buf = SYN;
    fill_partial_checksum(&mut buf, SRC, DST).unwrap();
    // What the port does: sum from the start of the segment, complement.
    let sum = crate::checksum::checksum(&buf);
    assert_eq!(sum.to_be_bytes(), SYN[16..18]);
    assert!(fill_partial_checksum(&mut buf[..19], SRC, DST).is_err());
    assert!(fill_checksum(&mut buf[..19], SRC, DST).is_err());
}

#[test]
fn data_and_fin_take_sequence_space() {
    let header = TcpHeader { flags: TcpFlags::FIN | TcpFlags::ACK, ..TcpHeader::default() };
    let mut buf = [7; 25];
    assert_eq!(header.write(&mut buf), Ok(20));
    let tcp = TcpView::parse(&buf).unwrap();
    assert_eq!((tcp.payload(), tcp.seq_len()), (&[7; 5][..], 6));
    assert_eq!(tcp.options(), Ok(TcpOptions::NONE));
}

#[test]
fn lone_timestamps() {
    let with = |options| {
        let header = TcpHeader { options, ..TcpHeader::default() };
        let mut buf = [0; 60];
        let len = header.write(&mut buf).unwrap();
        TcpView::parse(&buf[..len]).unwrap().lone_timestamps()
    };
    let timestamps = TcpOptions::timestamps(7, 9);
    assert_eq!(with(timestamps), Some((7, 9)));
    assert_eq!(with(TcpOptions { sack_permitted: true, ..timestamps }), None, "same length, another layout");
    assert_eq!(with(TcpOptions { mss: Some(1), ..timestamps }), None);
    assert_eq!(with(TcpOptions::NONE), None);
}

#[test]
fn what_is_refused() {
    let reason = |bytes: &[u8]| TcpView::parse(bytes).unwrap_err().reason;
    assert_eq!(reason(&SYN[..19]), Reason::Truncated { need: 20, have: 19 });
    assert_eq!(reason(&SYN[..39]), Reason::Truncated { need: 40, have: 39 });
    let mut bytes = SYN;
    bytes[12] = 0x40;
    assert_eq!(reason(&bytes), Reason::BadLength(16));
}

#[test]
fn flags() {
    let flags = TcpFlags::SYN | TcpFlags::ACK;
    assert!(
        flags.contains(TcpFlags::SYN)
            && flags.contains(flags)
            && !flags.contains(TcpFlags::FIN | TcpFlags::SYN)
    );
    assert!(flags.intersects(TcpFlags::FIN | TcpFlags::SYN) && !flags.intersects(TcpFlags::RST));
    assert_eq!(flags.without(TcpFlags::SYN), TcpFlags::ACK);
    assert!(flags.syn() && flags.ack() && !flags.fin() && !flags.rst());
    assert_eq!(format!("{flags:?} {:?}", TcpFlags::NONE), "SYN|ACK NONE");
}

#[test]
fn quoted() {
    let quoted = QuotedTcp { src_port: 48_000, dst_port: 6653, seq: SeqNumber(0x0102_0304) };
    assert_eq!(QuotedTcp::parse(&SYN[..8]), Ok(quoted));
    assert!(QuotedTcp::parse(&SYN[..7]).is_err());
}
