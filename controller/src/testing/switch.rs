//! The switch's end of a connection.

use ferroflow_openflow::v13::Instruction;
use ferroflow_openflow::{
    Echo, Encode, ErrorCode, ErrorMsg, FixedStr, Header, Hello, OFP_NO_BUFFER, PortCounters, Splitter,
    Version, VersionBitmap, v10, v13,
};

use crate::codec;
use crate::flow::{Match, PortNo};

/// A flow_mod that a switch received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowModSeen {
    /// Transaction id.
    pub xid: u32,
    /// `OFPFC_*`: 0 add, 3 delete, 4 delete strict.
    pub command: u16,
    /// Its table; 0 in 1.0.
    pub table: u8,
    /// Priority on the wire.
    pub priority: u16,
    /// The whole cookie.
    pub cookie: u64,
    /// 0 in 1.0.
    pub cookie_mask: u64,
    /// Idle time-out in seconds.
    pub idle_timeout_s: u16,
    /// Hard time-out in seconds.
    pub hard_timeout_s: u16,
    /// The buffer it names, if any.
    pub buffer: Option<u32>,
    /// The port that a delete is restricted to.
    pub out_port: Option<PortNo>,
    /// `OFPFF_*`.
    pub flags: u16,
    /// Its match.
    pub matching: Match,
    /// Ports of its output actions.
    pub outputs: Vec<PortNo>,
    /// The whole message.
    pub bytes: Vec<u8>,
}

/// A packet_out that a switch received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketOutSeen {
    /// Transaction id.
    pub xid: u32,
    /// The buffer it names, if any.
    pub buffer: Option<u32>,
    /// Where the packet is said to have come in.
    pub in_port: PortNo,
    /// Ports of its output actions.
    pub outputs: Vec<PortNo>,
    /// The frame, where no buffer is named.
    pub data: Vec<u8>,
}

/// A switch that answers what a switch must and records what it is told.
#[derive(Debug)]
pub struct Switch {
    /// Version it speaks.
    pub version: Version,
    /// Its datapath id.
    pub dpid: u64,
    /// It sends a version bitmap in its hello.
    pub bitmap: Option<VersionBitmap>,
    /// It says hello by itself.
    pub hello: bool,
    /// It answers echo requests.
    pub answers_echo: bool,
    /// It answers features_request.
    pub answers_features: bool,
    /// It answers barriers, port_desc, desc and port stats (cbench does not answer the last three).
    pub answers_requests: bool,
    /// Flow_mods that name a buffer are refused with BUFFER_UNKNOWN, as Open vSwitch does.
    pub refuses_buffers: bool,
    /// All messages received, whole.
    pub seen: Vec<Vec<u8>>,
    splitter: Splitter,
    out: Vec<u8>,
    said_hello: bool,
}

impl Switch {
    /// A switch that speaks one version, with an 8-byte hello, and answers everything.
    pub fn new(version: Version, dpid: u64) -> Switch {
        Switch {
            version,
            dpid,
            bitmap: None,
            hello: true,
            answers_echo: true,
            answers_features: true,
            answers_requests: true,
            refuses_buffers: false,
            seen: Vec::new(),
            splitter: Splitter::default(),
            out: Vec::new(),
            said_hello: false,
        }
    }

    /// A switch that says nothing by itself.
    pub fn silent() -> Switch {
        let quiet = Switch::new(Version::V1_3, 0);
        Switch {
            hello: false,
            answers_echo: false,
            answers_features: false,
            answers_requests: false,
            ..quiet
        }
    }

