//! Opening: RFC 9293 3.5, 3.10.7.2 to 3.10.7.4; RFC 7323 2.2, 3.2; RFC 6298 5.7.

use crate::prelude::*;

#[test]
fn passive_open() {
    // RFC 9293 3.5, figure 6
    let mut p = Peer::new();
    p.send(syn());
    let got = p.expect(SYN_ACK, 0, 1, 0);
    assert_eq!(got.options.mss, Some(1460)); // 3.7.1, MUST-14, SHLD-5: MTU less 40
    assert_eq!((got.options.window_scale, got.options.timestamps), (None, None)); // RFC 7323: only in answer
    assert_eq!(got.win, 65_535);
    assert_eq!(p.events(), []);
    p.send(ack(1, 1));
    p.quiet();
    p.adopt();
    assert_eq!(p.events(), [Event::Accepted(p.id)]);
    let info = p.app().infos[&p.id];
    assert_eq!((info.peer, info.token), (p.address(), 99));
    assert_eq!(info.local.port(), 6653);
    assert_eq!(p.counters().tcp_accepted, 1);
}

#[test]
fn active_open() {
    let mut p = Peer::new();
    let got = p.connect();
    assert_eq!((got.options.mss, got.options.window_scale), (Some(1460), Some(9)));
    assert_eq!(got.options.timestamps.map(|t| t.1), Some(0)); // RFC 7323 3.2: TSecr is 0 in a SYN
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
    p.quiet();
    assert_eq!(p.events(), [Event::Connected(p.id, Ok(()))]);
    assert_eq!(p.counters().tcp_connected, 1);
}

#[test]
fn simultaneous_open() {
    // RFC 9293 3.5, figure 8 (MUST-10)
    let mut p = Peer::new();
    p.connect();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    assert_eq!(p.events(), []);
    // line 6: the peer's SYN,ACK, whose SYN is known already, establishes the connection
    p.send(syn_ack(1));
    assert_eq!(p.events(), [Event::Connected(p.id, Ok(()))]);
    p.drain();
    p.send(data(1, 1, b"hello"));
    assert_eq!(p.read(), b"hello");
}

#[test]
fn simultaneous_open_ended_by_a_plain_ack() {
    let mut p = Peer::new();
    p.connect();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(data(1, 1, b"hello"));
    assert_eq!(p.events(), [Event::Connected(p.id, Ok(())), Event::Data(p.id, b"hello".to_vec())]);
}

#[test]
fn simultaneous_open_refused() {
    // RFC 9293 3.10.7.4 second step: a reset in SYN-RECEIVED after an active open is "connection refused"
    let mut p = Peer::new();
    p.connect();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(rst(1));
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::Refused))]);
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn initial_sequence_numbers_differ_by_connection_and_grow_with_time() {
    // RFC 6528 3: ISN = M + F(addresses, ports, secret), M a clock of 4 us
    let mut p = Peer::new();
    p.send(syn());
    let first = p.recv().raw_seq;
    p.send(rst(1));
    p.advance(4);
    p.send(syn());
    let again = p.recv().raw_seq;
    assert_eq!(again.wrapping_sub(first), 1000);
    p.switch(Flow::new(40_001));
    p.send(syn());
    assert!(p.recv().raw_seq.wrapping_sub(again) > 100_000);
}

#[test]
fn a_lost_syn_ack_is_sent_again() {
    // RFC 6298 2.1: 1 s; 5.5: doubled; 5.7 for what follows: 3 s
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    for want in [1000, 2000, 4000] {
        let ms = p.until_sent(5000);
        assert!((want..want + 3).contains(&ms), "{ms} for {want}");
        p.expect(SYN_ACK, 0, 1, 0);
    }
    p.send(ack(1, 1));
    p.adopt();
    p.write(b"x");
    p.expect(PSH_ACK, 1, 1, 1);
    let ms = p.until_sent(10_000);
    assert!((3000..3003).contains(&ms), "{ms}");
}

#[test]
fn a_syn_that_comes_again_is_answered_again_at_once() {
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.advance(300);
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.quiet();
    p.send(ack(1, 1));
    assert_eq!(p.stack.conns(), 1);
}

