//! What each message of a switch means.

use ferroflow_openflow::{DecodeError, Echo, ErrorCode, ErrorMsg, Header};
use ferroflow_stack::SendRing;

use super::pending::{Ask, Kind as RequestKind, append};
use super::{
    COOKIE_NOTIFY, COOKIE_SHIFT, Datapath, End, MALFORMED_FORGIVEN, Phase, Remembered, SESSION_APP_ID,
    SESSION_SLOT, handshake,
};
use crate::app::{Dp, Dpid, Event, Failed, FlowName, Next, OwnedReply};
use crate::codec::{self, Kind, StatsPart};
use crate::core::{Chain, Letter, Shared};
use crate::flow::Port;

/// `OFPBRC_BUFFER_UNKNOWN`, the same in every version (OF 1.0 5.4.4, OF 1.3.5 7.5.4.2).
const BUFFER_UNKNOWN: ErrorCode = ErrorCode { ty: 1, code: 8 };

/// The same in every version (OF 1.0 5.1, OF 1.3.5 7.1).
const OFPT_PACKET_OUT: u8 = 13;

/// What a handler needs beside its message.
struct At<'a> {
    dp: &'a mut Datapath,
    shared: &'a mut Shared,
    chain: &'a mut Chain,
    ring: &'a mut SendRing,
}

/// Handles one whole message.
#[inline]
pub(super) fn message(
    dp: &mut Datapath,
    shared: &mut Shared,
    chain: &mut Chain,
    ring: &mut SendRing,
    header: Header,
    msg: &[u8],
) -> Result<(), End> {
    let kind = codec::kind(dp.version, header.ty);
    if kind == Kind::PacketIn && dp.phase == Phase::Ready && header.version == dp.version {
        return packet_in(dp, shared, chain, ring, msg);
    }
    let mut at = At { dp, shared, chain, ring };
    at.rare(header, kind, msg)
}

/// Through the apps, until one stops it.
#[inline]
fn packet_in(
    dp: &mut Datapath,
    shared: &mut Shared,
    chain: &mut Chain,
    ring: &mut SendRing,
    msg: &[u8],
) -> Result<(), End> {
    let packet = match codec::packet_in(dp.version, msg) {
        Ok(packet) => packet,
        Err(why) => return At { dp, shared, chain, ring }.malformed(msg, &why),
    };
    shared.counters.packet_ins += 1;
    for slot in 0..chain.len() {
        let next = chain
            .call(slot, shared, |app, shared| app.packet_in(&mut Dp::new(ring, dp, shared, slot), &packet));
        if next == Some(Next::Stop) {
            break;
        }
    }
    Ok(())
}

