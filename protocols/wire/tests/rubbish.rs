//! Whatever the bytes, nothing panics: every view is parsed and every getter called, along the way a frame takes.

use std::net::Ipv4Addr;

use ferroflow_wire::ethernet::{EtherType, EthernetView};
use ferroflow_wire::{arp::ArpView, icmpv4::Icmpv4View, ipv4::Ipv4View, lldp::LldpView};
use ferroflow_wire::{tcp::QuotedTcp, tcp::TcpView, udp::UdpView};
use proptest::collection::vec;
use proptest::prelude::*;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn ethernet(bytes: &[u8]) {
    let Ok(eth) = EthernetView::parse(bytes) else { return };
    assert_eq!(eth.payload_offset() + eth.payload().len(), bytes.len());
    let _ = (
        eth.dst().to_string(),
        eth.src().is_link_local(),
        eth.vlan(),
        eth.tpid(),
        eth.ethertype(),
        eth.bytes(),
    );
    if let Ok(untagged) = eth.untagged() {
        assert!(untagged.payload_offset <= bytes.len() && !untagged.ethertype.is_tag());
    }
    all(eth.payload());
}

fn ip(bytes: &[u8], view: Result<Ipv4View<'_>, ferroflow_wire::WireError>) {
    let Ok(ip) = view else { return };
    assert!(ip.header_len() + ip.payload().len() <= bytes.len());
    let _ = (ip.src(), ip.dst(), ip.protocol(), ip.ttl(), ip.ident(), ip.dscp(), ip.ecn(), ip.checksum());
    let _ = (ip.dont_fragment(), ip.more_fragments(), ip.fragment_offset(), ip.is_fragment(), ip.total_len());
    let _ = (ip.header(), ip.options(), ip.verify_checksum());
    transport(ip.payload());
}

fn transport(bytes: &[u8]) {
    if let Ok(tcp) = TcpView::parse(bytes) {
        assert_eq!(tcp.payload_offset() + tcp.payload().len(), bytes.len());
        let _ =
            (tcp.src_port(), tcp.dst_port(), tcp.seq(), tcp.ack(), tcp.window(), tcp.urgent(), tcp.seq_len());
        let _ = (format!("{:?}", tcp.flags()), tcp.checksum(), tcp.verify_checksum(A, A), tcp.options());
        assert!(tcp.raw_options().count() <= tcp.option_bytes().len());
    }
    if let Ok(udp) = UdpView::parse(bytes) {
        assert!(udp.payload().len() + 8 <= bytes.len());
        let _ = (udp.src_port(), udp.dst_port(), udp.verify_checksum(A, A));
    }
    if let Ok(icmp) = Icmpv4View::parse(bytes) {
        let _ = (icmp.message_type(), icmp.code(), icmp.is_error(), icmp.verify_checksum());
        let mut copy = vec![0; bytes.len()];
        assert_eq!(icmp.message().write(&mut copy), Ok(bytes.len()));
    }
    let _ = QuotedTcp::parse(bytes);
}

fn all(bytes: &[u8]) {
    ip(bytes, Ipv4View::parse(bytes));
    ip(bytes, Ipv4View::parse_quoted(bytes));
    transport(bytes);
    if let Ok(arp) = ArpView::parse(bytes) {
        let _ = arp.packet();
    }
    if let Ok(lldp) = LldpView::parse(bytes) {
        let _ = (
            lldp.chassis_id(),
            lldp.port_id(),
            lldp.ttl_s(),
            lldp.custom([0; 3], 0),
            lldp.optional().count(),
        );
    }
}

/// A frame whose lengths and types are mostly plausible, so that the deeper views are reached.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    (vec(any::<u8>(), 0..120), any::<bool>(), 0u8..16, 0u8..16, any::<u16>()).prop_map(
        |(mut bytes, tagged, ihl, offset, len)| {
            let at = if tagged { 18 } else { 14 };
            let set = |bytes: &mut Vec<u8>, at: usize, value: &[u8]| {
                if let Some(place) = bytes.get_mut(at..at + value.len()) {
                    place.copy_from_slice(value);
                }
            };
            if tagged {
                set(&mut bytes, 12, &EtherType::VLAN.0.to_be_bytes());
            }
            set(&mut bytes, at - 2, &EtherType::IPV4.0.to_be_bytes());
            set(&mut bytes, at, &[0x40 | ihl]);
            let total_len = len.checked_rem(bytes.len() as u16 + 2).unwrap_or(0);
            set(&mut bytes, at + 2, &total_len.to_be_bytes());
            set(&mut bytes, at + usize::from(ihl) * 4 + 12, &[offset << 4]);
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..200)) {
        ethernet(&bytes);
        all(&bytes);
    }

    #[test]
    fn plausible_frames(bytes in plausible()) {
        ethernet(&bytes);
    }

    #[test]
    fn writers_into_buffers_of_any_size(size in 0usize..80, fields: [u8; 4]) {
        use ferroflow_wire::{arp::ArpPacket, ethernet::*, ipv4::*, tcp::*, udp::UdpHeader};
        let mut buf = vec![0; size];
        let vlan = (fields[0] & 1 != 0).then(|| VlanTag::from_tci(7));
        let eth = EthernetHeader { dst: MacAddr::ZERO, src: MacAddr::ZERO, vlan, ethertype: EtherType::ARP };
        prop_assert_eq!(eth.write(&mut buf).ok(), (size >= eth.len()).then_some(eth.len()));
        let arp = ArpPacket::request(MacAddr::ZERO, A, A);
        prop_assert_eq!(arp.write(&mut buf).ok(), (size >= 28).then_some(28));
        let ip = Ipv4Header::new(A, A, IpProtocol(fields[1]), 9);
        prop_assert_eq!(ip.write(&mut buf).ok(), (size >= 20).then_some(20));
        let udp = UdpHeader { src_port: 1, dst_port: 2, payload_len: 3 };
        prop_assert_eq!(udp.write(&mut buf).ok(), (size >= 8).then_some(8));
        let options = TcpOptions { mss: (fields[2] & 1 != 0).then_some(1), sack_permitted: fields[3] & 1 != 0, ..TcpOptions::NONE };
        let tcp = TcpHeader { options, ..TcpHeader::default() };
        prop_assert_eq!(tcp.write(&mut buf).ok(), (size >= tcp.len()).then_some(tcp.len()));
    }
}
