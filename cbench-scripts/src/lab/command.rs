//! Short-lived commands, with a time limit.

use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::{Error, Result};

/// How long the lab's own commands may take. They need milliseconds; a busy machine gets room.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// How a command ended and what it wrote.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a command that succeeded.
    ///
    /// # Errors
    /// [`Error::Failed`] with what the command wrote, when its status is not 0.
    pub fn success(self) -> Result<String> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        Err(Error::Failed { command: self.command, status: self.status, stderr: said.trim().to_owned() })
    }
}

/// Runs `command`, gives it `input` on standard input, and kills it after `timeout`.
///
/// # Errors
/// [`Error::Io`] when it cannot be started, [`Error::Timeout`] when it had to be killed. A failure status is not an
/// error here: see [`Output::success`].
pub fn run(command: &mut Command, input: &str, timeout: Duration) -> Result<Output> {
    let line = command_line(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Error::io(format!("cannot start `{line}`")))?;
    let stdout = child.stdout.take().map(read_aside);
    let stderr = child.stderr.take().map(read_aside);
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input is not in error.
        let _ = stdin.write_all(input.as_bytes());
    }
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        match child.try_wait().map_err(Error::io(format!("waiting for `{line}`")))? {
            Some(status) => break status,
            None if Instant::now() >= deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::Timeout { what: format!("`{line}`"), after: timeout });
            }
            None => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    };
    Ok(Output { command: line, status, stdout: collected(stdout), stderr: collected(stderr) })
}

pub(super) fn command_line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

fn read_aside(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, received) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = to.send(bytes);
    });
    received
}

/// A grandchild may hold the pipe open after the command has ended: do not wait for it for ever.
fn collected(from: Option<Receiver<Vec<u8>>>) -> String {
    let bytes = from.and_then(|r| r.recv_timeout(Duration::from_secs(1)).ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
