use super::*;
use crate::port::pipe::{PipeConfig, PipePort, pair};

/// A reader of its own: what is written is read back from the draft's words, not with the writer's code.
mod reader {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Block {
        pub kind: u32,
        pub body: Vec<u8>,
    }

    pub fn u16(bytes: &[u8], at: usize) -> u16 {
        u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
    }

    pub fn u32(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    pub fn blocks(mut file: &[u8]) -> Vec<Block> {
        let mut blocks = Vec::new();
        while !file.is_empty() {
            let len = u32(file, 4) as usize;
            assert!(len >= 12 && len.is_multiple_of(4) && len <= file.len(), "a block of {len} bytes");
            assert_eq!(u32(file, len - 4) as usize, len, "both lengths of a block");
            blocks.push(Block { kind: u32(file, 0), body: file[8..len - 4].to_vec() });
            file = &file[len..];
        }
        blocks
    }

    /// Code and value of each option, up to and without opt_endofopt, which must be the last.
    pub fn options(mut rest: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let mut options = Vec::new();
        loop {
            let (code, len) = (u16(rest, 0), usize::from(u16(rest, 2)));
            if code == 0 {
                assert_eq!((len, rest.len()), (0, 4), "opt_endofopt ends the block");
                return options;
            }
            options.push((code, rest[4..4 + len].to_vec()));
            rest = &rest[4 + len.next_multiple_of(4)..];
        }
    }

    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Packet {
        pub interface: u32,
        pub time: u64,
        pub original: u32,
        pub bytes: Vec<u8>,
        pub flags: u32,
        pub dropped: Option<u64>,
    }

    pub fn packets(file: &[u8]) -> Vec<Packet> {
        blocks(file).iter().filter(|block| block.kind == 6).map(|block| packet(&block.body)).collect()
    }

    fn packet(body: &[u8]) -> Packet {
        let kept = u32(body, 12) as usize;
        let options = options(&body[20 + kept.next_multiple_of(4)..]);
        let value = |code| options.iter().find(|o| o.0 == code).map(|o| o.1.clone());
        Packet {
            interface: u32(body, 0),
            time: u64::from(u32(body, 4)) << 32 | u64::from(u32(body, 8)),
            original: u32(body, 16),
            bytes: body[20..20 + kept].to_vec(),
            flags: u32(&value(2).expect("epb_flags"), 0),
            dropped: value(4).map(|v| u64::from_le_bytes(v.try_into().unwrap())),
        }
    }

    /// isb_filteraccept and isb_osdrop of the last statistics block.
    pub fn statistics(file: &[u8]) -> (u64, u64) {
        let block = blocks(file).into_iter().rfind(|block| block.kind == 5).expect("statistics");
        let options = options(&block.body[12..]);
        let value = |code| options.iter().find(|o| o.0 == code).map(|o| o.1.clone()).expect("an option");
        let number = |code| u64::from_le_bytes(value(code).try_into().unwrap());
        (number(6), number(7))
    }
}

const EPOCH: u64 = 1_700_000_000_123_456_789;
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// Takes blocks while there is room.
#[derive(Debug)]
struct Small {
    room: usize,
    bytes: std::rc::Rc<std::cell::RefCell<Vec<u8>>>,
}

impl Sink for Small {
    fn put(&mut self, block: &[u8]) -> bool {
        let fits = self.room > 0;
        self.room -= usize::from(fits);
        if fits {
            self.bytes.borrow_mut().extend_from_slice(block);
        }
        fits
    }
}

fn ends(frames: usize) -> (PipePort, PipePort) {
    let (mut a, mut b) = pair(PipeConfig { frames, ..PipeConfig::new(1) });
    (a.pop().unwrap(), b.pop().unwrap())
}

fn send(port: &mut impl Port, frames: &[(u8, usize)]) -> usize {
    let mut burst = Burst::new(frames.len());
    for &(fill, len) in frames {
        let mut frame = port.alloc(len).expect("a buffer");
        port.bytes_mut(&mut frame).fill(fill);
        burst.push(frame).unwrap();
    }
    let sent = port.tx(&mut burst);
    while let Some(frame) = burst.pop() {
        port.release(frame);
    }
    port.sync().unwrap();
    sent
}

fn receive(port: &mut impl Port) -> usize {
    let mut burst = Burst::new(64);
    let count = port.rx(&mut burst);
    while let Some(frame) = burst.pop() {
        port.release(frame);
    }
    port.sync().unwrap();
    count
}

#[test]
fn frames_of_both_directions_with_their_times() {
    let (mut peer, ours) = ends(8);
    let mut tapped = Pcap::new(ours, Capture::new(Vec::new(), 3, 0, EPOCH));
    tapped.tick(Instant::from_nanos(1_000_000_001));
    assert_eq!(send(&mut tapped, &[(1, 61), (2, 62)]), 2);
    assert_eq!(receive(&mut peer), 2);
    send(&mut peer, &[(3, 63)]);
    tapped.tick(Instant::from_nanos(5_000_000_000));
    assert_eq!(receive(&mut tapped), 1);
    assert_eq!(*tapped.capture().counters(), CaptureCounters { captured: 3, dropped: 0 });
    let packets = reader::packets(tapped.capture().sink());
    let seen: Vec<_> = packets.iter().map(|p| (p.flags, p.bytes.clone(), p.time - EPOCH)).collect();
    assert_eq!(
        seen,
        [
            (OUTBOUND, vec![1; 61], 1_000_000_001),
            (OUTBOUND, vec![2; 62], 1_000_000_001),
            (INBOUND, vec![3; 63], 5_000_000_000)
        ]
    );
    assert!(packets.iter().all(|p| p.interface == 3 && p.original as usize == p.bytes.len()));
}

#[test]
fn a_frame_that_the_port_does_not_take_is_not_in_the_capture_before_it_does() {
    // A TAP's queue or a card's ring may be full: this port takes one frame of a burst.
    #[derive(Debug)]
    struct OneAtATime(PipePort);
    impl Port for OneAtATime {
        fn caps(&self) -> Caps {
            self.0.caps()
        }
        fn rx(&mut self, into: &mut Burst) -> usize {
            self.0.rx(into)
        }
        fn bytes(&self, frame: &Frame) -> &[u8] {
            self.0.bytes(frame)
        }
        fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
            self.0.bytes_mut(frame)
        }
        fn alloc(&mut self, len: usize) -> Option<Frame> {
            self.0.alloc(len)
        }
        fn tx(&mut self, from: &mut Burst) -> usize {
            let Some(frame) = from.pop() else { return 0 };
            let mut one = Burst::new(1);
            one.push(frame).unwrap();
            self.0.tx(&mut one)
        }
        fn release(&mut self, frame: Frame) {
            self.0.release(frame);
        }
        fn sync(&mut self) -> Result<(), PortError> {
            self.0.sync()
        }
        fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
            None
        }
    }
    let (_peer, ours) = ends(8);
    let mut tapped = Pcap::new(OneAtATime(ours), Capture::new(Vec::new(), 0, 0, 0));
    let mut burst = Burst::new(2);
    for fill in [7, 8] {
        let mut frame = tapped.alloc(60).unwrap();
        tapped.bytes_mut(&mut frame).fill(fill);
        burst.push(frame).unwrap();
    }
    assert_eq!(tapped.tx(&mut burst), 1);
    let first: Vec<u8> = reader::packets(tapped.capture().sink()).iter().map(|p| p.bytes[0]).collect();
    assert_eq!(first, [7]);
    assert_eq!(tapped.tx(&mut burst), 1);
    let both: Vec<u8> = reader::packets(tapped.capture().sink()).iter().map(|p| p.bytes[0]).collect();
    assert_eq!(both, [7, 8]);
}