    /// The same switch with some of its settings changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Switch)) -> Switch {
        change(&mut self);
        self
    }

    /// Forgets what was seen.
    pub fn clear(&mut self) {
        self.seen.clear();
    }

    /// Messages seen of a type.
    pub fn of_type(&self, ty: u8) -> Vec<&[u8]> {
        self.seen.iter().map(Vec::as_slice).filter(|m| m[1] == ty).collect()
    }

    /// Errors seen.
    pub fn errors(&self) -> Vec<(ErrorCode, String)> {
        let parse =
            |m: &[u8]| ErrorMsg::parse(m).map(|e| (e.error, String::from_utf8_lossy(e.data).into_owned()));
        self.of_type(1).into_iter().filter_map(|m| parse(m).ok()).collect()
    }

    /// Flow_mods seen.
    pub fn flow_mods(&self) -> Vec<FlowModSeen> {
        self.of_type(14).into_iter().filter_map(flow_mod).collect()
    }

    /// Flow_mods seen that add, the table-miss flow left out.
    pub fn adds(&self) -> Vec<FlowModSeen> {
        self.flow_mods().into_iter().filter(|f| f.command == 0 && f.priority > 0).collect()
    }

    /// Packet_outs seen.
    pub fn packet_outs(&self) -> Vec<PacketOutSeen> {
        self.of_type(13).into_iter().filter_map(packet_out).collect()
    }

    /// A packet_in of this switch's version with a whole frame.
    pub fn packet_in(&self, in_port: u32, buffer: Option<u32>, frame: &[u8]) -> Vec<u8> {
        self.truncated_packet_in(in_port, buffer, frame, frame.len())
    }

    /// A packet_in whose frame was longer.
    pub fn truncated_packet_in(
        &self,
        in_port: u32,
        buffer: Option<u32>,
        data: &[u8],
        total_len: usize,
    ) -> Vec<u8> {
        let (buffer_id, total_len) = (buffer.unwrap_or(OFP_NO_BUFFER), total_len as u16);
        if self.version == Version::V1_0 {
            let reason = v10::PacketInReason::OFPR_NO_MATCH;
            return v10::PacketIn { xid: 0, buffer_id, total_len, in_port: in_port as u16, reason, data }
                .to_vec();
        }
        let reason = v13::PacketInReason::OFPR_NO_MATCH;
        let matching = &[v13::Oxm::InPort(in_port)][..];
        v13::PacketIn { xid: 0, buffer_id, total_len, reason, table_id: 0, cookie: 0, matching, data }
            .to_vec()
    }

    /// A flow_removed for a flow that this switch was told to add.
    pub fn flow_removed(&self, flow: &FlowModSeen, reason: u8) -> Vec<u8> {
        if self.version == Version::V1_0 {
            let m = v10::FlowMod::parse(&flow.bytes).expect("a flow_mod that was read before");
            return v10::FlowRemoved {
                xid: 0,
                matching: m.matching,
                cookie: m.cookie,
                priority: m.priority,
                reason: v10::FlowRemovedReason(reason),
                duration_sec: 1,
                duration_nsec: 0,
                idle_timeout: m.idle_timeout,
                packet_count: 2,
                byte_count: 3,
            }
            .to_vec();
        }
        let m = v13::FlowMod::parse(&flow.bytes).expect("a flow_mod that was read before");
        v13::FlowRemoved {
            xid: 0,
            cookie: m.cookie,
            priority: m.priority,
            reason: v13::FlowRemovedReason(reason),
            table_id: m.table_id,
            duration_sec: 1,
            duration_nsec: 0,
            idle_timeout: m.idle_timeout,
            hard_timeout: m.hard_timeout,
            packet_count: 2,
            byte_count: 3,
            matching: m.matching,
        }
        .to_vec()
    }

    /// A port_status: `reason` 0 added, 1 deleted, 2 modified; `up` is its link.
    pub fn port_status(&self, number: u32, reason: u8, up: bool) -> Vec<u8> {
        let state = u32::from(!up);
        if self.version == Version::V1_0 {
            let desc = v10::Port { state, ..port_v10(number as u16) };
            return v10::PortStatus { xid: 0, reason: v10::PortReason(reason), desc }.to_vec();
        }
        let desc = v13::Port { state, ..port_v13(number) };
        v13::PortStatus { xid: 0, reason: v13::PortReason(reason), desc }.to_vec()
    }

    /// An echo request.
    pub fn echo_request(&self, xid: u32, data: &[u8]) -> Vec<u8> {
        Echo::request(self.version, xid, data).to_vec()
    }

    /// Takes bytes from the controller.
    ///
    /// # Panics
    /// If they cannot be cut into messages.
    pub fn receive(&mut self, mut bytes: &[u8]) {
        while let Some(msg) = self.splitter.next(&mut bytes).expect("messages of the controller") {
            let msg = msg.to_vec();
            answer(self, &msg);
            self.seen.push(msg);
        }
    }

    /// What it has to say.
    pub fn take_output(&mut self) -> Vec<u8> {
        if self.hello && !self.said_hello {
            self.said_hello = true;
            let hello = Hello { version: self.version, xid: 1, bitmap: self.bitmap };
            let mut out = hello.to_vec();
            out.append(&mut self.out);
            return out;
        }
        std::mem::take(&mut self.out)
    }
}

