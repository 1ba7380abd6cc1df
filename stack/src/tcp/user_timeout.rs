//! The user time-out (RFC 9293 3.8.3, R2) and its exchange with the peer (RFC 5482): both ends keep a connection as long as the
//! more patient of them wants, within limits.

use std::time::Duration;

use ferroflow_wire::SeqNumber;

use super::TcpConfig;
use super::tcb::Tcb;

/// What a connection that exchanges the option knows (RFC 5482 3, 3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// ADV_UTO: what we ask for, as an option.
    local: u16,
    /// REMOTE_UTO: what the peer has asked for.
    remote: Option<Duration>,
    /// Our value has not been acknowledged since it changed.
    due: Due,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Due {
    /// It has, or the SYN brings it.
    #[default]
    No,
    /// It goes with the next text.
    Yes,
    /// It has gone with text that ends here, and goes with all text until that is acknowledged.
    Until(SeqNumber),
}

/// 15 bits of value.
const MAX: u64 = 0x7fff;
/// The value counts minutes.
const MINUTES: u16 = 0x8000;

/// RFC 5482 3.3: seconds, or minutes if there are too many; rounded up, never zero.
fn encode(time: Duration) -> u16 {
    let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
    match seconds {
        0 => 1,
        1..=MAX => seconds as u16,
        _ => MINUTES | seconds.div_ceil(60).min(MAX) as u16,
    }
}

/// `None`: zero, which must be ignored (RFC 5482 3.4).
fn decode(option: u16) -> Option<Duration> {
    let value = u64::from(option & !MINUTES);
    let seconds = if option & MINUTES == 0 { value } else { value * 60 };
    (value != 0).then(|| Duration::from_secs(seconds))
}

/// RFC 5482 3.1: L_LIMIT and U_LIMIT, which hold for both ends' values.
fn within_limits(time: Duration, config: &TcpConfig) -> Duration {
    let (least, most) = config.user_timeout_limits;
    time.max(least).min(most)
}

impl Tcb {
    /// R2 of RFC 9293 3.8.3: how long data may stay unacknowledged.
    pub(super) fn user_timeout(&self, config: &TcpConfig) -> Duration {
        let Some(own) = &self.own else { return config.user_timeout };
        if let Some(time) = own.user_timeout {
            // RFC 5482 3.1: what the application has set, the peer does not change
            return if own.exchange.is_some() { within_limits(time, config) } else { time };
        }
        let remote = own.exchange.and_then(|exchange| exchange.remote);
        let Some(remote) = remote else { return config.user_timeout };
        // USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT))
        within_limits(config.user_timeout.max(remote), config)
    }

    /// The option in our SYN or SYN,ACK: always, if it is exchanged at all.
    pub(super) fn syn_user_timeout(&self) -> Option<u16> {
        self.own.as_ref()?.exchange.map(|exchange| exchange.local)
    }

    /// The option on text: until it has arrived (RFC 5482 3.2).
    #[inline]
    pub(super) fn text_user_timeout(&self) -> Option<u16> {
        let exchange = self.own.as_ref()?.exchange?;
        (exchange.due != Due::No).then_some(exchange.local)
    }

    /// Text that ends at `end` has left.
    #[inline]
    pub(super) fn user_timeout_sent(&mut self, end: SeqNumber) {
        if let Some(exchange) = self.exchange_mut()
            && exchange.due == Due::Yes
        {
            exchange.due = Due::Until(end);
        }
    }

    /// SND.UNA has moved.
    #[inline]
    pub(super) fn user_timeout_acked(&mut self) {
        let una = self.snd.una;
        if let Some(exchange) = self.exchange_mut()
            && let Due::Until(end) = exchange.due
            && una.ge(end)
        {
            exchange.due = Due::No;
        }
    }

    /// The peer's option.
    #[inline]
    pub(super) fn user_timeout_received(&mut self, option: Option<u16>, config: &TcpConfig) {
        if let Some(option) = option
            && let Some(time) = decode(option)
        {
            let before = self.user_timeout(config);
            if let Some(exchange) = self.exchange_mut() {
                exchange.remote = Some(time);
                self.move_deadline(before, config);
            }
        }
    }

    /// The service's own value has changed, or whether it is exchanged.
    pub(super) fn user_timeout_changed(&mut self, before: Duration, config: &TcpConfig) {
        let synchronized = self.state.is_synchronized();
        let own = self.own.as_ref().and_then(|own| own.user_timeout);
        if let Some(exchange) = self.exchange_mut() {
            exchange.local = encode(own.map_or(config.user_timeout, |time| within_limits(time, config)));
            if synchronized {
                exchange.due = Due::Yes;
            }
        }
        self.move_deadline(before, config);
    }

    fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        self.own.as_mut()?.exchange.as_mut()
    }

    /// What is unacknowledged already has the new time, counted from when the old one began.
    fn move_deadline(&mut self, before: Duration, config: &TcpConfig) {
        let waits = self.state.is_synchronized() && !self.service_done && self.rto.expired() > 0;
        if let Some(at) = self.deadlines.give_up.filter(|_| waits) {
            self.deadlines.give_up = Some(at - before + self.user_timeout(config));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_up_to_nine_hours_and_minutes_beyond() {
        let s = Duration::from_secs;
        for (time, option) in [(s(1), 1), (s(120), 120), (s(32_767), 0x7fff), (s(32_768), 0x8000 | 547)] {
            assert_eq!(encode(time), option, "{time:?}");
        }
        assert_eq!(encode(Duration::ZERO), 1, "zero is reserved");
        assert_eq!(encode(Duration::from_millis(1001)), 2, "rounded up");
        assert_eq!(encode(Duration::MAX), 0xffff);
        assert_eq!((decode(0), decode(0x8000)), (None, None));
        assert_eq!((decode(30), decode(0x8002)), (Some(s(30)), Some(s(120))));
        for option in 1..=0x7fffu16 {
            assert_eq!(decode(encode(decode(option).unwrap())), decode(option));
        }
    }
}
