//! What `--so_flags=NAME=VALUE,NAME=VALUE` sets.

use std::net::Ipv4Addr;
use std::time::Duration;

use ferroflow_stack::tcp::{EcnMode, TcpConfig};

/// Settings of a host. [`Settings::parse`] reads them from text; the table in the source has all names.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The stack's address.
    pub local_ip: Ipv4Addr,
    /// Length of its network's prefix, 0 to 32.
    pub prefix_len: u8,
    /// Its router.
    pub gateway_ip: Ipv4Addr,
    /// Largest IP packet.
    pub mtu: u32,
    /// Entropy: sequence numbers, ports.
    pub seed: u64,
    /// The clock at the beginning, in microseconds.
    pub start_usecs: u64,
    /// TCP's settings.
    pub tcp: TcpConfig,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            local_ip: Ipv4Addr::new(192, 168, 0, 2),
            prefix_len: 16,
            gateway_ip: Ipv4Addr::new(192, 168, 0, 1),
            mtu: 1500,
            seed: 1,
            start_usecs: 1_000_000,
            // What Linux does by default and scripts written for it expect.
            tcp: TcpConfig { nagle: true, ..TcpConfig::default() },
        }
    }
}

/// Text that is no settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// No such name.
    #[error("no setting is named {0}; there are {known}", known = names())]
    Unknown(String),
    /// No such value.
    #[error("{name}={value}: not a value of it")]
    Value {
        /// The setting.
        name: String,
        /// What it was to be.
        value: String,
    },
}

type Set = fn(&mut Settings, &str) -> Option<()>;

/// Every setting: its name and how its value is read.
///
/// Times are in milliseconds, sizes in bytes, switches are 0 or 1. `ecn` is 0 (never), 1 (we ask for it) or 2 (when the peer
/// asks), as net.ipv4.tcp_ecn; `cc` is cubic or reno. The others are named as the fields of
/// [`TcpConfig`] and [`Settings`] that they set.
const TABLE: &[(&str, Set)] = &[
    ("local_ip", |s, v| put(&mut s.local_ip, v.parse().ok())),
    ("prefix_len", |s, v| put(&mut s.prefix_len, v.parse().ok().filter(|n| *n <= 32))),
    ("gateway_ip", |s, v| put(&mut s.gateway_ip, v.parse().ok())),
    ("mtu", |s, v| put(&mut s.mtu, v.parse().ok().filter(|n| (576..=65_535).contains(n)))),
    ("seed", |s, v| put(&mut s.seed, v.parse().ok())),
    ("start_usecs", |s, v| put(&mut s.start_usecs, v.parse().ok())),
    ("send_buffer", |s, v| put(&mut s.tcp.send_buffer, v.parse().ok())),
    ("recv_buffer", |s, v| put(&mut s.tcp.recv_buffer, v.parse().ok())),
    ("send_buffer_initial", |s, v| put(&mut s.tcp.send_buffer_initial, v.parse().ok())),
    ("recv_buffer_initial", |s, v| put(&mut s.tcp.recv_buffer_initial, v.parse().ok())),
    ("nagle", |s, v| put(&mut s.tcp.nagle, switch(v))),
    ("timestamps", |s, v| put(&mut s.tcp.timestamps, switch(v))),
    ("window_scaling", |s, v| put(&mut s.tcp.window_scaling, switch(v))),
    ("sack", |s, v| put(&mut s.tcp.sack, switch(v))),
    ("tail_loss_probe", |s, v| put(&mut s.tcp.tail_loss_probe, switch(v))),
    ("f_rto", |s, v| put(&mut s.tcp.f_rto, switch(v))),
    ("ecn", |s, v| put(&mut s.tcp.ecn, ecn(v))),
    ("cc", |s, v| put(&mut s.tcp.congestion, v.parse().ok())),
    ("syn_cookies", |s, v| put(&mut s.tcp.syn_cookies, switch(v))),
    ("initial_window", |s, v| put(&mut s.tcp.initial_window, v.parse().ok())),
    ("delayed_ack", |s, v| put(&mut s.tcp.delayed_ack, millis(v))),
    ("rto_min", |s, v| put(&mut s.tcp.rto_min, millis(v))),
    ("rto_max", |s, v| put(&mut s.tcp.rto_max, millis(v))),
    ("rto_initial", |s, v| put(&mut s.tcp.rto_initial, millis(v))),
    ("user_timeout", |s, v| put(&mut s.tcp.user_timeout, millis(v))),
    ("connect_timeout", |s, v| put(&mut s.tcp.connect_timeout, millis(v))),
    ("accept_timeout", |s, v| put(&mut s.tcp.accept_timeout, millis(v))),
    ("time_wait", |s, v| put(&mut s.tcp.time_wait, millis(v))),
    ("fin_wait_2", |s, v| put(&mut s.tcp.fin_wait_2, millis(v))),
    ("linger", |s, v| put(&mut s.tcp.linger, millis(v))),
    ("buffers_idle", |s, v| put(&mut s.tcp.buffers_idle, millis(v))),
    ("memory", |s, v| put(&mut s.tcp.memory, v.parse().ok())),
    ("max_gaps", |s, v| put(&mut s.tcp.max_gaps, v.parse().ok())),
    ("max_conns", |s, v| put(&mut s.tcp.max_conns, v.parse().ok())),
    ("max_time_wait", |s, v| put(&mut s.tcp.max_time_wait, v.parse().ok())),
    ("replies_per_second", |s, v| put(&mut s.tcp.replies_per_second, v.parse().ok())),
    ("challenge_acks", |s, v| put(&mut s.tcp.challenge_acks, v.parse().ok())),
    ("challenge_period", |s, v| put(&mut s.tcp.challenge_period, millis(v))),
];

