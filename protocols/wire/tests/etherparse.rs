//! The views and writers against `etherparse`, in both directions.

use std::net::Ipv4Addr;

use etherparse as ep;
use ferroflow_wire::ethernet::{EtherType, EthernetHeader, EthernetView, MacAddr, VlanTag};
use ferroflow_wire::tcp::{self, SackBlocks, TcpFlags, TcpHeader, TcpOption, TcpOptions, TcpView};
use ferroflow_wire::udp::{self, UdpHeader, UdpView};
use ferroflow_wire::{SeqNumber, arp, checksum, icmpv4, ipv4};
use proptest::collection::vec;
use proptest::prelude::*;

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=max)
}

fn any_tag() -> impl Strategy<Value = VlanTag> {
    any::<u16>().prop_map(VlanTag::from_tci)
}

/// A type that etherparse does not look behind.
fn opaque_type() -> impl Strategy<Value = EtherType> {
    prop_oneof![Just(EtherType(0x88b5)), Just(EtherType::LLDP), Just(EtherType::MPLS)]
}

fn ep_tag(tag: VlanTag, ethertype: EtherType) -> ep::SingleVlanHeader {
    ep::SingleVlanHeader {
        pcp: tag.pcp.try_into().unwrap(),
        drop_eligible_indicator: tag.dei,
        vlan_id: tag.vid.try_into().unwrap(),
        ether_type: ep::EtherType(ethertype.0),
    }
}

