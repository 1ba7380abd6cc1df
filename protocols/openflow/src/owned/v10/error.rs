//! `OFPT_ERROR` of 1.0 (OF 1.0 5.4.4).

use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, open_enum, structure, tagged};

open_enum! {
    /// `ofp_error_type`; the last is Open vSwitch's, for errors that 1.0 has no number for.
    pub ErrorType(u16) {
        OFPET_HELLO_FAILED = 0,
        OFPET_BAD_REQUEST = 1,
        OFPET_BAD_ACTION = 2,
        OFPET_FLOW_MOD_FAILED = 3,
        OFPET_PORT_MOD_FAILED = 4,
        OFPET_QUEUE_OP_FAILED = 5,
        NXET_VENDOR = 0xb0c2,
    }
}

open_enum! {
    /// `ofp_hello_failed_code`.
    pub HelloFailedCode(u16) { OFPHFC_INCOMPATIBLE = 0, OFPHFC_EPERM = 1 }
}

open_enum! {
    /// `ofp_bad_request_code`.
    pub BadRequestCode(u16) {
        OFPBRC_BAD_VERSION = 0,
        OFPBRC_BAD_TYPE = 1,
        OFPBRC_BAD_STAT = 2,
        OFPBRC_BAD_VENDOR = 3,
        OFPBRC_BAD_SUBTYPE = 4,
        OFPBRC_EPERM = 5,
        OFPBRC_BAD_LEN = 6,
        OFPBRC_BUFFER_EMPTY = 7,
        OFPBRC_BUFFER_UNKNOWN = 8,
    }
}

open_enum! {
    /// `ofp_bad_action_code`.
    pub BadActionCode(u16) {
        OFPBAC_BAD_TYPE = 0,
        OFPBAC_BAD_LEN = 1,
        OFPBAC_BAD_VENDOR = 2,
        OFPBAC_BAD_VENDOR_TYPE = 3,
        OFPBAC_BAD_OUT_PORT = 4,
        OFPBAC_BAD_ARGUMENT = 5,
        OFPBAC_EPERM = 6,
        OFPBAC_TOO_MANY = 7,
        OFPBAC_BAD_QUEUE = 8,
    }
}

open_enum! {
    /// `ofp_flow_mod_failed_code`.
    pub FlowModFailedCode(u16) {
        OFPFMFC_ALL_TABLES_FULL = 0,
        OFPFMFC_OVERLAP = 1,
        OFPFMFC_EPERM = 2,
        OFPFMFC_BAD_EMERG_TIMEOUT = 3,
        OFPFMFC_BAD_COMMAND = 4,
        OFPFMFC_UNSUPPORTED = 5,
    }
}

open_enum! {
    /// `ofp_port_mod_failed_code`.
    pub PortModFailedCode(u16) { OFPPMFC_BAD_PORT = 0, OFPPMFC_BAD_HW_ADDR = 1 }
}

open_enum! {
    /// `ofp_queue_op_failed_code`.
    pub QueueOpFailedCode(u16) { OFPQOFC_BAD_PORT = 0, OFPQOFC_BAD_QUEUE = 1, OFPQOFC_EPERM = 2 }
}

open_enum! {
    /// Codes of `NXET_VENDOR`.
    pub NxVendorCode(u16) { NXVC_VENDOR_ERROR = 0 }
}

structure! {
    /// `nx_vendor_error`: an error of another vendor, or of a later version of OpenFlow.
    pub struct NxVendorError {
        code: NxVendorCode,
        vendor: u32,
        vendor_type: u16,
        vendor_code: u16,
        data: Bytes,
    }
}

choice! {
    /// `ofp_error_msg`. The data is the beginning of the message that failed, or a text for `OFPET_HELLO_FAILED`.
    pub enum Error("type": ErrorType) {
        OFPET_HELLO_FAILED => HelloFailed { code: HelloFailedCode, data: Bytes, },
        OFPET_BAD_REQUEST => BadRequest { code: BadRequestCode, data: Bytes, },
        OFPET_BAD_ACTION => BadAction { code: BadActionCode, data: Bytes, },
        OFPET_FLOW_MOD_FAILED => FlowModFailed { code: FlowModFailedCode, data: Bytes, },
        OFPET_PORT_MOD_FAILED => PortModFailed { code: PortModFailedCode, data: Bytes, },
        OFPET_QUEUE_OP_FAILED => QueueOpFailed { code: QueueOpFailedCode, data: Bytes, },
        NXET_VENDOR => NxVendor(error: NxVendorError),
        _ => Unknown,
    }
}
tagged!(Error);

/// The standard's names of an error type and code of 1.0.
pub fn error_names(ty: u16, code: u16) -> (Option<&'static str>, Option<&'static str>) {
    let name = match ty {
        0 => HelloFailedCode(code).name(),
        1 => BadRequestCode(code).name(),
        2 => BadActionCode(code).name(),
        3 => FlowModFailedCode(code).name(),
        4 => PortModFailedCode(code).name(),
        5 => QueueOpFailedCode(code).name(),
        _ => None,
    };
    (ErrorType(ty).name(), name)
}
