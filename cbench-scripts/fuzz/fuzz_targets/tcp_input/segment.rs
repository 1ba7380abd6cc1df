//! Segments that a peer could send next: what a good one would, with as much amiss as the script wants.

use ferroflow_wire::SeqNumber;
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header};
use ferroflow_wire::tcp::{self, SackBlocks, TcpFlags, TcpHeader, TcpOptions};

use crate::input::Script;
use crate::peers::{ADDRESS, Peer, ipv4_frame, isn};
use crate::service::pattern;

/// Sequence numbers that are remembered.
const MAX_SEQS: usize = 64;
const ECE_CWR: TcpFlags = TcpFlags::ECE.union(TcpFlags::CWR);

impl Peer {
    /// A segment by the script.
    pub fn segment(&mut self, script: &mut Script<'_>, now_ms: u32) -> Vec<u8> {
        let [kind, seq, ack, len, window, opt, how] = script.array();
        let mut flags = flags(kind, script);
        if flags.syn() && kind & 0x10 != 0 {
            self.isn = isn(opt);
        }
        if how & 4 != 0 {
            flags |= if how & 8 != 0 { TcpFlags::ECE } else { TcpFlags::CWR };
        }
        // Data at a place that follows from our first sequence number is the stream's; a SYN always names that.
        let seq = if flags.syn() { self.isn } else { near(self.next, seq) };
        if self.seqs.len() == MAX_SEQS {
            self.seqs.pop_front();
        }
        self.seqs.push_back(seq);
        let text_len = if len < 128 { usize::from(len) } else { usize::from(len - 127) * 11 };
        let text_len = if flags.syn() && kind & 0x20 == 0 { 0 } else { text_len };
        let header = TcpHeader {
            seq: SeqNumber(seq),
            ack: SeqNumber(if flags.ack() { self.ack(ack, how) } else { 0 }),
            flags,
            window: self.window(window, script),
            urgent: u16::from(opt),
            options: if flags.syn() {
                self.syn_options(opt, now_ms)
            } else {
                self.options(opt, how, now_ms, script)
            },
            ..TcpHeader::default()
        };
        let first = seq.wrapping_add(u32::from(flags.syn()));
        let text: Vec<u8> = (0..text_len as u32).map(|i| pattern(first.wrapping_add(i))).collect();
        self.frame(&header, &text, how & 3)
    }

    /// Our SYN, or the answer to the instance's.
    pub fn syn(&self, options: u8, ecn: u8, now_ms: u32) -> Vec<u8> {
        let answer = self.iss.is_some();
        let asks = if answer { TcpFlags::ECE } else { ECE_CWR };
        let mut flags = if answer { TcpFlags::SYN | TcpFlags::ACK } else { TcpFlags::SYN };
        flags |= if ecn & 1 == 0 { asks } else { TcpFlags::NONE };
        let header = TcpHeader {
            seq: SeqNumber(self.isn),
            ack: SeqNumber(if answer { self.stack_next } else { 0 }),
            flags,
            window: u16::MAX,
            options: self.syn_options(options, now_ms),
            ..TcpHeader::default()
        };
        self.frame(&header, &[], 0)
    }

    /// All that was seen is acknowledged, `len` bytes follow, and the window is wide open.
    pub fn honest(&self, len: u32, now_ms: u32) -> Vec<u8> {
        self.honest_at(self.next, len, now_ms)
    }

    /// The same at another sequence number.
    pub fn honest_at(&self, seq: u32, len: u32, now_ms: u32) -> Vec<u8> {
        let header = TcpHeader {
            seq: SeqNumber(seq),
            ack: SeqNumber(self.stack_next),
            flags: TcpFlags::ACK,
            window: u16::MAX,
            options: TcpOptions { timestamps: self.timestamps(now_ms, 0), ..TcpOptions::NONE },
            ..TcpHeader::default()
        };
        let text: Vec<u8> = (0..len).map(|i| pattern(seq.wrapping_add(i))).collect();
        self.frame(&header, &text, 0)
    }

    fn frame(&self, header: &TcpHeader, text: &[u8], ecn: u8) -> Vec<u8> {
        let header = TcpHeader { src_port: self.port, dst_port: self.local, ..*header };
        let mut segment = vec![0; header.len()];
        header.write(&mut segment).expect("it fits");
        segment.extend_from_slice(text);
        tcp::fill_checksum(&mut segment, self.address, ADDRESS).expect("it fits");
        let ip = Ipv4Header {
            ecn,
            ..Ipv4Header::new(self.address, ADDRESS, IpProtocol::TCP, segment.len() as u16)
        };
        ipv4_frame(&ip, &segment)
    }

