//! SYN cookies: RFC 4987 3.6. With a full backlog nothing is kept of a SYN, and its connection is made all the same.

use ferroflow_stack::option::ConnOption;

use crate::prelude::*;

/// A stack whose backlog of one is taken by a SYN of another flow that never goes on.
fn full() -> Peer {
    full_with(|_| {})
}

fn full_with(change: impl FnOnce(&mut ferroflow_stack::Config)) -> Peer {
    let mut p = Peer::with_app(change, |app| app.listen[0].backlog = 1);
    p.switch(Flow::new(1));
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.switch(Flow::new(40_000));
    p
}

#[test]
fn a_syn_beyond_the_backlog_is_answered_and_not_remembered() {
    let mut p = full();
    for port in 2..100 {
        p.switch(Flow::new(port));
        p.send(syn());
        let got = p.expect(SYN_ACK, 0, 1, 0);
        assert_eq!(got.options.mss, Some(1460));
    }
    assert_eq!((p.stack.conns(), p.counters().tcp_syncookies_sent), (1, 98));
    // one SYN,ACK for one SYN: no timer sends another
    p.switch(Flow::new(1));
    p.advance(50_000);
    assert!(p.drain().iter().all(|got| got.flags == SYN_ACK), "only the half-open connection's");
}

#[test]
fn the_ack_that_brings_the_cookie_back_makes_the_connection() {
    let mut p = full();
    p.open(syn().mss(1300));
    assert_eq!((p.stack.conns(), p.counters().tcp_syncookies_recv, p.counters().tcp_accepted), (2, 1, 1));
    // rounded down to a value of the table
    p.write(&bytes(2440));
    p.expect_burst(1, 1220, 2);
    p.send(data(1, 2441, b"hello"));
    assert_eq!(p.read(), b"hello");
    // it takes no place in the backlog, and gives none back
    p.switch(Flow::new(2));
    p.send(syn());
    p.recv();
    assert_eq!((p.stack.conns(), p.counters().tcp_syncookies_sent), (2, 2));
}

#[test]
fn timestamps_carry_the_window_scale() {
    let mut p = full();
    let got = p.open(syn().wscale(7).ts(1000, 0));
    assert!(got.options.window_scale.is_some());
    assert_eq!(got.options.timestamps.map(|(_, echo)| echo), Some(1000));
    // 100 << 7 bytes may be in flight; unscaled, 100 would go
    p.send(ack(1, 1).win(100));
    p.write(&bytes(14_480));
    let sent: usize = p.drain().iter().map(|got| got.text.len()).sum();
    assert!(sent > 11_000, "{sent}");
}

#[test]
fn without_timestamps_no_more_is_offered_than_remembered() {
    let mut p = full();
    let got = p.open(syn().wscale(7));
    assert_eq!((got.options.window_scale, got.options.timestamps), (None, None));
    p.send(ack(1, 1).win(100));
    p.write(&bytes(1000));
    let sent: usize = p.drain().iter().map(|got| got.text.len()).sum();
    assert!(sent <= 100, "the window is not scaled: {sent}");
}

#[test]
fn later_timestamps_are_never_older_than_the_cookies() {
    // RFC 7323 5.3: the peer would drop what seems old
    for ms in 0..130 {
        let mut p = full();
        p.advance(ms);
        p.send(syn().wscale(7).ts(1000, 0));
        let cookie = p.expect(SYN_ACK, 0, 1, 0).options.timestamps.expect("timestamps").0;
        p.send(ack(1, 1).ts(1001, cookie));
        p.adopt();
        p.write(b"x");
        let later = p.recv().options.timestamps.expect("timestamps").0;
        assert!(later.wrapping_sub(cookie) < 64, "{ms}: {cookie} {later}");
    }
}

#[test]
fn data_may_come_with_the_cookie() {
    let mut p = full();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(data(1, 1, b"hello"));
    p.adopt();
    assert_eq!(p.events(), [Event::Accepted(p.id), Event::Data(p.id, b"hello".to_vec())]);
    p.send(data(6, 1, b"again"));
    assert_eq!(p.read(), b"again");
}

