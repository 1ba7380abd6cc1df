//! What is built is what is read, and no bytes whatever make a parser panic.

use ferroflow_openflow::{Echo, Encode, ErrorMsg, Header, Hello, v10, v13};
use proptest::prelude::*;

fn parse_all(msg: &[u8]) {
    let _ = Header::parse(msg);
    let _ = Hello::parse(msg);
    let _ = Echo::parse(msg);
    let _ = ErrorMsg::parse(msg).map(|e| (e.to_string(), e.failed()));
    let _ = v10::FeaturesRequest::parse(msg);
    let _ = v10::FeaturesReply::parse(msg).map(|m| format!("{m:?}"));
    let _ = v10::SetConfig::parse(msg);
    let _ = v10::PacketIn::parse(msg).map(|m| m.is_truncated());
    let _ = v10::PacketOut::parse(msg).map(|m| (format!("{m:?}"), m.to_vec()));
    let _ = v10::FlowMod::parse(msg).map(|m| (format!("{m:?}"), m.to_vec()));
    let _ = v10::FlowRemoved::parse(msg);
    let _ = v10::PortStatus::parse(msg);
    let _ = v10::StatsRequest::parse(msg).map(|m| m.to_vec());
    let _ = v10::StatsReply::parse(msg).map(|m| (format!("{m:?}"), m.to_vec()));
    let _ = v13::FeaturesReply::parse(msg);
    let _ = v13::PacketIn::parse(msg).map(|m| (m.in_port(), format!("{m:?}"), m.to_vec()));
    let _ = v13::PacketOut::parse(msg).map(|m| (format!("{m:?}"), m.to_vec()));
    let _ = v13::FlowMod::parse(msg).map(|m| (format!("{m:?}"), m.to_vec()));
    let _ = v13::FlowRemoved::parse(msg).map(|m| (format!("{m:?}"), m.to_vec()));
    let _ = v13::PortStatus::parse(msg);
    let _ = v13::MultipartRequest::parse(msg).map(|m| m.to_vec());
    let _ = v13::MultipartReply::parse(msg).map(|m| (format!("{m:?}"), m.to_vec()));
}

/// A message of this version, type and body, with its right length.
fn framed(version: u8, ty: u8, body: &[u8]) -> Vec<u8> {
    let len = 8 + body.len();
    let mut msg = vec![version, ty, (len >> 8) as u8, len as u8, 0, 0, 0, 1];
    msg.extend_from_slice(body);
    msg
}

fn v10_match() -> impl Strategy<Value = v10::Match> {
    let addresses = (any::<[u8; 6]>(), any::<[u8; 6]>(), any::<[u8; 4]>(), any::<[u8; 4]>());
    let small = (any::<u8>(), any::<u8>(), any::<u8>());
    let wide = any::<[u16; 5]>();
    (any::<u32>(), addresses, small, wide).prop_map(
        |(wildcards, (src, dst, nw_src, nw_dst), (pcp, tos, proto), w)| v10::Match {
            wildcards,
            in_port: w[0],
            dl_src: src,
            dl_dst: dst,
            dl_vlan: w[1],
            dl_vlan_pcp: pcp,
            dl_type: w[2],
            nw_tos: tos,
            nw_proto: proto,
            nw_src: nw_src.into(),
            nw_dst: nw_dst.into(),
            tp_src: w[3],
            tp_dst: w[4],
        },
    )
}

fn v10_action() -> impl Strategy<Value = v10::Action<'static>> {
    use v10::Action;
    prop_oneof![
        (any::<u16>(), any::<u16>()).prop_map(|(port, max_len)| Action::Output { port, max_len }),
        any::<u16>().prop_map(Action::SetVlanVid),
        any::<u8>().prop_map(Action::SetVlanPcp),
        Just(Action::StripVlan),
        any::<[u8; 6]>().prop_map(Action::SetDlSrc),
        any::<[u8; 6]>().prop_map(Action::SetDlDst),
        any::<[u8; 4]>().prop_map(|a| Action::SetNwSrc(a.into())),
        any::<[u8; 4]>().prop_map(|a| Action::SetNwDst(a.into())),
        any::<u8>().prop_map(Action::SetNwTos),
        any::<u16>().prop_map(Action::SetTpSrc),
        any::<u16>().prop_map(Action::SetTpDst),
        (any::<u16>(), any::<u32>()).prop_map(|(port, queue_id)| Action::Enqueue { port, queue_id }),
        Just(Action::Other { ty: v10::ActionType(0x77), body: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }),
    ]
}

