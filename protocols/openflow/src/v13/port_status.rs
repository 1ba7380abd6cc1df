use super::{MsgType, Port, VERSION, start};
use crate::bytes::get32;
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

ferroflow_wire::open_enum! {
    /// `ofp_port_reason` (OF 1.3.5 7.4.3).
    pub PortReason(u8) { OFPPR_ADD = 0, OFPPR_DELETE = 1, OFPPR_MODIFY = 2 }
}

/// `OFPT_PORT_STATUS`: a switch port came, went or changed (OF 1.3.5 7.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortStatus {
    /// Transaction id.
    pub xid: u32,
    /// What happened.
    pub reason: PortReason,
    /// The port.
    pub desc: Port,
}

impl PortStatus {
    /// Length on the wire in bytes.
    pub const LEN: usize = 16 + Port::LEN;

    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length is not its length.
    pub fn parse(msg: &[u8]) -> Result<Self, DecodeError> {
        let start = start("PortStatus", MsgType::OFPT_PORT_STATUS);
        let (b, rest) = start.split::<{ Self::LEN }>(msg)?;
        start.nothing_after(rest, Self::LEN)?;
        Ok(Self { xid: get32(b, 4), reason: PortReason(b[8]), desc: Port::read(b, 16) })
    }
}

impl Encode for PortStatus {
    fn wire_len(&self) -> usize {
        Self::LEN
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<{ Self::LEN }>(VERSION, MsgType::OFPT_PORT_STATUS.0, self.xid);
        b[8] = self.reason.0;
        self.desc.fill(b, 16);
        w.finish();
    }
}
