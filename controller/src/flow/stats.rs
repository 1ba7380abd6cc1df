//! What a switch can be asked.

use super::PortNo;

/// A question to a switch, answered through [`crate::App::done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsRequest {
    /// Who made the switch.
    Description,
    /// Counters of one port, or of all.
    Ports(Option<PortNo>),
}

/// `ofp_desc`: who made a switch (OF 1.3.5 7.3.5.1). Bytes that are not UTF-8 are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// Manufacturer.
    pub manufacturer: String,
    /// Hardware.
    pub hardware: String,
    /// Software.
    pub software: String,
    /// Serial number.
    pub serial_number: String,
    /// A name that people gave the datapath.
    pub datapath: String,
}

/// `ofp_port_stats`: a port's counters (OF 1.3.5 7.3.5.6); a counter that the switch does not keep is all ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortStats {
    /// The port.
    pub number: PortNo,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets dropped on receipt.
    pub rx_dropped: u64,
    /// Packets dropped on sending.
    pub tx_dropped: u64,
    /// Receive errors of any kind.
    pub rx_errors: u64,
    /// Send errors.
    pub tx_errors: u64,
}
