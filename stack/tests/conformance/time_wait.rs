//! TIME-WAIT: RFC 9293 3.6.1, 3.10.7.4; RFC 6191; RFC 1337.

use ferroflow_wire::tcp::TcpFlags;

use crate::prelude::*;

/// A connection that the stack closed first, now in TIME-WAIT; the peer's next number is 2, the stack's 2.
fn lingering(p: &mut Peer, syn: Seg) {
    p.open(syn);
    p.close();
    p.expect(FIN_ACK, 1, 1, 0);
    p.send(fin(1, 2));
    p.expect(ACK, 2, 2, 0);
    p.events();
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 1));
}

#[test]
fn the_fin_again_is_acknowledged_again_and_restarts_the_clock() {
    // RFC 9293 3.10.7.4 eighth step
    let mut p = Peer::new();
    lingering(&mut p, syn());
    p.advance(50_000);
    p.send(fin(1, 2));
    p.expect(ACK, 2, 2, 0);
    p.advance(50_000);
    assert_eq!(p.stack.time_waits(), 1);
    p.advance(11_000);
    assert_eq!(p.stack.time_waits(), 0);
}

#[test]
fn only_the_peers_fin_restarts_the_clock() {
    // RFC 9293 3.10.7.4: first step (a FIN elsewhere is not acceptable), fourth and fifth step, eighth step
    let others = [fin(2, 2), fin(0, 2), fin(500, 2), data(1, 2, b"x"), fin(1, 2).flags(TcpFlags::FIN)];
    for other in others {
        let mut p = Peer::new();
        lingering(&mut p, syn());
        p.advance(50_000);
        p.send(other);
        p.expect(ACK, 2, 2, 0);
        p.advance(11_000);
        assert_eq!(p.stack.time_waits(), 0);
    }
    // It may have gone with text, and all of that goes again.
    let mut p = Peer::new();
    p.open(syn());
    p.shutdown();
    p.expect(FIN_ACK, 1, 1, 0);
    p.send(fin(1, 2).text(b"text"));
    p.expect(ACK, 2, 6, 0);
    p.advance(50_000);
    p.send(fin(3, 2).text(b"xt"));
    p.expect(ACK, 2, 6, 0);
    p.advance(50_000);
    assert_eq!(p.stack.time_waits(), 1);
}

#[test]
fn a_fin_with_an_older_timestamp_does_not_restart_the_clock() {
    // RFC 7323 5.3 R1
    for (value, left) in [(999, 0), (1000, 1), (1001, 1)] {
        let mut p = Peer::new();
        lingering(&mut p, syn().ts(1000, 0));
        p.flow.ts = None;
        p.advance(50_000);
        p.send(fin(1, 2).ts(value, 0));
        p.expect(ACK, 2, 2, 0);
        p.advance(11_000);
        assert_eq!(p.stack.time_waits(), left, "{value}");
    }
}

#[test]
fn it_expires() {
    let mut p = Peer::new();
    lingering(&mut p, syn());
    p.advance(59_900);
    assert_eq!(p.stack.time_waits(), 1);
    p.advance(200);
    assert_eq!(p.stack.time_waits(), 0);
    p.send(fin(1, 2));
    let got = p.recv();
    assert_eq!((got.flags, got.seq), (RST, 2));
}

#[test]
fn a_reset_does_not_end_it() {
    // RFC 1337 (F1)
    let mut p = Peer::new();
    lingering(&mut p, syn());
    for at in [1, 2, 3] {
        p.send(rst(at));
    }
    p.quiet();
    assert_eq!(p.stack.time_waits(), 1);
}

#[test]
fn old_segments_are_acknowledged_and_the_last_ack_again_is_not() {
    // RFC 9293 3.10.7.4 first step
    let mut p = Peer::new();
    lingering(&mut p, syn());
    p.send(ack(2, 2));
    p.quiet(); // two ends in TIME-WAIT must not answer each other for ever
    p.send(data(1, 2, b"x"));
    p.expect(ACK, 2, 2, 0);
    p.send(data(500, 2, b"x"));
    p.expect(ACK, 2, 2, 0);
    assert_eq!(p.events(), []);
}

