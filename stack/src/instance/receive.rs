//! A frame arrives: Ethernet, ARP, IPv4 and its fragments, ICMP, UDP. TCP goes on in [`super::tcp_receive`].

use std::net::{IpAddr, Ipv4Addr};

use ferroflow_wire::arp::ArpView;
use ferroflow_wire::ethernet::{self, EtherType, EthernetHeader, EthernetView};
use ferroflow_wire::icmpv4::{self, IcmpMessage, Icmpv4View, time_exceeded, unreachable};
use ferroflow_wire::ipv4::{self, IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::tcp::QuotedTcp;
use ferroflow_wire::udp::UdpView;
use ferroflow_wire::{MacAddr, SeqNumber};

use super::deliver::Upcalls;
use super::inner::Inner;
use super::tcp_receive::{HEADERS, segment_size};
use crate::port::Csum;
use crate::service::{CloseReason, Service};
use crate::steer::Owner;
use crate::tcp::table::Key;
use crate::tcp::tcb::{State, Tcb};

/// Carries one frame to its end.
pub(super) fn frame<S: Service>(inner: &mut Inner, up: &mut Upcalls<'_, S>, bytes: &[u8], csum: Csum) {
    inner.counters.rx_frames += 1;
    inner.counters.rx_bytes += bytes.len() as u64;
    let Ok(eth) = EthernetView::parse(bytes) else {
        inner.counters.malformed_ethernet += 1;
        return;
    };
    if eth.dst() != inner.config.mac && !eth.dst().is_group() {
        inner.counters.not_for_us += 1;
        return;
    }
    // A priority tag (VID 0) belongs to the untagged network (IEEE 802.1Q 6.9.1); we are in no other.
    if eth.vlan().is_some_and(|tag| tag.vid != 0) {
        inner.counters.other_vlan += 1;
        return;
    }
    match eth.ethertype() {
        EtherType::IPV4 => ipv4(inner, up, &eth, csum),
        EtherType::ARP => arp(inner, &eth),
        _ => inner.counters.unknown_ethertype += 1,
    }
}

/// RFC 826
fn arp(inner: &mut Inner, eth: &EthernetView<'_>) {
    let Ok(view) = ArpView::parse(eth.payload()) else {
        inner.counters.malformed_arp += 1;
        return;
    };
    let outcome = inner.neighbors.arp(&view.packet(), inner.now);
    if let Some(reply) = outcome.reply {
        let to = if reply.target_mac == MacAddr::ZERO { MacAddr::BROADCAST } else { reply.target_mac };
        inner.send_arp(reply, to);
    }
    for index in outcome.ready {
        inner.mark_dirty(index);
    }
}

fn ipv4<S: Service>(inner: &mut Inner, up: &mut Upcalls<'_, S>, eth: &EthernetView<'_>, csum: Csum) {
    let Ok(ip) = Ipv4View::parse(eth.payload()) else {
        inner.counters.malformed_ipv4 += 1;
        return;
    };
    if ip.verify_checksum().is_err() {
        inner.counters.ipv4_bad_checksum += 1; // RFC 1122 3.2.1.2
        return;
    }
    if is_martian(inner, ip.src()) {
        inner.counters.martian += 1;
        return;
    }
    if ip.dst() != inner.config.address {
        inner.counters.not_our_address += 1;
        return;
    }
    if has_source_route(ip.options()) {
        inner.counters.source_routed += 1;
        return;
    }
    if ip.is_fragment() {
        fragment(inner, up, eth, &ip);
    } else {
        datagram(inner, up, eth, &ip, csum);
    }
}

fn datagram<S: Service>(
    inner: &mut Inner,
    up: &mut Upcalls<'_, S>,
    eth: &EthernetView<'_>,
    ip: &Ipv4View<'_>,
    csum: Csum,
) {
    match ip.protocol() {
        IpProtocol::TCP => super::tcp_receive::segment(inner, up, eth, ip, csum),
        IpProtocol::ICMP => icmp(inner, eth, ip),
        IpProtocol::UDP => udp(inner, eth, ip, csum),
        _ => icmp_error(inner, eth, ip, unreachable(unreachable::PROTOCOL)), // RFC 1122 3.2.2.1
    }
}

/// RFC 791 3.2, RFC 1122 3.3.2. The datagram may be another core's: only when it is whole, its ports say whose.
fn fragment<S: Service>(
    inner: &mut Inner,
    up: &mut Upcalls<'_, S>,
    eth: &EthernetView<'_>,
    ip: &Ipv4View<'_>,
) {
    let Some(whole) = inner.fragments.put(eth, ip, inner.now, &mut inner.counters) else { return };
    if let Owner::Core(core) = inner.config.steer.owner(&whole) {
        inner.elsewhere.push((core, whole));
        return;
    }
    let Ok(eth) = EthernetView::parse(&whole) else { return };
    let Ok(ip) = Ipv4View::parse(eth.payload()) else { return };
    datagram(inner, up, &eth, &ip, Csum::Unknown);
}

/// The sender of a datagram whose fragments are not complete in time is told, if there is something to quote (RFC 1122 3.3.2).
pub(super) fn expire_fragments(inner: &mut Inner) {
    while let Some(first) = inner.fragments.expire(inner.now, &mut inner.counters) {
        let Ok(eth) = EthernetView::parse(&first) else { continue };
        let Ok(ip) = Ipv4View::parse(eth.payload()) else { continue };
        icmp_error(inner, &eth, &ip, |original| IcmpMessage::TimeExceeded {
            code: time_exceeded::REASSEMBLY,
            original,
        });
    }
}

/// An address that no other host has (RFC 1122 3.2.1.3): a broadcast, a multicast, a reserved one, ours.
pub(super) fn is_martian(inner: &Inner, src: Ipv4Addr) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(inner.config.prefix_len)).unwrap_or(0);
    let own = inner.config.address.to_bits();
    let broadcast = own & mask == src.to_bits() & mask
        && src.to_bits() | mask == u32::MAX
        && inner.config.prefix_len < 31;
    src.octets()[0] == 0
        || src.is_loopback()
        || src.is_multicast()
        || src.octets()[0] >= 240
        || src == inner.config.address
        || broadcast
}

