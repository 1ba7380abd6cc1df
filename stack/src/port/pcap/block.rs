//! The blocks of a pcapng file that a capture consists of (draft-ietf-opsawg-pcapng 4), in little-endian order.
//!
//! Each function appends one block to a buffer. Times are nanoseconds since 1970 in UTC.

/// Section 4.1
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
/// Section 4.2
const INTERFACE_DESCRIPTION: u32 = 1;
/// Section 4.6
const INTERFACE_STATISTICS: u32 = 5;
/// Section 4.3
const ENHANCED_PACKET: u32 = 6;
/// Tells a reader our order of bytes.
const MAGIC: u32 = 0x1a2b_3c4d;
/// LINKTYPE_ETHERNET
const ETHERNET: u16 = 1;
/// if_tsresol: powers of ten.
const NANOSECONDS: u8 = 9;

/// Options, by the names of the draft.
mod code {
    pub const END_OF_OPT: u16 = 0;
    pub const SHB_OS: u16 = 3;
    pub const SHB_USERAPPL: u16 = 4;
    pub const IF_NAME: u16 = 2;
    pub const IF_DESCRIPTION: u16 = 3;
    pub const IF_TSRESOL: u16 = 9;
    pub const IF_OS: u16 = 12;
    pub const EPB_FLAGS: u16 = 2;
    pub const EPB_DROPCOUNT: u16 = 4;
    pub const ISB_FILTERACCEPT: u16 = 6;
    pub const ISB_OSDROP: u16 = 7;
}

/// Who writes the file.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    /// The operating system, for people.
    pub os: &'a str,
    /// The program and its version, for people.
    pub application: &'a str,
}

/// Where packets are captured.
#[derive(Debug, Clone, Copy)]
pub struct Interface<'a> {
    /// Its short name.
    pub name: &'a str,
    /// What it is, for people.
    pub description: &'a str,
    /// What runs at our end of it, for people.
    pub os: &'a str,
    /// Most bytes kept of a packet; 0 = all.
    pub snaplen: u32,
}

/// Which way a packet went, as the stack sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Received.
    Inbound,
    /// Sent.
    Outbound,
}

/// One packet.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Which interface of the section, from 0.
    pub interface: u32,
    /// When it was received or sent.
    pub time: u64,
    /// Which way.
    pub direction: Direction,
    /// Packets of this interface that are missing in the capture since the last one.
    pub dropped: u64,
    /// Most bytes to keep; 0 = all.
    pub snaplen: u32,
    /// All of its bytes.
    pub bytes: &'a [u8],
}

/// How an interface's capture went.
#[derive(Debug, Clone, Copy)]
pub struct Statistics {
    /// Which interface of the section, from 0.
    pub interface: u32,
    /// When this was true.
    pub time: u64,
    /// Packets in the capture.
    pub captured: u64,
    /// Packets missing in the capture.
    pub dropped: u64,
}

/// The head of a file.
pub fn section_header(out: &mut Vec<u8>, section: &Section<'_>) {
    block(out, SECTION_HEADER, |out| {
        u32(out, MAGIC);
        u16(out, 1); // version 1.0
        u16(out, 0);
        out.extend_from_slice(&u64::MAX.to_le_bytes()); // the section's length is not known
        option(out, code::SHB_OS, section.os.as_bytes());
        option(out, code::SHB_USERAPPL, section.application.as_bytes());
        option(out, code::END_OF_OPT, &[]);
    });
}

/// An interface; the first has the number 0.
pub fn interface_description(out: &mut Vec<u8>, interface: &Interface<'_>) {
    block(out, INTERFACE_DESCRIPTION, |out| {
        u16(out, ETHERNET);
        u16(out, 0);
        u32(out, interface.snaplen);
        option(out, code::IF_NAME, interface.name.as_bytes());
        option(out, code::IF_DESCRIPTION, interface.description.as_bytes());
        option(out, code::IF_TSRESOL, &[NANOSECONDS]);
        option(out, code::IF_OS, interface.os.as_bytes());
        option(out, code::END_OF_OPT, &[]);
    });
}

/// A packet.
pub fn enhanced_packet(out: &mut Vec<u8>, packet: &Packet<'_>) {
    let kept = match packet.snaplen as usize {
        0 => packet.bytes,
        snaplen => &packet.bytes[..packet.bytes.len().min(snaplen)],
    };
    block(out, ENHANCED_PACKET, |out| {
        u32(out, packet.interface);
        time(out, packet.time);
        u32(out, kept.len() as u32);
        u32(out, packet.bytes.len() as u32);
        out.extend_from_slice(kept);
        pad(out, kept.len());
        let flags: u32 = match packet.direction {
            Direction::Inbound => 1,
            Direction::Outbound => 2,
        };
        option(out, code::EPB_FLAGS, &flags.to_le_bytes());
        if packet.dropped > 0 {
            option(out, code::EPB_DROPCOUNT, &packet.dropped.to_le_bytes());
        }
        option(out, code::END_OF_OPT, &[]);
    });
}

/// What became of an interface's packets.
pub fn interface_statistics(out: &mut Vec<u8>, statistics: &Statistics) {
    block(out, INTERFACE_STATISTICS, |out| {
        u32(out, statistics.interface);
        time(out, statistics.time);
        option(out, code::ISB_FILTERACCEPT, &(statistics.captured + statistics.dropped).to_le_bytes());
        option(out, code::ISB_OSDROP, &statistics.dropped.to_le_bytes());
        option(out, code::END_OF_OPT, &[]);
    });
}

/// The length of the packet or statistics block that begins here, and its time. `None`: there is no whole head.
pub fn peek(head: &[u8]) -> Option<(usize, u64)> {
    let word = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    Some((word(4)? as usize, u64::from(word(12)?) << 32 | u64::from(word(16)?)))
}

/// How many bytes [`peek`] needs.
pub const PEEK_LEN: usize = 20;

fn u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Section 4.3: the upper half first.
fn time(out: &mut Vec<u8>, value: u64) {
    u32(out, (value >> 32) as u32);
    u32(out, value as u32);
}

fn pad(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&[0; 3][..len.wrapping_neg() % 4]);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    u16(out, code);
    u16(out, value.len() as u16);
    out.extend_from_slice(value);
    pad(out, value.len());
}

/// A block's length stands before and behind its body.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    u32(out, kind);
    u32(out, 0);
    body(out);
    let len = (out.len() + 4 - start) as u32;
    out[start + 4..start + 8].copy_from_slice(&len.to_le_bytes());
    u32(out, len);
}
