//! The flow model in OpenFlow 1.3.

use std::net::Ipv4Addr;

use ferroflow_openflow::Version;
use ferroflow_openflow::v13::{self, Instruction, Oxm};
use ferroflow_wire::MacAddr;

use super::{FlowCommand, FlowMod, Out, PacketOutMsg};
use crate::app::Refused;
use crate::flow::prefix_mask;
use crate::flow::{Action, Match, PortNo, StatsRequest, Unsupported, VlanMatch};

/// A list of actions as 1.3 writes it: one of ours may be two of theirs.
#[derive(Debug, Clone)]
struct Compiled<'a> {
    rest: std::slice::Iter<'a, Action>,
    second: Option<v13::Action<'static>>,
}

impl Iterator for Compiled<'_> {
    type Item = v13::Action<'static>;

    #[inline]
    fn next(&mut self) -> Option<v13::Action<'static>> {
        if let Some(second) = self.second.take() {
            return Some(second);
        }
        Some(match *self.rest.next()? {
            Action::Output(n) => v13::Action::output(n.0),
            Action::ToController(max_len) => v13::Action::Output { port: v13::OFPP_CONTROLLER, max_len },
            Action::Group(n) => v13::Action::Group(n),
            Action::SetQueue(n) => v13::Action::SetQueue(n),
            Action::PushVlan(vid) => {
                self.second = Some(vlan_vid(vid));
                v13::Action::PushVlan(0x8100)
            }
            Action::SetVlan(vid) => vlan_vid(vid),
            Action::SetVlanPcp(pcp) => v13::Action::SetField(Oxm::VlanPcp(pcp)),
            Action::PopVlan => v13::Action::PopVlan,
            Action::SetEthSrc(mac) => v13::Action::SetField(Oxm::EthSrc(mac.0, None)),
            Action::SetEthDst(mac) => v13::Action::SetField(Oxm::EthDst(mac.0, None)),
            Action::SetIpv4Src(ip) => v13::Action::SetField(Oxm::Ipv4Src(ip, None)),
            Action::SetIpv4Dst(ip) => v13::Action::SetField(Oxm::Ipv4Dst(ip, None)),
        })
    }
}

fn vlan_vid(vid: u16) -> v13::Action<'static> {
    v13::Action::SetField(Oxm::VlanVid(v13::OFPVID_PRESENT | vid & 0xfff, None))
}

#[inline]
fn actions(list: &[Action]) -> Compiled<'_> {
    Compiled { rest: list.iter(), second: None }
}

fn net((ip, len): (Ipv4Addr, u8)) -> (Ipv4Addr, Option<Ipv4Addr>) {
    let mask = Ipv4Addr::from(prefix_mask(len));
    if len >= 32 { (ip, None) } else { (Ipv4Addr::from(u32::from(ip) & u32::from(mask)), Some(mask)) }
}

/// Fields of layer 2, which come first.
const LAYER_2: usize = 6;
/// All fields.
const FIELDS: usize = 11;

