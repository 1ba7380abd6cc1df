use proptest::prelude::*;

use super::*;

const MSS: u32 = 1000;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A path that loses nothing: each round trip delivers a window, one ACK per `stretch` segments, evenly spread.
struct Path {
    cc: Control,
    now: Instant,
    una: SeqNumber,
    rtt: Duration,
    limited: bool,
    stretch: u32,
}

impl Path {
    fn new(cc: Control, rtt: Duration) -> Path {
        Path {
            cc,
            now: Instant::from_secs(1),
            una: SeqNumber(u32::MAX - 5000),
            rtt,
            limited: true,
            stretch: 1,
        }
    }

    fn round(&mut self) {
        let mut left = self.cc.cwnd() / self.cc.mss();
        let step = self.rtt * self.stretch.min(left) / left;
        while left > 0 {
            let segments = left.min(self.stretch);
            left -= segments;
            self.now += step;
            let bytes = segments * self.cc.mss();
            self.una += bytes;
            let cwnd = self.cc.cwnd();
            self.cc.acked(&Acked {
                now: self.now,
                bytes,
                rtt: Some(self.rtt),
                srtt: Some(self.rtt),
                min_rtt: Some(self.rtt),
                limited: self.limited,
                una: self.una,
                nxt: self.una + (cwnd - bytes.min(cwnd)),
                flight: cwnd - bytes.min(cwnd),
            });
        }
    }

    /// Rounds for this long.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.round();
        }
    }

    /// A loss that recovery has repaired.
    fn lose(&mut self) {
        self.cc.congestion(self.now, self.cc.cwnd());
        self.cc.set_cwnd(self.cc.ssthresh());
    }

    fn segments(&self) -> f64 {
        f64::from(self.cc.cwnd()) / f64::from(self.cc.mss())
    }
}

/// Just after a loss at `cwnd` segments.
fn after_loss(algorithm: Algorithm, cwnd: u32, rtt: Duration) -> Path {
    let mut path = Path::new(Control::new(algorithm, MSS, 10), rtt);
    path.cc.set_cwnd(cwnd * MSS);
    path.lose();
    path
}

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected} +- {tolerance}");
}

#[test]
fn a_connection_carries_little_more() {
    assert!(size_of::<Control>() <= 160, "{}", size_of::<Control>());
}

#[test]
fn names() {
    for algorithm in [Algorithm::NewReno, Algorithm::Cubic] {
        assert_eq!(algorithm.name().parse(), Ok(algorithm));
        assert_eq!(Control::new(algorithm, MSS, 10).algorithm(), algorithm);
    }
    assert_eq!("bbr".parse::<Algorithm>(), Err(UnknownAlgorithm));
    assert_eq!(Algorithm::default(), Algorithm::Cubic);
}

#[test]
fn initial_windows_are_rfc_6928s() {
    for (mss, segments, cwnd) in [
        (1460, 10, 14_600),
        (536, 10, 5360),
        (4000, 10, 14_600),
        (9000, 10, 18_000),
        (1448, 1, 1448),
        (1460, 0, 1460),
    ] {
        let mut cc = Control::new(Algorithm::Cubic, 536, 4);
        cc.set_mss(mss, segments);
        assert_eq!(cc.cwnd(), cwnd, "{mss} {segments}");
        cc.syn_was_lost();
        assert_eq!(cc.cwnd(), mss);
    }
}

#[test]
fn a_new_mss_leaves_the_window_alone() {
    let mut cc = Control::new(Algorithm::Cubic, 1000, 10);
    cc.change_mss(500);
    assert_eq!((cc.mss(), cc.cwnd()), (500, 10_000));
    cc.set_cwnd(500);
    cc.change_mss(1400);
    assert_eq!(cc.cwnd(), 1400);
}

#[test]
fn slow_start_doubles_each_round() {
    for stretch in [1, 2, 8] {
        let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(50));
        path.stretch = stretch;
        for expected in [20.0, 40.0, 80.0, 160.0] {
            path.round();
            assert_eq!(path.segments(), expected);
        }
    }
}

