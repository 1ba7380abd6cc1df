//! One switch of a cbench run: it asks with packet_ins and counts the answers.

use std::time::Duration;

use ferroflow_stack::{Instant, Rx, SendRing};
use hdrhistogram::Histogram;

use super::messages::{self as msg, BUFFER_IDS, HEADER_LEN, NO_BUFFER, PACKET_IN_LEN, types};

/// Bytes of packet_ins kept queued on a switch in throughput mode; 799 of them fit.
pub const QUEUE_BYTES: usize = 65_536;
/// Room left in the send ring for replies, where the ring is no larger than [`QUEUE_BYTES`].
const REPLY_ROOM: usize = 2_048;
/// In throughput mode, after a sample, so long passes until the next: the cost stays out of the measurement.
const SAMPLE_EVERY: Duration = Duration::from_micros(200);
/// A sample without an answer for so long is given up: the controller answers without naming the buffer, or not.
const SAMPLE_PATIENCE: Duration = Duration::from_secs(5);

/// What a switch does, fixed for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Keep the connection full, instead of one question at a time.
    pub throughput: bool,
    /// How many source addresses the questions cycle through, at least 1.
    pub macs: u32,
    /// Send the gratuitous ARP first.
    pub learn: bool,
    /// How long to wait after FEATURES_REPLY.
    pub delay: Duration,
}

/// What all switches of a run report to.
#[derive(Debug)]
pub struct Record {
    /// Round trips in nanoseconds.
    pub latency: Histogram<u64>,
    /// Whether round trips are recorded (they are not in warm-up and cool-down loops).
    pub on: bool,
    /// Messages of types that a cbench switch ignores, by type.
    pub ignored: Box<[u64; 256]>,
}

impl Record {
    /// An empty one. Round trips from 1 ns to 60 s are kept to three digits, longer ones as 60 s.
    pub fn new() -> Record {
        let latency = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order");
        Record { latency, on: false, ignored: Box::new([0; 256]) }
    }

    fn round_trip(&mut self, d: Duration) {
        if self.on {
            self.latency.saturating_record(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX).max(1));
        }
    }
}

impl Default for Record {
    fn default() -> Record {
        Record::new()
    }
}

/// What the controller sent is not OpenFlow: a message shorter than its own header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the controller sent a message of length {length}, less than a header")]
pub struct Malformed {
    /// The length field.
    pub length: u16,
}

/// How far the handshake has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No FEATURES_REQUEST yet.
    Start,
    /// Features are known to the controller; questions begin at the instant given.
    Delayed(Instant),
    /// The gratuitous ARP is the next message.
    Learn,
    /// Asks and counts.
    Ready,
}

/// One emulated cbench switch.
#[derive(Debug)]
pub struct FakeSwitch {
    dpid: u64,
    profile: Profile,
    stage: Stage,
    /// Questions without an answer, never negative.
    outstanding: u32,
    count: u64,
    xid: u32,
    buffer: u32,
    mac: u32,
    template: [u8; PACKET_IN_LEN],
    config: [u8; 4],
    /// The beginning of a message whose rest has not arrived.
    partial: Vec<u8>,
    /// A question whose round trip is measured: its buffer, and when it was written.
    sample: Option<(u32, Instant)>,
    sampled_at: Instant,
}

impl FakeSwitch {
    /// Switch `dpid`, whose lowest byte goes into the addresses.
    pub fn new(dpid: u64, profile: Profile) -> FakeSwitch {
        FakeSwitch {
            dpid,
            profile,
            stage: Stage::Start,
            outstanding: 0,
            count: 0,
            xid: 1,
            buffer: 1,
            mac: 0,
            template: msg::packet_in(dpid as u8),
            config: [0; 4],
            partial: Vec::new(),
            sample: None,
            sampled_at: Instant::ZERO,
        }
    }

    /// Writes HELLO, the first message.
    pub fn hello(&mut self, out: &mut SendRing) {
        out.write(&msg::header(types::HELLO, HEADER_LEN, 1));
    }

    /// Answers counted since the last [`FakeSwitch::take_count`].
    #[inline]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Ends a loop: gives its count, and forgets the questions that are still out.
    pub fn take_count(&mut self) -> u64 {
        self.outstanding = 0;
        self.sample = None;
        std::mem::take(&mut self.count)
    }

