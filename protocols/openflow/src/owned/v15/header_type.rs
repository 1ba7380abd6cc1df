//! Types of headers: what a packet begins with (OF 1.5.1 7.2.2).

use ferroflow_wire::{choice, open_enum, tagged};

open_enum! {
    /// `ofp_header_type_namespaces`: whose number `ns_type` is (OF 1.5.1 7.2.2).
    pub HeaderTypeNamespace(u16) {
        OFPHTN_ONF = 0,
        OFPHTN_ETHERTYPE = 1,
        OFPHTN_IP_PROTO = 2,
        OFPHTN_UDP_TCP_PORT = 3,
        OFPHTN_IPV4_OPTION = 4,
    }
}

open_enum! {
    /// `ofp_header_type_onf`: numbers of the namespace `OFPHTN_ONF` (OF 1.5.1 7.2.2).
    pub HeaderTypeOnf(u16) { OFPHTO_ETHERNET = 0, OFPHTO_NO_HEADER = 1, OFPHTO_OXM_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_header_type` (OF 1.5.1 7.2.2), the value of `OFPXMT_OFB_PACKET_TYPE` (OF 1.5.1 7.2.3.11).
    pub enum HeaderType("namespace": HeaderTypeNamespace) {
        OFPHTN_ONF => Onf { ns_type: HeaderTypeOnf, },
        OFPHTN_ETHERTYPE => Ethertype { ns_type: u16, },
        OFPHTN_IP_PROTO => IpProto { ns_type: u16, },
        OFPHTN_UDP_TCP_PORT => UdpTcpPort { ns_type: u16, },
        OFPHTN_IPV4_OPTION => Ipv4Option { ns_type: u16, },
        _ => Unknown[u16],
    }
}
tagged!(HeaderType);
