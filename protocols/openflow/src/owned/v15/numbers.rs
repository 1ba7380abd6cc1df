//! Numbers with names that are of 1.5 alone.

use ferroflow_wire::{bit_flags, open_enum};

open_enum! {
    /// `ofp_type`: the type byte of a 1.5 header (OF 1.5.1 7.1.1).
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
        OFPT_MULTIPART_REQUEST = 18,
        OFPT_MULTIPART_REPLY = 19,
        OFPT_BARRIER_REQUEST = 20,
        OFPT_BARRIER_REPLY = 21,
        OFPT_ROLE_REQUEST = 24,
        OFPT_ROLE_REPLY = 25,
        OFPT_GET_ASYNC_REQUEST = 26,
        OFPT_GET_ASYNC_REPLY = 27,
        OFPT_SET_ASYNC = 28,
        OFPT_METER_MOD = 29,
        OFPT_ROLE_STATUS = 30,
        OFPT_TABLE_STATUS = 31,
        OFPT_REQUESTFORWARD = 32,
        OFPT_BUNDLE_CONTROL = 33,
        OFPT_BUNDLE_ADD_MESSAGE = 34,
        OFPT_CONTROLLER_STATUS = 35,
    }
}

open_enum! {
    /// `ofp_multipart_type` of 1.5 (OF 1.5.1 7.3.5).
    pub MultipartType(u16) {
        OFPMP_DESC = 0,
        OFPMP_FLOW_DESC = 1,
        OFPMP_AGGREGATE_STATS = 2,
        OFPMP_TABLE_STATS = 3,
        OFPMP_PORT_STATS = 4,
        OFPMP_QUEUE_STATS = 5,
        OFPMP_GROUP_STATS = 6,
        OFPMP_GROUP_DESC = 7,
        OFPMP_GROUP_FEATURES = 8,
        OFPMP_METER_STATS = 9,
        OFPMP_METER_DESC = 10,
        OFPMP_METER_FEATURES = 11,
        OFPMP_TABLE_FEATURES = 12,
        OFPMP_PORT_DESC = 13,
        OFPMP_TABLE_DESC = 14,
        OFPMP_QUEUE_DESC = 15,
        OFPMP_FLOW_MONITOR = 16,
        OFPMP_FLOW_STATS = 17,
        OFPMP_CONTROLLER_STATUS = 18,
        OFPMP_BUNDLE_FEATURES = 19,
        OFPMP_EXPERIMENTER = 0xffff,
    }
}

open_enum! {
    /// `ofp_flow_stats_reason`: why a flow's statistics are sent (OF 1.5.1 7.3.5.3).
    pub FlowStatsReason(u8) { OFPFSR_STATS_REQUEST = 0, OFPFSR_STAT_TRIGGER = 1 }
}

bit_flags! {
    /// A set of `ofp_flow_stats_reason`, bit `n` for reason `n` (OF 1.5.1 7.3.10).
    pub FlowStatsReasons(u32) { OFPFSR_STATS_REQUEST = 1 << 0, OFPFSR_STAT_TRIGGER = 1 << 1 }
}

open_enum! {
    /// `ofp_group_bucket`: a bucket's number, or one of several buckets (OF 1.5.1 7.3.4.3).
    pub BucketId(u32) {
        OFPG_BUCKET_MAX = 0xffff_ff00,
        OFPG_BUCKET_FIRST = 0xffff_fffd,
        OFPG_BUCKET_LAST = 0xffff_fffe,
        OFPG_BUCKET_ALL = 0xffff_ffff,
    }
}

bit_flags! {
    /// `ofp_meter_feature_flags` (OF 1.5.1 7.3.5.14).
    pub MeterFeatureFlags(u32) {
        OFPMFF_ACTION_SET = 1 << 0,
        OFPMFF_ANY_POSITION = 1 << 1,
        OFPMFF_MULTI_LIST = 1 << 2,
    }
}

open_enum! {
    /// `ofp_table_features_command`: what a request of table features wants (OF 1.5.1 7.3.5).
    pub TableFeaturesCommand(u8) {
        OFPTFC_REPLACE = 0,
        OFPTFC_MODIFY = 1,
        OFPTFC_ENABLE = 2,
        OFPTFC_DISABLE = 3,
    }
}

bit_flags! {
    /// `ofp_table_feature_flag`: where in the pipeline a table can be (OF 1.5.1 7.3.5).
    pub TableFeatureFlags(u32) {
        OFPTFF_INGRESS_TABLE = 1 << 0,
        OFPTFF_EGRESS_TABLE = 1 << 1,
        OFPTFF_FIRST_EGRESS = 1 << 4,
    }
}

open_enum! {
    /// A controller's number on a switch; 0 where it has none (OF 1.5.1 7.3.8).
    pub ShortId(u16) { OFPCID_UNDEFINED = 0 }
}
