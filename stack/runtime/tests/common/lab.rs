//! A network namespace with a TAP interface or a veth pair: the stack at 10.77.0.2, the kernel at 10.77.0.1.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::{Duration, Instant as Wall};

use ferroflow_ports::{AnyPort, Opened, PortSpec, RssKey, TapBuilder, TapPort, Wanted};
use ferroflow_runtime::capture::Ring;
use ferroflow_runtime::{
    BesideEngine, CoreReport, Options, PortEngine, Runtime, Steered, Waker, beside, kernel, steer,
};
use ferroflow_stack::port::Port;
use ferroflow_stack::port::lossy::Lossy;
use ferroflow_stack::port::pcap::Pcap;
use ferroflow_stack::steer::{Key, SYMMETRIC_KEY, Steer};
use ferroflow_stack::{Config, Instance, Service};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

pub const STACK: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
pub const HOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// A key other than the usual one, which everybody must have been told.
pub const KEY: Key = SYMMETRIC_KEY;

/// Whether the long tests are wanted (`FERROFLOW_TEST_SIZE=full`).
pub fn full() -> bool {
    std::env::var("FERROFLOW_TEST_SIZE").is_ok_and(|v| v == "full")
}

/// Runs a test on a thread that lives in a network namespace of its own; the kernel removes it with the thread.
/// Without the rights it skips, loudly.
pub fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        // SAFETY: only the network namespace is left behind; no descriptor table or memory is unshared.
        if let Err(e) = unsafe { unshare_unsafe(UnshareFlags::NEWNET) } {
            return Err(e.to_string());
        }
        // For connection storms: source ports are used again at once, and there are enough of them.
        sysctl("tcp_tw_reuse", "1");
        sysctl("ip_local_port_range", "1024 65500");
        test();
        Ok(())
    });
    match thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(why)) => skip(&format!("root for a network namespace: {why}")),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Says what the test needs, past the harness's capture, which takes what `eprintln!` prints.
///
/// # Panics
/// When the environment says `FERROFLOW_NO_SKIP=1`.
pub fn skip(what: &str) {
    assert!(
        std::env::var_os("FERROFLOW_NO_SKIP").is_none_or(|v| v != "1"),
        "FERROFLOW_NO_SKIP=1, and this test needs {what}"
    );
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test} needs {what}");
}

/// Whether the program is in `PATH`; without it the test skips, loudly.
pub fn has_program(name: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    if !found {
        skip(&format!("the command `{name}` (Debian package {package})"));
    }
    found
}

/// Writes a setting of the namespace's IPv4.
pub fn sysctl(name: &str, value: &str) {
    let path = format!("/proc/sys/net/ipv4/{name}");
    std::fs::write(&path, value).unwrap_or_else(|e| panic!("{path}: {e}"));
}

/// What is left of a core.
#[derive(Debug)]
pub struct End {
    pub conns: usize,
    pub memory: usize,
    pub frames_held: usize,
    pub frames_lost: u64,
    pub counters: Vec<(&'static str, u64)>,
    pub port_counters: Vec<(&'static str, u64)>,
}

/// A counter of all cores together.
pub fn total(reports: &[CoreReport<End>], name: &str) -> u64 {
    reports.iter().map(|r| r.result.any_counter(name)).sum()
}

impl End {
    /// The stack's counter of this name, or the port's; 0 where there is none.
    pub fn any_counter(&self, name: &str) -> u64 {
        self.counters.iter().chain(&self.port_counters).find(|(n, _)| *n == name).map_or(0, |(_, n)| *n)
    }

    pub fn counter(&self, name: &str) -> u64 {
        self.counters.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no counter {name}")).1
    }
}

/// A TAP interface with `queues` queues.
pub fn tap(queues: u16) -> (Vec<TapPort>, [u8; 6]) {
    let mut builder = TapBuilder::new("ff0");
    builder.queues = queues;
    builder.host_address = Some((HOST, 24));
    let tap = builder.open().unwrap();
    let mac = tap.stack_mac();
    (tap.ports, mac)
}

/// A kind of port, on one end of a veth pair or a TAP interface, and how many cores and queues.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub port: &'static str,
    pub cores: usize,
    /// Of the interface.
    pub queues: usize,
}

impl Cell {
    /// Its kind of port on ff0.
    pub fn open(self) -> Opened {
        let spec: PortSpec = self.port.parse().unwrap_or_else(|e| panic!("{e}"));
        let host_address = self.port.starts_with("tap").then_some((HOST, 24));
        let wanted = Wanted { rss: RssKey::Is(KEY), host_address, beside: true, ..Wanted::new(self.cores) };
        spec.open(&wanted).unwrap_or_else(|e| panic!("{self:?}: {e}"))
    }

