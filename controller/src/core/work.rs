//! What a core does outside of its connections' callbacks: mail, events, commands, ends.

use ferroflow_openflow::Echo;
use ferroflow_stack::Net;

use super::directory::{Addressed, Claim, Key, registrar_of};
use super::mail::{Letter, Mail};
use super::service::Controller;
use super::sessions::{NetSenders, Senders};
use super::shared::Outgoing;
use crate::app::{Cx, Dp, Failed, Queued, Refused};
use crate::session::{Ask, Due, End, Phase, SESSION_SLOT, due, finish, up};

/// The most letters, events and commands of one go: what an app does in answer to an event may cause the next.
const BUDGET: usize = 8192;

impl Controller {
    /// Does what callbacks have left behind. What is over the budget waits for the next turn.
    #[inline]
    pub(super) fn work(&mut self, net: &mut impl Net) {
        if self.shared.has_work() || !self.shared.letters.is_empty() {
            self.work_off(net);
        }
    }

    #[inline(never)]
    fn work_off(&mut self, net: &mut impl Net) {
        for _ in 0..BUDGET {
            if let Some((to, letter)) = self.shared.letters.pop_front() {
                self.post(net, to, letter);
            } else if let Some((serial, what)) = self.shared.queued.pop_front() {
                self.deliver(net, serial, what);
            } else if let Some(outgoing) = self.shared.outbox.pop_front() {
                self.execute(net, outgoing);
            } else {
                return;
            }
        }
    }

    /// Sends a letter; one to ourselves is read at once.
    fn post(&mut self, net: &mut impl Net, to: usize, letter: Letter) {
        if to == self.shared.core {
            return self.open(net, to, letter);
        }
        let Some(backlog) = self.backlog.get_mut(to) else { return };
        if !backlog.is_empty() {
            return backlog.push_back(letter);
        }
        if let Err(Mail(letter)) = self.mailbox.send(to, Mail(letter)) {
            self.backlog[to].push_back(letter);
        }
    }

    pub(super) fn flush_backlog(&mut self) {
        for (to, backlog) in self.backlog.iter_mut().enumerate() {
            while let Some(letter) = backlog.pop_front() {
                if let Err(Mail(letter)) = self.mailbox.send(to, Mail(letter)) {
                    backlog.push_front(letter);
                    break;
                }
            }
        }
    }

    /// Reads the mail that is there.
    pub(super) fn receive(&mut self, net: &mut impl Net) {
        for _ in 0..BUDGET {
            let Some((from, Mail(letter))) = self.mailbox.recv() else { return };
            self.open(net, from, letter);
        }
    }

    fn open(&mut self, net: &mut impl Net, from: usize, letter: Letter) {
        let mut out = Vec::new();
        match letter {
            Letter::Claim(claim) => self.registrar.claim(claim, &mut out),
            Letter::Release { dpid, key } => self.registrar.release(dpid, key, &mut out),
            Letter::Alive { dpid, key } => self.registrar.alive(dpid, key, &mut out),
            Letter::Entry { dpid, home } => self.shared.directory.set(dpid, home),
            Letter::Grant { dpid, key } => self.granted(net, dpid, key),
            Letter::Refuse { key, holder, dpid } => {
                if let Some(session) = self.sessions.by_serial(key.session) {
                    let (key, newcomer) = (session.dp.key, session.dp.peer);
                    tracing::warn!(
                        %dpid, core = self.shared.core, %newcomer, connected = %holder,
                        "two switches say that they are the same datapath: the newcomer is refused"
                    );
                    self.end(net, key, End::Duplicate);
                }
            }
            Letter::Probe { key, newcomer } => self.probe(net, key, newcomer),
            Letter::Command { dpid, slot, token, command } => {
                let command = crate::app::Routed { dpid, command, token };
                self.run(net, Outgoing { slot, origin: from, command });
            }
            Letter::Done { dpid, slot, token, result } => {
                let done = Queued::Done { slot, dpid, token, result };
                self.shared.queue(u64::MAX, done);
            }
        }
        self.address(out);
    }

