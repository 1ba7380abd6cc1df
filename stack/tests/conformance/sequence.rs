//! Sequence numbers of what arrives: RFC 9293 3.4, 3.10.7.4 first and fifth step; RFC 5961 4, 5; RFC 7323 5.

use crate::prelude::*;

#[test]
fn a_segment_before_the_window_is_acknowledged_and_dropped() {
    // RFC 9293 3.10.7.4 first step
    let mut p = Peer::established();
    p.send(data(1, 1, b"hello"));
    p.send(data(1, 1, b"HELLO"));
    p.expect(ACK, 1, 6, 0);
    p.quiet();
    assert_eq!(p.read(), b"hello");
    assert_eq!(p.counters().tcp_out_of_window, 1);
}

#[test]
fn a_segment_behind_the_window_is_acknowledged_and_dropped() {
    let mut p = Peer::established();
    p.send(data(65_536, 1, b"x"));
    p.expect(ACK, 1, 1, 0);
    assert_eq!(p.counters().tcp_out_of_window, 1);
    p.send(data(65_535, 1, b"x")); // the window's last byte
    p.expect(ACK, 1, 1, 0);
    assert_eq!((p.counters().tcp_out_of_window, p.counters().tcp_out_of_order), (1, 1));
}

#[test]
fn the_acceptability_test_by_length_and_window() {
    // RFC 9293 3.4, table 5: (length, window) zero or not
    let mut p = Peer::established();
    let cases = [
        (1, 0, true),       // RCV.NXT
        (0, 0, false),      // before
        (65_535, 0, true),  // the last in the window
        (65_536, 0, false), // the first behind it
        (0, 2, true),       // its last byte is in
        (0, 1, false),
    ];
    for (seq, len, inside) in cases {
        let before = p.counters().tcp_out_of_window;
        p.send(data(seq, 1, &bytes(2)[..len]));
        assert_eq!(p.counters().tcp_out_of_window == before, inside, "SEG.SEQ {seq}, SEG.LEN {len}");
    }
    p.drain();
}

#[test]
fn text_that_overlaps_the_left_edge_is_trimmed() {
    let mut p = Peer::established();
    p.send(data(1, 1, b"hello"));
    p.send(data(3, 1, b"llo world"));
    p.expect(ACK, 1, 12, 0); // something was wrong: at once
    assert_eq!(p.read(), b"hello world");
}

#[test]
fn text_that_overlaps_the_right_edge_is_trimmed() {
    let mut p = Peer::established_with(|c| c.tcp.recv_buffer = 4096);
    // the window is 4096 less one byte of rounding
    p.take(Take::Nothing);
    p.send_all([data(1, 1, &bytes(1460)), data(1461, 1, &bytes(1460)), data(2921, 1, &bytes(1460))]);
    let got = p.drain().pop().expect("an ACK");
    assert_eq!((got.ack, got.win), (4096, 0));
    p.take(Take::All);
    p.resume();
    assert_eq!(p.read(), [bytes(1460), bytes(1460), bytes(1175)].concat());
    p.drain();
}

#[test]
fn a_fin_behind_trimmed_text_is_not_seen() {
    let mut p = Peer::established_with(|c| c.tcp.recv_buffer = 4096);
    p.take(Take::Nothing);
    p.send_all([data(1, 1, &bytes(1460)), data(1461, 1, &bytes(1460))]);
    p.send(fin(2921, 1).text(&bytes(1300)));
    let got = p.drain().pop().expect("an ACK");
    assert_eq!((got.ack, got.win), (4096, 0));
    p.take(Take::All);
    p.resume();
    assert!(!p.events().contains(&Event::Eof(p.id)));
    p.drain();
    p.send(fin(4096, 1).text(&bytes(1300)[1175..]));
    assert!(p.events().contains(&Event::Eof(p.id)));
    p.expect(ACK, 1, 4222, 0);
}

#[test]
fn an_ack_of_what_was_never_sent_is_answered_and_dropped() {
    // RFC 9293 3.10.7.4 fifth step: SEG.ACK > SND.NXT
    let mut p = Peer::established();
    p.send(data(1, 2, b"x"));
    p.expect(ACK, 1, 1, 0);
    p.quiet();
    assert_eq!((p.read(), p.counters().tcp_bad_ack), (vec![], 1));
}

