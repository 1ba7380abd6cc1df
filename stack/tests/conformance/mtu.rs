//! Path MTU: RFC 1191, RFC 5927 7, RFC 4821.

use ferroflow_stack::tcp::mtu::MtuProbing;
use ferroflow_wire::icmpv4::{IcmpMessage, unreachable};
use ferroflow_wire::ipv4::IpProtocol;

use crate::peer::{PEER_IP, STACK_IP, ip_frame, parse_tcp};
use crate::prelude::*;

/// A router says that the segment at `seq`, a packet of `len` bytes, was larger than `mtu`.
pub fn too_large(p: &mut Peer, seq: u32, len: u16, mtu: u16) {
    let iss = p.flow.iss.expect("an ISS");
    let mut quoted = vec![0x45, 0];
    quoted.extend_from_slice(&len.to_be_bytes());
    quoted.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0]);
    quoted.extend_from_slice(&STACK_IP.octets());
    quoted.extend_from_slice(&p.flow.ip.octets());
    quoted.extend_from_slice(&p.flow.stack_port.to_be_bytes());
    quoted.extend_from_slice(&p.flow.port.to_be_bytes());
    quoted.extend_from_slice(&iss.wrapping_add(seq).to_be_bytes());
    let code = unreachable::FRAGMENTATION_NEEDED;
    let message = IcmpMessage::DestUnreachable { code, next_hop_mtu: mtu, original: &quoted };
    let mut bytes = vec![0; message.len()];
    message.write(&mut bytes).expect("an ICMP message");
    p.inject_frame(ip_frame(PEER_IP, STACK_IP, IpProtocol::ICMP, &bytes));
}

/// A connection with ten full segments in flight, and more to be sent.
fn writing() -> Peer {
    let mut p = Peer::new();
    p.open(syn().wscale(7));
    p.write(&bytes(100_000));
    p.expect_burst(1, 1460, 10);
    p
}

#[test]
fn what_was_too_large_goes_again_at_once_and_smaller() {
    // RFC 1191 6.4: the window stays what it was, and nothing waits for a timer
    let mut p = writing();
    too_large(&mut p, 1, 1500, 1400);
    for n in 0..10 {
        p.expect(ACK, 1 + n * 1360, 1, 1360);
    }
    p.expect(ACK, 13_601, 1, 1000);
    p.quiet();
    assert_eq!((p.counters().tcp_mtu_reduced, recoveries(&p)), (1, 0));
    // slow start goes on as if nothing had been lost: what was acknowledged, and the 1000 bytes left over, twice
    p.send(ack(1, 1 + 1360 * 2));
    let sent: usize = p.drain().iter().map(|got| got.text.len()).sum();
    assert!(sent > 1360 * 3, "{sent}");
    assert_eq!(p.counters().tcp_timeouts, 0);
}

#[test]
fn only_what_was_sent_from_the_quoted_segment_on_goes_again() {
    let mut p = writing();
    too_large(&mut p, 1 + 1460 * 4, 1500, 1400);
    let sent = p.drain();
    assert_eq!((sent[0].seq, sent[0].text.len()), (1 + 1460 * 4, 1360));
}

#[test]
fn the_next_connection_begins_with_what_the_path_carries() {
    // RFC 1191 6.2, 6.3: ten minutes long
    let mut p = writing();
    too_large(&mut p, 1, 1500, 1400);
    p.out.clear();
    p.abort();
    p.out.clear();
    for (port, ms, mss) in [(41_000, 1000, 1360), (41_001, 590_000, 1360), (41_002, 20_000, 1460)] {
        p.advance(ms);
        p.switch(Flow::new(port));
        let got = p.open(syn().wscale(7));
        assert_eq!(got.options.mss, Some(1460), "what we can receive is another matter");
        p.write(&bytes(2 * mss));
        p.expect_burst(1, mss, 2);
        p.send(ack(1, 1 + 2 * mss as u32));
    }
}

#[test]
fn another_destination_is_another_path() {
    let mut p = writing();
    too_large(&mut p, 1, 1500, 1400);
    p.out.clear();
    p.switch(Flow { ip: std::net::Ipv4Addr::new(10, 0, 0, 3), ..Flow::new(41_000) });
    p.open(syn());
    p.write(&bytes(1460));
    p.expect_burst(1, 1460, 1);
}

#[test]
fn timestamps_are_part_of_the_packet() {
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    p.write(&bytes(14_000));
    assert!(p.drain()[..9].iter().all(|got| got.text.len() == 1448));
    too_large(&mut p, 1, 1500, 1400);
    let got = p.recv();
    assert_eq!((got.seq, got.text.len()), (1, 1348));
    p.out.clear();
}

#[test]
fn a_router_that_names_no_mtu_is_answered_with_the_next_common_one() {
    // RFC 1191 5
    let mut p = writing();
    let mut len = 1500;
    for mtu in [1492, 1280, 1006, 552] {
        too_large(&mut p, 1, len, 0);
        let got = p.recv();
        assert_eq!((got.seq, got.text.len()), (1, usize::from(mtu) - 40));
        p.out.clear();
        len = mtu;
    }
    too_large(&mut p, 1, len, 0);
    p.quiet();
}

