//! The controller of one core, as the stack sees it.

use std::collections::VecDeque;
use std::sync::Arc;

use ferroflow_runtime::Mailbox;
use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, Instant, Listen, ListenError, Net, Rx, SendRing, Service,
};

use super::chain::Chain;
use super::directory::{Directory, Registrar};
use super::limits::{Over, Unready};
use super::mail::{Letter, Mail};
use super::sessions::Sessions;
use super::shared::{AppMeta, Shared};
use crate::config::Config;
use crate::counters::Counters;
use crate::session::{End, Phase, Pump, Session, greet, pump};

/// The controller of one core: sessions, apps and a part in the directory. It is a [`Service`], so it runs on the own
/// stack over any port as well as on the kernel's sockets.
///
/// Made by [`crate::Builder::build_cores`], one for each core.
#[derive(Debug)]
pub struct Controller {
    pub(super) shared: Shared,
    pub(super) chain: Chain,
    pub(super) sessions: Sessions,
    pub(super) registrar: Registrar,
    pub(super) unready: Unready,
    pub(super) mailbox: Mailbox<Mail>,
    /// Letters that found their core's mailbox full, in order.
    pub(super) backlog: Vec<VecDeque<Letter>>,
    /// Stands in for the ring of a connection that is gone: it has no room.
    pub(super) void: SendRing,
    /// Stands in for a datapath that is not here.
    pub(super) ghost: Box<Session>,
    pub(super) next_tick: Instant,
    listening: Vec<u16>,
    listen_errors: Vec<ListenError>,
    on_start: Option<OnStart>,
    stopping: bool,
    /// When a refusal may be logged again.
    next_refusal_said: Instant,
}

/// What one core says once it runs; see [`crate::Builder::on_start`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Which core.
    pub core: usize,
    /// The ports it listens on.
    pub listening: Vec<u16>,
    /// Why it does not listen on the others.
    pub errors: Vec<String>,
}

/// Called by each core once it runs.
#[derive(Clone)]
pub(crate) struct OnStart(pub(crate) Arc<dyn Fn(Started) + Send + Sync>);

impl std::fmt::Debug for OnStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnStart")
    }
}

/// Letters that may wait for one core before no more connections are accepted.
const MAX_BACKLOG: usize = 65_536;

impl Controller {
    pub(crate) fn new(
        config: Arc<Config>,
        metas: Arc<[AppMeta]>,
        chain: Chain,
        mailbox: Mailbox<Mail>,
        on_start: Option<OnStart>,
    ) -> Controller {
        let (core, cores) = (mailbox.core(), mailbox.cores());
        let mut shared = Shared::new(core, cores, config, metas);
        let mut void = SendRing::new(0);
        void.write_with(void.room(), |bytes| bytes.fill(0));
        let ghost = Box::new(Session::ghost(&mut shared));
        Controller {
            shared,
            chain,
            sessions: Sessions::default(),
            registrar: Registrar::default(),
            unready: Unready::default(),
            mailbox,
            backlog: (0..cores).map(|_| VecDeque::new()).collect(),
            void,
            ghost,
            next_tick: Instant::ZERO,
            listening: Vec::new(),
            listen_errors: Vec::new(),
            on_start,
            stopping: false,
            next_refusal_said: Instant::ZERO,
        }
    }

    /// Its end of the mail between cores: whoever runs it attaches a waker.
    pub fn mailbox(&self) -> &Mailbox<Mail> {
        &self.mailbox
    }

    /// What it has counted.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Every connected datapath, as this core knows it.
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// How many sessions this core has, ready or not.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Names of apps that panicked and are disabled here.
    pub fn disabled_apps(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.chain.disabled()
    }

    /// The ports it listens on, once it runs.
    pub fn listening(&self) -> &[u16] {
        &self.listening
    }

    /// Why it does not listen on the others.
    pub fn listen_errors(&self) -> &[ListenError] {
        &self.listen_errors
    }

