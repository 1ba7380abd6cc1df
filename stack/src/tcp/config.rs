//! Settings of TCP, each with the reason for its default.

use std::time::Duration;

use super::cc::Algorithm;
use super::ecn::EcnMode;
use super::mtu::MtuProbing;

/// Keepalive probes (RFC 9293 3.8.4): off unless asked for (MUST-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe. RFC 9293 MUST-28: two hours or more by default.
    pub idle: Duration,
    /// Time between unanswered probes, a second at least.
    pub interval: Duration,
    /// Unanswered probes before the connection is given up.
    pub probes: u32,
}

impl Default for Keepalive {
    fn default() -> Self {
        Keepalive { idle: Duration::from_secs(7200), interval: Duration::from_secs(75), probes: 9 }
    }
}

/// Settings of TCP for one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpConfig {
    /// Most bytes a connection may have written and unacknowledged, once it has grown with the congestion window. 16 MiB
    /// carry 600 Mbit/s over 100 ms and as much again that queues; Linux's limit is of that order.
    pub send_buffer: usize,
    /// With how many it begins.
    pub send_buffer_initial: usize,
    /// Most bytes a connection may have received and not read, and so the largest window, once it has grown with what its
    /// reader takes. Memory is taken only for bytes that are out of order or unread.
    pub recv_buffer: usize,
    /// With how many it begins: Linux's value.
    pub recv_buffer_initial: usize,
    /// RFC 9293 3.7.4. Off: what one turn writes leaves together anyway, and small replies must not wait for an
    /// acknowledgement that the peer delays.
    pub nagle: bool,
    /// How long an acknowledgement may wait for company. RFC 9293 MUST-40: below 500 ms; Linux's value.
    pub delayed_ack: Duration,
    /// Least that the retransmission time-out is longer than the smoothed round trip. RFC 6298 2.4 recommends 1 s in
    /// all; Linux's 200 ms is what peers live with.
    pub rto_min: Duration,
    /// Upper bound of the retransmission time-out (RFC 6298 2.5: at least 60 s).
    pub rto_max: Duration,
    /// Retransmission time-out before anything was measured (RFC 6298 2.1).
    pub rto_initial: Duration,
    /// How long data may stay unacknowledged before the connection is given up: R2 of RFC 9293 3.8.3 (at least 100 s).
    pub user_timeout: Duration,
    /// Least and most that a peer can make of that (RFC 5482 3.1: L_LIMIT, no less than the 100 s of RFC 9293 3.8.3, and
    /// U_LIMIT) where the exchange is on.
    pub user_timeout_limits: (Duration, Duration),
    /// How long an active open is tried: R2 for SYN, at least 3 minutes (RFC 9293 3.8.3).
    pub connect_timeout: Duration,
    /// How long a passive open waits for its last ACK: a half-open connection costs memory, the peer tries again.
    pub accept_timeout: Duration,
    /// How long TIME_WAIT lasts. RFC 9293 says two maximum segment lifetimes (4 minutes); 60 s is Linux's.
    pub time_wait: Duration,
    /// How long a connection whose service has closed it waits in FIN_WAIT_2 for the peer's FIN (Linux: tcp_fin_timeout).
    pub fin_wait_2: Duration,
    /// How long a connection whose service has closed it may make no progress with what is still to be sent: a peer that
    /// keeps its window closed must not keep the connection for ever. Linux gives up after some hundred seconds.
    pub linger: Duration,
    /// Keepalive for every connection; `None` = off.
    pub keepalive: Option<Keepalive>,
    /// Offer RFC 7323 timestamps.
    pub timestamps: bool,
    /// Offer RFC 7323 window scaling.
    pub window_scaling: bool,
    /// Offer selective acknowledgements (RFC 2018), without which losses are repaired one a round trip.
    pub sack: bool,
    /// Probe for lost tails before the time-out (RFC 8985 7); needs SACK.
    pub tail_loss_probe: bool,
    /// Find spurious time-outs by F-RTO (RFC 5682).
    pub f_rto: bool,
    /// Explicit congestion notification (RFC 3168).
    pub ecn: EcnMode,
    /// Spread a window over its round trip. Off: over the paths of `tests/sim_grid.rs` it gained nothing (the queue holds a
    /// window's burst) and cost up to a tenth where windows are small; for paths with queues of a few packets.
    pub pacing: bool,
    /// Congestion control of new connections.
    pub congestion: Algorithm,
    /// Whether connections find out by themselves what their path carries (RFC 4821).
    pub mtu_probing: MtuProbing,
    /// Initial congestion window in segments (RFC 6928).
    pub initial_window: u32,
    /// Most connections at once, half-open ones included; more are refused by silence and counted.
    pub max_conns: usize,
    /// Most connections in TIME_WAIT; at the bound the oldest makes room.
    pub max_time_wait: usize,
    /// How long a connection may be silent before it gives back the memory of its buffers.
    pub buffers_idle: Duration,
    /// Bytes that the buffers of all connections of a core may hold before memory counts as short: then no buffer's limit
    /// grows any more, and out-of-order data is dropped. Data in order goes on.
    pub memory: usize,
    /// Most separate gaps in a connection's out-of-order data; more segments are dropped and counted.
    pub max_gaps: usize,
    /// Answer SYNs by cookies while a listener's backlog is full (RFC 4987 3.6); off: they are dropped.
    pub syn_cookies: bool,
    /// Most resets, and ACKs from TIME_WAIT, a second. What each second really allows is drawn between half of it and all
    /// of it, so that nobody can count what others caused.
    pub replies_per_second: u32,
    /// Most challenge ACKs (RFC 5961 7) of all connections in `challenge_period`, drawn in the same way; each connection
    /// sends at most one in half of that time.
    pub challenge_acks: u32,
    /// The time for which that holds, a millisecond at least. Linux's is a second.
    pub challenge_period: Duration,
}

impl Default for TcpConfig {
    fn default() -> Self {
        TcpConfig {
            send_buffer: 16 << 20,
            send_buffer_initial: 512 * 1024,
            recv_buffer: 16 << 20,
            recv_buffer_initial: 128 * 1024,
            nagle: false,
            delayed_ack: Duration::from_millis(40),
            rto_min: Duration::from_millis(200),
            rto_max: Duration::from_secs(60),
            rto_initial: Duration::from_secs(1),
            user_timeout: Duration::from_secs(120),
            user_timeout_limits: (Duration::from_secs(100), Duration::from_secs(3600)),
            connect_timeout: Duration::from_secs(180),
            accept_timeout: Duration::from_secs(60),
            time_wait: Duration::from_secs(60),
            fin_wait_2: Duration::from_secs(60),
            linger: Duration::from_secs(120),
            keepalive: None,
            timestamps: true,
            window_scaling: true,
            sack: true,
            tail_loss_probe: true,
            f_rto: true,
            ecn: EcnMode::Accept,
            pacing: false,
            congestion: Algorithm::Cubic,
            mtu_probing: MtuProbing::BlackHole,
            initial_window: 10,
            max_conns: 1 << 17,
            max_time_wait: 1 << 16,
            buffers_idle: Duration::from_secs(5),
            memory: 1 << 30,
            max_gaps: 64,
            syn_cookies: true,
            replies_per_second: 1000,
            challenge_acks: 1000,
            challenge_period: Duration::from_secs(1),
        }
    }
}
