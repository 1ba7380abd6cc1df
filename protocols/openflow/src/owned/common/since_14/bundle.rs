//! Bundles of messages that are applied together, 1.4 and later (OF 1.4.1 7.3.9). The message that adds a message to a bundle
//! carries one of its own version, and is in the module of the version.

use super::property::{BAD_LEN, ExperimenterProp};
use crate::owned::v15::Time;
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_bundle_ctrl_type` (OF 1.4.1 7.3.9).
    pub BundleCtrlType(u16) {
        OFPBCT_OPEN_REQUEST = 0,
        OFPBCT_OPEN_REPLY = 1,
        OFPBCT_CLOSE_REQUEST = 2,
        OFPBCT_CLOSE_REPLY = 3,
        OFPBCT_COMMIT_REQUEST = 4,
        OFPBCT_COMMIT_REPLY = 5,
        OFPBCT_DISCARD_REQUEST = 6,
        OFPBCT_DISCARD_REPLY = 7,
    }
}

bit_flags! {
    /// `ofp_bundle_flags` (OF 1.4.1 7.3.9; the last is of 1.5).
    pub BundleFlags(u16) { OFPBF_ATOMIC = 1 << 0, OFPBF_ORDERED = 1 << 1, OFPBF_TIME = 1 << 2 }
}

open_enum! {
    /// `ofp_bundle_prop_type` (OF 1.4.1 7.3.9; `OFPBPT_TIME` is of 1.5).
    pub BundlePropType(u16) { OFPBPT_TIME = 1, OFPBPT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_bundle_prop_header` and what follows it.
    pub enum BundleProp("type": BundlePropType) {
        OFPBPT_TIME in 6..=6 => Time {
            _[4],
            /// When the bundle is to be committed.
            scheduled_time: Time,
        },
        OFPBPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(BundleProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_bundle_ctrl_msg` (OF 1.4.1 7.3.9).
    pub struct BundleCtrlMsg {
        bundle_id: u32,
        r#type: BundleCtrlType,
        flags: BundleFlags,
        properties: Vec<BundleProp>,
    }
}
