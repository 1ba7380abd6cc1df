use super::*;

use proptest::prelude::*;

fn read_all(buf: &mut RecvBuffer) -> Vec<u8> {
    let lent = buf.lend();
    let (a, b) = lent.unread();
    let out = [a, b].concat();
    buf.put_back(lent, out.len());
    out
}

fn s(seq: u32) -> SeqNumber {
    SeqNumber(seq)
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
    assert_eq!(buf.fill(nxt, &data[150..200]), 106);
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
    assert_eq!(buf.fill(nxt, &data[4000..6000]), 16_000);
    assert_eq!(read_all(&mut buf), &data[3000..]);
}

#[test]
fn the_number_of_gaps_is_bounded() {
    let mut buf = RecvBuffer::new(4096);
    for n in 0..4 {
        assert_eq!(buf.insert(s(0), s(10 + n * 10), b"x", 4), Insert::Kept);
    }
    assert_eq!(buf.insert(s(0), s(100), b"x", 4), Insert::TooManyGaps);
    assert_eq!(buf.insert(s(0), s(11), b"x", 4), Insert::Kept);
    assert_eq!(buf.insert(s(0), s(0), b"x", 4), Insert::Kept, "in order");
    assert_eq!(buf.merge(s(0)), 1);
}

#[test]
fn what_lies_beyond_the_limit_is_refused() {
    let mut buf = RecvBuffer::new(4096);
    assert_eq!(buf.insert(s(0), s(4095), b"xy", 4), Insert::NoRoom);
    assert_eq!(buf.insert(s(0), s(4095), b"x", 4), Insert::Kept);
    buf.append(b"abc");
    assert_eq!(buf.insert(s(3), s(4095), b"x", 4), Insert::Kept);
    assert_eq!(buf.insert(s(3), s(4096), b"x", 4), Insert::NoRoom);
    buf.raise_limit(8192);
    assert_eq!(buf.insert(s(3), s(4096), b"x", 4), Insert::Kept);
    buf.raise_limit(5000);
    assert_eq!(buf.limit(), 8192, "what was announced stays");
}

#[test]
fn memory_follows_the_bytes_and_not_the_window() {
    let limit = 4 << 20;
    let mut buf = RecvBuffer::new(limit);
    assert_eq!(buf.insert(s(0), s(limit as u32 - 1), b"x", 64), Insert::Kept);
    assert!(buf.memory() < 1024, "{}", buf.memory());
    // The most costly: single bytes far apart, as many as there may be gaps.
    for n in 1..100 {
        buf.insert(s(0), s(n * 40_000), b"x", 64);
    }
    assert!(buf.memory() < 8 * 1024, "{}", buf.memory());
    // Single bytes, every second first, then those between, over and over: no piece stays tiny.
    let mut buf = RecvBuffer::new(limit);
    let mut held = 0;
    while held < 200_000 {
        for from in [2, 1] {
            for n in 0..50 {
                assert_eq!(buf.insert(s(0), s(held + from + 2 * n), b"x", 64), Insert::Kept);
            }
        }
        held += 100;
    }
    assert!(buf.memory() < 2 * held as usize + 64 * 1024, "{} for {held}", buf.memory());
    assert_eq!(buf.fill(s(0), b"x"), held + 1);
    assert!(!buf.has_gaps());
    buf.drop_read(held + 1);
    buf.shrink();
    assert_eq!(buf.memory(), 0);
}

#[test]
fn shrinking_keeps_what_is_unread_and_what_waits() {
    let data: Vec<u8> = (0..60_000u32).map(|n| (n % 241) as u8).collect();
    let mut buf = RecvBuffer::new(64 * 1024);
    buf.append(&data);
    assert_eq!(buf.insert(s(60_000), s(60_100), b"later", 4), Insert::Kept);
    let mut out = vec![0; 55_000];
    assert_eq!(buf.read(&mut out), 55_000);
    assert_eq!(out, &data[..55_000]);
    let before = buf.memory();
    buf.shrink();
    assert!(buf.memory() < before / 4);
    assert_eq!(buf.peek(&mut out), 5000);
    assert_eq!(out[..5000], data[55_000..]);
    assert_eq!(read_all(&mut buf), &data[55_000..]);
    assert!(buf.has_gaps());
}

