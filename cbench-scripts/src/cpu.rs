//! How much CPU time another process has used.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

/// The kernel counts CPU time of user space in 1/100 s (`USER_HZ`, constant on every architecture Rust supports).
const TICKS_PER_SECOND: u64 = 100;

/// A process whose CPU time is read: the controller.
#[derive(Debug, Clone)]
pub struct Process {
    stat: PathBuf,
}

impl Process {
    /// The process `pid`.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn new(pid: u32) -> io::Result<Process> {
        let process = Process { stat: PathBuf::from(format!("/proc/{pid}/stat")) };
        process.cpu_time().map(|_| process)
    }

    /// User and system time of all its threads, those that have ended included; to 10 ms.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        let text = std::fs::read_to_string(&self.stat)?;
        let ticks = ticks(&text).ok_or_else(|| io::Error::other("not a stat file"))?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }
}

/// Adds a process's CPU time up over several intervals.
#[derive(Debug)]
pub struct Meter {
    process: Process,
    from: Option<Duration>,
    sum: Option<Duration>,
}

impl Meter {
    /// Nothing measured yet.
    pub fn new(process: Process) -> Meter {
        Meter { process, from: None, sum: Some(Duration::ZERO) }
    }

    /// An interval begins.
    pub fn start(&mut self) {
        self.from = self.process.cpu_time().ok();
        if self.from.is_none() {
            self.sum = None;
        }
    }

    /// The interval that was begun, if any, ends.
    pub fn stop(&mut self) {
        if let Some(from) = self.from.take() {
            let to = self.process.cpu_time().ok();
            self.sum = self.sum.zip(to).map(|(sum, to)| sum + to.saturating_sub(from));
        }
    }

    /// The sum so far, and starts anew. `None` when the process was gone at some time.
    pub fn take(&mut self) -> Option<Duration> {
        self.sum.replace(Duration::ZERO)
    }
}

/// What a test cost the controller.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spent {
    /// Its CPU seconds, user and system, in the counted loops; `None` when it could not be read.
    pub controller_cpu_s: Option<f64>,
    /// Answers in those loops divided by those seconds.
    pub responses_per_core_s: Option<f64>,
}

impl Spent {
    /// `responses` for `cpu`.
    pub fn new(responses: u64, cpu: Option<Duration>) -> Spent {
        let seconds = cpu.map(|d| d.as_secs_f64());
        let rate = seconds.filter(|s| *s > 0.0).map(|s| responses as f64 / s);
        Spent { controller_cpu_s: seconds, responses_per_core_s: rate }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.controller_cpu_s, self.responses_per_core_s) {
            (Some(s), Some(rate)) => {
                write!(
                    f,
                    "CONTROLLER: {s:.2} CPU seconds in these tests, {rate:.2} responses per core-second"
                )
            }
            (Some(s), None) => write!(f, "CONTROLLER: {s:.2} CPU seconds in these tests"),
            _ => write!(f, "CONTROLLER: its CPU time could not be read"),
        }
    }
}

/// `utime` and `stime`, the fields 14 and 15 of proc_pid_stat(5). The name before them may hold blanks and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_after_a_name_with_blanks_and_brackets() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 230 17 0 0 20 0 1";
        assert_eq!(ticks(stat), Some(247));
        assert_eq!(ticks("42 (x) S 1 2"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn our_own_time_grows_with_work() {
        let me = Process::new(std::process::id()).expect("our own stat file");
        let before = me.cpu_time().expect("readable");
        let start = std::time::Instant::now();
        let mut x = 1u64;
        while start.elapsed() < Duration::from_millis(150) {
            x = std::hint::black_box(x.wrapping_mul(6364136223846793005).wrapping_add(1));
        }
        let used = me.cpu_time().expect("readable") - before;
        assert!(used >= Duration::from_millis(30), "{used:?}");
    }

    #[test]
    fn meter_counts_what_lies_between_start_and_stop() {
        let mut meter = Meter::new(Process::new(std::process::id()).expect("our own stat file"));
        meter.stop();
        assert_eq!(meter.take(), Some(Duration::ZERO));
        meter.start();
        meter.stop();
        assert!(meter.take().expect("readable") < Duration::from_secs(5));
        let mut gone = Meter { process: Process { stat: "/nonexistent".into() }, from: None, sum: None };
        gone.take();
        gone.start();
        gone.stop();
        assert_eq!(gone.take(), None);
    }

    #[test]
    fn responses_per_core_second() {
        let s = Spent::new(3_000_000, Some(Duration::from_millis(1500)));
        assert_eq!(
            s.to_string(),
            "CONTROLLER: 1.50 CPU seconds in these tests, 2000000.00 responses per core-second"
        );
        assert_eq!(Spent::new(5, Some(Duration::ZERO)).responses_per_core_s, None);
        assert_eq!(Spent::new(5, None).to_string(), "CONTROLLER: its CPU time could not be read");
    }

    #[test]
    fn no_such_process_is_an_error() {
        assert!(Process::new(u32::MAX).is_err());
    }
}