#[test]
fn one_ack_adds_at_most_a_burst_and_one_segment_after_a_time_out() {
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 100), ms(50));
    path.stretch = 100;
    path.round();
    assert_eq!(path.segments(), 164.0);
    path.stretch = 44;
    path.cc.set_cwnd(400 * MSS);
    path.cc.timed_out(path.now, 400 * MSS, true);
    path.cc.set_cwnd(44 * MSS);
    path.round();
    assert_eq!(path.segments(), 45.0);
}

#[test]
fn slow_start_ends_at_the_threshold() {
    let mut path = after_loss(Algorithm::NewReno, 31, ms(50));
    path.cc.set_cwnd(9 * MSS);
    path.round();
    assert_eq!(path.segments(), 15.5);
    path.round();
    path.round();
    near(path.segments(), 17.0, 0.5);
}

#[test]
fn an_unused_window_does_not_grow() {
    for algorithm in [Algorithm::NewReno, Algorithm::Cubic] {
        let mut path = Path::new(Control::new(algorithm, MSS, 10), ms(10));
        path.limited = false;
        path.run(ms(500));
        assert_eq!((path.segments(), path.cc.ssthresh()), (10.0, u32::MAX));
        let mut path = after_loss(algorithm, 100, ms(10));
        let cwnd = path.segments();
        path.limited = false;
        path.run(ms(20_000));
        assert_eq!(path.segments(), cwnd);
    }
}

#[test]
fn newreno_adds_a_segment_a_round_whatever_the_acks() {
    for stretch in [1, 2, 7, 1000] {
        let mut path = after_loss(Algorithm::NewReno, 100, ms(50));
        path.stretch = stretch;
        assert_eq!(path.segments(), 50.0);
        for _ in 0..100 {
            path.round();
        }
        near(path.segments(), 150.0, 1.0);
    }
}

#[test]
fn newreno_counts_every_byte() {
    let mut cc = after_loss(Algorithm::NewReno, 100, ms(50)).cc;
    for _ in 0..78 {
        // 78 * 7 = 546, and from 50 to 60 it takes 50 + 51 + .. + 59 = 545
        assert!(cc.cwnd() < 60 * MSS);
        cc.acked(&Acked {
            now: Instant::ZERO,
            bytes: 7 * MSS,
            rtt: None,
            srtt: None,
            min_rtt: None,
            limited: true,
            una: SeqNumber(0),
            nxt: SeqNumber(0),
            flight: 0,
        });
    }
    assert_eq!(cc.cwnd(), 60 * MSS);
}

/// RFC 9438 4.2, written down once more: W_cubic in segments, t seconds after a loss at `w_max` from which `cwnd` is left.
fn w_cubic(w_max: f64, cwnd: f64, t: f64) -> f64 {
    let k = ((w_max - cwnd) / 0.4).powf(1.0 / 3.0);
    w_max + 0.4 * (t - k) * (t - k) * (t - k)
}

#[test]
fn cubic_follows_its_curve_over_a_long_path() {
    for (w_max, rtt) in [(1000, 100), (4000, 50), (1000, 200)] {
        for stretch in [1, 4] {
            let mut path = after_loss(Algorithm::Cubic, w_max, ms(rtt));
            path.stretch = stretch;
            let (start, w_max) = (path.now, f64::from(w_max));
            near(path.segments(), 0.7 * w_max, 0.001);
            for _ in 0..60 {
                path.run(ms(250));
                let t = path.now.since(start).as_secs_f64();
                // The window follows by acknowledgements: it may be a round trip late or early.
                let r = rtt as f64 / 1e3;
                let (low, high) = (w_cubic(w_max, 0.7 * w_max, t - r), w_cubic(w_max, 0.7 * w_max, t + r));
                let cwnd = path.segments();
                assert!(cwnd >= low - 1.0 && cwnd <= high + 1.0, "{t} s: {low} <= {cwnd} <= {high}");
            }
            assert!(path.segments() > w_max, "K is behind us");
        }
    }
}

