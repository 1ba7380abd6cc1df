use proptest::prelude::*;

use super::*;

const OWN_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PEER_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
const ASK: Resolve = Resolve::Wait { send_request: true };
const ASKED: Resolve = Resolve::Wait { send_request: false };

fn config() -> NeighborConfig {
    NeighborConfig::new(OWN_MAC, OWN, 16, Some(GATEWAY))
}

fn neighbors() -> Neighbors {
    Neighbors::new(config(), 1)
}

fn mac(n: u16) -> MacAddr {
    MacAddr::from_u64(0x0200_0000_0000 | u64::from(n))
}

fn host(n: u16) -> Ipv4Addr {
    let [a, b] = n.to_be_bytes();
    Ipv4Addr::new(10, 0, a, b)
}

fn s(s: u64) -> Instant {
    Instant::from_secs(s)
}

/// What poll asks for at each of its deadlines until `until`.
fn dues(n: &mut Neighbors, until: Instant) -> Vec<(u64, Due)> {
    let mut out = Vec::new();
    while let Some(at) = n.next_deadline().filter(|&at| at <= until) {
        n.poll(at, |due| out.push((at.as_millis().div_ceil(10) / 100, due)));
    }
    out
}

fn reply(ip: Ipv4Addr, from: MacAddr) -> ArpPacket {
    ArpPacket {
        operation: ArpOperation::REPLY,
        sender_mac: from,
        sender_ip: ip,
        target_mac: OWN_MAC,
        target_ip: OWN,
    }
}

#[test]
fn an_answer_wakes_those_who_wait() {
    let mut n = neighbors();
    assert_eq!(n.resolve(PEER, s(0)), ASK);
    assert!(n.wait(PEER, 7) && n.wait(PEER, 7) && n.wait(PEER, 8));
    assert_eq!(n.resolve(PEER, s(0)), ASKED);
    assert_eq!(n.pending(), 2);
    let out = n.arp(&reply(PEER, PEER_MAC), s(0));
    assert_eq!(out, ArpOutcome { reply: None, ready: vec![7, 8] });
    assert_eq!(n.resolve(PEER, s(1)), Resolve::Known(PEER_MAC));
    assert_eq!((n.pending(), n.len()), (0, 1));
    assert_eq!(dues(&mut n, s(50)), []);
}

#[test]
fn three_requests_a_second_apart_then_unreachable() {
    let mut n = neighbors();
    assert_eq!(n.resolve(PEER, s(0)), ASK);
    assert!(n.wait(PEER, 3));
    let ask = Due::Request { target: PEER, to: MacAddr::BROADCAST };
    let gone = Due::Unreachable { target: PEER, waiting: vec![3] };
    assert_eq!(dues(&mut n, s(20)), [(1, ask.clone()), (2, ask), (3, gone)]);
    assert_eq!(n.next_deadline(), None);
    assert_eq!(n.resolve(PEER, Instant::from_millis(3_900)), Resolve::Unreachable);
    assert_eq!(n.resolve(PEER, s(5)), ASK);
    assert_eq!(n.counters().requests, 4);
    assert_eq!((n.counters().unreachable, n.pending()), (1, 0));
}

#[test]
fn a_late_answer_after_failure_is_taken() {
    let mut n = neighbors();
    assert_eq!(n.resolve(PEER, s(0)), ASK);
    let _ = dues(&mut n, s(4));
    let _ = n.arp(&reply(PEER, PEER_MAC), s(4));
    assert_eq!(n.resolve(PEER, s(4)), Resolve::Known(PEER_MAC));
}

#[test]
fn a_stale_entry_is_used_and_probed_then_forgotten() {
    let mut n = neighbors();
    let _ = n.learned(PEER, PEER_MAC, true, s(0));
    assert_eq!(n.resolve(PEER, s(59)), Resolve::Known(PEER_MAC));
    assert_eq!(n.next_deadline(), None);
    assert_eq!(n.resolve(PEER, s(100)), Resolve::Known(PEER_MAC));
    let probe = |to| Due::Request { target: PEER, to };
    assert_eq!(
        dues(&mut n, Instant::from_millis(102_100)),
        [(100, probe(PEER_MAC)), (101, probe(MacAddr::BROADCAST)), (102, probe(MacAddr::BROADCAST))]
    );
    assert_eq!(n.resolve(PEER, Instant::from_millis(102_100)), Resolve::Known(PEER_MAC));
    assert_eq!(dues(&mut n, s(200)), [(103, Due::Unreachable { target: PEER, waiting: vec![] })]);
    assert_eq!(n.resolve(PEER, s(110)), ASK);
}

#[test]
fn a_probe_is_answered_by_arp_or_by_traffic() {
    for by_traffic in [false, true] {
        let mut n = neighbors();
        let _ = n.learned(PEER, PEER_MAC, true, s(0));
        assert_eq!(n.resolve(PEER, s(100)), Resolve::Known(PEER_MAC));
        let _ = if by_traffic {
            n.confirm(PEER, PEER_MAC, s(101))
        } else {
            n.arp(&reply(PEER, PEER_MAC), s(101)).ready
        };
        assert_eq!(dues(&mut n, s(120)), []);
        assert_eq!(n.resolve(PEER, s(159)), Resolve::Known(PEER_MAC));
    }
}

