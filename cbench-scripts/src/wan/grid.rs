//! The grid: goodput of the stack against the kernel's TCP, over many ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use super::path::Way;
use super::schedule;
use super::transfer::{Outcome, Roles, Transfer, Tuning};

/// The bottleneck, in bits per second.
pub const RATE: u64 = 200_000_000;
/// Loss, in per cent.
const LOSS: [f64; 5] = [0.0, 0.1, 1.0, 3.0, 10.0];
/// Round trips, in milliseconds.
const RTT: [u64; 3] = [0, 10, 100];
/// Reordering, in per cent.
const REORDER: [f64; 2] = [0.0, 5.0];
/// Twelve cells for every day: each loss, each round trip, and reordering where it hurts most.
const TWELVE: [(f64, u64, f64); 12] = [
    (0.0, 0, 0.0),
    (0.0, 10, 0.0),
    (0.0, 10, 5.0),
    (0.0, 100, 0.0),
    (0.1, 0, 5.0),
    (0.1, 10, 0.0),
    (0.1, 100, 5.0),
    (1.0, 0, 0.0),
    (1.0, 10, 5.0),
    (3.0, 10, 0.0),
    (3.0, 0, 5.0),
    (10.0, 10, 0.0),
];
/// A transfer in which more than this share of the frames waited for the relay's thread is repeated once.
const TARDY_MAX: f64 = 0.02;

/// One way of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Loss in each direction, in per cent.
    pub loss: f64,
    /// Round trip, in milliseconds.
    pub rtt: u64,
    /// Frames held up in each direction, in per cent.
    pub reorder: f64,
}

impl Cell {
    /// All thirty.
    pub fn all() -> Vec<Cell> {
        let mut cells = Vec::new();
        for reorder in REORDER {
            for rtt in RTT {
                cells.extend(LOSS.map(|loss| Cell { loss, rtt, reorder }));
            }
        }
        cells
    }

    /// A fixed choice of twelve.
    pub fn twelve() -> Vec<Cell> {
        TWELVE.map(|(loss, rtt, reorder)| Cell { loss, rtt, reorder }).into()
    }

    /// The way.
    pub fn way(&self, duplicate: f64) -> Way {
        Way {
            rate: RATE,
            rtt: Duration::from_millis(self.rtt),
            loss: self.loss / 100.0,
            reorder: self.reorder / 100.0,
            duplicate,
        }
    }

    /// What one flow may be expected to take, as a share of the bottleneck: Mathis et al., "The macroscopic behavior of
    /// the TCP congestion avoidance algorithm", 1997. Only the schedule depends on it.
    fn share(&self) -> f64 {
        let rtt = (self.rtt as f64 / 1000.0).max(0.001);
        let segments = 1.22 / (self.loss / 100.0).max(1e-9).sqrt();
        (segments * 1448.0 * 8.0 / rtt / RATE as f64).clamp(0.08, 1.0)
    }

    /// The same for every transfer of the same repetition of the cell, whoever sends.
    fn seed(&self, base: u64, repetition: usize) -> u64 {
        let words = [self.loss.to_bits(), self.rtt, self.reorder.to_bits(), repetition as u64];
        words.into_iter().fold(base, |seed, word| fastrand::Rng::with_seed(seed ^ word).u64(..))
    }
}

/// How a grid is run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which ways.
    pub cells: Vec<Cell>,
    /// Which roles of the stack; the kernel's own come by themselves.
    pub roles: Vec<Roles>,
    /// Bytes of a transfer, at most.
    pub bytes: u64,
    /// Time of a transfer, at most.
    pub limit: Duration,
    /// Transfers of each kind.
    pub repeat: usize,
    /// Transfers of a kind whose results are far apart, at most.
    pub repeat_max: usize,
    /// All faults follow from it.
    pub seed: u64,
    /// Probability of a frame coming twice.
    pub duplicate: f64,
    /// Most transfers at once.
    pub at_once: usize,
    /// Changes to the stack's settings.
    pub tuning: Tuning,
    /// A folder for captures.
    pub captures: Option<PathBuf>,
}

/// All transfers of one kind over one way.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Those that came to an end.
    pub outcomes: Vec<Outcome>,
    /// What went wrong with the others.
    pub failures: Vec<String>,
}

/// Results that spread more than this, as a share of their median, are worth repeating.
const SPREAD_MAX: f64 = 0.25;