#[test]
fn cubic_takes_up_a_new_segment_size() {
    let mut path = after_loss(Algorithm::Cubic, 1000, ms(100));
    path.round();
    path.cc.change_mss(MSS / 2);
    let (start, cwnd) = (path.now, path.segments());
    path.run(ms(5000));
    let t = path.now.since(start).as_secs_f64();
    near(path.segments(), w_cubic(2000.0, cwnd, t), 10.0);
}

#[test]
fn cubic_is_no_slower_than_reno_over_a_short_path() {
    for rtt in [Duration::from_micros(100), ms(1)] {
        let mut path = after_loss(Algorithm::Cubic, 100, rtt);
        for n in 1..=50 {
            path.round();
            near(path.segments(), 70.0 + f64::from(n) * 9.0 / 17.0, 0.6);
        }
        while path.segments() < 100.0 {
            path.round();
        }
        let before = path.segments();
        for _ in 0..50 {
            path.round();
        }
        near(path.segments(), before + 50.0, 1.5);
    }
}

#[test]
fn cubic_grows_by_half_a_round_at_most() {
    let mut path = after_loss(Algorithm::Cubic, 10, ms(100));
    path.run(ms(1000));
    path.limited = true;
    // A late ACK finds itself far up the curve.
    path.now += Duration::from_secs(1000);
    for _ in 0..5 {
        let before = path.segments();
        path.round();
        assert!(path.segments() <= before * 1.66, "{before} -> {}", path.segments()); // e^0.5 - 1 by compounding
        assert!(path.segments() >= before * 1.3);
    }
}

#[test]
fn cubics_clock_stands_still_while_the_window_is_not_used() {
    let mut busy = after_loss(Algorithm::Cubic, 1000, ms(100));
    busy.run(ms(3000));
    let mut paused = Path { cc: busy.cc, ..busy };
    paused.limited = false;
    paused.run(ms(60_000));
    paused.limited = true;
    busy.run(ms(3000));
    paused.run(ms(3000));
    near(paused.segments(), busy.segments(), 2.0);

    // Silence with so small a window that nothing is taken from it
    let mut busy = after_loss(Algorithm::Cubic, 12, ms(100));
    busy.run(ms(300));
    let mut silent = Path { cc: busy.cc, ..busy };
    silent.cc.idle_restart(100);
    silent.now += Duration::from_secs(60);
    busy.run(ms(2000));
    silent.run(ms(2000));
    near(silent.segments(), busy.segments(), 1.0);
}

#[test]
fn an_idle_connection_begins_with_the_initial_window_and_remembers() {
    for algorithm in [Algorithm::NewReno, Algorithm::Cubic] {
        let mut path = after_loss(algorithm, 100, ms(100));
        path.cc.set_cwnd(200 * MSS);
        path.cc.idle_restart(10);
        assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (10 * MSS, 150 * MSS));
        path.cc.set_cwnd(4 * MSS);
        path.cc.idle_restart(10);
        assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (4 * MSS, 150 * MSS));
    }
}

#[test]
fn reductions() {
    let now = Instant::from_secs(1);
    for (algorithm, at_100, at_2) in [(Algorithm::NewReno, 50, 2), (Algorithm::Cubic, 70, 2)] {
        let mut cc = Control::new(algorithm, MSS, 100);
        cc.congestion(now, 100 * MSS);
        assert_eq!((cc.cwnd(), cc.ssthresh()), (100 * MSS, at_100 * MSS));
        cc.congestion(now, 2 * MSS);
        assert_eq!(cc.ssthresh(), at_2 * MSS);
        let mut cc = Control::new(algorithm, MSS, 100);
        cc.timed_out(now, 100 * MSS, true);
        assert_eq!((cc.cwnd(), cc.ssthresh()), (MSS, at_100 * MSS));
        cc.timed_out(now, MSS, false);
        assert_eq!((cc.cwnd(), cc.ssthresh()), (MSS, at_100 * MSS));
    }
}

