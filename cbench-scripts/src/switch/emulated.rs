//! A switch with a real flow table and hosts on its ports: everything but the connection (see [`crate::network`]).

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use ferroflow_openflow::{Desc, ErrorCode, Header, PortCounters, SplitError, Splitter};
use ferroflow_stack::{Instant, Rx, SendRing};

use super::dialect::{
    BUFFER_EMPTY, BUFFER_UNKNOWN, Command, Dialect, FlowMod, PortState, Request, ToController, is_physical,
    named,
};
use super::table::{Flow, FlowTable, Gone, Key, Output, Selection, port};
use crate::hosts::{Answered, Host, HostConfig};

/// `OFPCML_NO_BUFFER`: send the whole packet (OF 1.3.5 7.2.5.1).
const NO_BUFFER: u16 = 0xffff;
/// What is sent of a buffered packet until the controller says otherwise (`OFP_DEFAULT_MISS_SEND_LEN`).
const MISS_SEND_LEN: u16 = 128;
/// Most frames that one frame may cause before the rest is dropped: hosts that answer each other for ever are a bug.
const FRAMES_MAX: usize = 10_000;

/// What a switch is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatedConfig {
    /// Datapath id.
    pub dpid: u64,
    /// Ports 1 to this, at most 65,279.
    pub ports: u32,
    /// The version it speaks, and no other.
    pub version: Dialect,
    /// Packets it can hold for the controller; 0 = it sends every packet whole.
    pub n_buffers: u32,
    /// Most flows.
    pub flows_max: usize,
    /// Who is plugged in.
    pub hosts: Vec<HostConfig>,
}

impl EmulatedConfig {
    /// A 1.0 switch without buffers and with one host on each of `ports` ports: 02:00:00:dd:00:pp and 10.d.0.p, with d
    /// the low byte of `dpid`.
    pub fn with_hosts(dpid: u64, ports: u8) -> EmulatedConfig {
        let d = dpid as u8;
        let host = |p: u8| HostConfig {
            port: p.into(),
            mac: [0x02, 0, 0, d, 0, p].into(),
            ip: Ipv4Addr::new(10, d, 0, p),
            vlan: None,
        };
        EmulatedConfig {
            dpid,
            ports: ports.into(),
            version: Dialect::V10,
            n_buffers: 0,
            flows_max: 10_000,
            hosts: (1..=ports).map(host).collect(),
        }
    }
}

/// What a switch has seen and done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SwitchCounters {
    /// Packet_ins sent.
    pub packet_ins: u64,
    /// Of these, packets that were kept in a buffer.
    pub buffered: u64,
    /// Packets for the controller that were dropped: not connected, or no room.
    pub packet_ins_dropped: u64,
    /// Packet_outs carried out.
    pub packet_outs: u64,
    /// Flow_mods of any command carried out.
    pub flow_mods: u64,
    /// Flows added.
    pub flows_added: u64,
    /// Flows that went, for any reason.
    pub flows_removed: u64,
    /// Packets that a flow decided about.
    pub table_hits: u64,
    /// Packets that no flow matched.
    pub table_misses: u64,
    /// Errors sent.
    pub errors_sent: u64,
    /// Errors received.
    pub errors_received: u64,
    /// Echo requests answered.
    pub echoes: u64,
    /// Barriers answered.
    pub barriers: u64,
}

/// How far the controller has come with this switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stage {
    /// No connection, or no HELLO yet.
    #[default]
    Down,
    /// HELLOs are exchanged.
    Hello,
    /// The controller knows the features: packets may be sent to it.
    Up,
}

/// The connection is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The controller does not speak our version.
    #[error("the controller does not speak OpenFlow {0:?}")]
    Version(Dialect),
    /// The byte stream cannot be followed.
    #[error(transparent)]
    Split(#[from] SplitError),
}

#[derive(Debug)]
struct Buffered {
    id: u32,
    in_port: u32,
    frame: Vec<u8>,
}