#[test]
fn a_syn_with_a_later_timestamp_opens_it_again() {
    // RFC 6191 2
    let mut p = Peer::new();
    lingering(&mut p, syn().ts(1000, 0));
    let old = p.flow.iss.expect("an ISS");
    p.flow.ts = None;
    p.advance(10);
    // its sequence number is lower: the timestamp decides
    p.flow.isn = p.flow.isn.wrapping_sub(100_000);
    p.send(syn().ts(1_000_000, 0));
    let got = p.expect(SYN_ACK, 0, 1, 0);
    // RFC 9293 3.6.1, MAY-2: our number is beyond the old connection's
    assert!((got.raw_seq.wrapping_sub(old.wrapping_add(2)) as i32) > 0);
    p.send(ack(1, 1).ts(1_000_001, 0));
    p.adopt();
    assert_eq!(p.events(), [Event::Accepted(p.id)]);
    assert_eq!((p.stack.time_waits(), p.counters().tcp_time_wait_reused), (0, 1));
}

#[test]
fn a_syn_with_the_same_timestamp_opens_by_its_sequence_number() {
    let mut p = Peer::new();
    lingering(&mut p, syn().ts(1000, 0));
    p.flow.ts = None;
    p.send(syn().ts(1000, 0).seq(2)); // not beyond the last
    p.expect(ACK, 2, 2, 0);
    p.send(syn().ts(1000, 0).seq(3));
    assert_eq!(p.recv().flags, SYN_ACK);
}

#[test]
fn a_syn_with_an_earlier_timestamp_is_old() {
    // RFC 6191 2; RFC 9293 3.10.7.4 fourth step: the answer is an ACK
    let mut p = Peer::new();
    lingering(&mut p, syn().ts(1000, 0));
    p.flow.ts = None;
    p.send(syn().ts(999, 0).seq(70_000));
    p.expect(ACK, 2, 2, 0);
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 1));
}

#[test]
fn without_timestamps_the_sequence_number_decides() {
    let mut p = Peer::new();
    lingering(&mut p, syn());
    for old in [0, 1, 2, 0x9000_0000] {
        p.send(syn().seq(old));
        p.expect(ACK, 2, 2, 0);
    }
    p.send(syn().seq(3));
    assert_eq!(p.recv().flags, SYN_ACK);
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (1, 0));
}

#[test]
fn a_syn_that_newly_has_timestamps_opens_it_again() {
    // RFC 6191 2: what is left of the old connection has none and would be dropped
    let mut p = Peer::new();
    lingering(&mut p, syn());
    p.send(syn().ts(5, 0));
    assert_eq!(p.recv().flags, SYN_ACK);
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (1, 0));
}

#[test]
fn a_syn_for_a_port_that_nobody_listens_on_is_acknowledged() {
    let mut p = Peer::new();
    p.connect();
    p.send(syn_ack(1));
    p.recv();
    p.close();
    p.expect(FIN_ACK, 1, 1, 0);
    p.send(fin(1, 2));
    p.expect(ACK, 2, 2, 0);
    p.send(syn().seq(70_000));
    p.expect(ACK, 2, 2, 0);
    assert_eq!(p.stack.time_waits(), 1);
}

#[test]
fn its_acks_carry_timestamps() {
    // RFC 7323 3.2
    let mut p = Peer::new();
    lingering(&mut p, syn().ts(1000, 0));
    p.send(fin(1, 2));
    assert!(p.expect(ACK, 2, 2, 0).options.timestamps.is_some());
}

#[test]
fn at_the_bound_the_oldest_makes_room() {
    let mut p = Peer::with(|c| c.tcp.max_time_wait = 3);
    for port in 0..4 {
        p.switch(Flow::new(40_000 + port));
        lingering_one(&mut p);
        p.advance(10);
        assert_eq!(p.stack.time_waits(), 3.min(usize::from(port) + 1));
    }
    assert_eq!(p.counters().tcp_time_wait_evicted, 1);
    p.send(fin(1, 2));
    p.expect(ACK, 2, 2, 0);
    p.flow.port = 40_000;
    p.send(ack(2, 2));
    assert_eq!(p.recv().flags, RST);
}

fn lingering_one(p: &mut Peer) {
    p.open(syn());
    p.close();
    p.recv();
    p.send(fin(1, 2));
    p.recv();
    p.events();
}

#[test]
fn a_restarted_clock_saves_from_eviction() {
    let mut p = Peer::with(|c| c.tcp.max_time_wait = 2);
    lingering_one(&mut p);
    let first = p.switch(Flow::new(40_001));
    lingering_one(&mut p);
    let second = p.switch(first);
    p.send(fin(1, 2));
    p.recv();
    let first = p.switch(Flow::new(40_002));
    lingering_one(&mut p);
    p.switch(first);
    p.send(fin(1, 2));
    p.expect(ACK, 2, 2, 0);
    p.switch(second);
    p.send(fin(1, 2));
    assert_eq!(p.recv().flags, RST);
}
