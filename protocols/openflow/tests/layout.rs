//! Sizes and offsets of structures against the specifications' tables (their asserts on `sizeof`).

use ferroflow_openflow::owned::common::since_14::{AsyncConfigProp, BundleProp};
use ferroflow_openflow::owned::{common, nicira, v10, v12, v14, v15};
use ferroflow_wire::codec::{self, Codec};
use std::fmt::Debug;

/// A structure's least size and the offsets of its fields, lengths included, padding left out.
macro_rules! layout {
    ($($ty:ty: $size:literal { $($field:literal $offset:literal),* $(,)? })*) => { $(
        assert_eq!(<$ty>::MIN, $size, concat!("size of ", stringify!($ty)));
        let fields: &[(&str, usize)] = &[$(($field, $offset)),*];
        assert_eq!(<$ty>::layout(), fields, concat!("fields of ", stringify!($ty)));
    )* };
}

// What follows `ofp_header` counts from 0; the specification's sizes of messages are 8 more.
#[test]
fn v13() {
    layout! {
        common::SwitchFeatures: 24 {
            "datapath_id" 0, "n_buffers" 8, "n_tables" 12, "auxiliary_id" 13, "capabilities" 16, "reserved" 20
        }
        common::SwitchConfig: 4 { "flags" 0, "miss_send_len" 2 }
        common::Desc: 1056 { "mfr_desc" 0, "hw_desc" 256, "sw_desc" 512, "serial_num" 768, "dp_desc" 800 }
        common::Port: 64 {
            "port_no" 0, "hw_addr" 8, "name" 16, "config" 32, "state" 36, "curr" 40, "advertised" 44,
            "supported" 48, "peer" 52, "curr_speed" 56, "max_speed" 60
        }
        common::PortStatus: 72 { "reason" 0, "desc" 8 }
        common::PortMod: 32 { "port_no" 0, "hw_addr" 8, "config" 16, "mask" 20, "advertise" 24 }
        common::PortStatsRequest: 8 { "port_no" 0 }
        common::PortStats: 112 {
            "port_no" 0, "rx_packets" 8, "tx_packets" 16, "rx_bytes" 24, "tx_bytes" 32, "rx_dropped" 40,
            "tx_dropped" 48, "rx_errors" 56, "tx_errors" 64, "rx_frame_err" 72, "rx_over_err" 80,
            "rx_crc_err" 88, "collisions" 96, "duration_sec" 104, "duration_nsec" 108
        }
        common::TableMod: 8 { "table_id" 0, "config" 4 }
        common::TableStats: 24 { "table_id" 0, "active_count" 4, "lookup_count" 8, "matched_count" 16 }
        common::TableFeatures: 64 {
            "length" 0, "table_id" 2, "name" 8, "metadata_match" 40, "metadata_write" 48, "config" 56,
            "max_entries" 60, "properties" 64
        }
        // Without an experimenter's part.
        common::InstructionId: 4 { "type" 0, "len" 2, "experimenter" 4 }
        common::ActionId: 4 { "type" 0, "len" 2, "experimenter" 4 }
        common::ExperimenterOfId: 4 { "experimenter" 0, "data" 4 }
        // After the experimenter's number.
        common::ExpTypeAndData: 4 { "exp_type" 0, "data" 4 }
        common::RoleRequest: 16 { "role" 0, "generation_id" 8 }
        common::AsyncConfig: 24 { "packet_in_mask" 0, "port_status_mask" 8, "flow_removed_mask" 16 }
    }
}

