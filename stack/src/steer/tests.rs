use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::ArpPacket;
use ferroflow_wire::ethernet::EthernetHeader;
use ferroflow_wire::ipv4::Ipv4Header;
use proptest::prelude::*;

use super::*;

// Microsoft, "Verifying the RSS hash calculation", IPv4 with ports: source, destination (as received), hash.
type Vector = ([u8; 4], u16, [u8; 4], u16, u32);
const VECTORS: [Vector; 5] = [
    ([66, 9, 149, 187], 2794, [161, 142, 100, 80], 1766, 0x51cc_c178),
    ([199, 92, 111, 2], 14230, [65, 69, 140, 83], 4739, 0xc626_b0ea),
    ([24, 19, 198, 95], 12898, [12, 22, 207, 184], 38024, 0x5c2b_394a),
    ([38, 27, 205, 30], 48228, [209, 142, 163, 6], 2217, 0xafc7_327f),
    ([153, 39, 163, 191], 44251, [202, 188, 127, 2], 1303, 0x10e8_28a2),
];

#[test]
fn hashes_as_microsoft_says() {
    let table = table(&DEFAULT_KEY);
    for (src, src_port, dst, dst_port, expected) in VECTORS {
        assert_eq!(hash(&table, src.into(), dst.into(), src_port, dst_port), expected);
    }
}

// The same document, IPv4 without ports: what cards compute for fragments and for protocols that have none.
#[test]
fn hashes_addresses_alone_as_microsoft_says() {
    const ALONE: [u32; 5] = [0x323e_8fc2, 0xd718_262a, 0xd2d0_a5de, 0x8298_9176, 0x5d18_09c5];
    let table = table(&DEFAULT_KEY);
    for ((src, _, dst, ..), expected) in VECTORS.into_iter().zip(ALONE) {
        let bytes = src.into_iter().chain(dst);
        let sum = table.iter().zip(bytes).fold(0, |sum, (row, byte)| sum ^ row[usize::from(byte)]);
        assert_eq!(sum, expected, "{src:?} {dst:?}");
    }
}

#[test]
fn keys_are_read_as_ethtool_prints_them() {
    let printed: Vec<_> = DEFAULT_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    for text in ["microsoft", &printed.join(":"), &printed.concat()] {
        assert_eq!(text.parse(), Ok(NamedKey(DEFAULT_KEY)));
    }
    assert_eq!("symmetric".parse(), Ok(NamedKey(SYMMETRIC_KEY)));
    for bad in ["", "6d:5a", &printed[1..].concat(), &"0".repeat(81), &"g".repeat(80)] {
        assert!(bad.parse::<NamedKey>().is_err(), "{bad}");
    }
}

#[test]
fn the_symmetric_key_still_spreads() {
    let steer = Steer::with_key(0, 4, &SYMMETRIC_KEY);
    let mut counts = [0; 4];
    for port in 10_000..20_000 {
        counts[usize::from(steer.owner_of([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), port, 6653))] += 1;
    }
    assert!(counts.iter().all(|&n| (2_000..3_000).contains(&n)), "{counts:?}");
}

fn frame(ethertype: EtherType, payload: &[u8]) -> Vec<u8> {
    let header = EthernetHeader { dst: MacAddr([2; 6]), src: MacAddr([4; 6]), vlan: None, ethertype };
    let mut frame = vec![0; 14];
    header.write(&mut frame).unwrap();
    frame.extend_from_slice(payload);
    frame
}

fn datagram(src: [u8; 4], dst: [u8; 4], protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let header = Ipv4Header::new(src.into(), dst.into(), protocol, payload.len() as u16);
    let mut out = vec![0; 20];
    header.write(&mut out).unwrap();
    out.extend_from_slice(payload);
    out
}

fn segment(src_port: u16, dst_port: u16) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&src_port.to_be_bytes());
    out.extend_from_slice(&dst_port.to_be_bytes());
    out.resize(20, 0);
    out
}