#[test]
fn a_fin_may_come_with_the_cookie() {
    let mut p = full();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(data(1, 1, b"bye").flags(FIN_PSH_ACK));
    p.adopt();
    assert_eq!(p.events(), [Event::Accepted(p.id), Event::Data(p.id, b"bye".to_vec()), Event::Eof(p.id)]);
    p.expect(ACK, 1, 5, 0);
}

#[test]
fn a_wrong_cookie_is_reset() {
    // RFC 9293 3.10.7.2: an ACK for a listener
    let mut p = full();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    for wrong in [0, 2, 100, 1 << 25, 1 << 31] {
        p.send(ack(1, wrong));
        p.expect(RST, wrong, 0u32.wrapping_sub(p.flow.isn), 0);
    }
    p.send(ack(2, 1));
    p.expect(RST, 1, 0u32.wrapping_sub(p.flow.isn), 0);
    assert_eq!((p.counters().tcp_syncookies_failed, p.counters().tcp_syncookies_recv), (6, 0));
    assert_eq!(p.stack.conns(), 1);
}

#[test]
fn an_old_cookie_is_reset() {
    for (seconds, conns) in [(60, 1), (200, 0)] {
        let mut p = full();
        p.send(syn());
        p.expect(SYN_ACK, 0, 1, 0);
        p.advance(seconds * 1000);
        p.out.clear();
        // the backlog is full all the time
        let old = p.switch(Flow::new(3));
        p.send(syn());
        p.switch(Flow::new(4));
        p.send(syn());
        p.out.clear();
        p.switch(old);
        p.send(ack(1, 1));
        assert_eq!(p.counters().tcp_syncookies_recv, conns, "after {seconds} s");
        assert_eq!(p.counters().tcp_syncookies_failed, 1 - conns);
        p.out.clear();
    }
}

#[test]
fn an_ack_is_no_cookie_where_none_was_sent() {
    let mut p = Peer::new();
    p.send(ack(1, 1));
    p.expect(RST, 1, 0u32.wrapping_sub(p.flow.isn), 0);
    assert_eq!((p.counters().tcp_syncookies_failed, p.counters().tcp_no_connection), (0, 1));
    // nor a long time after
    let mut p = full();
    p.send(syn());
    p.recv();
    p.advance(129_000);
    p.out.clear();
    p.send(ack(1, 1));
    assert_eq!((p.counters().tcp_syncookies_failed, p.counters().tcp_no_connection), (0, 1));
}

#[test]
fn a_cookie_for_a_full_table_waits_for_room() {
    let mut p = full_with(|c| c.tcp.max_conns = 1);
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(data(1, 1, b"hello"));
    p.quiet();
    assert_eq!(p.counters().tcp_table_full, 1);
    let taken = p.switch(Flow::new(1));
    p.flow.iss = taken.iss;
    p.send(rst(1));
    p.switch(taken);
    p.send(data(1, 1, b"hello"));
    p.adopt();
    assert_eq!(p.read(), b"hello");
}

#[test]
fn a_reset_with_a_cookie_begins_nothing() {
    let mut p = full();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(ack(1, 1).flags(RST_ACK));
    p.send(rst(1));
    p.quiet();
    assert_eq!((p.stack.conns(), p.counters().tcp_syncookies_recv), (1, 0));
}

#[test]
fn time_wait_ends_for_a_new_syn_though_the_backlog_is_full() {
    // RFC 6191: its sequence numbers must be beyond the old ones, which a cookie would not know
    let mut p = Peer::with_app(|_| {}, |app| app.listen[0].backlog = 1);
    p.open(syn());
    let iss = p.flow.iss.expect("an ISS");
    p.close();
    p.recv();
    p.send(fin(1, 2));
    p.recv();
    let old = p.switch(Flow::new(1));
    p.send(syn());
    p.recv();
    p.switch(old);
    p.flow.isn = p.flow.isn.wrapping_add(100_000);
    p.send(syn());
    let got = p.recv();
    assert_eq!((got.flags, p.counters().tcp_syncookies_sent), (SYN_ACK, 0));
    assert!((got.raw_seq.wrapping_sub(iss) as i32) > 0);
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (2, 0));
}

