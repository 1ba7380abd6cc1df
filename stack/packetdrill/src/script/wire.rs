//! Packets as bytes: what is injected is built here, what comes out is read here.
//!
//! On purpose not the stack's own codec: a mistake there must not hide itself.

use std::net::IpAddr;

use super::packet::{Flags, Icmp, Packet, Tcp, TcpOption};

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

/// A segment that left the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Source.
    pub from: Endpoint,
    /// Destination.
    pub to: Endpoint,
    /// Traffic class and ECN.
    pub tos: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// The segment; window and options are there.
    pub tcp: Tcp,
    /// Its data.
    pub data: Vec<u8>,
}

const TCP: u8 = 6;

/// Bytes that an option takes.
pub(super) fn option_len(option: &TcpOption) -> usize {
    match option {
        TcpOption::Eol | TcpOption::Nop => 1,
        TcpOption::Mss(_) => 4,
        TcpOption::Wscale(_) => 3,
        TcpOption::SackOk => 2,
        TcpOption::Sack(blocks) => 2 + 8 * blocks.len(),
        TcpOption::Ts { .. } => 10,
        TcpOption::Other(_, data) => 2 + data.len(),
    }
}

fn write_option(option: &TcpOption, out: &mut Vec<u8>) {
    out.push(option.kind());
    if matches!(option, TcpOption::Eol | TcpOption::Nop) {
        return;
    }
    out.push(option_len(option) as u8);
    match option {
        TcpOption::Mss(mss) => out.extend(mss.to_be_bytes()),
        TcpOption::Wscale(shift) => out.push(*shift),
        TcpOption::Sack(blocks) => {
            for (left, right) in blocks {
                out.extend(left.to_be_bytes());
                out.extend(right.to_be_bytes());
            }
        }
        TcpOption::Ts { val, ecr } => {
            out.extend(val.to_be_bytes());
            out.extend(ecr.to_be_bytes());
        }
        TcpOption::Other(_, data) => out.extend(data),
        TcpOption::Eol | TcpOption::Nop | TcpOption::SackOk => {}
    }
}

/// A segment with data of zeros, as an IP packet.
pub(super) fn tcp_packet(packet: &Packet, tcp: &Tcp, from: Endpoint, to: Endpoint) -> Vec<u8> {
    let mut options = Vec::new();
    tcp.options.iter().flatten().for_each(|o| write_option(o, &mut options));
    let header = 20 + options.len();
    let mut out = Vec::with_capacity(header + usize::from(tcp.len));
    out.extend(from.port.to_be_bytes());
    out.extend(to.port.to_be_bytes());
    out.extend(tcp.seq.to_be_bytes());
    out.extend(tcp.ack.to_be_bytes());
    out.extend(((header as u16 / 4) << 12 | tcp.flags.0).to_be_bytes());
    out.extend(tcp.window.unwrap_or(0).to_be_bytes());
    out.extend([0, 0]);
    out.extend(tcp.urgent.to_be_bytes());
    out.extend(options);
    out.resize(header + usize::from(tcp.len), 0);
    let sum = checksum(&[&pseudo_header(from.ip, to.ip, TCP, out.len()), &out]);
    out[16..18].copy_from_slice(&sum.to_be_bytes());
    ip_packet(from.ip, to.ip, TCP, packet.tos.byte(), packet.ttl.unwrap_or(255), &out)
}

/// An ICMP error that quotes the segment `from` -> `to`: its IP header and eight bytes more.
pub(super) fn icmp_packet(packet: &Packet, icmp: &Icmp, from: Endpoint, to: Endpoint) -> Vec<u8> {
    let mut quoted = Vec::new();
    quoted.extend(from.port.to_be_bytes());
    quoted.extend(to.port.to_be_bytes());
    quoted.extend(icmp.seq.to_be_bytes());
    let mut original = ip_packet(from.ip, to.ip, TCP, 0, 255, &quoted);
    let len = (20 + icmp.len).to_be_bytes();
    let v6 = from.ip.is_ipv6();
    if v6 {
        original[4..6].copy_from_slice(&len);
    } else {
        original[2..4].copy_from_slice(&(40 + icmp.len).to_be_bytes());
        fill_ipv4_checksum(&mut original);
    }
    let mut out = vec![icmp.kind, icmp.code, 0, 0];
    out.extend(icmp.mtu.unwrap_or(0).to_be_bytes());
    out.extend(original);
    let protocol = if v6 { 58 } else { 1 };
    let pseudo = if v6 { pseudo_header(to.ip, from.ip, protocol, out.len()) } else { Vec::new() };
    let sum = checksum(&[&pseudo, &out]);
    out[2..4].copy_from_slice(&sum.to_be_bytes());
    ip_packet(to.ip, from.ip, protocol, packet.tos.byte(), packet.ttl.unwrap_or(255), &out)
}

