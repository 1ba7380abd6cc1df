//! The user time-out and its exchange: RFC 9293 3.8.3, RFC 5482.

use ferroflow_stack::ConnOption;

use crate::peer::LISTEN;
use crate::prelude::*;

fn listening_with(options: &[ConnOption]) -> Peer {
    let mut p = Peer::new();
    for &option in options {
        p.net(|net| net.set_listen_option(LISTEN, option)).expect("a listener");
    }
    p
}

fn exchanging() -> Peer {
    listening_with(&[ConnOption::UserTimeoutExchange(true)])
}

/// After how many seconds the connection is given up, from its first time-out on, if nothing is acknowledged.
fn patience(p: &mut Peer) -> u64 {
    p.write(b"x");
    p.out.clear();
    p.until_sent(10_000);
    let from = p.now;
    p.events();
    p.advance(500); // looked at between the seconds
    for _ in 0..10_000 {
        p.advance(1000);
        p.out.clear();
        if p.events().contains(&Event::Closed(p.id, CloseReason::TimedOut)) {
            return p.now.since(from).as_secs();
        }
    }
    panic!("it is never given up")
}

#[test]
fn it_is_off_unless_asked_for() {
    let mut p = Peer::new();
    let got = p.open(syn().user_timeout(300));
    assert_eq!(got.options.user_timeout, None);
    p.send(data(1, 1, b"x").user_timeout(300));
    assert_eq!(patience(&mut p), 120);
}

#[test]
fn the_more_patient_side_decides_within_limits() {
    // RFC 5482 3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)); ours is 120 s
    for (option, seconds) in
        [(300, 300), (10, 120), (0x8000 | 5, 300), (0x8000 | 600, 3600), (0, 120), (0x8000, 120)]
    {
        let mut p = exchanging();
        let got = p.open(syn().user_timeout(option));
        assert_eq!(got.options.user_timeout, Some(120), "{option:#x}");
        assert_eq!(patience(&mut p), seconds, "{option:#x}");
    }
}

#[test]
fn nobody_makes_it_shorter_than_the_lower_limit() {
    // RFC 5482 3.1: L_LIMIT, no less than 100 s, whatever both ends would be content with
    for (ours, option, seconds) in [(10, 20, 100), (10, 130, 130)] {
        let mut p = Peer::with(|c| c.tcp.user_timeout = Duration::from_secs(ours));
        p.net(|net| net.set_listen_option(LISTEN, ConnOption::UserTimeoutExchange(true)))
            .expect("a listener");
        p.open(syn().user_timeout(option));
        assert_eq!(patience(&mut p), seconds, "{ours} and {option}");
    }
}

#[test]
fn a_handshake_waits_no_longer_for_it() {
    // RFC 5482 3.3: only synchronized states adopt it
    let mut p = exchanging();
    p.send(syn().user_timeout(3000));
    p.advance(59_000);
    assert_eq!(p.stack.conns(), 1);
    p.advance(2000);
    assert_eq!((p.stack.conns(), p.counters().tcp_given_up), (0, 1));
    p.out.clear();
}

#[test]
fn our_syn_announces_it_and_the_answer_is_adopted() {
    let mut p = Peer::new();
    let options = [ConnOption::UserTimeoutExchange(true)];
    let to = p.address();
    p.id = p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    let id = p.id;
    p.net(|net| net.set_option(id, options[0])).expect("a connection");
    p.run();
    assert_eq!(p.expect_syn().options.user_timeout, Some(120));
    p.send(syn_ack(1).user_timeout(200));
    p.expect(ACK, 1, 1, 0);
    assert_eq!(patience(&mut p), 200);
}

#[test]
fn a_later_segment_changes_it_too_even_while_time_runs_out() {
    // RFC 5482 3: in any segment
    let mut p = exchanging();
    p.open(syn());
    p.write(b"x");
    p.out.clear();
    p.until_sent(10_000);
    p.out.clear();
    p.advance(100_000);
    p.out.clear();
    p.send(ack(1, 1).user_timeout(400));
    p.advance(250_000);
    p.out.clear();
    assert_eq!(p.stack.conns(), 1);
    p.advance(51_000);
    p.out.clear();
    assert_eq!(p.stack.conns(), 0, "400 s after the first time-out");
}

