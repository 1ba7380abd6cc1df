//! TCP transfers between hosts, over their kernels' TCP, with checksums and with their stalls measured.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Error, Host, Netns, Result, wait_until};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const BLOCK: usize = 32 * 1024;
/// A live transfer sends one block at a time with this pause: 8 MiB/s, so that it does not fill the machine.
const PAUSE: Duration = Duration::from_millis(4);
/// Shorter gaps are not remembered.
const GAP_MIN: Duration = Duration::from_millis(20);
/// Gaps remembered; a live transfer of 80 s can have this many.
const GAPS_MAX: usize = 4096;

/// A finished transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Bytes written by the sender.
    pub sent: u64,
    /// Bytes read by the receiver.
    pub received: u64,
    /// FNV-1a (64 bits) of the bytes written.
    pub sent_sum: u64,
    /// FNV-1a (64 bits) of the bytes read.
    pub received_sum: u64,
    /// From the connection to its end.
    pub took: Duration,
}

/// Sends `bytes` pseudo-random bytes made from `seed`, as fast as it goes.
///
/// # Errors
/// When no connection comes about in 10 s, or the transfer is not over after `timeout`.
pub fn transfer(from: &Host, to: &Host, bytes: u64, seed: u64, timeout: Duration) -> Result<Transfer> {
    let mut live = LiveTransfer::begin(from, to, seed, Some(bytes))?;
    wait_until("end of the TCP transfer", timeout, || Ok(live.is_over()))?;
    live.join()
}

/// A transfer that goes on until it is finished, at a moderate rate, and remembers when nothing arrived.
#[derive(Debug)]
pub struct LiveTransfer {
    stop: Arc<AtomicBool>,
    progress: Arc<Mutex<Progress>>,
    started: Instant,
    sender: Option<SideThread>,
    receiver: Option<SideThread>,
}

/// What one side saw: bytes, and their checksum.
type Side = (u64, u64);
type SideThread = JoinHandle<Result<Result<Side>>>;

#[derive(Debug)]
struct Progress {
    last: Instant,
    bytes: u64,
    gaps: Vec<(Instant, Instant)>,
}

impl LiveTransfer {
    /// Connects `from` to `to` and starts sending pseudo-random bytes made from `seed`.
    ///
    /// # Errors
    /// When no connection comes about in 10 s.
    pub fn start(from: &Host, to: &Host, seed: u64) -> Result<LiveTransfer> {
        LiveTransfer::begin(from, to, seed, None)
    }

    fn begin(from: &Host, to: &Host, seed: u64, bytes: Option<u64>) -> Result<LiveTransfer> {
        let (source, sink) = connection(from.netns(), to.netns(), to.address())?;
        let started = Instant::now();
        let stop = Arc::new(AtomicBool::new(false));
        let progress = Arc::new(Mutex::new(Progress { last: started, bytes: 0, gaps: Vec::new() }));
        let (send_stop, read_progress) = (stop.clone(), progress.clone());
        let sender = from.netns().thread(move || send(source, seed, bytes, &send_stop));
        let receive_stop = stop.clone();
        let receiver = to.netns().thread(move || receive(sink, &read_progress, &receive_stop));
        Ok(LiveTransfer { stop, progress, started, sender: Some(sender), receiver: Some(receiver) })
    }

    /// Bytes that have arrived.
    pub fn received(&self) -> u64 {
        self.progress().bytes
    }

    /// The longest time after `since` in which nothing arrived, one that still lasts included.
    pub fn longest_stall(&self, since: Instant) -> Duration {
        let progress = self.progress();
        let open = (progress.last, Instant::now());
        let gaps = progress.gaps.iter().copied().chain([open]);
        gaps.map(|(from, to)| to.saturating_duration_since(from.max(since))).max().unwrap_or_default()
    }

    /// Waits until `bytes` more have arrived.
    ///
    /// # Errors
    /// [`Error::Timeout`].
    pub fn wait_progress(&self, bytes: u64, timeout: Duration) -> Result<Duration> {
        let goal = self.received() + bytes;
        wait_until(&format!("{bytes} more bytes of a live transfer"), timeout, || Ok(self.received() >= goal))
    }

    /// Ends the transfer in order and answers what was sent and received.
    ///
    /// # Errors
    /// When a side failed, or the rest did not arrive within 10 s.
    pub fn finish(mut self) -> Result<Transfer> {
        self.stop.store(true, Ordering::Relaxed);
        wait_until("end of a live transfer", Duration::from_secs(10), || Ok(self.is_over()))?;
        self.join()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        [&self.sender, &self.receiver].iter().all(|side| side.as_ref().is_none_or(JoinHandle::is_finished))
    }

