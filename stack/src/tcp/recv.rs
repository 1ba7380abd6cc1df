//! Received bytes that wait: in order but not read, or out of order (RFC 9293 3.10.7.4, seventh step).

use ferroflow_wire::SeqNumber;

/// Smallest allocation, in bytes.
const MIN_CAPACITY: usize = 4096;

/// One connection's waiting bytes: a ring that begins at the oldest unread byte and covers everything up to the right
/// edge of the window. It allocates nothing while data arrives in order and is read at once.
#[derive(Debug)]
pub struct RecvBuffer {
    ring: Vec<u8>,
    head: usize,
    /// Unread bytes in order; `rcv_nxt` is the sequence number behind them.
    len: usize,
    /// Bytes that arrived behind a gap: disjoint, ordered, never touching.
    ranges: Vec<(SeqNumber, SeqNumber)>,
    limit: usize,
}

/// Unread bytes that their reader looks at.
#[derive(Debug)]
pub struct Lent {
    ring: Vec<u8>,
    head: usize,
    len: usize,
}

impl Lent {
    /// The bytes, in up to two pieces.
    pub fn unread(&self) -> (&[u8], &[u8]) {
        pieces(&self.ring, self.head, self.len)
    }
}

fn pieces(ring: &[u8], head: usize, len: usize) -> (&[u8], &[u8]) {
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
}

impl RecvBuffer {
    /// Holds at most `limit` bytes (rounded up to a power of two of at least 4096).
    pub fn new(limit: usize) -> RecvBuffer {
        let limit = limit.max(MIN_CAPACITY).next_power_of_two();
        RecvBuffer { ring: Vec::new(), head: 0, len: 0, ranges: Vec::new(), limit }
    }

    /// Unread bytes in order.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits to be read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Most bytes it ever holds.
    #[inline]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether bytes wait behind a gap.
    #[inline]
    pub fn has_gaps(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// Behind the last byte that waits behind a gap.
    pub fn end(&self) -> Option<SeqNumber> {
        self.ranges.last().map(|&(_, end)| end)
    }

    /// Bytes of memory held now.
    pub fn memory(&self) -> usize {
        self.ring.capacity()
    }

    /// In-order bytes that the reader left. The caller has kept the sender within the window, so they fit.
    pub fn append(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.write_at(self.len, data);
        self.len += data.len();
    }

    /// Bytes at `seq`, `rcv_nxt` or later, within the window.
    pub fn insert(&mut self, rcv_nxt: SeqNumber, seq: SeqNumber, data: &[u8], max_gaps: usize) -> Insert {
        let (start, end) = (seq, seq + data.len() as u32);
        let first = self.ranges.partition_point(|r| r.1.lt(start));
        let last = self.ranges.partition_point(|r| r.0.le(end));
        if first == last {
            // What is in order is always taken: it leaves no gap, and nothing else could ever fill the first one.
            if self.ranges.len() >= max_gaps && start != rcv_nxt {
                return Insert::TooManyGaps;
            }
            self.ranges.insert(first, (start, end));
        } else {
            let merged = (self.ranges[first].0.min(start), self.ranges[last - 1].1.max(end));
            self.ranges[first] = merged;
            self.ranges.drain(first + 1..last);
        }
        self.write_at(self.len + (seq - rcv_nxt) as usize, data);
        Insert::Kept
    }

    /// Makes bytes readable that are in order now; returns how far `rcv_nxt` moves on.
    pub fn merge(&mut self, rcv_nxt: SeqNumber) -> u32 {
        let Some(&(start, end)) = self.ranges.first() else { return 0 };
        if start.gt(rcv_nxt) {
            return 0;
        }
        self.ranges.remove(0);
        if end.le(rcv_nxt) {
            return 0;
        }
        let n = end - rcv_nxt;
        self.len += n as usize;
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
        self.len = lent.len - read;
        if self.len == 0 && self.ranges.is_empty() {
            self.head = 0;
        } else if !self.ring.is_empty() {
            self.head = (self.head + read) & (self.ring.len() - 1);
        }
    }

    /// Drops everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = RecvBuffer::new(self.limit);
    }