#[test]
fn a_lost_syn_is_sent_again_until_the_time_is_over() {
    // RFC 9293 3.8.3: R2 of a SYN is at least 3 minutes
    let mut p = Peer::new();
    let first = p.connect().ms();
    let mut at = Vec::new();
    for _ in 0..7 {
        p.until_sent(70_000);
        at.push((p.expect_syn().ms() - first) / 1000);
    }
    assert_eq!(at, [1, 3, 7, 15, 31, 63, 123]);
    p.advance(180_000 - 124_000);
    assert_eq!(p.events(), []);
    p.advance(2000);
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::TimedOut))]);
    assert_eq!((p.stack.conns(), p.counters().tcp_connect_failed), (0, 1));
}

#[test]
fn after_a_lost_syn_the_window_is_one_segment() {
    // RFC 5681 3.1
    let mut p = Peer::new();
    p.connect();
    p.until_sent(2000);
    p.expect_syn();
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
    p.write(&bytes(10_000));
    p.expect_burst(1, 1460, 1);
}

#[test]
fn an_open_is_refused_by_a_reset_that_acknowledges_the_syn() {
    // RFC 9293 3.10.7.3 second step
    let mut p = Peer::new();
    p.connect();
    p.send(rst(0)); // no ACK: dropped
    p.send(rst(0).flags(RST_ACK).ack_of(0)); // an ACK of nothing: dropped
    p.send(rst(0).flags(RST_ACK).ack_of(2));
    assert_eq!(p.events(), []);
    p.send(rst(0).flags(RST_ACK).ack_of(1));
    p.quiet();
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::Refused))]);
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn an_unacceptable_ack_in_syn_sent_is_answered_with_a_reset() {
    // RFC 9293 3.10.7.3 first step: <SEQ=SEG.ACK><CTL=RST>; the open goes on
    let mut p = Peer::new();
    p.connect();
    for bad in [0, 2, 0x8000_0000] {
        p.send(syn_ack(bad));
        let got = p.recv();
        assert_eq!((got.flags, got.seq), (RST, bad));
        p.send(ack(1, bad));
        let got = p.recv();
        assert_eq!((got.flags, got.seq), (RST, bad));
    }
    assert_eq!(p.counters().tcp_bad_ack, 6);
    p.send(ack(1, 1)); // fifth step: neither SYN nor RST: dropped
    p.quiet();
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
    assert_eq!(p.events(), [Event::Connected(p.id, Ok(()))]);
}

#[test]
fn a_wrong_ack_in_syn_received_is_answered_with_a_reset() {
    // RFC 9293 3.10.7.4 fifth step
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    for bad in [0, 2, 7000] {
        p.send(ack(1, bad));
        let got = p.recv();
        assert_eq!((got.flags, got.seq), (RST, bad));
    }
    p.send(ack(1, 1));
    assert_eq!(p.counters().tcp_accepted, 1);
}

#[test]
fn a_reset_in_syn_received_ends_a_passive_open_in_silence() {
    // RFC 9293 3.10.7.4 second step: back to LISTEN
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(rst(1));
    p.quiet();
    assert_eq!((p.stack.conns(), p.events()), (0, vec![]));
}

#[test]
fn another_syn_in_the_window_returns_a_passive_open_to_listen() {
    // RFC 9293 3.10.7.4 fourth step, SYN-RECEIVED after a passive OPEN
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(syn().seq(500));
    p.quiet();
    assert_eq!((p.stack.conns(), p.events()), (0, vec![]));
    p.flow.isn = p.flow.isn.wrapping_add(500);
    p.open(syn());
}

