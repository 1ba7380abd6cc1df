use super::error::WriteError;

/// Builds a message in a vector. What cannot be written is remembered, and is the error of [`finish`](Self::finish).
#[derive(Debug, Default)]
pub struct Writer {
    buf: Vec<u8>,
    version: u8,
    error: Option<WriteError>,
}

/// The place of a length or count that is filled in later.
#[derive(Debug, Clone, Copy)]
pub struct Hole {
    at: usize,
    width: usize,
    field: &'static str,
}

impl Hole {
    /// Its offset from the start of the message.
    pub fn offset(self) -> usize {
        self.at
    }
}

impl Writer {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty message of `version`, whose structures are held to what this version has. 0 is any version.
    pub fn for_version(version: u8) -> Self {
        Self { version, ..Self::default() }
    }

    /// The version given to [`for_version`](Self::for_version), or 0.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Bytes written so far.
    pub fn offset(&self) -> usize {
        self.buf.len()
    }

    /// Appends `bytes`.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Appends `n` zero bytes of padding.
    pub fn zeros(&mut self, n: usize) {
        self.buf.resize(self.buf.len() + n, 0);
    }

    /// Pads with zeros to a multiple of `unit` bytes from offset `start`.
    pub fn align(&mut self, start: usize, unit: usize) {
        let len = self.buf.len() - start;
        self.zeros(len.next_multiple_of(unit) - len);
    }

    /// Leaves `width` bytes (at most 8) for a number that is known later; `field` is its name in an error.
    pub fn hole(&mut self, width: usize, field: &'static str) -> Hole {
        let at = self.buf.len();
        self.zeros(width);
        Hole { at, width, field }
    }

    /// Fills a hole with `value`, big-endian.
    pub fn fill(&mut self, hole: Hole, value: usize) {
        let Hole { at, width, field } = hole;
        let bytes = (value as u64).to_be_bytes();
        let (over, fits) = bytes.split_at(8 - width);
        if over.iter().any(|&b| b != 0) {
            self.fail(field, "too great for its field");
        }
        self.buf[at..at + width].copy_from_slice(fits);
    }

    /// Notes that `field` cannot be written. The first such error is kept.
    pub fn fail(&mut self, field: &'static str, what: &'static str) {
        self.error.get_or_insert(WriteError { field, what });
    }

    /// The message.
    ///
    /// # Errors
    /// When a part of it could not be written.
    pub fn finish(self) -> Result<Vec<u8>, WriteError> {
        match self.error {
            None => Ok(self.buf),
            Some(error) => Err(error),
        }
    }
}
