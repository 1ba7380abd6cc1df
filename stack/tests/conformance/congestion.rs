//! Congestion control with a peer that has no SACK: RFC 5681, RFC 6582 (NewReno), RFC 3042, RFC 6928.

use crate::prelude::*;

const MSS: u32 = 1460;

/// A connection with `n` bytes written, of which the initial window of 10 segments is out.
fn writing(n: usize) -> Peer {
    let mut p = Peer::new();
    p.open(syn().wscale(7));
    p.write(&bytes(n));
    p.expect_burst(1, 1460, 10);
    p
}

/// The same with NewReno instead of CUBIC: half the window is lost to a loss.
fn writing_with_newreno(n: usize) -> Peer {
    let mut p = Peer::with(|c| {
        c.tcp.congestion = ferroflow_stack::tcp::Algorithm::NewReno;
        c.tcp.f_rto = false; // what is acknowledged after a time-out is not what was late
        c.tcp.mtu_probing = ferroflow_stack::tcp::mtu::MtuProbing::Off;
    });
    p.open(syn().wscale(7));
    p.write(&bytes(n));
    p.expect_burst(1, 1460, 10);
    p
}

fn seg(n: u32) -> u32 {
    1 + n * MSS
}

#[test]
fn the_initial_window_is_ten_segments_but_not_of_jumbo_size() {
    // RFC 6928 2: min(10 * MSS, max(2 * MSS, 14600))
    for (mtu, mss, first) in
        [(1500, 536, 5360), (1500, 1460, 14_600), (4040, 4000, 14_600), (9040, 9000, 18_000)]
    {
        let mut p = Peer::with_mtu(mtu);
        p.open(syn().mss(mss).wscale(7));
        p.write(&bytes(100_000));
        let all: usize = p.drain().iter().map(|s| s.text.len()).sum();
        // in whole segments
        assert_eq!(all, first / usize::from(mss) * usize::from(mss), "MSS {mss}");
    }
}

#[test]
fn slow_start_grows_by_what_is_acknowledged() {
    // RFC 5681 3.1 (2): one segment for each acknowledged; RFC 3465: also for one that tells of many
    let mut p = writing(100_000);
    p.send(ack(1, seg(1)));
    p.expect_burst(seg(10), 1460, 2);
    p.send(ack(1, seg(3)));
    p.expect_burst(seg(12), 1460, 4);
    p.send(ack(1, seg(8)));
    p.expect_burst(seg(16), 1460, 10);
    p.send(ack(1, seg(18)));
    p.expect_burst(seg(26), 1460, 20);
}

#[test]
fn congestion_avoidance_grows_by_one_segment_a_round_trip() {
    // RFC 5681 3.1 (3): after a time-out ssthresh is half of what was in flight
    let mut p = writing_with_newreno(200_000);
    p.until_sent(500);
    p.expect_burst(1, 1460, 1); // ssthresh = 5 segments
    let mut acked = 0;
    let mut windows = Vec::new();
    let mut out = 1;
    for _ in 0..9 {
        // one round trip: everything in flight is acknowledged
        let mut sent = 0;
        let flight = out;
        while out > 0 {
            acked += 1;
            out -= 1;
            p.send(ack(1, seg(acked)));
            sent += p.drain().len() as u32;
        }
        windows.push(flight);
        out = sent;
    }
    assert_eq!(windows[..3], [1, 2, 4]); // slow start
    for pair in windows[4..].windows(2) {
        assert!(pair[1] - pair[0] <= 1, "{windows:?}");
    }
    assert!(windows[8] > windows[4], "{windows:?}");
    assert!((5..=6).contains(&windows[3]), "{windows:?}");
}

#[test]
fn the_third_duplicate_ack_retransmits() {
    // RFC 5681 3.2
    let mut p = writing(14_600);
    p.send(ack(1, 1));
    p.send(ack(1, 1));
    p.quiet();
    p.send(ack(1, 1));
    p.expect(ACK, 1, 1, 1460);
    p.quiet();
    assert_eq!(p.counters().tcp_reno_recovery, 1);
    p.send(ack(1, seg(10)));
    p.write(&bytes(50_000));
    // RFC 6582 3.2 step 3 (1): min(ssthresh, max(FlightSize, SMSS) + SMSS) = 2 segments
    p.expect_burst(seg(10), 1460, 2);
}

