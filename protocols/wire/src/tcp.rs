//! TCP (RFC 9293); its options are in [`options`].

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::{BitOr, BitOrAssign};

use crate::SeqNumber;
use crate::checksum::{Sum, pseudo_header_v4};
use crate::error::{Protocol, Reason, WireError, head, head_mut, room};
use crate::ipv4::IpProtocol;

pub mod options;

pub use options::{SackBlocks, TcpOption, TcpOptionIter, TcpOptions};

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// Bytes that options can take.
pub const MAX_OPTIONS_LEN: usize = 40;

const CHECKSUM_AT: usize = 16;

/// The control bits (RFC 9293 3.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No flag.
    pub const NONE: TcpFlags = TcpFlags(0);
    /// No more data from the sender.
    pub const FIN: TcpFlags = TcpFlags(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: TcpFlags = TcpFlags(0x02);
    /// Reset the connection.
    pub const RST: TcpFlags = TcpFlags(0x04);
    /// Push function.
    pub const PSH: TcpFlags = TcpFlags(0x08);
    /// The acknowledgement field is significant.
    pub const ACK: TcpFlags = TcpFlags(0x10);
    /// The urgent pointer is significant.
    pub const URG: TcpFlags = TcpFlags(0x20);
    /// ECN echo (RFC 3168 6.1).
    pub const ECE: TcpFlags = TcpFlags(0x40);
    /// Congestion window reduced (RFC 3168 6.1).
    pub const CWR: TcpFlags = TcpFlags(0x80);

    /// All of `flags` are set.
    #[inline]
    pub const fn contains(self, flags: TcpFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Any of `flags` is set.
    #[inline]
    pub const fn intersects(self, flags: TcpFlags) -> bool {
        self.0 & flags.0 != 0
    }

    /// These flags and those.
    #[inline]
    pub const fn union(self, flags: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 | flags.0)
    }

    /// These flags without those.
    #[inline]
    pub const fn without(self, flags: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 & !flags.0)
    }

    /// FIN is set.
    #[inline]
    pub const fn fin(self) -> bool {
        self.contains(Self::FIN)
    }

    /// SYN is set.
    #[inline]
    pub const fn syn(self) -> bool {
        self.contains(Self::SYN)
    }

    /// RST is set.
    #[inline]
    pub const fn rst(self) -> bool {
        self.contains(Self::RST)
    }

    /// ACK is set.
    #[inline]
    pub const fn ack(self) -> bool {
        self.contains(Self::ACK)
    }
}

impl BitOr for TcpFlags {
    type Output = TcpFlags;
    #[inline]
    fn bitor(self, other: TcpFlags) -> TcpFlags {
        self.union(other)
    }
}

impl BitOrAssign for TcpFlags {
    #[inline]
    fn bitor_assign(&mut self, other: TcpFlags) {
        *self = self.union(other);
    }
}

impl fmt::Debug for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        let mut first = true;
        for (bit, name) in NAMES.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                f.write_str(if first { "" } else { "|" })?;
                f.write_str(name)?;
                first = false;
            }
        }
        if first { f.write_str("NONE") } else { Ok(()) }
    }
}

/// A TCP segment.
#[derive(Debug, Clone, Copy)]
pub struct TcpView<'a> {
    head: &'a [u8; HEADER_LEN],
    options: &'a [u8],
    payload: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> TcpView<'a> {
    /// Checks the data offset. The segment is all of `bytes`: an IP payload.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let head = head::<HEADER_LEN>(Protocol::Tcp, bytes)?;
        let header_len = usize::from(head[12] >> 4) * 4;
        if header_len < HEADER_LEN {
            return Err(WireError::bad_length(Protocol::Tcp, header_len));
        }
        let Some((options, payload)) = bytes[HEADER_LEN..].split_at_checked(header_len - HEADER_LEN) else {
            return Err(WireError::truncated(Protocol::Tcp, header_len, bytes.len()));
        };
        Ok(TcpView { head, options, payload, bytes })
    }

    /// Source port.
    #[inline]
    pub fn src_port(&self) -> u16 {
        self.u16::<0>()
    }

    /// Destination port.
    #[inline]
    pub fn dst_port(&self) -> u16 {
        self.u16::<2>()
    }

    /// Sequence number of the first octet, or of the SYN.
    #[inline]
    pub fn seq(&self) -> SeqNumber {
        SeqNumber(self.u32::<4>())
    }

    /// Acknowledgement number; meaningful with [`TcpFlags::ACK`].
    #[inline]
    pub fn ack(&self) -> SeqNumber {
        SeqNumber(self.u32::<8>())
    }

    /// Control bits.
    #[inline]
    pub fn flags(&self) -> TcpFlags {
        TcpFlags(self.head[13])
    }

    /// The window field, not scaled.
    #[inline]
    pub fn window(&self) -> u16 {
        self.u16::<14>()
    }

    /// The urgent pointer; meaningful with [`TcpFlags::URG`].
    #[inline]
    pub fn urgent(&self) -> u16 {
        self.u16::<18>()
    }

    /// The checksum field.
    #[inline]
    pub fn checksum(&self) -> u16 {
        self.u16::<CHECKSUM_AT>()
    }

    /// Header with options in bytes, 20 to 60.
    #[inline]
    pub fn header_len(&self) -> usize {
        HEADER_LEN + self.options.len()
    }

    /// Where in the segment the payload starts: the same as [`TcpView::header_len`].
    #[inline]
    pub fn payload_offset(&self) -> usize {
        self.header_len()
    }

    /// The payload.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Octets the segment takes in sequence space: its payload, and one each for SYN and FIN (RFC 9293 3.4).
    #[inline]
    pub fn seq_len(&self) -> u32 {
        let flags = self.flags();
        self.payload.len() as u32 + u32::from(flags.syn()) + u32::from(flags.fin())
    }

    /// The options, parsed in one pass. An option of impossible length is an error (RFC 9293 3.1, MUST-7).
    #[inline]
    pub fn options(&self) -> Result<TcpOptions, WireError> {
        TcpOptions::parse(self.options)
    }

    /// The timestamps, if the options are NOP, NOP, timestamps and nothing else (RFC 7323 appendix A): the quick way
    /// for the segments of an established connection. `None` says nothing: ask [`TcpView::options`].
    #[inline]
    pub fn lone_timestamps(&self) -> Option<(u32, u32)> {
        options::lone_timestamps(self.options)
    }

    /// The options one by one, as they stand.
    #[inline]
    pub fn raw_options(&self) -> TcpOptionIter<'a> {
        TcpOptionIter::new(self.options)
    }

    /// The bytes of the options, padding included.
    #[inline]
    pub fn option_bytes(&self) -> &'a [u8] {
        self.options
    }

    /// Checks the checksum over pseudo-header, header and payload.
    #[inline]
    pub fn verify_checksum(&self, src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), WireError> {
        if pseudo_header(src, dst, self.bytes).add_bytes(self.bytes).is_valid() {
            Ok(())
        } else {
            Err(WireError::new(Protocol::Tcp, Reason::BadChecksum))
        }
    }

    #[inline]
    fn u16<const AT: usize>(&self) -> u16 {
        u16::from_be_bytes([self.head[AT], self.head[AT + 1]])
    }

    #[inline]
    fn u32<const AT: usize>(&self) -> u32 {
        let h = self.head;
        u32::from_be_bytes([h[AT], h[AT + 1], h[AT + 2], h[AT + 3]])
    }
}

