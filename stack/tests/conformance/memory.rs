//! Memory of buffers: taken on demand, given back after silence, bounded per core.

use crate::prelude::*;

#[test]
fn what_is_read_at_once_takes_no_memory() {
    let mut p = Peer::established();
    for n in 0..50 {
        p.send(data(1 + n * 100, 1, &bytes(100)));
        assert_eq!(p.stack.memory(), 0);
    }
}

#[test]
fn a_silent_connection_gives_its_buffers_back() {
    let mut p = Peer::established();
    p.write(&bytes(3000));
    p.drain();
    p.send(ack(1, 3001));
    p.send(data(2001, 3001, &bytes(1000))); // behind a gap
    p.send(data(1, 3001, &bytes(2000)));
    p.drain();
    let held = p.stack.memory();
    assert!(held >= 4096 + 4096, "{held}");
    // Whatever happens puts it off.
    p.advance(4000);
    p.send(ack(3001, 3001));
    p.advance(4900);
    assert_eq!(p.stack.memory(), held);
    p.advance(200);
    assert_eq!((p.stack.memory(), p.counters().tcp_trimmed), (0, 1));
    p.quiet();
    // It goes on as before.
    p.write(b"again");
    p.expect(PSH_ACK, 3001, 3001, 5);
    assert!(p.stack.memory() > 0);
}

#[test]
fn what_waits_for_its_reader_or_its_peer_is_kept() {
    let mut p = Peer::established();
    p.take(Take::Nothing);
    let text = bytes(10_000);
    for n in 0..10 {
        p.send(data(1 + n * 1000, 1, &text[n as usize * 1000..][..1000]));
    }
    p.send(data(10_101, 1, b"later"));
    p.drain();
    let before = p.stack.memory();
    p.advance(60_000);
    assert!(p.counters().tcp_trimmed >= 1);
    assert!((10_000..=before).contains(&p.stack.memory()));
    p.take(Take::All);
    p.resume();
    assert_eq!(p.read(), text);
    p.send(data(10_001, 1, &bytes(100)));
    assert_eq!(p.read()[100..], *b"later");
}

#[test]
fn at_the_bound_data_behind_gaps_is_dropped_and_data_in_order_flows() {
    let mut p = Peer::with(|c| c.tcp.memory = 20_000);
    p.open(syn());
    // Behind a gap, until the bound is reached.
    for n in 0..40 {
        p.send(data(1001 + n * 1000, 1, &bytes(1000)));
    }
    p.drain();
    let held = p.stack.memory();
    assert!((20_000..40_000).contains(&held), "{held}");
    let dropped = p.counters().tcp_memory_short as u32;
    assert!((1..40).contains(&dropped), "{dropped}");
    let first = p.id;
    // Another connection has in-order data, and none behind a gap.
    let flow = p.switch(Flow::new(2));
    p.open(syn());
    p.send(data(1, 1, &bytes(1000)));
    p.send(data(2001, 1, &bytes(1000)));
    p.send(data(1001, 1, &bytes(1000)));
    assert_eq!(p.read().len(), 2000);
    assert_eq!(p.counters().tcp_memory_short, u64::from(dropped) + 1);
    p.drain();
    // The first one's gap is filled: everything that was kept is in order now, and what was dropped comes again.
    p.switch(flow);
    p.id = first;
    p.send(data(1, 1, &bytes(1000)));
    let kept = 1 + (40 - dropped + 1) * 1000;
    p.expect(ACK, 1, kept, 0);
    for n in 0..dropped {
        p.send(data(kept + n * 1000, 1, &bytes(1000)));
    }
    p.advance(10_000);
    assert_eq!((p.read().len(), p.stack.memory()), (41_000, 0));
}

/// The window at the end of a flow that comes in rounds of 80 segments, all of which are read at once.
fn window_after_a_flow(memory: usize) -> u32 {
    let mut p = Peer::with(|c| c.tcp.memory = memory);
    p.open(syn().wscale(7));
    let (mut next, mut window) = (1, 0);
    for round in 0..200 {
        // The window of a SYN is not scaled: 65,535 bytes at first.
        let segments = if round == 0 { 40 } else { 80 };
        p.send_all((0..segments).map(|n| data(next + n * 1460, 1, &bytes(1460))));
        next += segments * 1460;
        p.advance(20);
        let last = p.drain().pop().expect("an acknowledgement");
        assert_eq!(last.ack, next, "everything flows");
        window = u32::from(last.win);
    }
    assert_eq!(p.stack.memory(), 0);
    window
}

#[test]
fn at_the_bound_no_window_grows() {
    let (free, bound) = (window_after_a_flow(1 << 30), window_after_a_flow(0));
    assert!(free > bound + bound / 2, "{free} without a bound, {bound} at it");
}

#[test]
fn what_is_written_before_the_next_hop_is_known_is_counted() {
    let mut p = Peer::new();
    p.answer_arp = false;
    let to = p.address();
    p.id = p.net(|net| net.connect(to, ConnectOptions::default())).expect("to connect");
    p.write(&bytes(3000));
    assert!(p.stack.memory() >= 3000, "{}", p.stack.memory());
}
