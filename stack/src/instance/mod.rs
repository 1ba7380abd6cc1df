//! One stack instance: a port, the connections that arrive there, and the service that answers them.
//!
//! A turn: `receive` takes a burst and carries every frame to its end · `deliver` calls the service · `transmit`
//! sends, at the end, what all of that asked for. `inner` is the state between them, and `net` the service's view of it.

mod ahead;
mod check;
mod deliver;
mod dump;
mod inner;
mod limit;
mod net;
mod outbox;
mod receive;
mod tcp_receive;
mod transmit;

use std::time::Duration;

pub use check::Broken;
use deliver::Upcalls;
pub use dump::Dump;
pub use inner::Inner;

use crate::config::Config;
use crate::counters::Counters;
use crate::port::{Burst, Port, PortError};
use crate::service::{ConnId, ConnInfo, Service};
use crate::tcp_info::TcpInfo;
use crate::time::Instant;

/// When a port without room is tried again.
const RETRY: Duration = Duration::from_millis(1);

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Frames received.
    pub frames: usize,
    /// There is work left: the next turn should follow at once.
    pub more: bool,
    /// When the next turn is due although no frame arrives; `None` = never.
    pub next: Option<Instant>,
}

/// One stack instance. It does nothing by itself: [`Instance::turn`] is to be called when frames may have arrived, when
/// mail has, and when [`Turn::next`] is reached.
pub struct Instance<P: Port, S: Service> {
    port: P,
    service: S,
    conns: Vec<Option<S::Conn>>,
    inner: Inner,
    rx: Burst,
    tx: Burst,
    /// Scratch memory of `ahead`.
    found: Vec<u32>,
}

impl<P: Port, S: Service> Instance<P, S> {
    /// An instance that has not begun; [`Instance::start`] begins.
    pub fn new(config: Config, port: P, service: S) -> Self {
        let mtu = port.caps().mtu;
        let burst = config.burst.max(1);
        Instance {
            service,
            conns: Vec::new(),
            inner: Inner::new(config, mtu),
            rx: Burst::new(burst),
            tx: Burst::new(burst),
            port,
            found: Vec::new(),
        }
    }

    /// Announces our address and calls [`Service::start`].
    pub fn start(&mut self, now: Instant) {
        self.inner.now = now;
        self.inner.announce();
        self.service.start(&mut self.inner);
    }

    /// One turn: a burst is received and carried to its end, timers that are due fire, the service has its turn,
    /// and what is to be sent is sent.
    ///
    /// # Errors
    /// When the port cannot go on.
    pub fn turn(&mut self, now: Instant) -> Result<Turn, PortError> {
        self.inner.now = self.inner.now.max(now);
        self.port.tick(self.inner.now);
        let frames = self.port.rx(&mut self.rx);
        ahead::touch(&self.inner, &self.conns, &self.port, &self.rx, &mut self.found);
        while let Some(frame) = self.rx.pop() {
            let Instance { port, service, conns, inner, .. } = self;
            receive::frame(inner, &mut Upcalls { service, conns }, port.bytes(&frame), frame.meta.csum);
            port.release(frame);
        }
        self.send_elsewhere();
        let Instance { service, conns, inner, .. } = self;
        let mut up = Upcalls { service, conns };
        inner.run_timers(&mut up);
        up.resumed(inner);
        up.ended(inner);
        up.service.turn(inner);
        up.resumed(inner);
        up.ended(inner);
        let blocked = transmit::all(inner, &mut self.port, &mut self.tx);
        inner.count_neighbors();
        self.port.sync()?;
        Ok(self.outlook(frames, blocked))
    }

    /// Hands datagrams that became whole here to the cores whose they are.
    fn send_elsewhere(&mut self) {
        for (core, frame) in self.inner.elsewhere.drain(..) {
            let taken = self.port.hand_over(core, &frame);
            self.inner.counters.reassembly_stranded += u64::from(!taken);
        }
    }

    fn outlook(&self, frames: usize, blocked: bool) -> Turn {
        let retry = blocked.then(|| self.inner.now + RETRY);
        let next = [self.inner.next_deadline(), self.service.deadline(), retry].into_iter().flatten().min();
        Turn { frames, more: frames == self.inner.config.burst || self.inner.has_work(blocked), next }
    }

    /// Calls [`Service::stop`]. Turns go on until [`Instance::conns`] is 0 or the runtime's patience ends.
    pub fn stop(&mut self, now: Instant) {
        self.inner.now = self.inner.now.max(now);
        self.service.stop(&mut self.inner);
    }

    /// Resets every connection that is left; one more turn sends that and calls the service's last callbacks.
    pub fn abort_all(&mut self) {
        let all: Vec<_> = self.inner.table.indices().map(|index| self.inner.table.id(index)).collect();
        for id in all {
            crate::Net::abort(&mut self.inner, id);
        }
    }

    /// Connections, half-open ones included; TIME_WAIT is not counted.
    pub fn conns(&self) -> usize {
        self.inner.table.len()
    }

    /// Connections in TIME_WAIT.
    pub fn time_waits(&self) -> usize {
        self.inner.time_waits.len()
    }

    /// Who every connection is with, and what is known of it.
    pub fn connections(&self) -> impl Iterator<Item = (ConnId, ConnInfo, TcpInfo)> + '_ {
        let Inner { table, config, now, .. } = &self.inner;
        table.indices().filter_map(move |index| {
            let id = table.id(index);
            let tcb = table.get(id)?;
            Some((id, tcb.info(), tcb.tcp_info(*now, &config.tcp)))
        })
    }

    /// Where it listens: the port, and how many handshakes are under way there.
    pub fn listening(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        self.inner.listeners.iter().map(|(&port, listener)| (port, listener.half_open))
    }

    /// Bytes that connections hold in buffers.
    pub fn memory(&self) -> usize {
        self.inner.memory()
    }

    /// The port.
    pub fn port(&self) -> &P {
        &self.port
    }

    /// The port, to be changed.
    pub fn port_mut(&mut self) -> &mut P {
        &mut self.port
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The service, to be changed.
    pub fn service_mut(&mut self) -> &mut S {
        &mut self.service
    }

    /// Tells the time to what is called before the next turn.
    pub fn set_now(&mut self, now: Instant) {
        self.inner.now = self.inner.now.max(now);
    }

    /// Calls `f` with the service and the connections, as a callback of the service would see them.
    pub fn with<R>(&mut self, f: impl FnOnce(&mut S, &mut Inner) -> R) -> R {
        f(&mut self.service, &mut self.inner)
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// Takes the instance apart.
    pub fn into_parts(self) -> (P, S, Counters) {
        (self.port, self.service, self.inner.counters)
    }
}