#[test]
fn an_old_ack_is_ignored_but_its_text_is_not() {
    // RFC 9293 3.10.7.4 fifth step: SEG.ACK =< SND.UNA "can be ignored"
    let mut p = Peer::established();
    p.write(b"abc");
    p.recv();
    p.send(ack(1, 4));
    p.send(data(1, 2, b"x"));
    assert_eq!(p.read(), b"x");
    p.quiet();
}

#[test]
fn an_ack_too_old_to_be_true_is_challenged() {
    // RFC 5961 5.2: below SND.UNA - MAX.SND.WND
    let mut p = Peer::new();
    p.open(syn().win(1000));
    for n in 0..3 {
        p.write(&bytes(1000));
        p.recv();
        p.send(ack(1, 1001 + n * 1000).win(1000));
    }
    p.send(data(1, 2001, b"old").win(1000)); // exactly MAX.SND.WND below
    assert_eq!(p.read(), b"old");
    p.send(data(4, 2000, b"evil").win(1000));
    p.expect(ACK, 3001, 4, 0);
    assert_eq!((p.read(), p.counters().tcp_challenge_ack), (vec![], 1));
}

#[test]
fn a_segment_without_ack_is_dropped() {
    // RFC 9293 3.10.7.4 fifth step
    let mut p = Peer::established();
    p.send(data(1, 0, b"x").flags(TcpFlags::NONE));
    p.quiet();
    assert_eq!(p.events(), [Event::Accepted(p.id)]);
}

#[test]
fn a_syn_in_every_synchronized_state_is_challenged() {
    // RFC 9293 3.10.7.4 fourth step, RFC 5961 4: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, whatever its number
    type Setup = fn(&mut Peer) -> (u32, u32);
    let states: [(&str, Setup); 6] = [
        ("ESTABLISHED", |_| (1, 1)),
        ("CLOSE-WAIT", |p| {
            p.send(fin(1, 1));
            (1, 2)
        }),
        ("FIN-WAIT-1", |p| {
            p.shutdown();
            (2, 1)
        }),
        ("FIN-WAIT-2", |p| {
            p.shutdown();
            p.send(ack(1, 2));
            (2, 1)
        }),
        ("CLOSING", |p| {
            p.shutdown();
            p.send(fin(1, 1));
            (2, 2)
        }),
        ("LAST-ACK", |p| {
            p.send(fin(1, 1));
            p.close();
            (2, 2)
        }),
    ];
    for (name, setup) in states {
        let mut p = Peer::established();
        let (seq, nxt) = setup(&mut p);
        p.drain();
        for at in [nxt, 0, 5000, 0x7000_0000] {
            for flags in [SYN, SYN_ACK] {
                p.send(syn().flags(flags).seq(at).ack_of(1));
                let got = p.recv();
                assert_eq!((got.flags, got.seq, got.ack), (ACK, seq, nxt), "{name}, SYN at {at}");
                p.quiet();
                p.advance(500);
                p.drain(); // a FIN again
            }
        }
        assert_eq!(p.stack.conns(), 1, "{name}");
    }
}

#[test]
fn a_connection_challenges_twice_a_second_at_most() {
    // RFC 5961 7; so the others' budget cannot be measured by one connection (CVE-2016-5696)
    let mut p = Peer::established();
    for ms in 0..1000 {
        match ms % 4 {
            0 => p.send(rst(100)),
            1 => p.send(syn().seq(5000)),
            2 => p.send(syn().seq(0x7000_0000)),
            _ => p.send(data(1, 5000, b"x")),
        }
        p.advance(1);
    }
    assert_eq!(p.drain().len(), 2);
    assert_eq!((p.counters().tcp_challenge_ack, p.counters().tcp_challenge_skipped), (2, 998));
    assert_eq!(p.read(), b"");
}

#[test]
fn a_forged_duplicate_from_before_the_window_acknowledges_nothing() {
    // RFC 5961 5: with data in flight, half of all sequence numbers would do
    let mut p = Peer::established();
    p.write(&bytes(1000));
    p.drain();
    p.send(data(0x9000_0000, 1001, b"x"));
    p.expect(ACK, 1001, 1, 0);
    assert_eq!(p.until_sent(5000), 200, "it is sent again");
    p.drain();
    // a real one may be as old as a window
    p.send(data(0u32.wrapping_sub(60_000), 1001, b"x"));
    p.drain();
    p.advance(3000);
    p.quiet();
}

