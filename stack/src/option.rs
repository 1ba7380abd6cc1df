//! Options of one connection: what differs from [`crate::tcp::TcpConfig`].

use std::time::Duration;

use crate::tcp::user_timeout::Exchange;
use crate::tcp::{Algorithm, Keepalive, TcpConfig};

/// An option and its value, for [`crate::Net::set_option`]. The comment names what Linux calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnOption {
    /// TCP_NODELAY: `true` = send small segments at once, `false` = Nagle's algorithm (RFC 9293 3.7.4).
    NoDelay(bool),
    /// TCP_CORK: hold back what does not fill a segment, for a time-out at most.
    Cork(bool),
    /// TCP_QUICKACK: acknowledge at once, always.
    QuickAck(bool),
    /// SO_KEEPALIVE (RFC 9293 3.8.4)
    Keepalive(bool),
    /// TCP_KEEPIDLE: silence before the first probe.
    KeepaliveIdle(Duration),
    /// TCP_KEEPINTVL: time between probes, a second at least.
    KeepaliveInterval(Duration),
    /// TCP_KEEPCNT: unanswered probes before the connection is given up.
    KeepaliveProbes(u32),
    /// SO_SNDBUF, in bytes: fixed, instead of growing with the flow.
    SendBuffer(usize),
    /// SO_RCVBUF, in bytes: fixed, instead of growing with the flow. Before the SYN it decides on the window scale.
    RecvBuffer(usize),
    /// TCP_MAXSEG, in bytes: the most that we announce, and send; less than 64 is taken for 64.
    MaxSegment(u16),
    /// TCP_USER_TIMEOUT (RFC 5482): how long data may stay unacknowledged; zero = the default.
    UserTimeout(Duration),
    /// Whether the user time-out is exchanged with the peer, and the peer's adopted if the service has set none (RFC 5482 3.1,
    /// ENABLED). From the SYN on if set before it. What the service has set then has
    /// [`crate::tcp::TcpConfig::user_timeout_limits`] too.
    UserTimeoutExchange(bool),
    /// TCP_CONGESTION
    Congestion(Algorithm),
    /// TCP_SYNCNT: how often a SYN is sent again.
    SynRetries(u32),
    /// TCP_LINGER2: how long FIN_WAIT_2 lasts after a close.
    FinTimeout(Duration),
    /// IP_TOS: the Differentiated Services field of what is sent (RFC 9293 3.9.1.9, MUST-48). Its lower two bits are ECN's
    /// (RFC 3168 5), and not taken from here.
    DiffServ(u8),
    /// IP_TTL: the time to live of what is sent (RFC 9293 3.9.2, MUST-49), instead of [`crate::Config::ttl`]; 0 is taken for
    /// 1.
    TimeToLive(u8),
}

/// The options that one connection has been given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) nagle: Option<bool>,
    pub(crate) cork: bool,
    pub(crate) quick_ack: bool,
    /// Whether, and how.
    pub(crate) keepalive: Option<(bool, Keepalive)>,
    pub(crate) send_fixed: bool,
    pub(crate) recv_fixed: bool,
    pub(crate) user_timeout: Option<Duration>,
    /// RFC 5482, if it is on.
    pub(crate) exchange: Option<Exchange>,
    pub(crate) syn_retries: Option<u32>,
    pub(crate) fin_wait_2: Option<Duration>,
    /// The upper six bits of the DS field.
    pub(crate) dscp: u8,
    pub(crate) ttl: Option<u8>,
}

impl Own {
    /// The keepalive settings, to be changed; at first those of `config`.
    pub(crate) fn keepalive_mut(&mut self, config: &TcpConfig) -> &mut (bool, Keepalive) {
        self.keepalive
            .get_or_insert_with(|| (config.keepalive.is_some(), config.keepalive.unwrap_or_default()))
    }
}
