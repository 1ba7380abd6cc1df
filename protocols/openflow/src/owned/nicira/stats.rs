//! Nicira statistics (`NXST_*`): vendor stats of 1.0, experimenter multiparts of later versions.

use super::group::{NxGroupDesc, NxGroupFeatures};
use super::parts::Actions;
use crate::owned::common::{AggregateStats, GroupStats, GroupStatsRequest, Oxm, TableId};
use crate::owned::v10::PortNo;
use ferroflow_wire::{bit_flags, choice, ltv, open_enum, structure, tagged};

open_enum! {
    /// Subtypes of Nicira statistics.
    pub NxStatsType(u32) {
        NXST_FLOW = 0,
        NXST_AGGREGATE = 1,
        NXST_FLOW_MONITOR = 2,
        NXST_IPFIX_BRIDGE = 3,
        NXST_IPFIX_FLOW = 4,
        NXST_GROUP = 7,
        NXST_GROUP_DESC = 8,
        NXST_GROUP_FEATURES = 9,
    }
}

structure! {
    /// `nx_flow_stats_request`; aggregate requests have the same form.
    pub struct NxFlowStatsRequest {
        out_port: PortNo,
        _(match_len: u16),
        table_id: TableId,
        _[3],
        nxm_fields: Vec<Oxm> as len(match_len),
        _[align 8],
    }
}

structure! {
    /// `nx_flow_stats`.
    pub struct NxFlowStats {
        _{length: u16},
        table_id: TableId,
        _[1],
        duration_sec: u32,
        duration_nsec: u32,
        priority: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        _(match_len: u16),
        /// Seconds since the last packet, plus 1; 0 where it is not known.
        idle_age: u16,
        /// Seconds since the last change, plus 1; 0 where it is not known.
        hard_age: u16,
        cookie: u64,
        packet_count: u64,
        byte_count: u64,
        nxm_fields: Vec<Oxm> as len(match_len),
        _[align 8],
        actions: Actions,
    }
}

bit_flags! {
    /// `nx_flow_monitor_flags`.
    pub FlowMonitorFlags(u16) {
        NXFMF_INITIAL = 1 << 0,
        NXFMF_ADD = 1 << 1,
        NXFMF_DELETE = 1 << 2,
        NXFMF_MODIFY = 1 << 3,
        NXFMF_ACTIONS = 1 << 4,
        NXFMF_OWN = 1 << 5,
    }
}

structure! {
    /// `nx_flow_monitor_request`.
    pub struct NxFlowMonitorRequest {
        id: u32,
        flags: FlowMonitorFlags,
        out_port: PortNo,
        _(match_len: u16),
        table_id: TableId,
        _[5],
        nxm_fields: Vec<Oxm> as len(match_len),
        _[align 8],
    }
}

open_enum! {
    /// `nx_flow_update_event`.
    pub FlowUpdateEvent(u16) { NXFME_ADDED = 0, NXFME_DELETED = 1, NXFME_MODIFIED = 2, NXFME_ABBREV = 3 }
}

structure! {
    /// `nx_flow_update_full` after its header.
    pub struct FlowUpdateFull {
        /// `OFPRR_*` for `NXFME_DELETED`, else 0.
        reason: u16,
        priority: u16,
        idle_timeout: u16,
        hard_timeout: u16,
        _(match_len: u16),
        table_id: TableId,
        _[1],
        cookie: u64,
        nxm_fields: Vec<Oxm> as len(match_len),
        // Of the match: the structure began four bytes earlier.
        _[align 4],
        actions: Actions,
    }
}

choice! {
    /// `nx_flow_update_header` and what follows it.
    pub enum FlowUpdate("event": FlowUpdateEvent) {
        NXFME_ADDED => Added(update: FlowUpdateFull),
        NXFME_DELETED => Deleted(update: FlowUpdateFull),
        NXFME_MODIFIED => Modified(update: FlowUpdateFull),
        NXFME_ABBREV => Abbrev { xid: u32, },
        _ => Unknown,
    }
}
// OFPET_BAD_REQUEST/OFPBRC_BAD_LEN
ltv!(FlowUpdate, length: u16, answer (1, 6));

structure! {
    /// `nx_ipfix_stats_reply`.
    pub struct IpfixStats {
        total_flows: u64,
        current_flows: u64,
        pkts: u64,
        ipv4_pkts: u64,
        ipv6_pkts: u64,
        error_pkts: u64,
        ipv4_error_pkts: u64,
        ipv6_error_pkts: u64,
        tx_pkts: u64,
        tx_errors: u64,
        collector_set_id: u32,
        _[4],
    }
}

/// Requests and replies are the same in every version, but for four bytes of padding after the subtype in 1.0.
macro_rules! nx_stats {
    ($request:ident, $reply:ident, $what:literal, $($pad:tt)*) => {
        choice! {
            #[doc = concat!("What follows the vendor's number in a Nicira ", $what, " request.")]
            pub enum $request("subtype": NxStatsType) {
                NXST_FLOW => Flow { $($pad)* request: NxFlowStatsRequest as flat, },
                NXST_AGGREGATE => Aggregate { $($pad)* request: NxFlowStatsRequest as flat, },
                NXST_FLOW_MONITOR => FlowMonitor { $($pad)* monitors: Vec<NxFlowMonitorRequest>, },
                NXST_IPFIX_BRIDGE => IpfixBridge { $($pad)* },
                NXST_IPFIX_FLOW => IpfixFlow { $($pad)* },
                NXST_GROUP in 1..=1 => Group { $($pad)* request: GroupStatsRequest as flat, },
                NXST_GROUP_DESC in 1..=1 => GroupDesc { $($pad)* request: GroupStatsRequest as flat, },
                NXST_GROUP_FEATURES in 1..=1 => GroupFeatures { $($pad)* },
                _ => Unknown,
            }
        }
        tagged!($request);

        choice! {
            #[doc = concat!("What follows the vendor's number in a Nicira ", $what, " reply.")]
            pub enum $reply("subtype": NxStatsType) {
                NXST_FLOW => Flow { $($pad)* body: Vec<NxFlowStats>, },
                NXST_AGGREGATE => Aggregate { $($pad)* stats: AggregateStats as flat, },
                NXST_FLOW_MONITOR => FlowMonitor { $($pad)* updates: Vec<FlowUpdate>, },
                NXST_IPFIX_BRIDGE => IpfixBridge { $($pad)* stats: IpfixStats as flat, },
                NXST_IPFIX_FLOW => IpfixFlow { $($pad)* body: Vec<IpfixStats>, },
                NXST_GROUP in 1..=1 => Group { $($pad)* body: Vec<GroupStats>, },
                NXST_GROUP_DESC in 1..=1 => GroupDesc { $($pad)* body: Vec<NxGroupDesc>, },
                NXST_GROUP_FEATURES in 1..=1 => GroupFeatures { $($pad)* features: NxGroupFeatures as flat, },
                _ => Unknown,
            }
        }
        tagged!($reply);
    };
}

nx_stats!(NxStatsRequest, NxStatsReply, "stats", _[4],);
nx_stats!(NxMultipartRequest, NxMultipartReply, "multipart",);