    fn refuse(&mut self, info: &ConnInfo) -> bool {
        if self.stopping {
            return true;
        }
        let config = self.shared.config.clone();
        let c = &mut self.shared.counters;
        let (counter, limit, max) = if self.sessions.len() >= config.max_sessions {
            (&mut c.refused_sessions, "max_sessions", config.max_sessions)
        } else if self.backlog.iter().any(|b| b.len() > MAX_BACKLOG) {
            (&mut c.refused_backlog, "letters that wait for another core", MAX_BACKLOG)
        } else {
            match self.unready.enter(info.peer.ip(), &config) {
                Ok(()) => return false,
                Err(Over::All) => (&mut c.refused_unready, "max_unready", config.max_unready),
                Err(Over::Address) => {
                    let max = config.max_unready_per_address;
                    (&mut c.refused_unready_address, "max_unready_per_address", max)
                }
            }
        };
        *counter += 1;
        // A storm of connections must not become one of lines.
        if self.shared.now >= self.next_refusal_said {
            self.next_refusal_said = self.shared.now + std::time::Duration::from_secs(1);
            tracing::warn!(peer = %info.peer, core = self.shared.core, limit, max, "connection refused: a limit is reached");
        }
        true
    }

    /// Sets the connection's timer, if its deadline may have changed.
    pub(super) fn rearm(&mut self, net: &mut impl Net, key: u32) {
        let Some(session) = self.sessions.get(key) else { return };
        if !std::mem::take(&mut session.dp.timer_dirty) {
            return;
        }
        let now = self.shared.now;
        let at = match crate::session::due(&mut session.dp, &self.shared.config, now) {
            crate::session::Due::Nothing(at) => at,
            _ => Some(now),
        };
        net.arm(session.dp.conn, at);
    }

    /// Reads until there is nothing to read, or a reason not to.
    #[inline]
    fn read(&mut self, net: &mut impl Net, id: ConnId, key: u32, rx: &mut Rx<'_>) {
        loop {
            let Some(session) = self.sessions.get(key) else { return discard(rx) };
            let Ok(ring) = net.sender(id) else { return discard(rx) };
            match pump(session, &mut self.shared, &mut self.chain, ring, rx) {
                Pump::Dry => return,
                Pump::Work => self.work(net),
                Pump::Claim => {
                    self.claim(key);
                    self.work(net);
                }
                Pump::Pause => {
                    ring.want_room();
                    if session.dp.paused.is_none() {
                        session.dp.paused = Some(self.shared.now);
                        session.dp.timer_dirty = true;
                        self.shared.counters.pauses += 1;
                    }
                    return;
                }
                Pump::End(why) => {
                    discard(rx);
                    return self.end(net, key, why);
                }
            }
        }
    }
}

fn discard(rx: &mut Rx<'_>) {
    while !rx.chunk().is_empty() {
        rx.advance(rx.chunk().len());
    }
}

impl Service for Controller {
    type Conn = u32;

