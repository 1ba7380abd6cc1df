//! A stack instance under a script of frames, time steps and a service's actions. The segments are plausible: they
//! carry the addresses, ports and sequence numbers of real connections, a little off. Whatever happens, the instance
//! does not panic, every turn ends, its state stays within its bounds, streams carry the bytes that were sent, no
//! buffer is lost, and after everything is closed nothing is left.
#![no_main]

#[path = "../input.rs"]
mod input;
mod peers;
mod port;
mod service;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ferroflow_stack::port::Csum;
use ferroflow_stack::tcp::config::Keepalive;
use ferroflow_stack::{Config, Instance, Instant};
use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::{ArpOperation, ArpPacket};
use ferroflow_wire::ethernet::{EtherType, EthernetHeader};
use ferroflow_wire::icmpv4::IcmpMessage;
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::tcp::TcpView;
use ferroflow_wire::udp::{self, UdpHeader};
use input::Script;
use libfuzzer_sys::fuzz_target;
use peers::{ADDRESS, MAC, Peers, address, ipv4_frame, mac};
use port::TestPort;
use service::{Policy, Recorder};

const MAX_CONNS: usize = 8;
const MAX_TIME_WAIT: usize = 4;
const BUFFER: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let mut bench = Bench::new(script.u8());
    for _ in 0..300 {
        if script.is_over() {
            break;
        }
        let op = script.u8();
        bench.step(op, &mut script);
        // Without a turn in between, frames arrive as one burst.
        if op & 0x80 == 0 {
            bench.settle();
        }
    }
    bench.finish();
});

struct Bench {
    instance: Instance<TestPort, Recorder>,
    peers: Peers,
    now: Instant,
    next: Option<Instant>,
    last: Vec<u8>,
}

impl Bench {
    fn new(options: u8) -> Bench {
        let mtu = if options & 1 == 0 { 1500 } else { 576 };
        let tx_csum = options & 2 != 0;
        let mut config = Config::new(MAC, ADDRESS, 24, 7);
        config.burst = 8;
        config.send_budget = 4 * 1024;
        if options & 4 != 0 {
            config.gateway = Some(address(5));
        }
        let tcp = &mut config.tcp;
        tcp.send_buffer = BUFFER;
        tcp.recv_buffer = BUFFER;
        tcp.nagle = options & 8 != 0;
        tcp.timestamps = options & 16 == 0;
        tcp.window_scaling = options & 32 == 0;
        tcp.keepalive = (options & 64 != 0).then(|| Keepalive {
            idle: Duration::from_secs(5),
            interval: Duration::from_secs(1),
            probes: 3,
        });
        tcp.max_conns = MAX_CONNS;
        tcp.max_time_wait = MAX_TIME_WAIT;
        tcp.max_gaps = 4;
        let now = Instant::from_secs(1);
        let mut instance = Instance::new(config, TestPort::new(mtu, tx_csum), Recorder::default());
        instance.start(now);
        let mut bench =
            Bench { instance, peers: Peers::new(mtu, tx_csum), now, next: None, last: Vec::new() };
        bench.settle();
        bench
    }

    fn step(&mut self, op: u8, script: &mut Script<'_>) {
        match op & 0x1f {
            0..=13 => {
                let frame = self.peers.segment(script, self.now.as_millis() as u32);
                self.deliver(frame);
            }
            14..=17 => self.wait(script.u8()),
            18..=20 => {
                let [which, what, high, low] = script.array();
                let amount = u16::from_be_bytes([high & 0x1f, low]);
                self.instance.with(|service, net| service.act(net, which, what, amount));
            }
            21 | 22 => {
                let [take, then, eof, refuse] = script.array();
                self.instance.service_mut().policy = Policy { take, then, eof, refuse: refuse == 1 };
            }
            23 => self.connect(script),
            24 => self.arp(script),
            25 => self.icmp(script),
            26 => self.udp_or_other(script),
            27 => self.again(script),
            28 => {
                let credit = script.u8();
                self.instance.port_mut().credit =
                    if credit < 128 { usize::MAX } else { usize::from(credit - 128) };
            }
            29 => {
                let len = usize::from(script.u16() % 1600);
                let frame = script.bytes(len).to_vec();
                self.forged(frame);
            }
            _ => {
                // A frame that is ours, and says what it likes.
                let len = usize::from(script.u8());
                let mut frame = MAC.octets().to_vec();
                frame.extend_from_slice(&mac(address(0)).octets());
                frame.extend_from_slice(script.bytes(len));
                self.forged(frame);
            }
        }
    }

