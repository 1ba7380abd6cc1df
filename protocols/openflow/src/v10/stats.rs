use super::{MsgType, VERSION, start};
use crate::bytes::{get16, get32, put16};
use crate::desc::{DESC_LEN, Desc};
use crate::encode::{Encode, Part, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};
use crate::list::{Decode, List};
use crate::port_counters::PortCounters;

ferroflow_wire::open_enum! {
    /// `ofp_stats_types` (OF 1.0 5.3.5).
    pub StatsType(u16) {
        OFPST_DESC = 0,
        OFPST_FLOW = 1,
        OFPST_AGGREGATE = 2,
        OFPST_TABLE = 3,
        OFPST_PORT = 4,
        OFPST_QUEUE = 5,
        OFPST_VENDOR = 0xffff,
    }
}

/// `OFPT_STATS_REQUEST` (OF 1.0 5.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatsRequest<'a> {
    /// Transaction id.
    pub xid: u32,
    /// None defined.
    pub flags: u16,
    /// What is asked.
    pub body: StatsRequestBody<'a>,
}

/// What a stats request asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsRequestBody<'a> {
    /// `OFPST_DESC`: the switch's description.
    Desc,
    /// `OFPST_PORT`: counters of one switch port, or of all by `OFPP_NONE`.
    Port {
        /// Switch port.
        port_no: u16,
    },
    /// Any other type.
    Other {
        /// Its type.
        ty: StatsType,
        /// Its body.
        body: &'a [u8],
    },
}

const LEN: usize = 12;
const PORT_REQUEST_LEN: usize = 8;

impl<'a> StatsRequest<'a> {
    /// Asks for the switch's description.
    pub const fn desc(xid: u32) -> Self {
        Self { xid, flags: 0, body: StatsRequestBody::Desc }
    }

    /// Asks for the counters of one switch port, or of all by `OFPP_NONE`.
    pub const fn port(xid: u32, port_no: u16) -> Self {
        Self { xid, flags: 0, body: StatsRequestBody::Port { port_no } }
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length does not fit the type.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let start = start("StatsRequest", MsgType::OFPT_STATS_REQUEST);
        let (b, rest) = start.split::<LEN>(msg)?;
        let body = match StatsType(get16(b, 8)) {
            StatsType::OFPST_DESC => {
                start.nothing_after(rest, LEN)?;
                StatsRequestBody::Desc
            }
            StatsType::OFPST_PORT => {
                let (b, rest) = split("ofp_port_stats_request", "StatsRequest", rest)?;
                start.nothing_after(rest, LEN + PORT_REQUEST_LEN)?;
                StatsRequestBody::Port { port_no: get16::<PORT_REQUEST_LEN>(b, 0) }
            }
            ty => StatsRequestBody::Other { ty, body: rest },
        };
        Ok(Self { xid: get32(b, 4), flags: get16(b, 10), body })
    }
}

fn split<'a, const N: usize>(
    field: &'static str,
    message: &'static str,
    body: &'a [u8],
) -> Result<(&'a [u8; N], &'a [u8]), DecodeError> {
    body.split_first_chunk()
        .ok_or_else(|| Fault::truncated(field, N, body.len(), ErrorCode::BAD_LEN).in_message(message, LEN))
}

impl Encode for StatsRequest<'_> {
    fn wire_len(&self) -> usize {
        LEN + match self.body {
            StatsRequestBody::Desc => 0,
            StatsRequestBody::Port { .. } => PORT_REQUEST_LEN,
            StatsRequestBody::Other { body, .. } => body.len(),
        }
    }

    fn write(&self, buf: &mut [u8]) {
        let ty = match self.body {
            StatsRequestBody::Desc => StatsType::OFPST_DESC,
            StatsRequestBody::Port { .. } => StatsType::OFPST_PORT,
            StatsRequestBody::Other { ty, .. } => ty,
        };
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_STATS_REQUEST.0, self.xid);
        put16(b, 8, ty.0);
        put16(b, 10, self.flags);
        match self.body {
            StatsRequestBody::Desc => {}
            StatsRequestBody::Port { port_no } => {
                let b = w.take::<PORT_REQUEST_LEN>();
                *b = [0; PORT_REQUEST_LEN];
                put16(b, 0, port_no);
            }
            StatsRequestBody::Other { body, .. } => w.bytes(body),
        }
        w.finish();
    }
}

