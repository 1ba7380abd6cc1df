//! Two flows at one bottleneck: the stack's and the kernel's, both with CUBIC, to the same receiver.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use ferroflow_stack::sim::LinkConfig;

use super::capture::Capture;
use super::kernel::KernelHost;
use super::ours::{Mover, Stack};
use super::path::{Path, Way};
use super::relay::{Attachment, Relay, RelayReport, Side};
use super::stream::Stream;
use super::task::{Open, Received, Role, Task, wait};
use super::transfer::Tuning;

const KERNEL: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 1);
const RECEIVER: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 2);
const OURS: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 3);
const FOR_KERNEL: u16 = 5001;
const FOR_OURS: u16 = 5002;
const PATIENCE: Duration = Duration::from_secs(60);

/// A bottleneck to be shared: 50 Mbit/s, 20 ms.
pub const WAY: Way = Way::clean(50_000_000, Duration::from_millis(20));

/// Two flows, started at once.
#[derive(Debug, Clone)]
pub struct Share {
    /// The bottleneck.
    pub way: Way,
    /// A random delay of each frame on each way, up to this; order is kept. Where every answer takes as long as the last, which
    /// of two flows meets a full queue is decided by microseconds at the senders, and always in the same way (S. Floyd and
    /// V. Jacobson, "On Traffic Phase Effects in Packet-Switched Gateways", 1992).
    pub jitter: Duration,
    /// How long they share it.
    pub time: Duration,
    /// The bytes and the stack's choices are drawn from it.
    pub seed: u64,
    /// Changes to the stack's settings.
    pub tuning: Tuning,
    /// Where to write what the receiver sees.
    pub capture: Option<PathBuf>,
}

/// What each got.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The kernel's flow.
    pub kernel: Received,
    /// The stack's flow.
    pub ours: Received,
    /// What the kernel's sender counted.
    pub kernel_counters: Vec<(String, u64)>,
    /// What the stack counted.
    pub our_counters: Vec<(String, u64)>,
    /// What the relay did; the first path is the bottleneck.
    pub relay: RelayReport,
}

impl Shared {
    /// The stack's goodput by the kernel's.
    pub fn ratio(&self) -> f64 {
        self.ours.goodput() / self.kernel.goodput().max(1e-3)
    }
}

impl Share {
    /// Runs both flows to their end.
    ///
    /// # Errors
    /// When something cannot be set up, a flow fails, or a wrong byte is received.
    pub fn run(&self) -> anyhow::Result<Shared> {
        let stream = Stream::new(self.seed);
        let flow = |port| {
            let (receive, reports) = Task::new(Role::Receive, Open::Listen(port), &stream, self.time);
            let to = Open::Connect(SocketAddrV4::new(RECEIVER, port));
            let send = Task { role: Role::Send, open: to, ..receive.clone() };
            (send, receive, reports)
        };
        let (kernel_sends, for_kernel, kernel_reports) = flow(FOR_KERNEL);
        let (ours_sends, for_ours, our_reports) = flow(FOR_OURS);
        let stops = [&kernel_sends, &ours_sends].map(|task| task.stop.clone());

        let (receiver, right) = KernelHost::new(RECEIVER)?;
        let (kernel, left) = KernelHost::new(KERNEL)?;
        let mut threads = vec![receiver.start(for_kernel)?, receiver.start(for_ours)?];
        let tune = |config: &mut ferroflow_stack::Config| self.tuning.apply(config);
        let (stack, ours) = Stack::start(OURS, self.seed, tune, Mover::new(ours_sends))?;
        let at = |port, side, path| Attachment { port, side, path, capture: None };
        let capture = self.capture.as_ref().map(|path| Capture::create(path)).transpose();
        let right = Attachment { capture: capture.context("capture")?, ..at(right, Side::Right, 1) };
        let link = LinkConfig { jitter: self.jitter, ..self.way.link() };
        let paths = [1, 2].map(|direction| Path::new(link, self.seed ^ direction << 56));
        let attachments = vec![at(left, Side::Left, 0), at(ours, Side::Left, 0), right];
        let relay = Relay::start(attachments, paths.into())?;
        threads.push(kernel.start(kernel_sends)?);

        let patience = self.time + PATIENCE;
        let (kernel_got, our_got) = (wait(&kernel_reports, patience), wait(&our_reports, patience));
        stops.iter().for_each(|stop| stop.store(true, Ordering::Relaxed));
        let (kernel_counters, our_counters) = (kernel.counters()?, stack.stop()?.counters);
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a thread of the kernel's side panicked"))??;
        }
        Ok(Shared {
            kernel: kernel_got?,
            ours: our_got?,
            kernel_counters,
            our_counters,
            relay: relay.stop()?,
        })
    }
}
