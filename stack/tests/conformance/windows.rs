//! Windows: RFC 9293 3.8.6; zero window probes 3.8.6.1; silly window avoidance 3.8.6.2; RFC 7323 2.

use crate::prelude::*;

/// A connection whose receive buffer holds 8 KiB, and whose service does not read.
fn unread(scale: bool) -> Peer {
    let mut p = Peer::with(|c| c.tcp.recv_buffer = if scale { 512 * 1024 } else { 8192 });
    p.open(if scale { syn().wscale(0) } else { syn() });
    p.take(Take::Nothing);
    p
}

#[test]
fn unread_data_closes_the_window_and_its_right_edge_never_moves_left() {
    // RFC 9293 3.8.6, SHLD-14
    let mut p = unread(false);
    let mut seq = 1;
    let mut edge = 8192;
    while seq < 8192 {
        let n = 700.min(8192 - seq);
        p.send(data(seq, 1, &bytes(n as usize)));
        p.advance(50);
        seq += n;
        for got in p.drain() {
            assert!(got.ack + u32::from(got.win) >= edge, "{} + {} < {edge}", got.ack, got.win);
            edge = got.ack + u32::from(got.win);
        }
    }
    assert_eq!(edge, 8192);
    p.take(Take::All);
    p.resume();
    assert_eq!(p.read().len(), 8191);
    p.drain();
}

#[test]
fn a_scaled_window_neither_moves_left_nor_outgrows_the_buffer() {
    // RFC 7323 2.4: rounding may hide less than a unit (16 bytes), what was offered once is taken
    let mut p = unread(true);
    p.send(data(1, 1, &bytes(1)));
    p.advance(50);
    let got = p.drain().pop().expect("an ACK");
    let mut edge = got.ack + u32::from(got.win) * 16;
    let mut seq = 2;
    while seq < edge {
        let n = 1451.min(edge - seq);
        p.send(data(seq, 1, &bytes(n as usize)));
        seq += n;
        for got in p.drain() {
            let now = got.ack + u32::from(got.win) * 16;
            assert!(now + 16 > edge, "{now} after {edge}");
            edge = edge.max(now);
            assert!(edge <= 1 + 512 * 1024);
        }
    }
    p.advance(50);
    p.drain();
    p.send(data(seq, 1, b"too much"));
    p.recv();
    p.take(Take::All);
    p.resume();
    assert_eq!(p.read().len() as u32, seq - 1);
    assert!(p.drain().pop().expect("a window update").win > 30_000);
}

#[test]
fn a_closed_window_answers_probes_and_takes_nothing() {
    // RFC 9293 3.8.6.1 (MUST-36...), 3.10.7.4
    let mut p = unread(false);
    p.send_all((0..5).map(|n| data(1 + n * 1460, 1, &bytes(1460))));
    p.send(data(7301, 1, &bytes(891)));
    p.advance(50);
    let got = p.drain().pop().expect("an ACK");
    assert_eq!((got.ack, got.win), (8192, 0));
    for _ in 0..3 {
        p.send(data(8192, 1, b"p"));
        let got = p.expect(ACK, 1, 8192, 0);
        assert_eq!(got.win, 0);
        p.quiet();
    }
    // RFC 9293 3.10.7.4: "special allowance should be made to accept valid ACKs"
    p.write(b"mine");
    p.expect(PSH_ACK, 1, 8192, 4);
    p.send(data(8192, 5, b"p"));
    p.expect(ACK, 5, 8192, 0);
    p.advance(5000);
    p.quiet(); // not sent again
}

#[test]
fn reading_on_opens_the_window_by_a_full_segment_at_least() {
    // RFC 9293 3.8.6.2.2: min(half the buffer, Eff.snd.MSS)
    let mut p = unread(false);
    p.send_all((0..5).map(|n| data(1 + n * 1460, 1, &bytes(1460))));
    p.send(data(7301, 1, &bytes(891)));
    p.advance(50);
    assert_eq!(p.drain().pop().expect("an ACK").win, 0);
    p.take(Take::AtMost(1459));
    p.resume();
    p.quiet();
    p.send(data(8192, 1, b"p"));
    assert_eq!(p.expect(ACK, 1, 8192, 0).win, 0);
    p.take(Take::AtMost(1));
    p.resume();
    assert_eq!(p.expect(ACK, 1, 8192, 0).win, 1460);
    p.quiet();
    p.take(Take::All);
    p.resume();
    assert_eq!(p.expect(ACK, 1, 8192, 0).win, 8191);
}

