use proptest::prelude::*;

use super::*;

const NOW: Instant = Instant::from_secs(100);
const SEQ: SeqNumber = SeqNumber(0xffff_ff00);

fn path(max: u16, probing: MtuProbing) -> PathMtu {
    let mut path = PathMtu::new(max);
    path.begin(max, None, probing);
    path
}

/// Searches on a path that carries `real`; returns how many probes that took.
fn search(path: &mut PathMtu, real: u16) -> u32 {
    let mut probes = 0;
    let mut seq = SEQ;
    while let Some(size) = path.next_probe() {
        probes += 1;
        let end = seq + u32::from(size);
        path.probe_sent(seq, end, size);
        if size <= real {
            assert!(path.acked(end, NOW));
        } else {
            path.probe_lost(NOW);
        }
        seq = end;
        assert!(probes < 100, "{path:?}");
    }
    probes
}

#[test]
fn a_claim_makes_segments_smaller_but_not_tiny() {
    let mut path = path(1460, MtuProbing::Off);
    assert_eq!(path.too_large(SEQ, 1460, NOW), Claim::Ignored);
    assert_eq!(path.too_large(SEQ, 1300, NOW), Claim::Believed(SEQ));
    assert_eq!(path.too_large(SEQ, 1400, NOW), Claim::Ignored, "never larger");
    assert_eq!(path.too_large(SEQ, 28, NOW), Claim::Believed(SEQ));
    assert_eq!(path.size(), FLOOR);
}

#[test]
fn a_claim_against_what_has_arrived_waits_for_a_time_out() {
    // RFC 5927 7.2
    let mut path = path(1460, MtuProbing::Off);
    path.sent(SEQ + 1460, 1460);
    assert!(!path.acked(SEQ + 1460, NOW));
    let next = SEQ + 1460;
    assert_eq!(path.too_large(next, 600, NOW), Claim::Pending);
    assert_eq!(path.size(), 1460);
    // the segment arrives: the claim was false
    path.acked(next + 1460, NOW);
    assert_eq!(path.timed_out(next + 1460, 1460, 1, MtuProbing::Off, NOW), None);
    // it does not: it was true
    assert_eq!(path.too_large(next + 1460, 600, NOW), Claim::Pending);
    assert_eq!(path.timed_out(next + 1460, 1460, 1, MtuProbing::Off, NOW), Some(600));
    assert_eq!(path.size(), 600);
}

#[test]
fn a_claim_is_forgotten_after_ten_minutes() {
    // RFC 1191 6.3
    let mut path = path(1460, MtuProbing::Off);
    path.too_large(SEQ, 1300, NOW);
    assert!(!path.aged(false, NOW + Duration::from_secs(599)));
    assert!(path.aged(false, NOW + MAX_AGE));
    assert_eq!(path.size(), 1460);
    assert!(!path.aged(false, NOW + MAX_AGE * 10));
    // with probing, it is tried out first
    path.too_large(SEQ, 1300, NOW);
    assert!(!path.aged(true, NOW + MAX_AGE));
    assert_eq!((path.size(), path.next_probe()), (1300, Some(1460)));
}

#[test]
fn what_another_connection_has_found_is_begun_with() {
    let mut path = PathMtu::new(1460);
    path.begin(1460, Some((1300, NOW)), MtuProbing::Always);
    assert_eq!((path.size(), path.next_probe()), (1300, None));
    assert!(path.aged(false, NOW));
    path.begin(1200, Some((1300, NOW)), MtuProbing::Off);
    assert_eq!(path.size(), 1200, "the peer takes less than the path");
    path.begin(1460, Some((40, NOW)), MtuProbing::Off);
    assert_eq!(path.size(), FLOOR);
    path.begin(300, Some((200, NOW)), MtuProbing::Off);
    assert_eq!(path.size(), 300);
}

#[test]
fn a_black_hole_is_three_time_outs_of_large_segments() {
    let mut hole = path(1460, MtuProbing::BlackHole);
    for times in 1..3 {
        assert_eq!(hole.timed_out(SEQ, 1460, times, MtuProbing::BlackHole, NOW), None);
    }
    assert_eq!(
        hole.timed_out(SEQ, 900, 3, MtuProbing::BlackHole, NOW),
        None,
        "a small one is not lost for its size"
    );
    assert_eq!(hole.timed_out(SEQ, 1460, 3, MtuProbing::Off, NOW), None);
    assert_eq!(hole.timed_out(SEQ, 1460, 3, MtuProbing::BlackHole, NOW), Some(BASE));
    assert_eq!(hole.timed_out(SEQ, 1024, 5, MtuProbing::BlackHole, NOW), None);
    assert_eq!(hole.timed_out(SEQ, 1024, 6, MtuProbing::BlackHole, NOW), Some(FLOOR));
    assert_eq!(hole.timed_out(SEQ, 512, 9, MtuProbing::BlackHole, NOW), None);
}

#[test]
fn the_search_finds_what_the_path_carries() {
    for max in [600, 1024, 1025, 1460, 8960, 65_495] {
        for real in (BASE..=max).step_by(7).chain([max]) {
            let mut path = path(max, MtuProbing::Always);
            let probes = search(&mut path, real);
            let off = real.min(max) - path.size();
            assert!(path.size() <= real.max(max.min(BASE)) && off < CLOSE, "{max} {real}: {}", path.size());
            // three of each size that is too large
            assert!(probes <= 3 * 17, "{max} {real}: {probes}");
            assert_eq!(path.take_found().is_some(), path.size() < max, "{max} {real}");
            assert_eq!(path.next_probe(), None);
        }
    }
}

