//! OpenFlow 1.0 and 1.3 as an emulated switch hears and speaks them, brought to one set of requests and replies.

use ferroflow_openflow::{
    Desc, Echo, Encode, ErrorCode, ErrorMsg, Header, Hello, OFP_NO_BUFFER, PortCounters, Version,
    VersionBitmap, v10, v13,
};
use ferroflow_stack::SendRing;

use super::table::{Flow, FlowMatch, Gone, Output, port};

mod read;

/// `OFPET_BAD_REQUEST`/`OFPBRC_BUFFER_EMPTY`, the same number in every version.
pub const BUFFER_EMPTY: ErrorCode = ErrorCode { ty: 1, code: 7 };
/// `OFPET_BAD_REQUEST`/`OFPBRC_BUFFER_UNKNOWN`.
pub const BUFFER_UNKNOWN: ErrorCode = ErrorCode { ty: 1, code: 8 };

/// What a flow_mod does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `OFPFC_ADD`.
    Add,
    /// `OFPFC_MODIFY`, or the strict one.
    Modify {
        /// Only the flow with this very match and priority.
        strict: bool,
    },
    /// `OFPFC_DELETE`, or the strict one.
    Delete {
        /// Only the flow with this very match and priority.
        strict: bool,
    },
}

/// A flow_mod of either version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowMod {
    /// What to do.
    pub command: Command,
    /// Which packets.
    pub matching: FlowMatch,
    /// Priority.
    pub priority: u16,
    /// Cookie.
    pub cookie: u64,
    /// Cookie filter of modify and delete; 0 in 1.0.
    pub cookie_mask: u64,
    /// Seconds.
    pub idle_timeout: u16,
    /// Seconds.
    pub hard_timeout: u16,
    /// The buffered packet to run through the flow, or [`OFP_NO_BUFFER`].
    pub buffer_id: u32,
    /// Filter of delete.
    pub out_port: u32,
    /// `OFPFF_SEND_FLOW_REM`.
    pub notify: bool,
    /// What to do with the packets.
    pub outputs: Vec<Output>,
}

/// What a controller wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// HELLO.
    Hello(Hello),
    /// Echo request, with its data.
    Echo(&'a [u8]),
    /// Features request.
    Features,
    /// Get-config request.
    GetConfig,
    /// Set-config.
    SetConfig {
        /// Fragment handling.
        flags: u16,
        /// Bytes of a buffered packet to send.
        miss_send_len: u16,
    },
    /// Flow_mod.
    FlowMod(FlowMod),
    /// Packet_out.
    PacketOut {
        /// Whose packet to send, or [`OFP_NO_BUFFER`].
        buffer_id: u32,
        /// The port it is said to have come in on.
        in_port: u32,
        /// Where to.
        outputs: Vec<Output>,
        /// The packet, where no buffer is named.
        data: &'a [u8],
    },
    /// Barrier request.
    Barrier,
    /// Description.
    Desc,
    /// Counters of one port, or of all ([`port::ANY`]).
    PortStats(u32),
    /// Descriptions of all ports (1.3).
    PortDesc,
    /// Nothing to answer: echo replies and errors.
    Nothing,
}

/// A switch port of either version: the number and whether its link is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortState {
    /// Its number, from 1.
    pub number: u32,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// The link is up.
    pub up: bool,
    /// What passed it.
    pub counters: PortCounters,
}

/// The version an emulated switch speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// OpenFlow 1.0.
    #[default]
    V10,
    /// OpenFlow 1.3.
    V13,
}

impl Dialect {
    /// The version byte.
    pub fn version(self) -> Version {
        match self {
            Dialect::V10 => Version::V1_0,
            Dialect::V13 => Version::V1_3,
        }
    }

