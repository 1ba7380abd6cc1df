//! Numbers with names of 1.2.

use ferroflow_wire::{bit_flags, open_enum};

open_enum! {
    /// `ofp_type` (OF 1.2 A.1).
    pub MsgType(u8) {
        OFPT_HELLO = 0,
        OFPT_ERROR = 1,
        OFPT_ECHO_REQUEST = 2,
        OFPT_ECHO_REPLY = 3,
        OFPT_EXPERIMENTER = 4,
        OFPT_FEATURES_REQUEST = 5,
        OFPT_FEATURES_REPLY = 6,
        OFPT_GET_CONFIG_REQUEST = 7,
        OFPT_GET_CONFIG_REPLY = 8,
        OFPT_SET_CONFIG = 9,
        OFPT_PACKET_IN = 10,
        OFPT_FLOW_REMOVED = 11,
        OFPT_PORT_STATUS = 12,
        OFPT_PACKET_OUT = 13,
        OFPT_FLOW_MOD = 14,
        OFPT_GROUP_MOD = 15,
        OFPT_PORT_MOD = 16,
        OFPT_TABLE_MOD = 17,
        OFPT_STATS_REQUEST = 18,
        OFPT_STATS_REPLY = 19,
        OFPT_BARRIER_REQUEST = 20,
        OFPT_BARRIER_REPLY = 21,
        OFPT_QUEUE_GET_CONFIG_REQUEST = 22,
        OFPT_QUEUE_GET_CONFIG_REPLY = 23,
        OFPT_ROLE_REQUEST = 24,
        OFPT_ROLE_REPLY = 25,
    }
}

open_enum! {
    /// `ofp_stats_types` (OF 1.2 A.3.5).
    pub StatsType(u16) {
        OFPST_DESC = 0,
        OFPST_FLOW = 1,
        OFPST_AGGREGATE = 2,
        OFPST_TABLE = 3,
        OFPST_PORT = 4,
        OFPST_QUEUE = 5,
        OFPST_GROUP = 6,
        OFPST_GROUP_DESC = 7,
        OFPST_GROUP_FEATURES = 8,
        OFPST_EXPERIMENTER = 0xffff,
    }
}

bit_flags! {
    /// `ofp_config_flags` (OF 1.2 A.3.2). No bit of the first two is `OFPC_FRAG_NORMAL`.
    pub ConfigFlags(u16) {
        OFPC_FRAG_DROP = 1 << 0,
        OFPC_FRAG_REASM = 1 << 1,
        OFPC_INVALID_TTL_TO_CONTROLLER = 1 << 2,
    }
}

open_enum! {
    /// `ofp_table_config`: what is done with a packet that no flow matches (OF 1.2 A.3.3).
    pub TableConfig(u32) {
        OFPTC_TABLE_MISS_CONTROLLER = 0,
        OFPTC_TABLE_MISS_CONTINUE = 1,
        OFPTC_TABLE_MISS_DROP = 2,
        OFPTC_TABLE_MISS_MASK = 3,
    }
}

bit_flags! {
    /// A set of instruction types, bit `n` for type `n` (OF 1.2 A.3.5). The names are those of the types.
    pub InstructionTypes(u32) {
        OFPIT_GOTO_TABLE = 1 << 1,
        OFPIT_WRITE_METADATA = 1 << 2,
        OFPIT_WRITE_ACTIONS = 1 << 3,
        OFPIT_APPLY_ACTIONS = 1 << 4,
        OFPIT_CLEAR_ACTIONS = 1 << 5,
    }
}

bit_flags! {
    /// A set of match fields, bit `n` for field `n` (OF 1.2 A.3.5). The names are those of the fields.
    pub OxmFields(u64) {
        OFPXMT_OFB_IN_PORT = 1 << 0,
        OFPXMT_OFB_IN_PHY_PORT = 1 << 1,
        OFPXMT_OFB_METADATA = 1 << 2,
        OFPXMT_OFB_ETH_DST = 1 << 3,
        OFPXMT_OFB_ETH_SRC = 1 << 4,
        OFPXMT_OFB_ETH_TYPE = 1 << 5,
        OFPXMT_OFB_VLAN_VID = 1 << 6,
        OFPXMT_OFB_VLAN_PCP = 1 << 7,
        OFPXMT_OFB_IP_DSCP = 1 << 8,
        OFPXMT_OFB_IP_ECN = 1 << 9,
        OFPXMT_OFB_IP_PROTO = 1 << 10,
        OFPXMT_OFB_IPV4_SRC = 1 << 11,
        OFPXMT_OFB_IPV4_DST = 1 << 12,
        OFPXMT_OFB_TCP_SRC = 1 << 13,
        OFPXMT_OFB_TCP_DST = 1 << 14,
        OFPXMT_OFB_UDP_SRC = 1 << 15,
        OFPXMT_OFB_UDP_DST = 1 << 16,
        OFPXMT_OFB_SCTP_SRC = 1 << 17,
        OFPXMT_OFB_SCTP_DST = 1 << 18,
        OFPXMT_OFB_ICMPV4_TYPE = 1 << 19,
        OFPXMT_OFB_ICMPV4_CODE = 1 << 20,
        OFPXMT_OFB_ARP_OP = 1 << 21,
        OFPXMT_OFB_ARP_SPA = 1 << 22,
        OFPXMT_OFB_ARP_TPA = 1 << 23,
        OFPXMT_OFB_ARP_SHA = 1 << 24,
        OFPXMT_OFB_ARP_THA = 1 << 25,
        OFPXMT_OFB_IPV6_SRC = 1 << 26,
        OFPXMT_OFB_IPV6_DST = 1 << 27,
        OFPXMT_OFB_IPV6_FLABEL = 1 << 28,
        OFPXMT_OFB_ICMPV6_TYPE = 1 << 29,
        OFPXMT_OFB_ICMPV6_CODE = 1 << 30,
        OFPXMT_OFB_IPV6_ND_TARGET = 1 << 31,
        OFPXMT_OFB_IPV6_ND_SLL = 1 << 32,
        OFPXMT_OFB_IPV6_ND_TLL = 1 << 33,
        OFPXMT_OFB_MPLS_LABEL = 1 << 34,
        OFPXMT_OFB_MPLS_TC = 1 << 35,
    }
}