#[test]
fn an_outage_costs_one_probe() {
    let mut path = path(1460, MtuProbing::BlackHole);
    assert_eq!(path.timed_out(SEQ, 1460, 3, MtuProbing::BlackHole, NOW), Some(BASE));
    assert_eq!(search(&mut path, 1460), 1);
    assert_eq!((path.size(), path.take_found()), (1460, None));
    assert!(!path.aged(true, NOW + MAX_AGE * 2), "nothing is left to be tried");
}

#[test]
fn a_claim_about_a_probe_ends_the_search() {
    let mut path = path(1460, MtuProbing::Always);
    path.probe_sent(SEQ, SEQ + 1460, 1460);
    assert_eq!(path.too_large(SEQ - 5, 1400, NOW), Claim::Ignored, "not about the probe");
    assert_eq!(path.too_large(SEQ + 5, 1400, NOW), Claim::Probe(SEQ, SEQ + 1460));
    assert_eq!((path.size(), path.next_probe(), path.probe()), (1400, None, None));
}

#[test]
fn a_time_out_ends_a_probe_without_a_verdict() {
    let mut path = path(1460, MtuProbing::Always);
    path.probe_sent(SEQ, SEQ + 1460, 1460);
    assert_eq!(path.timed_out(SEQ, 1460, 1, MtuProbing::Always, NOW), None);
    assert_eq!((path.size(), path.next_probe()), (BASE, Some(1460)));
}

/// Whatever is claimed, lost, acknowledged and forgotten in whatever order.
#[derive(Debug, Clone)]
enum Step {
    TooLarge(u32, u16),
    TimedOut(u32),
    Send,
    Probe,
    Acked(u32),
    ProbeLost,
    Forget,
    Aged(bool, u64),
    Limit(u16),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..20_000u32, any::<u16>()).prop_map(|(seq, size)| Step::TooLarge(seq, size)),
        (1..10u32).prop_map(Step::TimedOut),
        Just(Step::Send),
        Just(Step::Probe),
        (0..5000u32).prop_map(Step::Acked),
        Just(Step::ProbeLost),
        Just(Step::Forget),
        (any::<bool>(), 0..700u64).prop_map(|(search, s)| Step::Aged(search, s)),
        (64..2000u16).prop_map(Step::Limit),
    ]
}

#[test]
fn a_claim_that_has_been_overtaken_makes_nothing_larger() {
    let mut path = PathMtu::new(1460);
    path.begin(1460, None, MtuProbing::Off);
    path.sent(SEQ + 1460, 1460);
    path.acked(SEQ + 1460, NOW);
    assert_eq!(path.too_large(SEQ + 1460, 1000, NOW), Claim::Pending);
    path.limit(900);
    assert_eq!(path.timed_out(SEQ + 1460, 900, 1, MtuProbing::Off, NOW), None);
    assert_eq!(path.size(), 900);
}

proptest! {
    #[test]
    fn sizes_stay_within_bounds(
        max in 64..9000u16,
        known in any::<Option<u16>>(),
        probing in prop_oneof![Just(MtuProbing::Off), Just(MtuProbing::BlackHole), Just(MtuProbing::Always)],
        steps in prop::collection::vec(any_step(), 1..200),
    ) {
        let mut path = PathMtu::new(max);
        path.begin(max, known.map(|size| (size, NOW)), probing);
        let (mut now, mut una, mut nxt, mut most) = (NOW, SEQ, SEQ, max);
        for step in steps {
            match step {
                Step::TooLarge(at, size) => {
                    let before = path.size();
                    let claim = path.too_large(una + at, size, now);
                    match claim {
                        Claim::Believed(seq) => prop_assert!(path.size() < before && seq == una + at),
                        Claim::Probe(..) => prop_assert!(path.size() >= before),
                        Claim::Ignored | Claim::Pending => prop_assert_eq!(path.size(), before),
                    }
                }
                Step::TimedOut(times) => {
                    let before = path.size();
                    if let Some(size) = path.timed_out(una, before, times, probing, now) {
                        prop_assert!(size < before && size == path.size());
                    }
                }
                Step::Send => {
                    nxt += u32::from(path.size());
                    path.sent(nxt, path.size());
                }
                Step::Probe => {
                    if let Some(size) = path.next_probe() {
                        prop_assert!(size > path.size() && size <= most, "{} {:?}", size, path);
                        path.probe_sent(nxt, nxt + u32::from(size), size);
                        nxt += u32::from(size);
                    }
                }
                Step::Acked(n) => {
                    una = (una + n).min(nxt);
                    path.acked(una, now);
                }
                Step::ProbeLost => path.probe_lost(now),
                Step::Forget => path.forget_probe(),
                Step::Aged(search, s) => {
                    now += Duration::from_secs(s);
                    path.aged(search && probing != MtuProbing::Off, now);
                }
                Step::Limit(size) => {
                    most = most.min(size);
                    path.limit(size);
                }
            }
            prop_assert!(path.size() <= most && path.size() >= most.min(FLOOR), "{:?}", path);
        }
    }
}
