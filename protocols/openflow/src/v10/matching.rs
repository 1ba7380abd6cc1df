use super::constants::*;
use crate::bytes::{get, get16, get32, put, put16, put32};
use std::net::Ipv4Addr;

/// `ofp_match` of 1.0 (OF 1.0 5.2.3). A field counts where `wildcards` has no bit for it.
///
/// ```
/// use ferroflow_openflow::v10::{Match, OFP_VLAN_NONE};
/// let m = Match::ANY.in_port(3).dl_vlan(OFP_VLAN_NONE).dl_dst([2, 0, 0, 0, 0, 1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Match {
    /// `OFPFW_*`.
    pub wildcards: u32,
    /// Input switch port.
    pub in_port: u16,
    /// Ethernet source.
    pub dl_src: [u8; 6],
    /// Ethernet destination.
    pub dl_dst: [u8; 6],
    /// VLAN id, or `OFP_VLAN_NONE` for a packet without tag.
    pub dl_vlan: u16,
    /// VLAN priority.
    pub dl_vlan_pcp: u8,
    /// Ethernet type; 0x5ff stands for 802.3 without SNAP.
    pub dl_type: u16,
    /// IP ToS, upper six bits.
    pub nw_tos: u8,
    /// IP protocol, or the lower eight bits of an ARP opcode.
    pub nw_proto: u8,
    /// IP source.
    pub nw_src: Ipv4Addr,
    /// IP destination.
    pub nw_dst: Ipv4Addr,
    /// TCP/UDP source port, or ICMP type.
    pub tp_src: u16,
    /// TCP/UDP destination port, or ICMP code.
    pub tp_dst: u16,
}

impl Default for Match {
    fn default() -> Self {
        Self::ANY
    }
}

impl Match {
    /// Length on the wire in bytes.
    pub const LEN: usize = 40;

    /// Matches every packet.
    pub const ANY: Self = Self {
        wildcards: OFPFW_ALL,
        in_port: 0,
        dl_src: [0; 6],
        dl_dst: [0; 6],
        dl_vlan: 0,
        dl_vlan_pcp: 0,
        dl_type: 0,
        nw_tos: 0,
        nw_proto: 0,
        nw_src: Ipv4Addr::UNSPECIFIED,
        nw_dst: Ipv4Addr::UNSPECIFIED,
        tp_src: 0,
        tp_dst: 0,
    };

    const fn exact(self, bit: u32) -> Self {
        Self { wildcards: self.wildcards & !bit, ..self }
    }

    /// Matches the input switch port.
    pub const fn in_port(self, in_port: u16) -> Self {
        Self { in_port, ..self.exact(OFPFW_IN_PORT) }
    }

    /// Matches the Ethernet source.
    pub const fn dl_src(self, dl_src: [u8; 6]) -> Self {
        Self { dl_src, ..self.exact(OFPFW_DL_SRC) }
    }

    /// Matches the Ethernet destination.
    pub const fn dl_dst(self, dl_dst: [u8; 6]) -> Self {
        Self { dl_dst, ..self.exact(OFPFW_DL_DST) }
    }

    /// Matches the VLAN id, or packets without tag by `OFP_VLAN_NONE`.
    pub const fn dl_vlan(self, dl_vlan: u16) -> Self {
        Self { dl_vlan, ..self.exact(OFPFW_DL_VLAN) }
    }

    /// Matches the VLAN priority.
    pub const fn dl_vlan_pcp(self, dl_vlan_pcp: u8) -> Self {
        Self { dl_vlan_pcp, ..self.exact(OFPFW_DL_VLAN_PCP) }
    }

    /// Matches the Ethernet type.
    pub const fn dl_type(self, dl_type: u16) -> Self {
        Self { dl_type, ..self.exact(OFPFW_DL_TYPE) }
    }

    /// Matches the IP ToS (upper six bits).
    pub const fn nw_tos(self, nw_tos: u8) -> Self {
        Self { nw_tos, ..self.exact(OFPFW_NW_TOS) }
    }

