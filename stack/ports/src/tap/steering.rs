//! The program by which the kernel brings each connection's frames to the queue of its core (TUNSETSTEERINGEBPF): it computes
//! the hash of [`ferroflow_stack::steer`]. Without it the kernel remembers from which queue a flow was answered last.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use ferroflow_stack::steer::{self, INDIRECTION, Key};
use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_IND, BPF_JSET, BPF_K, BPF_LD, BPF_LSH, BPF_MOD, BPF_W,
    BPF_X, BPF_XOR,
};

use crate::bpf::assembler::{ALU64, Assembler, Instruction, JMP32, JNE, MOV};
use crate::bpf::{self, Kind};

/// In an Ethernet frame without a VLAN tag (the kernel keeps those apart): its type, and fields of IPv4 (RFC 791 3.1).
const ETHERTYPE: i32 = 12;
const IP: i32 = 14;
const FRAGMENT: i32 = IP + 6;
const PROTOCOL: i32 = IP + 9;
const SOURCE: i32 = IP + 12;
const DESTINATION: i32 = IP + 16;

const ETH_P_IP: i32 = 0x0800;
const TCP: i32 = 6;
/// More fragments, or an offset.
const IS_FRAGMENT: i32 = 0x3fff;

/// Registers: what was loaded, and is answered in the end; what is being hashed; where the kernel wants the packet for loads; the
/// hash; the length of the IP header.
const ANSWER: u8 = 0;
const INPUT: u8 = 1;
const PACKET: u8 = 6;
const HASH: u8 = 7;
const HEADER: u8 = 8;

const NONE: &str = "none";

/// What the program answers is a queue, or as much more as there are queues: the core that owns a connection as
/// [`steer::Steer`] with this key says it, 0 for what is no TCP.
fn owner(cores: u16, key: &Key) -> Vec<Instruction> {
    let mut p = Assembler::default();
    p.copy(PACKET, 1);
    p.set(HASH, 0);
    // Loads as in the classic instruction set: in the order of bytes of the machine; behind the packet's end they end the
    // program with 0.
    load(&mut p, BPF_H, ETHERTYPE);
    p.jump(JMP32 | JNE | BPF_K, ANSWER, 0, ETH_P_IP, NONE);
    load(&mut p, BPF_B, PROTOCOL);
    p.jump(JMP32 | JNE | BPF_K, ANSWER, 0, TCP, NONE);
    load(&mut p, BPF_H, FRAGMENT);
    p.jump(JMP32 | BPF_JSET | BPF_K, ANSWER, 0, IS_FRAGMENT, NONE);
    load(&mut p, BPF_W, SOURCE);
    add_word(&mut p, key, 0);
    load(&mut p, BPF_W, DESTINATION);
    add_word(&mut p, key, 1);
    load(&mut p, BPF_B, IP);
    p.copy(HEADER, ANSWER);
    p.op(BPF_ALU | BPF_AND | BPF_K, HEADER, 0, 0, 0xf);
    p.op(BPF_ALU | BPF_LSH | BPF_K, HEADER, 0, 0, 2);
    p.op(BPF_LD | BPF_IND | BPF_W, 0, HEADER, 0, IP);
    add_word(&mut p, key, 2);
    p.copy(ANSWER, HASH);
    p.op(BPF_ALU | BPF_AND | BPF_K, ANSWER, 0, 0, INDIRECTION as i32 - 1);
    p.op(BPF_ALU | BPF_MOD | BPF_K, ANSWER, 0, 0, cores.into());
    p.exit();
    p.here(NONE);
    p.set(ANSWER, 0);
    p.exit();
    p.finish()
}

const _: () = assert!(INDIRECTION.is_power_of_two());

fn load(p: &mut Assembler, size: u32, at: i32) {
    p.op(BPF_LD | BPF_ABS | size, 0, 0, 0, at);
}

/// Adds to the hash what the loaded word adds as the `word`th of the input: a part of the key for each bit that is set.
fn add_word(p: &mut Assembler, key: &Key, word: usize) {
    p.op(ALU64 | MOV | BPF_X, INPUT, ANSWER, 0, 0);
    // A jump goes on where something is: so where a bit is not set, it has to be.
    p.op(BPF_ALU | BPF_XOR | BPF_K, INPUT, 0, 0, -1);
    for bit in 0..32 {
        p.op(JMP32 | BPF_JSET | BPF_K, INPUT, 0, 1, (1_u32 << (31 - bit)) as i32);
        p.op(BPF_ALU | BPF_XOR | BPF_K, HASH, 0, 0, steer::window(key, word * 32 + bit) as i32);
    }
}

/// Has the kernel steer by it.
pub(super) fn attach(queue: BorrowedFd<'_>, cores: u16, key: &Key) -> io::Result<()> {
    let program = bpf::load(Kind::Filter, &owner(cores, key))?;
    set(queue, program.as_fd().as_raw_fd())
}

/// Has the kernel steer as it likes.
pub(super) fn detach(queue: BorrowedFd<'_>) -> io::Result<()> {
    set(queue, -1)
}

fn set(queue: BorrowedFd<'_>, program: i32) -> io::Result<()> {
    super::interface::set_number(queue, libc::TUNSETSTEERINGEBPF, program)
}

#[cfg(test)]
mod tests;
