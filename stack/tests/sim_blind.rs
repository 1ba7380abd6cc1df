//! Blind attacks in the simulator (RFC 5961): a stranger who knows addresses and ports, but no sequence numbers, sends
//! resets, SYNs, data and garbage to connections with windows of 64 KiB. For every segment an oracle, written from the RFC and
//! not from the stack, says what must come of it. `FERROFLOW_BLIND_SEGMENTS` says how many there are.

use std::time::Duration;

use ferroflow_stack::sim::{LinkConfig, NodeId, Peer, Segment, SimNet};
use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Instant, Listen, Net, Rx, Service,
};
use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::{TcpFlags, TcpHeader};

const PORT: u16 = 80;
const WINDOW: u32 = 65_535;
const CONNECTIONS: usize = 24;
/// The peer's initial sequence number: the window wraps.
const IRS: SeqNumber = SeqNumber(0xffff_a000);
/// RFC 5961 7: at most this many challenge ACKs a second.
const CHALLENGES: u32 = 40;
/// At most one a connection in this time.
const INTERVAL: Duration = Duration::from_millis(500);

/// Remembers what its connections were told.
#[derive(Default)]
struct Target {
    accepted: Option<ConnId>,
    data: Vec<u8>,
    closed: Vec<(ConnId, CloseReason)>,
    refused: Vec<ConnId>,
}

impl Service for Target {
    type Conn = ();

    fn start(&mut self, net: &mut impl Net) {
        net.listen(Listen::on(PORT)).expect("to listen");
    }

    fn accepted(&mut self, _: &mut impl Net, id: ConnId, _: &ConnInfo) -> Option<()> {
        self.accepted = Some(id);
        Some(())
    }

    fn connected(
        &mut self,
        _: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<()> {
        match result {
            Err(ConnectError::Refused) => self.refused.push(id),
            Err(ConnectError::Aborted) => {}
            other => assert!(other.is_ok(), "{other:?}"),
        }
        result.is_ok().then_some(())
    }

    fn data(&mut self, _: &mut impl Net, _: ConnId, (): &mut (), rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            self.data.extend_from_slice(rx.chunk());
            rx.advance(rx.chunk().len());
        }
    }

    fn eof(&mut self, _: &mut impl Net, _: ConnId, (): &mut ()) {}

    fn closed(&mut self, _: &mut impl Net, id: ConnId, (): (), why: CloseReason) {
        self.closed.push((id, why));
    }
}

/// What state a victim is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// ESTABLISHED, nothing in flight.
    Idle,
    /// ESTABLISHED, with bytes of the host in flight.
    Busy,
    /// The peer has sent its FIN.
    CloseWait,
    /// The host's FIN is sent and acknowledged.
    FinWait2,
    /// The host's SYN is not answered yet.
    SynSent,
}

/// A connection as both of its ends know it.
#[derive(Debug, Clone, Copy)]
struct Victim {
    kind: Kind,
    id: ConnId,
    /// The host's port, and the peer's.
    local: u16,
    port: u16,
    /// RCV.NXT of the host, and the right edge of the window it has announced.
    rcv_nxt: SeqNumber,
    edge: SeqNumber,
    /// SND.UNA and SND.NXT of the host.
    snd_una: SeqNumber,
    snd_nxt: SeqNumber,
    /// When an answer that is limited was last sent.
    answered: Option<Instant>,
    began: Instant,
}

/// What must come of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// Nothing: no answer, no change.
    Drop,
    /// RFC 9293 3.10.7.4 first step: an ACK, no change.
    Ack,
    /// The same, but without text: now and then is enough.
    AckNowAndThen,
    /// A challenge ACK within the limits, no change.
    Challenge,
    /// The connection ends.
    Reset,
    /// A reset, and no change (RFC 9293 3.10.7.3).
    ResetSegment,
    /// It belongs to the connection as far as can be told.
    Accept,
}

impl Victim {
    fn in_window(&self, seq: SeqNumber) -> bool {
        seq.ge(self.rcv_nxt) && seq.lt(self.edge)
    }

    /// RFC 9293 3.10.7.3, RFC 5961 3.2: a reset must acknowledge the SYN.
    fn oracle_syn_sent(&self, seg: &TcpHeader) -> Want {
        let flags = seg.flags;
        let acknowledges = flags.ack() && seg.ack == self.snd_nxt;
        match (acknowledges, flags.rst(), flags.syn()) {
            (false, false, _) if flags.ack() => Want::ResetSegment,
            (true, true, _) => Want::Reset,
            (_, false, true) => Want::Accept,
            _ => Want::Drop,
        }
    }

