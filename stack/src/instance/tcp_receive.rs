//! A TCP segment arrives: whose is it, and what becomes of it (RFC 9293 3.10.7).

use std::net::{IpAddr, Ipv4Addr};

use ferroflow_wire::ethernet::{self, EthernetView};
use ferroflow_wire::ipv4::{self, IpProtocol, Ipv4Header, Ipv4View};
use ferroflow_wire::tcp::{self, TcpFlags, TcpHeader, TcpOptions, TcpView};
use ferroflow_wire::{MacAddr, SeqNumber};

use super::deliver::Upcalls;
use super::inner::{Entry, Inner, Listener};
use super::receive::write_headers;
use crate::path::PathMtus;
use crate::port::Csum;
use crate::service::{ConnId, Service};
use crate::tcp::TcpConfig;
use crate::tcp::cookie;
use crate::tcp::input::{Cx, End, Segment};
use crate::tcp::table::Key;
use crate::tcp::tcb::{Open, State, Tcb};
use crate::tcp::time_wait::{Answer, TimeWait};
use crate::time::Instant;

/// Bytes of the IPv4 and TCP headers without options.
pub(super) const HEADERS: u32 = (ipv4::HEADER_LEN + tcp::HEADER_LEN) as u32;

/// The most options and text that a packet of `mtu` bytes has room for.
pub(super) fn segment_size(mtu: u32) -> u16 {
    u16::try_from(mtu.saturating_sub(HEADERS)).unwrap_or(u16::MAX)
}

/// Where a segment came from and went to.
struct Ends {
    mac: MacAddr,
    remote: Ipv4Addr,
    local: Ipv4Addr,
    remote_port: u16,
    local_port: u16,
}

impl Ends {
    fn key(&self) -> Key {
        Key::new(self.local, self.local_port, self.remote, self.remote_port)
    }
}

pub(super) fn segment<S: Service>(
    inner: &mut Inner,
    up: &mut Upcalls<'_, S>,
    eth: &EthernetView<'_>,
    ip: &Ipv4View<'_>,
    csum: Csum,
) {
    inner.counters.tcp_segments_in += 1;
    let Ok(view) = TcpView::parse(ip.payload()) else {
        inner.counters.malformed_tcp += 1;
        return;
    };
    if csum == Csum::Unknown && view.verify_checksum(ip.src(), ip.dst()).is_err() {
        inner.counters.tcp_bad_checksum += 1; // RFC 9293 3.1, MUST-3
        return;
    }
    let Ok(options) = view.options() else {
        inner.counters.malformed_tcp += 1;
        return;
    };
    // RFC 9293 3.9.2.3, MUST-57: never to a broadcast
    if eth.dst().is_group() {
        inner.counters.not_for_us += 1;
        return;
    }
    let seg = Segment {
        seq: view.seq(),
        ack: view.ack(),
        flags: view.flags(),
        window: view.window(),
        urgent: view.urgent(),
        ecn: ip.ecn(),
        options,
        payload: view.payload(),
    };
    let ends = Ends {
        mac: eth.src(),
        remote: ip.src(),
        local: ip.dst(),
        remote_port: view.src_port(),
        local_port: view.dst_port(),
    };
    match inner.find(&ends.key()) {
        Some(Entry::Conn(index)) => connection(inner, up, index, &seg, &ends),
        Some(Entry::TimeWait(slot)) => time_wait(inner, slot, &seg, &ends),
        None => listener(inner, up, &seg, &ends),
    }
}

