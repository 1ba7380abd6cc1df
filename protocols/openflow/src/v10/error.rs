use crate::error::ErrorCode;

/// The standard's names of an error type and code of OF 1.0 (5.4.4).
pub const fn error_names(error: ErrorCode) -> (Option<&'static str>, Option<&'static str>) {
    match error.ty {
        0 => (Some("OFPET_HELLO_FAILED"), ofphfc(error.code)),
        1 => (Some("OFPET_BAD_REQUEST"), ofpbrc(error.code)),
        2 => (Some("OFPET_BAD_ACTION"), ofpbac(error.code)),
        3 => (Some("OFPET_FLOW_MOD_FAILED"), ofpfmfc(error.code)),
        4 => (Some("OFPET_PORT_MOD_FAILED"), ofppmfc(error.code)),
        5 => (Some("OFPET_QUEUE_OP_FAILED"), ofpqofc(error.code)),
        _ => (None, None),
    }
}

const fn ofphfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPHFC_INCOMPATIBLE",
        1 => "OFPHFC_EPERM",
        _ => return None,
    })
}

const fn ofpbrc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPBRC_BAD_VERSION",
        1 => "OFPBRC_BAD_TYPE",
        2 => "OFPBRC_BAD_STAT",
        3 => "OFPBRC_BAD_VENDOR",
        4 => "OFPBRC_BAD_SUBTYPE",
        5 => "OFPBRC_EPERM",
        6 => "OFPBRC_BAD_LEN",
        7 => "OFPBRC_BUFFER_EMPTY",
        8 => "OFPBRC_BUFFER_UNKNOWN",
        _ => return None,
    })
}

const fn ofpbac(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPBAC_BAD_TYPE",
        1 => "OFPBAC_BAD_LEN",
        2 => "OFPBAC_BAD_VENDOR",
        3 => "OFPBAC_BAD_VENDOR_TYPE",
        4 => "OFPBAC_BAD_OUT_PORT",
        5 => "OFPBAC_BAD_ARGUMENT",
        6 => "OFPBAC_EPERM",
        7 => "OFPBAC_TOO_MANY",
        8 => "OFPBAC_BAD_QUEUE",
        _ => return None,
    })
}

const fn ofpfmfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPFMFC_ALL_TABLES_FULL",
        1 => "OFPFMFC_OVERLAP",
        2 => "OFPFMFC_EPERM",
        3 => "OFPFMFC_BAD_EMERG_TIMEOUT",
        4 => "OFPFMFC_BAD_COMMAND",
        5 => "OFPFMFC_UNSUPPORTED",
        _ => return None,
    })
}

const fn ofppmfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPPMFC_BAD_PORT",
        1 => "OFPPMFC_BAD_HW_ADDR",
        _ => return None,
    })
}

const fn ofpqofc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPQOFC_BAD_PORT",
        1 => "OFPQOFC_BAD_QUEUE",
        2 => "OFPQOFC_EPERM",
        _ => return None,
    })
}
