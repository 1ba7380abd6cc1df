use crate::bytes::{get32, put32};
use crate::encode::{Part, Writer};
use crate::error::{ErrorCode, Fault};
use crate::list::Decode;
use crate::port_counters::PortCounters;

/// `ofp_port_stats` (OF 1.3.5 7.3.5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PortStats {
    /// Switch port.
    pub port_no: u32,
    /// Its counters.
    pub counters: PortCounters,
    /// How long the port has been alive, seconds.
    pub duration_sec: u32,
    /// How long the port has been alive, nanoseconds beyond the seconds.
    pub duration_nsec: u32,
}

/// What a list of port stats may be made of.
pub trait PortStatsItem: Part {}

impl PortStatsItem for PortStats {}

impl<T: PortStatsItem + ?Sized> PortStatsItem for &T {}

impl PortStats {
    /// Length on the wire in bytes.
    pub const LEN: usize = 112;
}

impl<'a> Decode<'a> for PortStats {
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let Some((b, rest)) = bytes.split_first_chunk::<{ Self::LEN }>() else {
            return Err(Fault::truncated("ofp_port_stats", Self::LEN, bytes.len(), ErrorCode::BAD_LEN));
        };
        let stats = Self {
            port_no: get32(b, 0),
            counters: PortCounters::read(b),
            duration_sec: get32(b, 104),
            duration_nsec: get32(b, 108),
        };
        Ok((stats, rest))
    }
}

impl Part for PortStats {
    fn wire_len(&self) -> usize {
        Self::LEN
    }

    fn write_to(&self, w: &mut Writer<'_>) {
        let b = w.take::<{ Self::LEN }>();
        *b = [0; Self::LEN];
        put32(b, 0, self.port_no);
        self.counters.fill(b);
        put32(b, 104, self.duration_sec);
        put32(b, 108, self.duration_nsec);
    }
}
