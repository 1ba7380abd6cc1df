//! An endpoint on the project's own stack, on one end of a pipe in memory.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ferroflow_ports::AnyPort;
use ferroflow_runtime::{EventBell, Options, Pin, PortEngine, Runtime};
use ferroflow_stack::port::Port;
use ferroflow_stack::port::pipe::{PipeConfig, PipePort, pair};
use ferroflow_stack::{
    CloseReason, Config, ConnId, ConnInfo, ConnectError, ConnectOptions, Instance, Instant, Listen, Net, Rx,
    Service,
};
use ferroflow_wire::MacAddr;

use super::task::{Account, Open, Role, Task};

/// Buffers at each end of the pipe: what arrives while a thread is not on a processor must fit.
const FRAMES: usize = 4096;
/// How long the core may take to end.
const GRACE: Duration = Duration::from_millis(20);

/// What a stack leaves.
#[derive(Debug, Clone, Default)]
pub struct Leaving {
    /// Its counters that are not zero.
    pub counters: Vec<(String, u64)>,
    /// Bytes in buffers of connections at the end.
    pub memory: usize,
    /// Processor time of its core.
    pub cpu_time: Duration,
}

/// Which service runs on the stack decides what it does; this is the core under it.
pub struct Stack {
    runtime: Option<Runtime<Leaving>>,
}

impl Stack {
    /// A core with the stack at `address`/24; what it sends and receives passes through the port that comes with it.
    ///
    /// # Errors
    /// When a thread or a descriptor is refused.
    pub fn start<S: Service + Send + 'static>(
        address: Ipv4Addr,
        seed: u64,
        tune: impl FnOnce(&mut Config),
        service: S,
    ) -> anyhow::Result<(Stack, AnyPort)> {
        let pipe = PipeConfig { frames: FRAMES, spread: None, tx_csum: false, ..PipeConfig::new(1) };
        let (mut near, mut far) = pair(pipe);
        let (mut near, mut far) = near.pop().zip(far.pop()).context("a pipe has two ends")?;
        with_bell(&mut near)?;
        let mut config = Config::new(mac_of(address), address, 24, seed);
        tune(&mut config);
        // Not pinned: several may run side by side, each alone in its runtime.
        let stack = Stack::over(near, config, service, Pin::No)?;
        with_bell(&mut far)?;
        Ok((stack, AnyPort::from(far)))
    }

    /// A core with the stack on a port.
    ///
    /// # Errors
    /// When a thread or a descriptor is refused.
    pub fn over<P, S>(port: P, config: Config, service: S, pin: Pin) -> anyhow::Result<Stack>
    where
        P: Port + Send + 'static,
        S: Service + Send + 'static,
    {
        let mut parts = Some((port, service, config));
        let options = Options { grace: GRACE, pin, ..Options::new(1) };
        let runtime = Runtime::spawn(
            &options,
            |core| {
                let (parts, waker) = (parts.take(), core.waker.clone());
                move || {
                    let (port, service, config) = parts.ok_or("one core, one port")?;
                    Ok(PortEngine::new(Instance::new(config, port, service), waker)?)
                }
            },
            |engine: PortEngine<P, S>| leaving(engine.instance()),
        )?;
        Ok(Stack { runtime: Some(runtime) })
    }

    /// Resets what is open and ends the core.
    ///
    /// # Errors
    /// When the core had failed or panicked.
    pub fn stop(mut self) -> anyhow::Result<Leaving> {
        let runtime = self.runtime.take().context("it is taken here only")?;
        runtime.stop_handle().stop();
        let report = runtime.join()?.pop().context("a core leaves a report")?;
        Ok(Leaving { cpu_time: report.cpu_time, ..report.result })
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

fn with_bell(port: &mut PipePort) -> anyhow::Result<()> {
    port.set_doorbell(Arc::new(EventBell::new().context("no descriptor for a pipe's bell")?));
    Ok(())
}

fn leaving<P: Port, S: Service>(instance: &Instance<P, S>) -> Leaving {
    let counters = instance.counters().iter().filter(|(_, n)| *n > 0);
    Leaving {
        counters: counters.map(|(name, n)| (name.to_owned(), n)).collect(),
        memory: instance.memory(),
        cpu_time: Duration::ZERO,
    }
}

/// A locally administered MAC address, another for each IPv4 address.
pub fn mac_of(address: Ipv4Addr) -> MacAddr {
    let [a, b, c, d] = address.octets();
    MacAddr::from([2, 0xff, a, b, c, d])
}

/// The service that does one [`Task`].
pub struct Mover {
    task: Task,
}

/// Its connection.
pub struct Moving {
    since: Instant,
    sent: u64,
    account: Account,
}

impl Mover {
    /// A service for the task.
    pub fn new(task: Task) -> Mover {
        Mover { task }
    }

    fn begin(&self, net: &mut impl Net, id: ConnId) -> Moving {
        let mut conn = Moving { since: net.now(), sent: 0, account: Account::default() };
        match self.task.role {
            Role::Send => self.pump(net, id, &mut conn),
            Role::Receive => net.arm(id, Some(conn.since + self.task.limit)),
        }
        conn
    }

    /// Writes until the ring is full; `writable` goes on.
    fn pump(&self, net: &mut impl Net, id: ConnId, conn: &mut Moving) {
        while conn.sent < self.task.bytes {
            match net.send(id, self.task.stream.at(conn.sent, self.task.bytes - conn.sent)) {
                Ok(n) if n > 0 => conn.sent += n as u64,
                _ => return,
            }
        }
        net.shutdown(id);
    }

    fn settle(&self, net: &mut impl Net, id: ConnId, conn: &mut Moving) {
        if self.task.role == Role::Receive {
            conn.account.settle(&self.task, net.now().since(conn.since));
            if conn.account.is_closed() {
                net.abort(id);
            }
        }
    }
}

impl Service for Mover {
    type Conn = Moving;

    fn start(&mut self, net: &mut impl Net) {
        let done = match self.task.open {
            Open::Listen(port) => net.listen(Listen::on(port)).map_err(|e| e.to_string()),
            Open::Connect(to) => {
                net.connect(to.into(), ConnectOptions::default()).map(drop).map_err(|e| e.to_string())
            }
        };
        if let Err(e) = done {
            self.task.failed(e);
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, _: &ConnInfo) -> Option<Moving> {
        Some(self.begin(net, id))
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<Moving> {
        match result {
            Ok(_) => Some(self.begin(net, id)),
            Err(e) => {
                self.task.failed(format!("our stack cannot connect: {e}"));
                None
            }
        }
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Moving, rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            conn.account.take(&self.task, rx.chunk());
            rx.advance(rx.chunk().len());
        }
        self.settle(net, id, conn);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Moving) {
        if self.task.role == Role::Send {
            self.pump(net, id, conn);
        }
    }

    fn timer(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Moving) {
        self.settle(net, id, conn);
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, _: &mut Moving) {
        net.close(id);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, conn: Moving, why: CloseReason) {
        if self.task.role == Role::Receive && !conn.account.is_closed() {
            self.task.failed(format!("the connection ended after {} bytes: {why}", conn.account.got()));
        }
    }
}