    /// Matches the IP protocol.
    pub const fn nw_proto(self, nw_proto: u8) -> Self {
        Self { nw_proto, ..self.exact(OFPFW_NW_PROTO) }
    }

    /// Matches the first `prefix` bits (at most 32) of the IP source.
    pub const fn nw_src(self, nw_src: Ipv4Addr, prefix: u8) -> Self {
        let bits = 32u32.saturating_sub(prefix as u32) << OFPFW_NW_SRC_SHIFT;
        let wildcards = self.wildcards & !OFPFW_NW_SRC_MASK | bits;
        Self { nw_src, wildcards, ..self }
    }

    /// Matches the first `prefix` bits (at most 32) of the IP destination.
    pub const fn nw_dst(self, nw_dst: Ipv4Addr, prefix: u8) -> Self {
        let bits = 32u32.saturating_sub(prefix as u32) << OFPFW_NW_DST_SHIFT;
        let wildcards = self.wildcards & !OFPFW_NW_DST_MASK | bits;
        Self { nw_dst, wildcards, ..self }
    }

    /// Matches the TCP/UDP source port.
    pub const fn tp_src(self, tp_src: u16) -> Self {
        Self { tp_src, ..self.exact(OFPFW_TP_SRC) }
    }

    /// Matches the TCP/UDP destination port.
    pub const fn tp_dst(self, tp_dst: u16) -> Self {
        Self { tp_dst, ..self.exact(OFPFW_TP_DST) }
    }

    /// Whether all of `bits` (`OFPFW_*`) are wildcarded.
    pub const fn is_wild(&self, bits: u32) -> bool {
        self.wildcards & bits == bits
    }

    /// How many of the first bits of the IP source count, 0 to 32.
    pub const fn nw_src_prefix(&self) -> u8 {
        prefix(self.wildcards >> OFPFW_NW_SRC_SHIFT)
    }

    /// How many of the first bits of the IP destination count, 0 to 32.
    pub const fn nw_dst_prefix(&self) -> u8 {
        prefix(self.wildcards >> OFPFW_NW_DST_SHIFT)
    }

    /// Reads the match that starts at byte `at`.
    #[inline(always)]
    pub(crate) fn read<const N: usize>(b: &[u8; N], at: usize) -> Self {
        Self {
            wildcards: get32(b, at),
            in_port: get16(b, at + 4),
            dl_src: get(b, at + 6),
            dl_dst: get(b, at + 12),
            dl_vlan: get16(b, at + 18),
            dl_vlan_pcp: b[at + 20],
            dl_type: get16(b, at + 22),
            nw_tos: b[at + 24],
            nw_proto: b[at + 25],
            nw_src: Ipv4Addr::from_bits(get32(b, at + 28)),
            nw_dst: Ipv4Addr::from_bits(get32(b, at + 32)),
            tp_src: get16(b, at + 36),
            tp_dst: get16(b, at + 38),
        }
    }

    /// Writes the match at byte `at`; its padding is left as it is.
    #[inline(always)]
    pub(crate) fn fill<const N: usize>(&self, b: &mut [u8; N], at: usize) {
        put32(b, at, self.wildcards);
        put16(b, at + 4, self.in_port);
        put(b, at + 6, self.dl_src);
        put(b, at + 12, self.dl_dst);
        put16(b, at + 18, self.dl_vlan);
        b[at + 20] = self.dl_vlan_pcp;
        put16(b, at + 22, self.dl_type);
        b[at + 24] = self.nw_tos;
        b[at + 25] = self.nw_proto;
        put(b, at + 28, self.nw_src.octets());
        put(b, at + 32, self.nw_dst.octets());
        put16(b, at + 36, self.tp_src);
        put16(b, at + 38, self.tp_dst);
    }
}

/// The prefix length that six wildcard bits leave (OF 1.0 5.2.3: 32 and higher wildcard the whole field).
const fn prefix(wild: u32) -> u8 {
    32u8.saturating_sub((wild & 0x3f) as u8)
}
