//! Hex with comments, and the check that a fixed message reads and writes as written by hand.

use ferroflow_openflow::{DecodeError, Encode};
use std::fmt::Debug;

/// Bytes from hex text; white space and what follows a `#` in a line are passed over.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().bytes())
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    assert!(digits.len().is_multiple_of(2), "whole bytes");
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// `value` writes as `text`, and `text` reads as `value`.
pub fn golden<T: Encode + PartialEq + Debug>(
    text: &str,
    value: &T,
    parse: impl Fn(&[u8]) -> Result<T, DecodeError>,
) {
    let bytes = hex(text);
    assert_eq!(value.to_vec(), bytes);
    assert_eq!(parse(&bytes).as_ref(), Ok(value));
    for len in 0..bytes.len() {
        assert!(parse(&bytes[..len]).is_err(), "cut to {len} bytes");
    }
}