    /// Reads one message.
    ///
    /// # Errors
    /// The error to answer with.
    pub fn parse(self, m: &[u8]) -> Result<Request<'_>, ErrorCode> {
        let header = Header::parse(m).map_err(|e| e.answer)?;
        if header.ty == 0 {
            return Hello::parse(m).map(Request::Hello).map_err(|e| e.answer);
        }
        if header.version != self.version() {
            return Err(ErrorCode::BAD_VERSION);
        }
        match header.ty {
            1 | 3 => Ok(Request::Nothing),
            2 => Echo::parse(m).map(|e| Request::Echo(e.data)).map_err(|e| e.answer),
            _ => match self {
                Dialect::V10 => read::v10(v10::MsgType(header.ty), m),
                Dialect::V13 => read::v13(v13::MsgType(header.ty), m),
            },
        }
    }

    /// HELLO; with a bitmap from 1.3 on.
    pub fn hello(self) -> Hello {
        let bitmap = (self == Dialect::V13).then(|| VersionBitmap::of(&[self.version()]));
        Hello { version: self.version(), xid: 1, bitmap }
    }

    /// Whether the peer's HELLO lets us speak our version.
    pub fn agrees(self, peer: &Hello) -> bool {
        let ours = VersionBitmap::of(&[self.version()]);
        // Without a bitmap on both sides the lower of the two header versions is spoken (OF 1.3.5 6.3.1).
        let theirs = peer.bitmap.filter(|_| self == Dialect::V13);
        ferroflow_openflow::negotiate(ours, peer.version, theirs) == Ok(self.version())
    }

    /// An error about `failed`.
    pub fn error(self, failed: &[u8], error: ErrorCode, out: &mut SendRing) -> bool {
        put(out, &ErrorMsg::answer(self.version(), failed, error))
    }

    /// Whether the flow table is full is said differently: FLOW_MOD_FAILED is type 3 in 1.0 and 5 in 1.3.
    pub fn table_full(self) -> ErrorCode {
        match self {
            Dialect::V10 => ErrorCode { ty: 3, code: 0 },
            Dialect::V13 => ErrorCode { ty: 5, code: 1 },
        }
    }

    /// Echo reply.
    pub fn echo_reply(self, xid: u32, data: &[u8], out: &mut SendRing) -> bool {
        put(out, &Echo::request(self.version(), xid, data).reply())
    }

    /// Features reply.
    pub fn features(
        self,
        xid: u32,
        dpid: u64,
        buffers: u32,
        ports: &[PortState],
        out: &mut SendRing,
    ) -> bool {
        match self {
            Dialect::V10 => {
                let ports: Vec<_> = ports.iter().map(port_10).collect();
                let m = v10::FeaturesReply {
                    xid,
                    datapath_id: dpid,
                    n_buffers: buffers,
                    n_tables: 1,
                    capabilities: v10::OFPC_FLOW_STATS | v10::OFPC_PORT_STATS,
                    actions: 1 << v10::ActionType::OFPAT_OUTPUT.0,
                    ports: &ports[..],
                };
                put(out, &m)
            }
            Dialect::V13 => {
                let m = v13::FeaturesReply {
                    xid,
                    datapath_id: dpid,
                    n_buffers: buffers,
                    n_tables: 1,
                    auxiliary_id: 0,
                    capabilities: v13::OFPC_FLOW_STATS | v13::OFPC_PORT_STATS,
                };
                put(out, &m)
            }
        }
    }

    /// Get-config reply.
    pub fn config(self, xid: u32, flags: u16, miss_send_len: u16, out: &mut SendRing) -> bool {
        match self {
            Dialect::V10 => put(out, &v10::GetConfigReply { xid, flags, miss_send_len }),
            Dialect::V13 => put(out, &v13::GetConfigReply { xid, flags, miss_send_len }),
        }
    }

    /// Barrier reply.
    pub fn barrier(self, xid: u32, out: &mut SendRing) -> bool {
        match self {
            Dialect::V10 => put(out, &v10::BarrierReply { xid }),
            Dialect::V13 => put(out, &v13::BarrierReply { xid }),
        }
    }

    /// The switch's description.
    pub fn desc(self, xid: u32, desc: Desc<'_>, out: &mut SendRing) -> bool {
        match self {
            Dialect::V10 => {
                let body = v10::StatsReplyBody::<&[v10::PortStats]>::Desc(desc);
                put(out, &v10::StatsReply { xid, flags: 0, body })
            }
            Dialect::V13 => {
                let body = v13::MultipartReplyBody::<&[v13::PortStats], &[v13::Port]>::Desc(desc);
                put(out, &v13::MultipartReply { xid, flags: 0, body })
            }
        }
    }

    /// Counters of ports.
    pub fn port_stats(self, xid: u32, ports: &[PortState], out: &mut SendRing) -> bool {
        match self {
            Dialect::V10 => {
                let stats = |p: &PortState| v10::PortStats { port_no: p.number as u16, counters: p.counters };
                let list: Vec<_> = ports.iter().map(stats).collect();
                put(out, &v10::StatsReply { xid, flags: 0, body: v10::StatsReplyBody::Port(&list[..]) })
            }
            Dialect::V13 => {
                let stats = |p: &PortState| v13::PortStats {
                    port_no: p.number,
                    counters: p.counters,
                    ..v13::PortStats::default()
                };
                let list: Vec<_> = ports.iter().map(stats).collect();
                let body = v13::MultipartReplyBody::<_, &[v13::Port]>::PortStats(&list[..]);
                put(out, &v13::MultipartReply { xid, flags: 0, body })
            }
        }
    }

    /// Descriptions of ports; 1.3 only, as 1.0 has them in its features.
    pub fn port_desc(self, xid: u32, ports: &[PortState], out: &mut SendRing) -> bool {
        let list: Vec<_> = ports.iter().map(port_13).collect();
        let body = v13::MultipartReplyBody::<&[v13::PortStats], _>::PortDesc(&list[..]);
        put(out, &v13::MultipartReply { xid, flags: 0, body })
    }

    /// A port's link went up or down.
    pub fn port_status(self, p: &PortState, out: &mut SendRing) -> bool {
        match self {
            Dialect::V10 => {
                put(out, &v10::PortStatus { xid: 0, reason: v10::PortReason::OFPPR_MODIFY, desc: port_10(p) })
            }
            Dialect::V13 => {
                put(out, &v13::PortStatus { xid: 0, reason: v13::PortReason::OFPPR_MODIFY, desc: port_13(p) })
            }
        }
    }

    /// A packet for the controller.
    pub fn packet_in(self, p: &ToController<'_>, out: &mut SendRing) -> bool {
        let total_len = u16::try_from(p.total_len).unwrap_or(u16::MAX);
        match self {
            Dialect::V10 => {
                let m = v10::PacketIn {
                    xid: 0,
                    buffer_id: p.buffer_id,
                    total_len,
                    in_port: p.in_port as u16,
                    reason: v10::PacketInReason(u8::from(!p.miss)),
                    data: p.data,
                };
                put(out, &m)
            }
            Dialect::V13 => {
                let m = v13::PacketIn {
                    xid: 0,
                    buffer_id: p.buffer_id,
                    total_len,
                    reason: v13::PacketInReason(u8::from(!p.miss)),
                    table_id: 0,
                    cookie: p.cookie,
                    matching: &[v13::Oxm::InPort(p.in_port)][..],
                    data: p.data,
                };
                put(out, &m)
            }
        }
    }

    /// A flow that went.
    pub fn flow_removed(self, f: &Flow, why: Gone, alive: std::time::Duration, out: &mut SendRing) -> bool {
        let (duration_sec, duration_nsec) = (alive.as_secs() as u32, alive.subsec_nanos());
        match self {
            Dialect::V10 => {
                let m = v10::FlowRemoved {
                    xid: 0,
                    matching: match_10(&f.matching),
                    cookie: f.cookie,
                    priority: f.priority,
                    reason: v10::FlowRemovedReason(why as u8),
                    duration_sec,
                    duration_nsec,
                    idle_timeout: f.idle_timeout,
                    packet_count: f.packets,
                    byte_count: f.bytes,
                };
                put(out, &m)
            }
            Dialect::V13 => {
                let fields = match_13(&f.matching);
                let m = v13::FlowRemoved {
                    xid: 0,
                    cookie: f.cookie,
                    priority: f.priority,
                    reason: v13::FlowRemovedReason(why as u8),
                    table_id: 0,
                    duration_sec,
                    duration_nsec,
                    idle_timeout: f.idle_timeout,
                    hard_timeout: f.hard_timeout,
                    packet_count: f.packets,
                    byte_count: f.bytes,
                    matching: &fields[..],
                };
                put(out, &m)
            }
        }
    }
}

