//! Ethernet II and 802.1Q tags.

use std::fmt;
use std::str::FromStr;

use crate::error::{Protocol, WireError, head, head_mut, room};

/// Bytes of an Ethernet header without tags.
pub const HEADER_LEN: usize = 14;
/// Bytes of an 802.1Q tag.
pub const TAG_LEN: usize = 4;

/// A MAC address.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// `00:00:00:00:00:00`.
    pub const ZERO: MacAddr = MacAddr([0; 6]);
    /// `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: MacAddr = MacAddr([0xff; 6]);
    /// The LLDP group address of the nearest bridge (IEEE 802.1AB 7.1).
    pub const LLDP: MacAddr = MacAddr([0x01, 0x80, 0xc2, 0, 0, 0x0e]);

    /// The six bytes.
    #[inline]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The broadcast address.
    #[inline]
    pub const fn is_broadcast(self) -> bool {
        self.to_u64() == 0xffff_ffff_ffff
    }

    /// A group address: multicast or broadcast (the I/G bit, IEEE 802 8.2).
    #[inline]
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// An individual address that a station can have: neither a group nor all zero.
    #[inline]
    pub const fn is_unicast(self) -> bool {
        !self.is_group() && self.to_u64() != 0
    }

    /// Locally administered (the U/L bit).
    #[inline]
    pub const fn is_local(self) -> bool {
        self.0[0] & 2 != 0
    }

    /// `01:80:c2:00:00:00` to `..:0f`, which a bridge never forwards (IEEE 802.1Q table 8-1): STP, LACP, LLDP.
    #[inline]
    pub const fn is_link_local(self) -> bool {
        self.to_u64() & 0xffff_ffff_fff0 == 0x0180_c200_0000
    }

    /// The address as the low 48 bits of a number, the first byte highest: a key for tables.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// The address from the low 48 bits of a number.
    #[inline]
    pub const fn from_u64(n: u64) -> MacAddr {
        let [_, _, a, b, c, d, e, f] = n.to_be_bytes();
        MacAddr([a, b, c, d, e, f])
    }
}

impl From<[u8; 6]> for MacAddr {
    #[inline]
    fn from(octets: [u8; 6]) -> Self {
        MacAddr(octets)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// A text that is not a MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a MAC address is six pairs of hex digits, as in 02:00:00:00:00:01")]
pub struct ParseMacError;

impl FromStr for MacAddr {
    type Err = ParseMacError;

    /// Six pairs of hex digits, with colons or dashes between them.
    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let mut octets = [0; 6];
        let mut parts = text.split([':', '-']);
        for octet in &mut octets {
            let part = parts.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            *octet = part.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or(ParseMacError)?;
        }
        if parts.next().is_some() { Err(ParseMacError) } else { Ok(MacAddr(octets)) }
    }
}

/// The type field of an Ethernet header or tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: EtherType = EtherType(0x0800);
    /// ARP.
    pub const ARP: EtherType = EtherType(0x0806);
    /// An 802.1Q customer tag (C-TAG).
    pub const VLAN: EtherType = EtherType(0x8100);
    /// IPv6.
    pub const IPV6: EtherType = EtherType(0x86dd);
    /// MPLS unicast.
    pub const MPLS: EtherType = EtherType(0x8847);
    /// MPLS multicast.
    pub const MPLS_MULTICAST: EtherType = EtherType(0x8848);
    /// An 802.1Q service tag (S-TAG, "QinQ").
    pub const QINQ: EtherType = EtherType(0x88a8);
    /// LLDP.
    pub const LLDP: EtherType = EtherType(0x88cc);
    /// Provider backbone bridging (I-TAG).
    pub const PBB: EtherType = EtherType(0x88e7);

    /// The type says that a tag follows.
    #[inline]
    pub const fn is_tag(self) -> bool {
        matches!(self, EtherType::VLAN | EtherType::QINQ)
    }

    /// Not a type but the length of an 802.3 frame with an LLC header (IEEE 802.3 3.2.6: types start at 0x0600).
    #[inline]
    pub const fn is_length(self) -> bool {
        self.0 < 0x0600
    }
}

impl fmt::Debug for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// The tag control information of an 802.1Q tag (IEEE 802.1Q 9.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct VlanTag {
    /// VLAN identifier, 0 to 4095; 0 is a priority tag, 4095 is reserved.
    pub vid: u16,
    /// Priority code point, 0 to 7.
    pub pcp: u8,
    /// Drop eligible indicator.
    pub dei: bool,
}

impl VlanTag {
    /// The fields of a tag control information.
    #[inline]
    pub const fn from_tci(tci: u16) -> VlanTag {
        VlanTag { vid: tci & 0x0fff, pcp: (tci >> 13) as u8, dei: tci & 0x1000 != 0 }
    }

    /// The tag control information; bits that do not fit their field are dropped.
    #[inline]
    pub const fn tci(self) -> u16 {
        ((self.pcp as u16) << 13) | ((self.dei as u16) << 12) | (self.vid & 0x0fff)
    }
}

