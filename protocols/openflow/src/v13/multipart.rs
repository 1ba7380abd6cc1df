use super::{MsgType, Port, PortItem, PortStats, PortStatsItem, VERSION, start};
use crate::bytes::{get16, get32, put16, put32};
use crate::desc::{DESC_LEN, Desc};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};
use crate::list::List;

ferroflow_wire::open_enum! {
    /// `ofp_multipart_type` (OF 1.3.5 7.3.5).
    pub MultipartType(u16) {
        OFPMP_DESC = 0,
        OFPMP_FLOW = 1,
        OFPMP_AGGREGATE = 2,
        OFPMP_TABLE = 3,
        OFPMP_PORT_STATS = 4,
        OFPMP_QUEUE = 5,
        OFPMP_GROUP = 6,
        OFPMP_GROUP_DESC = 7,
        OFPMP_GROUP_FEATURES = 8,
        OFPMP_METER = 9,
        OFPMP_METER_CONFIG = 10,
        OFPMP_METER_FEATURES = 11,
        OFPMP_TABLE_FEATURES = 12,
        OFPMP_PORT_DESC = 13,
        OFPMP_EXPERIMENTER = 0xffff,
    }
}

/// `OFPT_MULTIPART_REQUEST` (OF 1.3.5 7.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultipartRequest<'a> {
    /// Transaction id.
    pub xid: u32,
    /// `OFPMPF_REQ_MORE` or nothing.
    pub flags: u16,
    /// What is asked.
    pub body: MultipartRequestBody<'a>,
}

/// What a multipart request asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MultipartRequestBody<'a> {
    /// `OFPMP_DESC`: the switch's description.
    Desc,
    /// `OFPMP_PORT_STATS`: counters of one switch port, or of all by `OFPP_ANY`.
    PortStats {
        /// Switch port.
        port_no: u32,
    },
    /// `OFPMP_PORT_DESC`: the switch's ports.
    PortDesc,
    /// Any other type.
    Other {
        /// Its type.
        ty: MultipartType,
        /// Its body.
        body: &'a [u8],
    },
}

const LEN: usize = 16;
const PORT_REQUEST_LEN: usize = 8;

impl MultipartRequestBody<'_> {
    /// The type on the wire.
    pub const fn ty(&self) -> MultipartType {
        match self {
            Self::Desc => MultipartType::OFPMP_DESC,
            Self::PortStats { .. } => MultipartType::OFPMP_PORT_STATS,
            Self::PortDesc => MultipartType::OFPMP_PORT_DESC,
            Self::Other { ty, .. } => *ty,
        }
    }
}

impl<'a> MultipartRequest<'a> {
    /// Asks for the switch's description.
    pub const fn desc(xid: u32) -> Self {
        Self { xid, flags: 0, body: MultipartRequestBody::Desc }
    }

    /// Asks for the counters of one switch port, or of all by `OFPP_ANY`.
    pub const fn port_stats(xid: u32, port_no: u32) -> Self {
        Self { xid, flags: 0, body: MultipartRequestBody::PortStats { port_no } }
    }

    /// Asks for the switch's ports.
    pub const fn port_desc(xid: u32) -> Self {
        Self { xid, flags: 0, body: MultipartRequestBody::PortDesc }
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length does not fit the type.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let start = start("MultipartRequest", MsgType::OFPT_MULTIPART_REQUEST);
        let (b, rest) = start.split::<LEN>(msg)?;
        let body = match MultipartType(get16(b, 8)) {
            MultipartType::OFPMP_DESC => {
                start.nothing_after(rest, LEN)?;
                MultipartRequestBody::Desc
            }
            MultipartType::OFPMP_PORT_DESC => {
                start.nothing_after(rest, LEN)?;
                MultipartRequestBody::PortDesc
            }
            MultipartType::OFPMP_PORT_STATS => {
                let (b, rest) = split("ofp_port_stats_request", "MultipartRequest", rest)?;
                start.nothing_after(rest, LEN + PORT_REQUEST_LEN)?;
                MultipartRequestBody::PortStats { port_no: get32::<PORT_REQUEST_LEN>(b, 0) }
            }
            ty => MultipartRequestBody::Other { ty, body: rest },
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

impl Encode for MultipartRequest<'_> {
    fn wire_len(&self) -> usize {
        LEN + match self.body {
            MultipartRequestBody::Desc | MultipartRequestBody::PortDesc => 0,
            MultipartRequestBody::PortStats { .. } => PORT_REQUEST_LEN,
            MultipartRequestBody::Other { body, .. } => body.len(),
        }
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_MULTIPART_REQUEST.0, self.xid);
        put16(b, 8, self.body.ty().0);
        put16(b, 10, self.flags);
        match self.body {
            MultipartRequestBody::Desc | MultipartRequestBody::PortDesc => {}
            MultipartRequestBody::PortStats { port_no } => {
                let b = w.take::<PORT_REQUEST_LEN>();
                *b = [0; PORT_REQUEST_LEN];
                put32(b, 0, port_no);
            }
            MultipartRequestBody::Other { body, .. } => w.bytes(body),
        }
        w.finish();
    }
}

/// `OFPT_MULTIPART_REPLY` (OF 1.3.5 7.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultipartReply<'a, S = List<'a, PortStats>, P = List<'a, Port>> {
    /// Transaction id.
    pub xid: u32,
    /// `OFPMPF_REPLY_MORE` or nothing.
    pub flags: u16,
    /// The answer, or one part of it.
    pub body: MultipartReplyBody<'a, S, P>,
}

