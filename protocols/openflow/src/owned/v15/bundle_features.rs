//! What a switch can do with bundles, above all when (OF 1.5.1 7.3.5).

use crate::owned::common::since_14::{BAD_LEN, BundleFlags, ExperimenterProp};
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

structure! {
    /// `ofp_time`: since the beginning of 1970, or as long (OF 1.5.1 7.3.9).
    pub struct Time {
        seconds: u64,
        /// Below 1,000,000,000.
        nanoseconds: u32,
        _[4],
    }
}

bit_flags! {
    /// `ofp_bundle_feature_flags`: what of a request's time property is to be heeded (OF 1.5.1 7.3.5).
    pub BundleFeatureFlags(u32) { OFPBF_TIMESTAMP = 1 << 0, OFPBF_TIME_SET_SCHED = 1 << 1 }
}

open_enum! {
    /// `ofp_bundle_features_prop_type` (OF 1.5.1 7.3.5).
    pub BundleFeaturesPropType(u16) { OFPTMPBF_TIME_CAPABILITY = 1, OFPTMPBF_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_bundle_features_prop_header` and what follows it.
    pub enum BundleFeaturesProp("type": BundleFeaturesPropType) {
        OFPTMPBF_TIME_CAPABILITY => TimeCapability {
            _[4],
            /// How late or early a scheduled bundle may be.
            sched_accuracy: Time,
            /// How far in the future a bundle's time may be.
            sched_max_future: Time,
            /// How far in the past a bundle's time may be.
            sched_max_past: Time,
            /// When the message was sent.
            timestamp: Time,
        },
        OFPTMPBF_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(BundleFeaturesProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_bundle_features_request` (OF 1.5.1 7.3.5).
    pub struct BundleFeaturesRequest {
        feature_request_flags: BundleFeatureFlags,
        _[4],
        properties: Vec<BundleFeaturesProp>,
    }
}

structure! {
    /// `ofp_bundle_features` (OF 1.5.1 7.3.5).
    pub struct BundleFeatures {
        /// The flags that bundles may have.
        capabilities: BundleFlags,
        _[6],
        properties: Vec<BundleFeaturesProp>,
    }
}
