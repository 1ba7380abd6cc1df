//! The TCP segment of a packet.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, IpNumber, LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// A TCP segment and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) seq: u32,
    pub(super) syn: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
}

/// Why a packet has no TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    /// This link type is not known here.
    Link(i32),
    /// A part of a TCP segment.
    Fragment,
    /// Something else.
    NotTcp,
}

/// Finds the segment below a packet's link header (<https://www.tcpdump.org/linktypes.html>), VLAN tags and IP header.
pub(super) fn find(link_type: i32, packet: &[u8]) -> Result<Segment<'_>, Outside> {
    let packet = match link_type {
        // LINKTYPE_ETHERNET: two addresses, EtherType.
        1 => by_ether_type(packet, 12, 14)?,
        // LINKTYPE_LINUX_SLL: type, address type, address length, address, protocol.
        113 => by_ether_type(packet, 14, 16)?,
        // LINKTYPE_LINUX_SLL2: the protocol is in front.
        276 => by_ether_type(packet, 0, 20)?,
        // LINKTYPE_NULL, LINKTYPE_LOOP: an address family whose numbers differ between systems; the IP header tells it too.
        0 | 108 => by_ip(packet.get(4..).ok_or(Outside::NotTcp)?)?,
        // LINKTYPE_RAW, also under the numbers that it has on some systems, LINKTYPE_IPV4, LINKTYPE_IPV6.
        12 | 14 | 101 | 228 | 229 => by_ip(packet)?,
        other => return Err(Outside::Link(other)),
    };
    segment(&packet)
}

/// The packet behind a link header of `len` bytes with an EtherType at `at`.
fn by_ether_type(packet: &[u8], at: usize, len: usize) -> Result<LaxSlicedPacket<'_>, Outside> {
    match (packet.get(at..at + 2), packet.get(len..)) {
        (Some(&[high, low]), Some(rest)) => {
            Ok(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes([high, low])), rest))
        }
        _ => Err(Outside::NotTcp),
    }
}

fn by_ip(packet: &[u8]) -> Result<LaxSlicedPacket<'_>, Outside> {
    LaxSlicedPacket::from_ip(packet).map_err(|_| Outside::NotTcp)
}

fn segment<'a>(packet: &LaxSlicedPacket<'a>) -> Result<Segment<'a>, Outside> {
    let (from, to, payload): (IpAddr, IpAddr, _) = match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            (header.source_addr().into(), header.destination_addr().into(), ip.payload())
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            (header.source_addr().into(), header.destination_addr().into(), ip.payload())
        }
        _ => return Err(Outside::NotTcp),
    };
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Ok(Segment {
            from: SocketAddr::new(from, tcp.source_port()),
            to: SocketAddr::new(to, tcp.destination_port()),
            seq: tcp.sequence_number(),
            syn: tcp.syn(),
            rst: tcp.rst(),
            payload: tcp.payload(),
        }),
        _ if payload.fragmented && payload.ip_number == IpNumber::TCP => Err(Outside::Fragment),
        _ => Err(Outside::NotTcp),
    }
}
