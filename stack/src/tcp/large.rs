//! Segments that the port cuts (TSO). A run of full segments that could all be sent at this very moment, one by one, is handed
//! to the port as one; on the wire, and in all that is kept of what was sent, it is the same.

use super::TcpConfig;
use super::output::Chunk;
use super::tcb::Tcb;
use crate::time::Instant;

impl Tcb {
    /// Most text that may be sent as one now: of what the port takes, what is left of the budget and what need not wait for
    /// its time.
    pub(super) fn most_at_once(&self, port: u32, budget: usize, now: Instant, config: &TcpConfig) -> u32 {
        port.min(u32::try_from(budget).unwrap_or(u32::MAX)).min(self.pace_room(now, config))
    }

    /// Makes as many full segments of `chunk`, the next to be sent, as fit in `room` bytes: the least of what windows and
    /// pacing allow, and of what the port takes. If there is something that only one of the segments may say, it stays
    /// one.
    pub(super) fn enlarge(&self, chunk: Chunk, room: u32) -> Chunk {
        let each = self.segment_room();
        if room / 2 < each || chunk.len != each {
            return chunk;
        }
        // The port repeats the flags and options of the first, but for PSH and FIN, which are the last one's. CWR is for one
        // segment (RFC 3168 6.1.2), so is D-SACK (RFC 2883 4), and the urgent pointer is another in each (RFC 9293 3.1).
        let urgent = self.urgent_pointer((chunk.seq - self.snd.una) as usize) > 0;
        if self.ecn.reduced || self.rx.has_duplicate() || urgent {
            return chunk;
        }
        Chunk { len: room - room % each, each, ..chunk }
    }

    /// Counts what was sent as one segment as the several that it is.
    pub(super) fn count_large(&mut self, chunk: &Chunk) {
        let more = chunk.len.div_ceil(chunk.each) - 1;
        self.segs_out = self.segs_out.wrapping_add(more);
        self.data_segs_out = self.data_segs_out.wrapping_add(more);
        if chunk.again {
            self.retransmits = self.retransmits.saturating_add(more);
        }
    }
}