#[test]
fn no_claim_makes_segments_tiny() {
    // below 552 lies no path that anybody uses, but an attack (CVE-2004-1060)
    for mtu in [1, 68, 296, 551] {
        let mut p = writing();
        too_large(&mut p, 1, 1500, mtu);
        assert_eq!(p.recv().text.len(), 512, "{mtu}");
        p.out.clear();
    }
}

#[test]
fn forged_claims_are_refused() {
    // RFC 5927 4.1: not in flight; 7.2: no smaller than the packet quoted, or than what we use already
    let mut p = writing();
    for seq in [0, 14_601, 0x8000_0000] {
        too_large(&mut p, seq, 1500, 1000);
    }
    for (len, mtu) in [(1500, 1500), (1500, 9000), (1500, 65_535), (1000, 1000), (1000, 1200), (40, 0)] {
        too_large(&mut p, 1, len, mtu);
    }
    p.flow.port += 1;
    too_large(&mut p, 1, 1500, 1000);
    p.flow.port -= 1;
    p.quiet();
    assert_eq!((p.counters().tcp_mtu_reduced, p.counters().icmp_errors_ignored), (0, 10));
}

#[test]
fn a_claim_about_a_packet_that_was_never_so_large_is_refused() {
    // RFC 5927 7.2, 7.3.5: who has sent little is not told that large packets do not pass
    let mut p = Peer::new();
    p.open(syn());
    p.write(&bytes(100));
    p.recv();
    too_large(&mut p, 1, 1500, 600);
    too_large(&mut p, 100, 1500, 1000);
    p.quiet();
    assert_eq!((p.counters().tcp_mtu_reduced, p.counters().icmp_errors_ignored), (0, 2));
    p.send(ack(1, 101));
    p.write(&bytes(1460));
    assert_eq!(p.recv().text.len(), 1460);
}

#[test]
fn a_claim_against_what_has_arrived_waits_for_a_time_out() {
    // RFC 5927 7.2
    let mut p = writing();
    p.send(ack(1, 14_601));
    let in_flight = p.drain().len() as u32;
    too_large(&mut p, 14_601, 1500, 600);
    p.quiet();
    assert_eq!((p.counters().tcp_mtu_pending, p.counters().tcp_mtu_reduced), (1, 0));
    // the segment arrives: nothing has changed
    p.send(ack(1, 14_601 + in_flight * 1460));
    assert_eq!(p.recv().text.len(), 1460);
    p.drain();
    // the next one does not
    let next = 14_601 + in_flight * 1460;
    too_large(&mut p, next, 1500, 600);
    p.quiet();
    let after = p.until_sent(5000);
    let got = p.drain();
    assert!(got.iter().any(|got| got.seq == next && got.text.len() == 560), "after {after} ms: {got:?}");
    assert_eq!(p.counters().tcp_mtu_reduced, 1);
}

#[test]
fn a_claim_about_a_handshake_is_not_believed() {
    let mut p = Peer::new();
    p.connect();
    too_large(&mut p, 0, 1500, 600);
    p.send(syn_ack(1));
    p.adopt();
    p.expect(ACK, 1, 1, 0);
    p.write(&bytes(1460));
    p.expect_burst(1, 1460, 1);
    p.send(ack(1, 1461));
    // nor is it the reason if time runs out
    let mut p = Peer::new();
    p.connect();
    too_large(&mut p, 0, 1500, 600);
    assert_eq!(p.counters().icmp_errors_ignored, 1);
    p.advance(181_000);
    p.out.clear();
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::TimedOut))]);
}

#[test]
fn large_segments_that_vanish_become_smaller() {
    // RFC 4821 7.7: at the third time-out, as in Linux
    let mut p = writing();
    for _ in 0..2 {
        p.until_sent(5000);
        assert_eq!(p.recv().text.len(), 1460);
        p.out.clear();
    }
    p.until_sent(5000);
    let got = p.recv();
    assert_eq!((got.seq, got.text.len(), p.counters().tcp_mtu_reduced), (1, 1024, 1));
    p.out.clear();
}

#[test]
fn small_segments_that_vanish_stay_what_they_are() {
    let mut p = Peer::established();
    p.write(&bytes(1000));
    p.expect_burst(1, 1000, 1);
    for _ in 0..6 {
        p.until_sent(20_000);
        p.expect_burst(1, 1000, 1);
    }
    assert_eq!(p.counters().tcp_mtu_reduced, 0);
}

#[test]
fn without_probing_time_outs_say_nothing_about_size() {
    let mut p = Peer::established_with(|c| c.tcp.mtu_probing = MtuProbing::Off);
    p.write(&bytes(1460));
    p.expect_burst(1, 1460, 1);
    for _ in 0..6 {
        p.until_sent(20_000);
        p.expect_burst(1, 1460, 1);
    }
}

