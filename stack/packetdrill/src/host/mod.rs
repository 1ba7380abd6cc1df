//! One stack instance in virtual time: packets in and out without a link layer, socket calls, a clock that stands still
//! until it is told to go on.

mod calls;
mod info;
mod link;
mod options;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use ferroflow_stack::sim::{SimPort, SimPortConfig};
use ferroflow_stack::sockets::{Driven, Fd, Limits, Sockets};
use ferroflow_stack::{Config, Instant};

use crate::settings::Settings;

pub use calls::{PollFd, flag};

/// Turns at one point in time before the stack is taken for broken.
const MAX_TURNS: usize = 100_000;

/// One stack instance in virtual time.
///
/// No call blocks. One that would block fails with `EAGAIN`; whether its descriptor is one whose calls should block, so that
/// the caller is to try again later, says [`Host::blocks`].
pub struct Host {
    settings: Settings,
    driven: Driven<SimPort>,
    now: Instant,
    /// When the stack wants to run next.
    next: Option<Instant>,
    /// What it sent, and when.
    sent: VecDeque<(Instant, Vec<u8>)>,
    /// Descriptors in non-blocking mode (O_NONBLOCK), by number.
    nonblocking: Vec<bool>,
    /// A connection has been begun or a port listened on: the address is fixed.
    fixed: bool,
}

impl Host {
    /// A host whose clock shows [`Settings::start_usecs`].
    pub fn new(settings: Settings) -> Host {
        let now = Instant::from_micros(settings.start_usecs);
        let mut host = Host {
            driven: driven(&settings, now),
            settings,
            now,
            next: None,
            sent: VecDeque::new(),
            nonblocking: Vec::new(),
            fixed: false,
        };
        host.run();
        host
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// When the stack wants to run next, if nothing happens before.
    pub fn next_timer(&self) -> Option<Instant> {
        self.next
    }

    /// Lets time pass to the next timer, or to `until` if that is earlier, and runs what is due.
    pub fn step(&mut self, until: Instant) {
        let next = self.next.map_or(until, |next| next.min(until));
        self.now = self.now.max(next);
        if self.next.is_some_and(|next| next <= self.now) {
            self.run();
        }
    }

    /// Lets time pass to `until`, firing every timer on the way.
    pub fn advance(&mut self, until: Instant) {
        while self.next.is_some_and(|next| next <= until) {
            self.step(until);
        }
        self.now = self.now.max(until);
    }

    /// Lets `time` pass.
    pub fn sleep(&mut self, time: Duration) {
        self.advance(self.now + time);
    }

    /// An IP packet arrives.
    pub fn inject(&mut self, packet: &[u8]) {
        if let Some(to) = link::destination(packet) {
            self.settle_address(to);
        }
        let frame = link::frame(packet);
        self.driven.instance_mut().port_mut().deliver(frame);
        self.run();
    }

    /// The oldest IP packet that the stack has sent and nobody has taken yet, and when it was sent.
    pub fn sent(&mut self) -> Option<(Instant, Vec<u8>)> {
        self.sent.pop_front()
    }

    /// Waits for a packet, letting time pass up to `until`.
    pub fn receive(&mut self, until: Instant) -> Option<(Instant, Vec<u8>)> {
        loop {
            if let Some(sent) = self.sent() {
                return Some(sent);
            }
            if self.now >= until {
                return None;
            }
            self.step(until);
        }
    }

    /// The stack itself, to be looked at.
    pub fn driven(&self) -> &Driven<SimPort> {
        &self.driven
    }

    /// Runs the stack until it has nothing more to do now.
    fn run(&mut self) {
        for _ in 0..MAX_TURNS {
            let turn = self.driven.turn(self.now).expect("a simulated port does not fail");
            self.next = turn.next.map(|next| next.max(self.now + Duration::from_nanos(1)));
            if !self.take_frames() && !turn.more {
                return;
            }
        }
        panic!("the stack does not come to rest at {:?}", self.now);
    }

    /// Takes what the port sent. Questions of the link layer are answered; returns whether there were any.
    fn take_frames(&mut self) -> bool {
        let mut answered = false;
        for frame in self.driven.instance_mut().port_mut().take_sent() {
            match link::sort(&frame) {
                link::Sent::Packet(packet) => self.sent.push_back((self.now, packet.to_vec())),
                link::Sent::Question(answer) => {
                    self.driven.instance_mut().port_mut().deliver(answer);
                    answered = true;
                }
                link::Sent::Chatter => {}
            }
        }
        answered
    }

    /// packetdrill chooses our address at random and does not say which; it is the first that is bound or written to.
    fn settle_address(&mut self, ip: IpAddr) {
        let IpAddr::V4(ip) = ip else { return };
        if self.fixed || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() {
            return;
        }
        self.fixed = true;
        if ip == self.settings.local_ip {
            return;
        }
        self.settings.local_ip = ip;
        // Nothing has happened at the old one that its sockets do not know.
        let mut moved = driven(&self.settings, self.now);
        std::mem::swap(self.driven.instance_mut().service_mut(), moved.instance_mut().service_mut());
        self.driven = moved;
        self.run();
    }

    fn set_nonblocking(&mut self, fd: Fd, on: bool) {
        let at = fd as usize;
        if self.nonblocking.len() <= at {
            self.nonblocking.resize(at + 1, false);
        }
        self.nonblocking[at] = on;
    }
}

fn driven(settings: &Settings, now: Instant) -> Driven<SimPort> {
    let many = 1 << 16;
    let port =
        SimPortConfig { mtu: settings.mtu, frames: many, tx_gso: 0, tx_per_turn: many, rx_queue: many };
    let mut config = Config::new(link::OURS, settings.local_ip, settings.prefix_len, settings.seed);
    config.gateway = Some(settings.gateway_ip);
    config.tcp = settings.tcp.clone();
    Driven::new(config, SimPort::new(port), Sockets::new(Limits::default()), now)
}