fn connection<S: Service>(
    inner: &mut Inner,
    up: &mut Upcalls<'_, S>,
    index: u32,
    seg: &Segment<'_>,
    ends: &Ends,
) {
    let id = inner.table.id(index);
    let memory_short = inner.memory_short();
    let Inner { table, counters, config, now, listeners, challenges, paths, .. } = inner;
    let Some(tcb) = table.at(index) else { return };
    let answered = tcb.answered.is_some_and(|at| now.since(at) < config.tcp.challenge_period / 2);
    let may_challenge = !answered && challenges.would_allow(*now);
    let listener = tcb.listener;
    if let Some(port) = listener
        && !seg.flags.rst()
        && listeners.get(&port).is_some_and(|listener| !listener.accepting)
    {
        counters.tcp_backlog_full += 1;
        return;
    }
    let before = (counters.tcp_challenge_ack, tcb.rcv.nxt, tcb.snd.una);
    let mut moved = false;
    let outcome =
        tcb.input(seg, &mut Cx { now: *now, config: &config.tcp, counters, may_challenge, memory_short });
    // What moves the connection on has shown that it comes from the peer: its frames are answered to where they came from.
    if tcb.next_hop != Some(ends.mac)
        && (tcb.next_hop.is_none() || before.1 != tcb.rcv.nxt || before.2 != tcb.snd.una)
    {
        tcb.next_hop = Some(ends.mac);
        moved = true;
    }
    if counters.tcp_challenge_ack != before.0 {
        challenges.allow(*now);
        tcb.answered = Some(*now);
    }
    if outcome.established || (outcome.acked && tcb.mtu.has_found()) {
        learn_path(tcb, paths, outcome.established, *now, &config.tcp);
    }
    if outcome.established
        && let Some(listener) = listener.and_then(|port| inner.listeners.get_mut(&port))
    {
        listener.half_open -= 1;
    }
    if moved {
        // What ARP said is confirmed, or in doubt and asked again.
        for waiting in inner.neighbors.confirm(ends.remote, ends.mac, inner.now) {
            inner.mark_dirty(waiting);
        }
    }
    inner.mark_dirty(index);
    if outcome.end == End::ResetSegment {
        reset_segment(inner, seg, ends);
    }
    up.outcome(inner, id, &outcome, seg.payload);
}

/// What a connection knows of the path to its peer, it tells the next ones.
fn learn_path(tcb: &mut Tcb, paths: &mut PathMtus, established: bool, now: Instant, config: &TcpConfig) {
    let to = IpAddr::V4(tcb.key.remote());
    if established {
        let known = paths.get(to, now).map(|(mtu, until)| (segment_size(mtu), until));
        tcb.begin_path(known, config);
    }
    if let Some(size) = tcb.mtu.take_found() {
        paths.set(to, u32::from(size) + HEADERS, now);
    }
}

/// RFC 9293 3.10.7.4 for TIME_WAIT; RFC 6191
fn time_wait(inner: &mut Inner, slot: u32, seg: &Segment<'_>, ends: &Ends) {
    let Some(entry) = inner.time_waits.get(slot) else { return };
    let listener = inner.listeners.get(&ends.local_port);
    match (entry.input(seg, inner.config.tcp.timestamps), listener) {
        (Answer::Ignore, _) => {}
        (Answer::Reopen, Some(listener)) if !listener.accepting => inner.counters.tcp_backlog_full += 1,
        // Not bounded by the backlog, but by TIME_WAIT: a cookie would not know the old sequence numbers.
        (Answer::Reopen, Some(listener)) => {
            let token = listener.at.token;
            let old = inner.leave_time_wait(&entry.key);
            open(inner, seg, ends, token, old);
        }
        (answer @ (Answer::Ack | Answer::AckAndRestart | Answer::Reopen), _) => {
            if answer == Answer::AckAndRestart {
                inner.time_waits.restart(slot, inner.now + inner.config.tcp.time_wait);
            }
            if inner.replies.allow(inner.now) {
                inner.send_time_wait_ack(&entry);
            }
        }
    }
}

/// RFC 9293 3.10.7.1 and 3.10.7.2
fn listener<S: Service>(inner: &mut Inner, up: &mut Upcalls<'_, S>, seg: &Segment<'_>, ends: &Ends) {
    let Some(listener) = inner.listeners.get(&ends.local_port) else {
        if seg.flags.syn() {
            inner.counters.tcp_no_listener += 1;
        } else {
            inner.counters.tcp_no_connection += 1;
        }
        return reset_segment(inner, seg, ends);
    };
    if seg.flags.rst() {
        return;
    }
    if seg.flags.ack() || !seg.flags.syn() {
        if !cookie_returns(inner, up, seg, ends) {
            inner.counters.tcp_no_connection += 1;
            if seg.flags.ack() {
                reset_segment(inner, seg, ends);
            }
        }
        return;
    }
    if !listener.accepting {
        inner.counters.tcp_backlog_full += 1;
        return;
    }
    let token = listener.at.token;
    if listener.half_open < listener.at.backlog {
        open(inner, seg, ends, token, None);
    } else if inner.config.tcp.syn_cookies {
        send_cookie(inner, seg, ends);
    } else {
        inner.counters.tcp_backlog_full += 1;
    }
}

