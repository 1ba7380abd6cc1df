use super::{MsgType, VERSION, start};
use crate::bytes::{get32, get64, put32, put64};
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

header_only! {
    /// `OFPT_FEATURES_REQUEST` (OF 1.3.5 7.3.1).
    FeaturesRequest, VERSION, MsgType::OFPT_FEATURES_REQUEST
}

/// `OFPT_FEATURES_REPLY`: who the switch is (OF 1.3.5 7.3.1). Its ports come by `OFPMP_PORT_DESC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeaturesReply {
    /// Transaction id.
    pub xid: u32,
    /// Datapath id.
    pub datapath_id: u64,
    /// Packets that the switch can buffer.
    pub n_buffers: u32,
    /// Flow tables.
    pub n_tables: u8,
    /// 0 on the main connection, otherwise the auxiliary connection's number.
    pub auxiliary_id: u8,
    /// `OFPC_*`.
    pub capabilities: u32,
}

const LEN: usize = 32;

impl FeaturesReply {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length is not its length.
    pub fn parse(msg: &[u8]) -> Result<Self, DecodeError> {
        let start = start("FeaturesReply", MsgType::OFPT_FEATURES_REPLY);
        let (b, rest) = start.split::<LEN>(msg)?;
        start.nothing_after(rest, LEN)?;
        Ok(Self {
            xid: get32(b, 4),
            datapath_id: get64(b, 8),
            n_buffers: get32(b, 16),
            n_tables: b[20],
            auxiliary_id: b[21],
            capabilities: get32(b, 24),
        })
    }
}

impl Encode for FeaturesReply {
    fn wire_len(&self) -> usize {
        LEN
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_FEATURES_REPLY.0, self.xid);
        put64(b, 8, self.datapath_id);
        put32(b, 16, self.n_buffers);
        b[20] = self.n_tables;
        b[21] = self.auxiliary_id;
        put32(b, 24, self.capabilities);
        w.finish();
    }
}
