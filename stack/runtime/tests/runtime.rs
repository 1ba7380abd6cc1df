//! The cores' threads: starting, mail, stopping, failing.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Wall};

use ferroflow_runtime::kernel::{Config, ListenGroup};
use ferroflow_runtime::{CpuList, Idle, Kernel, Machine, Mailbox, Options, Pin, Runtime, RuntimeError, mail};
use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Instant, Net, Rx, Service};

/// Passes a counter to the next core until it has reached its end.
struct Pass {
    mail: Mailbox<u64>,
    until: u64,
    seen: Arc<AtomicU64>,
}

impl Service for Pass {
    type Conn = ();
    fn start(&mut self, _: &mut impl Net) {
        if self.mail.core() == 0 {
            let next = 1 % self.mail.cores();
            self.mail.send(next, 1).unwrap();
        }
    }
    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        None
    }
    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<()> {
        None
    }
    fn data(&mut self, _: &mut impl Net, _: ConnId, (): &mut (), _: &mut Rx<'_>) {}
    fn eof(&mut self, _: &mut impl Net, _: ConnId, (): &mut ()) {}
    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), _: CloseReason) {}
    fn turn(&mut self, _: &mut impl Net) {
        while let Some((_, n)) = self.mail.recv() {
            self.seen.store(n, Ordering::Release);
            if n < self.until {
                let next = (self.mail.core() + 1) % self.mail.cores();
                self.mail.send(next, n + 1).unwrap();
            }
        }
    }
}

#[test]
fn mail_goes_round_sleeping_cores() {
    const ROUNDS: u64 = 20_000;
    let seen = Arc::new(AtomicU64::new(0));
    let mut boxes = mail::mesh::<u64>(3, 16).into_iter();
    let group = ListenGroup::new();
    let runtime = Runtime::spawn(
        &Options::new(3),
        |core| {
            let mail = boxes.next().unwrap();
            mail.attach(core.waker.clone());
            let service = Pass { mail, until: ROUNDS, seen: seen.clone() };
            let (waker, config) = (core.waker.clone(), Config::new(group.clone(), 1));
            move || Ok(Kernel::new(config, waker, service)?)
        },
        |k| k.into_parts().0.mail.stats(),
    )
    .unwrap();
    let start = Wall::now();
    while seen.load(Ordering::Acquire) < ROUNDS {
        assert!(start.elapsed() < Duration::from_secs(30), "stuck at {}", seen.load(Ordering::Acquire));
        std::thread::sleep(Duration::from_millis(1));
    }
    runtime.stop_handle().stop();
    let reports = runtime.join().unwrap();
    assert_eq!(reports.iter().map(|r| r.result.received).sum::<u64>(), ROUNDS);
    assert_eq!(reports.iter().map(|r| r.core).collect::<Vec<_>>(), [0, 1, 2]);
}

/// Does what it is told, once its time has come.
struct Timed {
    at: Option<Instant>,
    after: Duration,
    then: fn(),
    rang: Arc<AtomicU64>,
}

impl Service for Timed {
    type Conn = ();
    fn start(&mut self, net: &mut impl Net) {
        self.at = Some(net.now() + self.after);
    }
    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        None
    }
    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<()> {
        None
    }
    fn data(&mut self, _: &mut impl Net, _: ConnId, (): &mut (), _: &mut Rx<'_>) {}
    fn eof(&mut self, _: &mut impl Net, _: ConnId, (): &mut ()) {}
    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), _: CloseReason) {}
    fn turn(&mut self, net: &mut impl Net) {
        if self.at.is_some_and(|at| at <= net.now()) {
            self.rang.fetch_add(1, Ordering::Relaxed);
            self.at = Some(net.now() + self.after);
            (self.then)();
        }
    }
    fn deadline(&self) -> Option<Instant> {
        self.at
    }
}

fn timed(cores: usize, after: Duration, then: fn()) -> (Runtime<()>, Arc<AtomicU64>) {
    let rang = Arc::new(AtomicU64::new(0));
    let group = ListenGroup::new();
    let runtime = Runtime::spawn(
        &Options::new(cores),
        |core| {
            let then = if core.index == cores - 1 { then } else { || () };
            let service = Timed { at: None, after, then, rang: rang.clone() };
            let (waker, config) = (core.waker.clone(), Config::new(group.clone(), 1));
            move || Ok(Kernel::new(config, waker, service)?)
        },
        |_| (),
    )
    .unwrap();
    (runtime, rang)
}

