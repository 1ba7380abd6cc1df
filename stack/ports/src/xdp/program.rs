//! The XDP program, assembled here: which frames go to the sockets, and which go on to the kernel
//! (Documentation/bpf/standardization/instruction-set.rst).

use libc::{BPF_B, BPF_H, BPF_JMP, BPF_JSET, BPF_K, BPF_W, BPF_X};

use crate::bpf::assembler::{Assembler, Instruction, JGT, JMP32, JNE};

/// Places in the program.
const OURS: &str = "ours";
const PASS: &str = "pass";

/// `bpf_redirect_map(map, key, flags)`: the lower bits of the flags are what it answers where there is no such key.
const REDIRECT_MAP: i32 = 51;

const XDP_PASS: i32 = 2;

/// `struct xdp_md`
const DATA: i16 = 0;
const DATA_END: i16 = 4;
const RX_QUEUE_INDEX: i16 = 16;

/// Ethernet's header.
const ETHERNET: i32 = 14;

/// Frames to `mac` and to groups go to the socket of their queue; all others, and those of queues without one, go on to
/// the kernel.
pub(super) fn own_address(mac: [u8; 6], map: i32) -> Vec<Instruction> {
    let [a, b, c, d, e, f] = mac;
    let mut p = Assembler::default();
    p.copy(6, 1);
    p.load(BPF_W, 2, 1, DATA);
    p.load(BPF_W, 3, 1, DATA_END);
    p.copy(4, 2);
    p.add(4, ETHERNET);
    p.jump(BPF_JMP | JGT | BPF_X, 4, 3, 0, PASS);
    // IEEE 802: the lowest bit of the first byte makes it a group's.
    p.load(BPF_B, 5, 2, 0);
    p.jump(BPF_JMP | BPF_JSET | BPF_K, 5, 0, 1, OURS);
    p.load(BPF_W, 5, 2, 0);
    // 32 bits are compared: the immediate of a 64-bit comparison would be extended by its sign.
    p.jump(JMP32 | JNE | BPF_K, 5, 0, i32::from_ne_bytes([a, b, c, d]), PASS);
    p.load(BPF_H, 5, 2, 4);
    p.jump(JMP32 | JNE | BPF_K, 5, 0, u16::from_ne_bytes([e, f]).into(), PASS);
    p.here(OURS);
    p.load(BPF_W, 2, 6, RX_QUEUE_INDEX);
    p.map(1, map);
    p.set(3, XDP_PASS);
    p.call(REDIRECT_MAP);
    p.exit();
    p.here(PASS);
    p.set(0, XDP_PASS);
    p.exit();
    p.finish()
}

#[cfg(test)]
mod tests;