    fn deliver(&mut self, frame: Vec<u8>) {
        self.last.clone_from(&frame);
        self.instance.port_mut().deliver(frame, Csum::Unknown);
    }

    /// A frame that is not from a peer's stream: should it be a valid segment all the same, what is read is not known.
    fn forged(&mut self, frame: Vec<u8>) {
        let valid = frame.get(14..).and_then(|b| Ipv4View::parse(b).ok()).is_some_and(|ip| {
            TcpView::parse(ip.payload()).is_ok_and(|seg| seg.verify_checksum(ip.src(), ip.dst()).is_ok())
        });
        self.instance.service_mut().tainted |= valid && frame != self.last;
        self.instance.port_mut().deliver(frame, Csum::Unknown);
    }

    fn wait(&mut self, how_long: u8) {
        match how_long {
            // To the next deadline, as a core that sleeps would.
            0..128 => self.now = self.next.map_or(self.now, |next| next.max(self.now)),
            _ => {
                const STEPS: [u64; 8] = [1, 10, 50, 250, 1_000, 10_000, 61_000, 200_000];
                self.now = self.now + Duration::from_millis(STEPS[usize::from(how_long) % 8]);
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
        self.instance.with(|service, net| service.connect(net, to, early));
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
        let eth = EthernetHeader { dst, src: mac(sender), vlan: None, ethertype: EtherType::ARP };
        let mut frame = vec![0; 60];
        let at = eth.write(&mut frame).expect("it fits");
        packet.write(&mut frame[at..]).expect("it fits");
        self.deliver(frame);
    }

    fn icmp(&mut self, script: &mut Script<'_>) {
        let [who, kind, code] = script.array();
        let original = self.peers.quote(script);
        let data = script.bytes(usize::from(script_len(code)));
        let message = match kind % 5 {
            0 => IcmpMessage::EchoRequest { ident: 1, seq: 2, data },
            1 | 2 => {
                IcmpMessage::DestUnreachable { code: code % 16, next_hop_mtu: 1000, original: &original }
            }
            3 => IcmpMessage::TimeExceeded { code, original: &original },
            _ => IcmpMessage::Other { message_type: kind, code, rest: [0; 4], data },
        };
        let mut payload = vec![0; message.len()];
        message.write(&mut payload).expect("it fits");
        self.ip(who, IpProtocol::ICMP, &payload, script);
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
        self.ip(who, protocol, &payload, script);
    }

    fn ip(&mut self, who: u8, protocol: IpProtocol, payload: &[u8], script: &mut Script<'_>) {
        let [odd, fragment, dst] = script.array();
        let mut header = Ipv4Header::new(address(who), ADDRESS, protocol, payload.len() as u16);
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
        for _ in 0..3 * BUFFER {
            let turn = self.instance.turn(self.now).expect("the port goes on");
            self.check();
            // A deadline may be early: a turn then brings the true one.
            if !turn.more && turn.next.is_none_or(|next| next > self.now) {
                self.next = turn.next;
                return;
            }
        }
        panic!("turns want to follow each other for ever");
    }

    fn check(&mut self) {
        for (frame, csum) in std::mem::take(&mut self.instance.port_mut().sent) {
            self.peers.sent(&frame, csum);
        }
        assert!(self.instance.conns() <= MAX_CONNS);
        assert!(self.instance.time_waits() <= MAX_TIME_WAIT);
        assert!(self.instance.memory() <= MAX_CONNS * 4 * BUFFER, "{} bytes", self.instance.memory());
    }

    /// Everything is closed, the peers fall silent, and time passes: nothing may be left.
    fn finish(&mut self) {
        self.instance.port_mut().credit = usize::MAX;
        self.settle();
        self.instance.with(|service, net| service.close_all(net));
        self.settle();
        for _ in 0..3000 {
            let Some(next) = self.next else { break };
            self.now = next;
            self.settle();
        }
        assert_eq!(self.next, None, "an instance without connections has no deadline");
        assert_eq!(self.instance.conns(), 0, "no connection hangs for ever");
        assert_eq!(self.instance.time_waits(), 0);
        assert_eq!(self.instance.service().known(), 0, "the service was told of every end");
        assert_eq!(self.instance.memory(), 0);
        assert_eq!(self.instance.port().held(), 0, "every buffer was given back");
    }
}

/// Few bytes as a rule, sometimes as many as fit a frame.
fn script_len(n: u8) -> u16 {
    if n < 200 { n.into() } else { 1400 }
}