impl Settings {
    /// Reads `NAME=VALUE` pairs with commas between them. A switch without a value is on.
    ///
    /// # Errors
    /// A name or a value that is not known.
    pub fn parse(text: &str) -> Result<Settings, BadSetting> {
        let mut settings = Settings::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, "1"));
            let (name, value) = (name.trim(), value.trim());
            let (_, set) = TABLE
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| BadSetting::Unknown(name.to_owned()))?;
            set(&mut settings, value)
                .ok_or_else(|| BadSetting::Value { name: name.to_owned(), value: value.to_owned() })?;
        }
        Ok(settings)
    }
}

/// The names of all settings, with commas between them.
pub fn names() -> String {
    TABLE.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn switch(value: &str) -> Option<bool> {
    match value {
        "0" | "off" => Some(false),
        "1" | "on" => Some(true),
        _ => None,
    }
}

fn ecn(value: &str) -> Option<EcnMode> {
    match value {
        "0" => Some(EcnMode::Off),
        "1" => Some(EcnMode::Ask),
        "2" => Some(EcnMode::Accept),
        _ => None,
    }
}

fn millis(value: &str) -> Option<Duration> {
    value.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_in_any_order_and_nonsense_is_named() {
        let settings = Settings::parse("nagle=0, rto_min=300,timestamps ,local_ip=10.0.0.7").unwrap();
        assert!(!settings.tcp.nagle && settings.tcp.timestamps);
        assert_eq!(settings.tcp.rto_min, Duration::from_millis(300));
        assert_eq!(settings.local_ip, Ipv4Addr::new(10, 0, 0, 7));
        assert_eq!(Settings::parse(""), Ok(Settings::default()));
        assert_eq!(Settings::parse("nagel=1"), Err(BadSetting::Unknown("nagel".to_owned())));
        let error = BadSetting::Value { name: "mtu".to_owned(), value: "12".to_owned() };
        assert_eq!(Settings::parse("mtu=12"), Err(error));
    }
}
