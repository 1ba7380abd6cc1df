//! Bounds: at each, one more is refused or dropped, and counted; what frees a place lets the next one in.

use crate::prelude::*;

fn backlog_of(n: u32) -> Peer {
    Peer::with_app(|c| c.tcp.syn_cookies = false, |app| app.listen[0].backlog = n)
}

fn send_syn(p: &mut Peer, port: u16) {
    p.switch(Flow::new(port));
    p.send(syn());
}

#[test]
fn the_backlog_bounds_half_open_connections() {
    let mut p = backlog_of(3);
    for port in 1..=3 {
        send_syn(&mut p, port);
        p.expect(SYN_ACK, 0, 1, 0);
    }
    send_syn(&mut p, 4);
    p.quiet();
    assert_eq!((p.stack.conns(), p.counters().tcp_backlog_full), (3, 1));
    // one is established: there is room again
    p.switch(Flow::new(1));
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(ack(1, 1));
    send_syn(&mut p, 4);
    p.expect(SYN_ACK, 0, 1, 0);
    send_syn(&mut p, 5);
    p.quiet();
    assert_eq!(p.counters().tcp_backlog_full, 2);
}

#[test]
fn a_half_open_connection_is_given_up_and_makes_room() {
    let mut p = backlog_of(1);
    send_syn(&mut p, 1);
    p.advance(59_000);
    send_syn(&mut p, 2);
    assert_eq!((p.stack.conns(), p.counters().tcp_backlog_full), (1, 1));
    p.advance(2000);
    assert_eq!((p.stack.conns(), p.counters().tcp_given_up), (0, 1));
    assert_eq!(p.events(), []);
    p.out.clear();
    send_syn(&mut p, 2);
    p.expect(SYN_ACK, 0, 1, 0);
}

#[test]
fn a_reset_half_open_connection_makes_room() {
    let mut p = backlog_of(1);
    send_syn(&mut p, 1);
    p.recv();
    p.send(rst(1));
    send_syn(&mut p, 2);
    p.expect(SYN_ACK, 0, 1, 0);
}

#[test]
fn the_table_bounds_all_connections() {
    let mut p = Peer::with(|c| c.tcp.max_conns = 2);
    for port in 1..=2 {
        p.switch(Flow::new(port));
        p.open(syn());
    }
    send_syn(&mut p, 3);
    p.quiet();
    assert_eq!((p.stack.conns(), p.counters().tcp_table_full), (2, 1));
    let to = p.address();
    assert_eq!(p.net(|net| net.connect(to, ConnectOptions::default())), Err(NetError::NoResources));
    p.abort();
    p.out.clear();
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
}

#[test]
fn a_connection_in_time_wait_takes_no_place_in_the_table() {
    let mut p = Peer::with(|c| c.tcp.max_conns = 1);
    for port in 1..=5 {
        p.switch(Flow::new(port));
        p.open(syn());
        p.close();
        p.recv();
        p.send(fin(1, 2));
        p.recv();
    }
    assert_eq!((p.stack.conns(), p.stack.time_waits()), (0, 5));
}

#[test]
fn the_number_of_listeners_is_bounded() {
    let mut p = Peer::new();
    p.net(|net| {
        for port in 1..1024 {
            net.listen(Listen::on(port)).expect("room");
        }
        assert!(net.listen(Listen::on(2000)).is_err());
    });
}

#[test]
fn a_flood_of_answers_is_dropped_at_the_outbox_and_counted() {
    let mut p = Peer::with(|c| {
        c.tcp.replies_per_second = 1_000_000;
        c.burst = 8192;
    });
    p.flow.stack_port = 80;
    for _ in 0..4000 {
        p.inject(syn());
    }
    p.run();
    let sent = p.out.len() as u64;
    p.out.clear();
    assert_eq!(sent + p.counters().tx_dropped, 4000);
    assert!(p.counters().tx_dropped > 0);
    p.send(syn());
    p.expect(RST_ACK, 0, 1, 0);
}

