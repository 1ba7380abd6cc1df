//! How long a controller that sleeps takes for its first response, against one that has just been asked.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use cbench::switch::fake::{FakeSwitch, Profile, Record};
use ferroflow_runtime::{Options, PortEngine, Runtime, clock};
use ferroflow_stack::port::pipe::PipePort;
use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Instance, Instant, Net, Rx, Service,
};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::whole::{CONTROLLER, PORT, config, parts};
use crate::{median, say};

/// Questions one after another before a response counts as a busy core's.
const BUSY: usize = 32;
/// No response takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints both medians.
pub fn run(rounds: usize, silence: u64, max: Option<f64>) -> anyhow::Result<()> {
    ensure!(rounds > 0, "at least one round");
    let part = parts(1)?.pop().context("one core")?;
    let (peer, mut engine) = (part.peer, Some((part.port, part.controller)));
    // The controller sleeps as `ferroflow run` does, on the first processor; whoever asks never sleeps, on another.
    let runtime = Runtime::spawn(
        &Options { grace: Duration::from_millis(10), ..Options::new(1) },
        |core| {
            let (parts, waker) = (engine.take(), core.waker.clone());
            move || {
                let (port, controller) = parts.ok_or("there is one core only")?;
                Ok(PortEngine::new(Instance::new(config(CONTROLLER, 0, 1)?, port, controller), waker)?)
            }
        },
        |_| (),
    )?;
    let result = ask(peer, rounds, Duration::from_millis(silence));
    runtime.stop_handle().stop();
    runtime.join()?;
    let (mut idle, mut busy) = result?;
    let (idle, busy) = (median(&mut idle), median(&mut busy));
    say(&format!(
        "first response after {silence} ms of silence: {idle:.1} us; of a busy core: {busy:.1} us; {:.1} us more (medians of {rounds})",
        idle - busy
    ));
    ensure!(max.is_none_or(|max| idle - busy <= max), "more than {max:?} us");
    Ok(())
}

/// Microseconds of responses from idle and from busy, in turn.
fn ask(peer: PipePort, rounds: usize, silence: Duration) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    on_the_last_processor();
    let mut address = CONTROLLER.octets();
    address[3] = 10;
    let mut asker = Instance::new(config(address.into(), 0, 1)?, peer, Asker::default());
    let began = clock::now();
    asker.start(began);
    while asker.service().switch.as_ref().is_none_or(|switch| !switch.is_ready()) {
        turn_until(&mut asker, clock::now())?;
        asker.with(|service, net| service.ask(net));
        ensure!(clock::now() < began + PATIENCE, "no handshake");
    }
    for _ in 0..BUSY {
        question(&mut asker)?;
    }
    let (mut idle, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        turn_until(&mut asker, clock::now() + silence)?;
        idle.push(question(&mut asker)?);
        for _ in 1..BUSY {
            question(&mut asker)?;
        }
        busy.push(question(&mut asker)?);
    }
    Ok((idle, busy))
}

/// Leaves the other ones to the controller, where there are several.
fn on_the_last_processor() {
    let last = ferroflow_runtime::Machine::here().preferred().last().copied();
    let mut set = CpuSet::new();
    set.set(last.unwrap_or(0));
    // Where it is not allowed, the kernel chooses.
    let _ = sched_setaffinity(None, &set);
}

/// Turns until `end`, at least one.
fn turn_until(asker: &mut Instance<PipePort, Asker>, end: Instant) -> anyhow::Result<()> {
    loop {
        let now = clock::now();
        asker.turn(now)?;
        if asker.service().over {
            bail!("the controller has closed the connection");
        }
        if now >= end {
            return Ok(());
        }
    }
}

/// A question, and the microseconds until its answer.
fn question(asker: &mut Instance<PipePort, Asker>) -> anyhow::Result<f64> {
    let answered = asker.service().answered();
    asker.with(|service, net| service.ask(net));
    let began = clock::now();
    loop {
        asker.turn(clock::now())?;
        let now = clock::now();
        if asker.service().answered() > answered {
            return Ok(now.since(began).as_secs_f64() * 1e6);
        }
        ensure!(now < began + PATIENCE, "no answer");
    }
}

/// One switch that asks when it is told to.
#[derive(Default)]
struct Asker {
    id: Option<ConnId>,
    switch: Option<FakeSwitch>,
    record: Record,
    over: bool,
}

impl Asker {
    fn answered(&self) -> u64 {
        self.switch.as_ref().map_or(0, FakeSwitch::count)
    }

    fn ask(&mut self, net: &mut impl Net) {
        let now = net.now();
        if let (Some(id), Some(switch)) = (self.id, &mut self.switch)
            && let Ok(out) = net.sender(id)
        {
            switch.fill(out, now);
        }
    }
}

impl Service for Asker {
    type Conn = ();

    fn start(&mut self, net: &mut impl Net) {
        self.over = net.connect((CONTROLLER, PORT).into(), ConnectOptions::default()).is_err();
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        None
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<()> {
        self.over = result.is_err();
        let profile = Profile { throughput: false, macs: 100, learn: true, delay: Duration::ZERO };
        let mut switch = FakeSwitch::new(1, profile);
        switch.hello(net.sender(id).ok()?);
        (self.id, self.switch) = (Some(id), Some(switch));
        Some(())
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, (): &mut (), rx: &mut Rx<'_>) {
        let now = net.now();
        let (Some(switch), Ok(out)) = (&mut self.switch, net.sender(id)) else { return };
        self.over |= switch.receive(rx, out, now, &mut self.record).is_err();
    }

    fn eof(&mut self, _: &mut impl Net, _: ConnId, (): &mut ()) {
        self.over = true;
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), _: CloseReason) {
        self.over = true;
    }
}
