//! What IPv4, UDP and Ethernet drop: RFC 791, RFC 768, RFC 1122 3.2.1, RFC 7126; each by its own counter.

use std::net::Ipv4Addr;

use ferroflow_wire::ethernet::EtherType;
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header};

use crate::icmp::{udp_datagram, udp_frame};
use crate::peer::{PEER_IP, STACK_IP, STACK_MAC, eth_frame, ip_frame, ip_frame_of};
use crate::prelude::*;

/// A frame with IP options.
pub fn with_options(options: &[u8]) -> Vec<u8> {
    let payload = udp_datagram(b"x");
    let len = 20 + options.len() + payload.len();
    let mut ip = vec![0x40 | (5 + options.len() / 4) as u8, 0, 0, len as u8, 0, 0, 0, 0, 64, 17, 0, 0];
    ip.extend_from_slice(&PEER_IP.octets());
    ip.extend_from_slice(&STACK_IP.octets());
    ip.extend_from_slice(options);
    let sum = ferroflow_wire::checksum::checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    ip.extend_from_slice(&payload);
    eth_frame(STACK_MAC, EtherType::IPV4, &ip)
}

#[test]
fn source_routes_are_dropped() {
    // RFC 7126 4.3.5, 4.4.5
    let mut p = Peer::new();
    for kind in [131, 137] {
        p.inject_frame(with_options(&[kind, 7, 4, 10, 0, 0, 9, 0]));
        p.inject_frame(with_options(&[1, kind, 3, 4])); // behind a NOP
        p.inject_frame(with_options(&[7, 3, 4, kind, 3, 4, 0, 0])); // behind a record route
    }
    p.quiet();
    assert_eq!(p.counters().source_routed, 6);
}

#[test]
fn other_options_are_ignored() {
    // RFC 1122 3.2.1.8
    let mut p = Peer::new();
    p.inject_frame(with_options(&[7, 7, 4, 0, 0, 0, 0, 0])); // record route
    p.inject_frame(with_options(&[0, 131, 7, 4])); // behind the end of the list is nothing
    p.inject_frame(with_options(&[148, 0, 0, 0])); // an impossible length
    assert_eq!((p.out.drain(..).count(), p.counters().source_routed), (3, 0));
}

#[test]
fn martians_are_dropped() {
    // RFC 1122 3.2.1.3
    let mut p = Peer::new();
    let sources = [
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(0, 1, 2, 3),
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::new(127, 255, 0, 1),
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::new(240, 0, 0, 1),
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(10, 0, 0, 255),
        STACK_IP,
    ];
    for src in sources {
        p.inject_frame(ip_frame(src, STACK_IP, IpProtocol(132), b"x"));
    }
    p.quiet();
    assert_eq!(p.counters().martian, sources.len() as u64);
}

#[test]
fn a_small_time_to_live_is_no_reason_to_drop() {
    // RFC 1122 3.2.1.7
    let mut p = Peer::new();
    let datagram = udp_datagram(b"x");
    for ttl in [0, 1] {
        let header = Ipv4Header::new(PEER_IP, STACK_IP, IpProtocol::UDP, datagram.len() as u16);
        p.inject_frame(ip_frame_of(&Ipv4Header { ttl, ..header }, &datagram));
        p.recv_icmp();
    }
    assert_eq!(p.counters().udp_no_port, 2);
}

#[test]
fn wrong_checksums_are_dropped() {
    let mut p = Peer::established();
    // RFC 1122 3.2.1.2: of the IP header
    let mut frame = p.frame(&data(1, 1, b"hello"));
    frame[14 + 8] ^= 1; // TTL
    p.inject_frame(frame);
    assert_eq!(p.counters().ipv4_bad_checksum, 1);
    // RFC 9293 3.1, MUST-3: of TCP, over text, header and pseudo-header
    for at in [14 + 20 + 4, 14 + 20 + 15, 14 + 20 + 20] {
        let mut frame = p.frame(&data(1, 1, b"hello"));
        frame[at] ^= 1;
        p.inject_frame(frame);
    }
    assert_eq!(p.counters().tcp_bad_checksum, 3);
    // RFC 768
    let mut frame = udp_frame(b"hello");
    *frame.last_mut().expect("bytes") ^= 1;
    p.inject_frame(frame);
    assert_eq!(p.counters().udp_bad_checksum, 1);
    p.quiet();
    assert_eq!(p.read(), b"");
}

