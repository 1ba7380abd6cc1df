//! Meters of 1.3 and later (OF 1.3.5 7.3.4.5).

use super::numbers::{ExperimenterId, MeterId};
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_meter_mod_command` (OF 1.3.5 7.3.4.5).
    pub MeterModCommand(u16) { OFPMC_ADD = 0, OFPMC_MODIFY = 1, OFPMC_DELETE = 2 }
}

bit_flags! {
    /// `ofp_meter_flags` (OF 1.3.5 7.3.4.5).
    pub MeterFlags(u16) {
        OFPMF_KBPS = 1 << 0,
        OFPMF_PKTPS = 1 << 1,
        OFPMF_BURST = 1 << 2,
        OFPMF_STATS = 1 << 3,
    }
}

open_enum! {
    /// `ofp_meter_band_type` (OF 1.3.5 7.3.4.5).
    pub MeterBandType(u16) { OFPMBT_DROP = 1, OFPMBT_DSCP_REMARK = 2, OFPMBT_EXPERIMENTER = 0xffff }
}

bit_flags! {
    /// A set of `ofp_meter_band_type`, bit `n` for type `n` (OF 1.3.5 7.3.5.14). The names are those of the types.
    pub MeterBandTypes(u32) { OFPMBT_DROP = 1 << 1, OFPMBT_DSCP_REMARK = 1 << 2 }
}

bit_flags! {
    /// A set of `ofp_meter_flags` (OF 1.3.5 7.3.5.14).
    pub MeterCapabilities(u32) {
        OFPMF_KBPS = 1 << 0,
        OFPMF_PKTPS = 1 << 1,
        OFPMF_BURST = 1 << 2,
        OFPMF_STATS = 1 << 3,
    }
}

choice! {
    /// `ofp_meter_band_header` and what follows it.
    pub enum MeterBand("type": MeterBandType) {
        OFPMBT_DROP => Drop { rate: u32, burst_size: u32, _[4], },
        OFPMBT_DSCP_REMARK => DscpRemark { rate: u32, burst_size: u32, prec_level: u8, _[3], },
        OFPMBT_EXPERIMENTER => Experimenter {
            rate: u32,
            burst_size: u32,
            experimenter: ExperimenterId,
            data: Bytes,
        },
        _ => Unknown,
    }
}
// OFPET_METER_MOD_FAILED/OFPMMFC_BAD_BAND
tlv!(MeterBand, len: u16, answer (12, 8));

structure! {
    /// `ofp_meter_mod` (OF 1.3.5 7.3.4.5).
    pub struct MeterMod {
        command: MeterModCommand,
        flags: MeterFlags,
        meter_id: MeterId,
        bands: Vec<MeterBand>,
    }
}

structure! {
    /// `ofp_meter_multipart_request` (OF 1.3.5 7.3.5.12).
    pub struct MeterMultipartRequest {
        meter_id: MeterId,
        _[4],
    }
}

structure! {
    /// `ofp_meter_band_stats` (OF 1.3.5 7.3.5.12).
    pub struct MeterBandStats {
        packet_band_count: u64,
        byte_band_count: u64,
    }
}

structure! {
    /// `ofp_meter_stats` of 1.3 and 1.4 (OF 1.3.5 7.3.5.12).
    pub struct MeterStats {
        meter_id: MeterId,
        _{len: u16},
        _[6],
        flow_count: u32,
        packet_in_count: u64,
        byte_in_count: u64,
        duration_sec: u32,
        duration_nsec: u32,
        band_stats: Vec<MeterBandStats>,
    }
}

structure! {
    /// `ofp_meter_config` (OF 1.3.5 7.3.5.13).
    pub struct MeterConfig {
        _{length: u16},
        flags: MeterFlags,
        meter_id: MeterId,
        bands: Vec<MeterBand>,
    }
}

structure! {
    /// `ofp_meter_features` of 1.3 and 1.4 (OF 1.3.5 7.3.5.14).
    pub struct MeterFeatures {
        max_meter: u32,
        band_types: MeterBandTypes,
        capabilities: MeterCapabilities,
        max_bands: u8,
        max_color: u8,
        _[2],
    }
}