#[test]
fn a_full_sink_costs_the_capture_and_not_the_traffic() {
    let (mut peer, ours) = ends(16);
    let bytes = std::rc::Rc::default();
    let sink = Small { room: 2, bytes: std::rc::Rc::clone(&bytes) };
    let mut tapped = Pcap::new(ours, Capture::new(sink, 0, 0, 0));
    assert_eq!(send(&mut tapped, &[(1, 60), (2, 60), (3, 60), (4, 60)]), 4);
    assert_eq!(receive(&mut peer), 4, "all of the traffic");
    send(&mut peer, &[(5, 60)]);
    assert_eq!(receive(&mut tapped), 1);
    assert_eq!(*tapped.capture().counters(), CaptureCounters { captured: 2, dropped: 3 });
    tapped.capture.sink.room = 2;
    send(&mut tapped, &[(6, 60)]);
    tapped.capture.sink.room = 2;
    send(&mut tapped, &[(7, 60)]);
    drop(tapped.into_inner());
    let file = bytes.borrow();
    let told: Vec<_> = reader::packets(&file).iter().map(|p| (p.bytes[0], p.dropped)).collect();
    assert_eq!(told, [(1, None), (2, None), (6, Some(3)), (7, None)]);
    assert_eq!(reader::statistics(&file), (7, 3));
}

