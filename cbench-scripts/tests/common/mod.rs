//! What the tests share: a small learning controller, and two services joined by a pipe in virtual time.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

use ferroflow_openflow::{Encode, Hello, OFP_NO_BUFFER, Splitter, Version, v10, v13};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::{
    CloseReason, Config, ConnId, ConnInfo, ConnectError, Instance, Instant, Listen, Net, Rx, Service,
};

pub const PORT: u16 = 6653;
pub const CONTROLLER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 99, 0, 1)), PORT);

/// Two stacks on a pipe: `left` is 10.99.0.1, `right` 10.99.0.2.
pub struct Pair<A: Service, B: Service> {
    pub left: Instance<PipePort, A>,
    pub right: Instance<PipePort, B>,
    pub now: Instant,
}

impl<A: Service, B: Service> Pair<A, B> {
    pub fn new(left: A, right: B) -> Pair<A, B> {
        Pair::with(left, right, |_| ())
    }

    /// With some settings of both stacks changed.
    pub fn with(left: A, right: B, change: impl Fn(&mut Config)) -> Pair<A, B> {
        let (mut a, mut b) = pipe::pair(PipeConfig::new(1));
        let config = |n: u8| {
            let mut config =
                Config::new([2, 0, 0, 0, 0, n].into(), Ipv4Addr::new(10, 99, 0, n), 24, n.into());
            change(&mut config);
            config
        };
        let now = Instant::from_secs(1);
        let mut left = Instance::new(config(1), a.remove(0), left);
        let mut right = Instance::new(config(2), b.remove(0), right);
        left.start(now);
        right.start(now);
        Pair { left, right, now }
    }

    /// Runs until `over`; every turn takes 5 us, and idle time is skipped.
    pub fn run(&mut self, limit: std::time::Duration, mut over: impl FnMut(&Self) -> bool) {
        let end = self.now + limit;
        let mut idle = 0;
        while !over(self) {
            assert!(self.now < end, "not over after {limit:?} of virtual time");
            let a = self.left.turn(self.now).expect("pipe");
            let b = self.right.turn(self.now).expect("pipe");
            self.now += std::time::Duration::from_micros(5);
            // What the right sent in this round, the left sees in the next.
            idle = if a.frames + b.frames == 0 && !a.more && !b.more { idle + 1 } else { 0 };
            if idle > 1 {
                let next = [a.next, b.next].into_iter().flatten().min().unwrap_or(end);
                idle = 0;
                self.now = self.now.max(next.min(end));
            }
        }
    }
}

/// A learning switch for OpenFlow 1.0 and 1.3 in a hundred lines: one table of addresses for each connection.
#[derive(Debug, Default)]
pub struct Learner {
    pub packet_ins: u64,
    pub flow_mods: u64,
    pub port_downs: u64,
    pub flow_removeds: u64,
    pub errors: u64,
}

#[derive(Debug, Default)]
pub struct Dp {
    splitter: Splitter,
    version: Version,
    ports: HashMap<[u8; 6], u32>,
}

fn send(net: &mut impl Net, id: ConnId, m: &impl Encode) {
    net.send_with(id, m.wire_len(), |b| m.write(b)).expect("room");
}

