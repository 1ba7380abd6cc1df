//! ICMP: RFC 792, RFC 1122 3.2.2, RFC 1812 4.3.2, RFC 5461, RFC 5927.

use std::net::Ipv4Addr;

use ferroflow_wire::MacAddr;
use ferroflow_wire::icmpv4::{IcmpMessage, Icmpv4View, unreachable};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::udp::{self, UdpHeader};

use crate::peer::{PEER_IP, PEER_MAC, STACK_IP, ip_frame, ip_frame_of};
use crate::prelude::*;

fn icmp(message: &IcmpMessage<'_>) -> Vec<u8> {
    let mut bytes = vec![0; message.len()];
    message.write(&mut bytes).expect("an ICMP message");
    bytes
}

pub fn from_peer(message: &IcmpMessage<'_>) -> Vec<u8> {
    ip_frame(PEER_IP, STACK_IP, IpProtocol::ICMP, &icmp(message))
}

pub fn echo(data: &[u8]) -> IcmpMessage<'_> {
    IcmpMessage::EchoRequest { ident: 7, seq: 9, data }
}

pub fn udp_datagram(text: &[u8]) -> Vec<u8> {
    let header = UdpHeader { src_port: 5000, dst_port: 53, payload_len: text.len() as u16 };
    let mut datagram = vec![0; header.len()];
    header.write(&mut datagram).expect("a UDP header");
    datagram.extend_from_slice(text);
    udp::fill_checksum(&mut datagram, PEER_IP, STACK_IP).expect("a checksum");
    datagram
}

pub fn udp_frame(text: &[u8]) -> Vec<u8> {
    ip_frame(PEER_IP, STACK_IP, IpProtocol::UDP, &udp_datagram(text))
}

#[test]
fn an_echo_request_is_answered_with_its_own_data() {
    // RFC 1122 3.2.2.6
    let mut p = Peer::new();
    for len in [0, 1, 56, 1472] {
        let text = bytes(len);
        p.inject_frame(from_peer(&echo(&text)));
        let (mac, to, got) = p.recv_icmp();
        assert_eq!((mac, to), (PEER_MAC, PEER_IP));
        let want = IcmpMessage::EchoReply { ident: 7, seq: 9, data: &text };
        assert_eq!(Icmpv4View::parse(&got).expect("ICMP").message(), want);
    }
    assert_eq!(p.counters().icmp_echoes, 4);
}

#[test]
fn an_echo_request_to_everyone_is_not_answered() {
    // RFC 1122 3.2.2.6 allows it; an amplifier helps nobody
    let mut p = Peer::new();
    let broadcast = Ipv4Addr::new(10, 0, 0, 255);
    p.inject_frame(ip_frame(PEER_IP, broadcast, IpProtocol::ICMP, &icmp(&echo(b"x"))));
    let mut frame = from_peer(&echo(b"x"));
    frame[..6].fill(0xff);
    p.inject_frame(frame);
    p.quiet();
    assert_eq!(p.counters().icmp_echoes, 0);
}

#[test]
fn an_icmp_message_with_a_wrong_checksum_or_no_header_is_dropped() {
    // RFC 792
    let mut p = Peer::new();
    let mut frame = from_peer(&echo(b"hello"));
    *frame.last_mut().expect("bytes") ^= 1;
    p.inject_frame(frame);
    p.inject_frame(ip_frame(PEER_IP, STACK_IP, IpProtocol::ICMP, &[8, 0, 0]));
    p.quiet();
    assert_eq!((p.counters().icmp_bad_checksum, p.counters().malformed_icmp), (1, 1));
}

#[test]
fn nothing_is_answered_to_an_error_or_an_unknown_type() {
    // RFC 1122 3.2.2
    let mut p = Peer::new();
    for message_type in [3, 4, 5, 11, 12, 13, 40, 255] {
        let message = IcmpMessage::Other { message_type, code: 0, rest: [0; 4], data: &[0; 40] };
        p.inject_frame(from_peer(&message));
    }
    p.quiet();
}

