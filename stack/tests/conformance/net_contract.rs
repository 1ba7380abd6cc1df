//! The contract of `Service` and `Net`, as service.rs and net.rs put it: order of callbacks, stale ids, what may be done in
//! them. (The recording service itself checks that nothing comes before the beginning or after `closed`.)

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ferroflow_stack::{Instant, ListenError};

use crate::peer::STACK_IP;
use crate::prelude::*;

#[test]
fn data_then_eof_then_closed() {
    let mut p = Peer::established();
    p.on(On::Eof, Act::Close);
    p.send_all([data(1, 1, b"one"), fin(4, 1).text(b"two")]);
    p.send(ack(8, 2));
    let id = p.id;
    let want = [
        Event::Accepted(id),
        Event::Data(id, b"one".to_vec()),
        Event::Data(id, b"two".to_vec()),
        Event::Eof(id),
        Event::Closed(id, CloseReason::Finished),
    ];
    assert_eq!(p.events(), want);
    p.drain();
}

#[test]
fn a_refused_connection_is_reset_and_has_no_callback_more() {
    let mut p = Peer::new();
    p.on(On::Accepted, Act::Refuse);
    p.send(syn());
    p.recv();
    p.send(fin(1, 1).text(b"hello"));
    assert!(p.recv().flags.rst());
    assert!(matches!(p.events()[..], [Event::Accepted(_)]));
    assert_eq!((p.stack.conns(), p.counters().tcp_refused_by_service), (0, 1));

    let mut p = Peer::new();
    p.on(On::Connected, Act::Refuse);
    p.connect();
    p.send(syn_ack(1));
    assert!(p.recv().flags.rst());
    assert_eq!(p.events(), [Event::Connected(p.id, Ok(()))]);
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn nothing_is_sent_inside_a_callback_and_the_outcome_of_connect_is_later() {
    let mut p = Peer::new();
    let to = p.address();
    let id = p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    assert_eq!((p.stack.port().outgoing.len(), p.events()), (0, vec![]));
    // an open that fails at once is no exception
    p.net(|net| net.abort(id));
    assert_eq!(p.events(), []);
    p.run();
    assert_eq!(p.events(), [Event::Connected(id, Err(ConnectError::Aborted))]);
}

#[test]
fn stale_ids_are_errors_and_never_another_connection() {
    let mut p = Peer::established();
    let old = p.id;
    p.send(rst(1));
    p.switch(Flow::new(41_000));
    p.open(syn());
    let new = p.id;
    assert_eq!((old.index(), old.generation() + 1), (new.index(), new.generation()));
    p.net(|net| {
        assert_eq!(net.send(old, b"x"), Err(NetError::NoConn));
        assert_eq!(net.send_with(old, 1, |_| panic!("called")), Err(NetError::NoConn));
        assert!(net.sender(old).is_err());
        assert_eq!((net.room(old), net.info(old)), (0, None));
        net.shutdown(old);
        net.close(old);
        net.abort(old);
        net.resume(old);
        net.arm(old, Some(Instant::ZERO));
        assert_eq!(net.send(ConnId::new(999, 0), b"x"), Err(NetError::NoConn));
    });
    p.events();
    p.advance(10);
    p.quiet();
    assert_eq!((p.events(), p.stack.conns()), (vec![], 1));
    p.send(data(1, 1, b"hello"));
    assert_eq!(p.read(), b"hello");
}

/// Brings about every callback of an accepted connection.
fn all_callbacks(p: &mut Peer) {
    p.send(syn());
    if p.out.is_empty() {
        return;
    }
    p.drain();
    p.send(data(1, 1, b"hello"));
    p.adopt();
    let id = p.id;
    let at = p.now + Duration::from_millis(5);
    p.net(|net| net.arm(id, Some(at)));
    p.advance(10);
    let wrote = p.net(|net| net.send(id, &bytes(10_000))).unwrap_or(0) as u32;
    p.run();
    p.out.clear();
    p.send(ack(6, 1 + wrote.min(4096)));
    p.send(fin(6, 1 + wrote.min(4096)));
    p.out.clear();
    p.send(rst(7));
}

#[test]
fn abort_and_close_are_allowed_in_every_callback() {
    let callbacks = [On::Accepted, On::Data, On::Writable, On::Timer, On::Eof, On::Closed];
    for on in callbacks {
        for act in [Act::Abort, Act::Close, Act::Shutdown] {
            let mut p = Peer::with(|c| c.tcp.send_buffer = 4096);
            p.on(on, act.clone());
            p.on(on, act.clone()); // and again
            p.on(on, Act::Send(b"more".to_vec()));
            p.on(on, Act::Resume);
            all_callbacks(&mut p);
            let events = p.events();
            let ran = events.iter().any(|e| match on {
                On::Accepted => matches!(e, Event::Accepted(_)),
                On::Data => matches!(e, Event::Data(..)),
                On::Writable => matches!(e, Event::Writable(_)),
                On::Timer => matches!(e, Event::Timer(_)),
                On::Eof => matches!(e, Event::Eof(_)),
                _ => matches!(e, Event::Closed(..)),
            });
            assert!(ran, "{on:?} was not called: {events:?}");
            assert!(matches!(events.last(), Some(Event::Closed(..))), "{on:?} {act:?}: {events:?}");
            if matches!(act, Act::Abort) && on != On::Closed {
                assert_eq!(events.last(), Some(&Event::Closed(p.id, CloseReason::Aborted)), "{on:?}");
            }
            p.out.clear();
        }
    }
}

#[test]
fn abort_and_close_are_allowed_in_connected() {
    for act in [Act::Abort, Act::Close] {
        let mut p = Peer::new();
        p.on(On::Connected, act.clone());
        p.connect();
        p.send(syn_ack(1));
        let got = p.recv();
        assert_eq!(
            (got.flags.rst(), got.flags.fin()),
            match act {
                Act::Abort => (true, false),
                _ => (false, true),
            }
        );
        p.out.clear();
    }
}

#[test]
fn opening_another_connection_is_allowed_in_every_callback() {
    for on in [On::Accepted, On::Data, On::Writable, On::Timer, On::Eof, On::Closed] {
        let mut p = Peer::with(|c| c.tcp.send_buffer = 4096);
        let to = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 9999);
        p.on(on, Act::Connect(to));
        all_callbacks(&mut p);
        p.out.clear();
        assert_eq!(p.stack.conns(), 1, "{on:?}");
    }
    // where one has failed, too
    let mut p = Peer::new();
    let to = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 9999);
    p.on(On::Failed, Act::Connect(to));
    p.connect();
    p.send(rst(0).flags(RST_ACK).ack_of(1));
    p.flow.port = 9999;
    p.expect_syn();
}