#[test]
fn challenge_acks_of_all_connections_are_limited() {
    // RFC 5961 7; how many there are differs from second to second (CVE-2016-5696)
    let mut p = Peer::with(|c| c.tcp.challenge_acks = 20);
    let mut flows = Vec::new();
    for port in 1..=40 {
        p.switch(Flow::new(port));
        p.open(syn());
        flows.push(p.flow.clone());
    }
    p.advance(1000 - p.now.as_millis() % 1000);
    let mut budgets = Vec::new();
    for _ in 0..20 {
        p.out.clear();
        for flow in &flows {
            p.switch(flow.clone());
            p.send(rst(100));
        }
        budgets.push(p.out.len());
        p.advance(1000);
    }
    assert!(budgets.iter().all(|n| (10..=20).contains(n)), "{budgets:?}");
    assert!(budgets.iter().any(|n| *n != budgets[0]), "{budgets:?}");
    p.out.clear();
}

#[test]
fn paws_drops_an_old_timestamp_with_an_ack() {
    // RFC 7323 5.3 R1
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    let now = p.now.as_millis() as u32;
    let at = |ts: u32| ts.wrapping_add(now);
    p.flow.ts = None;
    let echo = p.flow.ts_echo;
    p.send(data(1, 1, b"a").ts(2000, echo));
    p.send(data(2, 1, b"b").ts(1999, echo));
    let got = p.expect(ACK, 1, 2, 0);
    assert_eq!(got.options.timestamps, Some((at(echo.wrapping_sub(now)), 2000)));
    assert_eq!(p.counters().tcp_paws, 1);
    p.send(data(2, 1, b"c").ts(2000, echo)); // as old as the last is not older
    assert_eq!(p.read(), b"ac");
}

#[test]
fn paws_compares_modulo_2_to_the_32() {
    let mut p = Peer::new();
    p.open(syn().ts(u32::MAX - 1, 0));
    p.flow.ts = None;
    let echo = p.flow.ts_echo;
    p.send(data(1, 1, b"a").ts(3, echo));
    p.send(data(2, 1, b"b").ts(u32::MAX, echo));
    assert_eq!((p.read(), p.counters().tcp_paws), (b"a".to_vec(), 1));
}

#[test]
fn a_connection_silent_for_24_days_forgets_the_timestamp() {
    // RFC 7323 5.5
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    p.flow.ts = None;
    let echo = p.flow.ts_echo;
    p.advance(23 * 24 * 3_600_000);
    p.send(data(1, 1, b"a").ts(999, echo));
    p.advance(2 * 24 * 3_600_000);
    p.drain();
    p.send(data(1, 1, b"b").ts(999, echo));
    assert_eq!(p.read(), b"b");
}

#[test]
fn ts_recent_comes_only_from_segments_at_the_left_edge() {
    // RFC 7323 4.3 (2): SEG.SEQ =< Last.ACK.sent
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    p.flow.ts = None;
    let echo = p.flow.ts_echo;
    p.send(data(101, 1, b"later").ts(1500, echo)); // behind a gap
    assert_eq!(p.recv().options.timestamps.map(|t| t.1), Some(1000));
    p.send(data(1, 1, &bytes(100)).ts(1400, echo));
    assert_eq!(p.recv().options.timestamps.map(|t| t.1), Some(1400));
    // a delayed ACK echoes the first segment it acknowledges, not the last (4.3, case A)
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    p.flow.ts = None;
    let echo = p.flow.ts_echo;
    p.send(data(1, 1, b"x").ts(1600, echo));
    p.send(data(2, 1, b"y").ts(1700, echo));
    p.advance(50);
    let got = p.expect(ACK, 1, 3, 0);
    assert_eq!(got.options.timestamps.map(|t| t.1), Some(1600));
}

#[test]
fn once_negotiated_every_segment_but_a_reset_needs_its_timestamp() {
    // RFC 7323 3.2
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    p.send(data(1, 1, b"x").bare());
    p.quiet();
    assert_eq!(p.counters().tcp_no_timestamp, 1);
    p.events();
    p.send(rst(1).bare());
    assert_eq!(p.events(), [Event::Closed(p.id, CloseReason::Reset)]);
}

#[test]
fn every_segment_carries_timestamps_that_grow_with_the_clock() {
    // RFC 7323 3.2, 5.4
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    p.write(b"a");
    let first = p.recv().options.timestamps.expect("timestamps");
    p.send(ack(1, 2));
    p.advance(1234);
    p.write(b"b");
    let second = p.recv().options.timestamps.expect("timestamps");
    assert_eq!(second.0.wrapping_sub(first.0), 1234);
    assert_eq!((first.1, second.1), (1000, 1000));
}

