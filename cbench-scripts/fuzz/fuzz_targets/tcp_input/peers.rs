//! The other ends of connections: what the instance has sent to them, and segments that could follow.

use std::net::Ipv4Addr;

use ferroflow_stack::port::Csum;
use ferroflow_wire::SeqNumber;
use ferroflow_wire::arp::ArpView;
use ferroflow_wire::checksum::pseudo_header_v4;
use ferroflow_wire::ethernet::{EtherType, EthernetHeader, EthernetView, MacAddr};
use ferroflow_wire::icmpv4::Icmpv4View;
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::tcp::{self, SackBlocks, TcpFlags, TcpHeader, TcpOptions, TcpView};

use crate::input::Script;
use crate::service::{PORTS, pattern};

/// The instance's addresses.
pub const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// Most ends that are remembered.
const MAX: usize = 16;

/// The other end of a connection, past or present.
#[derive(Clone)]
struct Peer {
    address: Ipv4Addr,
    port: u16,
    /// The instance's port.
    local: u16,
    /// Our initial sequence number: 4096 k - 1, so that the pattern begins with the data.
    isn: u32,
    /// What the instance expects next, as far as it told.
    next: u32,
    /// The instance's initial sequence number, and what it will send next, as far as seen.
    iss: Option<u32>,
    stack_next: u32,
    /// The instance's last timestamp, if it sent any.
    stamp: Option<u32>,
}

pub struct Peers {
    peers: Vec<Peer>,
    mtu: u32,
    tx_csum: bool,
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

fn isn(k: u8) -> u32 {
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
        let peers =
            (0..4u8).map(|n| Peer::new(address(n), 4000 + u16::from(n), PORTS[usize::from(n) % 2], n));
        Peers { peers: peers.collect(), mtu, tx_csum }
    }

    /// A frame with a TCP segment of one of the peers.
    pub fn segment(&mut self, script: &mut Script<'_>, now_ms: u32) -> Vec<u8> {
        let [who, kind, seq, ack, len, window, opt] = script.array();
        let n = usize::from(who) % self.peers.len();
        let peer = &mut self.peers[n];
        let flags = flags(kind, script);
        if flags.syn() && kind & 0x10 != 0 {
            peer.isn = isn(opt);
        }
        let near = |base: u32, offset: u8| match offset.cast_signed() {
            small @ -100..=100 => base.wrapping_add_signed(small.into()),
            large => base.wrapping_add_signed(i32::from(large) * 64),
        };
        // Data at a place that follows from our first sequence number is the stream's; a SYN always names that.
        let seq = if flags.syn() { peer.isn } else { near(peer.next, seq) };
        let text_len = if len < 128 { usize::from(len) } else { usize::from(len - 127) * 11 };
        let first = seq.wrapping_add(u32::from(flags.syn()));
        let text: Vec<u8> = (0..text_len as u32).map(|i| pattern(first.wrapping_add(i))).collect();
        let header = TcpHeader {
            src_port: peer.port,
            dst_port: peer.local,
            seq: SeqNumber(seq),
            ack: SeqNumber(if flags.ack() { near(peer.stack_next, ack) } else { 0 }),
            flags,
            window: [0xffff, 0, 1, 100, 1460, 8192][usize::from(window) % 6],
            urgent: u16::from(opt),
            options: peer.options(opt, flags, now_ms, script),
        };
        tcp_frame(peer.address, &header, &text)
    }