// A match is at least its header of 4 bytes here; with its padding, 8.
#[test]
fn v13_flows() {
    layout! {
        common::FlowMod: 44 {
            "cookie" 0, "cookie_mask" 8, "table_id" 16, "command" 17, "idle_timeout" 18, "hard_timeout" 20,
            "priority" 22, "buffer_id" 24, "out_port" 28, "out_group" 32, "flags" 36, "match" 40, "instructions" 44
        }
        common::FlowRemoved: 44 {
            "cookie" 0, "priority" 8, "reason" 10, "table_id" 11, "duration_sec" 12, "duration_nsec" 16,
            "idle_timeout" 20, "hard_timeout" 22, "packet_count" 24, "byte_count" 32, "match" 40
        }
        common::FlowStatsRequest: 36 {
            "table_id" 0, "out_port" 4, "out_group" 8, "cookie" 16, "cookie_mask" 24, "match" 32
        }
        common::FlowStats: 52 {
            "length" 0, "table_id" 2, "duration_sec" 4, "duration_nsec" 8, "priority" 12, "idle_timeout" 14,
            "hard_timeout" 16, "flags" 18, "cookie" 24, "packet_count" 32, "byte_count" 40, "match" 48,
            "instructions" 52
        }
        common::AggregateStats: 24 { "packet_count" 0, "byte_count" 8, "flow_count" 16 }
        common::PacketIn: 22 {
            "buffer_id" 0, "total_len" 4, "reason" 6, "table_id" 7, "cookie" 8, "match" 16, "data" 22
        }
        common::PacketOut: 16 { "buffer_id" 0, "in_port" 4, "actions_len" 8, "actions" 16, "data" 16 }
    }
}

#[test]
fn v13_groups_meters_queues() {
    layout! {
        common::GroupMod: 8 { "command" 0, "type" 2, "group_id" 4, "buckets" 8 }
        common::Bucket: 16 { "len" 0, "weight" 2, "watch_port" 4, "watch_group" 8, "actions" 16 }
        common::GroupStatsRequest: 8 { "group_id" 0 }
        common::GroupStats: 40 {
            "length" 0, "group_id" 4, "ref_count" 8, "packet_count" 16, "byte_count" 24, "duration_sec" 32,
            "duration_nsec" 36, "bucket_stats" 40
        }
        common::BucketCounter: 16 { "packet_count" 0, "byte_count" 8 }
        common::GroupDesc: 8 { "length" 0, "type" 2, "group_id" 4, "buckets" 8 }
        common::GroupFeatures: 40 { "types" 0, "capabilities" 4, "max_groups" 8, "actions" 24 }
        common::MeterMod: 8 { "command" 0, "flags" 2, "meter_id" 4, "bands" 8 }
        common::MeterMultipartRequest: 8 { "meter_id" 0 }
        common::MeterStats: 40 {
            "meter_id" 0, "len" 4, "flow_count" 12, "packet_in_count" 16, "byte_in_count" 24,
            "duration_sec" 32, "duration_nsec" 36, "band_stats" 40
        }
        common::MeterBandStats: 16 { "packet_band_count" 0, "byte_band_count" 8 }
        common::MeterConfig: 8 { "length" 0, "flags" 2, "meter_id" 4, "bands" 8 }
        common::MeterFeatures: 16 {
            "max_meter" 0, "band_types" 4, "capabilities" 8, "max_bands" 12, "max_color" 13
        }
        common::PacketQueue: 16 { "queue_id" 0, "port" 4, "len" 8, "properties" 16 }
        common::QueueGetConfigRequest: 8 { "port" 0 }
        common::QueueGetConfigReply: 8 { "port" 0, "queues" 8 }
        common::QueueStatsRequest: 8 { "port_no" 0, "queue_id" 4 }
        common::QueueStats: 40 {
            "port_no" 0, "queue_id" 4, "tx_bytes" 8, "tx_packets" 16, "tx_errors" 24, "duration_sec" 32,
            "duration_nsec" 36
        }
    }
}

