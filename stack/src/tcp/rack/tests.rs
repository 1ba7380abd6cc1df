use super::*;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Instant {
    Instant::ZERO + ms(n)
}

fn seq(n: u32) -> SeqNumber {
    SeqNumber(n)
}

/// What was sent at a time and ends at `end` has arrived.
fn news(sent_at: u64, end: u32, again: bool) -> Delivered {
    let newest = Some(Newest { sent_at: at(sent_at), end: seq(end), again });
    Delivered { bytes: 1000, newest, lowest_once: (!again).then_some(seq(end)), ..Delivered::default() }
}

/// A connection over 100 ms.
fn rack() -> Rack {
    let mut rack = Rack::default();
    rack.sample(ms(100), at(100));
    rack.delivered(&news(0, 1000, false), seq(0), false, at(100));
    rack
}

fn path(sacked: u32, recovering: bool) -> Path {
    Path { recovering, sacked, mss: 1000, srtt: Some(ms(120)) }
}

#[test]
fn without_reordering_three_segments_or_a_repair_are_enough() {
    // RFC 8985 3.3.2 (1)
    let mut rack = rack();
    assert_eq!(rack.patience(&path(2000, false)), ms(125), "a quarter of the round trip");
    assert_eq!(rack.patience(&path(3000, false)), ms(100));
    assert_eq!(rack.patience(&path(0, true)), ms(100));
    // 6.2 step 3: a segment sent once arrives below what has arrived
    rack.delivered(&news(10, 2000, false), seq(5000), false, at(110));
    assert!(rack.reordering_seen());
    assert_eq!(rack.patience(&path(3000, false)), ms(125));
    assert_eq!(rack.patience(&path(0, true)), ms(125));
}

#[test]
fn three_small_segments_are_three_segments() {
    // RFC 8985 6.2 step 4: RACK.segs_sacked
    let mut rack = rack();
    rack.sacked();
    rack.sacked();
    assert_eq!(rack.patience(&path(200, false)), ms(125));
    rack.sacked();
    assert_eq!(rack.patience(&path(300, false)), ms(100));
    rack.follow(seq(1100));
    rack.sacked();
    assert_eq!(rack.patience(&path(100, false)), ms(125), "of those behind a new gap");
}

#[test]
fn the_window_grows_with_dsack_and_is_bounded_by_the_round_trip() {
    // RFC 8985 6.2 step 4
    let mut rack = rack();
    rack.dsack(seq(9000));
    assert_eq!(rack.patience(&path(0, false)), ms(150));
    rack.follow(seq(8999));
    rack.dsack(seq(20_000));
    assert_eq!(rack.patience(&path(0, false)), ms(150), "once a round trip");
    rack.follow(seq(9000));
    rack.dsack(seq(20_000));
    assert_eq!(rack.patience(&path(0, false)), ms(175));
    for n in 0..100 {
        rack.follow(seq(20_000 + n));
        rack.dsack(seq(20_001 + n));
    }
    assert_eq!(rack.patience(&path(0, false)), ms(100 + 120), "SRTT");
}

#[test]
fn the_window_is_narrow_again_after_sixteen_repairs() {
    let mut rack = rack();
    rack.dsack(seq(9000));
    for _ in 0..15 {
        rack.recovered();
    }
    assert_eq!(rack.patience(&path(0, false)), ms(150));
    rack.recovered();
    assert_eq!(rack.patience(&path(0, false)), ms(125));
}

#[test]
fn the_least_round_trip_is_forgotten_after_five_minutes() {
    let mut rack = rack();
    rack.sample(ms(200), at(1000));
    assert_eq!(rack.min_rtt(), Some(ms(100)));
    rack.sample(ms(200), at(300_100));
    assert_eq!(rack.min_rtt(), Some(ms(200)), "the path has become longer");
    rack.sample(ms(50), at(300_200));
    assert_eq!(rack.min_rtt(), Some(ms(50)));
}

#[test]
fn a_doubtful_retransmission_tells_nothing() {
    // RFC 8985 6.2 step 2: by timestamp, or because no round trip is that short
    let mut rack = rack();
    rack.delivered(&news(500, 3000, true), seq(1000), true, at(700));
    assert_eq!(rack.newest().map(|n| n.end), Some(seq(1000)));
    rack.delivered(&news(500, 3000, true), seq(1000), false, at(599));
    assert_eq!(rack.newest().map(|n| n.end), Some(seq(1000)));
    assert_eq!(rack.patience(&path(3000, false)), ms(100));
    rack.delivered(&news(500, 3000, true), seq(1000), false, at(610));
    assert_eq!(rack.newest().map(|n| n.end), Some(seq(3000)));
    assert_eq!(rack.patience(&path(3000, false)), ms(110));
}

#[test]
fn the_probe_waits_for_two_round_trips() {
    // RFC 8985 7.2
    assert_eq!(Tlp::timeout(None, false), ms(1000));
    assert_eq!(Tlp::timeout(Some(ms(100)), false), ms(200));
    assert_eq!(Tlp::timeout(Some(ms(100)), true), ms(400), "its acknowledgement may be delayed");
    assert_eq!(Tlp::timeout(Some(Duration::from_micros(50)), false), ms(10));
}

/// A probe of old data, everything sent ending at 3000.
fn probed() -> Tlp {
    let mut tlp = Tlp::default();
    tlp.measured();
    assert!(tlp.may_probe());
    tlp.sent(seq(3000), true);
    tlp
}

#[test]
fn a_probe_that_repairs_a_loss_is_congestion() {
    // RFC 8985 7.4.2: an acknowledgement beyond it, and no sign that both copies arrived
    let mut tlp = probed();
    assert!(!tlp.acked(seq(3000), false, false));
    assert!(tlp.acked(seq(4000), false, false));
    assert!(!tlp.acked(seq(5000), false, false), "once");
    for (dsack, duplicate) in [(true, false), (false, true)] {
        let mut tlp = probed();
        assert!(!tlp.acked(seq(3000), dsack, duplicate));
        assert!(!tlp.acked(seq(4000), false, false), "both arrived");
    }
    let mut tlp = Tlp::default();
    tlp.sent(seq(3000), false);
    assert!(!tlp.acked(seq(4000), false, false), "new data is no repair");
}

#[test]
fn between_two_probes_a_round_trip_is_measured() {
    // RFC 8985 7.3
    let mut tlp = Tlp::default();
    assert!(!tlp.may_probe(), "nor before the first");
    tlp.measured();
    tlp.sent(seq(3000), true);
    assert!(!tlp.may_probe());
    tlp.forget();
    assert!(!tlp.may_probe());
    tlp.measured();
    assert!(tlp.may_probe());
}

#[test]
fn a_retransmission_in_doubt_hides_no_other_segment() {
    // RFC 8985 6.2 step 2
    let mut rack = rack();
    let once = Newest { sent_at: at(150), end: seq(5000), again: false };
    let mut both = news(249, 3000, true);
    both.newest_once = Some(once);
    rack.delivered(&both, seq(1000), false, at(250));
    assert_eq!(
        rack.newest().map(|newest| newest.end),
        Some(seq(5000)),
        "1 ms is the answer to the first transmission"
    );
}

#[test]
fn a_round_that_is_over_never_seems_to_lie_ahead() {
    let mut rack = rack();
    rack.dsack(seq(9000));
    let mut una = seq(9000);
    for _ in 0..30 {
        una += 100_000_000;
        rack.follow(una);
    }
    rack.dsack(una + 1000);
    assert_eq!(rack.patience(&path(0, false)), ms(175), "a second round");
}