#[test]
fn a_syn_outside_the_window_of_a_half_open_connection_is_acknowledged() {
    // RFC 9293 3.10.7.4 first step; the peer's reset for that ACK makes room (3.5.1, figure 9)
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(syn().seq(0x4000_0000));
    p.expect(ACK, 1, 1, 0);
    p.send(rst(1));
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn what_a_listener_does_with_other_segments() {
    // RFC 9293 3.10.7.2: RST ignored; ACK answered <SEQ=SEG.ACK><CTL=RST>; the rest dropped
    let mut p = Peer::new();
    p.send(rst(5));
    p.send(rst(5).flags(RST_ACK));
    p.send(ack(5, 0).flags(TcpFlags::FIN));
    p.send(ack(5, 0).flags(TcpFlags::NONE));
    p.quiet();
    for flags in [ACK, SYN_ACK, FIN_ACK] {
        p.send(ack(5, 777).flags(flags));
        let got = p.recv();
        assert_eq!((got.flags, got.seq), (RST, 777));
    }
    p.quiet();
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn where_nobody_listens_everything_but_a_reset_is_reset() {
    // RFC 9293 3.10.7.1
    let mut p = Peer::new();
    p.flow.stack_port = 80;
    p.send(syn());
    p.expect(RST_ACK, 0, 1, 0); // <SEQ=0><ACK=SEG.SEQ+SEG.LEN>
    p.send(syn().text(b"abc").flags(TcpFlags(0x03)));
    p.expect(RST_ACK, 0, 5, 0); // SYN, text and FIN count
    p.send(data(10, 4242, b"abc"));
    let got = p.recv();
    assert_eq!((got.flags, got.seq), (RST, 4242)); // <SEQ=SEG.ACK>
    p.send(rst(0));
    p.quiet();
    assert_eq!((p.counters().tcp_no_listener, p.counters().tcp_resets_sent), (2, 3));
}

#[test]
fn text_with_the_last_ack_of_the_handshake_arrives_after_accepted() {
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(data(1, 1, b"hello"));
    p.adopt();
    assert_eq!(p.events(), [Event::Accepted(p.id), Event::Data(p.id, b"hello".to_vec())]);
}

#[test]
fn a_lost_last_ack_is_replaced_by_data() {
    let mut p = Peer::new();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    // out of order: the first 5 bytes are missing, and it acknowledges our SYN all the same
    p.send(data(6, 1, b"world"));
    p.expect(ACK, 1, 1, 0);
    p.adopt();
    p.send(data(1, 1, b"hello"));
    p.expect(ACK, 1, 11, 0);
    assert_eq!(p.read(), b"helloworld");
}

#[test]
fn text_in_a_syn_is_taken_when_it_comes_again() {
    // RFC 9293 3.4, 3.10.7.2: text in a SYN need not be kept; it is not acknowledged, so it is sent again
    let mut p = Peer::new();
    p.send(syn().text(b"early"));
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(data(1, 1, b"early"));
    p.adopt();
    assert_eq!(p.read(), b"early");

    let mut p = Peer::new();
    p.connect();
    p.send(syn_ack(1).text(b"early"));
    p.expect(ACK, 1, 1, 0);
    p.send(data(1, 1, b"early"));
    assert_eq!(p.read(), b"early");
}

#[test]
fn what_is_written_before_the_handshake_follows_it() {
    let mut p = Peer::new();
    p.connect();
    p.write(b"hello");
    p.quiet();
    p.send(syn_ack(1));
    assert_eq!(p.expect(PSH_ACK, 1, 1, 5).text, b"hello");
    p.quiet(); // the ACK travelled with the data
}

#[test]
fn shutdown_before_the_handshake_sends_fin_behind_it() {
    // RFC 9293 3.10.4: CLOSE in SYN-SENT or SYN-RECEIVED is queued for ESTABLISHED when there is data to send
    let mut p = Peer::new();
    p.connect();
    p.write(b"bye");
    p.shutdown();
    p.send(syn_ack(1));
    p.expect(FIN_PSH_ACK, 1, 1, 3);
    p.send(ack(1, 5));
    p.send(data(1, 5, b"late"));
    assert_eq!(p.read(), b"late");
}

#[test]
fn close_in_syn_sent_deletes_the_connection() {
    // RFC 9293 3.10.4
    let mut p = Peer::new();
    p.connect();
    p.close();
    assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::Aborted))]);
    assert_eq!(p.stack.conns(), 0);
    p.send(syn_ack(1));
    assert_eq!(p.recv().flags, RST);
}

#[test]
fn close_and_abort_in_syn_received_reset_the_peer() {
    // RFC 9293 3.10.5: ABORT in SYN-RECEIVED sends a reset
    for close in [true, false] {
        let mut p = Peer::new();
        p.connect();
        p.send(syn());
        p.expect(SYN_ACK, 0, 1, 0);
        if close {
            p.close();
        } else {
            p.abort();
        }
        let got = p.recv();
        assert_eq!((got.flags.rst(), got.seq), (true, 1));
        assert_eq!(p.events(), [Event::Connected(p.id, Err(ConnectError::Aborted))]);
        assert_eq!(p.stack.conns(), 0);
    }
}

#[test]
fn mss_absent_means_536() {
    // RFC 9293 3.7.1, MUST-15
    let mut p = Peer::new();
    p.open(syn().no_mss());
    p.write(&bytes(2000));
    assert_eq!(p.recv().text.len(), 536);
}

