//! The parts of a turn: events, accepting, reading, timers, writing, endings.

use std::io;
use std::time::Duration;

use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Rx, Service};

use super::LISTENERS;
use super::listener::Accepted;
use super::net::{local_address, reset};
use super::socket::{End, Fin, Phase, Sock, close_reason, connect_error};
use super::sockets::{BELL, Sockets};

/// A ring this full is written as soon as its connection has been served, while its bytes are still in the cache.
const FLUSH_EARLY: usize = 32 << 10;
/// How often one turn writes what the callbacks of writing have written.
const FLUSH_ROUNDS: usize = 2;
/// How long accepting rests when the process is out of descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// An empty buffer of kept bytes larger than this is given back.
const KEPT_SPARE: usize = 4096;

impl<C> Sockets<C> {
    /// Notes what the kernel told.
    pub(super) fn take_events(&mut self) -> usize {
        let net = &mut self.net;
        let mut count = 0;
        for event in &self.events {
            let token = event.token();
            count += 1;
            if token == BELL {
                continue;
            }
            if let Some(listener) = token.0.checked_sub(LISTENERS) {
                if let Some(Some(listener)) = net.listeners.get_mut(listener) {
                    listener.ready = true;
                }
                continue;
            }
            let Some(id) = net.table.id_at(token.0) else { continue };
            let Some(sock) = net.table.get_mut(id) else { continue };
            let over = event.is_read_closed() || event.is_error();
            sock.hangup |= over;
            if event.is_readable() || over {
                sock.readable = true;
                net.enqueue(id);
            } else if sock.phase == Phase::Connecting {
                net.enqueue(id);
            }
            if event.is_writable()
                && let Some(sock) = net.table.get_mut(id)
                && sock.blocked
            {
                sock.blocked = false;
                net.mark_dirty(id);
            }
        }
        self.events.clear();
        count
    }

    /// Accepts what waits, up to a bound for each listener.
    pub(super) fn accept<S: Service<Conn = C>>(&mut self, service: &mut S) -> usize {
        let mut count = 0;
        for index in 0..self.net.listeners.len() {
            let now = self.net.now;
            let Some(listener) = &mut self.net.listeners[index] else { continue };
            if listener.retry.is_some_and(|at| at <= now) {
                listener.retry = None;
            }
            if listener.is_due() {
                count += self.accept_from(service, index);
            }
        }
        count
    }

    fn accept_from<S: Service<Conn = C>>(&mut self, service: &mut S, index: usize) -> usize {
        for count in 0..self.net.config.accepts_per_turn {
            // The service may end or pause it in between.
            let listener = self.net.listeners.get_mut(index).and_then(Option::as_mut);
            let Some(listener) = listener.filter(|listener| listener.accepting) else { return count };
            self.net.counters.accepts += 1;
            match listener.accept() {
                Accepted::Conn(io, peer) => {
                    let local = local_address(&io, ([0, 0, 0, 0], listener.at.port).into());
                    let info = ConnInfo { local, peer, token: listener.at.token };
                    self.accepted(service, io, info);
                }
                Accepted::Empty => {
                    listener.ready = false;
                    return count;
                }
                Accepted::Lost => self.net.counters.accept_lost += 1,
                Accepted::Exhausted(error) => {
                    listener.retry = Some(self.net.now + ACCEPT_REST);
                    if self.net.counters.accept_exhausted == 0 {
                        tracing::warn!(
                            "cannot accept connections for now: {error}; trying again every 100 ms"
                        );
                    }
                    self.net.counters.accept_exhausted += 1;
                    return count;
                }
            }
        }
        self.net.config.accepts_per_turn
    }

    fn accepted<S: Service<Conn = C>>(&mut self, service: &mut S, io: socket2::Socket, info: ConnInfo) {
        let net = &mut self.net;
        if net.table.is_full() {
            net.counters.table_full += 1;
            return reset(&io);
        }
        let sock = Sock::new(io, info, Phase::Open, net.config.send_bytes_max);
        let Ok(id) = net.adopt(sock) else {
            net.counters.accept_lost += 1;
            return;
        };
        net.counters.accepted += 1;
        match service.accepted(net, id, &info) {
            Some(conn) => self.keep(id, conn),
            None => {
                self.net.counters.refused += 1;
                self.drop_silently(id);
            }
        }
    }

