//! A cbench run as a [`Service`]: connect, shake hands, ask and count loop by loop.
//!
//! The phases are the original's. All switches connect, one after another, before anything is sent or read. A loop
//! lasts its time; then, for 100 ms, nothing is read or written; then what has arrived meanwhile is thrown away and
//! the next loop begins. The handshake falls into the first loop, which is why that is a warm-up loop by default.

use std::net::SocketAddr;
use std::time::Duration;

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Instant, Net, Rx, Service,
};

use crate::options::Options;
use crate::report::{LoopResult, Summary};
use crate::switch::fake::{FakeSwitch, Malformed, Profile, Record};

mod progress;
pub use progress::{Failure, Latency, Progress, Snapshot};

/// The pause after each loop, in which answers queue up.
const PAUSE: Duration = Duration::from_millis(100);
/// Throwing away ends when nothing more arrives, and after this time in any case.
const DRAIN: Duration = Duration::from_millis(20);
/// This many turns without data mean that nothing more arrives.
const QUIET_TURNS: u32 = 3;
/// How long one connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_000);

/// What a run tells while it goes on; for whoever prints, or reads the controller's CPU time.
#[derive(Debug)]
pub enum Event<'a> {
    /// A loop begins: its number from 0, and whether it counts (neither warm-up nor cool-down).
    LoopStarted {
        /// The loop's number, from 0.
        index: u32,
        /// Whether it is part of the result.
        counted: bool,
    },
    /// A loop has ended.
    LoopEnded(&'a LoopResult),
    /// All loops with this number of switches have ended.
    TestEnded(&'a Summary),
}

/// Called with each [`Event`], on the core that runs the load.
pub type Observer = Box<dyn FnMut(Event<'_>) + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting before the next connection may be opened.
    Delay { until: Instant },
    /// One connection is being opened.
    Connecting { give_up: Instant },
    /// A loop.
    Running { from: Instant, until: Instant },
    /// The pause after a loop.
    Pause { until: Instant },
    /// What arrived in the pause is thrown away.
    Drain { until: Instant, quiet: u32 },
    /// Over, well or badly.
    Over,
}

/// A cbench run. One value plays all switches, on one core.
pub struct Load {
    options: Options,
    target: SocketAddr,
    observer: Option<Observer>,
    progress: Progress,
    phase: Phase,
    conns: Vec<ConnId>,
    switches: Vec<FakeSwitch>,
    /// How many switches have said HELLO.
    greeted: usize,
    record: Record,
    loop_index: u32,
    results: Vec<LoopResult>,
    /// Something was written in this turn, so that the next may find room again.
    busy: bool,
    /// Bytes were thrown away in this turn.
    drained: bool,
}

impl std::fmt::Debug for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Load { options, target, phase, .. } = self;
        f.debug_struct("Load")
            .field("options", options)
            .field("target", target)
            .field("phase", phase)
            .finish()
    }
}

impl Load {
    /// A run with `options` against the controller at `target`.
    pub fn new(options: Options, target: SocketAddr) -> Load {
        Load {
            target,
            observer: None,
            progress: Progress::new(&options),
            phase: Phase::Over,
            conns: Vec::new(),
            switches: Vec::new(),
            greeted: 0,
            record: Record::new(),
            loop_index: 0,
            results: Vec::new(),
            busy: false,
            drained: false,
            options,
        }
    }

    /// Calls `observer` at the beginning and end of each loop.
    pub fn observe(mut self, observer: impl FnMut(Event<'_>) + Send + 'static) -> Load {
        self.observer = Some(Box::new(observer));
        self
    }

    /// The handle by which another thread follows the run.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Whether the run is over, well or badly.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over && !self.conns.is_empty()
    }

    fn tell(&mut self, event: Event<'_>) {
        if let Some(observer) = &mut self.observer {
            observer(event);
        }
    }

    fn connect(&mut self, net: &mut impl Net) {
        let token = self.conns.len() as u64;
        match net.connect(self.target, ConnectOptions { local: None, token }) {
            Ok(id) => {
                self.conns.push(id);
                self.phase = Phase::Connecting { give_up: net.now() + CONNECT_TIMEOUT };
            }
            Err(e) => self.fail(net, Failure::CannotConnect { switch: token as usize, why: e.to_string() }),
        }
    }

