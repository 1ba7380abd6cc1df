//! Cores, their connections and the clock.

use std::net::SocketAddr;
use std::time::Duration;

use ferroflow_openflow::Version;
use ferroflow_stack::{CloseReason, ConnId, Instant, Rx, Service};

use super::net::FakeNet;
use super::switch::Switch;
use crate::app::Dpid;
use crate::core::Controller;

/// A [`Switch`] of a [`Lab`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchId(usize);

struct Core {
    controller: Controller,
    net: FakeNet,
}

struct Wire {
    core: usize,
    conn: usize,
    switch: Switch,
    /// The switch takes what the controller sends.
    reads: bool,
}

/// Controllers and switches in virtual time.
pub struct Lab {
    cores: Vec<Core>,
    wires: Vec<Wire>,
    now: Instant,
}

impl Lab {
    /// Starts these controllers, each on a core of its own.
    pub fn new(controllers: Vec<Controller>) -> Lab {
        Lab::with_taken_ports(controllers, &[])
    }

    /// The same, where listening on some ports fails.
    pub fn with_taken_ports(controllers: Vec<Controller>, taken: &[u16]) -> Lab {
        let cores = controllers
            .into_iter()
            .enumerate()
            .map(|(n, mut controller)| {
                let mut net = FakeNet::new(0x1234_5678 + n as u64);
                net.taken = taken.to_vec();
                controller.start(&mut net);
                Core { controller, net }
            })
            .collect();
        Lab { cores, wires: Vec::new(), now: Instant::ZERO }
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// A core's controller.
    pub fn controller(&self, core: usize) -> &Controller {
        &self.cores[core].controller
    }

    /// Send rings of connections made from now on hold at most so many bytes.
    pub fn set_ring_limit(&mut self, bytes: usize) {
        for core in &mut self.cores {
            core.net.ring_limit = bytes;
        }
    }

    /// Connects a switch to a core and lets everything settle; the address is made up from `dpid`.
    pub fn switch(&mut self, core: usize, version: Version, dpid: u64) -> SwitchId {
        let peer =
            SocketAddr::from(([10, 1, (dpid >> 8) as u8, dpid as u8], 40_000 + self.wires.len() as u16));
        self.connect(core, peer, Switch::new(version, dpid))
    }

    /// Connects a switch from an address and lets everything settle.
    pub fn connect(&mut self, core: usize, peer: SocketAddr, switch: Switch) -> SwitchId {
        let Core { controller, net } = &mut self.cores[core];
        let (id, info) = net.open(peer);
        let service = controller.accepted(net, id, &info);
        let conn = &mut net.conns[id.index()];
        conn.service = service;
        if service.is_none() {
            conn.ends = Some(CloseReason::Aborted);
            conn.shut = true;
        }
        self.wires.push(Wire { core, conn: id.index(), switch, reads: true });
        let id = SwitchId(self.wires.len() - 1);
        self.run();
        id
    }

    /// The switch.
    pub fn at(&mut self, id: SwitchId) -> &mut Switch {
        &mut self.wires[id.0].switch
    }

    /// Lets the switch send bytes, and everything settle.
    pub fn send(&mut self, id: SwitchId, bytes: &[u8]) {
        self.send_later(id, bytes);
        self.run();
    }

    /// Leaves bytes to arrive with the next [`Lab::run`].
    pub fn send_later(&mut self, id: SwitchId, bytes: &[u8]) {
        let wire = &self.wires[id.0];
        let conn = &mut self.cores[wire.core].net.conns[wire.conn];
        if conn.service.is_some() && !bytes.is_empty() {
            conn.rx.extend_from_slice(bytes);
            conn.offer = true;
        }
    }

    /// Whether the switch takes what the controller sends.
    pub fn set_reading(&mut self, id: SwitchId, reads: bool) {
        self.wires[id.0].reads = reads;
        self.run();
    }

    /// Whether the connection is open.
    pub fn is_open(&self, id: SwitchId) -> bool {
        let wire = &self.wires[id.0];
        self.cores[wire.core].net.conns[wire.conn].service.is_some()
    }

    /// Bytes that the controller has not taken from the connection.
    pub fn untaken(&self, id: SwitchId) -> usize {
        let wire = &self.wires[id.0];
        self.cores[wire.core].net.conns[wire.conn].rx.len()
    }

    /// The switch closes the connection in order.
    pub fn close(&mut self, id: SwitchId) {
        let wire = &self.wires[id.0];
        self.cores[wire.core].net.conns[wire.conn].eof = true;
        self.run();
    }

    /// The connection is reset.
    pub fn reset(&mut self, id: SwitchId) {
        let wire = &self.wires[id.0];
        self.cores[wire.core].net.conns[wire.conn].ends = Some(CloseReason::Reset);
        self.run();
    }

    /// Whether every core knows this datapath.
    pub fn is_up(&self, dpid: u64) -> bool {
        self.cores.iter().all(|c| c.controller.directory().home(Dpid(dpid)).is_some())
    }

    /// Stops all controllers.
    pub fn stop(&mut self) {
        for Core { controller, net } in &mut self.cores {
            controller.stop(net);
        }
        self.run();
    }

    /// Runs turns until nothing happens any more at this time.
    ///
    /// # Panics
    /// If that takes more than a hundred thousand turns.
    pub fn run(&mut self) {
        for _ in 0..100_000 {
            let mut busy = false;
            for core in &mut self.cores {
                busy |= core.turn(self.now);
            }
            for n in 0..self.wires.len() {
                busy |= self.exchange(n);
            }
            let due = |c: &Core| c.controller.deadline().is_some_and(|at| at <= self.now);
            if !busy && !self.cores.iter().any(due) {
                return;
            }
        }
        panic!("the lab does not come to rest");
    }

    /// Lets time pass, jumping from deadline to deadline.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            self.run();
            let timers = self.cores.iter().flat_map(|c| {
                let conns = c.net.conns.iter().filter(|c| c.service.is_some()).filter_map(|c| c.timer);
                conns.chain(c.controller.deadline())
            });
            let next = timers.min().unwrap_or(Instant::FAR).max(self.now);
            if next > end {
                break;
            }
            self.now = next;
        }
        self.now = end;
        self.run();
    }

    /// Moves bytes between a switch and its connection's buffers.
    fn exchange(&mut self, n: usize) -> bool {
        let wire = &mut self.wires[n];
        let conn = &mut self.cores[wire.core].net.conns[wire.conn];
        let mut busy = false;
        if wire.reads && !conn.ring.is_empty() {
            let mut bytes = vec![0; conn.ring.len()];
            conn.ring.copy_out(0, &mut bytes);
            conn.ring.consume(bytes.len());
            wire.switch.receive(&bytes);
            busy = true;
        }
        let answer = wire.switch.take_output();
        if !answer.is_empty() && conn.service.is_some() && conn.ends.is_none() {
            conn.rx.extend_from_slice(&answer);
            conn.offer = true;
            busy = true;
        }
        busy
    }
}