fn opening<'a>(inner: &'a Inner, ends: &Ends, token: u64, iss: SeqNumber) -> Open<'a> {
    let key = ends.key();
    let options = inner.listeners.get(&ends.local_port).map_or(&[][..], |listener| &listener.options);
    Open { key, token, iss, ts_offset: inner.secret.ts_offset(&key), mss: inner.mss(), options }
}

/// A SYN for a listener: a connection begins. `old`: our last sequence number in TIME_WAIT with the same ports.
fn open(inner: &mut Inner, seg: &Segment<'_>, ends: &Ends, token: u64, old: Option<SeqNumber>) {
    let open = opening(inner, ends, token, inner.new_iss(&ends.key(), old));
    let (now, config) = (inner.now, &inner.config.tcp);
    let mut tcb = Tcb::passive(open, ends.local_port, seg, now, config);
    tcb.next_hop = Some(ends.mac);
    let Some(id) = inner.table.insert(tcb) else {
        inner.counters.tcp_table_full += 1;
        return;
    };
    if let Some(listener) = inner.listeners.get_mut(&ends.local_port) {
        listener.half_open += 1;
    }
    inner.mark_dirty(id.index() as u32);
    inner.rearm(id.index() as u32);
}

/// A SYN for a listener whose backlog is full: the SYN,ACK remembers it.
fn send_cookie(inner: &mut Inner, seg: &Segment<'_>, ends: &Ends) {
    let buffer = inner.listeners.get(&ends.local_port).and_then(Listener::recv_buffer);
    let iss = inner.secret.cookie(&ends.key(), seg.seq, seg.options.mss, buffer, inner.now);
    let open = opening(inner, ends, 0, iss);
    let Some(header) = cookie::syn_ack(open, seg, inner.now, &inner.config.tcp) else { return };
    if let Some(listener) = inner.listeners.get_mut(&ends.local_port) {
        listener.cookie_sent = Some(inner.now);
    }
    inner.counters.tcp_syncookies_sent += 1;
    inner.send_bare(ends.mac, ends.remote, &header);
}

/// An ACK for a listener may bring a cookie back: the connection is there at once. `false`: it does not.
fn cookie_returns<S: Service>(
    inner: &mut Inner,
    up: &mut Upcalls<'_, S>,
    seg: &Segment<'_>,
    ends: &Ends,
) -> bool {
    let Some(listener) = inner.listeners.get(&ends.local_port) else { return false };
    let recent = listener.cookie_sent.is_some_and(|at| inner.now.since(at) <= cookie::LIFETIME);
    if !recent || !seg.flags.ack() || seg.flags.syn() {
        return false;
    }
    let (iss, token, accepting) = (seg.ack - 1, listener.at.token, listener.accepting);
    let buffer = listener.recv_buffer();
    let open = opening(inner, ends, token, iss);
    let (now, config) = (inner.now, &inner.config.tcp);
    let mss = inner.secret.open_cookie(&open.key, seg.seq - 1, iss, buffer, now);
    let tcb = mss.and_then(|mss| Tcb::from_cookie(open, mss, seg, now, config));
    let Some(mut tcb) = tcb else {
        inner.counters.tcp_syncookies_failed += 1;
        return false;
    };
    inner.counters.tcp_syncookies_recv += 1;
    if !accepting {
        inner.counters.tcp_backlog_full += 1;
        return true;
    }
    tcb.next_hop = Some(ends.mac);
    let Some(id) = inner.table.insert(tcb) else {
        // Silence: the peer's data, sent again, may find room.
        inner.counters.tcp_table_full += 1;
        return true;
    };
    connection(inner, up, id.index() as u32, seg, ends);
    inner.rearm(id.index() as u32);
    true
}

