//! The bytes of one direction of a connection: a ring that grows up to a limit.

/// Smallest allocation of a ring, in bytes.
const MIN_CAPACITY: usize = 4096;

/// A connection's send ring: what the service wrote and the peer has not acknowledged (or the kernel has not taken).
///
/// It allocates nothing until the first write and doubles up to its limit; a message is always handed out
/// contiguous ([`SendRing::write_with`]), a wrap being hidden. Both the own stack and the kernel-socket backend
/// use it, so code above may hold a plain `&mut SendRing` whatever runs below.
#[derive(Debug)]
pub struct SendRing {
    buf: Vec<u8>,
    /// Absolute position of the first byte kept; its place in `buf` is this modulo the length.
    head: usize,
    len: usize,
    limit: usize,
    short: bool,
    scratch: Vec<u8>,
}

impl SendRing {
    /// An empty ring that holds at most `limit` bytes (rounded up to a power of two of at least 4096).
    pub fn new(limit: usize) -> SendRing {
        let limit = limit.max(MIN_CAPACITY).next_power_of_two();
        SendRing { buf: Vec::new(), head: 0, len: 0, limit, short: false, scratch: Vec::new() }
    }

    /// Bytes held.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is held.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many more bytes can be written.
    #[inline]
    pub fn room(&self) -> usize {
        self.limit - self.len
    }

    /// Most bytes it ever holds.
    #[inline]
    pub fn limit(&self) -> usize {
        self.limit
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
        let mask = self.buf.len() - 1;
        let at = (self.head.wrapping_add(self.len)) & mask;
        if at + len <= self.buf.len() {
            fill(&mut self.buf[at..at + len]);
            self.len += len;
        } else {
            self.write_wrapped(len, fill);
        }
        true
    }

    #[cold]
    fn write_wrapped(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.resize(len, 0);
        fill(&mut scratch);
        self.copy_in(&scratch);
        self.scratch = scratch;
    }

    /// The bytes from `offset` (counted from the oldest) on, at most `len` of them, in up to two pieces.
    #[inline]
    pub fn slices(&self, offset: usize, len: usize) -> (&[u8], &[u8]) {
        let offset = offset.min(self.len);
        let len = len.min(self.len - offset);
        if len == 0 {
            return (&[], &[]);
        }
        let at = self.head.wrapping_add(offset) & (self.buf.len() - 1);
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
        assert!(n <= self.len, "consume {n} of {}", self.len);
        self.len -= n;
        self.head = if self.len == 0 { 0 } else { self.head.wrapping_add(n) & (self.buf.len() - 1) };
    }

    /// Bytes of memory the ring holds now.
    pub fn memory(&self) -> usize {
        self.buf.capacity() + self.scratch.capacity()
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.len + more > self.buf.len() {
            self.grow(self.len + more);
        }
    }

    #[cold]
    fn grow(&mut self, need: usize) {
        let capacity = need.next_power_of_two().clamp(MIN_CAPACITY, self.limit);
        let mut buf = vec![0; capacity];
        let len = self.copy_out(0, &mut buf);
        debug_assert_eq!(len, self.len);
        self.buf = buf;
        self.head = 0;
    }

    fn copy_in(&mut self, data: &[u8]) {
        let at = self.head.wrapping_add(self.len) & (self.buf.len() - 1);
        let first = data.len().min(self.buf.len() - at);
        self.buf[at..at + first].copy_from_slice(&data[..first]);
        self.buf[..data.len() - first].copy_from_slice(&data[first..]);
        self.len += data.len();
    }
}
