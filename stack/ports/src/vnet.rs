//! The header that a packet socket (`PACKET_VNET_HDR`) or a TAP interface (`IFF_VNET_HDR`) puts before a frame, and wants there:
//! what is still to be done to the frame (`struct virtio_net_hdr`; Virtual I/O Device 1.2, 5.1.6).

use ferroflow_stack::port::{Csum, Meta};

/// Its length.
pub(crate) const VNET_LEN: usize = size_of::<VnetHeader>();

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
/// In a TCP header (RFC 9293 3.1): words of it, in the upper four bits.
const DATA_OFFSET: usize = 12;

/// The header as the kernel has it, in the machine's byte order.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct VnetHeader {
    flags: u8,
    gso_type: u8,
    hdr_len: u16,
    gso_size: u16,
    csum_start: u16,
    csum_offset: u16,
}

const _: () = assert!(size_of::<VnetHeader>() == 10);

impl VnetHeader {
    /// For a frame to send.
    #[inline]
    pub fn of(meta: &Meta, frame: &[u8]) -> VnetHeader {
        let Csum::Partial { start, offset } = meta.csum else { return VnetHeader::default() };
        let header = VnetHeader {
            flags: NEEDS_CSUM,
            gso_type: GSO_NONE,
            csum_start: start,
            csum_offset: offset,
            ..VnetHeader::default()
        };
        if meta.gso_size == 0 {
            return header;
        }
        let words = frame.get(usize::from(start) + DATA_OFFSET).map_or(0, |byte| u16::from(byte >> 4));
        VnetHeader { gso_type: GSO_TCPV4, hdr_len: start + words * 4, gso_size: meta.gso_size, ..header }
    }

    /// Reads it.
    pub fn parse(b: &[u8; VNET_LEN]) -> VnetHeader {
        let short = |at: usize| u16::from_ne_bytes([b[at], b[at + 1]]);
        VnetHeader {
            flags: b[0],
            gso_type: b[1],
            hdr_len: short(2),
            gso_size: short(4),
            csum_start: short(6),
            csum_offset: short(8),
        }
    }

    /// Writes it.
    pub fn write(self, b: &mut [u8; VNET_LEN]) {
        b[0] = self.flags;
        b[1] = self.gso_type;
        let rest = [self.hdr_len, self.gso_size, self.csum_start, self.csum_offset];
        for (to, from) in b[2..].chunks_exact_mut(2).zip(rest) {
            to.copy_from_slice(&from.to_ne_bytes());
        }
    }

    /// What is known of the transport checksum.
    pub fn csum(&self) -> Csum {
        if self.flags & NEEDS_CSUM != 0 {
            Csum::Partial { start: self.csum_start, offset: self.csum_offset }
        } else if self.flags & DATA_VALID != 0 {
            Csum::Verified
        } else {
            Csum::Unknown
        }
    }

    /// Payload bytes of each segment, if it is several in one; else 0.
    pub fn gso_size(&self) -> u16 {
        if self.gso_type == GSO_NONE { 0 } else { self.gso_size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_and_read() {
        let csum = Csum::Partial { start: 34, offset: 16 };
        let meta = Meta { csum, ..Meta::default() };
        let mut bytes = [0xff; VNET_LEN];
        VnetHeader::of(&meta, &[]).write(&mut bytes);
        assert_eq!(VnetHeader::parse(&bytes), VnetHeader::of(&meta, &[]));
        assert_eq!(VnetHeader::parse(&bytes).csum(), csum);
        assert_eq!(bytes[..2], [1, 0]);
        assert_eq!(bytes[6..8], 34u16.to_ne_bytes());
    }

    #[test]
    fn a_large_segment_says_how_to_cut_it() {
        let meta = Meta { csum: Csum::Partial { start: 34, offset: 16 }, gso_size: 1448, ..Meta::default() };
        let mut frame = [0; 100];
        frame[34 + 12] = 8 << 4;
        let want = VnetHeader {
            flags: NEEDS_CSUM,
            gso_type: GSO_TCPV4,
            hdr_len: 34 + 32,
            gso_size: 1448,
            csum_start: 34,
            csum_offset: 16,
        };
        assert_eq!(VnetHeader::of(&meta, &frame), want);
        assert_eq!(VnetHeader::of(&Meta { csum: Csum::Unknown, ..meta }, &frame), VnetHeader::default());
    }

    #[test]
    fn what_the_kernel_says_is_understood() {
        let valid = VnetHeader { flags: DATA_VALID, ..VnetHeader::default() };
        assert_eq!(valid.csum(), Csum::Verified);
        assert_eq!(VnetHeader::default().csum(), Csum::Unknown);
        let large = VnetHeader { gso_type: GSO_TCPV4, gso_size: 1448, ..VnetHeader::default() };
        assert_eq!(large.gso_size(), 1448);
        assert_eq!(VnetHeader { gso_type: 0, ..large }.gso_size(), 0);
    }
}
