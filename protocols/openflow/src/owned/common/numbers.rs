//! Numbers with names that many structures use (1.1 and later).

use ferroflow_wire::{bit_flags, open_enum};

open_enum! {
    /// `ofp_port_no` (OF 1.3.5 7.2.1). `OFPP_UNSET` is of 1.5.
    pub PortNo(u32) {
        OFPP_MAX = 0xffff_ff00,
        OFPP_UNSET = 0xffff_fff7,
        OFPP_IN_PORT = 0xffff_fff8,
        OFPP_TABLE = 0xffff_fff9,
        OFPP_NORMAL = 0xffff_fffa,
        OFPP_FLOOD = 0xffff_fffb,
        OFPP_ALL = 0xffff_fffc,
        OFPP_CONTROLLER = 0xffff_fffd,
        OFPP_LOCAL = 0xffff_fffe,
        OFPP_ANY = 0xffff_ffff,
    }
}

open_enum! {
    /// `ofp_group` (OF 1.3.5 7.3.4.3).
    pub GroupId(u32) { OFPG_MAX = 0xffff_ff00, OFPG_ALL = 0xffff_fffc, OFPG_ANY = 0xffff_ffff }
}

open_enum! {
    /// `ofp_meter` (OF 1.3.5 7.3.4.5).
    pub MeterId(u32) {
        OFPM_MAX = 0xffff_0000,
        OFPM_SLOWPATH = 0xffff_fffd,
        OFPM_CONTROLLER = 0xffff_fffe,
        OFPM_ALL = 0xffff_ffff,
    }
}

open_enum! {
    /// `ofp_table` (OF 1.3.5 7.3.4.1).
    pub TableId(u8) { OFPTT_MAX = 0xfe, OFPTT_ALL = 0xff }
}

open_enum! {
    /// A queue's number; `OFPQ_ALL` in requests (OF 1.3.5 7.3.5.8).
    pub QueueId(u32) { OFPQ_ALL = 0xffff_ffff }
}

open_enum! {
    /// A switch's buffer with a packet (OF 1.3.5 6.1.2).
    pub BufferId(u32) { OFP_NO_BUFFER = 0xffff_ffff }
}

open_enum! {
    /// `ofp_controller_max_len`: bytes of a packet to send to the controller (OF 1.3.5 7.2.5).
    pub MaxLen(u16) { OFPCML_MAX = 0xffe5, OFPCML_NO_BUFFER = 0xffff }
}

open_enum! {
    /// Experimenters (vendors, in 1.0) by their numbers. The names are this library's.
    pub ExperimenterId(u32) { NX_VENDOR_ID = 0x0000_2320, ONF_VENDOR_ID = 0x4f4e_4600 }
}

bit_flags! {
    /// `ofp_capabilities` of 1.2 and later (OF 1.3.5 7.3.1; the last two are of 1.4.1).
    pub Capabilities(u32) {
        OFPC_FLOW_STATS = 1 << 0,
        OFPC_TABLE_STATS = 1 << 1,
        OFPC_PORT_STATS = 1 << 2,
        OFPC_GROUP_STATS = 1 << 3,
        OFPC_IP_REASM = 1 << 5,
        OFPC_QUEUE_STATS = 1 << 6,
        OFPC_PORT_BLOCKED = 1 << 8,
        OFPC_BUNDLES = 1 << 9,
        OFPC_FLOW_MONITORING = 1 << 10,
    }
}

open_enum! {
    /// `ofp_config_flags`: what is done with IP fragments (OF 1.3.5 7.3.2).
    pub ConfigFlags(u16) { OFPC_FRAG_NORMAL = 0, OFPC_FRAG_DROP = 1, OFPC_FRAG_REASM = 2, OFPC_FRAG_MASK = 3 }
}

bit_flags! {
    /// `ofp_port_config` of 1.1 and later (OF 1.3.5 7.2.1).
    pub PortConfig(u32) {
        OFPPC_PORT_DOWN = 1 << 0,
        OFPPC_NO_RECV = 1 << 2,
        OFPPC_NO_FWD = 1 << 5,
        OFPPC_NO_PACKET_IN = 1 << 6,
    }
}

bit_flags! {
    /// `ofp_port_state` of 1.1 and later (OF 1.3.5 7.2.1).
    pub PortState(u32) { OFPPS_LINK_DOWN = 1 << 0, OFPPS_BLOCKED = 1 << 1, OFPPS_LIVE = 1 << 2 }
}

bit_flags! {
    /// `ofp_port_features` of 1.1 and later (OF 1.3.5 7.2.1).
    pub PortFeatures(u32) {
        OFPPF_10MB_HD = 1 << 0,
        OFPPF_10MB_FD = 1 << 1,
        OFPPF_100MB_HD = 1 << 2,
        OFPPF_100MB_FD = 1 << 3,
        OFPPF_1GB_HD = 1 << 4,
        OFPPF_1GB_FD = 1 << 5,
        OFPPF_10GB_FD = 1 << 6,
        OFPPF_40GB_FD = 1 << 7,
        OFPPF_100GB_FD = 1 << 8,
        OFPPF_1TB_FD = 1 << 9,
        OFPPF_OTHER = 1 << 10,
        OFPPF_COPPER = 1 << 11,
        OFPPF_FIBER = 1 << 12,
        OFPPF_AUTONEG = 1 << 13,
        OFPPF_PAUSE = 1 << 14,
        OFPPF_PAUSE_ASYM = 1 << 15,
    }
}

