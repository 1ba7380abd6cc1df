//! Is what came what the script expects?

use super::ast::{Micros, Time};
use super::packet::{Packet, Tcp, TcpOption};
use super::wire::Seen;

/// How exact times and timestamps must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance {
    pub(super) micros: Micros,
    /// Of the time since the step before, where that is more.
    pub(super) percent: f64,
    /// Microseconds of a TSval's unit; 0 = TSvals are not compared.
    pub(super) timestamp_tick: Micros,
}

impl Default for Tolerance {
    /// packetdrill's.
    fn default() -> Self {
        Tolerance { micros: 4000, percent: 12.5, timestamp_tick: 0 }
    }
}

impl Tolerance {
    fn after(&self, since: Option<Micros>) -> Micros {
        self.micros.max((self.percent / 100.0 * since.unwrap_or(0) as f64) as Micros)
    }

    /// Did it happen when it should? `from` and `to` and `actual` count from the script's start; `before` is the time of
    /// the step before.
    pub(super) fn time(
        &self,
        kind: Time,
        (from, to): (Micros, Micros),
        actual: Micros,
        before: Option<Micros>,
        what: &str,
    ) -> Result<(), String> {
        let tolerance = self.after(before.map(|b| from - b));
        if kind == Time::Any || (from - tolerance..=to + tolerance).contains(&actual) {
            return Ok(());
        }
        let wanted = if from == to { seconds(from) } else { format!("{}~{}", seconds(from), seconds(to)) };
        Err(format!(
            "timing error: expected {what} at {wanted} sec but happened at {} sec; tolerance {} sec",
            seconds(actual),
            seconds(tolerance)
        ))
    }

    /// Is `actual` the packet that the script expects? `seen` is what it was made of; `elapsed` is the script's time.
    pub(super) fn packet(
        &self,
        wanted: &Packet,
        tcp: &Tcp,
        seen: &Seen,
        actual: &Tcp,
        elapsed: Micros,
    ) -> Result<(), String> {
        if !wanted.tos.accepts(seen.tos) {
            return Err(format!("IP's traffic class: expected {}vs actual: {:#x}", wanted.tos, seen.tos));
        }
        field("ttl", wanted.ttl.unwrap_or(seen.ttl), seen.ttl)?;
        if tcp.len != actual.len {
            return Err(format!("payload: expected {} bytes vs actual {} bytes", tcp.len, actual.len));
        }
        if tcp.flags != actual.flags {
            return Err(format!("TCP flags: expected: {} vs actual: {}", tcp.flags, actual.flags));
        }
        field("tcp_seq", tcp.seq, actual.seq)?;
        field("tcp_ack_seq", tcp.ack, actual.ack)?;
        if let (Some(wanted), Some(actual)) = (tcp.window, actual.window) {
            field("tcp_window", wanted, actual)?;
        }
        field("tcp_urg_ptr", tcp.urgent, actual.urgent)?;
        if let (Some(wanted), Some(actual)) = (&tcp.options, &actual.options) {
            self.options(wanted, actual, elapsed)?;
        }
        if seen.data.iter().any(|b| *b != 0) {
            return Err("incorrect outbound data payload: a script writes zeros".into());
        }
        Ok(())
    }

    fn options(&self, wanted: &[TcpOption], actual: &[TcpOption], elapsed: Micros) -> Result<(), String> {
        let kinds = |all: &[TcpOption]| all.iter().map(TcpOption::kind).collect::<Vec<_>>();
        if kinds(wanted) != kinds(actual) {
            return Err("bad outbound TCP options".into());
        }
        for (wanted, actual) in wanted.iter().zip(actual) {
            let same = match (wanted, actual) {
                (TcpOption::Ts { val, ecr }, TcpOption::Ts { val: actual_val, ecr: actual_ecr }) => {
                    ecr == actual_ecr && self.timestamp(*val, *actual_val, elapsed)
                }
                _ => wanted == actual,
            };
            if !same {
                return Err(format!("bad value in outbound TCP option: expected: {wanted} actual: {actual}"));
            }
        }
        Ok(())
    }

    fn timestamp(&self, wanted: u32, actual: u32, elapsed: Micros) -> bool {
        let off = Micros::from(actual.wrapping_sub(wanted) as i32).abs();
        self.timestamp_tick == 0 || off * self.timestamp_tick <= self.after(Some(elapsed))
    }
}

fn field<T: PartialEq + std::fmt::Display>(name: &str, wanted: T, actual: T) -> Result<(), String> {
    if wanted == actual { Ok(()) } else { Err(format!("{name}: expected: {wanted} vs actual: {actual}")) }
}

/// `0.100000`
pub(super) fn seconds(micros: Micros) -> String {
    format!("{:.6}", micros as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerance_grows_with_the_wait() {
        let t = Tolerance::default();
        let at =
            |actual, before| t.time(Time::Absolute(0), (1_000_000, 1_000_000), actual, before, "x").is_ok();
        assert!(at(1_004_000, None) && !at(1_004_001, None));
        assert!(at(996_000, Some(999_000)) && !at(995_999, Some(999_000)));
        assert!(at(1_125_000, Some(0)) && !at(1_125_001, Some(0)));
    }

    #[test]
    fn ranges_and_any_time() {
        let t = Tolerance { percent: 0.0, ..Tolerance::default() };
        let range = Time::AbsoluteRange(0, 0);
        assert!(t.time(range, (100_000, 200_000), 204_000, None, "x").is_ok());
        assert!(t.time(range, (100_000, 200_000), 204_001, None, "x").is_err());
        assert!(t.time(Time::Any, (0, 0), 9_000_000, None, "x").is_ok());
    }

    #[test]
    fn timestamps_are_compared_when_a_tick_is_given() {
        let ts = |val, ecr| [TcpOption::Ts { val, ecr }];
        let mut t = Tolerance::default();
        assert!(t.options(&ts(1, 2), &ts(99_999, 2), 0).is_ok());
        assert!(t.options(&ts(1, 2), &ts(1, 3), 0).is_err());
        t.timestamp_tick = 1000;
        assert!(t.options(&ts(1, 2), &ts(5, 2), 0).is_ok());
        assert!(t.options(&ts(1, 2), &ts(6, 2), 0).is_err());
    }
}
