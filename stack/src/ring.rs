//! The bytes of one direction of a connection: a ring that grows up to a limit.

/// Smallest limit of a ring, in bytes.
const MIN_LIMIT: usize = 4096;
/// Smallest allocation: many connections hardly ever hold more.
const MIN_CAPACITY: usize = 1024;

/// A connection's send ring: what the service wrote and the peer has not acknowledged (or the kernel has not taken).
///
/// It allocates nothing until the first write and doubles up to its limit; a message is always handed out
/// contiguous ([`SendRing::write_with`]), a wrap being hidden. Both the own stack and the kernel-socket backend
/// use it, so code above may hold a plain `&mut SendRing` whatever runs below.
#[derive(Debug)]
pub struct SendRing {
    buf: Box<[u8]>,
    /// The place of the first byte kept.
    head: u32,
    len: u32,
    limit: u32,
    short: bool,
    scratch: Box<[u8]>,
}

const _: () = assert!(size_of::<SendRing>() <= 48);

impl SendRing {
    /// An empty ring that holds at most `limit` bytes (at least 4096, at most 1 GiB).
    pub fn new(limit: usize) -> SendRing {
        let limit = bounded(limit);
        SendRing { buf: Box::default(), head: 0, len: 0, limit, short: false, scratch: Box::default() }
    }

    /// Bytes held.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nothing is held.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many more bytes can be written.
    #[inline]
    pub fn room(&self) -> usize {
        (self.limit - self.len) as usize
    }

    /// Most bytes it ever holds.
    #[inline]
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Holds up to `limit` bytes from now on. A lower limit than before changes nothing.
    pub fn raise_limit(&mut self, limit: usize) {
        self.limit = self.limit.max(bounded(limit));
    }

    /// Holds up to `limit` bytes from now on, but never fewer than it holds.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = bounded(limit).max(self.len);
    }

    /// Whether a write found too little room since the last [`SendRing::take_short`]: the owner of the connection then
    /// calls `writable` when at least half the ring is free.
    #[inline]
    pub fn is_short(&self) -> bool {
        self.short
    }

    /// Reads and clears [`SendRing::is_short`].
    #[inline]
    pub fn take_short(&mut self) -> bool {
        std::mem::take(&mut self.short)
    }

    /// Asks for a `writable` callback although no write failed (a service that stopped writing by itself).
    #[inline]
    pub fn want_room(&mut self) {
        self.short = true;
    }

    /// Writes as much of `data` as there is room for; returns how much.
    pub fn write(&mut self, data: &[u8]) -> usize {
        let n = data.len().min(self.room());
        if n < data.len() {
            self.short = true;
        }
        if n > 0 {
            self.reserve(n);
            self.copy_in(&data[..n]);
        }
        n
    }

    /// Writes exactly `len` bytes, filled in by `fill`, or nothing. Returns whether there was room.
    ///
    /// `fill` gets contiguous bytes whose former content is undefined: it writes all of them.
    #[inline]
    pub fn write_with(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        if len > self.room() {
            self.short = true;
            return false;
        }
        if len == 0 {
            return true;
        }
        self.reserve(len);
        let at = self.place(self.len());
        if at + len <= self.buf.len() {
            fill(&mut self.buf[at..at + len]);
            self.len += len as u32;
        } else {
            self.write_wrapped(len, fill);
        }
        true
    }

    #[cold]
    fn write_wrapped(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) {
        let mut scratch = std::mem::take(&mut self.scratch);
        if scratch.len() < len {
            scratch = vec![0; len].into_boxed_slice();
        }
        fill(&mut scratch[..len]);
        self.copy_in(&scratch[..len]);
        self.scratch = scratch;
    }

    /// The bytes from `offset` (counted from the oldest) on, at most `len` of them, in up to two pieces.
    #[inline]
    pub fn slices(&self, offset: usize, len: usize) -> (&[u8], &[u8]) {
        let offset = offset.min(self.len());
        let len = len.min(self.len() - offset);
        if len == 0 {
            return (&[], &[]);
        }
        let at = self.place(offset);
        let first = len.min(self.buf.len() - at);
        (&self.buf[at..at + first], &self.buf[..len - first])
    }

    /// Copies the bytes from `offset` on into `out`; returns how many there were.
    #[inline]
    pub fn copy_out(&self, offset: usize, out: &mut [u8]) -> usize {
        let (a, b) = self.slices(offset, out.len());
        out[..a.len()].copy_from_slice(a);
        out[a.len()..a.len() + b.len()].copy_from_slice(b);
        a.len() + b.len()
    }

    /// Drops the oldest `n` bytes (acknowledged, or taken).
    ///
    /// # Panics
    /// If `n` is more than [`SendRing::len`].
    #[inline]
    pub fn consume(&mut self, n: usize) {
        assert!(n <= self.len(), "consume {n} of {}", self.len);
        self.len -= n as u32;
        self.head = if self.len == 0 { 0 } else { self.place(n) as u32 };
    }

    /// Gives back the memory that is not needed for what is held.
    pub fn shrink(&mut self) {
        self.scratch = Box::default();
        if self.len == 0 {
            self.buf = Box::default();
        } else if capacity(self.len()) < self.buf.len() {
            self.resize(capacity(self.len()));
        }
    }

    /// Bytes of memory the ring holds now.
    pub fn memory(&self) -> usize {
        self.buf.len() + self.scratch.len()
    }

    /// Where in `buf` the byte `offset` behind the oldest is; its length is a power of two.
    #[inline]
    fn place(&self, offset: usize) -> usize {
        (self.head as usize + offset) & (self.buf.len() - 1)
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.len() + more > self.buf.len() {
            self.resize(capacity(self.len() + more));
        }
    }

    #[cold]
    fn resize(&mut self, capacity: usize) {
        let mut buf = vec![0; capacity].into_boxed_slice();
        let len = self.copy_out(0, &mut buf);
        debug_assert_eq!(len, self.len());
        self.buf = buf;
        self.head = 0;
    }

    fn copy_in(&mut self, data: &[u8]) {
        let at = self.place(self.len());
        let first = data.len().min(self.buf.len() - at);
        self.buf[at..at + first].copy_from_slice(&data[..first]);
        self.buf[..data.len() - first].copy_from_slice(&data[first..]);
        self.len += data.len() as u32;
    }
}

fn bounded(limit: usize) -> u32 {
    limit.clamp(MIN_LIMIT, 1 << 30) as u32
}

/// The allocation for `need` bytes.
fn capacity(need: usize) -> usize {
    need.next_power_of_two().max(MIN_CAPACITY)
}

#[cfg(test)]
mod tests;