    fn address(&mut self, out: Vec<Addressed>) {
        for (to, letter) in out {
            match (to, letter) {
                (Some(to), letter) => self.shared.letters.push_back((to, letter)),
                (None, Letter::Entry { dpid, home }) => {
                    for to in 0..self.shared.cores {
                        self.shared.letters.push_back((to, Letter::Entry { dpid, home }));
                    }
                }
                (None, _) => {}
            }
        }
    }

    fn key_of(&self, serial: u64) -> Key {
        Key { core: self.shared.core, session: serial }
    }

    /// Asks the registrar for the session's datapath.
    pub(super) fn claim(&mut self, key: u32) {
        let Some(session) = self.sessions.get(key) else { return };
        let (dpid, peer, serial) = (session.dp.id, session.dp.peer, session.dp.serial);
        let claim = Claim { dpid, key: self.key_of(serial), peer };
        self.shared.letters.push_back((registrar_of(dpid, self.shared.cores), Letter::Claim(claim)));
    }

    fn release(&mut self, dpid: crate::app::Dpid, serial: u64) {
        let key = self.key_of(serial);
        let to = registrar_of(dpid, self.shared.cores);
        self.shared.letters.push_back((to, Letter::Release { dpid, key }));
    }

    fn granted(&mut self, net: &mut impl Net, dpid: crate::app::Dpid, key: Key) {
        let waiting = self.sessions.by_serial(key.session).filter(|s| s.dp.phase == Phase::Claiming);
        let Some(session) = waiting else {
            // It ended meanwhile, and its release may have come before the grant.
            return self.release(dpid, key.session);
        };
        let (slot, conn) = (session.dp.key, session.dp.conn);
        self.unready.leave(session.dp.peer.ip());
        match net.sender(conn) {
            Ok(ring) => up(&mut session.dp, &mut self.shared, &mut self.chain, ring),
            Err(_) => up(&mut session.dp, &mut self.shared, &mut self.chain, &mut self.void),
        }
        self.sessions.set_ready(dpid, slot);
        // What came behind the features_reply is still there.
        net.resume(conn);
        self.rearm(net, slot);
    }

    /// A newcomer says that it is the datapath of this session: is the session alive?
    fn probe(&mut self, net: &mut impl Net, key: Key, newcomer: std::net::SocketAddr) {
        let now = self.shared.now;
        let Some(session) = self.sessions.by_serial(key.session).filter(|s| s.dp.is_ready()) else { return };
        let dp = &mut session.dp;
        tracing::info!(dpid = %dp.id, core = self.shared.core, connected = %dp.peer, %newcomer, "datapath connects again: probing the old session");
        dp.probe = Some(now + self.shared.config.probe_timeout);
        dp.timer_dirty = true;
        let (slot, xid) = (dp.key, dp.next_xid(SESSION_SLOT));
        if let Ok(ring) = net.sender(dp.conn) {
            let _ = dp.out(ring).put(&Echo::request(dp.version, xid, &[]));
        }
        self.rearm(net, slot);
    }

    /// Something was heard of this session: if it was probed, it is alive.
    #[inline]
    pub(super) fn answered(&mut self, key: u32) {
        let Some(session) = self.sessions.get(key) else { return };
        if session.dp.probe.is_some() && session.dp.is_ready() {
            session.dp.probe = None;
            session.dp.timer_dirty = true;
            let (dpid, serial) = (session.dp.id, session.dp.serial);
            let key = self.key_of(serial);
            let to = registrar_of(dpid, self.shared.cores);
            self.shared.letters.push_back((to, Letter::Alive { dpid, key }));
        }
    }