proptest! {
    #[test]
    fn checksums(data in bytes(2000), src: [u8; 4], dst: [u8; 4]) {
        let sum = ep::checksum::Sum16BitWords::new();
        // ones_complement() is in memory order.
        prop_assert_eq!(checksum::checksum(&data), sum.clone().add_slice(&data).ones_complement().to_be());
        let pseudo = sum.add_4bytes_of(src).add_4bytes_of(dst).add_2bytes([0, 6]).add_2bytes([0x12, 0x34]);
        let ours = checksum::pseudo_header_v4(src.into(), dst.into(), 6, 0x1234);
        prop_assert_eq!(ours.checksum(), pseudo.ones_complement().to_be());
    }

    #[test]
    fn ethernet_written_here(dst: [u8; 6], src: [u8; 6], vlan in prop::option::of(any_tag()), ethertype in opaque_type(), payload in bytes(60)) {
        let header = EthernetHeader { dst: MacAddr(dst), src: MacAddr(src), vlan, ethertype };
        let mut frame = vec![0; header.len()];
        prop_assert_eq!(header.write(&mut frame), Ok(header.len()));
        frame.extend(&payload);
        let sliced = ep::SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(ep::LinkSlice::Ethernet2(eth)) = &sliced.link else { panic!("no Ethernet header") };
        prop_assert_eq!((eth.destination(), eth.source()), (dst, src));
        match (sliced.vlan(), vlan) {
            (None, None) => {}
            (Some(ep::VlanSlice::SingleVlan(theirs)), Some(tag)) => {
                prop_assert_eq!(theirs.to_header(), ep_tag(tag, ethertype));
            }
            (theirs, ours) => panic!("{theirs:?} for {ours:?}"),
        }
        let behind = sliced.ether_payload().unwrap();
        prop_assert_eq!((behind.ether_type.0, behind.payload), (ethertype.0, &payload[..]));
    }

    #[test]
    fn ethernet_read_here(dst: [u8; 6], src: [u8; 6], tags in vec((any_tag(), any::<bool>()), 0..=3), last in opaque_type(), payload in bytes(60)) {
        // The type in front of tag i, and the last one.
        let mut types: Vec<_> = tags.iter().map(|(_, service)| if *service { EtherType::QINQ } else { EtherType::VLAN }).collect();
        types.push(last);
        let header = ep::Ethernet2Header { destination: dst, source: src, ether_type: ep::EtherType(types[0].0) };
        let mut frame = header.to_bytes().to_vec();
        for ((tag, _), next) in tags.iter().zip(&types[1..]) {
            frame.extend(ep_tag(*tag, *next).to_bytes());
        }
        frame.extend(&payload);

        let eth = EthernetView::parse(&frame).unwrap();
        prop_assert_eq!((eth.dst(), eth.src()), (MacAddr(dst), MacAddr(src)));
        prop_assert_eq!(eth.vlan(), tags.first().map(|(tag, _)| *tag));
        prop_assert_eq!(eth.tpid(), tags.first().map(|_| types[0]));
        prop_assert_eq!(eth.ethertype(), types[tags.len().min(1)]);
        prop_assert_eq!(eth.payload(), &frame[eth.payload_offset()..]);
        let untagged = eth.untagged().unwrap();
        prop_assert_eq!((untagged.tags, untagged.ethertype), (tags.len(), last));
        prop_assert_eq!(&frame[untagged.payload_offset..], &payload[..]);
        for short in 0..frame.len() - payload.len() {
            let ours = EthernetView::parse(&frame[..short]).and_then(|e| e.untagged());
            prop_assert_eq!(ours.is_ok(), ep::SlicedPacket::from_ethernet(&frame[..short]).is_ok());
        }
    }

    #[test]
    fn arp_both_ways(operation: u16, sender_mac: [u8; 6], sender: [u8; 4], target_mac: [u8; 6], target: [u8; 4]) {
        let theirs = ep::ArpEthIpv4Packet {
            operation: ep::ArpOperation(operation),
            sender_mac,
            sender_ipv4: sender,
            target_mac,
            target_ipv4: target,
        };
        let ours = arp::ArpPacket {
            operation: arp::ArpOperation(operation),
            sender_mac: MacAddr(sender_mac),
            sender_ip: sender.into(),
            target_mac: MacAddr(target_mac),
            target_ip: target.into(),
        };
        let mut buf = [0; arp::LEN];
        ours.write(&mut buf).unwrap();
        prop_assert_eq!(&buf[..], &ep::ArpPacket::from(theirs.clone()).to_bytes()[..]);
        prop_assert_eq!(ep::ArpPacket::from_slice(&buf).unwrap().try_eth_ipv4().unwrap(), theirs);
        prop_assert_eq!(arp::ArpView::parse(&buf).unwrap().packet(), ours);
    }

    #[test]
    fn arp_agrees_on_what_is_ethernet_and_ipv4(
        head in prop_oneof![Just([0, 1, 8, 0, 6, 4]), any::<[u8; 6]>(), (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, b)| {
            let mut head = [0, 1, 8, 0, 6, 4];
            head[at.index(6)] = b;
            head
        })],
        rest in bytes(30),
    ) {
        let packet = [&head[..], &rest].concat();
        let theirs = ep::ArpPacket::from_slice(&packet).ok().and_then(|p| p.try_eth_ipv4().ok());
        prop_assert_eq!(arp::ArpView::parse(&packet).is_ok(), theirs.is_some());
    }

    #[test]
    fn ipv4_written_here(
        src: [u8; 4], dst: [u8; 4], protocol: u8, ttl: u8, ident: u16, dscp in 0u8..64, ecn in 0u8..4,
        flags: (bool, bool), offset in 0u16..0x2000, payload_len in 0u16..=65_515,
    ) {
        let header = ipv4::Ipv4Header {
            src: src.into(),
            dst: dst.into(),
            protocol: ipv4::IpProtocol(protocol),
            ttl,
            ident,
            dscp,
            ecn,
            dont_fragment: flags.0,
            more_fragments: flags.1,
            fragment_offset: offset * 8,
            payload_len,
        };
        let mut buf = [0xee; ipv4::HEADER_LEN];
        header.write(&mut buf).unwrap();
        let mut theirs = ep::Ipv4Header::new(payload_len, ttl, ep::IpNumber(protocol), src, dst).unwrap();
        theirs.identification = ident;
        theirs.dscp = dscp.try_into().unwrap();
        theirs.ecn = ecn.try_into().unwrap();
        (theirs.dont_fragment, theirs.more_fragments) = flags;
        theirs.fragment_offset = offset.try_into().unwrap();
        theirs.header_checksum = theirs.calc_header_checksum();
        prop_assert_eq!(&buf[..], &theirs.to_bytes()[..]);
    }

    #[test]
    fn ipv4_read_here(mut packet in vec(any::<u8>(), 0..100), valid in any::<bool>(), extra in -4i32..8, fix_sum: bool) {
        if valid && packet.len() >= 20 {
            packet[0] = 0x45 + (packet[0] & 7);
            let total_len = (packet.len() as i32 - extra).max(0) as u16;
            packet[2..4].copy_from_slice(&total_len.to_be_bytes());
        }
        // etherparse does not keep the reserved bit, which is part of the checksum.
        if let Some(flags) = packet.get_mut(6) {
            *flags &= 0x7f;
        }
        let sum = ep::Ipv4HeaderSlice::from_slice(&packet).map(|h| h.to_header().calc_header_checksum());
        if let (Ok(sum), true) = (sum, fix_sum) {
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        let header = ep::Ipv4HeaderSlice::from_slice(&packet).ok();
        let accepted = header.as_ref().filter(|h| {
            usize::from(h.total_len()) >= h.slice().len() && usize::from(h.total_len()) <= packet.len()
        });
        let ours = ipv4::Ipv4View::parse(&packet);
        prop_assert_eq!(ours.is_ok(), accepted.is_some());
        let Some(theirs) = accepted else { return Ok(()) };
        let ours = ours.unwrap();
        prop_assert_eq!((ours.src(), ours.dst()), (theirs.source_addr(), theirs.destination_addr()));
        prop_assert_eq!((ours.protocol().0, ours.ttl(), ours.ident()), (theirs.protocol().0, theirs.ttl(), theirs.identification()));
        prop_assert_eq!((ours.dscp(), ours.ecn()), (theirs.dcp().value(), theirs.ecn().value()));
        prop_assert_eq!((ours.dont_fragment(), ours.more_fragments()), (theirs.dont_fragment(), theirs.more_fragments()));
        prop_assert_eq!(usize::from(ours.fragment_offset()), usize::from(theirs.fragments_offset().value()) * 8);
        prop_assert_eq!(ours.is_fragment(), theirs.is_fragmenting_payload());
        prop_assert_eq!((ours.header(), ours.options()), (theirs.slice(), theirs.options()));
        prop_assert_eq!(ours.payload(), &packet[theirs.slice().len()..usize::from(theirs.total_len())]);
        prop_assert_eq!(ours.checksum(), theirs.header_checksum());

        let (right, there) = (theirs.to_header().calc_header_checksum(), theirs.header_checksum());
        // In one's complement ffff is zero, too.
        let valid = there == right || (there, right) == (0xffff, 0);
        prop_assert_eq!(ours.verify_checksum().is_ok(), valid);
        prop_assert!(valid || !fix_sum);
    }
}