#[test]
fn udp_without_a_checksum_is_valid() {
    // RFC 768: zero means that the sender made none
    let mut p = Peer::new();
    let mut frame = udp_frame(b"hello");
    frame[14 + 20 + 6..14 + 20 + 8].fill(0);
    p.inject_frame(frame);
    p.recv_icmp();
    assert_eq!(p.counters().udp_no_port, 1);
}

#[test]
fn malformed_headers_are_counted_by_protocol() {
    let mut p = Peer::established();
    let good = p.frame(&data(1, 1, b"hello"));
    let ip_len = good.len() - 14;
    for bad in [&[][..], &[0], &good[..13]] {
        p.inject_frame(bad.to_vec());
    }
    assert_eq!(p.counters().malformed_ethernet, 3);
    let mut changed = |at: usize, value: u8| {
        let mut frame = good.clone();
        frame[at] = value;
        p.inject_frame(frame);
    };
    changed(14, 0x44); // header length 16
    changed(14, 0x65); // version 6
    changed(14, 0x4f); // header longer than it is
    changed(14 + 3, ip_len as u8 + 1); // longer than the frame
    changed(14 + 3, 19); // shorter than its header
    p.inject_frame(good[..14 + 19].to_vec());
    assert_eq!(p.counters().malformed_ipv4, 6);
    let tcp = |bytes: &[u8]| ip_frame(PEER_IP, STACK_IP, IpProtocol::TCP, bytes);
    p.inject_frame(tcp(&good[34..34 + 19]));
    let mut short = good[34..].to_vec();
    short[12] = 4 << 4;
    p.inject_frame(tcp(&short));
    short[12] = 15 << 4;
    p.inject_frame(tcp(&short));
    assert_eq!(p.counters().malformed_tcp, 3);
    p.inject_frame(ip_frame(PEER_IP, STACK_IP, IpProtocol::UDP, &[0; 7]));
    p.inject_frame(ip_frame(PEER_IP, STACK_IP, IpProtocol::UDP, &[0, 1, 0, 2, 0, 200, 0, 0]));
    assert_eq!(p.counters().malformed_udp, 2);
    p.inject_frame(eth_frame(STACK_MAC, EtherType::ARP, &[0; 20]));
    assert_eq!(p.counters().malformed_arp, 1);
    p.quiet();
    p.inject_frame(good);
    assert_eq!(p.read(), b"hello");
}

#[test]
fn frames_for_others_are_dropped() {
    let mut p = Peer::established();
    let mut frame = p.frame(&data(1, 1, b"hello"));
    frame[5] = 99;
    p.inject_frame(frame);
    assert_eq!(p.counters().not_for_us, 1);
    p.inject_frame(ip_frame(PEER_IP, Ipv4Addr::new(10, 0, 0, 3), IpProtocol::TCP, &[0; 20]));
    assert_eq!(p.counters().not_our_address, 1);
    for ethertype in [EtherType::IPV6, EtherType::LLDP, EtherType::VLAN, EtherType(5)] {
        p.inject_frame(eth_frame(STACK_MAC, ethertype, &[0; 60]));
    }
    assert_eq!(p.counters().unknown_ethertype, 4);
    p.quiet();
    assert_eq!(p.read(), b"");
}

#[test]
fn tcp_to_everyone_is_dropped() {
    // RFC 9293 3.9.2.3, MUST-57
    let mut p = Peer::new();
    let mut frame = p.frame(&syn());
    frame[..6].fill(0xff);
    p.inject_frame(frame);
    p.quiet();
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn padding_of_short_frames_is_not_text() {
    let mut p = Peer::established();
    let mut frame = p.frame(&data(1, 1, b"hi"));
    frame.resize(64, 0xee);
    p.inject_frame(frame);
    assert_eq!(p.read(), b"hi");
}

#[test]
fn frames_are_counted() {
    let mut p = Peer::new();
    let before = *p.counters();
    let frame = udp_frame(b"x");
    let len = frame.len() as u64;
    p.inject_frame(frame);
    let sent = p.out.pop_front().expect("an ICMP error").1.len() as u64;
    let c = p.counters();
    assert_eq!((c.rx_frames - before.rx_frames, c.rx_bytes - before.rx_bytes), (1, len));
    assert_eq!((c.tx_frames - before.tx_frames, c.tx_bytes - before.tx_bytes), (1, sent));
}
