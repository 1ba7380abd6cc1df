//! IPv4 (RFC 791).

use std::net::Ipv4Addr;

use crate::checksum::{Sum, added_words};
use crate::error::{Protocol, Reason, WireError, head, head_mut};

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// The largest datagram every host must be able to take, in bytes (RFC 791 3.1, Total Length).
pub const MIN_REASSEMBLY: usize = 576;

/// The protocol field: what the payload is (RFC 791 3.1; numbers by IANA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct IpProtocol(pub u8);

impl IpProtocol {
    /// ICMP for IPv4.
    pub const ICMP: IpProtocol = IpProtocol(1);
    /// IGMP.
    pub const IGMP: IpProtocol = IpProtocol(2);
    /// TCP.
    pub const TCP: IpProtocol = IpProtocol(6);
    /// UDP.
    pub const UDP: IpProtocol = IpProtocol(17);
}

/// An IPv4 datagram, without whatever pads the frame behind it.
#[derive(Debug, Clone, Copy)]
pub struct Ipv4View<'a> {
    head: &'a [u8; HEADER_LEN],
    header: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Ipv4View<'a> {
    /// Checks version, header length and total length; bytes behind the total length (Ethernet padding) are cut off.
    /// The header checksum is checked by [`Ipv4View::verify_checksum`].
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let view = Self::parse_quoted(bytes)?;
        let total_len = usize::from(view.total_len());
        if total_len > bytes.len() {
            return Err(WireError::truncated(Protocol::Ipv4, total_len, bytes.len()));
        }
        Ok(view)
    }

    /// Like [`Ipv4View::parse`] for a datagram quoted in an ICMP error: its end may be missing (RFC 792 asks for
    /// 8 bytes of payload), and [`Ipv4View::payload`] is what there is.
    #[inline]
    pub fn parse_quoted(bytes: &'a [u8]) -> Result<Self, WireError> {
        let head = head::<HEADER_LEN>(Protocol::Ipv4, bytes)?;
        if head[0] >> 4 != 4 {
            return Err(WireError::new(Protocol::Ipv4, Reason::BadVersion(head[0] >> 4)));
        }
        let header_len = usize::from(head[0] & 0x0f) * 4;
        let total_len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if header_len < HEADER_LEN {
            return Err(WireError::bad_length(Protocol::Ipv4, header_len));
        }
        if total_len < header_len {
            return Err(WireError::bad_length(Protocol::Ipv4, total_len));
        }
        let datagram = &bytes[..total_len.min(bytes.len())];
        let Some((header, payload)) = datagram.split_at_checked(header_len) else {
            return Err(WireError::truncated(Protocol::Ipv4, header_len, bytes.len()));
        };
        Ok(Ipv4View { head, header, payload })
    }

    /// Source address.
    #[inline]
    pub fn src(&self) -> Ipv4Addr {
        let h = self.head;
        Ipv4Addr::new(h[12], h[13], h[14], h[15])
    }

    /// Destination address.
    #[inline]
    pub fn dst(&self) -> Ipv4Addr {
        let h = self.head;
        Ipv4Addr::new(h[16], h[17], h[18], h[19])
    }

    /// What the payload is.
    #[inline]
    pub fn protocol(&self) -> IpProtocol {
        IpProtocol(self.head[9])
    }

    /// Time to live, in hops.
    #[inline]
    pub fn ttl(&self) -> u8 {
        self.head[8]
    }

    /// Identification, which fragments of one datagram share.
    #[inline]
    pub fn ident(&self) -> u16 {
        self.u16::<4>()
    }

    /// Differentiated services code point, 0 to 63 (RFC 2474 3).
    #[inline]
    pub fn dscp(&self) -> u8 {
        self.head[1] >> 2
    }

    /// Explicit congestion notification, 0 to 3 (RFC 3168 5).
    #[inline]
    pub fn ecn(&self) -> u8 {
        self.head[1] & 3
    }

    /// The datagram may not be fragmented.
    #[inline]
    pub fn dont_fragment(&self) -> bool {
        self.head[6] & 0x40 != 0
    }

    /// More fragments of the datagram follow.
    #[inline]
    pub fn more_fragments(&self) -> bool {
        self.head[6] & 0x20 != 0
    }

    /// Where in the whole datagram's payload this fragment starts, in bytes.
    #[inline]
    pub fn fragment_offset(&self) -> u16 {
        // RFC 791 3.1: counted in units of 8 octets.
        (self.u16::<6>() & 0x1fff) << 3
    }

    /// Part of a datagram only: an offset, or more to follow.
    #[inline]
    pub fn is_fragment(&self) -> bool {
        // All bits of the word but "reserved" and "don't fragment".
        self.u16::<6>() & 0x3fff != 0
    }

    /// Header and payload in bytes, as the header says.
    #[inline]
    pub fn total_len(&self) -> u16 {
        self.u16::<2>()
    }

    /// Header with options in bytes, 20 to 60.
    #[inline]
    pub fn header_len(&self) -> usize {
        self.header.len()
    }

    /// The header with its options.
    #[inline]
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// The options, 0 to 40 bytes, not parsed.
    #[inline]
    pub fn options(&self) -> &'a [u8] {
        &self.header[HEADER_LEN..]
    }

    /// The payload, without padding.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The checksum field.
    #[inline]
    pub fn checksum(&self) -> u16 {
        self.u16::<10>()
    }

    /// Checks the header checksum.
    #[inline]
    pub fn verify_checksum(&self) -> Result<(), WireError> {
        // Most headers have no options; a known length is summed without a loop.
        let sum = if self.header.len() == HEADER_LEN { Sum::of(self.head) } else { Sum::of(self.header) };
        if sum.is_valid() { Ok(()) } else { Err(WireError::new(Protocol::Ipv4, Reason::BadChecksum)) }
    }

    #[inline]
    fn u16<const AT: usize>(&self) -> u16 {
        u16::from_be_bytes([self.head[AT], self.head[AT + 1]])
    }
}

