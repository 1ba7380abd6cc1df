use super::*;

fn host(n: u8, vlan: Option<u16>) -> Host {
    let mac = MacAddr([2, 0, 0, 0, 0, n]);
    Host::new(HostConfig { port: n.into(), mac, ip: Ipv4Addr::new(10, 0, 0, n), vlan })
}

/// Carries frames between two hosts until neither says more.
fn talk(a: &mut Host, b: &mut Host, first: Vec<u8>, now: Instant) -> Vec<Answered> {
    let mut answered = Vec::new();
    let mut frame = Some(first);
    let mut to_b = true;
    while let Some(f) = frame.take() {
        let (reply, done) = if to_b { b.receive(&f, now) } else { a.receive(&f, now) };
        answered.extend(done);
        frame = reply;
        to_b = !to_b;
    }
    answered
}

#[test]
fn ping_resolves_first_and_only_once() {
    for vlan in [None, Some(7)] {
        let (mut a, mut b) = (host(1, vlan), host(2, vlan));
        let first = a.ping(b.config.ip, Instant::from_millis(1));
        assert_eq!(EthernetView::parse(&first).expect("valid").ethertype(), EtherType::ARP);
        let done = talk(&mut a, &mut b, first, Instant::from_millis(4));
        let expected = Answered { from: b.config.ip, seq: 1, round_trip: Duration::from_millis(3) };
        assert_eq!(done, [expected]);
        let second = a.ping(b.config.ip, Instant::from_millis(5));
        assert_eq!(EthernetView::parse(&second).expect("valid").ethertype(), EtherType::IPV4);
        assert_eq!(talk(&mut a, &mut b, second, Instant::from_millis(5)).len(), 1);
        // The other side learned from the request.
        let back = b.ping(a.config.ip, Instant::from_millis(6));
        assert_eq!(EthernetView::parse(&back).expect("valid").ethertype(), EtherType::IPV4);
        a.forget();
        let third = a.ping(b.config.ip, Instant::from_millis(7));
        assert_eq!(EthernetView::parse(&third).expect("valid").ethertype(), EtherType::ARP);
    }
}

#[test]
fn answers_to_old_pings_and_foreign_frames_do_not_count() {
    let (mut a, mut b, mut c) = (host(1, None), host(2, None), host(3, None));
    let now = Instant::ZERO;
    let first = a.ping(b.config.ip, now);
    talk(&mut a, &mut b, first, now);
    let old = a.ping(b.config.ip, now);
    let (reply, _) = b.receive(&old, now);
    a.ping(b.config.ip, now);
    assert_eq!(a.receive(&reply.expect("answered"), now), (None, None), "the reply is to the ping before");
    assert_eq!(c.receive(&old, now), (None, None));
    assert_eq!(c.strangers, 1);
    let mut tagged = host(4, Some(9));
    assert_eq!(tagged.receive(&first_of(&mut a, tagged.config.ip), now), (None, None), "not its VLAN");
}

fn first_of(a: &mut Host, to: Ipv4Addr) -> Vec<u8> {
    a.ping(to, Instant::ZERO)
}

#[test]
fn damaged_frames_are_not_answered() {
    let (mut a, mut b) = (host(1, None), host(2, None));
    let arp = a.ping(b.config.ip, Instant::ZERO);
    talk(&mut a, &mut b, arp, Instant::ZERO);
    let good = a.ping(b.config.ip, Instant::ZERO);
    for i in 14..good.len() {
        let mut bad = good.clone();
        bad[i] ^= 0x10;
        assert_eq!(b.receive(&bad, Instant::ZERO).0, None, "byte {i}");
    }
    for len in 0..good.len() {
        assert_eq!(b.receive(&good[..len], Instant::ZERO).0, None, "cut at {len}");
    }
}