#[test]
fn the_first_two_duplicates_let_new_segments_go() {
    // RFC 3042 2
    let mut p = writing(100_000);
    p.send(ack(1, 1));
    p.expect_burst(seg(10), 1460, 1);
    p.send(ack(1, 1));
    p.expect_burst(seg(11), 1460, 1);
    p.send(ack(1, 1));
    p.expect_burst(1, 1460, 1);
    assert_eq!(p.counters().tcp_reno_recovery, 1);
}

#[test]
fn duplicates_in_fast_recovery_let_new_segments_go_in_proportion() {
    // RFC 6937 3.1: ssthresh is 5 segments and 12 are out, so not even every second duplicate sends one
    let mut p = writing_with_newreno(100_000);
    for _ in 0..3 {
        p.send(ack(1, 1));
    }
    p.drain();
    // RFC 5681 3.2 step 2: half of the ten; what limited transmit has added does not count
    let id = p.id;
    assert_eq!(p.net(|net| net.tcp_info(id).expect("a connection").snd_ssthresh), 5);
    let mut sent = 0;
    for n in 0..8 {
        p.send(ack(1, 1));
        sent += p.drain().len();
        assert!(sent <= n / 2 + 2, "{sent} after {} duplicates", n + 1);
    }
    assert!(sent >= 3, "{sent}");
}

#[test]
fn a_partial_ack_retransmits_the_next_hole() {
    // RFC 6582 3.2 step 3 (2)
    let mut p = writing(14_600);
    for _ in 0..3 {
        p.send(ack(1, 1));
    }
    p.expect(ACK, 1, 1, 1460);
    p.send(ack(1, seg(4)));
    p.expect(ACK, seg(4), 1, 1460);
    p.quiet();
    p.send(ack(1, seg(7)));
    p.expect(ACK, seg(7), 1, 1460);
    p.send(ack(1, seg(10)));
    p.quiet();
    assert_eq!((p.counters().tcp_reno_recovery, p.counters().tcp_partial_ack), (1, 2));
    assert_eq!(p.counters().tcp_timeouts, 0);
}

#[test]
fn what_is_no_duplicate_ack() {
    // RFC 5681 2: with text, with another window, with a FIN, with nothing outstanding
    let mut p = writing(14_600);
    for n in 0..4 {
        p.send(ack(1, 1).win(60_000 - n)); // window updates
        p.send(data(1 + n as u32, 1, b"x").win(60_000 - n)); // text
    }
    p.advance(60);
    p.drain();
    assert_eq!(p.counters().tcp_reno_recovery, 0);
    p.send(ack(5, seg(10)));
    for _ in 0..5 {
        p.send(ack(5, seg(10)));
    }
    assert_eq!(p.counters().tcp_reno_recovery, 0);
    p.quiet();
}

#[test]
fn duplicates_after_a_time_out_do_not_start_recovery_again() {
    // RFC 6582 4
    let mut p = writing(14_600);
    p.until_sent(500);
    p.expect_burst(1, 1460, 1);
    p.send(ack(1, seg(1)));
    p.expect_burst(seg(1), 1460, 2);
    for _ in 0..5 {
        p.send(ack(1, seg(1)));
    }
    assert_eq!(p.counters().tcp_reno_recovery, 0);
}

#[test]
fn a_time_out_halves_only_once_for_the_same_loss() {
    // RFC 5681 3.1 (4)
    let mut p = writing_with_newreno(200_000);
    for _ in 0..4 {
        p.until_sent(5000);
        p.expect_burst(1, 1460, 1);
    }
    // ssthresh is 5 segments, not 2: slow start goes up to there
    for n in 1..=4 {
        p.send(ack(1, seg(n)));
        p.expect_burst(seg(2 * n - 1), 1460, 2);
    }
    // cwnd = 5 now, and in congestion avoidance
    p.send(ack(1, seg(5)));
    p.expect_burst(seg(9), 1460, 1);
}

#[test]
fn after_an_idle_time_the_window_starts_again() {
    // RFC 5681 4.1
    let mut p = writing(14_600 * 4);
    let mut acked = 0;
    while acked < 40 {
        acked += 2;
        p.send(ack(1, seg(acked)));
        p.drain();
    }
    p.advance(5000);
    p.write(&bytes(100_000));
    p.expect_burst(seg(40), 1460, 10);
}

#[test]
fn a_window_that_the_application_does_not_fill_does_not_grow() {
    let mut p = Peer::new();
    p.open(syn().wscale(7));
    for n in 0..100 {
        p.write(b"x");
        p.recv();
        p.send(ack(1, 2 + n));
    }
    p.write(&bytes(100_000));
    p.expect_burst(101, 1460, 10);
}