fn answer(switch: &mut Switch, msg: &[u8]) {
    let Ok(header) = Header::parse(msg) else { return };
    let (xid, is_v10) = (header.xid, header.version == Version::V1_0);
    let out = match header.ty {
        2 if switch.answers_echo => Echo::parse(msg).map(|e| e.reply().to_vec()).unwrap_or_default(),
        5 if switch.answers_features => features(header.version, xid, switch.dpid),
        14 if switch.refuses_buffers => match flow_mod(msg) {
            Some(f) if f.buffer.is_some() => {
                ErrorMsg::answer(header.version, msg, ErrorCode { ty: 1, code: 8 }).to_vec()
            }
            _ => return,
        },
        18 if is_v10 && switch.answers_requests => v10::BarrierReply { xid }.to_vec(),
        20 if !is_v10 && switch.answers_requests => v13::BarrierReply { xid }.to_vec(),
        16 if is_v10 && switch.answers_requests => stats_v10(msg).unwrap_or_default(),
        18 if switch.answers_requests => stats_v13(msg).unwrap_or_default(),
        _ => return,
    };
    switch.out.extend_from_slice(&out);
}

fn features(version: Version, xid: u32, datapath_id: u64) -> Vec<u8> {
    if version == Version::V1_0 {
        let ports = [1, 2, 3, 4].map(port_v10);
        return v10::FeaturesReply {
            xid,
            datapath_id,
            n_buffers: 256,
            n_tables: 2,
            capabilities: 0,
            actions: 0x7ff,
            ports: &ports[..],
        }
        .to_vec();
    }
    v13::FeaturesReply { xid, datapath_id, n_buffers: 256, n_tables: 2, auxiliary_id: 0, capabilities: 0 }
        .to_vec()
}

fn port_v10(port_no: u16) -> v10::Port {
    let name = FixedStr::new(&format!("eth{port_no}"));
    v10::Port { port_no, hw_addr: [2, 0, 0, 0, 0, port_no as u8], name, ..v10::Port::default() }
}

fn port_v13(port_no: u32) -> v13::Port {
    let name = FixedStr::new(&format!("eth{port_no}"));
    v13::Port { port_no, hw_addr: [2, 0, 0, 0, 0, port_no as u8], name, ..v13::Port::default() }
}

fn description() -> ferroflow_openflow::Desc<'static> {
    ferroflow_openflow::Desc { mfr_desc: b"lab", ..Default::default() }
}

fn counters() -> PortCounters {
    PortCounters { rx_packets: 5, ..PortCounters::default() }
}

fn stats_v10(msg: &[u8]) -> Option<Vec<u8>> {
    let request = v10::StatsRequest::parse(msg).ok()?;
    let ports = [1, 2].map(|port_no| v10::PortStats { port_no, counters: counters() });
    let body = match request.body {
        v10::StatsRequestBody::Desc => v10::StatsReplyBody::Desc(description()),
        v10::StatsRequestBody::Port { .. } => v10::StatsReplyBody::Port(&ports[..]),
        v10::StatsRequestBody::Other { .. } => return None,
    };
    Some(v10::StatsReply { xid: request.xid, flags: 0, body }.to_vec())
}