#[test]
fn it_is_small() {
    assert!(size_of::<RecvBuffer>() <= 48);
}

/// A receiver with RFC 2883's way to write it down: each segment that arrives, and what its ACK says.
struct Receiver {
    buf: RecvBuffer,
    nxt: u32,
}

impl Receiver {
    fn new(nxt: u32) -> Receiver {
        Receiver { buf: RecvBuffer::new(1 << 16), nxt }
    }

    /// A segment `from..to` arrives; its acknowledgement, with up to `max` blocks.
    fn ack_of_up_to(&mut self, from: u32, to: u32, max: usize) -> (u32, Vec<(u32, u32)>) {
        if from < self.nxt {
            self.buf.duplicate(s(from), s(to.min(self.nxt)));
        }
        let start = from.max(self.nxt);
        if start < to {
            let text = vec![0; (to - start) as usize];
            if start == self.nxt {
                self.nxt += self.buf.fill(s(start), &text);
            } else {
                assert_eq!(self.buf.insert(s(self.nxt), s(start), &text, 64), Insert::Kept);
            }
        }
        let blocks = self.buf.sack_blocks(s(self.nxt), max);
        self.buf.acked();
        (self.nxt, blocks.iter().map(|(start, end)| (start.0, end.0)).collect())
    }

    fn ack_of(&mut self, from: u32, to: u32) -> (u32, Vec<(u32, u32)>) {
        self.ack_of_up_to(from, to, 3)
    }
}

/// RFC 2883 4.1, example 1: a duplicate segment.
#[test]
fn dsack_a_duplicate_segment() {
    let mut r = Receiver::new(3000);
    assert_eq!(r.ack_of(3000, 3500), (3500, vec![]));
    assert_eq!(r.ack_of(3500, 4000), (4000, vec![]));
    assert_eq!(r.ack_of(3000, 3500), (4000, vec![(3000, 3500)]));
    assert_eq!(r.ack_of(4000, 4500), (4500, vec![]), "reported once");
}

/// RFC 2883 4.1, example 2: an out-of-order segment and a duplicate segment.
#[test]
fn dsack_a_duplicate_with_a_gap() {
    let mut r = Receiver::new(3000);
    r.ack_of(3000, 3500);
    r.ack_of(3500, 4000);
    assert_eq!(r.ack_of(4500, 5000), (4000, vec![(4500, 5000)]));
    assert_eq!(r.ack_of(3000, 3500), (4000, vec![(3000, 3500), (4500, 5000)]));
}

/// RFC 2883 4.1, example 3: a duplicate of an out-of-order segment.
#[test]
fn dsack_a_duplicate_behind_a_gap() {
    let mut r = Receiver::new(3500);
    assert_eq!(r.ack_of(3500, 4000), (4000, vec![]));
    assert_eq!(r.ack_of(4500, 5000), (4000, vec![(4500, 5000)]));
    assert_eq!(r.ack_of(5000, 5500), (4000, vec![(4500, 5500)]));
    assert_eq!(r.ack_of(5000, 5500), (4000, vec![(5000, 5500), (4500, 5500)]));
}

/// RFC 2883 4.2, example 4: a single duplicate subsegment.
#[test]
fn dsack_a_subsegment() {
    let mut r = Receiver::new(500);
    assert_eq!(r.ack_of(500, 1000), (1000, vec![]));
    assert_eq!(r.ack_of(1500, 2000), (1000, vec![(1500, 2000)]));
    assert_eq!(r.ack_of(2000, 2500), (1000, vec![(1500, 2500)]));
    assert_eq!(r.ack_of(1000, 2000), (2500, vec![(1500, 2000)]));
    assert_eq!(r.ack_of(1000, 1500), (2500, vec![(1000, 1500)]));
}