#[test]
fn the_timer_fires_once_at_its_time_and_may_be_set_again() {
    let mut p = Peer::established();
    p.events();
    let (id, now) = (p.id, p.now);
    p.net(|net| net.arm(id, Some(now + Duration::from_millis(500))));
    p.net(|net| net.arm(id, Some(now + Duration::from_millis(100)))); // sooner
    p.run();
    p.advance(99);
    assert_eq!(p.events(), []);
    p.advance(3);
    assert_eq!(p.events(), [Event::Timer(id)]);
    p.advance(1000);
    assert_eq!(p.events(), []);
    let now = p.now;
    p.net(|net| net.arm(id, Some(now + Duration::from_millis(100))));
    p.net(|net| net.arm(id, Some(now + Duration::from_millis(300)))); // later
    p.run();
    p.advance(250);
    assert_eq!(p.events(), []);
    p.advance(52);
    assert_eq!(p.events(), [Event::Timer(id)]);
    p.net(|net| net.arm(id, Some(now + Duration::from_secs(1))));
    p.net(|net| net.arm(id, None));
    p.run();
    p.advance(2000);
    assert_eq!(p.events(), []);
}

#[test]
fn after_close_no_callback_but_closed() {
    let mut p = Peer::established_with(|c| c.tcp.send_buffer = 4096);
    let (id, now) = (p.id, p.now);
    p.net(|net| {
        net.arm(id, Some(now + Duration::from_millis(10)));
        net.send(id, &bytes(5000)).expect("to write");
        net.close(id);
    });
    p.run();
    p.events();
    p.advance(20);
    p.drain();
    p.send(ack(1, 4098));
    p.send(fin(1, 4098));
    assert_eq!(p.events(), [Event::Closed(id, CloseReason::Finished)]);
    p.drain();
}

