//! One switch's connection, from its hello to its end.

mod buffered;
mod handshake;
mod inbound;
mod owned;
mod pending;
mod pump;
mod timers;

pub(crate) use handshake::{greet, up};
pub(crate) use inbound::finish;
pub(crate) use owned::{Memory, NotRemembered, Remembered};
pub(crate) use pending::{Ask, Kind as RequestKind, Request};
pub(crate) use pump::{End, Pump, pump};
pub(crate) use timers::{Due, due};

use std::net::SocketAddr;
use std::time::Duration;

use ferroflow_openflow::{Splitter, Version};
use ferroflow_stack::{ConnId, Instant, SendRing};

use crate::app::Dpid;
use crate::codec::Out;
use crate::config::Config;
use crate::core::Shared;
use crate::flow::Port;

use buffered::Buffered;
use pending::Pending;

/// The slot in an xid of what the session itself sends; apps have the slots below.
pub(crate) const SESSION_SLOT: u8 = 0xff;

/// The app id in the session's own cookies.
pub(crate) const SESSION_APP_ID: u16 = 0xffff;

/// Where the app's id is in a cookie.
pub(crate) const COOKIE_SHIFT: u32 = 48;

/// The bit of a cookie that says that the app wants to hear of the flow's removal.
pub(crate) const COOKIE_NOTIFY: u64 = 1 << 47;

/// Bytes of the send ring that only the session may use: some hundred echo and barrier replies.
pub(crate) const KEEP: usize = 2048;

/// So long without an unreadable message, and those before count no more.
const MALFORMED_FORGIVEN: Duration = Duration::from_secs(60);

/// Ports remembered per switch.
const MAX_PORTS: usize = 65_536;

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Our hello is sent, theirs has not come.
    Hello,
    /// features_request is sent.
    Features,
    /// Its datapath is known; the registrar has been asked.
    Claiming,
    /// Its apps have seen `datapath_up`.
    Ready,
    /// It is over; bytes that still come are thrown away.
    Closed,
}

/// A connection and what is known about its switch.
#[derive(Debug)]
pub(crate) struct Session {
    pub splitter: Splitter,
    pub dp: Datapath,
}

/// Everything about a session but its splitter, whose buffer messages may lie in.
#[derive(Debug)]
pub(crate) struct Datapath {
    /// Where the session lives in its core's table.
    pub key: u32,
    /// Never used again on this core.
    pub serial: u64,
    pub conn: ConnId,
    pub peer: SocketAddr,
    pub phase: Phase,
    pub version: Version,
    pub id: Dpid,
    pub ports: Vec<Port>,
    /// A port list that has not come to its end.
    pub incoming_ports: Vec<Port>,
    pub pending: Pending,
    pub memory: Memory,
    pub buffered: Buffered,
    /// The switch refused a buffer that it had named itself: no more of them.
    pub unbuffered: bool,
    pub opened: Instant,
    /// When something was last heard.
    pub heard: Instant,
    /// An echo request is open since then.
    pub asked: Option<Instant>,
    /// Bytes that had come and were not taken when reading last stopped.
    pub untaken: usize,
    /// A newcomer claims this datapath; until then there must be a sign of life.
    pub probe: Option<Instant>,
    /// Reading pauses since then because the send ring is full.
    pub paused: Option<Instant>,
    /// Reading goes on although it is full.
    pub dropping: bool,
    /// Messages that could not be read, with less than [`MALFORMED_FORGIVEN`] between two.
    pub malformed: u32,
    /// When the last of them came.
    malformed_at: Instant,
    /// An unreadable message was said.
    said_malformed: bool,
    /// A message that was not expected, or of an unknown type, was said.
    said_unexpected: bool,
    /// The next deadline may have changed.
    pub timer_dirty: bool,
    seq: u32,
}

impl Session {
    pub(crate) fn new(key: u32, serial: u64, conn: ConnId, peer: SocketAddr, shared: &mut Shared) -> Session {
        let now = shared.now;
        let seed = shared.random();
        let dp = Datapath {
            key,
            serial,
            conn,
            peer,
            phase: Phase::Hello,
            version: shared.config.versions.highest().unwrap_or(Version::V1_3),
            id: Dpid(0),
            ports: Vec::new(),
            incoming_ports: Vec::new(),
            pending: Pending::seeded(seed),
            memory: Memory::seeded(seed),
            buffered: Buffered::default(),
            unbuffered: false,
            opened: now,
            heard: now,
            asked: None,
            untaken: 0,
            probe: None,
            paused: None,
            dropping: false,
            malformed: 0,
            malformed_at: now,
            said_malformed: false,
            said_unexpected: false,
            timer_dirty: true,
            seq: 0,
        };
        Session { splitter: Splitter::default(), dp }
    }