    /// RFC 5961 3.2, 4.2 and 5.2, where they apply; RFC 9293 3.10.7.4 for the rest.
    fn oracle(&self, seg: &TcpHeader, text: usize) -> Want {
        if self.kind == Kind::SynSent {
            return self.oracle_syn_sent(seg);
        }
        let flags = seg.flags;
        if flags.rst() {
            return match seg.seq {
                seq if seq == self.rcv_nxt => Want::Reset,
                seq if self.in_window(seq) => Want::Challenge,
                _ => Want::Drop,
            };
        }
        if flags.syn() {
            return Want::Challenge;
        }
        let len = text as u32 + u32::from(flags.fin());
        let last = seg.seq + len.saturating_sub(1);
        // Beyond RFC 9293, the host believes the acknowledgement of a plain duplicate that is no older than a window. That is no
        // easier to guess than a segment in the window.
        let duplicate = (seg.seq + len).le(self.rcv_nxt) && seg.seq.ge(self.rcv_nxt - WINDOW);
        let news = seg.ack.gt(self.snd_una) && seg.ack.le(self.snd_nxt);
        if duplicate && flags.ack() && news {
            return Want::Accept;
        }
        if !(self.in_window(seg.seq) || len > 0 && self.in_window(last)) {
            return if len == 0 { Want::AckNowAndThen } else { Want::Ack };
        }
        if !flags.ack() {
            return Want::Drop;
        }
        // (SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT
        if seg.ack.lt(self.snd_una - WINDOW) || seg.ack.gt(self.snd_nxt) {
            return Want::Challenge;
        }
        Want::Accept
    }
}

/// How a sequence number is chosen.
#[derive(Debug, Clone, Copy)]
enum Guess {
    Random,
    /// The next of a sweep in steps of the window, as an attacker would do it.
    Sweep,
    /// Around what is really expected: not blind, but where the rules meet.
    Near,
    /// The very edges.
    Edge,
}

struct Attack {
    net: SimNet<Target>,
    host: NodeId,
    peer: NodeId,
    rng: fastrand::Rng,
    victims: Vec<Victim>,
    next_port: u16,
    sweep: SeqNumber,
    sweep_ack: SeqNumber,
    /// Challenge ACKs of this second.
    second: u64,
    challenges: u32,
    most_challenges: u32,
    count: [u64; 7],
}

impl Attack {
    fn new(seed: u64) -> Attack {
        let mut net = SimNet::new(seed);
        let link = LinkConfig { delay: Duration::ZERO, ..LinkConfig::default() };
        let mut config = net.next_config();
        config.tcp.challenge_acks = CHALLENGES;
        config.tcp.delayed_ack = Duration::from_millis(100);
        let host = net.add_host_with(config, Default::default(), link, Target::default());
        let peer = net.add_peer(link);
        net.run_for(Duration::from_millis(1)).expect("the net goes on");
        let rng = fastrand::Rng::with_seed(seed);
        let mut attack = Attack {
            net,
            host,
            peer,
            rng,
            victims: Vec::new(),
            next_port: 1024,
            sweep: SeqNumber(0),
            sweep_ack: SeqNumber(0),
            second: 0,
            challenges: 0,
            most_challenges: 0,
            count: [0; 7],
        };
        for n in 0..CONNECTIONS {
            let kind = [Kind::Idle, Kind::Busy, Kind::CloseWait, Kind::FinWait2, Kind::SynSent][n % 5];
            let victim = attack.open(kind);
            attack.victims.push(victim);
        }
        attack
    }

    fn settle(&mut self) {
        self.net.run_for(Duration::ZERO).expect("the net goes on");
    }

    /// What the peer has received of one connection.
    fn received(&mut self, port: u16) -> Vec<Segment> {
        let mut all = self.net.peer(self.peer).receive_all_tcp();
        all.retain(|segment| segment.header.dst_port == port);
        all
    }

    fn send(&mut self, port: u16, flags: TcpFlags, seq: SeqNumber, ack: SeqNumber) {
        let to = self.net.address(self.host);
        let header = Peer::segment(port, PORT, flags, seq, ack);
        self.net.peer(self.peer).send_tcp(to, &header, &[]);
        self.settle();
    }

