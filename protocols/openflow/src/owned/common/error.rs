//! `OFPT_ERROR` of 1.2 and later (OF 1.3.5 7.4.4, OF 1.5.1 7.5.4): a code's names are those of the latest version.

use super::numbers::ExperimenterId;
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, open_enum, tagged};

open_enum! {
    /// `ofp_error_type`.
    pub ErrorType(u16) {
        OFPET_HELLO_FAILED = 0,
        OFPET_BAD_REQUEST = 1,
        OFPET_BAD_ACTION = 2,
        OFPET_BAD_INSTRUCTION = 3,
        OFPET_BAD_MATCH = 4,
        OFPET_FLOW_MOD_FAILED = 5,
        OFPET_GROUP_MOD_FAILED = 6,
        OFPET_PORT_MOD_FAILED = 7,
        OFPET_TABLE_MOD_FAILED = 8,
        OFPET_QUEUE_OP_FAILED = 9,
        OFPET_SWITCH_CONFIG_FAILED = 10,
        OFPET_ROLE_REQUEST_FAILED = 11,
        OFPET_METER_MOD_FAILED = 12,
        OFPET_TABLE_FEATURES_FAILED = 13,
        OFPET_BAD_PROPERTY = 14,
        OFPET_ASYNC_CONFIG_FAILED = 15,
        OFPET_FLOW_MONITOR_FAILED = 16,
        OFPET_BUNDLE_FAILED = 17,
        OFPET_EXPERIMENTER = 0xffff,
    }
}

open_enum! {
    /// `ofp_hello_failed_code`.
    pub HelloFailedCode(u16) {
        OFPHFC_INCOMPATIBLE = 0,
        OFPHFC_EPERM = 1,
    }
}

open_enum! {
    /// `ofp_bad_request_code`.
    pub BadRequestCode(u16) {
        OFPBRC_BAD_VERSION = 0,
        OFPBRC_BAD_TYPE = 1,
        OFPBRC_BAD_MULTIPART = 2,
        OFPBRC_BAD_EXPERIMENTER = 3,
        OFPBRC_BAD_EXP_TYPE = 4,
        OFPBRC_EPERM = 5,
        OFPBRC_BAD_LEN = 6,
        OFPBRC_BUFFER_EMPTY = 7,
        OFPBRC_BUFFER_UNKNOWN = 8,
        OFPBRC_BAD_TABLE_ID = 9,
        OFPBRC_IS_SLAVE = 10,
        OFPBRC_BAD_PORT = 11,
        OFPBRC_BAD_PACKET = 12,
        OFPBRC_MULTIPART_BUFFER_OVERFLOW = 13,
        OFPBRC_MULTIPART_REQUEST_TIMEOUT = 14,
        OFPBRC_MULTIPART_REPLY_TIMEOUT = 15,
        OFPBRC_MULTIPART_BAD_SCHED = 16,
        OFPBRC_PIPELINE_FIELDS_ONLY = 17,
        OFPBRC_UNKNOWN = 18,
    }
}

open_enum! {
    /// `ofp_bad_action_code`.
    pub BadActionCode(u16) {
        OFPBAC_BAD_TYPE = 0,
        OFPBAC_BAD_LEN = 1,
        OFPBAC_BAD_EXPERIMENTER = 2,
        OFPBAC_BAD_EXP_TYPE = 3,
        OFPBAC_BAD_OUT_PORT = 4,
        OFPBAC_BAD_ARGUMENT = 5,
        OFPBAC_EPERM = 6,
        OFPBAC_TOO_MANY = 7,
        OFPBAC_BAD_QUEUE = 8,
        OFPBAC_BAD_OUT_GROUP = 9,
        OFPBAC_MATCH_INCONSISTENT = 10,
        OFPBAC_UNSUPPORTED_ORDER = 11,
        OFPBAC_BAD_TAG = 12,
        OFPBAC_BAD_SET_TYPE = 13,
        OFPBAC_BAD_SET_LEN = 14,
        OFPBAC_BAD_SET_ARGUMENT = 15,
        OFPBAC_BAD_SET_MASK = 16,
        OFPBAC_BAD_METER = 17,
    }
}

