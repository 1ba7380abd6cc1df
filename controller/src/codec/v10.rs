//! The flow model in OpenFlow 1.0.

use ferroflow_openflow::{Version, v10};
use ferroflow_wire::MacAddr;

use super::{FlowCommand, FlowMod, Out, PacketOutMsg};
use crate::app::Refused;
use crate::flow::{Action, Match, PortNo, StatsRequest, Unsupported, VlanMatch};

fn missing(what: &'static str) -> Refused {
    Refused::Unsupported(Unsupported { version: Version::V1_0, what })
}

fn port(n: PortNo) -> Result<u16, Refused> {
    n.to_v10().ok_or(missing("switch ports above 0xff00"))
}

#[inline]
fn check(actions: &[Action]) -> Result<(), Refused> {
    for action in actions {
        match action {
            Action::Output(n) => {
                port(*n)?;
            }
            Action::Group(_) => return Err(missing("groups")),
            Action::SetQueue(_) => return Err(missing("set_queue")),
            _ => {}
        }
    }
    Ok(())
}

/// One action; the list has been through [`check`].
#[inline]
fn action(action: &Action) -> v10::Action<'static> {
    match *action {
        Action::Output(n) => v10::Action::output(n.0 as u16),
        Action::ToController(max_len) => v10::Action::controller(max_len),
        Action::PushVlan(vid) | Action::SetVlan(vid) => v10::Action::SetVlanVid(vid),
        Action::SetVlanPcp(pcp) => v10::Action::SetVlanPcp(pcp),
        Action::SetEthSrc(mac) => v10::Action::SetDlSrc(mac.0),
        Action::SetEthDst(mac) => v10::Action::SetDlDst(mac.0),
        Action::SetIpv4Src(ip) => v10::Action::SetNwSrc(ip),
        Action::SetIpv4Dst(ip) => v10::Action::SetNwDst(ip),
        Action::PopVlan | Action::Group(_) | Action::SetQueue(_) => v10::Action::StripVlan,
    }
}

/// A list of actions as 1.0 writes it. A type of its own, since a mapping by function pointer is not inlined.
#[derive(Debug, Clone)]
struct Compiled<'a>(std::slice::Iter<'a, Action>);

impl Iterator for Compiled<'_> {
    type Item = v10::Action<'static>;

    #[inline]
    fn next(&mut self) -> Option<v10::Action<'static>> {
        self.0.next().map(action)
    }
}

#[inline]
fn actions(list: &[Action]) -> Result<Compiled<'_>, Refused> {
    check(list)?;
    Ok(Compiled(list.iter()))
}

#[inline]
fn matching(m: &Match) -> Result<v10::Match, Refused> {
    let mut to = v10::Match::ANY;
    if let Some(n) = m.in_port {
        to = to.in_port(port(n)?);
    }
    if let Some(mac) = m.eth_src {
        to = to.dl_src(mac.0);
    }
    if let Some(mac) = m.eth_dst {
        to = to.dl_dst(mac.0);
    }
    match m.vlan {
        // OF 1.0 5.2.3: OFP_VLAN_NONE means no tag.
        Some(VlanMatch::Untagged) => to = to.dl_vlan(v10::OFP_VLAN_NONE),
        Some(VlanMatch::Id(vid)) => to = to.dl_vlan(vid & 0xfff),
        None => {}
    }
    if let Some(pcp) = m.vlan_pcp {
        to = to.dl_vlan_pcp(pcp);
    }
    if let Some(ethertype) = m.eth_type {
        to = to.dl_type(ethertype);
    }
    if let Some(protocol) = m.ip_proto {
        to = to.nw_proto(protocol);
    }
    if let Some((ip, len)) = m.ipv4_src {
        to = to.nw_src(ip, len);
    }
    if let Some((ip, len)) = m.ipv4_dst {
        to = to.nw_dst(ip, len);
    }
    if let Some(n) = m.l4_src {
        to = to.tp_src(n);
    }
    if let Some(n) = m.l4_dst {
        to = to.tp_dst(n);
    }
    Ok(to)
}

