use super::{MsgType, VERSION, start};
use crate::bytes::{get16, get32, put16, put32};
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

ferroflow_wire::open_enum! {
    /// `ofp_packet_in_reason` (OF 1.0 5.4.1).
    pub PacketInReason(u8) { OFPR_NO_MATCH = 0, OFPR_ACTION = 1 }
}

/// `OFPT_PACKET_IN`: a packet, or its beginning, for the controller (OF 1.0 5.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketIn<'a> {
    /// Transaction id.
    pub xid: u32,
    /// The switch's buffer with the packet, or `OFP_NO_BUFFER`.
    pub buffer_id: u32,
    /// Length of the whole packet in bytes.
    pub total_len: u16,
    /// Switch port that the packet came in on.
    pub in_port: u16,
    /// Why it was sent.
    pub reason: PacketInReason,
    /// The packet from its Ethernet header on.
    pub data: &'a [u8],
}

/// Where the data starts. The specification's structure ends two padding bytes later than its last member.
const LEN: usize = 18;

impl<'a> PacketIn<'a> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the message is too short.
    #[inline]
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let (b, data) = start("PacketIn", MsgType::OFPT_PACKET_IN).split::<LEN>(msg)?;
        Ok(Self {
            xid: get32(b, 4),
            buffer_id: get32(b, 8),
            total_len: get16(b, 12),
            in_port: get16(b, 14),
            reason: PacketInReason(b[16]),
            data,
        })
    }

    /// Whether the message carries less than the whole packet.
    pub const fn is_truncated(&self) -> bool {
        self.data.len() < self.total_len as usize
    }
}

impl Encode for PacketIn<'_> {
    #[inline]
    fn wire_len(&self) -> usize {
        LEN + self.data.len()
    }

    #[inline]
    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_PACKET_IN.0, self.xid);
        put32(b, 8, self.buffer_id);
        put16(b, 12, self.total_len);
        put16(b, 14, self.in_port);
        b[16] = self.reason.0;
        w.bytes(self.data);
        w.finish();
    }
}
