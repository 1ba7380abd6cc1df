use proptest::prelude::*;

use super::*;
use std::time::Duration;

const BASE: SeqNumber = SeqNumber(u32::MAX - 5000);
const MSS: u32 = 1000;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// Five segments, sent a millisecond apart.
fn five() -> Sent {
    let mut sent = Sent::default();
    sent.begin(BASE);
    for n in 1..=5 {
        sent.push(BASE + n * MSS, at(u64::from(n)), 0);
    }
    sent
}

fn sack(sent: &mut Sent, from: u32, to: u32) -> Delivered {
    let mut news = Delivered::default();
    sent.sack(BASE + from, BASE + to, BASE, &mut news);
    sent.check();
    news
}

fn lost(sent: &mut Sent, newest: &Newest, patience: Duration, now: u64) -> (u32, Option<Instant>) {
    let losses = sent.detect(newest, patience, at(now));
    sent.check();
    (losses.bytes, losses.next)
}

#[test]
fn what_leaves_together_is_one_run() {
    let mut sent = Sent::default();
    sent.begin(BASE);
    for n in 1..=40 {
        sent.push(BASE + n * MSS, at(1), 0);
    }
    assert_eq!((sent.runs.len(), sent.pipe()), (1, 40 * MSS));
}

#[test]
fn a_block_counts_once_and_tells_what_was_sent_last() {
    let mut sent = five();
    let news = sack(&mut sent, 2000, 4000);
    assert_eq!((news.bytes, sent.sacked(), sent.pipe()), (2000, 2000, 3000));
    let newest = news.newest.unwrap();
    assert_eq!((newest.sent_at, newest.end, newest.again), (at(4), BASE + 4000, false));
    assert_eq!(news.once, Some((at(3), at(4))));
    assert_eq!(sack(&mut sent, 2000, 4000).bytes, 0);
    assert_eq!(sack(&mut sent, 1000, 5000).bytes, 2000);
    assert_eq!(sent.runs.len(), 2, "neighbours are joined");
}

#[test]
fn blocks_of_what_was_not_sent_are_no_news() {
    let mut sent = five();
    for (from, to) in [(4000, 6000), (9000, 10_000), (3000, 3000), (3000, 2000)] {
        assert_eq!(sack(&mut sent, from, to).bytes, 0, "{from} to {to}");
    }
    assert_eq!((sent.sacked(), sent.pipe()), (0, 5000));
}

#[test]
fn what_was_overtaken_for_long_enough_is_lost_and_what_was_not_will_be() {
    // RFC 8985 6.2 step 5
    let mut sent = five();
    let newest = sack(&mut sent, 4000, 5000).newest.unwrap();
    let patience = Duration::from_millis(10);
    assert_eq!(lost(&mut sent, &newest, patience, 12), (2000, Some(at(14))));
    assert_eq!((sent.lost(), sent.first_lost()), (2000, Some((BASE, BASE + 1000))));
    assert_eq!(lost(&mut sent, &newest, patience, 14), (2000, None));
    // What is sent again is later than all that has arrived.
    sent.resend(BASE, BASE + 1000, at(15), 0);
    assert_eq!(lost(&mut sent, &newest, patience, 100), (0, None));
    assert_eq!((sent.lost(), sent.resent_in_flight()), (3000, true));
}

#[test]
fn a_retransmission_that_is_overtaken_is_lost_again() {
    let mut sent = five();
    let first = sack(&mut sent, 4000, 5000).newest.unwrap();
    sent.detect(&first, Duration::ZERO, at(10));
    sent.resend(BASE, BASE + 1000, at(10), 0);
    sent.resend(BASE + 1000, BASE + 2000, at(11), 0);
    let newest = sack(&mut sent, 1000, 2000).newest.unwrap();
    assert!(newest.again);
    assert_eq!(lost(&mut sent, &newest, Duration::from_millis(5), 15).0, 1000);
    assert_eq!(sent.first_lost(), Some((BASE, BASE + 1000)));
}

#[test]
fn after_a_time_out_the_first_segment_is_lost_and_what_is_as_old() {
    let mut sent = five();
    assert!(!sent.time_out(MSS, at(2)));
    assert_eq!((sent.lost(), sent.pipe()), (2000, 3000));
    // A peer that has dropped what it had (RFC 2018 8).
    let mut sent = five();
    sack(&mut sent, 0, 1000);
    assert!(sent.time_out(MSS, at(0)));
    assert_eq!((sent.sacked(), sent.lost()), (0, 5000));
    sent.check();
}

