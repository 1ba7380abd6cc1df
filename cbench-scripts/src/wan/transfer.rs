//! One transfer between two endpoints over the relay.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use ferroflow_ports::AnyPort;
use ferroflow_stack::Config;

use super::capture::Capture;
use super::kernel::KernelHost;
use super::ours::{Mover, Stack};
use super::path::{Path, Way};
use super::relay::{Attachment, Relay, RelayReport, Side};
use super::stream::Stream;
use super::task::{Open, Received, Role, Task, wait};
use crate::lab;

const SENDER: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 1);
const RECEIVER: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 2);
const PORT: u16 = 5001;
/// Among a stack's counters: processor time of its core, in microseconds.
pub const CPU_US: &str = "cpu_us";
/// How long connecting and all else beside the counted time may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whose TCP an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tcp {
    /// The kernel's.
    Kernel,
    /// The project's.
    Ours,
}

/// Who sends, who receives and which of them is the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Roles {
    /// The sender's TCP.
    pub sender: Tcp,
    /// The receiver's TCP.
    pub receiver: Tcp,
    /// Whether the sender opens the connection.
    pub sender_connects: bool,
}

impl Roles {
    /// The stack as client and as server, as sender and as receiver.
    pub const OURS: [Roles; 4] = [
        Roles { sender: Tcp::Ours, receiver: Tcp::Kernel, sender_connects: true },
        Roles { sender: Tcp::Ours, receiver: Tcp::Kernel, sender_connects: false },
        Roles { sender: Tcp::Kernel, receiver: Tcp::Ours, sender_connects: false },
        Roles { sender: Tcp::Kernel, receiver: Tcp::Ours, sender_connects: true },
    ];

    /// What these are compared with: the same between two kernels. Who connects matters: with the same faults the same
    /// frame of the handshake is lost.
    pub fn baseline(self) -> Roles {
        Roles { sender: Tcp::Kernel, receiver: Tcp::Kernel, ..self }
    }
}

impl fmt::Display for Roles {
    /// What the stack does, in a word or two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.sender, self.receiver, self.sender_connects) {
            (Tcp::Kernel, Tcp::Kernel, true) => "kernel-client-sends",
            (Tcp::Kernel, Tcp::Kernel, false) => "kernel-server-sends",
            (Tcp::Ours, Tcp::Ours, true) => "both-client-sends",
            (Tcp::Ours, Tcp::Ours, false) => "both-server-sends",
            (Tcp::Ours, Tcp::Kernel, true) => "client-sends",
            (Tcp::Ours, Tcp::Kernel, false) => "server-sends",
            (Tcp::Kernel, Tcp::Ours, false) => "client-receives",
            (Tcp::Kernel, Tcp::Ours, true) => "server-receives",
        })
    }
}

/// One transfer.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Whose TCP sends to whose.
    pub roles: Roles,
    /// The way between them.
    pub way: Way,
    /// The way's faults, the bytes and the stack's choices are drawn from it.
    pub seed: u64,
    /// How many bytes at most.
    pub bytes: u64,
    /// How long at most, from the established connection on.
    pub limit: Duration,
    /// Changes to the stack's settings.
    pub tuning: Tuning,
    /// A path for captures: `-sender.pcap` and `-receiver.pcap` are appended.
    pub capture: Option<PathBuf>,
}

/// Settings of the stack that are not its defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Bytes of a connection's send ring.
    pub send_buffer: Option<usize>,
    /// Bytes of a connection's receive buffer.
    pub recv_buffer: Option<usize>,
}

impl Tuning {
    /// Applies them.
    pub fn apply(&self, config: &mut Config) {
        config.tcp.send_buffer = self.send_buffer.unwrap_or(config.tcp.send_buffer);
        config.tcp.recv_buffer = self.recv_buffer.unwrap_or(config.tcp.recv_buffer);
    }
}

/// What came of a transfer.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What the receiver got, all of it verified.
    pub received: Received,
    /// The sender's counters.
    pub sender: Vec<(String, u64)>,
    /// The receiver's counters.
    pub receiver: Vec<(String, u64)>,
    /// What the relay did: first path from the sender to the receiver, second path back.
    pub relay: RelayReport,
}

