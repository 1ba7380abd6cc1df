use super::{Match, MsgType, VERSION, start};
use crate::bytes::{get16, get32, get64, put16, put32, put64};
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;

ferroflow_wire::open_enum! {
    /// `ofp_flow_removed_reason` (OF 1.0 5.4.2).
    pub FlowRemovedReason(u8) { OFPRR_IDLE_TIMEOUT = 0, OFPRR_HARD_TIMEOUT = 1, OFPRR_DELETE = 2 }
}

/// `OFPT_FLOW_REMOVED`: a flow has gone (OF 1.0 5.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowRemoved {
    /// Transaction id.
    pub xid: u32,
    /// The flow's match.
    pub matching: Match,
    /// The flow's cookie.
    pub cookie: u64,
    /// The flow's priority.
    pub priority: u16,
    /// Why it has gone.
    pub reason: FlowRemovedReason,
    /// How long it lived, seconds.
    pub duration_sec: u32,
    /// How long it lived, nanoseconds beyond the seconds.
    pub duration_nsec: u32,
    /// The flow's idle time-out in seconds.
    pub idle_timeout: u16,
    /// Packets that it matched.
    pub packet_count: u64,
    /// Bytes that it matched.
    pub byte_count: u64,
}

const LEN: usize = 88;

impl FlowRemoved {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When the header is not this message's, or the length is not its length.
    pub fn parse(msg: &[u8]) -> Result<Self, DecodeError> {
        let start = start("FlowRemoved", MsgType::OFPT_FLOW_REMOVED);
        let (b, rest) = start.split::<LEN>(msg)?;
        start.nothing_after(rest, LEN)?;
        Ok(Self {
            xid: get32(b, 4),
            matching: Match::read(b, 8),
            cookie: get64(b, 48),
            priority: get16(b, 56),
            reason: FlowRemovedReason(b[58]),
            duration_sec: get32(b, 60),
            duration_nsec: get32(b, 64),
            idle_timeout: get16(b, 68),
            packet_count: get64(b, 72),
            byte_count: get64(b, 80),
        })
    }
}

impl Encode for FlowRemoved {
    fn wire_len(&self) -> usize {
        LEN
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_FLOW_REMOVED.0, self.xid);
        self.matching.fill(b, 8);
        put64(b, 48, self.cookie);
        put16(b, 56, self.priority);
        b[58] = self.reason.0;
        put32(b, 60, self.duration_sec);
        put32(b, 64, self.duration_nsec);
        put16(b, 68, self.idle_timeout);
        put64(b, 72, self.packet_count);
        put64(b, 80, self.byte_count);
        w.finish();
    }
}
