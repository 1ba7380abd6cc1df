use proptest::prelude::*;

use libc::{BPF_ALU, BPF_AND, BPF_LDX, BPF_MEM, BPF_STX};

use super::*;
use crate::bpf::assembler::{ALU64, BPF_PSEUDO_MAP_FD, CALL, DOUBLE, EXIT, JMP32, JNE, MOV, TO_BE};

const MAP: i32 = 77;
const PORTS: i32 = 78;
const QUEUE: u64 = 3;
/// Where the context and the frame lie in the interpreter's memory.
const CONTEXT: u64 = 0x1000;
const FRAME: u64 = 0x8000;
/// The end of the program's own memory, and where the map of ports has its values.
const STACK_END: u64 = 0x2000;
const VALUES: u64 = 0x10_0000;

/// What becomes of a frame.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    Socket,
}

/// What the kernel does with the instructions that are used here.
fn run(program: &[Instruction], frame: &[u8]) -> Fate {
    run_with(program, frame, &|_| false)
}

/// The same, with a map of ports.
fn run_with(program: &[Instruction], frame: &[u8], is_ours: &dyn Fn(u16) -> bool) -> Fate {
    let mut r = [0u64; 11];
    r[1] = CONTEXT;
    r[10] = STACK_END;
    let (mut at, mut redirected) = (0, false);
    let stored = std::cell::Cell::new(None);
    let read = |address: u64, n: usize| match address.checked_sub(CONTEXT) {
        Some(field) if field < 24 => match field as i16 {
            DATA => FRAME,
            DATA_END => FRAME + frame.len() as u64,
            RX_QUEUE_INDEX => QUEUE,
            other => panic!("field {other}"),
        },
        _ if address >= VALUES => u64::from(is_ours((address - VALUES) as u16)),
        _ => {
            let at = (address - FRAME) as usize;
            let mut word = [0; 8];
            word[..n].copy_from_slice(&frame[at..at + n]);
            u64::from_le_bytes(word)
        }
    };
    loop {
        let i = program[at];
        at += 1;
        let (to, from) = (usize::from(i.registers & 0xf), usize::from(i.registers >> 4));
        let address = r[from].wrapping_add_signed(i.offset.into());
        let mut jump = |taken: bool| {
            if taken {
                assert!(i.offset >= 0, "forward");
                at += i.offset as usize;
            }
        };
        match u32::from(i.code) {
            c if c == ALU64 | MOV | BPF_X => r[to] = r[from],
            c if c == ALU64 | MOV | BPF_K => r[to] = i.immediate as u64,
            c if c == ALU64 => r[to] = r[to].wrapping_add_signed(i.immediate.into()),
            c if c == BPF_LDX | BPF_MEM | BPF_W => r[to] = read(address, 4),
            c if c == BPF_LDX | BPF_MEM | BPF_H => r[to] = read(address, 2),
            c if c == BPF_LDX | BPF_MEM | BPF_B => r[to] = read(address, 1),
            c if c == BPF_JMP | JGT | BPF_X => jump(r[to] > r[from]),
            c if c == BPF_JMP | BPF_JSET | BPF_K => jump(r[to] & i.immediate as u64 != 0),
            c if c == JMP32 | JNE | BPF_K => jump(r[to] as u32 != i.immediate as u32),
            c if c == ALU64 | BPF_AND | BPF_K => r[to] &= i.immediate as u64,
            c if c == BPF_ALU | TO_BE => r[to] = u64::from((r[to] as u16).to_be()),
            c if c == BPF_STX | BPF_MEM | BPF_W => {
                assert_eq!((r[to], i.offset), (STACK_END, -4));
                stored.set(Some(r[from] as u32));
            }
            c if c == BPF_JMP => jump(true),
            c if c == BPF_JMP | BPF_JEQ | BPF_K => jump(r[to] == i.immediate as u64),
            DOUBLE => {
                assert_eq!(from as u8, BPF_PSEUDO_MAP_FD);
                r[to] = i.immediate as u64;
                at += 1;
            }
            c if c == BPF_JMP | CALL && i.immediate == MAP_LOOKUP_ELEM => {
                assert_eq!((r[1], r[2]), (PORTS as u64, STACK_END - 4));
                r[0] = VALUES + u64::from(stored.get().expect("a key"));
                // The kernel's verifier lets nobody read these after a call.
                r[1..=5].fill(u64::MAX);
            }
            c if c == BPF_JMP | CALL => {
                assert_eq!(
                    (i.immediate, r[1], r[2], r[3]),
                    (REDIRECT_MAP, MAP as u64, QUEUE, XDP_PASS as u64)
                );
                redirected = true;
            }
            c if c == BPF_JMP | EXIT => {
                assert!(redirected || r[0] == XDP_PASS as u64);
                return if redirected { Fate::Socket } else { Fate::Pass };
            }
            other => panic!("instruction {other:#x}"),
        }
    }
}

