//! A stack instance under a script of frames, time steps and its user's actions. The user is a service with callbacks or
//! a program over sockets, as the script says, under settings that the script says too. Frames are those of peers that
//! know their connections, with as much amiss as the script wants.
//!
//! Whatever happens: the instance does not panic, every turn ends, nothing in its state contradicts the rest
//! (`Instance::check`), what it sends is by the rules (the simulator's police), streams carry the bytes that were sent,
//! counters only grow, no buffer is lost. When peers are good again, everything that was written arrives; and after all
//! is closed, nothing is left.
#![no_main]

mod app;
#[path = "../input.rs"]
mod input;
mod law;
mod peers;
mod port;
mod program;
mod segment;
mod service;
mod settings;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ferroflow_stack::port::Csum;
use ferroflow_stack::tcp_info::TcpState;
use ferroflow_stack::{Counters, Instance, Instant};
use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::{ArpOperation, ArpPacket};
use ferroflow_wire::ethernet::{EtherType, EthernetHeader};
use ferroflow_wire::icmpv4::{IcmpMessage, unreachable};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header};
use ferroflow_wire::udp::{self, UdpHeader};
use libfuzzer_sys::fuzz_target;

use app::App;
use input::Script;
use law::Law;
use peers::{ADDRESS, MAC, Peers, address, ipv4_frame, mac};
use port::TestPort;
use settings::{MAX_BUFFER, MAX_CONNS, MAX_TIME_WAIT, Settings};

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let settings = settings::settings(&mut script);
    if settings.sockets {
        Bench::<program::Program>::new(settings).run(script);
    } else {
        Bench::<service::Callbacks>::new(settings).run(script);
    }
});

/// Most operations of a script.
const MAX_STEPS: usize = 300;
/// Rounds in which good peers must have received everything.
const GOOD_ROUNDS: usize = 3000;

struct Bench<A: App> {
    app: A,
    instance: Instance<TestPort, A::Service>,
    peers: Peers,
    law: Law,
    now: Instant,
    next: Option<Instant>,
    last: Vec<u8>,
    counters: Counters,
}

impl<A: App> Bench<A> {
    fn new(settings: Settings) -> Self {
        let Settings { config, mtu, tx_csum, tx_gso, backlog, .. } = settings;
        let now = Instant::from_secs(1);
        let (app, service) = A::new(backlog);
        let mut instance = Instance::new(config, TestPort::new(mtu, tx_csum, tx_gso), service);
        instance.start(now);
        let mut bench = Bench {
            app,
            instance,
            peers: Peers::new(mtu, tx_csum),
            law: Law::default(),
            now,
            next: None,
            last: Vec::new(),
            counters: Counters::default(),
        };
        bench.settle();
        bench
    }

    fn run(mut self, mut script: Script<'_>) {
        for _ in 0..MAX_STEPS {
            if script.is_over() {
                break;
            }
            let op = script.u8();
            self.step(op, &mut script);
            // Without a turn in between, frames arrive as one burst.
            if op & 0x80 == 0 {
                self.settle();
            }
        }
        self.be_good();
        self.finish();
    }

    fn step(&mut self, op: u8, script: &mut Script<'_>) {
        match op & 0x3f {
            0..=15 => {
                let n = script.u8().into();
                let now_ms = self.now_ms();
                let frame = self.peers.get(n).segment(script, now_ms);
                self.deliver(frame);
            }
            16..=19 => self.wait(script.u8()),
            20..=31 => {
                let app = &mut self.app;
                self.instance.with(|service, net| app.act(service, net, script));
            }
            32 | 33 => self.app.policy(self.instance.service_mut(), script),
            34 => self.connect(script),
            35..=38 => self.open(script),
            39..=46 => self.exchange(script),
            47 | 48 => self.arp(script),
            49..=52 => self.icmp(script),
            53 => self.udp_or_other(script),
            54 | 55 => self.again(script),
            56 | 57 => {
                let credit = script.u8();
                self.instance.port_mut().credit =
                    if credit < 128 { usize::MAX } else { usize::from(credit - 128) };
            }
            58 => {
                let len = usize::from(script.u16() % 1600);
                let frame = script.bytes(len).to_vec();
                self.forged(frame);
            }
            59 => {
                // A frame that is ours, and says what it likes.
                let len = usize::from(script.u8());
                let mut frame = MAC.octets().to_vec();
                frame.extend_from_slice(&mac(address(0)).octets());
                frame.extend_from_slice(script.bytes(len));
                self.forged(frame);
            }
            _ => self.settle(),
        }
    }

