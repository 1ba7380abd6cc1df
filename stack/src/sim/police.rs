//! Rules of RFC 9293 that can be checked from outside: what a host sends, given what it has sent and received before.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use ferroflow_wire::SeqNumber;
use ferroflow_wire::ethernet::{EtherType, EthernetView};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4View};
use ferroflow_wire::tcp::{TcpOptions, TcpView};

/// The sender's view of a connection: its own address and port, the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    own: (Ipv4Addr, u16),
    peer: (Ipv4Addr, u16),
}

/// What a SYN said.
#[derive(Debug, Clone, Copy)]
struct Syn {
    seq: SeqNumber,
    wscale: Option<u8>,
    mss: u32,
}

/// The peer, as far as it was heard.
#[derive(Debug, Clone, Copy)]
struct Heard {
    syn: Syn,
    /// Behind the last byte, SYN or FIN that arrived.
    end: SeqNumber,
    /// The furthest right edge of its window.
    edge: Option<SeqNumber>,
}

/// One host's side of one connection, from its SYN on.
#[derive(Debug)]
struct Side {
    syn: Syn,
    heard: Option<Heard>,
    /// What arrived before our SYN,ACK could leave (simultaneous open, while the card was full): where it ended, what it
    /// acknowledged, and its window as it was written.
    early: Vec<(SeqNumber, Option<(SeqNumber, u32)>)>,
    fin: Option<SeqNumber>,
    acked: Option<SeqNumber>,
    /// Right edge of the window it announced.
    announced: Option<SeqNumber>,
}

impl Side {
    /// The shift of the windows in `of`'s segments: 0 unless both sides offer scaling (RFC 7323 2.2).
    fn shift(&self, of: Syn) -> u8 {
        match (self.syn.wscale, self.heard.and_then(|heard| heard.syn.wscale)) {
            (Some(_), Some(_)) => of.wscale.unwrap_or(0).min(14),
            _ => 0,
        }
    }

    /// Our SYN,ACK leaves for the peer's SYN.
    fn answers(&mut self, heard: Heard) {
        self.heard = Some(heard);
        for (end, ack) in std::mem::take(&mut self.early) {
            self.hears(end, ack);
        }
    }

    /// The peer's segment ended at `end`; it acknowledged a number and said a window.
    fn hears(&mut self, end: SeqNumber, ack: Option<(SeqNumber, u32)>) {
        let Some(mut heard) = self.heard else {
            self.early.push((end, ack));
            return;
        };
        if (1..FAR).contains(&end.diff(heard.end)) {
            heard.end = end;
        }
        if let Some((ack, window)) = ack {
            let edge = ack + (window << self.shift(heard.syn));
            heard.edge = Some(heard.edge.map_or(edge, |old| old.max(edge)));
        }
        self.heard = Some(heard);
    }
}

/// Watches every host.
#[derive(Debug, Default)]
pub struct Police {
    sides: HashMap<Key, Side>,
    /// SYNs that arrived and were not answered yet; an old one may still be about when a new one comes.
    syns: HashMap<Key, Vec<Syn>>,
    broken: Vec<String>,
}

/// Nobody's window is so wide: what is further ahead is no part of the stream.
const FAR: i32 = 1 << 26;
/// Most SYNs remembered per connection.
const MAX_SYNS: usize = 8;
/// RFC 9293 3.7.1, MUST-15
const DEFAULT_MSS: u32 = 536;

impl Police {
    /// Rules that were broken, in words.
    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// A host sends a frame.
    pub fn sends(&mut self, frame: &[u8]) {
        let Some((key, tcp)) = segment(frame, false) else { return };
        if let Err(what) = self.judge(key, &tcp)
            && self.broken.len() < 20
        {
            self.broken.push(format!("{what}: {}", super::trace::line(frame)));
        }
    }

    /// A host receives a frame, which may be damaged. If it is forged, all it can do is begin a connection.
    pub fn receives(&mut self, frame: &[u8], forged: bool) {
        if super::trace::check(frame).is_err() {
            return;
        }
        let Some((key, tcp)) = segment(frame, true) else { return };
        let end = tcp.seq() + tcp.seq_len();
        if tcp.flags().rst() {
            return;
        }
        if tcp.flags().syn() {
            let syn = syn(&tcp);
            match self.sides.get_mut(&key) {
                Some(side) if !forged && tcp.flags().ack() && tcp.ack() == side.syn.seq + 1 => {
                    // The window of a SYN is not scaled (RFC 7323 2.2).
                    let edge = tcp.ack() + u32::from(tcp.window());
                    match &mut side.heard {
                        Some(heard) => heard.edge = Some(heard.edge.map_or(edge, |old| old.max(edge))),
                        None => side.heard = Some(Heard { syn, end, edge: Some(edge) }),
                    }
                }
                // A SYN,ACK that does not answer ours begins nothing.
                _ if tcp.flags().ack() => {}
                _ => {
                    let syns = self.syns.entry(key).or_default();
                    if syns.len() == MAX_SYNS {
                        syns.remove(0);
                    }
                    syns.push(syn);
                }
            }
            return;
        }
        let Some(side) = self.sides.get_mut(&key).filter(|_| !forged) else { return };
        side.hears(end, tcp.flags().ack().then(|| (tcp.ack(), u32::from(tcp.window()))));
    }