    /// The newest connection is established: the loops, the next connection, or a delay before it.
    fn go_on(&mut self, net: &mut impl Net) {
        let n = self.conns.len();
        self.progress.connected(n);
        let all = n == self.options.switches as usize;
        if all || self.options.ranged {
            self.loop_index = 0;
            self.begin_loop(net);
        } else {
            self.connect_next(net);
        }
    }

    fn connect_next(&mut self, net: &mut impl Net) {
        let delay = self.options.connect_delay();
        let group = self.options.connect_group_size as usize;
        if !delay.is_zero() && self.conns.len().is_multiple_of(group) {
            self.phase = Phase::Delay { until: net.now() + delay };
        } else {
            self.connect(net);
        }
    }

    /// The extra time of the first loop, in which the switches wait.
    fn loop_delay(&self) -> Duration {
        if self.loop_index == 0 { self.options.delay() } else { Duration::ZERO }
    }

    fn counted(&self) -> bool {
        let o = &self.options;
        self.loop_index >= o.warmup && self.loop_index < o.loops - o.cooldown
    }

    fn begin_loop(&mut self, net: &mut impl Net) {
        let (index, counted) = (self.loop_index, self.counted());
        self.tell(Event::LoopStarted { index, counted });
        let now = net.now();
        let until = now + self.options.loop_time() + self.loop_delay();
        self.phase = Phase::Running { from: now, until };
        self.record.on = counted;
        for i in self.greeted..self.switches.len() {
            if let Ok(out) = net.sender(self.conns[i]) {
                self.switches[i].hello(out);
            }
            net.resume(self.conns[i]);
        }
        self.greeted = self.switches.len();
        self.fill_all(net);
    }

    fn fill_all(&mut self, net: &mut impl Net) {
        let now = net.now();
        let throughput = self.options.throughput;
        for (switch, &id) in self.switches.iter_mut().zip(&self.conns) {
            let Ok(out) = net.sender(id) else { continue };
            if switch.fill(out, now) {
                self.busy |= throughput;
            } else if throughput {
                out.want_room();
            }
        }
    }

    fn end_loop(&mut self, net: &mut impl Net, from: Instant) {
        let now = net.now();
        let counts: Vec<u64> = self.switches.iter_mut().map(FakeSwitch::take_count).collect();
        let passed = now.since(from).saturating_sub(self.loop_delay());
        let result = LoopResult { index: self.loop_index, counted: self.counted(), counts, passed };
        self.tell(Event::LoopEnded(&result));
        self.progress.loop_ended(&result);
        self.results.push(result);
        self.phase = Phase::Pause { until: now + PAUSE };
    }

    fn begin_drain(&mut self, net: &mut impl Net) {
        self.phase = Phase::Drain { until: net.now() + DRAIN, quiet: 0 };
        self.drained = false;
        for &id in &self.conns {
            net.resume(id);
        }
    }

    fn end_drain(&mut self, net: &mut impl Net) {
        self.loop_index += 1;
        if self.loop_index < self.options.loops {
            self.begin_loop(net);
            return;
        }
        let summary = Summary::of(&self.results, self.switches.len());
        self.results.clear();
        self.tell(Event::TestEnded(&summary));
        self.progress.test_ended(summary, &self.record);
        self.record.latency.reset();
        if self.switches.len() < self.options.switches as usize {
            self.connect_next(net);
        } else {
            self.finish(net);
        }
    }

    fn finish(&mut self, net: &mut impl Net) {
        self.phase = Phase::Over;
        for &id in &self.conns {
            net.close(id);
        }
        self.progress.finished(None);
    }

    fn fail(&mut self, net: &mut impl Net, why: Failure) {
        if self.phase == Phase::Over && self.progress.is_finished() {
            return;
        }
        self.phase = Phase::Over;
        for &id in &self.conns {
            net.abort(id);
        }
        self.progress.finished(Some(why));
    }