    fn now_ms(&self) -> u32 {
        self.now.as_millis() as u32
    }

    fn deliver(&mut self, frame: Vec<u8>) {
        self.law.receives(&frame, false);
        self.last.clone_from(&frame);
        self.instance.port_mut().deliver(frame, Csum::Unknown);
    }

    /// A frame that is not from a peer's stream: should it be a valid segment all the same, what is read is not known.
    fn forged(&mut self, frame: Vec<u8>) {
        if frame != self.last && self.law.receives(&frame, true) {
            self.app.taint(self.instance.service_mut());
        }
        self.instance.port_mut().deliver(frame, Csum::Unknown);
    }

    /// A new peer connects as it should, with the options that the script names.
    fn open(&mut self, script: &mut Script<'_>) {
        let n = self.peers.fresh(script);
        let [options, ecn, len] = script.array();
        let now_ms = self.now_ms();
        let syn = self.peers.get(n).syn(options, ecn, now_ms);
        self.deliver(syn);
        self.settle();
        let ack = self.peers.get(n).honest(u32::from(len & 0x7f), now_ms);
        self.deliver(ack);
    }

    /// A peer acknowledges what it has seen a few times, so that windows grow, and sends some data.
    fn exchange(&mut self, script: &mut Script<'_>) {
        let [who, times, len] = script.array();
        let n = usize::from(who);
        for _ in 0..=times % 16 {
            let now_ms = self.now_ms();
            let frame = if self.peers.get(n).is_asked() {
                self.peers.get(n).syn(who, times, now_ms)
            } else {
                self.peers.get(n).honest(u32::from(len) * 2, now_ms)
            };
            self.deliver(frame);
            self.settle();
            self.now += Duration::from_millis(u64::from(times >> 4) * 10);
        }
    }

    fn wait(&mut self, how_long: u8) {
        match how_long {
            // To the next deadline, as a core that sleeps would.
            0..128 => self.now = self.next.map_or(self.now, |next| next.max(self.now)),
            _ => {
                const STEPS: [u64; 8] = [1, 10, 50, 250, 1_000, 10_000, 61_000, 200_000];
                self.now += Duration::from_millis(STEPS[usize::from(how_long) % 8]);
            }
        }
    }

    fn connect(&mut self, script: &mut Script<'_>) {
        let [who, port] = script.array();
        let early = script.u16();
        let to = match who {
            255 => Ipv4Addr::BROADCAST,
            254 => ADDRESS,
            _ => address(who),
        };
        let to = SocketAddr::from((to, u16::from(port) % 4));
        let app = &mut self.app;
        self.instance.with(|service, net| app.connect(service, net, to, early));
    }

    /// Tells where a neighbour is, as it should.
    fn arp_reply(&mut self, sender: Ipv4Addr) {
        let request = ArpPacket::request(mac(sender), sender, ADDRESS);
        self.deliver_arp(
            &ArpPacket { operation: ArpOperation::REPLY, target_mac: MAC, ..request },
            MAC,
            mac(sender),
        );
    }

    fn arp(&mut self, script: &mut Script<'_>) {
        let [who, kind, target] = script.array();
        let sender = if who == 255 { ADDRESS } else { address(who) };
        let request =
            ArpPacket::request(mac(sender), sender, if target < 128 { ADDRESS } else { address(target) });
        let packet = match kind % 4 {
            0 => request,
            1 | 2 => ArpPacket { operation: ArpOperation::REPLY, target_mac: MAC, ..request },
            _ => ArpPacket {
                operation: ArpOperation(kind.into()),
                sender_mac: MacAddr(script.array()),
                ..request
            },
        };
        let dst = if kind & 0x80 == 0 { MAC } else { MacAddr::BROADCAST };
        self.deliver_arp(&packet, dst, mac(sender));
    }

    fn deliver_arp(&mut self, packet: &ArpPacket, dst: MacAddr, src: MacAddr) {
        let eth = EthernetHeader { dst, src, vlan: None, ethertype: EtherType::ARP };
        let mut frame = vec![0; 60];
        let at = eth.write(&mut frame).expect("it fits");
        packet.write(&mut frame[at..]).expect("it fits");
        self.deliver(frame);
    }