#[test]
fn v10() {
    layout! {
        v10::Match: 40 {
            "wildcards" 0, "in_port" 4, "dl_src" 6, "dl_dst" 12, "dl_vlan" 18, "dl_vlan_pcp" 20, "dl_type" 22,
            "nw_tos" 24, "nw_proto" 25, "nw_src" 28, "nw_dst" 32, "tp_src" 36, "tp_dst" 38
        }
        v10::PhyPort: 48 {
            "port_no" 0, "hw_addr" 2, "name" 8, "config" 24, "state" 28, "curr" 32, "advertised" 36,
            "supported" 40, "peer" 44
        }
        v10::PacketQueue: 8 { "queue_id" 0, "len" 4, "properties" 8 }
        v10::SwitchFeatures: 24 {
            "datapath_id" 0, "n_buffers" 8, "n_tables" 12, "capabilities" 16, "actions" 20, "ports" 24
        }
        v10::SwitchConfig: 4 { "flags" 0, "miss_send_len" 2 }
        v10::PacketIn: 10 { "buffer_id" 0, "total_len" 4, "in_port" 6, "reason" 8, "data" 10 }
        v10::FlowRemoved: 80 {
            "match" 0, "cookie" 40, "priority" 48, "reason" 50, "duration_sec" 52, "duration_nsec" 56,
            "idle_timeout" 60, "packet_count" 64, "byte_count" 72
        }
        v10::PortStatus: 56 { "reason" 0, "desc" 8 }
        v10::PacketOut: 8 { "buffer_id" 0, "in_port" 4, "actions_len" 6, "actions" 8, "data" 8 }
        v10::FlowMod: 64 {
            "match" 0, "cookie" 40, "command" 48, "idle_timeout" 50, "hard_timeout" 52, "priority" 54,
            "buffer_id" 56, "out_port" 60, "flags" 62, "actions" 64
        }
        v10::PortMod: 24 { "port_no" 0, "hw_addr" 2, "config" 8, "mask" 12, "advertise" 16 }
        v10::QueueGetConfigRequest: 4 { "port" 0 }
        v10::QueueGetConfigReply: 8 { "port" 0, "queues" 8 }
        v10::FlowStatsRequest: 44 { "match" 0, "table_id" 40, "out_port" 42 }
        v10::FlowStats: 88 {
            "length" 0, "table_id" 2, "match" 4, "duration_sec" 44, "duration_nsec" 48, "priority" 52,
            "idle_timeout" 54, "hard_timeout" 56, "cookie" 64, "packet_count" 72, "byte_count" 80, "actions" 88
        }
        v10::TableStats: 64 {
            "table_id" 0, "name" 4, "wildcards" 36, "max_entries" 40, "active_count" 44, "lookup_count" 48,
            "matched_count" 56
        }
        v10::PortStatsRequest: 8 { "port_no" 0 }
        v10::PortStats: 104 {
            "port_no" 0, "rx_packets" 8, "tx_packets" 16, "rx_bytes" 24, "tx_bytes" 32, "rx_dropped" 40,
            "tx_dropped" 48, "rx_errors" 56, "tx_errors" 64, "rx_frame_err" 72, "rx_over_err" 80,
            "rx_crc_err" 88, "collisions" 96
        }
        v10::QueueStatsRequest: 8 { "port_no" 0, "queue_id" 4 }
        v10::QueueStats: 32 { "port_no" 0, "queue_id" 4, "tx_bytes" 8, "tx_packets" 16, "tx_errors" 24 }
    }
}