#[test]
fn after_a_time_out_the_curve_begins_at_its_own_window() {
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(100));
    path.cc.set_cwnd(1000 * MSS);
    path.cc.timed_out(path.now, 1000 * MSS, true);
    while path.cc.in_slow_start() {
        path.round();
    }
    near(path.segments(), 700.0, 1.0);
    let start = path.now;
    path.run(ms(8000));
    let t = path.now.since(start).as_secs_f64();
    // K = 0: 700 + 0.4 t^3, not the way back to 1000
    near(path.segments(), 700.0 + 0.4 * t.powi(3), 0.4 * 3.0 * t * t * 0.2);
}

#[test]
fn a_spurious_reduction_is_taken_back() {
    for algorithm in [Algorithm::NewReno, Algorithm::Cubic] {
        for timeout in [false, true] {
            let mut fine = after_loss(algorithm, 1000, ms(100));
            fine.run(ms(2000));
            let mut path = Path { cc: fine.cc, ..fine };
            let (cwnd, ssthresh) = (path.cc.cwnd(), path.cc.ssthresh());
            if timeout {
                path.cc.timed_out(path.now, cwnd, true);
                path.cc.timed_out(path.now, MSS, false);
            } else {
                path.lose();
            }
            path.cc.undo();
            assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (cwnd, ssthresh));
            path.cc.set_cwnd(cwnd / 2);
            path.cc.undo(); // once is enough
            assert_eq!(path.cc.cwnd(), cwnd / 2);
            path.cc.set_cwnd(cwnd);
            fine.run(ms(5000));
            path.run(ms(5000));
            near(path.segments(), fine.segments(), 2.0);
        }
    }
}

#[test]
fn a_reduction_that_was_outgrown_is_not_taken_back() {
    let mut path = after_loss(Algorithm::Cubic, 100, ms(10));
    while path.segments() <= 100.0 {
        path.round();
    }
    let (cwnd, ssthresh) = (path.cc.cwnd(), path.cc.ssthresh());
    path.cc.undo();
    assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (cwnd, ssthresh));
}

#[test]
fn silence_settles_a_reduction() {
    let mut path = after_loss(Algorithm::Cubic, 100, ms(10));
    path.cc.idle_restart(10);
    path.cc.undo();
    assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (10 * MSS, 70 * MSS));
}

#[test]
fn after_silence_cubic_climbs_to_the_former_window_by_another_stage() {
    let mut path = after_loss(Algorithm::Cubic, 1000, ms(100));
    path.run(ms(4000));
    path.cc.idle_restart(10);
    while path.cc.in_slow_start() {
        path.round();
    }
    let (start, cwnd) = (path.now, path.segments());
    path.run(ms(3000));
    let t = path.now.since(start).as_secs_f64();
    near(path.segments(), w_cubic(1000.0, cwnd, t), 8.0);
}

#[test]
fn another_algorithm_keeps_the_window() {
    let mut path = after_loss(Algorithm::Cubic, 100, ms(100));
    path.cc.set_algorithm(Algorithm::NewReno);
    assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (70 * MSS, 70 * MSS));
    path.round();
    near(path.segments(), 71.0, 0.0);
    path.cc.undo();
    assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (100 * MSS, u32::MAX));
}

#[test]
fn growing_round_trips_end_the_initial_slow_start() {
    for unit in [1000, 1001] {
        // by a clock of milliseconds, and by a better one
        let rtt = |ms: u32| Duration::from_micros(unit) * ms;
        let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), rtt(40));
        path.round();
        path.round();
        assert_eq!(path.segments(), 40.0);
        path.rtt = rtt(44); // a tenth is no sign: the threshold is an eighth
        path.round();
        assert_eq!(path.segments(), 80.0);
        // It is noticed at once or, if the round began with an ACK from before, in the next round.
        path.rtt = rtt(50);
        path.round();
        path.rtt = rtt(57);
        let before = path.segments();
        path.round();
        assert!(path.segments() < before * 1.4, "{before} -> {}", path.segments());
        let mut rounds = 1;
        while path.cc.in_slow_start() {
            let before = path.segments();
            path.round();
            assert!(path.segments() <= before * 1.25 + 1.0, "{before} -> {}", path.segments());
            rounds += 1;
        }
        assert!((4..=6).contains(&rounds), "{rounds}");
        assert!(path.cc.ssthresh() >= 98 * MSS);
        assert!(path.cc.ssthresh() <= path.cc.cwnd());
    }
}

