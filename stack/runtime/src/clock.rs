//! The one place that reads a clock.

use std::time::Duration;

use ferroflow_stack::Instant;
use rustix::time::{ClockId, clock_gettime};

/// The time since boot, monotonic. Equal origin on every core.
#[inline]
pub fn now() -> Instant {
    let t = clock_gettime(ClockId::Monotonic);
    Instant::from_nanos(t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64)
}

/// Nanoseconds from 1970 (UTC) to the origin of [`now`], by the system's clock as it is set at this moment.
pub fn unix_epoch() -> u64 {
    let t = clock_gettime(ClockId::Realtime);
    (t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64).saturating_sub(now().as_nanos())
}

/// The processor time that the calling thread has used.
pub fn thread_cpu_time() -> Duration {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}
