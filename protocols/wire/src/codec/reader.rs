use super::error::{ReadError, Reason};

/// How deep structures with a length of their own may be nested.
pub const MAX_DEPTH: u8 = 24;

/// Reads a message from its bytes, front to back.
///
/// A structure that tells its own length [`narrow`](Self::narrow)s the reader to it and
/// [`widen`](Self::widen)s it afterwards, so that nothing inside can read past it and nothing is left over.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
    end: usize,
    depth: u8,
    version: u8,
}

/// The end of the enclosing structure, for [`Reader::widen`].
#[derive(Debug)]
#[must_use = "a narrowed reader is widened again"]
pub struct Outer(usize);

impl<'a> Reader<'a> {
    /// Reads `bytes`, whose first byte has offset 0. `version` is what structures that differ between versions
    /// go by: OpenFlow's version byte, POF's profile.
    pub fn new(bytes: &'a [u8], version: u8) -> Self {
        Self { bytes, pos: 0, end: bytes.len(), depth: 0, version }
    }

    /// The version given to [`new`](Self::new).
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Bytes from the start of the message to the next field.
    pub fn offset(&self) -> usize {
        self.pos
    }

    /// Bytes left of the structure that is read.
    pub fn remaining(&self) -> usize {
        self.end - self.pos
    }

    /// Whether the structure that is read has ended.
    pub fn is_empty(&self) -> bool {
        self.pos == self.end
    }

    /// An error at the next field.
    #[cold]
    pub fn error(&self, reason: Reason) -> ReadError {
        ReadError::new(self.pos, reason)
    }

    #[cold]
    fn truncated(&self, need: usize) -> ReadError {
        self.error(Reason::Truncated { need, have: self.remaining() })
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// When there are not as many.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], ReadError> {
        if n > self.remaining() {
            return Err(self.truncated(n));
        }
        let bytes = &self.bytes[self.pos..self.pos + n];
        self.pos += n;
        Ok(bytes)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// When there are not as many.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        match self.bytes[self.pos..self.end].first_chunk() {
            Some(chunk) => {
                self.pos += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// All bytes left of the structure that is read.
    pub fn rest(&mut self) -> &'a [u8] {
        let bytes = &self.bytes[self.pos..self.end];
        self.pos = self.end;
        bytes
    }

    /// All bytes left of the structure that is read, which stay to be read.
    pub fn peek(&self) -> &'a [u8] {
        &self.bytes[self.pos..self.end]
    }

    /// Passes over `n` bytes of padding, whatever is in them.
    ///
    /// # Errors
    /// When there are not as many.
    pub fn skip(&mut self, n: usize) -> Result<(), ReadError> {
        self.bytes(n).map(|_| ())
    }

    /// Passes over padding up to a multiple of `unit` bytes from offset `start`.
    ///
    /// # Errors
    /// When the padding is not there.
    pub fn align(&mut self, start: usize, unit: usize) -> Result<(), ReadError> {
        self.skip((self.pos - start).next_multiple_of(unit) - (self.pos - start))
    }

    /// Confines the reader to the next `len` bytes.
    ///
    /// # Errors
    /// When there are not as many, or the nesting is too deep.
    pub fn narrow(&mut self, len: usize) -> Result<Outer, ReadError> {
        self.narrow_from(self.pos, len, self.pos)
    }

    /// Confines the reader to the structure that began at offset `start` and is `len` bytes long as a whole, as its
    /// length field at offset `at` says.
    ///
    /// # Errors
    /// When it would end before the next field or after the enclosing structure, or the nesting is too deep.
    pub fn narrow_from(&mut self, start: usize, len: usize, at: usize) -> Result<Outer, ReadError> {
        let end = start.saturating_add(len);
        if end < self.pos || end > self.end {
            return Err(ReadError::new(at, Reason::BadLength { length: len as u64 }));
        }
        if self.depth == MAX_DEPTH {
            return Err(ReadError::new(start, Reason::TooDeep));
        }
        self.depth += 1;
        Ok(Outer(std::mem::replace(&mut self.end, end)))
    }

    /// Goes back to the enclosing structure.
    ///
    /// # Errors
    /// When something is left of the inner one.
    pub fn widen(&mut self, outer: Outer) -> Result<(), ReadError> {
        self.finished()?;
        self.depth -= 1;
        self.end = outer.0;
        Ok(())
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub fn finished(&self) -> Result<(), ReadError> {
        match self.remaining() {
            0 => Ok(()),
            bytes => Err(self.error(Reason::Trailing { bytes })),
        }
    }
}
