use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const AT: Offsets = Offsets { producer: 0, consumer: 64, flags: 128, entries: 192 };
const SIZE: u32 = 8;

/// Both ends of one ring: the same memory, mapped twice, as between us and the kernel.
fn pair() -> (Producer<8>, Consumer<8>) {
    let len = AT.entries + SIZE as usize * 8;
    let file = rustix::fs::memfd_create("ring", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    rustix::fs::ftruncate(&file, len as u64).unwrap();
    let map = || Region::of(&file, len, 0).unwrap();
    (Producer::new(map(), AT, SIZE), Consumer::new(map(), AT, SIZE))
}

fn poke(memory: &Region, at: usize, value: u32) {
    memory.word(at).store(value, Ordering::Relaxed);
}

#[test]
fn it_fills_and_empties() {
    let (mut p, mut c) = pair();
    for i in 0..u64::from(SIZE) {
        assert!(p.push(i.to_ne_bytes()));
    }
    assert!(!p.push([9; 8]), "it is full");
    assert_eq!((p.under_way(), c.pop()), (SIZE, None));
    p.publish();
    for i in 0..u64::from(SIZE) {
        assert_eq!(c.pop(), Some(i.to_ne_bytes()));
    }
    assert_eq!(c.pop(), None);
    assert!(!p.push([9; 8]), "the places are not given back yet");
    c.publish();
    assert!(p.push([9; 8]));
    assert_eq!(p.under_way(), 1);
}

#[test]
fn indices_that_cannot_be_are_taken_for_none() {
    let (mut p, mut c) = pair();
    poke(&c.0.memory, AT.producer, SIZE + 1);
    assert_eq!((c.pop(), c.insane()), (None, 1));
    poke(&c.0.memory, AT.producer, u32::MAX);
    assert_eq!((c.pop(), c.insane()), (None, 2));
    poke(&p.0.memory, AT.consumer, 1);
    assert_eq!((p.under_way(), p.insane()), (0, 1), "nothing was written that could have been read");
}

#[test]
fn a_sleeping_reader_is_seen() {
    let (p, _) = pair();
    assert!(!p.wants_a_call());
    poke(&p.0.memory, AT.flags, NEED_WAKEUP);
    assert!(p.wants_a_call());
}

#[test]
fn two_threads_lose_nothing() {
    const ENTRIES: u64 = 200_000;
    let (mut p, mut c) = pair();
    let writer = std::thread::spawn(move || {
        for i in 0..ENTRIES {
            while !p.push(i.to_ne_bytes()) {
                p.publish();
                std::thread::yield_now();
            }
            if i % 3 == 0 {
                p.publish();
            }
        }
        p.publish();
        p
    });
    for i in 0..ENTRIES {
        let entry = loop {
            match c.pop() {
                Some(entry) => break entry,
                None => {
                    c.publish();
                    std::thread::yield_now();
                }
            }
        };
        assert_eq!(u64::from_ne_bytes(entry), i);
    }
    c.publish();
    assert_eq!(writer.join().unwrap().under_way(), 0);
}

proptest! {
    /// Against a queue, from any index on: also where the indices wrap.
    #[test]
    fn it_is_a_queue(start: u32, steps in proptest::collection::vec((0..4u8, any::<u64>()), 0..300)) {
        let (mut p, mut c) = pair();
        for (ring, at) in [(&mut p.0, AT.producer), (&mut c.0, AT.consumer)] {
            (ring.ours, ring.theirs) = (start, start);
            poke(&ring.memory, at, start);
        }
        let (mut written, mut seen, mut unread) = (VecDeque::new(), VecDeque::new(), 0);
        for (step, value) in steps {
            match step {
                0 => {
                    let room = written.len() + seen.len() + unread < SIZE as usize;
                    prop_assert_eq!(p.push(value.to_ne_bytes()), room);
                    if room {
                        written.push_back(value);
                    }
                }
                1 => {
                    p.publish();
                    seen.extend(written.drain(..));
                }
                2 => {
                    let next = seen.pop_front();
                    unread += usize::from(next.is_some());
                    prop_assert_eq!(c.pop().map(u64::from_ne_bytes), next);
                }
                _ => {
                    c.publish();
                    unread = 0;
                }
            }
        }
        prop_assert_eq!((p.insane(), c.insane()), (0, 0));
    }
}