impl Learner {
    fn message(&mut self, net: &mut impl Net, id: ConnId, dp: &mut Dp, m: &[u8]) {
        let v13 = m[0] == 4;
        match m[1] {
            0 => {
                dp.version = Hello::parse(m).expect("HELLO").version;
                match dp.version {
                    Version::V1_0 => send(net, id, &v10::FeaturesRequest { xid: 1 }),
                    _ => send(net, id, &v13::FeaturesRequest { xid: 1 }),
                }
            }
            1 => self.errors += 1,
            6 if v13 => {
                let actions = [v13::Action::controller()];
                let apply = [v13::Instruction::ApplyActions(&actions[..])];
                let any: &[v13::Oxm<'_>] = &[];
                let miss = v13::FlowMod { priority: 0, ..v13::FlowMod::new(any, &apply[..]) };
                send(net, id, &miss);
            }
            6 => {
                send(net, id, &v10::SetConfig { xid: 2, flags: 0, miss_send_len: 0xffff });
                let all = v10::FlowMod {
                    command: v10::FlowModCommand::OFPFC_DELETE,
                    ..v10::FlowMod::new(v10::Match::ANY, &[] as &[v10::Action<'_>])
                };
                send(net, id, &all);
            }
            10 if v13 => {
                let p = v13::PacketIn::parse(m).expect("packet_in");
                let in_port = p.matching.in_port().expect("in_port");
                self.packet_in(net, id, dp, in_port, p.buffer_id, p.data);
            }
            10 => {
                let p = v10::PacketIn::parse(m).expect("packet_in");
                self.packet_in(net, id, dp, p.in_port.into(), p.buffer_id, p.data);
            }
            11 => self.flow_removeds += 1,
            12 => self.port_downs += 1,
            _ => {}
        }
    }

    fn packet_in(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        dp: &mut Dp,
        in_port: u32,
        buffer: u32,
        data: &[u8],
    ) {
        self.packet_ins += 1;
        let (dst, src): ([u8; 6], [u8; 6]) = (data[..6].try_into().unwrap(), data[6..12].try_into().unwrap());
        dp.ports.insert(src, in_port);
        let rest = if buffer == OFP_NO_BUFFER { data } else { &[] };
        let out = dp.ports.get(&dst).copied();
        if dp.version == Version::V1_0 {
            let to = out.map_or(v10::OFPP_FLOOD, |p| p as u16);
            let actions = [v10::Action::output(to)];
            if out.is_some() {
                let matching = v10::Match::ANY.in_port(in_port as u16).dl_src(src).dl_dst(dst);
                let m = v10::FlowMod {
                    buffer_id: buffer,
                    idle_timeout: 60,
                    ..v10::FlowMod::new(matching, &actions[..])
                };
                self.flow_mods += 1;
                send(net, id, &m);
            }
            if out.is_none() || buffer == OFP_NO_BUFFER {
                let m = v10::PacketOut {
                    xid: 0,
                    buffer_id: buffer,
                    in_port: in_port as u16,
                    actions: &actions[..],
                    data: rest,
                };
                send(net, id, &m);
            }
            return;
        }
        let actions = [v13::Action::output(out.unwrap_or(v13::OFPP_FLOOD))];
        if out.is_some() {
            let matching =
                [v13::Oxm::InPort(in_port), v13::Oxm::EthDst(dst, None), v13::Oxm::EthSrc(src, None)];
            let apply = [v13::Instruction::ApplyActions(&actions[..])];
            let m = v13::FlowMod {
                buffer_id: buffer,
                flags: 1,
                idle_timeout: 60,
                ..v13::FlowMod::new(&matching[..], &apply[..])
            };
            self.flow_mods += 1;
            send(net, id, &m);
        }
        let m = v13::PacketOut { xid: 0, buffer_id: buffer, in_port, actions: &actions[..], data: rest };
        if out.is_none() || buffer == OFP_NO_BUFFER {
            send(net, id, &m);
        }
    }
}

impl Service for Learner {
    type Conn = Dp;

    fn start(&mut self, net: &mut impl Net) {
        net.listen(Listen::on(PORT)).expect("free");
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, _: &ConnInfo) -> Option<Dp> {
        // Open vSwitch's own HELLO: its highest version, no bitmap.
        send(net, id, &Hello { version: Version::V1_3, xid: 0, bitmap: None });
        Some(Dp::default())
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<Dp> {
        None
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, dp: &mut Dp, rx: &mut Rx<'_>) {
        let mut splitter = std::mem::take(&mut dp.splitter);
        while !rx.chunk().is_empty() {
            let mut chunk = rx.chunk();
            let n = chunk.len();
            while let Some(m) = splitter.next(&mut chunk).expect("OpenFlow") {
                self.message(net, id, dp, m);
            }
            rx.advance(n);
        }
        dp.splitter = splitter;
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, _: &mut Dp) {
        net.close(id);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, _: Dp, _: CloseReason) {}
}