#[test]
fn traffic_makes_and_keeps_entries_but_does_not_change_them() {
    let mut n = neighbors();
    assert_eq!(n.resolve(PEER, s(0)), ASK);
    assert!(n.wait(PEER, 1));
    assert_eq!(n.confirm(PEER, PEER_MAC, s(0)), [1]);
    for at in (0..600).step_by(30) {
        assert!(n.confirm(PEER, PEER_MAC, s(at)).is_empty());
    }
    assert_eq!(n.resolve(PEER, s(620)), Resolve::Known(PEER_MAC));
    assert_eq!(dues(&mut n, s(622)), []);

    let _ = n.confirm(PEER, mac(99), s(625));
    assert_eq!(n.resolve(PEER, s(625)), Resolve::Known(PEER_MAC));
    assert_eq!(dues(&mut n, s(625) + Duration::from_millis(2)).len(), 1, "asked at once");
    let _ = n.arp(&reply(PEER, mac(99)), s(625));
    assert_eq!(n.resolve(PEER, s(625)), Resolve::Known(mac(99)));
    assert_eq!(n.counters().moved, 1);
}

#[test]
fn only_packets_for_us_make_entries() {
    let mut n = neighbors();
    let other = ArpPacket::request(PEER_MAC, PEER, host(77));
    assert_eq!(n.arp(&other, s(0)), ArpOutcome::default());
    let gratuitous = ArpPacket::request(PEER_MAC, PEER, PEER);
    assert_eq!(n.arp(&gratuitous, s(0)), ArpOutcome::default());
    assert!(n.is_empty());

    let ask = ArpPacket::request(PEER_MAC, PEER, OWN);
    let reply = n.arp(&ask, s(0)).reply.expect("a reply");
    assert_eq!(
        reply,
        ArpPacket {
            operation: ArpOperation::REPLY,
            sender_mac: OWN_MAC,
            sender_ip: OWN,
            target_mac: PEER_MAC,
            target_ip: PEER
        }
    );
    assert_eq!(n.resolve(PEER, s(0)), Resolve::Known(PEER_MAC));

    // RFC 826: what is known is updated from any packet, a gratuitous one too.
    let _ = n.arp(&ArpPacket::request(mac(50), PEER, PEER), s(1));
    assert_eq!(n.resolve(PEER, s(1)), Resolve::Known(mac(50)));
}

#[test]
fn lies_are_refused() {
    let mut n = neighbors();
    for bad in [MacAddr::ZERO, MacAddr::BROADCAST, MacAddr([1, 0, 0x5e, 0, 0, 1]), OWN_MAC] {
        assert!(n.arp(&reply(PEER, bad), s(0)).ready.is_empty());
    }
    for bad in [Ipv4Addr::new(11, 0, 0, 1), Ipv4Addr::new(10, 0, 255, 255), Ipv4Addr::new(10, 0, 0, 0)] {
        let _ = n.arp(&reply(bad, PEER_MAC), s(0));
        let _ = n.confirm(bad, PEER_MAC, s(0));
        assert_eq!(n.resolve(bad, s(0)), Resolve::Unreachable);
    }
    assert_eq!(n.counters().refused, 7);
    assert!(n.is_empty());
}

#[test]
fn a_probe_for_our_address_is_answered_and_not_learnt() {
    let mut n = neighbors();
    let probe = ArpPacket::request(PEER_MAC, Ipv4Addr::UNSPECIFIED, OWN);
    assert!(n.arp(&probe, s(0)).reply.is_some());
    assert!(n.is_empty());
}

#[test]
fn a_conflict_is_counted_and_defended_every_ten_seconds() {
    let mut n = neighbors();
    let thief = ArpPacket::request(PEER_MAC, OWN, GATEWAY);
    assert_eq!(n.arp(&thief, s(0)).reply, Some(n.announcement()));
    assert_eq!(n.arp(&thief, s(9)).reply, None);
    assert_eq!(n.arp(&thief, s(10)).reply, Some(n.announcement()));
    // Our own packet, come back.
    assert_eq!(n.arp(&n.announcement(), s(30)).reply, None);
    assert_eq!(n.counters().conflicts, 3);
}

#[test]
fn the_oldest_makes_room_but_never_the_gateway() {
    let mut n = Neighbors::new(NeighborConfig { capacity: 4, ..config() }, 9);
    let _ = n.learned(GATEWAY, mac(254), true, s(0));
    for i in 10..13 {
        let _ = n.learned(host(i), mac(i), true, s(u64::from(i)));
    }
    let _ = n.confirm(host(10), mac(10), s(20));
    for i in 20..22 {
        let _ = n.learned(host(i), mac(i), true, s(21));
    }
    let mut known: Vec<_> = n.iter().map(|(ip, _)| ip).collect();
    known.sort();
    assert_eq!(known, [host(10), host(20), host(21), GATEWAY]);
    assert_eq!(n.counters().evicted, 2);
}

