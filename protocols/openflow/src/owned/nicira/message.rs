//! Nicira messages (`NXT_*`), in vendor messages of 1.0 and experimenter messages of later versions.

use super::group::NxGroupMod;
use super::parts::Actions;
use crate::owned::common::since_14::AsyncConfig;
use crate::owned::common::{BufferId, FlowRemovedReasons, Oxm, PacketInReasons, PortReasons, TableId};
use crate::owned::v10::{FlowModFlags, PortNo};
use crate::v13::{FlowRemovedReason, PacketInReason};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{choice, open_enum, structure, tagged, tlv};

open_enum! {
    /// Subtypes of Nicira messages.
    pub NxMessageType(u32) {
        NXT_ROLE_REQUEST = 10,
        NXT_ROLE_REPLY = 11,
        NXT_SET_FLOW_FORMAT = 12,
        NXT_FLOW_MOD = 13,
        NXT_FLOW_REMOVED = 14,
        NXT_FLOW_MOD_TABLE_ID = 15,
        NXT_SET_PACKET_IN_FORMAT = 16,
        NXT_PACKET_IN = 17,
        NXT_FLOW_AGE = 18,
        NXT_SET_ASYNC_CONFIG = 19,
        NXT_SET_CONTROLLER_ID = 20,
        NXT_FLOW_MONITOR_CANCEL = 21,
        NXT_FLOW_MONITOR_PAUSED = 22,
        NXT_FLOW_MONITOR_RESUMED = 23,
        NXT_TLV_TABLE_MOD = 24,
        NXT_TLV_TABLE_REQUEST = 25,
        NXT_TLV_TABLE_REPLY = 26,
        NXT_SET_ASYNC_CONFIG2 = 27,
        NXT_RESUME = 28,
        NXT_CT_FLUSH_ZONE = 29,
        NXT_PACKET_IN2 = 30,
        NXT_GROUP_MOD = 31,
        NXT_CT_FLUSH = 32,
        NXT_REQUESTFORWARD = 132,
    }
}

open_enum! {
    /// `nx_role`: the old names are master and slave.
    pub NxRole(u32) { NX_ROLE_OTHER = 0, NX_ROLE_PRIMARY = 1, NX_ROLE_SECONDARY = 2 }
}

open_enum! {
    /// `nx_flow_format`.
    pub FlowFormat(u32) { NXFF_OPENFLOW10 = 0, NXFF_NXM = 2 }
}

open_enum! {
    /// `nx_packet_in_format`.
    pub PacketInFormat(u32) { NXPIF_STANDARD = 0, NXPIF_NXT_PACKET_IN = 1, NXPIF_NXT_PACKET_IN2 = 2 }
}

open_enum! {
    /// `nx_tlv_table_mod_command`.
    pub TlvTableModCommand(u16) { NXTTMC_ADD = 0, NXTTMC_DELETE = 1, NXTTMC_CLEAR = 2 }
}

open_enum! {
    /// `nx_packet_in2_prop_type`.
    pub PacketIn2PropType(u16) {
        NXPINT_PACKET = 0,
        NXPINT_FULL_LEN = 1,
        NXPINT_BUFFER_ID = 2,
        NXPINT_TABLE_ID = 3,
        NXPINT_COOKIE = 4,
        NXPINT_REASON = 5,
        NXPINT_METADATA = 6,
        NXPINT_USERDATA = 7,
        NXPINT_CONTINUATION = 8,
    }
}

choice! {
    /// A property of `NXT_PACKET_IN2` and `NXT_RESUME`.
    pub enum PacketIn2Prop("type": PacketIn2PropType) {
        NXPINT_PACKET => Packet { packet: Bytes, },
        NXPINT_FULL_LEN => FullLen { full_len: u32, },
        NXPINT_BUFFER_ID => BufferId { buffer_id: BufferId, },
        NXPINT_TABLE_ID => TableId { table_id: TableId, },
        NXPINT_COOKIE => Cookie { _[4], cookie: u64, },
        NXPINT_REASON => Reason { reason: PacketInReason, },
        NXPINT_METADATA => Metadata { metadata: Vec<Oxm>, },
        NXPINT_USERDATA => Userdata { userdata: Bytes, },
        NXPINT_CONTINUATION => Continuation {
            /// The switch's own.
            continuation: Bytes,
        },
        _ => Unknown,
    }
}
tlv!(PacketIn2Prop, length: u16, answer (1, 6), pad 8);

