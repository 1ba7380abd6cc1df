//! The instance's settings, from the first bytes of a script.

use std::time::Duration;

use ferroflow_stack::Config;
use ferroflow_stack::tcp::mtu::MtuProbing;
use ferroflow_stack::tcp::{Algorithm, EcnMode};

use crate::app::keepalive;
use crate::input::Script;
use crate::peers::{ADDRESS, MAC, address};

pub const MAX_CONNS: usize = 8;
pub const MAX_TIME_WAIT: usize = 4;
/// The largest buffer that a connection has, or an option gives it.
pub const MAX_BUFFER: usize = 100_000;

/// What a script begins with.
pub struct Settings {
    pub config: Config,
    pub mtu: u32,
    pub tx_csum: bool,
    /// The card cuts packets up to that size.
    pub tx_gso: u32,
    /// Half-open connections before SYN cookies.
    pub backlog: u32,
    /// The user is a program over sockets.
    pub sockets: bool,
}

pub fn settings(script: &mut Script<'_>) -> Settings {
    let [first, second, third, fourth] = script.array();
    let on = |byte: u8, bit: u8| byte >> bit & 1 != 0;
    let off = |byte: u8, bit: u8| !on(byte, bit);
    let mut config = Config::new(MAC, ADDRESS, 24, 7);
    config.burst = 8;
    config.send_budget = if on(third, 7) { 64 * 1024 } else { 4 * 1024 };
    config.gateway = on(first, 2).then(|| address(5));
    let tcp = &mut config.tcp;
    let buffer = [4096, 16 * 1024, 64 * 1024, 1000][usize::from(second & 3)];
    tcp.send_buffer = buffer;
    tcp.recv_buffer = if on(second, 2) { MAX_BUFFER } else { buffer };
    tcp.recv_buffer_initial = buffer / 2;
    tcp.nagle = on(first, 3);
    tcp.timestamps = off(first, 4);
    tcp.window_scaling = off(first, 5);
    tcp.keepalive = on(first, 6).then(keepalive);
    tcp.sack = off(second, 3);
    tcp.tail_loss_probe = off(second, 4);
    tcp.f_rto = off(second, 5);
    tcp.pacing = on(second, 6);
    tcp.congestion = if on(second, 7) { Algorithm::NewReno } else { Algorithm::Cubic };
    tcp.ecn = [EcnMode::Ask, EcnMode::Accept, EcnMode::Off, EcnMode::Ask][usize::from(third & 3)];
    tcp.mtu_probing = [MtuProbing::BlackHole, MtuProbing::Always, MtuProbing::Off, MtuProbing::Always]
        [usize::from(third >> 2 & 3)];
    tcp.syn_cookies = off(third, 4);
    tcp.delayed_ack = if on(third, 5) { Duration::ZERO } else { tcp.delayed_ack };
    tcp.initial_window = if on(third, 6) { 1 } else { tcp.initial_window };
    tcp.user_timeout = Duration::from_secs(if on(fourth, 0) { 10 } else { 120 });
    tcp.memory = if on(fourth, 1) { 20_000 } else { tcp.memory };
    tcp.buffers_idle = Duration::from_millis(if on(fourth, 2) { 10 } else { 5000 });
    tcp.challenge_acks = if on(fourth, 3) { 2 } else { 1000 };
    tcp.replies_per_second = if on(fourth, 4) { 2 } else { 1000 };
    tcp.max_conns = MAX_CONNS;
    tcp.max_time_wait = MAX_TIME_WAIT;
    tcp.max_gaps = 4;
    Settings {
        config,
        mtu: if on(first, 0) { 576 } else { 1500 },
        tx_csum: on(first, 1),
        tx_gso: if on(fourth, 7) { 65_535 } else { 0 },
        backlog: [4, 1, 2, 0][usize::from(fourth >> 5 & 3)],
        sockets: on(first, 7),
    }
}
