//! The relay: a thread that carries frames between attachment points, each direction over a [`Path`].

use std::io;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ferroflow_ports::AnyPort;
use ferroflow_runtime::clock;
use ferroflow_stack::Instant;
use ferroflow_stack::port::{Burst, Port, PortError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::capture::Capture;
use super::path::{Path, PathCounters};

/// Frames taken from a port at once.
const BURST: usize = 64;
/// Bursts taken from one port before the others have their turn.
const BURSTS: usize = 4;
/// A deadline as near as this is not slept for: the timer would be later.
const SPIN: Duration = Duration::from_micros(15);
/// Longest sleep, so that a stop is seen.
const NAP: Duration = Duration::from_millis(20);
/// A frame delivered later than this has been waiting for this program.
const TARDY: Duration = Duration::from_millis(2);

/// On which end of the way a port is. Frames go from one end to the other only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first end.
    Left,
    /// The other.
    Right,
}

/// Where an endpoint is attached.
#[derive(Debug)]
pub struct Attachment {
    /// The relay's side of the cable.
    pub port: AnyPort,
    /// Which end of the way.
    pub side: Side,
    /// Which of the relay's paths takes what comes from here.
    pub path: usize,
    /// Where to write what is seen here.
    pub capture: Option<Capture>,
}

/// What a relay did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayReport {
    /// Each path's counters.
    pub paths: Vec<PathCounters>,
    /// Frames delivered.
    pub delivered: u64,
    /// Frames of them that waited more than 2 ms for the relay's thread.
    pub tardy: u64,
    /// Longest that a frame waited for the relay's thread.
    pub latest: Duration,
    /// Frames that the destination's port did not take, by attachment.
    pub refused: Vec<u64>,
    /// Frames to addresses that nobody has.
    pub no_route: u64,
    /// Processor time of the thread.
    pub cpu_time: Duration,
}

impl RelayReport {
    /// Share of frames delivered late by the fault of this machine, from 0 to 1.
    pub fn tardiness(&self) -> f64 {
        self.tardy as f64 / self.delivered.max(1) as f64
    }
}

/// A relay that runs. Dropping it stops it.
#[derive(Debug)]
pub struct Relay {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<RelayReport, PortError>>>,
}

impl Relay {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the kernel has no descriptor or thread left.
    pub fn start(attachments: Vec<Attachment>, paths: Vec<Path>) -> io::Result<Relay> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut work = Work::new(attachments, paths);
        let seen = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("relay".to_owned()).spawn(move || work.run(&seen))?;
        Ok(Relay { stop, thread: Some(thread) })
    }

    /// Stops it and says what it did.
    ///
    /// # Errors
    /// When a port had failed.
    ///
    /// # Panics
    /// When its thread has panicked.
    pub fn stop(mut self) -> Result<RelayReport, PortError> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it is taken here and in drop only");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    attachments: Vec<Attachment>,
    /// The MAC address seen last at each attachment.
    macs: Vec<Option<[u8; 6]>>,
    /// What is to be sent at each attachment.
    out: Vec<Burst>,
    paths: Vec<Path>,
    rx: Burst,
    /// Which attachment is asked first: each in its turn, or one flow's frames would always be before another's at a full
    /// queue.
    first: usize,
    report: RelayReport,
}

impl Work {
    fn new(attachments: Vec<Attachment>, paths: Vec<Path>) -> Work {
        let n = attachments.len();
        Work {
            macs: vec![None; n],
            out: (0..n).map(|_| Burst::new(BURST)).collect(),
            report: RelayReport { refused: vec![0; n], ..RelayReport::default() },
            attachments,
            paths,
            rx: Burst::new(BURST),
            first: 0,
        }
    }

