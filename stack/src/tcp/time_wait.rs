//! TIME_WAIT (RFC 9293 3.6.1, 3.10.7.4; RFC 6191; RFC 1337): what is remembered of a connection after its end.

use ferroflow_wire::{MacAddr, SeqNumber};

use super::input::Segment;
use super::table::Key;
use super::tcb::Tcb;
use crate::time::Instant;

/// One connection in TIME_WAIT.
#[derive(Debug, Clone, Copy)]
pub struct TimeWait {
    /// Its place in the table, and so its addresses and ports.
    pub key: Key,
    /// Where frames to the peer go.
    pub next_hop: Option<MacAddr>,
    /// Next sequence number of ours.
    pub snd_nxt: SeqNumber,
    /// Next expected of the peer.
    pub rcv_nxt: SeqNumber,
    /// Our last window, as on the wire.
    pub window: u16,
    /// TS.Recent, if timestamps were used.
    pub ts_recent: Option<u32>,
    /// Offset of our timestamps.
    pub ts_offset: u32,
    /// When it ends.
    pub until: Instant,
}

/// What a segment that arrives in TIME_WAIT asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Ignore,
    /// The last ACK again.
    Ack,
    /// That, and the time starts anew.
    AckAndRestart,
    /// A SYN that is certainly new: the entry makes room for a new connection, whose first sequence number must be
    /// beyond the old one's last (RFC 9293 3.6.1, MAY-2).
    Reopen,
}

impl TimeWait {
    /// What is kept of `tcb`.
    pub fn of(tcb: &Tcb, until: Instant) -> TimeWait {
        TimeWait {
            key: tcb.key,
            next_hop: tcb.next_hop,
            snd_nxt: tcb.snd.max,
            rcv_nxt: tcb.rcv.nxt,
            window: u16::try_from(tcb.rcv_wnd() >> tcb.rcv.wscale).unwrap_or(u16::MAX),
            ts_recent: tcb.ts.map(|ts| ts.recent),
            ts_offset: tcb.ts_clock.offset(),
            until,
        }
    }

    /// RFC 9293 3.10.7.4 for the state TIME_WAIT. `timestamps`: whether a new connection would use them.
    pub fn input(&self, seg: &Segment<'_>, timestamps: bool) -> Answer {
        if seg.flags.rst() {
            return Answer::Ignore; // RFC 1337: a reset must not cut TIME_WAIT short
        }
        if seg.flags.syn() && !seg.flags.ack() {
            return if self.is_new(seg, timestamps) { Answer::Reopen } else { Answer::Ack };
        }
        if self.is_fin_again(seg) {
            return Answer::AckAndRestart;
        }
        if seg.seq_len() == 0 && seg.seq == self.rcv_nxt { Answer::Ignore } else { Answer::Ack }
    }

    /// RFC 9293 3.10.7.4 eighth step: the peer's FIN is sent again, the last thing that it sends. Another segment with a
    /// FIN, or one with an older timestamp (RFC 7323 5.3 R1), is not that, and does not keep the entry alive.
    fn is_fin_again(&self, seg: &Segment<'_>) -> bool {
        let old = match (self.ts_recent, seg.options.timestamps) {
            (Some(recent), Some((value, _))) => (value.wrapping_sub(recent) as i32) < 0,
            (recent, _) => recent.is_some(),
        };
        let flags = seg.flags;
        flags.fin() && flags.ack() && !flags.syn() && seg.seq + seg.seq_len() == self.rcv_nxt && !old
    }

    /// RFC 6191 2: by timestamp where both connections have them, else by sequence number.
    fn is_new(&self, seg: &Segment<'_>, timestamps: bool) -> bool {
        match (self.ts_recent, seg.options.timestamps.filter(|_| timestamps)) {
            (Some(old), Some((new, _))) if new != old => (new.wrapping_sub(old) as i32) > 0,
            // What is left of the old connection has no timestamps, and the new one will not take it.
            (None, Some(_)) => true,
            _ => seg.seq.gt(self.rcv_nxt),
        }
    }
}
