//! The retransmission time-out (RFC 6298).

use std::time::Duration;

use super::TcpConfig;

/// Clock granularity G of RFC 6298 2: one millisecond, the timer wheel's tick and the timestamps' unit.
const GRANULARITY: Duration = Duration::from_millis(1);

/// Round-trip estimate and time-out of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Rto {
    srtt: Option<Duration>,
    rttvar: Duration,
    /// Before backing off and bounds are applied.
    base: Duration,
    /// How often the time-out has been doubled.
    backoff: u32,
    /// How often in a row the timer has expired.
    expired: u32,
}

impl Rto {
    /// Nothing measured yet.
    pub fn new(config: &TcpConfig) -> Rto {
        Rto { srtt: None, rttvar: Duration::ZERO, base: config.rto_initial, backoff: 0, expired: 0 }
    }

    /// A round trip was measured; never on a retransmitted segment (Karn, RFC 6298 3), unless by timestamp.
    pub fn measured(&mut self, rtt: Duration, config: &TcpConfig) {
        let srtt = match self.srtt {
            // RFC 6298 2.2
            None => {
                self.rttvar = rtt / 2;
                rtt
            }
            // RFC 6298 2.3: alpha = 1/8, beta = 1/4
            Some(srtt) => {
                self.rttvar = (self.rttvar * 3 + srtt.abs_diff(rtt)) / 4;
                (srtt * 7 + rtt) / 8
            }
        };
        self.srtt = Some(srtt);
        // The lower bound is one of the variance's term, as in Linux: on a long path whose round trips hardly vary, an
        // acknowledgement may be late by more than the clock's granularity all the same.
        self.base = (srtt + GRANULARITY.max(config.rto_min).max(self.rttvar * 4)).min(config.rto_max);
        self.backoff = 0;
    }

    /// The time-out now.
    pub fn get(&self, config: &TcpConfig) -> Duration {
        self.base.saturating_mul(1 << self.backoff.min(16)).min(config.rto_max)
    }

    /// The timer expired (RFC 6298 5.5).
    pub fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(16);
        self.expired = self.expired.saturating_add(1);
    }

    /// New data was acknowledged. The time-out stays backed off until a round trip is measured (RFC 6298 5, last
    /// paragraph): what was acknowledged may have been a retransmission, and tells nothing.
    pub fn progress(&mut self) {
        self.expired = 0;
    }

    /// A closed window opened: its probes backed off (RFC 9293 3.8.6.1), the path did not ask for that.
    pub fn probe_answered(&mut self) {
        self.backoff = 0;
        self.expired = 0;
    }

    /// The handshake's SYN had to be sent again: RFC 6298 5.7, at least 3 s for data.
    pub fn syn_was_lost(&mut self) {
        if self.srtt.is_none() {
            self.base = self.base.max(Duration::from_secs(3));
            self.backoff = 0;
        }
        self.expired = 0;
    }

    /// How often in a row the timer has expired: since the last acknowledgement of new data.
    pub fn expired(&self) -> u32 {
        self.expired
    }

    /// Its variation.
    pub fn rttvar(&self) -> Duration {
        self.rttvar
    }

    /// How often the time-out has been doubled.
    pub fn backoff(&self) -> u32 {
        self.backoff
    }

    /// The smoothed round trip; `None` before the first measurement.
    pub fn srtt(&self) -> Option<Duration> {
        self.srtt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_rfc_6298() {
        let config = TcpConfig::default();
        let mut rto = Rto::new(&config);
        assert_eq!(rto.get(&config), Duration::from_secs(1));
        rto.measured(Duration::from_millis(400), &config);
        // SRTT + 4 * RTTVAR = 400 + 4 * 200
        assert_eq!(rto.get(&config), Duration::from_millis(1200));
        rto.measured(Duration::from_millis(800), &config);
        // RTTVAR = 3/4 * 200 + 1/4 * 400 = 250, SRTT = 7/8 * 400 + 1/8 * 800 = 450
        assert_eq!(rto.srtt(), Some(Duration::from_millis(450)));
        assert_eq!(rto.get(&config), Duration::from_millis(1450));
    }

    #[test]
    fn backs_off_up_to_the_maximum_and_recovers() {
        let config = TcpConfig::default();
        let mut rto = Rto::new(&config);
        rto.measured(Duration::from_millis(1), &config);
        let least = config.rto_min + Duration::from_millis(1);
        assert_eq!(rto.get(&config), least);
        rto.back_off();
        rto.back_off();
        assert_eq!(rto.get(&config), least * 4);
        for _ in 0..40 {
            rto.back_off();
        }
        assert_eq!(rto.get(&config), config.rto_max);
        rto.progress();
        assert_eq!((rto.get(&config), rto.expired()), (config.rto_max, 0));
        rto.measured(Duration::from_millis(1), &config);
        assert_eq!(rto.get(&config), least);
    }
}