    /// Stands for a datapath that is not here, in callbacks about it.
    pub(crate) fn ghost(shared: &mut Shared) -> Session {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut ghost = Session::new(u32::MAX, 0, ConnId::new(u32::MAX, u32::MAX), nowhere, shared);
        ghost.dp.phase = Phase::Closed;
        ghost
    }
}

impl Datapath {
    /// The next xid of an app or of the session: the slot in the top 8 bits, a sequence in the others.
    #[inline]
    pub(crate) fn next_xid(&mut self, slot: u8) -> u32 {
        self.seq = (self.seq + 1) & 0x00ff_ffff;
        u32::from(slot) << 24 | self.seq
    }

    /// The session's own way to write, which may use the room that is kept.
    pub(crate) fn out<'a>(&self, ring: &'a mut SendRing) -> Out<'a> {
        Out { ring, keep: 0, copy: None }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Takes a port's new state, or forgets it. Says whether there was room.
    pub(crate) fn set_port(&mut self, port: &Port, gone: bool) -> bool {
        let at = self.ports.iter().position(|p| p.number == port.number);
        match (at, gone) {
            (Some(at), true) => {
                self.ports.remove(at);
            }
            (Some(at), false) => self.ports[at] = port.clone(),
            (None, false) if self.ports.len() < MAX_PORTS => self.ports.push(port.clone()),
            (None, gone) => return gone,
        }
        true
    }

    /// Takes one part of a port list, as far as there is room. Says how many ports there was none for.
    pub(crate) fn add_ports(&mut self, part: Vec<Port>, more: bool) -> usize {
        let room = MAX_PORTS - self.incoming_ports.len();
        let ignored = part.len().saturating_sub(room);
        self.incoming_ports.extend(part.into_iter().take(room));
        if !more {
            self.ports = std::mem::take(&mut self.incoming_ports);
        }
        ignored
    }

    /// Whether of these readable bytes some have come since reading last stopped.
    #[inline]
    pub(crate) fn arrived(&self, readable: usize) -> bool {
        readable > self.untaken
    }

    /// Any byte that newly comes is a sign of life.
    #[inline]
    pub(crate) fn heard_now(&mut self, now: Instant) {
        self.heard = now;
        if self.asked.take().is_some() {
            self.timer_dirty = true;
        }
    }
}

/// How little room in the send ring makes reading pause.
pub(crate) fn low_water(ring: &SendRing) -> usize {
    KEEP + (ring.limit() / 4).min(16 * 1024)
}

/// Whether the time-outs make sense together; otherwise what is wrong.
pub(crate) fn check_config(config: &Config) -> Result<(), &'static str> {
    if config.versions.highest().is_none() {
        return Err("no OpenFlow version to speak");
    }
    if config.versions.iter().any(|v| v != Version::V1_0 && v != Version::V1_3) {
        return Err("only OpenFlow 1.0 and 1.3 are spoken");
    }
    if config.echo_interval >= config.echo_timeout {
        return Err("the echo interval must be shorter than the echo time-out");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::flow::PortNo;

    fn port(n: usize) -> Port {
        let (number, mac) = (PortNo(n as u32), ferroflow_wire::MacAddr([2; 6]));
        Port { number, mac, name: "".into(), admin_down: false, link_down: false }
    }

    #[test]
    fn ports_are_bounded_and_those_over_the_bound_are_told() {
        let mut shared = Shared::new(0, 1, Arc::default(), Arc::new([]));
        let mut dp = Session::ghost(&mut shared).dp;
        assert_eq!(dp.add_ports((0..MAX_PORTS - 1).map(port).collect(), true), 0);
        assert_eq!(dp.add_ports([MAX_PORTS, MAX_PORTS + 1, MAX_PORTS + 2].map(port).into(), false), 2);
        assert_eq!(dp.ports.len(), MAX_PORTS);
        assert!(!dp.set_port(&port(MAX_PORTS + 3), false), "no room");
        assert!(dp.set_port(&port(MAX_PORTS + 3), true), "it was never there");
        assert!(dp.set_port(&port(MAX_PORTS), false), "a known one changes");
        assert!(dp.set_port(&port(0), true) && dp.set_port(&port(MAX_PORTS + 3), false));
        assert_eq!(dp.ports.len(), MAX_PORTS);
    }
}