    fn icmp(&mut self, script: &mut Script<'_>) {
        let [who, kind, code, mtu] = script.array();
        let peer = self.peers.get(who.into());
        let original = peer.quote(script);
        let from = if kind & 0x80 == 0 { peer.address } else { address(code) };
        let data = script.bytes(usize::from(script_len(code)));
        let next_hop_mtu =
            [0, 68, 296, 552, 576, 600, 1000, 1280, 1400, 1492, 1499, 1500, 9000][usize::from(mtu) % 13];
        let message = match kind % 8 {
            0 => IcmpMessage::EchoRequest { ident: 1, seq: 2, data },
            1..=3 => IcmpMessage::DestUnreachable {
                code: unreachable::FRAGMENTATION_NEEDED,
                next_hop_mtu,
                original: &original,
            },
            4 | 5 => IcmpMessage::DestUnreachable { code: code % 16, next_hop_mtu, original: &original },
            6 => IcmpMessage::TimeExceeded { code, original: &original },
            _ => IcmpMessage::Other { message_type: kind, code, rest: [0; 4], data },
        };
        let mut payload = vec![0; message.len()];
        message.write(&mut payload).expect("it fits");
        self.ip(from, IpProtocol::ICMP, &payload, script);
    }

    fn udp_or_other(&mut self, script: &mut Script<'_>) {
        let [who, protocol, len] = script.array();
        let data = script.bytes(len.into());
        let mut payload = vec![0; 8];
        let header = UdpHeader { src_port: 53, dst_port: 53, payload_len: data.len() as u16 };
        header.write(&mut payload).expect("it fits");
        payload.extend_from_slice(data);
        udp::fill_checksum(&mut payload, address(who), ADDRESS).expect("it fits");
        let protocol = if protocol < 128 { IpProtocol::UDP } else { IpProtocol(protocol) };
        self.ip(address(who), protocol, &payload, script);
    }

    fn ip(&mut self, from: Ipv4Addr, protocol: IpProtocol, payload: &[u8], script: &mut Script<'_>) {
        let [odd, fragment, dst] = script.array();
        let mut header = Ipv4Header::new(from, ADDRESS, protocol, payload.len() as u16);
        if odd & 1 != 0 {
            header.fragment_offset = u16::from(fragment) * 8;
            header.more_fragments = odd & 2 != 0;
        }
        if odd & 4 != 0 {
            header.dst = Ipv4Addr::new(10, 0, 0, dst);
        }
        if odd & 8 != 0 {
            header.src = Ipv4Addr::new(dst, fragment, 0, 255);
        }
        self.deliver(ipv4_frame(&header, payload));
    }

    /// The last frame once more, as it was or damaged.
    fn again(&mut self, script: &mut Script<'_>) {
        let [how, value] = script.array();
        let at = usize::from(script.u16());
        let mut frame = self.last.clone();
        match how % 4 {
            0 => {}
            1 => {
                let len = frame.len().max(1);
                if let Some(byte) = frame.get_mut(at % len) {
                    *byte ^= value;
                }
            }
            2 => frame.truncate(at % (frame.len() + 1)),
            _ => frame.resize(frame.len() + usize::from(value), value),
        }
        self.forged(frame);
    }

    /// Turns until there is nothing left to do now.
    fn settle(&mut self) {
        // A service that takes a full buffer byte by byte needs a turn for each.
        for _ in 0..2 * MAX_BUFFER {
            let turn = self.instance.turn(self.now).expect("the port goes on");
            self.check();
            // A deadline may be early: a turn then brings the true one.
            if !turn.more && turn.next.is_none_or(|next| next > self.now) {
                self.next = turn.next;
                let app = &mut self.app;
                self.instance.with(|service, net| app.check(service, net));
                return;
            }
        }
        let turn = self.instance.turn(self.now).expect("the port goes on");
        panic!("turns want to follow each other for ever: {turn:?} at {:?}", self.now);
    }