    fn join(&mut self) -> Result<Transfer> {
        let (sent, sent_sum) = outcome(self.sender.take())?;
        let (received, received_sum) = outcome(self.receiver.take())?;
        Ok(Transfer { sent, received, sent_sum, received_sum, took: self.started.elapsed() })
    }
}

impl Drop for LiveTransfer {
    /// Both sides look at the flag at least every 100 ms and end by themselves, within the receiver's patience.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn outcome(side: Option<SideThread>) -> Result<Side> {
    let side = side.ok_or_else(|| Error::Unexpected("this transfer has already been joined".to_owned()))?;
    side.join().unwrap_or_else(|_| Err(Error::Unexpected("a side of the transfer panicked".to_owned())))?
}

fn connection(from: &Netns, to: &Netns, address: Ipv4Addr) -> Result<(TcpStream, TcpStream)> {
    let listener =
        to.enter(|| TcpListener::bind(SocketAddrV4::new(address, 0)))?.map_err(Error::io("listen"))?;
    let port = listener.local_addr().map_err(Error::io("listen"))?;
    let source = from.enter(|| TcpStream::connect_timeout(&port, CONNECT_TIMEOUT))?;
    let source = source.map_err(Error::io(format!("connect to {port}")))?;
    listener.set_nonblocking(true).map_err(Error::io("listen"))?;
    let mut sink = None;
    wait_until("accept", CONNECT_TIMEOUT, || {
        sink = listener.accept().ok();
        Ok(sink.is_some())
    })?;
    let (sink, _) = sink.ok_or_else(|| Error::Unexpected("accept".to_owned()))?;
    sink.set_nonblocking(false).map_err(Error::io("accept"))?;
    let tick = Some(Duration::from_millis(100));
    source.set_write_timeout(tick).and(sink.set_read_timeout(tick)).map_err(Error::io("time-out"))?;
    Ok((source, sink))
}

/// Sends `bytes`, or until `stop`, then shuts its side.
fn send(mut to: TcpStream, seed: u64, bytes: Option<u64>, stop: &AtomicBool) -> Result<Side> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut sent, mut sum) = (0, Fnv1a::new());
    let mut block = vec![0; BLOCK];
    while !stop.load(Ordering::Relaxed) && bytes.is_none_or(|all| sent < all) {
        random.fill(&mut block);
        let left = bytes.map_or(BLOCK as u64, |all| (all - sent).min(BLOCK as u64));
        let mut rest = &block[..usize::try_from(left).unwrap_or(BLOCK)];
        while !rest.is_empty() && !stop.load(Ordering::Relaxed) {
            match to.write(rest) {
                Ok(n) => {
                    sum.add(&rest[..n]);
                    sent += n as u64;
                    rest = &rest[n..];
                }
                Err(e) if is_time_out(&e) => {}
                Err(e) => return Err(Error::io("send")(e)),
            }
        }
        if bytes.is_none() {
            std::thread::sleep(PAUSE);
        }
    }
    to.shutdown(std::net::Shutdown::Write).map_err(Error::io("shutdown"))?;
    Ok((sent, sum.0))
}

/// Reads to the end. Once told to stop it gives up after 10 s without a byte.
fn receive(mut from: TcpStream, progress: &Mutex<Progress>, stop: &AtomicBool) -> Result<Side> {
    let (mut sum, mut block) = (Fnv1a::new(), vec![0; BLOCK]);
    loop {
        let read = from.read(&mut block);
        let now = Instant::now();
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(0) => return Ok((progress.bytes, sum.0)),
            Ok(n) => {
                sum.add(&block[..n]);
                progress.bytes += n as u64;
                let gap = (progress.last, now);
                if now - progress.last >= GAP_MIN && progress.gaps.len() < GAPS_MAX {
                    progress.gaps.push(gap);
                }
                progress.last = now;
            }
            Err(e) if is_time_out(&e) => {
                if stop.load(Ordering::Relaxed) && now - progress.last > Duration::from_secs(10) {
                    return Err(Error::Timeout {
                        what: "the rest of a transfer".to_owned(),
                        after: now - progress.last,
                    });
                }
            }
            Err(e) => return Err(Error::io("receive")(e)),
        }
    }
}

fn is_time_out(e: &std::io::Error) -> bool {
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// FNV-1a, 64 bits: the checksum depends on every byte and on their order.
struct Fnv1a(u64);

impl Fnv1a {
    fn new() -> Fnv1a {
        Fnv1a(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
