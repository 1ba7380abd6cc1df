//! ARP for IPv4 over Ethernet (RFC 826).

use std::net::Ipv4Addr;

use crate::error::{Protocol, Reason, WireError, head, head_mut};
use crate::ethernet::{EtherType, MacAddr};

/// Bytes of an ARP packet for IPv4 over Ethernet.
pub const LEN: usize = 28;

const HARDWARE_ETHERNET: u16 = 1;

/// What an ARP packet says (`ar$op`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct ArpOperation(pub u16);

impl ArpOperation {
    /// Who has the target address?
    pub const REQUEST: ArpOperation = ArpOperation(1);
    /// The sender has the sender address.
    pub const REPLY: ArpOperation = ArpOperation(2);
}

/// An ARP packet for IPv4 over Ethernet.
#[derive(Debug, Clone, Copy)]
pub struct ArpView<'a> {
    bytes: &'a [u8; LEN],
}

impl<'a> ArpView<'a> {
    /// Checks the length and that hardware and protocol are Ethernet and IPv4; padding behind is ignored.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let b = head::<LEN>(Protocol::Arp, bytes)?;
        let hardware = u16::from_be_bytes([b[0], b[1]]);
        if hardware != HARDWARE_ETHERNET {
            return Err(WireError::new(Protocol::Arp, Reason::Unsupported(hardware)));
        }
        let protocol = u16::from_be_bytes([b[2], b[3]]);
        if protocol != EtherType::IPV4.0 {
            return Err(WireError::new(Protocol::Arp, Reason::Unsupported(protocol)));
        }
        if b[4] != 6 || b[5] != 4 {
            let wrong = if b[4] != 6 { b[4] } else { b[5] };
            return Err(WireError::bad_length(Protocol::Arp, usize::from(wrong)));
        }
        Ok(ArpView { bytes: b })
    }

    /// Request, reply or another operation.
    #[inline]
    pub fn operation(&self) -> ArpOperation {
        ArpOperation(u16::from_be_bytes([self.bytes[6], self.bytes[7]]))
    }

    /// The sender's hardware address.
    #[inline]
    pub fn sender_mac(&self) -> MacAddr {
        self.mac::<8>()
    }

    /// The sender's protocol address.
    #[inline]
    pub fn sender_ip(&self) -> Ipv4Addr {
        self.ip::<14>()
    }

    /// The target's hardware address; meaningless in a request.
    #[inline]
    pub fn target_mac(&self) -> MacAddr {
        self.mac::<18>()
    }

    /// The target's protocol address.
    #[inline]
    pub fn target_ip(&self) -> Ipv4Addr {
        self.ip::<24>()
    }

    /// The packet as a value.
    #[inline]
    pub fn packet(&self) -> ArpPacket {
        ArpPacket {
            operation: self.operation(),
            sender_mac: self.sender_mac(),
            sender_ip: self.sender_ip(),
            target_mac: self.target_mac(),
            target_ip: self.target_ip(),
        }
    }

    #[inline]
    fn mac<const AT: usize>(&self) -> MacAddr {
        let b = self.bytes;
        MacAddr([b[AT], b[AT + 1], b[AT + 2], b[AT + 3], b[AT + 4], b[AT + 5]])
    }

    #[inline]
    fn ip<const AT: usize>(&self) -> Ipv4Addr {
        let b = self.bytes;
        Ipv4Addr::new(b[AT], b[AT + 1], b[AT + 2], b[AT + 3])
    }
}

/// An ARP packet to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArpPacket {
    /// Request or reply.
    pub operation: ArpOperation,
    /// The sender's hardware address.
    pub sender_mac: MacAddr,
    /// The sender's protocol address.
    pub sender_ip: Ipv4Addr,
    /// The target's hardware address; zero in a request.
    pub target_mac: MacAddr,
    /// The target's protocol address.
    pub target_ip: Ipv4Addr,
}

impl ArpPacket {
    /// A request for the hardware address of `target`. With `target == sender_ip` it announces the sender, with an
    /// unspecified `sender_ip` it is a probe (RFC 5227 1.1, 3).
    #[inline]
    pub const fn request(sender_mac: MacAddr, sender_ip: Ipv4Addr, target: Ipv4Addr) -> ArpPacket {
        ArpPacket {
            operation: ArpOperation::REQUEST,
            sender_mac,
            sender_ip,
            target_mac: MacAddr::ZERO,
            target_ip: target,
        }
    }

    /// The reply to `request` by the station that owns its target address (RFC 826, packet reception).
    #[inline]
    pub const fn reply_to(request: &ArpPacket, mac: MacAddr) -> ArpPacket {
        ArpPacket {
            operation: ArpOperation::REPLY,
            sender_mac: mac,
            sender_ip: request.target_ip,
            target_mac: request.sender_mac,
            target_ip: request.sender_ip,
        }
    }

    /// Bytes that [`ArpPacket::write`] writes: 28. A frame's padding to 60 bytes is the port's matter.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a packet is never empty")]
    pub const fn len(&self) -> usize {
        LEN
    }

    /// Writes the packet to the front of `buf` and returns its length. Fails if `buf` is too short.
    #[inline]
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let b = head_mut::<LEN>(Protocol::Arp, buf)?;
        b[..2].copy_from_slice(&HARDWARE_ETHERNET.to_be_bytes());
        b[2..4].copy_from_slice(&EtherType::IPV4.0.to_be_bytes());
        b[4] = 6;
        b[5] = 4;
        b[6..8].copy_from_slice(&self.operation.0.to_be_bytes());
        b[8..14].copy_from_slice(&self.sender_mac.0);
        b[14..18].copy_from_slice(&self.sender_ip.octets());
        b[18..24].copy_from_slice(&self.target_mac.0);
        b[24..28].copy_from_slice(&self.target_ip.octets());
        Ok(LEN)
    }
}

#[cfg(test)]
mod tests;
