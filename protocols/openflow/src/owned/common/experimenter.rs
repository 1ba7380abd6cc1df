//! Experimenter messages and multiparts of 1.1 and later (OF 1.3.5 7.5.4, 7.3.5.16).

use super::numbers::ExperimenterId;
use crate::owned::nicira::{NxMessage, NxMultipartReply, NxMultipartRequest};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, structure, tagged};

structure! {
    /// What follows an experimenter's number in its messages and multiparts.
    pub struct ExpTypeAndData {
        /// The experimenter's own type.
        exp_type: u32,
        data: Bytes,
    }
}

choice! {
    /// `ofp_experimenter_header` and what follows it.
    pub enum Experimenter("experimenter": ExperimenterId) {
        NX_VENDOR_ID => Nicira(message: NxMessage),
        _ => Unknown[ExpTypeAndData],
    }
}
tagged!(Experimenter);

choice! {
    /// `ofp_experimenter_multipart_header` of a request, and what follows it (OF 1.3.5 7.3.5.16).
    pub enum ExperimenterRequest("experimenter": ExperimenterId) {
        NX_VENDOR_ID => Nicira(request: NxMultipartRequest),
        _ => Unknown[ExpTypeAndData],
    }
}
tagged!(ExperimenterRequest);

choice! {
    /// `ofp_experimenter_multipart_header` of a reply, and what follows it (OF 1.3.5 7.3.5.16).
    pub enum ExperimenterReply("experimenter": ExperimenterId) {
        NX_VENDOR_ID => Nicira(reply: NxMultipartReply),
        _ => Unknown[ExpTypeAndData],
    }
}
tagged!(ExperimenterReply);