/// A match as 1.3 writes it: its fields, prerequisites first (OF 1.3.5 7.2.3.6).
struct Fields<const N: usize> {
    list: [Oxm<'static>; N],
    len: usize,
}

impl<const N: usize> Fields<N> {
    #[inline(always)]
    fn push(&mut self, field: Oxm<'static>) {
        self.list[self.len] = field;
        self.len += 1;
    }
}

#[inline]
fn matching<const N: usize>(m: &Match) -> Result<Fields<N>, Refused> {
    let mut to = Fields { list: [const { Oxm::InPort(0) }; N], len: 0 };
    if let Some(n) = m.in_port {
        to.push(Oxm::InPort(n.0));
    }
    if let Some(mac) = m.eth_dst {
        to.push(Oxm::EthDst(mac.0, None));
    }
    if let Some(mac) = m.eth_src {
        to.push(Oxm::EthSrc(mac.0, None));
    }
    if let Some(ethertype) = m.eth_type {
        to.push(Oxm::EthType(ethertype));
    }
    match m.vlan {
        Some(VlanMatch::Untagged) => to.push(Oxm::VlanVid(v13::OFPVID_NONE, None)),
        Some(VlanMatch::Id(vid)) => to.push(Oxm::VlanVid(v13::OFPVID_PRESENT | vid & 0xfff, None)),
        None => {}
    }
    if let Some(pcp) = m.vlan_pcp {
        to.push(Oxm::VlanPcp(pcp));
    }
    if N > LAYER_2 {
        layer3(m, &mut to);
        if m.l4_src.is_some() || m.l4_dst.is_some() {
            layer4(m, &mut to)?;
        }
    }
    Ok(to)
}

fn layer3<const N: usize>(m: &Match, to: &mut Fields<N>) {
    if let Some(protocol) = m.ip_proto {
        to.push(Oxm::IpProto(protocol));
    }
    if let Some((ip, mask)) = m.ipv4_src.filter(|(_, len)| *len > 0).map(net) {
        to.push(Oxm::Ipv4Src(ip, mask));
    }
    if let Some((ip, mask)) = m.ipv4_dst.filter(|(_, len)| *len > 0).map(net) {
        to.push(Oxm::Ipv4Dst(ip, mask));
    }
}

fn layer4<const N: usize>(m: &Match, to: &mut Fields<N>) -> Result<(), Refused> {
    type Field = fn(u16) -> Oxm<'static>;
    let (src, dst): (Field, Field) = match m.ip_proto {
        Some(6) => (Oxm::TcpSrc, Oxm::TcpDst),
        Some(17) => (Oxm::UdpSrc, Oxm::UdpDst),
        _ => {
            let what = "ports of an IP protocol but TCP (6) and UDP (17)";
            return Err(Refused::Unsupported(Unsupported { version: Version::V1_3, what }));
        }
    };
    if let Some(n) = m.l4_src {
        to.push(src(n));
    }
    if let Some(n) = m.l4_dst {
        to.push(dst(n));
    }
    Ok(())
}

/// A received match in the words of the flow model; what that has no words for is left out.
pub(crate) fn matching_from(m: &v13::Match<'_>) -> Match {
    let mut to = Match::ALL;
    let prefix = |mask: Option<Ipv4Addr>| mask.map_or(32, |m| u32::from(m).leading_ones() as u8);
    for field in m.iter() {
        match field {
            Oxm::InPort(n) => to.in_port = Some(PortNo(n)),
            Oxm::EthDst(mac, None) => to.eth_dst = Some(MacAddr(mac)),
            Oxm::EthSrc(mac, None) => to.eth_src = Some(MacAddr(mac)),
            Oxm::EthType(ethertype) => to.eth_type = Some(ethertype),
            Oxm::VlanVid(v13::OFPVID_NONE, None) => to.vlan = Some(VlanMatch::Untagged),
            Oxm::VlanVid(vid, None) => to.vlan = Some(VlanMatch::Id(vid & 0xfff)),
            Oxm::VlanPcp(pcp) => to.vlan_pcp = Some(pcp),
            Oxm::IpProto(protocol) => to.ip_proto = Some(protocol),
            Oxm::Ipv4Src(ip, mask) => to.ipv4_src = Some((ip, prefix(mask))),
            Oxm::Ipv4Dst(ip, mask) => to.ipv4_dst = Some((ip, prefix(mask))),
            Oxm::TcpSrc(n) | Oxm::UdpSrc(n) => to.l4_src = Some(n),
            Oxm::TcpDst(n) | Oxm::UdpDst(n) => to.l4_dst = Some(n),
            _ => {}
        }
    }
    to
}

#[inline]
pub(super) fn flow_mod(out: &mut Out<'_>, m: &FlowMod<'_>) -> Result<(), Refused> {
    let f = m.matching;
    let layer3 = f.ip_proto.is_some() || f.ipv4_src.is_some() || f.ipv4_dst.is_some();
    // Most flows match nothing above layer 2: room for more fields costs time to clear.
    if layer3 || f.l4_src.is_some() || f.l4_dst.is_some() {
        write_flow_mod::<FIELDS>(out, m)
    } else {
        write_flow_mod::<LAYER_2>(out, m)
    }
}

#[inline]
fn write_flow_mod<const N: usize>(out: &mut Out<'_>, m: &FlowMod<'_>) -> Result<(), Refused> {
    let fields = matching::<N>(m.matching)?;
    let instructions =
        [Instruction::ApplyActions(actions(m.actions)), Instruction::GotoTable(m.goto_table.unwrap_or(0))];
    let from = usize::from(m.actions.is_empty());
    let to = 1 + usize::from(m.goto_table.is_some());
    let command = match m.command {
        FlowCommand::Add => v13::FlowModCommand::OFPFC_ADD,
        FlowCommand::Delete => v13::FlowModCommand::OFPFC_DELETE,
        FlowCommand::DeleteStrict => v13::FlowModCommand::OFPFC_DELETE_STRICT,
    };
    out.put(&v13::FlowMod {
        xid: m.xid,
        cookie: m.cookie,
        cookie_mask: m.cookie_mask,
        table_id: m.table.unwrap_or(v13::OFPTT_ALL),
        command,
        idle_timeout: m.idle_timeout_s,
        hard_timeout: m.hard_timeout_s,
        priority: m.priority,
        buffer_id: m.buffer,
        out_port: m.out_port.0,
        flags: if m.notify { v13::OFPFF_SEND_FLOW_REM } else { 0 },
        ..v13::FlowMod::new(&fields.list[..fields.len], &instructions[from..to])
    })
}

#[inline]
pub(super) fn packet_out(out: &mut Out<'_>, m: &PacketOutMsg<'_>) -> Result<(), Refused> {
    out.put(&v13::PacketOut {
        xid: m.xid,
        buffer_id: m.buffer,
        in_port: m.in_port.0,
        actions: actions(m.actions),
        data: m.data,
    })
}

pub(super) fn stats(out: &mut Out<'_>, xid: u32, what: StatsRequest) -> Result<(), Refused> {
    match what {
        StatsRequest::Description => out.put(&v13::MultipartRequest::desc(xid)),
        StatsRequest::Ports(n) => {
            out.put(&v13::MultipartRequest::port_stats(xid, n.map_or(v13::OFPP_ANY, |n| n.0)))
        }
    }
}