#[test]
fn a_datagram_for_no_port_is_answered_port_unreachable_quoting_it() {
    // RFC 1122 4.1.3.1, 3.2.2: header and at least 8 bytes; RFC 1812 4.3.2.3: up to 576 bytes in all
    let mut p = Peer::new();
    for len in [5, 1400] {
        let frame = udp_frame(&bytes(len));
        p.inject_frame(frame.clone());
        let (mac, to, got) = p.recv_icmp();
        assert_eq!((mac, to), (PEER_MAC, PEER_IP));
        let IcmpMessage::DestUnreachable { code, original, .. } =
            Icmpv4View::parse(&got).expect("ICMP").message()
        else {
            panic!("{got:?}")
        };
        let want = (frame.len() - 14).min(576 - 28);
        assert_eq!((code, original), (unreachable::PORT, &frame[14..14 + want]));
    }
    assert_eq!((p.counters().udp_no_port, p.counters().icmp_errors_sent), (2, 2));
}

#[test]
fn ethernet_padding_is_not_quoted() {
    let mut p = Peer::new();
    let mut frame = udp_frame(b"hi");
    let len = frame.len() - 14;
    frame.resize(60, 0xee);
    p.inject_frame(frame);
    assert_eq!(p.recv_icmp().2.len(), 8 + len);
}

#[test]
fn an_unknown_protocol_is_answered_protocol_unreachable() {
    // RFC 1122 3.2.2.1
    let mut p = Peer::new();
    p.inject_frame(ip_frame(PEER_IP, STACK_IP, IpProtocol(132), &bytes(20)));
    let got = p.recv_icmp().2;
    assert_eq!((got[0], got[1]), (3, unreachable::PROTOCOL));
}

#[test]
fn errors_are_limited() {
    // RFC 1812 4.3.2.8
    let mut p = Peer::with(|c| c.icmp_errors_per_second = 6);
    for _ in 0..8 {
        p.inject_frame(udp_frame(b"x"));
    }
    let sent = p.out.drain(..).count() as u64;
    assert!((3..=6).contains(&sent), "half of it to all of it: {sent}");
    assert_eq!((p.counters().icmp_errors_sent, p.counters().icmp_errors_limited), (sent, 8 - sent));
    p.advance(1000);
    p.inject_frame(udp_frame(b"x"));
    p.recv_icmp();
}

#[test]
fn an_error_is_sent_with_normal_service() {
    // RFC 1122 3.2.2: whatever service the datagram had
    let mut p = Peer::new();
    let datagram = udp_datagram(b"x");
    let header = Ipv4Header::new(PEER_IP, STACK_IP, IpProtocol::UDP, datagram.len() as u16);
    p.inject_frame(ip_frame_of(&Ipv4Header { dscp: 46, ecn: 2, ..header }, &datagram));
    let (_, frame) = p.out.pop_front().expect("an error");
    let ip = Ipv4View::parse(&frame[14..]).expect("IPv4");
    assert_eq!((ip.protocol(), ip.dscp(), ip.ecn()), (IpProtocol::ICMP, 0, 0));
}

#[test]
fn no_error_about_what_was_sent_to_everyone() {
    // RFC 1122 3.2.2
    let mut p = Peer::new();
    for mac in [MacAddr::BROADCAST, MacAddr([1, 0, 0x5e, 0, 0, 1])] {
        let mut frame = udp_frame(b"x");
        frame[..6].copy_from_slice(&mac.octets());
        p.inject_frame(frame);
    }
    for ip in [Ipv4Addr::new(10, 0, 0, 255), Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        p.inject_frame(ip_frame(PEER_IP, ip, IpProtocol::UDP, &udp_datagram(b"x")));
    }
    p.quiet();
    assert_eq!(p.counters().icmp_errors_sent, 0);
}

/// The beginning of a packet of the flow, as an error quotes it.
fn quote(p: &Peer, seq: u32) -> Vec<u8> {
    let iss = p.flow.iss.expect("an ISS");
    let mut quoted = vec![0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6, 0, 0];
    quoted.extend_from_slice(&STACK_IP.octets());
    quoted.extend_from_slice(&p.flow.ip.octets());
    quoted.extend_from_slice(&p.flow.stack_port.to_be_bytes());
    quoted.extend_from_slice(&p.flow.port.to_be_bytes());
    quoted.extend_from_slice(&iss.wrapping_add(seq).to_be_bytes());
    quoted
}

/// The peer says that a segment of the flow could not be delivered.
fn unreachable_about(p: &Peer, code: u8, seq: u32) -> Vec<u8> {
    from_peer(&IcmpMessage::DestUnreachable { code, next_hop_mtu: 0, original: &quote(p, seq) })
}

