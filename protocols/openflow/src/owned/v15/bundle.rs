//! Messages that carry a message of 1.5. Bundles otherwise are those of 1.4.

use super::Message;
use crate::owned::common::since_14::{BundleFlags, BundleProp};
use ferroflow_wire::structure;

structure! {
    /// `ofp_bundle_add_msg` (OF 1.5.1 7.3.9).
    pub struct BundleAddMsg {
        bundle_id: u32,
        _[2],
        flags: BundleFlags,
        /// Its xid is that of the message around it.
        message: Box<Message>,
        properties: Vec<BundleProp> as padded(8),
    }
}

structure! {
    /// `ofp_requestforward_header`: a change that another controller made (OF 1.5.1 7.4.6).
    pub struct Requestforward {
        /// A `OFPT_GROUP_MOD` or `OFPT_METER_MOD`.
        request: Box<Message>,
    }
}
