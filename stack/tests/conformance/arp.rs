//! ARP at the instance: RFC 826, RFC 1122 2.3.2, RFC 5227.

use std::net::Ipv4Addr;

use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::{ArpOperation, ArpPacket};

use crate::peer::{PEER_IP, PEER_MAC, STACK_IP, STACK_MAC, arp_frame};
use crate::prelude::*;

const OTHER_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 9]);

fn deaf() -> Peer {
    let mut p = Peer::new();
    p.answer_arp = false;
    p
}

fn request() -> ArpPacket {
    ArpPacket::request(PEER_MAC, PEER_IP, STACK_IP)
}

fn reply() -> ArpPacket {
    let asked = ArpPacket::request(STACK_MAC, STACK_IP, PEER_IP);
    ArpPacket::reply_to(&asked, PEER_MAC)
}

#[test]
fn our_address_is_announced_at_start() {
    // RFC 5227 3: a request for oneself
    let mut p = Peer::new();
    p.out = std::mem::take(&mut p.greeting);
    let (to, packet) = p.recv_arp();
    assert_eq!(to, MacAddr::BROADCAST);
    assert_eq!((packet.sender_ip, packet.target_ip, packet.sender_mac), (STACK_IP, STACK_IP, STACK_MAC));
}

#[test]
fn a_request_is_answered() {
    // RFC 826, packet reception
    let mut p = deaf();
    p.inject_frame(arp_frame(&request(), MacAddr::BROADCAST));
    let (to, packet) = p.recv_arp();
    assert_eq!((to, packet.operation), (PEER_MAC, ArpOperation::REPLY));
    assert_eq!((packet.sender_mac, packet.sender_ip), (STACK_MAC, STACK_IP));
    assert_eq!((packet.target_mac, packet.target_ip), (PEER_MAC, PEER_IP));
    assert_eq!(p.counters().arp_replies, 1);
    // and the asker is known now: no request of ours
    p.connect();
    p.quiet();
}

#[test]
fn a_request_for_another_is_not_answered() {
    let mut p = deaf();
    let other = ArpPacket::request(PEER_MAC, PEER_IP, Ipv4Addr::new(10, 0, 0, 77));
    p.inject_frame(arp_frame(&other, MacAddr::BROADCAST));
    p.quiet();
}

#[test]
fn a_probe_is_answered_and_not_learnt_from() {
    // RFC 5227 1.1
    let mut p = deaf();
    let probe = ArpPacket::request(PEER_MAC, Ipv4Addr::UNSPECIFIED, STACK_IP);
    p.inject_frame(arp_frame(&probe, MacAddr::BROADCAST));
    assert_eq!(p.recv_arp().1.operation, ArpOperation::REPLY);
}

#[test]
fn an_open_waits_for_the_answer() {
    // RFC 1122 2.3.2.2: what waits is sent, not dropped
    let mut p = deaf();
    let to = p.address();
    p.id = p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.run();
    let (dst, packet) = p.recv_arp();
    assert_eq!(
        (dst, packet.operation, packet.target_ip),
        (MacAddr::BROADCAST, ArpOperation::REQUEST, PEER_IP)
    );
    p.quiet();
    p.advance(300);
    p.inject_frame(arp_frame(&reply(), STACK_MAC));
    p.expect_syn();
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
}

#[test]
fn requests_are_a_second_apart_and_then_the_peer_is_unreachable() {
    // RFC 1122 2.3.2.1: at most one a second
    let mut p = deaf();
    let to = p.address();
    let from = p.now;
    p.id = p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.run();
    p.advance(10_000);
    let at: Vec<_> = p.out.iter().map(|(at, _)| at.since(from).as_millis() / 1000).collect();
    assert_eq!(at, [0, 1, 2]);
    p.out.clear();
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::Unreachable))]);
    assert_eq!((p.stack.conns(), p.counters().arp_unreachable), (0, 1));
}

#[test]
fn waiting_for_arp_is_no_loss() {
    let mut p = deaf();
    let to = p.address();
    p.id = p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.run();
    p.advance(2500);
    p.out.clear();
    p.inject_frame(arp_frame(&reply(), STACK_MAC));
    p.expect_syn();
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
    p.write(&bytes(50_000));
    p.expect_burst(1, 1460, 10); // not the window after a lost SYN
}

#[test]
fn many_opens_share_one_request() {
    let mut p = deaf();
    for port in 0..10 {
        p.flow.port = 50_000 + port;
        let to = p.address();
        p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    }
    p.run();
    p.recv_arp();
    p.quiet();
    p.inject_frame(arp_frame(&reply(), STACK_MAC));
    assert_eq!(p.out.len(), 10);
}

#[test]
fn an_address_outside_the_network_goes_to_the_gateway_or_nowhere() {
    let far = Ipv4Addr::new(192, 0, 2, 1);
    let mut p = Peer::with(|c| c.gateway = Some(Ipv4Addr::new(10, 0, 0, 254)));
    p.answer_arp = false;
    p.flow.ip = far;
    let to = p.address();
    p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.run();
    assert_eq!(p.recv_arp().1.target_ip, Ipv4Addr::new(10, 0, 0, 254));

    let mut p = deaf();
    p.flow.ip = far;
    p.id = p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.run();
    p.quiet();
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::Unreachable))]);
}

