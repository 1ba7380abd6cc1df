//! Types of messages and multiparts of 1.4.

use ferroflow_wire::open_enum;

open_enum! {
    /// `ofp_type` (OF 1.4.1 7.1).
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
    }
}

open_enum! {
    /// `ofp_multipart_type` (OF 1.4.1 7.3.5).
    pub MultipartType(u16) {
        OFPMP_DESC = 0,
        OFPMP_FLOW = 1,
        OFPMP_AGGREGATE = 2,
        OFPMP_TABLE = 3,
        OFPMP_PORT_STATS = 4,
        OFPMP_QUEUE_STATS = 5,
        OFPMP_GROUP = 6,
        OFPMP_GROUP_DESC = 7,
        OFPMP_GROUP_FEATURES = 8,
        OFPMP_METER = 9,
        OFPMP_METER_CONFIG = 10,
        OFPMP_METER_FEATURES = 11,
        OFPMP_TABLE_FEATURES = 12,
        OFPMP_PORT_DESC = 13,
        OFPMP_TABLE_DESC = 14,
        OFPMP_QUEUE_DESC = 15,
        OFPMP_FLOW_MONITOR = 16,
        OFPMP_EXPERIMENTER = 0xffff,
    }
}
