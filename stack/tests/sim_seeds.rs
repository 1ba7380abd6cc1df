//! Random nets by seed: what has to hold whatever happens.
//!
//! `FERROFLOW_SIM_SEEDS=10000` runs that many (300 by default), `FERROFLOW_SIM_FIRST` begins elsewhere, and
//! `FERROFLOW_SIM_SEED=4711` runs one and prints every frame.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ferroflow_stack::sim::scenario::{self, Failure, Report, Weather};

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

fn replay(seed: u64) {
    let result = scenario::run_traced(seed, |line| eprintln!("{line}"));
    match result {
        Ok(report) => eprintln!("seed {seed}: {report:?}"),
        Err(failure) => panic!("{failure}"),
    }
}

fn run_all(first: u64, count: u64) -> (Vec<Report>, Vec<Failure>) {
    let next = AtomicU64::new(0);
    let results = Mutex::new((Vec::new(), Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return;
                    }
                    let seed = first + n;
                    let result = std::panic::catch_unwind(|| scenario::run(seed));
                    let mut results = results.lock().unwrap();
                    match result {
                        Ok(Ok(report)) => results.0.push(report),
                        Ok(Err(failure)) => results.1.push(failure),
                        Err(_) => results.1.push(Failure {
                            seed,
                            weather: Weather::Clear,
                            what: vec!["panicked (see above)".to_owned()],
                        }),
                    }
                }
            });
        }
    });
    results.into_inner().unwrap()
}

#[test]
fn seeds() {
    if let Some(seed) = number("FERROFLOW_SIM_SEED") {
        return replay(seed);
    }
    let (first, count) =
        (number("FERROFLOW_SIM_FIRST").unwrap_or(0), number("FERROFLOW_SIM_SEEDS").unwrap_or(300));
    let began = std::time::Instant::now();
    let (reports, mut failures) = run_all(first, count);
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    for weather in Weather::ALL {
        let of: Vec<_> = reports.iter().filter(|r| r.weather == weather).collect();
        let (opens, timed_out) = of.iter().fold((0, 0), |(o, t), r| (o + r.opens, t + r.timed_out));
        eprintln!("{weather:?}: {} seeds, {opens} connections, {timed_out} ends timed out", of.len());
    }
    eprintln!(
        "{count} seeds in {:.1} s: {} connections, {} frames, {} MB, {} timed out",
        began.elapsed().as_secs_f64(),
        sum(|r| r.opens as u64),
        sum(|r| r.frames),
        sum(|r| r.bytes) / 1_000_000,
        sum(|r| r.timed_out as u64),
    );
    failures.sort_by_key(|failure| failure.seed);
    for failure in failures.iter().take(20) {
        eprint!("{failure}");
    }
    if let Some(failure) = failures.first() {
        panic!(
            "{} of {count} seeds failed; replay with FERROFLOW_SIM_SEED={} cargo test -p ferroflow-stack --release \
             --test sim_seeds -- --nocapture",
            failures.len(),
            failure.seed
        );
    }
    timeouts_are_rare(&reports);
}

/// A storm may time a connection out, but not many: that would hide a stack that gives up.
fn timeouts_are_rare(reports: &[Report]) {
    let stormy = reports.iter().filter(|r| r.weather == Weather::Storm);
    let (opens, timed_out) = stormy.fold((0, 0), |(o, t), r| (o + r.opens, t + r.timed_out));
    assert!(
        timed_out * 200 <= opens.max(1000),
        "{timed_out} ends of {opens} connections timed out in storms"
    );
}
