//! Starting, watching and stopping the cores.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use ferroflow_stack::port::PortError;

use crate::clock;
use crate::core::{CoreStats, Idle, Loop};
use crate::engine::Engine;
use crate::inspect::{Inspector, Question};
use crate::places::{NotPinned, Pin, Place, Places};
use crate::processors::Machine;
use crate::wake::Waker;

/// How the cores are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many; at least 1.
    pub cores: usize,
    /// What a core with nothing to do does. Where there are more cores than processors they all sleep.
    pub idle: Idle,
    /// Longest spin of [`Idle::Adaptive`] before a sleep.
    pub spin: Duration,
    /// How long connections may take to end after [`Stop::stop`].
    pub grace: Duration,
    /// Which processors the cores' threads stay on.
    pub pin: Pin,
}

impl Options {
    /// `cores` pinned cores, a spin of at most 10 us, a second of grace.
    pub fn new(cores: usize) -> Options {
        Options {
            cores,
            idle: Idle::default(),
            spin: Duration::from_micros(10),
            grace: Duration::from_secs(1),
            pin: Pin::default(),
        }
    }
}

/// A core that is about to start, as the caller of [`Runtime::spawn`] sees it.
#[derive(Debug, Clone)]
pub struct Core {
    /// Which, from 0.
    pub index: usize,
    /// Of how many.
    pub cores: usize,
    /// The processor it is to be pinned to, by the kernel's number.
    pub processor: Option<usize>,
    /// Wakes it: for [`crate::Mailbox::attach`] and for its engine.
    pub waker: Waker,
}

/// Why the cores could not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No core was asked for.
    #[error("at least one core is needed")]
    NoCores,
    /// The operating system refused a thread or a descriptor.
    #[error("cannot start core {core}: {source}")]
    Spawn {
        /// Which core.
        core: usize,
        /// The reason.
        source: std::io::Error,
    },
    /// A core's thread is not on the processor that was asked for.
    #[error("cannot start core {core}: {source}")]
    NotPinned {
        /// Which core.
        core: usize,
        /// The reason.
        source: NotPinned,
    },
    /// What the caller's closure for the core answered.
    #[error("cannot start core {core}: {source}")]
    Build {
        /// Which core.
        core: usize,
        /// The reason.
        source: BuildError,
    },
    /// A core's engine gave up.
    #[error("core {core} has failed: {source}")]
    Failed {
        /// Which core.
        core: usize,
        /// The reason.
        source: PortError,
    },
    /// A core's thread panicked.
    #[error("core {core} has panicked: {message}")]
    Panicked {
        /// Which core.
        core: usize,
        /// What it said.
        message: String,
    },
}

/// Any reason why an engine could not be built.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

/// What a core leaves at its end.
#[derive(Debug)]
pub struct CoreReport<R> {
    /// Which core.
    pub core: usize,
    /// What became of its engine.
    pub result: R,
    /// Processor time of its thread.
    pub cpu_time: Duration,
    /// Its loop's counters.
    pub stats: Arc<CoreStats>,
}

/// Stops a [`Runtime`], from any thread.
#[derive(Debug, Clone)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    wakers: Arc<[Waker]>,
}

impl Stop {
    /// Asks every core to say good-bye and to end. Returns at once; a second call changes nothing.
    pub fn stop(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.wakers.iter().for_each(Waker::wake);
    }

    /// Whether the stop has been asked for.
    pub fn is_stopping(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }
}

/// The running cores: one thread each.
#[derive(Debug)]
pub struct Runtime<R> {
    threads: Vec<JoinHandle<Result<CoreReport<R>, RuntimeError>>>,
    stop: Stop,
    stats: Vec<Arc<CoreStats>>,
    questions: Arc<[Question]>,
}

