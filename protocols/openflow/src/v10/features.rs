use super::{MsgType, Port, PortItem, VERSION, start};
use crate::bytes::{get32, get64, put32, put64};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::DecodeError;
use crate::list::List;

header_only! {
    /// `OFPT_FEATURES_REQUEST` (OF 1.0 5.3.1).
    FeaturesRequest, VERSION, MsgType::OFPT_FEATURES_REQUEST
}

/// `OFPT_FEATURES_REPLY`: who the switch is, and its ports (OF 1.0 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeaturesReply<L> {
    /// Transaction id.
    pub xid: u32,
    /// Datapath id.
    pub datapath_id: u64,
    /// Packets that the switch can buffer.
    pub n_buffers: u32,
    /// Flow tables.
    pub n_tables: u8,
    /// `OFPC_*`.
    pub capabilities: u32,
    /// Bit n: the switch has the action of type n.
    pub actions: u32,
    /// Switch ports.
    pub ports: L,
}

const LEN: usize = 32;

impl<'a> FeaturesReply<List<'a, Port>> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length leaves part of a port.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let (b, rest) = start("FeaturesReply", MsgType::OFPT_FEATURES_REPLY).split::<LEN>(msg)?;
        Ok(Self {
            xid: get32(b, 4),
            datapath_id: get64(b, 8),
            n_buffers: get32(b, 16),
            n_tables: b[20],
            capabilities: get32(b, 24),
            actions: get32(b, 28),
            ports: List::check(rest, "FeaturesReply", LEN)?,
        })
    }
}

impl<L: Clone + IntoIterator<Item: PortItem>> Encode for FeaturesReply<L> {
    fn wire_len(&self) -> usize {
        LEN + list_len(&self.ports)
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_FEATURES_REPLY.0, self.xid);
        put64(b, 8, self.datapath_id);
        put32(b, 16, self.n_buffers);
        b[20] = self.n_tables;
        put32(b, 24, self.capabilities);
        put32(b, 28, self.actions);
        write_list(&self.ports, &mut w);
        w.finish();
    }
}
