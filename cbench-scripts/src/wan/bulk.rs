//! One stream as fast as it goes: the stack over a TAP interface and the kernel at its other end, against two kernels over a veth
//! pair, all with their offloads.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, anyhow};
use ferroflow_ports::TapBuilder;
use ferroflow_runtime::{CpuList, Pin};
use ferroflow_stack::Config;
use rustix::thread::{CpuSet, sched_getaffinity};

use super::kernel::KernelHost;
use super::ours::{Leaving, Mover, Stack};
use super::stream::Stream;
use super::task::{Open, Received, Role, Task, wait};
use crate::lab::{Netns, veth};

const KERNEL: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 2);
const PORT: u16 = 5001;
/// The interface's name in each namespace.
const INTERFACE: &str = "bulk0";
/// How long connecting and all else beside the counted time may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One stream.
#[derive(Debug, Clone, Copy)]
pub struct Bulk {
    /// How long it is counted, from the established connection on.
    pub time: Duration,
    /// Most bytes.
    pub bytes: u64,
    /// Whether the receiver compares every byte.
    pub check: bool,
    /// Whether the sender and the receiver stay on a processor each, whoever they are; else the kernel moves them as it likes.
    pub pin: bool,
    /// Whether the TAP interface has offloads.
    pub offload: bool,
    /// The bytes and the stack's choices follow from it.
    pub seed: u64,
}

impl Bulk {
    fn task(&self, role: Role, open: Open) -> (Task, std::sync::mpsc::Receiver<super::task::Report>) {
        let (task, reports) = Task::new(role, open, &Stream::new(self.seed), self.time);
        (Task { bytes: self.bytes, check: self.check, ..task }, reports)
    }

    /// The processors of the sender and of the receiver: two, if there are two.
    fn processors(&self) -> anyhow::Result<[Option<usize>; 2]> {
        if !self.pin {
            return Ok([None; 2]);
        }
        let allowed = sched_getaffinity(None).context("cannot read which processors may be used")?;
        let mut all = (0..CpuSet::MAX_CPU).filter(|&n| allowed.is_set(n));
        let first = all.next().context("no processor may be used")?;
        Ok([Some(first), all.next().or(Some(first))])
    }

    /// From kernel to kernel.
    ///
    /// # Errors
    /// When something cannot be set up, the connection fails, or a wrong byte is received.
    pub fn kernels(&self) -> anyhow::Result<Received> {
        let (sender, receiver) = (Netns::new("bulk")?, Netns::new("bulk")?);
        veth((&sender, INTERFACE), (&receiver, INTERFACE))?;
        sender.ip(&format!("addr add {KERNEL}/24 dev {INTERFACE}"))?;
        receiver.ip(&format!("addr add {OTHER}/24 dev {INTERFACE}"))?;
        let (sender, receiver) = (KernelHost::inside(sender, KERNEL), KernelHost::inside(receiver, OTHER));
        let (task, reports) = self.task(Role::Receive, Open::Listen(PORT));
        let to = Open::Connect(SocketAddrV4::new(OTHER, PORT));
        let [first, second] = self.processors()?;
        let receiving = receiver.start(Task { processor: second, ..task.clone() })?;
        let sending = sender.start(Task { role: Role::Send, open: to, processor: first, ..task.clone() })?;
        let received = wait(&reports, self.time + PATIENCE);
        task.stop.store(true, Ordering::Relaxed);
        for thread in [receiving, sending] {
            thread.join().map_err(|_| anyhow!("a thread of the kernel's side panicked"))??;
        }
        received
    }

    /// Between kernel and stack; `role` is the stack's.
    ///
    /// # Errors
    /// When something cannot be set up, the connection fails, or a wrong byte is received.
    pub fn stack(&self, role: Role) -> anyhow::Result<(Received, Leaving)> {
        let netns = Netns::new("bulk")?;
        let (host_address, offload) = (Some((KERNEL, 24)), Some(self.offload));
        let builder = TapBuilder { host_address, offload, ..TapBuilder::new(INTERFACE) };
        let mut tap = netns.enter(|| builder.open())??;
        let mac = tap.stack_mac();
        let port = tap.ports.pop().context("a TAP interface has a queue")?;
        let host = KernelHost::inside(netns, KERNEL);
        // The kernel listens where the stack sends, and connects where it receives: the sender is the client.
        let (ours, kernels) = match role {
            Role::Send => (Open::Connect(SocketAddrV4::new(KERNEL, PORT)), Open::Listen(PORT)),
            Role::Receive => (Open::Listen(PORT), Open::Connect(SocketAddrV4::new(OTHER, PORT))),
        };
        let (task, reports) = self.task(role, ours);
        let stop = Arc::clone(&task.stop);
        let [first, second] = self.processors()?;
        let (own, processor) = if role == Role::Send { (first, second) } else { (second, first) };
        let kernels = Task { role: other(role), open: kernels, processor, ..task.clone() };
        let config = Config::new(mac.into(), OTHER, 24, self.seed);
        let pin = own.map_or(Pin::No, |own| Pin::To(CpuList(vec![own])));
        let start = || Stack::over(port, config, Mover::new(task), pin);
        let (stack, thread) = match role {
            Role::Send => {
                let thread = host.start(kernels)?;
                (start()?, thread)
            }
            Role::Receive => (start()?, host.start(kernels)?),
        };
        let received = wait(&reports, self.time + PATIENCE);
        stop.store(true, Ordering::Relaxed);
        let left = stack.stop()?;
        thread.join().map_err(|_| anyhow!("a thread of the kernel's side panicked"))??;
        Ok((received?, left))
    }
}

fn other(role: Role) -> Role {
    match role {
        Role::Send => Role::Receive,
        Role::Receive => Role::Send,
    }
}
