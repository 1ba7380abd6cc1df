//! What one endpoint of a transfer is to do, and what it reports.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use anyhow::bail;

use super::stream::Stream;

/// How an endpoint comes to its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// It is the server.
    Listen(u16),
    /// It is the client.
    Connect(SocketAddrV4),
}

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The endpoint sends.
    Send,
    /// The endpoint receives, checks and counts.
    Receive,
}

/// What one endpoint is to do.
#[derive(Debug, Clone)]
pub struct Task {
    /// How it comes to its connection.
    pub open: Open,
    /// Which way the bytes go.
    pub role: Role,
    /// Which bytes.
    pub stream: Stream,
    /// How many at most.
    pub bytes: u64,
    /// Whether a receiver compares what arrives with what it has to be, or only counts it.
    pub check: bool,
    /// Most bytes a second that a receiver on the kernel's side reads; `None` = as many as there are.
    pub pace: Option<u64>,
    /// The processor that an endpoint on the kernel's side stays on; `None` = wherever the kernel puts it.
    pub processor: Option<usize>,
    /// How long the receiver counts, from the moment when the connection is established for it.
    pub limit: Duration,
    /// Bytes received so far, for onlookers.
    pub progress: Arc<AtomicU64>,
    /// Set when the transfer is over: whoever still waits gives up.
    pub stop: Arc<AtomicBool>,
    /// Where to report.
    pub report: Sender<Report>,
}

/// What an endpoint has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// The receiver is done.
    Received(Received),
    /// Something went wrong that ends the transfer.
    Failed(String),
}

/// The receiver's report, or whatever went wrong.
///
/// # Errors
/// When an endpoint has failed, or says nothing within `patience`.
pub fn wait(reports: &Receiver<Report>, patience: Duration) -> anyhow::Result<Received> {
    match reports.recv_timeout(patience) {
        Ok(Report::Received(received)) => Ok(received),
        Ok(Report::Failed(what)) => bail!("{what}"),
        Err(_) => bail!("the transfer came to no end within {patience:?}"),
    }
}

/// What the receiver got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes that arrived in order and, if they were to be checked, were the right ones.
    pub bytes: u64,
    /// From the established connection to the last of them, or to the end of the time.
    pub elapsed: Duration,
}

impl Received {
    /// Mbit/s.
    pub fn goodput(&self) -> f64 {
        self.bytes as f64 * 8.0 / 1e6 / self.elapsed.as_secs_f64().max(1e-6)
    }
}

impl Task {
    /// A task that sends or receives `stream` for `limit` at most, and its onlookers' end: without a bound on bytes.
    pub fn new(role: Role, open: Open, stream: &Stream, limit: Duration) -> (Task, Receiver<Report>) {
        let (report, reports) = mpsc::channel();
        let task = Task {
            open,
            role,
            stream: stream.clone(),
            bytes: u64::MAX,
            check: true,
            pace: None,
            processor: None,
            limit,
            progress: Arc::default(),
            stop: Arc::default(),
            report,
        };
        (task, reports)
    }

    /// Whether the transfer is over.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Says what went wrong. Nobody may be listening any more.
    pub fn failed(&self, what: impl std::fmt::Display) {
        if !self.stopped() {
            let _ = self.report.send(Report::Failed(what.to_string()));
        }
    }
}

/// The receiver's account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    got: u64,
    closed: bool,
}

impl Account {
    /// Bytes taken so far.
    pub fn got(&self) -> u64 {
        self.got
    }

    /// Whether it has been reported.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes what arrived. Wrong bytes are reported and close the account.
    pub fn take(&mut self, task: &Task, arrived: &[u8]) {
        if self.closed {
            return;
        }
        let checked = if task.check { task.stream.check(self.got, arrived) } else { Ok(()) };
        match checked {
            Ok(()) => {
                self.got += arrived.len() as u64;
                task.progress.store(self.got, Ordering::Relaxed);
            }
            Err(at) => {
                self.closed = true;
                task.failed(format!("wrong bytes were received at position {at} or soon after"));
            }
        }
    }

    /// Closes the account if all bytes are there or the time is over, and reports it.
    pub fn settle(&mut self, task: &Task, elapsed: Duration) {
        if !self.closed && (self.got >= task.bytes || elapsed >= task.limit) {
            self.closed = true;
            let _ = task.report.send(Report::Received(Received { bytes: self.got, elapsed }));
        }
    }
}