open_enum! {
    /// `ofp_bad_instruction_code`.
    pub BadInstructionCode(u16) {
        OFPBIC_UNKNOWN_INST = 0,
        OFPBIC_UNSUP_INST = 1,
        OFPBIC_BAD_TABLE_ID = 2,
        OFPBIC_UNSUP_METADATA = 3,
        OFPBIC_UNSUP_METADATA_MASK = 4,
        OFPBIC_BAD_EXPERIMENTER = 5,
        OFPBIC_BAD_EXP_TYPE = 6,
        OFPBIC_BAD_LEN = 7,
        OFPBIC_EPERM = 8,
        OFPBIC_DUP_INST = 9,
    }
}

open_enum! {
    /// `ofp_bad_match_code`.
    pub BadMatchCode(u16) {
        OFPBMC_BAD_TYPE = 0,
        OFPBMC_BAD_LEN = 1,
        OFPBMC_BAD_TAG = 2,
        OFPBMC_BAD_DL_ADDR_MASK = 3,
        OFPBMC_BAD_NW_ADDR_MASK = 4,
        OFPBMC_BAD_WILDCARDS = 5,
        OFPBMC_BAD_FIELD = 6,
        OFPBMC_BAD_VALUE = 7,
        OFPBMC_BAD_MASK = 8,
        OFPBMC_BAD_PREREQ = 9,
        OFPBMC_DUP_FIELD = 10,
        OFPBMC_EPERM = 11,
    }
}

open_enum! {
    /// `ofp_flow_mod_failed_code`.
    pub FlowModFailedCode(u16) {
        OFPFMFC_UNKNOWN = 0,
        OFPFMFC_TABLE_FULL = 1,
        OFPFMFC_BAD_TABLE_ID = 2,
        OFPFMFC_OVERLAP = 3,
        OFPFMFC_EPERM = 4,
        OFPFMFC_BAD_TIMEOUT = 5,
        OFPFMFC_BAD_COMMAND = 6,
        OFPFMFC_BAD_FLAGS = 7,
        OFPFMFC_CANT_SYNC = 8,
        OFPFMFC_BAD_PRIORITY = 9,
        OFPFMFC_IS_SYNC = 10,
    }
}

open_enum! {
    /// `ofp_group_mod_failed_code`.
    pub GroupModFailedCode(u16) {
        OFPGMFC_GROUP_EXISTS = 0,
        OFPGMFC_INVALID_GROUP = 1,
        OFPGMFC_WEIGHT_UNSUPPORTED = 2,
        OFPGMFC_OUT_OF_GROUPS = 3,
        OFPGMFC_OUT_OF_BUCKETS = 4,
        OFPGMFC_CHAINING_UNSUPPORTED = 5,
        OFPGMFC_WATCH_UNSUPPORTED = 6,
        OFPGMFC_LOOP = 7,
        OFPGMFC_UNKNOWN_GROUP = 8,
        OFPGMFC_CHAINED_GROUP = 9,
        OFPGMFC_BAD_TYPE = 10,
        OFPGMFC_BAD_COMMAND = 11,
        OFPGMFC_BAD_BUCKET = 12,
        OFPGMFC_BAD_WATCH = 13,
        OFPGMFC_EPERM = 14,
        OFPGMFC_UNKNOWN_BUCKET = 15,
        OFPGMFC_BUCKET_EXISTS = 16,
    }
}

open_enum! {
    /// `ofp_port_mod_failed_code`.
    pub PortModFailedCode(u16) {
        OFPPMFC_BAD_PORT = 0,
        OFPPMFC_BAD_HW_ADDR = 1,
        OFPPMFC_BAD_CONFIG = 2,
        OFPPMFC_BAD_ADVERTISE = 3,
        OFPPMFC_EPERM = 4,
    }
}

open_enum! {
    /// `ofp_table_mod_failed_code`.
    pub TableModFailedCode(u16) {
        OFPTMFC_BAD_TABLE = 0,
        OFPTMFC_BAD_CONFIG = 1,
        OFPTMFC_EPERM = 2,
    }
}

open_enum! {
    /// `ofp_queue_op_failed_code`.
    pub QueueOpFailedCode(u16) {
        OFPQOFC_BAD_PORT = 0,
        OFPQOFC_BAD_QUEUE = 1,
        OFPQOFC_EPERM = 2,
    }
}

