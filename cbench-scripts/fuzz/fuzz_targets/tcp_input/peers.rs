//! The other ends of connections: what the instance has sent to them, and segments that could follow.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use ferroflow_stack::port::Csum;
use ferroflow_wire::SeqNumber;
use ferroflow_wire::arp::ArpView;
use ferroflow_wire::checksum::pseudo_header_v4;
use ferroflow_wire::ethernet::{EtherType, EthernetHeader, EthernetView, MacAddr};
use ferroflow_wire::icmpv4::Icmpv4View;
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::tcp::TcpView;

use crate::input::Script;
use crate::service::{PORTS, pattern};

/// The instance's addresses.
pub const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// Most ends that are remembered.
const MAX: usize = 16;

/// The other end of a connection, past or present.
#[derive(Clone)]
pub struct Peer {
    pub address: Ipv4Addr,
    pub port: u16,
    /// The instance's port.
    pub local: u16,
    /// Our initial sequence number: 4096 k - 1, so that the pattern begins with the data.
    pub isn: u32,
    /// What the instance expects next, as far as it told.
    pub next: u32,
    /// The instance's initial sequence number, and what it will send next, as far as seen.
    pub iss: Option<u32>,
    /// Initial sequence numbers before that one: each of several cookies may be the one that makes the connection.
    former: Vec<u32>,
    pub stack_next: u32,
    /// Segments with text that the instance sent last, and where they ended.
    pub flight: VecDeque<(u32, u32)>,
    /// The instance's last timestamp, if it sent any, and the one that it echoed with it.
    pub stamp: Option<(u32, u32)>,
    /// Sequence numbers of the last segments sent to it: of those in its window, the highest tells the window.
    pub seqs: VecDeque<u32>,
    /// The instance's last segment was a reset.
    pub dead: bool,
    /// The instance's last segment was a SYN without ACK.
    asked: bool,
}

pub struct Peers {
    peers: Vec<Peer>,
    mtu: u32,
    tx_csum: bool,
    /// The port of the next new end.
    port: u16,
    /// Whom the instance asks for by ARP.
    pub asked: Vec<Ipv4Addr>,
}

/// Peer `n`'s address; its MAC address follows from it.
pub fn address(n: u8) -> Ipv4Addr {
    match n % 8 {
        // In another network: answered to where it came from, or nowhere.
        7 => Ipv4Addr::new(192, 0, 2, 7),
        n => Ipv4Addr::new(10, 0, 0, 2 + n),
    }
}

pub fn mac(address: Ipv4Addr) -> MacAddr {
    let [.., last] = address.octets();
    MacAddr([2, 0, 0, 0, 1, last])
}

pub fn isn(k: u8) -> u32 {
    // Near the wrap on both sides, and far from it.
    let k = match k % 4 {
        0 => 0,
        1 => 0xf_ffff,
        2 => 0x8_0000,
        _ => u32::from(k) << 8,
    };
    (k << 12).wrapping_sub(1)
}

impl Peers {
    pub fn new(mtu: u32, tx_csum: bool) -> Self {
        let mut peers = Peers { peers: Vec::new(), mtu, tx_csum, port: 4000, asked: Vec::new() };
        (0..4).for_each(|n| peers.add(n, n));
        peers
    }

    fn add(&mut self, n: u8, k: u8) {
        self.port += 1;
        self.peers.push(Peer::new(address(n), self.port, PORTS[usize::from(n) % 2], k));
    }

    /// An end that has never been, in the place of the oldest if there are too many. Returns its number.
    pub fn fresh(&mut self, script: &mut Script<'_>) -> usize {
        let [n, k] = script.array();
        if self.peers.len() == MAX {
            self.peers.remove(0);
        }
        self.add(n, k);
        self.peers.len() - 1
    }

    /// Whether the other end of a connection is still there.
    pub fn knows(&self, peer: SocketAddr, local: SocketAddr) -> bool {
        let is = |p: &Peer| SocketAddr::from((p.address, p.port)) == peer && p.local == local.port();
        self.peers.iter().any(is)
    }

    pub fn len(&self) -> usize {
        self.peers.len()
    }

    pub fn get(&mut self, n: usize) -> &mut Peer {
        let len = self.peers.len();
        &mut self.peers[n % len]
    }

    /// Checks a frame that the instance sent, and learns from it.
    pub fn sent(&mut self, frame: &[u8], csum: Csum) {
        let eth = EthernetView::parse(frame).expect("a whole header");
        assert_eq!(eth.src(), MAC);
        assert!(eth.payload().len() <= self.mtu as usize, "no more than the MTU");
        match eth.ethertype() {
            EtherType::ARP => {
                let arp = ArpView::parse(eth.payload()).expect("ARP as it should be");
                assert_eq!((arp.sender_mac(), arp.sender_ip()), (MAC, ADDRESS));
                self.asked.push(arp.target_ip());
            }
            EtherType::IPV4 => {
                let ip = Ipv4View::parse(eth.payload()).expect("IPv4 as it should be");
                ip.verify_checksum().expect("a right checksum");
                assert_eq!(ip.src(), ADDRESS);
                assert_eq!(usize::from(ip.total_len()), eth.payload().len());
                match ip.protocol() {
                    IpProtocol::TCP => self.sent_segment(&ip, csum),
                    IpProtocol::ICMP => {
                        let icmp = Icmpv4View::parse(ip.payload()).expect("ICMP as it should be");
                        icmp.verify_checksum().expect("a right checksum");
                    }
                    other => panic!("sent protocol {other:?}"),
                }
            }
            other => panic!("sent type {other:?}"),
        }
    }

