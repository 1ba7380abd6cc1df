//! The test plays the kernel: it fills blocks as net/packet/af_packet.c does, and breaks them as nothing should.

use proptest::prelude::*;

use super::*;

const SIZE: usize = 4096;
const COUNT: usize = 4;
/// Where a frame starts behind its header: `sockaddr_ll`, and what is put before the frame.
const MAC: usize = 48 + 20 + VNET_LEN;

fn ring() -> Blocks {
    Blocks::new(Region::anonymous(SIZE * COUNT).unwrap(), SIZE)
}

impl Blocks {
    fn poke(&self, block: usize, at: usize, value: u32) {
        self.memory.word(block * SIZE + at).store(value, Ordering::Relaxed);
    }

    fn status(&self, block: usize) -> u32 {
        self.memory.word(block * SIZE + STATUS).load(Ordering::Relaxed)
    }

    /// Fills a block with frames of these lengths, each of its number's bytes, and hands it over.
    fn fill(&mut self, block: usize, lens: &[usize]) {
        let mut at = HEAD_LEN;
        for (i, &len) in lens.iter().enumerate() {
            let step = (MAC + len).next_multiple_of(16);
            self.poke(block, at, step as u32);
            self.poke(block, at + 12, len as u32);
            self.poke(block, at + 16, len as u32);
            self.poke(block, at + 24, u32::from_ne_bytes([MAC as u8, 0, 0, 0]));
            let start = block * SIZE + at + MAC;
            // SAFETY: the test is both parties.
            unsafe { self.memory.bytes_mut(start..start + len) }.fill(i as u8 + 1);
            at += step;
        }
        assert!(at <= SIZE, "the test's frames fit");
        self.poke(block, FRAMES, lens.len() as u32);
        self.poke(block, FIRST, HEAD_LEN as u32);
        self.poke(block, STATUS, TP_STATUS_USER);
    }