    /// Everything, or up to the beginning of a segment, or something near the end.
    fn ack(&self, ack: u8, how: u8) -> u32 {
        match self.flight.get(usize::from(ack) % self.flight.len().max(1)) {
            Some(&(start, _)) if how & 0x10 != 0 => start,
            _ => near(self.stack_next, ack),
        }
    }

    fn window(&self, window: u8, script: &mut Script<'_>) -> u16 {
        match window % 8 {
            6 => u16::from(script.u8()),
            7 => script.u16(),
            n => [0xffff, 0, 1, 100, 1460, 8192][usize::from(n)],
        }
    }

    /// What our SYNs say; the same for every SYN with one number unless `opt` is another.
    fn syn_options(&self, opt: u8, now_ms: u32) -> TcpOptions {
        let mss = [Some(1460), Some(536), Some(64), None, Some(100), Some(0xffff), Some(0), Some(1)];
        TcpOptions {
            mss: mss[usize::from(opt >> 5)],
            window_scale: [Some(7), Some(0), None, Some(255)][usize::from(opt & 3)],
            sack_permitted: opt & 4 == 0,
            timestamps: (opt & 8 == 0).then_some((now_ms, self.stamp.map_or(0, |(value, _)| value))),
            user_timeout: (opt & 16 != 0).then_some(30),
            ..TcpOptions::NONE
        }
    }

    /// A time that is never before the instance's TS.Recent, `offset` off; and the right echo.
    fn timestamps(&self, now_ms: u32, offset: i32) -> Option<(u32, u32)> {
        let (value, recent) = self.stamp?;
        let now = if now_ms.wrapping_sub(recent).cast_signed() < 0 { recent } else { now_ms };
        Some((now.wrapping_add_signed(offset), value))
    }

    fn options(&self, opt: u8, how: u8, now_ms: u32, script: &mut Script<'_>) -> TcpOptions {
        let timestamps = match opt & 7 {
            0..=3 => self.timestamps(now_ms, 0),
            4 => self.timestamps(now_ms, -1000),
            5 => self.timestamps(now_ms, i32::MIN).map(|(value, _)| (value, script.u32())),
            6 => Some((script.u32(), script.u32())),
            _ => None,
        };
        let sack =
            if opt & 0x80 != 0 { self.sack(1 + (opt >> 5 & 3), how, script) } else { SackBlocks::NONE };
        let user_timeout = (opt & 0x18 == 0x18).then(|| script.u16());
        let options = TcpOptions { timestamps, sack, user_timeout, ..TcpOptions::NONE };
        if (TcpHeader { options, ..TcpHeader::default() }).len() > 60 {
            return TcpOptions { user_timeout: None, sack: SackBlocks::NONE, ..options };
        }
        options
    }

    /// Blocks of whole segments that are in flight, or were; some edges a little off, if the script wants it so.
    fn sack(&self, blocks: u8, how: u8, script: &mut Script<'_>) -> SackBlocks {
        let mut sack = SackBlocks::NONE;
        for _ in 0..blocks {
            let [first, count] = script.array();
            let at = |n: usize| self.flight.get(n % self.flight.len().max(1)).copied();
            let first = usize::from(first);
            let (Some((start, _)), Some((_, end))) = (at(first), at(first + usize::from(count % 8))) else {
                sack.push(SeqNumber(self.stack_next), SeqNumber(self.stack_next + 10));
                continue;
            };
            let off = if how & 0x20 != 0 { script.u8() } else { 0 };
            sack.push(SeqNumber(near(start, off)), SeqNumber(end));
        }
        sack
    }
}

/// A number a little off, or some kilobytes.
fn near(base: u32, offset: u8) -> u32 {
    match offset.cast_signed() {
        small @ -100..=100 => base.wrapping_add_signed(small.into()),
        large => base.wrapping_add_signed(i32::from(large) * 64),
    }
}

fn flags(kind: u8, script: &mut Script<'_>) -> TcpFlags {
    match kind & 0xf {
        0..=3 => TcpFlags::ACK,
        4 => TcpFlags::ACK | TcpFlags::PSH,
        5 => TcpFlags::SYN,
        6 => TcpFlags::SYN | ECE_CWR,
        7 => TcpFlags::SYN | TcpFlags::ACK,
        8 | 9 => TcpFlags::FIN | TcpFlags::ACK,
        10 => TcpFlags::RST,
        11 => TcpFlags::RST | TcpFlags::ACK,
        12 => TcpFlags::URG | TcpFlags::ACK,
        13 => TcpFlags::FIN,
        14 => TcpFlags::NONE,
        _ => TcpFlags(script.u8()),
    }
}