#[test]
fn segments_are_no_larger_than_either_mss() {
    // RFC 9293 3.7.1, MUST-16
    for (mss, want) in [(100, 100), (1, 64), (0, 64), (1460, 1460), (9000, 1460)] {
        let mut p = Peer::new();
        p.open(syn().mss(mss));
        p.write(&bytes(2000));
        assert_eq!(p.recv().text.len(), want, "MSS {mss}");
        p.drain();
    }
}

#[test]
fn timestamps_take_room_in_every_segment() {
    // RFC 6691 2: the MSS does not count options, the sender does
    let mut p = Peer::new();
    p.open(syn().ts(77, 0));
    p.write(&bytes(4000));
    assert_eq!(p.recv().text.len(), 1460 - 12);
    p.drain();
}

#[test]
fn window_scaling_is_used_only_when_both_offer_it() {
    // RFC 7323 2.2, 2.3
    let mut p = Peer::new();
    let got = p.open(syn().wscale(3).win(1000));
    assert_eq!((got.options.window_scale, got.win), (Some(9), 65_535)); // the window of a SYN is never scaled
    p.send(data(1, 1, b"x").win(365));
    p.advance(50);
    assert_eq!(p.recv().win, 255); // the first 128 KiB, in units of 512 bytes, but one
    p.write(&bytes(5000));
    p.expect_burst(1, 1460, 2); // 365 << 3
}

#[test]
fn one_sided_window_scaling_is_none() {
    let mut p = Peer::with(|c| c.tcp.window_scaling = false);
    let got = p.open(syn().wscale(3).win(2920));
    assert_eq!(got.options.window_scale, None);
    p.write(&bytes(8000));
    let all: usize = p.drain().iter().map(|s| s.text.len()).sum();
    assert_eq!(all, 2920); // the window as it stands

    let mut p = Peer::new();
    p.connect();
    p.send(syn_ack(1).win(2920));
    p.expect(ACK, 1, 1, 0);
    p.write(&bytes(8000));
    let all: usize = p.drain().iter().map(|s| s.text.len()).sum();
    assert_eq!(all, 2920);
    p.send(data(1, 1, b"x"));
    p.advance(50);
    assert_eq!(p.recv().win, 65_534); // not scaled, and the edge does not move for a byte
}

#[test]
fn a_shift_above_14_is_14() {
    // RFC 7323 2.3
    let mut p = Peer::new();
    p.send(syn().wscale(255));
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(ack(1, 1).win(1)); // 16,384 bytes
    p.adopt();
    p.write(&bytes(20_000));
    // the initial window of 10 segments is 14,600, and after it 1,784 of the peer's are left
    p.expect_burst(1, 1460, 10);
    p.send(ack(1, 14_601).win(1));
    let all: usize = p.drain().iter().map(|s| s.text.len()).sum();
    assert_eq!(all, 5400);
}

#[test]
fn timestamps_are_used_only_when_both_offer_them() {
    // RFC 7323 3.2
    let mut p = Peer::with(|c| c.tcp.timestamps = false);
    let got = p.open(syn().ts(77, 0));
    assert_eq!(got.options.timestamps, None);
    p.send(data(1, 1, b"a"));
    assert_eq!(p.read(), b"a");

    let mut p = Peer::new();
    p.connect();
    p.send(syn_ack(1));
    assert_eq!(p.expect(ACK, 1, 1, 0).options.timestamps, None);

    let mut p = Peer::new();
    let offered = p.connect().options.timestamps.map(|t| t.0);
    p.send(syn_ack(1).ts(500, offered.unwrap_or(0)));
    assert_eq!(p.expect(ACK, 1, 1, 0).options.timestamps.map(|t| t.1), Some(500));
}

#[test]
fn only_a_syn_carries_the_mss() {
    // RFC 9293 3.7.1, MUST-65
    let mut p = Peer::new();
    assert_eq!(p.open(syn().sack().ts(1, 0)).options.mss, Some(1460));
    p.write(&bytes(100));
    p.send(data(1, 101, &bytes(3000)));
    p.send(data(5000, 101, b"x"));
    p.close();
    p.send(fin(3001, 101));
    p.flow.port += 1;
    p.send(ack(1, 1));
    p.flow.port -= 1;
    let frames = p.out.len();
    let all: Vec<_> = (0..frames - 1).map(|_| p.recv()).collect();
    p.flow.port += 1;
    let reset = p.recv();
    assert!(all.len() >= 4 && reset.flags == RST, "{all:?}");
    assert!(all.iter().chain([&reset]).all(|got| got.options.mss.is_none()));
    p.flow.port -= 1;
}