open_enum! {
    /// `ofp_switch_config_failed_code`.
    pub SwitchConfigFailedCode(u16) {
        OFPSCFC_BAD_FLAGS = 0,
        OFPSCFC_BAD_LEN = 1,
        OFPSCFC_EPERM = 2,
    }
}

open_enum! {
    /// `ofp_role_request_failed_code`.
    pub RoleRequestFailedCode(u16) {
        OFPRRFC_STALE = 0,
        OFPRRFC_UNSUP = 1,
        OFPRRFC_BAD_ROLE = 2,
        OFPRRFC_ID_UNSUP = 3,
        OFPRRFC_ID_IN_USE = 4,
    }
}

open_enum! {
    /// `ofp_meter_mod_failed_code`.
    pub MeterModFailedCode(u16) {
        OFPMMFC_UNKNOWN = 0,
        OFPMMFC_METER_EXISTS = 1,
        OFPMMFC_INVALID_METER = 2,
        OFPMMFC_UNKNOWN_METER = 3,
        OFPMMFC_BAD_COMMAND = 4,
        OFPMMFC_BAD_FLAGS = 5,
        OFPMMFC_BAD_RATE = 6,
        OFPMMFC_BAD_BURST = 7,
        OFPMMFC_BAD_BAND = 8,
        OFPMMFC_BAD_BAND_VALUE = 9,
        OFPMMFC_OUT_OF_METERS = 10,
        OFPMMFC_OUT_OF_BANDS = 11,
    }
}

open_enum! {
    /// `ofp_table_features_failed_code`.
    pub TableFeaturesFailedCode(u16) {
        OFPTFFC_BAD_TABLE = 0,
        OFPTFFC_BAD_METADATA = 1,
        OFPTFFC_BAD_TYPE = 2,
        OFPTFFC_BAD_LEN = 3,
        OFPTFFC_BAD_ARGUMENT = 4,
        OFPTFFC_EPERM = 5,
        OFPTFFC_BAD_CAPA = 6,
        OFPTFFC_BAD_MAX_ENT = 7,
        OFPTFFC_BAD_FEATURES = 8,
        OFPTFFC_BAD_COMMAND = 9,
        OFPTFFC_TOO_MANY = 10,
    }
}

open_enum! {
    /// `ofp_bad_property_code`.
    pub BadPropertyCode(u16) {
        OFPBPC_BAD_TYPE = 0,
        OFPBPC_BAD_LEN = 1,
        OFPBPC_BAD_VALUE = 2,
        OFPBPC_TOO_MANY = 3,
        OFPBPC_DUP_TYPE = 4,
        OFPBPC_BAD_EXPERIMENTER = 5,
        OFPBPC_BAD_EXP_TYPE = 6,
        OFPBPC_BAD_EXP_VALUE = 7,
        OFPBPC_EPERM = 8,
    }
}

open_enum! {
    /// `ofp_async_config_failed_code`.
    pub AsyncConfigFailedCode(u16) {
        OFPACFC_INVALID = 0,
        OFPACFC_UNSUPPORTED = 1,
        OFPACFC_EPERM = 2,
    }
}

open_enum! {
    /// `ofp_flow_monitor_failed_code`.
    pub FlowMonitorFailedCode(u16) {
        OFPMOFC_UNKNOWN = 0,
        OFPMOFC_MONITOR_EXISTS = 1,
        OFPMOFC_INVALID_MONITOR = 2,
        OFPMOFC_UNKNOWN_MONITOR = 3,
        OFPMOFC_BAD_COMMAND = 4,
        OFPMOFC_BAD_FLAGS = 5,
        OFPMOFC_BAD_TABLE_ID = 6,
        OFPMOFC_BAD_OUT = 7,
    }
}

open_enum! {
    /// `ofp_bundle_failed_code`.
    pub BundleFailedCode(u16) {
        OFPBFC_UNKNOWN = 0,
        OFPBFC_EPERM = 1,
        OFPBFC_BAD_ID = 2,
        OFPBFC_BUNDLE_EXIST = 3,
        OFPBFC_BUNDLE_CLOSED = 4,
        OFPBFC_OUT_OF_BUNDLES = 5,
        OFPBFC_BAD_TYPE = 6,
        OFPBFC_BAD_FLAGS = 7,
        OFPBFC_MSG_BAD_LEN = 8,
        OFPBFC_MSG_BAD_XID = 9,
        OFPBFC_MSG_UNSUP = 10,
        OFPBFC_MSG_CONFLICT = 11,
        OFPBFC_MSG_TOO_MANY = 12,
        OFPBFC_MSG_FAILED = 13,
        OFPBFC_TIMEOUT = 14,
        OFPBFC_BUNDLE_IN_PROGRESS = 15,
        OFPBFC_SCHED_NOT_SUPPORTED = 16,
        OFPBFC_SCHED_FUTURE = 17,
        OFPBFC_SCHED_PAST = 18,
    }
}

