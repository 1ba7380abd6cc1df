//! Switch ports of 1.1 to 1.3. Those of 1.4 and later have properties: [`since_14`](super::since_14).

use super::numbers::{PortConfig, PortFeatures, PortNo, PortState};
use crate::v13::PortReason;
use ferroflow_wire::MacAddr;
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::structure;

structure! {
    /// `ofp_port` of 1.1 to 1.3 (OF 1.3.5 7.2.1).
    pub struct Port {
        port_no: PortNo,
        _[4],
        hw_addr: MacAddr,
        _[2],
        name: FixedStr<16>,
        config: PortConfig,
        state: PortState,
        curr: PortFeatures,
        advertised: PortFeatures,
        supported: PortFeatures,
        peer: PortFeatures,
        /// kbit/s.
        curr_speed: u32,
        /// kbit/s.
        max_speed: u32,
    }
}

structure! {
    /// `ofp_port_status` of 1.1 to 1.3 (OF 1.3.5 7.4.3).
    pub struct PortStatus {
        reason: PortReason,
        _[7],
        desc: Port,
    }
}

structure! {
    /// `ofp_port_mod` of 1.1 to 1.3 (OF 1.3.5 7.3.4.4).
    pub struct PortMod {
        port_no: PortNo,
        _[4],
        hw_addr: MacAddr,
        _[2],
        config: PortConfig,
        mask: PortConfig,
        advertise: PortFeatures,
        _[4],
    }
}

structure! {
    /// `ofp_port_stats_request` of 1.1 and later (OF 1.3.5 7.3.5.6).
    pub struct PortStatsRequest {
        port_no: PortNo,
        _[4],
    }
}

structure! {
    /// `ofp_port_stats` of 1.3 (OF 1.3.5 7.3.5.6). A counter that the switch does not have is all ones.
    pub struct PortStats {
        port_no: PortNo,
        _[4],
        rx_packets: u64,
        tx_packets: u64,
        rx_bytes: u64,
        tx_bytes: u64,
        rx_dropped: u64,
        tx_dropped: u64,
        rx_errors: u64,
        tx_errors: u64,
        rx_frame_err: u64,
        rx_over_err: u64,
        rx_crc_err: u64,
        collisions: u64,
        duration_sec: u32,
        duration_nsec: u32,
    }
}
