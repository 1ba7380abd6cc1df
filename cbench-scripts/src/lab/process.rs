//! Long-lived child processes with their log captured.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::command::command_line;
use super::{Error, Result};

/// Lines kept per process; older ones are dropped.
const LINES_MAX: usize = 100_000;
/// How long a process may take to end after SIGTERM before it is killed.
const TERM_GRACE: Duration = Duration::from_secs(5);
/// The unit of `/proc/PID/stat`: USER_HZ is 100 on every architecture that Rust's Linux targets know.
const TICK: Duration = Duration::from_millis(10);

/// A line that a process wrote to standard output or standard error.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it was read.
    pub at: Instant,
    /// The line, without its end.
    pub text: String,
}

/// A place in a process's log: what is written later lies after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark(usize);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<Line>,
    dropped: usize,
    readers: usize,
}

#[derive(Debug, Default)]
struct Log {
    kept: Mutex<Kept>,
    grown: Condvar,
}

/// A child process. Dropping it ends it: SIGTERM first, SIGKILL after 5 s.
#[derive(Debug)]
pub struct Proc {
    name: String,
    child: Child,
    log: Arc<Log>,
}

impl Proc {
    /// Starts `command`; `name` is for messages. Its input is empty, its output is captured without colours.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Proc> {
        command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(Error::io(format!("cannot start `{}`", command_line(command))))?;
        let log =
            Arc::new(Log { kept: Mutex::new(Kept { readers: 2, ..Kept::default() }), grown: Condvar::new() });
        if let Some(out) = child.stdout.take() {
            log.clone().follow(out);
        }
        if let Some(err) = child.stderr.take() {
            log.clone().follow(err);
        }
        Ok(Proc { name: name.to_owned(), child, log })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// True until the process has ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of the log as it is now.
    pub fn mark(&self) -> Mark {
        let kept = self.log.kept();
        Mark(kept.dropped + kept.lines.len())
    }

    /// The lines after `mark` ([`Mark::default`] is the start).
    pub fn lines_after(&self, mark: Mark) -> Vec<Line> {
        self.log.kept().after(mark).cloned().collect()
    }

    /// The last lines, for a message.
    pub fn tail(&self, lines: usize) -> String {
        let kept = self.log.kept();
        let skip = kept.lines.len().saturating_sub(lines);
        kept.lines.iter().skip(skip).map(|l| format!("  {}: {}\n", self.name, l.text)).collect()
    }

    /// Waits for the first line anywhere in the log that contains `needle`.
    ///
    /// # Errors
    /// [`Error::Timeout`], or [`Error::Unexpected`] when the process ended without it; both with the log's end.
    pub fn wait_for_line(&self, needle: &str, timeout: Duration) -> Result<Line> {
        self.wait_for(Mark::default(), &format!("a line with \"{needle}\""), timeout, |l| l.contains(needle))
    }

    /// Waits for the first line after `mark` that `wanted` accepts; `what` names it in the error.
    ///
    /// # Errors
    /// As [`Proc::wait_for_line`].
    pub fn wait_for(
        &self,
        mark: Mark,
        what: &str,
        timeout: Duration,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Line> {
        let deadline = Instant::now() + timeout;
        let mut kept = self.log.kept();
        loop {
            if let Some(line) = kept.after(mark).find(|l| wanted(&l.text)) {
                return Ok(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let ended = kept.readers == 0;
            if left.is_zero() || ended {
                drop(kept);
                let what = format!("{what} from {}; its log ends:\n{}", self.name, self.tail(20));
                return Err(match ended {
                    true => Error::Unexpected(format!("ended without {what}")),
                    false => Error::Timeout { what, after: timeout },
                });
            }
            kept = self.log.grown.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the process: SIGTERM, and SIGKILL if it has not ended after 5 s. Answers how it ended.
    ///
    /// # Errors
    /// When the system will not say how it ended.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + TERM_GRACE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().map_err(Error::io(&*self.name))? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill()
    }

    /// Ends the process at once, by SIGKILL.
    ///
    /// # Errors
    /// When the system will not say how it ended.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        // One that has already ended cannot be killed, which is as good.
        let _ = self.child.kill();
        self.child.wait().map_err(Error::io(&*self.name))
    }

    /// Processor time used so far by all threads of the process, those that ended included, in steps of 10 ms.
    ///
    /// # Errors
    /// When the process has ended, or `/proc` is not what proc(5) says.
    pub fn cpu_time(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.pid());
        let stat = std::fs::read_to_string(&path).map_err(Error::io(&*path))?;
        let ticks = cpu_ticks(&stat).ok_or_else(|| Error::Unexpected(format!("{path} holds {stat:?}")))?;
        Ok(TICK * ticks)
    }

    /// The pid stays ours until the child is reaped by `try_wait` or `wait`, so a signal cannot hit another process.
    fn signal(&mut self, signal: Signal) {
        if self.is_running()
            && let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        let _ = self.terminate();
    }
}

/// utime and stime, the 14th and 15th field; the 2nd is a name in brackets that may contain anything: proc(5).
pub(super) fn cpu_ticks(stat: &str) -> Option<u32> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let utime: u32 = fields.next()?.parse().ok()?;
    let stime: u32 = fields.next()?.parse().ok()?;
    utime.checked_add(stime)
}

impl Log {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(self: Arc<Self>, from: impl Read + Send + 'static) {
        std::thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut bytes = Vec::new();
            while matches!(from.read_until(b'\n', &mut bytes), Ok(n) if n > 0) {
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                bytes.clear();
                self.kept().push(Line { at: Instant::now(), text });
                self.grown.notify_all();
            }
            self.kept().readers -= 1;
            self.grown.notify_all();
        });
    }
}

impl Kept {
    fn push(&mut self, line: Line) {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }

    fn after(&self, mark: Mark) -> impl Iterator<Item = &Line> {
        self.lines.iter().skip(mark.0.saturating_sub(self.dropped))
    }
}
