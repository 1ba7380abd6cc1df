//! A router in front of a node whose other link carries smaller packets: it drops what is too large, and may say so.

use std::net::Ipv4Addr;

use ferroflow_wire::MacAddr;
use ferroflow_wire::ethernet::{self, EtherType, EthernetHeader, EthernetView};
use ferroflow_wire::icmpv4::{IcmpMessage, quote, unreachable};
use ferroflow_wire::ipv4::{self, IpProtocol, Ipv4Header, Ipv4View};

/// What the router's address is in every net.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 255, 254);
const ROUTER_MAC: MacAddr = MacAddr([2, 0xff, 0, 0, 0, 1]);

/// A narrow part of the way to a node, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Narrow {
    /// Largest IP packet, in bytes.
    pub mtu: u16,
    /// Whether the sender of a larger one is told (RFC 1191 4), or not: a black hole.
    pub icmp: bool,
    /// Whether what the sender is told names the MTU; routers from before RFC 1191 do not.
    pub names_mtu: bool,
}

impl Narrow {
    /// A router that does what it should.
    pub fn honest(mtu: u16) -> Narrow {
        Narrow { mtu, icmp: true, names_mtu: true }
    }

    /// A black hole.
    pub fn silent(mtu: u16) -> Narrow {
        Narrow { mtu, icmp: false, names_mtu: false }
    }

    /// Whether the frame passes.
    pub(super) fn passes(&self, frame: &[u8]) -> bool {
        frame.len() <= ethernet::HEADER_LEN + usize::from(self.mtu)
    }

    /// The frame that tells its sender.
    pub(super) fn tells(&self, frame: &[u8]) -> Option<Vec<u8>> {
        if !self.icmp {
            return None;
        }
        let eth = EthernetView::parse(frame).ok().filter(|eth| eth.ethertype() == EtherType::IPV4)?;
        let ip = Ipv4View::parse(eth.payload()).ok()?;
        let original = quote(&eth.payload()[..usize::from(ip.total_len())]);
        let next_hop_mtu = if self.names_mtu { self.mtu } else { 0 };
        let message =
            IcmpMessage::DestUnreachable { code: unreachable::FRAGMENTATION_NEEDED, next_hop_mtu, original };
        let header = Ipv4Header::new(ROUTER, ip.src(), IpProtocol::ICMP, message.len() as u16);
        let back = EthernetHeader { dst: eth.src(), src: ROUTER_MAC, vlan: None, ethertype: EtherType::IPV4 };
        let mut told = vec![0; ethernet::HEADER_LEN + ipv4::HEADER_LEN + message.len()];
        back.write(&mut told).ok()?;
        header.write(&mut told[ethernet::HEADER_LEN..]).ok()?;
        message.write(&mut told[ethernet::HEADER_LEN + ipv4::HEADER_LEN..]).ok()?;
        Some(told)
    }
}