/// `n` ACKs of a segment each, with ten in flight after each; returns by how much each lets the window grow.
fn growth(path: &mut Path, n: usize, rtt: Duration) -> Vec<u32> {
    let ack = |_| {
        let before = path.cc.cwnd();
        path.now += ms(1);
        path.una += MSS;
        path.cc.acked(&Acked {
            now: path.now,
            bytes: MSS,
            rtt: Some(rtt),
            srtt: Some(rtt),
            min_rtt: Some(rtt),
            limited: true,
            una: path.una,
            nxt: path.una + 10 * MSS,
            flight: 10 * MSS,
        });
        path.cc.cwnd() - before
    };
    (0..n).map(ack).collect()
}

/// RFC 9406 4.2: the window is updated first, and by the phase in which the ACK arrives; then it is judged.
#[test]
fn what_an_ack_shows_holds_from_the_next_one_on() {
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(40));
    let (full, slow) = (MSS, MSS / 4);
    assert_eq!(growth(&mut path, 11, ms(40)), [full; 11]); // the first round: it begins with its first ACK
    let eighth = [full, full, full, full, full, full, full, full, slow, slow];
    assert_eq!(growth(&mut path, 10, ms(60)), eighth);
    assert_eq!(growth(&mut path, 10, ms(40)), [slow, slow, slow, slow, slow, slow, slow, slow, full, full]);
    assert_eq!(growth(&mut path, 10, ms(60)), eighth);
    // That round was the first of five.
    assert_eq!(growth(&mut path, 39, ms(60)), [slow; 39]);
    assert_eq!(path.cc.ssthresh(), u32::MAX);
    assert_eq!(growth(&mut path, 1, ms(60)), [slow]);
    assert_eq!(path.cc.ssthresh(), path.cc.cwnd());
}

#[test]
fn round_trips_end_no_later_slow_start() {
    // RFC 9406 4.3: once there is a threshold it is the end
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(40));
    path.cc.congestion(path.now, 100 * MSS);
    path.cc.set_cwnd(MSS);
    for n in 0..6 {
        path.rtt = ms(40 + 20 * n);
        path.round();
    }
    assert_eq!(path.segments(), 64.0);
}

#[test]
fn a_passing_delay_does_not_end_it() {
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(40));
    path.round();
    path.rtt = ms(60);
    path.round();
    let slowed = path.segments();
    assert!(slowed < 40.0, "{slowed}");
    path.rtt = ms(40);
    for _ in 0..6 {
        path.round();
    }
    assert_eq!(path.cc.ssthresh(), u32::MAX);
    assert!(path.segments() > slowed * 40.0, "{}", path.segments());
}

#[test]
fn a_tick_of_a_coarse_clock_is_no_change() {
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(0));
    for n in 0..8 {
        path.rtt = ms(n % 2);
        path.round();
    }
    assert_eq!(path.segments(), 2560.0);
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(20));
    path.round();
    for n in 0..7 {
        path.rtt = ms(30 - n % 2); // a queue stands; the clock flickers
        path.round();
    }
    assert!(!path.cc.in_slow_start());
}

#[test]
fn a_round_does_not_outlast_the_sequence_space() {
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(40));
    path.round();
    path.round();
    path.una += 3 << 30; // while the window was not the limit
    path.round();
    path.rtt = ms(60);
    path.round();
    let before = path.segments();
    path.round();
    assert!(path.segments() < before * 1.4, "{before} -> {}", path.segments());
}

#[test]
fn round_trips_of_an_idle_connection_end_nothing() {
    let mut path = Path::new(Control::new(Algorithm::Cubic, MSS, 10), ms(1));
    path.limited = false;
    for n in 0..50 {
        path.rtt = ms(1 + n * 10);
        path.round();
    }
    assert_eq!((path.cc.cwnd(), path.cc.ssthresh()), (10 * MSS, u32::MAX));
}

