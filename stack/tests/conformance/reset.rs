//! Resets: RFC 9293 3.5.2, 3.5.3, 3.10.5, 3.10.7.4 second step; RFC 5961 3.

use crate::prelude::*;

#[test]
fn a_reset_with_exactly_the_next_number_ends_the_connection() {
    // RFC 5961 3.2 (2)
    let mut p = Peer::established();
    p.events();
    p.send(rst(1));
    p.quiet();
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Reset)]);
    assert_eq!((p.stack.conns(), p.counters().tcp_reset_received), (0, 1));
}

#[test]
fn a_reset_elsewhere_in_the_window_is_challenged() {
    // RFC 5961 3.2 (3): <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
    let mut p = Peer::established();
    for at in [2, 100, 65_535] {
        p.send(rst(at));
        p.expect(ACK, 1, 1, 0);
        p.quiet();
        p.advance(500);
    }
    assert_eq!((p.stack.conns(), p.counters().tcp_challenge_ack), (1, 3));
    // the peer that really has reset answers with the number that the challenge names
    p.send(rst(1));
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn a_reset_with_text_counts_by_its_first_number() {
    // RFC 5961 3.2 speaks of SEG.SEQ; RFC 9293 3.10.7.4 allows text in a reset
    let mut p = Peer::established();
    p.send(data(1, 1, &bytes(100)));
    p.read();
    p.advance(100);
    p.drain();
    p.send(data(51, 1, &bytes(100)).flags(RST_ACK));
    p.quiet();
    assert_eq!((p.stack.conns(), p.counters().tcp_challenge_ack), (1, 0));
    p.send(data(101, 1, &bytes(100)).flags(RST_ACK));
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Reset)]);
}

#[test]
fn a_reset_outside_the_window_is_dropped() {
    // RFC 5961 3.2 (1)
    let mut p = Peer::established();
    for at in [0, 65_536, 0x8000_0000] {
        p.send(rst(at));
    }
    p.quiet();
    assert_eq!((p.stack.conns(), p.counters().tcp_out_of_window), (1, 3));
}

#[test]
fn with_a_closed_window_only_the_exact_reset_counts() {
    let mut p = Peer::established_with(|c| c.tcp.recv_buffer = 4096);
    p.take(Take::Nothing);
    p.send_all((0..3).map(|n| data(1 + n * 1365, 1, &bytes(1365))));
    p.drain();
    p.send(rst(4097));
    assert_eq!(p.stack.conns(), 1);
    p.send(rst(4096));
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn a_reset_ends_the_connection_in_every_state() {
    // RFC 9293 3.10.7.4 second step
    type Setup = fn(&mut Peer) -> u32;
    let states: [Setup; 5] = [
        |p| {
            p.send(fin(1, 1)); // CLOSE-WAIT
            2
        },
        |p| {
            p.shutdown(); // FIN-WAIT-1
            1
        },
        |p| {
            p.shutdown(); // FIN-WAIT-2
            p.send(ack(1, 2));
            1
        },
        |p| {
            p.shutdown(); // CLOSING
            p.send(fin(1, 1));
            2
        },
        |p| {
            p.send(fin(1, 1)); // LAST-ACK
            p.close();
            2
        },
    ];
    for setup in states {
        let mut p = Peer::established();
        let at = setup(&mut p);
        p.drain();
        p.events();
        p.send(rst(at).flags(RST_ACK).ack_of(1));
        p.quiet();
        assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Reset)]);
        assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 0));
    }
}

#[test]
fn unread_data_is_lost_with_a_reset() {
    let mut p = Peer::established();
    p.take(Take::Nothing);
    p.send(data(1, 1, b"hello"));
    p.events();
    p.send(rst(6));
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Reset)]);
    assert_eq!(p.stack.memory(), 0);
}

#[test]
fn abort_resets_and_tells_the_service() {
    // RFC 9293 3.10.5: <SEQ=SND.NXT><CTL=RST>, what is queued is flushed
    let mut p = Peer::established();
    p.write(b"x");
    p.expect(PSH_ACK, 1, 1, 1);
    p.events();
    let id = p.id;
    p.net(|net| {
        net.send(id, b"never sent").expect("room");
        net.abort(id);
        net.abort(id);
    });
    p.run();
    let got = p.recv();
    assert_eq!((got.flags, got.seq, got.ack, got.text.len()), (RST_ACK, 2, 1, 0));
    p.quiet();
    assert_eq!(p.events(), [Event::Closed(id, CloseReason::Aborted)]);
    p.send(data(1, 2, b"late"));
    assert_eq!(p.recv().flags, RST);
}

#[test]
fn a_half_open_connection_is_discovered() {
    // RFC 9293 3.5.1, figure 9: we do not know the connection that the peer still has
    let mut p = Peer::new();
    p.send(data(500, 300, b"hello?"));
    let got = p.recv();
    assert_eq!((got.flags, got.seq, got.text.len()), (RST, 300, 0));
}

#[test]
fn resets_are_never_answered_with_resets() {
    let mut p = Peer::new();
    p.flow.stack_port = 80;
    p.send(rst(1));
    p.send(rst(1).flags(RST_ACK));
    p.send(rst(1).flags(TcpFlags(0x06)));
    p.quiet();
}

#[test]
fn resets_are_limited() {
    let mut p = Peer::with(|c| c.tcp.replies_per_second = 4);
    p.flow.stack_port = 80;
    for _ in 0..6 {
        p.send(syn());
    }
    let sent = p.drain().len() as u64;
    assert!((2..=4).contains(&sent), "half of it to all of it: {sent}");
    assert_eq!(p.counters().tcp_resets_limited, 6 - sent);
    p.advance(1000);
    p.send(syn());
    assert_eq!(p.drain().len(), 1);
}