fn oxm() -> impl Strategy<Value = v13::Oxm<'static>> {
    use v13::Oxm;
    let mac = any::<[u8; 6]>;
    let ip = || any::<[u8; 4]>().prop_map(std::net::Ipv4Addr::from);
    let ip6 = || any::<[u8; 16]>().prop_map(std::net::Ipv6Addr::from);
    prop_oneof![
        any::<u32>().prop_map(Oxm::InPort),
        any::<u16>().prop_map(Oxm::EthType),
        any::<u8>().prop_map(Oxm::VlanPcp),
        any::<u8>().prop_map(Oxm::IpProto),
        any::<u16>().prop_map(Oxm::TcpSrc),
        any::<u16>().prop_map(Oxm::UdpDst),
        any::<u16>().prop_map(Oxm::ArpOp),
        (mac(), any::<Option<[u8; 6]>>()).prop_map(|(v, m)| Oxm::EthDst(v, m)),
        (mac(), any::<Option<[u8; 6]>>()).prop_map(|(v, m)| Oxm::EthSrc(v, m)),
        any::<(u16, Option<u16>)>().prop_map(|(v, m)| Oxm::VlanVid(v, m)),
        any::<(u64, Option<u64>)>().prop_map(|(v, m)| Oxm::Metadata(v, m)),
        (ip(), prop::option::of(ip())).prop_map(|(v, m)| Oxm::Ipv4Src(v, m)),
        (ip6(), prop::option::of(ip6())).prop_map(|(v, m)| Oxm::Ipv6Dst(v, m)),
        (any::<[u8; 3]>(), any::<Option<[u8; 3]>>()).prop_map(|(v, m)| Oxm::PbbIsid(v, m)),
        Just(Oxm::Other { header: v13::OxmHeader(0x0001_0203), body: &[7, 8, 9] }),
    ]
}

fn v13_action() -> impl Strategy<Value = v13::Action<'static>> {
    use v13::Action;
    prop_oneof![
        (any::<u32>(), any::<u16>()).prop_map(|(port, max_len)| Action::Output { port, max_len }),
        any::<u16>().prop_map(Action::PushVlan),
        Just(Action::PopVlan),
        any::<u32>().prop_map(Action::Group),
        any::<u32>().prop_map(Action::SetQueue),
        any::<u8>().prop_map(Action::SetNwTtl),
        any::<u32>().prop_map(|p| Action::SetField(v13::Oxm::InPort(p))),
        any::<[u8; 6]>().prop_map(|a| Action::SetField(v13::Oxm::EthDst(a, None))),
        any::<u8>().prop_map(|a| Action::SetField(v13::Oxm::IpDscp(a))),
        Just(Action::Other { ty: v13::ActionType(0x77), body: &[1, 2, 3, 4] }),
    ]
}

type OwnedInstruction = v13::Instruction<'static, Vec<v13::Action<'static>>>;

fn instruction() -> impl Strategy<Value = OwnedInstruction> {
    use v13::Instruction;
    let actions = || prop::collection::vec(v13_action(), 0..6);
    prop_oneof![
        any::<u8>().prop_map(Instruction::GotoTable),
        any::<(u64, u64)>().prop_map(|(metadata, mask)| Instruction::WriteMetadata { metadata, mask }),
        actions().prop_map(Instruction::WriteActions),
        actions().prop_map(Instruction::ApplyActions),
        Just(Instruction::ClearActions),
        any::<u32>().prop_map(Instruction::Meter),
        Just(Instruction::Other { ty: v13::InstructionType(0xffff), body: &[0, 0, 0x23, 0x20] }),
    ]
}

/// The instruction that was read, as one that was built.
fn owned(read: v13::Instruction<'_>) -> v13::Instruction<'_, Vec<v13::Action<'_>>> {
    use v13::Instruction;
    match read {
        Instruction::GotoTable(table) => Instruction::GotoTable(table),
        Instruction::WriteMetadata { metadata, mask } => Instruction::WriteMetadata { metadata, mask },
        Instruction::WriteActions(actions) => Instruction::WriteActions(actions.iter().collect()),
        Instruction::ApplyActions(actions) => Instruction::ApplyActions(actions.iter().collect()),
        Instruction::ClearActions => Instruction::ClearActions,
        Instruction::Meter(meter) => Instruction::Meter(meter),
        Instruction::Other { ty, body } => Instruction::Other { ty, body },
    }
}

