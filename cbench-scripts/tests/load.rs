//! Whole cbench runs against a canned responder: over the kernel's sockets, and over the stack in virtual time.

mod common;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cbench::drive;
use cbench::load::{Event, Failure, Load, Snapshot};
use cbench::options::Options;
use cbench::switch::canned::Canned;
use common::{CONTROLLER, PORT, Pair};

fn options(throughput: bool) -> Options {
    Options { throughput, switches: 4, macs: 50, loops: 3, ms_per_test: 100, ..Options::default() }
}

fn over_pipe(options: &Options) -> (Snapshot, u64) {
    // A loop of virtual time is as many turns as one of real time, and this is unoptimised code.
    let ms_per_test = if options.throughput { 20 } else { options.ms_per_test };
    let load = Load::new(Options { ms_per_test, ..options.clone() }, CONTROLLER);
    let progress = load.progress();
    let mut pair = Pair::new(Canned::new(PORT), load);
    pair.run(Duration::from_secs(60), |_| progress.is_finished());
    pair.run(Duration::from_secs(60), |p| p.left.service().conns() == 0);
    (progress.snapshot(), pair.left.service().answers())
}

/// Runs against a canned responder on a thread of its own.
fn over_kernel(options: &Options) -> Snapshot {
    let port = free_port();
    let stop = Arc::new(AtomicBool::new(false));
    let ready = Arc::new(AtomicBool::new(false));
    let (stopped, started) = (Arc::clone(&stop), Arc::clone(&ready));
    let responder = std::thread::spawn(move || {
        drive::until(Canned::new(port), |c| {
            started.store(true, Ordering::Relaxed);
            assert_eq!(c.failure(), None);
            stopped.load(Ordering::Relaxed)
        })
    });
    while !ready.load(Ordering::Relaxed) && !responder.is_finished() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let load = Load::new(options.clone(), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let progress = load.progress();
    drive::to_the_end(load).expect("sockets");
    stop.store(true, Ordering::Relaxed);
    responder.join().expect("no panic").expect("sockets");
    progress.snapshot()
}

fn free_port() -> u16 {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
    any.local_addr().expect("bound").port()
}

fn check(s: &Snapshot, options: &Options, what: &str) {
    assert_eq!(s.failure, None, "{what}");
    assert!(s.finished);
    assert_eq!((s.loops_done, s.loops_total), (options.loops, options.loops), "{what}");
    let counted: Vec<_> = s.loops.iter().map(|l| l.counted).collect();
    assert_eq!(counted, [false, true, true], "{what}");
    for l in &s.loops {
        assert_eq!(l.counts.len(), 4, "{what}");
        assert!(l.counts.iter().all(|c| *c > 10), "{what}: {:?}", l.counts);
        assert!(l.passed >= Duration::from_millis(20), "{what}: {:?}", l.passed);
    }
    let [summary] = &s.summaries[..] else { panic!("{what}: one result") };
    assert_eq!((summary.switches, summary.tests), (4, 2), "{what}");
    assert_eq!(summary.responses, s.loops[1..].iter().map(|l| l.total()).sum::<u64>(), "{what}");
    assert!(summary.min <= summary.avg && summary.avg <= summary.max, "{what}");
    assert!(s.latency.is_some_and(|l| l.samples > 0 && l.p50_ns <= l.max_ns), "{what}");
    assert_eq!(s.ignored, [], "{what}");
    assert_eq!(s.responses, s.loops.iter().map(|l| l.total()).sum::<u64>(), "{what}");
}

#[test]
fn both_modes_over_the_kernels_sockets() {
    for throughput in [false, true] {
        let o = options(throughput);
        check(&over_kernel(&o), &o, &format!("throughput {throughput}"));
    }
}

#[test]
fn both_modes_over_the_stack() {
    for throughput in [false, true] {
        let o = options(throughput);
        let (s, answers) = over_pipe(&o);
        check(&s, &o, &format!("throughput {throughput}"));
        assert!(s.responses <= answers);
    }
}

#[test]
fn latency_mode_counts_every_answer_but_those_of_the_pauses() {
    let o = options(false);
    let (s, answers) = over_pipe(&o);
    // At the end of each of 3 loops each of 4 switches may have one question out, whose answer is thrown away.
    assert!(answers - s.responses <= 12, "{answers} answers, {} counted", s.responses);
    // Switches in a row have the same share.
    let counts = &s.loops[1].counts;
    assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 2, "{counts:?}");
}

