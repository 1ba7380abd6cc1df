//! Reserved ports, groups, tables and flag bits, by the standard's names.

constants! { u32 {
    OFPP_MAX = 0xffff_ff00, "number above which switch ports are reserved.";
    OFPP_IN_PORT = 0xffff_fff8, "out of the port that the packet came in on.";
    OFPP_TABLE = 0xffff_fff9, "through the first flow table (packet_out only).";
    OFPP_NORMAL = 0xffff_fffa, "by the switch's own L2/L3 processing.";
    OFPP_FLOOD = 0xffff_fffb, "all ports of the VLAN but the input port and those blocked or down.";
    OFPP_ALL = 0xffff_fffc, "all ports but the input port.";
    OFPP_CONTROLLER = 0xffff_fffd, "to the controller.";
    OFPP_LOCAL = 0xffff_fffe, "the switch's local port.";
    OFPP_ANY = 0xffff_ffff, "no port: as `out_port`, no restriction.";
    OFPG_MAX = 0xffff_ff00, "last usable group number.";
    OFPG_ALL = 0xffff_fffc, "all groups, for deletes.";
    OFPG_ANY = 0xffff_ffff, "as `out_group`, no restriction.";
    OFPC_FLOW_STATS = 0x1, "flow statistics.";
    OFPC_TABLE_STATS = 0x2, "table statistics.";
    OFPC_PORT_STATS = 0x4, "port statistics.";
    OFPC_GROUP_STATS = 0x8, "group statistics.";
    OFPC_IP_REASM = 0x20, "can reassemble IP fragments.";
    OFPC_QUEUE_STATS = 0x40, "queue statistics.";
    OFPC_PORT_BLOCKED = 0x100, "the switch itself blocks looping ports.";
    OFPPC_PORT_DOWN = 0x1, "port is administratively down.";
    OFPPC_NO_RECV = 0x4, "drop all packets received on the port.";
    OFPPC_NO_FWD = 0x20, "drop packets forwarded to the port.";
    OFPPC_NO_PACKET_IN = 0x40, "send no packet_in for the port.";
    OFPPS_LINK_DOWN = 0x1, "no physical link.";
    OFPPS_BLOCKED = 0x2, "blocked by a protocol such as spanning tree.";
    OFPPS_LIVE = 0x4, "live for fast failover groups.";
    OFPPF_10MB_HD = 0x1, "10 Mbit/s half duplex.";
    OFPPF_10MB_FD = 0x2, "10 Mbit/s full duplex.";
    OFPPF_100MB_HD = 0x4, "100 Mbit/s half duplex.";
    OFPPF_100MB_FD = 0x8, "100 Mbit/s full duplex.";
    OFPPF_1GB_HD = 0x10, "1 Gbit/s half duplex.";
    OFPPF_1GB_FD = 0x20, "1 Gbit/s full duplex.";
    OFPPF_10GB_FD = 0x40, "10 Gbit/s full duplex.";
    OFPPF_40GB_FD = 0x80, "40 Gbit/s full duplex.";
    OFPPF_100GB_FD = 0x100, "100 Gbit/s full duplex.";
    OFPPF_1TB_FD = 0x200, "1 Tbit/s full duplex.";
    OFPPF_OTHER = 0x400, "another rate.";
    OFPPF_COPPER = 0x800, "copper medium.";
    OFPPF_FIBER = 0x1000, "fibre medium.";
    OFPPF_AUTONEG = 0x2000, "auto-negotiation.";
    OFPPF_PAUSE = 0x4000, "pause.";
    OFPPF_PAUSE_ASYM = 0x8000, "asymmetric pause.";
} }

constants! { u16 {
    OFPCML_MAX = 0xffe5, "largest number of bytes that can be asked of a buffered packet.";
    OFPCML_NO_BUFFER = 0xffff, "no buffering: the whole packet goes to the controller.";
    OFPVID_PRESENT = 0x1000, "bit of `VLAN_VID`: the packet has a VLAN tag.";
    OFPVID_NONE = 0x0, "`VLAN_VID` of packets without a VLAN tag.";
    OFPFF_SEND_FLOW_REM = 0x1, "send flow_removed when the flow goes.";
    OFPFF_CHECK_OVERLAP = 0x2, "refuse a flow that overlaps one of the same priority.";
    OFPFF_RESET_COUNTS = 0x4, "reset the flow's counters.";
    OFPFF_NO_PKT_COUNTS = 0x8, "do not count packets.";
    OFPFF_NO_BYT_COUNTS = 0x10, "do not count bytes.";
    OFPC_FRAG_NORMAL = 0x0, "no special handling of fragments.";
    OFPC_FRAG_DROP = 0x1, "drop fragments.";
    OFPC_FRAG_REASM = 0x2, "reassemble fragments.";
    OFPC_FRAG_MASK = 0x3, "the bits of the above.";
    OFPMPF_REQ_MORE = 0x1, "more parts of this request follow.";
    OFPMPF_REPLY_MORE = 0x1, "more parts of this reply follow.";
    OFPMT_OXM = 0x1, "match made of OXM fields, the only kind in use.";
    OFPXMC_NXM_0 = 0x0, "OXM class: Nicira's fields of 1.0.";
    OFPXMC_NXM_1 = 0x1, "OXM class: Nicira's own fields.";
    OFPXMC_OPENFLOW_BASIC = 0x8000, "OXM class: the standard's fields.";
    OFPXMC_EXPERIMENTER = 0xffff, "OXM class: experimenters' fields.";
} }

constants! { u8 {
    OFPTT_MAX = 0xfe, "last usable table number.";
    OFPTT_ALL = 0xff, "all tables, for deletes and statistics.";
} }
