//! Network namespaces, and veth pairs between them.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::command::{COMMAND_TIMEOUT, run};
use super::{Error, Proc, Result};

/// A network namespace of our own, with its loopback up. Dropping it kills what still runs in it and removes it, and
/// with it every interface inside.
#[derive(Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// Makes a namespace. `label` makes its name readable; the name is unique to this process and call.
    ///
    /// # Errors
    /// When `ip netns add` fails: mostly for the want of rights.
    pub fn new(label: &str) -> Result<Netns> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("fflab{}-{}-{label}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run(Command::new("ip").args(["netns", "add", &name]), "", COMMAND_TIMEOUT)?.success()?;
        let netns = Netns { name };
        netns.ip("link set lo up")?;
        netns.enter(quieten)??;
        Ok(netns)
    }

    /// The name that `ip netns` knows.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run inside. Its process id is the program's own.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs a command inside and answers its standard output.
    ///
    /// # Errors
    /// When it fails or takes longer than 20 s.
    pub fn run(&self, program: &str, args: &[&str]) -> Result<String> {
        run(self.command(program).args(args), "", COMMAND_TIMEOUT)?.success()
    }

    /// Starts a process inside.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, program: &str, args: &[&str]) -> Result<Proc> {
        let name = program.rsplit('/').next().unwrap_or(program);
        Proc::spawn(name, self.command(program).args(args))
    }

    /// Runs `ip` inside on a batch of commands, one a line, stopping at the first that fails.
    ///
    /// # Errors
    /// When one of them fails.
    pub fn ip(&self, batch: &str) -> Result<()> {
        run(Command::new("ip").args(["-n", &self.name, "-batch", "-"]), batch, COMMAND_TIMEOUT)?.success()?;
        Ok(())
    }

    /// Sets a kernel variable of the namespace: `net/ipv4/ip_forward`, for example.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn sysctl(&self, name: &str, value: &str) -> Result<()> {
        self.enter(|| write_sysctl(name, value))?
    }

    /// Runs `f` on a thread inside the namespace and waits for it: the sockets it opens are the namespace's.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    ///
    /// # Panics
    /// When `f` panics.
    pub fn enter<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| join(&self.name).map(|()| f()));
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Starts a thread inside the namespace.
    pub fn thread<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<Result<T>> {
        let name = self.name.clone();
        std::thread::spawn(move || join(&name).map(|()| f()))
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        // The namespace is ours, so whatever runs in it was started by us.
        let pids = run(Command::new("ip").args(["netns", "pids", &self.name]), "", COMMAND_TIMEOUT);
        let own = std::process::id();
        for pid in pids
            .map(|out| out.stdout)
            .unwrap_or_default()
            .lines()
            .filter_map(|l| l.trim().parse::<u32>().ok())
        {
            if pid != own
                && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
            {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = run(Command::new("ip").args(["netns", "del", &self.name]), "", COMMAND_TIMEOUT);
    }
}

/// Makes a veth pair with an end in each namespace, both up. It goes with either namespace.
///
/// # Errors
/// When a name is taken, or longer than 15 bytes.
pub fn veth((a, name_a): (&Netns, &str), (b, name_b): (&Netns, &str)) -> Result<()> {
    let add =
        ["link", "add", name_a, "netns", a.name(), "type", "veth", "peer", "name", name_b, "netns", b.name()];
    run(Command::new("ip").args(add), "", COMMAND_TIMEOUT)?.success()?;
    a.ip(&format!("link set {name_a} up"))?;
    b.ip(&format!("link set {name_b} up"))
}

/// Only this thread changes its namespace; it must end afterwards.
fn join(name: &str) -> Result<()> {
    let path = format!("/run/netns/{name}");
    let netns = std::fs::File::open(&path).map_err(Error::io(path))?;
    move_into_link_name_space(std::os::fd::AsFd::as_fd(&netns), Some(LinkNameSpaceType::Network))
        .map_err(|e| Error::Io { what: format!("cannot enter the namespace {name}"), source: e.into() })
}

/// No IPv6 chatter, so that a host is silent until a test makes it talk; no reverse path filter, which the machine's
/// defaults may bring.
fn quieten() -> Result<()> {
    for family in ["all", "default"] {
        // A kernel without IPv6 has nothing to switch off.
        let _ = write_sysctl(&format!("net/ipv6/conf/{family}/disable_ipv6"), "1");
        write_sysctl(&format!("net/ipv4/conf/{family}/rp_filter"), "0")?;
    }
    Ok(())
}

fn write_sysctl(name: &str, value: &str) -> Result<()> {
    let path = format!("/proc/sys/{name}");
    std::fs::write(&path, value).map_err(Error::io(format!("{path} = {value}")))
}