/// A packet_in of either version.
#[derive(Debug, Clone, Copy)]
pub struct ToController<'a> {
    /// Where the switch keeps the packet, or [`OFP_NO_BUFFER`].
    pub buffer_id: u32,
    /// The whole packet's length.
    pub total_len: usize,
    /// Where it came in.
    pub in_port: u32,
    /// For want of a flow, and not by an action.
    pub miss: bool,
    /// The flow's cookie (1.3).
    pub cookie: u64,
    /// The packet, or its beginning.
    pub data: &'a [u8],
}

/// Writes a whole message or nothing.
pub fn put(out: &mut SendRing, m: &impl Encode) -> bool {
    out.write_with(m.wire_len(), |b| m.write(b))
}

fn port_10(p: &PortState) -> v10::Port {
    v10::Port {
        port_no: p.number as u16,
        hw_addr: p.mac,
        name: ferroflow_openflow::FixedStr::new(&format!("eth{}", p.number)),
        state: if p.up { 0 } else { v10::OFPPS_LINK_DOWN },
        curr: v10::OFPPF_10GB_FD,
        ..v10::Port::default()
    }
}

fn port_13(p: &PortState) -> v13::Port {
    v13::Port {
        port_no: p.number,
        hw_addr: p.mac,
        name: ferroflow_openflow::FixedStr::new(&format!("eth{}", p.number)),
        state: if p.up { v13::OFPPS_LIVE } else { v13::OFPPS_LINK_DOWN },
        curr: v13::OFPPF_10GB_FD,
        ..v13::Port::default()
    }
}

