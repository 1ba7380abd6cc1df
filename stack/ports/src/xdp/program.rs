//! The XDP program, assembled here: which frames go to the sockets, and which go on to the kernel
//! (Documentation/bpf/standardization/instruction-set.rst).

use std::net::Ipv4Addr;

use libc::{BPF_ABS, BPF_B, BPF_H, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_W, BPF_X};

use crate::bpf::assembler::{Assembler, Instruction, JGT};

// Places in the programs.
const OURS: &str = "ours";
const PASS: &str = "pass";
/// An ICMP error.
const ERROR: &str = "error";
const SEGMENT: &str = "segment";
/// The port is in register 7.
const PORT: &str = "port";
/// The header has more words than that.
const LONGER: &str = "longer";

/// `bpf_redirect_map(map, key, flags)`: the lower bits of the flags are what it answers where there is no such key.
const REDIRECT_MAP: i32 = 51;

/// `bpf_map_lookup_elem(map, key)`: where the value is, or 0.
const MAP_LOOKUP_ELEM: i32 = 1;

const XDP_PASS: i32 = 2;

/// `struct xdp_md`
const DATA: i16 = 0;
const DATA_END: i16 = 4;
const RX_QUEUE_INDEX: i16 = 16;

/// `struct __sk_buff`
const SKB_PROTOCOL: i16 = 16;
const SKB_IFINDEX: i16 = 40;
/// As the offset of a load from a packet: from its network header on (SKF_NET_OFF, linux/filter.h).
const NETWORK_HEADER: i32 = -0x10_0000;

/// Ethernet's header.
const ETHERNET: i32 = 14;
/// Lengths of an IPv4 header, in words of four bytes (RFC 791 3.1).
const HEADER_WORDS: std::ops::RangeInclusive<i32> = 5..=15;
const TCP: i32 = 6;
const ICMP: i32 = 1;
/// The ICMP errors (RFC 792) that quote the packet which they are about: unreachable, time exceeded, parameter problem.
const ICMP_ERRORS: [i32; 3] = [3, 11, 12];
/// ICMP's header before the quoted packet.
const ICMP_HEADER: i32 = 8;
/// Offset of a fragment within a packet; without it, the packet or its first fragment begins here (RFC 791 3.1).
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Frames to `mac` and to groups go to the socket of their queue; all others, and those of queues without one, go on to
/// the kernel.
pub(super) fn own_address(mac: [u8; 6], map: i32) -> Vec<Instruction> {
    let mut p = Assembler::default();
    p.copy(6, 1);
    p.load(BPF_W, 2, 1, DATA);
    p.load(BPF_W, 3, 1, DATA_END);
    p.need(ETHERNET);
    // IEEE 802: the lowest bit of the first byte makes it a group's.
    p.load(BPF_B, 5, 2, 0);
    p.jump(BPF_JMP | BPF_JSET | BPF_K, 5, 0, 1, OURS);
    p.only_to(mac);
    p.here(OURS);
    p.ends(map);
    p.finish()
}

/// Which packets are the stack's on an interface whose address is the kernel's, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ours {
    /// The interface's MAC address.
    pub mac: [u8; 6],
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// The map of TCP ports that are ours: those that are not zero.
    pub ports: i32,
    /// The map of sockets.
    pub sockets: i32,
}

/// TCP over IPv4 to the address and one of the ports, and ICMP errors about what came from there, go to the socket of their
/// queue. All else is the kernel's: other protocols, ports and addresses, whatever is in a VLAN.
///
/// Of a segment in fragments only the first has ports. It is led to the stack, which counts and drops it; were the kernel to
/// put the segment together, it would reset a connection of which it knows nothing.
///
/// Headers of each length have code of their own, since to add a length to a pointer is more than CAP_BPF alone allows.
pub(super) fn shared_address(ours: &Ours) -> Vec<Instruction> {
    let mut p = Assembler::default();
    p.copy(6, 1);
    p.load(BPF_W, 2, 1, DATA);
    p.load(BPF_W, 3, 1, DATA_END);
    p.need(ETHERNET + 20);
    p.only_to(ours.mac);
    p.load(BPF_H, 5, 2, 12);
    p.unless(5, u16::from_ne_bytes([0x08, 0x00]).into(), PASS);
    let address = i32::from_ne_bytes(ours.address.octets());
    p.load(BPF_W, 5, 2, ETHERNET as i16 + 16);
    p.unless(5, address, PASS);
    p.load(BPF_H, 5, 2, ETHERNET as i16 + 6);
    let offset = u16::from_ne_bytes(FRAGMENT_OFFSET.to_be_bytes());
    p.jump(BPF_JMP | BPF_JSET | BPF_K, 5, 0, offset.into(), PASS);
    // Version and length of the header.
    p.load(BPF_B, 8, 2, ETHERNET as i16);
    p.load(BPF_B, 5, 2, ETHERNET as i16 + 9);
    p.jump(BPF_JMP | BPF_JEQ | BPF_K, 5, 0, TCP, SEGMENT);
    p.unless(5, ICMP, PASS);
    p.quoted_port(address);
    p.here(SEGMENT);
    for words in HEADER_WORDS {
        p.unless(8, 0x40 | words, LONGER);
        p.need(ETHERNET + 4 * words + 4);
        p.load(BPF_H, 7, 2, (ETHERNET + 4 * words + 2) as i16);
        p.go(PORT);
        p.here(LONGER);
    }
    p.go(PASS);
    p.here(PORT);
    p.host_order(7);
    p.store(STACK, -4, 7);
    p.map(1, ours.ports);
    p.copy(2, STACK);
    p.add(2, -4);
    p.call(MAP_LOOKUP_ELEM);
    p.jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, PASS);
    p.load(BPF_W, 5, 0, 0);
    p.jump(BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 0, PASS);
    p.ends(ours.sockets);
    p.finish()
}

