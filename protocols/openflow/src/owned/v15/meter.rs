//! Meters of 1.5, which actions apply (OF 1.5.1 7.2.6.4) and not flows.

use super::numbers::MeterFeatureFlags;
use crate::owned::common::{MeterBandStats, MeterBandTypes, MeterCapabilities, MeterId};
use ferroflow_wire::structure;

structure! {
    /// `ofp_meter_stats` of 1.5 (OF 1.5.1 7.3.5.12).
    pub struct MeterStats {
        meter_id: MeterId,
        _{len: u16},
        _[6],
        /// Flows and groups that refer to the meter.
        ref_count: u32,
        packet_in_count: u64,
        byte_in_count: u64,
        duration_sec: u32,
        duration_nsec: u32,
        band_stats: Vec<MeterBandStats>,
    }
}

structure! {
    /// `ofp_meter_features` of 1.5 (OF 1.5.1 7.3.5.14).
    pub struct MeterFeatures {
        max_meter: u32,
        band_types: MeterBandTypes,
        capabilities: MeterCapabilities,
        max_bands: u8,
        max_color: u8,
        _[2],
        features: MeterFeatureFlags,
        _[4],
    }
}