    /// An ICMP error's quotation of a segment that the instance sent to a peer, or could have.
    pub fn quote(&self, script: &mut Script<'_>) -> Vec<u8> {
        let [who, seq, proto] = script.array();
        let peer = &self.peers[usize::from(who) % self.peers.len()];
        let protocol = if proto < 240 { IpProtocol::TCP } else { IpProtocol(proto) };
        let mut out = vec![0; 28];
        let _ = Ipv4Header::new(ADDRESS, peer.address, protocol, 20).write(&mut out);
        out[20..22].copy_from_slice(&peer.local.to_be_bytes());
        out[22..24].copy_from_slice(&peer.port.to_be_bytes());
        let seq = peer.stack_next.wrapping_add_signed(seq.cast_signed().into());
        out[24..28].copy_from_slice(&seq.to_be_bytes());
        out
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
            return;
        }
        let (seq, end) = (seg.seq().0, seg.seq().0.wrapping_add(seg.seq_len()));
        if flags.syn() {
            peer.iss = Some(seq);
            peer.stack_next = end;
        }
        if !seg.payload().is_empty() {
            let first = peer.iss.expect("a connection begins with a SYN").wrapping_add(1);
            let first = if flags.syn() { 0 } else { seq.wrapping_sub(first) };
            for (byte, at) in seg.payload().iter().zip(first..) {
                assert_eq!(*byte, pattern(at), "wrong byte sent at {at}");
            }
        }
        if SeqNumber(end).gt(SeqNumber(peer.stack_next)) {
            peer.stack_next = end;
        }
        if flags.ack() {
            peer.next = seg.ack().0;
        }
        if let Some((stamp, _)) = options.timestamps {
            peer.stamp = Some(stamp);
        }
    }
}

fn flags(kind: u8, script: &mut Script<'_>) -> TcpFlags {
    match kind & 0xf {
        0..=3 => TcpFlags::ACK,
        4 => TcpFlags::ACK | TcpFlags::PSH,
        5 | 6 => TcpFlags::SYN,
        7 => TcpFlags::SYN | TcpFlags::ACK,
        8 | 9 => TcpFlags::FIN | TcpFlags::ACK,
        10 => TcpFlags::RST,
        11 => TcpFlags::RST | TcpFlags::ACK,
        12 => TcpFlags::URG | TcpFlags::ACK,
        13 => TcpFlags::FIN,
        14 => TcpFlags::NONE,
        _ => TcpFlags(script.u8()),
    }
}

impl Peer {
    fn new(address: Ipv4Addr, port: u16, local: u16, k: u8) -> Peer {
        let isn = isn(k);
        Peer { address, port, local, isn, next: isn.wrapping_add(1), iss: None, stack_next: 0, stamp: None }
    }

    fn options(&self, opt: u8, flags: TcpFlags, now_ms: u32, script: &mut Script<'_>) -> TcpOptions {
        let stamp = |offset: i32| Some((now_ms.wrapping_add_signed(offset), self.stamp.unwrap_or(0)));
        let mut options = TcpOptions::NONE;
        if flags.syn() {
            options.mss =
                [None, Some(1460), Some(536), Some(0), Some(1), Some(0xffff)][usize::from(opt >> 5) % 6];
            options.window_scale = [None, Some(0), Some(7), Some(255)][usize::from(opt & 3)];
            options.sack_permitted = opt & 4 != 0;
            options.timestamps = if opt & 8 != 0 { stamp(0) } else { None };
            return options;
        }
        options.timestamps = match opt & 7 {
            0..=3 => self.stamp.and(stamp(0)),
            4 => stamp(-1000),
            5 => stamp(i32::MIN),
            6 => Some((script.u32(), script.u32())),
            _ => None,
        };
        if opt & 0x80 != 0 {
            let mut sack = SackBlocks::NONE;
            for _ in 0..=(opt >> 5 & 3) {
                let [start, len] = script.array::<2>();
                let start = SeqNumber(self.stack_next.wrapping_sub(4000).wrapping_add(u32::from(start) * 16));
                sack.push(start, start + u32::from(len) * 16);
            }
            options.sack = sack;
        }
        options
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

fn tcp_frame(src: Ipv4Addr, header: &TcpHeader, text: &[u8]) -> Vec<u8> {
    let mut segment = vec![0; header.len()];
    header.write(&mut segment).expect("it fits");
    segment.extend_from_slice(text);
    tcp::fill_checksum(&mut segment, src, ADDRESS).expect("it fits");
    ipv4_frame(&Ipv4Header::new(src, ADDRESS, IpProtocol::TCP, segment.len() as u16), &segment)
}
