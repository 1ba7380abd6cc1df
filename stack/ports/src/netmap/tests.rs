//! The rings against a model of the module, which is strict: it looks at every slot that it is given back.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

use proptest::prelude::*;
use rustix::fs::MemfdFlags;
use rustix::io::Errno;

use super::device::Direction;
use super::*;
use crate::region::Region;

const BUFFER: usize = 256;
const SLOTS: u32 = 8;
/// More than are kept for what is received.
const SPARE: u32 = 80;
const INTERFACE: usize = 64;

/// Where the ring of this number is: a transmit ring, the host's, a receive ring, the host's.
fn ring_at(number: usize) -> usize {
    1024 + number * 512
}

const BUFFERS_AT: usize = 4096;

/// One direction of the module's view.
#[derive(Debug, Default)]
struct Side {
    /// The first slot that the program has not given back yet.
    head: u32,
    /// The buffer that is in each slot.
    buffers: Vec<u32>,
}

/// The module: one port with one pair of rings for its frames and one of the host's, at the end of a cable.
#[derive(Debug)]
struct Model {
    memory: Region,
    memfd: OwnedFd,
    tx: Side,
    rx: Side,
    arriving: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
    /// So many frames the cable takes; more wait in the ring.
    takes: usize,
    calls: Vec<Direction>,
    fails: Option<Errno>,
}

impl Model {
    fn word(&self, at: usize) -> u32 {
        self.memory.word(at).load(Relaxed)
    }

    fn set(&self, at: usize, value: u32) {
        self.memory.word(at).store(value, Relaxed);
    }

    fn slot(ring: usize, slot: u32) -> usize {
        ring + api::ring::SLOTS + slot as usize * api::slot::SIZE
    }

    fn flags_and_len(&self, at: usize) -> (u16, usize) {
        let [a, b, c, d] = self.word(at + api::slot::LEN_AND_FLAGS).to_ne_bytes();
        (u16::from_ne_bytes([c, d]), u16::from_ne_bytes([a, b]).into())
    }

    fn set_len_and_flags(&self, at: usize, len: u16, flags: u16) {
        let ([a, b], [c, d]) = (len.to_ne_bytes(), flags.to_ne_bytes());
        self.set(at + api::slot::LEN_AND_FLAGS, u32::from_ne_bytes([a, b, c, d]));
    }

    fn bytes(&mut self, buffer: u32, len: usize) -> &mut [u8] {
        let start = BUFFERS_AT + buffer as usize * BUFFER;
        // SAFETY: a test's single thread; the port lends nothing while it calls the module.
        unsafe { self.memory.bytes_mut(start..start + len) }
    }

    /// A port with `spare` extra buffers; the two rings of the host have no slots worth the name.
    fn new() -> (Rc<RefCell<Model>>, Region) {
        let len = BUFFERS_AT + BUFFER * (2 + 4 * SLOTS + SPARE) as usize;
        let fd: OwnedFd = rustix::fs::memfd_create("netmap", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&fd, len as u64).unwrap();
        let memory = Region::of(&fd, len, 0).unwrap();
        let mut model = Model {
            memory: Region::of(&fd, len, 0).unwrap(),
            memfd: fd,
            tx: Side::default(),
            rx: Side::default(),
            arriving: VecDeque::new(),
            sent: Vec::new(),
            takes: usize::MAX,
            calls: Vec::new(),
            fails: None,
        };
        for field in [api::interface::TX_RINGS, api::interface::RX_RINGS] {
            model.set(INTERFACE + field, 1);
        }
        for field in [api::interface::HOST_TX_RINGS, api::interface::HOST_RX_RINGS] {
            model.set(INTERFACE + field, 1);
        }
        let mut buffer = 2;
        for number in 0..4 {
            let at = ring_at(number);
            model.set(INTERFACE + api::interface::RING_OFS + number * 8, (at - INTERFACE) as u32);
            model.set(at + api::ring::BUF_OFS, (BUFFERS_AT - at) as u32);
            model.set(at + api::ring::NUM_SLOTS, SLOTS);
            model.set(at + api::ring::BUF_SIZE, BUFFER as u32);
            let buffers: Vec<u32> = (buffer..buffer + SLOTS).collect();
            for (slot, &buffer) in buffers.iter().enumerate() {
                model.set(Model::slot(at, slot as u32), buffer);
            }
            buffer += SLOTS;
            // netmap keeps one slot back: all of a transmit ring but that is the program's.
            let tail = if number < 2 { SLOTS - 1 } else { 0 };
            model.set(at + api::ring::TAIL, tail);
            match number {
                0 => model.tx = Side { head: 0, buffers },
                2 => model.rx = Side { head: 0, buffers },
                _ => {}
            }
        }
        for spare in buffer..buffer + SPARE {
            let next = if spare + 1 < buffer + SPARE { spare + 1 } else { 0 };
            model.bytes(spare, 4).copy_from_slice(&next.to_ne_bytes());
        }
        model.set(INTERFACE + api::interface::BUFS_HEAD, buffer);
        (Rc::new(RefCell::new(model)), memory)
    }

