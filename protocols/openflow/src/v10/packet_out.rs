use super::{ActionItem, Actions, MsgType, OFPP_NONE, VERSION, start};
use crate::OFP_NO_BUFFER;
use crate::bytes::{get16, get32, put16, put32};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};

/// `OFPT_PACKET_OUT`: a packet for the switch to send (OF 1.0 5.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketOut<'a, A = Actions<'a>> {
    /// Transaction id.
    pub xid: u32,
    /// The switch's buffer with the packet, or `OFP_NO_BUFFER` when `data` has it.
    pub buffer_id: u32,
    /// The packet's input switch port, or `OFPP_NONE`.
    pub in_port: u16,
    /// What to do with the packet; nothing drops it.
    pub actions: A,
    /// The packet, for `OFP_NO_BUFFER` only.
    pub data: &'a [u8],
}

const LEN: usize = 16;

impl<'a, A> PacketOut<'a, A> {
    /// Sends `data`.
    pub const fn of_data(in_port: u16, actions: A, data: &'a [u8]) -> Self {
        Self { xid: 0, buffer_id: OFP_NO_BUFFER, in_port, actions, data }
    }

    /// Sends the packet in the switch's buffer.
    pub const fn of_buffer(in_port: u16, actions: A, buffer_id: u32) -> Self {
        Self { xid: 0, buffer_id, in_port, actions, data: &[] }
    }

    /// The input switch port, if there is one.
    pub const fn in_port(&self) -> Option<u16> {
        if self.in_port == OFPP_NONE { None } else { Some(self.in_port) }
    }
}

impl<'a> PacketOut<'a> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or an action's length is wrong.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let (b, rest) = start("PacketOut", MsgType::OFPT_PACKET_OUT).split::<LEN>(msg)?;
        let actions_len = usize::from(get16(b, 14));
        let Some((actions, data)) = rest.split_at_checked(actions_len) else {
            let fault = Fault::length("actions_len", 14, actions_len, ErrorCode::BAD_LEN);
            return Err(fault.in_message("PacketOut", 0));
        };
        Ok(Self {
            xid: get32(b, 4),
            buffer_id: get32(b, 8),
            in_port: get16(b, 12),
            actions: Actions::check(actions, "PacketOut", LEN)?,
            data,
        })
    }
}

impl<A: Clone + IntoIterator<Item: ActionItem>> Encode for PacketOut<'_, A> {
    #[inline]
    fn wire_len(&self) -> usize {
        LEN + list_len(&self.actions) + self.data.len()
    }

    #[inline]
    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_PACKET_OUT.0, self.xid);
        put32(b, 8, self.buffer_id);
        put16(b, 12, self.in_port);
        let actions_len = write_list(&self.actions, &mut w);
        w.patch16(14, actions_len as u16);
        w.bytes(self.data);
        w.finish();
    }
}
