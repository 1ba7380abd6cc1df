//! Datagrams in fragments: RFC 791 3.2, RFC 1122 3.3.2, RFC 5722. `src/fragments/tests.rs` has the cases one by one.

use ferroflow_stack::steer::{Owner, Steer};
use ferroflow_wire::icmpv4::{IcmpMessage, Icmpv4View, time_exceeded};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};

use crate::icmp::{echo, from_peer, udp_frame};
use crate::peer::{PEER_IP, PEER_MAC, ip_frame_of};
use crate::prelude::*;

/// A frame's datagram in fragments of `size` bytes.
pub fn fragments(frame: &[u8], ident: u16, size: usize) -> Vec<Vec<u8>> {
    let whole = Ipv4View::parse(&frame[14..]).expect("an IP packet");
    let count = whole.payload().len().div_ceil(size);
    let fragment = |(i, bytes): (usize, &[u8])| {
        let header = Ipv4Header {
            ident,
            dont_fragment: false,
            more_fragments: i + 1 < count,
            fragment_offset: (i * size) as u16,
            ..Ipv4Header::new(whole.src(), whole.dst(), whole.protocol(), bytes.len() as u16)
        };
        ip_frame_of(&header, bytes)
    };
    whole.payload().chunks(size).enumerate().map(fragment).collect()
}

#[test]
fn segments_in_fragments_are_read() {
    // RFC 791 3.2: in whatever order
    let mut p = Peer::established();
    let text = bytes(1400);
    let mut seq = 1;
    for (ident, size) in (1..).zip([8 * 20, 552, 1000]) {
        let mut parts = fragments(&p.frame(&data(seq, 1, &text)), ident, size);
        parts.rotate_left(1);
        let last = parts.pop().expect("a fragment");
        parts.into_iter().for_each(|part| p.inject_frame(part));
        assert_eq!(p.read(), b"");
        p.inject_frame(last);
        assert_eq!(p.read(), text);
        seq += text.len() as u32;
    }
    assert_eq!(p.counters().reassembled, 3);
    p.out.clear(); // the acknowledgements
}

#[test]
fn a_segment_larger_than_any_link_is_read() {
    // RFC 1122 3.3.2: as large as can be told
    let mut p = Peer::established();
    let text = bytes(60_000);
    for part in fragments(&p.frame(&data(1, 1, &text)), 1, 1480) {
        p.inject_frame(part);
    }
    assert_eq!(p.read(), text);
    p.out.clear();
}

#[test]
fn every_protocol_is_put_together() {
    let mut p = Peer::new();
    for part in fragments(&from_peer(&echo(&bytes(1000))), 1, 400) {
        p.inject_frame(part);
    }
    let want = IcmpMessage::EchoReply { ident: 7, seq: 9, data: &bytes(1000) };
    assert_eq!(Icmpv4View::parse(&p.recv_icmp().2).expect("ICMP").message(), want);
    for part in fragments(&udp_frame(&bytes(1000)), 2, 400) {
        p.inject_frame(part);
    }
    p.recv_icmp();
    assert_eq!((p.counters().icmp_echoes, p.counters().udp_no_port), (1, 1));
    // The reply to what is larger than our own link carries cannot be sent: nothing is fragmented here.
    for part in fragments(&from_peer(&echo(&bytes(3000))), 3, 1400) {
        p.inject_frame(part);
    }
    p.quiet();
    assert_eq!((p.counters().icmp_echoes, p.counters().tx_dropped), (2, 1));
}

#[test]
fn the_checksum_of_the_whole_is_checked() {
    let mut p = Peer::established();
    let mut frame = p.frame(&data(1, 1, &bytes(1000)));
    frame[14 + 20 + 600] ^= 1;
    fragments(&frame, 1, 400).into_iter().for_each(|part| p.inject_frame(part));
    assert_eq!((p.counters().reassembled, p.counters().tcp_bad_checksum), (1, 1));
    assert_eq!(p.read(), b"");
}

