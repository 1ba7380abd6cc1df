//! An endpoint on the kernel's TCP: a namespace with a TAP interface, and plain sockets in it.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use ferroflow_ports::{AnyPort, TapBuilder};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::{CpuSet, sched_setaffinity};
use socket2::{Domain, Socket, Type};

use super::task::{Account, Open, Role, Task};
use crate::lab::{self, Netns};

/// The TAP interface's name in its namespace.
const INTERFACE: &str = "wan0";
/// What the kernel's side sends with, whatever the machine's default is.
pub const CONGESTION_CONTROL: &str = "cubic";
/// How often a blocked call looks whether the transfer is over.
const TICK: Duration = Duration::from_millis(100);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes per read or write.
const CHUNK: usize = 256 * 1024;
/// Settings of the kernel's TCP that figures depend on.
const SETTINGS: [&str; 7] =
    ["tcp_rmem", "tcp_wmem", "tcp_sack", "tcp_timestamps", "tcp_recovery", "tcp_early_retrans", "tcp_ecn"];

/// A network namespace with one TAP interface; its sockets use CUBIC, everything else is as the machine has it. It is
/// new for every transfer, so that no metrics of an earlier one are remembered.
#[derive(Debug)]
pub struct KernelHost {
    netns: Netns,
    address: Ipv4Addr,
}

impl KernelHost {
    /// A host at `address`/24; the port is the other end of its cable.
    ///
    /// # Errors
    /// When the namespace or the interface cannot be made.
    pub fn new(address: Ipv4Addr) -> anyhow::Result<(KernelHost, AnyPort)> {
        let netns = Netns::new("wan")?;
        let host_address = Some((address, 24));
        let builder = TapBuilder { host_address, offload: Some(false), ..TapBuilder::new(INTERFACE) };
        let mut tap = netns.enter(|| builder.open())??;
        let port = tap.ports.pop().context("a TAP interface has a queue")?;
        // Frames of the MTU's size and complete checksums, as from the stack. What a driver does not know it cannot do.
        for offload in ["tx", "sg", "tso", "gso", "gro"] {
            let _ = netns.run("ethtool", &["-K", INTERFACE, offload, "off"]);
        }
        Ok((KernelHost { netns, address }, AnyPort::from(port)))
    }

    /// A host in a namespace where `address` is on an interface already.
    pub fn inside(netns: Netns, address: Ipv4Addr) -> KernelHost {
        KernelHost { netns, address }
    }

    /// Starts the task on a thread of the namespace. A listener is ready when this returns.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(&self, task: Task) -> anyhow::Result<JoinHandle<lab::Result<()>>> {
        let listener = match task.open {
            Open::Connect(_) => None,
            Open::Listen(port) => {
                let at = SocketAddrV4::new(self.address, port);
                Some(self.netns.enter(|| listen(at))?.with_context(|| format!("listen on {at}"))?)
            }
        };
        Ok(self.netns.thread(move || {
            if let Err(e) = run(&task, listener) {
                task.failed(format!("the kernel's side: {e}"));
            }
        }))
    }

    /// Starts a thread of the namespace: a client of another kind.
    pub fn visit<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<lab::Result<T>> {
        self.netns.thread(f)
    }

    /// What the kernel's TCP of this namespace has counted, without zeroes: `TcpRetransSegs`, `TcpExtTCPTimeouts`, ...
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn counters(&self) -> lab::Result<Vec<(String, u64)>> {
        self.netns.enter(|| {
            let read = |name: &str| {
                std::fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default()
            };
            counters_in(&(read("snmp") + &read("netstat")))
        })
    }

    /// The settings that figures depend on, as this host has them.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn settings(&self) -> lab::Result<BTreeMap<&'static str, String>> {
        let read = |name| {
            let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
            (name, text.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        self.netns.enter(|| SETTINGS.into_iter().map(read).collect())
    }
}

/// Reads pairs of lines, names and values, as `/proc/net/snmp` has them; only TCP's, only what is not zero.
fn counters_in(text: &str) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.chunks_exact(2) {
        let (Some((kind, names)), Some((_, values))) = (pair[0].split_once(':'), pair[1].split_once(':'))
        else {
            continue;
        };
        if !kind.starts_with("Tcp") {
            continue;
        }
        for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
            if let Ok(value) = value.parse::<u64>()
                && value > 0
            {
                found.push((format!("{kind}{name}"), value));
            }
        }
    }
    found
}

