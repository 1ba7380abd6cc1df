//! Where the controller runs: the own stack on a port, or the kernel's sockets.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context, bail};
use ferroflow::Controller;
use ferroflow_ports::{AnyPort, PortKind, PortSpec, Shared, Wanted};
use ferroflow_runtime::capture::{CaptureFile, Ring};
use ferroflow_runtime::kernel::{self, ListenGroup};
use ferroflow_runtime::runtime::BuildError;
use ferroflow_runtime::{
    BesideEngine, Core, Engine, Figures, Kernel, Options, PortEngine, Runtime, beside, steer,
};
use ferroflow_stack::port::Port;
use ferroflow_stack::port::pcap::{Capture, Pcap};
use ferroflow_stack::steer::{Spread, Steer};
use ferroflow_stack::{Config, Instance};
use ferroflow_wire::MacAddr;

use crate::args::{Cidr, PcapSpec, PortChoice, RunArgs};
use crate::entropy;

/// Name of the TAP interface that `--port auto` takes.
const AUTO_NAME: &str = "ferroflow0";

/// Frames that may wait between two cores, one way: a few bursts.
const HANDED_OVER_MAX: usize = 256;

/// Where the controller runs.
pub(super) enum Place {
    /// The own stack on a port.
    Stack {
        /// The port in words.
        what: String,
        /// The socket at which programs come that share memory with us, where the port is of that kind.
        socket: Option<PathBuf>,
        /// Our address on it.
        address: Cidr,
        /// The kernel's, where the port gives it one.
        host: Option<Cidr>,
        /// The stack's MAC address.
        mac: MacAddr,
        /// What is the kernel's, too, where the address is.
        shared: Option<Shared>,
        /// How connections are spread over them.
        spread: Box<Spread>,
        /// The ports, until the cores have them.
        ports: Mutex<Vec<AnyPort>>,
        /// The file that frames are written to.
        capture: Mutex<Option<CaptureFile>>,
        /// What the cores write to it, until they have it.
        captures: Mutex<Vec<Capture<Ring>>>,
    },
    /// The kernel's sockets.
    Kernel {
        /// Why, if something else was wanted.
        why: Option<String>,
    },
}

/// Opens what `--port` says.
///
/// # Errors
/// When it cannot be had; `auto` then takes the kernel's sockets instead.
pub(super) fn choose(args: &RunArgs) -> anyhow::Result<Place> {
    let host = host_address(args)?;
    let auto = PortSpec::new(PortKind::Tap { name: AUTO_NAME.to_owned(), offload: None });
    match &args.port {
        PortChoice::Port(PortSpec { kind: PortKind::Kernel, .. }) if args.pcap.is_some() => {
            bail!("--pcap writes the own stack's frames, and --port kernel has none: use tcpdump")
        }
        PortChoice::Port(PortSpec { kind: PortKind::Kernel, .. }) => kernel(args, None),
        PortChoice::Port(spec) => open(spec, args, host).context("--port"),
        PortChoice::Auto if args.pcap.is_some() => {
            open(&auto, args, host).context("--pcap needs the own stack")
        }
        PortChoice::Auto => open(&auto, args, host).or_else(|error| kernel(args, Some(format!("{error:#}")))),
    }
}

/// The kernel's sockets. They need no rights where the ports to listen on are 1024 and more.
fn kernel(args: &RunArgs, why: Option<String>) -> anyhow::Result<Place> {
    if args.user.is_some() {
        super::privileges::give_up(args.user.as_ref())?;
    }
    Ok(Place::Kernel { why })
}

fn host_address(args: &RunArgs) -> anyhow::Result<Cidr> {
    let host = args.host_address.unwrap_or_else(|| args.address().other_host());
    if host.address == args.address().address {
        bail!("--host-address {host} is --address itself: the kernel's side needs one of its own");
    }
    if host.prefix_len != args.address().prefix_len || !args.address().contains(host.address) {
        bail!("--host-address {host} is not in the network of --address {}", args.address());
    }
    Ok(host)
}

fn open(spec: &PortSpec, args: &RunArgs, host: Cidr) -> anyhow::Result<Place> {
    let host = matches!(spec.kind, PortKind::Tap { .. }).then_some(host);
    if host.is_none() && args.host_address.is_some() {
        bail!("--host-address is the kernel's address on a TAP interface, and {spec} is none");
    }
    let socket = match &spec.kind {
        PortKind::Shm { path } => Some(path.clone()),
        _ => None,
    };
    if socket.is_some() {
        // Before the thread starts that lets programs in.
        super::privileges::give_up(args.user.as_ref())?;
    }
    let opened = spec.open(&Wanted {
        cores: args.cores.count(),
        host_address: host.map(|host| (host.address, host.prefix_len)),
        force: args.force,
        beside: true,
        rss: args.cores.rss_key(),
    })?;
    if opened.shared.is_some() && args.address.is_some() {
        bail!("{spec} has the kernel's address on the interface: --address is for an own one (`own`)");
    }
    for warning in &opened.warnings {
        tracing::warn!("{warning}");
    }
    // As whoever we are now; its thread must start without rights.
    let file = args.pcap.as_ref().map(|pcap| create(pcap).map(|file| (file, pcap.snaplen))).transpose()?;
    if socket.is_none() {
        super::privileges::give_up(args.user.as_ref())?;
    }
    let (capture, captures) = match file {
        Some((file, snaplen)) => {
            let names = queues(&opened.name, args);
            let (capture, captures) = CaptureFile::write_to(file, APPLICATION, &names, snaplen)?;
            (Some(capture), captures)
        }
        None => (None, Vec::new()),
    };
    let address = match &opened.shared {
        Some(shared) => Cidr { address: shared.address, prefix_len: shared.prefix_len },
        None => args.address(),
    };
    Ok(Place::Stack {
        what: opened.what,
        socket,
        address,
        host,
        mac: MacAddr(opened.mac),
        shared: opened.shared,
        spread: Box::new(opened.spread),
        ports: Mutex::new(opened.ports),
        capture: Mutex::new(capture),
        captures: Mutex::new(captures),
    })
}

