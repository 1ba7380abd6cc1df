//! Closing: RFC 9293 3.6, 3.10.4, 3.10.7.4 eighth step.

use crate::prelude::*;

#[test]
fn the_peer_closes_first() {
    // RFC 9293 3.6, figure 12: CLOSE-WAIT, LAST-ACK
    let mut p = Peer::established();
    p.events();
    p.send(fin(1, 1));
    p.expect(ACK, 1, 2, 0);
    assert_eq!(p.events(), [Event::Eof(p.id)]);
    p.write(b"bye"); // CLOSE-WAIT: we may still send
    p.expect(PSH_ACK, 1, 2, 3);
    p.close();
    p.expect(FIN_ACK, 4, 2, 0);
    p.send(ack(2, 4));
    assert_eq!(p.events(), []);
    p.send(ack(2, 5));
    p.quiet();
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Finished)]);
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 0));
}

#[test]
fn the_service_closes_first() {
    // RFC 9293 3.6, figure 12 from the other side: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT
    let mut p = Peer::established();
    p.events();
    p.write(b"bye");
    p.close();
    p.expect(PSH_ACK, 1, 1, 3);
    p.expect(FIN_ACK, 4, 1, 0);
    p.send(ack(1, 5));
    assert_eq!((p.events(), p.stack.conns()), (vec![], 1));
    p.send(fin(1, 5));
    p.expect(ACK, 5, 2, 0);
    p.quiet();
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Finished)]);
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 1));
}

#[test]
fn data_and_fin_of_one_turn_share_a_segment() {
    let mut p = Peer::established();
    let id = p.id;
    p.net(|net| {
        net.send(id, b"bye").expect("room");
        net.close(id);
    });
    p.run();
    p.expect(FIN_PSH_ACK, 1, 1, 3);
}

#[test]
fn a_fin_that_acknowledges_ours_ends_in_time_wait_at_once() {
    let mut p = Peer::established();
    p.close();
    p.expect(FIN_ACK, 1, 1, 0);
    p.send(fin(1, 2));
    p.expect(ACK, 2, 2, 0);
    p.quiet();
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 1));
}

#[test]
fn both_close_at_once() {
    // RFC 9293 3.6, figure 13: FIN-WAIT-1, CLOSING, TIME-WAIT
    let mut p = Peer::established();
    p.close();
    p.expect(FIN_ACK, 1, 1, 0);
    p.send(fin(1, 1));
    p.expect(ACK, 2, 2, 0);
    assert_eq!(p.stack.conns(), 1);
    p.send(ack(2, 2));
    p.quiet(); // an ACK is not acknowledged
    assert_eq!(p.events().last(), Some(&Event::Closed(p.id, CloseReason::Finished)));
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 1));
}

#[test]
fn half_close_by_the_service() {
    // RFC 9293 3.6: after CLOSE one may receive until the other side closes too
    let mut p = Peer::established();
    p.write(b"request");
    p.shutdown();
    p.expect(PSH_ACK, 1, 1, 7);
    p.expect(FIN_ACK, 8, 1, 0);
    p.send(ack(1, 9));
    let id = p.id;
    assert_eq!(p.net(|net| net.send(id, b"more")), Err(NetError::Closing));
    assert_eq!(p.net(|net| net.room(id)), 0);
    p.advance(600_000); // FIN-WAIT-2 has no end while the service listens
    p.send(data(1, 9, b"answer"));
    p.send(fin(7, 9));
    p.expect(ACK, 9, 8, 0);
    let want = [
        Event::Accepted(id),
        Event::Data(id, b"answer".to_vec()),
        Event::Eof(id),
        Event::Closed(id, CloseReason::Finished),
    ];
    assert_eq!(p.events(), want);
    assert_eq!(p.stack.time_waits(), 1);
}

#[test]
fn half_close_by_the_peer() {
    let mut p = Peer::established();
    p.send(fin(1, 1).text(b"request"));
    p.expect(ACK, 1, 9, 0);
    p.advance(600_000);
    p.write(&bytes(5000));
    p.drain();
    p.send(ack(9, 5001));
    p.shutdown();
    p.expect(FIN_ACK, 5001, 9, 0);
    p.send(ack(9, 5002));
    assert_eq!(p.events().last(), Some(&Event::Closed(p.id, CloseReason::Finished)));
}