fn tcp(src: [u8; 4], src_port: u16, dst: [u8; 4], dst_port: u16) -> Vec<u8> {
    frame(EtherType::IPV4, &datagram(src, dst, IpProtocol::TCP, &segment(src_port, dst_port)))
}

/// An ICMP error about a segment that we sent.
fn about(local: [u8; 4], local_port: u16, peer: [u8; 4], peer_port: u16) -> Vec<u8> {
    let sent = datagram(local, peer, IpProtocol::TCP, &segment(local_port, peer_port));
    let message = IcmpMessage::DestUnreachable { code: 1, next_hop_mtu: 0, original: &sent[..28] };
    let mut icmp = vec![0; message.len()];
    message.write(&mut icmp).unwrap();
    frame(EtherType::IPV4, &datagram([9, 9, 9, 9], local, IpProtocol::ICMP, &icmp))
}

#[test]
fn segments_and_errors_about_them_meet_at_one_core() {
    for (peer, peer_port, local, local_port, hash) in VECTORS {
        for cores in [2, 3, 8] {
            let owner = (hash % 128) as u16 % cores;
            for core in 0..cores {
                let steer = Steer::new(core, cores);
                let expected = if owner == core { Owner::Here } else { Owner::Core(owner) };
                assert_eq!(steer.owner_of(peer.into(), local.into(), peer_port, local_port), owner);
                assert_eq!(steer.owner(&tcp(peer, peer_port, local, local_port)), expected);
                assert_eq!(steer.owner(&about(local, local_port, peer, peer_port)), expected);
            }
        }
    }
}

/// Seastar #291: the card's own table, which does not have its queues in turn, or leaves some out.
#[test]
fn the_cards_table_names_the_queue() {
    let table: Vec<u32> = (0..256).map(|entry| [3, 0, 0, 5][entry % 4]).collect();
    let spread = Spread { key: DEFAULT_KEY, table };
    for (peer, peer_port, local, local_port, hash) in VECTORS {
        // Two cores share the queues in turn: 0 and 2 are core 0's, 1, 3 and 5 core 1's.
        let owner = [1, 0, 0, 1][hash as usize % 4];
        let steer = Steer::with_spread(0, 2, &spread);
        assert_eq!(steer.owner_of(peer.into(), local.into(), peer_port, local_port), owner);
        let expected = if owner == 0 { Owner::Here } else { Owner::Core(owner) };
        assert_eq!(steer.owner(&tcp(peer, peer_port, local, local_port)), expected);
    }
    // F-Stack PR 56: the lowest bits are the entry's number, as many as the table needs.
    let one_of_many = |entries: u32| Spread { table: (0..entries).collect(), ..Spread::default() };
    for (peer, peer_port, local, local_port, hash) in VECTORS {
        for entries in [64, 128, 512] {
            let steer = Steer::with_spread(0, 512, &one_of_many(entries));
            let owner = steer.owner_of(peer.into(), local.into(), peer_port, local_port);
            assert_eq!(u32::from(owner), hash % entries);
        }
    }
}

#[test]
fn one_core_owns_all() {
    let steer = Steer::single();
    assert_eq!(steer.owner(&tcp([1, 2, 3, 4], 5, [6, 7, 8, 9], 10)), Owner::Here);
    assert_eq!(steer.owner_of([1, 2, 3, 4].into(), [6, 7, 8, 9].into(), 5, 10), 0);
    assert!(Steer::new(0, 1).tables.is_none());
}

