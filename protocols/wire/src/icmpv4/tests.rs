use super::*;

#[test]
fn echo() {
    let bytes = [8, 0, 0x00, 0x00, 0x12, 0x34, 0x00, 0x07, b'a', b'b', b'c'];
    // 0800 + 1234 + 0007 + 6162 + 6300 = de9d; its complement is 2162.
    let mut bytes_with_sum = bytes;
    bytes_with_sum[2..4].copy_from_slice(&[0x21, 0x62]);
    let view = Icmpv4View::parse(&bytes_with_sum).unwrap();
    assert_eq!(view.verify_checksum(), Ok(()));
    assert!(!view.is_error());
    let request = IcmpMessage::EchoRequest { ident: 0x1234, seq: 7, data: b"abc" };
    assert_eq!(view.message(), request);
    assert_eq!(Icmpv4View::parse(&bytes).unwrap().verify_checksum().unwrap_err().reason, Reason::BadChecksum);
    let mut buf = [0xee; 12];
    assert_eq!(request.write(&mut buf), Ok(11));
    assert_eq!((&buf[..11], buf[11]), (&bytes_with_sum[..], 0xee));
}

#[test]
fn errors_quote_the_original() {
    let original = [0x45; 28];
    let messages = [
        (
            IcmpMessage::DestUnreachable { code: unreachable::PORT, next_hop_mtu: 0, original: &original },
            [3, 3, 0, 0, 0, 0],
        ),
        (
            IcmpMessage::DestUnreachable {
                code: unreachable::FRAGMENTATION_NEEDED,
                next_hop_mtu: 1400,
                original: &original,
            },
            [3, 4, 0, 0, 0x05, 0x78],
        ),
        (
            IcmpMessage::TimeExceeded { code: time_exceeded::REASSEMBLY, original: &original },
            [11, 1, 0, 0, 0, 0],
        ),
        (IcmpMessage::ParameterProblem { code: 0, pointer: 20, original: &original }, [12, 0, 20, 0, 0, 0]),
    ];
    for (message, [kind, code, rest @ ..]) in messages {
        let mut buf = [0; 64];
        let len = message.write(&mut buf).unwrap();
        assert_eq!((len, message.len()), (36, 36));
        assert_eq!((buf[0], buf[1], &buf[4..8], &buf[8..36]), (kind, code, &rest[..], &original[..]));
        let view = Icmpv4View::parse(&buf[..len]).unwrap();
        assert_eq!((view.message(), view.verify_checksum(), view.is_error()), (message, Ok(()), true));
        assert!(message.write(&mut buf[..35]).is_err());
    }
}

#[test]
fn quotes_are_bounded() {
    assert_eq!(quote(&[0; 1500]).len(), 548);
    assert_eq!(quote(&[0; 28]).len(), 28);
}

#[test]
fn other_messages_and_short_ones() {
    let bytes = [13, 0, 0, 0, 1, 2, 3, 4, 5];
    let view = Icmpv4View::parse(&bytes).unwrap();
    let other = IcmpMessage::Other { message_type: 13, code: 0, rest: [1, 2, 3, 4], data: &[5] };
    assert_eq!((view.message(), view.is_error()), (other, false));
    // Echo has no code but 0: anything else is not taken for an echo.
    assert!(matches!(
        Icmpv4View::parse(&[8, 1, 0, 0, 0, 0, 0, 0]).unwrap().message(),
        IcmpMessage::Other { .. }
    ));
    assert!(Icmpv4View::parse(&[5, 0, 0, 0, 0, 0, 0, 0]).unwrap().is_error(), "a redirect");
    assert!(Icmpv4View::parse(&bytes[..7]).is_err());
}
