//! Every view of `ferroflow-wire` over arbitrary bytes: no getter panics, and what is written from what was read is
//! read back as the same.
#![no_main]

use std::net::Ipv4Addr;

use ferroflow_wire::arp::{ArpPacket, ArpView};
use ferroflow_wire::checksum::{self, Sum};
use ferroflow_wire::ethernet::{EthernetHeader, EthernetView, MacAddr};
use ferroflow_wire::icmpv4::{Icmpv4View, quote};
use ferroflow_wire::ipv4::{Ipv4Header, Ipv4View};
use ferroflow_wire::lldp::{LldpView, LldpWriter, TlvIter, tlv_type};
use ferroflow_wire::tcp::{self, QuotedTcp, TcpHeader, TcpOption, TcpOptions, TcpView};
use ferroflow_wire::udp::{self, UdpHeader, UdpView};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The first byte says which protocol the rest is taken for, so that a deep view needs no forged frame around it.
    let Some((&kind, bytes)) = data.split_first() else { return };
    match kind % 8 {
        0 => ethernet(bytes),
        1 => ipv4(bytes),
        2 => tcp(bytes),
        3 => udp(bytes),
        4 => icmpv4(bytes),
        5 => arp(bytes),
        6 => lldp(bytes),
        _ => sums(bytes),
    }
});

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);

fn ethernet(bytes: &[u8]) {
    let Ok(eth) = EthernetView::parse(bytes) else {
        assert!(bytes.len() < 18, "a whole header is never refused");
        return;
    };
    assert_eq!(eth.payload_offset() + eth.payload().len(), bytes.len());
    assert_eq!(eth.bytes(), bytes);
    for mac in [eth.dst(), eth.src()] {
        assert_eq!(MacAddr::from_u64(mac.to_u64()), mac);
        assert_eq!(mac.to_string().parse(), Ok(mac));
        assert!(!(mac.is_unicast() && (mac.is_group() || mac.is_broadcast() || mac.is_link_local())));
    }
    let header =
        EthernetHeader { dst: eth.dst(), src: eth.src(), vlan: eth.vlan(), ethertype: eth.ethertype() };
    let mut out = vec![0; header.len()];
    assert_eq!(header.write(&mut out), Ok(out.len()));
    let again = EthernetView::parse(&out);
    if header.vlan.is_some() || !header.ethertype.is_tag() {
        let again = again.expect("what was written is whole");
        assert_eq!((again.dst(), again.src(), again.vlan()), (eth.dst(), eth.src(), eth.vlan()));
        assert_eq!(again.ethertype(), eth.ethertype());
    }
    if let Ok(untagged) = eth.untagged() {
        assert!(untagged.payload_offset <= bytes.len() && !untagged.ethertype.is_tag());
        assert_eq!(untagged.payload_offset, 14 + 4 * untagged.tags);
    }
    let payload = eth.payload();
    match eth.ethertype().0 {
        0x0800 => ipv4(payload),
        0x0806 => arp(payload),
        0x88cc => lldp(payload),
        _ => {}
    }
}

fn ipv4(bytes: &[u8]) {
    if let Ok(ip) = Ipv4View::parse_quoted(bytes) {
        assert!(ip.header_len() + ip.payload().len() <= bytes.len());
        let _ = QuotedTcp::parse(ip.payload());
    }
    let Ok(ip) = Ipv4View::parse(bytes) else { return };
    assert_eq!(ip.header_len() + ip.payload().len(), usize::from(ip.total_len()));
    assert_eq!(ip.header().len(), 20 + ip.options().len());
    assert_eq!(ip.is_fragment(), ip.more_fragments() || ip.fragment_offset() != 0);
    let _ = (ip.verify_checksum(), ip.checksum());
    let header = Ipv4Header {
        src: ip.src(),
        dst: ip.dst(),
        protocol: ip.protocol(),
        ttl: ip.ttl(),
        ident: ip.ident(),
        dscp: ip.dscp(),
        ecn: ip.ecn(),
        dont_fragment: ip.dont_fragment(),
        more_fragments: ip.more_fragments(),
        fragment_offset: ip.fragment_offset(),
        payload_len: ip.payload().len() as u16,
    };
    let mut out = vec![0; 20];
    assert_eq!(header.write(&mut out), Ok(20));
    out.extend_from_slice(ip.payload());
    let again = Ipv4View::parse(&out).expect("what was written can be read");
    assert!(again.verify_checksum().is_ok());
    assert_eq!((again.src(), again.dst(), again.protocol()), (ip.src(), ip.dst(), ip.protocol()));
    assert_eq!(
        (again.ttl(), again.ident(), again.dscp(), again.ecn()),
        (ip.ttl(), ip.ident(), ip.dscp(), ip.ecn())
    );
    assert_eq!(again.fragment_offset(), ip.fragment_offset());
    assert_eq!((again.dont_fragment(), again.more_fragments()), (ip.dont_fragment(), ip.more_fragments()));
    assert_eq!(again.payload(), ip.payload());
    match ip.protocol().0 {
        1 => icmpv4(ip.payload()),
        6 => tcp(ip.payload()),
        17 => udp(ip.payload()),
        _ => {}
    }
}

