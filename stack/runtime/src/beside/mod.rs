//! A core with two stacks and one service: its own stack on a port, and the kernel's sockets beside it.
//!
//! For an interface whose address the kernel keeps ([`ferroflow_ports::Shared`]): what arrives on that interface for our
//! TCP ports is the own stack's, and what comes to the same ports by other ways (from this host, by IPv6, over another
//! interface) is the kernel's. The service cannot tell them apart.
//!
//! The kernel's sockets are a part of what the instance takes for its service (`service`): they have their turn when the
//! service has its own. So both are on one thread, the service is one value, and nothing is shared with anybody.

mod net;
mod service;

use std::io;
use std::time::Duration;

use ferroflow_ports::Shared;
use ferroflow_stack::port::{Port, PortError};
use ferroflow_stack::{Config, Instance, Instant, Service};

use crate::engine::{Engine, Turn};
use crate::inspect::Figures;
use crate::kernel::{self, Counters};
use crate::port_engine::PortEngine;
use crate::wake::Waker;

pub use service::Beside;

/// A stack instance on a port, the kernel's sockets, and one service for both, as a core's engine.
pub struct BesideEngine<P: Port, S: Service> {
    port: PortEngine<P, Beside<S>>,
}

impl<P: Port, S: Service> BesideEngine<P, S> {
    /// An engine that `waker` interrupts. `config` gets its addresses and source ports from `shared`; `sockets` must have the
    /// group that [`group`] makes.
    ///
    /// # Errors
    /// When the kernel has no descriptor left.
    pub fn new(
        mut config: Config,
        port: P,
        shared: Shared,
        sockets: kernel::Config,
        waker: Waker,
        service: S,
    ) -> io::Result<BesideEngine<P, S>> {
        config.mac = shared.mac.into();
        config.address = shared.address;
        config.prefix_len = shared.prefix_len;
        config.gateway = shared.gateway;
        config.source_ports = Some(shared.source_ports());
        let beside = Beside::new(service, shared, sockets)?;
        let mut port = PortEngine::new(Instance::new(config, port, beside), waker)?;
        port.sleep_with(|service, fd| service.sockets.watch(fd))?;
        Ok(BesideEngine { port })
    }

    /// The instance; its service is [`Beside`].
    pub fn instance(&self) -> &Instance<P, Beside<S>> {
        self.port.instance()
    }

    /// The instance, at the end.
    pub fn into_instance(self) -> Instance<P, Beside<S>> {
        self.port.into_instance()
    }

    /// What happened on the kernel's sockets so far.
    pub fn counters(&self) -> &Counters {
        self.instance().service().counters()
    }
}

/// What the cores that listen beside such an interface have in common.
pub fn group(shared: &Shared) -> kernel::ListenGroup {
    kernel::ListenGroup::deaf_to(shared.deaf())
}

impl<P: Port, S: Service> Engine for BesideEngine<P, S> {
    fn start(&mut self, now: Instant) {
        self.port.start(now);
    }

    fn turn(&mut self, now: Instant) -> Result<Turn, PortError> {
        let turn = self.port.turn(now)?;
        let beside = self.port.instance_mut().service_mut();
        let handled = beside.take_handled()?;
        Ok(Turn { handled: turn.handled + handled, more: turn.more || beside.sockets.has_work(), ..turn })
    }

    fn prepare_wait(&mut self) -> bool {
        self.port.prepare_wait()
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = self.port.prepare_sleep(timeout)?;
        self.port.instance_mut().service_mut().sockets.poll(timeout)
    }

    fn stop(&mut self, now: Instant) {
        self.port.stop(now);
    }

    fn abort(&mut self) {
        self.port.abort();
        self.port.instance_mut().service_mut().sockets.abort();
    }

    fn conns(&self) -> usize {
        self.port.conns() + self.instance().service().sockets.conns()
    }

    fn describe(&self, out: &mut String) {
        self.port.describe(out);
        self.instance().service().sockets.describe(out);
    }

    fn report(&self, figures: &mut Figures) {
        self.port.report(figures);
        self.instance().service().sockets.report(figures);
    }
}
