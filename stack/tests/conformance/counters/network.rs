//! What is below TCP: frames, IPv4 and its fragments, ARP, ICMP.

use super::*;

pub fn frames_of_others() -> Counters {
    let mut p = Peer::new();
    let mut other = p.frame(&syn());
    other[5] ^= 0x40;
    p.inject_frame(other);
    let mut tagged = p.frame(&syn());
    tagged.splice(12..12, [0x81, 0x00, 0x00, 0x05]);
    p.inject_frame(tagged);
    p.inject_frame(eth_frame(STACK_MAC, EtherType(0x88cc), &[0; 46]));
    counted(p)
}

pub fn rubbish() -> Counters {
    let mut p = Peer::new();
    p.inject_frame(vec![0; 10]);
    p.inject_frame(eth_frame(STACK_MAC, EtherType::ARP, &[0; 10]));
    p.inject_frame(eth_frame(STACK_MAC, EtherType::IPV4, &[0x45; 10]));
    for protocol in [IpProtocol::ICMP, IpProtocol::UDP, IpProtocol::TCP] {
        p.inject_frame(ip_frame(PEER_IP, STACK_IP, protocol, &[8, 0, 0]));
    }
    counted(p)
}

pub fn damage() -> Counters {
    let mut p = Peer::established();
    let tcp = p.frame(&data(1, 1, b"hello"));
    for (frame, at) in [(tcp.clone(), 22), (tcp, 54), (udp_frame(b"hello"), 42), (from_peer(&echo(b"x")), 42)]
    {
        let mut frame = frame;
        frame[at] ^= 1;
        p.inject_frame(frame);
    }
    counted(p)
}

pub fn odd_packets() -> Counters {
    let mut p = Peer::new();
    p.inject_frame(ip_frame(Ipv4Addr::LOCALHOST, STACK_IP, IpProtocol::UDP, b"x"));
    p.inject_frame(ip_frame(PEER_IP, Ipv4Addr::new(10, 0, 0, 99), IpProtocol::UDP, b"x"));
    let header = Ipv4Header::new(PEER_IP, STACK_IP, IpProtocol::UDP, 16);
    let first = Ipv4Header { more_fragments: true, dont_fragment: false, ..header };
    p.inject_frame(ip_frame_of(&first, &[0; 16]));
    p.inject_frame(with_options(&[131, 7, 4, 10, 0, 0, 9, 0]));
    counted(p)
}

pub fn in_fragments() -> Counters {
    let mut p = Peer::new();
    let parts = fragments(&udp_frame(&bytes(1000)), 1, 400);
    [0, 0, 1, 2].into_iter().for_each(|i: usize| p.inject_frame(parts[i].clone()));
    counted(p)
}

pub fn odd_fragments() -> Counters {
    let mut p = Peer::new();
    let header =
        Ipv4Header { dont_fragment: false, ..Ipv4Header::new(PEER_IP, STACK_IP, IpProtocol::UDP, 16) };
    let mut send = |ident, ecn, fragment_offset, more_fragments, len: u16| {
        let header = Ipv4Header { ident, ecn, fragment_offset, more_fragments, payload_len: len, ..header };
        p.inject_frame(ip_frame_of(&header, &bytes(len.into())));
    };
    // Two over one another, and one more; one that is no multiple of 8 bytes; a mark beside a packet without ECN.
    [0, 8, 16].into_iter().for_each(|offset| send(1, 0, offset, true, 16));
    send(2, 0, 0, true, 15);
    send(3, 0, 0, true, 8);
    send(3, 3, 8, false, 8);
    (0..=128).for_each(|n| send(4, 0, n * 8, true, 8));
    (100..200).for_each(|ident| send(ident, 0, 0, true, 16));
    p.advance(60_000);
    counted(p)
}

pub fn fragments_of_another_core() -> Counters {
    let steer = Steer::new(0, 2);
    let mut p = Peer::with(|config| config.steer = steer.clone());
    let port = (1000..).find(|&port| steer.owner_of(PEER_IP, STACK_IP, port, LISTEN) == 1);
    p.flow = Flow::new(port.expect("a port"));
    let parts = fragments(&p.frame(&syn()), 1, 8);
    parts.into_iter().for_each(|part| p.inject_frame(part));
    counted(p)
}

pub fn arp() -> Counters {
    let mut p = Peer::new();
    p.inject_frame(arp_frame(&ArpPacket::request(PEER_MAC, PEER_IP, STACK_IP), MacAddr::BROADCAST));
    p.inject_frame(arp_frame(&ArpPacket::request(PEER_MAC, STACK_IP, STACK_IP), MacAddr::BROADCAST));
    let group = ArpPacket::request(MacAddr([1, 0, 0x5e, 0, 0, 1]), PEER_IP, STACK_IP);
    p.inject_frame(arp_frame(&group, MacAddr::BROADCAST));
    counted(p)
}

/// The stack in a network of 65,534 hosts, none of which answers ARP.
fn deaf() -> Peer {
    let mut p = Peer::with(|c| c.prefix_len = 16);
    p.answer_arp = false;
    p
}

fn host(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(10, 0, 1, 0)) + n)
}

fn open_to(p: &mut Peer, ip: Ipv4Addr, port: u16) {
    p.net(|net| net.connect((ip, port).into(), ConnectOptions::default())).expect("to connect");
}

pub fn nobody_there() -> Counters {
    let mut p = deaf();
    open_to(&mut p, host(1), 1);
    p.run();
    p.advance(10_000);
    counted(p)
}

pub fn many_neighbors() -> Counters {
    let mut p = deaf();
    for n in 0..1100 {
        let asks = ArpPacket::request(PEER_MAC, host(n), STACK_IP);
        p.inject_frame(arp_frame(&asks, MacAddr::BROADCAST));
    }
    counted(p)
}

pub fn many_unanswered() -> Counters {
    let mut p = deaf();
    for n in 0..1100 {
        open_to(&mut p, host(n), 1);
    }
    p.run();
    counted(p)
}

pub fn many_waiting() -> Counters {
    let mut p = deaf();
    for port in 1..=4200 {
        open_to(&mut p, host(1), port);
    }
    p.run();
    counted(p)
}

pub fn ping_and_datagram() -> Counters {
    let mut p = Peer::new();
    p.inject_frame(from_peer(&echo(b"x")));
    p.inject_frame(udp_frame(b"x"));
    counted(p)
}

pub fn many_datagrams() -> Counters {
    let mut p = Peer::new();
    for _ in 0..2000 {
        p.inject_frame(udp_frame(b"x"));
    }
    counted(p)
}

pub fn icmp_error() -> Counters {
    let mut p = Peer::new();
    let code = unreachable::PORT;
    p.inject_frame(from_peer(&IcmpMessage::DestUnreachable { code, next_hop_mtu: 0, original: &[0x45; 28] }));
    counted(p)
}
