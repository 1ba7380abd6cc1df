//! A stream of bytes cut into messages, with the place of each.

use std::io;

use ferroflow_wire::splitter::{SplitError, Splitter};

/// A message of a stream, or what is wrong with the stream there.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    /// Bytes from the start of the stream.
    pub(crate) at: u64,
    pub(crate) what: Result<&'a [u8], Fault>,
}

/// Why a stream has no message at a place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The next message cannot be found.
    #[error("{0}; where the next message begins is not known")]
    BadLength(#[from] SplitError),
    /// The stream ends within a message.
    #[error("truncated: {}, {} there", announced(*.need), .bytes.len())]
    Truncated {
        /// What is there of it.
        bytes: Vec<u8>,
        /// Its length, if its header is there.
        need: Option<u16>,
    },
    /// The capture lacks a part of the stream.
    #[error("{missing} bytes are missing in the capture{}", of_a_message(*.cut))]
    Gap {
        missing: u64,
        /// Bytes of a message that the gap cuts.
        cut: usize,
    },
    /// No message began here.
    #[error("{bytes} bytes passed over: no message begins there")]
    PassedOver { bytes: u64 },
}

fn announced(need: Option<u16>) -> String {
    need.map_or_else(|| "8 bytes of header needed".to_owned(), |need| format!("{need} bytes announced"))
}

fn of_a_message(cut: usize) -> String {
    if cut == 0 { String::new() } else { format!(", behind {cut} bytes of a message") }
}

/// Where the pieces go.
pub(crate) trait Sink: FnMut(Piece<'_>) -> io::Result<()> {}
impl<F: FnMut(Piece<'_>) -> io::Result<()>> Sink for F {}

/// Cuts one stream. It keeps at most one message.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    splitter: Splitter,
    /// Where the next message begins.
    at: u64,
    broken: bool,
}

impl Cutter {
    /// Takes the next bytes of the stream. Behind a length that cannot be it passes everything over.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut impl Sink) -> io::Result<()> {
        while !self.broken {
            match self.splitter.next(&mut bytes) {
                Ok(Some(message)) => {
                    sink(Piece { at: self.at, what: Ok(message) })?;
                    self.at += message.len() as u64;
                }
                Ok(None) => break,
                Err(error) => {
                    self.broken = true;
                    sink(Piece { at: self.at, what: Err(error.into()) })?;
                }
            }
        }
        Ok(())
    }

    /// The stream has ended.
    pub(crate) fn end(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        let bytes = self.splitter.partial();
        if self.broken || bytes.is_empty() {
            return Ok(());
        }
        let need = bytes.get(2..4).map(|length| u16::from_be_bytes([length[0], length[1]]));
        let need = need.filter(|_| bytes.len() >= 8);
        let fault = Fault::Truncated { bytes: bytes.to_vec(), need };
        self.broken = true;
        sink(Piece { at: self.at, what: Err(fault) })
    }

    /// Where the next message begins, in bytes from the start of the stream.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Bytes of an unfinished message.
    pub(crate) fn pending(&self) -> usize {
        self.splitter.pending()
    }

    /// Whether the next message cannot be found.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Begins anew at `at`.
    pub(crate) fn restart(&mut self, at: u64) {
        *self = Self { at, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places and texts of what comes of `bytes` in pieces of `size`.
    fn cut(bytes: &[u8], size: usize) -> Vec<(u64, Result<Vec<u8>, String>)> {
        let mut seen = Vec::new();
        let mut sink = |piece: Piece<'_>| {
            seen.push((piece.at, piece.what.map(<[u8]>::to_vec).map_err(|fault| fault.to_string())));
            Ok(())
        };
        let mut cutter = Cutter::default();
        for piece in bytes.chunks(size) {
            cutter.feed(piece, &mut sink).unwrap();
        }
        cutter.end(&mut sink).unwrap();
        seen
    }

    const HELLO: [u8; 8] = [4, 0, 0, 8, 0, 0, 0, 1];
    const ECHO: [u8; 10] = [4, 2, 0, 10, 0, 0, 0, 1, 7, 7];

    #[test]
    fn messages_have_their_places_however_they_come() {
        let bytes = [&HELLO[..], &ECHO, &HELLO].concat();
        let wanted = vec![(0, Ok(HELLO.to_vec())), (8, Ok(ECHO.to_vec())), (18, Ok(HELLO.to_vec()))];
        for size in 1..=bytes.len() {
            assert_eq!(cut(&bytes, size), wanted, "pieces of {size}");
        }
    }

    #[test]
    fn what_is_cut_is_told() {
        for size in [1, 3, 100] {
            let seen = cut(&[&HELLO[..], &ECHO[..9]].concat(), size);
            assert_eq!(seen[1], (8, Err("truncated: 10 bytes announced, 9 there".to_owned())));
            let seen = cut(&[&HELLO[..], &ECHO[..5]].concat(), size);
            assert_eq!(seen[1], (8, Err("truncated: 8 bytes of header needed, 5 there".to_owned())));
            assert!(cut(&[], size).is_empty());
        }
    }

    #[test]
    fn a_bad_length_ends_it_once() {
        let seen = cut(&[&HELLO[..], &[4, 0, 0, 7, 0, 0, 0, 9], &HELLO].concat(), 100);
        assert_eq!(seen.len(), 2);
        let (at, text) = &seen[1];
        assert!(*at == 8 && text.as_ref().unwrap_err().contains("shorter than its header"), "{text:?}");
    }
}