    fn take(&mut self) -> Found {
        match self.next() {
            Next::Frame(found) => found,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_block_goes_back_with_its_last_frame() {
    let mut ring = ring();
    assert_eq!(ring.next(), Next::Dry);
    ring.fill(0, &[60, 100]);
    let first = ring.take();
    assert_eq!(ring.bytes(first.block, first.off, first.len), [1; 60]);
    ring.release(first.block);
    assert_eq!(ring.status(0), TP_STATUS_USER, "it is being walked");
    let second = ring.take();
    assert_eq!(ring.bytes(second.block, second.off, second.len), [2; 100]);
    assert_eq!(ring.next(), Next::Dry);
    assert_eq!((ring.status(0), ring.held()), (TP_STATUS_USER, 1));
    ring.release(second.block);
    assert_eq!((ring.status(0), ring.held()), (TP_STATUS_KERNEL, 0));
}

#[test]
fn a_block_with_frames_out_is_not_walked_twice() {
    let mut ring = ring();
    (0..COUNT).for_each(|block| ring.fill(block, &[60]));
    let found: Vec<_> = (0..COUNT).map(|_| ring.take()).collect();
    assert_eq!(ring.next(), Next::Dry);
    assert!(!ring.has_news());
    found.iter().for_each(|f| ring.release(f.block));
    assert_eq!(ring.next(), Next::Dry);
    ring.fill(0, &[61]);
    assert!(ring.has_news());
    assert_eq!(ring.take().len, 61);
}

#[test]
fn an_empty_block_is_given_back() {
    let mut ring = ring();
    ring.fill(0, &[]);
    ring.fill(1, &[70]);
    assert_eq!(ring.take().len, 70);
    assert_eq!(ring.status(0), TP_STATUS_KERNEL);
}

#[test]
fn wrong_numbers_end_the_block() {
    for (at, value) in [
        (FIRST, 0),
        (FIRST, 52),
        (FIRST, SIZE as u32 - 8),
        (FIRST, u32::MAX - 7),
        (HEAD_LEN + 12, SIZE as u32),
        (HEAD_LEN + 12, u32::MAX),
        (HEAD_LEN + 24, 57),
        (HEAD_LEN + 24, 0xffff),
        (HEAD_LEN, 0),
        (HEAD_LEN, 47),
    ] {
        let mut ring = ring();
        ring.fill(0, &[60, 60]);
        ring.poke(0, at, value);
        ring.fill(1, &[99]);
        assert_eq!(ring.next(), Next::Damaged, "{value:#x} at {at}");
        assert_eq!(ring.status(0), TP_STATUS_KERNEL);
        assert_eq!(ring.take().len, 99);
    }
    // It leads out of the block, which the second frame notices; the first is good.
    let mut ring = ring();
    ring.fill(0, &[60, 60]);
    ring.poke(0, HEAD_LEN, u32::MAX - 7);
    let first = ring.take();
    assert_eq!(ring.next(), Next::Damaged);
    assert_eq!(ring.status(0), TP_STATUS_USER);
    ring.release(first.block);
    assert_eq!(ring.status(0), TP_STATUS_KERNEL);
}

proptest! {
    /// Whatever the blocks hold and in whatever order frames come back: all come, in order, and no block is kept.
    #[test]
    fn all_frames_come_and_all_blocks_go_back(
        blocks in proptest::collection::vec(proptest::collection::vec(14..300usize, 0..10), 1..20),
        order in any::<u64>(),
        keep in 0..12usize,
    ) {
        let mut ring = ring();
        let (mut wanted, mut got, mut out) = (Vec::new(), Vec::new(), Vec::<Found>::new());
        let (mut filled, mut lot) = (0, order);
        while got.len() < wanted.len() || filled < blocks.len() {
            if filled < blocks.len() && ring.status(filled % COUNT) == TP_STATUS_KERNEL {
                ring.fill(filled % COUNT, &blocks[filled]);
                wanted.extend(&blocks[filled]);
                filled += 1;
            }
            match ring.next() {
                Next::Frame(found) => {
                    prop_assert!(ring.bytes(found.block, found.off, found.len).len() == found.len as usize);
                    got.push(found.len as usize);
                    out.push(found);
                }
                Next::Dry => while let Some(found) = out.pop() { ring.release(found.block) },
                Next::Damaged => prop_assert!(false),
            }
            if out.len() > keep {
                lot = lot.wrapping_mul(6364136223846793005).wrapping_add(1);
                let one = out.swap_remove((lot >> 33) as usize % out.len());
                ring.release(one.block);
            }
        }
        out.drain(..).for_each(|found| ring.release(found.block));
        prop_assert_eq!(got, wanted);
        prop_assert_eq!(ring.next(), Next::Dry);
        prop_assert_eq!(ring.held(), 0);
        prop_assert!((0..COUNT).all(|block| ring.status(block) == TP_STATUS_KERNEL));
    }

    /// No bytes in a block make the walk leave it, or go on for ever.
    #[test]
    fn no_bytes_break_it(words in proptest::collection::vec(any::<(u16, u32)>(), 0..200), frames in 0..2000u32) {
        let mut ring = ring();
        ring.fill(0, &[60; 20]);
        for (at, value) in words {
            ring.poke(0, usize::from(at) % (SIZE / 4) * 4, value % 5000);
        }
        ring.poke(0, FRAMES, frames);
        ring.poke(0, STATUS, TP_STATUS_USER);
        let mut out = Vec::new();
        loop {
            match ring.next() {
                Next::Frame(found) => {
                    let _ = ring.bytes(found.block, found.off, found.len);
                    out.push(found);
                    prop_assert!(out.len() <= frames as usize);
                }
                Next::Damaged => {}
                Next::Dry => break,
            }
        }
        out.iter().for_each(|found| ring.release(found.block));
        prop_assert_eq!(ring.status(0), TP_STATUS_KERNEL);
    }
}
