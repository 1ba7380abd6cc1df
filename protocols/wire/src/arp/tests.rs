use super::*;

const REQUEST: [u8; 28] = [
    0, 1, 8, 0, 6, 4, 0, 1, // Ethernet, IPv4, request
    2, 0, 0, 0, 0, 1, 10, 77, 0, 1, // sender
    0, 0, 0, 0, 0, 0, 10, 77, 0, 2, // target
];

#[test]
fn request_and_reply() {
    let (a, b) = (MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2]));
    let request = ArpPacket::request(a, Ipv4Addr::new(10, 77, 0, 1), Ipv4Addr::new(10, 77, 0, 2));
    assert_eq!(ArpView::parse(&REQUEST).unwrap().packet(), request);
    let mut buf = [0xee; 30];
    assert_eq!(request.write(&mut buf), Ok(28));
    assert_eq!((&buf[..28], &buf[28..]), (&REQUEST[..], &[0xee; 2][..]));

    let reply = ArpPacket::reply_to(&request, b);
    assert_eq!(reply.write(&mut buf), Ok(28));
    let view = ArpView::parse(&buf).unwrap();
    assert_eq!(view.operation(), ArpOperation::REPLY);
    assert_eq!((view.sender_mac(), view.sender_ip()), (b, Ipv4Addr::new(10, 77, 0, 2)));
    assert_eq!((view.target_mac(), view.target_ip()), (a, Ipv4Addr::new(10, 77, 0, 1)));
}

#[test]
fn what_is_refused() {
    let reason = |at: usize, value: u8| {
        let mut bytes = REQUEST;
        bytes[at] = value;
        ArpView::parse(&bytes).unwrap_err().reason
    };
    assert_eq!(reason(1, 6), Reason::Unsupported(6));
    assert_eq!(reason(2, 0x86), Reason::Unsupported(0x8600));
    assert_eq!(reason(4, 8), Reason::BadLength(8));
    assert_eq!(reason(5, 16), Reason::BadLength(16));
    assert_eq!(ArpView::parse(&REQUEST[..27]).unwrap_err().reason, Reason::Truncated { need: 28, have: 27 });
    assert!(ArpView::parse(&REQUEST).unwrap().packet().write(&mut [0; 27]).is_err());
}
