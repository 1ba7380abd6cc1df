use proptest::prelude::*;

use super::super::ring::Offsets;
use super::*;

const AT: Offsets = Offsets { producer: 0, consumer: 64, flags: 128, entries: 192 };
const COUNT: u32 = 8;
const SIZE: u32 = 2048;

/// Our end and the kernel's end of a ring of addresses.
fn ring() -> (Producer<8>, Consumer<8>) {
    let len = AT.entries + COUNT as usize * 8;
    let file = rustix::fs::memfd_create("ring", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    rustix::fs::ftruncate(&file, len as u64).unwrap();
    let map = || Region::of(&file, len, 0).unwrap();
    (Producer::new(map(), AT, COUNT), Consumer::new(map(), AT, COUNT))
}

fn chunks() -> Chunks {
    Chunks::new(COUNT, SIZE).unwrap()
}

fn at(address: u64, len: u32) -> Descriptor {
    Descriptor { address, len, options: 0 }
}

#[test]
fn a_descriptor_is_as_the_kernel_has_it() {
    let d = Descriptor { address: 0x1122_3344_5566_7788, len: 60, options: 1 };
    assert_eq!(Descriptor::parse(d.to_bytes()), d);
    assert_eq!(d.to_bytes()[8..12], 60u32.to_ne_bytes());
}

#[test]
fn only_what_the_kernel_has_may_come_from_it() {
    let (mut fill, mut kernel) = ring();
    let mut c = chunks();
    c.fill(&mut fill, 2);
    fill.publish();
    let given = u64::from_ne_bytes(kernel.pop().unwrap());
    let other = u64::from(COUNT - 1) * u64::from(SIZE);
    for wrong in [at(other, 60), at(u64::from(COUNT * SIZE), 60), at(u64::MAX, 60)] {
        assert_eq!(c.received(wrong), Err(()), "{wrong:?}");
    }
    let place = c.received(at(given + 256, 60)).unwrap();
    assert_eq!((place.off, place.len, c.held()), (256, 60, 1));
    assert_eq!(c.received(at(given + 256, 60)), Err(()), "it is the stack's now");
    c.bytes_mut(place).fill(7);
    assert_eq!(c.bytes(place), [7; 60]);
    c.release(place.chunk);
    assert_eq!(c.held(), 0);
}

#[test]
fn a_frame_that_leaves_its_chunk_or_is_not_whole_is_refused_and_its_chunk_kept() {
    for (off, len, options) in
        [(256, SIZE, 0), (1, u32::MAX, 0), (0, SIZE + 1, 0), (0, 60, libc::XDP_PKT_CONTD)]
    {
        let (mut fill, mut kernel) = ring();
        let mut c = chunks();
        c.fill(&mut fill, 1);
        fill.publish();
        let given = u64::from_ne_bytes(kernel.pop().unwrap());
        assert_eq!(c.received(Descriptor { address: given + off, len, options }), Err(()));
        assert_eq!((c.held(), c.pool.len()), (0, COUNT as usize));
    }
}

#[test]
fn what_was_sent_comes_back_once() {
    let (mut kernel, mut completion) = ring();
    let mut c = chunks();
    let chunk = c.alloc(0).unwrap();
    let d = c.sending(Place { chunk, off: 0, len: 60 });
    for address in [d.address, d.address, u64::MAX] {
        kernel.push(address.to_ne_bytes());
    }
    kernel.publish();
    assert_eq!(c.sent(&mut completion), 2, "the second time it is ours, and the last is nowhere");
    assert_eq!(c.held(), 0);
}

#[test]
fn whoever_sends_leaves_enough_to_receive_into() {
    const FILL: u32 = COUNT / 2;
    let (mut fill, mut kernel) = ring();
    let mut c = chunks();
    c.fill(&mut fill, FILL);
    fill.publish();
    let sends = |c: &mut Chunks| std::iter::from_fn(|| c.alloc(FILL)).count() as u32;
    assert_eq!(sends(&mut c), COUNT - FILL);
    // What came in meanwhile is not sent from.
    let given = u64::from_ne_bytes(kernel.pop().unwrap());
    let place = c.received(at(given, 60)).unwrap();
    c.release(place.chunk);
    assert_eq!((sends(&mut c), c.filling), (0, FILL - 1));
    kernel.publish();
    c.fill(&mut fill, FILL);
    assert_eq!((sends(&mut c), c.filling), (0, FILL));
}

#[test]
#[should_panic(expected = "is not the stack's")]
fn what_is_the_kernels_is_not_lent() {
    let mut c = chunks();
    let chunk = c.alloc(0).unwrap();
    let place = Place { chunk, off: 0, len: 60 };
    c.sending(place);
    c.bytes(place);
}

proptest! {
    /// Whatever the kernel says, every chunk has one owner and none is lost.
    #[test]
    fn chunks_are_neither_lost_nor_doubled(
        steps in proptest::collection::vec((0..6u8, any::<prop::sample::Index>(), any::<u64>(), 0..3000u32), 0..200),
    ) {
        let (mut fill, mut filled) = ring();
        let (mut done, mut completion) = ring();
        let mut c = chunks();
        let (mut with_stack, mut sending) = (Vec::new(), Vec::new());
        for (step, index, address, len) in steps {
            match step {
                0 => with_stack.extend(c.alloc(0)),
                1 if !with_stack.is_empty() => c.release(with_stack.swap_remove(index.index(with_stack.len()))),
                2 if !with_stack.is_empty() => {
                    let chunk = with_stack.swap_remove(index.index(with_stack.len()));
                    sending.push(c.sending(Place { chunk, off: 0, len: 60 }).address);
                }
                3 => {
                    c.fill(&mut fill, COUNT / 2);
                    fill.publish();
                }
                4 => {
                    let honest = filled.pop().map(u64::from_ne_bytes);
                    filled.publish();
                    let address = if len % 5 == 0 { address % u64::from(COUNT * SIZE) } else { honest.unwrap_or(address) };
                    if let Ok(place) = c.received(at(address, len)) {
                        with_stack.push(place.chunk);
                    }
                }
                _ => {
                    let address = if sending.is_empty() { address } else { sending.swap_remove(index.index(sending.len())) };
                    done.push(address.to_ne_bytes());
                    done.publish();
                    c.sent(&mut completion);
                }
            }
            prop_assert_eq!(c.held(), with_stack.len());
            prop_assert!(c.pool.len() + c.filling as usize + c.held() + sending.len() >= COUNT as usize);
            let mut all = with_stack.clone();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(all.len(), with_stack.len());
        }
    }
}