#[derive(Debug, Clone)]
enum Call {
    SetMss(u32, u32),
    ChangeMss(u32),
    SetAlgorithm(bool),
    SynWasLost,
    Acked { wait: u64, bytes: u32, rtt: Option<u64>, limited: bool, una: u32, nxt: u32 },
    Congestion(u32),
    SetCwnd(u32),
    TimedOut(u32, bool),
    Undo,
    Idle(u32),
}

/// Any size, with the likely ones likelier.
fn size() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 1..3000u32, 1..10_000_000u32, any::<u32>(), Just(u32::MAX)]
}

fn call() -> impl Strategy<Value = Call> {
    let wait = prop_oneof![0..1_000_000u64, 0..1_000_000_000_000u64, any::<u64>()];
    let rtt = prop::option::of(prop_oneof![0..100_000_000u64, any::<u64>()]);
    let acked = (wait, size(), rtt, any::<bool>(), any::<u32>(), any::<u32>()).prop_map(
        |(wait, bytes, rtt, limited, una, nxt)| Call::Acked { wait, bytes, rtt, limited, una, nxt },
    );
    prop_oneof![
        1 => (size(), size()).prop_map(|(a, b)| Call::SetMss(a, b)),
        1 => size().prop_map(Call::ChangeMss),
        1 => any::<bool>().prop_map(Call::SetAlgorithm),
        1 => Just(Call::SynWasLost),
        20 => acked,
        3 => size().prop_map(Call::Congestion),
        3 => size().prop_map(Call::SetCwnd),
        2 => (size(), any::<bool>()).prop_map(|(a, b)| Call::TimedOut(a, b)),
        2 => Just(Call::Undo),
        2 => size().prop_map(Call::Idle),
    ]
}

fn algorithm(cubic: bool) -> Algorithm {
    if cubic { Algorithm::Cubic } else { Algorithm::NewReno }
}

proptest! {
    #[test]
    fn the_window_stays_within_its_bounds(
        cubic in any::<bool>(),
        mss in size(),
        segments in size(),
        calls in prop::collection::vec(call(), 1..200),
    ) {
        let mut cc = Control::new(algorithm(cubic), mss, segments);
        let mut now = Instant::ZERO;
        for call in calls {
            match call {
                Call::SetMss(mss, segments) => cc.set_mss(mss, segments),
                Call::ChangeMss(mss) => cc.change_mss(mss),
                Call::SetAlgorithm(cubic) => cc.set_algorithm(algorithm(cubic)),
                Call::SynWasLost => cc.syn_was_lost(),
                Call::Acked { wait, bytes, rtt, limited, una, nxt } => {
                    now += Duration::from_nanos(wait);
                    let rtt = rtt.map(Duration::from_nanos);
                    let before = cc.cwnd();
                    cc.acked(&Acked {
                        now, bytes, rtt, srtt: rtt, min_rtt: rtt, limited,
                        una: SeqNumber(una), nxt: SeqNumber(nxt), flight: nxt.wrapping_sub(una),
                    });
                    prop_assert!(cc.cwnd() >= before, "an ACK never shrinks it");
                    prop_assert!(limited || cc.cwnd() == before);
                    prop_assert!(cc.cwnd() - before <= before.max(64 * cc.mss()));
                }
                Call::Congestion(flight) => {
                    cc.congestion(now, flight);
                    prop_assert!(cc.ssthresh() >= 2 * cc.mss());
                }
                Call::SetCwnd(cwnd) => cc.set_cwnd(cwnd),
                Call::TimedOut(flight, first) => {
                    cc.timed_out(now, flight, first);
                    prop_assert_eq!(cc.cwnd(), cc.mss());
                }
                Call::Undo => {
                    let before = cc.cwnd();
                    cc.undo();
                    prop_assert!(cc.cwnd() >= before);
                }
                Call::Idle(segments) => cc.idle_restart(segments),
            }
            prop_assert!(cc.mss() >= 1);
            prop_assert!((cc.mss()..=1 << 30).contains(&cc.cwnd()), "{:?}", cc);
        }
    }
}
