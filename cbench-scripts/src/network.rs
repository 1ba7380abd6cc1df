//! Emulated switches as a [`Service`]: it connects each of them to a controller, connects again when a connection
//! is lost, and lets their hosts ping each other.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Instant, Net, Rx, SendRing, Service,
};
use hdrhistogram::Histogram;

use crate::switch::emulated::{EmulatedConfig, EmulatedSwitch, Stage, SwitchCounters};

/// A ping without an answer for so long is sent again.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// So often, then it is lost.
const PING_TRIES: u32 = 3;
/// After the handshake a controller has so long to prepare its flows before the pings begin.
const SETTLE: Duration = Duration::from_millis(500);
/// Pause before a lost connection is opened again; doubled up to the maximum while the controller is away.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// See [`RETRY_MIN`].
const RETRY_MAX: Duration = Duration::from_secs(2);

/// One switch as others see it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SwitchReport {
    /// Datapath id.
    pub dpid: u64,
    /// How far the controller has come with it.
    pub stage: Stage,
    /// Flows in its table now.
    pub flows: usize,
    /// What it has seen and done.
    pub counters: SwitchCounters,
}

/// What the switches and their hosts have done so far.
#[derive(Debug, Clone)]
pub struct NetworkSnapshot {
    /// Every switch.
    pub switches: Vec<SwitchReport>,
    /// Pings asked for.
    pub pings_wanted: u64,
    /// Ping attempts, repetitions included.
    pub pings_sent: u64,
    /// Pings answered.
    pub pings_answered: u64,
    /// Pings given up.
    pub pings_lost: u64,
    /// Round trips of the answered ones in nanoseconds, ARP included where it was needed.
    pub round_trips: Histogram<u64>,
    /// Connections that could not be opened, or were lost.
    pub connections_lost: u64,
}

impl NetworkSnapshot {
    fn new(switches: usize) -> NetworkSnapshot {
        NetworkSnapshot {
            switches: vec![SwitchReport::default(); switches],
            pings_wanted: 0,
            pings_sent: 0,
            pings_answered: 0,
            pings_lost: 0,
            round_trips: Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order"),
            connections_lost: 0,
        }
    }

    /// Whether every ping has been answered or given up.
    pub fn pings_done(&self) -> bool {
        self.pings_answered + self.pings_lost == self.pings_wanted
    }

    /// Flows added on all switches.
    pub fn flows_added(&self) -> u64 {
        self.switches.iter().map(|s| s.counters.flows_added).sum()
    }

    /// Packet_ins sent by all switches.
    pub fn packet_ins(&self) -> u64 {
        self.switches.iter().map(|s| s.counters.packet_ins).sum()
    }
}

/// A handle by which another thread follows the switches.
#[derive(Debug, Clone)]
pub struct NetworkProgress(Arc<Mutex<NetworkSnapshot>>);

impl NetworkProgress {
    fn state(&self) -> MutexGuard<'_, NetworkSnapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How things stand; at most one turn old.
    pub fn snapshot(&self) -> NetworkSnapshot {
        self.state().clone()
    }

    /// Whether every ping has been answered or given up.
    pub fn pings_done(&self) -> bool {
        self.state().pings_done()
    }
}

/// Something to happen to a switch, carried out in the next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Host `from` pings `to`, after the pings asked for before.
    Ping {
        /// Index among the switch's hosts.
        from: usize,
        /// Whom.
        to: Ipv4Addr,
    },
    /// A host is plugged into another port.
    MoveHost {
        /// Index among the switch's hosts.
        host: usize,
        /// Where to.
        port: u32,
    },
    /// A port's link goes up or down.
    SetPort {
        /// Its number.
        port: u32,
        /// Up.
        up: bool,
    },
    /// All hosts forget each other's addresses.
    Forget,
    /// The connection to the controller is reset; it is opened again later.
    Reset,
}

#[derive(Debug)]
struct Try {
    from: usize,
    to: Ipv4Addr,
    attempt: u32,
    until: Instant,
}

#[derive(Debug)]
struct Slot {
    switch: EmulatedSwitch,
    conn: Option<ConnId>,
    retry_at: Option<Instant>,
    retry_after: Duration,
    /// Since when the controller knows the features, and how many flow_mods there had been.
    up: Option<(Instant, u64)>,
    pings: VecDeque<(usize, Ipv4Addr)>,
    current: Option<Try>,
}