#[test]
fn the_echo_of_the_cookie_measures_the_round_trip() {
    // RFC 7323 4.1, less than 64 ms off: the time-out is not the initial second any more
    let mut p = full();
    p.send(syn().wscale(7).ts(1000, 0));
    let (clock, _) = p.expect(SYN_ACK, 0, 1, 0).options.timestamps.expect("timestamps");
    p.advance(10);
    p.send(ack(1, 1).ts(1010, clock));
    p.adopt();
    p.flow.ts = Some(1010u32.wrapping_sub(p.now.as_millis() as u32));
    p.write(b"x");
    p.recv();
    let after = p.until_sent(5000);
    assert!((200..=300).contains(&after), "{after}");
    p.out.clear();
}

#[test]
fn a_cookie_waits_until_the_listener_accepts_again() {
    let mut p = full();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.net(|net| net.set_accepting(6653, false));
    p.send(data(1, 1, b"hello"));
    p.quiet();
    assert_eq!((p.stack.conns(), p.counters().tcp_backlog_full), (1, 1));
    p.net(|net| net.set_accepting(6653, true));
    p.send(data(1, 1, b"hello"));
    p.adopt();
    assert_eq!(p.read(), b"hello");
}

#[test]
fn a_cookie_is_as_good_again_when_its_connection_is_over() {
    // Nothing is remembered of either: the second begins like the first, with the window of the SYN,ACK and not with one
    // that grew since.
    let mut p = full_with(|c| c.tcp.window_scaling = false);
    p.net(|net| net.set_listen_option(6653, ConnOption::RecvBuffer(8192))).expect("it listens");
    p.send(syn());
    let window = p.expect(SYN_ACK, 0, 1, 0).win;
    p.send(ack(1, 1));
    p.adopt();
    let (first, larger) = (p.id, ConnOption::RecvBuffer(32_768));
    p.net(|net| net.set_option(first, larger)).expect("it is open");
    p.write(b"x");
    assert!(p.recv().win > window);
    p.abort();
    p.recv();
    p.send(data(1, 1, b"hello"));
    p.adopt();
    assert_ne!(p.id, first);
    assert_eq!((p.read(), p.counters().tcp_syncookies_recv), (b"hello".to_vec(), 2));
    p.write(b"y");
    assert_eq!(p.expect(PSH_ACK, 1, 6, 1).win, window - 5);
    // while it is open, the same ACK is one of its segments
    p.send(data(1, 1, b"hello"));
    p.expect(ACK, 2, 6, 0);
    assert_eq!((p.stack.conns(), p.counters().tcp_syncookies_recv), (2, 2));
}

#[test]
fn a_cookie_is_void_when_the_listeners_buffer_has_changed() {
    // Its window, or the scale of all later ones, would not be what the SYN,ACK said (RFC 7323 2.2; RFC 9293 3.8.6).
    let mut p = full();
    let buffer = |p: &mut Peer, size| {
        p.net(|net| net.set_listen_option(6653, ConnOption::RecvBuffer(size))).expect("it listens");
    };
    buffer(&mut p, 8192);
    p.send(syn().wscale(7).ts(1000, 0));
    let echo = p.expect(SYN_ACK, 0, 1, 0).options.timestamps.expect("timestamps").0;
    buffer(&mut p, 1 << 20);
    p.send(ack(1, 1).ts(1000, echo));
    p.expect(RST, 1, 0u32.wrapping_sub(p.flow.isn), 0);
    assert_eq!((p.stack.conns(), p.counters().tcp_syncookies_failed), (1, 1));
    buffer(&mut p, 8192);
    p.send(ack(1, 1).ts(1000, echo));
    assert_eq!((p.stack.conns(), p.counters().tcp_syncookies_recv), (2, 1));
}