    fn keep(&mut self, id: ConnId, conn: C) {
        if self.conns.len() <= id.index() {
            self.conns.resize_with(id.index() + 1, || None);
        }
        self.conns[id.index()] = Some(conn);
    }

    /// The service gave nothing to keep for it: a reset, and no callback more.
    fn drop_silently(&mut self, id: ConnId) {
        if let Some(sock) = self.net.table.remove(id) {
            reset(&sock.io);
            self.net.counters.closed += 1;
        }
    }

    /// Serves the connections that have something, each once.
    pub(super) fn serve<S: Service<Conn = C>>(&mut self, service: &mut S) -> usize {
        let waiting = self.net.ready.len();
        for _ in 0..waiting {
            let Some(index) = self.net.ready.pop_front() else { break };
            let Some(id) = self.net.table.id_at(index as usize) else { continue };
            let Some(sock) = self.net.table.get_mut(id) else { continue };
            sock.queued = false;
            match sock.phase {
                Phase::Connecting => self.finish_connect(service, id),
                Phase::Open => self.read(service, id),
                Phase::Closing => self.discard(id),
                Phase::Ending(_) => {}
            }
        }
        waiting
    }

    fn finish_connect<S: Service<Conn = C>>(&mut self, service: &mut S, id: ConnId) {
        let net = &mut self.net;
        let Some(sock) = net.table.get_mut(id) else { return };
        if let Ok(Some(error)) | Err(error) = sock.io.take_error() {
            return net.end(id, End::Failed(connect_error(&error)));
        }
        // Writable but without a peer: an event left over from the slot's last user.
        if sock.io.peer_addr().is_err() {
            return;
        }
        sock.phase = Phase::Open;
        sock.deadline = None;
        sock.info.local = local_address(&sock.io, sock.info.local);
        let info = sock.info;
        let readable = sock.readable;
        net.mark_dirty(id);
        match service.connected(net, id, Ok(&info)) {
            Some(conn) => {
                self.keep(id, conn);
                if readable {
                    self.net.enqueue(id);
                }
            }
            None => self.drop_silently(id),
        }
    }

    /// Reads once and offers what there is, behind what was kept.
    fn read<S: Service<Conn = C>>(&mut self, service: &mut S, id: ConnId) {
        let Sockets { net, conns, buf, .. } = self;
        let Some(sock) = net.table.get_mut(id) else { return };
        let kept = sock.kept.len();
        let offer = std::mem::take(&mut sock.offer);
        let may_read = sock.readable && !sock.eof && kept < net.config.kept_bytes_max;
        if !may_read && let Some(why) = sock.broken {
            return net.end(id, End::Closed(why));
        }
        if !may_read && (!offer || kept == 0) {
            return;
        }
        buf[..kept].copy_from_slice(&sock.kept);
        let mut got = 0;
        let mut end = false;
        if may_read {
            net.counters.reads += 1;
            let space = net.config.read_bytes;
            match receive(sock, &mut buf[kept..kept + space]) {
                Received::Bytes(n) => {
                    got = n;
                    net.counters.bytes_in += n as u64;
                }
                Received::Nothing => {}
                Received::End => end = true,
                Received::Failed(why) => return net.end(id, End::Closed(why)),
            }
        }
        let whole = kept + got;
        if (got > 0 || offer) && whole > 0 {
            let Some(conn) = conns.get_mut(id.index()).and_then(Option::as_mut) else { return };
            let mut rx = Rx::new(&buf[..whole], &[]);
            service.data(net, id, conn, &mut rx);
            let taken = rx.taken();
            let Some(sock) = net.table.get_mut(id) else { return };
            if sock.phase == Phase::Open {
                keep_rest(sock, &buf[taken..whole]);
                if sock.kept.len() >= net.config.kept_bytes_max {
                    net.counters.kept_full += 1;
                }
            } else {
                net.counters.bytes_discarded += (whole - taken) as u64;
            }
        }
        if end && let Some(sock) = self.net.table.get_mut(id) {
            sock.eof = true;
        }
        self.peer_finished(service, id);
        self.after_reading(id);
    }