choice! {
    /// `ofp_error_msg`. The data is the beginning of the message that failed, or a text for `OFPET_HELLO_FAILED`.
    pub enum Error("type": ErrorType) {
        OFPET_HELLO_FAILED => HelloFailed { code: HelloFailedCode, data: Bytes, },
        OFPET_BAD_REQUEST => BadRequest { code: BadRequestCode, data: Bytes, },
        OFPET_BAD_ACTION => BadAction { code: BadActionCode, data: Bytes, },
        OFPET_BAD_INSTRUCTION => BadInstruction { code: BadInstructionCode, data: Bytes, },
        OFPET_BAD_MATCH => BadMatch { code: BadMatchCode, data: Bytes, },
        OFPET_FLOW_MOD_FAILED => FlowModFailed { code: FlowModFailedCode, data: Bytes, },
        OFPET_GROUP_MOD_FAILED => GroupModFailed { code: GroupModFailedCode, data: Bytes, },
        OFPET_PORT_MOD_FAILED => PortModFailed { code: PortModFailedCode, data: Bytes, },
        OFPET_TABLE_MOD_FAILED => TableModFailed { code: TableModFailedCode, data: Bytes, },
        OFPET_QUEUE_OP_FAILED => QueueOpFailed { code: QueueOpFailedCode, data: Bytes, },
        OFPET_SWITCH_CONFIG_FAILED => SwitchConfigFailed { code: SwitchConfigFailedCode, data: Bytes, },
        OFPET_ROLE_REQUEST_FAILED => RoleRequestFailed { code: RoleRequestFailedCode, data: Bytes, },
        OFPET_METER_MOD_FAILED in 4..=6 => MeterModFailed { code: MeterModFailedCode, data: Bytes, },
        OFPET_TABLE_FEATURES_FAILED in 4..=6 => TableFeaturesFailed { code: TableFeaturesFailedCode, data: Bytes, },
        OFPET_BAD_PROPERTY in 5..=6 => BadProperty { code: BadPropertyCode, data: Bytes, },
        OFPET_ASYNC_CONFIG_FAILED in 5..=6 => AsyncConfigFailed { code: AsyncConfigFailedCode, data: Bytes, },
        OFPET_FLOW_MONITOR_FAILED in 5..=6 => FlowMonitorFailed { code: FlowMonitorFailedCode, data: Bytes, },
        OFPET_BUNDLE_FAILED in 5..=6 => BundleFailed { code: BundleFailedCode, data: Bytes, },
        OFPET_EXPERIMENTER => Experimenter { exp_type: u16, experimenter: ExperimenterId, data: Bytes, },
        _ => Unknown,
    }
}
tagged!(Error);

/// The standard's names of an error type and code of 1.2 and later.
pub fn error_names(ty: u16, code: u16) -> (Option<&'static str>, Option<&'static str>) {
    let name = match ty {
        0 => HelloFailedCode(code).name(),
        1 => BadRequestCode(code).name(),
        2 => BadActionCode(code).name(),
        3 => BadInstructionCode(code).name(),
        4 => BadMatchCode(code).name(),
        5 => FlowModFailedCode(code).name(),
        6 => GroupModFailedCode(code).name(),
        7 => PortModFailedCode(code).name(),
        8 => TableModFailedCode(code).name(),
        9 => QueueOpFailedCode(code).name(),
        10 => SwitchConfigFailedCode(code).name(),
        11 => RoleRequestFailedCode(code).name(),
        12 => MeterModFailedCode(code).name(),
        13 => TableFeaturesFailedCode(code).name(),
        14 => BadPropertyCode(code).name(),
        15 => AsyncConfigFailedCode(code).name(),
        16 => FlowMonitorFailedCode(code).name(),
        17 => BundleFailedCode(code).name(),
        _ => None,
    };
    (ErrorType(ty).name(), name)
}
