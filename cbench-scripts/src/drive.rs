//! Runs a service over the kernel's sockets on the calling thread, without a runtime around it: for the command
//! line, for tests and for canned responders. A load may also run over a port of the own stack.

use std::io;
use std::time::Duration;

use ferroflow_ports::AnyPort;
use ferroflow_runtime::kernel::{Config, Counters, Kernel, ListenGroup};
use ferroflow_runtime::{Engine, Options, Pin, PortEngine, Runtime, RuntimeError, Waker};
use ferroflow_stack::port::PortError;
use ferroflow_stack::{self as stack, Instance, Instant, Service};

use crate::load::Load;

/// Turns that follow the end, for FINs to be exchanged.
const GOOD_BYE: Duration = Duration::from_millis(500);

/// An engine that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The kernel refused.
    #[error("the kernel's sockets cannot be used: {0}")]
    Io(#[from] io::Error),
    /// The engine gave up.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Runs `service` until `over` says so, then stops it. Gives back the service and what happened on the sockets.
///
/// # Errors
/// See [`DriveError`].
pub fn until<S: Service>(service: S, mut over: impl FnMut(&S) -> bool) -> Result<(S, Counters), DriveError> {
    let clock = Clock::new();
    let seed = u64::from(std::process::id());
    let mut engine = Kernel::new(Config::new(ListenGroup::new(), seed), Waker::noop(), service)?;
    engine.start(clock.now());
    while !over(engine.service()) {
        turn_and_wait(&mut engine, &clock, Duration::from_millis(100))?;
    }
    engine.stop(clock.now());
    let patience = clock.now() + GOOD_BYE;
    while engine.conns() > 0 && clock.now() < patience {
        turn_and_wait(&mut engine, &clock, Duration::from_millis(10))?;
    }
    Ok(engine.into_parts())
}

/// Runs a load to its end.
///
/// # Errors
/// See [`DriveError`]. A run that came to no result is not an error here: see [`crate::load::Snapshot::failure`].
pub fn to_the_end(load: Load) -> Result<Counters, DriveError> {
    let progress = load.progress();
    Ok(until(load, |_| progress.is_finished())?.1)
}

/// Runs a load to its end on the own stack over `port`: on one core that spins as long as that pays, then sleeps.
///
/// # Errors
/// When the core cannot start, or the port is gone.
pub fn over_port(load: Load, port: AnyPort, config: stack::Config) -> Result<stack::Counters, RuntimeError> {
    let progress = load.progress();
    let mut parts = Some((load, port, config));
    // Not pinned: the controller may be on this machine, and have chosen.
    let options = Options { pin: Pin::No, ..Options::new(1) };
    let runtime = Runtime::spawn(
        &options,
        |core| {
            let (parts, waker) = (parts.take(), core.waker.clone());
            move || {
                let (load, port, config) = parts.ok_or("there is one core only")?;
                Ok(PortEngine::new(Instance::new(config, port, load), waker)?)
            }
        },
        |engine| *engine.instance().counters(),
    )?;
    while !progress.is_finished() && !runtime.is_finished() {
        std::thread::sleep(Duration::from_millis(5));
    }
    runtime.stop_handle().stop();
    let reports = runtime.join()?;
    Ok(reports.first().map(|report| report.result).unwrap_or_default())
}

fn turn_and_wait<S: Service>(
    engine: &mut Kernel<S>,
    clock: &Clock,
    longest: Duration,
) -> Result<(), DriveError> {
    let turn = engine.turn(clock.now())?;
    let timeout = match turn.next {
        _ if turn.more => Duration::ZERO,
        Some(at) => at.since(clock.now()).min(longest),
        None => longest,
    };
    // A turn polls for itself.
    if !timeout.is_zero() {
        engine.wait(Some(timeout))?;
    }
    Ok(())
}

/// Nanoseconds since the run began.
struct Clock(std::time::Instant);

impl Clock {
    fn new() -> Clock {
        Clock(std::time::Instant::now())
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}