    /// The same memory for another descriptor.
    fn map_again(&self) -> Region {
        Region::of(&self.memfd, self.memory.len(), 0).unwrap()
    }

    /// Takes back what the program has left behind; returns the slots.
    fn take_back(&mut self, ring: usize, direction: Direction) -> Vec<u32> {
        let (head, cur) = (self.word(ring + api::ring::HEAD), self.word(ring + api::ring::CUR));
        let tail = self.word(ring + api::ring::TAIL);
        let from = if direction == Direction::Tx { self.tx.head } else { self.rx.head };
        let ours = |slot: u32| (slot + SLOTS - from) % SLOTS;
        assert!(head < SLOTS && ours(head) <= ours(tail), "{head} is not between {from} and {tail}");
        assert_eq!(cur, head);
        let slots: Vec<u32> = (0..ours(head)).map(|i| (from + i) % SLOTS).collect();
        for &slot in &slots {
            let at = Model::slot(ring, slot);
            let (buffer, (flags, _)) = (self.word(at), self.flags_and_len(at));
            let side = if direction == Direction::Tx { &mut self.tx } else { &mut self.rx };
            let before = std::mem::replace(&mut side.buffers[slot as usize], buffer);
            assert!(
                before == buffer || flags & api::BUF_CHANGED != 0,
                "slot {slot} does not say that it changed"
            );
        }
        let side = if direction == Direction::Tx { &mut self.tx } else { &mut self.rx };
        side.head = head;
        slots
    }

    fn sync_tx(&mut self) {
        let ring = ring_at(0);
        let mut tail = self.word(ring + api::ring::TAIL);
        for slot in self.take_back(ring, Direction::Tx) {
            let at = Model::slot(ring, slot);
            let (flags, len) = self.flags_and_len(at);
            assert_eq!(flags, api::BUF_CHANGED, "of slot {slot} to send");
            let frame = self.bytes(self.word(at), len).to_vec();
            self.sent.push(frame);
        }
        // The cable takes its time: what it has not taken keeps its slot.
        let busy = (self.tx.head + SLOTS - 1 - tail) % SLOTS;
        let done = (busy as usize).min(self.takes) as u32;
        self.takes = self.takes.saturating_sub(done as usize);
        tail = (tail + done) % SLOTS;
        self.set(ring + api::ring::TAIL, tail);
    }

    fn sync_rx(&mut self) {
        let ring = ring_at(2);
        self.take_back(ring, Direction::Rx);
        let mut tail = self.word(ring + api::ring::TAIL);
        while (tail + 1) % SLOTS != self.rx.head
            && let Some(frame) = self.arriving.pop_front()
        {
            let at = Model::slot(ring, tail);
            self.bytes(self.word(at), frame.len()).copy_from_slice(&frame);
            self.set_len_and_flags(at, frame.len() as u16, 0);
            tail = (tail + 1) % SLOTS;
        }
        self.set(ring + api::ring::TAIL, tail);
    }

    /// A received packet in several buffers.
    fn put_parts(&self, flags: &[u16]) {
        let ring = ring_at(2);
        let tail = self.word(ring + api::ring::TAIL);
        for (i, &flags) in flags.iter().enumerate() {
            self.set_len_and_flags(Model::slot(ring, (tail + i as u32) % SLOTS), 60, flags);
        }
        self.set(ring + api::ring::TAIL, (tail + flags.len() as u32) % SLOTS);
    }

