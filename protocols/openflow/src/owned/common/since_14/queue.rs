//! Queues of 1.4 and later (OF 1.4.1 7.3.5).

use super::property::{BAD_LEN, ExperimenterProp};
use crate::owned::common::{MaxRate, MinRate, PortNo, QueueId};
use ferroflow_wire::{choice, open_enum, structure, tlv};

structure! {
    /// `ofp_queue_desc_request` (OF 1.4.1 7.3.5).
    pub struct QueueDescRequest {
        port_no: PortNo,
        queue_id: QueueId,
    }
}

open_enum! {
    /// `ofp_queue_desc_prop_type` (OF 1.4.1 7.3.5).
    pub QueueDescPropType(u16) { OFPQDPT_MIN_RATE = 1, OFPQDPT_MAX_RATE = 2, OFPQDPT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_queue_desc_prop_header` and what follows it.
    pub enum QueueDescProp("type": QueueDescPropType) {
        OFPQDPT_MIN_RATE => MinRate { rate: MinRate, _[2], },
        OFPQDPT_MAX_RATE => MaxRate { rate: MaxRate, _[2], },
        OFPQDPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(QueueDescProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_queue_desc` (OF 1.4.1 7.3.5).
    pub struct QueueDesc {
        port_no: PortNo,
        queue_id: QueueId,
        _{len: u16},
        _[6],
        properties: Vec<QueueDescProp>,
    }
}

open_enum! {
    /// `ofp_queue_stats_prop_type` (OF 1.4.1 7.3.5).
    pub QueueStatsPropType(u16) { OFPQSPT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_queue_stats_prop_header` and what follows it.
    pub enum QueueStatsProp("type": QueueStatsPropType) {
        OFPQSPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(QueueStatsProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_queue_stats` (OF 1.4.1 7.3.5). A counter that the switch does not have is all ones.
    pub struct QueueStats {
        _{length: u16},
        _[6],
        port_no: PortNo,
        queue_id: QueueId,
        tx_bytes: u64,
        tx_packets: u64,
        tx_errors: u64,
        duration_sec: u32,
        duration_nsec: u32,
        properties: Vec<QueueStatsProp>,
    }
}