impl Transfer {
    /// Runs it: two fresh endpoints, a relay between them, and all is removed again.
    ///
    /// # Errors
    /// When something cannot be set up, the connection fails, or a wrong byte is received.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let stream = Stream::new(self.seed);
        let (first, reports) = Task::new(Role::Send, Open::Listen(PORT), &stream, self.limit);
        let first = Task { bytes: self.bytes, ..first };
        let stop = Arc::clone(&first.stop);
        let task = |role, open| Task { role, open, ..first.clone() };
        let to = |address| Open::Connect(SocketAddrV4::new(address, PORT));
        let listen = Open::Listen(PORT);
        let sender = |open| self.attach(self.roles.sender, SENDER, task(Role::Send, open));
        let receiver = |open| self.attach(self.roles.receiver, RECEIVER, task(Role::Receive, open));
        // The server comes first: a client of ours sends its SYN at once, and in the pipe it waits for the relay.
        let ((mut sender, left), (mut receiver, right)) = if self.roles.sender_connects {
            let receiver = receiver(listen)?;
            (sender(to(RECEIVER))?, receiver)
        } else {
            let sender = sender(listen)?;
            (sender, receiver(to(SENDER))?)
        };
        let relay = self.relay(left, right)?;
        sender.begin()?;
        receiver.begin()?;
        let received = wait(&reports, self.limit + PATIENCE);
        stop.store(true, Ordering::Relaxed);
        let (sender, receiver) = (sender.end()?, receiver.end()?);
        Ok(Outcome { received: received?, sender, receiver, relay: relay.stop()? })
    }

    fn attach(&self, tcp: Tcp, address: Ipv4Addr, task: Task) -> anyhow::Result<(Endpoint, AnyPort)> {
        let (what, port) = match tcp {
            Tcp::Kernel => {
                let (host, port) = KernelHost::new(address)?;
                let mut side = KernelSide { host, task: Some(task), thread: None };
                if matches!(side.task, Some(Task { open: Open::Listen(_), .. })) {
                    side.begin()?;
                }
                (Endpoint::Kernel(side), port)
            }
            Tcp::Ours => {
                let tune = |config: &mut Config| self.tuning.apply(config);
                let (stack, port) = Stack::start(address, self.seed, tune, Mover::new(task))?;
                (Endpoint::Ours(stack), port)
            }
        };
        Ok((what, port))
    }

    fn relay(&self, left: AnyPort, right: AnyPort) -> anyhow::Result<Relay> {
        let capture = |end: &str| {
            let name = self.capture.as_ref().map(|base| format!("{}-{end}.pcap", base.display()));
            name.map(|name| Capture::create(name.as_ref()).with_context(|| name)).transpose()
        };
        let attachments = vec![
            Attachment { port: left, side: Side::Left, path: 0, capture: capture("sender")? },
            Attachment { port: right, side: Side::Right, path: 1, capture: capture("receiver")? },
        ];
        // The same faults for whoever sends: they depend on the seed and the frame's number.
        let paths = [1, 2].map(|direction| Path::new(self.way.link(), self.seed ^ direction << 56));
        Ok(Relay::start(attachments, paths.into())?)
    }
}

/// One end of the transfer.
enum Endpoint {
    Kernel(KernelSide),
    Ours(Stack),
}

struct KernelSide {
    host: KernelHost,
    /// Until it is begun.
    task: Option<Task>,
    thread: Option<JoinHandle<lab::Result<()>>>,
}

impl KernelSide {
    fn begin(&mut self) -> anyhow::Result<()> {
        if let Some(task) = self.task.take() {
            self.thread = Some(self.host.start(task)?);
        }
        Ok(())
    }
}

impl Endpoint {
    fn begin(&mut self) -> anyhow::Result<()> {
        match self {
            Endpoint::Kernel(side) => side.begin(),
            Endpoint::Ours(_) => Ok(()),
        }
    }

    /// What it counted.
    fn end(self) -> anyhow::Result<Vec<(String, u64)>> {
        match self {
            Endpoint::Kernel(side) => {
                let counters = side.host.counters()?;
                if let Some(thread) = side.thread {
                    thread.join().map_err(|_| anyhow!("a thread of the kernel's side panicked"))??;
                }
                Ok(counters)
            }
            Endpoint::Ours(stack) => {
                let mut left = stack.stop()?;
                left.counters.push((CPU_US.to_owned(), left.cpu_time.as_micros() as u64));
                Ok(left.counters)
            }
        }
    }
}