#[test]
fn after_sixty_seconds_the_sender_is_told_what_is_missing() {
    // RFC 1122 3.3.2
    let mut p = Peer::new();
    let parts = fragments(&udp_frame(&bytes(1000)), 1, 400);
    p.inject_frame(parts[0].clone());
    p.advance(30_000);
    p.inject_frame(parts[2].clone());
    p.advance(29_999);
    p.quiet();
    p.advance(1);
    let (mac, to, got) = p.recv_icmp();
    assert_eq!((mac, to), (PEER_MAC, PEER_IP));
    let want = IcmpMessage::TimeExceeded { code: time_exceeded::REASSEMBLY, original: &parts[0][14..] };
    assert_eq!(Icmpv4View::parse(&got).expect("ICMP").message(), want);
    // Too late: it waits alone.
    p.inject_frame(parts[1].clone());
    assert_eq!((p.counters().reassembly_timed_out, p.counters().reassembled), (1, 0));
    p.quiet();
}

#[test]
fn nobody_is_told_without_the_first_fragment_or_about_a_broadcast() {
    // RFC 1122 3.2.2, 3.3.2
    let mut p = Peer::new();
    let parts = fragments(&udp_frame(&bytes(1000)), 1, 400);
    p.inject_frame(parts[1].clone());
    let mut to_all = fragments(&udp_frame(&bytes(1000)), 2, 400).remove(0);
    to_all[..6].fill(0xff);
    p.inject_frame(to_all);
    p.advance(60_000);
    p.quiet();
    assert_eq!(p.counters().reassembly_timed_out, 2);
}

#[test]
fn no_error_about_a_fragment() {
    // RFC 1122 3.2.2: not about one that is not the first; and about the first the whole is waited for
    let mut p = Peer::new();
    let header = Ipv4Header::new(PEER_IP, crate::peer::STACK_IP, IpProtocol(132), 16);
    for (offset, more) in [(16, true), (0, true), (32, false)] {
        let part = Ipv4Header {
            ident: 9,
            dont_fragment: false,
            fragment_offset: offset,
            more_fragments: more,
            ..header
        };
        p.quiet();
        p.inject_frame(ip_frame_of(&part, &bytes(16)));
    }
    assert_eq!(p.out.drain(..).count(), 1, "protocol unreachable");
}

#[test]
fn fragments_that_overlap_are_dropped() {
    // RFC 5722 4
    let mut p = Peer::established();
    let good = fragments(&p.frame(&data(1, 1, &bytes(1000))), 1, 400);
    let evil = fragments(&p.frame(&data(1, 1, &[b'!'; 1000])), 1, 392);
    for part in [&good[0], &evil[1], &good[1], &good[2]] {
        p.inject_frame(part.clone());
    }
    assert_eq!(p.read(), b"");
    assert_eq!((p.counters().reassembly_overlap, p.counters().reassembly_late), (1, 2));
}

#[test]
fn a_flood_of_fragments_takes_a_bounded_amount_and_starves_nobody() {
    let mut p = Peer::established();
    let first = fragments(&udp_frame(&bytes(1400)), 0, 1000).remove(0);
    let text = bytes(1000);
    for n in 0..20_000u16 {
        let mut part = first.clone();
        part[18..20].copy_from_slice(&n.to_be_bytes());
        let header = &mut part[14..34];
        header[10..12].fill(0);
        let sum = ferroflow_wire::checksum::checksum(header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        p.inject_frame(part); // and the bounds are checked
    }
    assert_eq!(p.counters().reassembly_evicted, 20_000 - 64);
    fragments(&p.frame(&data(1, 1, &text)), 30_000, 400).into_iter().for_each(|part| p.inject_frame(part));
    assert_eq!(p.read(), text);
    p.out.clear();
}

#[test]
fn what_is_another_cores_is_handed_over_when_it_is_whole() {
    let mut p = Peer::with(|config| config.steer = Steer::new(0, 2));
    let mut stranded = 0;
    for port in 1000..1020 {
        p.flow = Flow::new(port);
        let frame = p.frame(&syn());
        let ours = Steer::new(0, 2).owner(&frame) == Owner::Here;
        fragments(&frame, port, 8).into_iter().for_each(|part| p.inject_frame(part));
        assert_eq!(p.out.drain(..).count(), usize::from(ours), "a SYN,ACK to port {port}");
        stranded += u64::from(!ours);
    }
    // This port knows no other core.
    assert!(stranded > 3);
    assert_eq!((p.counters().reassembled, p.counters().reassembly_stranded), (20, stranded));
}
