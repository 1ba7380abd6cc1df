//! What arrives, in the words of no version.

use std::borrow::Cow;

use ferroflow_openflow::{DecodeError, ErrorMsg, PortCounters, Version, v10, v13};
use ferroflow_wire::MacAddr;

use super::{v10 as to_v10, v13 as to_v13};
use crate::app::{BufferId, FlowName, FlowRemoved, PacketIn, PacketInReason, RemovedReason};
use crate::app::{PortChange, PortStatus};
use crate::flow::{Description, Port, PortNo, PortStats};

/// A message's type, as far as sessions tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Hello,
    Error,
    EchoRequest,
    EchoReply,
    /// VENDOR, EXPERIMENTER.
    Vendor,
    FeaturesReply,
    GetConfigReply,
    PacketIn,
    FlowRemoved,
    PortStatus,
    StatsReply,
    BarrierRequest,
    BarrierReply,
    /// Of the standard, but not for a controller that never asks for it.
    Unasked,
    Unknown,
}

/// The type byte of a header (OF 1.0 5.1, OF 1.3.5 7.1).
#[inline]
pub(crate) fn kind(version: Version, ty: u8) -> Kind {
    match (ty, version) {
        (10, _) => Kind::PacketIn,
        (0, _) => Kind::Hello,
        (1, _) => Kind::Error,
        (2, _) => Kind::EchoRequest,
        (3, _) => Kind::EchoReply,
        (4, _) => Kind::Vendor,
        (6, _) => Kind::FeaturesReply,
        (8, _) => Kind::GetConfigReply,
        (11, _) => Kind::FlowRemoved,
        (12, _) => Kind::PortStatus,
        (17, Version::V1_0) | (19, Version::V1_3) => Kind::StatsReply,
        (18, Version::V1_0) | (20, Version::V1_3) => Kind::BarrierRequest,
        (19, Version::V1_0) | (21, Version::V1_3) => Kind::BarrierReply,
        (21, Version::V1_0) | (23 | 25 | 27, Version::V1_3) => Kind::Unasked,
        _ => Kind::Unknown,
    }
}

#[inline]
pub(crate) fn packet_in(version: Version, msg: &[u8]) -> Result<PacketIn<'_>, DecodeError> {
    let reason = |n| match n {
        0 => PacketInReason::NoMatch,
        1 => PacketInReason::Action,
        2 => PacketInReason::InvalidTtl,
        n => PacketInReason::Other(n),
    };
    if version == Version::V1_0 {
        let p = v10::PacketIn::parse(msg)?;
        return Ok(PacketIn {
            buffer: BufferId::from_wire(p.buffer_id),
            total_len: p.total_len,
            in_port: PortNo::from_v10(p.in_port),
            reason: reason(p.reason.0),
            table: 0,
            cookie: None,
            data: p.data,
        });
    }
    let p = v13::PacketIn::parse(msg)?;
    Ok(PacketIn {
        buffer: BufferId::from_wire(p.buffer_id),
        total_len: p.total_len,
        in_port: PortNo(p.in_port().unwrap_or(v13::OFPP_ANY)),
        reason: reason(p.reason.0),
        table: p.table_id,
        cookie: Some(p.cookie),
        data: p.data,
    })
}

/// What a features_reply says.
#[derive(Debug)]
pub(crate) struct FeatureSet {
    pub dpid: u64,
    pub auxiliary: bool,
    /// 1.0 only.
    pub ports: Option<Vec<Port>>,
}

pub(crate) fn features(version: Version, msg: &[u8]) -> Result<FeatureSet, DecodeError> {
    if version == Version::V1_0 {
        let f = v10::FeaturesReply::parse(msg)?;
        let ports = f.ports.iter().map(|p| port_v10(&p)).collect();
        return Ok(FeatureSet { dpid: f.datapath_id, auxiliary: false, ports: Some(ports) });
    }
    let f = v13::FeaturesReply::parse(msg)?;
    Ok(FeatureSet { dpid: f.datapath_id, auxiliary: f.auxiliary_id != 0, ports: None })
}

fn text(s: Cow<'_, str>) -> Box<str> {
    s.into_owned().into_boxed_str()
}

fn port_v10(p: &v10::Port) -> Port {
    Port {
        number: PortNo::from_v10(p.port_no),
        mac: MacAddr(p.hw_addr),
        name: text(p.name.to_text()),
        admin_down: p.config & v10::OFPPC_PORT_DOWN != 0,
        link_down: p.state & v10::OFPPS_LINK_DOWN != 0,
    }
}

fn port_v13(p: &v13::Port) -> Port {
    Port {
        number: PortNo(p.port_no),
        mac: MacAddr(p.hw_addr),
        name: text(p.name.to_text()),
        admin_down: p.config & v13::OFPPC_PORT_DOWN != 0,
        link_down: p.state & v13::OFPPS_LINK_DOWN != 0,
    }
}

/// `None` when the reason is none of the standard's.
pub(crate) fn port_status(version: Version, msg: &[u8]) -> Result<Option<PortStatus>, DecodeError> {
    let (reason, port) = if version == Version::V1_0 {
        let s = v10::PortStatus::parse(msg)?;
        (s.reason.0, port_v10(&s.desc))
    } else {
        let s = v13::PortStatus::parse(msg)?;
        (s.reason.0, port_v13(&s.desc))
    };
    let change = match reason {
        0 => PortChange::Added,
        1 => PortChange::Deleted,
        2 => PortChange::Modified,
        _ => return Ok(None),
    };
    Ok(Some(PortStatus { change, port }))
}

/// A flow_removed with cookie and priority still as they are on the wire.
#[derive(Debug)]
pub(crate) struct Removed {
    pub flow: FlowRemoved,
    /// The table-miss flow's shape: nothing in its match.
    pub matches_all: bool,
}

