//! Urgent data (RFC 9293 3.8.5, RFC 6093): it stays in its place in the stream, and both ends can tell each other how far it
//! goes.

use super::input::Segment;
use super::tcb::{State, Tcb};

/// RCV.UP and SND.UP, each as a place in its stream: sequence numbers would come round again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Urgent {
    /// Behind the last urgent byte of the peer's; 0 if there was none.
    received: u64,
    /// Behind the last urgent byte of ours.
    sent: u64,
}

impl Tcb {
    /// RFC 9293 3.10.7.4, sixth step. `Some`: there is news (MUST-32), and so many bytes to be read until then.
    pub(super) fn urgent_received(&mut self, seg: &Segment<'_>) -> Option<u32> {
        if !matches!(self.state, State::Established | State::FinWait1 | State::FinWait2) {
            return None;
        }
        // MUST-62: the pointer is to the octet behind the urgent data.
        let ahead = (seg.seq + u32::from(seg.urgent)).diff(self.rcv.nxt);
        let end = self.bytes_received.checked_add_signed(ahead.into())?;
        let unread = self.bytes_received - self.rx.len() as u64;
        if end <= unread || end <= self.urgent.received {
            return None;
        }
        self.urgent.received = end;
        Some(self.urgent_ahead())
    }

    /// Bytes from the first that was not read to the end of the urgent data (RFC 9293 3.8.5, MUST-33).
    pub fn urgent_ahead(&self) -> u32 {
        let read = self.bytes_received - self.rx.len() as u64;
        self.urgent.received.saturating_sub(read) as u32
    }

    /// What was written up to now is urgent (RFC 9293 3.9.1.2).
    pub fn urge(&mut self) {
        self.urgent.sent = self.bytes_acked + self.tx.len() as u64;
    }

    /// SEG.UP of a segment whose text begins `offset` bytes behind SND.UNA; 0 if it is not to say urgent. What is further
    /// ahead than the field can tell is told by a later segment.
    #[inline]
    pub(super) fn urgent_pointer(&self, offset: usize) -> u16 {
        if self.urgent.sent <= self.bytes_acked {
            return 0; // as nearly always
        }
        let ahead = self.urgent.sent.saturating_sub(self.bytes_acked + offset as u64);
        u16::try_from(ahead).unwrap_or(u16::MAX)
    }
}