/// What a multipart reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MultipartReplyBody<'a, S = List<'a, PortStats>, P = List<'a, Port>> {
    /// `OFPMP_DESC`.
    Desc(Desc<'a>),
    /// `OFPMP_PORT_STATS`.
    PortStats(S),
    /// `OFPMP_PORT_DESC`.
    PortDesc(P),
    /// Any other type.
    Other {
        /// Its type.
        ty: MultipartType,
        /// Its body.
        body: &'a [u8],
    },
}

impl<S, P> MultipartReplyBody<'_, S, P> {
    /// The type on the wire.
    pub const fn ty(&self) -> MultipartType {
        match self {
            Self::Desc(_) => MultipartType::OFPMP_DESC,
            Self::PortStats(_) => MultipartType::OFPMP_PORT_STATS,
            Self::PortDesc(_) => MultipartType::OFPMP_PORT_DESC,
            Self::Other { ty, .. } => *ty,
        }
    }
}

impl<S, P> MultipartReply<'_, S, P> {
    /// Whether more parts of the answer follow.
    pub const fn has_more(&self) -> bool {
        self.flags & super::OFPMPF_REPLY_MORE != 0
    }
}

impl<S> MultipartReply<'_, S> {
    /// The only or last part of an answer to `OFPMP_PORT_STATS`.
    pub const fn port_stats(xid: u32, stats: S) -> Self {
        Self { xid, flags: 0, body: MultipartReplyBody::PortStats(stats) }
    }
}

impl<'a, P> MultipartReply<'a, List<'a, PortStats>, P> {
    /// The only or last part of an answer to `OFPMP_PORT_DESC`.
    pub const fn port_desc(xid: u32, ports: P) -> Self {
        Self { xid, flags: 0, body: MultipartReplyBody::PortDesc(ports) }
    }
}

impl<'a> MultipartReply<'a> {
    /// An answer to `OFPMP_DESC`.
    pub const fn desc(xid: u32, desc: Desc<'a>) -> Self {
        Self { xid, flags: 0, body: MultipartReplyBody::Desc(desc) }
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length does not fit the type.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let start = start("MultipartReply", MsgType::OFPT_MULTIPART_REPLY);
        let (b, rest) = start.split::<LEN>(msg)?;
        let body = match MultipartType(get16(b, 8)) {
            MultipartType::OFPMP_DESC => {
                let (b, rest) = split("ofp_desc", "MultipartReply", rest)?;
                start.nothing_after(rest, LEN + DESC_LEN)?;
                MultipartReplyBody::Desc(Desc::read(b))
            }
            MultipartType::OFPMP_PORT_STATS => {
                MultipartReplyBody::PortStats(List::check(rest, "MultipartReply", LEN)?)
            }
            MultipartType::OFPMP_PORT_DESC => {
                MultipartReplyBody::PortDesc(List::check(rest, "MultipartReply", LEN)?)
            }
            ty => MultipartReplyBody::Other { ty, body: rest },
        };
        Ok(Self { xid: get32(b, 4), flags: get16(b, 10), body })
    }
}

impl<S, P> Encode for MultipartReply<'_, S, P>
where
    S: Clone + IntoIterator<Item: PortStatsItem>,
    P: Clone + IntoIterator<Item: PortItem>,
{
    fn wire_len(&self) -> usize {
        LEN + match &self.body {
            MultipartReplyBody::Desc(_) => DESC_LEN,
            MultipartReplyBody::PortStats(stats) => list_len(stats),
            MultipartReplyBody::PortDesc(ports) => list_len(ports),
            MultipartReplyBody::Other { body, .. } => body.len(),
        }
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_MULTIPART_REPLY.0, self.xid);
        put16(b, 8, self.body.ty().0);
        put16(b, 10, self.flags);
        match &self.body {
            MultipartReplyBody::Desc(desc) => desc.write_to(&mut w),
            MultipartReplyBody::PortStats(stats) => {
                write_list(stats, &mut w);
            }
            MultipartReplyBody::PortDesc(ports) => {
                write_list(ports, &mut w);
            }
            MultipartReplyBody::Other { body, .. } => w.bytes(body),
        }
        w.finish();
    }
}