/// What follows all tags of a frame, however many are stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untagged {
    /// The type behind the last tag.
    pub ethertype: EtherType,
    /// Where in the frame the payload starts.
    pub payload_offset: usize,
    /// How many tags there were.
    pub tags: usize,
}

/// An Ethernet header with at most its outermost tag taken off.
#[derive(Debug, Clone, Copy)]
pub struct EthernetView<'a> {
    bytes: &'a [u8],
    head: &'a [u8; HEADER_LEN],
    vlan: Option<VlanTag>,
    ethertype: EtherType,
    payload: &'a [u8],
}

impl<'a> EthernetView<'a> {
    /// Checks the header and, if there is one, the outermost tag.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let head = head::<HEADER_LEN>(Protocol::Ethernet, bytes)?;
        let ethertype = EtherType(u16::from_be_bytes([head[12], head[13]]));
        let payload = &bytes[HEADER_LEN..];
        if !ethertype.is_tag() {
            return Ok(EthernetView { bytes, head, vlan: None, ethertype, payload });
        }
        let (tag, ethertype, payload) = split_tag(payload)?;
        Ok(EthernetView { bytes, head, vlan: Some(tag), ethertype, payload })
    }

    /// Destination address.
    #[inline]
    pub fn dst(&self) -> MacAddr {
        let h = self.head;
        MacAddr([h[0], h[1], h[2], h[3], h[4], h[5]])
    }

    /// Source address.
    #[inline]
    pub fn src(&self) -> MacAddr {
        let h = self.head;
        MacAddr([h[6], h[7], h[8], h[9], h[10], h[11]])
    }

    /// The outermost tag.
    #[inline]
    pub fn vlan(&self) -> Option<VlanTag> {
        self.vlan
    }

    /// The outermost tag's protocol identifier ([`EtherType::VLAN`] or [`EtherType::QINQ`]).
    #[inline]
    pub fn tpid(&self) -> Option<EtherType> {
        self.vlan.map(|_| EtherType(u16::from_be_bytes([self.head[12], self.head[13]])))
    }

    /// The type behind the outermost tag; a tag type again if tags are stacked (see [`EthernetView::untagged`]).
    #[inline]
    pub fn ethertype(&self) -> EtherType {
        self.ethertype
    }

    /// Bytes before [`EthernetView::payload`]: 14 or 18.
    #[inline]
    pub fn payload_offset(&self) -> usize {
        self.bytes.len() - self.payload.len()
    }

    /// Everything behind the header and the outermost tag, padding included.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The whole frame.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Skips all stacked tags. Fails where the frame ends inside a tag.
    pub fn untagged(&self) -> Result<Untagged, WireError> {
        let mut tags = usize::from(self.vlan.is_some());
        let (mut ethertype, mut payload) = (self.ethertype, self.payload);
        while ethertype.is_tag() {
            (_, ethertype, payload) = split_tag(payload)?;
            tags += 1;
        }
        Ok(Untagged { ethertype, payload_offset: self.bytes.len() - payload.len(), tags })
    }
}

/// Takes the rest of a tag (its control information and the next type) off the front.
#[inline]
fn split_tag(bytes: &[u8]) -> Result<(VlanTag, EtherType, &[u8]), WireError> {
    let [a, b, c, d] = *head::<TAG_LEN>(Protocol::Vlan, bytes)?;
    let tag = VlanTag::from_tci(u16::from_be_bytes([a, b]));
    Ok((tag, EtherType(u16::from_be_bytes([c, d])), &bytes[TAG_LEN..]))
}

/// An Ethernet header to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EthernetHeader {
    /// Destination address.
    pub dst: MacAddr,
    /// Source address.
    pub src: MacAddr,
    /// An 802.1Q tag ([`EtherType::VLAN`]), if any.
    pub vlan: Option<VlanTag>,
    /// The type of the payload.
    pub ethertype: EtherType,
}

impl EthernetHeader {
    /// Bytes that [`EthernetHeader::write`] writes: 14 or 18.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub const fn len(&self) -> usize {
        if self.vlan.is_some() { HEADER_LEN + TAG_LEN } else { HEADER_LEN }
    }

    /// Writes the header to the front of `buf` and returns its length. Fails if `buf` is too short.
    #[inline]
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let buf = room(Protocol::Ethernet, buf, self.len())?;
        let h = head_mut::<HEADER_LEN>(Protocol::Ethernet, buf)?;
        h[..6].copy_from_slice(&self.dst.0);
        h[6..12].copy_from_slice(&self.src.0);
        let Some(tag) = self.vlan else {
            h[12..].copy_from_slice(&self.ethertype.0.to_be_bytes());
            return Ok(HEADER_LEN);
        };
        h[12..].copy_from_slice(&EtherType::VLAN.0.to_be_bytes());
        buf[14..16].copy_from_slice(&tag.tci().to_be_bytes());
        buf[16..18].copy_from_slice(&self.ethertype.0.to_be_bytes());
        Ok(HEADER_LEN + TAG_LEN)
    }
}

#[cfg(test)]
mod tests;
