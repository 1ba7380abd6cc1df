//! A packet that a switch handed to the controller.

use ferroflow_wire::WireError;
use ferroflow_wire::ethernet::EthernetView;

use crate::flow::{Match, PortNo, VlanMatch};

/// Where a switch keeps a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BufferId(pub(crate) u32);

impl BufferId {
    /// The number on the wire, unless it is `OFP_NO_BUFFER`.
    #[inline]
    pub(crate) fn from_wire(n: u32) -> Option<BufferId> {
        (n != ferroflow_openflow::OFP_NO_BUFFER).then_some(BufferId(n))
    }

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Why the switch asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketInReason {
    /// No flow, or only the table-miss flow, matched.
    NoMatch,
    /// A flow said so.
    Action,
    /// Its time to live ran out.
    InvalidTtl,
    /// Anything else, as the wire's number.
    Other(u8),
}

/// A packet that a switch handed to the controller, still in the frame it came in.
#[derive(Debug, Clone, Copy)]
pub struct PacketIn<'a> {
    pub(crate) buffer: Option<BufferId>,
    pub(crate) total_len: u16,
    pub(crate) in_port: PortNo,
    pub(crate) reason: PacketInReason,
    pub(crate) table: u8,
    pub(crate) cookie: Option<u64>,
    pub(crate) data: &'a [u8],
}

impl<'a> PacketIn<'a> {
    /// The switch port it came in.
    #[inline]
    pub fn in_port(&self) -> PortNo {
        self.in_port
    }

    /// Where the switch keeps it, if it does.
    #[inline]
    pub fn buffer(&self) -> Option<BufferId> {
        self.buffer
    }

    /// Why the switch asks.
    #[inline]
    pub fn reason(&self) -> PacketInReason {
        self.reason
    }

    /// The table whose flow sent it; 0 in 1.0.
    #[inline]
    pub fn table(&self) -> u8 {
        self.table
    }

    /// That flow's whole cookie; 1.0 does not tell.
    #[inline]
    pub fn cookie(&self) -> Option<u64> {
        self.cookie
    }

    /// The frame, or the front of it.
    #[inline]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Length of the whole frame in bytes.
    #[inline]
    pub fn total_len(&self) -> usize {
        usize::from(self.total_len)
    }

    /// Only the front of the frame is here.
    #[inline]
    pub fn is_truncated(&self) -> bool {
        self.data.len() < self.total_len()
    }

    /// The frame's Ethernet header.
    ///
    /// # Errors
    /// When the frame is shorter than its header.
    #[inline]
    pub fn ethernet(&self) -> Result<EthernetView<'a>, WireError> {
        EthernetView::parse(self.data)
    }
}

impl Match {
    /// What a learning switch matches: in_port, VLAN, source and destination MAC address of a packet.
    #[inline]
    pub fn l2_of(eth: &EthernetView<'_>, in_port: PortNo) -> Match {
        Match {
            in_port: Some(in_port),
            eth_src: Some(eth.src()),
            eth_dst: Some(eth.dst()),
            vlan: Some(VlanMatch::of(eth)),
            ..Match::ALL
        }
    }
}

impl VlanMatch {
    /// The tag of a frame.
    #[inline]
    pub fn of(eth: &EthernetView<'_>) -> VlanMatch {
        match eth.vlan() {
            Some(tag) => VlanMatch::Id(tag.vid),
            None => VlanMatch::Untagged,
        }
    }
}
