//! Counters of switch ports, 1.4 and later (OF 1.4.1 7.3.5).

use super::property::{BAD_LEN, ExperimenterProp};
use crate::owned::common::PortNo;
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_port_stats_prop_type` (OF 1.4.1 7.3.5).
    pub PortStatsPropType(u16) { OFPPSPT_ETHERNET = 0, OFPPSPT_OPTICAL = 1, OFPPSPT_EXPERIMENTER = 0xffff }
}

bit_flags! {
    /// `ofp_port_stats_optical_flags`: which fields are valid (OF 1.4.1 7.3.5).
    pub PortStatsOpticalFlags(u32) {
        OFPOSF_RX_TUNE = 1 << 0,
        OFPOSF_TX_TUNE = 1 << 1,
        OFPOSF_TX_PWR = 1 << 2,
        OFPOSF_RX_PWR = 1 << 4,
        OFPOSF_TX_BIAS = 1 << 5,
        OFPOSF_TX_TEMP = 1 << 6,
    }
}

choice! {
    /// `ofp_port_stats_prop_header` and what follows it.
    pub enum PortStatsProp("type": PortStatsPropType) {
        OFPPSPT_ETHERNET => Ethernet {
            _[4],
            rx_frame_err: u64,
            rx_over_err: u64,
            rx_crc_err: u64,
            collisions: u64,
        },
        OFPPSPT_OPTICAL => Optical {
            _[4],
            flags: PortStatsOpticalFlags,
            tx_freq_lmda: u32,
            tx_offset: u32,
            tx_grid_span: u32,
            rx_freq_lmda: u32,
            rx_offset: u32,
            rx_grid_span: u32,
            /// dBm times 10.
            tx_pwr: u16,
            /// dBm times 10.
            rx_pwr: u16,
            /// mA times 10.
            bias_current: u16,
            /// Of the laser, in degrees Celsius times 10.
            temperature: u16,
        },
        OFPPSPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(PortStatsProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_port_stats` (OF 1.4.1 7.3.5). A counter that the switch does not have is all ones.
    pub struct PortStats {
        _{length: u16},
        _[2],
        port_no: PortNo,
        duration_sec: u32,
        duration_nsec: u32,
        rx_packets: u64,
        tx_packets: u64,
        rx_bytes: u64,
        tx_bytes: u64,
        rx_dropped: u64,
        tx_dropped: u64,
        rx_errors: u64,
        tx_errors: u64,
        properties: Vec<PortStatsProp>,
    }
}