/// A received match in the words of the flow model; what that has no words for is left out.
pub(crate) fn matching_from(m: &v10::Match) -> Match {
    fn field<T>(m: &v10::Match, bit: u32, value: T) -> Option<T> {
        (!m.is_wild(bit)).then_some(value)
    }
    let vlan = if m.dl_vlan == v10::OFP_VLAN_NONE { VlanMatch::Untagged } else { VlanMatch::Id(m.dl_vlan) };
    Match {
        in_port: field(m, v10::OFPFW_IN_PORT, PortNo::from_v10(m.in_port)),
        eth_src: field(m, v10::OFPFW_DL_SRC, MacAddr(m.dl_src)),
        eth_dst: field(m, v10::OFPFW_DL_DST, MacAddr(m.dl_dst)),
        vlan: field(m, v10::OFPFW_DL_VLAN, vlan),
        vlan_pcp: field(m, v10::OFPFW_DL_VLAN_PCP, m.dl_vlan_pcp),
        eth_type: field(m, v10::OFPFW_DL_TYPE, m.dl_type),
        ip_proto: field(m, v10::OFPFW_NW_PROTO, m.nw_proto),
        ipv4_src: Some((m.nw_src, m.nw_src_prefix())).filter(|(_, len)| *len > 0),
        ipv4_dst: Some((m.nw_dst, m.nw_dst_prefix())).filter(|(_, len)| *len > 0),
        l4_src: field(m, v10::OFPFW_TP_SRC, m.tp_src),
        l4_dst: field(m, v10::OFPFW_TP_DST, m.tp_dst),
    }
}

#[inline]
pub(super) fn flow_mod(out: &mut Out<'_>, m: &FlowMod<'_>) -> Result<(), Refused> {
    if m.table.is_some_and(|t| t != 0) {
        return Err(missing("tables but table 0"));
    }
    if m.goto_table.is_some() {
        return Err(missing("goto_table"));
    }
    out.put(&v10::FlowMod {
        xid: m.xid,
        matching: matching(m.matching)?,
        cookie: m.cookie,
        command: match m.command {
            FlowCommand::Add => v10::FlowModCommand::OFPFC_ADD,
            FlowCommand::Delete => v10::FlowModCommand::OFPFC_DELETE,
            FlowCommand::DeleteStrict => v10::FlowModCommand::OFPFC_DELETE_STRICT,
        },
        idle_timeout: m.idle_timeout_s,
        hard_timeout: m.hard_timeout_s,
        priority: m.priority,
        buffer_id: m.buffer,
        out_port: port(m.out_port)?,
        flags: if m.notify { v10::OFPFF_SEND_FLOW_REM } else { 0 },
        actions: actions(m.actions)?,
    })
}

#[inline]
pub(super) fn packet_out(out: &mut Out<'_>, m: &PacketOutMsg<'_>) -> Result<(), Refused> {
    // OF 1.0 5.3.6: OFPP_NONE stands for a packet that came in nowhere.
    let in_port = if m.in_port == PortNo::CONTROLLER { PortNo::ANY } else { m.in_port };
    out.put(&v10::PacketOut {
        xid: m.xid,
        buffer_id: m.buffer,
        in_port: port(in_port)?,
        actions: actions(m.actions)?,
        data: m.data,
    })
}

pub(super) fn stats(out: &mut Out<'_>, xid: u32, what: StatsRequest) -> Result<(), Refused> {
    match what {
        StatsRequest::Description => out.put(&v10::StatsRequest::desc(xid)),
        StatsRequest::Ports(n) => out.put(&v10::StatsRequest::port(xid, n.map_or(Ok(v10::OFPP_NONE), port)?)),
    }
}