    /// Tells an app what was queued for it.
    fn deliver(&mut self, net: &mut impl Net, serial: u64, what: Queued) {
        let (shared, chain) = (&mut self.shared, &mut self.chain);
        match what {
            Queued::Event { slot, event } => {
                let Some(session) = self.sessions.by_serial(serial) else { return };
                let ring = net.sender(session.dp.conn).unwrap_or(&mut self.void);
                chain.call(slot, shared, |app, shared| {
                    app.event(&mut Dp::new(ring, &mut session.dp, shared, slot), &event);
                });
            }
            Queued::Done { slot, dpid, token, result } => {
                let ask = Ask { slot, token, origin: shared.core };
                if let Some(session) = self.sessions.ready(dpid) {
                    let ring = net.sender(session.dp.conn).unwrap_or(&mut self.void);
                    finish(&mut session.dp, shared, chain, ring, ask, result);
                } else {
                    self.ghost.dp.id = dpid;
                    finish(&mut self.ghost.dp, shared, chain, &mut self.void, ask, result);
                }
            }
        }
    }

    /// Sends an app's command to the core of its datapath.
    fn execute(&mut self, net: &mut impl Net, outgoing: Outgoing) {
        let dpid = outgoing.command.dpid;
        if self.sessions.ready(dpid).is_some() {
            return self.run(net, outgoing);
        }
        let Outgoing { slot, origin, command: crate::app::Routed { dpid, command, token } } = outgoing;
        let home = self.shared.directory.home(dpid).map(|home| home.core);
        let failed = match home {
            Some(core) if core != self.shared.core => {
                let letter = Letter::Command { dpid, slot, token, command };
                // Commands do not wait in the backlog: there is no end to what apps may send.
                if !self.backlog[core].is_empty() {
                    Failed::Refused(Refused::Full)
                } else if self.mailbox.send(core, Mail(letter)).is_ok() {
                    return;
                } else {
                    Failed::Refused(Refused::Full)
                }
            }
            _ => Failed::NoDatapath,
        };
        if failed != Failed::NoDatapath {
            self.shared.counters.commands_refused += 1;
        }
        self.ended(origin, Queued::Done { slot, dpid, token, result: Err(failed) });
    }

    /// Does a command to a datapath of this core.
    fn run(&mut self, net: &mut impl Net, outgoing: Outgoing) {
        let Outgoing { slot, origin, command: crate::app::Routed { dpid, command, token } } = outgoing;
        let Some(session) = self.sessions.ready(dpid) else {
            let result = Err(Failed::NoDatapath);
            return self.ended(origin, Queued::Done { slot, dpid, token, result });
        };
        let ring = net.sender(session.dp.conn).unwrap_or(&mut self.void);
        Dp::new(ring, &mut session.dp, &mut self.shared, slot).reporting_to(origin).command(&command, token);
        let key = session.dp.key;
        self.rearm(net, key);
    }

    fn ended(&mut self, origin: usize, done: Queued) {
        match done {
            Queued::Done { slot, dpid, token, result } if origin != self.shared.core => {
                self.shared.letters.push_back((origin, Letter::Done { dpid, slot, token, result }));
            }
            done => self.shared.queue(u64::MAX, done),
        }
    }

    /// Calls the apps' tick.
    pub(super) fn tick(&mut self, net: &mut impl Net) {
        self.next_tick = self.shared.now + self.shared.config.tick;
        for slot in 0..self.chain.len() {
            let mut senders = NetSenders(net);
            let (sessions, senders) = (&mut self.sessions, &mut senders as &mut dyn Senders);
            self.chain.call(slot, &mut self.shared, |app, shared| {
                app.tick(&mut Cx { shared, sessions, senders, slot });
            });
        }
        // A tick may have opened requests anywhere.
        let dirty: Vec<u32> =
            self.sessions.iter_mut().filter(|s| s.dp.timer_dirty).map(|s| s.dp.key).collect();
        for key in dirty {
            self.rearm(net, key);
        }
    }