    /// The stack, with its kind of port on ff0.
    pub fn start<S: Service + Send + 'static>(self, service: impl FnMut(usize) -> S) -> Stack {
        let opened = self.open();
        if opened.shared.is_some() {
            return Stack::beside(opened, service);
        }
        let keyed = |core, cores| Steer::with_key(core, cores, &KEY);
        Stack::start(steer::join(opened.ports, 256, keyed), opened.mac, service, |config| {
            config.steer = keyed(config.steer.core(), config.steer.cores());
        })
    }

    /// Whether frames come to the core that owns their connection by themselves.
    pub fn steers(self) -> bool {
        self.port.starts_with("packet") || (self.port.starts_with("tap") && self.queues >= self.cores)
    }
}

/// A veth pair with so many queues: ff0 for the stack, host0 with the kernel's address.
pub fn veth(queues: usize) {
    let q = format!("numtxqueues {queues} numrxqueues {queues}");
    ip(&format!("link add ff0 {q} type veth peer name host0 {q}"));
    ip("addr add 10.77.0.1/24 dev host0");
    ip("link set host0 up");
    ip("link set ff0 up");
}

/// Another network namespace, for the other end of a veth pair.
#[derive(Debug)]
pub struct Elsewhere {
    namespace: File,
}

impl Elsewhere {
    /// A new one, with an end of a pair in it that has an address.
    pub fn with(interface: &str, address: &str) -> Elsewhere {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let owner = std::thread::spawn(move || {
            // SAFETY: as in `in_namespace`.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.unwrap();
            sysctl("ip_local_port_range", "1024 65500");
            let thread = rustix::thread::gettid();
            let namespace = format!("/proc/self/task/{}/ns/net", thread.as_raw_nonzero());
            tell.send((thread, File::open(namespace).unwrap())).unwrap();
            let _ = ended.recv();
        });
        let (thread, namespace) = told.recv().unwrap();
        ip(&format!("link set {interface} netns {}", thread.as_raw_nonzero()));
        drop(end);
        owner.join().unwrap();
        let elsewhere = Elsewhere { namespace };
        elsewhere.enter(|| {
            ip("link set lo up");
            ip(&format!("addr add {address} dev {interface}"));
            ip(&format!("link set {interface} up"));
        });
        elsewhere
    }