#[test]
fn runs_are_bounded() {
    let mut sent = Sent::default();
    sent.begin(BASE);
    sent.push(BASE + 200_000, at(1), 0);
    for n in 0..50_000 {
        sack(&mut sent, n * 4 + 1, n * 4 + 2);
        if n % 5000 == 0 {
            assert!(sent.runs.len() <= MAX_RUNS + 1);
        }
    }
    let mut news = Delivered::default();
    sent.ack(BASE + 200_000, BASE, &mut news);
    assert!(sent.is_empty() && sent.sacked() == 0);
}

#[derive(Debug, Clone)]
enum Op {
    Push(u32),
    Ack(u32),
    Sack(u32, u32),
    LoseFirst,
    Resend,
    Undo,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (1..5000u32).prop_map(Op::Push),
        (0..6000u32).prop_map(Op::Ack),
        (0..20_000u32, 1..4000u32).prop_map(|(from, len)| Op::Sack(from, len)),
        Just(Op::LoseFirst),
        Just(Op::Resend),
        Just(Op::Undo),
    ]
}

proptest! {
    /// The scoreboard against one entry per byte.
    #[test]
    fn agrees_with_a_board_of_bytes(ops in prop::collection::vec(op(), 1..80)) {
        let mut sent = Sent::default();
        sent.begin(BASE);
        let (mut una, mut board) = (BASE, Vec::<Fate>::new());
        for (n, op) in ops.into_iter().enumerate() {
            let now = at(n as u64 / 2);
            let end = una + board.len() as u32;
            let mut news = Delivered::default();
            let mut delivered = 0;
            match op {
                Op::Push(len) => {
                    sent.push(end + len, now, 0);
                    board.extend((0..len).map(|_| Fate::Flying));
                }
                Op::Ack(len) => {
                    let len = (len as usize).min(board.len());
                    sent.ack(una + len as u32, una, &mut news);
                    delivered = board.drain(..len).filter(|&fate| fate != Fate::Sacked).count();
                    una += len as u32;
                }
                Op::Sack(from, len) => {
                    sent.sack(una + from, una + from + len, una, &mut news);
                    if (from + len) as usize <= board.len() {
                        for fate in &mut board[from as usize..(from + len) as usize] {
                            delivered += usize::from(*fate != Fate::Sacked);
                            *fate = Fate::Sacked;
                        }
                    }
                }
                Op::LoseFirst => {
                    let len = sent.lose_first(MSS) as usize;
                    prop_assert!(board[..len].iter().all(|&fate| fate == Fate::Flying));
                    board[..len].fill(Fate::Lost);
                }
                Op::Resend => {
                    let first = board.iter().position(|&fate| fate == Fate::Lost);
                    prop_assert_eq!(sent.first_lost().map(|(start, _)| (start - una) as usize), first);
                    if let Some((start, end)) = sent.first_lost() {
                        let end = end.min(start + MSS);
                        sent.resend(start, end, now, 0);
                        board[(start - una) as usize..(end - una) as usize].fill(Fate::Flying);
                    }
                }
                Op::Undo => {
                    sent.undo();
                    board.iter_mut().filter(|fate| **fate == Fate::Lost).for_each(|fate| *fate = Fate::Flying);
                }
            }
            sent.check();
            let count = |fate| board.iter().filter(|&&f| f == fate).count() as u32;
            prop_assert_eq!(news.bytes as usize, delivered);
            prop_assert_eq!((sent.sacked(), sent.lost()), (count(Fate::Sacked), count(Fate::Lost)));
            prop_assert_eq!(sent.pipe(), count(Fate::Flying));
        }
    }
}

#[test]
fn what_arrived_long_ago_never_seems_to_lie_ahead() {
    let mut sent = five();
    sack(&mut sent, 2000, 4000);
    let mut una = BASE + 5000;
    sent.ack(una, BASE, &mut Delivered::default());
    for n in 0..30 {
        una += 100_000_000;
        sent.push(una, at(10 + n), 0);
        let mut news = Delivered::default();
        sent.ack(una, BASE, &mut news);
        assert_eq!(sent.fack(), una);
        sent.check();
    }
}
