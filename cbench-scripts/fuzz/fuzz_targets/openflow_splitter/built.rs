//! Messages built from the script's values: what is read is what was built.

use std::net::{Ipv4Addr, Ipv6Addr};

use ferroflow_openflow::{Encode, v10, v13};

use crate::input::Script;
use crate::messages;

/// Builds one message, reads it back and compares.
pub fn round_trip(script: &mut Script<'_>) {
    match script.u8() % 5 {
        0 => v10_flow_mod(script),
        1 => v10_packet_out(script),
        2 => v13_flow_mod(script),
        3 => v13_packet_out(script),
        _ => v13_packet_in(script),
    }
}

fn list<T>(script: &mut Script<'_>, mut element: impl FnMut(&mut Script<'_>) -> T) -> Vec<T> {
    let n = usize::from(script.u8() % 16);
    (0..n).map(|_| element(script)).collect()
}

fn v10_flow_mod(script: &mut Script<'_>) {
    let matching = v10::Match {
        wildcards: script.u32(),
        in_port: script.u16(),
        dl_src: script.array(),
        dl_dst: script.array(),
        dl_vlan: script.u16(),
        dl_vlan_pcp: script.u8(),
        dl_type: script.u16(),
        nw_tos: script.u8(),
        nw_proto: script.u8(),
        nw_src: Ipv4Addr::from(script.array()),
        nw_dst: Ipv4Addr::from(script.array()),
        tp_src: script.u16(),
        tp_dst: script.u16(),
    };
    let actions = list(script, v10_action);
    let built = v10::FlowMod {
        xid: script.u32(),
        matching,
        cookie: script.u64(),
        command: v10::FlowModCommand(script.u16()),
        idle_timeout: script.u16(),
        hard_timeout: script.u16(),
        priority: script.u16(),
        buffer_id: script.u32(),
        out_port: script.u16(),
        flags: script.u16(),
        actions: &actions,
    };
    let bytes = built.to_vec();
    let seen = v10::FlowMod::parse(&bytes).expect("what was built can be read");
    assert!(seen.actions.iter().eq(actions.iter().copied()));
    assert_eq!((seen.xid, seen.cookie, seen.command), (built.xid, built.cookie, built.command));
    assert_eq!((seen.matching, seen.flags, seen.out_port), (built.matching, built.flags, built.out_port));
    assert_eq!((seen.idle_timeout, seen.hard_timeout), (built.idle_timeout, built.hard_timeout));
    assert_eq!((seen.priority, seen.buffer_id), (built.priority, built.buffer_id));
    messages::read(&bytes);
}