    /// Tells of the peer's FIN, once the service has taken everything before it.
    fn peer_finished<S: Service<Conn = C>>(&mut self, service: &mut S, id: ConnId) {
        let Sockets { net, conns, .. } = self;
        let Some(sock) = net.table.get_mut(id) else { return };
        if !sock.eof || sock.eof_told {
            return;
        }
        if !std::mem::replace(&mut sock.fin_told, true)
            && sock.phase == Phase::Open
            && let Some(conn) = conns.get_mut(id.index()).and_then(Option::as_mut)
        {
            service.fin(net, id, conn);
        }
        let Some(sock) = net.table.get_mut(id) else { return };
        if sock.phase == Phase::Open && !sock.kept.is_empty() {
            return;
        }
        sock.eof_told = true;
        if sock.phase == Phase::Open
            && let Some(conn) = conns.get_mut(id.index()).and_then(Option::as_mut)
        {
            service.eof(net, id, conn);
        }
        // Our own end may have been sent long ago.
        self.net.mark_dirty(id);
    }

    /// Queues it again if there is more, and writes at once what is a lot.
    fn after_reading(&mut self, id: ConnId) {
        let Some(sock) = self.net.table.get_mut(id) else { return };
        let more = sock.readable && !sock.eof && sock.kept.len() < self.net.config.kept_bytes_max;
        if sock.offer || (more && matches!(sock.phase, Phase::Open | Phase::Closing)) {
            self.net.enqueue(id);
        }
        let Some(sock) = self.net.table.get_mut(id) else { return };
        if sock.ring.len() >= FLUSH_EARLY && matches!(sock.phase, Phase::Open | Phase::Closing) {
            self.write(id);
        }
    }

    /// Reads what a closed connection still gets, and throws it away.
    fn discard(&mut self, id: ConnId) {
        let Sockets { net, buf, .. } = self;
        let Some(sock) = net.table.get_mut(id) else { return };
        if sock.readable && !sock.eof {
            net.counters.reads += 1;
            match receive(sock, buf) {
                Received::Bytes(n) => net.counters.bytes_discarded += n as u64,
                Received::Nothing => {}
                Received::End => {
                    sock.eof = true;
                    net.mark_dirty(id);
                }
                Received::Failed(why) => return net.end(id, End::Closed(why)),
            }
        }
        self.after_reading(id);
    }

    /// Runs the timers that are due; each at most once in a turn.
    pub(super) fn expire<S: Service<Conn = C>>(&mut self, service: &mut S) -> usize {
        let now = self.net.now;
        let mut count = 0;
        for _ in 0..self.net.timers.len() {
            let Some((at, id)) = self.net.timers.pop_due(now) else { break };
            let Some(sock) = self.net.table.get_mut(id).filter(|s| s.in_heap == Some(at)) else { continue };
            sock.in_heap = None;
            count += 1;
            let deadline = sock.deadline.is_some_and(|d| d <= now);
            if sock.armed.is_some_and(|a| a <= now) {
                sock.armed = None;
                if sock.phase == Phase::Open
                    && let Some(conn) = self.conns.get_mut(id.index()).and_then(Option::as_mut)
                {
                    service.timer(&mut self.net, id, conn);
                }
            }
            if deadline {
                self.out_of_patience(id);
            }
            self.net.schedule(id);
        }
        count
    }

    fn out_of_patience(&mut self, id: ConnId) {
        let Some(sock) = self.net.table.get_mut(id) else { return };
        match sock.phase {
            Phase::Connecting => self.net.end(id, End::Failed(ConnectError::TimedOut)),
            Phase::Closing => {
                if !sock.ring.is_empty() {
                    reset(&sock.io);
                }
                self.net.counters.lingered += 1;
                self.net.end(id, End::Closed(CloseReason::TimedOut));
            }
            Phase::Open | Phase::Ending(_) => sock.deadline = None,
        }
    }

    /// Writes what there is to write and ends what is over; what the callbacks of that bring about as well, within
    /// bounds.
    pub(super) fn settle<S: Service<Conn = C>>(&mut self, service: &mut S) {
        for _ in 0..FLUSH_ROUNDS {
            let mut ending = std::mem::take(&mut self.net.ending);
            for id in ending.drain(..) {
                self.say_last_word(service, id);
            }
            if self.net.ending.is_empty() {
                self.net.ending = ending;
            }
            if self.net.dirty.is_empty() {
                break;
            }
            let mut dirty = std::mem::take(&mut self.net.dirty);
            for id in dirty.drain(..) {
                if let Some(sock) = self.net.table.get_mut(id) {
                    sock.dirty = false;
                    self.write(id);
                    self.finish_write(service, id);
                }
            }
            if self.net.dirty.is_empty() {
                self.net.dirty = dirty;
            }
        }
    }

