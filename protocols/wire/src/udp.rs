//! UDP (RFC 768).

use std::net::Ipv4Addr;

use crate::checksum::{Sum, pseudo_header_v4};
use crate::error::{Protocol, Reason, WireError, head, head_mut};
use crate::ipv4::IpProtocol;

/// Bytes of a UDP header.
pub const HEADER_LEN: usize = 8;

/// A UDP datagram.
#[derive(Debug, Clone, Copy)]
pub struct UdpView<'a> {
    head: &'a [u8; HEADER_LEN],
    bytes: &'a [u8],
}

impl<'a> UdpView<'a> {
    /// Checks the length field against itself and against `bytes`, an IP payload; bytes behind it are cut off.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let head = head::<HEADER_LEN>(Protocol::Udp, bytes)?;
        let len = usize::from(u16::from_be_bytes([head[4], head[5]]));
        if len < HEADER_LEN {
            return Err(WireError::bad_length(Protocol::Udp, len));
        }
        match bytes.get(..len) {
            Some(bytes) => Ok(UdpView { head, bytes }),
            None => Err(WireError::truncated(Protocol::Udp, len, bytes.len())),
        }
    }

    /// Source port; 0 if the sender wants no answer.
    #[inline]
    pub fn src_port(&self) -> u16 {
        u16::from_be_bytes([self.head[0], self.head[1]])
    }

    /// Destination port.
    #[inline]
    pub fn dst_port(&self) -> u16 {
        u16::from_be_bytes([self.head[2], self.head[3]])
    }

    /// The payload.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    /// Checks the checksum. A datagram without one (RFC 768: all zero) passes.
    #[inline]
    pub fn verify_checksum(&self, src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), WireError> {
        let absent = self.head[6] == 0 && self.head[7] == 0;
        if absent || pseudo_header(src, dst, self.bytes).add_bytes(self.bytes).is_valid() {
            Ok(())
        } else {
            Err(WireError::new(Protocol::Udp, Reason::BadChecksum))
        }
    }
}

#[inline]
fn pseudo_header(src: Ipv4Addr, dst: Ipv4Addr, datagram: &[u8]) -> Sum {
    pseudo_header_v4(src, dst, IpProtocol::UDP.0, datagram.len() as u32)
}

/// A UDP header to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpHeader {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Bytes of payload, at most 65,527 (65,507 in IPv4 without options).
    pub payload_len: u16,
}

impl UdpHeader {
    /// Bytes that [`UdpHeader::write`] writes: 8.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN
    }

    /// Writes the header with a checksum of zero (none) to the front of `buf` and returns its length. Fails if
    /// `buf` is too short, or the payload too long.
    #[inline]
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let h = head_mut::<HEADER_LEN>(Protocol::Udp, buf)?;
        let Some(len) = self.payload_len.checked_add(HEADER_LEN as u16) else {
            return Err(WireError::bad_length(Protocol::Udp, usize::from(self.payload_len)));
        };
        h[..2].copy_from_slice(&self.src_port.to_be_bytes());
        h[2..4].copy_from_slice(&self.dst_port.to_be_bytes());
        h[4..6].copy_from_slice(&len.to_be_bytes());
        h[6..8].copy_from_slice(&[0, 0]);
        Ok(HEADER_LEN)
    }
}

/// Computes and writes the checksum of `datagram`, which is the header and all of the payload.
/// Fails if it is shorter than a header.
#[inline]
pub fn fill_checksum(datagram: &mut [u8], src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), WireError> {
    head_mut::<HEADER_LEN>(Protocol::Udp, datagram)?[6..].copy_from_slice(&[0, 0]);
    let checksum = pseudo_header(src, dst, datagram).add_bytes(datagram).checksum();
    // RFC 768: a computed zero is sent as all ones, since zero means "no checksum".
    let field = if checksum == 0 { 0xffff } else { checksum };
    datagram[6..8].copy_from_slice(&field.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests;
