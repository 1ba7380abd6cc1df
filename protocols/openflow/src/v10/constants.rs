//! Reserved ports and flag bits, by the standard's names.

constants! { u16 {
    OFPP_MAX = 0xff00, "number above which switch ports are reserved.";
    OFPP_IN_PORT = 0xfff8, "out of the port that the packet came in on.";
    OFPP_TABLE = 0xfff9, "through the flow table (packet_out only).";
    OFPP_NORMAL = 0xfffa, "by the switch's own L2/L3 processing.";
    OFPP_FLOOD = 0xfffb, "all physical ports but the input port and those that spanning tree disabled.";
    OFPP_ALL = 0xfffc, "all physical ports but the input port.";
    OFPP_CONTROLLER = 0xfffd, "to the controller.";
    OFPP_LOCAL = 0xfffe, "the switch's local port.";
    OFPP_NONE = 0xffff, "no port: as `out_port`, no restriction.";
    OFP_VLAN_NONE = 0xffff, "`dl_vlan` of packets without a VLAN tag.";
    OFPFF_SEND_FLOW_REM = 0x1, "send flow_removed when the flow goes.";
    OFPFF_CHECK_OVERLAP = 0x2, "refuse a flow that overlaps one of the same priority.";
    OFPFF_EMERG = 0x4, "a flow of the emergency table.";
    OFPC_FRAG_NORMAL = 0x0, "no special handling of fragments.";
    OFPC_FRAG_DROP = 0x1, "drop fragments.";
    OFPC_FRAG_REASM = 0x2, "reassemble fragments.";
    OFPC_FRAG_MASK = 0x3, "the bits of the above.";
    OFPSF_REPLY_MORE = 0x1, "more parts of this stats reply follow.";
} }

constants! { u32 {
    OFPFW_IN_PORT = 0x1, "any switch input port.";
    OFPFW_DL_VLAN = 0x2, "any VLAN id.";
    OFPFW_DL_SRC = 0x4, "any Ethernet source.";
    OFPFW_DL_DST = 0x8, "any Ethernet destination.";
    OFPFW_DL_TYPE = 0x10, "any Ethernet type.";
    OFPFW_NW_PROTO = 0x20, "any IP protocol.";
    OFPFW_TP_SRC = 0x40, "any TCP/UDP source port.";
    OFPFW_TP_DST = 0x80, "any TCP/UDP destination port.";
    OFPFW_NW_SRC_SHIFT = 8, "where the number of wildcarded low bits of `nw_src` starts (6 bits).";
    OFPFW_NW_SRC_MASK = 0x3f00, "those bits.";
    OFPFW_NW_SRC_ALL = 0x2000, "any IP source.";
    OFPFW_NW_DST_SHIFT = 14, "where the number of wildcarded low bits of `nw_dst` starts (6 bits).";
    OFPFW_NW_DST_MASK = 0xf_c000, "those bits.";
    OFPFW_NW_DST_ALL = 0x8_0000, "any IP destination.";
    OFPFW_DL_VLAN_PCP = 0x10_0000, "any VLAN priority.";
    OFPFW_NW_TOS = 0x20_0000, "any IP ToS.";
    OFPFW_ALL = 0x3f_ffff, "any packet.";
    OFPC_FLOW_STATS = 0x1, "flow statistics.";
    OFPC_TABLE_STATS = 0x2, "table statistics.";
    OFPC_PORT_STATS = 0x4, "port statistics.";
    OFPC_STP = 0x8, "802.1D spanning tree.";
    OFPC_RESERVED = 0x10, "reserved, zero.";
    OFPC_IP_REASM = 0x20, "can reassemble IP fragments.";
    OFPC_QUEUE_STATS = 0x40, "queue statistics.";
    OFPC_ARP_MATCH_IP = 0x80, "matches IP addresses in ARP packets.";
    OFPPC_PORT_DOWN = 0x1, "port is administratively down.";
    OFPPC_NO_STP = 0x2, "no spanning tree on the port.";
    OFPPC_NO_RECV = 0x4, "drop most packets received on the port.";
    OFPPC_NO_RECV_STP = 0x8, "drop received spanning tree packets.";
    OFPPC_NO_FLOOD = 0x10, "leave the port out of floods.";
    OFPPC_NO_FWD = 0x20, "drop packets forwarded to the port.";
    OFPPC_NO_PACKET_IN = 0x40, "send no packet_in for the port.";
    OFPPS_LINK_DOWN = 0x1, "no physical link.";
    OFPPS_STP_LISTEN = 0x0, "not learning or relaying frames.";
    OFPPS_STP_LEARN = 0x100, "learning but not relaying frames.";
    OFPPS_STP_FORWARD = 0x200, "learning and relaying frames.";
    OFPPS_STP_BLOCK = 0x300, "not part of the spanning tree.";
    OFPPS_STP_MASK = 0x300, "the bits of the above.";
    OFPPF_10MB_HD = 0x1, "10 Mbit/s half duplex.";
    OFPPF_10MB_FD = 0x2, "10 Mbit/s full duplex.";
    OFPPF_100MB_HD = 0x4, "100 Mbit/s half duplex.";
    OFPPF_100MB_FD = 0x8, "100 Mbit/s full duplex.";
    OFPPF_1GB_HD = 0x10, "1 Gbit/s half duplex.";
    OFPPF_1GB_FD = 0x20, "1 Gbit/s full duplex.";
    OFPPF_10GB_FD = 0x40, "10 Gbit/s full duplex.";
    OFPPF_COPPER = 0x80, "copper medium.";
    OFPPF_FIBER = 0x100, "fibre medium.";
    OFPPF_AUTONEG = 0x200, "auto-negotiation.";
    OFPPF_PAUSE = 0x400, "pause.";
    OFPPF_PAUSE_ASYM = 0x800, "asymmetric pause.";
} }