/// Emulated switches, all connected to one controller from one core.
#[derive(Debug)]
pub struct Emulated {
    target: SocketAddr,
    slots: Vec<Slot>,
    commands: VecDeque<(usize, Command)>,
    state: NetworkSnapshot,
    progress: NetworkProgress,
    stopping: bool,
}

impl Emulated {
    /// Switches for the controller at `target`.
    pub fn new(target: SocketAddr, switches: Vec<EmulatedConfig>) -> Emulated {
        let slot = |config| Slot {
            switch: EmulatedSwitch::new(config),
            conn: None,
            retry_at: None,
            retry_after: RETRY_MIN,
            up: None,
            pings: VecDeque::new(),
            current: None,
        };
        let slots: Vec<Slot> = switches.into_iter().map(slot).collect();
        let state = NetworkSnapshot::new(slots.len());
        let progress = NetworkProgress(Arc::new(Mutex::new(state.clone())));
        Emulated { target, slots, commands: VecDeque::new(), state, progress, stopping: false }
    }

    /// Every host pings every other host of its switch, once each.
    pub fn ping_all(mut self) -> Emulated {
        self.ask_all();
        self
    }

    /// As [`Emulated::ping_all`], once more.
    pub fn ask_all(&mut self) {
        for i in 0..self.slots.len() {
            let hosts: Vec<_> = self.slots[i].switch.hosts().iter().map(|h| h.config().ip).collect();
            for from in 0..hosts.len() {
                for to in hosts.iter().enumerate().filter(|(to, _)| *to != from).map(|(_, ip)| *ip) {
                    self.command(i, Command::Ping { from, to });
                }
            }
        }
    }

    /// Lets something happen to the switch with this index.
    pub fn command(&mut self, switch: usize, command: Command) {
        if let Command::Ping { .. } = command {
            self.state.pings_wanted += 1;
            self.progress.state().pings_wanted += 1;
        }
        self.commands.push_back((switch, command));
    }

    /// The handle by which another thread follows.
    pub fn progress(&self) -> NetworkProgress {
        self.progress.clone()
    }

    /// A switch by its index.
    pub fn switch(&self, index: usize) -> Option<&EmulatedSwitch> {
        self.slots.get(index).map(|s| &s.switch)
    }

    fn connect(&mut self, net: &mut impl Net, index: usize) {
        let slot = &mut self.slots[index];
        slot.retry_at = None;
        match net.connect(self.target, ConnectOptions { local: None, token: index as u64 }) {
            Ok(id) => slot.conn = Some(id),
            Err(_) => self.lost(net.now(), index),
        }
    }

    fn lost(&mut self, now: Instant, index: usize) {
        self.state.connections_lost += 1;
        let slot = &mut self.slots[index];
        slot.conn = None;
        slot.up = None;
        slot.switch.disconnected();
        slot.retry_at = (!self.stopping).then(|| now + slot.retry_after);
        slot.retry_after = (slot.retry_after * 2).min(RETRY_MAX);
    }

    fn carry_out(&mut self, net: &mut impl Net, index: usize, command: Command) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        match command {
            Command::Ping { from, to } => slot.pings.push_back((from, to)),
            Command::MoveHost { host, port } => slot.switch.move_host(host, port),
            Command::SetPort { port, up } => slot.switch.set_port(port, up, ring(net, slot.conn)),
            Command::Forget => slot.switch.forget_neighbours(),
            Command::Reset => {
                if let Some(id) = slot.conn {
                    net.abort(id);
                }
            }
        }
    }

    /// Pings one after another, each until it is answered or given up.
    fn pings(&mut self, net: &mut impl Net, index: usize) {
        let now = net.now();
        let slot = &mut self.slots[index];
        slot.collect(&mut self.state);
        if let Some(current) = slot.current.take_if(|c| now >= c.until) {
            if current.attempt < PING_TRIES {
                slot.send(net, Try { attempt: current.attempt + 1, until: now + PING_TIMEOUT, ..current });
                self.state.pings_sent += 1;
            } else {
                self.state.pings_lost += 1;
            }
        }
        // An answer may come while the frame is being injected: then the next follows at once.
        while slot.current.is_none() && slot.may_ping(now) {
            let Some((from, to)) = slot.pings.pop_front() else { break };
            slot.send(net, Try { from, to, attempt: 1, until: now + PING_TIMEOUT });
            self.state.pings_sent += 1;
            slot.collect(&mut self.state);
        }
    }

    fn publish(&mut self) {
        for (report, slot) in self.state.switches.iter_mut().zip(&self.slots) {
            *report = SwitchReport {
                dpid: slot.switch.config().dpid,
                stage: slot.switch.stage(),
                flows: slot.switch.flows().len(),
                counters: *slot.switch.counters(),
            };
        }
        self.progress.state().clone_from(&self.state);
    }
}