/// `OFPT_STATS_REPLY` (OF 1.0 5.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatsReply<'a, L = List<'a, PortStats>> {
    /// Transaction id.
    pub xid: u32,
    /// `OFPSF_REPLY_MORE` or nothing.
    pub flags: u16,
    /// The answer, or one part of it.
    pub body: StatsReplyBody<'a, L>,
}

/// What a stats reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsReplyBody<'a, L = List<'a, PortStats>> {
    /// `OFPST_DESC`.
    Desc(Desc<'a>),
    /// `OFPST_PORT`.
    Port(L),
    /// Any other type.
    Other {
        /// Its type.
        ty: StatsType,
        /// Its body.
        body: &'a [u8],
    },
}

impl<L> StatsReply<'_, L> {
    /// Whether more parts of the answer follow.
    pub const fn has_more(&self) -> bool {
        self.flags & super::OFPSF_REPLY_MORE != 0
    }
}

impl<L> StatsReply<'_, L> {
    /// The only or last part of an answer to `OFPST_PORT`.
    pub const fn port(xid: u32, ports: L) -> Self {
        Self { xid, flags: 0, body: StatsReplyBody::Port(ports) }
    }
}

impl<'a> StatsReply<'a> {
    /// An answer to `OFPST_DESC`.
    pub const fn desc(xid: u32, desc: Desc<'a>) -> Self {
        Self { xid, flags: 0, body: StatsReplyBody::Desc(desc) }
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length does not fit the type.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let start = start("StatsReply", MsgType::OFPT_STATS_REPLY);
        let (b, rest) = start.split::<LEN>(msg)?;
        let body = match StatsType(get16(b, 8)) {
            StatsType::OFPST_DESC => {
                let (b, rest) = split("ofp_desc_stats", "StatsReply", rest)?;
                start.nothing_after(rest, LEN + DESC_LEN)?;
                StatsReplyBody::Desc(Desc::read(b))
            }
            StatsType::OFPST_PORT => StatsReplyBody::Port(List::check(rest, "StatsReply", LEN)?),
            ty => StatsReplyBody::Other { ty, body: rest },
        };
        Ok(Self { xid: get32(b, 4), flags: get16(b, 10), body })
    }
}

impl<L: Clone + IntoIterator<Item: PortStatsItem>> Encode for StatsReply<'_, L> {
    fn wire_len(&self) -> usize {
        LEN + match &self.body {
            StatsReplyBody::Desc(_) => DESC_LEN,
            StatsReplyBody::Port(ports) => list_len(ports),
            StatsReplyBody::Other { body, .. } => body.len(),
        }
    }

    fn write(&self, buf: &mut [u8]) {
        let ty = match self.body {
            StatsReplyBody::Desc(_) => StatsType::OFPST_DESC,
            StatsReplyBody::Port(_) => StatsType::OFPST_PORT,
            StatsReplyBody::Other { ty, .. } => ty,
        };
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_STATS_REPLY.0, self.xid);
        put16(b, 8, ty.0);
        put16(b, 10, self.flags);
        match &self.body {
            StatsReplyBody::Desc(desc) => desc.write_to(&mut w),
            StatsReplyBody::Port(ports) => {
                write_list(ports, &mut w);
            }
            StatsReplyBody::Other { body, .. } => w.bytes(body),
        }
        w.finish();
    }
}

/// `ofp_port_stats` (OF 1.0 5.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PortStats {
    /// Switch port.
    pub port_no: u16,
    /// Its counters.
    pub counters: PortCounters,
}

/// What a list of port stats may be made of.
pub trait PortStatsItem: Part {}

impl PortStatsItem for PortStats {}

impl<T: PortStatsItem + ?Sized> PortStatsItem for &T {}

impl PortStats {
    /// Length on the wire in bytes.
    pub const LEN: usize = 104;
}

impl<'a> Decode<'a> for PortStats {
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        match bytes.split_first_chunk::<{ Self::LEN }>() {
            Some((b, rest)) => Ok((Self { port_no: get16(b, 0), counters: PortCounters::read(b) }, rest)),
            None => Err(Fault::truncated("ofp_port_stats", Self::LEN, bytes.len(), ErrorCode::BAD_LEN)),
        }
    }
}

impl Part for PortStats {
    fn wire_len(&self) -> usize {
        Self::LEN
    }

    fn write_to(&self, w: &mut Writer<'_>) {
        let b = w.take::<{ Self::LEN }>();
        *b = [0; Self::LEN];
        put16(b, 0, self.port_no);
        self.counters.fill(b);
    }
}
