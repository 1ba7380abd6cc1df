//! What uses the instance: a service with callbacks, or a program over sockets.

use ferroflow_stack::Service;
use ferroflow_stack::instance::Inner;
use ferroflow_stack::option::ConnOption;
use ferroflow_stack::tcp::{Algorithm, Keepalive};

use std::time::Duration;

use crate::input::Script;

/// What a script can make the user of an instance do, outside of callbacks.
pub trait App {
    type Service: Service;

    /// `backlog`: of each listener.
    fn new(backlog: u32) -> (Self, Self::Service)
    where
        Self: Sized;

    /// Does the next thing of the script.
    fn act(&mut self, service: &mut Self::Service, net: &mut Inner, script: &mut Script<'_>);

    /// Says how callbacks are answered from now on.
    fn policy(&mut self, service: &mut Self::Service, script: &mut Script<'_>);

    /// Opens a connection.
    fn connect(&mut self, service: &mut Self::Service, net: &mut Inner, to: std::net::SocketAddr, early: u16);

    /// Something was forged: what is read is no longer known.
    fn taint(&mut self, service: &mut Self::Service);

    /// After a turn.
    fn check(&mut self, service: &mut Self::Service, net: &mut Inner);

    /// Reads and writes what can be, so that nothing waits for the user.
    fn close_all(&mut self, service: &mut Self::Service, net: &mut Inner);

    /// How many connections it knows of.
    fn known(&self, service: &Self::Service) -> usize;
}

/// An option of a connection, with a value at or near its bounds.
pub fn conn_option(script: &mut Script<'_>) -> ConnOption {
    let [kind, value] = script.array();
    let on = value & 1 != 0;
    let time = [
        Duration::ZERO,
        Duration::from_millis(1),
        Duration::from_millis(300),
        Duration::from_secs(1),
        Duration::from_secs(20),
        Duration::from_secs(600),
        Duration::from_secs(40_000),
        Duration::from_secs(u64::from(u32::MAX)),
    ][usize::from(value % 8)];
    let size = [0, 1, 600, 4096, 5000, 16 * 1024, 64 * 1024, 100_000][usize::from(value % 8)];
    match kind % 17 {
        0 => ConnOption::NoDelay(on),
        1 => ConnOption::Cork(on),
        2 => ConnOption::QuickAck(on),
        3 => ConnOption::Keepalive(on),
        4 => ConnOption::KeepaliveIdle(time),
        5 => ConnOption::KeepaliveInterval(time),
        6 => ConnOption::KeepaliveProbes(u32::from(value % 8)),
        7 => ConnOption::SendBuffer(size),
        8 => ConnOption::RecvBuffer(size),
        9 => ConnOption::MaxSegment([0, 1, 64, 100, 536, 1000, 1460, 0xffff][usize::from(value % 8)]),
        10 => ConnOption::UserTimeout(time),
        11 => ConnOption::UserTimeoutExchange(on),
        12 => ConnOption::Congestion(if on { Algorithm::NewReno } else { Algorithm::Cubic }),
        13 => ConnOption::SynRetries(u32::from(value % 4)),
        14 => ConnOption::FinTimeout(time),
        15 => ConnOption::DiffServ(value),
        _ => ConnOption::TimeToLive(value),
    }
}

/// Keepalive that comes into play within a script.
pub fn keepalive() -> Keepalive {
    Keepalive { idle: Duration::from_secs(5), interval: Duration::from_secs(1), probes: 3 }
}
