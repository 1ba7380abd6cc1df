//! The instance under test and its scripted peer, in virtual time.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ferroflow_stack::instance::Inner;
use ferroflow_stack::{Config, ConnId, ConnectOptions, Counters, Instance, Instant, Net, Turn};
use ferroflow_wire::arp::{ArpOperation, ArpPacket, ArpView};
use ferroflow_wire::ethernet::{EtherType, EthernetHeader, EthernetView};
use ferroflow_wire::icmpv4::Icmpv4View;
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::tcp::{self, TcpFlags, TcpHeader, TcpView};
use ferroflow_wire::{MacAddr, SeqNumber};

use crate::app::{App, Event, On, Take};
use crate::port::TestPort;
use crate::segment::*;

pub const STACK_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
pub const PEER_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
pub const STACK_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const PEER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// The port that the service listens on.
pub const LISTEN: u16 = 6653;

/// One connection as the peer sees it.
#[derive(Debug, Clone)]
pub struct Flow {
    pub ip: Ipv4Addr,
    pub port: u16,
    pub stack_port: u16,
    /// The peer's initial sequence number: close to the wrap, so that every test crosses it.
    pub isn: u32,
    /// The stack's, once its SYN was seen.
    pub iss: Option<u32>,
    /// Add timestamps to every segment: the clock's offset.
    pub ts: Option<u32>,
    /// The stack's last TSval.
    pub ts_echo: u32,
}

impl Flow {
    pub fn new(port: u16) -> Flow {
        Flow { ip: PEER_IP, port, stack_port: LISTEN, isn: 0xffff_fe00, iss: None, ts: None, ts_echo: 0 }
    }
}

/// `n` bytes that differ from their neighbours.
pub fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i % 251) as u8).collect()
}

pub struct Peer {
    pub stack: Instance<TestPort, App>,
    pub now: Instant,
    pub flow: Flow,
    /// The connection that was accepted or opened last.
    pub id: ConnId,
    /// Answer the stack's ARP requests.
    pub answer_arp: bool,
    pub out: VecDeque<(Instant, Vec<u8>)>,
    pub turn: Turn,
    /// What was sent before the test began.
    pub greeting: VecDeque<(Instant, Vec<u8>)>,
}

