//! One direction of a conversation, put in order.

use std::collections::BTreeMap;

/// Most bytes of one direction that wait for what is missing before them.
pub(super) const MAX_WAITING: usize = 1 << 20;

/// Most bytes of all directions that wait so.
pub(super) const MAX_WAITING_OF_ALL: usize = 64 << 20;

/// What a waiting segment costs besides its bytes.
const COST: usize = 96;

/// Bytes in order, of segments as they come: again, overlapping, early. Of bytes that come twice the first ones count.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The sequence number of the first byte.
    first: u32,
    /// The sequence number of the next byte.
    next: u32,
    /// How many bytes were before it.
    position: u64,
    /// What came early, by its position. Parts may overlap.
    waiting: BTreeMap<u64, Box<[u8]>>,
    waiting_cost: usize,
}

/// What [`Order::take`] gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Bytes(Box<[u8]>),
    /// So many bytes are missing.
    Gap(u64),
}

impl Order {
    /// A direction whose first byte has this sequence number.
    pub(super) fn new(first: u32) -> Self {
        Self { first, next: first, ..Self::default() }
    }

    /// Whether `seq` is the sequence number of its first byte.
    pub(super) fn began_with(&self, seq: u32) -> bool {
        self.first == seq
    }

    /// How many bytes were given.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The part of a segment that is next, if it is; what is early is kept. `all` is what all directions keep.
    pub(super) fn receive<'a>(&mut self, seq: u32, payload: &'a [u8], all: &mut usize) -> Option<&'a [u8]> {
        // RFC 9293 3.4: a difference of sequence numbers is one modulo 2^32.
        let ahead = seq.wrapping_sub(self.next).cast_signed();
        if ahead <= 0 {
            let seen = ahead.unsigned_abs() as usize;
            let new = payload.get(seen..).filter(|new| !new.is_empty())?;
            self.advance(new.len());
            return Some(new);
        }
        let at = self.position + u64::from(ahead.unsigned_abs());
        let is_longer = self.waiting.get(&at).is_none_or(|other| other.len() < payload.len());
        if !payload.is_empty() && is_longer {
            let cost = payload.len() + COST;
            let before = self.waiting.insert(at, payload.into()).map_or(0, |other| other.len() + COST);
            self.waiting_cost = self.waiting_cost + cost - before;
            *all = *all + cost - before;
        }
        None
    }

    /// What follows what was given. Gaps are waited for, unless the direction has ended (`at_end`) or too much waits.
    pub(super) fn take(&mut self, at_end: bool, all: &mut usize) -> Option<Next> {
        loop {
            let (&at, _) = self.waiting.first_key_value()?;
            if at > self.position {
                let over = self.waiting_cost > MAX_WAITING || *all > MAX_WAITING_OF_ALL;
                if !at_end && !over {
                    return None;
                }
                let missing = at - self.position;
                self.next = self.next.wrapping_add(missing as u32);
                self.position = at;
                return Some(Next::Gap(missing));
            }
            let (_, bytes) = self.waiting.pop_first()?;
            self.waiting_cost -= bytes.len() + COST;
            *all -= bytes.len() + COST;
            // Of a segment that came in part already, the rest.
            let seen = usize::try_from(self.position - at).unwrap_or(usize::MAX);
            if let Some(new) = bytes.get(seen..).filter(|new| !new.is_empty()) {
                let new = Box::from(new);
                self.advance(bytes.len() - seen);
                return Some(Next::Bytes(new));
            }
        }
    }

    fn advance(&mut self, len: usize) {
        self.next = self.next.wrapping_add(len as u32);
        self.position += len as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that comes of segments `(sequence number, bytes)`, to the end.
    fn order(first: u32, segments: &[(u32, &[u8])]) -> Vec<Result<Vec<u8>, u64>> {
        let (mut order, mut all, mut seen) = (Order::new(first), 0, Vec::new());
        let mut push = |next| {
            seen.push(match next {
                Next::Bytes(bytes) => Ok(bytes.into_vec()),
                Next::Gap(missing) => Err(missing),
            });
        };
        for &(seq, payload) in segments {
            if let Some(bytes) = order.receive(seq, payload, &mut all) {
                push(Next::Bytes(bytes.into()));
            }
            while let Some(next) = order.take(false, &mut all) {
                push(next);
            }
        }
        while let Some(next) = order.take(true, &mut all) {
            push(next);
        }
        assert!(all == 0 && order.waiting_cost == 0, "what was kept is given back");
        seen
    }

    fn bytes(text: &[u8]) -> Result<Vec<u8>, u64> {
        Ok(text.to_vec())
    }

    #[test]
    fn again_overlapping_and_early() {
        let first = u32::MAX - 1;
        let segments: &[(u32, &[u8])] = &[
            (first, b"ab"),
            (first, b"ab"),
            (first.wrapping_add(1), b"Bcd"),
            (first.wrapping_add(8), b"ij"),
            (first.wrapping_add(6), b"gh"),
            (first.wrapping_add(6), b"ghi"),
            (first.wrapping_add(4), b"ef"),
        ];
        assert_eq!(
            order(first, segments),
            [bytes(b"ab"), bytes(b"cd"), bytes(b"ef"), bytes(b"ghi"), bytes(b"j")]
        );
    }

    #[test]
    fn gaps_are_told_at_the_end() {
        assert_eq!(
            order(0, &[(0, b"a"), (5, b"f"), (9, b"j")]),
            [bytes(b"a"), Err(4), bytes(b"f"), Err(3), bytes(b"j")]
        );
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut order, mut all) = (Order::new(0), 0);
        let segment = [7; 1000];
        for n in 0.. {
            assert_eq!(order.receive(10 + n * 1000, &segment, &mut all), None);
            match order.take(false, &mut all) {
                None => assert!(all <= MAX_WAITING),
                Some(next) => {
                    assert!(next == Next::Gap(10) && all <= MAX_WAITING + 1000 + COST);
                    break;
                }
            }
        }
        let mut all = MAX_WAITING_OF_ALL;
        let mut order = Order::new(0);
        assert_eq!(order.receive(1, &segment, &mut all), None);
        assert_eq!(order.take(false, &mut all), Some(Next::Gap(1)), "the others keep too much");
    }
}