#[test]
fn v14() {
    use common::since_14::*;
    layout! {
        Port: 40 { "port_no" 0, "length" 4, "hw_addr" 8, "name" 16, "config" 32, "state" 36, "properties" 40 }
        PortStatus: 48 { "reason" 0, "desc" 8 }
        PortMod: 24 { "port_no" 0, "hw_addr" 8, "config" 16, "mask" 20, "properties" 24 }
        PortStats: 80 {
            "length" 0, "port_no" 4, "duration_sec" 8, "duration_nsec" 12, "rx_packets" 16, "tx_packets" 24,
            "rx_bytes" 32, "tx_bytes" 40, "rx_dropped" 48, "tx_dropped" 56, "rx_errors" 64, "tx_errors" 72,
            "properties" 80
        }
        QueueDescRequest: 8 { "port_no" 0, "queue_id" 4 }
        QueueDesc: 16 { "port_no" 0, "queue_id" 4, "len" 8, "properties" 16 }
        QueueStats: 48 {
            "length" 0, "port_no" 8, "queue_id" 12, "tx_bytes" 16, "tx_packets" 24, "tx_errors" 32,
            "duration_sec" 40, "duration_nsec" 44, "properties" 48
        }
        TableMod: 8 { "table_id" 0, "config" 4, "properties" 8 }
        TableDesc: 8 { "length" 0, "table_id" 2, "config" 4, "properties" 8 }
        TableStatus: 16 { "reason" 0, "table" 8 }
        RoleStatus: 16 { "role" 0, "reason" 4, "generation_id" 8, "properties" 16 }
        AsyncConfig: 0 { "properties" 0 }
        BundleCtrlMsg: 8 { "bundle_id" 0, "type" 4, "flags" 6, "properties" 8 }
        v14::BundleAddMsg: 16 { "bundle_id" 0, "flags" 6, "message" 8, "properties" 16 }
        v14::Requestforward: 8 { "request" 0 }
        ExperimenterProp: 8 { "experimenter" 0, "exp_type" 4, "experimenter_data" 8 }
    }
}

// A match is at least its header of 4 bytes here; with its padding, 8.
#[test]
fn v14_flows() {
    use common::since_14::*;
    layout! {
        FlowMod: 44 {
            "cookie" 0, "cookie_mask" 8, "table_id" 16, "command" 17, "idle_timeout" 18, "hard_timeout" 20,
            "priority" 22, "buffer_id" 24, "out_port" 28, "out_group" 32, "flags" 36, "importance" 38,
            "match" 40, "instructions" 44
        }
        v14::FlowStats: 52 {
            "length" 0, "table_id" 2, "duration_sec" 4, "duration_nsec" 8, "priority" 12, "idle_timeout" 14,
            "hard_timeout" 16, "flags" 18, "importance" 20, "cookie" 24, "packet_count" 32, "byte_count" 40,
            "match" 48, "instructions" 52
        }
        PacketIn: 22 {
            "buffer_id" 0, "total_len" 4, "reason" 6, "table_id" 7, "cookie" 8, "match" 16, "data" 22
        }
        FlowMonitorRequest: 20 {
            "monitor_id" 0, "out_port" 4, "out_group" 8, "flags" 12, "table_id" 14, "command" 15, "match" 16
        }
        // After length and event, 4 bytes.
        FlowUpdateFull: 24 {
            "table_id" 0, "reason" 1, "idle_timeout" 2, "hard_timeout" 4, "priority" 6, "cookie" 12,
            "match" 20, "instructions" 24
        }
    }
}

/// A property of this type is of exactly `len` bytes and the padding after it, all of it known.
fn exactly<T: Codec + Debug>(ty: u16, len: u16) {
    let zeros = |len: u16| {
        let mut bytes = [ty.to_be_bytes(), len.to_be_bytes()].concat();
        bytes.resize(usize::from(len).next_multiple_of(8), 0);
        codec::from_bytes::<T>(&bytes, 5)
    };
    let property = zeros(len).unwrap();
    assert!(!format!("{property:?}").starts_with("Unknown"), "{property:?}");
    for wrong in [len - 1, len + 1] {
        assert_eq!(zeros(wrong).unwrap_err().answer(), Some((14, 1)), "{property:?} in {wrong} bytes");
    }
}

