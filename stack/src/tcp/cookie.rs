//! SYN cookies (RFC 4987 3.6): while a listener's backlog is full, all that is to be remembered of a SYN travels in the
//! SYN,ACK and comes back with the ACK.
//!
//! The SYN,ACK's sequence number, for the connection's addresses and ports `key` and the peer's sequence number `irs`:
//!
//! ```text
//! F(key) + irs + epoch * 2^24 + (G(key, irs, epoch, buffer) + index of the MSS * 2^21) mod 2^24
//! ```
//!
//! F and G are SipHash with the instance's secret; an epoch lasts 64 s. So it grows with time and with the peer's own
//! sequence numbers (RFC 6528), and one in 2^28 numbers is valid at a time. The buffer is the one that the listener's
//! options name: the window that the SYN,ACK announces and its scale follow from it, and must hold when the ACK comes.
//!
//! The lowest six bits of its TSval: bits 0 to 3 the peer's window scale (15 = none), bit 4 SACK permitted, bit 5 ECN
//! (Linux has the same). Without timestamps nothing but the MSS is remembered, and so no more is offered.
//!
//! Nor is it remembered that a cookie has come back: if its connection is over and leaves no TIME_WAIT, the same ACK, while
//! it is valid, makes another one. A peer gains nothing by that which a new SYN would not give it.

use std::time::Duration;

use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::{TcpFlags, TcpHeader, TcpOptions};

use super::TcpConfig;
use super::input::Segment;
use super::isn::Secret;
use super::output::{Emit, OutSegment};
use super::table::Key;
use super::tcb::{Open, Tcb};
use crate::time::Instant;

/// A cookie is valid in its own epoch and the next: for 64 to 128 s.
const EPOCH: Duration = Duration::from_secs(64);
/// How long after the last cookie was sent one may come back.
pub const LIFETIME: Duration = Duration::from_secs(128);
/// What the peer's MSS is rounded down to: the least we believe in, the default, tunnels, mobile networks, IPv6 and IPv4
/// over Ethernet, jumbo frames.
const MSS: [u16; 8] = [64, 536, 1220, 1360, 1400, 1440, 1460, 8940];
/// RFC 9293 3.7.1, MUST-15
const DEFAULT_MSS: u16 = 536;

const LOW_24: u32 = (1 << 24) - 1;
/// Above the bits that must fit, so that a number close to a valid one is not valid.
const INDEX_AT: u32 = 21;

impl Secret {
    /// The sequence number of the SYN,ACK that answers a SYN of sequence number `irs` with that MSS option, where the
    /// listener's options have that receive buffer.
    pub fn cookie(
        &self,
        key: &Key,
        irs: SeqNumber,
        mss: Option<u16>,
        buffer: Option<usize>,
        now: Instant,
    ) -> SeqNumber {
        let mss = mss.unwrap_or(DEFAULT_MSS);
        let index = MSS.iter().rposition(|&known| known <= mss).unwrap_or(0) as u32;
        let epoch = epoch(now);
        let low = self.cookie_hash(key, irs, epoch, buffer).wrapping_add(index << INDEX_AT) & LOW_24;
        SeqNumber(self.cookie_base(key, irs).wrapping_add(epoch << 24).wrapping_add(low))
    }

    /// The MSS in a cookie that is ours, of a listener with that receive buffer, and not too old.
    pub fn open_cookie(
        &self,
        key: &Key,
        irs: SeqNumber,
        cookie: SeqNumber,
        buffer: Option<usize>,
        now: Instant,
    ) -> Option<u16> {
        let rest = cookie.0.wrapping_sub(self.cookie_base(key, irs));
        let age = epoch(now).wrapping_sub(rest >> 24) & 0xff;
        if age > 1 {
            return None;
        }
        let made = epoch(now).wrapping_sub(age);
        let low = rest.wrapping_sub(self.cookie_hash(key, irs, made, buffer)) & LOW_24;
        MSS.get((low >> INDEX_AT) as usize).copied().filter(|_| low & ((1 << INDEX_AT) - 1) == 0)
    }

    fn cookie_base(&self, key: &Key, irs: SeqNumber) -> u32 {
        (self.hash(key, 4, &[]) as u32).wrapping_add(irs.0)
    }

    fn cookie_hash(&self, key: &Key, irs: SeqNumber, epoch: u32, buffer: Option<usize>) -> u32 {
        let buffer = buffer.map_or(u64::MAX, |size| size as u64);
        self.hash(key, 5, &[u64::from(irs.0) << 32 | u64::from(epoch), buffer]) as u32
    }
}

