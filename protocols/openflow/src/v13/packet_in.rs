use super::matching::{match_len, write_match};
use super::{Match, MsgType, OxmItem, VERSION, start};
use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer};
use crate::error::{DecodeError, ErrorCode, Fault};

ferroflow_wire::open_enum! {
    /// `ofp_packet_in_reason` (OF 1.3.5 7.4.1).
    pub PacketInReason(u8) { OFPR_NO_MATCH = 0, OFPR_ACTION = 1, OFPR_INVALID_TTL = 2 }
}

/// `OFPT_PACKET_IN`: a packet, or its beginning, for the controller (OF 1.3.5 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketIn<'a, M = Match<'a>> {
    /// Transaction id.
    pub xid: u32,
    /// The switch's buffer with the packet, or `OFP_NO_BUFFER`.
    pub buffer_id: u32,
    /// Length of the whole packet in bytes.
    pub total_len: u16,
    /// Why it was sent.
    pub reason: PacketInReason,
    /// The table that sent it.
    pub table_id: u8,
    /// The cookie of the flow that sent it, or all ones.
    pub cookie: u64,
    /// The packet's metadata, its input port first of all.
    pub matching: M,
    /// The packet from its Ethernet header on.
    pub data: &'a [u8],
}

const LEN: usize = 24;

impl<'a> PacketIn<'a> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the match is malformed.
    #[inline]
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let (b, rest) = start("PacketIn", MsgType::OFPT_PACKET_IN).split::<LEN>(msg)?;
        let (matching, rest) = Match::split(rest, "PacketIn", LEN)?;
        // Two bytes of padding bring the packet's IP header to a multiple of 4.
        let Some((_, data)) = rest.split_first_chunk::<2>() else {
            let fault = Fault::truncated("pad", 2, rest.len(), ErrorCode::BAD_LEN);
            return Err(fault.in_message("PacketIn", msg.len() - rest.len()));
        };
        Ok(Self {
            xid: get32(b, 4),
            buffer_id: get32(b, 8),
            total_len: get16(b, 12),
            reason: PacketInReason(b[14]),
            table_id: b[15],
            cookie: get64(b, 16),
            matching,
            data,
        })
    }

    /// The switch port that the packet came in on, which the standard requires to be there.
    #[inline]
    pub fn in_port(&self) -> Option<u32> {
        self.matching.in_port()
    }
}

impl<M> PacketIn<'_, M> {
    /// Whether the message carries less than the whole packet.
    pub const fn is_truncated(&self) -> bool {
        self.data.len() < self.total_len as usize
    }
}

impl<M: Clone + IntoIterator<Item: OxmItem>> Encode for PacketIn<'_, M> {
    #[inline]
    fn wire_len(&self) -> usize {
        LEN + match_len(&self.matching) + 2 + self.data.len()
    }

    #[inline]
    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_PACKET_IN.0, self.xid);
        put32(b, 8, self.buffer_id);
        put16(b, 12, self.total_len);
        b[14] = self.reason.0;
        b[15] = self.table_id;
        put64(b, 16, self.cookie);
        write_match(&self.matching, &mut w);
        w.zeros(2);
        w.bytes(self.data);
        w.finish();
    }
}