fn ip_packet(from: IpAddr, to: IpAddr, protocol: u8, tos: u8, ttl: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(40 + body.len());
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            out.extend([0x45, tos]);
            out.extend((20 + body.len() as u16).to_be_bytes());
            out.extend([0, 0, 0, 0, ttl, protocol, 0, 0]);
            out.extend(from.octets());
            out.extend(to.octets());
            fill_ipv4_checksum(&mut out);
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            out.extend((6 << 28 | u32::from(tos) << 20).to_be_bytes());
            out.extend((body.len() as u16).to_be_bytes());
            out.extend([protocol, ttl]);
            out.extend(from.octets());
            out.extend(to.octets());
        }
        _ => unreachable!("both addresses are of the script's family"),
    }
    out.extend(body);
    out
}

fn fill_ipv4_checksum(packet: &mut [u8]) {
    packet[10..12].fill(0);
    let sum = checksum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn pseudo_header(from: IpAddr, to: IpAddr, protocol: u8, len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    for ip in [from, to] {
        match ip {
            IpAddr::V4(ip) => out.extend(ip.octets()),
            IpAddr::V6(ip) => out.extend(ip.octets()),
        }
    }
    // RFC 9293 3.1 and RFC 8200 8.1 differ in the order of these fields, which does not change the sum.
    out.extend([0, protocol]);
    out.extend((len as u16).to_be_bytes());
    out
}

/// RFC 1071. Every part but the last has an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
    }
    !(sum as u16)
}

/// Reads a packet that left the stack. `Ok(None)`: not TCP.
///
/// # Errors
/// What is malformed about it.
pub(super) fn read(packet: &[u8]) -> Result<Option<Seen>, String> {
    let ip = read_ip(packet)?;
    if ip.protocol != TCP {
        return Ok(None);
    }
    let body = ip.body;
    if body.len() < 20 {
        return Err(format!("a TCP segment of {} bytes", body.len()));
    }
    if checksum(&[&pseudo_header(ip.from, ip.to, TCP, body.len()), body]) != 0 {
        return Err("a wrong TCP checksum".into());
    }
    let header = usize::from(body[12] >> 4) * 4;
    if header < 20 || header > body.len() {
        return Err(format!("a TCP header of {header} bytes"));
    }
    let data = body[header..].to_vec();
    let tcp = Tcp {
        ports: None,
        flags: Flags(u16_at(body, 12) & 0xfff),
        seq: u32_at(body, 4),
        len: data.len() as u16,
        ack: u32_at(body, 8),
        window: Some(u16_at(body, 14)),
        urgent: u16_at(body, 18),
        options: Some(read_options(&body[20..header])?),
    };
    let from = Endpoint { ip: ip.from, port: u16_at(body, 0) };
    let to = Endpoint { ip: ip.to, port: u16_at(body, 2) };
    Ok(Some(Seen { from, to, tos: ip.tos, ttl: ip.ttl, tcp, data }))
}

struct Ip<'a> {
    from: IpAddr,
    to: IpAddr,
    tos: u8,
    ttl: u8,
    protocol: u8,
    body: &'a [u8],
}

fn read_ip(packet: &[u8]) -> Result<Ip<'_>, String> {
    match packet.first().map(|b| b >> 4) {
        Some(4) if packet.len() >= 20 => read_ipv4(packet),
        Some(6) if packet.len() >= 40 => read_ipv6(packet),
        _ => Err(format!("no IP packet, but {} bytes", packet.len())),
    }
}

fn read_ipv4(packet: &[u8]) -> Result<Ip<'_>, String> {
    let header = usize::from(packet[0] & 15) * 4;
    let total = usize::from(u16_at(packet, 2));
    if header < 20 || total < header || total > packet.len() {
        return Err(format!("an IPv4 header of {header} and a packet of {total} bytes"));
    }
    if checksum(&[&packet[..header]]) != 0 {
        return Err("a wrong IPv4 header checksum".into());
    }
    let address = |at: usize| IpAddr::from([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
    Ok(Ip {
        from: address(12),
        to: address(16),
        tos: packet[1],
        ttl: packet[8],
        protocol: packet[9],
        body: &packet[header..total],
    })
}

fn read_ipv6(packet: &[u8]) -> Result<Ip<'_>, String> {
    let end = 40 + usize::from(u16_at(packet, 4));
    if end > packet.len() {
        return Err(format!("an IPv6 packet of {end} bytes in {}", packet.len()));
    }
    let address = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&packet[at..at + 16]);
        IpAddr::from(octets)
    };
    Ok(Ip {
        from: address(8),
        to: address(24),
        tos: (u16_at(packet, 0) >> 4) as u8,
        ttl: packet[7],
        protocol: packet[6],
        body: &packet[40..end],
    })
}