#[test]
fn timestamps_that_were_not_agreed_on_are_ignored() {
    // RFC 7323 3.2: neither echoed nor checked
    let mut p = Peer::established();
    for (n, value) in [5000, 4000].into_iter().enumerate() {
        let seq = 1 + 5 * n as u32;
        p.send(data(seq, 1, b"hello").ts(value, 0));
        p.until_sent(50);
        let got = p.recv();
        assert_eq!((got.ack, got.options.timestamps), (seq + 5, None));
    }
}

#[test]
fn the_timestamp_clock_has_an_offset_of_its_own_for_each_peer() {
    // RFC 7323 7.1: random, so that nobody learns our uptime
    let mut p = Peer::new();
    let values: Vec<u32> = (3..7)
        .map(|host| {
            p.switch(Flow { ip: std::net::Ipv4Addr::new(10, 0, 0, host), ..Flow::new(40_000) });
            p.open(syn().ts(1000, 0)).options.timestamps.expect("timestamps").0
        })
        .collect();
    for (n, value) in values.iter().enumerate() {
        assert!(value.abs_diff(p.now.as_millis() as u32) > 1000, "{values:?}");
        assert!(values[..n].iter().all(|other| value.abs_diff(*other) > 1000), "{values:?}");
    }
}

#[test]
fn unknown_options_are_skipped_and_impossible_ones_drop_the_segment() {
    // RFC 9293 3.1, MUST-6, MUST-7
    let mut p = Peer::established();
    let with_options = |p: &Peer, options: [u8; 4]| {
        let mut frame = p.frame(&data(1, 1, b"????x"));
        // the first four bytes of the text become options
        frame[14 + 20 + 12] = 6 << 4;
        frame[14 + 20 + 20..14 + 20 + 24].copy_from_slice(&options);
        let (src, dst) = (crate::peer::PEER_IP, crate::peer::STACK_IP);
        ferroflow_wire::tcp::fill_checksum(&mut frame[34..], src, dst).expect("a checksum");
        frame
    };
    for bad in [[254, 0, 0, 0], [254, 1, 0, 0], [8, 10, 0, 0], [1, 1, 1, 254]] {
        let frame = with_options(&p, bad);
        p.inject_frame(frame);
    }
    assert_eq!((p.counters().malformed_tcp, p.read()), (4, vec![]));
    let frame = with_options(&p, [254, 4, 9, 9]);
    p.inject_frame(frame);
    assert_eq!(p.read(), b"x");
    p.drain();
}

#[test]
fn two_ends_that_disagree_do_not_answer_each_other_for_ever() {
    // RFC 9293 3.10.7.4 first step asks for an ACK each time; for what is an ACK itself, twice a second is enough
    let mut p = Peer::established();
    for _ in 0..5 {
        p.send(ack(0x5000_0000, 1));
        p.advance(10);
    }
    p.expect(ACK, 1, 1, 0);
    p.quiet();
    for _ in 0..3 {
        p.send(data(0x5000_0000, 1, b"x")); // text always is answered
        p.expect(ACK, 1, 1, 0);
    }
    p.advance(500);
    p.send(ack(0x5000_0000, 1));
    p.expect(ACK, 1, 1, 0);
}

#[test]
fn a_peer_that_begins_anew_without_timestamps_is_challenged() {
    // RFC 5961 4 goes before RFC 7323 3.2: or it could not connect before our side times out
    let mut p = Peer::new();
    p.open(syn().ts(1000, 0));
    p.send(syn().seq(7).bare());
    p.expect(ACK, 1, 1, 0);
    p.send(rst(1).bare());
    assert_eq!(p.stack.conns(), 0);
}

#[test]
fn what_lies_half_the_space_away_does_not_cover_the_window() {
    // RFC 9293 3.4: comparison modulo 2^32; such a segment's ACK was believed
    let mut p = Peer::established();
    p.write(&bytes(1000));
    p.drain();
    for distance in [0x7fff_0100, 0x8000_0000, 0x8000_ff00u32] {
        p.send(data(1u32.wrapping_sub(distance), 501, b"x"));
        p.expect(ACK, 1001, 1, 0);
    }
    assert_eq!(p.counters().tcp_out_of_window, 3);
    p.send(ack(1, 1001));
}