fn tcp(bytes: &[u8]) {
    let _ = QuotedTcp::parse(bytes);
    let Ok(seg) = TcpView::parse(bytes) else { return };
    assert_eq!(seg.header_len() + seg.payload().len(), bytes.len());
    assert_eq!(seg.payload_offset(), seg.header_len());
    let flags = seg.flags();
    assert_eq!(
        seg.seq_len() as usize,
        seg.payload().len() + usize::from(flags.syn()) + usize::from(flags.fin())
    );
    let _ = (format!("{flags:?}"), seg.checksum(), seg.verify_checksum(A, B));
    let raw: Vec<_> = seg.raw_options().collect();
    assert!(raw.len() <= seg.option_bytes().len());
    let options = seg.options();
    assert_eq!(options.is_err(), raw.iter().any(Result::is_err));
    if let Some(lone) = seg.lone_timestamps() {
        assert_eq!(options, Ok(TcpOptions::timestamps(lone.0, lone.1)));
    }
    let Ok(options) = options else { return };
    for option in raw.iter().flatten() {
        match option {
            TcpOption::Unknown { data, .. } | TcpOption::FastOpen(data) => assert!(data.len() <= 38),
            TcpOption::Sack(blocks) => assert!((1..=4).contains(&blocks.len())),
            _ => {}
        }
    }
    tcp_round_trip(&seg, options);
}

fn tcp_round_trip(seg: &TcpView<'_>, options: TcpOptions) {
    let header = TcpHeader {
        src_port: seg.src_port(),
        dst_port: seg.dst_port(),
        seq: seg.seq(),
        ack: seg.ack(),
        flags: seg.flags(),
        window: seg.window(),
        urgent: seg.urgent(),
        options,
    };
    let mut out = vec![0; header.len()];
    assert!(out.len() <= 60 && out.len().is_multiple_of(4));
    assert_eq!(header.write(&mut out), Ok(out.len()));
    out.extend_from_slice(seg.payload());
    tcp::fill_checksum(&mut out, A, B).expect("a whole header");
    let again = TcpView::parse(&out).expect("what was written can be read");
    assert!(again.verify_checksum(A, B).is_ok());
    assert_eq!((again.src_port(), again.dst_port()), (seg.src_port(), seg.dst_port()));
    assert_eq!((again.seq(), again.ack(), again.flags()), (seg.seq(), seg.ack(), seg.flags()));
    assert_eq!(
        (again.window(), again.urgent(), again.payload()),
        (seg.window(), seg.urgent(), seg.payload())
    );
    let mut read = again.options().expect("options of ours");
    // SACK blocks that do not fit are left out, the last first.
    assert!(options.sack.as_slice().starts_with(read.sack.as_slice()));
    read.sack = options.sack;
    assert_eq!(read, options);
}

