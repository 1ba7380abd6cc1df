//! How a switch sees its controllers, asked for or told (OF 1.5.1 7.2.7).

use super::numbers::ShortId;
use crate::owned::common::ControllerRole;
use crate::owned::common::since_14::{BAD_LEN, ExperimenterProp};
use ferroflow_wire::codec::Text;
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_controller_status_reason` (OF 1.5.1 7.2.7).
    pub ControllerStatusReason(u8) {
        OFPCSR_REQUEST = 0,
        OFPCSR_CHANNEL_STATUS = 1,
        OFPCSR_ROLE = 2,
        OFPCSR_CONTROLLER_ADDED = 3,
        OFPCSR_CONTROLLER_REMOVED = 4,
        OFPCSR_SHORT_ID = 5,
        OFPCSR_EXPERIMENTER = 6,
    }
}

bit_flags! {
    /// A set of `ofp_controller_status_reason`, bit `n` for reason `n` (OF 1.5.1 7.3.10).
    pub ControllerStatusReasons(u32) {
        OFPCSR_REQUEST = 1 << 0,
        OFPCSR_CHANNEL_STATUS = 1 << 1,
        OFPCSR_ROLE = 1 << 2,
        OFPCSR_CONTROLLER_ADDED = 1 << 3,
        OFPCSR_CONTROLLER_REMOVED = 1 << 4,
        OFPCSR_SHORT_ID = 1 << 5,
        OFPCSR_EXPERIMENTER = 1 << 6,
    }
}

open_enum! {
    /// `ofp_control_channel_status` (OF 1.5.1 7.2.7).
    pub ControlChannelStatus(u8) { OFPCT_STATUS_UP = 0, OFPCT_STATUS_DOWN = 1 }
}

open_enum! {
    /// `ofp_controller_status_prop_type` (OF 1.5.1 7.2.7).
    pub ControllerStatusPropType(u16) { OFPCSPT_URI = 0, OFPCSPT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_controller_status_prop_header` and what follows it.
    pub enum ControllerStatusProp("type": ControllerStatusPropType) {
        OFPCSPT_URI => Uri {
            /// Of the connection: `protocol:address:port` (OF 1.5.1 6.3.1).
            uri: Text,
        },
        OFPCSPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(ControllerStatusProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_controller_status` (OF 1.5.1 7.2.7).
    pub struct ControllerStatus {
        _{length: u16},
        short_id: ShortId,
        role: ControllerRole,
        reason: ControllerStatusReason,
        channel_status: ControlChannelStatus,
        _[6],
        properties: Vec<ControllerStatusProp>,
    }
}