/// An emulated switch.
#[derive(Debug)]
pub struct EmulatedSwitch {
    config: EmulatedConfig,
    stage: Stage,
    splitter: Splitter,
    table: FlowTable,
    ports: Vec<PortState>,
    hosts: Vec<Host>,
    /// The newest `n_buffers` packets.
    buffers: VecDeque<Buffered>,
    next_buffer: u32,
    flags: u16,
    miss_send_len: u16,
    counters: SwitchCounters,
    answered: Vec<(usize, Answered)>,
    /// Frames on their way: the port they come in on, and their bytes.
    wire: VecDeque<(u32, Vec<u8>)>,
}

impl EmulatedSwitch {
    /// A switch that is not connected and has no flow.
    pub fn new(config: EmulatedConfig) -> EmulatedSwitch {
        let d = config.dpid.to_be_bytes();
        let state = |number: u32| PortState {
            number,
            mac: [0x02, 0xff, d[6], d[7], (number >> 8) as u8, number as u8],
            up: true,
            counters: PortCounters::default(),
        };
        EmulatedSwitch {
            stage: Stage::Down,
            splitter: Splitter::default(),
            table: FlowTable::new(config.flows_max),
            ports: (1..=config.ports.min(0xfeff)).map(state).collect(),
            hosts: config.hosts.iter().copied().map(Host::new).collect(),
            buffers: VecDeque::new(),
            next_buffer: 0,
            flags: 0,
            miss_send_len: MISS_SEND_LEN,
            counters: SwitchCounters::default(),
            answered: Vec::new(),
            wire: VecDeque::new(),
            config,
        }
    }

    /// What it is like.
    pub fn config(&self) -> &EmulatedConfig {
        &self.config
    }

    /// How far the controller has come.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What it has seen and done.
    pub fn counters(&self) -> &SwitchCounters {
        &self.counters
    }

    /// Its flows, the highest priority first.
    pub fn flows(&self) -> &[Flow] {
        self.table.flows()
    }