#[test]
fn data_in_fin_wait_1_and_2_is_read_after_shutdown() {
    let mut p = Peer::established();
    p.shutdown();
    p.expect(FIN_ACK, 1, 1, 0);
    p.send(data(1, 1, b"one"));
    p.send(data(4, 2, b"two"));
    assert_eq!(p.read(), b"onetwo");
}

#[test]
fn closing_with_unread_data_resets() {
    // RFC 9293 3.6.1; RFC 2525 2.17
    let mut p = Peer::established();
    p.take(Take::AtMost(2));
    p.send(data(1, 1, b"hello"));
    p.events();
    p.close();
    let got = p.recv();
    assert_eq!((got.flags, got.seq, got.ack), (RST_ACK, 1, 6));
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Aborted)]);
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn closing_in_data_with_everything_taken_does_not_reset() {
    let mut p = Peer::established();
    p.on(On::Data, Act::Close);
    p.send(data(1, 1, b"hello"));
    p.expect(FIN_ACK, 1, 6, 0);

    // the same where the bytes were kept for a while
    let mut p = Peer::established();
    p.take(Take::Nothing);
    p.send(data(1, 1, b"hello"));
    p.take(Take::All);
    p.on(On::Data, Act::Close);
    p.resume();
    p.expect(FIN_ACK, 1, 6, 0);
    assert_eq!(p.read(), b"hello");
}

#[test]
fn closing_in_data_with_bytes_left_resets() {
    let mut p = Peer::established();
    p.take(Take::AtMost(2));
    p.on(On::Data, Act::Close);
    p.send(data(1, 1, b"hello"));
    assert!(p.recv().flags.rst());
    assert_eq!(p.events().last(), Some(&Event::Closed(p.id, CloseReason::Aborted)));
}

#[test]
fn closing_in_accepted_resets_when_data_came_with_the_handshake() {
    let mut p = Peer::new();
    p.on(On::Accepted, Act::Close);
    p.send(syn());
    p.recv();
    p.send(data(1, 1, b"hello"));
    p.adopt();
    assert!(p.recv().flags.rst());
    assert_eq!(p.events(), [Event::Accepted(p.id), Event::Closed(p.id, CloseReason::Aborted)]);
}

#[test]
fn data_after_close_resets() {
    // RFC 9293 3.6.1, MUST... "data received after CLOSE is called": a reset shows that data was lost
    for acked in [1, 2] {
        let mut p = Peer::established();
        p.close();
        p.expect(FIN_ACK, 1, 1, 0);
        p.events();
        p.send(data(1, acked, b"late"));
        let got = p.recv();
        assert!(got.flags.rst());
        assert_eq!(got.seq, 2);
        assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Aborted)]);
        assert_eq!((p.stack.conns(), p.counters().tcp_data_after_close), (0, 1));
    }
}

#[test]
fn old_data_after_close_does_not_reset() {
    let mut p = Peer::established();
    p.send(data(1, 1, b"hello"));
    p.close();
    p.expect(FIN_ACK, 1, 6, 0);
    p.send(data(1, 1, b"hello"));
    p.expect(ACK, 2, 6, 0);
    assert_eq!(p.stack.conns(), 1);
}

#[test]
fn fin_wait_2_ends_after_close() {
    let mut p = Peer::established();
    p.close();
    p.send(ack(1, 2));
    p.drain();
    p.events();
    p.advance(59_000);
    assert_eq!(p.events(), []);
    p.advance(2000);
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::TimedOut)]);
    assert_eq!(p.stack.conns(), 0);
    p.drain();
}

#[test]
fn close_after_shutdown_starts_the_fin_wait_2_clock() {
    let mut p = Peer::established();
    p.shutdown();
    p.send(ack(1, 2));
    p.drain();
    p.advance(300_000);
    p.close();
    p.quiet();
    p.advance(61_000);
    assert_eq!((p.stack.conns(), p.drain().len()), (0, 1));
}