impl At<'_> {
    #[inline(never)]
    fn rare(&mut self, header: Header, kind: Kind, msg: &[u8]) -> Result<(), End> {
        match (self.dp.phase, kind) {
            (_, Kind::EchoRequest) => return self.echo_request(msg),
            (Phase::Hello, Kind::Hello) => return handshake::hello(self.dp, self.shared, self.ring, msg),
            // Some switches say hello again; an error is an error whatever its version.
            (_, Kind::Error) => return self.error(msg),
            (Phase::Hello, _) | (_, Kind::Hello) => return self.unexpected(header),
            _ => {}
        }
        if header.version != self.dp.version {
            self.answer(ErrorMsg::answer(self.dp.version, msg, ErrorCode::BAD_VERSION));
            return Err(End::BadVersion);
        }
        match (self.dp.phase, kind) {
            (_, Kind::EchoReply) => Ok(()),
            (_, Kind::BarrierRequest) => self.barrier_request(header.xid),
            (Phase::Features, Kind::FeaturesReply) => self.features(msg),
            (Phase::Ready, Kind::FlowRemoved) => self.flow_removed(msg),
            (Phase::Ready, Kind::PortStatus) => self.port_status(header, msg),
            (Phase::Ready, Kind::StatsReply) => self.stats(header, msg),
            (Phase::Ready, Kind::BarrierReply) => self.barrier_reply(header.xid),
            (_, Kind::Unknown) => self.unknown(header, msg),
            _ => self.unexpected(header),
        }
    }

    fn echo_request(&mut self, msg: &[u8]) -> Result<(), End> {
        match Echo::parse(msg) {
            Ok(echo) => {
                if self.dp.out(self.ring).put(&echo.reply()).is_err() {
                    self.shared.counters.sends_refused += 1;
                }
                Ok(())
            }
            Err(why) => self.malformed(msg, &why),
        }
    }

    fn barrier_request(&mut self, xid: u32) -> Result<(), End> {
        if self.dp.out(self.ring).barrier_reply(self.dp.version, xid).is_err() {
            self.shared.counters.sends_refused += 1;
        }
        Ok(())
    }

    fn features(&mut self, msg: &[u8]) -> Result<(), End> {
        let features = match codec::features(self.dp.version, msg) {
            Ok(features) => features,
            Err(why) => return self.malformed(msg, &why),
        };
        if features.auxiliary {
            return Err(End::Auxiliary);
        }
        self.dp.id = Dpid(features.dpid);
        if let Some(ports) = features.ports {
            self.add_ports(ports, false);
        }
        self.dp.phase = Phase::Claiming;
        Ok(())
    }

    fn flow_removed(&mut self, msg: &[u8]) -> Result<(), End> {
        let removed = match codec::flow_removed(self.dp.version, msg) {
            Ok(removed) => removed,
            Err(why) => return self.malformed(msg, &why),
        };
        let mut flow = removed.flow;
        let app_id = (flow.cookie >> COOKIE_SHIFT) as u16;
        if app_id == SESSION_APP_ID && flow.table == 0 && flow.priority == 0 && removed.matches_all {
            // Without it the switch would drop what it does not know (OF 1.3.5 5.4).
            self.shared.counters.table_miss_restored += 1;
            if handshake::whole_packets(self.dp, self.ring).is_err() {
                self.shared.counters.sends_refused += 1;
            }
            return Ok(());
        }
        let Some(slot) = self.shared.apps.iter().position(|a| a.id == app_id) else { return Ok(()) };
        let (table, priority, matching) = (flow.table, flow.priority, flow.matching);
        self.dp.memory.remove(&Remembered { table, priority, matching });
        if flow.cookie & COOKIE_NOTIFY == 0 {
            return Ok(());
        }
        flow.cookie &= COOKIE_NOTIFY - 1;
        flow.priority = flow.priority.saturating_sub(self.shared.apps[slot].base);
        self.tell(slot as u8, |app, dp| app.flow_removed(dp, &flow));
        Ok(())
    }

    fn port_status(&mut self, header: Header, msg: &[u8]) -> Result<(), End> {
        let status = match codec::port_status(self.dp.version, msg) {
            Ok(Some(status)) => status,
            Ok(None) => return self.unexpected(header),
            Err(why) => return self.malformed(msg, &why),
        };
        let gone = status.change == crate::app::PortChange::Deleted;
        if !self.dp.set_port(&status.port, gone) {
            self.shared.counters.ports_ignored += 1;
        }
        for slot in 0..self.chain.len() {
            self.tell(slot, |app, dp| app.port_status(dp, &status));
        }
        Ok(())
    }

    fn stats(&mut self, header: Header, msg: &[u8]) -> Result<(), End> {
        let xid = header.xid;
        let (part, more) = match codec::stats(self.dp.version, msg) {
            Ok(part) => part,
            Err(why) => return self.malformed(msg, &why),
        };
        let reply = match part {
            StatsPart::PortDesc(ports) => {
                if self.add_ports(ports, more) {
                    handshake::ports_known(self.dp, self.shared, self.chain, self.ring);
                }
                return Ok(());
            }
            StatsPart::Other => return self.unexpected(header),
            StatsPart::Description(d) => {
                let asked = self.dp.pending.get_mut(xid).map(|r| &r.kind);
                matches!(asked, Some(RequestKind::Description)).then_some(OwnedReply::Description(d))
            }
            StatsPart::PortStats(stats) => match self.dp.pending.get_mut(xid).map(|r| &mut r.kind) {
                Some(RequestKind::Ports(parts)) => {
                    if !append(parts, stats) {
                        self.shared.counters.replies_too_long += 1;
                        if let Some(ask) = reply_to(self.dp, xid) {
                            self.finish(ask, Err(Failed::TooLong));
                        }
                        return Ok(());
                    }
                    if more {
                        return Ok(());
                    }
                    Some(OwnedReply::Ports(std::mem::take(parts)))
                }
                _ => None,
            },
        };
        match (reply, reply_to(self.dp, xid)) {
            (Some(reply), Some(ask)) => self.finish(ask, Ok(reply)),
            _ => self.shared.counters.stray_replies += 1,
        }
        Ok(())
    }

    /// Takes one part of a port list. Says whether the list is complete now.
    fn add_ports(&mut self, part: Vec<Port>, more: bool) -> bool {
        self.shared.counters.ports_ignored += self.dp.add_ports(part, more) as u64;
        !more
    }

    fn barrier_reply(&mut self, xid: u32) -> Result<(), End> {
        let is_barrier =
            matches!(self.dp.pending.get_mut(xid).map(|r| &r.kind), Some(RequestKind::Barrier { .. }));
        match if is_barrier { reply_to(self.dp, xid) } else { None } {
            Some(ask) => self.finish(ask, Ok(OwnedReply::Done)),
            None => self.shared.counters.stray_replies += 1,
        }
        Ok(())
    }

    fn error(&mut self, msg: &[u8]) -> Result<(), End> {
        let error = match ErrorMsg::parse(msg) {
            Ok(error) => error,
            Err(why) => {
                // Never an error about an error.
                self.unreadable(&why);
                return Ok(());
            }
        };
        let (ty, code) = error.names();
        self.shared.counters.error(ty, code);
        tracing::debug!(dpid = %self.dp.id, peer = %self.dp.peer, xid = error.xid, "error from the switch: {error}");
        if error.error == BUFFER_UNKNOWN {
            self.buffer_unknown(error.xid, error.data);
            // The flow is on its way again: nothing has failed that the app asked for.
            return Ok(());
        }
        let slot = (error.xid >> 24) as u8;
        let request = self.dp.pending.remove_failed(error.xid);
        if request.is_none() && (slot == SESSION_SLOT || slot >= self.chain.len()) {
            return Ok(());
        }
        let quoted = codec::flow_name(&error);
        let remembered = match &request {
            Some(super::Request { kind: RequestKind::Barrier { flow: Some(flow), .. }, .. }) => {
                Some((**flow).clone())
            }
            _ => None,
        };
        let base = self.shared.apps.get(usize::from(slot)).map_or(0, |a| a.base);
        let flow = remembered.or_else(|| quoted.map(|name| of_app(name, base))).map(Box::new);
        let (error, name) = (error.error, error.to_string().into_boxed_str());
        match request {
            Some(request) => self.finish(request.ask, Err(Failed::Error { error, name, flow })),
            None => {
                let event = Event::Error { error, name, flow };
                self.shared.event(self.dp.serial, slot, event);
            }
        }
        Ok(())
    }

    /// The switch does not know the buffer that we named: from now on it is not asked to.
    fn buffer_unknown(&mut self, xid: u32, quoted: &[u8]) {
        self.shared.counters.buffer_unknown += 1;
        let copy = self.dp.buffered.take(xid);
        if !self.dp.unbuffered {
            self.dp.unbuffered = true;
            tracing::info!(dpid = %self.dp.id, "the switch does not know its buffers: asking for unbuffered packets");
            if handshake::whole_packets(self.dp, self.ring).is_err() {
                self.shared.counters.sends_refused += 1;
            }
        }
        let Some(mut copy) = copy else {
            // A packet_out has nothing to be installed again.
            if quoted.get(1) != Some(&OFPT_PACKET_OUT) {
                self.shared.counters.reinstall_forgotten += 1;
            }
            return;
        };
        let xid = self.dp.next_xid((xid >> 24) as u8);
        let len = usize::from(copy.len);
        codec::without_buffer(self.dp.version, &mut copy.bytes[..len], xid);
        let bytes = copy.as_slice();
        if self.ring.room() >= len + super::KEEP && self.ring.write_with(len, |b| b.copy_from_slice(bytes)) {
            self.shared.counters.reinstalled += 1;
            self.shared.counters.flow_mods += 1;
        } else {
            self.shared.counters.flow_mods_refused += 1;
        }
    }

    #[cold]
    fn unexpected(&mut self, header: Header) -> Result<(), End> {
        self.shared.counters.unexpected += 1;
        if !std::mem::replace(&mut self.dp.said_unexpected, true) {
            let (version, ty) = (header.version.0, header.ty);
            tracing::warn!(
                dpid = %self.dp.id, peer = %self.dp.peer, core = self.shared.core, version, ty,
                "unexpected message, ignored (more of this switch are counted only)"
            );
        }
        Ok(())
    }

    /// A type that we have no word for says nothing about what else the switch has to say: it is never a reason to end.
    fn unknown(&mut self, header: Header, msg: &[u8]) -> Result<(), End> {
        self.answer(ErrorMsg::answer(self.dp.version, msg, ErrorCode::BAD_TYPE));
        self.unexpected(header)
    }

    #[cold]
    fn malformed(&mut self, msg: &[u8], why: &DecodeError) -> Result<(), End> {
        self.unreadable(why);
        self.answer(ErrorMsg::answer(self.dp.version, msg, why.answer));
        let (dp, now) = (&mut *self.dp, self.shared.now);
        if now.since(dp.malformed_at) >= MALFORMED_FORGIVEN {
            dp.malformed = 0;
        }
        dp.malformed_at = now;
        dp.malformed += 1;
        if dp.malformed >= self.shared.config.max_malformed { Err(End::Malformed) } else { Ok(()) }
    }

    fn unreadable(&mut self, why: &DecodeError) {
        self.shared.counters.malformed += 1;
        if !std::mem::replace(&mut self.dp.said_malformed, true) {
            tracing::warn!(
                dpid = %self.dp.id, peer = %self.dp.peer, core = self.shared.core,
                "malformed message: {why} (more of this switch are counted only)"
            );
        }
    }

    fn answer(&mut self, error: ErrorMsg<'_>) {
        if self.dp.out(self.ring).put(&error).is_err() {
            self.shared.counters.sends_refused += 1;
        }
    }

    fn tell(&mut self, slot: u8, f: impl FnOnce(&mut dyn crate::app::App, &mut Dp<'_>)) {
        let At { dp, shared, chain, ring } = self;
        chain.call(slot, shared, |app, shared| f(app, &mut Dp::new(ring, dp, shared, slot)));
    }

    fn finish(&mut self, ask: Ask, result: Result<OwnedReply, Failed>) {
        finish(self.dp, self.shared, self.chain, self.ring, ask, result);
    }
}

/// Ends a request: by the app's `done`, here or on the core where it was asked.
pub(crate) fn finish(
    dp: &mut Datapath,
    shared: &mut Shared,
    chain: &mut Chain,
    ring: &mut SendRing,
    ask: Ask,
    result: Result<OwnedReply, Failed>,
) {
    dp.timer_dirty = true;
    let Ask { slot, token, origin } = ask;
    if origin != shared.core {
        shared.letters.push_back((origin, Letter::Done { dpid: dp.id, slot, token, result }));
        return;
    }
    chain.call(slot, shared, |app, shared| {
        let result = result.as_ref().map(OwnedReply::borrow).map_err(Clone::clone);
        app.done(&mut Dp::new(ring, dp, shared, slot), token, result);
    });
}

fn reply_to(dp: &mut Datapath, xid: u32) -> Option<Ask> {
    dp.pending.remove(xid).map(|request| request.ask)
}

/// A flow's name with what the session has added taken off again.
fn of_app(name: FlowName, base: u16) -> FlowName {
    FlowName {
        cookie: name.cookie & (COOKIE_NOTIFY - 1),
        priority: name.priority.saturating_sub(base),
        ..name
    }
}
