use super::matching::{match_len, write_match};
use super::{Match, MsgType, OxmItem, VERSION, start};
use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

ferroflow_wire::open_enum! {
    /// `ofp_flow_removed_reason` (OF 1.3.5 7.4.2); the last two are of 1.4.
    pub FlowRemovedReason(u8) {
        OFPRR_IDLE_TIMEOUT = 0,
        OFPRR_HARD_TIMEOUT = 1,
        OFPRR_DELETE = 2,
        OFPRR_GROUP_DELETE = 3,
        OFPRR_METER_DELETE = 4,
        OFPRR_EVICTION = 5,
    }
}

/// `OFPT_FLOW_REMOVED`: a flow has gone (OF 1.3.5 7.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowRemoved<M> {
    /// Transaction id.
    pub xid: u32,
    /// The flow's cookie.
    pub cookie: u64,
    /// The flow's priority.
    pub priority: u16,
    /// Why it has gone.
    pub reason: FlowRemovedReason,
    /// The flow's table.
    pub table_id: u8,
    /// How long it lived, seconds.
    pub duration_sec: u32,
    /// How long it lived, nanoseconds beyond the seconds.
    pub duration_nsec: u32,
    /// The flow's idle time-out in seconds.
    pub idle_timeout: u16,
    /// The flow's hard time-out in seconds.
    pub hard_timeout: u16,
    /// Packets that it matched.
    pub packet_count: u64,
    /// Bytes that it matched.
    pub byte_count: u64,
    /// The flow's match.
    pub matching: M,
}

const LEN: usize = 48;

impl<'a> FlowRemoved<Match<'a>> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the match is malformed.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let start = start("FlowRemoved", MsgType::OFPT_FLOW_REMOVED);
        let (b, rest) = start.split::<LEN>(msg)?;
        let (matching, rest) = Match::split(rest, "FlowRemoved", LEN)?;
        start.nothing_after(rest, msg.len() - rest.len())?;
        Ok(Self {
            xid: get32(b, 4),
            cookie: get64(b, 8),
            priority: get16(b, 16),
            reason: FlowRemovedReason(b[18]),
            table_id: b[19],
            duration_sec: get32(b, 20),
            duration_nsec: get32(b, 24),
            idle_timeout: get16(b, 28),
            hard_timeout: get16(b, 30),
            packet_count: get64(b, 32),
            byte_count: get64(b, 40),
            matching,
        })
    }
}

impl<M: Clone + IntoIterator<Item: OxmItem>> Encode for FlowRemoved<M> {
    fn wire_len(&self) -> usize {
        LEN + match_len(&self.matching)
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_FLOW_REMOVED.0, self.xid);
        put64(b, 8, self.cookie);
        put16(b, 16, self.priority);
        b[18] = self.reason.0;
        b[19] = self.table_id;
        put32(b, 20, self.duration_sec);
        put32(b, 24, self.duration_nsec);
        put16(b, 28, self.idle_timeout);
        put16(b, 30, self.hard_timeout);
        put64(b, 32, self.packet_count);
        put64(b, 40, self.byte_count);
        write_match(&self.matching, &mut w);
        w.finish();
    }
}