/// What a capture says who wrote it.
const APPLICATION: &str = concat!("ferroflow ", env!("CARGO_PKG_VERSION"));

fn create(pcap: &PcapSpec) -> anyhow::Result<File> {
    File::create(&pcap.file).with_context(|| format!("--pcap: cannot create {}", pcap.file.display()))
}

/// The interface's queues, as the capture names them.
fn queues(name: &str, args: &RunArgs) -> Vec<String> {
    match args.cores.count() {
        1 => vec![name.to_owned()],
        n => (0..n).map(|queue| format!("{name}/{queue}")).collect(),
    }
}

impl Place {
    /// Starts the cores.
    ///
    /// # Errors
    /// When one of them cannot start.
    pub(super) fn spawn(
        &self,
        options: &Options,
        controllers: Vec<Controller>,
    ) -> anyhow::Result<Runtime<Figures>> {
        match self {
            Place::Stack { ports, captures, address, mac, shared, spread, .. } => {
                let stack = Stack {
                    address: *address,
                    mac: *mac,
                    shared: shared.clone(),
                    spread: Spread::clone(spread),
                };
                let ports = ports.lock().map(|mut all| std::mem::take(&mut *all)).unwrap_or_default();
                let captures = captures.lock().map(|mut all| std::mem::take(&mut *all)).unwrap_or_default();
                if captures.is_empty() {
                    return stack.spawn(options, controllers, ports);
                }
                let ports = ports.into_iter().zip(captures).map(|(port, capture)| Pcap::new(port, capture));
                stack.spawn(options, controllers, ports.collect())
            }
            Place::Kernel { .. } => spawn_kernel(options, controllers),
        }
    }

    /// Waits until the capture is complete. To be called when the cores have ended.
    pub(super) fn finish_capture(&self) {
        let Place::Stack { capture, .. } = self else { return };
        let capture = capture.lock().ok().and_then(|mut capture| capture.take());
        if let Some(Err(error)) = capture.map(CaptureFile::finish) {
            tracing::warn!("the capture is not complete: {error}");
        }
    }

    /// The address that switches connect to.
    pub(super) fn address(&self) -> Ipv4Addr {
        match self {
            Place::Stack { address, .. } => address.address,
            Place::Kernel { .. } => Ipv4Addr::LOCALHOST,
        }
    }
}

/// What a core leaves: all that was counted there.
fn counted(engine: &impl Engine) -> Figures {
    let mut figures = Figures::default();
    engine.report(&mut figures);
    figures
}

fn spawn_kernel(options: &Options, controllers: Vec<Controller>) -> anyhow::Result<Runtime<Figures>> {
    let group = ListenGroup::new();
    let mut controllers = controllers.into_iter();
    let seed = entropy::seed()?;
    let runtime = Runtime::spawn(
        options,
        |core| {
            let controller = controllers.next();
            if let Some(controller) = &controller {
                controller.mailbox().attach(core.waker.clone());
            }
            let config = kernel::Config::new(group.clone(), seed.wrapping_add(core.index as u64));
            let waker = core.waker.clone();
            move || {
                let controller = controller.ok_or("there are more cores than controllers")?;
                Ok(Kernel::new(config, waker, controller)?)
            }
        },
        |engine| counted(&engine),
    )?;
    Ok(runtime)
}

/// What the instances of an interface have in common.
struct Stack {
    address: Cidr,
    mac: MacAddr,
    shared: Option<Shared>,
    spread: Spread,
}

impl Stack {
    fn spawn<P: Port + Send + 'static>(
        self,
        options: &Options,
        controllers: Vec<Controller>,
        ports: Vec<P>,
    ) -> anyhow::Result<Runtime<Figures>> {
        let seed = entropy::seed()?;
        let make = |core, cores| Steer::with_spread(core, cores, &self.spread);
        let ports = steer::join(ports, HANDED_OVER_MAX, make);
        let mut parts = ports.into_iter().zip(controllers);
        let mut part = |core: &Core| {
            let part = parts.next();
            if let Some((port, controller)) = &part {
                port.attach(core.waker.clone());
                controller.mailbox().attach(core.waker.clone());
            }
            let (address, prefix_len) = (self.address.address, self.address.prefix_len);
            let mut config = Config::new(self.mac, address, prefix_len, seed.wrapping_add(core.index as u64));
            move || {
                let (port, controller) = part.ok_or("there are more cores than queues")?;
                config.steer = port.steer().clone();
                Ok::<_, BuildError>((config, port, controller))
            }
        };
        let Some(shared) = &self.shared else {
            return Ok(Runtime::spawn(
                options,
                |core| {
                    let (part, waker) = (part(core), core.waker.clone());
                    move || {
                        let (config, port, controller) = part()?;
                        Ok(PortEngine::new(Instance::new(config, port, controller), waker)?)
                    }
                },
                |engine| counted(&engine),
            )?);
        };
        let group = beside::group(shared);
        let runtime = Runtime::spawn(
            options,
            |core| {
                let (part, waker, shared) = (part(core), core.waker.clone(), shared.clone());
                let sockets = kernel::Config::new(group.clone(), seed.wrapping_add(core.index as u64));
                move || {
                    let (config, port, controller) = part()?;
                    Ok(BesideEngine::new(config, port, shared, sockets, waker, controller)?)
                }
            },
            |engine| counted(&engine),
        )?;
        Ok(runtime)
    }
}
