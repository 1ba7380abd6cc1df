use crate::error::ErrorCode;

/// The standard's names of an error type and code of OF 1.3 (OF 1.3.5 7.4.4).
pub const fn error_names(error: ErrorCode) -> (Option<&'static str>, Option<&'static str>) {
    match error.ty {
        0 => (Some("OFPET_HELLO_FAILED"), ofphfc(error.code)),
        1 => (Some("OFPET_BAD_REQUEST"), ofpbrc(error.code)),
        2 => (Some("OFPET_BAD_ACTION"), ofpbac(error.code)),
        3 => (Some("OFPET_BAD_INSTRUCTION"), ofpbic(error.code)),
        4 => (Some("OFPET_BAD_MATCH"), ofpbmc(error.code)),
        5 => (Some("OFPET_FLOW_MOD_FAILED"), ofpfmfc(error.code)),
        6 => (Some("OFPET_GROUP_MOD_FAILED"), ofpgmfc(error.code)),
        7 => (Some("OFPET_PORT_MOD_FAILED"), ofppmfc(error.code)),
        8 => (Some("OFPET_TABLE_MOD_FAILED"), ofptmfc(error.code)),
        9 => (Some("OFPET_QUEUE_OP_FAILED"), ofpqofc(error.code)),
        10 => (Some("OFPET_SWITCH_CONFIG_FAILED"), ofpscfc(error.code)),
        11 => (Some("OFPET_ROLE_REQUEST_FAILED"), ofprrfc(error.code)),
        12 => (Some("OFPET_METER_MOD_FAILED"), ofpmmfc(error.code)),
        13 => (Some("OFPET_TABLE_FEATURES_FAILED"), ofptffc(error.code)),
        0xffff => (Some("OFPET_EXPERIMENTER"), None),
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
        2 => "OFPBRC_BAD_MULTIPART",
        3 => "OFPBRC_BAD_EXPERIMENTER",
        4 => "OFPBRC_BAD_EXP_TYPE",
        5 => "OFPBRC_EPERM",
        6 => "OFPBRC_BAD_LEN",
        7 => "OFPBRC_BUFFER_EMPTY",
        8 => "OFPBRC_BUFFER_UNKNOWN",
        9 => "OFPBRC_BAD_TABLE_ID",
        10 => "OFPBRC_IS_SLAVE",
        11 => "OFPBRC_BAD_PORT",
        12 => "OFPBRC_BAD_PACKET",
        13 => "OFPBRC_MULTIPART_BUFFER_OVERFLOW",
        _ => return None,
    })
}

const fn ofpbac(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPBAC_BAD_TYPE",
        1 => "OFPBAC_BAD_LEN",
        2 => "OFPBAC_BAD_EXPERIMENTER",
        3 => "OFPBAC_BAD_EXP_TYPE",
        4 => "OFPBAC_BAD_OUT_PORT",
        5 => "OFPBAC_BAD_ARGUMENT",
        6 => "OFPBAC_EPERM",
        7 => "OFPBAC_TOO_MANY",
        8 => "OFPBAC_BAD_QUEUE",
        9 => "OFPBAC_BAD_OUT_GROUP",
        10 => "OFPBAC_MATCH_INCONSISTENT",
        11 => "OFPBAC_UNSUPPORTED_ORDER",
        12 => "OFPBAC_BAD_TAG",
        13 => "OFPBAC_BAD_SET_TYPE",
        14 => "OFPBAC_BAD_SET_LEN",
        15 => "OFPBAC_BAD_SET_ARGUMENT",
        _ => return None,
    })
}

const fn ofpbic(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPBIC_UNKNOWN_INST",
        1 => "OFPBIC_UNSUP_INST",
        2 => "OFPBIC_BAD_TABLE_ID",
        3 => "OFPBIC_UNSUP_METADATA",
        4 => "OFPBIC_UNSUP_METADATA_MASK",
        5 => "OFPBIC_BAD_EXPERIMENTER",
        6 => "OFPBIC_BAD_EXP_TYPE",
        7 => "OFPBIC_BAD_LEN",
        8 => "OFPBIC_EPERM",
        _ => return None,
    })
}