/// Loose or strict source route among the options (RFC 791 3.1; RFC 7126 4.3.5 and 4.4.5 have
/// routers and firewalls drop them).
fn has_source_route(mut options: &[u8]) -> bool {
    const LSRR: u8 = 131;
    const SSRR: u8 = 137;
    while let [kind, rest @ ..] = options {
        options = match (kind, rest) {
            (0, _) => return false,
            (1, _) => rest,
            (&LSRR | &SSRR, _) => return true,
            (_, &[len, ..]) if len >= 2 => options.get(usize::from(len)..).unwrap_or(&[]),
            _ => return false,
        };
    }
    false
}

/// RFC 792, RFC 1122 3.2.2
fn icmp(inner: &mut Inner, eth: &EthernetView<'_>, ip: &Ipv4View<'_>) {
    let Ok(view) = Icmpv4View::parse(ip.payload()) else {
        inner.counters.malformed_icmp += 1;
        return;
    };
    if view.verify_checksum().is_err() {
        inner.counters.icmp_bad_checksum += 1;
        return;
    }
    match view.message() {
        IcmpMessage::EchoRequest { ident, seq, data } if !eth.dst().is_group() => {
            inner.counters.icmp_echoes += 1;
            send_icmp(inner, eth.src(), ip.src(), &IcmpMessage::EchoReply { ident, seq, data });
        }
        IcmpMessage::DestUnreachable { code, next_hop_mtu, original } => {
            inner.counters.icmp_errors_received += 1;
            if !destination_unreachable(inner, code, next_hop_mtu, original) {
                inner.counters.icmp_errors_ignored += 1;
            }
        }
        // RFC 9293 3.9.2.2, MUST-56, SHLD-25: soft, like most of the unreachables
        IcmpMessage::TimeExceeded { original, .. } | IcmpMessage::ParameterProblem { original, .. } => {
            inner.counters.icmp_errors_received += 1;
            match quoted(inner, original) {
                Some(quoted) => quoted.tcb.unreachable = true,
                None => inner.counters.icmp_errors_ignored += 1,
            }
        }
        _ => {}
    }
}

/// The segment that an ICMP error quotes.
struct Quoted<'a> {
    index: u32,
    tcb: &'a mut Tcb,
    seq: SeqNumber,
    /// Length of the packet.
    len: u16,
}

/// Whose segment an ICMP error quotes (RFC 9293 3.9.2.2, MUST-54). It is believed only if its sequence number is in flight
/// (RFC 5927 4.1).
fn quoted<'a>(inner: &'a mut Inner, original: &[u8]) -> Option<Quoted<'a>> {
    let ip = Ipv4View::parse_quoted(original).ok()?;
    if ip.protocol() != IpProtocol::TCP || ip.src() != inner.config.address {
        return None;
    }
    let tcp = QuotedTcp::parse(ip.payload()).ok()?;
    let key = Key::new(ip.src(), tcp.src_port, ip.dst(), tcp.dst_port);
    let index = inner.table.find(&key)?;
    let tcb = inner.table.at(index)?;
    let in_flight = tcp.seq.ge(tcb.snd.una) && tcp.seq.lt(tcb.snd.max);
    in_flight.then_some(Quoted { index, tcb, seq: tcp.seq, len: ip.total_len() })
}