    fn open(&mut self, kind: Kind) -> Victim {
        self.next_port = if self.next_port == u16::MAX { 1024 } else { self.next_port + 1 };
        let port = self.next_port;
        if kind == Kind::SynSent {
            return self.connect(port);
        }
        self.send(port, TcpFlags::SYN, IRS, SeqNumber(0));
        let syn_ack = self.received(port).pop().expect("a SYN,ACK").header;
        let mut rcv_nxt = IRS + 1;
        let mut snd_nxt = syn_ack.seq + 1;
        let mut snd_una = snd_nxt;
        self.send(port, TcpFlags::ACK, rcv_nxt, snd_nxt);
        let id = self.net.host_mut(self.host).service_mut().accepted.take().expect("a connection");
        match kind {
            Kind::Idle | Kind::SynSent => {}
            Kind::Busy => {
                let sent = self.net.host_mut(self.host).with(|_, net| net.send(id, &[7; 5000]));
                assert_eq!(sent, Ok(5000));
                self.settle();
                let got: usize = self.received(port).iter().map(|segment| segment.payload.len()).sum();
                assert_eq!(got, 5000);
                snd_una += 1000;
                snd_nxt += 5000;
                self.send(port, TcpFlags::ACK, rcv_nxt, snd_una);
            }
            Kind::CloseWait => {
                self.send(port, TcpFlags::FIN | TcpFlags::ACK, rcv_nxt, snd_nxt);
                rcv_nxt += 1;
            }
            Kind::FinWait2 => {
                self.net.host_mut(self.host).with(|_, net| net.shutdown(id));
                self.settle();
                snd_nxt += 1;
                snd_una = snd_nxt;
                self.send(port, TcpFlags::ACK, rcv_nxt, snd_nxt);
            }
        }
        let mut edge = IRS + 1 + u32::from(syn_ack.window);
        for segment in self.received(port) {
            edge = edge.max(segment.header.ack + u32::from(segment.header.window));
        }
        let began = self.net.now();
        Victim { kind, id, local: PORT, port, rcv_nxt, edge, snd_una, snd_nxt, answered: None, began }
    }

    /// The host opens a connection to the peer, who is silent.
    fn connect(&mut self, port: u16) -> Victim {
        let to = self.net.socket(self.peer, port);
        let id = self.net.host_mut(self.host).with(|_, net| net.connect(to, ConnectOptions::default()));
        self.settle();
        let syn = self.received(port).pop().expect("a SYN").header;
        Victim {
            kind: Kind::SynSent,
            id: id.expect("a connection"),
            local: syn.src_port,
            port,
            rcv_nxt: IRS,
            edge: IRS + WINDOW,
            snd_una: syn.seq,
            snd_nxt: syn.seq + 1,
            answered: None,
            began: self.net.now(),
        }
    }

    /// Another connection in the place of one that is over or was changed.
    fn renew(&mut self, at: usize) {
        let Victim { kind, id, .. } = self.victims[at];
        self.net.host_mut(self.host).with(|_, net| net.abort(id));
        self.settle();
        let _ = self.received(0);
        let host = self.net.host_mut(self.host).service_mut();
        host.closed.clear();
        host.refused.clear();
        host.data.clear();
        self.victims[at] = self.open(kind);
    }

    fn guess(&mut self, how: Guess, from: SeqNumber, to: SeqNumber, ack: bool) -> SeqNumber {
        let size = to - from;
        match how {
            Guess::Random => SeqNumber(self.rng.u32(..)),
            Guess::Sweep => {
                let sweep = if ack { &mut self.sweep_ack } else { &mut self.sweep };
                *sweep += WINDOW;
                *sweep
            }
            Guess::Near => from - WINDOW + self.rng.u32(..3 * WINDOW + size),
            Guess::Edge => [from, to][self.rng.usize(..2)] - 2 + self.rng.u32(..5),
        }
    }

    fn how(&mut self) -> Guess {
        match self.rng.u32(..100) {
            0..40 => Guess::Random,
            40..80 => Guess::Sweep,
            80..95 => Guess::Near,
            _ => Guess::Edge,
        }
    }