#[test]
fn arp_is_for_all_and_the_rest_stays() {
    let steer = Steer::new(0, 4);
    let mut arp = [0; 28];
    ArpPacket::request(MacAddr([2; 6]), [1, 1, 1, 1].into(), [1, 1, 1, 2].into()).write(&mut arp).unwrap();
    assert_eq!(steer.owner(&frame(EtherType::ARP, &arp)), Owner::All);

    let udp = datagram([1, 2, 3, 4], [5, 6, 7, 8], IpProtocol::UDP, &[0; 8]);
    assert_eq!(steer.owner(&frame(EtherType::IPV4, &udp)), Owner::Here);
    let echo = datagram([1, 2, 3, 4], [5, 6, 7, 8], IpProtocol::ICMP, &[8, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(steer.owner(&frame(EtherType::IPV4, &echo)), Owner::Here);
    assert_eq!(steer.owner(&frame(EtherType::IPV6, &[0x60; 60])), Owner::Here);
    assert_eq!(steer.owner(&[]), Owner::Here);
}

/// Wherever the fragments of a datagram arrive, they meet; and those of many datagrams do not all meet at one core.
#[test]
fn fragments_of_a_datagram_meet() {
    let at = |core: u16, fragment: &[u8]| match Steer::new(core, 4).owner(fragment) {
        Owner::Here => core,
        Owner::Core(core) => core,
        Owner::All => panic!("fragments are not for all"),
    };
    let mut met = [0; 4];
    for ident in 0..1000u16 {
        let mut first = tcp([1, 2, 3, 4], 5, [6, 7, 8, 9], 10);
        first[18..20].copy_from_slice(&ident.to_be_bytes());
        let mut second = first.clone();
        first[20] = 0x20;
        second[21] = 1;
        second[34..].fill(0xee); // no ports in it
        let core = at(0, &first);
        assert!((0..4).all(|here| at(here, &first) == core && at(here, &second) == core), "{ident}");
        met[usize::from(core)] += 1;
    }
    assert!(met.iter().all(|&n| n > 150), "{met:?}");
}

#[test]
fn connections_spread_evenly() {
    let steer = Steer::new(0, 4);
    let mut counts = [0; 4];
    for port in 10_000..20_000 {
        counts[usize::from(steer.owner_of([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), port, 6653))] += 1;
    }
    assert!(counts.iter().all(|&n| (2_000..3_000).contains(&n)), "{counts:?}");
}

proptest! {
    #[test]
    fn any_bytes_have_an_owner(bytes in prop::collection::vec(any::<u8>(), 0..120), cut in 0usize..60) {
        let steer = Steer::new(1, 3);
        let _ = steer.owner(&bytes);
        let _ = steer.owner(&frame(EtherType::IPV4, &bytes));
        let whole = about([1, 2, 3, 4], 5, [6, 7, 8, 9], 10);
        let _ = steer.owner(&whole[..whole.len().saturating_sub(cut)]);
    }

    #[test]
    fn the_symmetric_key_brings_both_directions_to_one_core(
        a in any::<[u8; 4]>(), b in any::<[u8; 4]>(), a_port in any::<u16>(), b_port in any::<u16>(), cores in 1u16..32,
    ) {
        let steer = Steer::with_key(0, cores, &SYMMETRIC_KEY);
        let there = steer.owner_of(a.into(), b.into(), a_port, b_port);
        prop_assert_eq!(steer.owner_of(b.into(), a.into(), b_port, a_port), there);
    }

    #[test]
    fn the_table_is_the_definition(key in any::<[[u8; 8]; 5]>(), input in any::<[u8; 12]>()) {
        let key: [u8; KEY_LEN] = key.concat().try_into().unwrap();
        let mut expected = 0u32;
        let mut window = u32::from_be_bytes([key[0], key[1], key[2], key[3]]);
        for bit in 0..96 {
            if input[bit / 8] & (0x80 >> (bit % 8)) != 0 {
                expected ^= window;
            }
            let next = bit + 32;
            window = window << 1 | u32::from(key[next / 8] >> (7 - next % 8) & 1);
        }
        let [a, b, c, d, e, f, g, h, i, j, k, l] = input;
        let ports = (u16::from_be_bytes([i, j]), u16::from_be_bytes([k, l]));
        prop_assert_eq!(hash(&table(&key), [a, b, c, d].into(), [e, f, g, h].into(), ports.0, ports.1), expected);
    }
}
