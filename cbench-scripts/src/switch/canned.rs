//! A responder, not a controller: the least that satisfies a cbench switch. For tests and as a yardstick.

use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Listen, Net, Rx, SendRing, Service};

use super::messages::{self as msg, HEADER_LEN, types};

/// Bytes of the canned flow_mod: 72 and one output action.
pub const FLOW_MOD_LEN: usize = 80;

/// Asks every switch for its features, answers every packet_in that has a buffer with the same flow_mod naming it.
#[derive(Debug)]
pub struct Canned {
    port: u16,
    template: [u8; FLOW_MOD_LEN],
    answers: u64,
    conns: usize,
    failure: Option<String>,
}

/// A connection's unfinished message.
#[derive(Debug, Default)]
pub struct Peer {
    partial: Vec<u8>,
}

impl Canned {
    /// Listens on `port` once started.
    pub fn new(port: u16) -> Canned {
        let mut template = [0; FLOW_MOD_LEN];
        template[..8].copy_from_slice(&msg::header(types::FLOW_MOD, FLOW_MOD_LEN, 0));
        template[8..12].copy_from_slice(&0x003f_ffffu32.to_be_bytes()); // OFPFW_ALL
        template[62..64].copy_from_slice(&10u16.to_be_bytes()); // priority
        template[68..70].copy_from_slice(&0xffffu16.to_be_bytes()); // out_port OFPP_NONE
        template[72..80].copy_from_slice(&[0, 0, 0, 8, 0, 2, 0, 0]); // OFPAT_OUTPUT to port 2
        Canned { port, template, answers: 0, conns: 0, failure: None }
    }

    /// Flow_mods sent.
    pub fn answers(&self) -> u64 {
        self.answers
    }

    /// Switches connected.
    pub fn conns(&self) -> usize {
        self.conns
    }

    /// Why it does not listen.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Answers whole messages at the front of `bytes`. Returns how much of it is done with: less than all whole
    /// messages when the answers find no room.
    fn answer(&mut self, bytes: &[u8], out: &mut SendRing) -> usize {
        let mut at = 0;
        while let Some(head) = bytes[at..].first_chunk::<HEADER_LEN>() {
            let len = usize::from(u16::from_be_bytes([head[2], head[3]])).max(HEADER_LEN);
            let Some(m) = bytes.get(at..at + len) else { break };
            if m[1] == types::PACKET_IN && len >= 18 && m[8..12] != [0xff; 4] {
                let template = &self.template;
                let written = out.write_with(FLOW_MOD_LEN, |b| {
                    b.copy_from_slice(template);
                    b[64..68].copy_from_slice(&m[8..12]);
                });
                if !written {
                    break;
                }
                self.answers += 1;
            }
            at += len;
        }
        at
    }
}

impl Service for Canned {
    type Conn = Peer;

    fn start(&mut self, net: &mut impl Net) {
        if let Err(e) = net.listen(Listen::on(self.port)) {
            self.failure = Some(e.to_string());
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, _: &ConnInfo) -> Option<Peer> {
        let hello = msg::header(types::HELLO, HEADER_LEN, 1);
        let features = msg::header(types::FEATURES_REQUEST, HEADER_LEN, 2);
        net.send(id, &[hello, features].concat()).ok()?;
        self.conns += 1;
        Some(Peer::default())
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<Peer> {
        None
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, peer: &mut Peer, rx: &mut Rx<'_>) {
        let Ok(out) = net.sender(id) else { return };
        while !rx.chunk().is_empty() {
            let chunk = rx.chunk();
            if peer.partial.is_empty() {
                let done = self.answer(chunk, out);
                rx.advance(done);
                if out.is_short() {
                    return;
                }
                peer.partial.extend_from_slice(&chunk[done..]);
                rx.advance(chunk.len() - done);
                continue;
            }
            // Complete one message; it is shorter than a header's 8 bytes or than its own length.
            let want = match peer.partial.first_chunk::<HEADER_LEN>() {
                Some(h) => usize::from(u16::from_be_bytes([h[2], h[3]])).max(HEADER_LEN),
                None => HEADER_LEN,
            };
            let n = chunk.len().min(want.saturating_sub(peer.partial.len()));
            peer.partial.extend_from_slice(&chunk[..n]);
            rx.advance(n);
            let done = self.answer(&peer.partial, out);
            peer.partial.drain(..done);
            if out.is_short() {
                return;
            }
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, _: &mut Peer) {
        net.close(id);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, _: &mut Peer) {
        net.resume(id);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, _: Peer, _: CloseReason) {
        self.conns -= 1;
    }
}
