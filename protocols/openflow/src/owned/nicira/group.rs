//! Groups in 1.0: Open vSwitch sends 1.5's structures with 1.0's actions in them.

use crate::owned::common::{GroupCapabilities, GroupId, GroupModCommand, GroupType, GroupTypes};
use crate::owned::v10::{Action, ActionTypes};
use crate::owned::v15::{BucketId, GroupBucketProp, GroupProp};
use ferroflow_wire::structure;

structure! {
    /// `ofp15_bucket`.
    pub struct NxBucket {
        _{len: u16},
        _(action_array_len: u16),
        bucket_id: BucketId,
        actions: Vec<Action> as len(action_array_len),
        properties: Vec<GroupBucketProp>,
    }
}

structure! {
    /// `ofp15_group_mod`.
    pub struct NxGroupMod {
        command: GroupModCommand,
        r#type: GroupType,
        _[1],
        group_id: GroupId,
        _(bucket_array_len: u16),
        _[2],
        /// As in [`v15::GroupMod`](crate::owned::v15::GroupMod).
        command_bucket_id: BucketId,
        buckets: Vec<NxBucket> as len(bucket_array_len),
        properties: Vec<GroupProp>,
    }
}

structure! {
    /// `ofp15_group_desc_stats`.
    pub struct NxGroupDesc {
        _{length: u16},
        r#type: GroupType,
        _[1],
        group_id: GroupId,
        _(bucket_list_len: u16),
        _[6],
        buckets: Vec<NxBucket> as len(bucket_list_len),
        properties: Vec<GroupProp>,
    }
}

structure! {
    /// `ofp12_group_features_stats`: maxima and actions for each of the four types.
    pub struct NxGroupFeatures {
        types: GroupTypes,
        capabilities: GroupCapabilities,
        max_groups: [u32; 4],
        actions: [ActionTypes; 4],
    }
}
