use proptest::prelude::*;

use libc::{BPF_LDX, BPF_MEM};

use super::*;
use crate::bpf::assembler::{ALU64, BPF_PSEUDO_MAP_FD, CALL, DOUBLE, EXIT, MOV};

const MAP: i32 = 77;
const QUEUE: u64 = 3;
/// Where the context and the frame lie in the interpreter's memory.
const CONTEXT: u64 = 0x1000;
const FRAME: u64 = 0x8000;

/// What becomes of a frame.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    Socket,
}

/// What the kernel does with the instructions that are used here.
fn run(program: &[Instruction], frame: &[u8]) -> Fate {
    let mut r = [0u64; 11];
    r[1] = CONTEXT;
    let (mut at, mut redirected) = (0, false);
    let read = |address: u64, n: usize| match address.checked_sub(CONTEXT) {
        Some(field) if field < 24 => match field as i16 {
            DATA => FRAME,
            DATA_END => FRAME + frame.len() as u64,
            RX_QUEUE_INDEX => QUEUE,
            other => panic!("field {other}"),
        },
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
            DOUBLE => {
                assert_eq!((i.immediate, from as u8), (MAP, BPF_PSEUDO_MAP_FD));
                r[to] = 0xbeef;
                at += 1;
            }
            c if c == BPF_JMP | CALL => {
                assert_eq!((i.immediate, r[1], r[2], r[3]), (REDIRECT_MAP, 0xbeef, QUEUE, XDP_PASS as u64));
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
