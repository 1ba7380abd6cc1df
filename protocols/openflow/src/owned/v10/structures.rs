//! Structures of 1.0: match, switch ports, queues.

use super::numbers::{PortConfig, PortFeatures, PortNo, PortState, VlanId, Wildcards};
use crate::owned::common::{MinRate, QueueId};
use ferroflow_wire::MacAddr;
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::{choice, open_enum, structure, tlv};
use std::net::Ipv4Addr;

structure! {
    /// `ofp_match` (OF 1.0 5.2.3).
    pub struct Match {
        wildcards: Wildcards,
        in_port: PortNo,
        dl_src: MacAddr,
        dl_dst: MacAddr,
        dl_vlan: VlanId,
        dl_vlan_pcp: u8,
        _[1],
        dl_type: u16,
        nw_tos: u8,
        nw_proto: u8,
        _[2],
        nw_src: Ipv4Addr,
        nw_dst: Ipv4Addr,
        tp_src: u16,
        tp_dst: u16,
    }
}

structure! {
    /// `ofp_phy_port` (OF 1.0 5.2.1).
    pub struct PhyPort {
        port_no: PortNo,
        hw_addr: MacAddr,
        name: FixedStr<16>,
        config: PortConfig,
        state: PortState,
        curr: PortFeatures,
        advertised: PortFeatures,
        supported: PortFeatures,
        peer: PortFeatures,
    }
}

open_enum! {
    /// `ofp_queue_properties` (OF 1.0 5.2.2).
    pub QueueProperty(u16) { OFPQT_NONE = 0, OFPQT_MIN_RATE = 1 }
}

choice! {
    /// `ofp_queue_prop_header` and what follows it (OF 1.0 5.2.2).
    pub enum QueueProp("property": QueueProperty) {
        OFPQT_NONE => None { _[4], },
        OFPQT_MIN_RATE => MinRate {
            _[4],
            rate: MinRate,
            _[6],
        },
        _ => Unknown,
    }
}
// OFPET_BAD_REQUEST/OFPBRC_BAD_LEN
tlv!(QueueProp, len: u16, answer (1, 6));

structure! {
    /// `ofp_packet_queue` (OF 1.0 5.2.2).
    pub struct PacketQueue {
        queue_id: QueueId,
        _{len: u16},
        _[2],
        properties: Vec<QueueProp>,
    }
}