    /// Runs something there; so do the threads that it starts.
    pub fn enter<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|s| {
            let there = s.spawn(|| {
                let network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.namespace.as_fd(), network).unwrap();
                f()
            });
            there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Runs `ip` with these words.
pub fn ip(words: &str) {
    run("ip", words);
}

/// Waits until the kernel has noticed that the interface has its carrier again: it takes its time.
pub fn wait_until_up(interface: &str) {
    let start = Wall::now();
    while !run("ip", &format!("link show {interface}")).contains("state UP") {
        assert!(start.elapsed() < Duration::from_secs(20), "{interface} does not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Switches offloads of an interface.
pub fn ethtool(interface: &str, features: &str) {
    run("ethtool", &format!("-K {interface} {features}"));
}

/// Runs a program, which must succeed.
pub fn run(program: &str, words: &str) -> String {
    let out = Command::new(program).args(words.split_whitespace()).output().unwrap();
    assert!(out.status.success(), "{program} {words}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A port that the lab can put a stack on.
pub trait LabPort: Port + Send + 'static {
    /// How many frames it misses.
    fn held(&self) -> usize;

    /// How many frames it has lost on purpose.
    fn lost(&self) -> u64 {
        0
    }

    /// Says how to wake its core.
    fn attach(&self, _: Waker) {}

    /// What it has counted, by name.
    fn port_counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

impl LabPort for TapPort {
    fn held(&self) -> usize {
        TapPort::held(self)
    }
}

impl LabPort for Lossy<TapPort> {
    fn held(&self) -> usize {
        self.inner().held()
    }

    fn lost(&self) -> u64 {
        self.counters().lost
    }
}

impl LabPort for Steered<TapPort> {
    fn held(&self) -> usize {
        self.inner().held()
    }

    fn attach(&self, waker: Waker) {
        Steered::attach(self, waker);
    }
}

impl LabPort for Steered<AnyPort> {
    fn held(&self) -> usize {
        self.inner().held()
    }

    fn attach(&self, waker: Waker) {
        Steered::attach(self, waker);
    }

    fn port_counters(&self) -> Vec<(&'static str, u64)> {
        let steered = self.counters();
        let own = [("handed_over", steered.handed_over), ("handing_over_dropped", steered.dropped)];
        self.inner().counters().into_iter().chain(own).collect()
    }
}

impl LabPort for Steered<Pcap<TapPort, Ring>> {
    fn held(&self) -> usize {
        self.inner().inner().held()
    }

    fn attach(&self, waker: Waker) {
        Steered::attach(self, waker);
    }
}

/// Cores with a stack on each of the ports.
pub struct Stack {
    runtime: Option<Runtime<End>>,
}

impl Stack {
    /// One core for each port.
    pub fn start<P, S>(
        ports: Vec<P>,
        mac: [u8; 6],
        mut service: impl FnMut(usize) -> S,
        tune: impl Fn(&mut Config),
    ) -> Stack
    where
        P: LabPort,
        S: Service + Send + 'static,
    {
        let cores = ports.len();
        let mut ports = ports.into_iter();
        let runtime = Runtime::spawn(
            &Options { grace: Duration::from_millis(200), ..Options::new(cores) },
            |core| {
                let port = ports.next().unwrap();
                port.attach(core.waker.clone());
                let service = service(core.index);
                let mut config = Config::new(mac.into(), STACK, 24, 0x5eed + core.index as u64);
                config.steer = Steer::new(core.index as u16, cores as u16);
                tune(&mut config);
                let waker = core.waker.clone();
                move || Ok(PortEngine::new(Instance::new(config, port, service), waker)?)
            },
            |engine| {
                let instance = engine.instance();
                End {
                    conns: instance.conns(),
                    memory: instance.memory(),
                    frames_held: instance.port().held(),
                    frames_lost: instance.port().lost(),
                    counters: instance.counters().iter().collect(),
                    port_counters: instance.port().port_counters(),
                }
            },
        );
        Stack { runtime: Some(runtime.unwrap()) }
    }

    /// One core for each port of an interface whose address is shared, with the kernel's sockets beside it. Their counters
    /// have `kernel_` before their names.
    pub fn beside<S>(opened: Opened, mut service: impl FnMut(usize) -> S) -> Stack
    where
        S: Service + Send + 'static,
    {
        let shared = opened.shared.unwrap();
        let group = beside::group(&shared);
        let cores = opened.ports.len();
        let keyed = |core, cores| Steer::with_key(core, cores, &KEY);
        let mut ports = steer::join(opened.ports, 256, keyed).into_iter();
        let runtime = Runtime::spawn(
            &Options { grace: Duration::from_millis(200), ..Options::new(cores) },
            |core| {
                let port = ports.next().unwrap();
                Steered::attach(&port, core.waker.clone());
                let service = service(core.index);
                let seed = 0x5eed + core.index as u64;
                // What it has of addresses is to be the interface's own.
                let mut config = Config::new([2; 6].into(), Ipv4Addr::UNSPECIFIED, 0, seed);
                config.steer = port.steer().clone();
                let sockets = kernel::Config::new(group.clone(), seed);
                let (shared, waker) = (shared.clone(), core.waker.clone());
                move || Ok(BesideEngine::new(config, port, shared, sockets, waker, service)?)
            },
            |engine| {
                let instance = engine.instance();
                let kernel = engine.counters();
                let beside = [("kernel_accepted", kernel.accepted), ("kernel_connects", kernel.connects)];
                End {
                    conns: instance.conns(),
                    memory: instance.memory(),
                    frames_held: instance.port().held(),
                    frames_lost: 0,
                    counters: instance.counters().iter().chain(beside).collect(),
                    port_counters: instance.port().port_counters(),
                }
            },
        );
        Stack { runtime: Some(runtime.unwrap()) }
    }

    pub fn stop(mut self) -> Vec<CoreReport<End>> {
        let runtime = self.runtime.take().unwrap();
        runtime.stop_handle().stop();
        runtime.join().unwrap()
    }

    /// Open connections now, over all cores.
    pub fn conns(&self) -> u64 {
        self.runtime.as_ref().unwrap().stats().iter().map(|s| s.conns()).sum()
    }

    /// What every core says of itself.
    pub fn describe(&self) -> Vec<String> {
        let answers = self.runtime.as_ref().unwrap().inspector().describe(Duration::from_secs(20));
        answers.into_iter().map(|answer| answer.expect("the core answers")).collect()
    }

    /// Waits until no connection is open.
    pub fn wait_idle(&self) {
        let start = Wall::now();
        while self.conns() > 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "{} connections are left", self.conns());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.stop_handle().stop();
            let _ = runtime.join();
        }
    }
}

/// A kernel's connection to the stack.
pub fn connect(port: u16) -> TcpStream {
    let to = SocketAddr::from((STACK, port));
    let s =
        TcpStream::connect_timeout(&to, Duration::from_secs(20)).unwrap_or_else(|e| panic!("connect: {e}"));
    s.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    s.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    s.set_nodelay(true).unwrap();
    s
}
