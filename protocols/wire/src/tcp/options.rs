//! TCP options (RFC 9293 3.2, RFC 7323, RFC 2018, RFC 5482, RFC 7413).

use crate::SeqNumber;
use crate::error::{Protocol, Reason, WireError, room};
use crate::tcp::MAX_OPTIONS_LEN;

/// Option kinds (IANA, "TCP Option Kind Numbers").
pub mod kind {
    /// End of option list.
    pub const END: u8 = 0;
    /// No operation.
    pub const NOP: u8 = 1;
    /// Maximum segment size.
    pub const MSS: u8 = 2;
    /// Window scale.
    pub const WINDOW_SCALE: u8 = 3;
    /// SACK permitted.
    pub const SACK_PERMITTED: u8 = 4;
    /// SACK.
    pub const SACK: u8 = 5;
    /// Timestamps.
    pub const TIMESTAMPS: u8 = 8;
    /// User timeout.
    pub const USER_TIMEOUT: u8 = 28;
    /// Fast open cookie.
    pub const FAST_OPEN: u8 = 34;
}

const TIMESTAMPS_LEN: usize = 10;
const NOP_NOP_TIMESTAMPS: [u8; 4] = [kind::NOP, kind::NOP, kind::TIMESTAMPS, TIMESTAMPS_LEN as u8];

/// Up to four SACK blocks: `start .. end` pairs of sequence numbers (RFC 2018 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SackBlocks {
    len: u8,
    blocks: [(SeqNumber, SeqNumber); 4],
}

impl SackBlocks {
    /// How many blocks an option can hold.
    pub const MAX: usize = 4;
    /// No block.
    pub const NONE: SackBlocks = SackBlocks { len: 0, blocks: [(SeqNumber(0), SeqNumber(0)); 4] };

    /// The blocks, in the order of the option: the first is the most recent.
    #[inline]
    pub fn as_slice(&self) -> &[(SeqNumber, SeqNumber)] {
        &self.blocks[..usize::from(self.len).min(Self::MAX)]
    }

    /// The blocks one by one.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (SeqNumber, SeqNumber)> + '_ {
        self.as_slice().iter().copied()
    }

    /// There is no block.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many blocks there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Appends a block from `start` to before `end`; says whether there was room.
    #[inline]
    pub fn push(&mut self, start: SeqNumber, end: SeqNumber) -> bool {
        let Some(slot) = self.blocks.get_mut(usize::from(self.len)) else { return false };
        *slot = (start, end);
        self.len += 1;
        true
    }
}

/// The options of one segment: what was received, or what is to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Maximum segment size, in bytes (RFC 9293 3.7.1).
    pub mss: Option<u16>,
    /// Window scale as it stands in the option; a receiver takes more than 14 for 14 (RFC 7323 2.3).
    pub window_scale: Option<u8>,
    /// SACK may be used (RFC 2018 2).
    pub sack_permitted: bool,
    /// SACK blocks.
    pub sack: SackBlocks,
    /// Timestamps: `TSval` and `TSecr` (RFC 7323 3.2).
    pub timestamps: Option<(u32, u32)>,
    /// User time-out: the granularity bit (minutes if set, else seconds) and 15 bits of value (RFC 5482 3.3).
    pub user_timeout: Option<u16>,
}

impl TcpOptions {
    /// No option.
    pub const NONE: TcpOptions = TcpOptions {
        mss: None,
        window_scale: None,
        sack_permitted: false,
        sack: SackBlocks::NONE,
        timestamps: None,
        user_timeout: None,
    };

    /// Timestamps alone, as nearly every segment carries.
    #[inline]
    pub const fn timestamps(value: u32, echo: u32) -> TcpOptions {
        TcpOptions { timestamps: Some((value, echo)), ..TcpOptions::NONE }
    }

    /// Reads the bytes behind the fixed header. Unknown options are skipped; of a repeated option the last counts.
    /// An option of impossible length is an error (RFC 9293 3.1, MUST-7).
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<TcpOptions, WireError> {
        if bytes.is_empty() {
            return Ok(TcpOptions::NONE);
        }
        if let Some((value, echo)) = lone_timestamps(bytes) {
            return Ok(TcpOptions::timestamps(value, echo));
        }
        Self::parse_all(bytes)
    }