#[test]
fn a_table_of_unanswered_requests_takes_no_more() {
    let mut n = Neighbors::new(NeighborConfig { capacity: 2, ..config() }, 9);
    assert_eq!(n.resolve(host(10), s(0)), ASK);
    assert_eq!(n.resolve(host(11), s(0)), ASK);
    assert_eq!(n.resolve(host(12), s(0)), ASKED);
    assert!(!n.wait(host(12), 1));
    assert_eq!((n.counters().full, n.len()), (1, 2));
    let _ = dues(&mut n, s(5));
    assert_eq!(n.resolve(host(12), s(5)), ASK);
}

#[test]
fn waiting_is_bounded_per_entry_and_in_all() {
    let mut n = Neighbors::new(NeighborConfig { pending_per_entry: 3, pending: 4, ..config() }, 9);
    assert_eq!(n.resolve(host(10), s(0)), ASK);
    assert_eq!(n.resolve(host(11), s(0)), ASK);
    let took = |n: &mut Neighbors, ip| (0..10).filter(|&conn| n.wait(ip, conn)).count();
    assert_eq!(took(&mut n, host(10)), 3);
    assert_eq!(took(&mut n, host(11)), 1);
    assert_eq!((n.pending(), n.counters().pending_full), (4, 16));
    assert_eq!(n.learned(host(10), mac(10), false, s(0)), [0, 1, 2]);
    assert_eq!(took(&mut n, host(11)), 3, "the one already queued and two more");
}

#[test]
fn a_probe_keeps_its_distance_from_the_request_before() {
    let mut n = neighbors();
    assert_eq!(n.resolve(PEER, s(1)), ASK);
    let _ = n.confirm(PEER, PEER_MAC, s(1));
    let _ = n.confirm(PEER, mac(99), s(1));
    assert_eq!(n.resolve(PEER, s(1)), Resolve::Known(PEER_MAC));
    assert_eq!(dues(&mut n, Instant::from_millis(1_900)), []);
    assert_eq!(dues(&mut n, Instant::from_millis(2_100)).len(), 1);
}

#[derive(Debug, Clone)]
enum Op {
    Resolve(u16),
    Wait(u16, u32),
    Arp { ip: u16, mac: u16, to_us: bool },
    Confirm(u16, u16),
    Pass(u32),
}

fn op() -> impl Strategy<Value = Op> {
    let ip = || 0u16..12;
    prop_oneof![
        (ip()).prop_map(Op::Resolve),
        (ip(), any::<u32>()).prop_map(|(ip, conn)| Op::Wait(ip, conn)),
        (ip(), 0u16..4, any::<bool>()).prop_map(|(ip, mac, to_us)| Op::Arp { ip, mac, to_us }),
        (ip(), 0u16..4).prop_map(|(ip, mac)| Op::Confirm(ip, mac)),
        (0u32..90_000).prop_map(Op::Pass),
    ]
}

proptest! {
    /// Whatever happens: bounds hold, everyone who waits is told exactly once, requests keep their distance.
    #[test]
    fn invariants(ops in prop::collection::vec(op(), 1..300)) {
        let mut n = Neighbors::new(NeighborConfig { capacity: 5, pending: 20, pending_per_entry: 8, ..config() }, 3);
        let mut now = s(1);
        let (mut queued, mut told) = (0, 0);
        let mut asked: HashMap<Ipv4Addr, Instant> = HashMap::new();
        let mut check = |ip: Ipv4Addr, now: Instant| {
            let before = asked.insert(ip, now);
            before.is_none_or(|before| now.since(before) >= Duration::from_millis(990))
        };
        for op in ops {
            match op {
                Op::Resolve(ip) => if n.resolve(host(ip), now) == ASK {
                    // An entry that was evicted or answered meanwhile may be asked for sooner.
                    let _ = check(host(ip), now);
                },
                Op::Wait(ip, conn) => {
                    let before = n.pending();
                    let _ = n.wait(host(ip), conn);
                    queued += n.pending() - before;
                }
                Op::Arp { ip, mac: m, to_us } => {
                    let target_ip = if to_us { OWN } else { GATEWAY };
                    let packet = ArpPacket { target_ip, ..reply(host(ip), mac(m)) };
                    told += n.arp(&packet, now).ready.len();
                }
                Op::Confirm(ip, m) => told += n.confirm(host(ip), mac(m), now).len(),
                Op::Pass(ms) => {
                    now += Duration::from_millis(u64::from(ms));
                    n.poll(now, |due| match due {
                        Due::Unreachable { waiting, .. } => told += waiting.len(),
                        Due::Request { target, .. } => assert!(check(target, now), "{target} asked too often"),
                    });
                }
            }
            prop_assert!(n.len() <= 5 && n.pending() <= 20);
            prop_assert_eq!(queued, told + n.pending());
        }
        for _ in 0..20 {
            now += Duration::from_secs(2);
            n.poll(now, |due| if let Due::Unreachable { waiting, .. } = due { told += waiting.len() });
        }
        prop_assert_eq!(n.pending(), 0);
        prop_assert_eq!(queued, told);
        prop_assert_eq!(n.next_deadline(), None);
    }
}
