//! A datapath, as its app's callback sees it.

use std::net::SocketAddr;

use ferroflow_openflow::{OFP_NO_BUFFER, Version};
use ferroflow_stack::{Instant, SendRing};

use super::{Command, Dpid, Event, Failed, FlowName, PacketIn, Queued, Refused, Routed, Token};
use crate::codec::{FlowCommand, FlowMod, Out, PacketOutMsg};
use crate::core::Directory;
use crate::core::{Outgoing, Shared};
use crate::counters::Counters;
use crate::flow::{Action, Delete, Flow, PacketOut, Port, PortNo, StatsRequest};
use crate::session::{Ask, COOKIE_NOTIFY, COOKIE_SHIFT, Datapath, KEEP, Remembered, Request, RequestKind};

/// A connected switch. What is asked of it is written straight into its connection's send ring and leaves at the end
/// of the burst.
///
/// Methods that write answer whether they did. If not, [`super::App::event`] says why, or [`super::App::done`] for
/// what carries a [`Token`].
pub struct Dp<'a> {
    ring: &'a mut SendRing,
    session: &'a mut Datapath,
    shared: &'a mut Shared,
    slot: u8,
    /// The core that is told the ends of requests.
    origin: usize,
}

impl<'a> Dp<'a> {
    #[inline]
    pub(crate) fn new(
        ring: &'a mut SendRing,
        session: &'a mut Datapath,
        shared: &'a mut Shared,
        slot: u8,
    ) -> Dp<'a> {
        let origin = shared.core;
        Dp { ring, session, shared, slot, origin }
    }

    /// The same, with the ends of its requests reported to another core.
    pub(crate) fn reporting_to(mut self, origin: usize) -> Dp<'a> {
        self.origin = origin;
        self
    }

    /// Its identifier.
    #[inline]
    pub fn id(&self) -> Dpid {
        self.session.id
    }

    /// A small number that no other open session of this core has: an index for an app's own tables. It is used again
    /// after [`super::App::datapath_down`].
    #[inline]
    pub fn index(&self) -> usize {
        self.session.key as usize
    }

    /// The switch's address.
    pub fn peer(&self) -> SocketAddr {
        self.session.peer
    }

    /// The version of OpenFlow that is spoken with it.
    pub fn version(&self) -> Version {
        self.session.version
    }

    /// Whether it can be written to.
    pub fn is_up(&self) -> bool {
        self.session.is_ready()
    }

    /// Its ports, as far as they are known (see [`super::App::ports`]).
    pub fn ports(&self) -> &[Port] {
        &self.session.ports
    }

    /// One of its ports.
    pub fn port(&self, number: PortNo) -> Option<&Port> {
        self.session.ports.iter().find(|p| p.number == number)
    }

    /// The time of this turn.
    #[inline]
    pub fn now(&self) -> Instant {
        self.shared.now
    }

    /// Which core this is.
    #[inline]
    pub fn core(&self) -> usize {
        self.shared.core
    }

    /// A random number of the core's generator: hash seeds come from here.
    pub fn random(&mut self) -> u64 {
        self.shared.random()
    }

    /// Counts something that the app did not take note of because a table of its own was full, in
    /// [`crate::Counters::app_table_full`].
    pub fn count_table_full(&mut self) {
        self.shared.counters.app_table_full += 1;
    }

    /// Every connected datapath, as this core knows it.
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// Sends a command to another datapath, of any core, after this callback. Ends in [`super::App::done`].
    pub fn send(&mut self, dpid: Dpid, command: Command, token: Token) {
        route(self.shared, self.slot, dpid, command, token);
    }

    /// Installs a flow, or replaces this app's flow of the same table, priority and match.
    #[inline]
    pub fn add(&mut self, flow: &Flow) -> bool {
        match self.write_flow(flow, OFP_NO_BUFFER) {
            Ok(_) => true,
            Err(why) => self.flow_refused(flow, why),
        }
    }

    /// Installs a flow and tells the app when the switch has it (flow_mod, then barrier).
    pub fn install(&mut self, flow: &Flow, token: Token) -> bool {
        let name = FlowName {
            table: flow.table,
            priority: flow.priority,
            cookie: flow.cookie & (COOKIE_NOTIFY - 1),
            matching: Some(flow.matching),
        };
        let result = self.room_for_request().and_then(|()| self.write_flow(flow, OFP_NO_BUFFER));
        match result {
            Ok(xid) => self.barrier_behind(Some(xid), Some(Box::new(name)), token),
            Err(why) => self.request_refused(token, why, |c| &mut c.flow_mods_refused),
        }
    }

    /// Installs a flow and sends the packet the same way: one flow_mod that names the packet's buffer, or, where the
    /// switch did not buffer it, a flow_mod and then a packet_out. A truncated frame is never sent on.
    #[inline]
    pub fn add_and_forward(&mut self, packet: &PacketIn<'_>, flow: &Flow) -> bool {
        if let Some(buffer) = packet.buffer
            && !self.session.unbuffered
        {
            return match self.write_flow(flow, buffer.0) {
                Ok(_) => true,
                Err(why) => self.flow_refused(flow, why),
            };
        }
        // The flow first, so that the packet's answer meets it.
        self.add(flow) & self.forward(packet, flow.actions.as_slice())
    }

    /// Removes this app's flows: all that a match covers, or what [`Delete`] says.
    pub fn delete(&mut self, what: impl Into<Delete>) -> bool {
        match self.write_delete(&what.into()) {
            Ok(_) => true,
            Err(why) => {
                self.count_full(why, |c| &mut c.flow_mods_refused);
                self.refused("delete", why)
            }
        }
    }

    /// Removes all flows of this app.
    pub fn delete_own_flows(&mut self) -> bool {
        self.delete(Delete::covered_by(crate::flow::Match::ALL))
    }

    /// Sends a packet that came in on, from its buffer or from here. A truncated frame that the switch does not hold is
    /// not sent.
    #[inline]
    pub fn forward(&mut self, packet: &PacketIn<'_>, actions: &[Action]) -> bool {
        match packet.buffer.filter(|_| !self.session.unbuffered || packet.is_truncated()) {
            Some(buffer) => self.write_packet_out(buffer.0, packet.in_port, actions, &[]),
            None if packet.is_truncated() => {
                self.shared.counters.truncated_dropped += 1;
                false
            }
            None => self.write_packet_out(OFP_NO_BUFFER, packet.in_port, actions, packet.data),
        }
    }

    /// Sends a packet that came in out of all ports but its own: one packet_out FLOOD.
    #[inline]
    pub fn flood(&mut self, packet: &PacketIn<'_>) -> bool {
        self.forward(packet, &[Action::Output(PortNo::FLOOD)])
    }

    /// Lets a packet go: the switch may use its buffer again.
    pub fn drop_packet(&mut self, packet: &PacketIn<'_>) -> bool {
        match packet.buffer.filter(|_| !self.session.unbuffered) {
            // OF 1.0 5.3.6, OF 1.3.5 7.3.7: no actions drop the packet.
            Some(buffer) => self.write_packet_out(buffer.0, packet.in_port, &[], &[]),
            None => true,
        }
    }

    /// Sends a packet of the app's own.
    pub fn packet_out(&mut self, in_port: PortNo, actions: &[Action], data: &[u8]) -> bool {
        self.write_packet_out(OFP_NO_BUFFER, in_port, actions, data)
    }

    /// Asks the switch something.
    pub fn request(&mut self, what: StatsRequest, token: Token) -> bool {
        let xid = self.session.next_xid(self.slot);
        let sent = self.room_for_request().and_then(|()| {
            let version = self.session.version;
            self.out().stats(version, xid, what)
        });
        if let Err(why) = sent {
            return self.request_refused(token, why, |c| &mut c.sends_refused);
        }
        let kind = match what {
            StatsRequest::Description => RequestKind::Description,
            StatsRequest::Ports(_) => RequestKind::Ports(Vec::new()),
        };
        self.remember_request(xid, kind, token);
        true
    }

    /// Asks to be told when the switch has done all that was sent to it before.
    pub fn barrier(&mut self, token: Token) -> bool {
        match self.room_for_request() {
            Ok(()) => self.barrier_behind(None, None, token),
            Err(why) => self.request_refused(token, why, |c| &mut c.sends_refused),
        }
    }

    /// Does what came from elsewhere, with one end in `done`.
    pub(crate) fn command(&mut self, command: &Command, token: Token) {
        match command {
            Command::Add(flow) => {
                self.install(flow, token);
            }
            Command::Request(what) => {
                self.request(*what, token);
            }
            Command::Barrier => {
                self.barrier(token);
            }
            Command::Delete(what) => {
                let sent = self.room_for_request().and_then(|()| self.write_delete(what));
                match sent {
                    Ok(xid) => self.barrier_behind(xid, None, token),
                    Err(why) => self.request_refused(token, why, |c| &mut c.flow_mods_refused),
                };
            }
            Command::PacketOut(PacketOut { in_port, actions, data }) => {
                let message = (OFP_NO_BUFFER, *in_port, actions.as_slice(), &**data);
                let sent = self.room_for_request().and_then(|()| self.try_packet_out(message));
                match sent {
                    Ok(xid) => self.barrier_behind(Some(xid), None, token),
                    Err(why) => self.request_refused(token, why, |c| &mut c.packet_outs_dropped),
                };
            }
        }
    }

    #[inline]
    fn out(&mut self) -> Out<'_> {
        Out { ring: self.ring, keep: KEEP, copy: None }
    }

    /// Writes a flow_mod of command ADD; the xid.
    #[inline]
    fn write_flow(&mut self, flow: &Flow, buffer: u32) -> Result<u32, Refused> {
        let meta = &self.shared.apps[usize::from(self.slot)];
        if flow.priority == 0 || flow.priority > meta.top {
            return Err(Refused::Priority { priority: flow.priority, max: meta.top });
        }
        let priority = meta.base + flow.priority;
        let id = u64::from(meta.id);
        let v10 = self.session.version == Version::V1_0;
        let remembers = self.shared.remember_all || (v10 && self.shared.remember_v10);
        let is_new = remembers && self.remember_flow(flow, priority)?;
        let notify = if flow.notify { COOKIE_NOTIFY } else { 0 };
        let xid = self.session.next_xid(self.slot);
        let message = FlowMod {
            xid,
            command: FlowCommand::Add,
            table: Some(flow.table),
            priority,
            cookie: id << COOKIE_SHIFT | notify | flow.cookie & (COOKIE_NOTIFY - 1),
            cookie_mask: 0,
            buffer,
            out_port: PortNo::ANY,
            idle_timeout_s: flow.idle_timeout_s,
            hard_timeout_s: flow.hard_timeout_s,
            notify: flow.notify || remembers,
            matching: &flow.matching,
            actions: flow.actions.as_slice(),
            goto_table: flow.goto_table,
        };
        let copy = (buffer != OFP_NO_BUFFER).then(|| self.session.buffered.slot(xid));
        let mut out = Out { ring: self.ring, keep: KEEP, copy };
        if let Err(why) = out.flow_mod(self.session.version, &message) {
            if is_new {
                let table = flow.table;
                self.session.memory.remove(&Remembered { table, priority, matching: flow.matching });
            }
            return Err(why);
        }
        self.shared.counters.flow_mods += 1;
        Ok(xid)
    }

    fn remember_flow(&mut self, flow: &Flow, priority: u16) -> Result<bool, Refused> {
        use crate::session::NotRemembered;
        let remembered = Remembered { table: flow.table, priority, matching: flow.matching };
        let out_port = flow.actions.as_slice().iter().find_map(|a| match a {
            Action::Output(port) => Some(*port),
            _ => None,
        });
        let max = self.shared.config.max_remembered_flows;
        self.session.memory.add(self.slot, remembered, out_port, max).map_err(|why| match why {
            NotRemembered::Conflict(owner) => {
                self.shared.counters.flow_conflicts += 1;
                Refused::Conflict { owner: self.shared.apps[usize::from(owner)].name }
            }
            NotRemembered::Full => {
                self.shared.counters.flow_memory_full += 1;
                Refused::TooManyFlows
            }
        })
    }

    /// Writes the flow_mods of a delete; the xid of the last, if there was any.
    fn write_delete(&mut self, what: &Delete) -> Result<Option<u32>, Refused> {
        let meta = self.shared.apps[usize::from(self.slot)].clone();
        let strict = what.strict.map(|priority| meta.base.saturating_add(priority));
        let v10 = self.session.version == Version::V1_0;
        self.session.buffered.forget(self.slot);
        let remembered = if self.shared.remember_all || self.shared.remember_v10 {
            self.session.memory.take(self.slot, what, strict)
        } else {
            Vec::new()
        };
        let mut message = FlowMod {
            xid: 0,
            command: if strict.is_some() { FlowCommand::DeleteStrict } else { FlowCommand::Delete },
            table: if v10 { None } else { what.table },
            priority: strict.unwrap_or(0),
            cookie: u64::from(meta.id) << COOKIE_SHIFT,
            cookie_mask: u64::from(u16::MAX) << COOKIE_SHIFT,
            buffer: OFP_NO_BUFFER,
            out_port: what.out_port.unwrap_or(PortNo::ANY),
            idle_timeout_s: 0,
            hard_timeout_s: 0,
            notify: false,
            matching: &what.matching,
            actions: &[],
            goto_table: None,
        };
        if v10 && what.table.is_some_and(|t| t != 0) {
            return Ok(None);
        }
        if !(v10 && self.shared.remember_v10) {
            message.xid = self.session.next_xid(self.slot);
            let version = self.session.version;
            if let Err(why) = self.out().flow_mod(version, &message) {
                self.session.memory.restore(self.slot, &remembered);
                return Err(why);
            }
            self.shared.counters.flow_mods += 1;
            return Ok(Some(message.xid));
        }
        // 1.0 has no cookie filter: one by one what is known to be ours.
        message.command = FlowCommand::DeleteStrict;
        for (n, (flow, _)) in remembered.iter().enumerate() {
            message.xid = self.session.next_xid(self.slot);
            let one = FlowMod { matching: &flow.matching, priority: flow.priority, ..message };
            let sent = self.out().flow_mod(Version::V1_0, &one);
            if let Err(why) = sent {
                // What was not deleted is still ours.
                self.session.memory.restore(self.slot, &remembered[n..]);
                return Err(why);
            }
            self.shared.counters.flow_mods += 1;
        }
        Ok((!remembered.is_empty()).then_some(message.xid))
    }

    #[inline]
    fn write_packet_out(&mut self, buffer: u32, in_port: PortNo, actions: &[Action], data: &[u8]) -> bool {
        match self.try_packet_out((buffer, in_port, actions, data)) {
            Ok(_) => true,
            Err(Refused::Full) => {
                self.shared.counters.packet_outs_dropped += 1;
                false
            }
            // Not for want of room: that is counted above.
            Err(why) => self.refused("packet_out", why),
        }
    }

    #[inline]
    fn try_packet_out(
        &mut self,
        (buffer, in_port, actions, data): (u32, PortNo, &[Action], &[u8]),
    ) -> Result<u32, Refused> {
        let xid = self.session.next_xid(self.slot);
        let version = self.session.version;
        self.out().packet_out(version, &PacketOutMsg { xid, buffer, in_port, actions, data })?;
        self.shared.counters.packet_outs += 1;
        Ok(xid)
    }

    fn room_for_request(&mut self) -> Result<(), Refused> {
        if !self.session.is_ready() {
            return Err(Refused::Down);
        }
        if self.session.pending.len() >= self.shared.config.max_requests {
            self.shared.counters.requests_refused += 1;
            return Err(Refused::TooManyRequests);
        }
        Ok(())
    }

    fn barrier_behind(&mut self, before: Option<u32>, flow: Option<Box<FlowName>>, token: Token) -> bool {
        let xid = self.session.next_xid(self.slot);
        let version = self.session.version;
        if let Err(why) = self.out().barrier_request(version, xid) {
            return self.request_refused(token, why, |c| &mut c.sends_refused);
        }
        self.remember_request(xid, RequestKind::Barrier { before, flow }, token);
        true
    }

    fn remember_request(&mut self, xid: u32, kind: RequestKind, token: Token) {
        let deadline = self.shared.now + self.shared.config.request_timeout;
        let ask = Ask { slot: self.slot, token, origin: self.origin };
        self.session.pending.insert(xid, Request { ask, kind }, deadline);
        self.session.timer_dirty = true;
    }

    fn why(&mut self, why: Refused) -> Refused {
        let why = if self.session.is_ready() { why } else { Refused::Down };
        if let Refused::Unsupported(_) = why {
            self.shared.counters.unsupported += 1;
        }
        why
    }

    /// Counts what was not sent because the ring is full, by what it was.
    fn count_full(&mut self, why: Refused, counter: impl FnOnce(&mut Counters) -> &mut u64) {
        if why == Refused::Full && self.session.is_ready() {
            *counter(&mut self.shared.counters) += 1;
        }
    }

    #[cold]
    fn flow_refused(&mut self, flow: &Flow, why: Refused) -> bool {
        self.count_full(why, |c| &mut c.flow_mods_refused);
        let why = self.why(why);
        let event = Event::FlowRefused { flow: flow.clone(), why };
        self.shared.event(self.session.serial, self.slot, event);
        false
    }

    #[cold]
    fn refused(&mut self, what: &'static str, why: Refused) -> bool {
        let why = self.why(why);
        self.shared.event(self.session.serial, self.slot, Event::Refused { what, why });
        false
    }

    #[cold]
    fn request_refused(
        &mut self,
        token: Token,
        why: Refused,
        counter: impl FnOnce(&mut Counters) -> &mut u64,
    ) -> bool {
        self.count_full(why, counter);
        let failed = Failed::Refused(self.why(why));
        let dpid = self.session.id;
        if self.origin == self.shared.core {
            let done = Queued::Done { slot: self.slot, dpid, token, result: Err(failed) };
            self.shared.queue(self.session.serial, done);
        } else {
            let letter = crate::core::Letter::Done { dpid, slot: self.slot, token, result: Err(failed) };
            self.shared.letters.push_back((self.origin, letter));
        }
        false
    }
}

/// Puts a command on its way, or ends it at once where there is no room.
pub(super) fn route(shared: &mut Shared, slot: u8, dpid: Dpid, command: Command, token: Token) {
    if shared.outbox.len() >= shared.config.max_commands {
        shared.counters.commands_refused += 1;
        let result = Err(Failed::Refused(Refused::TooManyRequests));
        shared.queue(u64::MAX, Queued::Done { slot, dpid, token, result });
        return;
    }
    let origin = shared.core;
    shared.outbox.push_back(Outgoing { slot, origin, command: Routed { dpid, command, token } });
}

impl std::fmt::Debug for Dp<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dp").field("id", &self.session.id).field("peer", &self.session.peer).finish()
    }
}
