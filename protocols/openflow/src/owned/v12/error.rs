//! `OFPT_ERROR` of 1.2 (OF 1.2 A.4.4). Its codes are those of [`common`] but for one that has another name.

use crate::owned::common::{
    self, BadActionCode, BadInstructionCode, BadMatchCode, ErrorType, ExperimenterId, FlowModFailedCode,
    GroupModFailedCode, HelloFailedCode, PortModFailedCode, QueueOpFailedCode, RoleRequestFailedCode,
    SwitchConfigFailedCode, TableModFailedCode,
};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, open_enum, tagged};

open_enum! {
    /// `ofp_bad_request_code`.
    pub BadRequestCode(u16) {
        OFPBRC_BAD_VERSION = 0,
        OFPBRC_BAD_TYPE = 1,
        OFPBRC_BAD_STAT = 2,
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
        OFPET_EXPERIMENTER => Experimenter { exp_type: u16, experimenter: ExperimenterId, data: Bytes, },
        _ => Unknown,
    }
}
tagged!(Error);

/// The standard's names of an error type and code of 1.2.
pub fn error_names(ty: u16, code: u16) -> (Option<&'static str>, Option<&'static str>) {
    match ErrorType(ty) {
        ErrorType::OFPET_BAD_REQUEST => (ErrorType(ty).name(), BadRequestCode(code).name()),
        _ => common::error_names(ty, code),
    }
}
