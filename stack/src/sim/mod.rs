//! A simulator: hosts with real stacks, joined by a switch over links that delay, lose, repeat, reorder and damage
//! frames, in virtual time that jumps from deadline to deadline.
//!
//! Everything that happens is a function of the seeds, so a failure found once can be replayed:
//!
//! ```
//! use ferroflow_stack::sim::{LinkConfig, SimNet};
//! use ferroflow_stack::sim::stream::{Mix, Streams};
//! use ferroflow_stack::{Instant, Listen};
//! use std::time::Duration;
//!
//! let mut net = SimNet::new(42);
//! let link = LinkConfig { delay: Duration::from_millis(10), loss: 0.05, ..LinkConfig::default() };
//! let server = net.add_host(link, Streams::server(Listen::on(80), Mix::orderly(), 1));
//! let to = net.socket(server, 80);
//! let client = net.add_host(link, Streams::client(vec![(Instant::from_millis(5), to)], Mix::orderly(), 2));
//! net.run_until(Instant::from_secs(600), |net| net.host(client).service().is_done()).unwrap();
//! assert_eq!(net.host(client).service().violations(), &[] as &[String]);
//! ```
//!
//! [`scenario`] makes a whole net from one seed and checks what has to hold whatever happens.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddr};

use ferroflow_wire::MacAddr;

use crate::config::Config;
use crate::instance::Instance;
use crate::port::PortError;
use crate::service::Service;
use crate::time::Instant;

pub mod card;
mod link;
mod narrow;
mod pattern;
mod peer;
pub mod police;
mod port;
pub mod scenario;
pub mod stream;
pub mod trace;

pub use link::{Fate, Link, LinkConfig};
pub use narrow::{Narrow, ROUTER};
pub use peer::{Peer, Segment};
pub use port::{SimPort, SimPortConfig};

/// Turns of one host at one point in time before it counts as spinning.
const MAX_TURNS_AT_ONCE: u32 = 20_000;

/// Which node of a [`SimNet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(usize);

/// Why a simulation cannot go on; each is a bug.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A host asks for turn after turn although time stands still.
    #[error("host {node} spins at {at:?}: its turns ask for another at once, and nothing comes of it")]
    Spinning {
        /// The host.
        node: usize,
        /// When.
        at: Instant,
    },
    /// The time given was over before what was waited for had happened.
    #[error("not done at {0:?}")]
    TimeOver(Instant),
    /// Nothing more will happen, and what was waited for has not.
    #[error("silent since {0:?}, and not done")]
    Silent(Instant),
    /// A host sent what no host may send.
    #[error("host {node} sent a bad frame at {at:?}: {error}")]
    BadFrame {
        /// The host.
        node: usize,
        /// When.
        at: Instant,
        /// What is wrong with it.
        error: ferroflow_wire::WireError,
    },
    /// A host kept a received frame beyond its turn.
    #[error("host {node} kept {frames} received frames at {at:?}")]
    KeptFrames {
        /// The host.
        node: usize,
        /// How many.
        frames: usize,
        /// When.
        at: Instant,
    },
    /// A host's state contradicts itself.
    #[error("host {node} at {at:?}: {error}")]
    Broken {
        /// The host.
        node: usize,
        /// When.
        at: Instant,
        /// What is wrong.
        error: crate::instance::Broken,
    },
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

enum Body<S: Service> {
    Host(Box<Instance<SimPort, S>>),
    Peer(Peer),
}

struct Node<S: Service> {
    body: Body<S>,
    mac: MacAddr,
    address: Ipv4Addr,
    /// From the node to the switch. The other direction is perfect.
    link: Link,
    narrow: Option<Narrow>,
    plugged: bool,
    wake: Option<Instant>,
    turns_at_once: u32,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Delivery {
    at: Instant,
    /// Frames that arrive at once do so in the order in which they were sent.
    order: u64,
    to: usize,
    frame: Vec<u8>,
    /// Nobody's: as news of the peer it counts for nothing where rules are checked.
    forged: bool,
}

/// Where lines about frames go.
type Trace = Box<dyn FnMut(&str)>;

/// Hosts (and scripted peers) at a switch, and the time.
pub struct SimNet<S: Service> {
    now: Instant,
    nodes: Vec<Node<S>>,
    deliveries: BinaryHeap<Reverse<Delivery>>,
    order: u64,
    seeds: fastrand::Rng,
    trace: Option<Trace>,
    police: Option<police::Police>,
    /// The last segments sent, for a test to forge others after.
    recent: Vec<Vec<u8>>,
    frames: u64,
    turns: u64,
}

impl<S: Service> SimNet<S> {
    /// An empty net at time zero; all that is random comes from `seed`.
    pub fn new(seed: u64) -> SimNet<S> {
        SimNet {
            now: Instant::ZERO,
            nodes: Vec::new(),
            deliveries: BinaryHeap::new(),
            order: 0,
            seeds: fastrand::Rng::with_seed(seed),
            trace: None,
            police: None,
            recent: Vec::new(),
            frames: 0,
            turns: 0,
        }
    }

