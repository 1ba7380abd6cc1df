//! Cuts a byte stream into messages: OpenFlow's and POF's have one and the same header.

/// The longest message that a 16-bit length field can describe, in bytes.
pub const MAX_MESSAGE_LEN: usize = u16::MAX as usize;

/// Bytes of the header of a message of OpenFlow or POF.
const HEADER_LEN: usize = 8;

/// The header of a message of OpenFlow or POF, as numbers (OF 1.3.5 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawHeader {
    /// The protocol's version.
    pub version: u8,
    /// The message's type.
    pub ty: u8,
    /// Length of the message with this header, in bytes.
    pub length: u16,
    /// Transaction id.
    pub xid: u32,
}

impl RawHeader {
    /// Reads the first eight bytes of a message. Nothing is checked.
    #[inline]
    pub const fn read(b: &[u8; HEADER_LEN]) -> Self {
        Self {
            version: b[0],
            ty: b[1],
            length: u16::from_be_bytes([b[2], b[3]]),
            xid: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
        }
    }
}

/// What is wrong with a header's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitReason {
    /// Shorter than a header.
    TooShort,
    /// Longer than `max` bytes, the limit that was configured.
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
}

/// A header whose length cannot be followed: where the next message starts is unknown, the connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message of type {} and version {}, xid {:#x}: length {} is {}",
    .header.ty, .header.version, .header.xid, .header.length,
    match .reason {
        SplitReason::TooShort => "shorter than its header".to_string(),
        SplitReason::TooLong { max } => format!("over the limit of {max}"),
    })]
pub struct SplitError {
    /// The header in question.
    pub header: RawHeader,
    /// What is wrong with its length.
    pub reason: SplitReason,
}

/// Cuts a byte stream into messages.
///
/// A message that lies whole in a chunk is handed out in place. Only one that straddles chunks is copied, into
/// a buffer that is kept and reused, and that grows as bytes arrive, not by what a header claims.
#[derive(Debug, Clone)]
pub struct Splitter {
    /// The front of a message whose end has not come yet, or the message handed out last.
    partial: Vec<u8>,
    /// The message in `partial` has been handed out.
    handed_out: bool,
    max_len: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new(MAX_MESSAGE_LEN)
    }
}

impl Splitter {
    /// A splitter that refuses messages longer than `max_len` bytes (taken as at least 8 and at most 65535).
    pub const fn new(max_len: usize) -> Self {
        let max_len = if max_len < HEADER_LEN {
            HEADER_LEN
        } else if max_len > MAX_MESSAGE_LEN {
            MAX_MESSAGE_LEN
        } else {
            max_len
        };
        Self { partial: Vec::new(), handed_out: false, max_len }
    }

    /// Takes the next message from the front of `chunk` and leaves in `chunk` what follows it.
    ///
    /// `None` means that `chunk` is used up. Until then the caller may stop after any message and go on later
    /// with what is left of the chunk.
    ///
    /// # Errors
    /// When a header's length is impossible or over the limit. The error stays: the stream has no next message.
    #[inline]
    pub fn next<'s, 'c: 's>(&'s mut self, chunk: &mut &'c [u8]) -> Result<Option<&'s [u8]>, SplitError> {
        if self.handed_out {
            self.partial.clear();
            self.handed_out = false;
        }
        if self.partial.is_empty()
            && let Some(first) = chunk.first_chunk()
        {
            let len = self.checked_len(first)?;
            if let Some((msg, rest)) = chunk.split_at_checked(len) {
                *chunk = rest;
                return Ok(Some(msg));
            }
        }
        self.assemble(chunk)
    }

    /// Bytes of an unfinished message that wait for the rest of it.
    pub fn pending(&self) -> usize {
        self.partial().len()
    }

    /// What is there of an unfinished message.
    pub fn partial(&self) -> &[u8] {
        if self.handed_out { &[] } else { &self.partial }
    }

    /// Bytes that the assembly buffer occupies.
    pub fn capacity(&self) -> usize {
        self.partial.capacity()
    }

    fn assemble<'s>(&'s mut self, chunk: &mut &[u8]) -> Result<Option<&'s [u8]>, SplitError> {
        if !self.fill(HEADER_LEN, chunk) {
            return Ok(None);
        }
        let Some(first) = self.partial.first_chunk() else { return Ok(None) };
        let len = self.checked_len(first)?;
        if !self.fill(len, chunk) {
            return Ok(None);
        }
        self.handed_out = true;
        Ok(Some(&self.partial))
    }

    /// Moves bytes from `chunk` until `partial` holds `want`, and says whether it does.
    fn fill(&mut self, want: usize, chunk: &mut &[u8]) -> bool {
        let missing = want.saturating_sub(self.partial.len());
        let (taken, rest) = chunk.split_at(missing.min(chunk.len()));
        let len = self.partial.len() + taken.len();
        if len > self.partial.capacity() {
            // Doubling, but never beyond the longest message.
            let capacity = len.next_power_of_two().min(self.max_len);
            self.partial.reserve_exact(capacity - self.partial.len());
        }
        self.partial.extend_from_slice(taken);
        *chunk = rest;
        taken.len() == missing
    }

    #[inline]
    fn checked_len(&self, first: &[u8; HEADER_LEN]) -> Result<usize, SplitError> {
        let header = RawHeader::read(first);
        let len = usize::from(header.length);
        // OF 1.3.5 7.1: the length includes the header.
        let reason = if len < HEADER_LEN {
            SplitReason::TooShort
        } else if len > self.max_len {
            SplitReason::TooLong { max: self.max_len }
        } else {
            return Ok(len);
        };
        Err(SplitError { header, reason })
    }
}

#[cfg(test)]
mod tests;