/// RFC 2883 4.2, example 5: two duplicate subsegments below the acknowledgement; the first one is reported.
#[test]
fn dsack_two_subsegments_below() {
    let mut r = Receiver::new(500);
    assert_eq!(r.ack_of(500, 1000), (1000, vec![]));
    assert_eq!(r.ack_of(1500, 2000), (1000, vec![(1500, 2000)]));
    assert_eq!(r.ack_of(2500, 3000), (1000, vec![(2500, 3000), (1500, 2000)]));
    assert_eq!(r.ack_of(1000, 2500), (3000, vec![(1500, 2000)]));
    assert_eq!(r.ack_of(2000, 2500), (3000, vec![(2000, 2500)]));
    assert_eq!(r.ack_of(1000, 1500), (3000, vec![(1000, 1500)]));
}

/// RFC 2883 4.2, example 6: two duplicate subsegments behind a gap.
#[test]
fn dsack_two_subsegments_behind_a_gap() {
    let mut r = Receiver::new(500);
    assert_eq!(r.ack_of(500, 1000), (1000, vec![]));
    assert_eq!(r.ack_of(2000, 2500), (1000, vec![(2000, 2500)]));
    assert_eq!(r.ack_of(3000, 3500), (1000, vec![(3000, 3500), (2000, 2500)]));
    assert_eq!(r.ack_of(1500, 3500), (1000, vec![(2000, 2500), (1500, 3500)]));
    assert_eq!(r.ack_of(2500, 3000), (1000, vec![(2500, 3000), (1500, 3500)]));
    assert_eq!(r.ack_of(1500, 2000), (1000, vec![(1500, 2000), (1500, 3500)]));
}

/// RFC 2018 4: the latest first, and the others stay until there is no room for them.
#[test]
fn sack_tells_the_latest_first() {
    let mut r = Receiver::new(0);
    r.ack_of(100, 200);
    r.ack_of(500, 600);
    r.ack_of(300, 400);
    assert_eq!(r.ack_of(700, 800), (0, vec![(700, 800), (300, 400), (500, 600)]));
    assert_eq!(r.ack_of(200, 250), (0, vec![(100, 250), (700, 800), (300, 400)]));
    assert_eq!(r.ack_of(0, 100), (250, vec![(700, 800), (300, 400), (500, 600)]), "an older one comes back");
    assert_eq!(r.ack_of_up_to(400, 500, 1), (250, vec![(300, 600)]));
    assert_eq!(r.ack_of_up_to(900, 910, 0), (250, vec![]));
    assert_eq!(r.ack_of(250, 900), (910, vec![(300, 600)]));
    assert_eq!(r.ack_of(910, 920), (920, vec![]));
}

#[test]
fn duplicates_of_one_burst_are_one_block_if_they_touch() {
    let mut buf = RecvBuffer::new(4096);
    buf.duplicate(s(100), s(200));
    buf.duplicate(s(200), s(300));
    assert_eq!(buf.sack_blocks(s(1000), 3).as_slice(), [(s(100), s(300))]);
    buf.duplicate(s(500), s(600));
    assert_eq!(buf.sack_blocks(s(1000), 3).as_slice(), [(s(500), s(600))]);
    assert!(buf.has_sack());
    buf.acked();
    assert!(!buf.has_sack());
}

/// Bytes of a stream, and which of them have arrived.
struct Model {
    stream: Vec<u8>,
    arrived: Vec<bool>,
    nxt: usize,
    read: usize,
}

const LEN: usize = 40_000;

impl Model {
    fn new() -> Model {
        let stream = (0..LEN).map(|n| (n * 7 % 253) as u8).collect();
        Model { stream, arrived: vec![false; LEN], nxt: 0, read: 0 }
    }

    fn ranges(&self) -> Vec<(usize, usize)> {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for at in (self.nxt..LEN).filter(|&at| self.arrived[at]) {
            match ranges.last_mut() {
                Some(last) if last.1 == at => last.1 = at + 1,
                _ => ranges.push((at, at + 1)),
            }
        }
        ranges
    }
}

#[derive(Debug, Clone)]
enum Op {
    Segment { at: usize, len: usize },
    Fill { len: usize },
    Read { len: usize },
    Lend { take: usize },
    Shrink,
}

fn op() -> impl Strategy<Value = Op> {
    let len = prop_oneof![1usize..20, 1usize..3000];
    prop_oneof![
        4 => (0usize..LEN, len.clone()).prop_map(|(at, len)| Op::Segment { at, len }),
        2 => len.clone().prop_map(|len| Op::Fill { len }),
        1 => (0usize..9000).prop_map(|len| Op::Read { len }),
        1 => (0usize..9000).prop_map(|take| Op::Lend { take }),
        1 => Just(Op::Shrink),
    ]
}