#[test]
fn virtual_time_makes_runs_repeatable() {
    let (a, b) = (over_pipe(&options(true)).0, over_pipe(&options(true)).0);
    assert_eq!(a.loops, b.loops);
    assert_eq!(a.latency, b.latency);
}

#[test]
fn ranged_test_grows_switch_by_switch() {
    let o = Options { ranged: true, switches: 3, loops: 2, cooldown: 0, ..options(false) };
    let (s, _) = over_pipe(&o);
    assert_eq!(s.failure, None);
    let sizes: Vec<_> = s.summaries.iter().map(|s| (s.switches, s.tests)).collect();
    assert_eq!(sizes, [(1, 1), (2, 1), (3, 1)]);
    let loops: Vec<_> = s.loops.iter().map(|l| (l.counts.len(), l.index)).collect();
    assert_eq!(loops, [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]);
    assert_eq!((s.loops_done, s.loops_total), (6, 6));
}

#[test]
fn groups_connect_with_delays_between_them() {
    let o = Options {
        connect_delay_ms: 500,
        connect_group_size: 2,
        switches: 5,
        loops: 1,
        warmup: 0,
        ..options(false)
    };
    let load = Load::new(o, CONTROLLER);
    let progress = load.progress();
    let mut pair = Pair::new(Canned::new(PORT), load);
    let start = pair.now;
    let mut seen = Vec::new();
    pair.run(Duration::from_secs(60), |p| {
        let n = progress.snapshot().connected;
        if seen.last().is_none_or(|(last, _)| *last != n) {
            seen.push((n, p.now.since(start).as_millis()));
        }
        progress.is_finished()
    });
    let at = |n: u32| seen.iter().find(|(c, _)| *c == n).expect("reached").1;
    assert!(at(2) < 100, "{seen:?}");
    assert!((500..600).contains(&at(3)), "{seen:?}");
    assert!((500..600).contains(&at(4)), "{seen:?}");
    assert!((1000..1100).contains(&at(5)), "{seen:?}");
}

#[test]
fn delay_after_features_is_not_part_of_the_first_loop() {
    let o = Options { delay_ms: 300, loops: 2, warmup: 0, ..options(false) };
    let (s, _) = over_pipe(&o);
    for l in &s.loops {
        assert!(l.passed < Duration::from_millis(101), "{:?}", l.passed);
    }
    let (first, second) = (s.loops[0].total(), s.loops[1].total());
    assert!(first * 10 > second * 9, "the first loop had its whole time: {first}, then {second}");
}

#[test]
fn observer_hears_of_every_loop_in_order() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let load = Load::new(options(false), CONTROLLER).observe(move |e| {
        log.lock().unwrap().push(match e {
            Event::LoopStarted { index, counted } => format!("start {index} {counted}"),
            Event::LoopEnded(l) => format!("end {}", l.index),
            Event::TestEnded(s) => format!("result of {}", s.switches),
        });
    });
    let progress = load.progress();
    Pair::new(Canned::new(PORT), load).run(Duration::from_secs(60), |_| progress.is_finished());
    let expected =
        ["start 0 false", "end 0", "start 1 true", "end 1", "start 2 true", "end 2", "result of 4"];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn nobody_listening_is_a_failure_with_a_reason() {
    let load = Load::new(options(false), SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
    let progress = load.progress();
    drive::to_the_end(load).expect("sockets");
    let failure = progress.snapshot().failure.expect("failed");
    assert!(matches!(failure, Failure::CannotConnect { switch: 0, .. }), "{failure:?}");
    assert!(failure.to_string().contains("connection refused"), "{failure}");
}

#[test]
fn lost_connection_ends_the_run() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
    let target = listener.local_addr().expect("bound");
    let closer = std::thread::spawn(move || {
        let conns: Vec<_> = (0..4).map(|_| listener.accept().expect("a switch")).collect();
        std::thread::sleep(Duration::from_millis(50));
        drop(conns);
    });
    let load = Load::new(options(true), target);
    let progress = load.progress();
    drive::to_the_end(load).expect("sockets");
    closer.join().expect("no panic");
    let failure = progress.snapshot().failure.expect("failed");
    assert!(matches!(failure, Failure::Closed { .. }), "{failure:?}");
}