/// The start of a TCP header as an ICMP error quotes it: 8 bytes are all that RFC 792 promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedTcp {
    /// Source port of the segment that caused the error: our own.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Its sequence number, to be checked against what is in flight (RFC 5927 4.1).
    pub seq: SeqNumber,
}

impl QuotedTcp {
    /// Reads the first 8 bytes of a quoted segment.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<QuotedTcp, WireError> {
        let [a, b, c, d, seq @ ..] = *head::<8>(Protocol::Tcp, bytes)?;
        Ok(QuotedTcp {
            src_port: u16::from_be_bytes([a, b]),
            dst_port: u16::from_be_bytes([c, d]),
            seq: SeqNumber(u32::from_be_bytes(seq)),
        })
    }
}

#[inline]
fn pseudo_header(src: Ipv4Addr, dst: Ipv4Addr, segment: &[u8]) -> Sum {
    pseudo_header_v4(src, dst, IpProtocol::TCP.0, segment.len() as u32)
}

/// A TCP header to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpHeader {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: SeqNumber,
    /// Acknowledgement number; 0 without [`TcpFlags::ACK`].
    pub ack: SeqNumber,
    /// Control bits.
    pub flags: TcpFlags,
    /// The window field, scaled down already.
    pub window: u16,
    /// The urgent pointer.
    pub urgent: u16,
    /// Options.
    pub options: TcpOptions,
}

impl TcpHeader {
    /// Bytes that [`TcpHeader::write`] writes: 20 to 60, a multiple of 4.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub fn len(&self) -> usize {
        HEADER_LEN + self.options.len()
    }

    /// Writes the header with its options and a checksum of zero to the front of `buf`, and returns its length; the
    /// checksum is [`fill_checksum`]'s. Fails if `buf` is too short.
    #[inline]
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let len = self.len();
        let buf = room(Protocol::Tcp, buf, len)?;
        let h = head_mut::<HEADER_LEN>(Protocol::Tcp, buf)?;
        h[..2].copy_from_slice(&self.src_port.to_be_bytes());
        h[2..4].copy_from_slice(&self.dst_port.to_be_bytes());
        h[4..8].copy_from_slice(&self.seq.0.to_be_bytes());
        h[8..12].copy_from_slice(&self.ack.0.to_be_bytes());
        h[12] = ((len / 4) << 4) as u8;
        h[13] = self.flags.0;
        h[14..16].copy_from_slice(&self.window.to_be_bytes());
        h[16..18].copy_from_slice(&[0, 0]);
        h[18..20].copy_from_slice(&self.urgent.to_be_bytes());
        self.options.write(&mut buf[HEADER_LEN..])?;
        Ok(len)
    }
}

/// Computes and writes the checksum of `segment`, which is the header and all of the payload.
/// Fails if it is shorter than a header.
#[inline]
pub fn fill_checksum(segment: &mut [u8], src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), WireError> {
    set_checksum(segment, 0)?;
    let checksum = pseudo_header(src, dst, segment).add_bytes(segment).checksum();
    set_checksum(segment, checksum)
}

/// Writes what a port that completes checksums itself expects: the folded sum of the pseudo-header, not complemented.
/// Fails if `segment` is shorter than a header.
#[inline]
pub fn fill_partial_checksum(segment: &mut [u8], src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), WireError> {
    let partial = pseudo_header(src, dst, segment).folded();
    set_checksum(segment, partial)
}

#[inline]
fn set_checksum(segment: &mut [u8], value: u16) -> Result<(), WireError> {
    let h = head_mut::<HEADER_LEN>(Protocol::Tcp, segment)?;
    h[CHECKSUM_AT..CHECKSUM_AT + 2].copy_from_slice(&value.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests;