/// An IPv4 header (without options) to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4Header {
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// What the payload is.
    pub protocol: IpProtocol,
    /// Time to live, in hops.
    pub ttl: u8,
    /// Identification; any value will do for atomic datagrams (RFC 6864 4.1).
    pub ident: u16,
    /// Differentiated services code point, 0 to 63 (higher bits are dropped).
    pub dscp: u8,
    /// Explicit congestion notification, 0 to 3 (higher bits are dropped).
    pub ecn: u8,
    /// The datagram may not be fragmented.
    pub dont_fragment: bool,
    /// More fragments follow.
    pub more_fragments: bool,
    /// Where in the whole payload this fragment starts, in bytes; a multiple of 8.
    pub fragment_offset: u16,
    /// Bytes of payload, at most 65,515.
    pub payload_len: u16,
}

impl Ipv4Header {
    /// A header for a whole datagram that may not be fragmented, with TTL 64 (RFC 1700's default) and ident 0.
    #[inline]
    pub const fn new(src: Ipv4Addr, dst: Ipv4Addr, protocol: IpProtocol, payload_len: u16) -> Ipv4Header {
        Ipv4Header {
            src,
            dst,
            protocol,
            ttl: 64,
            ident: 0,
            dscp: 0,
            ecn: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            payload_len,
        }
    }

    /// Bytes that [`Ipv4Header::write`] writes: 20.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN
    }

    /// Writes the header, checksum included, to the front of `buf` and returns its length. Fails if `buf` is too
    /// short, or if the payload or the fragment's offset cannot be expressed.
    #[inline]
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let h = head_mut::<HEADER_LEN>(Protocol::Ipv4, buf)?;
        let Some(total_len) = self.payload_len.checked_add(HEADER_LEN as u16) else {
            return Err(WireError::bad_length(Protocol::Ipv4, usize::from(self.payload_len)));
        };
        if !self.fragment_offset.is_multiple_of(8) {
            return Err(WireError::bad_length(Protocol::Ipv4, usize::from(self.fragment_offset)));
        }
        let fragment = (u16::from(self.dont_fragment) << 14)
            | (u16::from(self.more_fragments) << 13)
            | (self.fragment_offset >> 3);
        let version_and_services = 0x4500 | (u16::from(self.dscp & 0x3f) << 2) | u16::from(self.ecn & 3);
        let ttl_and_protocol = (u16::from(self.ttl) << 8) | u16::from(self.protocol.0);
        // Summed from the values: reading back what was just stored in smaller pieces would stall.
        let sum = [version_and_services, total_len, self.ident, fragment, ttl_and_protocol].map(u32::from);
        let sum = sum.iter().sum::<u32>() + added_words(self.src.to_bits()) + added_words(self.dst.to_bits());
        h[..2].copy_from_slice(&version_and_services.to_be_bytes());
        h[2..4].copy_from_slice(&total_len.to_be_bytes());
        h[4..6].copy_from_slice(&self.ident.to_be_bytes());
        h[6..8].copy_from_slice(&fragment.to_be_bytes());
        h[8..10].copy_from_slice(&ttl_and_protocol.to_be_bytes());
        h[10..12].copy_from_slice(&Sum::of_words_added(sum).checksum().to_be_bytes());
        h[12..16].copy_from_slice(&self.src.octets());
        h[16..20].copy_from_slice(&self.dst.octets());
        Ok(HEADER_LEN)
    }
}

#[cfg(test)]
mod tests;