    /// Tells `line` about every frame from now on.
    pub fn trace(&mut self, line: impl FnMut(&str) + 'static) {
        self.trace = Some(Box::new(line));
    }

    /// Checks from now on that hosts keep to the rules of TCP as far as they can be seen from outside: windows, MSS, the
    /// order of acknowledgements. Only for nets without scripted peers, who may break any rule.
    pub fn watch(&mut self) {
        self.police.get_or_insert_default();
    }

    /// Rules that [`SimNet::watch`] has seen broken, in words.
    pub fn broken_rules(&self) -> &[String] {
        self.police.as_ref().map_or(&[], police::Police::broken)
    }

    /// The MAC address the next node gets.
    pub fn next_mac(&self) -> MacAddr {
        MacAddr::from_u64(0x0200_0000_0000 | (self.nodes.len() as u64 + 1))
    }

    /// The IPv4 address the next node gets, in 10.0.0.0/16.
    pub fn next_address(&self) -> Ipv4Addr {
        let [high, low] = (self.nodes.len() as u16 + 1).to_be_bytes();
        Ipv4Addr::new(10, 0, high, low)
    }

    /// The settings [`SimNet::add_host`] gives the next host.
    pub fn next_config(&mut self) -> Config {
        Config::new(self.next_mac(), self.next_address(), 16, self.seeds.u64(..))
    }

    /// Adds a host with default settings, and starts it.
    pub fn add_host(&mut self, link: LinkConfig, service: S) -> NodeId {
        let config = self.next_config();
        self.add_host_with(config, SimPortConfig::default(), link, service)
    }

    /// Adds a host with settings derived from [`SimNet::next_config`], and starts it.
    pub fn add_host_with(
        &mut self,
        config: Config,
        port: SimPortConfig,
        link: LinkConfig,
        service: S,
    ) -> NodeId {
        let (mac, address) = (config.mac, config.address);
        let mut host = Box::new(Instance::new(config, SimPort::new(port), service));
        host.start(self.now);
        self.add(Body::Host(host), mac, address, link)
    }

    /// Adds a peer that does only what a test makes it do.
    pub fn add_peer(&mut self, link: LinkConfig) -> NodeId {
        let (mac, address) = (self.next_mac(), self.next_address());
        self.add(Body::Peer(Peer::new(mac, address)), mac, address, link)
    }

