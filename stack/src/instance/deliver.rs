//! Calling the service: every callback starts here.

use super::inner::Inner;
use crate::net::Net;
use crate::rx::Rx;
use crate::service::{CloseReason, ConnId, ConnectError, Service};
use crate::tcp::input::{End, Outcome};
use crate::tcp::tcb::{AckDue, Deadlines, State};

/// The service and what it keeps for each connection.
pub(super) struct Upcalls<'a, S: Service> {
    pub(super) service: &'a mut S,
    pub(super) conns: &'a mut Vec<Option<S::Conn>>,
}

impl<S: Service> Upcalls<'_, S> {
    /// Tells the service what a segment did, in the order in which it happened.
    pub(super) fn outcome(&mut self, inner: &mut Inner, id: ConnId, outcome: &Outcome, payload: &[u8]) {
        if outcome.established && !self.established(inner, id) {
            return;
        }
        if let Some(ahead) = outcome.urgent {
            self.urgent(inner, id, ahead);
        }
        if let Some((offset, len)) = outcome.in_place {
            self.data_in_place(inner, id, &payload[offset..offset + len]);
        }
        if outcome.readable {
            self.data_kept(inner, id);
        }
        if outcome.acked {
            self.writable(inner, id);
        }
        self.end(inner, id, outcome.end);
        self.eof(inner, id);
    }

    /// The handshake is complete. Returns whether the service wants the connection.
    fn established(&mut self, inner: &mut Inner, id: ConnId) -> bool {
        let Some(tcb) = inner.table.get(id) else { return false };
        let (active, info) = (tcb.active, tcb.info());
        let conn = if active {
            inner.counters.tcp_connected += 1;
            self.service.connected(inner, id, Ok(&info))
        } else {
            inner.counters.tcp_accepted += 1;
            self.service.accepted(inner, id, &info)
        };
        let Some(conn) = conn else {
            inner.counters.tcp_refused_by_service += 1;
            if let Some(tcb) = inner.table.get_mut(id) {
                tcb.told = true; // it knows, and wants to hear no more of it
            }
            inner.abort(id);
            return false;
        };
        if self.conns.len() <= id.index() {
            self.conns.resize_with(id.index() + 1, || None);
        }
        self.conns[id.index()] = Some(conn);
        if let Some(tcb) = inner.table.get_mut(id) {
            tcb.told = true;
        }
        true
    }

    /// Whether callbacks for the connection are welcome: it is open, and the service has not closed it.
    fn wants(&self, inner: &Inner, id: ConnId) -> bool {
        inner.table.get(id).is_some_and(|tcb| tcb.told && tcb.over.is_none() && !tcb.service_done)
    }

    fn data_in_place(&mut self, inner: &mut Inner, id: ConnId, text: &[u8]) {
        if !self.wants(inner, id) {
            return self.data_unwanted(inner, id);
        }
        let Some(Some(conn)) = self.conns.get_mut(id.index()) else { return };
        let mut rx = Rx::new(text, &[]);
        self.service.data(inner, id, conn, &mut rx);
        let rest = &text[rx.taken()..];
        let max = inner.recv_limit();
        let Inner { table, now, .. } = inner;
        let Some(tcb) = table.get_mut(id).filter(|tcb| tcb.over.is_none()) else { return };
        tcb.reader_took(text.len() - rest.len(), *now, max);
        if rest.is_empty() {
            return;
        }
        if tcb.service_done {
            inner.abort(id); // RFC 9293 3.6.1: closed with data unread
        } else {
            tcb.rx.append(rest);
        }
    }

    /// There is data that the service closed without reading, in a callback before this one (RFC 9293 3.6.1).
    fn data_unwanted(&mut self, inner: &mut Inner, id: ConnId) {
        if inner.table.get(id).is_some_and(|tcb| tcb.service_done && tcb.over.is_none()) {
            inner.abort(id);
        }
    }

    /// Offers what is kept in the receive buffer.
    fn data_kept(&mut self, inner: &mut Inner, id: ConnId) {
        if inner.table.get(id).is_none_or(|tcb| tcb.rx.is_empty()) {
            return;
        }
        if !self.wants(inner, id) {
            return self.data_unwanted(inner, id);
        }
        let Some(Some(conn)) = self.conns.get_mut(id.index()) else { return };
        let Some(tcb) = inner.table.get_mut(id) else { return };
        let lent = tcb.rx.lend();
        let (first, second) = lent.unread();
        let mut rx = Rx::new(first, second);
        self.service.data(inner, id, conn, &mut rx);
        let taken = rx.taken();
        let max = inner.recv_limit();
        let Inner { table, now, .. } = inner;
        if let Some(tcb) = table.get_mut(id).filter(|tcb| tcb.over.is_none()) {
            tcb.rx.put_back(lent, taken);
            tcb.reader_took(taken, *now, max);
            if tcb.service_done && !tcb.rx.is_empty() {
                inner.abort(id);
            }
        }
        inner.mark_dirty(id.index() as u32);
    }

    #[cold]
    fn urgent(&mut self, inner: &mut Inner, id: ConnId, ahead: u32) {
        if self.wants(inner, id)
            && let Some(Some(conn)) = self.conns.get_mut(id.index())
        {
            self.service.urgent(inner, id, conn, ahead);
        }
    }

    fn writable(&mut self, inner: &mut Inner, id: ConnId) {
        let Some(tcb) = inner.table.get_mut(id) else { return };
        if !tcb.tx.is_short() || tcb.tx.room() < tcb.tx.limit() / 2 || tcb.fin_wanted {
            return;
        }
        tcb.tx.take_short();
        if self.wants(inner, id)
            && let Some(Some(conn)) = self.conns.get_mut(id.index())
        {
            self.service.writable(inner, id, conn);
        }
    }

    /// The peer's FIN, once everything before it has been read.
    fn eof(&mut self, inner: &mut Inner, id: ConnId) {
        let Some(tcb) = inner.table.get_mut(id).filter(|tcb| tcb.over.is_none()) else { return };
        if !tcb.fin_received() || tcb.eof_told {
            return;
        }
        if !std::mem::replace(&mut tcb.fin_told, true) {
            self.fin(inner, id);
        }
        let Some(tcb) = inner.table.get_mut(id).filter(|tcb| tcb.over.is_none()) else { return };
        if !tcb.rx.is_empty() {
            return;
        }
        tcb.eof_told = true;
        let drained = tcb.state == State::Drained;
        if self.wants(inner, id)
            && let Some(Some(conn)) = self.conns.get_mut(id.index())
        {
            self.service.eof(inner, id, conn);
        }
        if drained {
            inner.finish(id.index() as u32, CloseReason::Finished);
        }
    }

    fn fin(&mut self, inner: &mut Inner, id: ConnId) {
        if self.wants(inner, id)
            && let Some(Some(conn)) = self.conns.get_mut(id.index())
        {
            self.service.fin(inner, id, conn);
        }
    }

    fn end(&mut self, inner: &mut Inner, id: ConnId, end: End) {
        let index = id.index() as u32;
        if inner.table.get(id).is_none_or(|tcb| tcb.over.is_some()) {
            return;
        }
        match end {
            End::No | End::ResetSegment => {}
            End::TimeWait => {
                inner.enter_time_wait(index);
                self.drain(inner, id);
            }
            End::Closed(CloseReason::Finished) => self.drain(inner, id),
            End::Closed(why) => inner.finish(index, why),
            End::Abort(why) => {
                inner.send_reset_of(id);
                inner.finish(index, why);
            }
        }
    }

    /// Both FINs are exchanged. The connection stays only until its reader has read all.
    fn drain(&mut self, inner: &mut Inner, id: ConnId) {
        let index = id.index() as u32;
        let Some(tcb) = inner.table.get_mut(id) else { return };
        let key = tcb.key;
        tcb.state = State::Drained;
        // The reader may be waiting for its own timer.
        tcb.deadlines = Deadlines { service: tcb.deadlines.service, ..Deadlines::default() };
        tcb.ack = AckDue::No;
        let unread = !tcb.rx.is_empty();
        inner.table.forget_conn(&key, index);
        if !unread {
            self.eof(inner, id);
            inner.finish(index, CloseReason::Finished);
        }
    }

    /// The service's own timer.
    pub(super) fn timer(&mut self, inner: &mut Inner, id: ConnId) {
        if self.wants(inner, id)
            && let Some(Some(conn)) = self.conns.get_mut(id.index())
        {
            self.service.timer(inner, id, conn);
        }
    }

    /// Offers unread bytes again where the service has asked for it. What is asked for meanwhile waits for the next turn.
    pub(super) fn resumed(&mut self, inner: &mut Inner) {
        if inner.resumed.is_empty() {
            return;
        }
        let mut ids = std::mem::take(&mut inner.resumed);
        for id in ids.drain(..) {
            if let Some(tcb) = inner.table.get_mut(id) {
                tcb.resumed = false;
                self.data_kept(inner, id);
                self.eof(inner, id);
            }
        }
        if inner.resumed.is_empty() {
            inner.resumed = ids;
        }
    }

    /// Tells the service of connections that are over. What ends meanwhile waits for the next call.
    pub(super) fn ended(&mut self, inner: &mut Inner) {
        for _ in 0..inner.ended.len() {
            let Some(id) = inner.ended.pop_front() else { return };
            let Some(tcb) = inner.table.get(id) else { continue };
            let (told, active, why) = (tcb.told, tcb.active, tcb.over.unwrap_or(CloseReason::Finished));
            let conn = self.conns.get_mut(id.index()).and_then(Option::take);
            if let Some(conn) = conn {
                inner.counters.tcp_closed += 1;
                self.service.closed(inner, id, conn, why);
            } else if active && !told {
                inner.counters.tcp_connect_failed += 1;
                self.service.connected(inner, id, Err(connect_error(why)));
            }
            inner.table.remove(id.index() as u32);
        }
    }
}

fn connect_error(why: CloseReason) -> ConnectError {
    match why {
        CloseReason::Reset => ConnectError::Refused,
        CloseReason::Unreachable => ConnectError::Unreachable,
        CloseReason::Aborted => ConnectError::Aborted,
        CloseReason::TimedOut | CloseReason::NoResources | CloseReason::Finished => ConnectError::TimedOut,
    }
}