const fn ofpbmc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPBMC_BAD_TYPE",
        1 => "OFPBMC_BAD_LEN",
        2 => "OFPBMC_BAD_TAG",
        3 => "OFPBMC_BAD_DL_ADDR_MASK",
        4 => "OFPBMC_BAD_NW_ADDR_MASK",
        5 => "OFPBMC_BAD_WILDCARDS",
        6 => "OFPBMC_BAD_FIELD",
        7 => "OFPBMC_BAD_VALUE",
        8 => "OFPBMC_BAD_MASK",
        9 => "OFPBMC_BAD_PREREQ",
        10 => "OFPBMC_DUP_FIELD",
        11 => "OFPBMC_EPERM",
        _ => return None,
    })
}

const fn ofpfmfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPFMFC_UNKNOWN",
        1 => "OFPFMFC_TABLE_FULL",
        2 => "OFPFMFC_BAD_TABLE_ID",
        3 => "OFPFMFC_OVERLAP",
        4 => "OFPFMFC_EPERM",
        5 => "OFPFMFC_BAD_TIMEOUT",
        6 => "OFPFMFC_BAD_COMMAND",
        7 => "OFPFMFC_BAD_FLAGS",
        _ => return None,
    })
}

const fn ofpgmfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPGMFC_GROUP_EXISTS",
        1 => "OFPGMFC_INVALID_GROUP",
        2 => "OFPGMFC_WEIGHT_UNSUPPORTED",
        3 => "OFPGMFC_OUT_OF_GROUPS",
        4 => "OFPGMFC_OUT_OF_BUCKETS",
        5 => "OFPGMFC_CHAINING_UNSUPPORTED",
        6 => "OFPGMFC_WATCH_UNSUPPORTED",
        7 => "OFPGMFC_LOOP",
        8 => "OFPGMFC_UNKNOWN_GROUP",
        9 => "OFPGMFC_CHAINED_GROUP",
        10 => "OFPGMFC_BAD_TYPE",
        11 => "OFPGMFC_BAD_COMMAND",
        12 => "OFPGMFC_BAD_BUCKET",
        13 => "OFPGMFC_BAD_WATCH",
        14 => "OFPGMFC_EPERM",
        _ => return None,
    })
}

const fn ofppmfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPPMFC_BAD_PORT",
        1 => "OFPPMFC_BAD_HW_ADDR",
        2 => "OFPPMFC_BAD_CONFIG",
        3 => "OFPPMFC_BAD_ADVERTISE",
        4 => "OFPPMFC_EPERM",
        _ => return None,
    })
}

const fn ofptmfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPTMFC_BAD_TABLE",
        1 => "OFPTMFC_BAD_CONFIG",
        2 => "OFPTMFC_EPERM",
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

const fn ofpscfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPSCFC_BAD_FLAGS",
        1 => "OFPSCFC_BAD_LEN",
        2 => "OFPSCFC_EPERM",
        _ => return None,
    })
}

const fn ofprrfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPRRFC_STALE",
        1 => "OFPRRFC_UNSUP",
        2 => "OFPRRFC_BAD_ROLE",
        _ => return None,
    })
}

const fn ofpmmfc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPMMFC_UNKNOWN",
        1 => "OFPMMFC_METER_EXISTS",
        2 => "OFPMMFC_INVALID_METER",
        3 => "OFPMMFC_UNKNOWN_METER",
        4 => "OFPMMFC_BAD_COMMAND",
        5 => "OFPMMFC_BAD_FLAGS",
        6 => "OFPMMFC_BAD_RATE",
        7 => "OFPMMFC_BAD_BURST",
        8 => "OFPMMFC_BAD_BAND",
        9 => "OFPMMFC_BAD_BAND_VALUE",
        10 => "OFPMMFC_OUT_OF_METERS",
        11 => "OFPMMFC_OUT_OF_BANDS",
        _ => return None,
    })
}

const fn ofptffc(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OFPTFFC_BAD_TABLE",
        1 => "OFPTFFC_BAD_METADATA",
        2 => "OFPTFFC_BAD_TYPE",
        3 => "OFPTFFC_BAD_LEN",
        4 => "OFPTFFC_BAD_ARGUMENT",
        5 => "OFPTFFC_EPERM",
        _ => return None,
    })
}
