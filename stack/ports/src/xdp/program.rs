//! The XDP program, assembled here: which frames go to the sockets, and which go on to the kernel
//! (Documentation/bpf/standardization/instruction-set.rst).

use libc::{BPF_B, BPF_H, BPF_JMP, BPF_JSET, BPF_K, BPF_LDX, BPF_MEM, BPF_W, BPF_X};

/// One instruction, as the kernel takes it (`struct bpf_insn`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    code: u8,
    /// Destination in the low four bits, source in the high ones; on big-endian machines the other way round.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const _: () = assert!(size_of::<Instruction>() == 8);

/// Operations that only the extended instruction set has.
const ALU64: u32 = 0x07;
const MOV: u32 = 0xb0;
const JMP32: u32 = 0x06;
const JNE: u32 = 0x50;
const JGT: u32 = 0x20;
const CALL: u32 = 0x80;
const EXIT: u32 = 0x90;
/// Twice 32 bits of an immediate.
const DOUBLE: u32 = 0x18;
/// As source of such a load: it is a map's descriptor.
const BPF_PSEUDO_MAP_FD: u8 = 1;

/// `bpf_redirect_map(map, key, flags)`: the lower bits of the flags are what it answers where there is no such key.
const REDIRECT_MAP: i32 = 51;

const XDP_PASS: i32 = 2;

/// `struct xdp_md`
const DATA: i16 = 0;
const DATA_END: i16 = 4;
const RX_QUEUE_INDEX: i16 = 16;

/// Ethernet's header.
const ETHERNET: i32 = 14;

/// Puts a program together; jumps go forward, to places that are named later.
#[derive(Default)]
struct Assembler {
    code: Vec<Instruction>,
    jumps: Vec<(usize, Label)>,
    places: Vec<(Label, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Ours,
    Pass,
}

impl Assembler {
    fn op(&mut self, code: u32, to: u8, from: u8, offset: i16, immediate: i32) {
        let registers = if cfg!(target_endian = "little") { to | from << 4 } else { to << 4 | from };
        self.code.push(Instruction { code: code as u8, registers, offset, immediate });
    }

    /// `to = from`
    fn copy(&mut self, to: u8, from: u8) {
        self.op(ALU64 | MOV | BPF_X, to, from, 0, 0);
    }

    /// `to = value`
    fn set(&mut self, to: u8, value: i32) {
        self.op(ALU64 | MOV | BPF_K, to, 0, 0, value);
    }

    /// `to += value`
    fn add(&mut self, to: u8, value: i32) {
        self.op(ALU64, to, 0, 0, value);
    }

    /// `to = memory[from + offset]`
    fn load(&mut self, size: u32, to: u8, from: u8, offset: i16) {
        self.op(BPF_LDX | BPF_MEM | size, to, from, offset, 0);
    }

    /// `to = ` the map of this descriptor.
    fn map(&mut self, to: u8, map: i32) {
        self.op(DOUBLE, to, BPF_PSEUDO_MAP_FD, 0, map);
        self.op(0, 0, 0, 0, 0);
    }

    fn jump(&mut self, code: u32, a: u8, b: u8, immediate: i32, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.op(code, a, b, 0, immediate);
    }

    fn call(&mut self, helper: i32) {
        self.op(BPF_JMP | CALL, 0, 0, 0, helper);
    }

    fn exit(&mut self) {
        self.op(BPF_JMP | EXIT, 0, 0, 0, 0);
    }

    fn here(&mut self, label: Label) {
        self.places.push((label, self.code.len()));
    }

    fn finish(mut self) -> Vec<Instruction> {
        for (at, label) in self.jumps {
            let place = self.places.iter().find(|(l, _)| *l == label).map_or(at, |(_, place)| *place);
            // Counted from the instruction behind the jump.
            self.code[at].offset = (place - at - 1) as i16;
        }
        self.code
    }
}

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
    p.jump(BPF_JMP | JGT | BPF_X, 4, 3, 0, Label::Pass);
    // IEEE 802: the lowest bit of the first byte makes it a group's.
    p.load(BPF_B, 5, 2, 0);
    p.jump(BPF_JMP | BPF_JSET | BPF_K, 5, 0, 1, Label::Ours);
    p.load(BPF_W, 5, 2, 0);
    // 32 bits are compared: the immediate of a 64-bit comparison would be extended by its sign.
    p.jump(JMP32 | JNE | BPF_K, 5, 0, i32::from_ne_bytes([a, b, c, d]), Label::Pass);
    p.load(BPF_H, 5, 2, 4);
    p.jump(JMP32 | JNE | BPF_K, 5, 0, u16::from_ne_bytes([e, f]).into(), Label::Pass);
    p.here(Label::Ours);
    p.load(BPF_W, 2, 6, RX_QUEUE_INDEX);
    p.map(1, map);
    p.set(3, XDP_PASS);
    p.call(REDIRECT_MAP);
    p.exit();
    p.here(Label::Pass);
    p.set(0, XDP_PASS);
    p.exit();
    p.finish()
}

#[cfg(test)]
mod tests;
