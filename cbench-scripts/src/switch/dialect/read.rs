//! Reading: from the messages of 1.0 and 1.3 to [`Request`]s.

use ferroflow_openflow::{ErrorCode, v10, v13};

use super::{ALL_ONES, Command, FlowMod, Request};
use crate::switch::table::{FlowMatch, Output, VLAN_PRESENT};

/// `OFPET_BAD_ACTION`/`OFPBAC_BAD_TYPE`.
const BAD_ACTION: ErrorCode = ErrorCode { ty: 2, code: 0 };
/// `OFPET_BAD_INSTRUCTION`/`OFPBIC_UNSUP_INST` (1.3).
const UNSUPPORTED_INSTRUCTION: ErrorCode = ErrorCode { ty: 3, code: 1 };
/// `OFPET_BAD_MATCH`/`OFPBMC_BAD_FIELD` (1.3).
const BAD_FIELD: ErrorCode = ErrorCode { ty: 4, code: 6 };
/// `OFPET_FLOW_MOD_FAILED`/`OFPFMFC_UNSUPPORTED` (1.0 5.4.4): the only word 1.0 has for a match that is not supported.
const UNSUPPORTED_1_0: ErrorCode = ErrorCode { ty: 3, code: 5 };

/// A 16-bit port number with the reserved ones moved to where 1.3 has them.
fn port_up(p: u16) -> u32 {
    if p >= v10::OFPP_MAX { 0xffff_0000 | u32::from(p) } else { p.into() }
}

fn read_match_10(m: &v10::Match) -> Result<FlowMatch, ErrorCode> {
    use v10::{OFPFW_DL_DST, OFPFW_DL_SRC, OFPFW_DL_TYPE, OFPFW_DL_VLAN, OFPFW_DL_VLAN_PCP, OFPFW_IN_PORT};
    let set = |bit| !m.is_wild(bit);
    let deeper = [v10::OFPFW_NW_TOS, v10::OFPFW_NW_PROTO, v10::OFPFW_TP_SRC, v10::OFPFW_TP_DST];
    let pcp = set(OFPFW_DL_VLAN_PCP) && set(OFPFW_DL_VLAN) && m.dl_vlan != v10::OFP_VLAN_NONE;
    if deeper.into_iter().any(set) || m.nw_src_prefix() > 0 || m.nw_dst_prefix() > 0 || pcp {
        return Err(UNSUPPORTED_1_0);
    }
    let vlan = match m.dl_vlan {
        v10::OFP_VLAN_NONE => (0, 0x1fff),
        vid => (vid & 0x0fff | VLAN_PRESENT, 0x1fff),
    };
    Ok(FlowMatch {
        in_port: set(OFPFW_IN_PORT).then(|| port_up(m.in_port)),
        eth_src: set(OFPFW_DL_SRC).then_some((m.dl_src, ALL_ONES)),
        eth_dst: set(OFPFW_DL_DST).then_some((m.dl_dst, ALL_ONES)),
        vlan: set(OFPFW_DL_VLAN).then_some(vlan),
        eth_type: set(OFPFW_DL_TYPE).then_some(m.dl_type),
    })
}

fn read_match_13(fields: v13::Match<'_>) -> Result<FlowMatch, ErrorCode> {
    let mut m = FlowMatch::default();
    for field in fields {
        match field {
            v13::Oxm::InPort(p) => m.in_port = Some(p),
            v13::Oxm::EthSrc(a, mask) => m.eth_src = Some((a, mask.unwrap_or(ALL_ONES))),
            v13::Oxm::EthDst(a, mask) => m.eth_dst = Some((a, mask.unwrap_or(ALL_ONES))),
            v13::Oxm::VlanVid(v, mask) => m.vlan = Some((v, mask.unwrap_or(0x1fff))),
            v13::Oxm::EthType(t) => m.eth_type = Some(t),
            _ => return Err(BAD_FIELD),
        }
    }
    Ok(m)
}

fn outputs_10(actions: v10::Actions<'_>) -> Result<Vec<Output>, ErrorCode> {
    actions
        .into_iter()
        .map(|a| match a {
            v10::Action::Output { port, max_len } => Ok(Output { port: port_up(port), max_len }),
            _ => Err(BAD_ACTION),
        })
        .collect()
}

fn outputs_13(actions: v13::Actions<'_>) -> Result<Vec<Output>, ErrorCode> {
    actions
        .into_iter()
        .map(|a| match a {
            v13::Action::Output { port, max_len } => Ok(Output { port, max_len }),
            _ => Err(BAD_ACTION),
        })
        .collect()
}

