//! Received bytes that wait: in order but not read, or out of order (RFC 9293 3.10.7.4, seventh step).

mod reassembly;

use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::SackBlocks;

use reassembly::Reassembly;

/// Smallest limit, in bytes.
const MIN_LIMIT: usize = 4096;
/// Smallest allocation: what a reader leaves is hardly ever more.
const MIN_CAPACITY: usize = 1024;

/// One connection's waiting bytes. It allocates nothing while data arrives in order and is read at once.
///
/// Unread bytes are in a ring. Bytes behind a gap are kept apart until the gap is filled, so that memory follows the
/// bytes received and not the size of the window.
#[derive(Debug)]
pub struct RecvBuffer {
    ring: Box<[u8]>,
    head: u32,
    /// Unread bytes in order; `rcv_nxt` is the sequence number behind them.
    len: u32,
    limit: u32,
    /// Received twice and not reported yet; empty if there is none (RFC 2883).
    duplicate: (SeqNumber, SeqNumber),
    /// What arrived behind a gap.
    gaps: Option<Box<Reassembly>>,
}

/// Unread bytes that their reader looks at.
#[derive(Debug)]
pub struct Lent {
    ring: Box<[u8]>,
    head: u32,
    len: u32,
}

impl Lent {
    /// The bytes, in up to two pieces.
    pub fn unread(&self) -> (&[u8], &[u8]) {
        pieces(&self.ring, self.head, self.len)
    }
}

/// `len` bytes of a ring from `head` on.
fn pieces(ring: &[u8], head: u32, len: u32) -> (&[u8], &[u8]) {
    let (head, len) = (head as usize, len as usize);
    let first = len.min(ring.len() - head);
    (&ring[head..head + first], &ring[..len - first])
}

/// What became of an out-of-order segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insert {
    /// Kept (or held already).
    Kept,
    /// There are too many gaps already; dropped.
    TooManyGaps,
    /// It lies beyond the limit; dropped.
    NoRoom,
}

impl RecvBuffer {
    /// Holds at most `limit` bytes (at least 4096, at most 1 GiB, which is the largest window: RFC 7323 2.3).
    pub fn new(limit: usize) -> RecvBuffer {
        let nothing = (SeqNumber(0), SeqNumber(0));
        let limit = bounded(limit);
        RecvBuffer { ring: Box::default(), head: 0, len: 0, limit, duplicate: nothing, gaps: None }
    }

    /// Unread bytes in order.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nothing waits to be read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Most bytes it ever holds.
    #[inline]
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Holds up to `limit` bytes from now on. A lower limit than before changes nothing: the peer may have been told.
    pub fn raise_limit(&mut self, limit: usize) {
        self.limit = self.limit.max(bounded(limit));
    }