structure! {
    /// `nx_tlv_map`: a tunnel option and the field that stands for it.
    pub struct TlvMap {
        option_class: u16,
        option_type: u8,
        /// Bytes, a multiple of 4.
        option_len: u8,
        /// Of `NXM_NX_TUN_METADATA<index>`.
        index: u16,
        _[2],
    }
}

structure! {
    /// `nx_flow_mod`.
    pub struct NxFlowMod {
        cookie: u64,
        /// `OFPFC_*`; with `NXT_FLOW_MOD_TABLE_ID` set, the table's number is the high byte.
        command: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        priority: u16,
        buffer_id: BufferId,
        out_port: PortNo,
        flags: FlowModFlags,
        _(match_len: u16),
        _[6],
        nxm_fields: Vec<Oxm> as len(match_len),
        _[align 8],
        actions: Actions,
    }
}

structure! {
    /// `nx_flow_removed`.
    pub struct NxFlowRemoved {
        cookie: u64,
        priority: u16,
        reason: FlowRemovedReason,
        /// The table's number plus 1; 0 where it is not said.
        table_id: u8,
        duration_sec: u32,
        duration_nsec: u32,
        idle_timeout: u16,
        _(match_len: u16),
        packet_count: u64,
        byte_count: u64,
        nxm_fields: Vec<Oxm> as len(match_len),
        _[align 8],
    }
}

structure! {
    /// `nx_packet_in`.
    pub struct NxPacketIn {
        buffer_id: BufferId,
        total_len: u16,
        reason: PacketInReason,
        table_id: TableId,
        cookie: u64,
        _(match_len: u16),
        _[6],
        nxm_fields: Vec<Oxm> as len(match_len),
        _[align 8],
        _[2],
        data: Bytes,
    }
}

structure! {
    /// `nx_async_config`: the first of each pair is for the roles other and primary, the second for secondary.
    pub struct NxAsyncConfig {
        packet_in_mask: [PacketInReasons; 2],
        port_status_mask: [PortReasons; 2],
        flow_removed_mask: [FlowRemovedReasons; 2],
    }
}

choice! {
    /// What follows the vendor's number in a Nicira message.
    pub enum NxMessage("subtype": NxMessageType) {
        NXT_ROLE_REQUEST => RoleRequest { role: NxRole, },
        NXT_ROLE_REPLY => RoleReply { role: NxRole, },
        NXT_SET_FLOW_FORMAT => SetFlowFormat { format: FlowFormat, },
        NXT_FLOW_MOD => FlowMod(flow: NxFlowMod),
        NXT_FLOW_REMOVED => FlowRemoved(flow: NxFlowRemoved),
        NXT_FLOW_MOD_TABLE_ID => FlowModTableId {
            /// 1: the high byte of a flow_mod's command is the table's number.
            set: u8,
            _[7],
        },
        NXT_SET_PACKET_IN_FORMAT => SetPacketInFormat { format: PacketInFormat, },
        NXT_PACKET_IN => PacketIn(packet: NxPacketIn),
        NXT_FLOW_AGE => FlowAge,
        NXT_SET_ASYNC_CONFIG => SetAsyncConfig(config: NxAsyncConfig),
        NXT_SET_CONTROLLER_ID => SetControllerId { _[6], controller_id: u16, },
        NXT_FLOW_MONITOR_CANCEL => FlowMonitorCancel { id: u32, },
        NXT_FLOW_MONITOR_PAUSED => FlowMonitorPaused,
        NXT_FLOW_MONITOR_RESUMED => FlowMonitorResumed,
        NXT_TLV_TABLE_MOD => TlvTableMod { command: TlvTableModCommand, _[6], maps: Vec<TlvMap>, },
        NXT_TLV_TABLE_REQUEST => TlvTableRequest,
        NXT_TLV_TABLE_REPLY => TlvTableReply {
            max_option_space: u32,
            max_fields: u16,
            _[10],
            maps: Vec<TlvMap>,
        },
        NXT_SET_ASYNC_CONFIG2 in 1..=4 => SetAsyncConfig2(config: AsyncConfig),
        NXT_RESUME => Resume { props: Vec<PacketIn2Prop>, },
        NXT_CT_FLUSH_ZONE => CtFlushZone { _[6], zone_id: u16, },
        NXT_PACKET_IN2 => PacketIn2 { props: Vec<PacketIn2Prop>, },
        NXT_GROUP_MOD in 1..=1 => GroupMod(group: NxGroupMod),
        NXT_CT_FLUSH => CtFlush {
            ip_proto: u8,
            _[7],
            /// TLVs of what is to be flushed.
            tlvs: Bytes,
        },
        _ => Unknown,
    }
}
tagged!(NxMessage);