#[test]
fn reading_as_data_comes_keeps_the_window_open() {
    let mut p = Peer::established();
    for n in 0..50 {
        p.send_all((0..2).map(|k| data(1 + (2 * n + k) * 1460, 1, &bytes(1460))));
        assert_eq!(p.expect(ACK, 1, 1 + (2 * n + 2) * 1460, 0).win, 65_535);
    }
    assert_eq!(p.read().len(), 146_000);
}

#[test]
fn a_closed_window_is_probed_after_the_time_out_and_then_less_and_less_often() {
    // RFC 9293 3.8.6.1, SHLD-29, SHLD-30
    let mut p = Peer::new();
    p.open(syn().win(1000));
    p.write(&bytes(1500));
    p.expect(ACK, 1, 1, 1000);
    p.advance(10);
    p.send(ack(1, 1001).win(0));
    p.quiet();
    for want in [200, 400, 800, 1600] {
        let ms = p.until_sent(3000);
        // The handshake and the first segment have measured a round trip of a millisecond and a quarter.
        assert!((want..want + want / 50 + 4).contains(&ms), "{ms} for {want}");
        p.expect(ACK, 1001, 1, 1);
        p.send(ack(1, 1001).win(0));
    }
    assert_eq!(p.counters().tcp_window_probes, 4);
    p.send(ack(1, 1001).win(1000));
    p.expect(PSH_ACK, 1001, 1, 500);
    // what the probes backed off is forgotten
    let ms = p.until_sent(3000);
    assert!((200..204).contains(&ms), "{ms}");
}

#[test]
fn a_window_closed_from_the_start_is_probed() {
    let mut p = Peer::new();
    p.open(syn().win(0));
    p.write(b"hello");
    p.quiet();
    let ms = p.until_sent(2000);
    assert!(ms >= 200, "{ms}");
    p.expect(ACK, 1, 1, 1);
    p.send(ack(1, 2).win(0)); // it took the byte
    p.quiet();
    p.send(ack(1, 2).win(100));
    assert_eq!(p.expect(PSH_ACK, 2, 1, 4).text, b"ello");
}

#[test]
fn probes_never_give_up_while_they_are_answered() {
    // RFC 9293 3.8.6.1, MUST-37
    let mut p = Peer::new();
    p.open(syn().win(0));
    p.write(b"hello");
    for _ in 0..30 {
        p.until_sent(61_000);
        p.expect(ACK, 1, 1, 1);
        p.send(ack(1, 1).win(0));
    }
    assert!(p.now.as_millis() > 1_000_000 + 1000 * 1000, "more than a quarter of an hour");
    assert_eq!(p.stack.conns(), 1);
    p.events();
    // ... and end with the user time-out when nobody answers
    while p.stack.conns() == 1 {
        p.advance(1000);
        assert!(p.now.as_millis() < 5_000_000);
    }
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::TimedOut)]);
    p.drain();
}

#[test]
fn a_fin_probes_a_closed_window_and_never_gives_up_while_it_is_answered() {
    // RFC 9293 3.4, 3.8.6.1: FIN takes a number, and so a place in the window
    let mut p = Peer::new();
    p.open(syn().win(100));
    p.write(&bytes(100));
    p.expect(PSH_ACK, 1, 1, 100);
    p.send(ack(1, 101).win(0));
    p.shutdown();
    p.quiet();
    for _ in 0..20 {
        p.until_sent(61_000);
        p.expect(FIN_ACK, 101, 1, 0);
        p.send(ack(1, 101).win(0));
    }
    assert_eq!(p.stack.conns(), 1);
    p.send(ack(1, 101).win(100));
    p.expect(FIN_ACK, 101, 1, 0);
    p.send(ack(1, 102).win(100));
    p.advance(100_000);
    p.quiet();
    p.send(data(1, 102, b"half-open"));
    assert_eq!(p.read(), b"half-open");
}

#[test]
fn a_probe_that_the_peer_takes_ends_with_the_rest() {
    let mut p = Peer::new();
    p.open(syn().win(0));
    p.write(&bytes(3000));
    p.until_sent(2000);
    p.expect(ACK, 1, 1, 1);
    p.send(ack(1, 2).win(65_535));
    p.expect(ACK, 2, 1, 1460);
    p.expect(ACK, 1462, 1, 1460);
    p.expect(PSH_ACK, 2922, 1, 79);
}

