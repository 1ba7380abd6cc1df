use crate::bytes::{get64, put64};

/// The twelve counters of `ofp_port_stats`, the same in 1.0 and 1.3 (OF 1.0 5.3.5, OF 1.3.5 7.3.5.6).
///
/// A counter that the switch does not keep is all ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PortCounters {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets transmitted.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes transmitted.
    pub tx_bytes: u64,
    /// Packets dropped on reception.
    pub rx_dropped: u64,
    /// Packets dropped on transmission.
    pub tx_dropped: u64,
    /// Receive errors, all kinds together.
    pub rx_errors: u64,
    /// Transmit errors.
    pub tx_errors: u64,
    /// Frame alignment errors.
    pub rx_frame_err: u64,
    /// Overruns.
    pub rx_over_err: u64,
    /// Checksum errors.
    pub rx_crc_err: u64,
    /// Collisions.
    pub collisions: u64,
}

impl PortCounters {
    /// Reads the counters that start at byte 8.
    pub(crate) fn read<const N: usize>(b: &[u8; N]) -> Self {
        let at = |i: usize| get64(b, 8 + 8 * i);
        Self {
            rx_packets: at(0),
            tx_packets: at(1),
            rx_bytes: at(2),
            tx_bytes: at(3),
            rx_dropped: at(4),
            tx_dropped: at(5),
            rx_errors: at(6),
            tx_errors: at(7),
            rx_frame_err: at(8),
            rx_over_err: at(9),
            rx_crc_err: at(10),
            collisions: at(11),
        }
    }

    /// Writes the counters from byte 8 on.
    pub(crate) fn fill<const N: usize>(&self, b: &mut [u8; N]) {
        let counters = [
            self.rx_packets,
            self.tx_packets,
            self.rx_bytes,
            self.tx_bytes,
            self.rx_dropped,
            self.tx_dropped,
            self.rx_errors,
            self.tx_errors,
            self.rx_frame_err,
            self.rx_over_err,
            self.rx_crc_err,
            self.collisions,
        ];
        for (i, counter) in counters.into_iter().enumerate() {
            put64(b, 8 + 8 * i, counter);
        }
    }
}