    fn start(&mut self, net: &mut impl Net) {
        self.shared.now = net.now();
        self.shared.seed(net.random());
        self.sessions = Sessions::seeded(self.shared.random());
        self.registrar = Registrar::seeded(self.shared.random());
        self.unready = Unready::seeded(self.shared.random());
        self.next_tick = self.shared.now + self.shared.config.tick;
        for port in self.shared.config.clone().listen.iter().copied() {
            match net.listen(Listen::on(port)) {
                Ok(()) => self.listening.push(port),
                Err(why) => {
                    tracing::warn!(core = self.shared.core, "{why}");
                    self.listen_errors.push(why);
                }
            }
        }
        if let Some(OnStart(tell)) = &self.on_start {
            let errors = self.listen_errors.iter().map(ToString::to_string).collect();
            tell(Started { core: self.shared.core, listening: self.listening.clone(), errors });
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<u32> {
        self.shared.now = net.now();
        if self.refuse(info) {
            return None;
        }
        self.shared.counters.accepted += 1;
        let shared = &mut self.shared;
        let session = self.sessions.insert(|key, serial| Session::new(key, serial, id, info.peer, shared));
        let key = session.dp.key;
        if let Ok(ring) = net.sender(id) {
            greet(&mut session.dp, &self.shared, ring);
        }
        self.rearm(net, key);
        Some(key)
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<u32> {
        // Switches connect to us; nobody is called from here.
        None
    }

    #[inline]
    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32, rx: &mut Rx<'_>) {
        self.shared.now = net.now();
        let key = *conn;
        // What is only offered again says nothing about the switch.
        let is_news = self.sessions.get(key).is_some_and(|session| session.dp.arrived(rx.remaining()));
        if is_news && let Some(session) = self.sessions.get(key) {
            session.dp.heard_now(self.shared.now);
        }
        self.read(net, id, key, rx);
        if let Some(session) = self.sessions.get(key) {
            session.dp.untaken = rx.remaining();
        }
        if is_news {
            self.answered(key);
        }
        self.work(net);
        self.rearm(net, key);
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32) {
        self.shared.now = net.now();
        self.down(*conn, &"closed by the switch");
        self.work(net);
        net.close(id);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut u32) {
        self.shared.now = net.now();
        let Some(session) = self.sessions.get(*conn) else { return };
        session.dp.dropping = false;
        if session.dp.paused.take().is_some() {
            session.dp.timer_dirty = true;
            net.resume(id);
        }
        self.rearm(net, *conn);
    }

    fn timer(&mut self, net: &mut impl Net, _: ConnId, conn: &mut u32) {
        self.shared.now = net.now();
        self.on_timer(net, *conn);
        self.work(net);
        self.rearm(net, *conn);
    }

    fn closed(&mut self, net: &mut impl Net, _: ConnId, conn: u32, why: CloseReason) {
        self.shared.now = net.now();
        self.down(conn, &why);
        self.sessions.remove(conn);
        self.work(net);
    }

    fn turn(&mut self, net: &mut impl Net) {
        self.shared.now = net.now();
        self.flush_backlog();
        self.receive(net);
        if self.shared.now >= self.next_tick {
            self.tick(net);
        }
        self.work(net);
    }

    fn deadline(&self) -> Option<Instant> {
        if self.shared.has_work() || !self.shared.letters.is_empty() {
            return Some(self.shared.now);
        }
        if self.backlog.iter().any(|b| !b.is_empty()) {
            // A core whose mailbox is full does not say when it is not.
            return Some(self.shared.now + std::time::Duration::from_millis(1));
        }
        Some(self.next_tick)
    }

    fn stop(&mut self, net: &mut impl Net) {
        self.shared.now = net.now();
        self.stopping = true;
        let open: Vec<u32> =
            self.sessions.iter_mut().filter(|s| s.dp.phase != Phase::Closed).map(|s| s.dp.key).collect();
        for key in open {
            self.end(net, key, End::Stopping);
        }
        self.work(net);
    }

    fn report(&self, each: &mut dyn FnMut(&'static str, u64)) {
        self.shared.counters.iter().for_each(|(name, value)| each(name, value));
        let mail = self.mailbox.stats();
        each("mail_sent", mail.sent);
        each("mail_refused", mail.refused);
        each("mail_received", mail.received);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Dpid;
    use crate::core::directory::Key;
    use crate::testing::FakeNet;

    #[test]
    fn a_full_backlog_refuses_connections() {
        let mut controller = Controller::builder().build_cores(2).unwrap().remove(0);
        let mut net = FakeNet::new(1);
        controller.start(&mut net);
        let letter = || Letter::Release { dpid: Dpid(1), key: Key { core: 0, session: 1 } };
        for (n, open) in [(MAX_BACKLOG, true), (1, false)] {
            controller.backlog[1].extend((0..n).map(|_| letter()));
            let (id, info) = net.open(([10, 0, 0, 1], 1000).into());
            assert_eq!(controller.accepted(&mut net, id, &info).is_some(), open);
        }
        let c = controller.counters();
        assert_eq!((c.refused_backlog, c.refused_sessions), (1, 0));
    }

    #[test]
    fn letters_over_the_budget_are_due_at_once() {
        let mut controller = Controller::builder().build_cores(1).unwrap().remove(0);
        let mut net = FakeNet::new(1);
        controller.start(&mut net);
        for n in 0..10_000 {
            let key = Key { core: 0, session: n };
            controller.shared.letters.push_back((0, Letter::Release { dpid: Dpid(n), key }));
        }
        controller.turn(&mut net);
        assert!(!controller.shared.letters.is_empty());
        assert_eq!(controller.deadline(), Some(Instant::ZERO));
        controller.turn(&mut net);
        assert!(controller.shared.letters.is_empty());
        assert!(controller.deadline() > Some(Instant::ZERO));
    }
}
