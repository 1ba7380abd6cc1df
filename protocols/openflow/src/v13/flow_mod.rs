use super::matching::{match_len, write_match};
use super::{InstructionItem, Instructions, Match, MsgType, OFPG_ANY, OFPP_ANY, OxmItem, VERSION, start};
use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::DecodeError;
use crate::{OFP_DEFAULT_PRIORITY, OFP_NO_BUFFER};

ferroflow_wire::open_enum! {
    /// `ofp_flow_mod_command` of 1.3, one byte wide (OF 1.3.5 7.3.4.1).
    pub FlowModCommand(u8) {
        OFPFC_ADD = 0,
        OFPFC_MODIFY = 1,
        OFPFC_MODIFY_STRICT = 2,
        OFPFC_DELETE = 3,
        OFPFC_DELETE_STRICT = 4,
    }
}

/// `OFPT_FLOW_MOD`: add, change or delete flows (OF 1.3.5 7.3.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowMod<M, I> {
    /// Transaction id.
    pub xid: u32,
    /// The controller's own identifier of the flow.
    pub cookie: u64,
    /// For changes and deletes: only flows whose cookie agrees with `cookie` in these bits. 0 for all.
    pub cookie_mask: u64,
    /// The table; `OFPTT_ALL` for deletes from all.
    pub table_id: u8,
    /// What to do.
    pub command: FlowModCommand,
    /// Seconds without a packet until the flow goes; 0 for never.
    pub idle_timeout: u16,
    /// Seconds until the flow goes; 0 for never.
    pub hard_timeout: u16,
    /// Higher wins.
    pub priority: u16,
    /// Buffered packet to apply the flow to, or `OFP_NO_BUFFER`.
    pub buffer_id: u32,
    /// For deletes: only flows that output here; `OFPP_ANY` for all.
    pub out_port: u32,
    /// For deletes: only flows that use this group; `OFPG_ANY` for all.
    pub out_group: u32,
    /// `OFPFF_*`.
    pub flags: u16,
    /// Which packets: OXM fields, a field's prerequisites before it.
    pub matching: M,
    /// What to do with the packets; nothing drops them.
    pub instructions: I,
}

const LEN: usize = 48;

impl<M, I> FlowMod<M, I> {
    /// Adds a flow of default priority to table 0, without time-outs. Change fields as needed:
    /// `FlowMod { priority: 10, ..FlowMod::new(matching, instructions) }`.
    #[inline]
    pub const fn new(matching: M, instructions: I) -> Self {
        Self {
            xid: 0,
            cookie: 0,
            cookie_mask: 0,
            table_id: 0,
            command: FlowModCommand::OFPFC_ADD,
            idle_timeout: 0,
            hard_timeout: 0,
            priority: OFP_DEFAULT_PRIORITY,
            buffer_id: OFP_NO_BUFFER,
            out_port: OFPP_ANY,
            out_group: OFPG_ANY,
            flags: 0,
            matching,
            instructions,
        }
    }
}

impl<'a> FlowMod<Match<'a>, Instructions<'a>> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the match or the instructions are malformed.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let (b, rest) = start("FlowMod", MsgType::OFPT_FLOW_MOD).split::<LEN>(msg)?;
        let (matching, rest) = Match::split(rest, "FlowMod", LEN)?;
        Ok(Self {
            xid: get32(b, 4),
            cookie: get64(b, 8),
            cookie_mask: get64(b, 16),
            table_id: b[24],
            command: FlowModCommand(b[25]),
            idle_timeout: get16(b, 26),
            hard_timeout: get16(b, 28),
            priority: get16(b, 30),
            buffer_id: get32(b, 32),
            out_port: get32(b, 36),
            out_group: get32(b, 40),
            flags: get16(b, 44),
            matching,
            instructions: Instructions::check(rest, "FlowMod", msg.len() - rest.len())?,
        })
    }
}

impl<M, I> Encode for FlowMod<M, I>
where
    M: Clone + IntoIterator<Item: OxmItem>,
    I: Clone + IntoIterator<Item: InstructionItem>,
{
    #[inline]
    fn wire_len(&self) -> usize {
        LEN + match_len(&self.matching) + list_len(&self.instructions)
    }

    #[inline]
    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_FLOW_MOD.0, self.xid);
        put64(b, 8, self.cookie);
        put64(b, 16, self.cookie_mask);
        b[24] = self.table_id;
        b[25] = self.command.0;
        put16(b, 26, self.idle_timeout);
        put16(b, 28, self.hard_timeout);
        put16(b, 30, self.priority);
        put32(b, 32, self.buffer_id);
        put32(b, 36, self.out_port);
        put32(b, 40, self.out_group);
        put16(b, 44, self.flags);
        write_match(&self.matching, &mut w);
        write_list(&self.instructions, &mut w);
        w.finish();
    }
}