    fn add(&mut self, body: Body<S>, mac: MacAddr, address: Ipv4Addr, link: LinkConfig) -> NodeId {
        let link = Link::new(link, self.seeds.u64(..));
        let wake = Some(self.now);
        self.nodes.push(Node {
            body,
            mac,
            address,
            link,
            narrow: None,
            plugged: true,
            wake,
            turns_at_once: 0,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Frames sent so far by all nodes.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Turns of all hosts so far.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// A node's address.
    pub fn address(&self, node: NodeId) -> Ipv4Addr {
        self.nodes[node.0].address
    }

    /// A node's MAC address.
    pub fn mac(&self, node: NodeId) -> MacAddr {
        self.nodes[node.0].mac
    }

    /// A node's address with a port.
    pub fn socket(&self, node: NodeId, port: u16) -> SocketAddr {
        (self.address(node), port).into()
    }

    /// A host's stack.
    ///
    /// # Panics
    /// If the node is a peer.
    pub fn host(&self, node: NodeId) -> &Instance<SimPort, S> {
        match &self.nodes[node.0].body {
            Body::Host(host) => host,
            Body::Peer(_) => panic!("node {} is a scripted peer", node.0),
        }
    }

    /// A host's stack, to be changed; it gets a turn at once.
    ///
    /// # Panics
    /// If the node is a peer.
    pub fn host_mut(&mut self, node: NodeId) -> &mut Instance<SimPort, S> {
        let now = self.now;
        let node = &mut self.nodes[node.0];
        node.wake = Some(now);
        match &mut node.body {
            Body::Host(host) => host,
            Body::Peer(_) => panic!("not a host"),
        }
    }

    /// A scripted peer. What it sends leaves with the next step.
    ///
    /// # Panics
    /// If the node is a host.
    pub fn peer(&mut self, node: NodeId) -> &mut Peer {
        let now = self.now;
        let node = &mut self.nodes[node.0];
        node.wake = Some(now);
        match &mut node.body {
            Body::Host(_) => panic!("not a scripted peer"),
            Body::Peer(peer) => peer,
        }
    }

    /// Changes what a node's link does.
    pub fn configure_link(&mut self, node: NodeId, link: LinkConfig) {
        self.nodes[node.0].link.configure(link);
    }

    /// Puts a router in front of a node, behind which packets must be smaller; `None` takes it away.
    pub fn narrow(&mut self, node: NodeId, narrow: Option<Narrow>) {
        self.nodes[node.0].narrow = narrow;
    }

    /// Takes a node off the net or puts it back: while it is off, all frames from and to it are lost.
    pub fn plug(&mut self, node: NodeId, plugged: bool) {
        self.nodes[node.0].plugged = plugged;
    }

    /// Goes to the next point in time at which something happens; `false` if nothing ever will.
    ///
    /// # Errors
    /// [`SimError`], other than [`SimError::TimeOver`] and [`SimError::Silent`].
    pub fn step(&mut self) -> Result<bool, SimError> {
        let Some(next) = self.next() else { return Ok(false) };
        if next > self.now {
            self.now = next;
            for node in &mut self.nodes {
                node.turns_at_once = 0;
            }
        }
        while let Some(Reverse(delivery)) = self.deliveries.peek()
            && delivery.at <= self.now
            && let Some(Reverse(delivery)) = self.deliveries.pop()
        {
            self.arrive(delivery);
        }
        for at in 0..self.nodes.len() {
            if self.nodes[at].wake.is_some_and(|wake| wake <= self.now) {
                self.turn(at)?;
            }
        }
        Ok(true)
    }

    /// Up to 16 IPv4 frames among the last that hosts have sent, in no order.
    pub fn recent_frames(&self) -> &[Vec<u8>] {
        &self.recent
    }

    /// Makes a frame from nowhere arrive, now, at whoever has its destination address.
    pub fn inject(&mut self, frame: Vec<u8>) {
        if let Some(trace) = &mut self.trace {
            trace(&format!("{:12.6} * {}", self.now.as_nanos() as f64 / 1e9, trace::line(&frame)));
        }
        let to = frame.first_chunk::<6>().map(|mac| MacAddr(*mac));
        if let Some(to) = self.nodes.iter().position(|node| Some(node.mac) == to) {
            self.schedule(self.now, to, frame, true);
        }
    }

    fn remember(&mut self, frame: &[u8]) {
        if frame.get(12..14) != Some(&[8, 0]) {
            return;
        }
        if self.recent.len() < 16 {
            self.recent.push(frame.to_vec());
        } else {
            let at = self.frames as usize % 16;
            self.recent[at] = frame.to_vec();
        }
    }

    fn arrive(&mut self, Delivery { to, frame, forged, .. }: Delivery) {
        let node = &mut self.nodes[to];
        if !node.plugged {
            return;
        }
        node.wake = Some(self.now);
        match &mut node.body {
            Body::Host(host) => {
                if let Some(police) = &mut self.police
                    && frame[..6] == node.mac.0
                {
                    police.receives(&frame, forged);
                }
                host.port_mut().deliver(frame);
            }
            Body::Peer(peer) => peer.deliver(frame),
        }
    }

    fn turn(&mut self, at: usize) -> Result<(), SimError> {
        let now = self.now;
        let node = &mut self.nodes[at];
        node.turns_at_once += 1;
        if node.turns_at_once > MAX_TURNS_AT_ONCE {
            return Err(SimError::Spinning { node: at, at: now });
        }
        let sent = match &mut node.body {
            Body::Peer(peer) => {
                node.wake = None;
                peer.take_sent()
            }
            Body::Host(host) => {
                self.turns += 1;
                let turn = host.turn(now)?;
                node.wake = if turn.more { Some(now) } else { turn.next.map(|next| next.max(now)) };
                let frames = host.port().received_held();
                if frames > 0 {
                    return Err(SimError::KeptFrames { node: at, frames, at: now });
                }
                if self.police.is_some() {
                    host.check().map_err(|error| SimError::Broken { node: at, at: now, error })?;
                }
                let sent = host.port_mut().take_sent();
                for frame in &sent {
                    if let Some(police) = &mut self.police {
                        police.sends(frame);
                    }
                    trace::check(frame).map_err(|error| SimError::BadFrame { node: at, at: now, error })?;
                }
                sent
            }
        };
        for frame in sent {
            self.send(at, frame);
        }
        Ok(())
    }

    /// Puts a frame on a node's link, and through the switch to its receiver: to all but the sender if it is for a
    /// group or for nobody known.
    fn send(&mut self, from: usize, mut frame: Vec<u8>) {
        self.frames += 1;
        self.remember(&frame);
        let said = self.trace.is_some().then(|| trace::line(&frame));
        let to = frame.first_chunk::<6>().map(|mac| MacAddr(*mac));
        let known = self.nodes.iter().position(|node| Some(node.mac) == to);
        let ways = [Some(from), known].into_iter().flatten();
        if let Some(narrow) = ways.filter_map(|at| self.nodes[at].narrow).find(|way| !way.passes(&frame)) {
            return self.too_large(from, narrow, &frame);
        }
        let node = &mut self.nodes[from];
        let (fate, twin) =
            if node.plugged { node.link.send(self.now, &mut frame) } else { (Fate::Lost, None) };
        if let (Some(trace), Some(said)) = (&mut self.trace, said) {
            let at = self.now.as_nanos() as f64 / 1e9;
            trace(&format!("{at:12.6} {from} {said}  {}", fates(self.now, fate, twin)));
        }
        for arrival in [fate.arrival(), twin.and_then(Fate::arrival)].into_iter().flatten() {
            match known {
                Some(to) => self.schedule(arrival, to, frame.clone(), false),
                None => {
                    for to in (0..self.nodes.len()).filter(|&to| to != from) {
                        self.schedule(arrival, to, frame.clone(), false);
                    }
                }
            }
        }
    }

    /// A router drops a frame, and tells its sender if it is the kind that does.
    fn too_large(&mut self, from: usize, narrow: Narrow, frame: &[u8]) {
        if let Some(trace) = &mut self.trace {
            let at = self.now.as_nanos() as f64 / 1e9;
            trace(&format!("{at:12.6} {from} {}  TOO LARGE", trace::line(frame)));
        }
        if let Some(told) = narrow.tells(frame) {
            let back = self.now + self.nodes[from].link.config().delay;
            self.schedule(back, from, told, false);
        }
    }

    fn schedule(&mut self, at: Instant, to: usize, frame: Vec<u8>, forged: bool) {
        self.order += 1;
        self.deliveries.push(Reverse(Delivery { at, order: self.order, to, frame, forged }));
    }

    /// Goes on until `done`, looking after every step.
    ///
    /// # Errors
    /// [`SimError::TimeOver`] or [`SimError::Silent`] if that does not happen by `until`, or what [`SimNet::step`] says.
    pub fn run_until(
        &mut self,
        until: Instant,
        mut done: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), SimError> {
        while !done(self) {
            if self.now > until {
                return Err(SimError::TimeOver(self.now));
            }
            if !self.step()? {
                return Err(SimError::Silent(self.now));
            }
        }
        Ok(())
    }

    /// Goes on for `time`, or until nothing more will happen.
    ///
    /// # Errors
    /// What [`SimNet::step`] says.
    pub fn run_for(&mut self, time: std::time::Duration) -> Result<(), SimError> {
        let until = self.now + time;
        while self.next().is_some_and(|next| next <= until) {
            self.step()?;
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn next(&self) -> Option<Instant> {
        let wakes = self.nodes.iter().filter_map(|node| node.wake);
        wakes.chain(self.deliveries.peek().map(|Reverse(delivery)| delivery.at)).min()
    }

    /// Goes on until nothing more will happen.
    ///
    /// # Errors
    /// [`SimError::TimeOver`] if that is not so by `until`, or what [`SimNet::step`] says.
    pub fn run_to_silence(&mut self, until: Instant) -> Result<(), SimError> {
        while self.step()? {
            if self.now > until {
                return Err(SimError::TimeOver(self.now));
            }
        }
        Ok(())
    }
}

fn fates(now: Instant, fate: Fate, twin: Option<Fate>) -> String {
    let one = |fate: Fate| {
        let after = |at: Instant| format!("+{:.3} ms", at.since(now).as_nanos() as f64 / 1e6);
        match fate {
            Fate::Arrives(at) => after(at),
            Fate::Corrupted(at) => format!("CORRUPT {}", after(at)),
            Fate::Duplicate(at) => format!("TWIN {}", after(at)),
            Fate::Late(at) => format!("LATE {}", after(at)),
            Fate::Lost => "LOST".to_owned(),
            Fate::QueueFull => "QUEUE FULL".to_owned(),
        }
    };
    match twin {
        Some(twin) => format!("{} {}", one(fate), one(twin)),
        None => one(fate),
    }
}
