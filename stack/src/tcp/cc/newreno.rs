//! NewReno's congestion avoidance (RFC 5681 3.1).

use super::{Acked, Congestion, Window};
use crate::time::Instant;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NewReno {
    /// Bytes acknowledged since the window last grew (RFC 3465 2.1).
    acked: u32,
}

impl Congestion for NewReno {
    fn avoid(&mut self, window: &Window, ack: &Acked) -> u32 {
        if !ack.limited {
            return window.cwnd;
        }
        // RFC 5681 3.1: one segment a round trip, however much an ACK covers
        self.acked = self.acked.saturating_add(ack.bytes.min(window.cwnd));
        if self.acked < window.cwnd {
            return window.cwnd;
        }
        self.acked -= window.cwnd;
        window.cwnd + window.mss
    }

    fn reduce(&mut self, window: &Window, _now: Instant, flight: u32) -> u32 {
        self.acked = 0;
        (flight / 2).max(2 * window.mss) // RFC 5681 (4)
    }

    fn undo(&mut self) {
        self.acked = 0;
    }
}