    /// Does what is due for a session.
    pub(super) fn on_timer(&mut self, net: &mut impl Net, key: u32) {
        loop {
            let now = self.shared.now;
            let Some(session) = self.sessions.get(key) else { return };
            let dp = &mut session.dp;
            dp.timer_dirty = true;
            match due(dp, &self.shared.config, now) {
                Due::Nothing(_) => return,
                Due::End(why) => return self.end(net, key, why),
                Due::Unpause => {
                    dp.paused = None;
                    dp.dropping = true;
                    self.shared.counters.pauses_over += 1;
                    net.resume(dp.conn);
                }
                Due::Echo => {
                    dp.asked = Some(now);
                    let xid = dp.next_xid(SESSION_SLOT);
                    if let Ok(ring) = net.sender(dp.conn) {
                        let _ = dp.out(ring).put(&Echo::request(dp.version, xid, &[]));
                    }
                }
                Due::Request => {
                    let Some(request) = dp.pending.take_due(now) else { return };
                    self.shared.counters.request_timeouts += 1;
                    let ring = net.sender(dp.conn).unwrap_or(&mut self.void);
                    finish(dp, &mut self.shared, &mut self.chain, ring, request.ask, Err(Failed::TimedOut));
                }
            }
        }
    }

    /// Ends a session by our will.
    pub(super) fn end(&mut self, net: &mut impl Net, key: u32, why: End) {
        let Some(session) = self.sessions.get(key).filter(|s| s.dp.phase != Phase::Closed) else { return };
        let (conn, peer, was_ready) = (session.dp.conn, session.dp.peer, session.dp.is_ready());
        let c = &mut self.shared.counters;
        // A peer that does not answer would not answer a FIN either.
        let (counter, abort) = match why {
            End::Incompatible => (Some(&mut c.closed_incompatible), false),
            End::Unready => (Some(&mut c.closed_unready), true),
            End::Silent => (Some(&mut c.closed_silent), true),
            End::Unsplittable => (Some(&mut c.closed_unsplittable), false),
            End::BadVersion => (Some(&mut c.closed_bad_version), false),
            End::Malformed => (Some(&mut c.closed_malformed), false),
            End::Auxiliary => (Some(&mut c.closed_auxiliary), false),
            End::Duplicate => (Some(&mut c.closed_duplicate), false),
            End::Superseded => (Some(&mut c.closed_superseded), true),
            End::Stopping => (None, false),
        };
        if let Some(counter) = counter {
            *counter += 1;
        }
        if !was_ready {
            tracing::info!(%peer, core = self.shared.core, why = %why, "session closed before it was ready");
        }
        self.down(key, &why);
        if abort {
            net.abort(conn);
        } else {
            net.close(conn);
        }
        self.work(net);
    }

    /// A session is over, whoever ended it: its requests end, its apps hear of it, its datapath is free.
    pub(super) fn down(&mut self, key: u32, why: &dyn std::fmt::Display) {
        let Some(session) = self.sessions.get(key) else { return };
        let dp = &mut session.dp;
        let (phase, dpid, serial, peer) = (dp.phase, dp.id, dp.serial, dp.peer);
        dp.phase = Phase::Closed;
        dp.timer_dirty = true;
        match phase {
            Phase::Closed => return,
            Phase::Hello | Phase::Features | Phase::Claiming => self.unready.leave(peer.ip()),
            Phase::Ready => {
                let (shared, chain, void) = (&mut self.shared, &mut self.chain, &mut self.void);
                while let Some(request) = dp.pending.take_any() {
                    finish(dp, shared, chain, void, request.ask, Err(Failed::Disconnected));
                }
                for slot in 0..chain.len() {
                    chain.call(slot, shared, |app, shared| {
                        app.datapath_down(&mut Dp::new(void, dp, shared, slot));
                    });
                }
                shared.counters.datapaths_down += 1;
                tracing::info!(%dpid, core = shared.core, %peer, %why, "datapath down");
                self.sessions.unset_ready(dpid, key);
            }
        }
        if matches!(phase, Phase::Claiming | Phase::Ready) {
            self.release(dpid, serial);
        }
    }
}
