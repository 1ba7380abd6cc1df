//! A whole instance with its load: a controller with a learning switch on its own stack, and the switches that ask it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use cbench::load::Load;
use cbench::options::Options;
use ferroflow::{Config as ControllerConfig, Controller};
use ferroflow_runtime::{EventBell, Steered, steer};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::steer::{SYMMETRIC_KEY, Steer};
use ferroflow_stack::{Config, Instance, Instant};
use ferroflow_wire::MacAddr;

pub const CONTROLLER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
pub const PORT: u16 = 6653;
/// Frames that may wait between two cores: as `ferroflow run` has it.
const HANDED_OVER_MAX: usize = 256;
/// Virtual time from one turn to the next.
pub const STEP: std::time::Duration = std::time::Duration::from_micros(10);

/// The controller's half.
pub type Server = Instance<Steered<PipePort>, Controller>;

/// Everything that one core is given before it starts. Threads build the rest, so that their memory is theirs.
pub struct Parts {
    core: usize,
    cores: usize,
    pub port: Steered<PipePort>,
    pub peer: PipePort,
    pub controller: Controller,
}

/// As `ferroflow run --cores N --rss-key symmetric` puts it together, with a pipe for each core. The key is the one by which
/// connections that a load opens from its own share of the source ports belong to the same core at both ends.
pub fn parts(cores: usize) -> anyhow::Result<Vec<Parts>> {
    let mut registry = ferroflow_apps::registry();
    let (name, make) = registry.take("learning-switch")?;
    let config = ControllerConfig { listen: vec![PORT], ..ControllerConfig::default() };
    let controllers = Controller::builder().config(config).factory(name, make).build_cores(cores)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..cores {
        let (mut port, peer) = pipe::pair(PipeConfig::new(1));
        for port in &mut port {
            port.set_doorbell(Arc::new(EventBell::new()?));
        }
        ours.extend(port);
        theirs.extend(peer);
    }
    let ours = steer::join(ours, HANDED_OVER_MAX, |core, cores| Steer::with_key(core, cores, &SYMMETRIC_KEY));
    let all = ours.into_iter().zip(theirs).zip(controllers).enumerate();
    Ok(all.map(|(core, ((port, peer), controller))| Parts { core, cores, port, peer, controller }).collect())
}

pub fn config(address: Ipv4Addr, core: usize, cores: usize) -> anyhow::Result<Config> {
    let [_, b, c, d] = address.octets();
    let mut config = Config::new(MacAddr([2, 0xff, 0, b, c, d]), address, 24, core as u64);
    let (core, cores) = (u16::try_from(core)?, u16::try_from(cores)?);
    config.steer = Steer::with_key(core, cores, &SYMMETRIC_KEY);
    Ok(config)
}

/// An instance and its load.
pub struct Whole {
    pub server: Server,
    pub load: Instance<PipePort, Load>,
}

impl Parts {
    /// Puts them together. The load is cbench's, in throughput mode; it never ends.
    pub fn build(self, switches: u32) -> anyhow::Result<Whole> {
        let Parts { core, cores, port, peer, controller } = self;
        let options = Options {
            switches,
            loops: 1,
            warmup: 0,
            ms_per_test: u32::MAX,
            macs: 100,
            throughput: true,
            dpid_offset: 1 + core as u32 * switches,
            ..Options::default()
        };
        let load = Load::new(options, (CONTROLLER, PORT).into());
        let [a, b, c, _] = CONTROLLER.octets();
        let address = Ipv4Addr::new(a, b, c, u8::try_from(10 + core).context("too many instances")?);
        Ok(Whole {
            server: Instance::new(config(CONTROLLER, core, cores)?, port, controller),
            load: Instance::new(config(address, core, cores)?, peer, load),
        })
    }
}

impl Whole {
    pub fn start(&mut self, now: Instant) {
        self.server.start(now);
        self.load.start(now);
    }

    /// Messages that the controller has had.
    pub fn messages(&self) -> u64 {
        self.server.service().counters().messages
    }
}
