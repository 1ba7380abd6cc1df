//! Groups of 1.1 to 1.4. Those of 1.5 have properties: `v15`.

use super::action::Action;
use super::numbers::{
    ActionTypes, GroupCapabilities, GroupId, GroupModCommand, GroupType, GroupTypes, PortNo,
};
use ferroflow_wire::structure;

structure! {
    /// `ofp_bucket` of 1.1 to 1.4 (OF 1.3.5 7.3.4.3).
    pub struct Bucket {
        _{len: u16},
        weight: u16,
        watch_port: PortNo,
        watch_group: GroupId,
        _[4],
        actions: Vec<Action>,
    }
}

structure! {
    /// `ofp_group_mod` of 1.1 to 1.4 (OF 1.3.5 7.3.4.3).
    pub struct GroupMod {
        command: GroupModCommand,
        r#type: GroupType,
        _[1],
        group_id: GroupId,
        buckets: Vec<Bucket>,
    }
}

structure! {
    /// `ofp_group_stats_request` (OF 1.3.5 7.3.5.9).
    pub struct GroupStatsRequest {
        group_id: GroupId,
        _[4],
    }
}

structure! {
    /// `ofp_bucket_counter` (OF 1.3.5 7.3.5.9).
    pub struct BucketCounter {
        packet_count: u64,
        byte_count: u64,
    }
}

structure! {
    /// `ofp_group_stats` of 1.3 and later (OF 1.3.5 7.3.5.9).
    pub struct GroupStats {
        _{length: u16},
        _[2],
        group_id: GroupId,
        ref_count: u32,
        _[4],
        packet_count: u64,
        byte_count: u64,
        duration_sec: u32,
        duration_nsec: u32,
        bucket_stats: Vec<BucketCounter>,
    }
}

structure! {
    /// `ofp_group_desc` of 1.1 to 1.4 (OF 1.3.5 7.3.5.10).
    pub struct GroupDesc {
        _{length: u16},
        r#type: GroupType,
        _[1],
        group_id: GroupId,
        buckets: Vec<Bucket>,
    }
}

structure! {
    /// `ofp_group_features` (OF 1.3.5 7.3.5.11): maxima and actions for each of the four types.
    pub struct GroupFeatures {
        types: GroupTypes,
        capabilities: GroupCapabilities,
        max_groups: [u32; 4],
        actions: [ActionTypes; 4],
    }
}