    fn parse_all(bytes: &[u8]) -> Result<TcpOptions, WireError> {
        let mut options = TcpOptions::NONE;
        for option in TcpOptionIter::new(bytes) {
            match option? {
                TcpOption::Mss(mss) => options.mss = Some(mss),
                TcpOption::WindowScale(shift) => options.window_scale = Some(shift),
                TcpOption::SackPermitted => options.sack_permitted = true,
                TcpOption::Sack(blocks) => options.sack = blocks,
                TcpOption::Timestamps { value, echo } => options.timestamps = Some((value, echo)),
                TcpOption::UserTimeout(time) => options.user_timeout = Some(time),
                TcpOption::Nop | TcpOption::FastOpen(_) | TcpOption::Unknown { .. } => {}
            }
        }
        Ok(options)
    }

    /// There is no option.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that [`TcpOptions::write`] writes: 0 to 40, a multiple of 4.
    #[inline]
    pub fn len(&self) -> usize {
        match self.sack_fitting() {
            0 => self.len_without_sack(),
            n => self.len_without_sack() + 4 + 8 * n,
        }
    }

    #[inline]
    fn len_without_sack(&self) -> usize {
        let mss = if self.mss.is_some() { 4 } else { 0 };
        // SACK permitted takes the place of the timestamps' two NOPs.
        let timestamps = match (self.timestamps, self.sack_permitted) {
            (Some(_), _) => 12,
            (None, true) => 4,
            (None, false) => 0,
        };
        let rest = u8::from(self.window_scale.is_some()) + u8::from(self.user_timeout.is_some());
        mss + timestamps + 4 * usize::from(rest)
    }

    /// How many SACK blocks there is room for behind the other options (RFC 2018 3).
    #[inline]
    fn sack_fitting(&self) -> usize {
        if self.sack.is_empty() {
            return 0;
        }
        self.sack.len().min((MAX_OPTIONS_LEN - 4 - self.len_without_sack()) / 8)
    }

    /// Writes the options in Linux's order and alignment to the front of `buf` and returns their length: MSS,
    /// SACK permitted, timestamps, NOP, window scale, user time-out on a SYN; NOP, NOP, timestamps, NOP, NOP, SACK on data. SACK
    /// blocks that do not fit 40 bytes are left out, the last first. Fails if `buf` is too short.
    #[inline]
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let len = self.len();
        let mut out = Out { buf: room(Protocol::Tcp, buf, len)?, at: 0 };
        if let Some(mss) = self.mss {
            let [a, b] = mss.to_be_bytes();
            out.put([kind::MSS, 4, a, b]);
        }
        match (self.timestamps, self.sack_permitted) {
            (Some((value, echo)), sack_permitted) => {
                out.put(if sack_permitted {
                    [kind::SACK_PERMITTED, 2, kind::TIMESTAMPS, TIMESTAMPS_LEN as u8]
                } else {
                    NOP_NOP_TIMESTAMPS
                });
                out.put(value.to_be_bytes());
                out.put(echo.to_be_bytes());
            }
            (None, true) => out.put([kind::NOP, kind::NOP, kind::SACK_PERMITTED, 2]),
            (None, false) => {}
        }
        if let Some(shift) = self.window_scale {
            out.put([kind::NOP, kind::WINDOW_SCALE, 3, shift]);
        }
        if let Some(time) = self.user_timeout {
            let [a, b] = time.to_be_bytes();
            out.put([kind::USER_TIMEOUT, 4, a, b]);
        }
        let blocks = self.sack_fitting();
        if blocks > 0 {
            out.put([kind::NOP, kind::NOP, kind::SACK, (2 + 8 * blocks) as u8]);
            for (start, end) in self.sack.iter().take(blocks) {
                out.put(start.0.to_be_bytes());
                out.put(end.0.to_be_bytes());
            }
        }
        Ok(len)
    }
}

/// Options are written in words of four bytes into a buffer of known length.
struct Out<'b> {
    buf: &'b mut [u8],
    at: usize,
}

impl Out<'_> {
    #[inline]
    fn put(&mut self, word: [u8; 4]) {
        self.buf[self.at..self.at + 4].copy_from_slice(&word);
        self.at += 4;
    }
}

/// RFC 7323 appendix A: the layout that all common senders use.
#[inline]
pub(super) fn lone_timestamps(bytes: &[u8]) -> Option<(u32, u32)> {
    let [a, b, c, d, value @ .., e0, e1, e2, e3] = *<&[u8; 12]>::try_from(bytes).ok()?;
    let values = (u32::from_be_bytes(value), u32::from_be_bytes([e0, e1, e2, e3]));
    ([a, b, c, d] == NOP_NOP_TIMESTAMPS).then_some(values)
}