fn udp(bytes: &[u8]) {
    let Ok(view) = UdpView::parse(bytes) else { return };
    assert!(view.payload().len() + 8 <= bytes.len());
    let _ = view.verify_checksum(A, B);
    let header = UdpHeader {
        src_port: view.src_port(),
        dst_port: view.dst_port(),
        payload_len: view.payload().len() as u16,
    };
    let mut out = vec![0; 8];
    assert_eq!(header.write(&mut out), Ok(8));
    out.extend_from_slice(view.payload());
    udp::fill_checksum(&mut out, A, B).expect("a whole header");
    let again = UdpView::parse(&out).expect("what was written can be read");
    assert!(again.verify_checksum(A, B).is_ok());
    assert_eq!((again.src_port(), again.dst_port()), (view.src_port(), view.dst_port()));
    assert_eq!(again.payload(), view.payload());
}

fn icmpv4(bytes: &[u8]) {
    let Ok(view) = Icmpv4View::parse(bytes) else { return };
    let _ = (view.is_error(), view.verify_checksum(), view.code());
    let message = view.message();
    assert_eq!(message.payload(), view.payload());
    assert!(quote(bytes).len() <= 548);
    let mut out = vec![0; message.len()];
    assert_eq!(message.write(&mut out), Ok(bytes.len()));
    let again = Icmpv4View::parse(&out).expect("what was written can be read");
    assert!(again.verify_checksum().is_ok());
    assert_eq!(again.message_type(), view.message_type());
    assert_eq!(again.message(), message);
}

fn arp(bytes: &[u8]) {
    let Ok(view) = ArpView::parse(bytes) else { return };
    let packet = view.packet();
    let mut out = [0; 28];
    assert_eq!(packet.write(&mut out), Ok(28));
    assert_eq!(out, bytes[..28]);
    let reply = ArpPacket::reply_to(&packet, MacAddr::BROADCAST);
    assert_eq!((reply.target_ip, reply.sender_ip), (packet.sender_ip, packet.target_ip));
}

fn lldp(bytes: &[u8]) {
    assert!(TlvIter::new(bytes).count() <= bytes.len() / 2 + 1);
    let Ok(view) = LldpView::parse(bytes) else { return };
    let _ = view.custom([0x26, 0xe1, 0], 0);
    let mut out = vec![0; bytes.len() + 2];
    let mut writer =
        LldpWriter::new(&mut out, view.chassis_id(), view.port_id(), view.ttl_s()).expect("it fits");
    for tlv in view.optional() {
        assert!(tlv.tlv_type >= tlv_type::PORT_DESCRIPTION && tlv.info.len() <= 511);
        writer = writer.tlv(tlv.tlv_type, tlv.info).expect("it fits");
    }
    let len = writer.finish().expect("it fits");
    let again = LldpView::parse(&out[..len]).expect("what was written can be read");
    assert_eq!(
        (again.chassis_id(), again.port_id(), again.ttl_s()),
        (view.chassis_id(), view.port_id(), view.ttl_s())
    );
    assert!(again.optional().eq(view.optional()));
}

/// The checksum is the same however the bytes are cut, updated or added up.
fn sums(bytes: &[u8]) {
    let Some((&[at, a, b], bytes)) = bytes.split_first_chunk() else { return };
    let whole = Sum::of(bytes);
    let (front, back) = bytes.split_at(usize::from(at).min(bytes.len()));
    let parts = if front.len().is_multiple_of(2) {
        Sum::of(front).combine(Sum::of(back))
    } else {
        Sum::of(front).combine_at_odd(Sum::of(back))
    };
    assert!(same(parts, whole), "{parts:?} {whole:?}");
    let plain = bytes
        .chunks(2)
        .fold(0u64, |sum, w| sum + (u64::from(w[0]) << 8) + w.get(1).map_or(0, |&b| u64::from(b)));
    assert!(plain % 0xffff == u64::from(whole.folded()) % 0xffff);
    let Some(old) = bytes.first_chunk::<2>() else { return };
    let mut changed = bytes.to_vec();
    changed[..2].copy_from_slice(&[a, b]);
    let updated =
        checksum::update_u16(whole.checksum(), u16::from_be_bytes(*old), u16::from_be_bytes([a, b]));
    let fresh = checksum::checksum(&changed);
    assert!(u32::from(updated) % 0xffff == u32::from(fresh) % 0xffff, "{updated:#x} {fresh:#x}");
}

/// Zero and all ones are one number in ones' complement.
fn same(a: Sum, b: Sum) -> bool {
    u32::from(a.folded()) % 0xffff == u32::from(b.folded()) % 0xffff
}
