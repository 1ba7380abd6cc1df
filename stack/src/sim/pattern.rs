//! Streams of bytes that all follow from the first eight.

/// Bytes at the start of a stream that tell the rest: a random number and its check.
pub const HEADER_LEN: u64 = 16;

/// Byte number `position` of the stream of `nonce`.
fn byte(nonce: u64, position: u64) -> u8 {
    let word = match position / 8 {
        0 => nonce,
        n => mix(nonce ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    };
    word.to_be_bytes()[(position % 8) as usize]
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The writing end.
#[derive(Debug)]
pub(super) struct Writer {
    nonce: u64,
    position: u64,
}

impl Writer {
    pub(super) fn new(nonce: u64) -> Writer {
        Writer { nonce, position: 0 }
    }

    pub(super) fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Bytes written so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next `n` bytes.
    pub(super) fn peek(&self, n: usize) -> Vec<u8> {
        (self.position..self.position + n as u64).map(|at| byte(self.nonce, at)).collect()
    }

    /// `n` bytes were written.
    pub(super) fn advance(&mut self, n: usize) {
        self.position += n as u64;
    }
}

/// The reading end.
#[derive(Debug, Default)]
pub(super) struct Reader {
    nonce: u64,
    position: u64,
    wrong: bool,
}

impl Reader {
    /// The stream's number, once its check has been read and was right.
    pub(super) fn nonce(&self) -> Option<u64> {
        (self.position >= HEADER_LEN && !self.wrong).then_some(self.nonce)
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The position of the first one that is wrong.
    pub(super) fn check(&mut self, bytes: &[u8]) -> Result<(), u64> {
        let mut result = Ok(());
        for &got in bytes {
            if self.position < 8 {
                self.nonce = self.nonce << 8 | u64::from(got);
            } else if got != byte(self.nonce, self.position) && result.is_ok() {
                self.wrong = true;
                result = Err(self.position);
            }
            self.position += 1;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_recognised_in_any_pieces_and_an_error_found() {
        let mut writer = Writer::new(0x0123_4567_89ab_cdef);
        let mut reader = Reader::default();
        for n in [1, 6, 3, 90, 0, 1000] {
            let bytes = writer.peek(n);
            writer.advance(n);
            assert_eq!(reader.check(&bytes), Ok(()));
        }
        assert_eq!(reader.nonce(), Some(writer.nonce()));
        assert_eq!(reader.position(), 1100);
        let mut bytes = writer.peek(10);
        bytes[4] ^= 1;
        assert_eq!(reader.check(&bytes), Err(1104));
        assert_eq!(reader.nonce(), None);
    }
}