#[test]
fn a_small_window_is_not_used_until_the_override_time_out() {
    // RFC 9293 3.8.6.2.1: (1) full segment, (3) half the largest window, (4) override after 0.1 to 1 s
    let mut p = Peer::new();
    p.open(syn().win(10_000));
    p.write(&bytes(20_000));
    p.expect_burst(1, 1460, 6); // the rest of the window is neither a segment nor half of it
    p.send(ack(1, 8761).win(400));
    p.quiet();
    let ms = p.until_sent(1001);
    assert!((100..=1000).contains(&ms), "{ms}");
    p.expect(ACK, 8761, 1, 400);
    p.send(ack(1, 9161).win(1460));
    p.expect(ACK, 9161, 1, 1460);
}

#[test]
fn half_of_a_small_receiver_s_window_is_worth_sending() {
    // RFC 9293 3.8.6.2.1 (3): Fs = 1/2
    let mut p = Peer::new();
    p.open(syn().win(600));
    p.write(&bytes(5000));
    p.expect(ACK, 1, 1, 600);
    p.send(ack(1, 601).win(299));
    p.quiet();
    p.send(ack(1, 601).win(300));
    p.expect(ACK, 601, 1, 300);
}

#[test]
fn a_shrunk_window_is_lived_with() {
    // RFC 9293 3.8.6, MUST-34: data beyond the new edge is not sent again before the window opens
    let mut p = Peer::new();
    p.open(syn().win(6000));
    p.write(&bytes(6000));
    p.drain();
    p.send(ack(1, 1461).win(0));
    p.quiet();
    p.send(ack(1, 1461).win(6000));
    p.send(ack(1, 6001).win(6000));
    p.quiet();
    p.write(b"x");
    p.expect(PSH_ACK, 6001, 1, 1);
}

#[test]
fn beyond_a_shrunk_window_nothing_is_sent_and_nobody_gives_up() {
    // RFC 9293 3.8.6, SHLD-15, SHLD-17: old data may go again (MAY-7), new data waits, for as long as it takes
    let mut p = Peer::new();
    p.open(syn().win(6000));
    p.write(&bytes(8000));
    let sent = p.drain().iter().map(|got| got.seq + got.text.len() as u32).max().expect("segments");
    p.send(ack(1, 2921).win(0));
    let until = p.now + Duration::from_secs(600);
    while p.now < until {
        for got in p.drain() {
            assert!(got.seq + got.text.len() as u32 <= sent, "new text at {}", got.seq);
        }
        p.until_sent(70_000);
        p.send(ack(1, 2921).win(0));
    }
    assert_eq!(p.stack.conns(), 1);
    let mut acked = 2921;
    while acked < 8001 {
        p.send(ack(1, acked).win(8000));
        if p.out.is_empty() {
            p.until_sent(70_000);
        }
        acked = p.drain().iter().map(|got| got.seq + got.text.len() as u32).max().expect("segments");
    }
}

#[test]
fn the_window_is_updated_only_by_newer_segments() {
    // RFC 9293 3.10.7.4 fifth step: SND.WL1, SND.WL2
    let mut p = Peer::new();
    p.open(syn().win(1000));
    p.send(data(11, 1, b"later").win(5000)); // behind a gap, but newer
    p.send(data(1, 1, b"0123456789").win(100)); // older: its window does not count
    p.drain();
    p.write(&bytes(4000));
    let all: usize = p.drain().iter().map(|s| s.text.len()).sum();
    assert_eq!(all, 4000);
}

#[test]
fn acks_go_out_with_a_number_that_a_closed_window_takes() {
    // RFC 9293 3.10.7.4 first step: with a zero window only SEG.SEQ = RCV.NXT is acceptable
    let mut p = Peer::new();
    p.open(syn().win(0));
    p.write(b"hello");
    p.until_sent(2000);
    p.expect(ACK, 1, 1, 1);
    p.send(data(1, 1, &bytes(1460)).win(0));
    p.send(data(1461, 1, &bytes(1460)).win(0));
    p.expect(ACK, 1, 2921, 0);
    p.abort();
    assert_eq!(p.recv().seq, 1);
}