pub(crate) fn flow_removed(version: Version, msg: &[u8]) -> Result<Removed, DecodeError> {
    let reason = |n| match n {
        0 => RemovedReason::IdleTimeout,
        1 => RemovedReason::HardTimeout,
        2 => RemovedReason::Delete,
        n => RemovedReason::Other(n),
    };
    if version == Version::V1_0 {
        let r = v10::FlowRemoved::parse(msg)?;
        let matches_all = r.matching.is_wild(v10::OFPFW_ALL);
        let flow = FlowRemoved {
            table: 0,
            priority: r.priority,
            cookie: r.cookie,
            reason: reason(r.reason.0),
            matching: to_v10::matching_from(&r.matching),
            duration_s: r.duration_sec,
            packets: r.packet_count,
            bytes: r.byte_count,
        };
        return Ok(Removed { flow, matches_all });
    }
    let r = v13::FlowRemoved::parse(msg)?;
    let matches_all = r.matching.is_empty();
    let flow = FlowRemoved {
        table: r.table_id,
        priority: r.priority,
        cookie: r.cookie,
        reason: reason(r.reason.0),
        matching: to_v13::matching_from(&r.matching),
        duration_s: r.duration_sec,
        packets: r.packet_count,
        bytes: r.byte_count,
    };
    Ok(Removed { flow, matches_all })
}

/// One part of a stats or multipart reply.
#[derive(Debug)]
pub(crate) enum StatsPart {
    Description(Box<Description>),
    PortStats(Vec<PortStats>),
    PortDesc(Vec<Port>),
    Other,
}

/// The part and whether more follow.
pub(crate) fn stats(version: Version, msg: &[u8]) -> Result<(StatsPart, bool), DecodeError> {
    if version == Version::V1_0 {
        let reply = v10::StatsReply::parse(msg)?;
        let part = match &reply.body {
            v10::StatsReplyBody::Desc(d) => StatsPart::Description(description(d)),
            v10::StatsReplyBody::Port(ports) => StatsPart::PortStats(
                ports.iter().map(|p| port_stats(PortNo::from_v10(p.port_no), &p.counters)).collect(),
            ),
            v10::StatsReplyBody::Other { .. } => StatsPart::Other,
        };
        return Ok((part, reply.has_more()));
    }
    let reply = v13::MultipartReply::parse(msg)?;
    let part = match &reply.body {
        v13::MultipartReplyBody::Desc(d) => StatsPart::Description(description(d)),
        v13::MultipartReplyBody::PortStats(ports) => {
            StatsPart::PortStats(ports.iter().map(|p| port_stats(PortNo(p.port_no), &p.counters)).collect())
        }
        v13::MultipartReplyBody::PortDesc(ports) => {
            StatsPart::PortDesc(ports.iter().map(|p| port_v13(&p)).collect())
        }
        v13::MultipartReplyBody::Other { .. } => StatsPart::Other,
    };
    Ok((part, reply.has_more()))
}

fn description(d: &ferroflow_openflow::Desc<'_>) -> Box<Description> {
    let text = |field| ferroflow_openflow::Desc::text(field).into_owned();
    Box::new(Description {
        manufacturer: text(d.mfr_desc),
        hardware: text(d.hw_desc),
        software: text(d.sw_desc),
        serial_number: text(d.serial_num),
        datapath: text(d.dp_desc),
    })
}

fn port_stats(number: PortNo, c: &PortCounters) -> PortStats {
    PortStats {
        number,
        rx_packets: c.rx_packets,
        tx_packets: c.tx_packets,
        rx_bytes: c.rx_bytes,
        tx_bytes: c.tx_bytes,
        rx_dropped: c.rx_dropped,
        tx_dropped: c.tx_dropped,
        rx_errors: c.rx_errors,
        tx_errors: c.tx_errors,
    }
}

/// The flow that an error is about, from what it quotes of the flow_mod; cookie and priority as on the wire.
pub(crate) fn flow_name(error: &ErrorMsg<'_>) -> Option<FlowName> {
    let failed = error.failed()?;
    // OFPT_FLOW_MOD has the same number in both versions.
    if failed.ty != 14 || failed.version != error.version {
        return None;
    }
    if error.version == Version::V1_0 {
        // 64 bytes hold all but buffer, out_port and flags; those are made up so that the codec can read the rest.
        let mut whole = [0; 72];
        let quoted = error.data.get(..64)?;
        whole[..64].copy_from_slice(quoted);
        whole[2..4].copy_from_slice(&72u16.to_be_bytes());
        let m = v10::FlowMod::parse(&whole).ok()?;
        let matching = Some(to_v10::matching_from(&m.matching));
        return Some(FlowName { table: 0, priority: m.priority, cookie: m.cookie, matching });
    }
    let fixed = error.data.get(..48)?;
    let match_len = error.data.get(50..52).map_or(0, |b| usize::from(u16::from_be_bytes([b[0], b[1]])));
    let end = 48 + match_len.next_multiple_of(8);
    let quoted = error.data.get(48..end).filter(|_| match_len >= 4);
    let mut whole = fixed.to_vec();
    whole.extend_from_slice(quoted.unwrap_or(&[0, 1, 0, 4, 0, 0, 0, 0]));
    let len = u16::try_from(whole.len()).ok()?;
    whole[2..4].copy_from_slice(&len.to_be_bytes());
    let m = v13::FlowMod::parse(&whole).ok()?;
    let matching = quoted.map(|_| to_v13::matching_from(&m.matching));
    Some(FlowName { table: m.table_id, priority: m.priority, cookie: m.cookie, matching })
}
