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
        /// None in the 16 bytes of before 1.5, which Open vSwitch still sends.
        features: Option<MeterFeatureFlags> as with(features),
    }
}

/// The part that 1.5 appended: flags and four bytes of padding.
mod features {
    use super::MeterFeatureFlags;
    use ferroflow_wire::codec::{Codec, ReadError, Reader, Writer};

    pub fn read(r: &mut Reader<'_>) -> Result<Option<MeterFeatureFlags>, ReadError> {
        let flags = Option::read(r)?;
        r.skip(if flags.is_some() { 4 } else { 0 })?;
        Ok(flags)
    }

    pub fn write(flags: &Option<MeterFeatureFlags>, w: &mut Writer<'_>) {
        flags.write(w);
        w.zeros(if flags.is_some() { 4 } else { 0 });
    }

    #[cfg(feature = "arbitrary")]
    pub fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Option<MeterFeatureFlags> {
        ferroflow_wire::codec::Arbitrary::arbitrary(e)
    }
}