fn frame(to: [u8; 6]) -> Vec<u8> {
    [&to[..], &[0; 54]].concat()
}

#[test]
#[cfg(target_endian = "little")]
fn own_and_group_frames_go_to_the_socket() {
    // With a high bit set, which must not be taken for a sign.
    for mac in [[2, 1, 2, 3, 4, 5], [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]] {
        let program = own_address(mac, MAP);
        assert_eq!(run(&program, &frame(mac)), Fate::Socket);
        assert_eq!(run(&program, &frame([0xff; 6])), Fate::Socket);
        assert_eq!(run(&program, &frame([1, 0, 0x5e, 0, 0, 1])), Fate::Socket);
        for at in 0..6 {
            let mut other = mac;
            other[at] ^= 0x40;
            assert_eq!(run(&program, &frame(other)), Fate::Pass, "{other:x?}");
        }
    }
}

proptest! {
    /// Every read is within the frame: the interpreter panics otherwise, as the kernel's verifier would refuse.
    #[test]
    #[cfg(target_endian = "little")]
    fn no_frame_is_too_short(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let fate = run(&own_address([2, 1, 2, 3, 4, 5], MAP), &bytes);
        let group = bytes.len() >= ETHERNET as usize && bytes[0] & 1 == 1;
        prop_assert_eq!(fate == Fate::Socket, group || bytes.starts_with(&[2, 1, 2, 3, 4, 5]) && bytes.len() >= 14);
    }
}

const MAC: [u8; 6] = [2, 1, 2, 3, 4, 5];
const ADDRESS: [u8; 4] = [192, 168, 255, 254];

/// The program for port 6653 of our address.
#[cfg(target_endian = "little")]
fn shared(frame: &[u8]) -> Fate {
    let ours = Ours { mac: MAC, address: ADDRESS.into(), ports: PORTS, sockets: MAP };
    run_with(&shared_address(&ours), frame, &|port| port == 6653)
}

/// An IPv4 header of so many words.
fn ipv4(words: u8, protocol: u8, src: [u8; 4], dst: [u8; 4]) -> Vec<u8> {
    let mut header = vec![0; usize::from(words) * 4];
    header[0] = 0x40 | words;
    header[9] = protocol;
    header[12..16].copy_from_slice(&src);
    header[16..20].copy_from_slice(&dst);
    header
}

const OTHER: [u8; 4] = [10, 0, 0, 9];

fn with_mac(packet: &[u8]) -> Vec<u8> {
    [&MAC[..], &[0; 6], &[8, 0], packet].concat()
}

/// A segment to a port, behind a header of so many words.
fn segment(words: u8, port: u16) -> Vec<u8> {
    let ports = [&[0x12, 0x34], &port.to_be_bytes()[..]].concat();
    with_mac(&[ipv4(words, 6, OTHER, ADDRESS), ports].concat())
}