fn v10_action(script: &mut Script<'_>) -> v10::Action<'static> {
    use v10::Action;
    match script.u8() % 12 {
        0 => Action::Output { port: script.u16(), max_len: script.u16() },
        1 => Action::SetVlanVid(script.u16()),
        2 => Action::SetVlanPcp(script.u8()),
        3 => Action::StripVlan,
        4 => Action::SetDlSrc(script.array()),
        5 => Action::SetDlDst(script.array()),
        6 => Action::SetNwSrc(Ipv4Addr::from(script.array())),
        7 => Action::SetNwDst(Ipv4Addr::from(script.array())),
        8 => Action::SetNwTos(script.u8()),
        9 => Action::SetTpSrc(script.u16()),
        10 => Action::SetTpDst(script.u16()),
        _ => Action::Enqueue { port: script.u16(), queue_id: script.u32() },
    }
}

fn v10_packet_out(script: &mut Script<'_>) {
    let actions = list(script, v10_action);
    let (xid, buffer_id, in_port) = (script.u32(), script.u32(), script.u16());
    let data = script.bytes(1500);
    let bytes = v10::PacketOut { xid, buffer_id, in_port, actions: &actions, data }.to_vec();
    let seen = v10::PacketOut::parse(&bytes).expect("what was built can be read");
    assert_eq!((seen.xid, seen.buffer_id, seen.in_port, seen.data), (xid, buffer_id, in_port, data));
    assert!(seen.actions.iter().eq(actions));
    messages::read(&bytes);
}

fn oxm(script: &mut Script<'_>) -> v13::Oxm<'static> {
    use v13::Oxm;
    let kind = script.u8();
    let masked = kind & 0x80 != 0;
    fn ip4(script: &mut Script<'_>) -> Ipv4Addr {
        Ipv4Addr::from(script.array())
    }
    fn ip6(script: &mut Script<'_>) -> Ipv6Addr {
        Ipv6Addr::from(script.array::<16>())
    }
    match kind & 0x7f {
        0 => Oxm::InPort(script.u32()),
        1 => Oxm::InPhyPort(script.u32()),
        2 => Oxm::Metadata(script.u64(), masked.then(|| script.u64())),
        3 => Oxm::EthDst(script.array(), masked.then(|| script.array())),
        4 => Oxm::EthSrc(script.array(), masked.then(|| script.array())),
        5 => Oxm::EthType(script.u16()),
        6 => Oxm::VlanVid(script.u16(), masked.then(|| script.u16())),
        7 => Oxm::VlanPcp(script.u8()),
        8 => Oxm::IpDscp(script.u8()),
        9 => Oxm::IpProto(script.u8()),
        10 => Oxm::Ipv4Src(ip4(script), masked.then(|| ip4(script))),
        11 => Oxm::Ipv4Dst(ip4(script), masked.then(|| ip4(script))),
        12 => Oxm::TcpSrc(script.u16()),
        13 => Oxm::UdpDst(script.u16()),
        14 => Oxm::ArpOp(script.u16()),
        15 => Oxm::ArpSpa(ip4(script), masked.then(|| ip4(script))),
        16 => Oxm::ArpTha(script.array(), masked.then(|| script.array())),
        17 => Oxm::Ipv6Src(ip6(script), masked.then(|| ip6(script))),
        18 => Oxm::Ipv6NdTarget(ip6(script)),
        19 => Oxm::MplsLabel(script.u32()),
        20 => Oxm::PbbIsid(script.array(), masked.then(|| script.array())),
        21 => Oxm::TunnelId(script.u64(), masked.then(|| script.u64())),
        _ => Oxm::Ipv6Exthdr(script.u16(), masked.then(|| script.u16())),
    }
}

fn v13_action(script: &mut Script<'_>) -> v13::Action<'static> {
    use v13::Action;
    match script.u8() % 17 {
        0 => Action::Output { port: script.u32(), max_len: script.u16() },
        1 => Action::CopyTtlOut,
        2 => Action::CopyTtlIn,
        3 => Action::SetMplsTtl(script.u8()),
        4 => Action::DecMplsTtl,
        5 => Action::PushVlan(script.u16()),
        6 => Action::PopVlan,
        7 => Action::PushMpls(script.u16()),
        8 => Action::PopMpls(script.u16()),
        9 => Action::SetQueue(script.u32()),
        10 => Action::Group(script.u32()),
        11 => Action::SetNwTtl(script.u8()),
        12 => Action::DecNwTtl,
        13 => Action::PushPbb(script.u16()),
        14 => Action::PopPbb,
        15 => Action::SetField(v13::Oxm::Ipv6NdTarget(Ipv6Addr::from(script.array::<16>()))),
        _ => Action::SetField(v13::Oxm::EthDst(script.array(), None)),
    }
}

type Owned = v13::Instruction<'static, Vec<v13::Action<'static>>>;

fn instruction(script: &mut Script<'_>) -> Owned {
    use v13::Instruction;
    match script.u8() % 6 {
        0 => Instruction::GotoTable(script.u8()),
        1 => Instruction::WriteMetadata { metadata: script.u64(), mask: script.u64() },
        2 => Instruction::WriteActions(list(script, v13_action)),
        3 => Instruction::ApplyActions(list(script, v13_action)),
        4 => Instruction::ClearActions,
        _ => Instruction::Meter(script.u32()),
    }
}

fn is(read: &v13::Instruction<'_>, built: &Owned) -> bool {
    use v13::Instruction::{ApplyActions, ClearActions, GotoTable, Meter, WriteActions, WriteMetadata};
    match (read, built) {
        (GotoTable(a), GotoTable(b)) => a == b,
        (WriteMetadata { metadata: a, mask: m }, WriteMetadata { metadata: b, mask: n }) => a == b && m == n,
        (WriteActions(a), WriteActions(b)) | (ApplyActions(a), ApplyActions(b)) => {
            a.iter().eq(b.iter().copied())
        }
        (ClearActions, ClearActions) => true,
        (Meter(a), Meter(b)) => a == b,
        _ => false,
    }
}

fn v13_flow_mod(script: &mut Script<'_>) {
    let fields = list(script, oxm);
    let instructions = list(script, instruction);
    let built = v13::FlowMod {
        xid: script.u32(),
        cookie: script.u64(),
        cookie_mask: script.u64(),
        table_id: script.u8(),
        command: v13::FlowModCommand(script.u8()),
        idle_timeout: script.u16(),
        hard_timeout: script.u16(),
        priority: script.u16(),
        buffer_id: script.u32(),
        out_port: script.u32(),
        out_group: script.u32(),
        flags: script.u16(),
        matching: &fields,
        instructions: &instructions,
    };
    let bytes = built.to_vec();
    let seen = v13::FlowMod::parse(&bytes).expect("what was built can be read");
    assert!(seen.matching.into_iter().eq(fields.iter().copied()));
    let read: Vec<_> = seen.instructions.iter().collect();
    assert!(read.len() == instructions.len() && read.iter().zip(&instructions).all(|(a, b)| is(a, b)));
    assert_eq!((seen.xid, seen.cookie, seen.cookie_mask), (built.xid, built.cookie, built.cookie_mask));
    assert_eq!((seen.table_id, seen.command, seen.flags), (built.table_id, built.command, built.flags));
    assert_eq!((seen.idle_timeout, seen.hard_timeout), (built.idle_timeout, built.hard_timeout));
    assert_eq!((seen.priority, seen.buffer_id), (built.priority, built.buffer_id));
    assert_eq!((seen.out_port, seen.out_group), (built.out_port, built.out_group));
    messages::read(&bytes);
}

fn v13_packet_out(script: &mut Script<'_>) {
    let actions = list(script, v13_action);
    let (xid, buffer_id, in_port) = (script.u32(), script.u32(), script.u32());
    let data = script.bytes(1500);
    let bytes = v13::PacketOut { xid, buffer_id, in_port, actions: &actions, data }.to_vec();
    let seen = v13::PacketOut::parse(&bytes).expect("what was built can be read");
    assert_eq!((seen.xid, seen.buffer_id, seen.in_port, seen.data), (xid, buffer_id, in_port, data));
    assert!(seen.actions.iter().eq(actions));
    messages::read(&bytes);
}

fn v13_packet_in(script: &mut Script<'_>) {
    let fields = list(script, oxm);
    let built = v13::PacketIn {
        xid: script.u32(),
        buffer_id: script.u32(),
        total_len: script.u16(),
        reason: v13::PacketInReason(script.u8()),
        table_id: script.u8(),
        cookie: script.u64(),
        matching: &fields,
        data: script.bytes(1500),
    };
    let bytes = built.to_vec();
    let seen = v13::PacketIn::parse(&bytes).expect("what was built can be read");
    assert!(seen.matching.into_iter().eq(fields.iter().copied()));
    assert_eq!((seen.xid, seen.buffer_id, seen.total_len), (built.xid, built.buffer_id, built.total_len));
    assert_eq!(
        (seen.reason, seen.table_id, seen.cookie, seen.data),
        (built.reason, built.table_id, built.cookie, built.data)
    );
    messages::read(&bytes);
}