#[test]
fn no_buffer_to_send_loses_nothing() {
    // back-pressure: alloc() answers None for a while
    let mut p = Peer::new();
    p.open(syn().wscale(7));
    p.port().allocs = Some(3);
    p.write(&bytes(14_600));
    p.expect_burst(1, 1460, 3);
    assert!(!p.turn.more, "no busy loop");
    p.advance(20);
    p.quiet();
    p.port().allocs = None;
    p.advance(2);
    p.expect_burst(4381, 1460, 7);
    p.send(ack(1, 14_601));
    assert_eq!(p.counters().tcp_timeouts, 0);
}

#[test]
fn a_port_that_takes_nothing_loses_nothing() {
    let mut p = Peer::with(|c| c.burst = 4);
    p.open(syn().wscale(7));
    p.port().takes = Some(2);
    p.write(&bytes(14_600));
    p.expect_burst(1, 1460, 2);
    p.send(data(1, 1, b"hello")); // what arrives meanwhile is read
    assert_eq!(p.read(), b"hello");
    p.quiet();
    p.port().takes = Some(1);
    p.advance(2);
    p.expect_burst(2921, 1460, 1);
    p.port().takes = None;
    p.advance(2);
    let rest = p.drain();
    let mut seq = 4381;
    for seg in rest.iter().filter(|s| !s.text.is_empty()) {
        assert_eq!(seg.seq, seq);
        seq += seg.text.len() as u32;
    }
    assert_eq!(seq, 14_601);
}

#[test]
fn handshakes_acks_resets_and_probes_survive_a_port_without_buffers() {
    let mut p = Peer::new();
    p.port().allocs = Some(0);
    p.send(syn());
    p.quiet();
    p.port().allocs = None;
    p.advance(2);
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(ack(1, 1));
    p.adopt();
    p.port().allocs = Some(0);
    p.send(data(1, 1, &bytes(1460)));
    p.send(data(1461, 1, &bytes(1460)));
    p.port().allocs = None;
    p.advance(2);
    p.expect(ACK, 1, 2921, 0);
    p.port().allocs = Some(0);
    p.abort();
    p.port().allocs = None;
    p.advance(2);
    assert!(p.recv().flags.rst());
}

#[test]
fn one_busy_connection_does_not_starve_the_others() {
    // a budget of bytes per turn: the others' segments are among the first
    let mut p = Peer::with(|c| {
        c.send_budget = 2920;
        c.tcp.initial_window = 100;
    });
    p.open(syn().wscale(7));
    let busy = p.id;
    p.switch(Flow::new(41_000));
    p.open(syn());
    let small = p.id;
    p.net(|net| {
        net.send(busy, &bytes(100_000)).expect("room");
        net.send(small, b"hello").expect("room");
    });
    p.run();
    let place = p.out.iter().position(|(_, f)| f.ends_with(b"hello")).expect("it was sent");
    assert!(place <= 3, "{place}");
    p.out.clear();
}

#[test]
fn more_frames_than_a_burst_holds_are_all_taken() {
    let mut p = Peer::with(|c| c.burst = 4);
    p.open(syn());
    p.send_all((0..30).map(|n| data(1 + n * 100, 1, &bytes(100))));
    assert_eq!(p.read().len(), 3000);
    p.drain();
}

#[test]
fn a_thousand_connections_come_and_go_without_a_trace() {
    let mut p = Peer::new();
    let mut flows = Vec::new();
    for n in 0..1000 {
        p.switch(Flow::new(10_000 + n));
        p.open(syn());
        p.send(data(1, 1, b"hello"));
        flows.push((p.flow.clone(), p.id));
    }
    assert_eq!(p.stack.conns(), 1000);
    for (n, (flow, id)) in flows.into_iter().enumerate() {
        p.switch(flow);
        p.id = id;
        match n % 4 {
            0 => p.send(rst(6)),
            1 => p.abort(),
            2 => {
                p.close();
                p.send(fin(6, 2));
            }
            _ => {
                p.send(fin(6, 1));
                p.close();
                p.send(ack(7, 2));
            }
        }
        p.out.clear();
    }
    assert_eq!((p.stack.conns(), p.stack.memory(), p.stack.time_waits()), (0, 0, 250));
    assert_eq!((p.counters().tcp_accepted, p.counters().tcp_closed), (1000, 1000));
    p.advance(61_000);
    assert_eq!(p.stack.time_waits(), 0);
    assert_eq!(p.turn.next, None);
}