proptest! {
    #[test]
    fn v10_flow_mod(
        matching in v10_match(),
        actions in prop::collection::vec(v10_action(), 0..10),
        (xid, cookie, buffer_id) in any::<(u32, u64, u32)>(),
        w in any::<[u16; 6]>(),
    ) {
        let built = v10::FlowMod {
            xid,
            matching,
            cookie,
            command: v10::FlowModCommand(w[0]),
            idle_timeout: w[1],
            hard_timeout: w[2],
            priority: w[3],
            buffer_id,
            out_port: w[4],
            flags: w[5],
            actions: &actions,
        };
        let bytes = built.to_vec();
        let seen = v10::FlowMod::parse(&bytes).unwrap();
        prop_assert_eq!(seen.actions.iter().collect::<Vec<_>>(), actions.clone());
        prop_assert_eq!(v10::FlowMod {
            xid: seen.xid, matching: seen.matching, cookie: seen.cookie, command: seen.command,
            idle_timeout: seen.idle_timeout, hard_timeout: seen.hard_timeout, priority: seen.priority,
            buffer_id: seen.buffer_id, out_port: seen.out_port, flags: seen.flags, actions: &actions,
        }, built);
        prop_assert_eq!(seen.to_vec(), bytes);
    }

    #[test]
    fn v10_packet_out(
        actions in prop::collection::vec(v10_action(), 0..10),
        (xid, buffer_id, in_port) in any::<(u32, u32, u16)>(),
        data in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = v10::PacketOut { xid, buffer_id, in_port, actions: &actions, data: &data }.to_vec();
        let seen = v10::PacketOut::parse(&bytes).unwrap();
        prop_assert_eq!((seen.xid, seen.buffer_id, seen.in_port, seen.data), (xid, buffer_id, in_port, &data[..]));
        prop_assert_eq!(seen.actions.iter().collect::<Vec<_>>(), actions);
    }

    #[test]
    fn v13_flow_mod(
        fields in prop::collection::vec(oxm(), 0..10),
        instructions in prop::collection::vec(instruction(), 0..5),
        (xid, cookie, cookie_mask, table_id, command) in any::<(u32, u64, u64, u8, u8)>(),
        w in any::<[u16; 4]>(),
        l in any::<[u32; 3]>(),
    ) {
        let built = v13::FlowMod {
            xid,
            cookie,
            cookie_mask,
            table_id,
            command: v13::FlowModCommand(command),
            idle_timeout: w[0],
            hard_timeout: w[1],
            priority: w[2],
            buffer_id: l[0],
            out_port: l[1],
            out_group: l[2],
            flags: w[3],
            matching: &fields,
            instructions: &instructions,
        };
        let bytes = built.to_vec();
        let seen = v13::FlowMod::parse(&bytes).unwrap();
        prop_assert_eq!(seen.matching.iter().collect::<Vec<_>>(), fields.clone());
        prop_assert_eq!(seen.instructions.iter().map(owned).collect::<Vec<_>>(), instructions.clone());
        prop_assert_eq!(v13::FlowMod {
            xid: seen.xid, cookie: seen.cookie, cookie_mask: seen.cookie_mask, table_id: seen.table_id,
            command: seen.command, idle_timeout: seen.idle_timeout, hard_timeout: seen.hard_timeout,
            priority: seen.priority, buffer_id: seen.buffer_id, out_port: seen.out_port,
            out_group: seen.out_group, flags: seen.flags, matching: &fields, instructions: &instructions,
        }, built);
        prop_assert_eq!(seen.to_vec(), bytes);
    }

    #[test]
    fn v13_packet_in(
        fields in prop::collection::vec(oxm(), 0..10),
        (xid, buffer_id, total_len, reason, table_id, cookie) in any::<(u32, u32, u16, u8, u8, u64)>(),
        data in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let reason = v13::PacketInReason(reason);
        let built =
            v13::PacketIn { xid, buffer_id, total_len, reason, table_id, cookie, matching: &fields, data: &data };
        let bytes = built.to_vec();
        let seen = v13::PacketIn::parse(&bytes).unwrap();
        prop_assert_eq!(seen.matching.iter().collect::<Vec<_>>(), fields.clone());
        let first_port = fields.iter().find_map(|f| match f { v13::Oxm::InPort(p) => Some(*p), _ => None });
        prop_assert_eq!(seen.in_port(), first_port);
        prop_assert_eq!(
            (seen.xid, seen.buffer_id, seen.total_len, seen.reason, seen.table_id, seen.cookie, seen.data),
            (xid, buffer_id, total_len, reason, table_id, cookie, &data[..])
        );
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        parse_all(&bytes);
    }

    #[test]
    fn random_bodies_never_panic(
        version in prop_oneof![Just(1u8), Just(4u8)],
        ty in 0u8..30,
        body in prop::collection::vec(prop_oneof![3 => 0u8..32, 1 => any::<u8>()], 0..300),
    ) {
        parse_all(&framed(version, ty, &body));
    }

    #[test]
    fn mutated_messages_never_panic(
        fields in prop::collection::vec(oxm(), 0..6),
        instructions in prop::collection::vec(instruction(), 0..4),
        actions in prop::collection::vec(v10_action(), 0..6),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let messages = [
            v13::FlowMod::new(&fields, &instructions).to_vec(),
            v10::FlowMod::new(v10::Match::ANY, &actions).to_vec(),
        ];
        for mut msg in messages {
            for (at, value) in &flips {
                // The header stays, so that the parser goes in.
                let at = 8 + at.index(msg.len() - 8);
                msg[at] = *value;
            }
            parse_all(&msg);
        }
    }
}