#[test]
fn resume_inside_data_is_not_lost() {
    let mut p = Peer::established();
    p.take(Take::AtMost(2));
    p.on(On::Data, Act::Resume);
    p.send(data(1, 1, b"hello"));
    assert_eq!(p.read(), b"hello");
}

#[test]
fn echoing_in_data_and_closing_at_eof_is_a_whole_service() {
    let mut p = Peer::established();
    p.on(On::Data, Act::Send(b"pong".to_vec()));
    p.on(On::Eof, Act::Close);
    p.send_all([data(1, 1, b"ping"), data(5, 1, b"ping"), fin(9, 1)]);
    let got = p.recv();
    assert_eq!((got.flags, got.text.as_slice(), got.ack), (FIN_PSH_ACK, &b"pongpong"[..], 10));
    p.send(ack(10, 10));
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn listening_says_what_is_wrong() {
    let mut p = Peer::new();
    p.net(|net| {
        assert!(matches!(net.listen(Listen::on(6653)), Err(ListenError::InUse(6653))));
        assert!(matches!(net.listen(Listen::on(0)), Err(ListenError::BadAddress(_))));
        let at = |ip| Listen { address: Some(IpAddr::V4(ip)), ..Listen::on(7000) };
        assert!(matches!(net.listen(at(Ipv4Addr::new(10, 0, 0, 9))), Err(ListenError::BadAddress(_))));
        assert!(net.listen(at(STACK_IP)).is_ok());
        let any = Listen { port: 7001, ..at(Ipv4Addr::UNSPECIFIED) };
        assert!(net.listen(any).is_ok());
    });
    for port in [7000, 7001] {
        p.flow.stack_port = port;
        p.open(syn());
        assert_eq!(p.app().infos[&p.id].local, SocketAddr::new(IpAddr::V4(STACK_IP), port));
    }
}

#[test]
fn connecting_to_nonsense_is_refused_at_once() {
    let mut p = Peer::new();
    // RFC 9293 3.9.1.1, MUST-46: multicasts, broadcasts (also our network's), and what no other host can have
    let bad = ["0.0.0.0:80", "10.0.0.2:0", "224.0.0.1:80", "255.255.255.255:80", "[::1]:80"];
    let more = ["10.0.0.255:80", "127.0.0.1:80", "240.0.0.1:80", "10.0.0.1:80", "0.1.2.3:80"];
    for to in bad.into_iter().chain(more) {
        let to: SocketAddr = to.parse().expect("an address");
        assert_eq!(p.net(|net| net.connect(to, ConnectOptions::default())), Err(NetError::BadAddress));
    }
    let to = p.address();
    let local = "10.0.0.77:5000".parse().ok();
    let options = ConnectOptions { local, token: 0 };
    assert_eq!(p.net(|net| net.connect(to, options)), Err(NetError::BadAddress));
}

#[test]
fn what_the_service_said_is_in_the_info() {
    let mut p = Peer::new();
    let local = "10.0.0.1:5000".parse().ok();
    p.connect_from(ConnectOptions { local, token: 1234 });
    assert_eq!(p.flow.stack_port, 5000);
    p.send(syn_ack(1));
    p.recv();
    let info = p.app().infos[&p.id];
    assert_eq!((info.token, info.local.port(), info.peer), (1234, 5000, p.address()));
}

#[test]
fn send_with_hands_out_contiguous_bytes_across_the_wrap() {
    let mut p = Peer::established_with(|c| c.tcp.send_buffer = 4096);
    let id = p.id;
    let mut sent = Vec::new();
    let mut got = Vec::new();
    for n in 0..20u8 {
        let len = 1000 + usize::from(n);
        p.net(|net| net.send_with(id, len, |buf| buf.fill(n))).expect("room");
        sent.extend(std::iter::repeat_n(n, len));
        p.run();
        for seg in p.drain() {
            got.extend_from_slice(&seg.text);
        }
        p.send(ack(1, 1 + got.len() as u32));
    }
    assert_eq!(got, sent);
}