    fn write_at(&mut self, offset: usize, data: &[u8]) {
        let need = offset + data.len();
        assert!(need <= self.limit, "{need} bytes in a receive buffer of {}", self.limit);
        if need > self.ring.len() {
            self.grow(need);
        }
        let mask = self.ring.len() - 1;
        let at = (self.head + offset) & mask;
        let first = data.len().min(self.ring.len() - at);
        self.ring[at..at + first].copy_from_slice(&data[..first]);
        self.ring[..data.len() - first].copy_from_slice(&data[first..]);
    }

    #[cold]
    fn grow(&mut self, need: usize) {
        let capacity = need.next_power_of_two().clamp(MIN_CAPACITY, self.limit);
        let mut ring = vec![0; capacity];
        // All of the old ring is copied, unused bytes too: what waits behind gaps is in it.
        let old = self.ring.len();
        let first = old - self.head.min(old);
        ring[..first].copy_from_slice(&self.ring[self.head.min(old)..]);
        ring[first..old].copy_from_slice(&self.ring[..old - first]);
        self.ring = ring;
        self.head = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(buf: &mut RecvBuffer) -> Vec<u8> {
        let lent = buf.lend();
        let (a, b) = lent.unread();
        let out = [a, b].concat();
        buf.put_back(lent, out.len());
        out
    }

    #[test]
    fn gaps_fill_in_any_order() {
        let data: Vec<u8> = (0..=255).collect();
        let base = SeqNumber(u32::MAX - 100);
        let mut buf = RecvBuffer::new(4096);
        let at = |o: usize, n: usize| (base + o as u32, &data[o..o + n]);
        for (o, n) in [(200, 56), (10, 20), (30, 10), (100, 50), (20, 90), (5, 5)] {
            let (seq, bytes) = at(o, n);
            assert_eq!(buf.insert(base, seq, bytes, 8), Insert::Kept);
        }
        assert_eq!(buf.merge(base), 0);
        assert_eq!(buf.insert(base, base, &data[..5], 8), Insert::Kept);
        assert_eq!(buf.merge(base), 150);
        assert_eq!(read_all(&mut buf), &data[..150]);
        let nxt = base + 150;
        assert_eq!(buf.insert(nxt, nxt, &data[150..200], 8), Insert::Kept);
        assert_eq!(buf.merge(nxt), 106);
        assert!(!buf.has_gaps());
        assert_eq!(read_all(&mut buf), &data[150..]);
    }

    #[test]
    fn growing_keeps_what_waits_behind_a_gap_and_what_wraps() {
        let data: Vec<u8> = (0..20_000u32).map(|n| (n % 251) as u8).collect();
        let mut buf = RecvBuffer::new(32 * 1024);
        let mut nxt = SeqNumber(7);
        buf.append(&data[..4000]);
        nxt += 4000;
        let lent = buf.lend();
        buf.put_back(lent, 3000);
        // wraps in a ring of 4096, then grows
        assert_eq!(buf.insert(nxt, nxt + 2000, &data[6000..7000], 8), Insert::Kept);
        assert_eq!(buf.insert(nxt, nxt + 3000, &data[7000..20_000], 8), Insert::Kept);
        assert_eq!(buf.insert(nxt, nxt, &data[4000..6000], 8), Insert::Kept);
        assert_eq!(buf.merge(nxt), 16_000);
        assert_eq!(read_all(&mut buf), &data[3000..]);
    }

    #[test]
    fn the_number_of_gaps_is_bounded() {
        let mut buf = RecvBuffer::new(4096);
        for n in 0..4 {
            assert_eq!(buf.insert(SeqNumber(0), SeqNumber(10 + n * 10), b"x", 4), Insert::Kept);
        }
        assert_eq!(buf.insert(SeqNumber(0), SeqNumber(100), b"x", 4), Insert::TooManyGaps);
        assert_eq!(buf.insert(SeqNumber(0), SeqNumber(11), b"x", 4), Insert::Kept);
        assert_eq!(buf.insert(SeqNumber(0), SeqNumber(0), b"x", 4), Insert::Kept, "in order");
        assert_eq!(buf.merge(SeqNumber(0)), 1);
    }
}