#[test]
fn v14_properties() {
    use common::since_14::*;
    exactly::<PortDescProp>(0, 32);
    exactly::<PortDescProp>(1, 40);
    exactly::<PortModProp>(0, 8);
    exactly::<PortModProp>(1, 24);
    exactly::<PortStatsProp>(0, 40);
    exactly::<PortStatsProp>(1, 44);
    exactly::<QueueDescProp>(1, 8);
    exactly::<QueueDescProp>(2, 8);
    exactly::<TableModProp>(2, 8);
    exactly::<TableModProp>(3, 8);
    for reasons in 0..12 {
        exactly::<AsyncConfigProp>(reasons, 8);
    }
}

#[test]
fn v12() {
    layout! {
        v12::SwitchFeatures: 24 {
            "datapath_id" 0, "n_buffers" 8, "n_tables" 12, "capabilities" 16, "reserved" 20, "ports" 24
        }
        v12::SwitchConfig: 4 { "flags" 0, "miss_send_len" 2 }
        v12::TableMod: 8 { "table_id" 0, "config" 4 }
        // With the match of at least 4 bytes.
        v12::PacketIn: 14 { "buffer_id" 0, "total_len" 4, "reason" 6, "table_id" 7, "match" 8, "data" 14 }
        v12::FlowStats: 52 {
            "length" 0, "table_id" 2, "duration_sec" 4, "duration_nsec" 8, "priority" 12, "idle_timeout" 14,
            "hard_timeout" 16, "cookie" 24, "packet_count" 32, "byte_count" 40, "match" 48, "instructions" 52
        }
        v12::TableStats: 128 {
            "table_id" 0, "name" 8, "match" 40, "wildcards" 48, "write_actions" 56, "apply_actions" 60,
            "write_setfields" 64, "apply_setfields" 72, "metadata_match" 80, "metadata_write" 88,
            "instructions" 96, "config" 100, "max_entries" 104, "active_count" 108, "lookup_count" 112,
            "matched_count" 120
        }
        v12::PortStats: 104 {
            "port_no" 0, "rx_packets" 8, "tx_packets" 16, "rx_bytes" 24, "tx_bytes" 32, "rx_dropped" 40,
            "tx_dropped" 48, "rx_errors" 56, "tx_errors" 64, "rx_frame_err" 72, "rx_over_err" 80,
            "rx_crc_err" 88, "collisions" 96
        }
        v12::QueueStats: 32 { "port_no" 0, "queue_id" 4, "tx_bytes" 8, "tx_packets" 16, "tx_errors" 24 }
        v12::GroupStats: 32 {
            "length" 0, "group_id" 4, "ref_count" 8, "packet_count" 16, "byte_count" 24, "bucket_stats" 32
        }
    }
}