/// In two parts where there are ports, to be put together again.
fn stats_v13(msg: &[u8]) -> Option<Vec<u8>> {
    type Reply<'a> = v13::MultipartReply<'a, &'a [v13::PortStats], &'a [v13::Port]>;
    let request = v13::MultipartRequest::parse(msg).ok()?;
    let stats = [1, 2].map(|port_no| v13::PortStats { port_no, counters: counters(), ..Default::default() });
    let ports = [1, 2, 3, 4].map(port_v13);
    let parts: Vec<v13::MultipartReplyBody<'_, &[v13::PortStats], &[v13::Port]>> = match request.body {
        v13::MultipartRequestBody::Desc => vec![v13::MultipartReplyBody::Desc(description())],
        v13::MultipartRequestBody::PortStats { .. } => {
            stats.chunks(1).map(v13::MultipartReplyBody::PortStats).collect()
        }
        v13::MultipartRequestBody::PortDesc => {
            ports.chunks(2).map(v13::MultipartReplyBody::PortDesc).collect()
        }
        v13::MultipartRequestBody::Other { .. } => return None,
    };
    let last = parts.len() - 1;
    let reply = |(n, body)| Reply { xid: request.xid, flags: u16::from(n < last), body }.to_vec();
    Some(parts.into_iter().enumerate().flat_map(reply).collect())
}

fn named(buffer: u32) -> Option<u32> {
    (buffer != OFP_NO_BUFFER).then_some(buffer)
}

fn flow_mod(msg: &[u8]) -> Option<FlowModSeen> {
    if msg[0] == Version::V1_0.0 {
        let m = v10::FlowMod::parse(msg).ok()?;
        return Some(FlowModSeen {
            xid: m.xid,
            command: m.command.0,
            table: 0,
            priority: m.priority,
            cookie: m.cookie,
            cookie_mask: 0,
            idle_timeout_s: m.idle_timeout,
            hard_timeout_s: m.hard_timeout,
            buffer: named(m.buffer_id),
            out_port: Some(PortNo::from_v10(m.out_port)).filter(|p| *p != PortNo::ANY),
            flags: m.flags,
            matching: codec::v10::matching_from(&m.matching),
            outputs: m.actions.iter().filter_map(output_v10).collect(),
            bytes: msg.to_vec(),
        });
    }
    let m = v13::FlowMod::parse(msg).ok()?;
    let outputs = m.instructions.iter().flat_map(|i| match i {
        Instruction::ApplyActions(actions) => actions.iter().filter_map(output_v13).collect(),
        _ => Vec::new(),
    });
    Some(FlowModSeen {
        xid: m.xid,
        command: m.command.0.into(),
        table: m.table_id,
        priority: m.priority,
        cookie: m.cookie,
        cookie_mask: m.cookie_mask,
        idle_timeout_s: m.idle_timeout,
        hard_timeout_s: m.hard_timeout,
        buffer: named(m.buffer_id),
        out_port: Some(PortNo(m.out_port)).filter(|p| *p != PortNo::ANY),
        flags: m.flags,
        matching: codec::v13::matching_from(&m.matching),
        outputs: outputs.collect(),
        bytes: msg.to_vec(),
    })
}

fn output_v10(action: v10::Action<'_>) -> Option<PortNo> {
    match action {
        v10::Action::Output { port, .. } => Some(PortNo::from_v10(port)),
        _ => None,
    }
}

fn output_v13(action: v13::Action<'_>) -> Option<PortNo> {
    match action {
        v13::Action::Output { port, .. } => Some(PortNo(port)),
        _ => None,
    }
}

fn packet_out(msg: &[u8]) -> Option<PacketOutSeen> {
    if msg[0] == Version::V1_0.0 {
        let m = v10::PacketOut::parse(msg).ok()?;
        return Some(PacketOutSeen {
            xid: m.xid,
            buffer: named(m.buffer_id),
            in_port: PortNo::from_v10(m.in_port),
            outputs: m.actions.iter().filter_map(output_v10).collect(),
            data: m.data.to_vec(),
        });
    }
    let m = v13::PacketOut::parse(msg).ok()?;
    Some(PacketOutSeen {
        xid: m.xid,
        buffer: named(m.buffer_id),
        in_port: PortNo(m.in_port),
        outputs: m.actions.iter().filter_map(output_v13).collect(),
        data: m.data.to_vec(),
    })
}