fn run(task: &Task, listener: Option<TcpListener>) -> io::Result<()> {
    if let Some(processor) = task.processor {
        let mut only = CpuSet::new();
        only.set(processor);
        sched_setaffinity(None, &only)?;
    }
    let stream = match (task.open, listener) {
        (Open::Connect(to), _) => connect(to, CONNECT_TIMEOUT)?,
        (Open::Listen(_), Some(listener)) => match accept(task, &listener)? {
            Some(stream) => stream,
            None => return Ok(()),
        },
        (Open::Listen(_), None) => return Err(ErrorKind::NotConnected.into()),
    };
    let since = Instant::now();
    stream.set_read_timeout(Some(TICK))?;
    stream.set_write_timeout(Some(TICK))?;
    match task.role {
        Role::Send => send(task, stream),
        Role::Receive => receive(task, stream, since),
    }
}

/// A socket that sends with [`CONGESTION_CONTROL`]. Most kernels refuse to change a namespace's default.
fn socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    rustix::net::sockopt::set_tcp_congestion(&socket, CONGESTION_CONTROL)?;
    Ok(socket)
}

/// An accepted connection has the congestion control of its listener.
fn listen(at: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = socket()?;
    socket.bind(&at.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}

/// Connects to `to`.
///
/// # Errors
/// When nobody answers within `patience`, or refuses.
pub fn connect(to: SocketAddrV4, patience: Duration) -> io::Result<TcpStream> {
    let socket = socket()?;
    socket.connect_timeout(&to.into(), patience)?;
    Ok(socket.into())
}

fn accept(task: &Task, listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    let tick = Timespec { tv_sec: 0, tv_nsec: TICK.subsec_nanos().into() };
    while !task.stopped() {
        if poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&tick))? > 0 {
            return listener.accept().map(|(stream, _)| Some(stream));
        }
    }
    Ok(None)
}

/// Sends all bytes, then waits for the receiver to end the connection.
fn send(task: &Task, mut stream: TcpStream) -> io::Result<()> {
    let mut sent = 0;
    while sent < task.bytes && !task.stopped() {
        match stream.write(task.stream.at(sent, (task.bytes - sent).min(CHUNK as u64))) {
            Ok(n) => sent += n as u64,
            Err(e) if is_tick(&e) => {}
            // The receiver's time was over: it has reported what there is to say.
            Err(_) => return Ok(()),
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
    while !task.stopped() {
        match stream.read(&mut [0; 64]) {
            Err(e) if is_tick(&e) => {}
            _ => break,
        }
    }
    Ok(())
}

/// Receives until the account is closed, then resets the connection.
fn receive(task: &Task, mut stream: TcpStream, since: Instant) -> io::Result<()> {
    let mut account = Account::default();
    let mut chunk = vec![0; CHUNK];
    while !account.is_closed() && !task.stopped() {
        match stream.read(&mut chunk) {
            Ok(0) => {
                let got = account.got();
                return Err(io::Error::other(format!("the connection ended after {got} bytes")));
            }
            Ok(n) => account.take(task, &chunk[..n]),
            Err(e) if is_tick(&e) => {}
            Err(e) => return Err(e),
        }
        account.settle(task, since.elapsed());
        if let Some(pace) = task.pace {
            let ahead = Duration::from_secs_f64(account.got() as f64 / pace as f64);
            std::thread::sleep(ahead.saturating_sub(since.elapsed()));
        }
    }
    // What the sender still has is of no interest: a reset instead of a FIN.
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    Ok(())
}

fn is_tick(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read() {
        let text = "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoMin MaxConn RetransSegs\nTcp: 200 -1 7\n\
                    TcpExt: SyncookiesSent TCPTimeouts\nTcpExt: 0 3\n";
        let found = counters_in(text);
        let wanted = [("TcpRtoMin", 200), ("TcpRetransSegs", 7), ("TcpExtTCPTimeouts", 3)];
        assert_eq!(found, wanted.map(|(name, n)| (name.to_owned(), n)));
    }
}