    fn write(&mut self, id: ConnId) {
        let net = &mut self.net;
        let Some(sock) = net.table.get_mut(id) else { return };
        if !matches!(sock.phase, Phase::Open | Phase::Closing) || sock.blocked || sock.ring.is_empty() {
            return;
        }
        let before = sock.ring.len();
        let result = sock.write();
        net.counters.writes += 1;
        net.counters.bytes_out += (before - sock.ring.len()) as u64;
        net.counters.blocked += u64::from(sock.blocked);
        if let Err(error) = result {
            // The peer is gone, but what it had sent before may wait to be read.
            sock.ring.consume(sock.ring.len());
            sock.broken = Some(close_reason(&error));
            sock.readable = true;
            sock.hangup = true;
            if sock.eof {
                net.end(id, End::Closed(close_reason(&error)));
            } else {
                net.enqueue(id);
            }
        }
    }

    /// After writing: our FIN, the end, or room for more.
    fn finish_write<S: Service<Conn = C>>(&mut self, service: &mut S, id: ConnId) {
        let Sockets { net, conns, .. } = self;
        let Some(sock) = net.table.get_mut(id) else { return };
        if !matches!(sock.phase, Phase::Open | Phase::Closing) || sock.broken.is_some() {
            return;
        }
        if sock.ring.is_empty() && sock.fin == Fin::Wanted {
            sock.fin = Fin::Sent;
            // It fails only on a connection that is gone; reading tells why.
            let _ = sock.io.shutdown(std::net::Shutdown::Write);
        }
        if sock.fin == Fin::Sent && sock.eof && (sock.kept.is_empty() || sock.phase == Phase::Closing) {
            return net.end(id, End::Closed(CloseReason::Finished));
        }
        if sock.ring.is_short() && sock.ring.room() >= sock.ring.limit() / 2 && sock.fin == Fin::Open {
            sock.ring.take_short();
            if let Some(conn) = conns.get_mut(id.index()).and_then(Option::as_mut) {
                service.writable(net, id, conn);
            }
        }
    }

    fn say_last_word<S: Service<Conn = C>>(&mut self, service: &mut S, id: ConnId) {
        let Sockets { net, conns, .. } = self;
        let Some(&Sock { phase: Phase::Ending(end), .. }) = net.table.get(id) else { return };
        net.counters.closed += 1;
        match end {
            End::Failed(error) => {
                net.counters.connects_failed += 1;
                net.table.remove(id);
                let _ = service.connected(net, id, Err(error));
            }
            End::Closed(why) => {
                if let Some(conn) = conns.get_mut(id.index()).and_then(Option::take) {
                    service.closed(net, id, conn, why);
                }
                net.table.remove(id);
            }
        }
    }
}

enum Received {
    Bytes(usize),
    Nothing,
    End,
    Failed(CloseReason),
}

/// One `recv`. A short read empties the kernel's buffer, unless an event told that an end follows (epoll(7)).
fn receive(sock: &mut Sock, into: &mut [u8]) -> Received {
    match io::Read::read(&mut &sock.io, into) {
        Ok(0) => {
            sock.readable = false;
            match sock.broken {
                Some(why) => Received::Failed(why),
                None => Received::End,
            }
        }
        Ok(n) => {
            sock.readable = n == into.len() || sock.hangup;
            Received::Bytes(n)
        }
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
            sock.readable = false;
            sock.hangup = false;
            match sock.broken {
                Some(why) => Received::Failed(why),
                None => Received::Nothing,
            }
        }
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Received::Nothing,
        Err(e) => Received::Failed(close_reason(&e)),
    }
}

fn keep_rest(sock: &mut Sock, rest: &[u8]) {
    sock.kept.clear();
    if rest.is_empty() && sock.kept.capacity() > KEPT_SPARE {
        sock.kept = Vec::new();
    }
    sock.kept.extend_from_slice(rest);
}