trait AddFour {
    fn add_4bytes_of(self, value: [u8; 4]) -> Self;
}

impl AddFour for ep::checksum::Sum16BitWords {
    fn add_4bytes_of(mut self, value: [u8; 4]) -> Self {
        self.add_4bytes(value)
    }
}

/// What etherparse makes of our value; `None` where it has no name for it.
fn ep_icmp(message: &icmpv4::IcmpMessage<'_>) -> Option<ep::Icmpv4Type> {
    use ep::Icmpv4Type as T;
    use icmpv4::IcmpMessage as M;
    Some(match *message {
        M::EchoRequest { ident, seq, .. } => T::EchoRequest(ep::IcmpEchoHeader { id: ident, seq }),
        M::EchoReply { ident, seq, .. } => T::EchoReply(ep::IcmpEchoHeader { id: ident, seq }),
        M::DestUnreachable { code, next_hop_mtu, .. } => {
            T::DestinationUnreachable(ep::icmpv4::DestUnreachableHeader::from_values(code, next_hop_mtu)?)
        }
        M::TimeExceeded { code, .. } => T::TimeExceeded(ep::icmpv4::TimeExceededCode::from_u8(code)?),
        M::ParameterProblem { code, pointer, .. } => {
            T::ParameterProblem(ep::icmpv4::ParameterProblemHeader::from_values(code, pointer)?)
        }
        M::Other { message_type, code, rest, .. } => {
            T::Unknown { type_u8: message_type, code_u8: code, bytes5to8: rest }
        }
    })
}

/// A message that both sides express with all its fields.
fn any_icmp(data: &[u8]) -> impl Strategy<Value = icmpv4::IcmpMessage<'_>> {
    use icmpv4::IcmpMessage as M;
    prop_oneof![
        any::<(u16, u16)>().prop_map(move |(ident, seq)| M::EchoRequest { ident, seq, data }),
        any::<(u16, u16)>().prop_map(move |(ident, seq)| M::EchoReply { ident, seq, data }),
        (0u8..16, any::<u16>()).prop_map(move |(code, mtu)| M::DestUnreachable {
            code,
            next_hop_mtu: if code == icmpv4::unreachable::FRAGMENTATION_NEEDED { mtu } else { 0 },
            original: data
        }),
        (0u8..2).prop_map(move |code| M::TimeExceeded { code, original: data }),
        (0u8..3, any::<u8>()).prop_map(move |(code, pointer)| M::ParameterProblem {
            code,
            pointer: if code == 0 { pointer } else { 0 },
            original: data
        }),
        (20u8..40, any::<u8>(), any::<[u8; 4]>()).prop_map(move |(message_type, code, rest)| M::Other {
            message_type,
            code,
            rest,
            data
        }),
    ]
}