/// For a socket: what the program above leads to the stack (and what would be led there if it arrived at another queue or
/// in another shape) is dropped without a word. That is what arrives on the interface, IPv4, to the address.
pub(super) fn unheard(index: u32, address: Ipv4Addr) -> Vec<Instruction> {
    let mut p = Assembler::default();
    // Loads from the packet expect it there.
    p.copy(6, 1);
    p.load(BPF_W, 5, 1, SKB_PROTOCOL);
    p.unless(5, u16::from_ne_bytes([0x08, 0x00]).into(), PASS);
    p.load(BPF_W, 5, 1, SKB_IFINDEX);
    p.unless(5, index as i32, PASS);
    // It comes in our own byte order.
    p.op(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, NETWORK_HEADER + 16);
    p.unless(0, address.to_bits() as i32, PASS);
    p.set(0, 0);
    p.exit();
    p.here(PASS);
    // So many bytes of it at most.
    p.set(0, i32::MAX);
    p.exit();
    p.finish()
}

/// The register that points behind the program's own memory.
const STACK: u8 = 10;

impl Assembler {
    /// The kernel's, unless the frame (register 2, to register 3) has so many bytes.
    fn need(&mut self, bytes: i32) {
        self.copy(4, 2);
        self.add(4, bytes);
        self.jump(BPF_JMP | JGT | BPF_X, 4, 3, 0, PASS);
    }

    /// Only frames to this address go on. 32 bits are compared: the immediate of a 64-bit comparison would be extended by its
    /// sign.
    fn only_to(&mut self, [a, b, c, d, e, f]: [u8; 6]) {
        self.load(BPF_W, 5, 2, 0);
        self.unless(5, i32::from_ne_bytes([a, b, c, d]), PASS);
        self.load(BPF_H, 5, 2, 4);
        self.unless(5, u16::from_ne_bytes([e, f]).into(), PASS);
    }

    /// The source port of the segment from `address` that an ICMP error quotes, if it is one. Its own header has no options.
    fn quoted_port(&mut self, address: i32) {
        let icmp = ETHERNET + 20;
        let quoted = icmp + ICMP_HEADER;
        self.unless(8, 0x45, PASS);
        self.need(quoted + 20);
        self.load(BPF_B, 5, 2, icmp as i16);
        for kind in ICMP_ERRORS {
            self.jump(BPF_JMP | BPF_JEQ | BPF_K, 5, 0, kind, ERROR);
        }
        self.go(PASS);
        self.here(ERROR);
        self.load(BPF_B, 5, 2, quoted as i16 + 9);
        self.unless(5, TCP, PASS);
        self.load(BPF_W, 5, 2, quoted as i16 + 12);
        self.unless(5, address, PASS);
        self.load(BPF_B, 8, 2, quoted as i16);
        for words in HEADER_WORDS {
            self.unless(8, 0x40 | words, LONGER);
            self.need(quoted + 4 * words + 4);
            self.load(BPF_H, 7, 2, (quoted + 4 * words) as i16);
            self.go(PORT);
            self.here(LONGER);
        }
        self.go(PASS);
    }

    /// To the socket of the queue; and where what is not ours goes.
    fn ends(&mut self, sockets: i32) {
        self.load(BPF_W, 2, 6, RX_QUEUE_INDEX);
        self.map(1, sockets);
        self.set(3, XDP_PASS);
        self.call(REDIRECT_MAP);
        self.exit();
        self.here(PASS);
        self.set(0, XDP_PASS);
        self.exit();
    }
}

#[cfg(test)]
mod tests;