const ALL_ONES: [u8; 6] = [0xff; 6];

fn match_10(f: &FlowMatch) -> v10::Match {
    let mut m = v10::Match::ANY;
    if let Some(p) = f.in_port {
        m = m.in_port(p as u16);
    }
    if let Some((a, _)) = f.eth_src {
        m = m.dl_src(a);
    }
    if let Some((a, _)) = f.eth_dst {
        m = m.dl_dst(a);
    }
    match f.vlan {
        Some((0, _)) => m = m.dl_vlan(v10::OFP_VLAN_NONE),
        Some((v, _)) => m = m.dl_vlan(v & 0x0fff),
        None => {}
    }
    if let Some(t) = f.eth_type {
        m = m.dl_type(t);
    }
    m
}

fn match_13(f: &FlowMatch) -> Vec<v13::Oxm<'static>> {
    let mask = |m: [u8; 6]| (m != ALL_ONES).then_some(m);
    let fields = [
        f.in_port.map(v13::Oxm::InPort),
        f.eth_dst.map(|(a, m)| v13::Oxm::EthDst(a, mask(m))),
        f.eth_src.map(|(a, m)| v13::Oxm::EthSrc(a, mask(m))),
        f.eth_type.map(v13::Oxm::EthType),
        f.vlan.map(|(v, m)| v13::Oxm::VlanVid(v, (m != 0x1fff).then_some(m))),
    ];
    fields.into_iter().flatten().collect()
}

/// Whether an output is to a real port.
pub fn is_physical(p: u32) -> bool {
    (1..port::MAX).contains(&p)
}

/// Whether a buffer is named.
pub fn named(buffer_id: u32) -> Option<u32> {
    (buffer_id != OFP_NO_BUFFER).then_some(buffer_id)
}
