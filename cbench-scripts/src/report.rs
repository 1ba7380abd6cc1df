//! Results, and the lines in which the original prints them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::cpu::Spent;
use crate::load::{Latency, Snapshot};
use crate::options::Options;

/// What one loop counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoopResult {
    /// The loop's number, from 0.
    pub index: u32,
    /// Whether it is part of the result (neither warm-up nor cool-down).
    pub counted: bool,
    /// Answers per switch.
    pub counts: Vec<u64>,
    /// How long the loop lasted, a delay after FEATURES_REPLY not counted.
    #[serde(rename = "passed_ns", serialize_with = "as_nanos")]
    pub passed: Duration,
}

fn as_nanos<S: serde::Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u64(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}

impl LoopResult {
    /// Answers of all switches.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Answers per millisecond, of all switches.
    pub fn per_ms(&self) -> f64 {
        self.total() as f64 / (self.passed.as_secs_f64() * 1000.0)
    }

    /// The original's line, `at` being the wall clock at the loop's end. Times of day are UTC.
    pub fn line(&self, at: SystemTime) -> impl fmt::Display + '_ {
        LoopLine(self, at)
    }
}

struct LoopLine<'a>(&'a LoopResult, SystemTime);

impl fmt::Display for LoopLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoopLine(result, at) = self;
        let ms = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let (h, m, s) = (ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1000 % 60);
        let n = result.counts.len();
        write!(f, "{h:02}:{m:02}:{s:02}.{:03} {n:<3} switches: flows/sec:  ", ms % 1000)?;
        for count in &result.counts {
            write!(f, "{count}  ")?;
        }
        write!(f, " total = {:.6} per ms ", result.per_ms())
    }
}

/// The result of all loops with one number of switches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How many switches.
    pub switches: usize,
    /// How many loops counted.
    pub tests: usize,
    /// Responses per second of the slowest loop.
    pub min: f64,
    /// Responses per second of the fastest loop.
    pub max: f64,
    /// Mean responses per second.
    pub avg: f64,
    /// Standard deviation (of the population) of responses per second.
    pub stdev: f64,
    /// Answers in the counted loops.
    pub responses: u64,
}

impl Summary {
    /// Over the loops that count. Unlike the original, which in a ranged test carries the extremes of smaller numbers
    /// of switches along, each summary has its own.
    pub fn of(loops: &[LoopResult], switches: usize) -> Summary {
        let counted = || loops.iter().filter(|l| l.counted);
        let rates: Vec<f64> = counted().map(|l| l.per_ms() * 1000.0).collect();
        let n = rates.len().max(1) as f64;
        let avg = rates.iter().sum::<f64>() / n;
        Summary {
            switches,
            tests: rates.len(),
            min: rates.iter().copied().reduce(f64::min).unwrap_or(0.0),
            max: rates.iter().copied().reduce(f64::max).unwrap_or(0.0),
            avg,
            stdev: (rates.iter().map(|r| (r - avg).powi(2)).sum::<f64>() / n).sqrt(),
            responses: counted().map(LoopResult::total).sum(),
        }
    }
}

impl fmt::Display for Summary {
    /// The original's RESULT line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { switches, tests, min, max, avg, stdev, .. } = self;
        write!(
            f,
            "RESULT: {switches} switches {tests} tests min/max/avg/stdev = {min:.2}/{max:.2}/{avg:.2}/{stdev:.2} responses/s"
        )
    }
}

/// Everything a run found, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// `throughput` or `latency`.
    pub mode: &'static str,
    /// `host:port`.
    pub controller: String,
    /// Source addresses per switch.
    pub macs: u32,
    /// Length of a loop in milliseconds.
    pub ms_per_test: u32,
    /// One for each number of switches.
    pub results: Vec<TestReport<'a>>,
    /// Every loop, those that do not count included.
    pub loops: &'a [LoopResult],
    /// Round trips of the last test; none when the controller does not name the buffer that it answers to.
    pub latency: Option<Latency>,
}

/// One test of a [`Report`].
#[derive(Debug, Serialize)]
pub struct TestReport<'a> {
    /// The RESULT line.
    #[serde(flatten)]
    pub summary: &'a Summary,
    /// What it cost the controller, where its process was given.
    #[serde(flatten)]
    pub spent: Option<Spent>,
}

impl<'a> Report<'a> {
    /// `spent` is parallel to the snapshot's summaries, or empty.
    pub fn new(options: &Options, snapshot: &'a Snapshot, spent: &[Spent]) -> Report<'a> {
        let test = |(i, summary)| TestReport { summary, spent: spent.get(i).copied() };
        Report {
            mode: if options.throughput { "throughput" } else { "latency" },
            controller: format!("{}:{}", options.controller, options.port),
            macs: options.macs,
            ms_per_test: options.ms_per_test,
            results: snapshot.summaries.iter().enumerate().map(test).collect(),
            loops: &snapshot.loops,
            latency: snapshot.latency,
        }
    }
}

/// The line that follows the original's: percentiles of the round trips.
pub fn latency_line(latency: Option<&Latency>, throughput: bool) -> String {
    let kind = if throughput { "sampled round trips, queueing included" } else { "round trips" };
    let Some(l) = latency else {
        let why = if throughput { "no answer names the buffer it answers to" } else { "no answer" };
        return format!("LATENCY: n/a ({why})");
    };
    let us = |ns: u64| ns as f64 / 1000.0;
    format!(
        "LATENCY: p50/p90/p99/p99.9/max = {:.1}/{:.1}/{:.1}/{:.1}/{:.1} us, {} {kind}",
        us(l.p50_ns),
        us(l.p90_ns),
        us(l.p99_ns),
        us(l.p999_ns),
        us(l.max_ns),
        l.samples
    )
}

#[cfg(test)]
mod tests;
