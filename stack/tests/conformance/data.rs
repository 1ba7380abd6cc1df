//! Data, acknowledgements and reassembly: RFC 9293 3.8, 3.10.7.4 seventh step; RFC 5681 4.2; Nagle (RFC 9293 3.7.4).

use crate::prelude::*;

#[test]
fn an_acknowledgement_waits_40_ms_for_company() {
    // RFC 9293 3.8.6.3, MUST-40: less than 500 ms
    let mut p = Peer::established();
    p.send(data(1, 1, b"hello"));
    p.quiet();
    let ms = p.until_sent(500);
    assert!((40..43).contains(&ms), "{ms}");
    p.expect(ACK, 1, 6, 0);
    assert_eq!(p.counters().tcp_delayed_acks, 1);
    p.advance(1000);
    p.quiet();
}

#[test]
fn the_wait_counts_from_the_first_segment() {
    let mut p = Peer::established();
    p.send(data(1, 1, b"a"));
    p.advance(30);
    p.send(data(2, 1, b"b"));
    let ms = p.until_sent(500);
    assert!((10..13).contains(&ms), "{ms}");
    p.expect(ACK, 1, 3, 0);
}

#[test]
fn every_second_full_segment_is_acknowledged_at_once() {
    // RFC 9293 3.8.6.3, MUST-59 and RFC 5681 4.2
    let mut p = Peer::established();
    for n in 0..4 {
        p.send(data(1 + n * 1460, 1, &bytes(1460)));
        if n % 2 == 1 {
            p.expect(ACK, 1, 1 + (n + 1) * 1460, 0);
        }
        p.quiet();
    }
}

#[test]
fn with_timestamps_a_full_segment_is_12_bytes_smaller() {
    let mut p = Peer::new();
    p.open(syn().ts(1, 0));
    p.send(data(1, 1, &bytes(1448)));
    p.quiet();
    p.send(data(1449, 1, &bytes(1448)));
    p.expect(ACK, 1, 2897, 0);
}

#[test]
fn a_burst_of_full_segments_has_an_acknowledgement_for_every_second_but_not_more_than_eight() {
    // RFC 5681 4.2
    let mut p = Peer::established();
    p.send_all((0..8).map(|n| data(1 + n * 1460, 1, &bytes(1460))));
    for n in [2, 4, 6, 8] {
        p.expect(ACK, 1, 1 + n * 1460, 0);
    }
    p.quiet();
    p.send_all((8..40).map(|n| data(1 + n * 1460, 1, &bytes(1460))));
    for n in [12, 16, 20, 24, 28, 32, 36, 40] {
        p.expect(ACK, 1, 1 + n * 1460, 0);
    }
    p.quiet();
}

#[test]
fn data_carries_the_acknowledgement() {
    let mut p = Peer::established();
    p.on(On::Data, Act::Send(b"reply".to_vec()));
    p.send(data(1, 1, b"request"));
    assert_eq!(p.expect(PSH_ACK, 1, 8, 5).text, b"reply");
    p.advance(100);
    p.quiet();
    p.send(ack(8, 6));
}

#[test]
fn every_segment_behind_a_gap_is_acknowledged_at_once() {
    // RFC 5681 4.2: one ACK for each, so that the sender can count
    let mut p = Peer::established();
    p.send_all((1..5).map(|n| data(1 + n * 100, 1, &bytes(100))));
    for _ in 1..5 {
        p.expect(ACK, 1, 1, 0);
    }
    p.quiet();
    assert_eq!(p.counters().tcp_out_of_order, 4);
    // ... and so is what fills it
    p.send(data(1, 1, &bytes(100)));
    p.expect(ACK, 1, 501, 0);
    assert_eq!(p.read(), bytes(100).repeat(5));
}