    /// Whether the handshake is over and questions are asked.
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// When it wants [`FakeSwitch::fill`] called although nothing arrives.
    pub fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Delayed(until) => Some(until),
            _ => None,
        }
    }

    /// Reads what the controller sent: counts answers, replies to requests. Stops early (leaving bytes in `rx`) when
    /// `out` has no room for a reply.
    ///
    /// # Errors
    /// [`Malformed`]: the byte stream cannot be followed any further.
    pub fn receive(
        &mut self,
        rx: &mut Rx<'_>,
        out: &mut SendRing,
        now: Instant,
        record: &mut Record,
    ) -> Result<(), Malformed> {
        self.each_message(rx, |this, m| this.message(m, out, now, record))
    }

    /// Throws away what the controller sent, message by message.
    ///
    /// # Errors
    /// [`Malformed`], as [`FakeSwitch::receive`].
    pub fn discard(&mut self, rx: &mut Rx<'_>) -> Result<(), Malformed> {
        self.each_message(rx, |_, _| true)
    }

    /// Calls `f` for each complete message until it says `false` (that message is then offered again).
    #[inline(always)]
    fn each_message(
        &mut self,
        rx: &mut Rx<'_>,
        mut f: impl FnMut(&mut FakeSwitch, &[u8]) -> bool,
    ) -> Result<(), Malformed> {
        loop {
            if !self.partial.is_empty() && !self.complete(rx, &mut f)? {
                return Ok(());
            }
            let chunk = rx.chunk();
            if chunk.is_empty() {
                return Ok(());
            }
            let mut at = 0;
            while let Some(head) = chunk[at..].first_chunk::<HEADER_LEN>() {
                let len = message_len(head)?;
                let Some(m) = chunk.get(at..at + len) else { break };
                if !f(self, m) {
                    rx.advance(at);
                    return Ok(());
                }
                at += len;
            }
            self.partial.extend_from_slice(&chunk[at..]);
            rx.advance(chunk.len());
        }
    }

    /// Adds to the partial message. Returns whether it is complete and done with.
    #[cold]
    fn complete(
        &mut self,
        rx: &mut Rx<'_>,
        f: &mut impl FnMut(&mut FakeSwitch, &[u8]) -> bool,
    ) -> Result<bool, Malformed> {
        loop {
            let want = match self.partial.first_chunk::<HEADER_LEN>() {
                Some(head) => message_len(head)?,
                None => HEADER_LEN,
            };
            if self.partial.len() >= HEADER_LEN && self.partial.len() == want {
                break;
            }
            let n = rx.chunk().len().min(want - self.partial.len());
            if n == 0 {
                return Ok(false);
            }
            self.partial.extend_from_slice(&rx.chunk()[..n]);
            rx.advance(n);
        }
        let m = std::mem::take(&mut self.partial);
        let done = f(self, &m);
        self.partial = m;
        if done {
            self.partial.clear();
        }
        Ok(done)
    }

    /// One message. `false` when there was no room for the reply.
    #[inline(always)]
    fn message(&mut self, m: &[u8], out: &mut SendRing, now: Instant, record: &mut Record) -> bool {
        let answer = match m[1] {
            types::FLOW_MOD => msg::flow_mod_answer(m),
            types::PACKET_OUT => msg::packet_out_answer(m),
            _ => return self.request(m, out, now, record),
        };
        if let Some(buffer) = answer
            && self.stage == Stage::Ready
        {
            self.count += 1;
            self.outstanding = self.outstanding.saturating_sub(1);
            if let Some((asked, at)) = self.sample
                && (asked == buffer || !self.profile.throughput)
            {
                self.sample = None;
                record.round_trip(now.since(at));
            }
        }
        true
    }

    /// A message that is no answer. `false` when there was no room for the reply.
    #[cold]
    fn request(&mut self, m: &[u8], out: &mut SendRing, now: Instant, record: &mut Record) -> bool {
        let xid = u32::from_be_bytes([m[4], m[5], m[6], m[7]]);
        match m[1] {
            types::HELLO => true,
            types::FEATURES_REQUEST => {
                let sent = put(out, &msg::features_reply(self.dpid, xid));
                if sent {
                    self.featured(now);
                }
                sent
            }
            types::SET_CONFIG => {
                if let Some(c) = m.get(8..12) {
                    self.config.copy_from_slice(c);
                }
                true
            }
            types::GET_CONFIG_REQUEST => put(out, &msg::config_reply(xid, self.config)) && self.ask_again(),
            types::VENDOR => put(out, &msg::vendor_error(xid)) && self.ask_again(),
            // The payload is dropped, as in the original.
            types::ECHO_REQUEST => put(out, &msg::header(types::ECHO_REPLY, HEADER_LEN, xid)),
            types::BARRIER_REQUEST => put(out, &msg::header(types::BARRIER_REPLY, HEADER_LEN, xid)),
            // OFPST_DESC = 0; other statistics are ignored without a word.
            types::STATS_REQUEST if m.get(8..10) == Some(&[0, 0]) => {
                put(out, &msg::desc_reply(xid)) && self.ask_again()
            }
            types::STATS_REQUEST => true,
            other => {
                record.ignored[usize::from(other)] += 1;
                true
            }
        }
    }

    fn featured(&mut self, now: Instant) {
        self.stage = if !self.profile.delay.is_zero() {
            Stage::Delayed(now + self.profile.delay)
        } else {
            self.after_delay()
        };
    }

    fn after_delay(&self) -> Stage {
        if self.profile.learn { Stage::Learn } else { Stage::Ready }
    }

    /// Some controllers answer nothing before their own request was served: the question is asked once more.
    fn ask_again(&mut self) -> bool {
        if !self.profile.throughput && self.outstanding <= 1 {
            self.outstanding = 0;
            self.sample = None;
        }
        true
    }

    /// Writes what is due: the gratuitous ARP, one question (latency mode), or as many as the queue takes (throughput
    /// mode). Returns whether anything was written.
    pub fn fill(&mut self, out: &mut SendRing, now: Instant) -> bool {
        match self.stage {
            Stage::Ready => {}
            Stage::Start => return false,
            Stage::Delayed(until) if now < until => return false,
            Stage::Delayed(_) => {
                self.stage = self.after_delay();
                return self.fill(out, now);
            }
            Stage::Learn => {
                if !put(out, &msg::learn(self.dpid as u8, self.xid)) {
                    return false;
                }
                self.xid = self.xid.wrapping_add(1);
                self.stage = Stage::Ready;
                self.outstanding = 0;
                self.fill(out, now);
                return true;
            }
        }
        if !self.profile.throughput {
            return self.outstanding == 0 && self.ask(out, 1, now);
        }
        let queue = QUEUE_BYTES.min(out.limit() - REPLY_ROOM);
        let n = queue.saturating_sub(out.len()) / PACKET_IN_LEN;
        n > 0 && self.ask(out, n, now)
    }

    /// Writes `n` questions; returns whether there was room.
    fn ask(&mut self, out: &mut SendRing, n: usize, now: Instant) -> bool {
        let (xid, buffer, mac) = (self.xid, self.buffer, self.mac);
        let (template, macs) = (&self.template, self.profile.macs);
        let (mut next_buffer, mut next_mac) = (buffer, mac);
        let written = out.write_with(n * PACKET_IN_LEN, |bytes| {
            let (messages, _) = bytes.as_chunks_mut::<PACKET_IN_LEN>();
            for (i, m) in (0u32..).zip(messages) {
                *m = *template;
                msg::patch_packet_in(m, xid.wrapping_add(i), next_buffer, next_mac);
                next_buffer = cycle(next_buffer, BUFFER_IDS);
                next_mac = cycle(next_mac, macs);
            }
        });
        if !written {
            return false;
        }
        self.sample_of(buffer, now);
        self.xid = xid.wrapping_add(n as u32);
        self.buffer = next_buffer;
        self.mac = next_mac;
        self.outstanding = self.outstanding.saturating_add(n as u32);
        true
    }

    /// Notes the time of a question: of each in latency mode, of one now and then in throughput mode.
    #[inline]
    fn sample_of(&mut self, buffer: u32, now: Instant) {
        let due = match self.sample {
            _ if !self.profile.throughput => true,
            Some((_, at)) => now.since(at) > SAMPLE_PATIENCE,
            None => now.since(self.sampled_at) >= SAMPLE_EVERY,
        };
        if due && buffer != NO_BUFFER {
            self.sample = Some((buffer, now));
            self.sampled_at = now;
        }
    }
}

#[inline(always)]
fn cycle(i: u32, n: u32) -> u32 {
    if i + 1 >= n { 0 } else { i + 1 }
}

#[inline(always)]
fn message_len(head: &[u8; HEADER_LEN]) -> Result<usize, Malformed> {
    let length = u16::from_be_bytes([head[2], head[3]]);
    if usize::from(length) < HEADER_LEN {
        return Err(Malformed { length });
    }
    Ok(usize::from(length))
}

/// Writes a whole message or nothing.
fn put(out: &mut SendRing, message: &[u8]) -> bool {
    out.write_with(message.len(), |b| b.copy_from_slice(message))
}

#[cfg(test)]
mod tests;
