use super::*;
use crate::port::pipe::{PipeConfig, PipePort, pair};

const FRAMES: u32 = 5_000;

fn ends() -> (PipePort, PipePort) {
    let (mut a, mut b) = pair(PipeConfig { frames: 64, ..PipeConfig::new(1) });
    (a.pop().unwrap(), b.pop().unwrap())
}

/// Sends numbered frames from one port to the other; returns the numbers that arrived whole, and how many did not.
fn run(from: &mut impl Port, to: &mut impl Port) -> (Vec<u32>, u32) {
    let (mut burst, mut seen, mut damaged) = (Burst::new(8), Vec::new(), 0);
    for n in 0..FRAMES {
        let mut frame = from.alloc(64).expect("a buffer");
        let bytes = from.bytes_mut(&mut frame);
        bytes.fill(0x5a);
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        let mut one = Burst::new(1);
        one.push(frame).unwrap();
        assert_eq!(from.tx(&mut one), 1);
        from.sync().unwrap();
        while to.rx(&mut burst) > 0 {
            while let Some(frame) = burst.pop() {
                let bytes = to.bytes(&frame);
                let number = u32::from_be_bytes(bytes[..4].try_into().unwrap());
                if number <= n && bytes[4..].iter().all(|&b| b == 0x5a) {
                    seen.push(number);
                } else {
                    damaged += 1;
                }
                to.release(frame);
            }
        }
        to.sync().unwrap();
    }
    (seen, damaged)
}

fn both_ways(faults: Faults, check: impl Fn(&FaultCounters, &[u32], u32)) {
    let (mut a, b) = ends();
    let mut lossy = Lossy::new(b, 7, faults, Faults::default());
    let (seen, damaged) = run(&mut a, &mut lossy);
    check(lossy.counters(), &seen, damaged);
    let mut b = lossy.into_inner();
    assert_eq!((a.at_home(), b.at_home(), b.held()), (64, 64, 0));

    let mut lossy = Lossy::new(a, 8, Faults::default(), faults);
    let (seen, damaged) = run(&mut lossy, &mut b);
    check(lossy.counters(), &seen, damaged);
    let mut a = lossy.into_inner();
    assert_eq!((a.at_home(), b.at_home(), a.held()), (64, 64, 0));
}

#[test]
fn without_faults_nothing_changes() {
    both_ways(Faults::default(), |counters, seen, damaged| {
        assert_eq!(*counters, FaultCounters::default());
        assert_eq!(damaged, 0);
        assert!(seen.iter().copied().eq(0..FRAMES));
    });
}

#[test]
fn as_many_are_lost_as_asked_for() {
    both_ways(Faults::loss(0.2), |counters, seen, _| {
        assert_eq!(counters.lost as usize + seen.len(), FRAMES as usize);
        assert!((800..1200).contains(&counters.lost), "{}", counters.lost);
        assert!(seen.is_sorted());
    });
}

#[test]
fn repeated_frames_come_later_again() {
    both_ways(Faults { duplicate: 0.1, ..Faults::default() }, |counters, seen, _| {
        assert!((400..600).contains(&counters.duplicated));
        let mut unique = seen.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), FRAMES as usize);
        // The last ones may still wait.
        assert!(seen.len() as u64 + 4 >= u64::from(FRAMES) + counters.duplicated);
    });
}

#[test]
fn late_frames_are_overtaken_by_a_few() {
    both_ways(Faults { reorder: 0.1, ..Faults::default() }, |counters, seen, _| {
        assert!((400..600).contains(&counters.reordered));
        assert!(!seen.is_sorted());
        assert!(seen.len() as u32 + 4 >= FRAMES);
        for (at, &number) in seen.iter().enumerate() {
            assert!((at as i64 - i64::from(number)).abs() < 40, "{number} at {at}");
        }
    });
}

#[test]
fn damage_is_one_bit_of_the_frame() {
    both_ways(Faults { corrupt: 0.1, ..Faults::default() }, |counters, seen, damaged| {
        assert!((400..600).contains(&counters.corrupted));
        // A bit of the number can make it another number that was sent.
        assert!(u64::from(damaged) <= counters.corrupted && u64::from(damaged) > counters.corrupted / 2);
        assert_eq!(seen.len() as u32 + damaged, FRAMES);
    });
}

#[test]
fn the_seed_decides() {
    let faults = Faults { loss: 0.1, duplicate: 0.1, reorder: 0.1, corrupt: 0.1 };
    let with = |seed| {
        let (mut a, b) = ends();
        run(&mut a, &mut Lossy::new(b, seed, faults, faults))
    };
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
}