#[test]
fn a_peer_from_afar_is_answered_to_where_it_came_from() {
    let mut p = deaf();
    p.flow.ip = Ipv4Addr::new(192, 0, 2, 1);
    p.open(syn());
    // even after time-outs, since ARP could not tell better
    p.write(b"x");
    for _ in 0..5 {
        p.expect(PSH_ACK, 1, 1, 1);
        p.until_sent(20_000);
    }
    p.recv();
}

#[test]
fn a_gratuitous_request_updates_and_never_adds() {
    // RFC 826: the merge flag; RFC 5227 3
    let mut p = deaf();
    let stranger = ArpPacket::request(PEER_MAC, PEER_IP, PEER_IP);
    p.inject_frame(arp_frame(&stranger, MacAddr::BROADCAST));
    p.quiet();
    let to = p.address();
    p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.run();
    p.recv_arp(); // not known
    p.inject_frame(arp_frame(&reply(), STACK_MAC));
    p.out.clear();
    let moved = ArpPacket::request(OTHER_MAC, PEER_IP, PEER_IP);
    p.inject_frame(arp_frame(&moved, MacAddr::BROADCAST));
    p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.run();
    assert_eq!(p.out.pop_back().expect("a SYN").1[..6], OTHER_MAC.octets());
    p.out.clear();
}

#[test]
fn who_claims_our_address_is_counted_and_told() {
    // RFC 5227 2.4 (b): defend once, not more often than every 10 s
    let mut p = deaf();
    let claim = ArpPacket::request(OTHER_MAC, STACK_IP, STACK_IP);
    p.inject_frame(arp_frame(&claim, MacAddr::BROADCAST));
    let (to, packet) = p.recv_arp();
    assert_eq!((to, packet.sender_mac, packet.target_ip), (MacAddr::BROADCAST, STACK_MAC, STACK_IP));
    p.inject_frame(arp_frame(&claim, MacAddr::BROADCAST));
    p.quiet();
    p.advance(11_000);
    p.inject_frame(arp_frame(&claim, MacAddr::BROADCAST));
    p.recv_arp();
    assert_eq!(p.counters().arp_conflicts, 3);
    let own = ArpPacket::request(STACK_MAC, STACK_IP, STACK_IP);
    p.inject_frame(arp_frame(&own, MacAddr::BROADCAST)); // our own, back from a loop
    assert_eq!(p.counters().arp_conflicts, 3);
}

#[test]
fn a_peer_that_has_moved_is_found_again() {
    // RFC 1122 2.3.2.1: time-outs of the transport make ARP ask again
    let mut p = Peer::established();
    p.answer_arp = false;
    p.advance(61_000);
    p.write(b"x");
    p.recv();
    let mut asked = None;
    for _ in 0..12 {
        p.until_sent_after_reading(10_000);
        if p.out.front().is_some_and(|(_, f)| f[12..14] == [8, 6]) {
            asked = Some(p.recv_arp());
            break;
        }
    }
    assert_eq!(asked.expect("a request").1.target_ip, PEER_IP);
    let mut moved = reply();
    moved.sender_mac = OTHER_MAC;
    p.inject_frame(arp_frame(&moved, STACK_MAC));
    p.until_sent_after_reading(70_000);
    assert_eq!(p.out.front().expect("data").1[..6], OTHER_MAC.octets());
    p.out.clear();
}

#[test]
fn the_third_retransmission_makes_the_next_hop_suspect() {
    // RFC 9293 3.8.3, MUST-20 (b): advice to the IP layer at R1; SHLD-10: three retransmissions
    let mut p = Peer::established();
    p.answer_arp = false;
    p.advance(61_000);
    p.write(b"x");
    p.out.clear();
    for expected in [[8, 0], [8, 0], [8, 6]] {
        p.until_sent_after_reading(10_000);
        assert_eq!(p.out.front().expect("a frame").1[12..14], expected);
    }
    p.answer_arp = true;
    p.until_sent_after_reading(10_000);
    p.expect(PSH_ACK, 1, 1, 1);
    p.out.clear();
}

#[test]
fn a_vlan_is_another_network_and_a_priority_tag_is_none() {
    // IEEE 802.1Q 6.9.1
    let tagged = |tci: u16| {
        let mut frame = arp_frame(&request(), MacAddr::BROADCAST);
        let tci = tci.to_be_bytes();
        frame.splice(12..12, [0x81, 0x00, tci[0], tci[1]]);
        frame
    };
    let mut p = deaf();
    p.inject_frame(tagged(5));
    p.quiet();
    assert_eq!((p.counters().other_vlan, p.counters().arp_replies), (1, 0));
    p.inject_frame(tagged(0xe000));
    p.recv_arp();
    assert_eq!((p.counters().other_vlan, p.counters().arp_replies), (1, 1));
}