#[test]
fn snaplen_cuts_the_capture_and_not_the_frame() {
    let (mut peer, ours) = ends(8);
    let mut tapped = Pcap::new(ours, Capture::new(Vec::new(), 0, 64, 0));
    send(&mut tapped, &[(1, 1000), (2, 64), (3, 61)]);
    assert_eq!(receive(&mut peer), 3);
    let lens: Vec<_> =
        reader::packets(tapped.capture().sink()).iter().map(|p| (p.bytes.len(), p.original)).collect();
    assert_eq!(lens, [(64, 1000), (64, 64), (61, 61)]);
}

#[test]
fn the_memory_for_blocks_is_used_again() {
    let (mut peer, ours) = ends(64);
    let mut tapped = Pcap::new(ours, Capture::new(Small { room: 0, bytes: std::rc::Rc::default() }, 0, 0, 0));
    let burst = [(1, 1500); 32];
    send(&mut tapped, &burst);
    receive(&mut peer);
    let before = (tapped.capture.staged.as_ptr(), tapped.capture.ends.as_ptr());
    for _ in 0..100 {
        assert_eq!(send(&mut tapped, &burst), 32);
        assert_eq!(receive(&mut peer), 32);
    }
    assert_eq!((tapped.capture.staged.as_ptr(), tapped.capture.ends.as_ptr()), before);
    assert_eq!(tapped.capture().counters().dropped, 101 * 32);
}

#[test]
fn the_head_of_a_file() {
    let mut file = Vec::new();
    block::section_header(&mut file, &Section { os: "Linux", application: "ferroflow 1" });
    let interface = Interface { name: "ff0/1", description: "a queue", os: "ferroflow", snaplen: 96 };
    block::interface_description(&mut file, &interface);
    let blocks = reader::blocks(&file);
    assert_eq!(blocks.iter().map(|b| b.kind).collect::<Vec<_>>(), [0x0a0d_0d0a, 1]);
    let (section, interface) = (&blocks[0].body, &blocks[1].body);
    assert_eq!(reader::u32(section, 0), 0x1a2b_3c4d);
    assert_eq!((reader::u16(section, 4), reader::u16(section, 6)), (1, 0));
    assert_eq!(section[8..16], [0xff; 8]);
    assert_eq!(reader::options(&section[16..]), [(3, b"Linux".to_vec()), (4, b"ferroflow 1".to_vec())]);
    assert_eq!((reader::u16(interface, 0), reader::u32(interface, 4)), (1, 96));
    let options = reader::options(&interface[8..]);
    let expected: [(u16, &[u8]); 4] = [(2, b"ff0/1"), (3, b"a queue"), (9, &[9]), (12, b"ferroflow")];
    assert!(options.iter().map(|(code, value)| (*code, &value[..])).eq(expected));
}

#[test]
fn blocks_can_be_looked_at_by_their_head() {
    let mut out = Vec::new();
    let bytes = [0; 61];
    let time = 0x1234_5678_9abc_def0;
    let packet =
        Packet { interface: 0, time, direction: Direction::Inbound, dropped: 9, snaplen: 0, bytes: &bytes };
    block::enhanced_packet(&mut out, &packet);
    assert_eq!(block::peek(&out), Some((out.len(), time)));
    assert_eq!(block::peek(&out[..block::PEEK_LEN]), Some((out.len(), time)));
    assert_eq!(block::peek(&out[..block::PEEK_LEN - 1]), None);
    let mut out = Vec::new();
    block::interface_statistics(&mut out, &Statistics { interface: 0, time, captured: 1, dropped: 2 });
    assert_eq!(block::peek(&out), Some((out.len(), time)));
}
