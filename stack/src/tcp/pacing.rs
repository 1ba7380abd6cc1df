//! Pacing: a window is spread over its round trip instead of leaving in bursts, which a queue at the narrowest link would
//! have to hold (RFC 9438 does not ask for it; Linux's `sk_pacing_rate` is the model).

use std::time::Duration;

use super::TcpConfig;
use super::tcb::Tcb;
use crate::time::Instant;

/// A path is paced only if its round trip is this long: the clock ticks every millisecond, and what a tick lets go would be the
/// window on shorter ones.
const MIN_RTT: Duration = Duration::from_millis(5);
/// What may leave ahead of its time: a tick's worth, since nobody wakes us earlier.
const QUANTUM: Duration = Duration::from_millis(1);

impl Tcb {
    /// Whether the next segment has to wait for its time. The deadline is set.
    #[inline]
    pub(super) fn paced(&mut self, now: Instant, config: &TcpConfig) -> bool {
        if !config.pacing || self.pace_at <= now + QUANTUM {
            self.pace_waits = false;
            return false;
        }
        self.pace_waits = true;
        true
    }

    /// How many bytes may leave before the next segment has to wait.
    #[inline]
    pub(super) fn pace_room(&self, now: Instant, config: &TcpConfig) -> u32 {
        let Some((srtt, window)) = self.pace_rate(config) else { return u32::MAX };
        let time = (now + QUANTUM).since(self.pace_at.max(now)).as_nanos();
        u32::try_from(u128::from(window) * time / srtt.as_nanos().max(1)).unwrap_or(u32::MAX)
    }

    /// So many bytes in so much time; `None` if this path is not paced.
    #[inline]
    fn pace_rate(&self, config: &TcpConfig) -> Option<(Duration, u64)> {
        if !config.pacing {
            return None;
        }
        let srtt = self.rto.srtt().filter(|&srtt| srtt >= MIN_RTT)?;
        // Twice the window in a round trip while it doubles, and a fifth more than it after that (Linux's tcp_pacing_ss_ratio
        // and tcp_pacing_ca_ratio): pacing must not be what limits the rate.
        let percent = if self.cc.in_slow_start() { 200 } else { 120 };
        Some((srtt, u64::from(self.cc.cwnd().max(1)) * percent / 100))
    }

    /// `len` bytes have left: the next may follow when their share of the round trip is over.
    #[inline]
    pub(super) fn pace(&mut self, len: u32, now: Instant, config: &TcpConfig) {
        if !config.pacing {
            return;
        }
        let Some((srtt, window)) = self.pace_rate(config) else {
            self.pace_at = now;
            return;
        };
        let nanos = srtt.as_nanos() as u64 * u64::from(len) / window;
        self.pace_at = self.pace_at.max(now) + Duration::from_nanos(nanos);
    }
}