    /// Every buffer is in one slot, or the port's.
    fn nothing_is_lost_or_double(&self, port: &NetmapPort<Rc<RefCell<Model>>>) {
        let pair = &port.pairs[0];
        assert!(pair.buffers().adds_up());
        let mut all: Vec<u32> = pair.buffers().all_ours();
        assert_eq!(all.len() as u32, SPARE);
        for ring in (0..4).map(ring_at) {
            all.extend((0..SLOTS).map(|slot| self.word(Model::slot(ring, slot))));
        }
        let distinct: BTreeSet<u32> = all.iter().copied().collect();
        assert_eq!((distinct.len(), all.len() as u32), (all.len(), SPARE + 4 * SLOTS));
    }
}

impl Device for Rc<RefCell<Model>> {
    fn sync(&self, direction: Direction) -> Result<(), Errno> {
        let mut model = self.borrow_mut();
        model.calls.push(direction);
        if let Some(e) = model.fails {
            return Err(e);
        }
        match direction {
            Direction::Tx => model.sync_tx(),
            Direction::Rx => model.sync_rx(),
        }
        Ok(())
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

type TestPort = NetmapPort<Rc<RefCell<Model>>>;

fn port() -> (Rc<RefCell<Model>>, TestPort) {
    let (model, memory) = Model::new();
    let pair = Pair::new(model.clone(), memory, INTERFACE, Which::Nic(0), SPARE).unwrap();
    let port = NetmapPort::new(vec![pair], "test", 0, 1500).unwrap();
    model.borrow().nothing_is_lost_or_double(&port);
    (model, port)
}

fn frame(number: usize) -> Vec<u8> {
    (0..60 + number % 100).map(|i| (i * 7 + number) as u8).collect()
}

fn queue(port: &mut TestPort, burst: &mut Burst, bytes: &[u8]) -> bool {
    let Some(mut frame) = port.alloc(bytes.len()) else { return false };
    port.bytes_mut(&mut frame).copy_from_slice(bytes);
    if let Err(frame) = burst.push(frame) {
        port.release(frame);
        return false;
    }
    true
}

#[test]
fn frames_come_and_go_without_a_copy_or_a_lost_buffer() {
    let (model, mut port) = port();
    assert_eq!(port.caps().mtu as usize, BUFFER - LINK_BYTES);
    let (mut out, mut burst) = (Burst::new(4), Burst::new(4));
    for number in 0..100 {
        model.borrow_mut().arriving.push_back(frame(number));
        port.sync().unwrap();
        assert!(!port.prepare_wait());
        assert_eq!(port.rx(&mut burst), 1);
        let received = burst.pop().unwrap();
        assert_eq!(port.bytes(&received), frame(number));
        port.release(received);
        assert!(port.prepare_wait());
        assert!(queue(&mut port, &mut out, &frame(number + 7)));
        assert_eq!(port.tx(&mut out), 1);
        port.sync().unwrap();
        assert_eq!(model.borrow_mut().sent.pop(), Some(frame(number + 7)));
        model.borrow().nothing_is_lost_or_double(&port);
        assert_eq!(port.held(), 0);
    }
}

#[test]
fn a_received_frame_can_be_sent_from_where_it_is() {
    let (model, mut port) = port();
    let mut burst = Burst::new(1);
    for number in 0..20 {
        model.borrow_mut().arriving.push_back(frame(number));
        port.sync().unwrap();
        port.rx(&mut burst);
        let mut back = burst.pop().unwrap();
        // Without its first bytes.
        (back.off, back.len) = (4, back.len - 4);
        port.bytes_mut(&mut back)[0] = 99;
        burst.push(back).unwrap();
        assert_eq!(port.tx(&mut burst), 1);
        port.sync().unwrap();
        let sent = model.borrow_mut().sent.pop().unwrap();
        assert_eq!((sent[0], &sent[1..]), (99, &frame(number)[5..]));
        model.borrow().nothing_is_lost_or_double(&port);
    }
}

#[test]
fn the_module_is_called_once_for_each_direction_and_turn() {
    let (model, mut port) = port();
    let mut burst = Burst::new(16);
    let calls = || std::mem::take(&mut model.borrow_mut().calls);
    port.sync().unwrap();
    assert_eq!(calls(), [Direction::Rx], "nothing to send");
    (0..3).for_each(|n| assert!(queue(&mut port, &mut burst, &frame(n))));
    port.tx(&mut burst);
    port.sync().unwrap();
    assert_eq!(calls(), [Direction::Tx, Direction::Rx]);
    // As long as there are frames nobody has read, no call shows more; one is made when half of the ring is read.
    (0..7).for_each(|n| model.borrow_mut().arriving.push_back(frame(n)));
    port.sync().unwrap();
    calls();
    let mut one = Burst::new(1);
    for _ in 0..7 {
        assert_eq!(port.rx(&mut one), 1);
        port.release(one.pop().unwrap());
        port.sync().unwrap();
    }
    assert_eq!(calls(), [Direction::Rx; 2], "after five of them, and after the last");
    assert_eq!(port.counters().calls, 6);
}

#[test]
fn a_full_ring_keeps_frames_back_until_there_is_room() {
    let (model, mut port) = port();
    model.borrow_mut().takes = 0;
    let mut burst = Burst::new(16);
    (0..12).for_each(|n| assert!(queue(&mut port, &mut burst, &frame(n))));
    assert_eq!(port.tx(&mut burst), 7, "one slot stays the module's");
    port.sync().unwrap();
    assert_eq!((port.tx(&mut burst), burst.len()), (0, 5));
    assert_eq!((port.held(), port.counters().tx_full), (5, 2));
    assert!(port.pairs[0].is_stuck(), "and so room is waited for");
    model.borrow_mut().takes = 3;
    port.sync().unwrap();
    assert!(!port.pairs[0].is_stuck());
    assert_eq!(port.tx(&mut burst), 3);
    model.borrow_mut().takes = 9;
    port.sync().unwrap();
    assert_eq!(port.tx(&mut burst), 2);
    port.sync().unwrap();
    assert_eq!(model.borrow().sent, (0..12).map(frame).collect::<Vec<_>>());
    model.borrow().nothing_is_lost_or_double(&port);
}

#[test]
fn whoever_sends_leaves_buffers_to_receive_into() {
    let (model, mut port) = port();
    let mut out = Burst::new(SPARE as usize);
    let sent = (0..SPARE as usize).take_while(|&n| queue(&mut port, &mut out, &frame(n))).count();
    assert_eq!((sent, port.counters().no_buffer), (16, 1));
    // And a stack that gives nothing back ends in frames that wait, not in frames that are lost.
    let mut burst = Burst::new(200);
    (0..80).for_each(|n| model.borrow_mut().arriving.push_back(frame(n)));
    for _ in 0..20 {
        port.sync().unwrap();
        port.rx(&mut burst);
    }
    assert_eq!(burst.len(), 64);
    assert!(port.counters().rx_no_buffer > 0);
    let mut numbers = Vec::new();
    for _ in 0..20 {
        while let Some(received) = burst.pop() {
            numbers.push(port.bytes(&received).to_vec());
            port.release(received);
        }
        port.sync().unwrap();
        port.rx(&mut burst);
    }
    assert_eq!(numbers, (0..80).map(frame).collect::<Vec<_>>());
    assert!(port.alloc(BUFFER).is_none(), "longer than the MTU allows");
}

#[test]
fn packets_in_several_buffers_are_dropped_whole() {
    let (model, mut port) = port();
    model.borrow().put_parts(&[api::MOREFRAG, api::MOREFRAG, 0, 0, api::MOREFRAG]);
    let mut burst = Burst::new(8);
    assert_eq!(port.rx(&mut burst), 1, "the one behind");
    port.release(burst.pop().unwrap());
    port.sync().unwrap();
    model.borrow().put_parts(&[0, 0]);
    assert_eq!(port.rx(&mut burst), 1);
    port.release(burst.pop().unwrap());
    assert_eq!(port.counters().rx_in_parts, 2);
    port.sync().unwrap();
    model.borrow().nothing_is_lost_or_double(&port);
}

#[test]
fn nonsense_of_the_module_is_not_followed() {
    let (model, mut port) = port();
    let mut burst = Burst::new(8);
    let rx = ring_at(2);
    // A length beyond the buffer; buffers that there are not, that are the module's own, that are ours already.
    model.borrow().put_parts(&[0; 5]);
    model.borrow().set_len_and_flags(Model::slot(rx, 0), BUFFER as u16 + 1, 0);
    let ours = port.pairs[0].buffers().all_ours()[0];
    for (slot, buffer) in [(1, 100_000), (2, 1), (3, ours)] {
        model.borrow().set(Model::slot(rx, slot), buffer);
    }
    assert_eq!((port.rx(&mut burst), port.counters().rx_damaged), (1, 4));
    // An end that is nowhere.
    model.borrow().set(rx + api::ring::TAIL, SLOTS);
    assert_eq!(port.rx(&mut burst), 0);
    assert!(matches!(port.sync(), Err(PortError::Gone(_))));
}

#[test]
fn nonsense_in_a_slot_to_send_costs_a_buffer_and_not_the_frame() {
    let (model, mut port) = port();
    let mut burst = Burst::new(2);
    model.borrow().set(Model::slot(ring_at(0), 0), 100_000);
    assert!(queue(&mut port, &mut burst, &frame(1)));
    assert_eq!(port.tx(&mut burst), 1);
    assert_eq!((port.counters().tx_damaged, port.held()), (1, 0));
    assert!(port.pairs[0].buffers().adds_up());
}

#[test]
fn an_interface_that_goes_ends_the_port() {
    let (model, mut port) = port();
    model.borrow_mut().fails = Some(Errno::INTR);
    port.sync().unwrap();
    model.borrow_mut().fails = Some(Errno::NXIO);
    let error = port.sync().unwrap_err();
    assert!(error.to_string().contains("netmap:test"), "{error}");
}

#[test]
fn at_the_end_all_buffers_are_in_the_modules_list() {
    let (model, mut port) = port();
    let mut burst = Burst::new(4);
    (0..3).for_each(|n| model.borrow_mut().arriving.push_back(frame(n)));
    port.sync().unwrap();
    port.rx(&mut burst);
    let kept = port.alloc(60);
    let mut ours: BTreeSet<u32> = port.pairs[0].buffers().all_ours().into_iter().collect();
    drop((port, kept, burst));
    let mut model = model.borrow_mut();
    let mut next = model.word(INTERFACE + api::interface::BUFS_HEAD);
    while next != 0 {
        assert!(ours.remove(&next), "buffer {next} is not ours, or twice in the list");
        let link: [u8; 4] = model.bytes(next, 4).try_into().unwrap();
        next = u32::from_ne_bytes(link);
    }
    assert!(ours.is_empty(), "{ours:?} are lost");
}

#[test]
fn a_description_that_cannot_be_is_refused() {
    let change = |at: usize, value: u32, which: Which| {
        let (model, memory) = Model::new();
        memory.word(at).store(value, Relaxed);
        Pair::new(model, memory, INTERFACE, which, SPARE).is_err()
    };
    let (tx, rx, nic) = (ring_at(0), ring_at(2), Which::Nic(0));
    assert!(!change(0, 0, nic) && !change(0, 0, Which::Host(0)));
    assert!(change(0, 0, Which::Nic(1)) && change(0, 0, Which::Host(1)));
    for (at, value) in [
        (INTERFACE + api::interface::RING_OFS, 1 << 30),
        (INTERFACE + api::interface::RING_OFS + 4, 1 << 30),
        (INTERFACE + api::interface::RING_OFS, 4),
        (INTERFACE + api::interface::HOST_TX_RINGS, u32::MAX),
        (INTERFACE + api::interface::BUFS_HEAD, 1),
        (INTERFACE + api::interface::BUFS_HEAD, 1 << 20),
        (tx + api::ring::NUM_SLOTS, 1),
        (rx + api::ring::NUM_SLOTS, 1 << 15),
        (rx + api::ring::BUF_SIZE, 0),
        (rx + api::ring::BUF_SIZE, 128),
        (rx + api::ring::BUF_OFS, 1 << 30),
        (rx + api::ring::HEAD, SLOTS),
    ] {
        assert!(change(at, value, nic), "{at}: {value}");
    }
}

/// The first pair of a port that the module makes may get all buffers; the pairs' memory is the same.
#[test]
fn buffers_are_shared_out() {
    let (model, memory) = Model::new();
    let again = model.borrow().map_again();
    let (nic, host) = (Which::Nic(0), Which::Host(0));
    let first = Pair::new(model.clone(), memory, INTERFACE, nic, SPARE).unwrap();
    let second = Pair::new(model.clone(), again, INTERFACE, host, SPARE).unwrap();
    let builder = NetmapBuilder { name: "vale0:1".to_owned(), cores: 2, mac: None, force: false };
    let mut pairs = [first, second];
    assert_eq!(pairs.each_ref().map(|pair| pair.buffers().spare()), [SPARE as usize, 0]);
    let error = builder.share_buffers(&mut pairs).unwrap_err();
    assert!(error.to_string().contains("gives 80 buffers"), "{error}");
    let [first, second] = &mut pairs;
    first.buffers_mut().share(30, second.buffers_mut());
    assert_eq!(pairs.each_ref().map(|pair| pair.buffers().spare()), [50, 30]);
    let ours: BTreeSet<u32> = pairs.iter().flat_map(|pair| pair.buffers().all_ours()).collect();
    assert!(ours.len() == 80 && pairs.iter().all(|pair| pair.buffers().adds_up()));
}

#[test]
fn made_up_addresses_differ_and_are_no_groups() {
    let all: BTreeSet<_> = ["vale0:1", "vale0:2", "x{1", "x}1", ""].into_iter().map(made_up_mac).collect();
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|mac| mac[0] == 2));
}

