//! The bytes of a transfer: both ends know what every one of them has to be.

use std::sync::Arc;

/// Length of the block that a stream repeats: it divides neither segments nor buffers, so that a shift is seen.
const BLOCK: usize = 1_000_003;

/// A stream of bytes drawn from a seed.
#[derive(Debug, Clone)]
pub struct Stream {
    block: Arc<[u8]>,
}

impl Stream {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Stream {
        let mut block = vec![0; BLOCK];
        fastrand::Rng::with_seed(seed).fill(&mut block);
        Stream { block: block.into() }
    }

    /// Bytes from position `at` on, at most `most`, at least one if `most` is not 0.
    pub fn at(&self, at: u64, most: u64) -> &[u8] {
        let start = (at % BLOCK as u64) as usize;
        let len = usize::try_from(most).unwrap_or(BLOCK).min(BLOCK - start);
        &self.block[start..start + len]
    }

    /// Compares what arrived at position `at`.
    ///
    /// # Errors
    /// The position of the first piece that is wrong.
    pub fn check(&self, mut at: u64, mut arrived: &[u8]) -> Result<(), u64> {
        while !arrived.is_empty() {
            let wanted = self.at(at, arrived.len() as u64);
            let (piece, rest) = arrived.split_at(wanted.len());
            if piece != wanted {
                return Err(at);
            }
            at += piece.len() as u64;
            arrived = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_checked_across_its_blocks_and_a_wrong_byte_found() {
        let stream = Stream::new(4);
        let start = BLOCK as u64 - 10;
        let mut bytes = stream.at(start, 100).to_vec();
        assert_eq!(bytes.len(), 10);
        bytes.extend_from_slice(stream.at(BLOCK as u64, 90));
        assert_eq!(stream.check(start, &bytes), Ok(()));
        assert_eq!(stream.check(start + 1, &bytes), Err(start + 1));
        bytes[50] ^= 1;
        assert_eq!(stream.check(start, &bytes), Err(BLOCK as u64));
        assert_eq!(Stream::new(5).check(start, stream.at(start, 10)), Err(start));
    }
}