    fn segment(&mut self, victim: &Victim) -> (TcpHeader, usize) {
        let flags = match self.rng.u32(..12) {
            0 | 1 => TcpFlags::RST,
            2 => TcpFlags::RST | TcpFlags::ACK,
            3 | 4 => TcpFlags::SYN,
            5 => TcpFlags::SYN | TcpFlags::ACK,
            6..9 => TcpFlags::ACK | TcpFlags::PSH,
            9 => TcpFlags::ACK,
            10 => TcpFlags::ACK | TcpFlags::FIN,
            // any, but for ECE and CWR, which are not RFC 5961's
            _ => TcpFlags(self.rng.u8(..0x40)),
        };
        let text = match self.rng.u32(..4) {
            0 => 0,
            1 => 1,
            2 => 1460,
            _ => self.rng.usize(..1460),
        };
        let text = if flags.contains(TcpFlags::PSH) || self.rng.u32(..8) == 0 { text } else { 0 };
        let (how, how_ack) = (self.how(), self.how());
        let seq = self.guess(how, victim.rcv_nxt, victim.edge, false);
        let ack = self.guess(how_ack, victim.snd_una - WINDOW, victim.snd_nxt, true);
        let ack = if flags.ack() { ack } else { SeqNumber(0) };
        let mut header = Peer::segment(victim.port, victim.local, flags, seq, ack);
        header.urgent = if flags.contains(TcpFlags::URG) { self.rng.u16(..) } else { 0 };
        (header, text)
    }

    /// One segment to one victim, and what came of it.
    fn strike(&mut self, at: usize) {
        let victim = self.victims[at];
        let (header, len) = self.segment(&victim);
        let text = [0x5a; 1460];
        let to = self.net.address(self.host);
        let frame = self.net.peer(self.peer).tcp_frame(to, &header, &text[..len]);
        let before = *self.net.host(self.host).counters();
        self.net.inject(frame);
        self.settle();
        let now = self.net.now();
        let want = victim.oracle(&header, len);
        self.count[want as usize] += 1;
        // Bytes in flight and SYNs are sent again now and then; that is no answer.
        let mut answers = self.received(victim.port);
        answers.retain(|segment| segment.payload.is_empty() && segment.header.flags != TcpFlags::SYN);
        let counters = *self.net.host(self.host).counters();
        let challenged = counters.tcp_challenge_ack - before.tcp_challenge_ack;
        let skipped = counters.tcp_challenge_skipped - before.tcp_challenge_skipped;
        let target = self.net.host(self.host).service();
        let (data, mut closed) = (target.data.len(), target.closed.clone());
        closed.extend(target.refused.iter().map(|&id| (id, CloseReason::Reset)));
        let say = || {
            format!(
                "{want:?} for {:?} seq {} (window {} to {}) ack {} (una {}, nxt {}) len {len} to {victim:?}: \
                 answers {answers:?}, {challenged} challenges, {skipped} skipped, {data} bytes, {closed:?}",
                header.flags,
                header.seq.0,
                victim.rcv_nxt.0,
                victim.edge.0,
                header.ack.0,
                victim.snd_una.0,
                victim.snd_nxt.0,
            )
        };
        self.count_challenges(challenged as u32);
        for answer in &answers {
            let got = &answer.header;
            // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
            let expected = want == Want::Accept
                || want == Want::ResetSegment && (got.flags, got.seq) == (TcpFlags::RST, header.ack)
                || (got.flags, got.seq, got.ack) == (TcpFlags::ACK, victim.snd_nxt, victim.rcv_nxt);
            assert!(expected, "{}", say());
        }
        let may_answer = victim.answered.is_none_or(|at| now.since(at) >= INTERVAL);
        let answered = answers.len() as u64;
        match want {
            Want::Accept => {
                assert!(answers.iter().all(|answer| !answer.header.flags.rst()), "{}", say());
                assert_eq!(
                    closed.iter().filter(|(_, why)| *why == CloseReason::Reset).count(),
                    0,
                    "{}",
                    say()
                );
                self.check_text(&victim, &header, len);
                return self.renew(at);
            }
            Want::Reset => {
                assert_eq!(
                    (closed.as_slice(), answered),
                    (&[(victim.id, CloseReason::Reset)][..], 0),
                    "{}",
                    say()
                );
                return self.renew(at);
            }
            Want::Drop => assert_eq!(answered, 0, "{}", say()),
            Want::ResetSegment => {
                let limited = counters.tcp_resets_limited - before.tcp_resets_limited;
                assert_eq!((answered + limited, challenged + skipped), (1, 0), "{}", say());
            }
            Want::Ack => assert_eq!((answered, challenged + skipped), (1, 0), "{}", say()),
            Want::AckNowAndThen => {
                assert_eq!((answered, challenged + skipped), (u64::from(may_answer), 0), "{}", say());
            }
            Want::Challenge => {
                assert_eq!((answered, challenged + skipped), (challenged, 1), "{}", say());
                // Within both limits there must be one, beyond the connection's own there may be none.
                if !may_answer {
                    assert_eq!(challenged, 0, "{}", say());
                } else if self.challenges < CHALLENGES / 2 {
                    assert_eq!(challenged, 1, "{}", say());
                }
            }
        }
        assert_eq!((data, closed.len()), (0, 0), "{}", say());
        if matches!(want, Want::AckNowAndThen | Want::Challenge) && answered > 0 {
            self.victims[at].answered = Some(now);
        }
    }

