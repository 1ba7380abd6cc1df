//! Groups of 1.5, whose buckets have numbers and properties (OF 1.5.1 7.3.4.3).

use super::numbers::BucketId;
use crate::owned::common::since_14::{BAD_LEN, ExperimenterProp};
use crate::owned::common::{Action, GroupId, GroupModCommand, GroupType, PortNo};
use ferroflow_wire::{choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_group_bucket_prop_type` (OF 1.5.1 7.3.4.3).
    pub GroupBucketPropType(u16) {
        OFPGBPT_WEIGHT = 0,
        OFPGBPT_WATCH_PORT = 1,
        OFPGBPT_WATCH_GROUP = 2,
        OFPGBPT_EXPERIMENTER = 0xffff,
    }
}

choice! {
    /// `ofp_group_bucket_prop_header` and what follows it.
    pub enum GroupBucketProp("type": GroupBucketPropType) {
        OFPGBPT_WEIGHT => Weight {
            /// The bucket's share among those of a select group.
            weight: u16,
            _[2],
        },
        OFPGBPT_WATCH_PORT => WatchPort { watch: PortNo, },
        OFPGBPT_WATCH_GROUP => WatchGroup { watch: GroupId, },
        OFPGBPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(GroupBucketProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_bucket` of 1.5 (OF 1.5.1 7.3.4.3).
    pub struct Bucket {
        _{len: u16},
        _(action_array_len: u16),
        bucket_id: BucketId,
        actions: Vec<Action> as len(action_array_len),
        properties: Vec<GroupBucketProp>,
    }
}

open_enum! {
    /// `ofp_group_prop_type` (OF 1.5.1 7.3.4.3).
    pub GroupPropType(u16) { OFPGPT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_group_prop_header` and what follows it.
    pub enum GroupProp("type": GroupPropType) {
        OFPGPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(GroupProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_group_mod` of 1.5 (OF 1.5.1 7.3.4.3).
    pub struct GroupMod {
        command: GroupModCommand,
        r#type: GroupType,
        _[1],
        group_id: GroupId,
        _(bucket_array_len: u16),
        _[2],
        /// For `OFPGC_INSERT_BUCKET` the bucket after which the new ones come, for `OFPGC_REMOVE_BUCKET` the one that
        /// goes; else `OFPG_BUCKET_ALL`.
        command_bucket_id: BucketId,
        buckets: Vec<Bucket> as len(bucket_array_len),
        properties: Vec<GroupProp>,
    }
}

structure! {
    /// `ofp_group_desc` of 1.5 (OF 1.5.1 7.3.5.10).
    pub struct GroupDesc {
        _{length: u16},
        r#type: GroupType,
        _[1],
        group_id: GroupId,
        _(bucket_array_len: u16),
        _[6],
        buckets: Vec<Bucket> as len(bucket_array_len),
        properties: Vec<GroupProp>,
    }
}