/// The reset that answers a segment of no connection (RFC 9293 3.10.7.1).
fn reset_segment(inner: &mut Inner, seg: &Segment<'_>, ends: &Ends) {
    if seg.flags.rst() {
        return;
    }
    if !inner.replies.allow(inner.now) {
        inner.counters.tcp_resets_limited += 1;
        return;
    }
    let (seq, ack, flags) = if seg.flags.ack() {
        (seg.ack, SeqNumber(0), TcpFlags::RST)
    } else {
        (SeqNumber(0), seg.seq + seg.seq_len(), TcpFlags::RST | TcpFlags::ACK)
    };
    // RFC 7323 5.2: the segment's own timestamp comes back, with none of ours.
    let options =
        seg.options.timestamps.map_or(TcpOptions::NONE, |(value, _)| TcpOptions::timestamps(0, value));
    let header = TcpHeader {
        src_port: ends.local_port,
        dst_port: ends.remote_port,
        seq,
        ack,
        flags,
        options,
        ..TcpHeader::default()
    };
    inner.counters.tcp_resets_sent += 1;
    inner.send_bare(ends.mac, ends.remote, &header);
}

impl Inner {
    /// A reset for a connection of ours (RFC 9293 3.10.5).
    pub(super) fn send_reset_of(&mut self, id: ConnId) {
        let Some(tcb) = self.table.get(id) else { return };
        // Before anything was sent, the peer knows of nothing; after both FINs, it needs to know nothing.
        let nothing = matches!(tcb.state, State::SynSent | State::Drained) || tcb.snd.max == tcb.snd.iss;
        let Some(mac) = tcb.next_hop.filter(|_| !nothing) else { return };
        let header = TcpHeader {
            src_port: tcb.key.local_port(),
            dst_port: tcb.key.remote_port(),
            seq: tcb.ack_seq(),
            ack: tcb.rcv.nxt,
            flags: TcpFlags::RST | TcpFlags::ACK,
            options: tcb.timestamps(self.now), // RFC 7323 5.2
            ..TcpHeader::default()
        };
        let remote = tcb.key.remote();
        self.counters.tcp_resets_sent += 1;
        self.send_bare(mac, remote, &header);
    }

    /// The acknowledgement of the peer's FIN, from TIME_WAIT.
    pub(super) fn send_time_wait_ack(&mut self, entry: &TimeWait) {
        let Some(mac) = entry.next_hop else { return };
        let clock = (self.now.as_millis() as u32).wrapping_add(entry.ts_offset);
        let header = TcpHeader {
            src_port: entry.key.local_port(),
            dst_port: entry.key.remote_port(),
            seq: entry.snd_nxt,
            ack: entry.rcv_nxt,
            flags: TcpFlags::ACK,
            window: entry.window,
            urgent: 0,
            options: entry.ts_recent.map_or(TcpOptions::NONE, |recent| TcpOptions::timestamps(clock, recent)),
        };
        self.send_bare(mac, entry.key.remote(), &header);
    }

    /// A segment without text that belongs to no open connection.
    fn send_bare(&mut self, mac: MacAddr, remote: Ipv4Addr, header: &TcpHeader) {
        let len = header.len();
        let ip = Ipv4Header {
            ttl: self.config.ttl,
            ..Ipv4Header::new(self.config.address, remote, IpProtocol::TCP, len as u16)
        };
        let src = self.config.mac;
        let queued = self.outbox.push(ethernet::HEADER_LEN + ipv4::HEADER_LEN + len, |buf| {
            write_headers(buf, src, mac, &ip);
            let segment = &mut buf[ethernet::HEADER_LEN + ipv4::HEADER_LEN..];
            let _ = header.write(segment);
            let _ = tcp::fill_checksum(segment, ip.src, ip.dst);
        });
        self.counters.tcp_segments_out += u64::from(queued);
        self.counters.tx_dropped += u64::from(!queued);
    }
}
