//! Queues of 1.2 and 1.3 (OF 1.3.5 7.2.2, 7.3.6). Those of 1.4 and later: [`since_14`](super::since_14).

use super::numbers::{ExperimenterId, MaxRate, MinRate, PortNo, QueueId};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_queue_properties` (OF 1.3.5 7.2.2).
    pub QueueProperty(u16) { OFPQT_MIN_RATE = 1, OFPQT_MAX_RATE = 2, OFPQT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_queue_prop_header` and what follows it.
    pub enum QueueProp("property": QueueProperty) {
        OFPQT_MIN_RATE => MinRate {
            _[4],
            rate: MinRate,
            _[6],
        },
        OFPQT_MAX_RATE => MaxRate {
            _[4],
            rate: MaxRate,
            _[6],
        },
        OFPQT_EXPERIMENTER => Experimenter { _[4], experimenter: ExperimenterId, _[4], data: Bytes, },
        _ => Unknown,
    }
}
// OFPET_BAD_REQUEST/OFPBRC_BAD_LEN
tlv!(QueueProp, len: u16, answer (1, 6));

structure! {
    /// `ofp_packet_queue` of 1.2 and 1.3 (OF 1.3.5 7.2.2).
    pub struct PacketQueue {
        queue_id: QueueId,
        port: PortNo,
        _{len: u16},
        _[6],
        properties: Vec<QueueProp>,
    }
}

structure! {
    /// `ofp_queue_get_config_request` of 1.1 to 1.3 (OF 1.3.5 7.3.6).
    pub struct QueueGetConfigRequest {
        port: PortNo,
        _[4],
    }
}

structure! {
    /// `ofp_queue_get_config_reply` of 1.2 and 1.3 (OF 1.3.5 7.3.6).
    pub struct QueueGetConfigReply {
        port: PortNo,
        _[4],
        queues: Vec<PacketQueue>,
    }
}

structure! {
    /// `ofp_queue_stats_request` (OF 1.3.5 7.3.5.8).
    pub struct QueueStatsRequest {
        port_no: PortNo,
        queue_id: QueueId,
    }
}

structure! {
    /// `ofp_queue_stats` of 1.3 (OF 1.3.5 7.3.5.8).
    pub struct QueueStats {
        port_no: PortNo,
        queue_id: QueueId,
        tx_bytes: u64,
        tx_packets: u64,
        tx_errors: u64,
        duration_sec: u32,
        duration_nsec: u32,
    }
}