// Sizes as `nicira-ext.h` asserts them, less the header.
#[test]
fn nicira() {
    layout! {
        nicira::NxFlowMod: 32 {
            "cookie" 0, "command" 8, "idle_timeout" 10, "hard_timeout" 12, "priority" 14, "buffer_id" 16,
            "out_port" 20, "flags" 22, "match_len" 24, "nxm_fields" 32, "actions" 32
        }
        nicira::NxFlowRemoved: 40 {
            "cookie" 0, "priority" 8, "reason" 10, "table_id" 11, "duration_sec" 12, "duration_nsec" 16,
            "idle_timeout" 20, "match_len" 22, "packet_count" 24, "byte_count" 32, "nxm_fields" 40
        }
        nicira::NxPacketIn: 26 {
            "buffer_id" 0, "total_len" 4, "reason" 6, "table_id" 7, "cookie" 8, "match_len" 16,
            "nxm_fields" 24, "data" 26
        }
        // After the 10 bytes that end with the subtype.
        nicira::NxLearn: 22 {
            "idle_timeout" 0, "hard_timeout" 2, "priority" 4, "cookie" 6, "flags" 14, "table_id" 16,
            "fin_idle_timeout" 18, "fin_hard_timeout" 20
        }
        nicira::NxBucket: 8 { "len" 0, "action_array_len" 2, "bucket_id" 4, "actions" 8, "properties" 8 }
        nicira::NxGroupMod: 16 {
            "command" 0, "type" 2, "group_id" 4, "bucket_array_len" 8, "command_bucket_id" 12, "buckets" 16,
            "properties" 16
        }
        nicira::NxGroupDesc: 16 {
            "length" 0, "type" 2, "group_id" 4, "bucket_list_len" 8, "buckets" 16, "properties" 16
        }
        nicira::NxGroupFeatures: 40 { "types" 0, "capabilities" 4, "max_groups" 8, "actions" 24 }
        nicira::NxSubfield: 6 { "field" 0, "ofs" 4 }
        // After the type.
        v10::NxVendorError: 10 { "code" 0, "vendor" 2, "vendor_type" 6, "vendor_code" 8, "data" 10 }
        nicira::NxAsyncConfig: 24 { "packet_in_mask" 0, "port_status_mask" 8, "flow_removed_mask" 16 }
        nicira::TlvMap: 8 { "option_class" 0, "option_type" 2, "option_len" 3, "index" 4 }
        nicira::NxFlowStatsRequest: 8 { "out_port" 0, "match_len" 2, "table_id" 4, "nxm_fields" 8 }
        nicira::NxFlowStats: 48 {
            "length" 0, "table_id" 2, "duration_sec" 4, "duration_nsec" 8, "priority" 12, "idle_timeout" 14,
            "hard_timeout" 16, "match_len" 18, "idle_age" 20, "hard_age" 22, "cookie" 24, "packet_count" 32,
            "byte_count" 40, "nxm_fields" 48, "actions" 48
        }
        nicira::NxFlowMonitorRequest: 16 {
            "id" 0, "flags" 4, "out_port" 6, "match_len" 8, "table_id" 10, "nxm_fields" 16
        }
        nicira::IpfixStats: 88 {
            "total_flows" 0, "current_flows" 8, "pkts" 16, "ipv4_pkts" 24, "ipv6_pkts" 32, "error_pkts" 40,
            "ipv4_error_pkts" 48, "ipv6_error_pkts" 56, "tx_pkts" 64, "tx_errors" 72, "collector_set_id" 80
        }
    }
}

// A match and statistics are at least their headers of 4 bytes here; with their padding, 8.
#[test]
fn v15() {
    layout! {
        v15::Stats: 4 { "length" 2, "oxs_fields" 4 }
        v15::OxsTime: 8 { "sec" 0, "nsec" 4 }
        v15::Time: 16 { "seconds" 0, "nanoseconds" 8 }
        v15::FlowDesc: 32 {
            "length" 0, "table_id" 4, "priority" 6, "idle_timeout" 8, "hard_timeout" 10, "flags" 12,
            "importance" 14, "cookie" 16, "match" 24, "stats" 28, "instructions" 32
        }
        v15::FlowStats: 16 { "length" 0, "table_id" 4, "reason" 5, "priority" 6, "match" 8, "stats" 12 }
        v15::FlowRemoved: 24 {
            "table_id" 0, "reason" 1, "priority" 2, "idle_timeout" 4, "hard_timeout" 6, "cookie" 8, "match" 16,
            "stats" 20
        }
        v15::PacketOut: 12 { "buffer_id" 0, "actions_len" 4, "match" 8, "actions" 12, "data" 12 }
        v15::Bucket: 8 { "len" 0, "action_array_len" 2, "bucket_id" 4, "actions" 8, "properties" 8 }
        v15::GroupMod: 16 {
            "command" 0, "type" 2, "group_id" 4, "bucket_array_len" 8, "command_bucket_id" 12, "buckets" 16,
            "properties" 16
        }
        v15::GroupDesc: 16 {
            "length" 0, "type" 2, "group_id" 4, "bucket_array_len" 8, "buckets" 16, "properties" 16
        }
        v15::MeterStats: 40 {
            "meter_id" 0, "len" 4, "ref_count" 12, "packet_in_count" 16, "byte_in_count" 24,
            "duration_sec" 32, "duration_nsec" 36, "band_stats" 40
        }
        // OF 1.5.1 7.3.5.14: 24 bytes; without the part that 1.5 appended 16.
        v15::MeterFeatures: 16 {
            "max_meter" 0, "band_types" 4, "capabilities" 8, "max_bands" 12, "max_color" 13, "features" 16
        }
        v15::TableFeatures: 64 {
            "length" 0, "table_id" 2, "command" 3, "features" 4, "name" 8, "metadata_match" 40,
            "metadata_write" 48, "capabilities" 56, "max_entries" 60, "properties" 64
        }
        v15::RoleRequest: 16 { "role" 0, "short_id" 4, "generation_id" 8 }
        v15::ControllerStatus: 16 {
            "length" 0, "short_id" 2, "role" 4, "reason" 8, "channel_status" 9, "properties" 16
        }
        v15::BundleFeaturesRequest: 8 { "feature_request_flags" 0, "properties" 8 }
        v15::BundleFeatures: 8 { "capabilities" 0, "properties" 8 }
        v15::BundleAddMsg: 16 { "bundle_id" 0, "flags" 6, "message" 8, "properties" 16 }
        v15::Requestforward: 8 { "request" 0 }
    }
}

