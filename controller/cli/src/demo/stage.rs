//! A controller and its guests, each on stacks of their own, joined by a pipe in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ferroflow::{Config as ControllerConfig, Controller};
use ferroflow_runtime::{EventBell, Options, Pin, PortEngine, Runtime, steer};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::steer::Steer;
use ferroflow_stack::{Config, Counters, Instance, Service};
use ferroflow_wire::MacAddr;

use crate::entropy;

/// Where the controller listens.
pub(super) const CONTROLLER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(CONTROLLER_IP), 6653);
const CONTROLLER_IP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const GUEST_IP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const PREFIX_LEN: u8 = 24;
/// Frames that may wait between two cores, one way.
const HANDED_OVER_MAX: usize = 256;

/// What the controller's cores did, added up.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Totals {
    pub(super) stack: Counters,
    /// Processor time of the controller's cores.
    pub(super) cpu_time: Duration,
    /// Packets that the switches asked the controller about.
    pub(super) packet_ins: u64,
    /// Flows that it installed.
    pub(super) flow_mods: u64,
    /// Cores that received packet_ins.
    pub(super) cores_used: usize,
}

/// What one core of the controller leaves.
struct Seen {
    stack: Counters,
    packet_ins: u64,
    flow_mods: u64,
}

/// One act: a running controller with its guests.
pub(super) struct Stage {
    controller: Runtime<Seen>,
    guests: Runtime<Counters>,
}

impl Stage {
    /// Starts `cores` cores with a controller and its learning switch, and one with `guests`.
    pub(super) fn open<S: Service + Send + 'static>(cores: usize, guests: S) -> anyhow::Result<Stage> {
        let queues = u16::try_from(cores).context("--cores")?;
        let config = PipeConfig { queues: [queues, 1], ..PipeConfig::new(1) };
        let (ours, mut theirs) = pipe::pair(config);
        let theirs = theirs.pop().context("a pipe has two ends")?;
        let controller = start_controller(cores, ours)?;
        match start_guests(theirs, guests) {
            Ok(guests) => Ok(Stage { controller, guests }),
            Err(error) => {
                controller.stop_handle().stop();
                let _ = controller.join();
                Err(error)
            }
        }
    }

    /// Whether a core has ended by itself.
    pub(super) fn has_failed(&self) -> bool {
        self.controller.is_finished() || self.guests.is_finished()
    }

    /// Stops the guests, then the controller.
    pub(super) fn close(self) -> anyhow::Result<Totals> {
        self.guests.stop_handle().stop();
        let guests = self.guests.join();
        self.controller.stop_handle().stop();
        let reports = self.controller.join().context("the controller")?;
        guests.context("the emulated switches")?;
        let mut totals = Totals::default();
        for report in reports {
            let seen = report.result;
            totals.stack.add(&seen.stack);
            totals.packet_ins += seen.packet_ins;
            totals.flow_mods += seen.flow_mods;
            totals.cores_used += usize::from(seen.packet_ins > 0);
            totals.cpu_time += report.cpu_time;
        }
        Ok(totals)
    }
}

fn start_controller(cores: usize, ports: Vec<PipePort>) -> anyhow::Result<Runtime<Seen>> {
    let mut registry = ferroflow_apps::registry();
    let (name, make) = registry.take("learning-switch")?;
    let config = ControllerConfig { listen: vec![CONTROLLER.port()], ..ControllerConfig::default() };
    let controllers = Controller::builder().config(config).factory(name, make).build_cores(cores)?;
    let ports = ports.into_iter().map(with_bell).collect::<anyhow::Result<Vec<_>>>()?;
    let mut parts = steer::join(ports, HANDED_OVER_MAX, Steer::new).into_iter().zip(controllers);
    let seed = entropy::seed()?;
    let mut options = Options::new(cores);
    options.pin = Pin::No; // the guests' core needs a processor too
    let runtime = Runtime::spawn(
        &options,
        |core| {
            let part = parts.next();
            if let Some((port, controller)) = &part {
                port.attach(core.waker.clone());
                controller.mailbox().attach(core.waker.clone());
            }
            let (index, waker) = (core.index, core.waker.clone());
            move || {
                let (port, controller) = part.ok_or("there are more cores than queues")?;
                let mut config = stack_config(CONTROLLER_IP, seed.wrapping_add(index as u64));
                config.steer = Steer::new(index as u16, cores as u16);
                Ok(PortEngine::new(Instance::new(config, port, controller), waker)?)
            }
        },
        |engine| {
            let (_, controller, stack) = engine.into_instance().into_parts();
            let counters = controller.counters();
            Seen { stack, packet_ins: counters.packet_ins, flow_mods: counters.flow_mods }
        },
    )?;
    Ok(runtime)
}

fn start_guests<S: Service + Send + 'static>(
    port: PipePort,
    service: S,
) -> anyhow::Result<Runtime<Counters>> {
    let mut part = Some((with_bell(port)?, service));
    let seed = entropy::seed()?;
    let mut options = Options::new(1);
    options.pin = Pin::No;
    let runtime = Runtime::spawn(
        &options,
        |core| {
            let (part, waker) = (part.take(), core.waker.clone());
            move || {
                let (port, service) = part.ok_or("the guests have one core only")?;
                Ok(PortEngine::new(Instance::new(stack_config(GUEST_IP, seed), port, service), waker)?)
            }
        },
        |engine| engine.into_instance().into_parts().2,
    )?;
    Ok(runtime)
}

fn with_bell(mut port: PipePort) -> anyhow::Result<PipePort> {
    port.set_doorbell(Arc::new(EventBell::new().context("no descriptor for a pipe's bell")?));
    Ok(port)
}

fn stack_config(address: Ipv4Addr, seed: u64) -> Config {
    let [_, b, c, d] = address.octets();
    Config::new(MacAddr([0x02, 0xff, 0, b, c, d]), address, PREFIX_LEN, seed)
}