    fn check(&mut self) {
        self.instance.check().unwrap_or_else(|broken| panic!("{broken}"));
        let counters = *self.instance.counters();
        self.law.knows(self.instance.connections().map(|(id, info, _)| (id, info)));
        for (frame, csum) in std::mem::take(&mut self.instance.port_mut().sent) {
            self.peers.sent(&frame, csum);
            self.law.sends(&frame);
        }
        assert!(self.instance.conns() <= MAX_CONNS);
        assert!(self.instance.time_waits() <= MAX_TIME_WAIT);
        // Twice the buffers, while they grow; what waits out of order; runs in flight.
        assert!(self.instance.memory() <= MAX_CONNS * 8 * MAX_BUFFER, "{} bytes", self.instance.memory());
        for ((name, old), (_, new)) in self.counters.iter().zip(counters.iter()) {
            assert!(new >= old, "{name} has gone back");
        }
        self.counters = counters;
    }

    /// The card has room, neighbours tell where they are, and peers acknowledge all that they see: then everything that
    /// was written arrives, or its connection has ended.
    fn be_good(&mut self) {
        self.instance.port_mut().credit = usize::MAX;
        self.settle();
        for round in 0..GOOD_ROUNDS {
            let Some(waiting) = self.unacknowledged() else { return };
            self.peers.asked.dedup();
            for asked in std::mem::take(&mut self.peers.asked) {
                self.arp_reply(asked);
            }
            let before = waiting;
            for n in 0..self.peers.len() {
                let (peer, now_ms) = (self.peers.get(n), self.now.as_millis() as u32);
                if peer.iss.is_some() && !peer.dead && !peer.is_asked() {
                    // What was sent out of order has told the window last.
                    let ahead = |seq: &u32| seq.wrapping_sub(peer.next).cast_signed() > 0;
                    let mut seqs: Vec<u32> = peer.seqs.iter().copied().filter(ahead).collect();
                    seqs.push(peer.next);
                    seqs.sort_unstable();
                    seqs.dedup();
                    let frames: Vec<_> = seqs.iter().map(|&seq| peer.honest_at(seq, 0, now_ms)).collect();
                    frames.into_iter().for_each(|frame| self.deliver(frame));
                }
            }
            self.settle();
            if self.unacknowledged() == Some(before) {
                // Timers come late, and later; a paced flow with a long round trip needs its time.
                self.now += Duration::from_millis(if round < GOOD_ROUNDS / 3 { 100 } else { 3000 });
                self.settle();
            }
        }
        let waiting: Vec<_> = self.waiting().map(|(info, tcp)| format!("{info:?} {tcp:?}")).collect();
        panic!("good peers, and still not received: {waiting:#?}");
    }

    /// Connections whose peers have been consistent and have not received everything.
    fn waiting(&self) -> impl Iterator<Item = (ferroflow_stack::ConnInfo, ferroflow_stack::TcpInfo)> {
        self.instance.connections().map(|(_, info, tcp)| (info, tcp)).filter(|(info, tcp)| {
            self.law.is_clear(info.peer, info.local)
                && self.peers.knows(info.peer, info.local)
                && matches!(
                    tcp.state,
                    TcpState::Established
                        | TcpState::CloseWait
                        | TcpState::FinWait1
                        | TcpState::Closing
                        | TcpState::LastAck
                )
                && tcp.notsent_bytes + tcp.unacked_bytes > 0
        })
    }

    fn unacknowledged(&self) -> Option<u64> {
        let sum: u64 =
            self.waiting().map(|(_, tcp)| u64::from(tcp.notsent_bytes) + u64::from(tcp.unacked_bytes)).sum();
        (sum > 0).then_some(sum)
    }

    /// Everything is closed, the peers fall silent, and time passes: nothing may be left.
    fn finish(&mut self) {
        let app = &mut self.app;
        self.instance.with(|service, net| app.close_all(service, net));
        self.settle();
        for _ in 0..5000 {
            let Some(next) = self.next else { break };
            self.now = next;
            self.settle();
        }
        assert_eq!(self.next, None, "an instance without connections has no deadline");
        assert_eq!(self.instance.conns(), 0, "no connection hangs for ever");
        assert_eq!(self.instance.time_waits(), 0);
        assert_eq!(self.app.known(self.instance.service()), 0, "the user was told of every end");
        assert_eq!(self.instance.memory(), 0);
        assert_eq!(self.instance.port().held(), 0, "every buffer was given back");
    }
}

/// Few bytes as a rule, sometimes as many as fit a frame.
fn script_len(n: u8) -> u16 {
    if n < 200 { n.into() } else { 1400 }
}
