//! Received bytes, as a service's `data` callback sees them.

/// In-order bytes of a connection, still where they arrived. The service takes what it can use with [`Rx::advance`];
/// what it leaves is kept by the stack, offered again with new data or after [`crate::Net::resume`], and closes
/// the receive window meanwhile.
#[derive(Debug)]
pub struct Rx<'a> {
    chunk: &'a [u8],
    next: &'a [u8],
    taken: usize,
}

impl<'a> Rx<'a> {
    /// Bytes in up to two pieces (the second may be empty): a frame's payload, or the two parts of a ring.
    #[inline]
    pub fn new(first: &'a [u8], second: &'a [u8]) -> Rx<'a> {
        if first.is_empty() {
            return Rx { chunk: second, next: &[], taken: 0 };
        }
        Rx { chunk: first, next: second, taken: 0 }
    }

    /// The next contiguous bytes; empty only when nothing is left.
    #[inline]
    pub fn chunk(&self) -> &'a [u8] {
        self.chunk
    }

    /// Takes `n` bytes of [`Rx::chunk`]; at its end the next piece becomes the chunk.
    ///
    /// # Panics
    /// If `n` is more than the chunk holds.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.chunk = &self.chunk[n..];
        self.taken += n;
        if self.chunk.is_empty() {
            self.chunk = std::mem::take(&mut self.next);
        }
    }

    /// All bytes left, over every piece.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.chunk.len() + self.next.len()
    }

    /// How many bytes have been taken in this event.
    #[inline]
    pub fn taken(&self) -> usize {
        self.taken
    }
}
