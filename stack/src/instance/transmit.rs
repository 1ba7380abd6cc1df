//! The end of a turn: timers, and everything that is to be sent, together.

use std::net::Ipv4Addr;

use ferroflow_wire::MacAddr;
use ferroflow_wire::ethernet;
use ferroflow_wire::ipv4::{self, IpProtocol, Ipv4Header};
use ferroflow_wire::tcp::{self, TcpFlags, TcpHeader};

use super::deliver::Upcalls;
use super::inner::Inner;
use super::receive::write_headers;
use crate::counters::Counters;
use crate::neighbor::Resolve;
use crate::port::{Burst, Caps, Csum, Frame, Port};
use crate::service::Service;
use crate::tcp::ecn;
use crate::tcp::output::{Emit, OutSegment, Progress};
use crate::tcp::recovery::Phase;
use crate::tcp::tcb::Tcb;

impl Inner {
    /// Every timer that is due.
    pub(super) fn run_timers<S: Service>(&mut self, up: &mut Upcalls<'_, S>) {
        self.expire_time_waits();
        super::receive::expire_fragments(self);
        self.poll_neighbors();
        let mut fired = std::mem::take(&mut self.fired);
        self.wheel.advance(self.now, |index, generation| fired.push((index, generation)));
        for (index, generation) in fired.drain(..) {
            if self.table.id(index).generation() == generation {
                self.run_conn_timers(up, index);
            }
        }
        self.fired = fired;
    }

    fn run_conn_timers<S: Service>(&mut self, up: &mut Upcalls<'_, S>, index: u32) {
        let id = self.table.id(index);
        let Inner { table, counters, config, now, .. } = self;
        let Some(tcb) = table.at(index) else { return };
        tcb.scheduled = crate::Instant::FAR;
        if tcb.over.is_some() {
            return;
        }
        let fired = tcb.timers(*now, &config.tcp, counters);
        let (synchronized, remote) = (tcb.state.is_synchronized(), tcb.key.remote());
        if fired.trimmed {
            counters.tcp_trimmed += 1;
            table.count_memory(index);
        }
        if fired.suspect_next_hop && synchronized {
            self.forget_next_hop(index, remote);
        }
        if let Some(why) = fired.over {
            if synchronized {
                self.send_reset_of(id);
            }
            return self.finish(index, why);
        }
        if fired.output {
            self.mark_dirty(index);
        }
        if fired.service {
            up.timer(self, id);
        }
        self.rearm(index);
    }

    /// The next hop does not seem to answer: ARP is asked again, if there is one to ask for.
    fn forget_next_hop(&mut self, index: u32, remote: Ipv4Addr) {
        if self.is_resolvable(remote)
            && let Some(tcb) = self.table.at(index)
        {
            tcb.next_hop = None;
        }
    }

    /// Sends what one connection may send. `false`: the port has no room.
    fn output<P: Port>(&mut self, index: u32, port: &mut P, tx: &mut Burst) -> Progress {
        let Some(tcb) = self.table.at(index) else { return Progress::Done };
        if tcb.over.is_some() {
            return Progress::Done;
        }
        if tcb.next_hop.is_none() && !self.find_next_hop(index) {
            self.table.count_memory(index);
            return Progress::Done;
        }
        let Inner { table, counters, config, now, .. } = self;
        let Some(tcb) = table.at(index) else { return Progress::Done };
        let Caps { tx_csum, tx_gso, .. } = port.caps();
        let mut emitter = Emitter { port, tx_csum, tx_gso, tx, mac: config.mac, ttl: config.ttl, counters };
        let budget = if tx_gso > 0 { LARGE_TURN * config.send_budget } else { config.send_budget };
        let progress = tcb.output(*now, &config.tcp, budget, &mut emitter);
        tcb.keep_buffers(*now, &config.tcp);
        table.count_memory(index);
        self.rearm(index);
        progress
    }

    /// Asks ARP for a connection's next hop. `false`: it has to wait.
    fn find_next_hop(&mut self, index: u32) -> bool {
        let Some(tcb) = self.table.at(index) else { return false };
        let remote = tcb.key.remote();
        match self.resolve(index, remote) {
            Resolve::Known(mac) => {
                if let Some(tcb) = self.table.at(index) {
                    tcb.next_hop = Some(mac);
                }
                return true;
            }
            Resolve::Unreachable => self.unreachable(index),
            Resolve::Wait { .. } => {}
        }
        let now = self.now;
        let config = &self.config.tcp;
        if let Some(tcb) = self.table.at(index) {
            // Should the answer never be told, the retransmission timer asks again.
            let again = now + tcb.rto.get(config);
            tcb.deadlines.retransmit.get_or_insert(again);
        }
        self.rearm(index);
        false
    }
}

/// Sends what is in the outbox and what the dirty connections have. Returns whether the port ran out of room.
pub(super) fn all<P: Port>(inner: &mut Inner, port: &mut P, tx: &mut Burst) -> bool {
    let mut blocked = !outbox(inner, port, tx);
    for _ in 0..inner.dirty.len() {
        if blocked {
            break;
        }
        let Some(index) = inner.dirty.pop_front() else { break };
        inner.table.clear_dirty(index);
        let progress = inner.output(index, port, tx);
        blocked = progress == Progress::Blocked;
        if progress != Progress::Done && inner.table.set_dirty(index) {
            // Whom the port stopped is the first to go on.
            if blocked { inner.dirty.push_front(index) } else { inner.dirty.push_back(index) }
        }
    }
    // ARP requests that the connections above needed.
    blocked |= !outbox(inner, port, tx);
    port.tx(tx);
    blocked || !tx.is_empty()
}

