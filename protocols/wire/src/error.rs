//! The one error of this crate: which protocol, and why.

/// A protocol of this crate, as a label of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The Ethernet header.
    Ethernet,
    /// An 802.1Q tag.
    Vlan,
    /// ARP (RFC 826).
    Arp,
    /// IPv4 (RFC 791).
    Ipv4,
    /// ICMP for IPv4 (RFC 792).
    Icmpv4,
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// LLDP (IEEE 802.1AB).
    Lldp,
}

impl Protocol {
    /// Every protocol, in the order of [`Protocol::index`].
    pub const ALL: [Protocol; 8] = [
        Protocol::Ethernet,
        Protocol::Vlan,
        Protocol::Arp,
        Protocol::Ipv4,
        Protocol::Icmpv4,
        Protocol::Tcp,
        Protocol::Udp,
        Protocol::Lldp,
    ];

    /// A small dense number, for arrays of counters.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A stable name for counters and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Ethernet => "ethernet",
            Protocol::Vlan => "vlan",
            Protocol::Arp => "arp",
            Protocol::Ipv4 => "ipv4",
            Protocol::Icmpv4 => "icmpv4",
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Lldp => "lldp",
        }
    }
}

/// Why bytes were refused (or a value could not be written).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// Fewer bytes than the header, or a length field in it, asks for; also: the buffer to write to is too small.
    #[error("{need} bytes needed, {have} there")]
    Truncated {
        /// Bytes needed.
        need: u32,
        /// Bytes there.
        have: u32,
    },
    /// A length field that contradicts itself, or a value too long for its field.
    #[error("bad length {0}")]
    BadLength(u32),
    /// A version field other than the protocol's.
    #[error("bad version {0}")]
    BadVersion(u8),
    /// The checksum does not match.
    #[error("bad checksum")]
    BadChecksum,
    /// An option (or TLV) of this kind has an impossible length.
    #[error("bad length of option {0}")]
    BadOption(u8),
    /// A mandatory part is missing, out of order or there twice; the number is its type.
    #[error("missing, misplaced or repeated part {0}")]
    BadOrder(u8),
    /// A well-formed header of a variant that is not spoken here (ARP of other hardware, for one).
    #[error("unsupported variant {0}")]
    Unsupported(u16),
}

impl Reason {
    /// The stable names, in the order of [`Reason::index`].
    pub const NAMES: [&'static str; 7] =
        ["truncated", "bad_length", "bad_version", "bad_checksum", "bad_option", "bad_order", "unsupported"];

    /// A small dense number, for arrays of counters.
    #[inline]
    pub const fn index(self) -> usize {
        match self {
            Reason::Truncated { .. } => 0,
            Reason::BadLength(_) => 1,
            Reason::BadVersion(_) => 2,
            Reason::BadChecksum => 3,
            Reason::BadOption(_) => 4,
            Reason::BadOrder(_) => 5,
            Reason::Unsupported(_) => 6,
        }
    }

    /// A stable name for counters and logs.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self.index()]
    }
}

/// Bytes that are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}: {reason}", protocol.name())]
pub struct WireError {
    /// The protocol whose rule was broken.
    pub protocol: Protocol,
    /// The rule that was broken.
    pub reason: Reason,
}

impl WireError {
    #[cold]
    pub(crate) const fn new(protocol: Protocol, reason: Reason) -> Self {
        WireError { protocol, reason }
    }

    #[cold]
    pub(crate) fn truncated(protocol: Protocol, need: usize, have: usize) -> Self {
        let cap = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self::new(protocol, Reason::Truncated { need: cap(need), have: cap(have) })
    }

    #[cold]
    pub(crate) fn bad_length(protocol: Protocol, len: usize) -> Self {
        Self::new(protocol, Reason::BadLength(u32::try_from(len).unwrap_or(u32::MAX)))
    }
}

/// The first `N` bytes as an array: getters over it need no bounds check.
#[inline]
pub(crate) fn head<const N: usize>(protocol: Protocol, bytes: &[u8]) -> Result<&[u8; N], WireError> {
    bytes.first_chunk().ok_or_else(|| WireError::truncated(protocol, N, bytes.len()))
}

/// The first `N` bytes of a buffer that is written to.
#[inline]
pub(crate) fn head_mut<const N: usize>(
    protocol: Protocol,
    buf: &mut [u8],
) -> Result<&mut [u8; N], WireError> {
    let have = buf.len();
    buf.first_chunk_mut().ok_or_else(|| WireError::truncated(protocol, N, have))
}

/// `len` bytes of a buffer that is written to.
#[inline]
pub(crate) fn room(protocol: Protocol, buf: &mut [u8], len: usize) -> Result<&mut [u8], WireError> {
    let have = buf.len();
    buf.get_mut(..len).ok_or_else(|| WireError::truncated(protocol, len, have))
}