impl Peer {
    pub fn new() -> Peer {
        Peer::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Peer {
        Peer::with_app(change, |_| {})
    }

    pub fn with_app(change: impl FnOnce(&mut Config), app: impl FnOnce(&mut App)) -> Peer {
        Peer::on_port(TestPort::new(1500), change, app)
    }

    pub fn with_mtu(mtu: u32) -> Peer {
        Peer::on_port(TestPort::new(mtu), |_| {}, |_| {})
    }

    fn on_port(port: TestPort, change: impl FnOnce(&mut Config), app: impl FnOnce(&mut App)) -> Peer {
        let mut config = Config::new(STACK_MAC, STACK_IP, 24, 42);
        change(&mut config);
        let mut service = App::new();
        app(&mut service);
        let mut peer = Peer {
            stack: Instance::new(config, port, service),
            now: Instant::from_secs(1000),
            flow: Flow::new(40_000),
            id: ConnId::new(u32::MAX, 0),
            answer_arp: true,
            out: VecDeque::new(),
            turn: Turn { frames: 0, more: false, next: None },
            greeting: VecDeque::new(),
        };
        peer.stack.start(peer.now);
        peer.run();
        peer.greeting = std::mem::take(&mut peer.out);
        peer
    }

    /// A connection that the peer opened, without options beyond the MSS: a window of 65,535 each way.
    pub fn established() -> Peer {
        let mut peer = Peer::new();
        peer.open(syn());
        peer
    }

    pub fn established_with(change: impl FnOnce(&mut Config)) -> Peer {
        let mut peer = Peer::with(change);
        peer.open(syn());
        peer
    }

    /// Opens the flow with `syn`; timestamps go on if it has them.
    pub fn open(&mut self, syn: Seg) -> Got {
        let (win, timestamps) = (syn.win, syn.options.timestamps);
        self.send(syn);
        let got = self.expect(SYN_ACK, 0, 1, 0);
        if let (Some((value, _)), true) = (timestamps, got.options.timestamps.is_some()) {
            self.flow.ts = Some(value.wrapping_sub(self.now.as_millis() as u32));
        }
        self.send(ack(1, 1).win(win));
        self.quiet();
        self.adopt();
        got
    }

    /// The service opens a connection to the peer's port; the peer sees the SYN.
    pub fn connect(&mut self) -> Got {
        self.connect_from(ConnectOptions::default())
    }

    pub fn connect_from(&mut self, options: ConnectOptions) -> Got {
        let to = self.address();
        self.id = self.net(|net| net.connect(to, options)).expect("to connect");
        self.run();
        let got = self.expect_syn();
        assert_eq!(got.ack, 0u32.wrapping_sub(self.flow.isn), "the ACK field of a SYN is 0");
        got
    }

    /// The next SYN, from whatever port.
    pub fn expect_syn(&mut self) -> Got {
        let at = self.out.iter().position(|(_, f)| parse_tcp(f).is_some_and(|v| v.2.flags() == SYN));
        let at = at.unwrap_or_else(|| panic!("no SYN; there is {:?}", self.out));
        let (_, frame) = &self.out[at];
        let view = parse_tcp(frame).expect("TCP").2;
        self.flow.stack_port = view.src_port();
        self.flow.iss = Some(view.seq().0);
        self.expect(SYN, 0, 0u32.wrapping_sub(self.flow.isn), 0)
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.flow.ip), self.flow.port)
    }

    /// Takes the newest connection's id.
    pub fn adopt(&mut self) {
        let id = self.app().events.iter().rev().find_map(|e| match e {
            Event::Accepted(id) | Event::Connected(id, Ok(())) => Some(*id),
            _ => None,
        });
        self.id = id.expect("a connection");
    }

    /// Puts another flow in place; returns the one before.
    pub fn switch(&mut self, flow: Flow) -> Flow {
        std::mem::replace(&mut self.flow, flow)
    }

    pub fn app(&self) -> &App {
        self.stack.service()
    }

    pub fn app_mut(&mut self) -> &mut App {
        self.stack.service_mut()
    }

    pub fn on(&mut self, on: On, act: crate::app::Act) {
        self.app_mut().acts.push((on, act));
    }

    pub fn take(&mut self, take: Take) {
        self.app_mut().take = take;
    }

    pub fn port(&mut self) -> &mut TestPort {
        self.stack.port_mut()
    }

    pub fn counters(&self) -> &Counters {
        self.stack.counters()
    }

    /// What happened since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        let app = self.app_mut();
        std::mem::take(&mut app.events)
    }

    /// What the service has read of the connection; other events are forgotten.
    pub fn read(&mut self) -> Vec<u8> {
        let text = self.app().read(self.id);
        self.events();
        text
    }

    pub fn net<R>(&mut self, f: impl FnOnce(&mut Inner) -> R) -> R {
        self.stack.with(|_, net| f(net))
    }

    /// The service writes.
    pub fn write(&mut self, text: &[u8]) {
        let id = self.id;
        let n = self.net(|net| net.send(id, text)).expect("to write");
        assert_eq!(n, text.len());
        self.run();
    }

    pub fn close(&mut self) {
        let id = self.id;
        self.net(|net| net.close(id));
        self.run();
    }

    pub fn shutdown(&mut self) {
        let id = self.id;
        self.net(|net| net.shutdown(id));
        self.run();
    }

    pub fn abort(&mut self) {
        let id = self.id;
        self.net(|net| net.abort(id));
        self.run();
    }

    /// The service reads on.
    pub fn resume(&mut self) {
        let id = self.id;
        self.net(|net| net.resume(id));
        self.run();
    }

    /// Turns until there is nothing to do at this time.
    pub fn run(&mut self) {
        for _ in 0..10_000 {
            self.turn = self.stack.turn(self.now).expect("the port goes on");
            self.stack.check().unwrap_or_else(|broken| panic!("{broken}"));
            let answered = self.collect();
            if !self.turn.more && !answered && self.stack.port().incoming.is_empty() {
                return;
            }
        }
        panic!("the stack is never done");
    }

    fn collect(&mut self) -> bool {
        let mut answered = false;
        while let Some(frame) = self.stack.port_mut().outgoing.pop_front() {
            if let Some(request) = arp_of(&frame).filter(|_| self.answer_arp)
                && request.operation == ArpOperation::REQUEST
                && request.target_ip != STACK_IP
            {
                let mut reply = ArpPacket::reply_to(&request, PEER_MAC);
                reply.sender_ip = request.target_ip;
                self.stack.port_mut().incoming.push_back(arp_frame(&reply, STACK_MAC));
                answered = true;
                continue;
            }
            self.out.push_back((self.now, frame));
        }
        answered
    }

    /// Lets time pass, from deadline to deadline.
    pub fn advance(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        let mut turns = 0;
        while let Some(next) = self.turn.next.filter(|&next| next <= until) {
            self.now = self.now.max(next);
            self.run();
            turns += 1;
            assert!(turns < 100_000, "time does not pass: next turn at {next:?}, it is {:?}", self.now);
        }
        self.now = until;
        self.run();
    }

    /// Jumps from deadline to deadline until something is sent; returns after how many milliseconds. Panics after `limit` ms.
    pub fn until_sent(&mut self, limit: u64) -> u64 {
        assert!(self.out.is_empty(), "unread: {}", self.list());
        let from = self.now;
        let until = from + Duration::from_millis(limit);
        while self.out.is_empty() {
            let next = self.turn.next.filter(|&next| next <= until);
            self.now = next.unwrap_or_else(|| panic!("nothing sent in {limit} ms")).max(self.now);
            self.run();
        }
        self.now.since(from).as_millis() as u64
    }

    /// The same, whatever is unread.
    pub fn until_sent_after_reading(&mut self, limit: u64) -> u64 {
        self.out.clear();
        self.until_sent(limit)
    }

    /// The peer sends one segment.
    pub fn send(&mut self, seg: Seg) {
        self.inject(seg);
        self.run();
    }

    /// The peer sends several, which arrive in one burst.
    pub fn send_all(&mut self, segs: impl IntoIterator<Item = Seg>) {
        for seg in segs {
            self.inject(seg);
        }
        self.run();
    }

    pub fn inject(&mut self, seg: Seg) {
        let frame = self.frame(&seg);
        self.port().incoming.push_back(frame);
    }

    pub fn inject_frame(&mut self, frame: Vec<u8>) {
        self.port().incoming.push_back(frame);
        self.run();
    }

    /// A segment as a frame.
    pub fn frame(&self, seg: &Seg) -> Vec<u8> {
        let flow = &self.flow;
        let mut options = seg.options;
        if let Some(offset) = flow.ts.filter(|_| options.timestamps.is_none() && !seg.bare) {
            let value = (self.now.as_millis() as u32).wrapping_add(offset);
            options.timestamps = Some((value, flow.ts_echo));
        }
        for (start, end) in &seg.sacks {
            let at = |seq: u32| SeqNumber(flow.iss.unwrap_or(0).wrapping_add(seq));
            assert!(options.sack.push(at(*start), at(*end)), "four blocks at most");
        }
        let has_ack = seg.flags.ack();
        let header = TcpHeader {
            src_port: flow.port,
            dst_port: flow.stack_port,
            seq: SeqNumber(flow.isn.wrapping_add(seg.seq)),
            ack: if has_ack { SeqNumber(flow.iss.unwrap_or(0).wrapping_add(seg.ack)) } else { SeqNumber(0) },
            flags: seg.flags,
            window: seg.win,
            urgent: seg.urgent,
            options,
        };
        let mut segment = vec![0; header.len() + seg.text.len()];
        header.write(&mut segment).expect("a TCP header");
        segment[header.len()..].copy_from_slice(&seg.text);
        tcp::fill_checksum(&mut segment, flow.ip, STACK_IP).expect("a checksum");
        ip_frame(flow.ip, STACK_IP, IpProtocol::TCP, &segment)
    }

    /// The next segment of this flow.
    pub fn recv(&mut self) -> Got {
        let key = (self.flow.stack_port, self.flow.port, self.flow.ip);
        let at = self.out.iter().position(|(_, f)| {
            parse_tcp(f).is_some_and(|(_, ip, v)| (v.src_port(), v.dst_port(), ip.dst()) == key)
        });
        let at = at.unwrap_or_else(|| panic!("no segment for {key:?}; events {:?}", self.app().events));
        let (when, frame) = self.out.remove(at).expect("it is there");
        let (eth, ip, view) = parse_tcp(&frame).expect("TCP");
        assert_eq!((eth.src(), ip.src()), (STACK_MAC, STACK_IP));
        ip.verify_checksum().expect("IP checksum");
        view.verify_checksum(ip.src(), ip.dst()).expect("TCP checksum");
        let options = view.options().expect("options");
        if let Some((value, _)) = options.timestamps {
            self.flow.ts_echo = value;
        }
        if view.flags().syn() {
            self.flow.iss = Some(view.seq().0);
        }
        Got {
            flags: view.flags(),
            seq: view.seq().0.wrapping_sub(self.flow.iss.unwrap_or(0)),
            ack: view.ack().0.wrapping_sub(self.flow.isn),
            win: view.window(),
            options,
            text: view.payload().to_vec(),
            urgent: view.urgent(),
            dscp: ip.dscp(),
            ttl: ip.ttl(),
            at: when,
            raw_seq: view.seq().0,
        }
    }

    /// The next segment of this flow is this one.
    #[track_caller]
    pub fn expect(&mut self, flags: TcpFlags, seq: u32, ack: u32, len: usize) -> Got {
        let got = self.recv();
        assert_eq!(
            (got.flags, got.seq, got.ack, got.text.len()),
            (flags, seq, ack, len),
            "flags, seq, ack, len"
        );
        got
    }

    /// The peer gets these many data segments of `mss` bytes from `seq` on, all at once, and nothing else.
    #[track_caller]
    pub fn expect_burst(&mut self, seq: u32, mss: usize, segments: usize) {
        for n in 0..segments {
            let got = self.recv();
            assert_eq!((got.seq, got.text.len()), (seq + (n * mss) as u32, mss), "segment {n}");
        }
        self.quiet();
    }

    /// All segments that wait.
    pub fn drain(&mut self) -> Vec<Got> {
        let mut all = Vec::new();
        while !self.out.is_empty() {
            all.push(self.recv());
        }
        all
    }

    /// The stack has sent nothing more.
    #[track_caller]
    pub fn quiet(&mut self) {
        assert!(self.out.is_empty(), "unexpected: {}", self.list());
    }

    fn list(&self) -> String {
        let one = |(at, f): &(Instant, Vec<u8>)| match parse_tcp(f) {
            Some((_, _, v)) => {
                let iss = self.flow.iss.unwrap_or(0);
                let (seq, ack) = (v.seq().0.wrapping_sub(iss), v.ack().0.wrapping_sub(self.flow.isn));
                let len = v.payload().len();
                format!(
                    "{} ms: {:?} seq {seq} ack {ack} win {} len {len}",
                    at.as_millis(),
                    v.flags(),
                    v.window()
                )
            }
            None => format!("{} ms: {f:02x?}", at.as_millis()),
        };
        self.out.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// The next ARP packet of the stack, with its frame's destination.
    pub fn recv_arp(&mut self) -> (MacAddr, ArpPacket) {
        let at = self.out.iter().position(|(_, f)| arp_of(f).is_some()).expect("an ARP packet");
        let (_, frame) = self.out.remove(at).expect("it is there");
        (EthernetView::parse(&frame).expect("Ethernet").dst(), arp_of(&frame).expect("ARP"))
    }

    /// The next ICMP message of the stack: where it goes, and its bytes.
    pub fn recv_icmp(&mut self) -> (MacAddr, Ipv4Addr, Vec<u8>) {
        let icmp = |f: &[u8]| {
            let eth = EthernetView::parse(f).ok()?;
            let ip = Ipv4View::parse(eth.payload()).ok()?;
            let view = (ip.protocol() == IpProtocol::ICMP).then(|| Icmpv4View::parse(ip.payload()))?.ok()?;
            view.verify_checksum().ok()?;
            Some((eth.dst(), ip.dst(), ip.payload().to_vec()))
        };
        let at = self.out.iter().position(|(_, f)| icmp(f).is_some()).expect("an ICMP message");
        let (_, frame) = self.out.remove(at).expect("it is there");
        icmp(&frame).expect("ICMP")
    }

    /// Ends everything and checks that nothing is left.
    fn finish(&mut self) {
        self.app_mut().acts.clear();
        self.stack.abort_all();
        self.port().allocs = None;
        self.port().takes = None;
        self.run();
        self.advance(1);
        assert_eq!(self.stack.conns(), 0, "connections leak");
        assert_eq!(self.stack.memory(), 0, "memory leaks");
        assert_eq!(self.stack.port().lent(), 0, "frames leak");
        assert_eq!(self.app().open(), 0, "a connection without its `closed`");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.stack.dump());
        } else {
            self.finish();
        }
    }
}