#[test]
fn what_the_service_limits_no_probe_exceeds() {
    // TCP_MAXSEG on a connection that searches
    let mut p = Peer::with(|c| c.tcp.mtu_probing = MtuProbing::Always);
    p.open(syn().wscale(7).sack());
    let id = p.id;
    p.net(|net| net.set_option(id, ferroflow_stack::ConnOption::MaxSegment(900))).expect("a connection");
    p.write(&bytes(100_000));
    for n in 0..20 {
        let sent = p.drain();
        assert!(sent.iter().all(|got| got.text.len() <= 900), "{n}");
        let Some(end) = sent.iter().map(|got| got.seq + got.text.len() as u32).max() else { break };
        p.send(ack(1, end));
    }
}

#[test]
fn a_limit_too_small_for_options_is_not_taken_literally() {
    for limit in [0, 1, 11, 63, 64] {
        let mut p = Peer::new();
        let to = p.address();
        p.id = p.net(|net| net.connect(to, ferroflow_stack::ConnectOptions::default())).expect("to connect");
        let id = p.id;
        p.net(|net| net.set_option(id, ferroflow_stack::ConnOption::MaxSegment(limit)))
            .expect("a connection");
        p.run();
        assert_eq!(p.expect_syn().options.mss, Some(64), "{limit}");
        p.send(syn_ack(1).ts(1, 0));
        p.expect(ACK, 1, 1, 0);
        p.write(&bytes(100));
        assert_eq!(p.recv().text.len(), 64 - 12, "{limit}");
    }
}

#[test]
fn probes_go_up_and_their_loss_is_no_congestion() {
    // RFC 4821 7.6.1
    let mut p = Peer::with(|c| c.tcp.mtu_probing = MtuProbing::Always);
    p.open(syn().wscale(7).sack());
    p.write(&bytes(200_000));
    let sent = p.drain();
    let sizes: Vec<usize> = sent.iter().map(|got| got.text.len()).collect();
    assert_eq!(sizes[..3], [1460, 1024, 1024], "the first segment is a probe: all of the window follows it");
    // the probe is lost
    let end = sent.last().map(|got| got.seq + got.text.len() as u32).expect("segments");
    p.send(ack(1, 1).sacks(&[(1461, end)]));
    let again = p.drain();
    assert_eq!((again[0].seq, again[0].text.len(), again[1].seq, again[1].text.len()), (1, 1024, 1025, 436));
    assert_eq!((p.counters().tcp_mtu_probe_fail, recoveries(&p)), (1, 0));
    let new: usize = again.iter().filter(|got| got.seq >= end).map(|got| got.text.len()).sum();
    assert!(new >= 9 * 1024, "the window is still ten segments and grows: {new}");
}

fn recoveries(p: &Peer) -> u64 {
    p.counters().tcp_sack_recovery + p.counters().tcp_reno_recovery
}

#[test]
fn a_probe_waits_for_options_to_be_gone() {
    // RFC 9293 3.7.1: options count for the MSS, those of a D-SACK too
    let mut p = Peer::with(|c| c.tcp.mtu_probing = MtuProbing::Always);
    p.open(syn().wscale(7).sack());
    p.send(data(1, 1, b"hello"));
    p.advance(100);
    p.drain();
    p.inject(data(1, 1, b"hello"));
    let id = p.id;
    p.net(|net| net.send(id, &bytes(100_000))).expect("room");
    p.run();
    let sent = p.drain();
    assert!(sent.iter().any(|got| !got.options.sack.is_empty()) && sent.len() > 5);
    assert!(sent.iter().all(|got| got.text.len() + got.options.len() <= 1460), "{sent:?}");
}

/// A connection that probes from its first segment on, with 200 kB written; what it has sent.
fn probing() -> (Peer, Vec<Got>) {
    let mut p = Peer::with(|c| c.tcp.mtu_probing = MtuProbing::Always);
    p.open(syn().wscale(7).sack());
    p.write(&bytes(200_000));
    let sent = p.drain();
    assert_eq!(sent[0].text.len(), 1460, "a probe");
    (p, sent)
}

/// Behind the last byte of what was sent.
fn end(sent: &[Got]) -> u32 {
    sent.iter().map(|got| got.seq + got.text.len() as u32).max().expect("segments")
}

#[test]
fn a_probe_lost_among_others_is_congestion() {
    // RFC 4821 4, 7.6.4
    let (mut p, sent) = probing();
    p.send(ack(1, 1).sacks(&[(1 + 1460 + 1024, end(&sent))]));
    assert_eq!((p.counters().tcp_mtu_probe_fail, recoveries(&p)), (0, 1));
}

#[test]
fn every_packet_says_dont_fragment() {
    // RFC 4821 4, RFC 8899 3: retransmissions and pure acknowledgements too
    let mut p = writing();
    p.until_sent(2000);
    p.send(data(1, 1, b"hello"));
    p.advance(100);
    assert!(p.out.len() > 1, "{}", p.out.len());
    assert!(p.out.iter().all(|(_, frame)| parse_tcp(frame).is_some_and(|(_, ip, _)| ip.dont_fragment())));
}