const MAX_GAPS: usize = 12;
const LIMIT: usize = 16_000;

fn check(base: SeqNumber, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut buf = RecvBuffer::new(LIMIT);
    let mut m = Model::new();
    for op in ops {
        let seq = |at: usize| base + at as u32;
        match *op {
            Op::Segment { at, len } => {
                let at = at % LIMIT + m.nxt;
                let end = (at + len).min(LEN).min(m.read + LIMIT);
                if at >= end {
                    continue;
                }
                let twice = m.ranges().iter().find(|r| r.1 > at && r.0 < end).copied();
                let joins = m.ranges().iter().any(|r| r.1 >= at && r.0 <= end) || at == m.nxt;
                let kept = buf.insert(seq(m.nxt), seq(at), &m.stream[at..end], MAX_GAPS);
                if m.ranges().len() >= MAX_GAPS && !joins {
                    prop_assert_eq!(kept, Insert::TooManyGaps);
                    continue;
                }
                prop_assert_eq!(kept, Insert::Kept);
                m.arrived[at..end].fill(true);
                let blocks = buf.sack_blocks(seq(m.nxt), 4);
                let mut blocks = blocks.iter();
                if let Some((from, to)) = twice {
                    prop_assert_eq!(blocks.next(), Some((seq(from.max(at)), seq(to.min(end)))));
                }
                let holder = m.ranges().into_iter().find(|r| r.0 <= at && r.1 >= end);
                prop_assert_eq!(blocks.next(), holder.map(|(from, to)| (seq(from), seq(to))));
                buf.acked();
            }
            Op::Fill { len } => {
                let end = (m.nxt + len).min(LEN).min(m.read + LIMIT);
                let n = buf.fill(seq(m.nxt), &m.stream[m.nxt..end]);
                m.arrived[m.nxt..end].fill(true);
                let before = m.nxt;
                m.nxt += m.arrived[before..].iter().take_while(|&&a| a).count();
                prop_assert_eq!(n as usize, m.nxt - before);
            }
            Op::Read { len } => {
                let mut out = vec![0; len];
                let n = buf.read(&mut out);
                prop_assert_eq!(n, len.min(m.nxt - m.read));
                prop_assert_eq!(&out[..n], &m.stream[m.read..m.read + n]);
                m.read += n;
            }
            Op::Lend { take } => {
                let lent = buf.lend();
                prop_assert!(buf.is_empty());
                let (a, b) = lent.unread();
                prop_assert_eq!([a, b].concat(), &m.stream[m.read..m.nxt]);
                let take = take.min(m.nxt - m.read);
                buf.put_back(lent, take);
                m.read += take;
            }
            Op::Shrink => buf.shrink(),
        }
        let n = buf.merge(seq(m.nxt)) as usize;
        let more = m.arrived[m.nxt..].iter().take_while(|&&a| a).count();
        prop_assert_eq!(n, more);
        m.nxt += more;
        prop_assert_eq!(buf.len(), m.nxt - m.read);
        let ranges = m.ranges();
        prop_assert_eq!(buf.has_gaps(), !ranges.is_empty());
        prop_assert_eq!(buf.end(), ranges.last().map(|r| seq(r.1)));
        let blocks = buf.sack_blocks(seq(m.nxt), 4);
        buf.acked();
        let reported = blocks.iter().filter(|b| ranges.iter().any(|r| (seq(r.0), seq(r.1)) == *b)).count();
        prop_assert!(reported >= ranges.len().min(3), "{blocks:?} of {ranges:?}");
        let held: usize = ranges.iter().map(|r| r.1 - r.0).sum();
        let ring = buf.ring.len();
        prop_assert!(ring <= LIMIT.next_power_of_two());
        prop_assert!(buf.memory() <= ring + 2 * held + 4096, "{} for {held}", buf.memory() - ring);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn agrees_with_a_plain_model(base: u32, ops in proptest::collection::vec(op(), 1..120)) {
        check(SeqNumber(base), &ops)?;
    }
}
