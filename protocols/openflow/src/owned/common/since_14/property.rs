//! What all experimenters' properties have in common.

use crate::owned::common::ExperimenterId;
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::structure;

/// `OFPET_BAD_PROPERTY`/`OFPBPC_BAD_LEN`, the answer to a property of an impossible length.
pub(crate) const BAD_LEN: (u16, u16) = (14, 1);

structure! {
    /// What follows type and length of an experimenter's property, `ofp_port_desc_prop_experimenter` and its like.
    pub struct ExperimenterProp {
        experimenter: ExperimenterId,
        /// The experimenter's own type.
        exp_type: u32,
        experimenter_data: Bytes,
    }
}