#[test]
fn a_hard_error_ends_an_open() {
    // RFC 1122 4.2.3.9, RFC 5461 4.1
    let cases = [
        (unreachable::PROTOCOL, ConnectError::Unreachable),
        (unreachable::PORT, ConnectError::Refused),
        (unreachable::ADMIN_PROHIBITED, ConnectError::Unreachable),
    ];
    for (code, error) in cases {
        let mut p = Peer::new();
        p.connect();
        p.inject_frame(unreachable_about(&p, code, 0));
        assert_eq!(p.events(), [Event::Connected(p.id, Err(error))]);
        assert_eq!(p.stack.conns(), 0);
    }
}

#[test]
fn a_soft_error_does_not_end_an_open() {
    // RFC 1122 4.2.3.9: network, host and source route failed are soft
    let mut p = Peer::new();
    p.connect();
    for code in [unreachable::NET, unreachable::HOST, unreachable::SOURCE_ROUTE_FAILED] {
        p.inject_frame(unreachable_about(&p, code, 0));
    }
    assert_eq!((p.events(), p.stack.conns()), (vec![], 1));
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
}

#[test]
fn an_error_must_quote_what_is_in_flight() {
    // RFC 5927 4.1
    let mut p = Peer::new();
    p.connect();
    for seq in [1, 5000, 0xffff_ffff] {
        p.inject_frame(unreachable_about(&p, unreachable::PORT, seq));
    }
    p.flow.port += 1;
    p.inject_frame(unreachable_about(&p, unreachable::PORT, 0));
    assert_eq!((p.events(), p.counters().icmp_errors_ignored), (vec![], 4));
}

#[test]
fn no_error_ends_an_established_connection() {
    // RFC 5461 3.2
    let mut p = Peer::established();
    p.write(b"x");
    p.recv();
    for code in 0..16 {
        p.inject_frame(unreachable_about(&p, code, 1));
    }
    assert_eq!(p.stack.conns(), 1);
    assert_eq!(p.counters().icmp_errors_received, 16);
}

#[test]
fn what_icmp_has_said_is_the_reason_if_time_runs_out() {
    // RFC 1122 4.2.3.9: soft errors are of interest to the service
    let mut p = Peer::established();
    p.write(b"x");
    p.recv();
    p.inject_frame(unreachable_about(&p, unreachable::HOST, 1));
    p.events();
    p.advance(130_000);
    p.out.clear();
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Unreachable)]);

    let mut p = Peer::new();
    p.connect();
    p.inject_frame(unreachable_about(&p, unreachable::NET, 0));
    p.advance(181_000);
    p.out.clear();
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::Unreachable))]);
}

#[test]
fn progress_makes_icmp_forgotten() {
    let mut p = Peer::established();
    p.write(b"xy");
    p.recv();
    p.inject_frame(unreachable_about(&p, unreachable::HOST, 1));
    p.send(ack(1, 2));
    p.events();
    p.advance(130_000);
    p.out.clear();
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::TimedOut)]);
}

#[test]
fn time_exceeded_and_parameter_problems_are_soft_and_can_be_asked_for() {
    // RFC 9293 3.9.2.2, MUST-56, SHLD-25; 3.9.1.8, MUST-47
    let mut p = Peer::established();
    let id = p.id;
    let told = |p: &mut Peer| p.net(|net| net.tcp_info(id).expect("a connection").unreachable);
    for (n, pointer) in [(1, None), (2, Some(0)), (3, Some(1)), (4, Some(2))] {
        p.write(b"x");
        p.recv();
        assert!(!told(&mut p));
        let message = |code, quoted: &[u8]| match pointer {
            None => from_peer(&IcmpMessage::TimeExceeded { code, original: quoted }),
            Some(pointer) => from_peer(&IcmpMessage::ParameterProblem { code, pointer, original: quoted }),
        };
        p.inject_frame(message(0, &quote(&p, n + 1)));
        assert!(!told(&mut p), "RFC 5927 4.1: it quotes what was not sent");
        p.inject_frame(message(1, &quote(&p, n)));
        assert!(told(&mut p));
        p.send(ack(1, n + 1));
        assert!(!told(&mut p), "nothing is wrong any more");
    }
    assert_eq!((p.stack.conns(), p.counters().icmp_errors_ignored), (1, 4));
}