    /// Its hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// When [`EmulatedSwitch::expire`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.table.deadline()
    }

    /// Takes the pings answered since the last call: which host had asked, and the answer.
    pub fn take_answered(&mut self) -> Vec<(usize, Answered)> {
        std::mem::take(&mut self.answered)
    }

    /// The connection is open: says HELLO. Flows and buffers stay.
    pub fn connected(&mut self, out: &mut SendRing) {
        self.splitter = Splitter::default();
        self.stage = Stage::Down;
        // OF 1.3.5 6.4 leaves it to the switch: the settings start anew with each connection.
        self.miss_send_len = MISS_SEND_LEN;
        super::dialect::put(out, &self.config.version.hello());
    }

    /// The connection is gone: the flows go on (OF 1.3.5 6.3.2, fail secure mode).
    pub fn disconnected(&mut self) {
        self.stage = Stage::Down;
    }

    /// Plugs a host into another port.
    pub fn move_host(&mut self, host: usize, port: u32) {
        if let Some(h) = self.hosts.get_mut(host) {
            h.move_to(port);
        }
    }

    /// Lets every host forget the others' addresses.
    pub fn forget_neighbours(&mut self) {
        self.hosts.iter_mut().for_each(Host::forget);
    }

    /// Takes a port's link down or up, and tells the controller.
    pub fn set_port(&mut self, number: u32, up: bool, out: Option<&mut SendRing>) {
        let Some(p) = self.ports.iter_mut().find(|p| p.number == number && p.up != up) else { return };
        p.up = up;
        if let (Some(out), Stage::Up) = (out, self.stage) {
            self.config.version.port_status(p, out);
        }
    }

    /// Lets host `from` ping `to`.
    pub fn ping(&mut self, from: usize, to: Ipv4Addr, now: Instant, out: Option<&mut SendRing>) {
        let Some(host) = self.hosts.get_mut(from) else { return };
        let (port, frame) = (host.config().port, host.ping(to, now));
        self.inject(port, frame, now, out);
    }

    /// A frame comes in on a port, and everything that follows from it happens.
    pub fn inject(&mut self, in_port: u32, frame: Vec<u8>, now: Instant, mut out: Option<&mut SendRing>) {
        self.wire.push_back((in_port, frame));
        self.run(now, &mut out);
    }

    fn run(&mut self, now: Instant, out: &mut Option<&mut SendRing>) {
        for _ in 0..FRAMES_MAX {
            let Some((in_port, frame)) = self.wire.pop_front() else { return };
            let Some(p) = self.ports.iter_mut().find(|p| p.number == in_port) else { continue };
            if !p.up {
                continue;
            }
            p.counters.rx_packets += 1;
            p.counters.rx_bytes += frame.len() as u64;
            self.through_table(in_port, &frame, now, out);
        }
        self.wire.clear();
    }

    fn through_table(&mut self, in_port: u32, frame: &[u8], now: Instant, out: &mut Option<&mut SendRing>) {
        let Some(key) = Key::of(in_port, frame) else { return };
        let Some(flow) = self.table.lookup(&key, frame.len(), now) else {
            self.counters.table_misses += 1;
            // OF 1.3.5 5.4: without a table-miss flow the packet is dropped; 1.0 sends it to the controller (3.4).
            if self.config.version == Dialect::V10 {
                let len = self.miss_send_len;
                self.tell_controller(in_port, frame, len, true, 0, out);
            }
            return;
        };
        self.counters.table_hits += 1;
        let outputs = flow.outputs.clone();
        let miss = flow.priority == 0 && flow.matching == Default::default();
        let cookie = flow.cookie;
        self.execute(&outputs, in_port, frame, now, (miss, cookie), out);
    }

    fn execute(
        &mut self,
        outputs: &[Output],
        in_port: u32,
        frame: &[u8],
        now: Instant,
        (miss, cookie): (bool, u64),
        out: &mut Option<&mut SendRing>,
    ) {
        for o in outputs {
            match o.port {
                port::FLOOD | port::ALL => {
                    for p in 1..=self.ports.len() as u32 {
                        if p != in_port {
                            self.deliver(p, frame, now);
                        }
                    }
                }
                port::CONTROLLER => self.tell_controller(in_port, frame, o.max_len, miss, cookie, out),
                port::IN_PORT => self.deliver(in_port, frame, now),
                port::TABLE => self.through_table(in_port, frame, now, out),
                // OF 1.3.5 7.2.5.1: back out of the input port only by OFPP_IN_PORT.
                p if is_physical(p) && p != in_port => self.deliver(p, frame, now),
                _ => {}
            }
        }
    }

    /// A frame leaves by a port and reaches the hosts there; what they answer is on the wire then.
    fn deliver(&mut self, number: u32, frame: &[u8], now: Instant) {
        let Some(p) = self.ports.iter_mut().find(|p| p.number == number && p.up) else { return };
        p.counters.tx_packets += 1;
        p.counters.tx_bytes += frame.len() as u64;
        for (i, host) in self.hosts.iter_mut().enumerate().filter(|(_, h)| h.config().port == number) {
            let (reply, answered) = host.receive(frame, now);
            self.wire.extend(reply.map(|f| (number, f)));
            self.answered.extend(answered.map(|a| (i, a)));
        }
    }

    fn tell_controller(
        &mut self,
        in_port: u32,
        frame: &[u8],
        max_len: u16,
        miss: bool,
        cookie: u64,
        out: &mut Option<&mut SendRing>,
    ) {
        let (Some(out), Stage::Up) = (out, self.stage) else {
            self.counters.packet_ins_dropped += 1;
            return;
        };
        let version = self.config.version;
        let wants_whole = version == Dialect::V13 && max_len == NO_BUFFER;
        let buffer_id = if self.config.n_buffers > 0 && !wants_whole {
            self.next_buffer
        } else {
            ferroflow_openflow::OFP_NO_BUFFER
        };
        let buffered = named(buffer_id).is_some();
        let shown = if buffered { frame.len().min(max_len.into()) } else { frame.len() };
        let data = &frame[..shown];
        let p = ToController { buffer_id, total_len: frame.len(), in_port, miss, cookie, data };
        if !version.packet_in(&p, out) {
            self.counters.packet_ins_dropped += 1;
            return;
        }
        self.counters.packet_ins += 1;
        if buffered {
            self.counters.buffered += 1;
            self.next_buffer = (self.next_buffer + 1) & 0x7fff_ffff;
            self.buffers.push_back(Buffered { id: buffer_id, in_port, frame: frame.to_vec() });
            if self.buffers.len() > self.config.n_buffers as usize {
                self.buffers.pop_front();
            }
        }
    }

    /// Takes a packet out of its buffer.
    fn unbuffer(&mut self, id: u32) -> Result<Buffered, ErrorCode> {
        match self.buffers.iter().position(|b| b.id == id) {
            Some(i) => self.buffers.remove(i).ok_or(BUFFER_UNKNOWN),
            // A number that was in use once: taken already, or overwritten.
            None if id < self.next_buffer => Err(BUFFER_EMPTY),
            None => Err(BUFFER_UNKNOWN),
        }
    }

    /// Reads and carries out what the controller sent. Stops early when `out` has no room for an answer: the rest stays
    /// in `rx`.
    ///
    /// # Errors
    /// [`Refused`]: the connection has to be closed. What is to be said before that is in `out`.
    pub fn receive(&mut self, rx: &mut Rx<'_>, out: &mut SendRing, now: Instant) -> Result<(), Refused> {
        // The splitter lends a message out of itself, so it is taken out of `self` meanwhile.
        let mut splitter = std::mem::take(&mut self.splitter);
        let result = self.receive_from(&mut splitter, rx, out, now);
        self.splitter = splitter;
        result
    }

    fn receive_from(
        &mut self,
        splitter: &mut Splitter,
        rx: &mut Rx<'_>,
        out: &mut SendRing,
        now: Instant,
    ) -> Result<(), Refused> {
        /// Room for the longest answer: the description.
        const ANSWER_MAX: usize = 2048;
        while !rx.chunk().is_empty() {
            let whole = rx.chunk();
            let mut chunk = whole;
            while out.room() >= ANSWER_MAX.max(self.ports.len() * 128) {
                let Some(m) = splitter.next(&mut chunk)? else { break };
                self.message(m, out, now)?;
            }
            rx.advance(whole.len() - chunk.len());
            if !chunk.is_empty() {
                out.want_room();
                return Ok(());
            }
        }
        Ok(())
    }

    fn message(&mut self, m: &[u8], out: &mut SendRing, now: Instant) -> Result<(), Refused> {
        let version = self.config.version;
        let result = match version.parse(m) {
            Ok(Request::Hello(hello)) => {
                if !version.agrees(&hello) {
                    // OFPET_HELLO_FAILED, OFPHFC_INCOMPATIBLE.
                    version.error(m, ErrorCode { ty: 0, code: 0 }, out);
                    return Err(Refused::Version(version));
                }
                self.stage = self.stage.max(Stage::Hello);
                Ok(())
            }
            Ok(request) => self.request(request, m, out, now),
            Err(e) => Err(e),
        };
        if let Err(e) = result {
            self.counters.errors_sent += 1;
            version.error(m, e, out);
        }
        Ok(())
    }

    fn request(
        &mut self,
        request: Request<'_>,
        m: &[u8],
        out: &mut SendRing,
        now: Instant,
    ) -> Result<(), ErrorCode> {
        let version = self.config.version;
        let xid = Header::parse(m).map_or(0, |h| h.xid);
        match request {
            Request::Hello(_) => {}
            Request::Nothing => self.counters.errors_received += u64::from(m[1] == 1),
            Request::Echo(data) => {
                self.counters.echoes += 1;
                version.echo_reply(xid, data, out);
            }
            Request::Features => {
                version.features(xid, self.config.dpid, self.config.n_buffers, &self.ports, out);
                self.stage = Stage::Up;
            }
            Request::GetConfig => {
                version.config(xid, self.flags, self.miss_send_len, out);
            }
            Request::SetConfig { flags, miss_send_len } => {
                (self.flags, self.miss_send_len) = (flags, miss_send_len);
            }
            Request::Barrier => {
                // Everything before it has been carried out: messages are handled one by one.
                self.counters.barriers += 1;
                version.barrier(xid, out);
            }
            Request::Desc => {
                let desc = Desc {
                    mfr_desc: b"Ferroflow",
                    hw_desc: b"emulated switch",
                    sw_desc: env!("CARGO_PKG_VERSION").as_bytes(),
                    serial_num: b"none",
                    dp_desc: b"none",
                };
                version.desc(xid, desc, out);
            }
            Request::PortStats(number) => {
                let fits = |p: &&PortState| number == port::ANY || p.number == number;
                let ports: Vec<_> = self.ports.iter().filter(fits).copied().collect();
                version.port_stats(xid, &ports, out);
            }
            Request::PortDesc => {
                version.port_desc(xid, &self.ports, out);
            }
            Request::PacketOut { buffer_id, in_port, outputs, data } => {
                self.counters.packet_outs += 1;
                let held = named(buffer_id).map(|id| self.unbuffer(id)).transpose()?;
                let frame = held.as_ref().map_or(data, |b| &b.frame);
                let mut out = Some(out);
                self.execute(&outputs, in_port, frame, now, (false, u64::MAX), &mut out);
                self.run(now, &mut out);
            }
            Request::FlowMod(f) => self.flow_mod(f, out, now)?,
        }
        Ok(())
    }

    fn flow_mod(&mut self, f: FlowMod, out: &mut SendRing, now: Instant) -> Result<(), ErrorCode> {
        self.counters.flow_mods += 1;
        let select = |strict: bool| Selection {
            matching: f.matching,
            strict_priority: strict.then_some(f.priority),
            out_port: port::ANY,
            cookie: f.cookie,
            cookie_mask: f.cookie_mask,
        };
        match f.command {
            Command::Add => self.add(&f, now)?,
            Command::Modify { strict } => {
                // OF 1.0 4.6: a modify that finds nothing adds; from 1.1 on it does nothing.
                if self.table.modify(&select(strict), &f.outputs) == 0 && self.config.version == Dialect::V10
                {
                    self.add(&f, now)?;
                }
            }
            Command::Delete { strict } => {
                let gone = self.table.delete(&Selection { out_port: f.out_port, ..select(strict) });
                for flow in gone {
                    self.removed(&flow, Gone::Deleted, now, Some(out));
                }
                // OF 1.0 5.3.3, OF 1.3.5 7.3.4.1: deletes have no use for a buffer.
                return Ok(());
            }
        }
        let Some(id) = named(f.buffer_id) else { return Ok(()) };
        let held = self.unbuffer(id)?;
        let mut out = Some(out);
        match self.config.version {
            // OF 1.0 5.3.3: the actions are applied to the buffered packet.
            Dialect::V10 => {
                self.execute(&f.outputs, held.in_port, &held.frame, now, (false, f.cookie), &mut out);
            }
            // OF 1.3.5 7.3.4.1: like a packet_out to OFPP_TABLE.
            Dialect::V13 => self.through_table(held.in_port, &held.frame, now, &mut out),
        }
        self.run(now, &mut out);
        Ok(())
    }

    fn add(&mut self, f: &FlowMod, now: Instant) -> Result<(), ErrorCode> {
        let flow = Flow {
            matching: f.matching,
            priority: f.priority,
            cookie: f.cookie,
            idle_timeout: f.idle_timeout,
            hard_timeout: f.hard_timeout,
            notify: f.notify,
            outputs: f.outputs.clone(),
            installed: now,
            used: now,
            packets: 0,
            bytes: 0,
        };
        self.table.add(flow).map_err(|_| self.config.version.table_full())?;
        self.counters.flows_added += 1;
        Ok(())
    }

    fn removed(&mut self, flow: &Flow, why: Gone, now: Instant, out: Option<&mut SendRing>) {
        self.counters.flows_removed += 1;
        if let (true, Stage::Up, Some(out)) = (flow.notify, self.stage, out) {
            self.config.version.flow_removed(flow, why, now.since(flow.installed), out);
        }
    }

    /// Removes the flows whose time is over, and tells the controller where it wants to know.
    pub fn expire(&mut self, now: Instant, mut out: Option<&mut SendRing>) {
        if self.table.deadline().is_none_or(|at| now < at) {
            return;
        }
        for (flow, why) in self.table.expire(now) {
            self.removed(&flow, why, now, out.as_deref_mut());
        }
    }
}

#[cfg(test)]
mod tests;