impl Series {
    fn goodputs(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.outcomes.iter().map(|o| o.received.goodput()).collect();
        all.resize(all.len() + self.failures.len(), 0.0);
        all.sort_by(f64::total_cmp);
        all
    }

    /// Median of the goodputs in Mbit/s; a failed transfer counts as 0.
    pub fn median(&self) -> f64 {
        let all = self.goodputs();
        match all.len() {
            0 => 0.0,
            n if n % 2 == 1 => all[n / 2],
            n => (all[n / 2 - 1] + all[n / 2]) / 2.0,
        }
    }

    /// Largest less smallest goodput, as a share of the median.
    pub fn spread(&self) -> f64 {
        let all = self.goodputs();
        match (all.first(), all.last(), self.median()) {
            (Some(low), Some(high), median) if median > 0.0 => (high - low) / median,
            _ => 0.0,
        }
    }

    /// Median over the transfers of a counter of the sender.
    pub fn of_sender(&self, name: &str) -> u64 {
        let value = |o: &Outcome| o.sender.iter().find(|(n, _)| n == name).map_or(0, |(_, v)| *v);
        let mut all: Vec<u64> = self.outcomes.iter().map(value).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.outcomes.len() + self.failures.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Results, by the cell's number in the plan and the roles.
pub type Results = BTreeMap<(usize, Roles), Series>;

#[derive(Debug, Clone, Copy)]
struct Job {
    cell: usize,
    roles: Roles,
    repetition: usize,
    share: f64,
    /// It is a repetition of one that was disturbed.
    again: bool,
}

/// Runs the plan. `say` hears of every transfer as it ends.
pub fn run(plan: &Plan, mut say: impl FnMut(&Cell, Roles, &anyhow::Result<Outcome>)) -> Results {
    let mut results = Results::new();
    let mut pending = jobs(plan);
    let (done, ended) = mpsc::channel();
    let mut running: Vec<f64> = Vec::new();
    loop {
        while let Some(at) = schedule::next(pending.iter().map(|job| job.share), &running, plan.at_once) {
            let job = pending.remove(at);
            running.push(job.share);
            let (transfer, done) = (transfer(plan, &job), done.clone());
            std::thread::spawn(move || {
                let outcome = transfer.run();
                let _ = done.send((job, outcome));
            });
        }
        if running.is_empty() {
            return results;
        }
        let Ok((job, outcome)) = ended.recv() else { return results };
        if let Some(at) = running.iter().position(|&share| share == job.share) {
            running.swap_remove(at);
        }
        say(&plan.cells[job.cell], job.roles, &outcome);
        let disturbed = outcome.as_ref().is_ok_and(|o| o.relay.tardiness() > TARDY_MAX);
        if disturbed && !job.again {
            pending.insert(0, Job { again: true, ..job });
            continue;
        }
        let series = results.entry((job.cell, job.roles)).or_default();
        match outcome {
            Ok(outcome) => series.outcomes.push(outcome),
            Err(e) => series.failures.push(format!("{e:#}")),
        }
        if (plan.repeat..plan.repeat_max).contains(&series.len()) && series.spread() > SPREAD_MAX {
            pending.push(Job { repetition: series.len(), again: false, ..job });
        }
    }
}

/// The kernel next to what is compared with it, so that both meet the same neighbours on the machine.
fn jobs(plan: &Plan) -> Vec<Job> {
    let mut jobs = Vec::new();
    let baselines: BTreeSet<Roles> = plan.roles.iter().map(|roles| roles.baseline()).collect();
    for (cell, way) in plan.cells.iter().enumerate() {
        for repetition in 0..plan.repeat {
            for &roles in baselines.iter().chain(&plan.roles) {
                jobs.push(Job { cell, roles, repetition, share: way.share(), again: false });
            }
        }
    }
    jobs
}

fn transfer(plan: &Plan, job: &Job) -> Transfer {
    let cell = &plan.cells[job.cell];
    let capture = plan.captures.as_ref().map(|folder| {
        let Cell { loss, rtt, reorder } = cell;
        folder.join(format!("loss{loss}-rtt{rtt}-reorder{reorder}-{}-{}", job.roles, job.repetition))
    });
    Transfer {
        roles: job.roles,
        way: cell.way(plan.duplicate),
        seed: cell.seed(plan.seed, job.repetition),
        bytes: plan.bytes,
        limit: plan.limit,
        tuning: plan.tuning,
        capture,
    }
}

#[cfg(test)]
mod tests;