static ICMP_DATA: [u8; 600] = [0xa5; 600];

proptest! {
    #[test]
    fn icmp_both_ways(len in 0usize..600, message in (0usize..600).prop_flat_map(|n| any_icmp(&ICMP_DATA[..n]))) {
        let mut buf = [0xee; 700];
        let written = message.write(&mut buf).unwrap();
        let theirs = ep::Icmpv4Header::with_checksum(ep_icmp(&message).unwrap(), message.payload());
        let their_bytes = [&theirs.to_bytes()[..], message.payload()].concat();
        prop_assert_eq!(&buf[..written], &their_bytes[..]);
        let view = icmpv4::Icmpv4View::parse(&their_bytes).unwrap();
        prop_assert_eq!(view.message(), message);
        prop_assert_eq!(view.verify_checksum(), Ok(()));
        prop_assert_eq!(message.write(&mut buf[..len]).is_ok(), len >= written);
    }

    #[test]
    fn icmp_read_here(mut packet in bytes(60), kind in prop_oneof![Just(None), (0u8..20).prop_map(Some)], code in 0u8..18) {
        if let (Some(kind), [first, second, ..]) = (kind, &mut packet[..]) {
            (*first, *second) = (kind, code);
        }
        let ours = icmpv4::Icmpv4View::parse(&packet);
        prop_assert_eq!(ours.is_ok(), packet.len() >= 8);
        // etherparse also wants timestamp messages to be 20 bytes.
        let (Ok(ours), Ok(theirs)) = (ours, ep::Icmpv4Slice::from_slice(&packet)) else { return Ok(()) };
        prop_assert_eq!((ours.message_type(), ours.code()), (theirs.type_u8(), theirs.code_u8()));
        // Types that etherparse names and we do not are "other" here.
        use icmpv4::IcmpMessage as M;
        match (ours.message(), ep_icmp(&ours.message())) {
            (M::Other { .. }, _) => prop_assert!(!matches!(
                theirs.icmp_type(),
                ep::Icmpv4Type::EchoRequest(_)
                    | ep::Icmpv4Type::EchoReply(_)
                    | ep::Icmpv4Type::DestinationUnreachable(_)
                    | ep::Icmpv4Type::TimeExceeded(_)
                    | ep::Icmpv4Type::ParameterProblem(_)
            )),
            (message, Some(named)) => {
                prop_assert_eq!(theirs.icmp_type(), named);
                prop_assert_eq!(message.payload(), theirs.payload());
            }
            (_, None) => assert!(matches!(theirs.icmp_type(), ep::Icmpv4Type::Unknown { .. })),
        }
    }

    #[test]
    fn udp_both_ways(src: [u8; 4], dst: [u8; 4], ports: (u16, u16), payload in bytes(600)) {
        let (a, b) = (Ipv4Addr::from(src), Ipv4Addr::from(dst));
        let header = UdpHeader { src_port: ports.0, dst_port: ports.1, payload_len: payload.len() as u16 };
        let mut datagram = vec![0; header.len()];
        header.write(&mut datagram).unwrap();
        datagram.extend(&payload);
        udp::fill_checksum(&mut datagram, a, b).unwrap();
        let ip = ep::Ipv4Header::new(0, 64, ep::ip_number::UDP, src, dst).unwrap();
        let theirs = ep::UdpHeader::with_ipv4_checksum(ports.0, ports.1, &ip, &payload).unwrap();
        prop_assert_eq!(&datagram[..8], &theirs.to_bytes()[..]);
        let view = UdpView::parse(&datagram).unwrap();
        prop_assert_eq!((view.src_port(), view.dst_port(), view.payload()), (ports.0, ports.1, &payload[..]));
        prop_assert_eq!(view.verify_checksum(a, b), Ok(()));
    }

    #[test]
    fn udp_read_here(mut packet in bytes(60), len in prop_oneof![Just(None), (1u16..70).prop_map(Some)]) {
        if let (Some(len), true) = (len, packet.len() >= 6) {
            packet[4..6].copy_from_slice(&len.to_be_bytes());
        }
        // Zero is "to the end of the packet" in IPv6 jumbograms, which etherparse grants to IPv4 as well.
        prop_assume!(packet.len() < 6 || packet[4..6] != [0, 0]);
        match (UdpView::parse(&packet), ep::UdpSlice::from_slice(&packet)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours.payload(), theirs.payload()),
            (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs),
        }
    }
}