/// It ends an open that is under way; for established connections every error is soft (RFC 5461), but their segments may have
/// to be smaller. Returns whether anything came of it.
fn destination_unreachable(inner: &mut Inner, code: u8, next_hop_mtu: u16, original: &[u8]) -> bool {
    let Some(Quoted { index, tcb, seq, len }) = quoted(inner, original) else { return false };
    if code == unreachable::FRAGMENTATION_NEEDED {
        // No handshake is too large for anything.
        return tcb.state.is_synchronized() && too_large(inner, index, seq, reported_mtu(next_hop_mtu, len));
    }
    // RFC 1122 4.2.3.9: hard errors, and what else makes an open hopeless
    match code {
        unreachable::PORT if tcb.state == State::SynSent => {
            inner.finish(index, CloseReason::Reset); // as a reset would: nobody listens
        }
        unreachable::PROTOCOL | unreachable::ADMIN_PROHIBITED if tcb.state == State::SynSent => {
            inner.finish(index, CloseReason::Unreachable);
        }
        _ => tcb.unreachable = true,
    }
    true
}

/// RFC 1191 5: what to try after a packet of `len` bytes if the router does not say, from the MTUs of common links; and it
/// must be less than what was too large.
fn reported_mtu(next_hop_mtu: u16, len: u16) -> Option<u16> {
    const PLATEAUS: [u16; 11] = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1280, 1006, 508, 296];
    match next_hop_mtu {
        0 => PLATEAUS.into_iter().find(|&mtu| mtu < len),
        mtu => Some(mtu).filter(|&mtu| mtu < len),
    }
}

/// A packet of the connection, with sequence number `seq`, was larger than its path carries (RFC 1191).
fn too_large(inner: &mut Inner, index: u32, seq: SeqNumber, mtu: Option<u16>) -> bool {
    let Inner { table, counters, config, now, paths, .. } = inner;
    let (Some(tcb), Some(mtu)) = (table.at(index), mtu) else { return false };
    if !tcb.too_large(seq, segment_size(u32::from(mtu)), *now, &config.tcp, counters) {
        return false;
    }
    paths.set(IpAddr::V4(tcb.key.remote()), u32::from(tcb.mtu.size()) + HEADERS, *now);
    inner.mark_dirty(index);
    inner.rearm(index);
    true
}

/// Nobody listens: say so (RFC 1122 4.1.3.1).
fn udp(inner: &mut Inner, eth: &EthernetView<'_>, ip: &Ipv4View<'_>, csum: Csum) {
    let Ok(view) = UdpView::parse(ip.payload()) else {
        inner.counters.malformed_udp += 1;
        return;
    };
    if csum == Csum::Unknown && view.verify_checksum(ip.src(), ip.dst()).is_err() {
        inner.counters.udp_bad_checksum += 1;
        return;
    }
    inner.counters.udp_no_port += 1;
    icmp_error(inner, eth, ip, unreachable(unreachable::PORT));
}

fn unreachable(code: u8) -> impl for<'a> FnOnce(&'a [u8]) -> IcmpMessage<'a> {
    move |original| IcmpMessage::DestUnreachable { code, next_hop_mtu: 0, original }
}

/// The error that `message` makes of what it is to quote, unless none must be sent (RFC 1122 3.2.2: never about a broadcast).
fn icmp_error(
    inner: &mut Inner,
    eth: &EthernetView<'_>,
    ip: &Ipv4View<'_>,
    message: impl for<'a> FnOnce(&'a [u8]) -> IcmpMessage<'a>,
) {
    if eth.dst().is_group() {
        return;
    }
    if !inner.icmp_errors.allow(inner.now) {
        inner.counters.icmp_errors_limited += 1;
        return;
    }
    inner.counters.icmp_errors_sent += 1;
    let len = usize::from(ip.total_len()).min(eth.payload().len());
    let original = icmpv4::quote(&eth.payload()[..len]);
    send_icmp(inner, eth.src(), ip.src(), &message(original));
}

fn send_icmp(inner: &mut Inner, to_mac: MacAddr, to: Ipv4Addr, message: &IcmpMessage<'_>) {
    let len = message.len();
    if ipv4::HEADER_LEN + len > inner.mtu as usize {
        // The reply to a request that was larger than our own link carries. No port has a buffer for it, ever.
        inner.counters.tx_dropped += 1;
        return;
    }
    let header = Ipv4Header {
        dont_fragment: false,
        ttl: inner.config.ttl,
        ..Ipv4Header::new(inner.config.address, to, IpProtocol::ICMP, len as u16)
    };
    let src = inner.config.mac;
    let queued = inner.outbox.push(ethernet::HEADER_LEN + ipv4::HEADER_LEN + len, |buf| {
        write_headers(buf, src, to_mac, &header);
        let _ = message.write(&mut buf[ethernet::HEADER_LEN + ipv4::HEADER_LEN..]);
    });
    inner.counters.tx_dropped += u64::from(!queued);
}

/// Ethernet and IPv4 headers at the front of `buf`, which has room for them.
pub(super) fn write_headers(buf: &mut [u8], src: MacAddr, dst: MacAddr, ip: &Ipv4Header) {
    let eth = EthernetHeader { dst, src, vlan: None, ethertype: EtherType::IPV4 };
    let at = eth.write(buf).unwrap_or(0);
    let _ = ip.write(&mut buf[at..]);
}
