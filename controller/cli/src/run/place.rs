//! Where the controller runs: the own stack on a TAP interface, or the kernel's sockets.

use std::net::Ipv4Addr;
use std::sync::Mutex;

use anyhow::{Context, bail};
use ferroflow::Controller;
use ferroflow_ports::tap::{Tap, TapBuilder};
use ferroflow_runtime::kernel::{self, ListenGroup};
use ferroflow_runtime::{Kernel, Options, PortEngine, Runtime, steer};
use ferroflow_stack::steer::Steer;
use ferroflow_stack::{Config, Instance};
use ferroflow_wire::MacAddr;

use crate::args::{Cidr, PortSpec, RunArgs};
use crate::entropy;

/// Name of the TAP interface that `--port auto` takes.
const AUTO_NAME: &str = "ferroflow0";

/// Frames that may wait between two cores, one way: a few bursts.
const HANDED_OVER_MAX: usize = 256;

/// What a core leaves: its controller, and its stack's or sockets' counters by name.
pub(crate) struct Report {
    pub(crate) controller: Controller,
    pub(crate) counters: Vec<(&'static str, u64)>,
}

/// Where the controller runs.
pub(super) enum Place {
    /// The own stack on a TAP interface.
    Tap {
        /// The interface's name.
        name: String,
        /// Our address on it.
        address: Cidr,
        /// The kernel's.
        host: Cidr,
        /// The interface itself, until the cores have it.
        tap: Mutex<Option<Tap>>,
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
    match &args.port {
        PortSpec::Kernel => Ok(Place::Kernel { why: None }),
        PortSpec::Tap(name) => open_tap(name, args, host).context("--port"),
        PortSpec::Auto => Ok(open_tap(AUTO_NAME, args, host)
            .unwrap_or_else(|error| Place::Kernel { why: Some(format!("{error:#}")) })),
    }
}

fn host_address(args: &RunArgs) -> anyhow::Result<Cidr> {
    let host = args.host_address.unwrap_or_else(|| args.address.other_host());
    if host.address == args.address.address {
        bail!("--host-address {host} is --address itself: the kernel's side needs one of its own");
    }
    if host.prefix_len != args.address.prefix_len || !args.address.contains(host.address) {
        bail!("--host-address {host} is not in the network of --address {}", args.address);
    }
    Ok(host)
}

fn open_tap(name: &str, args: &RunArgs, host: Cidr) -> anyhow::Result<Place> {
    let mut builder = TapBuilder::new(name);
    builder.queues = u16::try_from(args.cores).context("--cores")?;
    builder.host_address = Some((host.address, host.prefix_len));
    let tap = builder.open()?;
    super::privileges::give_up()?;
    Ok(Place::Tap { name: name.to_owned(), address: args.address, host, tap: Mutex::new(Some(tap)) })
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
        _args: &RunArgs,
    ) -> anyhow::Result<Runtime<Report>> {
        match self {
            Place::Tap { tap, address, .. } => {
                let tap =
                    tap.lock().ok().and_then(|mut tap| tap.take()).context("the TAP interface is gone")?;
                spawn_stack(options, controllers, tap, *address)
            }
            Place::Kernel { .. } => spawn_kernel(options, controllers),
        }
    }

    /// The address that switches connect to.
    pub(super) fn address(&self) -> Ipv4Addr {
        match self {
            Place::Tap { address, .. } => address.address,
            Place::Kernel { .. } => Ipv4Addr::LOCALHOST,
        }
    }
}

fn spawn_kernel(options: &Options, controllers: Vec<Controller>) -> anyhow::Result<Runtime<Report>> {
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
        |engine| {
            let (controller, counters) = engine.into_parts();
            Report { controller, counters: counters.iter().collect() }
        },
    )?;
    Ok(runtime)
}

fn spawn_stack(
    options: &Options,
    controllers: Vec<Controller>,
    tap: Tap,
    address: Cidr,
) -> anyhow::Result<Runtime<Report>> {
    let mac = MacAddr(tap.stack_mac());
    let cores = u16::try_from(options.cores).context("--cores")?;
    let seed = entropy::seed()?;
    let ports = steer::join(tap.ports, HANDED_OVER_MAX, Steer::new);
    let mut parts = ports.into_iter().zip(controllers);
    let runtime = Runtime::spawn(
        options,
        |core| {
            let part = parts.next();
            if let Some((port, controller)) = &part {
                port.attach(core.waker.clone());
                controller.mailbox().attach(core.waker.clone());
            }
            let waker = core.waker.clone();
            let mut config =
                Config::new(mac, address.address, address.prefix_len, seed.wrapping_add(core.index as u64));
            config.steer = Steer::new(core.index as u16, cores);
            move || {
                let (port, controller) = part.ok_or("there are more cores than queues")?;
                Ok(PortEngine::new(Instance::new(config, port, controller), waker)?)
            }
        },
        |engine| {
            let (port, controller, counters) = engine.into_instance().into_parts();
            let (steered, tap) = (port.counters(), port.inner().counters());
            let below = [
                ("handed_over", steered.handed_over),
                ("taken_over", steered.taken_over),
                ("handing_over_dropped", steered.dropped),
                ("tap_rx_too_long", tap.rx_too_long),
                ("tap_tx_refused", tap.tx_refused),
                ("tap_tx_full", tap.tx_full),
                ("tap_no_buffer", tap.no_buffer),
            ];
            Report { controller, counters: counters.iter().chain(below).collect() }
        },
    )?;
    Ok(runtime)
}
