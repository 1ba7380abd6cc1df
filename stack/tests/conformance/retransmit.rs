//! Retransmission: RFC 6298 by numbers, Karn's algorithm, the user time-out (RFC 9293 3.8.3).

use crate::prelude::*;

/// Writes a byte and acknowledges it after `rtt` ms.
fn round_trip(p: &mut Peer, seq: u32, rtt: u64) {
    p.write(b"x");
    p.expect(PSH_ACK, seq, 1, 1);
    p.advance(rtt);
    p.send(ack(1, seq + 1));
    p.quiet();
}

/// How long an unacknowledged byte at `seq` waits.
fn rto(p: &mut Peer, seq: u32) -> u64 {
    p.write(b"x");
    p.expect(PSH_ACK, seq, 1, 1);
    let ms = p.until_sent(70_000);
    p.expect(PSH_ACK, seq, 1, 1);
    ms
}

fn about(ms: u64, want: u64) {
    assert!((want..=want + 3).contains(&ms), "{ms} ms, not {want}");
}

#[test]
fn before_a_measurement_the_time_out_is_a_second() {
    // RFC 6298 2.1. The SYN,ACK measured a round trip of 0 here; without one:
    let mut p = Peer::with(|c| c.tcp.rto_min = Duration::from_millis(1));
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    let ms = p.until_sent(2000);
    about(ms, 1000);
}

#[test]
fn the_time_out_follows_rfc_6298_without_timestamps() {
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.advance(400);
    p.send(ack(1, 1));
    p.adopt();
    // 2.2: SRTT = 400, RTTVAR = 200
    about(rto(&mut p, 1), 1200);
    p.send(ack(1, 2)); // Karn: no measurement, and the time-out stays doubled (5, last paragraph)
    about(rto(&mut p, 2), 2400);
    p.send(ack(1, 3));
    round_trip(&mut p, 3, 800);
    // 2.3: RTTVAR = 3/4 * 200 + 1/4 * 400 = 250, SRTT = 7/8 * 400 + 1/8 * 800 = 450
    about(rto(&mut p, 4), 1450);
}

#[test]
fn the_time_out_follows_rfc_6298_with_timestamps() {
    let mut p = Peer::new();
    p.send(syn().ts(1, 0));
    p.expect(SYN_ACK, 0, 1, 0);
    p.flow.ts = Some(0u32.wrapping_sub(p.now.as_millis() as u32));
    // Six ticks of the timestamp clock.
    p.advance(384);
    p.send(ack(1, 1));
    p.adopt();
    about(rto(&mut p, 1), 384 + 4 * 192);
    // RFC 7323 4.1: a timestamp tells which transmission was acknowledged, so a retransmission is measured too
    p.advance(384);
    p.send(ack(1, 2));
    // RTTVAR = 3/4 * 192 + 1/4 * 0 = 144, SRTT = 384
    about(rto(&mut p, 2), 384 + 4 * 144);
}

#[test]
fn a_retransmission_backs_off_and_a_measurement_ends_that() {
    // RFC 6298 5.5, 5.7
    let mut p = Peer::established();
    p.write(b"x");
    p.expect(PSH_ACK, 1, 1, 1);
    for want in [200, 400, 800, 1600] {
        about(p.until_sent(5000), want);
        p.expect(PSH_ACK, 1, 1, 1);
    }
    assert_eq!((p.counters().tcp_timeouts, p.counters().tcp_retransmitted), (4, 4));
    p.send(ack(1, 2));
    round_trip(&mut p, 2, 1);
    about(rto(&mut p, 3), 200);
}

#[test]
fn the_time_out_is_bounded() {
    // RFC 6298 2.5: at least 60 s
    let mut p = Peer::established_with(|c| c.tcp.user_timeout = Duration::from_secs(600));
    p.write(b"x");
    p.recv();
    let mut last = 0;
    for _ in 0..12 {
        last = p.until_sent(70_000);
        p.recv();
    }
    about(last, 60_000);
}

#[test]
fn an_acknowledgement_of_new_data_restarts_the_timer() {
    // RFC 6298 5.3
    let mut p = Peer::established();
    p.write(&bytes(2920));
    p.drain();
    p.advance(150);
    p.send(ack(1, 1461));
    let ms = p.until_sent(5000);
    // SRTT and RTTVAR after a measurement of 150 on top of 0: SRTT = 18.75, RTTVAR = 37.5
    about(ms, 218);
    p.expect(PSH_ACK, 1461, 1, 1460);
}