#[test]
fn a_gap_filled_in_part_is_acknowledged_at_once() {
    let mut p = Peer::established();
    let text = bytes(400);
    p.send(data(301, 1, &text[300..]));
    p.send(data(101, 1, &text[100..200]));
    p.drain();
    let waiting = |p: &mut Peer| {
        let id = p.id;
        p.net(|net| net.tcp_info(id)).map(|info| info.ooo_bytes)
    };
    assert_eq!(waiting(&mut p), Some(200));
    p.send(data(1, 1, &text[..100]));
    p.expect(ACK, 1, 201, 0);
    assert_eq!(waiting(&mut p), Some(100));
    p.send(data(151, 1, &text[150..350])); // overlaps on both sides
    p.expect(ACK, 1, 401, 0);
    assert_eq!(p.read(), text);
}

#[test]
fn fin_out_of_order_waits_for_the_data_before_it() {
    let mut p = Peer::established();
    p.events();
    p.send(fin(11, 1).text(b"world"));
    p.expect(ACK, 1, 1, 0);
    p.send(fin(16, 1)); // again, without its text
    p.expect(ACK, 1, 1, 0);
    assert_eq!(p.events(), []);
    p.send(data(1, 1, b"hellohello"));
    p.expect(ACK, 1, 17, 0);
    let read = p.app().read(p.id);
    assert_eq!(read, b"hellohelloworld");
    assert_eq!(p.events().last(), Some(&Event::Eof(p.id)));
}

#[test]
fn a_fin_before_data_that_has_arrived_is_not_believed() {
    let mut p = Peer::established();
    p.send(data(11, 1, b"world"));
    p.send(fin(11, 1));
    p.send(data(1, 1, b"hellohello"));
    assert_eq!(p.read(), b"hellohelloworld");
    p.drain();
    p.send(data(16, 1, b"!"));
    assert_eq!(p.read(), b"!");
}

#[test]
fn data_behind_the_fin_is_dropped() {
    let mut p = Peer::established();
    p.send(fin(6, 1));
    p.send(data(6, 1, b"evil"));
    p.send(data(1, 1, b"hello"));
    assert_eq!(p.read(), b"hello");
    assert_eq!(p.counters().tcp_data_after_fin, 1);
    p.drain();
}

#[test]
fn too_many_gaps_drop_the_segment_and_nothing_else() {
    let mut p = Peer::established_with(|c| c.tcp.max_gaps = 4);
    let text = bytes(100);
    for n in 1..=5u32 {
        let at = n as usize * 10;
        p.send(data(1 + n * 10, 1, &text[at..at + 5]));
        p.expect(ACK, 1, 1, 0);
    }
    assert_eq!(p.counters().tcp_too_many_gaps, 1);
    p.send(data(1, 1, &text[..50]));
    p.expect(ACK, 1, 51, 0); // four pieces were kept, the fifth was not
    p.send(data(51, 1, &text[50..]));
    assert_eq!(p.read(), text);
}

#[test]
fn text_left_unread_is_offered_again_with_new_text_and_on_resume() {
    let mut p = Peer::established();
    p.take(Take::AtMost(2));
    p.send(data(1, 1, b"abcdef"));
    p.send(data(7, 1, b"gh"));
    p.resume();
    let taken: Vec<_> = p.events().into_iter().skip(1).collect();
    let want = [b"ab".to_vec(), b"cd".to_vec(), b"ef".to_vec()].map(|t| Event::Data(p.id, t));
    assert_eq!(taken, want);
    p.take(Take::All);
    p.resume();
    assert_eq!(p.read(), b"gh");
    p.resume(); // nothing is left: no callback
    assert_eq!(p.events(), []);
}

#[test]
fn the_last_segment_of_a_write_is_pushed() {
    // RFC 9293 3.9.1.2
    let mut p = Peer::established();
    p.write(&bytes(2000));
    p.expect(ACK, 1, 1, 1460);
    p.expect(PSH_ACK, 1461, 1, 540);
}

#[test]
fn without_nagle_small_writes_leave_at_once() {
    // RFC 9293 3.7.4: an application must be able to turn it off (MUST-17)
    let mut p = Peer::established();
    p.write(b"a");
    p.expect(PSH_ACK, 1, 1, 1);
    p.write(b"b");
    p.expect(PSH_ACK, 2, 1, 1);
}