#[test]
fn what_the_service_has_set_the_peer_does_not_change() {
    // RFC 5482 3, 3.1: CHANGEABLE is false then
    let own = ConnOption::UserTimeout(Duration::from_secs(130));
    let mut p = listening_with(&[own, ConnOption::UserTimeoutExchange(true)]);
    let got = p.open(syn().user_timeout(300));
    assert_eq!(got.options.user_timeout, Some(130));
    assert_eq!(patience(&mut p), 130);
}

#[test]
fn what_the_service_has_set_has_limits_where_it_is_exchanged() {
    // RFC 5482 3, 3.1
    for (exchange, set, kept) in [(true, 30, 100), (true, 5000, 3600), (false, 30, 30), (false, 5000, 5000)] {
        let own = ConnOption::UserTimeout(Duration::from_secs(set));
        let mut p = listening_with(&[own, ConnOption::UserTimeoutExchange(exchange)]);
        let got = p.open(syn().user_timeout(300));
        assert_eq!(got.options.user_timeout, exchange.then_some(kept as u16));
        assert_eq!(patience(&mut p), kept, "{set} s, {exchange}");
    }
}

#[test]
fn a_change_goes_with_all_text_until_it_has_arrived() {
    // RFC 5482 3, 3.2
    let mut p = exchanging();
    p.open(syn());
    p.write(&bytes(1460));
    let got = p.expect(PSH_ACK, 1, 1, 1460);
    assert_eq!(got.options.user_timeout, None, "the SYN,ACK has told");
    p.send(ack(1, 1461));
    let id = p.id;
    p.net(|net| net.set_option(id, ConnOption::UserTimeout(Duration::from_secs(600)))).expect("a connection");
    p.write(&bytes(3000));
    for len in [1456, 1456, 88] {
        let got = p.recv();
        assert_eq!((got.text.len(), got.options.user_timeout), (len, Some(600)));
    }
    // lost: it goes again with the segment
    p.until_sent(5000);
    assert_eq!(p.recv().options.user_timeout, Some(600));
    p.out.clear();
    p.send(ack(1, 4461));
    p.write(&bytes(1460));
    assert_eq!(p.recv().options.user_timeout, None);
}

#[test]
fn a_forged_segment_changes_nothing() {
    let mut p = exchanging();
    p.open(syn());
    p.send(ack(70_000, 1).user_timeout(3000)); // outside the window
    p.send(ack(1, 70_000).user_timeout(3000)); // acknowledges what was never sent
    p.send(rst(100).user_timeout(3000));
    p.out.clear();
    assert_eq!(patience(&mut p), 120);
}

#[test]
fn keepalive_is_no_less_patient_than_what_both_agreed_on() {
    // RFC 5482 4.2
    let seconds = Duration::from_secs;
    let keepalive = [
        ConnOption::Keepalive(true),
        ConnOption::KeepaliveIdle(seconds(10)),
        ConnOption::KeepaliveInterval(seconds(1)),
        ConnOption::KeepaliveProbes(2),
    ];
    for (exchange, agreed, probe) in [(true, 0, 121), (true, 300, 301), (false, 300, 10)] {
        let mut p = listening_with(&keepalive);
        p.net(|net| net.set_listen_option(LISTEN, ConnOption::UserTimeoutExchange(exchange)))
            .expect("a listener");
        p.open(syn().user_timeout(60));
        p.send(data(1, 1, b"x").user_timeout(agreed));
        p.advance(100);
        p.drain();
        let after = p.until_sent(400_000) + 100;
        assert_eq!((p.recv().seq, after), (0, probe * 1000), "{agreed} s");
        p.events();
        p.advance(10_000);
        p.out.clear();
        assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::TimedOut)]);
    }
}