    fn count_challenges(&mut self, more: u32) {
        let second = self.net.now().as_millis() / 1000;
        if second != self.second {
            (self.second, self.challenges) = (second, 0);
        }
        self.challenges += more;
        self.most_challenges = self.most_challenges.max(self.challenges);
        assert!(self.challenges <= CHALLENGES, "{} challenge ACKs in a second", self.challenges);
    }

    /// What lies in the window and is next, and nothing else, may have been read.
    fn check_text(&self, victim: &Victim, header: &TcpHeader, len: usize) {
        let takes_text = matches!(victim.kind, Kind::Idle | Kind::Busy | Kind::FinWait2);
        let from = victim.rcv_nxt.diff(header.seq).max(0) as usize;
        let beyond = (header.seq + len as u32).diff(victim.edge).max(0) as usize;
        let next = header.seq.le(victim.rcv_nxt);
        let want = if takes_text && next { len.saturating_sub(from + beyond) } else { 0 };
        assert_eq!(self.net.host(self.host).service().data.len(), want, "{header:?} {len} to {victim:?}");
    }

    /// `segments` segments, one each `pace`.
    fn run(&mut self, segments: u64, pace: Duration) {
        for n in 0..segments {
            let at = n as usize % CONNECTIONS;
            // One whose bytes or SYN are never acknowledged does not live for ever.
            let age = self.net.now().since(self.victims[at].began);
            if matches!(self.victims[at].kind, Kind::Busy | Kind::SynSent) && age > Duration::from_secs(60) {
                self.renew(at);
            }
            self.strike(at);
            self.net.run_for(pace).expect("the net goes on");
            // What was sent again meanwhile.
            let _ = self.received(0);
        }
    }
}

fn segments() -> u64 {
    let text = std::env::var("FERROFLOW_BLIND_SEGMENTS").unwrap_or_else(|_| "200000".to_owned());
    text.parse().unwrap_or_else(|_| panic!("FERROFLOW_BLIND_SEGMENTS={text} is not a number"))
}

fn attack(seed: u64, segments: u64, pace: Duration) {
    let began = std::time::Instant::now();
    let mut attack = Attack::new(seed);
    attack.run(segments, pace);
    let counters = attack.net.host(attack.host).counters();
    eprintln!(
        "seed {seed}: {segments} segments in {:.1} s, {:?} of virtual time; dropped {}, acknowledged {}, now and then {}, \
         to be challenged {}, resets {}, to be reset {}, accepted {}; challenge ACKs {}, not sent {}, at most {} a second",
        began.elapsed().as_secs_f64(),
        attack.net.now().since(Instant::ZERO),
        attack.count[0],
        attack.count[1],
        attack.count[2],
        attack.count[3],
        attack.count[4],
        attack.count[5],
        attack.count[6],
        counters.tcp_challenge_ack,
        counters.tcp_challenge_skipped,
        attack.most_challenges,
    );
    assert!(attack.count.iter().all(|&n| n > 0), "every outcome occurs");
}

#[test]
fn a_fast_attack_has_the_outcome_of_rfc_5961_for_every_segment() {
    attack(5961, segments() * 9 / 10, Duration::from_micros(50));
}

/// So slow that no challenge ACK is held back.
#[test]
fn a_slow_attack_has_the_outcome_of_rfc_5961_for_every_segment() {
    attack(3702, segments() / 10, INTERVAL / CONNECTIONS as u32 + Duration::from_millis(30));
}