/// What a program may do to a port.
#[derive(Debug, Clone, Copy)]
enum Act {
    Arrive(u8),
    Receive(u8),
    /// Gives back one of the frames that it has.
    Release(u8),
    Send(u8),
    /// Sends one of the frames that it has received.
    Return(u8),
    Sync,
    /// The cable takes so many.
    Take(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (1u8..6).prop_map(Act::Arrive),
        (1u8..9).prop_map(Act::Receive),
        any::<u8>().prop_map(Act::Release),
        (1u8..9).prop_map(Act::Send),
        any::<u8>().prop_map(Act::Return),
        Just(Act::Sync),
        (0u8..12).prop_map(Act::Take),
    ];
    prop::collection::vec(act, 1..200)
}

proptest! {
    /// Whatever is done: frames arrive in order and whole, none is lost, and every buffer is in one place.
    #[test]
    fn no_sequence_of_acts_loses_a_frame_or_a_buffer(acts in acts()) {
        let (model, mut port) = port();
        let (mut arrived, mut received, mut queued) = (0, 0, 0);
        let mut expected = Vec::new();
        let mut out = Burst::new(16);
        let mut held = Vec::new();
        for act in acts {
            match act {
                Act::Arrive(n) => for _ in 0..n {
                    model.borrow_mut().arriving.push_back(frame(arrived));
                    arrived += 1;
                },
                Act::Receive(n) => {
                    let mut burst = Burst::new(n.into());
                    port.rx(&mut burst);
                    while let Some(got) = burst.pop() {
                        prop_assert_eq!(port.bytes(&got), frame(received));
                        held.push((received, got));
                        received += 1;
                    }
                }
                Act::Release(i) if !held.is_empty() => {
                    let (number, got) = held.swap_remove(usize::from(i) % held.len());
                    prop_assert_eq!(port.bytes(&got), frame(number));
                    port.release(got);
                }
                Act::Send(n) => for _ in 0..n {
                    if queue(&mut port, &mut out, &frame(queued)) {
                        expected.push(frame(queued));
                        queued += 1;
                    }
                },
                Act::Return(i) if !held.is_empty() && out.room() > 0 => {
                    let (number, got) = held.swap_remove(usize::from(i) % held.len());
                    expected.push(frame(number));
                    prop_assert!(out.push(got).is_ok());
                }
                Act::Sync => {
                    port.tx(&mut out);
                    port.sync().unwrap();
                }
                Act::Take(n) => model.borrow_mut().takes = n.into(),
                Act::Release(_) | Act::Return(_) => {}
            }
            model.borrow().nothing_is_lost_or_double(&port);
            prop_assert_eq!(port.held(), held.len() + out.len());
        }
        let sent = model.borrow().sent.clone();
        prop_assert_eq!(&sent[..], &expected[..sent.len()]);
        prop_assert_eq!(port.counters().rx_damaged + port.counters().tx_damaged, 0);
    }
}
