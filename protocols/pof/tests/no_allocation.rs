//! What the data path does with a message allocates nothing.

use ferroflow_pof::fast::{ActionSlot, FieldMatch, FlowModBuilder, PacketInView, write_packet_out};
use ferroflow_pof::handshake::{ControllerHandshake, SwitchHandshake, SwitchStep};
use ferroflow_pof::{
    Body, EncodeError, FlowModCommand, Header, MAX_MESSAGE_LEN, Message, Profile, TableType,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts what this thread asks for.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    // Constants without destructors, so that reaching them does not allocate.
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        BYTES.set(BYTES.get() + layout.size());
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        BYTES.set(BYTES.get() + size);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

/// How often `work` allocates.
fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let before = COUNT.get();
    let result = std::hint::black_box(work());
    let count = COUNT.get() - before;
    drop(result);
    count
}

#[test]
fn the_data_path_allocates_nothing() {
    let entropy: Vec<u8> = (0..=255).collect();
    for profile in [Profile::P134, Profile::P140] {
        let Body::PacketIn(mut packet) = (0..=255u8)
            .map(|first| Message::arbitrary(profile, &[&[0, 0, 0, 0, first][..], &entropy].concat()).body)
            .find(|body| matches!(body, Body::PacketIn(_)))
            .unwrap()
        else {
            unreachable!()
        };
        packet.frame = [7; 1500].into();
        let message = Message::new(profile, 1, Body::PacketIn(packet)).to_vec().unwrap();
        let mut stream = message.repeat(3);
        stream.truncate(stream.len() - 8);
        let mut out = [0; MAX_MESSAGE_LEN];
        let mut splitter = ferroflow_pof::splitter();
        let mut answered = 0;
        let count = allocations(|| {
            let mut chunk = &stream[..2 * message.len()];
            while let Ok(Some(msg)) = splitter.next(&mut chunk) {
                assert_eq!(Header::of_message(msg).map(|h| h.xid), Ok(1));
                let packet = PacketInView::parse(profile, msg).unwrap();
                let mut flow =
                    FlowModBuilder::new(profile, &mut out, packet.xid, FlowModCommand::ADD).unwrap();
                flow.table(TableType::MM, 0).index(1).priority(1).cookie(packet.cookie, u64::MAX);
                flow.matching(&FieldMatch::exact(1, 0, &packet.frame[..6]).unwrap()).unwrap();
                flow.apply_actions(&[ActionSlot::output(profile, 2), ActionSlot::counter(3)]).unwrap();
                flow.goto_table(1, 14).unwrap();
                assert_eq!(flow.finish(), profile.flow_mod_len());
                let sent = write_packet_out(
                    profile,
                    &mut out,
                    1,
                    2,
                    &[ActionSlot::output(profile, 2)],
                    packet.frame,
                );
                assert_eq!(sent.is_ok(), profile == Profile::P140);
                answered += 1;
            }
        });
        assert_eq!((count, answered), (0, 2), "{profile}");
    }
}

/// A value without rubbish in its padding is written where it belongs at once.
#[test]
fn a_message_is_written_into_a_buffer() {
    let mut out = [0; MAX_MESSAGE_LEN];
    for profile in [Profile::P118, Profile::P119, Profile::P134, Profile::P140] {
        for first in 0..=255u8 {
            let entropy: Vec<u8> = (0..200).map(|n: u8| n.wrapping_mul(first) ^ n).collect();
            let message = Message::arbitrary(profile, &[&[0, 0, 0, 0, first][..], &entropy].concat());
            let Ok(bytes) = message.to_vec() else { panic!("{message:?}") };
            let mut len = Ok(0);
            let count = allocations(|| len = message.encode(&mut out));
            assert_eq!((count, len.as_ref()), (0, Ok(&bytes.len())), "{message:?}");
            assert_eq!(out[..bytes.len()], bytes);
            let room = message.encode(&mut out[..bytes.len() - 1]).unwrap_err();
            assert!(matches!(room, EncodeError::Room { need, .. } if need == bytes.len()), "{room}");
        }
    }
}

#[test]
fn a_switchs_handshake_allocates_nothing() {
    let mut controller = ControllerHandshake::new(Profile::P134, 1);
    let mut switch = SwitchHandshake::new();
    let count = allocations(|| {
        let (hello, theirs) = (controller.connected(), switch.connected());
        let request = controller.receive(&theirs).unwrap();
        assert_eq!(switch.receive(&hello), Ok(SwitchStep::Forget));
        assert_eq!(switch.receive(&request), Ok(SwitchStep::SendFeatures { xid: 1 }));
    });
    assert_eq!(count, 0);
}

#[test]
fn decoding_allocates_by_the_bytes_that_are_there() {
    // A FLOW_MOD that claims 255 fields and 255 instructions of 255 actions.
    let mut msg = vec![0xff; Profile::P140.flow_mod_len()];
    msg[..4].copy_from_slice(&[4, 15, 8, 144]);
    let count = allocations(|| Message::decode(Profile::P140, &msg).map(|_| ()));
    assert!(count < 8, "{count}");
    let bytes = |msg: &[u8]| {
        let before = BYTES.get();
        let message = Message::decode(Profile::P140, msg);
        assert!(message.is_ok(), "{message:?}");
        BYTES.get() - before
    };
    // All its slots in use, and rubbish in every second byte of the slots.
    let mut msg = vec![0; Profile::P140.flow_mod_len()];
    msg[..4].copy_from_slice(&[4, 15, 8, 144]);
    (msg[9], msg[10]) = (8, 6);
    for instruction in 0..6 {
        let at = 368 + 304 * instruction;
        (msg[at + 1], msg[at + 8]) = (4, 6);
        for action in 0..6 {
            let at = at + 16 + 48 * action;
            msg[at + 1] = 8;
            msg[at + 12..at + 48].iter_mut().step_by(2).for_each(|byte| *byte = 0xee);
        }
    }
    // Every vector that grows counts with all its sizes.
    let used = bytes(&msg);
    assert!(used < 16 * msg.len(), "{used} bytes for {}", msg.len());
}