pub fn parse_tcp(frame: &[u8]) -> Option<(EthernetView<'_>, Ipv4View<'_>, TcpView<'_>)> {
    let eth = EthernetView::parse(frame).ok().filter(|e| e.ethertype() == EtherType::IPV4)?;
    let ip = Ipv4View::parse(eth.payload()).ok().filter(|ip| ip.protocol() == IpProtocol::TCP)?;
    Some((eth, ip, TcpView::parse(ip.payload()).ok()?))
}

fn arp_of(frame: &[u8]) -> Option<ArpPacket> {
    let eth = EthernetView::parse(frame).ok().filter(|e| e.ethertype() == EtherType::ARP)?;
    Some(ArpView::parse(eth.payload()).ok()?.packet())
}

pub fn eth_frame(dst: MacAddr, ethertype: EtherType, payload: &[u8]) -> Vec<u8> {
    let header = EthernetHeader { dst, src: PEER_MAC, vlan: None, ethertype };
    let mut frame = vec![0; header.len()];
    header.write(&mut frame).expect("an Ethernet header");
    frame.extend_from_slice(payload);
    frame
}

pub fn arp_frame(packet: &ArpPacket, dst: MacAddr) -> Vec<u8> {
    let mut payload = vec![0; packet.len()];
    packet.write(&mut payload).expect("an ARP packet");
    eth_frame(dst, EtherType::ARP, &payload)
}

pub fn ip_frame(src: Ipv4Addr, dst: Ipv4Addr, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    ip_frame_of(&Ipv4Header::new(src, dst, protocol, payload.len() as u16), payload)
}

pub fn ip_frame_of(header: &Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; header.len()];
    header.write(&mut packet).expect("an IP header");
    packet.extend_from_slice(payload);
    eth_frame(STACK_MAC, EtherType::IPV4, &packet)
}
