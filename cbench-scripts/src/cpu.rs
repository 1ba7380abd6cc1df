//! How much CPU time another process has used.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

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
    fn no_such_process_is_an_error() {
        assert!(Process::new(u32::MAX).is_err());
    }
}
