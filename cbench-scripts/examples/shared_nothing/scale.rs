//! Two whole instances on two cores against one on one.

use std::time::Duration;

use anyhow::{Context, ensure};
use ferroflow_runtime::{Engine, Options, Runtime, Turn, clock};
use ferroflow_stack::Instant;
use ferroflow_stack::port::PortError;

use crate::whole::{Parts, Whole, parts};
use crate::{median, say};

const SWITCHES: u32 = 16;
/// How long it runs before the time counts.
const BEFORE: Duration = Duration::from_millis(300);

/// Prints the ratio of messages per second.
pub fn run(rounds: usize, ms: u64, min: Option<f64>) -> anyhow::Result<()> {
    ensure!(rounds > 0 && ms > 0, "at least one round of at least a millisecond");
    let time = Duration::from_millis(ms);
    let (mut ratios, mut works) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // What drifts must not favour either.
        let (one, two) = if round % 2 == 0 {
            let one = rate(1, time)?;
            (one, rate(2, time)?)
        } else {
            let two = rate(2, time)?;
            (rate(1, time)?, two)
        };
        say(&format!("one: {one}; two: {two}; {:.2} times one", two.wall / one.wall));
        ratios.push(two.wall / one.wall);
        works.push(two.work / one.work);
    }
    let (ratio, work) = (median(&mut ratios), median(&mut works));
    say(&format!(
        "two instances on two cores: {ratio:.2} times one by the clock, {work:.2} times by processor time"
    ));
    say(&format!(
        "(medians of {rounds} pairs, {:.2} to {:.2} and {:.2} to {:.2}; they differ where others have the processors)",
        ratios[0],
        ratios[rounds - 1],
        works[0],
        works[rounds - 1]
    ));
    ensure!(min.is_none_or(|min| ratio >= min), "less than {min:?}");
    Ok(())
}

/// Messages per second of so many cores together.
#[derive(Debug, Clone, Copy, Default)]
struct Rate {
    /// By the clock.
    wall: f64,
    /// For each second that a core had its processor.
    work: f64,
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rate { wall, work } = self;
        write!(f, "{wall:.0} messages/s, {work:.0} by processor time")
    }
}

fn rate(cores: usize, time: Duration) -> anyhow::Result<Rate> {
    let mut parts = parts(cores)?.into_iter();
    let options = Options { grace: Duration::ZERO, ..Options::new(cores) };
    let runtime = Runtime::spawn(
        &options,
        |core| {
            let part = parts.next();
            if let Some(part) = &part {
                part.port.attach(core.waker.clone());
                part.controller.mailbox().attach(core.waker.clone());
            }
            move || Ok(Timed::new(part.ok_or("there are more cores than parts")?, time)?)
        },
        |timed| timed.result,
    )?;
    // Both are busy until the last of them has its result.
    std::thread::sleep(BEFORE + time + Duration::from_millis(100));
    runtime.stop_handle().stop();
    let reports = runtime.join()?;
    let mut sum = Rate::default();
    for report in reports {
        let rate = report.result.context("a core came to no result")?;
        sum = Rate { wall: sum.wall + rate.wall, work: sum.work + rate.work };
    }
    Ok(sum)
}

/// An instance with its load, on one core: it counts the messages of a stretch of time.
struct Timed {
    whole: Whole,
    time: Duration,
    /// When it began to count, the processor time until then, and the messages.
    began: Option<(Instant, Duration, u64)>,
    first: Option<Instant>,
    result: Option<Rate>,
}

impl Timed {
    fn new(parts: Parts, time: Duration) -> anyhow::Result<Timed> {
        Ok(Timed { whole: parts.build(SWITCHES)?, time, began: None, first: None, result: None })
    }
}

impl Engine for Timed {
    fn start(&mut self, now: Instant) {
        self.whole.start(now);
    }

    fn turn(&mut self, now: Instant) -> Result<Turn, PortError> {
        let turn = self.whole.server.turn(now)?;
        self.whole.load.turn(now)?;
        let first = *self.first.get_or_insert(now);
        if now >= first + BEFORE {
            let spent = clock::thread_cpu_time;
            let (began, before, messages) =
                *self.began.get_or_insert_with(|| (now, spent(), self.whole.messages()));
            let passed = now.since(began);
            if passed >= self.time && self.result.is_none() {
                let carried = (self.whole.messages() - messages) as f64;
                let work = carried / (spent() - before).as_secs_f64();
                self.result = Some(Rate { wall: carried / passed.as_secs_f64(), work });
            }
        }
        Ok(Turn { handled: turn.frames.max(1), more: true, next: None })
    }

    fn prepare_wait(&mut self) -> bool {
        false
    }

    fn wait(&mut self, _: Option<Duration>) -> std::io::Result<()> {
        Ok(())
    }

    fn stop(&mut self, _: Instant) {}

    fn abort(&mut self) {}

    fn conns(&self) -> usize {
        self.whole.server.conns()
    }
}