    fn run(&mut self, stop: &AtomicBool) -> Result<RelayReport, PortError> {
        // Timers as exact as the kernel has them; without the right to it they are 50 us late.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        while !stop.load(Ordering::Relaxed) {
            let worked = self.take_in() | self.give_out();
            for a in &mut self.attachments {
                a.port.sync()?;
            }
            if !worked {
                self.sleep()?;
            }
        }
        self.report.paths = self.paths.iter().map(Path::counters).collect();
        self.report.cpu_time = clock::thread_cpu_time();
        Ok(std::mem::take(&mut self.report))
    }

    /// Takes what the ports have received; whether there was anything.
    fn take_in(&mut self) -> bool {
        let mut any = false;
        let n = self.attachments.len();
        self.first = (self.first + 1) % n;
        for at in (self.first..n).chain(0..self.first) {
            let a = &mut self.attachments[at];
            for _ in 0..BURSTS {
                if a.port.rx(&mut self.rx) == 0 {
                    break;
                }
                any = true;
                let now = clock::now();
                while let Some(frame) = self.rx.pop() {
                    let bytes = a.port.bytes(&frame);
                    if let Some(source) = bytes.get(6..12).and_then(|s| s.try_into().ok()) {
                        self.macs[at] = Some(source);
                    }
                    if let Some(capture) = &mut a.capture {
                        capture.frame(now, bytes);
                    }
                    self.paths[a.path].push(now, at as u8, bytes);
                    a.port.release(frame);
                }
            }
        }
        any
    }

    /// Sends what has arrived; whether there was anything.
    fn give_out(&mut self) -> bool {
        let now = clock::now();
        let mut any = false;
        for path in &mut self.paths {
            while let Some(frame) = path.pop(now) {
                any = true;
                self.report.delivered += 1;
                let late = now.since(frame.due);
                self.report.latest = self.report.latest.max(late);
                self.report.tardy += u64::from(late > TARDY);
                let from = self.attachments[usize::from(frame.from)].side;
                let destination: Option<[u8; 6]> = frame.bytes.get(..6).and_then(|d| d.try_into().ok());
                let group = destination.is_none_or(|d| d[0] & 1 == 1);
                let mut found = false;
                for (at, a) in self.attachments.iter_mut().enumerate() {
                    if a.side != from && (group || self.macs[at] == destination) {
                        found = true;
                        let out = &mut self.out[at];
                        self.report.refused[at] += u64::from(!stage(a, out, now, frame.bytes));
                    }
                }
                self.report.no_route += u64::from(!found);
            }
        }
        for (at, a) in self.attachments.iter_mut().enumerate() {
            self.report.refused[at] += flush(&mut a.port, &mut self.out[at]);
        }
        any
    }

    /// Sleeps until a frame comes or the next one is due. By `ppoll`, whose time-out is in nanoseconds: that of `epoll_wait` is
    /// in milliseconds, and four frames at 50 Mbit/s would leave at once.
    fn sleep(&mut self) -> Result<(), PortError> {
        let next = self.paths.iter().filter_map(Path::next).min();
        let left = |at: Instant| at.since(clock::now());
        if next.is_some_and(|at| left(at) < SPIN) || !self.all_ready() {
            return Ok(());
        }
        let ports = self.attachments.iter().filter_map(|a| a.port.wait());
        let mut ports: Vec<_> = ports.map(|(fd, _)| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let nap = next.map_or(NAP, |at| left(at).min(NAP));
        let nap = Timespec { tv_sec: 0, tv_nsec: nap.subsec_nanos().into() };
        match poll(&mut ports, Some(&nap)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(e) => Err(io::Error::from(e).into()),
        }
    }

    /// Whether every port agrees to wake us.
    fn all_ready(&mut self) -> bool {
        self.attachments.iter_mut().all(|a| a.port.prepare_wait())
    }
}

/// Puts a copy of `bytes` where it leaves next; `false` if the port has no room.
fn stage(a: &mut Attachment, out: &mut Burst, now: Instant, bytes: &[u8]) -> bool {
    if out.room() == 0 && flush(&mut a.port, out) > 0 {
        return false;
    }
    let Some(mut frame) = a.port.alloc(bytes.len()) else { return false };
    a.port.bytes_mut(&mut frame).copy_from_slice(bytes);
    if let Some(capture) = &mut a.capture {
        capture.frame(now, bytes);
    }
    out.push(frame).map_err(|frame| a.port.release(frame)).is_ok()
}

/// Sends what is in `out`; returns how many frames the port did not take. Those are lost, as on any cable.
fn flush(port: &mut AnyPort, out: &mut Burst) -> u64 {
    while !out.is_empty() && port.tx(out) > 0 {}
    let mut refused = 0;
    while let Some(frame) = out.pop() {
        refused += 1;
        port.release(frame);
    }
    refused
}
