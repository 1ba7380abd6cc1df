use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

#[test]
fn the_limit_can_be_raised_and_never_falls() {
    let mut ring = SendRing::new(5000);
    assert_eq!(ring.write(&[1; 6000]), 5000);
    assert!(ring.take_short());
    ring.raise_limit(9000);
    assert_eq!((ring.limit(), ring.room()), (9000, 4000));
    assert_eq!(ring.write(&[2; 4000]), 4000);
    assert!(!ring.is_short());
    ring.raise_limit(100);
    assert_eq!(ring.limit(), 9000);
    assert_eq!(ring.slices(4999, 2), ([1u8, 2].as_slice(), [].as_slice()));
}

#[test]
fn shrinking_gives_the_memory_back_and_keeps_the_bytes() {
    let mut ring = SendRing::new(1 << 20);
    assert_eq!(ring.memory(), 0, "nothing written");
    let data: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    ring.write(&data);
    ring.consume(98_000);
    ring.shrink();
    assert_eq!(ring.memory(), 2048);
    let mut out = vec![0; 2000];
    assert_eq!(ring.copy_out(0, &mut out), 2000);
    assert_eq!(out, &data[98_000..]);
    ring.consume(2000);
    ring.shrink();
    assert_eq!(ring.memory(), 0);
    assert!(ring.write_with(3, |bytes| bytes.copy_from_slice(b"new")));
    assert_eq!(ring.slices(0, 9).0, b"new");
}

#[derive(Debug, Clone)]
enum Op {
    Write(usize),
    WriteWith(usize),
    Consume(usize),
    Raise(usize),
    Shrink,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0usize..7000).prop_map(Op::Write),
        (0usize..3000).prop_map(Op::WriteWith),
        (0usize..7000).prop_map(Op::Consume),
        (0usize..40_000).prop_map(Op::Raise),
        Just(Op::Shrink),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_queue(ops in proptest::collection::vec(op(), 1..100)) {
        let mut ring = SendRing::new(0);
        let mut model: VecDeque<u8> = VecDeque::new();
        let mut limit = MIN_LIMIT;
        let mut next = 0u8;
        let mut some = |n: usize| -> Vec<u8> {
            (0..n).map(|_| { next = next.wrapping_add(7); next }).collect()
        };
        for op in ops {
            match op {
                Op::Write(n) => {
                    let data = some(n);
                    let took = ring.write(&data);
                    prop_assert_eq!(took, n.min(limit - model.len()));
                    prop_assert_eq!(ring.take_short(), took < n);
                    model.extend(&data[..took]);
                }
                Op::WriteWith(n) => {
                    let data = some(n);
                    let fits = n <= limit - model.len();
                    prop_assert_eq!(ring.write_with(n, |bytes| bytes.copy_from_slice(&data)), fits);
                    prop_assert_eq!(ring.take_short(), !fits);
                    if fits {
                        model.extend(&data);
                    }
                }
                Op::Consume(n) => {
                    let n = n.min(model.len());
                    ring.consume(n);
                    model.drain(..n);
                }
                Op::Raise(n) => {
                    ring.raise_limit(n);
                    limit = limit.max(n);
                }
                Op::Shrink => ring.shrink(),
            }
            prop_assert_eq!(ring.len(), model.len());
            prop_assert_eq!(ring.room(), limit - model.len());
            let half = model.len() / 2;
            let (a, b) = ring.slices(half, usize::MAX);
            prop_assert_eq!([a, b].concat(), model.range(half..).copied().collect::<Vec<_>>());
        }
    }
}