pub(super) fn v10(ty: v10::MsgType, m: &[u8]) -> Result<Request<'_>, ErrorCode> {
    use v10::MsgType as T;
    Ok(match ty {
        T::OFPT_FEATURES_REQUEST => Request::Features,
        T::OFPT_GET_CONFIG_REQUEST => Request::GetConfig,
        T::OFPT_SET_CONFIG => {
            let c = v10::SetConfig::parse(m).map_err(|e| e.answer)?;
            Request::SetConfig { flags: c.flags, miss_send_len: c.miss_send_len }
        }
        T::OFPT_BARRIER_REQUEST => Request::Barrier,
        T::OFPT_FLOW_MOD => {
            let f = v10::FlowMod::parse(m).map_err(|e| e.answer)?;
            let command = command(f.command.0).ok_or(ErrorCode { ty: 3, code: 4 })?; // OFPFMFC_BAD_COMMAND
            Request::FlowMod(FlowMod {
                command,
                matching: read_match_10(&f.matching)?,
                priority: f.priority,
                cookie: f.cookie,
                cookie_mask: 0,
                idle_timeout: f.idle_timeout,
                hard_timeout: f.hard_timeout,
                buffer_id: f.buffer_id,
                out_port: port_up(f.out_port),
                notify: f.flags & v10::OFPFF_SEND_FLOW_REM != 0,
                outputs: outputs_10(f.actions)?,
            })
        }
        T::OFPT_PACKET_OUT => {
            let p = v10::PacketOut::parse(m).map_err(|e| e.answer)?;
            Request::PacketOut {
                buffer_id: p.buffer_id,
                in_port: port_up(p.in_port),
                outputs: outputs_10(p.actions)?,
                data: p.data,
            }
        }
        T::OFPT_STATS_REQUEST => match v10::StatsRequest::parse(m).map_err(|e| e.answer)?.body {
            v10::StatsRequestBody::Desc => Request::Desc,
            v10::StatsRequestBody::Port { port_no } => Request::PortStats(port_up(port_no)),
            v10::StatsRequestBody::Other { .. } => return Err(ErrorCode::BAD_STAT),
        },
        _ => return Err(ErrorCode::BAD_TYPE),
    })
}

pub(super) fn v13(ty: v13::MsgType, m: &[u8]) -> Result<Request<'_>, ErrorCode> {
    use v13::MsgType as T;
    Ok(match ty {
        T::OFPT_FEATURES_REQUEST => Request::Features,
        T::OFPT_GET_CONFIG_REQUEST => Request::GetConfig,
        T::OFPT_SET_CONFIG => {
            let c = v13::SetConfig::parse(m).map_err(|e| e.answer)?;
            Request::SetConfig { flags: c.flags, miss_send_len: c.miss_send_len }
        }
        T::OFPT_BARRIER_REQUEST => Request::Barrier,
        T::OFPT_FLOW_MOD => {
            let f = v13::FlowMod::parse(m).map_err(|e| e.answer)?;
            let command = command(f.command.0.into()).ok_or(ErrorCode { ty: 5, code: 6 })?; // OFPFMFC_BAD_COMMAND
            Request::FlowMod(FlowMod {
                command,
                matching: read_match_13(f.matching)?,
                priority: f.priority,
                cookie: f.cookie,
                // OF 1.3.5 7.3.4.1: ignored by ADD.
                cookie_mask: if command == Command::Add { 0 } else { f.cookie_mask },
                idle_timeout: f.idle_timeout,
                hard_timeout: f.hard_timeout,
                buffer_id: f.buffer_id,
                out_port: f.out_port,
                notify: f.flags & v13::OFPFF_SEND_FLOW_REM != 0,
                outputs: instructions(f.instructions)?,
            })
        }
        T::OFPT_PACKET_OUT => {
            let p = v13::PacketOut::parse(m).map_err(|e| e.answer)?;
            Request::PacketOut {
                buffer_id: p.buffer_id,
                in_port: p.in_port,
                outputs: outputs_13(p.actions)?,
                data: p.data,
            }
        }
        T::OFPT_MULTIPART_REQUEST => match v13::MultipartRequest::parse(m).map_err(|e| e.answer)?.body {
            v13::MultipartRequestBody::Desc => Request::Desc,
            v13::MultipartRequestBody::PortStats { port_no } => Request::PortStats(port_no),
            v13::MultipartRequestBody::PortDesc => Request::PortDesc,
            v13::MultipartRequestBody::Other { .. } => return Err(ErrorCode::BAD_STAT),
        },
        _ => return Err(ErrorCode::BAD_TYPE),
    })
}

/// With one table, what is written is carried out at once, so write-actions and apply-actions are alike.
fn instructions(list: v13::Instructions<'_>) -> Result<Vec<Output>, ErrorCode> {
    let mut outputs = Vec::new();
    for i in list {
        match i {
            v13::Instruction::ApplyActions(a) | v13::Instruction::WriteActions(a) => {
                outputs.extend(outputs_13(a)?);
            }
            v13::Instruction::ClearActions => {}
            _ => return Err(UNSUPPORTED_INSTRUCTION),
        }
    }
    Ok(outputs)
}

fn command(n: u16) -> Option<Command> {
    Some(match n {
        0 => Command::Add,
        1 => Command::Modify { strict: false },
        2 => Command::Modify { strict: true },
        3 => Command::Delete { strict: false },
        4 => Command::Delete { strict: true },
        _ => return None,
    })
}