fn read_options(mut bytes: &[u8]) -> Result<Vec<TcpOption>, String> {
    let mut all = Vec::new();
    while let Some(&kind) = bytes.first() {
        if kind <= 1 {
            all.push(if kind == 0 { TcpOption::Eol } else { TcpOption::Nop });
            bytes = &bytes[1..];
            continue;
        }
        let len = usize::from(bytes.get(1).copied().unwrap_or(0));
        if len < 2 || len > bytes.len() {
            return Err(format!("a TCP option of kind {kind} and {len} bytes"));
        }
        let (option, rest) = bytes.split_at(len);
        all.push(read_option(kind, &option[2..]));
        bytes = rest;
    }
    Ok(all)
}

fn read_option(kind: u8, data: &[u8]) -> TcpOption {
    match (kind, data.len()) {
        (2, 2) => TcpOption::Mss(u16_at(data, 0)),
        (3, 1) => TcpOption::Wscale(data[0]),
        (4, 0) => TcpOption::SackOk,
        (5, len) if len > 0 && len % 8 == 0 => {
            TcpOption::Sack(data.chunks(8).map(|b| (u32_at(b, 0), u32_at(b, 4))).collect())
        }
        (8, 8) => TcpOption::Ts { val: u32_at(data, 0), ecr: u32_at(data, 4) },
        _ => TcpOption::Other(kind, data.to_vec()),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::super::packet::{Body, Tos};
    use super::*;

    fn endpoints(v6: bool) -> (Endpoint, Endpoint) {
        let (a, b) = if v6 { ("fd3d::1", "2001:db8::1") } else { ("192.168.0.1", "192.0.2.1") };
        let at = |ip: &str, port| Endpoint { ip: ip.parse().expect("an address"), port };
        (at(a, 40_000), at(b, 8080))
    }

    fn segment() -> Tcp {
        Tcp {
            flags: Flags::parse("P.U").expect("flags"),
            seq: 0xffff_fff0,
            len: 3,
            ack: 7,
            window: Some(500),
            urgent: 2,
            options: Some(vec![
                TcpOption::Mss(1460),
                TcpOption::SackOk,
                TcpOption::Ts { val: 1, ecr: 2 },
                TcpOption::Nop,
                TcpOption::Wscale(7),
                TcpOption::Sack(vec![(5, 9)]),
                TcpOption::Other(99, vec![1, 2]),
                TcpOption::Eol,
                TcpOption::Eol,
            ]),
            ..Tcp::default()
        }
    }

    #[test]
    fn what_is_built_is_read_back() {
        for v6 in [false, true] {
            let (from, to) = endpoints(v6);
            let tcp = segment();
            let packet = Packet { tos: Tos::Ecn(3), ttl: Some(9), body: Body::Tcp(tcp.clone()) };
            let seen = read(&tcp_packet(&packet, &tcp, from, to)).expect("well formed").expect("TCP");
            assert_eq!(seen, Seen { from, to, tos: 3, ttl: 9, tcp, data: vec![0; 3] });
        }
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let (from, to) = endpoints(false);
        let tcp = segment();
        let packet = Packet { tos: Tos::Any, ttl: None, body: Body::Tcp(tcp.clone()) };
        let bytes = tcp_packet(&packet, &tcp, from, to);
        for at in 20..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0x10;
            assert!(read(&broken).is_err(), "byte {at}");
        }
    }

    #[test]
    fn truncated_packets_are_no_panic() {
        let (from, to) = endpoints(true);
        let tcp = segment();
        let packet = Packet { tos: Tos::Any, ttl: None, body: Body::Tcp(tcp.clone()) };
        let bytes = tcp_packet(&packet, &tcp, from, to);
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn an_icmp_error_quotes_the_segment() {
        let (from, to) = endpoints(false);
        let icmp = Icmp { kind: 3, code: 4, mtu: Some(1200), seq: 77, len: 1460 };
        let packet = Packet { tos: Tos::Any, ttl: None, body: Body::Icmp(icmp.clone()) };
        let bytes = icmp_packet(&packet, &icmp, from, to);
        assert_eq!(bytes.len(), 20 + 8 + 28);
        assert_eq!(checksum(&[&bytes[20..]]), 0);
        assert_eq!(u16_at(&bytes, 26), 1200);
        assert_eq!(u16_at(&bytes, 30), 1500);
        assert_eq!(u32_at(&bytes, 52), 77);
        assert_eq!(read(&bytes), Ok(None));
    }
}
