//! OpenFlow 1.5 (wire version 6), by the specification 1.5.1: the messages of the data path. A packet_in is read and
//! written, packet_out and flow_mod are written alone.
//!
//! Matches, actions and instructions are those of [`v13`](crate::v13): what 1.5 added to them is their `Other`.

use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::{DecodeError, ErrorCode, Fault};
use crate::header::{Start, Version};
use crate::v13::{MsgType, OFPG_ANY, OFPP_ANY, match_len, write_match};
use crate::{OFP_DEFAULT_PRIORITY, OFP_NO_BUFFER};

pub use crate::owned::common::since_14::PacketInReason;
pub use crate::v13::{
    Action, ActionItem, Actions, FlowModCommand, Instruction, InstructionItem, Match, Oxm, OxmItem,
};

/// The wire version of this module's messages.
pub const VERSION: Version = Version::V1_5;

const fn start(message: &'static str, ty: MsgType) -> Start {
    Start { message, version: VERSION, ty: ty.0 }
}

packet_in_message!("OF 1.5.1 7.4.1", 24, cookie at 16);
flow_mod_message!("OF 1.5.1 7.3.4.2", importance at 46);

/// `OFPT_PACKET_OUT`: a packet for the switch to send (OF 1.5.1 7.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketOut<'a, M, A> {
    /// Transaction id.
    pub xid: u32,
    /// The switch's buffer with the packet, or `OFP_NO_BUFFER` when `data` has it.
    pub buffer_id: u32,
    /// Pipeline fields: the input port (a switch port or `OFPP_CONTROLLER`), which has to be there, and others.
    pub matching: M,
    /// What to do with the packet; nothing drops it.
    pub actions: A,
    /// The packet, for `OFP_NO_BUFFER` only.
    pub data: &'a [u8],
}

impl<'a, M, A> PacketOut<'a, M, A> {
    /// Sends `data`.
    pub const fn of_data(matching: M, actions: A, data: &'a [u8]) -> Self {
        Self { xid: 0, buffer_id: OFP_NO_BUFFER, matching, actions, data }
    }

    /// Sends the packet in the switch's buffer.
    pub const fn of_buffer(matching: M, actions: A, buffer_id: u32) -> Self {
        Self { xid: 0, buffer_id, matching, actions, data: &[] }
    }
}

impl<M, A> Encode for PacketOut<'_, M, A>
where
    M: Clone + IntoIterator<Item: OxmItem>,
    A: Clone + IntoIterator<Item: ActionItem>,
{
    #[inline]
    fn wire_len(&self) -> usize {
        16 + match_len(&self.matching) + list_len(&self.actions) + self.data.len()
    }

    #[inline]
    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<16>(VERSION, MsgType::OFPT_PACKET_OUT.0, self.xid);
        put32(b, 8, self.buffer_id);
        write_match(&self.matching, &mut w);
        let actions_len = write_list(&self.actions, &mut w);
        w.patch16(12, actions_len as u16);
        w.bytes(self.data);
        w.finish();
    }
}