impl Core {
    /// One turn; whether anything happened.
    fn turn(&mut self, now: Instant) -> bool {
        let Core { controller, net } = self;
        net.now = now;
        let mut busy = false;
        for n in 0..net.conns.len() {
            let id = ConnId::new(n as u32, net.conns[n].generation);
            let Some(mut service) = net.conns[n].service else { continue };
            if net.conns[n].offer && net.conns[n].ends.is_none() {
                net.conns[n].offer = false;
                let bytes = std::mem::take(&mut net.conns[n].rx);
                // In two pieces, as a ring's two ends.
                let (a, b) = bytes.split_at(bytes.len() / 3);
                let mut rx = Rx::new(a, b);
                controller.data(net, id, &mut service, &mut rx);
                net.conns[n].rx = bytes[rx.taken()..].to_vec();
                busy = true;
            }
            let conn = &mut net.conns[n];
            if conn.ring.is_short() && conn.ring.room() * 2 >= conn.ring.limit() && conn.ends.is_none() {
                conn.ring.take_short();
                controller.writable(net, id, &mut service);
                busy = true;
            }
            let conn = &mut net.conns[n];
            if conn.timer.is_some_and(|at| at <= now) && conn.ends.is_none() {
                conn.timer = None;
                controller.timer(net, id, &mut service);
                busy = true;
            }
            if net.conns[n].eof && net.conns[n].ends.is_none() {
                net.conns[n].eof = false;
                controller.eof(net, id, &mut service);
                busy = true;
            }
            if let Some(why) = net.conns[n].ends {
                net.conns[n].service = None;
                controller.closed(net, id, service, why);
                busy = true;
            }
        }
        let read = controller.mailbox().stats().received;
        controller.turn(net);
        busy || controller.mailbox().stats().received != read
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab").field("now", &self.now).field("switches", &self.wires.len()).finish()
    }
}