impl Slot {
    /// Without a connection only where flows may be able to carry it. Otherwise once the controller has said something
    /// about flows (a table-miss flow, a delete of what was there before), or has been silent for a while.
    fn may_ping(&self, now: Instant) -> bool {
        match self.up {
            Some((since, flow_mods)) => self.switch.counters().flow_mods > flow_mods || now >= since + SETTLE,
            None => !self.switch.flows().is_empty(),
        }
    }

    /// Counts the answers that have come.
    fn collect(&mut self, state: &mut NetworkSnapshot) {
        for (from, answer) in self.switch.take_answered() {
            if self.current.take_if(|c| c.from == from && c.to == answer.from).is_some() {
                state.pings_answered += 1;
                let ns = u64::try_from(answer.round_trip.as_nanos()).unwrap_or(u64::MAX);
                state.round_trips.saturating_record(ns.max(1));
            }
        }
    }

    fn send(&mut self, net: &mut impl Net, attempt: Try) {
        let (from, to) = (attempt.from, attempt.to);
        self.current = Some(attempt);
        self.switch.ping(from, to, net.now(), ring(net, self.conn));
    }

    fn deadline(&self) -> Option<Instant> {
        let settle = self.up.filter(|_| !self.pings.is_empty() && self.current.is_none());
        // Not before a flow or the settling time allows the next ping; a flow arrives with a turn of its own.
        [
            self.retry_at,
            self.switch.deadline(),
            self.current.as_ref().map(|c| c.until),
            settle.map(|(at, _)| at + SETTLE),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// The send ring of a connection that is there.
fn ring(net: &mut impl Net, conn: Option<ConnId>) -> Option<&mut SendRing> {
    net.sender(conn?).ok()
}

impl Service for Emulated {
    /// Which switch it is.
    type Conn = usize;

    fn start(&mut self, net: &mut impl Net) {
        for i in 0..self.slots.len() {
            self.connect(net, i);
        }
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
        let index = self.slots.iter().position(|s| s.conn == Some(id))?;
        match (result, net.sender(id)) {
            (Ok(_), Ok(out)) => {
                self.slots[index].switch.connected(out);
                Some(index)
            }
            _ => {
                self.lost(net.now(), index);
                None
            }
        }
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut usize, rx: &mut Rx<'_>) {
        let now = net.now();
        let slot = &mut self.slots[*conn];
        let Ok(out) = net.sender(id) else {
            // Closing: what still comes is of no interest.
            while !rx.chunk().is_empty() {
                rx.advance(rx.chunk().len());
            }
            return;
        };
        let flow_mods = slot.switch.counters().flow_mods;
        if let Err(why) = slot.switch.receive(rx, out, now) {
            tracing::warn!("switch {:#x} closes its connection: {why}", slot.switch.config().dpid);
            net.close(id);
            return;
        }
        if slot.switch.stage() == Stage::Up && slot.up.is_none() {
            slot.up = Some((now, flow_mods));
            slot.retry_after = RETRY_MIN;
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, _: &mut usize) {
        net.close(id);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, _: &mut usize) {
        net.resume(id);
    }

    fn closed(&mut self, net: &mut impl Net, _: ConnId, conn: usize, _: CloseReason) {
        self.lost(net.now(), conn);
    }

    fn turn(&mut self, net: &mut impl Net) {
        let now = net.now();
        while let Some((index, command)) = self.commands.pop_front() {
            self.carry_out(net, index, command);
        }
        for i in 0..self.slots.len() {
            let slot = &mut self.slots[i];
            slot.switch.expire(now, ring(net, slot.conn));
            if slot.retry_at.is_some_and(|at| now >= at) {
                self.connect(net, i);
            }
            self.pings(net, i);
        }
        self.publish();
    }

    fn deadline(&self) -> Option<Instant> {
        if !self.commands.is_empty() {
            return Some(Instant::ZERO);
        }
        self.slots.iter().filter_map(Slot::deadline).min()
    }

    fn stop(&mut self, net: &mut impl Net) {
        self.stopping = true;
        for slot in &mut self.slots {
            slot.retry_at = None;
            if let Some(id) = slot.conn {
                net.close(id);
            }
        }
    }
}
