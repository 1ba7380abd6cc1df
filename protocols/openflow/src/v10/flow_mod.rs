use super::{ActionItem, Actions, Match, MsgType, OFPP_NONE, VERSION, start};
use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer, list_len, write_list};
use crate::error::DecodeError;
use crate::{OFP_DEFAULT_PRIORITY, OFP_NO_BUFFER};

ferroflow_wire::open_enum! {
    /// `ofp_flow_mod_command` of 1.0, two bytes wide (OF 1.0 5.3.3).
    pub FlowModCommand(u16) {
        OFPFC_ADD = 0,
        OFPFC_MODIFY = 1,
        OFPFC_MODIFY_STRICT = 2,
        OFPFC_DELETE = 3,
        OFPFC_DELETE_STRICT = 4,
    }
}

/// `OFPT_FLOW_MOD`: add, change or delete flows (OF 1.0 5.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowMod<A> {
    /// Transaction id.
    pub xid: u32,
    /// Which packets.
    pub matching: Match,
    /// The controller's own identifier of the flow.
    pub cookie: u64,
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
    /// For deletes: only flows that output here; `OFPP_NONE` for all.
    pub out_port: u16,
    /// `OFPFF_*`.
    pub flags: u16,
    /// What to do with the packets; nothing drops them.
    pub actions: A,
}

const LEN: usize = 72;

impl<A> FlowMod<A> {
    /// Adds a flow of default priority without time-outs. Change fields as needed:
    /// `FlowMod { priority: 10, ..FlowMod::new(matching, actions) }`.
    #[inline]
    pub const fn new(matching: Match, actions: A) -> Self {
        Self {
            xid: 0,
            matching,
            cookie: 0,
            command: FlowModCommand::OFPFC_ADD,
            idle_timeout: 0,
            hard_timeout: 0,
            priority: OFP_DEFAULT_PRIORITY,
            buffer_id: OFP_NO_BUFFER,
            out_port: OFPP_NONE,
            flags: 0,
            actions,
        }
    }
}

impl<'a> FlowMod<Actions<'a>> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or an action's length is wrong.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let (b, rest) = start("FlowMod", MsgType::OFPT_FLOW_MOD).split::<LEN>(msg)?;
        Ok(Self {
            xid: get32(b, 4),
            matching: Match::read(b, 8),
            cookie: get64(b, 48),
            command: FlowModCommand(get16(b, 56)),
            idle_timeout: get16(b, 58),
            hard_timeout: get16(b, 60),
            priority: get16(b, 62),
            buffer_id: get32(b, 64),
            out_port: get16(b, 68),
            flags: get16(b, 70),
            actions: Actions::check(rest, "FlowMod", LEN)?,
        })
    }
}

impl<A: Clone + IntoIterator<Item: ActionItem>> Encode for FlowMod<A> {
    #[inline]
    fn wire_len(&self) -> usize {
        LEN + list_len(&self.actions)
    }

    #[inline]
    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_FLOW_MOD.0, self.xid);
        self.matching.fill(b, 8);
        put64(b, 48, self.cookie);
        put16(b, 56, self.command.0);
        put16(b, 58, self.idle_timeout);
        put16(b, 60, self.hard_timeout);
        put16(b, 62, self.priority);
        put32(b, 64, self.buffer_id);
        put16(b, 68, self.out_port);
        put16(b, 70, self.flags);
        write_list(&self.actions, &mut w);
        w.finish();
    }
}