fn outbox<P: Port>(inner: &mut Inner, port: &mut P, tx: &mut Burst) -> bool {
    while let Some(bytes) = inner.outbox.front() {
        let Some(mut frame) = room(port, tx, bytes.len()) else { return false };
        port.bytes_mut(&mut frame)[..bytes.len()].copy_from_slice(bytes);
        push(port, tx, frame, &mut inner.counters);
        inner.outbox.pop();
    }
    true
}

/// A frame to be filled in, if the burst has room for it or can be sent to make some.
fn room<P: Port>(port: &mut P, tx: &mut Burst, len: usize) -> Option<Frame> {
    if tx.room() == 0 {
        port.tx(tx);
        if tx.room() == 0 {
            return None;
        }
    }
    if let Some(frame) = port.alloc(len) {
        return Some(frame);
    }
    port.tx(tx);
    port.alloc(len)
}

fn push<P: Port>(port: &mut P, tx: &mut Burst, frame: Frame, counters: &mut Counters) {
    counters.tx_frames += 1;
    counters.tx_bytes += u64::from(frame.len);
    if let Err(frame) = tx.push(frame) {
        port.release(frame);
        counters.tx_dropped += 1;
    }
}

fn count_retransmissions(n: u64, phase: Phase, flags: TcpFlags, counters: &mut Counters) {
    counters.tcp_retransmitted += n;
    match phase {
        _ if flags.syn() => counters.tcp_syn_retrans += n,
        Phase::Loss => counters.tcp_slow_start_retrans += n,
        Phase::Recovery => counters.tcp_fast_retrans += n,
        Phase::Open | Phase::Cwr => {} // a tail loss probe
    }
}

/// Puts segments into frames.
struct Emitter<'a, P> {
    port: &'a mut P,
    tx_csum: bool,
    tx_gso: u32,
    tx: &'a mut Burst,
    mac: MacAddr,
    ttl: u8,
    counters: &'a mut Counters,
}

/// Where the port cuts segments, a byte costs so much less that a connection may send so many times its budget in a turn: the
/// peer is woken less often.
const LARGE_TURN: usize = 4;
const TCP_AT: usize = ethernet::HEADER_LEN + ipv4::HEADER_LEN;
/// Where the checksum is in a TCP header.
const TCP_CSUM_OFFSET: u16 = 16;

/// The headers of a segment that the port cuts, with the most options.
const LARGE_HEADERS: u32 = (ipv4::HEADER_LEN + tcp::HEADER_LEN + tcp::MAX_OPTIONS_LEN) as u32;

impl<P: Port> Emit for Emitter<'_, P> {
    #[inline]
    fn most_text(&self) -> u32 {
        self.tx_gso.saturating_sub(LARGE_HEADERS)
    }

    fn emit(&mut self, tcb: &Tcb, segment: &OutSegment<'_>) -> bool {
        let Some(next_hop) = tcb.next_hop else { return false };
        let header = TcpHeader {
            src_port: tcb.key.local_port(),
            dst_port: tcb.key.remote_port(),
            seq: segment.seq,
            ack: segment.ack,
            flags: segment.flags,
            window: segment.window,
            urgent: segment.urgent,
            options: segment.options,
        };
        let (first, second) = segment.text;
        let head = header.len();
        let len = head + first.len() + second.len();
        let Some(mut frame) = room(self.port, self.tx, TCP_AT + len) else { return false };
        let buf = self.port.bytes_mut(&mut frame);
        let ecn = if segment.ect { ecn::ECT0 } else { 0 };
        let own = tcb.own.as_ref();
        let ip = Ipv4Header {
            ecn,
            dscp: own.map_or(0, |own| own.dscp),
            ttl: own.and_then(|own| own.ttl).unwrap_or(self.ttl),
            ..Ipv4Header::new(tcb.key.local(), tcb.key.remote(), IpProtocol::TCP, len as u16)
        };
        write_headers(buf, self.mac, next_hop, &ip);
        let tcp = &mut buf[TCP_AT..TCP_AT + len];
        let _ = header.write(tcp);
        tcp[head..head + first.len()].copy_from_slice(first);
        tcp[head + first.len()..].copy_from_slice(second);
        if self.tx_csum {
            let _ = tcp::fill_partial_checksum(tcp, tcb.key.local(), tcb.key.remote());
            frame.meta.csum = Csum::Partial { start: TCP_AT as u16, offset: TCP_CSUM_OFFSET };
            frame.meta.gso_size = segment.gso_size;
        } else {
            let _ = tcp::fill_checksum(tcp, tcb.key.local(), tcb.key.remote());
        }
        let count = segment.count().into();
        self.counters.tcp_segments_out += count;
        if segment.again {
            count_retransmissions(count, tcb.recovery.phase, segment.flags, self.counters);
        }
        push(self.port, self.tx, frame, self.counters);
        true
    }
}
