//! The link layer that packetdrill knows nothing of: one neighbour, which has every address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::{self, ArpOperation, ArpPacket, ArpView};
use ferroflow_wire::ethernet::{self, EtherType, EthernetHeader, EthernetView};

/// The stack's MAC address.
pub(super) const OURS: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
/// The neighbour's.
const THEIRS: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

/// What the stack sent.
pub(super) enum Sent<'a> {
    /// An IP packet.
    Packet(&'a [u8]),
    /// A question of the link layer, and the frame that answers it.
    Question(Vec<u8>),
    /// Something that needs no answer.
    Chatter,
}

/// The frame that brings an IP packet to the stack.
pub(super) fn frame(packet: &[u8]) -> Vec<u8> {
    let version = packet.first().map_or(4, |byte| byte >> 4);
    let ethertype = if version == 6 { EtherType::IPV6 } else { EtherType::IPV4 };
    let mut frame = vec![0; ethernet::HEADER_LEN + packet.len()];
    let header = EthernetHeader { dst: OURS, src: THEIRS, vlan: None, ethertype };
    let at = header.write(&mut frame).unwrap_or(ethernet::HEADER_LEN);
    frame[at..].copy_from_slice(packet);
    frame
}

/// Where an IP packet goes to.
pub(super) fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => packet.get(16..20)?.first_chunk::<4>().map(|b| IpAddr::V4(Ipv4Addr::from(*b))),
        6 => packet.get(24..40)?.first_chunk::<16>().map(|b| IpAddr::V6(Ipv6Addr::from(*b))),
        _ => None,
    }
}

/// What a frame of the stack is.
pub(super) fn sort(frame: &[u8]) -> Sent<'_> {
    let Ok(eth) = EthernetView::parse(frame) else { return Sent::Chatter };
    match eth.ethertype() {
        EtherType::IPV4 | EtherType::IPV6 => Sent::Packet(eth.payload()),
        EtherType::ARP => arp(&eth).map_or(Sent::Chatter, Sent::Question),
        _ => Sent::Chatter,
    }
}

/// The answer to an ARP request; announcements ask nothing (RFC 5227 3).
fn arp(eth: &EthernetView<'_>) -> Option<Vec<u8>> {
    let request = ArpView::parse(eth.payload()).ok()?.packet();
    if request.operation != ArpOperation::REQUEST || request.target_ip == request.sender_ip {
        return None;
    }
    let reply = ArpPacket {
        operation: ArpOperation::REPLY,
        sender_mac: THEIRS,
        sender_ip: request.target_ip,
        target_mac: request.sender_mac,
        target_ip: request.sender_ip,
    };
    let mut frame = vec![0; ethernet::HEADER_LEN + arp::LEN];
    let header = EthernetHeader { dst: OURS, src: THEIRS, vlan: None, ethertype: EtherType::ARP };
    let at = header.write(&mut frame).ok()?;
    reply.write(&mut frame[at..]).ok()?;
    Some(frame)
}
