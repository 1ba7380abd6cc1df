//! Which packets a flow is for.

use std::net::Ipv4Addr;

use ferroflow_wire::MacAddr;

use super::PortNo;

/// What a match says about a packet's 802.1Q tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VlanMatch {
    /// No tag.
    Untagged,
    /// A tag with this VLAN (0 = a priority tag).
    Id(u16),
}

/// A conjunction of fields; what is `None` matches everything.
///
/// Fields that need others to be set (an IPv4 address needs `eth_type`, a TCP port needs `ip_proto`) are not filled in
/// behind the author's back, except by the methods that say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Match {
    /// The switch port it came in.
    pub in_port: Option<PortNo>,
    /// Source MAC address.
    pub eth_src: Option<MacAddr>,
    /// Destination MAC address.
    pub eth_dst: Option<MacAddr>,
    /// 802.1Q tag.
    pub vlan: Option<VlanMatch>,
    /// 802.1Q priority, 0 to 7.
    pub vlan_pcp: Option<u8>,
    /// EtherType behind the tag.
    pub eth_type: Option<u16>,
    /// IP protocol.
    pub ip_proto: Option<u8>,
    /// IPv4 source network: address and prefix length, 0 to 32.
    pub ipv4_src: Option<(Ipv4Addr, u8)>,
    /// IPv4 destination network: address and prefix length, 0 to 32.
    pub ipv4_dst: Option<(Ipv4Addr, u8)>,
    /// TCP or UDP source port, by `ip_proto` 6 or 17.
    pub l4_src: Option<u16>,
    /// TCP or UDP destination port, by `ip_proto` 6 or 17.
    pub l4_dst: Option<u16>,
}

impl Match {
    /// Everything.
    pub const ALL: Match = Match {
        in_port: None,
        eth_src: None,
        eth_dst: None,
        vlan: None,
        vlan_pcp: None,
        eth_type: None,
        ip_proto: None,
        ipv4_src: None,
        ipv4_dst: None,
        l4_src: None,
        l4_dst: None,
    };

    /// Everything, to be narrowed.
    #[inline]
    pub const fn new() -> Match {
        Match::ALL
    }

    /// Came in at `port`.
    #[inline]
    pub const fn in_port(mut self, port: PortNo) -> Match {
        self.in_port = Some(port);
        self
    }

    /// Sent by `mac`.
    #[inline]
    pub const fn eth_src(mut self, mac: MacAddr) -> Match {
        self.eth_src = Some(mac);
        self
    }

    /// Sent to `mac`.
    #[inline]
    pub const fn eth_dst(mut self, mac: MacAddr) -> Match {
        self.eth_dst = Some(mac);
        self
    }

    /// Tagged with this VLAN, or untagged.
    #[inline]
    pub const fn vlan(mut self, vlan: VlanMatch) -> Match {
        self.vlan = Some(vlan);
        self
    }

    /// Of this EtherType.
    #[inline]
    pub const fn eth_type(mut self, ethertype: u16) -> Match {
        self.eth_type = Some(ethertype);
        self
    }

    /// IPv4 of this protocol; sets `eth_type` too.
    #[inline]
    pub const fn ip_proto(mut self, protocol: u8) -> Match {
        self.eth_type = Some(0x0800);
        self.ip_proto = Some(protocol);
        self
    }

    /// From this IPv4 network; sets `eth_type` too.
    pub const fn ipv4_src(mut self, address: Ipv4Addr, prefix_len: u8) -> Match {
        self.eth_type = Some(0x0800);
        self.ipv4_src = Some((address, prefix_len));
        self
    }

    /// To this IPv4 network; sets `eth_type` too.
    pub const fn ipv4_dst(mut self, address: Ipv4Addr, prefix_len: u8) -> Match {
        self.eth_type = Some(0x0800);
        self.ipv4_dst = Some((address, prefix_len));
        self
    }

    /// TCP to this port; sets `eth_type` and `ip_proto` too.
    pub const fn tcp_dst(self, port: u16) -> Match {
        let mut m = self.ip_proto(6);
        m.l4_dst = Some(port);
        m
    }

    /// Whether every packet that `other` matches is matched by this too, as a non-strict delete asks (OF 1.3.5 6.4).
    pub fn covers(&self, other: &Match) -> bool {
        fn field<T: PartialEq>(wide: Option<T>, narrow: Option<T>) -> bool {
            wide.is_none() || wide == narrow
        }
        field(self.in_port, other.in_port)
            && field(self.eth_src, other.eth_src)
            && field(self.eth_dst, other.eth_dst)
            && field(self.vlan, other.vlan)
            && field(self.vlan_pcp, other.vlan_pcp)
            && field(self.eth_type, other.eth_type)
            && field(self.ip_proto, other.ip_proto)
            && net_covers(self.ipv4_src, other.ipv4_src)
            && net_covers(self.ipv4_dst, other.ipv4_dst)
            && field(self.l4_src, other.l4_src)
            && field(self.l4_dst, other.l4_dst)
    }
}

/// The mask of a prefix length; lengths over 32 are taken as 32.
pub(crate) const fn prefix_mask(len: u8) -> u32 {
    match len {
        0 => 0,
        1..=31 => u32::MAX << (32 - len),
        _ => u32::MAX,
    }
}

fn net_covers(wide: Option<(Ipv4Addr, u8)>, narrow: Option<(Ipv4Addr, u8)>) -> bool {
    let Some((wide, len)) = wide.filter(|(_, len)| *len > 0) else { return true };
    let mask = prefix_mask(len);
    narrow.is_some_and(|(a, l)| l >= len && u32::from(a) & mask == u32::from(wide) & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_match_covers_a_narrower_one_and_not_the_other_way() {
        let wide = Match::new().eth_dst(MacAddr([2, 0, 0, 0, 0, 1]));
        let narrow = wide.in_port(PortNo(3)).vlan(VlanMatch::Untagged);
        assert!(Match::ALL.covers(&narrow) && wide.covers(&narrow) && wide.covers(&wide));
        assert!(!narrow.covers(&wide));
        assert!(!wide.covers(&Match::new().eth_dst(MacAddr([2, 0, 0, 0, 0, 2]))));
    }

    #[test]
    fn networks_cover_their_parts() {
        let net = |a, b, len| Match::new().ipv4_src(Ipv4Addr::new(10, a, b, 0), len);
        assert!(net(1, 0, 16).covers(&net(1, 7, 24)));
        assert!(!net(1, 0, 16).covers(&net(2, 7, 24)));
        assert!(!net(1, 7, 24).covers(&net(1, 0, 16)));
        assert!(net(0, 0, 0).covers(&net(1, 0, 16)));
    }
}