bit_flags! {
    /// `ofp_flow_mod_flags` (OF 1.3.5 7.3.4.1; 1.2 has the first three).
    pub FlowModFlags(u16) {
        OFPFF_SEND_FLOW_REM = 1 << 0,
        OFPFF_CHECK_OVERLAP = 1 << 1,
        OFPFF_RESET_COUNTS = 1 << 2,
        OFPFF_NO_PKT_COUNTS = 1 << 3,
        OFPFF_NO_BYT_COUNTS = 1 << 4,
    }
}

open_enum! {
    /// `ofp_group_mod_command` (OF 1.3.5 7.3.4.3; the last two are of 1.5).
    pub GroupModCommand(u16) {
        OFPGC_ADD = 0,
        OFPGC_MODIFY = 1,
        OFPGC_DELETE = 2,
        OFPGC_INSERT_BUCKET = 3,
        OFPGC_REMOVE_BUCKET = 5,
    }
}

open_enum! {
    /// `ofp_group_type` (OF 1.3.5 7.3.4.3).
    pub GroupType(u8) { OFPGT_ALL = 0, OFPGT_SELECT = 1, OFPGT_INDIRECT = 2, OFPGT_FF = 3 }
}

bit_flags! {
    /// A set of `ofp_group_type`, bit `n` for type `n`, as `ofp_group_features.types` has it (OF 1.3.5 7.3.5.11). The
    /// names are those of the types.
    pub GroupTypes(u32) {
        OFPGT_ALL = 1 << 0,
        OFPGT_SELECT = 1 << 1,
        OFPGT_INDIRECT = 1 << 2,
        OFPGT_FF = 1 << 3,
    }
}

bit_flags! {
    /// `ofp_group_capabilities` (OF 1.3.5 7.3.5.11).
    pub GroupCapabilities(u32) {
        OFPGFC_SELECT_WEIGHT = 1 << 0,
        OFPGFC_SELECT_LIVENESS = 1 << 1,
        OFPGFC_CHAINING = 1 << 2,
        OFPGFC_CHAINING_CHECKS = 1 << 3,
    }
}

bit_flags! {
    /// A set of action types, bit `n` for type `n` (OF 1.3.5 7.3.5.11). The names are those of the types.
    pub ActionTypes(u32) {
        OFPAT_OUTPUT = 1 << 0,
        OFPAT_COPY_TTL_OUT = 1 << 11,
        OFPAT_COPY_TTL_IN = 1 << 12,
        OFPAT_SET_MPLS_TTL = 1 << 15,
        OFPAT_DEC_MPLS_TTL = 1 << 16,
        OFPAT_PUSH_VLAN = 1 << 17,
        OFPAT_POP_VLAN = 1 << 18,
        OFPAT_PUSH_MPLS = 1 << 19,
        OFPAT_POP_MPLS = 1 << 20,
        OFPAT_SET_QUEUE = 1 << 21,
        OFPAT_GROUP = 1 << 22,
        OFPAT_SET_NW_TTL = 1 << 23,
        OFPAT_DEC_NW_TTL = 1 << 24,
        OFPAT_SET_FIELD = 1 << 25,
        OFPAT_PUSH_PBB = 1 << 26,
        OFPAT_POP_PBB = 1 << 27,
        OFPAT_COPY_FIELD = 1 << 28,
        OFPAT_METER = 1 << 29,
    }
}

open_enum! {
    /// `ofp_controller_role` (OF 1.3.5 7.3.9).
    pub ControllerRole(u32) {
        OFPCR_ROLE_NOCHANGE = 0,
        OFPCR_ROLE_EQUAL = 1,
        OFPCR_ROLE_MASTER = 2,
        OFPCR_ROLE_SLAVE = 3,
    }
}

bit_flags! {
    /// Flags of a multipart request (OF 1.3.5 7.3.5).
    pub MultipartRequestFlags(u16) { OFPMPF_REQ_MORE = 1 << 0 }
}

bit_flags! {
    /// Flags of a multipart reply (OF 1.3.5 7.3.5).
    pub MultipartReplyFlags(u16) { OFPMPF_REPLY_MORE = 1 << 0 }
}

bit_flags! {
    /// `ofp_ipv6exthdr_flags`, the value of `OFPXMT_OFB_IPV6_EXTHDR` (OF 1.3.5 7.2.3.8).
    pub Ipv6ExtHdr(u16) {
        OFPIEH_NONEXT = 1 << 0,
        OFPIEH_ESP = 1 << 1,
        OFPIEH_AUTH = 1 << 2,
        OFPIEH_DEST = 1 << 3,
        OFPIEH_FRAG = 1 << 4,
        OFPIEH_ROUTER = 1 << 5,
        OFPIEH_HOP = 1 << 6,
        OFPIEH_UNREP = 1 << 7,
        OFPIEH_UNSEQ = 1 << 8,
    }
}

open_enum! {
    /// A queue's least rate in 1/10 %; over 1000: disabled (OF 1.3.5 7.2.2).
    pub MinRate(u16) { OFPQ_MIN_RATE_UNCFG = 0xffff }
}

open_enum! {
    /// A queue's greatest rate in 1/10 %; over 1000: disabled (OF 1.3.5 7.2.2).
    pub MaxRate(u16) { OFPQ_MAX_RATE_UNCFG = 0xffff }
}