fn any_tcp_options() -> impl Strategy<Value = TcpOptions> {
    let sack = vec(any::<(u32, u32)>(), 0..=4);
    (any::<Option<u16>>(), any::<Option<u8>>(), any::<bool>(), sack, any::<Option<(u32, u32)>>()).prop_map(
        |(mss, window_scale, sack_permitted, pairs, timestamps)| {
            let mut sack = SackBlocks::NONE;
            for (start, end) in pairs {
                sack.push(SeqNumber(start), SeqNumber(end));
            }
            TcpOptions { mss, window_scale, sack_permitted, sack, timestamps, user_timeout: None }
        },
    )
}

fn any_tcp_header() -> impl Strategy<Value = TcpHeader> {
    (any::<(u16, u16, u32, u32)>(), any::<(u8, u16, u16)>(), any_tcp_options()).prop_map(
        |((src_port, dst_port, seq, ack), (flags, window, urgent), options)| TcpHeader {
            src_port,
            dst_port,
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            flags: TcpFlags(flags),
            window,
            urgent,
            options,
        },
    )
}

fn flags_of(theirs: &ep::TcpHeader) -> TcpFlags {
    let bits =
        [theirs.fin, theirs.syn, theirs.rst, theirs.psh, theirs.ack, theirs.urg, theirs.ece, theirs.cwr];
    TcpFlags(bits.iter().enumerate().map(|(i, bit)| u8::from(*bit) << i).sum())
}

fn ep_option(option: TcpOption<'_>) -> Option<ep::TcpOptionElement> {
    use ep::TcpOptionElement as E;
    Some(match option {
        TcpOption::Nop => E::Noop,
        TcpOption::Mss(mss) => E::MaximumSegmentSize(mss),
        TcpOption::WindowScale(shift) => E::WindowScale(shift),
        TcpOption::SackPermitted => E::SelectiveAcknowledgementPermitted,
        TcpOption::Sack(blocks) => {
            let mut pairs = blocks.iter().map(|(a, b)| (a.0, b.0));
            E::SelectiveAcknowledgement(pairs.next()?, [pairs.next(), pairs.next(), pairs.next()])
        }
        TcpOption::Timestamps { value, echo } => E::Timestamp(value, echo),
        TcpOption::UserTimeout(_) | TcpOption::FastOpen(_) | TcpOption::Unknown { .. } => return None,
    })
}

/// Both walk the same options up to an error, or to an option that only we know.
fn assert_same_options(bytes: &[u8]) {
    let mut theirs = ep::TcpOptionsIterator::from_slice(bytes);
    for ours in tcp::TcpOptionIter::new(bytes) {
        let next = theirs.next().expect("etherparse sees an option, or an error, too");
        match ours.map(ep_option) {
            Ok(Some(option)) => assert_eq!(next, Ok(option)),
            Ok(None) => {
                assert!(matches!(next, Err(ep::TcpOptionReadError::UnknownId(_))), "{next:?}");
                return;
            }
            Err(_) => {
                assert!(next.is_err(), "{next:?}");
                return;
            }
        }
    }
    assert_eq!(theirs.next(), None);
}