    fn malformed(&mut self, net: &mut impl Net, switch: usize, why: Malformed) {
        self.fail(net, Failure::Malformed { switch, why });
    }

    fn responses(&self) -> u64 {
        self.switches.iter().map(FakeSwitch::count).sum()
    }
}

impl Service for Load {
    /// Which switch it is.
    type Conn = usize;

    fn start(&mut self, net: &mut impl Net) {
        self.connect(net);
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<usize> {
        None
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<usize> {
        let switch = self.switches.len();
        if !matches!(self.phase, Phase::Connecting { .. }) || self.conns.get(switch) != Some(&id) {
            return None;
        }
        if let Err(e) = result {
            self.fail(net, Failure::CannotConnect { switch, why: e.to_string() });
            return None;
        }
        let o = &self.options;
        let profile =
            Profile { throughput: o.throughput, macs: o.macs, learn: o.learn_dst_macs, delay: o.delay() };
        self.switches.push(FakeSwitch::new(u64::from(o.dpid_offset) + switch as u64, profile));
        self.go_on(net);
        Some(switch)
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut usize, rx: &mut Rx<'_>) {
        let i = *conn;
        let now = net.now();
        let switch = &mut self.switches[i];
        let result = match self.phase {
            Phase::Running { .. } if i < self.greeted => {
                let Ok(out) = net.sender(id) else { return };
                let result = switch.receive(rx, out, now, &mut self.record);
                if switch.fill(out, now) {
                    self.busy |= self.options.throughput;
                }
                result
            }
            Phase::Drain { .. } => {
                self.drained = true;
                switch.discard(rx)
            }
            Phase::Over => {
                rx.advance(rx.chunk().len());
                Ok(())
            }
            // Not read: it stays in the connection, whose window closes.
            _ => Ok(()),
        };
        if let Err(why) = result {
            self.malformed(net, i, why);
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut usize) {
        match self.phase {
            Phase::Over => net.close(id),
            _ => self.fail(net, Failure::Closed { switch: *conn, why: CloseReason::Finished }),
        }
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, _: &mut usize) {
        // A reply that found no room left its request in `rx`. Filling follows in `turn`.
        if matches!(self.phase, Phase::Running { .. }) {
            net.resume(id);
        }
    }

    fn closed(&mut self, net: &mut impl Net, _: ConnId, conn: usize, why: CloseReason) {
        if self.phase != Phase::Over {
            self.fail(net, Failure::Closed { switch: conn, why });
        }
    }

    fn turn(&mut self, net: &mut impl Net) {
        let now = net.now();
        self.busy = false;
        match self.phase {
            Phase::Delay { until } if now >= until => self.connect(net),
            Phase::Connecting { give_up } if now >= give_up => {
                let switch = self.switches.len();
                self.fail(net, Failure::CannotConnect { switch, why: ConnectError::TimedOut.to_string() });
            }
            Phase::Running { from, until } => {
                self.progress.responses(self.responses());
                if now >= until { self.end_loop(net, from) } else { self.fill_all(net) }
            }
            Phase::Pause { until } if now >= until => self.begin_drain(net),
            Phase::Drain { until, quiet } => {
                let quiet = if std::mem::take(&mut self.drained) { 0 } else { quiet + 1 };
                self.phase = Phase::Drain { until, quiet };
                if quiet >= QUIET_TURNS || now >= until {
                    self.end_drain(net);
                }
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Delay { until } | Phase::Pause { until } => Some(until),
            Phase::Connecting { give_up } => Some(give_up),
            Phase::Running { .. } if self.busy => Some(Instant::ZERO),
            Phase::Running { until, .. } => Some(
                self.switches.iter().filter_map(FakeSwitch::deadline).min().map_or(until, |d| d.min(until)),
            ),
            Phase::Drain { .. } => Some(Instant::ZERO),
            Phase::Over => None,
        }
    }

    fn stop(&mut self, net: &mut impl Net) {
        if self.phase != Phase::Over {
            self.fail(net, Failure::Stopped);
        }
        for &id in &self.conns {
            net.close(id);
        }
    }
}