#[test]
fn the_services_deadline_rings_without_busy_waiting() {
    let (runtime, rang) = timed(1, Duration::from_millis(20), || ());
    std::thread::sleep(Duration::from_millis(410));
    let stats = runtime.stats()[0].clone();
    runtime.stop_handle().stop();
    let reports = runtime.join().unwrap();
    let rang = rang.load(Ordering::Relaxed);
    assert!((10..=20).contains(&rang), "{rang} times in 410 ms");
    assert!(stats.turns() < 4 * rang + 20, "{} turns", stats.turns());
    assert!(reports[0].cpu_time < Duration::from_millis(50), "{:?}", reports[0].cpu_time);
}

#[test]
fn a_panic_names_its_core_and_ends_the_others() {
    let (runtime, _) = timed(2, Duration::from_millis(10), || panic!("the sky is falling"));
    let start = Wall::now();
    let error = runtime.join().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(error.to_string(), "core 1 has panicked: the sky is falling");
}

#[test]
fn a_core_that_cannot_be_built_is_an_error_at_once() {
    let group = ListenGroup::new();
    let error = Runtime::spawn(
        &Options::new(2),
        |core| {
            let (index, waker, config) = (core.index, core.waker.clone(), Config::new(group.clone(), 1));
            move || {
                if index == 1 {
                    return Err("no such interface".into());
                }
                let service =
                    Timed { at: None, after: Duration::from_secs(9), then: || (), rang: Arc::default() };
                Ok(Kernel::new(config, waker, service)?)
            }
        },
        |_| (),
    )
    .err()
    .unwrap();
    assert_eq!(error.to_string(), "cannot start core 1: no such interface");
    assert!(matches!(error, RuntimeError::Build { core: 1, .. }));
}

/// Starts cores that look at once where they may run, and stops them.
fn pinned(options: &Options) -> Result<(), RuntimeError> {
    let group = ListenGroup::new();
    let runtime = Runtime::spawn(
        options,
        |core| {
            let service =
                Timed { at: None, after: Duration::from_secs(9), then: || (), rang: Arc::default() };
            let (waker, config, want) = (core.waker.clone(), Config::new(group.clone(), 1), core.processor);
            move || {
                let allowed = rustix::thread::sched_getaffinity(None).unwrap();
                let pinned: Vec<usize> = (0..1024).filter(|&c| allowed.is_set(c)).collect();
                assert_eq!(pinned, Vec::from_iter(want));
                Ok(Kernel::new(config, waker, service)?)
            }
        },
        |_| (),
    )?;
    runtime.stop_handle().stop();
    assert_eq!(runtime.join()?.len(), options.cores);
    Ok(())
}

#[test]
fn each_core_is_pinned() {
    pinned(&Options::new(2)).unwrap();
    pinned(&Options::new(5)).unwrap();
    let last = *Machine::here().preferred().last().unwrap();
    let to = |cpus| Options { pin: Pin::To(CpuList(cpus)), ..Options::new(2) };
    pinned(&to(vec![last])).unwrap();
    let error = pinned(&to(vec![last, 1023])).unwrap_err();
    assert!(matches!(error, RuntimeError::NotPinned { core: 1, .. }), "{error}");
}

/// Turns that a core without anything to do takes in 100 ms, and its processor time.
fn idle(options: &Options) -> (u64, Duration) {
    let group = ListenGroup::new();
    let runtime = Runtime::spawn(
        options,
        |core| {
            let service =
                Timed { at: None, after: Duration::from_secs(9), then: || (), rang: Arc::default() };
            let (waker, config) = (core.waker.clone(), Config::new(group.clone(), 1));
            move || Ok(Kernel::new(config, waker, service)?)
        },
        |_| (),
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let turns = runtime.stats()[0].turns();
    runtime.stop_handle().stop();
    (turns, runtime.join().unwrap()[0].cpu_time)
}

#[test]
fn an_idle_core_sleeps_or_spins_as_it_is_told() {
    let one = |idle| Options { idle, ..Options::new(1) };
    for quiet in [Idle::Sleep, Idle::Adaptive] {
        let (turns, cpu_time) = idle(&one(quiet));
        assert!(turns < 20 && cpu_time < Duration::from_millis(20), "{quiet:?}: {turns} turns, {cpu_time:?}");
    }
    let (turns, _) = idle(&one(Idle::Spin));
    assert!(turns > 1_000, "{turns} turns in 100 ms of spinning");
    let crowded = Options { idle: Idle::Spin, ..Options::new(Machine::here().preferred().len() + 1) };
    let (turns, _) = idle(&crowded);
    assert!(turns < 20, "{turns} turns: cores that share processors spin");
}