/// The specification's sizes of properties and other structures of several types: the one type, as bytes.
fn size<T: Codec>(value: &T) -> usize {
    codec::to_bytes_of(value, 6).unwrap().len()
}

#[test]
fn v15_structures_of_several_types() {
    let time = v15::Time { seconds: 0, nanoseconds: 0 };
    let time_capability = v15::BundleFeaturesProp::TimeCapability {
        sched_accuracy: time.clone(),
        sched_max_future: time.clone(),
        sched_max_past: time.clone(),
        timestamp: time.clone(),
    };
    assert_eq!(size(&time_capability), 72, "ofp_bundle_features_prop_time");
    assert_eq!(size(&BundleProp::Time { scheduled_time: time }), 24, "ofp_bundle_prop_time");
    assert_eq!(size(&v15::GroupBucketProp::Weight { weight: 1 }), 8, "ofp_group_bucket_prop_weight");
    let watch = v15::GroupBucketProp::WatchPort { watch: common::PortNo(1) };
    assert_eq!(size(&watch), 8, "ofp_group_bucket_prop_watch");
    let mask = v15::FlowStatsReasons::OFPFSR_STAT_TRIGGER;
    assert_eq!(size(&AsyncConfigProp::FlowStatsMaster { mask }), 8, "ofp_async_config_prop_reasons");
    let trigger = common::Instruction::StatTrigger {
        flags: v15::StatTriggerFlags::OFPSTF_PERIODIC,
        thresholds: v15::Stats::default(),
    };
    assert_eq!(size(&trigger), 16, "ofp_instruction_stat_trigger");
    assert_eq!(size(&common::Action::Meter { meter_id: common::MeterId(1) }), 8, "ofp_action_meter");
    let header = common::OxmHeader { id: common::Oxm::EthType(0).id(), hasmask: false, length: 2 };
    let copy =
        common::Action::CopyField { n_bits: 16, src_offset: 0, dst_offset: 0, oxm_ids: [header, header] };
    // The structure's 12 bytes, the two references, padding.
    assert_eq!(size(&copy), 24, "ofp_action_copy_field");
    let packet_type = v15::HeaderType::Onf { ns_type: v15::HeaderTypeOnf::OFPHTO_ETHERNET };
    assert_eq!(size(&packet_type), 4, "ofp_header_type");
    assert_eq!(size(&v15::Oxs::FlowCount(1)), 8, "OXS_OF_FLOW_COUNT");
    assert_eq!(size(&v15::Oxs::PacketCount(1)), 12, "OXS_OF_PACKET_COUNT");
}