impl<R: Send + 'static> Runtime<R> {
    /// Starts the cores and returns once every one of them has started its engine.
    ///
    /// `prepare` is called here for each core, to hand it what was made beforehand (a port, a mailbox); what it
    /// returns is called on the core's own thread and builds the engine there, which need not be [`Send`]. `finish`
    /// takes the engine apart at the end.
    ///
    /// # Errors
    /// When one of them cannot start: the others are stopped again.
    pub fn spawn<E, B, F>(
        options: &Options,
        mut prepare: impl FnMut(&Core) -> B,
        finish: F,
    ) -> Result<Runtime<R>, RuntimeError>
    where
        E: Engine,
        B: FnOnce() -> Result<E, BuildError> + Send + 'static,
        F: FnOnce(E) -> R + Clone + Send + 'static,
    {
        if options.cores == 0 {
            return Err(RuntimeError::NoCores);
        }
        let wakers = (0..options.cores)
            .map(|core| Waker::new().map_err(|source| RuntimeError::Spawn { core, source }))
            .collect::<Result<Arc<[Waker]>, _>>()?;
        let stop = Stop { flag: Arc::default(), wakers: wakers.clone() };
        let questions: Arc<[Question]> = (0..options.cores).map(|_| Question::default()).collect();
        let places = Places::new(options, &Machine::here());
        let mut runtime = Runtime {
            threads: Vec::new(),
            stop: stop.clone(),
            stats: Vec::new(),
            questions: questions.clone(),
        };
        let (started, all_started) = mpsc::channel();
        for (index, waker) in wakers.iter().enumerate() {
            let place = places.of(index);
            let processor = place.map(|place| place.processor);
            let core = Core { index, cores: options.cores, processor, waker: waker.clone() };
            let stats = Arc::<CoreStats>::default();
            runtime.stats.push(stats.clone());
            let thread = Thread {
                build: prepare(&core),
                finish: finish.clone(),
                started: started.clone(),
                stop: stop.clone(),
                run: Loop {
                    waker: waker.clone(),
                    stop: stop.flag.clone(),
                    stats,
                    core: index,
                    questions: questions.clone(),
                    idle: places.idle,
                    spin: options.spin,
                    grace: options.grace,
                },
                core: index,
                place,
            };
            match std::thread::Builder::new().name(format!("core-{index}")).spawn(move || thread.main()) {
                Ok(handle) => runtime.threads.push(handle),
                Err(source) => {
                    stop.stop();
                    let _ = runtime.join();
                    return Err(RuntimeError::Spawn { core: index, source });
                }
            }
        }
        drop(started);
        if all_started.iter().take(options.cores).count() < options.cores {
            // One of them ended before it started, and has stopped the others: its reason is the answer.
            let early = || std::io::Error::other("it ended before it had started");
            return match runtime.join() {
                Err(error) => Err(error),
                Ok(_) => Err(RuntimeError::Spawn { core: 0, source: early() }),
            };
        }
        Ok(runtime)
    }

    /// What stops it.
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// What asks the cores what they hold.
    pub fn inspector(&self) -> Inspector {
        Inspector { questions: self.questions.clone(), wakers: self.stop.wakers.clone() }
    }

    /// Each core's counters, live.
    pub fn stats(&self) -> &[Arc<CoreStats>] {
        &self.stats
    }

    /// Whether all cores have ended.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits until every core has ended, and hands over what they leave, by core.
    ///
    /// # Errors
    /// The first core that failed or panicked: that stops the others too.
    pub fn join(self) -> Result<Vec<CoreReport<R>>, RuntimeError> {
        let mut reports = Vec::new();
        let mut failed = None;
        for (core, thread) in self.threads.into_iter().enumerate() {
            let result = thread.join().unwrap_or_else(|panic| {
                self.stop.stop();
                Err(RuntimeError::Panicked { core, message: panic_message(&*panic) })
            });
            match result {
                Ok(report) => reports.push(report),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(reports), Err)
    }
}

/// What one core's thread is given.
struct Thread<B, F> {
    core: usize,
    place: Option<Place>,
    build: B,
    finish: F,
    started: mpsc::Sender<()>,
    stop: Stop,
    run: Loop,
}

impl<B, F> Thread<B, F> {
    fn main<E, R>(self) -> Result<CoreReport<R>, RuntimeError>
    where
        E: Engine,
        B: FnOnce() -> Result<E, BuildError>,
        F: FnOnce(E) -> R,
    {
        let (core, stop) = (self.core, self.stop.clone());
        let result = catch_unwind(AssertUnwindSafe(|| self.live()))
            .unwrap_or_else(|panic| Err(RuntimeError::Panicked { core, message: panic_message(&*panic) }));
        if let Err(error) = &result {
            tracing::error!("{error}");
            stop.stop();
        }
        result
    }

    fn live<E, R>(self) -> Result<CoreReport<R>, RuntimeError>
    where
        E: Engine,
        B: FnOnce() -> Result<E, BuildError>,
        F: FnOnce(E) -> R,
    {
        let core = self.core;
        match self.place.map_or(Ok(()), Place::take) {
            Ok(()) => {}
            Err(source) if self.place.is_some_and(|place| place.must) => {
                return Err(RuntimeError::NotPinned { core, source });
            }
            Err(why) => tracing::warn!("core {core} runs wherever the kernel puts it: {why}"),
        }
        let mut engine = (self.build)().map_err(|source| RuntimeError::Build { core, source })?;
        engine.start(clock::now());
        let _ = self.started.send(());
        drop(self.started);
        self.run.run(&mut engine).map_err(|source| RuntimeError::Failed { core, source })?;
        let result = (self.finish)(engine);
        Ok(CoreReport { core, result, cpu_time: clock::thread_cpu_time(), stats: self.run.stats })
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "(no message)".to_owned(),
    }
}
