//! Hex text: two digits a byte; white space, and `#` to the end of its line, are passed over.

use std::io::{self, BufRead};

/// Text that is not hex.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HexError {
    #[error("line {line}, column {column}: {found:?} is no hex digit{}", hint(*.found))]
    NotADigit { line: u64, column: u64, found: char },
    #[error("line {line}: a hex digit without a second one: two make a byte")]
    OddDigit { line: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn hint(found: char) -> &'static str {
    if found.is_ascii_graphic() { "" } else { " (are these raw bytes? Then give --binary)" }
}

/// Reads `text` piece by piece and hands its bytes to `sink`.
pub(crate) fn read(
    mut text: impl BufRead,
    mut sink: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), HexError> {
    let mut state = State { line: 1, ..State::default() };
    let mut bytes = Vec::new();
    loop {
        let piece = text.fill_buf()?;
        if piece.is_empty() {
            break;
        }
        let read = piece.iter().try_for_each(|&c| state.take(c, &mut bytes));
        let len = piece.len();
        // What was right before a wrong letter is still a part of the stream.
        sink(&bytes)?;
        bytes.clear();
        read?;
        text.consume(len);
    }
    if state.high.is_some() { Err(HexError::OddDigit { line: state.line }) } else { Ok(()) }
}

#[derive(Default)]
struct State {
    /// The first digit of a byte.
    high: Option<u8>,
    comment: bool,
    line: u64,
    column: u64,
}

impl State {
    fn take(&mut self, c: u8, bytes: &mut Vec<u8>) -> Result<(), HexError> {
        self.column += 1;
        match c {
            b'\n' => {
                (self.line, self.column) = (self.line + 1, 0);
                self.comment = false;
            }
            _ if self.comment || c.is_ascii_whitespace() => {}
            b'#' => self.comment = true,
            c => {
                let found = char::from(c);
                let error = HexError::NotADigit { line: self.line, column: self.column, found };
                let digit = found.to_digit(16).ok_or(error)? as u8;
                match self.high.take() {
                    None => self.high = Some(digit),
                    Some(high) => bytes.push(high << 4 | digit),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn bytes(text: &str) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        let mut pieces = Vec::new();
        for size in [1, 2, 1000] {
            all.clear();
            let read = read(BufReader::with_capacity(size, text.as_bytes()), |bytes| {
                all.extend_from_slice(bytes);
                Ok(())
            });
            pieces.push(read.map(|()| all.clone()).map_err(|e| e.to_string()));
        }
        assert!(pieces.windows(2).all(|two| two[0] == two[1]), "{pieces:?}");
        pieces.pop().unwrap()
    }

    #[test]
    fn space_and_comments_are_passed_over() {
        assert_eq!(bytes("04 0\t0\r\n00 # a comment: zz 0 #\n # another\n0 8"), Ok(vec![4, 0, 0, 8]));
        assert_eq!(bytes("aAfF"), Ok(vec![0xaa, 0xff]));
        assert_eq!(bytes(""), Ok(vec![]));
        assert_eq!(bytes("# nothing"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_hex_is_named_with_its_place() {
        assert_eq!(bytes("04\n0x00"), Err("line 2, column 2: 'x' is no hex digit".to_owned()));
        assert!(bytes("\u{4}\0").unwrap_err().contains("--binary"));
        assert!(bytes("04 0").unwrap_err().contains("two make a byte"));
    }
}
