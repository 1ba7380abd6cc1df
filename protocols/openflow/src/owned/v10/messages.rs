//! Messages of 1.0 but for statistics.

use super::action::Action;
use super::numbers::{ActionTypes, Capabilities, FlowModFlags, PortConfig, PortFeatures, PortNo};
use super::structures::{Match, PacketQueue, PhyPort};
use crate::owned::common::{BufferId, ConfigFlags, ExperimenterId};
use crate::owned::nicira::NxMessage;
use crate::v10::{FlowModCommand, FlowRemovedReason, PacketInReason, PortReason};
use ferroflow_wire::MacAddr;
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, structure, tagged};

choice! {
    /// `ofp_vendor_header` and what follows it (OF 1.0 5.5.4).
    pub enum Vendor("vendor": ExperimenterId) {
        NX_VENDOR_ID => Nicira(message: NxMessage),
        _ => Unknown,
    }
}
tagged!(Vendor);

structure! {
    /// `ofp_switch_features` (OF 1.0 5.3.1).
    pub struct SwitchFeatures {
        datapath_id: u64,
        /// Packets that the switch can buffer.
        n_buffers: u32,
        n_tables: u8,
        _[3],
        capabilities: Capabilities,
        actions: ActionTypes,
        ports: Vec<PhyPort>,
    }
}

structure! {
    /// `ofp_switch_config` (OF 1.0 5.3.2).
    pub struct SwitchConfig {
        flags: ConfigFlags,
        miss_send_len: u16,
    }
}

structure! {
    /// `ofp_packet_in` (OF 1.0 5.4.1).
    pub struct PacketIn {
        buffer_id: BufferId,
        /// Bytes of the whole packet.
        total_len: u16,
        in_port: PortNo,
        reason: PacketInReason,
        _[1],
        data: Bytes,
    }
}

structure! {
    /// `ofp_flow_removed` (OF 1.0 5.4.2).
    pub struct FlowRemoved {
        r#match: Match,
        cookie: u64,
        priority: u16,
        reason: FlowRemovedReason,
        _[1],
        duration_sec: u32,
        duration_nsec: u32,
        idle_timeout: u16,
        _[2],
        packet_count: u64,
        byte_count: u64,
    }
}

structure! {
    /// `ofp_port_status` (OF 1.0 5.4.3).
    pub struct PortStatus {
        reason: PortReason,
        _[7],
        desc: PhyPort,
    }
}

structure! {
    /// `ofp_packet_out` (OF 1.0 5.3.6).
    pub struct PacketOut {
        buffer_id: BufferId,
        in_port: PortNo,
        _(actions_len: u16),
        actions: Vec<Action> as len(actions_len),
        data: Bytes,
    }
}

structure! {
    /// `ofp_flow_mod` (OF 1.0 5.3.3).
    pub struct FlowMod {
        r#match: Match,
        cookie: u64,
        command: FlowModCommand,
        /// Seconds without a packet; 0 for never.
        idle_timeout: u16,
        /// Seconds; 0 for never.
        hard_timeout: u16,
        priority: u16,
        buffer_id: BufferId,
        /// For deletes: a flow must output here; `OFPP_NONE` for no such restriction.
        out_port: PortNo,
        flags: FlowModFlags,
        actions: Vec<Action>,
    }
}

structure! {
    /// `ofp_port_mod` (OF 1.0 5.3.3).
    pub struct PortMod {
        port_no: PortNo,
        hw_addr: MacAddr,
        config: PortConfig,
        mask: PortConfig,
        advertise: PortFeatures,
        _[4],
    }
}

structure! {
    /// `ofp_queue_get_config_request` (OF 1.0 5.3.4).
    pub struct QueueGetConfigRequest {
        port: PortNo,
        _[2],
    }
}

structure! {
    /// `ofp_queue_get_config_reply` (OF 1.0 5.3.4).
    pub struct QueueGetConfigReply {
        port: PortNo,
        _[6],
        queues: Vec<PacketQueue>,
    }
}
