//! Stations behind an emulated switch: they resolve addresses by ARP and ping each other.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::{ArpOperation, ArpPacket, ArpView};
use ferroflow_wire::ethernet::{EtherType, EthernetHeader, EthernetView, VlanTag};
use ferroflow_wire::icmpv4::{IcmpMessage, Icmpv4View};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header, Ipv4View};

/// Most addresses a host remembers.
const NEIGHBOURS_MAX: usize = 1024;
/// Smallest frame without its check sequence, in bytes (IEEE 802.3 3.2.8).
const FRAME_MIN: usize = 60;
/// What a ping carries.
const PAYLOAD: [u8; 32] = *b"ferroflow emulated host says hi!";

/// Who a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostConfig {
    /// The switch port it is plugged into.
    pub port: u32,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Its address.
    pub ip: Ipv4Addr,
    /// The VLAN whose tag its frames carry, 1 to 4094; none = untagged.
    pub vlan: Option<u16>,
}

/// A ping that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Who answered.
    pub from: Ipv4Addr,
    /// The ping's number.
    pub seq: u16,
    /// From the first frame sent for it (which may have been an ARP request) to the answer.
    pub round_trip: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Ping {
    to: Ipv4Addr,
    seq: u16,
    at: Instant,
    /// The request itself is out, and not only the ARP request before it.
    asked: bool,
}

/// A station with one address, one ping at a time.
#[derive(Debug)]
pub struct Host {
    config: HostConfig,
    neighbours: HashMap<Ipv4Addr, MacAddr>,
    ping: Option<Ping>,
    seq: u16,
    /// Frames that reached it and were not for it: floods, mostly.
    pub strangers: u64,
}

impl Host {
    /// A host that knows nobody.
    pub fn new(config: HostConfig) -> Host {
        Host { config, neighbours: HashMap::new(), ping: None, seq: 0, strangers: 0 }
    }

    /// Who it is.
    pub fn config(&self) -> &HostConfig {
        &self.config
    }

    /// Plugs it into another port.
    pub fn move_to(&mut self, port: u32) {
        self.config.port = port;
    }

    /// Forgets whom it knows, so that the next ping begins with ARP.
    pub fn forget(&mut self) {
        self.neighbours.clear();
    }

    /// Starts a ping (the one before it is given up) and returns the first frame for it: an ARP request where the
    /// address is not known.
    pub fn ping(&mut self, to: Ipv4Addr, now: Instant) -> Vec<u8> {
        self.seq = self.seq.wrapping_add(1);
        let known = self.neighbours.get(&to).copied();
        self.ping = Some(Ping { to, seq: self.seq, at: now, asked: known.is_some() });
        match known {
            Some(mac) => self.echo_request(mac, to, self.seq),
            None => self.arp(MacAddr::BROADCAST, &ArpPacket::request(self.config.mac, self.config.ip, to)),
        }
    }

    /// Takes a frame off the wire. Returns the frame it answers with, and the ping that this frame completes.
    pub fn receive(&mut self, frame: &[u8], now: Instant) -> (Option<Vec<u8>>, Option<Answered>) {
        let Ok(eth) = EthernetView::parse(frame) else { return (None, None) };
        let mine = eth.dst() == self.config.mac || eth.dst().is_broadcast();
        if !mine || eth.vlan().map(|t| t.vid) != self.config.vlan {
            self.strangers += 1;
            return (None, None);
        }
        match eth.ethertype() {
            EtherType::ARP => (self.receive_arp(eth.payload()), None),
            EtherType::IPV4 => self.receive_ipv4(eth.src(), eth.payload(), now),
            _ => (None, None),
        }
    }

    fn receive_arp(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let packet = ArpView::parse(payload).ok()?.packet();
        if packet.target_ip != self.config.ip {
            return None;
        }
        self.learn(packet.sender_ip, packet.sender_mac);
        match packet.operation {
            ArpOperation::REQUEST => {
                Some(self.arp(packet.sender_mac, &ArpPacket::reply_to(&packet, self.config.mac)))
            }
            ArpOperation::REPLY => {
                let ping = self.ping.as_mut().filter(|p| p.to == packet.sender_ip && !p.asked)?;
                ping.asked = true;
                let seq = ping.seq;
                Some(self.echo_request(packet.sender_mac, packet.sender_ip, seq))
            }
            _ => None,
        }
    }

    fn receive_ipv4(
        &mut self,
        from: MacAddr,
        payload: &[u8],
        now: Instant,
    ) -> (Option<Vec<u8>>, Option<Answered>) {
        let Ok(ip) = Ipv4View::parse(payload) else { return (None, None) };
        let intact = ip.verify_checksum().is_ok() && !ip.is_fragment();
        if !intact || ip.dst() != self.config.ip || ip.protocol() != IpProtocol::ICMP {
            return (None, None);
        }
        let Ok(icmp) = Icmpv4View::parse(ip.payload()) else { return (None, None) };
        if icmp.verify_checksum().is_err() {
            return (None, None);
        }
        match icmp.message() {
            IcmpMessage::EchoRequest { ident, seq, data } => {
                let reply = IcmpMessage::EchoReply { ident, seq, data };
                (Some(self.icmp(from, ip.src(), &reply)), None)
            }
            IcmpMessage::EchoReply { seq, data, .. } if data == PAYLOAD => {
                let done = self.ping.take_if(|p| p.to == ip.src() && p.seq == seq && p.asked);
                let answered = done.map(|p| Answered { from: p.to, seq, round_trip: now.since(p.at) });
                (None, answered)
            }
            _ => (None, None),
        }
    }

    fn learn(&mut self, ip: Ipv4Addr, mac: MacAddr) {
        if self.neighbours.len() < NEIGHBOURS_MAX || self.neighbours.contains_key(&ip) {
            self.neighbours.insert(ip, mac);
        }
    }

    fn echo_request(&self, mac: MacAddr, to: Ipv4Addr, seq: u16) -> Vec<u8> {
        let ident = u16::from_be_bytes([self.config.mac.0[4], self.config.mac.0[5]]);
        self.icmp(mac, to, &IcmpMessage::EchoRequest { ident, seq, data: &PAYLOAD })
    }

    fn icmp(&self, mac: MacAddr, to: Ipv4Addr, message: &IcmpMessage<'_>) -> Vec<u8> {
        let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
        let ip = Ipv4Header::new(self.config.ip, to, IpProtocol::ICMP, len);
        self.frame(mac, EtherType::IPV4, ip.len() + message.len(), |buf| {
            // The room is what both said they need; a failure leaves zeros, which nobody answers.
            let at = ip.write(buf).unwrap_or(0);
            let _ = message.write(&mut buf[at..]);
        })
    }

    fn arp(&self, to: MacAddr, packet: &ArpPacket) -> Vec<u8> {
        self.frame(to, EtherType::ARP, packet.len(), |buf| {
            let _ = packet.write(buf);
        })
    }

    fn frame(&self, dst: MacAddr, ethertype: EtherType, len: usize, fill: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let vlan = self.config.vlan.map(|vid| VlanTag { vid, pcp: 0, dei: false });
        let header = EthernetHeader { dst, src: self.config.mac, vlan, ethertype };
        let mut frame = vec![0; (header.len() + len).max(FRAME_MIN)];
        let at = header.write(&mut frame).unwrap_or(0);
        fill(&mut frame[at..at + len]);
        frame
    }
}

#[cfg(test)]
mod tests;