    /// Holds up to `limit` bytes from now on, but never fewer than it holds: for connections that have announced no window
    /// yet.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = bounded(limit).max(self.len);
    }

    /// Whether bytes wait behind a gap.
    #[inline]
    pub fn has_gaps(&self) -> bool {
        self.gaps.is_some()
    }

    /// Whether some of `start..end` waits behind a gap.
    pub fn holds_some(&self, start: SeqNumber, end: SeqNumber) -> bool {
        self.gaps.as_ref().is_some_and(|gaps| gaps.overlap(start, end).is_some())
    }

    /// Behind the last byte that waits behind a gap.
    pub fn end(&self) -> Option<SeqNumber> {
        self.gaps.as_ref()?.end()
    }

    /// Bytes of memory held now.
    pub fn memory(&self) -> usize {
        self.ring.len() + self.gaps.as_ref().map_or(0, |gaps| gaps.memory())
    }

    /// Bytes that wait behind a gap.
    pub fn out_of_order(&self) -> usize {
        self.gaps.as_ref().map_or(0, |gaps| gaps.bytes() as usize)
    }

    /// In-order bytes that the reader left. The caller has kept the sender within the window.
    pub fn append(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.reserve(self.len() + data.len());
        self.copy_in(data);
    }

    /// Bytes at `rcv_nxt` that may fill a gap; returns how far `rcv_nxt` moves on. What is held already is noted as a
    /// duplicate.
    pub fn fill(&mut self, rcv_nxt: SeqNumber, data: &[u8]) -> u32 {
        let end = rcv_nxt + data.len() as u32;
        if let Some((start, end)) = self.gaps.as_ref().and_then(|gaps| gaps.overlap(rcv_nxt, end)) {
            self.duplicate(start, end);
        }
        self.append(data);
        data.len() as u32 + self.merge(end)
    }

    /// Bytes at `seq`, `rcv_nxt` or later, within the window. What is held already is noted as a duplicate.
    pub fn insert(&mut self, rcv_nxt: SeqNumber, seq: SeqNumber, data: &[u8], max_gaps: usize) -> Insert {
        let end = seq + data.len() as u32;
        if u64::from(end - rcv_nxt) + u64::from(self.len) > u64::from(self.limit) {
            return Insert::NoRoom;
        }
        if data.is_empty() {
            return Insert::Kept;
        }
        // What is in order is always taken: it leaves no gap, and nothing else could ever fill the first one.
        let free = seq == rcv_nxt || self.gaps.as_ref().map_or(0, |g| g.gaps()) < max_gaps;
        if !free && !self.gaps.as_ref().is_some_and(|g| g.joins(seq, end)) {
            return Insert::TooManyGaps;
        }
        let gaps = self.gaps.get_or_insert_default();
        let twice = gaps.overlap(seq, end);
        gaps.insert(seq, data);
        if let Some((start, end)) = twice {
            self.duplicate(start, end);
        }
        Insert::Kept
    }

    /// Makes bytes readable that are in order now; returns how far `rcv_nxt` moves on.
    pub fn merge(&mut self, rcv_nxt: SeqNumber) -> u32 {
        let Some(mut gaps) = self.gaps.take() else { return 0 };
        let n = gaps.in_order(rcv_nxt);
        self.reserve(self.len() + n as usize);
        gaps.take(rcv_nxt, rcv_nxt + n, |bytes| self.copy_in(bytes));
        if !gaps.is_empty() {
            self.gaps = Some(gaps);
        }
        n
    }

    /// Copies unread bytes into `out` and drops them; returns how many.
    pub fn read(&mut self, out: &mut [u8]) -> usize {
        let n = self.peek(out);
        self.drop_read(n as u32);
        n
    }

    /// Copies unread bytes into `out`, where they stay unread; returns how many.
    pub fn peek(&self, out: &mut [u8]) -> usize {
        let n = out.len().min(self.len());
        let (a, b) = pieces(&self.ring, self.head, n as u32);
        out[..a.len()].copy_from_slice(a);
        out[a.len()..n].copy_from_slice(b);
        n
    }

    /// The unread bytes, in up to two pieces.
    pub fn unread(&self) -> (&[u8], &[u8]) {
        pieces(&self.ring, self.head, self.len)
    }

    /// The unread bytes, lent out with the memory that holds them: until [`RecvBuffer::put_back`] there are none here.
    pub fn lend(&mut self) -> Lent {
        let len = std::mem::take(&mut self.len);
        Lent { ring: std::mem::take(&mut self.ring), head: self.head, len }
    }

    /// Takes the ring back, of which `read` bytes were read.
    pub fn put_back(&mut self, lent: Lent, read: usize) {
        self.ring = lent.ring;
        self.len = lent.len;
        self.drop_read(read as u32);
    }

    fn drop_read(&mut self, n: u32) {
        self.len -= n;
        let mask = (self.ring.len() as u32).wrapping_sub(1);
        self.head = if self.len == 0 { 0 } else { self.head.wrapping_add(n) & mask };
    }

    /// Notes that `start..end` was received before, to be reported once (RFC 2883 4).
    pub fn duplicate(&mut self, start: SeqNumber, end: SeqNumber) {
        let (from, to) = self.duplicate;
        // Of several in one burst, those that touch make one block; else the last one counts (RFC 2883 4, (1)).
        let touches = from != to && start.le(to) && end.ge(from);
        self.duplicate = if touches { (from.min(start), to.max(end)) } else { (start, end) };
    }

    /// An acknowledgement went out: the duplicate is reported (RFC 2883 4, (2): in one segment only).
    #[inline]
    pub fn acked(&mut self) {
        self.duplicate = (SeqNumber(0), SeqNumber(0));
    }

    /// Whether the next acknowledgement has something to report beyond `rcv_nxt`.
    #[inline]
    pub fn has_sack(&self) -> bool {
        self.gaps.is_some() || self.has_duplicate()
    }

    /// Whether it has a duplicate to report, which is reported once (RFC 2883 4).
    #[inline]
    pub fn has_duplicate(&self) -> bool {
        self.duplicate.0 != self.duplicate.1
    }

    /// What an acknowledgement of `rcv_nxt` reports in at most `max` blocks: a duplicate, then what waits behind gaps, the
    /// latest arrival first.
    pub fn sack_blocks(&self, rcv_nxt: SeqNumber, max: usize) -> SackBlocks {
        let mut blocks = SackBlocks::NONE;
        if !self.has_sack() {
            return blocks;
        }
        let max = max.min(SackBlocks::MAX);
        let (start, end) = self.duplicate;
        let mut holder = None;
        if start != end && max > 0 {
            blocks.push(start, end); // RFC 2883 4, (3): always the first block
            // RFC 2883 4, (5): followed by the range that holds it
            holder =
                self.gaps.as_ref().filter(|_| start.ge(rcv_nxt)).and_then(|gaps| gaps.holder(start, end));
            if let Some((start, end)) = holder
                && blocks.len() < max
            {
                blocks.push(start, end);
            }
        }
        // RFC 2018 4: the block with the latest segment first, then those reported most recently
        let mut age = None;
        while blocks.len() < max
            && let Some((start, end, next)) = self.gaps.as_ref().and_then(|gaps| gaps.latest(age))
        {
            age = Some(next);
            if holder != Some((start, end)) {
                blocks.push(start, end);
            }
        }
        blocks
    }

    /// Gives back the memory that is not needed for what is held.
    pub fn shrink(&mut self) {
        if self.len == 0 {
            self.ring = Box::default();
            self.head = 0;
        } else if let capacity = capacity(self.len()).min(self.ring.len())
            && capacity < self.ring.len()
        {
            self.resize(capacity);
        }
    }

    /// Drops everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = RecvBuffer::new(self.limit());
    }

    #[inline]
    fn reserve(&mut self, need: usize) {
        debug_assert!(need <= self.limit(), "{need} bytes in a receive buffer of {}", self.limit);
        if need > self.ring.len() {
            self.resize(capacity(need));
        }
    }

    #[cold]
    fn resize(&mut self, capacity: usize) {
        let mut ring = vec![0; capacity].into_boxed_slice();
        self.peek(&mut ring);
        self.ring = ring;
        self.head = 0;
    }

    /// Appends bytes for which there is room.
    fn copy_in(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let at = (self.head as usize + self.len()) & (self.ring.len() - 1);
        let first = data.len().min(self.ring.len() - at);
        self.ring[at..at + first].copy_from_slice(&data[..first]);
        self.ring[..data.len() - first].copy_from_slice(&data[first..]);
        self.len += data.len() as u32;
    }
}

fn bounded(limit: usize) -> u32 {
    limit.clamp(MIN_LIMIT, 1 << 30) as u32
}

/// The ring for `need` bytes: a power of two, so that its places come by a mask.
fn capacity(need: usize) -> usize {
    need.next_power_of_two().max(MIN_CAPACITY)
}

#[cfg(test)]
mod tests;
