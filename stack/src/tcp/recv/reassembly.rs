//! Bytes that arrived behind a gap (RFC 9293 3.10.7.4, seventh step; RFC 2018 4).

use std::collections::VecDeque;

use ferroflow_wire::SeqNumber;

/// Pieces that touch are joined up to this size, so that tiny segments share an allocation.
const PIECE: usize = 16 * 1024;

/// Some bytes, all of which were received.
#[derive(Debug)]
struct Piece {
    seq: SeqNumber,
    bytes: Vec<u8>,
}

impl Piece {
    fn end(&self) -> SeqNumber {
        self.seq + self.bytes.len() as u32
    }

    /// Appends; returns by how much the allocation grew. It at most doubles and stays within a piece's size.
    fn extend(&mut self, data: &[u8]) -> usize {
        let before = self.bytes.capacity();
        let need = self.bytes.len() + data.len();
        if need > before {
            let capacity = (2 * self.bytes.len()).min(PIECE).max(need);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        self.bytes.capacity() - before
    }
}

/// Received without a gap, with gaps before and behind.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: SeqNumber,
    end: SeqNumber,
    /// Which arrival its latest segment was.
    arrival: u32,
}

/// Out-of-order data of one connection. Its memory follows the bytes that it holds, not the distance between them:
/// at most twice the bytes, and a piece's overhead per [`PIECE`] and per gap.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    /// The bytes: disjoint and ordered. Two that touch are longer than a piece together, which bounds their number.
    pieces: VecDeque<Piece>,
    /// What the pieces cover: disjoint, ordered, never touching.
    ranges: Vec<Range>,
    arrivals: u32,
    /// Bytes allocated by the pieces.
    allocated: usize,
}

impl Reassembly {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many ranges there are, each behind a gap.
    pub(super) fn gaps(&self) -> usize {
        self.ranges.len()
    }

    pub(super) fn end(&self) -> Option<SeqNumber> {
        self.ranges.last().map(|r| r.end)
    }

    /// How many bytes they hold.
    pub(super) fn bytes(&self) -> u32 {
        self.ranges.iter().map(|r| r.end - r.start).sum()
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Reassembly>()
            + self.pieces.capacity() * size_of::<Piece>()
            + self.ranges.capacity() * size_of::<Range>()
            + self.allocated
    }

    /// Whether `start..end` touches or overlaps a range, and so needs none of its own.
    pub(super) fn joins(&self, start: SeqNumber, end: SeqNumber) -> bool {
        let first = self.ranges.partition_point(|r| r.end.lt(start));
        self.ranges.get(first).is_some_and(|r| r.start.le(end))
    }

    /// The first bytes of `start..end` that are held already.
    pub(super) fn overlap(&self, start: SeqNumber, end: SeqNumber) -> Option<(SeqNumber, SeqNumber)> {
        let first = self.ranges.partition_point(|r| r.end.le(start));
        let range = self.ranges.get(first).filter(|r| r.start.lt(end))?;
        Some((range.start.max(start), range.end.min(end)))
    }

    /// The range that holds all of `start..end`.
    pub(super) fn holder(&self, start: SeqNumber, end: SeqNumber) -> Option<(SeqNumber, SeqNumber)> {
        let first = self.ranges.partition_point(|r| r.end.le(start));
        let range = self.ranges.get(first).filter(|r| r.start.le(start) && r.end.ge(end))?;
        Some((range.start, range.end))
    }

    /// The range with the latest segment, or the next one behind one of that age; and its age in arrivals.
    pub(super) fn latest(&self, behind: Option<u32>) -> Option<(SeqNumber, SeqNumber, u32)> {
        self.ranges
            .iter()
            .map(|r| (r.start, r.end, self.arrivals.wrapping_sub(r.arrival)))
            .filter(|&(.., age)| behind.is_none_or(|behind| age > behind))
            .min_by_key(|&(.., age)| age)
    }

    /// Keeps what is new of `data`.
    pub(super) fn insert(&mut self, start: SeqNumber, data: &[u8]) {
        let end = start + data.len() as u32;
        self.note(start, end);
        let mut at = self.pieces.partition_point(|p| p.end().le(start));
        let mut seq = start;
        while seq.lt(end) {
            let next = self.pieces.get(at).map_or(end, |p| p.seq.min(end));
            if seq.lt(next) {
                at = self.put(at, seq, &data[(seq - start) as usize..(next - start) as usize]);
            }
            seq = self.pieces.get(at).map_or(end, Piece::end);
            at += 1;
        }
    }

    /// Joins `start..end` with the ranges that it touches.
    fn note(&mut self, start: SeqNumber, end: SeqNumber) {
        self.arrivals = self.arrivals.wrapping_add(1);
        let first = self.ranges.partition_point(|r| r.end.lt(start));
        let last = self.ranges.partition_point(|r| r.start.le(end));
        let mut range = Range { start, end, arrival: self.arrivals };
        if first == last {
            return self.ranges.insert(first, range);
        }
        range.start = start.min(self.ranges[first].start);
        range.end = end.max(self.ranges[last - 1].end);
        self.ranges[first] = range;
        self.ranges.drain(first + 1..last);
    }

    /// Puts bytes before the piece at `at`, or to the end of the one before; returns the piece they are in.
    fn put(&mut self, at: usize, seq: SeqNumber, data: &[u8]) -> usize {
        let fits = |p: &Piece, n: usize| p.bytes.len() + n <= PIECE;
        let before =
            at.checked_sub(1).filter(|&i| self.pieces[i].end() == seq && fits(&self.pieces[i], data.len()));
        let at = match before {
            Some(before) => {
                self.allocated += self.pieces[before].extend(data);
                before
            }
            None => {
                self.pieces.insert(at, Piece { seq, bytes: data.to_vec() });
                self.allocated += self.pieces[at].bytes.capacity();
                at
            }
        };
        let len = self.pieces[at].bytes.len();
        let end = self.pieces[at].end();
        if self.pieces.get(at + 1).is_some_and(|p| p.seq == end && fits(p, len))
            && let Some(behind) = self.pieces.remove(at + 1)
        {
            self.allocated += self.pieces[at].extend(&behind.bytes);
            self.allocated -= behind.bytes.capacity();
        }
        at
    }

    /// How far the bytes reach without a gap from `seq` on.
    pub(super) fn in_order(&self, seq: SeqNumber) -> u32 {
        let first = self.ranges.partition_point(|r| r.end.le(seq));
        self.ranges.get(first).filter(|r| r.start.le(seq)).map_or(0, |r| r.end - seq)
    }

    /// Gives up what lies before `end` and hands the part from `seq` on to `take`, in order.
    pub(super) fn take(&mut self, seq: SeqNumber, end: SeqNumber, mut take: impl FnMut(&[u8])) {
        let over = self.ranges.partition_point(|r| r.end.le(end));
        self.ranges.drain(..over);
        while self.pieces.front().is_some_and(|p| p.seq.lt(end))
            && let Some(piece) = self.pieces.pop_front()
        {
            self.allocated -= piece.bytes.capacity();
            let skip = seq.diff(piece.seq).max(0) as usize;
            if let Some(rest) = piece.bytes.get(skip..) {
                take(rest);
            }
        }
    }
}
