//! The two classic BPF programs of a packet socket: which frames it wants, and which core's socket gets them
//! (Documentation/networking/filter.rst; SO_ATTACH_FILTER, PACKET_FANOUT_CBPF).

use ferroflow_stack::steer::{self, INDIRECTION, KEY_LEN, Key};
use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_IMM, BPF_IND, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD,
    BPF_LDX, BPF_MEM, BPF_MOD, BPF_MSH, BPF_RET, BPF_ST, BPF_W, BPF_XOR, sock_filter,
};

/// "All of the frame": more than any has.
const WHOLE: u32 = 0x0004_0000;
/// Where the kernel keeps what is not in the packet, and its Ethernet type there (linux/filter.h: SKF_AD_OFF,
/// SKF_AD_PROTOCOL).
const ETHERTYPE: u32 = -0x1000_i32 as u32;

const ETH_P_IP: u32 = 0x0800;
const TCP: u32 = 6;
/// More fragments, or an offset (RFC 791 3.1).
const FRAGMENT: u32 = 0x3fff;
/// Words of the program's own memory: the hash, and the input that is being hashed.
const HASH: u32 = 0;
const INPUT: u32 = 1;

fn op(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Goes on behind `yes` or `no` further instructions.
fn branch(test: u32, k: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter { code: (BPF_JMP | test | BPF_K) as u16, jt: yes, jf: no, k }
}

/// Frames to `mac` or to a group. It sees a frame from its Ethernet header on.
pub(super) fn accept(mac: [u8; 6]) -> Vec<sock_filter> {
    let [a, b, c, d, e, f] = mac;
    vec![
        op(BPF_LD | BPF_W | BPF_ABS, 0),
        branch(BPF_JEQ, u32::from_be_bytes([a, b, c, d]), 0, 2),
        op(BPF_LD | BPF_H | BPF_ABS, 4),
        branch(BPF_JEQ, u32::from_be_bytes([0, 0, e, f]), 2, 3),
        // IEEE 802: the lowest bit of the first byte makes it a group's.
        op(BPF_LD | BPF_B | BPF_ABS, 0),
        branch(BPF_JSET, 1, 0, 1),
        op(BPF_RET | BPF_K, WHOLE),
        op(BPF_RET | BPF_K, 0),
    ]
}

/// The core that owns a frame's connection, as [`steer::Steer`] with this key says it; 0 for what is no TCP. It sees a frame from its
/// IP header on.
pub(super) fn owner(cores: u16, key: &Key) -> Vec<sock_filter> {
    let here = op(BPF_RET | BPF_K, 0);
    let mut program = vec![
        op(BPF_LD | BPF_H | BPF_ABS, ETHERTYPE),
        branch(BPF_JEQ, ETH_P_IP, 1, 0),
        here,
        op(BPF_LD | BPF_B | BPF_ABS, 9),
        branch(BPF_JEQ, TCP, 1, 0),
        here,
        op(BPF_LD | BPF_H | BPF_ABS, 6),
        branch(BPF_JSET, FRAGMENT, 0, 1),
        here,
        op(BPF_LD | BPF_IMM, 0),
        op(BPF_ST, HASH),
    ];
    let source = [op(BPF_LD | BPF_W | BPF_ABS, 12)];
    let destination = [op(BPF_LD | BPF_W | BPF_ABS, 16)];
    let ports = [op(BPF_LDX | BPF_B | BPF_MSH, 0), op(BPF_LD | BPF_W | BPF_IND, 0)];
    for (word, load) in [&source[..], &destination, &ports].into_iter().enumerate() {
        program.extend_from_slice(load);
        program.push(op(BPF_ST, INPUT));
        (0..32).for_each(|bit| add_bit(&mut program, key, word * 32 + bit));
    }
    program.extend([
        op(BPF_LD | BPF_MEM, HASH),
        op(BPF_ALU | BPF_AND | BPF_K, INDIRECTION - 1),
        op(BPF_ALU | BPF_MOD | BPF_K, u32::from(cores)),
        // BPF_A: what has been computed.
        op(BPF_RET | 0x10, 0),
    ]);
    program
}

const _: () = assert!(INDIRECTION.is_power_of_two() && KEY_LEN * 8 >= 96 + 32);

/// If the input's bit is set, its 32 bits of the key are added to the hash.
fn add_bit(program: &mut Vec<sock_filter>, key: &Key, bit: usize) {
    program.extend([
        branch(BPF_JSET, 0x8000_0000 >> (bit % 32), 0, 4),
        op(BPF_LD | BPF_MEM, HASH),
        op(BPF_ALU | BPF_XOR | BPF_K, steer::window(key, bit)),
        op(BPF_ST, HASH),
        op(BPF_LD | BPF_MEM, INPUT),
    ]);
}

#[cfg(test)]
mod tests;
