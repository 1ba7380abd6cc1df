use super::error::WriteError;

/// Builds a message, at the end of a vector or at the front of a slice that the caller gives. What cannot be written is
/// remembered, and is the error of [`finish`](Self::finish). Nothing is allocated but room in the vector.
#[derive(Debug)]
pub struct Writer<'a> {
    room: Room<'a>,
    /// Bytes written; more than the room when a slice is too short.
    len: usize,
    version: u8,
    error: Option<WriteError>,
}

/// Where the bytes go.
#[derive(Debug)]
enum Room<'a> {
    /// Behind this many bytes that are none of the message's.
    Vector(&'a mut Vec<u8>, usize),
    Slice(&'a mut [u8]),
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

impl<'a> Writer<'a> {
    /// A message of `version`, whose structures are held to what this version has, behind what `bytes` hold already.
    /// Version 0 is any version.
    pub fn append(bytes: &'a mut Vec<u8>, version: u8) -> Self {
        let before = bytes.len();
        Self { room: Room::Vector(bytes, before), len: 0, version, error: None }
    }

    /// As [`append`](Self::append), at the front of `bytes`. When they are too few, the message is counted to its end all
    /// the same.
    pub fn fill_slice(bytes: &'a mut [u8], version: u8) -> Self {
        Self { room: Room::Slice(bytes), len: 0, version, error: None }
    }

    /// The version given at the start, or 0.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Bytes written so far.
    pub fn offset(&self) -> usize {
        self.len
    }

    /// Appends `bytes`.
    pub fn bytes(&mut self, bytes: &[u8]) {
        match &mut self.room {
            Room::Vector(vector, _) => vector.extend_from_slice(bytes),
            Room::Slice(slice) => {
                if let Some(room) = slice.get_mut(self.len..self.len + bytes.len()) {
                    room.copy_from_slice(bytes);
                }
            }
        }
        self.len += bytes.len();
    }

    /// Appends `n` zero bytes of padding.
    pub fn zeros(&mut self, n: usize) {
        match &mut self.room {
            Room::Vector(vector, _) => vector.resize(vector.len() + n, 0),
            Room::Slice(slice) => {
                if let Some(room) = slice.get_mut(self.len..self.len + n) {
                    room.fill(0);
                }
            }
        }
        self.len += n;
    }

    /// Pads with zeros to a multiple of `unit` bytes from offset `start`.
    pub fn align(&mut self, start: usize, unit: usize) {
        let len = self.len - start;
        self.zeros(len.next_multiple_of(unit) - len);
    }

    /// Leaves `width` bytes (at most 8) for a number that is known later; `field` is its name in an error.
    pub fn hole(&mut self, width: usize, field: &'static str) -> Hole {
        let at = self.len;
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
        let (room, at) = match &mut self.room {
            Room::Vector(vector, before) => (&mut vector[..], at + *before),
            Room::Slice(slice) => (&mut slice[..], at),
        };
        if let Some(room) = room.get_mut(at..at + width) {
            room.copy_from_slice(fits);
        }
    }

    /// Notes that `field` cannot be written. The first such error is kept.
    pub fn fail(&mut self, field: &'static str, what: &'static str) {
        self.error.get_or_insert(WriteError { field, what });
    }

    /// The first part that could not be written, if there is any.
    pub fn error(&self) -> Option<WriteError> {
        self.error
    }

    /// Ends the message, and says how many bytes it has.
    ///
    /// # Errors
    /// When a part of it could not be written, or the slice is too short for it.
    pub fn finish(self) -> Result<usize, WriteError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.room {
            Room::Slice(slice) if slice.len() < self.len => {
                Err(WriteError { field: "length", what: "over the bytes that the buffer has" })
            }
            _ => Ok(self.len),
        }
    }
}