/// An ICMP message of a type about a segment from a port.
fn icmp(kind: u8, words: u8, port: u16) -> Vec<u8> {
    let quoted = [ipv4(words, 6, ADDRESS, OTHER), port.to_be_bytes().to_vec(), vec![0; 6]].concat();
    with_mac(&[ipv4(5, 1, OTHER, ADDRESS), vec![kind, 1, 0, 0, 0, 0, 0, 0], quoted].concat())
}

#[test]
#[cfg(target_endian = "little")]
fn segments_to_our_ports_go_to_the_socket_whatever_their_options() {
    for words in 5..=15 {
        assert_eq!(shared(&segment(words, 6653)), Fate::Socket, "{words}");
        assert_eq!(shared(&segment(words, 22)), Fate::Pass, "{words}");
        // The same bytes the other way round.
        assert_eq!(shared(&segment(words, 6653u16.swap_bytes())), Fate::Pass, "{words}");
        let whole = segment(words, 6653);
        for len in 0..whole.len() {
            assert_eq!(shared(&whole[..len]), Fate::Pass, "{words}, cut to {len}");
        }
    }
    let mut short = segment(5, 6653);
    short[ETHERNET as usize] = 0x44;
    assert_eq!(shared(&short), Fate::Pass, "no header is as short");
}

#[test]
#[cfg(target_endian = "little")]
fn what_is_not_ours_in_one_thing_is_the_kernels() {
    let good = segment(5, 6653);
    assert_eq!(shared(&good), Fate::Socket);
    let changed = |at: usize, to: u8| {
        let mut frame = good.clone();
        frame[at] = to;
        frame
    };
    let (ethernet, ip) = (0, ETHERNET as usize);
    let others = [
        ("a group's MAC address", changed(ethernet, 3)),
        ("another MAC address", changed(ethernet + 5, 9)),
        ("IPv6", changed(12, 0x86)),
        ("a VLAN", changed(12, 0x81)),
        ("UDP", changed(ip + 9, 17)),
        ("another address", changed(ip + 19, 253)),
        ("a later fragment", changed(ip + 7, 1)),
        ("a later fragment far behind", changed(ip + 6, 0x10)),
        ("version 6", changed(ip, 0x65)),
    ];
    for (what, frame) in others {
        assert_eq!(shared(&frame), Fate::Pass, "{what}");
    }
    // The first fragment, and one that must not be fragmented.
    assert_eq!(shared(&changed(ip + 6, 0x20)), Fate::Socket);
    assert_eq!(shared(&changed(ip + 6, 0x40)), Fate::Socket);
}

#[test]
#[cfg(target_endian = "little")]
fn icmp_errors_about_our_segments_come_along() {
    for words in 5..=15 {
        for kind in [3, 11, 12] {
            assert_eq!(shared(&icmp(kind, words, 6653)), Fate::Socket, "{kind} {words}");
            assert_eq!(shared(&icmp(kind, words, 22)), Fate::Pass, "{kind} {words}");
        }
        for kind in [0, 4, 5, 8, 13] {
            assert_eq!(shared(&icmp(kind, words, 6653)), Fate::Pass, "{kind} {words}");
        }
    }
    let quoted = ETHERNET as usize + 28;
    for (at, to) in [(quoted + 9, 17), (quoted + 12, 1), (ETHERNET as usize, 0x46)] {
        let mut frame = icmp(3, 5, 6653);
        frame[at] = to;
        assert_eq!(shared(&frame), Fate::Pass, "{at}");
    }
}

proptest! {
    /// As above: every read is within the frame, however it is cut and whatever it holds.
    #[test]
    #[cfg(target_endian = "little")]
    fn no_packet_is_too_short(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        kind in 0..3,
        words in 0u8..16,
        cut in 0usize..200,
    ) {
        let frame = match kind {
            0 => bytes,
            1 => [segment(words.max(5), 6653), bytes].concat(),
            _ => [icmp(3, words.max(5), 6653), bytes].concat(),
        };
        shared(&frame[..cut.min(frame.len())]);
    }
}