/// One option as it stands in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpOption<'a> {
    /// No operation.
    Nop,
    /// Maximum segment size, in bytes.
    Mss(u16),
    /// Window scale, as it stands.
    WindowScale(u8),
    /// SACK permitted.
    SackPermitted,
    /// SACK blocks, one to four.
    Sack(SackBlocks),
    /// Timestamps.
    Timestamps {
        /// `TSval`.
        value: u32,
        /// `TSecr`.
        echo: u32,
    },
    /// User timeout: the granularity bit (minutes if set, else seconds) and 15 bits of value (RFC 5482 3.3).
    UserTimeout(u16),
    /// Fast open: a cookie, or a request for one if empty (RFC 7413 4.1.1).
    FastOpen(&'a [u8]),
    /// An option that is not interpreted here.
    Unknown {
        /// Its kind.
        kind: u8,
        /// Its data, without kind and length.
        data: &'a [u8],
    },
}

/// Walks the options of a segment up to the end of the list. After an error it ends.
#[derive(Debug, Clone)]
pub struct TcpOptionIter<'a> {
    rest: &'a [u8],
}

impl<'a> TcpOptionIter<'a> {
    /// Over the bytes behind the fixed header.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        TcpOptionIter { rest: bytes }
    }
}

impl<'a> Iterator for TcpOptionIter<'a> {
    type Item = Result<TcpOption<'a>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // Whatever happens below, at least one byte is consumed, or all.
        let (&kind, behind_kind) = std::mem::take(&mut self.rest).split_first()?;
        match kind {
            // RFC 9293 3.1: what follows the end of the list is padding.
            kind::END => return None,
            kind::NOP => {
                self.rest = behind_kind;
                return Some(Ok(TcpOption::Nop));
            }
            _ => {}
        }
        // RFC 9293 3.1 (MUST-7): the length counts kind and length, and may be illegal.
        let parts = behind_kind
            .split_first()
            .and_then(|(&len, behind_len)| behind_len.split_at_checked(usize::from(len).checked_sub(2)?));
        let Some((option, rest)) = parts.and_then(|(data, rest)| Some((decode(kind, data)?, rest))) else {
            return Some(Err(WireError::new(Protocol::Tcp, Reason::BadOption(kind))));
        };
        self.rest = rest;
        Some(Ok(option))
    }
}

/// `None` if `data` has a length that the option cannot have.
#[inline]
fn decode(kind: u8, data: &[u8]) -> Option<TcpOption<'_>> {
    Some(match kind {
        kind::MSS => TcpOption::Mss(u16::from_be_bytes(data.try_into().ok()?)),
        kind::WINDOW_SCALE => TcpOption::WindowScale(<[u8; 1]>::try_from(data).ok()?[0]),
        kind::SACK_PERMITTED => {
            <[u8; 0]>::try_from(data).ok()?;
            TcpOption::SackPermitted
        }
        kind::SACK => TcpOption::Sack(decode_sack(data)?),
        kind::TIMESTAMPS => {
            let [value @ .., a, b, c, d] = <[u8; 8]>::try_from(data).ok()?;
            TcpOption::Timestamps { value: u32::from_be_bytes(value), echo: u32::from_be_bytes([a, b, c, d]) }
        }
        kind::USER_TIMEOUT => TcpOption::UserTimeout(u16::from_be_bytes(data.try_into().ok()?)),
        // RFC 7413 4.1.1: no cookie, or one of 4 to 16 bytes and even length.
        kind::FAST_OPEN => {
            let legal = data.is_empty() || ((4..=16).contains(&data.len()) && data.len().is_multiple_of(2));
            legal.then_some(TcpOption::FastOpen(data))?
        }
        _ => TcpOption::Unknown { kind, data },
    })
}

fn decode_sack(data: &[u8]) -> Option<SackBlocks> {
    let (blocks, rest) = data.as_chunks::<8>();
    if blocks.is_empty() || blocks.len() > SackBlocks::MAX || !rest.is_empty() {
        return None;
    }
    let mut sack = SackBlocks::NONE;
    for &[start @ .., a, b, c, d] in blocks {
        sack.push(SeqNumber(u32::from_be_bytes(start)), SeqNumber(u32::from_be_bytes([a, b, c, d])));
    }
    Some(sack)
}

#[cfg(test)]
mod tests;