proptest! {
    #[test]
    fn tcp_written_here(header in any_tcp_header(), payload in bytes(300), src: [u8; 4], dst: [u8; 4]) {
        let (a, b) = (Ipv4Addr::from(src), Ipv4Addr::from(dst));
        let mut segment = vec![0xee; header.len()];
        prop_assert_eq!(header.write(&mut segment), Ok(header.len()));
        segment.extend(&payload);
        tcp::fill_checksum(&mut segment, a, b).unwrap();

        let (theirs, rest) = ep::TcpHeader::from_slice(&segment).unwrap();
        prop_assert_eq!(rest, &payload[..]);
        prop_assert_eq!((theirs.source_port, theirs.destination_port), (header.src_port, header.dst_port));
        prop_assert_eq!((theirs.sequence_number, theirs.acknowledgment_number), (header.seq.0, header.ack.0));
        prop_assert_eq!((theirs.window_size, theirs.urgent_pointer), (header.window, header.urgent));
        prop_assert_eq!(flags_of(&theirs), header.flags);
        prop_assert!(!theirs.ns);
        prop_assert_eq!(theirs.checksum, theirs.calc_checksum_ipv4_raw(src, dst, &payload).unwrap());
        assert_same_options(theirs.options.as_slice());

        let view = TcpView::parse(&segment).unwrap();
        let kept = view.options().unwrap();
        prop_assert_eq!(TcpHeader { options: TcpOptions { sack: header.options.sack, ..kept }, ..header }, header);
        prop_assert_eq!(view.verify_checksum(a, b), Ok(()));
        prop_assert_eq!((view.flags(), view.payload(), view.payload_offset()), (header.flags, &payload[..], header.len()));
    }

    #[test]
    fn tcp_read_here(mut segment in bytes(100), offset in prop_oneof![Just(None), (4u8..16).prop_map(Some)], src: [u8; 4], dst: [u8; 4]) {
        if let (Some(offset), Some(byte)) = (offset, segment.get_mut(12)) {
            *byte = offset << 4;
        }
        let (ours, theirs) = (TcpView::parse(&segment), ep::TcpSlice::from_slice(&segment));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok());
        let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return Ok(()) };
        prop_assert_eq!((ours.src_port(), ours.dst_port()), (theirs.source_port(), theirs.destination_port()));
        prop_assert_eq!((ours.seq().0, ours.ack().0), (theirs.sequence_number(), theirs.acknowledgment_number()));
        prop_assert_eq!((ours.window(), ours.urgent()), (theirs.window_size(), theirs.urgent_pointer()));
        prop_assert_eq!(ours.flags(), flags_of(&theirs.to_header()));
        prop_assert_eq!((ours.header_len(), ours.payload()), (theirs.header_slice().len(), theirs.payload()));
        prop_assert_eq!((ours.option_bytes(), ours.checksum()), (theirs.options(), theirs.checksum()));
        assert_same_options(ours.option_bytes());

        let right = theirs.calc_checksum_ipv4(src, dst).unwrap();
        segment[16..18].copy_from_slice(&right.to_be_bytes());
        prop_assert_eq!(TcpView::parse(&segment).unwrap().verify_checksum(src.into(), dst.into()), Ok(()));
        let mut filled = segment.clone();
        tcp::fill_checksum(&mut filled, src.into(), dst.into()).unwrap();
        prop_assert_eq!(filled, segment);
    }

    #[test]
    fn tcp_options_written_there(elements in vec(prop_oneof![
        Just(ep::TcpOptionElement::Noop),
        any::<u16>().prop_map(ep::TcpOptionElement::MaximumSegmentSize),
        any::<u8>().prop_map(ep::TcpOptionElement::WindowScale),
        Just(ep::TcpOptionElement::SelectiveAcknowledgementPermitted),
        (any::<(u32, u32)>(), any::<Option<(u32, u32)>>()).prop_map(|(a, b)| ep::TcpOptionElement::SelectiveAcknowledgement(a, [b, None, None])),
        any::<(u32, u32)>().prop_map(|(a, b)| ep::TcpOptionElement::Timestamp(a, b)),
    ], 0..6)) {
        let Ok(written) = ep::TcpOptions::try_from_elements(&elements) else { return Ok(()) };
        let read: Vec<_> = tcp::TcpOptionIter::new(&written).map(|o| ep_option(o.unwrap()).unwrap()).collect();
        prop_assert_eq!(read, elements);
    }

    #[test]
    fn tcp_options_of_rubbish(kinds in vec((0u8..10, 0u8..14), 0..8), rest in bytes(40)) {
        // Kinds and lengths that are often right, so that more than the first option is reached.
        let mut options = Vec::new();
        for (kind, len) in kinds {
            let usual = [0, 0, 4, 3, 2, 10, len, len, 10, len][usize::from(kind)];
            match kind {
                0 | 1 => options.push(1),
                _ => {
                    options.extend([kind, if len == 13 { len } else { usual }]);
                    options.resize(options.len() + usize::from(usual.saturating_sub(2)), len);
                }
            }
        }
        options.extend(rest);
        options.truncate(40);
        assert_same_options(&options);
    }
}