    fn sent_segment(&mut self, ip: &Ipv4View<'_>, csum: Csum) {
        let seg = TcpView::parse(ip.payload()).expect("TCP as it should be");
        let options = seg.options().expect("options as they should be");
        if let Csum::Partial { .. } = csum {
            assert!(self.tx_csum);
            let sum = pseudo_header_v4(ip.src(), ip.dst(), IpProtocol::TCP.0, ip.payload().len() as u32);
            assert_eq!(seg.checksum(), sum.folded());
        } else {
            seg.verify_checksum(ip.src(), ip.dst()).expect("a right checksum");
        }
        let flags = seg.flags();
        assert!(!(flags.syn() && flags.fin()) && !(flags.rst() && (flags.syn() || flags.fin())));
        assert!(flags.ack() || flags.rst() || flags.syn(), "an open connection's segments acknowledge");
        let is = |p: &Peer| (p.address, p.port, p.local) == (ip.dst(), seg.dst_port(), seg.src_port());
        let Some(peer) = self.peers.iter_mut().find(|p| is(p)) else {
            if flags.syn() && self.peers.len() < MAX {
                let n = self.peers.len() as u8;
                self.peers.push(Peer::new(ip.dst(), seg.dst_port(), seg.src_port(), n));
                self.sent_segment(ip, csum);
            }
            return;
        };
        if flags.rst() {
            assert!(seg.payload().is_empty());
            peer.dead = true;
            return;
        }
        peer.asked = !flags.ack();
        // A reset answers what was wrong in a handshake that goes on; and a cookie can begin anew.
        peer.dead = false;
        let (seq, end) = (seg.seq().0, seg.seq().0.wrapping_add(seg.seq_len()));
        if flags.syn() {
            peer.former.extend(peer.iss.replace(seq));
            peer.stack_next = end;
            peer.flight.clear();
        }
        if !seg.payload().is_empty() {
            let iss = peer.iss.expect("a connection begins with a SYN");
            let first = |iss: u32| if flags.syn() { 0 } else { seq.wrapping_sub(iss.wrapping_add(1)) };
            if peer.flight.len() == 32 {
                peer.flight.pop_front();
            }
            peer.flight.push_back((seq, end));
            let right =
                |iss: &u32| seg.payload().iter().zip(first(*iss)..).all(|(byte, at)| *byte == pattern(at));
            assert!(right(&iss) || peer.former.iter().any(right), "wrong bytes sent at {}", first(iss));
        }
        if SeqNumber(end).gt(SeqNumber(peer.stack_next)) {
            peer.stack_next = end;
        }
        if flags.ack() {
            peer.next = seg.ack().0;
        }
        peer.stamp = options.timestamps.or(peer.stamp);
    }
}

impl Peer {
    /// The instance's SYN waits for an answer.
    pub fn is_asked(&self) -> bool {
        self.asked
    }

    /// An ICMP error's quotation of a segment that the instance sent, or could have.
    pub fn quote(&self, script: &mut Script<'_>) -> Vec<u8> {
        let [at, off, proto] = script.array();
        let protocol = if proto < 240 { IpProtocol::TCP } else { IpProtocol(proto) };
        let (seq, end) = self
            .flight
            .get(usize::from(at) % self.flight.len().max(1))
            .copied()
            .unwrap_or((self.stack_next, self.stack_next));
        let len = 20 + u16::try_from(end.wrapping_sub(seq)).unwrap_or(0);
        let mut out = vec![0; 28];
        let _ = Ipv4Header::new(ADDRESS, self.address, protocol, len).write(&mut out);
        out[20..22].copy_from_slice(&self.local.to_be_bytes());
        out[22..24].copy_from_slice(&self.port.to_be_bytes());
        let seq = seq.wrapping_add_signed(i32::from(off.cast_signed()) / 8);
        out[24..28].copy_from_slice(&seq.to_be_bytes());
        out
    }

    fn new(address: Ipv4Addr, port: u16, local: u16, k: u8) -> Peer {
        let isn = isn(k);
        Peer {
            address,
            port,
            local,
            isn,
            next: isn.wrapping_add(1),
            iss: None,
            former: Vec::new(),
            stack_next: 0,
            flight: VecDeque::new(),
            stamp: None,
            seqs: VecDeque::new(),
            dead: false,
            asked: false,
        }
    }
}

/// A frame with an IPv4 packet from `src` to the instance.
pub fn ipv4_frame(header: &Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let eth = EthernetHeader { dst: MAC, src: mac(header.src), vlan: None, ethertype: EtherType::IPV4 };
    let mut out = vec![0; 34];
    let at = eth.write(&mut out).expect("it fits");
    header.write(&mut out[at..]).expect("it fits");
    out.extend_from_slice(payload);
    out
}
