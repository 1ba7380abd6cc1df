//! Keepalive: RFC 9293 3.8.4.

use ferroflow_stack::tcp::Keepalive;

use crate::prelude::*;

fn alive() -> Peer {
    Peer::established_with(|c| {
        c.tcp.keepalive =
            Some(Keepalive { idle: Duration::from_secs(60), interval: Duration::from_secs(10), probes: 3 });
    })
}

#[test]
fn it_is_off_unless_asked_for() {
    // MUST-25
    let mut p = Peer::established();
    p.advance(24 * 3_600_000);
    p.quiet();
    assert_eq!(Keepalive::default().idle, Duration::from_secs(7200)); // MUST-28
}

#[test]
fn a_silent_peer_is_probed_and_given_up() {
    let mut p = alive();
    p.events();
    let ms = p.until_sent(61_000);
    assert!((60_000..60_003).contains(&ms), "{ms}");
    p.expect(ACK, 0, 1, 0); // SEG.SEQ = SND.NXT - 1
    for _ in 0..2 {
        let ms = p.until_sent(11_000);
        assert!((10_000..10_003).contains(&ms), "{ms}");
        p.expect(ACK, 0, 1, 0);
    }
    assert_eq!(p.events(), []);
    p.until_sent(11_000);
    assert!(p.recv().flags.rst());
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::TimedOut)]);
}

#[test]
fn an_answer_starts_the_clock_again() {
    // MUST-26: any segment is a sign of life
    let mut p = alive();
    for _ in 0..5 {
        let ms = p.until_sent(61_000);
        assert!((60_000..60_003).contains(&ms), "{ms}");
        p.expect(ACK, 0, 1, 0);
        p.send(ack(1, 1));
    }
    assert_eq!(p.stack.conns(), 1);
}

#[test]
fn one_lost_probe_does_not_matter() {
    // MUST-29
    let mut p = alive();
    p.until_sent(61_000);
    p.until_sent_after_reading(11_000);
    p.recv();
    p.send(ack(1, 1));
    p.advance(59_000);
    p.quiet();
    assert_eq!(p.stack.conns(), 1);
}

#[test]
fn the_peers_probes_are_answered() {
    let mut p = Peer::established();
    p.send(data(1, 1, b"hello"));
    p.advance(100);
    p.drain();
    p.send(ack(5, 1));
    p.expect(ACK, 1, 6, 0);
    p.send(data(5, 1, b"?")); // with a byte of rubbish
    p.expect(ACK, 1, 6, 0);
    assert_eq!(p.read(), b"hello");
}

#[test]
fn data_in_flight_needs_no_probe() {
    let mut p = alive();
    p.advance(59_000);
    p.write(b"x");
    p.recv();
    p.advance(3000);
    let got = p.drain();
    assert!(!got.is_empty() && got.iter().all(|s| s.text == b"x"), "{got:?}");
}

#[test]
fn a_connection_may_have_its_own() {
    // RFC 9293 3.8.4: MUST-25, per connection
    use ferroflow_stack::ConnOption;
    let mut p = Peer::established();
    let first = p.id;
    let second = p.switch(Flow::new(41_000));
    p.open(syn());
    for option in [
        ConnOption::KeepaliveIdle(Duration::from_secs(10)),
        ConnOption::KeepaliveInterval(Duration::from_secs(2)),
        ConnOption::KeepaliveProbes(3),
        ConnOption::Keepalive(true),
    ] {
        let id = p.id;
        p.net(|net| net.set_option(id, option)).expect("a connection");
    }
    assert_eq!(p.until_sent(60_000), 10_000);
    p.expect(ACK, 0, 1, 0);
    for _ in 0..2 {
        assert_eq!(p.until_sent(60_000), 2000);
        p.expect(ACK, 0, 1, 0);
    }
    p.events();
    p.advance(2001);
    p.out.clear();
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::TimedOut)]);
    // the other one has none
    p.switch(second);
    p.id = first;
    p.advance(100_000);
    p.quiet();
    assert_eq!(p.stack.conns(), 1);
}

#[test]
fn probes_are_a_second_apart_at_least() {
    use ferroflow_stack::ConnOption;
    let mut p = Peer::established();
    let id = p.id;
    for option in [
        ConnOption::KeepaliveIdle(Duration::ZERO),
        ConnOption::KeepaliveInterval(Duration::ZERO),
        ConnOption::KeepaliveProbes(3),
        ConnOption::Keepalive(true),
    ] {
        p.net(|net| net.set_option(id, option)).expect("a connection");
    }
    // Turns end, although something is always due.
    p.run();
    p.advance(500);
    assert_eq!(p.drain().len(), 1);
    let rest = p.until_sent(60_000);
    assert!((499..=502).contains(&rest), "{rest}");
}