#[test]
fn a_lost_ack_of_the_peers_fin_is_repeated() {
    let mut p = Peer::established();
    p.send(fin(1, 1));
    p.expect(ACK, 1, 2, 0);
    p.send(fin(1, 1));
    p.expect(ACK, 1, 2, 0);
    assert_eq!(p.events().iter().filter(|e| matches!(e, Event::Eof(_))).count(), 1);
}

#[test]
fn text_in_close_wait_is_ignored() {
    // RFC 9293 3.10.7.4 seventh step: "This should not occur"
    let mut p = Peer::established();
    p.send(fin(1, 1));
    p.drain();
    p.send(data(2, 1, b"evil"));
    p.advance(100);
    assert_eq!(p.read(), b"");
    p.drain();
}

#[test]
fn close_twice_and_shutdown_twice_are_once() {
    let mut p = Peer::established();
    p.shutdown();
    p.shutdown();
    p.close();
    p.close();
    p.expect(FIN_ACK, 1, 1, 0);
    p.quiet();
}

#[test]
fn eof_and_closed_wait_for_the_reader() {
    // both FINs are exchanged while bytes are unread
    let mut p = Peer::established();
    p.events();
    p.take(Take::Nothing);
    p.send(data(1, 1, b"hello"));
    p.shutdown();
    p.drain();
    p.send(fin(6, 2));
    p.drain();
    let id = p.id;
    assert_eq!(p.events(), [Event::Data(id, vec![])]);
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (1, 1));
    p.take(Take::AtMost(3));
    p.resume();
    assert_eq!(p.events(), [Event::Data(id, b"hel".to_vec())]);
    p.resume();
    let closed = Event::Closed(id, CloseReason::Finished);
    assert_eq!(p.events(), [Event::Data(id, b"lo".to_vec()), Event::Eof(id), closed]);
    assert_eq!(p.stack.conns(), 0);
    p.quiet();
}

#[test]
fn an_orderly_end_acknowledges_everything_that_was_written() {
    let mut p = Peer::new();
    p.open(syn().wscale(7));
    p.write(&bytes(100_000));
    p.close();
    let mut got = Vec::new();
    let mut fin_seen = false;
    while !fin_seen {
        for seg in p.drain() {
            assert_eq!(seg.seq as usize, 1 + got.len());
            got.extend_from_slice(&seg.text);
            fin_seen = seg.flags.fin();
        }
        p.send(ack(1, 1 + got.len() as u32 + u32::from(fin_seen)));
    }
    assert_eq!(got, bytes(100_000));
    p.send(fin(1, 100_002));
    p.expect(ACK, 100_002, 2, 0);
    assert_eq!(p.events().last(), Some(&Event::Closed(p.id, CloseReason::Finished)));
}

#[test]
fn a_peer_that_keeps_its_window_closed_does_not_keep_a_closed_connection() {
    // RFC 9293 3.8.6.1 lets a sender probe for ever, for a service that waits; after `close` nobody does.
    let mut p = Peer::new();
    p.open(syn().win(100));
    p.write(&bytes(200));
    p.expect(ACK, 1, 1, 100);
    p.send(ack(1, 101).win(0));
    p.close();
    for _ in 0..200 {
        if p.stack.conns() == 0 {
            break;
        }
        p.advance(1000);
        p.drain();
        p.send(ack(1, 101).win(0));
    }
    assert_eq!(p.stack.conns(), 0);
    assert_eq!(p.events().last(), Some(&Event::Closed(p.id, CloseReason::TimedOut)));
    p.drain();
}

#[test]
fn a_slow_reader_gets_all_that_was_written_before_close() {
    // As long as there is progress, the rest and the FIN are still sent, however long it takes.
    let mut p = Peer::new();
    p.open(syn().win(100));
    p.write(&bytes(1000));
    p.close();
    let mut got = 1;
    for _ in 0..10 {
        p.advance(40_000);
        p.drain();
        got += 100;
        p.send(ack(1, got).win(100));
        assert_eq!(p.stack.conns(), 1);
    }
    p.drain();
    p.send(fin(1, got + 1));
    assert_eq!(p.events().last(), Some(&Event::Closed(p.id, CloseReason::Finished)));
    p.drain();
}
