use std::net::Ipv4Addr;

use ferroflow_stack::steer::{DEFAULT_KEY, Owner, SYMMETRIC_KEY, Steer};
use libc::BPF_JMP;
use proptest::prelude::*;

use super::*;
use crate::bpf::assembler::EXIT;

/// What the kernel does with the instructions that are used here.
fn run(program: &[Instruction], frame: &[u8]) -> u64 {
    let mut r = [0u64; 11];
    let mut at = 0;
    loop {
        let i = program[at];
        at += 1;
        let (to, from) = (usize::from(i.registers & 0xf), usize::from(i.registers >> 4));
        let code = u32::from(i.code);
        let immediate = i.immediate as u32;
        let load = |at: usize, n: usize| {
            let bytes = frame.get(at..at + n)?;
            Some(bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
        };
        let size = match code & 0x18 {
            BPF_W => 4,
            BPF_H => 2,
            _ => 1,
        };
        let mut low = |f: fn(u32, u32) -> u32| r[to] = f(r[to] as u32, immediate).into();
        let jump = match code {
            c if c == JMP32 | JNE | BPF_K => r[to] as u32 != immediate,
            c if c == JMP32 | BPF_JSET | BPF_K => r[to] as u32 & immediate != 0,
            c if c == BPF_JMP | EXIT => return r[0],
            c => {
                match c {
                    c if c == ALU64 | MOV | BPF_X => r[to] = r[from],
                    c if c == ALU64 | MOV | BPF_K => r[to] = i.immediate as u64,
                    c if c == BPF_ALU | BPF_XOR | BPF_K => low(|a, b| a ^ b),
                    c if c == BPF_ALU | BPF_AND | BPF_K => low(|a, b| a & b),
                    c if c == BPF_ALU | BPF_LSH | BPF_K => low(|a, b| a << b),
                    c if c == BPF_ALU | BPF_MOD | BPF_K => low(|a, b| a % b),
                    c if c & 0xe7 == BPF_LD | BPF_ABS => match load(immediate as usize, size) {
                        // The kernel forgets these registers at each load.
                        Some(word) => r[..6].copy_from_slice(&[word, !0, !0, !0, !0, !0]),
                        None => return 0,
                    },
                    c if c & 0xe7 == BPF_LD | BPF_IND => {
                        match load(r[from] as usize + immediate as usize, size) {
                            Some(word) => r[..6].copy_from_slice(&[word, !0, !0, !0, !0, !0]),
                            None => return 0,
                        }
                    }
                    other => panic!("instruction {other:#x}"),
                }
                false
            }
        };
        if jump {
            assert!(i.offset >= 0, "forward");
            at += i.offset as usize;
        }
    }
}

fn frame(src: Ipv4Addr, dst: Ipv4Addr, ports: [u8; 4], options: usize) -> Vec<u8> {
    let mut frame = vec![0; 14];
    frame[12..14].copy_from_slice(&[8, 0]);
    let words = 5 + options as u8;
    frame.extend([0x40 | words, 0, 0, 20 * 2 + 4 * options as u8, 0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(src.octets());
    frame.extend(dst.octets());
    frame.extend(vec![1; 4 * options]);
    frame.extend(ports);
    frame.extend([0; 8]);
    frame.extend([0x50, 0x10, 0, 0, 0, 0, 0, 0]);
    frame
}

proptest! {
    #[test]
    fn it_answers_the_owner(
        src: [u8; 4], dst: [u8; 4], ports: [u8; 4], options in 0..11_usize, cores in 1..=16_u16, symmetric: bool,
    ) {
        let key = if symmetric { SYMMETRIC_KEY } else { DEFAULT_KEY };
        let frame = frame(src.into(), dst.into(), ports, options);
        let got = run(&owner(cores, &key), &frame);
        let [a, b, c, d] = ports;
        let steer = Steer::with_key(0, cores, &key);
        let want = steer.owner_of(src.into(), dst.into(), u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        prop_assert_eq!(got, u64::from(want));
        let here = if want == 0 { Owner::Here } else { Owner::Core(want) };
        prop_assert_eq!(steer.owner(&frame), here);
    }

    #[test]
    fn what_is_no_tcp_or_cut_goes_to_the_first(len in 0..54_usize, protocol in 0..=255_u8, fragment in 1..0x4000_u16) {
        let program = owner(16, &DEFAULT_KEY);
        let whole = frame([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), [1, 2, 3, 4], 0);
        prop_assert!(run(&program, &whole[..len]) < 16);
        let mut other = whole.clone();
        other[PROTOCOL as usize] = protocol;
        prop_assert!(protocol == 6 || run(&program, &other) == 0);
        let mut part = whole;
        part[FRAGMENT as usize..][..2].copy_from_slice(&fragment.to_be_bytes());
        prop_assert_eq!(run(&program, &part), 0);
    }
}