    fn judge(&mut self, key: Key, tcp: &TcpView<'_>) -> Result<(), &'static str> {
        if tcp.flags().rst() {
            return Ok(());
        }
        if tcp.flags().syn() {
            return self.judge_syn(key, tcp);
        }
        let Some(side) = self.sides.get_mut(&key) else { return Err("a segment before any SYN") };
        // Simultaneous open, the peer's SYN and its ACK of ours in one burst: no SYN,ACK was ever sent.
        if side.heard.is_none()
            && let Some(&syn) = self.syns.get(&key).and_then(|syns| syns.last())
        {
            side.answers(Heard { syn, end: syn.seq + 1, edge: None });
        }
        let Some(heard) = side.heard else { return Err("a segment before the peer's SYN was received") };
        if !tcp.flags().ack() {
            return Err("no ACK after the handshake");
        }
        if tcp.ack().gt(heard.end) {
            return Err("acknowledges what has not arrived");
        }
        if side.acked.is_some_and(|acked| tcp.ack().lt(acked)) {
            return Err("the acknowledgement goes back");
        }
        side.acked = Some(tcp.ack());
        judge_window(side, tcp)?;
        judge_text(side, &heard, tcp)
    }

    fn judge_syn(&mut self, key: Key, tcp: &TcpView<'_>) -> Result<(), &'static str> {
        let new = syn(tcp);
        if !tcp.payload().is_empty() {
            return Err("a SYN with text");
        }
        let answers = tcp.flags().ack().then(|| tcp.ack() - 1);
        // With no time between them, two connections may begin with one number.
        let again = self.sides.get(&key).is_some_and(|side| {
            let other = |heard: Heard| answers.is_some_and(|seq| seq != heard.syn.seq);
            side.syn.seq == new.seq && !side.heard.is_some_and(other)
        });
        if !again {
            let side =
                Side { syn: new, heard: None, early: Vec::new(), fin: None, acked: None, announced: None };
            self.sides.insert(key, side);
        }
        let Some(side) = self.sides.get_mut(&key) else { return Ok(()) };
        let Some(answers) = answers else { return Ok(()) };
        // What a SYN,ACK does not repeat of the SYN before it (simultaneous open) is not used.
        side.syn = new;
        if side.heard.is_none() {
            let syns = self.syns.get(&key).map_or(&[][..], Vec::as_slice);
            let Some(&answered) = syns.iter().rev().find(|syn| syn.seq == answers) else {
                return Err("a SYN,ACK for a SYN that never arrived");
            };
            side.answers(Heard { syn: answered, end: answered.seq + 1, edge: None });
        }
        if side.acked.is_none() {
            side.acked = Some(tcp.ack());
            side.announced = Some(tcp.ack() + u32::from(tcp.window()));
        }
        Ok(())
    }
}

/// RFC 9293 3.8.6, SHLD-14: a window does not shrink; with scaling, by less than a unit (RFC 7323 2.4).
fn judge_window(side: &mut Side, tcp: &TcpView<'_>) -> Result<(), &'static str> {
    let shift = side.shift(side.syn);
    let edge = tcp.ack() + (u32::from(tcp.window()) << shift);
    if let Some(announced) = side.announced {
        if announced.diff(edge) >= 1 << shift {
            return Err("the window shrinks");
        }
        side.announced = Some(announced.max(edge));
    } else {
        side.announced = Some(edge);
    }
    Ok(())
}

fn judge_text(side: &mut Side, heard: &Heard, tcp: &TcpView<'_>) -> Result<(), &'static str> {
    let len = tcp.payload().len() as u32;
    let end = tcp.seq() + len;
    // RFC 9293 3.7.1: the MSS does not count options, so the sender does.
    if len + tcp.option_bytes().len() as u32 > heard.syn.mss {
        return Err("a segment longer than the peer's MSS");
    }
    if len > 0 {
        let Some(edge) = heard.edge else { return Err("text before the peer's window was known") };
        // RFC 9293 3.8.6.1: a probe is a byte beyond a closed window.
        let probe = len == 1 && tcp.seq().le(edge);
        if end.gt(edge) && !probe {
            return Err("text beyond the peer's window");
        }
    }
    if let Some(fin) = side.fin
        && end.gt(fin)
        && len > 0
    {
        return Err("text behind the FIN");
    }
    if tcp.flags().fin() {
        if side.fin.is_some_and(|fin| fin != end) {
            return Err("the FIN has moved");
        }
        side.fin = Some(end);
    }
    Ok(())
}

fn syn(tcp: &TcpView<'_>) -> Syn {
    let options = tcp.options().unwrap_or(TcpOptions::NONE);
    Syn { seq: tcp.seq(), wscale: options.window_scale, mss: options.mss.map_or(DEFAULT_MSS, u32::from) }
}

fn segment(frame: &[u8], received: bool) -> Option<(Key, TcpView<'_>)> {
    let eth = EthernetView::parse(frame).ok().filter(|eth| eth.ethertype() == EtherType::IPV4)?;
    let ip = Ipv4View::parse(eth.payload()).ok().filter(|ip| ip.protocol() == IpProtocol::TCP)?;
    let tcp = TcpView::parse(ip.payload()).ok()?;
    let (src, dst) = ((ip.src(), tcp.src_port()), (ip.dst(), tcp.dst_port()));
    let key = if received { Key { own: dst, peer: src } } else { Key { own: src, peer: dst } };
    Some((key, tcp))
}
