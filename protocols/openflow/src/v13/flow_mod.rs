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

flow_mod_message!("OF 1.3.5 7.3.4.1");

impl<'a> FlowMod<Match<'a>, Instructions<'a>> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the match or the instructions are malformed.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let (b, rest) = start("FlowMod", MsgType::OFPT_FLOW_MOD).split::<48>(msg)?;
        let (matching, rest) = Match::split(rest, "FlowMod", 48)?;
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
