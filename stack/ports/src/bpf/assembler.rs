//! Programs of the extended instruction set, put together (Documentation/bpf/standardization/instruction-set.rst).

use libc::{BPF_ALU, BPF_AND, BPF_JMP, BPF_K, BPF_LDX, BPF_MEM, BPF_STX, BPF_W, BPF_X};

/// One instruction, as the kernel takes it (`struct bpf_insn`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub code: u8,
    /// Destination in the low four bits, source in the high ones; on big-endian machines the other way round.
    pub registers: u8,
    pub offset: i16,
    pub immediate: i32,
}

const _: () = assert!(size_of::<Instruction>() == 8);

// Operations that only the extended instruction set has.
pub(crate) const ALU64: u32 = 0x07;
pub(crate) const MOV: u32 = 0xb0;
pub(crate) const JMP32: u32 = 0x06;
pub(crate) const JNE: u32 = 0x50;
pub(crate) const JGT: u32 = 0x20;
pub(crate) const CALL: u32 = 0x80;
/// To the network's byte order.
pub(crate) const TO_BE: u32 = 0xd8;
pub(crate) const EXIT: u32 = 0x90;
/// Twice 32 bits of an immediate.
pub(crate) const DOUBLE: u32 = 0x18;
/// As source of such a load: it is a map's descriptor.
pub(crate) const BPF_PSEUDO_MAP_FD: u8 = 1;

/// Puts a program together; jumps go forward, to the next place of the name.
#[derive(Default)]
pub(crate) struct Assembler {
    code: Vec<Instruction>,
    jumps: Vec<(usize, Label)>,
    places: Vec<(Label, usize)>,
}

/// A place that jumps go to, by its name.
pub(crate) type Label = &'static str;

impl Assembler {
    /// Any instruction.
    pub fn op(&mut self, code: u32, to: u8, from: u8, offset: i16, immediate: i32) {
        let registers = if cfg!(target_endian = "little") { to | from << 4 } else { to << 4 | from };
        self.code.push(Instruction { code: code as u8, registers, offset, immediate });
    }

    /// `to = from`
    pub fn copy(&mut self, to: u8, from: u8) {
        self.op(ALU64 | MOV | BPF_X, to, from, 0, 0);
    }

    /// `to = value`
    pub fn set(&mut self, to: u8, value: i32) {
        self.op(ALU64 | MOV | BPF_K, to, 0, 0, value);
    }

    /// `to += value`
    pub fn add(&mut self, to: u8, value: i32) {
        self.op(ALU64, to, 0, 0, value);
    }

    /// `to &= value`
    pub fn and(&mut self, to: u8, value: i32) {
        self.op(ALU64 | BPF_AND | BPF_K, to, 0, 0, value);
    }

    /// 16 bits of the network's order to our own.
    pub fn host_order(&mut self, to: u8) {
        self.op(BPF_ALU | TO_BE, to, 0, 0, 16);
        // Some verifiers forget what they know of it.
        self.and(to, 0xffff);
    }

    /// `memory[to + offset] = from`, 32 bits
    pub fn store(&mut self, to: u8, offset: i16, from: u8) {
        self.op(BPF_STX | BPF_MEM | BPF_W, to, from, offset, 0);
    }

    /// `to = memory[from + offset]`
    pub fn load(&mut self, size: u32, to: u8, from: u8, offset: i16) {
        self.op(BPF_LDX | BPF_MEM | size, to, from, offset, 0);
    }

    /// `to = ` the map of this descriptor.
    pub fn map(&mut self, to: u8, map: i32) {
        self.op(DOUBLE, to, BPF_PSEUDO_MAP_FD, 0, map);
        self.op(0, 0, 0, 0, 0);
    }

    /// Compares as `code` says, and goes on at `to` if it is so.
    pub fn jump(&mut self, code: u32, a: u8, b: u8, immediate: i32, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.op(code, a, b, 0, immediate);
    }

    /// Goes on at `label` unless the lower 32 bits of `a` are this value.
    pub fn unless(&mut self, a: u8, value: i32, label: Label) {
        self.jump(JMP32 | JNE | BPF_K, a, 0, value, label);
    }

    /// Goes on there.
    pub fn go(&mut self, to: Label) {
        self.jump(BPF_JMP, 0, 0, 0, to);
    }

    /// Calls a helper of the kernel's.
    pub fn call(&mut self, helper: i32) {
        self.op(BPF_JMP | CALL, 0, 0, 0, helper);
    }

    /// Ends with what is in register 0.
    pub fn exit(&mut self) {
        self.op(BPF_JMP | EXIT, 0, 0, 0, 0);
    }

    /// Names the place of the next instruction.
    pub fn here(&mut self, label: Label) {
        self.places.push((label, self.code.len()));
    }

    /// The program.
    pub fn finish(mut self) -> Vec<Instruction> {
        for (at, label) in self.jumps {
            let next = self.places.iter().find(|(l, place)| *l == label && *place > at);
            let place = next.map_or(at, |(_, place)| *place);
            // Counted from the instruction behind the jump.
            self.code[at].offset = (place - at - 1) as i16;
        }
        self.code
    }
}