fn epoch(now: Instant) -> u32 {
    (now.as_millis() / EPOCH.as_millis() as u64) as u32
}

/// What a SYN,ACK's timestamp remembers of the SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Remembered {
    window_scale: Option<u8>,
    sack: bool,
    ecn: bool,
}

/// Low bits of a TSval that remember.
const BITS: u32 = 6;
const NO_SCALE: u32 = 15;
const SACK: u32 = 1 << 4;
const ECN: u32 = 1 << 5;

impl Remembered {
    /// The latest TSval up to `clock` with these bits: what is sent later must not seem older (RFC 7323 5.3).
    fn into_ts(self, clock: u32) -> u32 {
        let scale = self.window_scale.map_or(NO_SCALE, |shift| u32::from(shift.min(14)));
        let bits = scale | if self.sack { SACK } else { 0 } | if self.ecn { ECN } else { 0 };
        let back = clock.wrapping_sub(bits) & ((1 << BITS) - 1);
        clock.wrapping_sub(back)
    }

    fn from_ts(ts: u32) -> Remembered {
        let scale = ts & NO_SCALE;
        Remembered {
            window_scale: (scale != NO_SCALE).then_some(scale as u8),
            sack: ts & SACK != 0,
            ecn: ts & ECN != 0,
        }
    }
}

/// The SYN,ACK that `open` would answer a SYN with, changed to remember it. `open.iss` is the cookie.
pub fn syn_ack(open: Open<'_>, syn: &Segment<'_>, now: Instant, config: &TcpConfig) -> Option<TcpHeader> {
    let mut options = syn.options;
    if options.timestamps.is_none() || !config.timestamps {
        options = TcpOptions { mss: options.mss, ..TcpOptions::NONE };
    }
    let mut tcb = Tcb::passive(open, 0, &Segment { options, ..*syn }, now, config);
    let mut sent = Sent(None);
    tcb.output(now, config, 0, &mut sent);
    let mut header = sent.0?;
    if let Some((clock, echo)) = header.options.timestamps {
        let remembered = Remembered {
            window_scale: header.options.window_scale.and(options.window_scale),
            sack: header.options.sack_permitted,
            ecn: header.flags.contains(TcpFlags::ECE),
        };
        header.options.timestamps = Some((remembered.into_ts(clock), echo));
    }
    Some(header)
}

/// Keeps the last segment instead of sending it.
struct Sent(Option<TcpHeader>);

impl Emit for Sent {
    fn emit(&mut self, tcb: &Tcb, segment: &OutSegment<'_>) -> bool {
        self.0 = Some(TcpHeader {
            src_port: tcb.key.local_port(),
            dst_port: tcb.key.remote_port(),
            seq: segment.seq,
            ack: segment.ack,
            flags: segment.flags,
            window: segment.window,
            urgent: 0,
            options: segment.options,
        });
        true
    }
}

impl Tcb {
    /// The connection whose SYN,ACK was a cookie: as if it had been there since, and waits for `ack`, which brings the cookie
    /// back. `open.iss` is the cookie and `mss` what it says. `None`: the timestamp that `ack` echoes is not of our SYN,ACK.
    pub fn from_cookie(
        open: Open<'_>,
        mss: u16,
        ack: &Segment<'_>,
        now: Instant,
        config: &TcpConfig,
    ) -> Option<Tcb> {
        let clock = (now.as_millis() as u32).wrapping_add(open.ts_offset);
        let mut options = TcpOptions { mss: Some(mss), ..TcpOptions::NONE };
        let mut flags = TcpFlags::SYN;
        if let Some((value, echo)) = ack.options.timestamps.filter(|_| config.timestamps) {
            let age = clock.wrapping_sub(echo);
            if u128::from(age) > LIFETIME.as_millis() + (1 << BITS) {
                return None;
            }
            let Remembered { window_scale, sack, ecn } = Remembered::from_ts(echo);
            options.timestamps = Some((value, 0));
            options.window_scale = window_scale;
            options.sack_permitted = sack;
            if ecn {
                flags |= TcpFlags::ECE | TcpFlags::CWR;
            }
        }
        let syn = Segment { seq: ack.seq - 1, flags, options, payload: &[], ..*ack };
        let mut tcb = Tcb::passive(open, 0, &syn, now, config);
        tcb.listener = None; // it never counted among the half-open
        tcb.output(now, config, 0, &mut Sent(None));
        tcb.timed = None; // who knows when
        Some(tcb)
    }
}

#[cfg(test)]
mod tests;