#[test]
fn with_nagle_a_small_segment_waits_for_the_acknowledgement() {
    // RFC 9293 3.7.4
    let mut p = Peer::established_with(|c| c.tcp.nagle = true);
    p.write(b"a");
    p.expect(PSH_ACK, 1, 1, 1); // nothing was in flight
    p.write(b"b");
    p.write(b"c");
    p.quiet();
    p.write(&bytes(1460));
    p.expect(ACK, 2, 1, 1460); // a full segment does not wait
    p.quiet();
    p.send(ack(1, 1462));
    p.expect(PSH_ACK, 1462, 1, 2);
}

#[test]
fn with_nagle_fin_does_not_wait() {
    let mut p = Peer::established_with(|c| c.tcp.nagle = true);
    p.write(b"a");
    p.expect(PSH_ACK, 1, 1, 1);
    p.write(b"b");
    p.shutdown();
    p.expect(FIN_PSH_ACK, 2, 1, 1);
}

#[test]
fn writes_of_one_turn_share_segments() {
    let mut p = Peer::established();
    let id = p.id;
    p.net(|net| {
        for _ in 0..10 {
            net.send(id, &bytes(200)).expect("room");
        }
    });
    p.run();
    p.expect(ACK, 1, 1, 1460);
    p.expect(PSH_ACK, 1461, 1, 540);
}

#[test]
fn writable_follows_a_short_write_when_half_the_ring_is_free() {
    let mut p = Peer::established_with(|c| {
        c.tcp.send_buffer = 8192;
    });
    let id = p.id;
    p.events();
    let n = p.net(|net| net.send(id, &bytes(10_000))).expect("to write");
    assert_eq!((n, p.net(|net| net.room(id))), (8192, 0));
    assert_eq!(p.net(|net| net.send_with(id, 1, |_| ())), Err(NetError::Full));
    p.run();
    p.drain();
    p.send(ack(1, 4096));
    assert_eq!(p.events(), []);
    p.send(ack(1, 4097));
    assert_eq!(p.events(), [Event::Writable(id)]);
    p.send(ack(1, 8193));
    assert_eq!(p.events(), []);
}

#[test]
fn an_ack_in_an_old_duplicate_makes_writable_too() {
    let mut p = Peer::established_with(|c| c.tcp.send_buffer = 4096);
    let id = p.id;
    p.send(data(1, 1, b"hello"));
    p.net(|net| net.send(id, &bytes(5000))).expect("to write");
    p.run();
    p.drain();
    p.events();
    p.send(data(1, 4097, b"hello")); // the text is old, its acknowledgement is news
    assert_eq!(p.events(), [Event::Writable(id)]);
    p.expect(ACK, 4097, 6, 0);
}

#[test]
fn urgent_data_is_delivered_in_line() {
    // RFC 9293 3.8.5; RFC 6093 3: in line is what applications can rely on
    let mut p = Peer::established();
    p.send(data(1, 1, b"ab!cd").flags(PSH_ACK | TcpFlags::URG));
    assert_eq!(p.read(), b"ab!cd");
}

#[test]
fn segments_are_counted_both_ways() {
    let mut p = Peer::established();
    let counted = |p: &mut Peer| {
        let id = p.id;
        let info = p.net(|net| net.tcp_info(id)).expect("it is open");
        (info.segs_in, info.data_segs_in, info.segs_out, info.data_segs_out)
    };
    // the SYN,ACK and its ACK; the SYN is of no connection yet
    assert_eq!(counted(&mut p), (1, 0, 1, 0));
    p.send(data(1, 1, &bytes(500)));
    p.send(ack(501, 1));
    p.write(&bytes(2 * 1460));
    p.drain();
    assert_eq!(counted(&mut p), (3, 1, 3, 2));
    // one that is not acceptable is received all the same
    p.send(data(1, 1, &bytes(500)));
    p.drain();
    assert_eq!(counted(&mut p), (4, 1, 4, 2));
}