#[test]
fn when_all_is_acknowledged_the_timer_is_off() {
    // RFC 6298 5.2
    let mut p = Peer::established();
    round_trip(&mut p, 1, 10);
    p.advance(600_000);
    p.quiet();
    assert_eq!(p.counters().tcp_timeouts, 0);
}

#[test]
fn only_the_oldest_segment_is_sent_on_a_time_out_and_the_rest_follows_its_acknowledgement() {
    // RFC 6298 5.4; RFC 5681 3.1: the loss window is one segment, then slow start
    let mut p = Peer::established();
    p.write(&bytes(7300));
    p.expect(ACK, 1, 1, 1460);
    p.drain();
    p.until_sent(500);
    p.expect_burst(1, 1460, 1);
    p.send(ack(1, 1461));
    p.expect_burst(1461, 1460, 2);
    // the peer had the rest all the time
    p.send(ack(1, 7301));
    p.quiet();
    p.advance(10_000);
    p.quiet();
}

#[test]
fn retransmitted_bytes_are_the_same_bytes() {
    let mut p = Peer::established();
    let text = bytes(4000);
    p.write(&text);
    p.drain();
    let mut got = Vec::new();
    while got.len() < text.len() {
        if p.out.is_empty() {
            p.until_sent(70_000);
        }
        let seg = p.recv();
        assert_eq!(seg.seq as usize, 1 + got.len());
        got.extend_from_slice(&seg.text);
        p.out.clear();
        p.send(ack(1, 1 + got.len() as u32));
    }
    assert_eq!(got, text);
}

#[test]
fn a_pure_ack_after_a_time_out_still_has_the_highest_number() {
    // RFC 9293 3.10.7.4: an ACK is <SEQ=SND.NXT>; below the peer's RCV.NXT it would be dropped
    let mut p = Peer::established();
    p.write(&bytes(5840));
    p.drain();
    p.until_sent(500);
    p.expect_burst(1, 1460, 1);
    p.send(data(100, 1, b"gap"));
    p.expect(ACK, 5841, 1, 0);
    p.abort();
    assert_eq!(p.recv().seq, 5841);
}

#[test]
fn the_user_time_out_ends_a_connection_whose_data_nobody_acknowledges() {
    // RFC 9293 3.8.3: R2 at least 100 s
    let mut p = Peer::established();
    p.write(b"x");
    p.recv();
    p.events();
    let from = p.now;
    p.advance(100_000);
    assert_eq!(p.events(), []);
    p.advance(30_000);
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::TimedOut)]);
    assert_eq!((p.counters().tcp_given_up, p.stack.conns()), (1, 0));
    let last = p.drain().pop().expect("a reset");
    assert!(last.flags.rst());
    about(last.at.since(from).as_millis() as u64, 120_000);
}

#[test]
fn the_user_time_out_begins_anew_with_every_acknowledgement() {
    let mut p = Peer::established();
    p.write(&bytes(1460 * 3));
    for n in 0..3 {
        p.advance(110_000);
        p.drain();
        p.send(ack(1, 1 + (n + 1) * 1460));
    }
    assert_eq!(p.stack.conns(), 1);
    p.drain();
}

#[test]
fn the_blocks_of_an_ack_that_was_overtaken_are_no_d_sack() {
    // RFC 2883 5: they are compared with its own acknowledgement field, not with SND.UNA
    let mut p = Peer::new();
    p.open(syn().wscale(7).sack());
    p.write(&bytes(14_600));
    p.drain();
    p.send(ack(1, 4381));
    p.send(ack(1, 1).sacks(&[(1461, 2921)]));
    assert_eq!(p.counters().tcp_dsack_received, 0);
    p.send(ack(1, 4381).sacks(&[(1461, 2921)]));
    assert_eq!(p.counters().tcp_dsack_received, 1);
}

#[test]
fn a_fin_is_sent_again() {
    let mut p = Peer::established();
    p.shutdown();
    p.expect(FIN_ACK, 1, 1, 0);
    for want in [200, 400] {
        about(p.until_sent(1000), want);
        p.expect(FIN_ACK, 1, 1, 0);
    }
    p.send(ack(1, 2));
    p.advance(10_000);
    p.quiet();
}

#[test]
fn a_fin_goes_again_with_the_data_before_it() {
    let mut p = Peer::established();
    p.write(b"bye");
    p.shutdown();
    p.expect(PSH_ACK, 1, 1, 3);
    p.expect(FIN_ACK, 4, 1, 0);
    p.until_sent(1000);
    p.expect(FIN_PSH_ACK, 1, 1, 3);
    p.send(ack(1, 4)); // the FIN is still missing
    p.until_sent(1000);
    p.expect(FIN_ACK, 4, 1, 0);
}
