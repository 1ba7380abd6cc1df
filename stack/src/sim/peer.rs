//! A host that follows a test's script: raw frames, or segments put together by hand.

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;

use ferroflow_wire::arp::{ArpOperation, ArpPacket, ArpView};
use ferroflow_wire::ethernet::{self, EtherType, EthernetHeader, EthernetView};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::tcp::{self, TcpFlags, TcpHeader, TcpOptions, TcpView};
use ferroflow_wire::{MacAddr, SeqNumber};

/// A received segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Who sent it.
    pub src: Ipv4Addr,
    /// The header's fields.
    pub header: TcpHeader,
    /// The data.
    pub payload: Vec<u8>,
}

/// A node of a [`super::SimNet`] that answers ARP by itself and leaves everything else to the test.
#[derive(Debug)]
pub struct Peer {
    mac: MacAddr,
    address: Ipv4Addr,
    /// Who has spoken, and from where.
    known: HashMap<Ipv4Addr, MacAddr>,
    inbox: VecDeque<Vec<u8>>,
    outbox: Vec<Vec<u8>>,
}

impl Peer {
    pub(super) fn new(mac: MacAddr, address: Ipv4Addr) -> Peer {
        Peer { mac, address, known: HashMap::new(), inbox: VecDeque::new(), outbox: Vec::new() }
    }

    pub(super) fn deliver(&mut self, frame: Vec<u8>) {
        if let Ok(eth) = EthernetView::parse(&frame) {
            if eth.ethertype() == EtherType::ARP
                && let Ok(arp) = ArpView::parse(eth.payload())
            {
                self.known.insert(arp.sender_ip(), arp.sender_mac());
                return self.answer(&arp.packet());
            }
            if let Ok(ip) = Ipv4View::parse(eth.payload()) {
                self.known.insert(ip.src(), eth.src());
            }
        }
        self.inbox.push_back(frame);
    }

    fn answer(&mut self, arp: &ArpPacket) {
        if arp.operation == ArpOperation::REQUEST
            && arp.target_ip == self.address
            && arp.sender_ip != self.address
        {
            let mut frame = vec![0; ethernet::HEADER_LEN + arp.len()];
            let header =
                EthernetHeader { dst: arp.sender_mac, src: self.mac, vlan: None, ethertype: EtherType::ARP };
            let written = header
                .write(&mut frame)
                .and_then(|at| ArpPacket::reply_to(arp, self.mac).write(&mut frame[at..]));
            written.expect("the buffer is large enough");
            self.outbox.push(frame);
        }
    }

    pub(super) fn take_sent(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outbox)
    }

    /// Sends any bytes.
    pub fn send(&mut self, frame: Vec<u8>) {
        self.outbox.push(frame);
    }

    /// Sends a segment to `to`, at the MAC address it has spoken from (to everyone, if it has not).
    pub fn send_tcp(&mut self, to: Ipv4Addr, header: &TcpHeader, payload: &[u8]) {
        let frame = self.tcp_frame(to, header, payload);
        self.send(frame);
    }

    /// A segment without options.
    pub fn segment(
        src_port: u16,
        dst_port: u16,
        flags: TcpFlags,
        seq: SeqNumber,
        ack: SeqNumber,
    ) -> TcpHeader {
        TcpHeader {
            src_port,
            dst_port,
            seq,
            ack,
            flags,
            window: 65_535,
            urgent: 0,
            options: TcpOptions::NONE,
        }
    }

    /// The frame of a segment, as [`Peer::send_tcp`] sends it.
    pub fn tcp_frame(&self, to: Ipv4Addr, header: &TcpHeader, payload: &[u8]) -> Vec<u8> {
        let segment_len = header.len() + payload.len();
        let ip = Ipv4Header::new(self.address, to, IpProtocol::TCP, segment_len as u16);
        let dst = self.known.get(&to).copied().unwrap_or(MacAddr::BROADCAST);
        let eth = EthernetHeader { dst, src: self.mac, vlan: None, ethertype: EtherType::IPV4 };
        let mut frame = vec![0; eth.len() + ip.len()];
        let at = eth.write(&mut frame).expect("room");
        ip.write(&mut frame[at..]).expect("room");
        let mut segment = vec![0; segment_len];
        let at = header.write(&mut segment).expect("room");
        segment[at..].copy_from_slice(payload);
        tcp::fill_checksum(&mut segment, self.address, to).expect("a whole segment");
        frame.extend_from_slice(&segment);
        frame
    }

    /// The oldest received frame that is not ARP.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        self.inbox.pop_front()
    }

    /// The oldest received frame, which must be a segment if there is one.
    ///
    /// # Panics
    /// If it is something else.
    pub fn receive_tcp(&mut self) -> Option<Segment> {
        let frame = self.receive()?;
        let parse = || {
            let eth = EthernetView::parse(&frame).ok()?;
            let ip = Ipv4View::parse(eth.payload()).ok().filter(|ip| ip.protocol() == IpProtocol::TCP)?;
            let tcp = TcpView::parse(ip.payload()).ok()?;
            let header = TcpHeader {
                src_port: tcp.src_port(),
                dst_port: tcp.dst_port(),
                seq: tcp.seq(),
                ack: tcp.ack(),
                flags: tcp.flags(),
                window: tcp.window(),
                urgent: tcp.urgent(),
                options: tcp.options().ok()?,
            };
            Some(Segment { src: ip.src(), header, payload: tcp.payload().to_vec() })
        };
        Some(parse().unwrap_or_else(|| panic!("not a segment: {}", super::trace::line(&frame))))
    }

    /// Every segment received since the last look.
    ///
    /// # Panics
    /// If anything else was received.
    pub fn receive_all_tcp(&mut self) -> Vec<Segment> {
        std::iter::from_fn(|| self.receive_tcp()).collect()
    }
}
