//! The keys of the hash, by name or as `ethtool -x` prints them.

use std::str::FromStr;

/// Bytes of a Toeplitz key.
pub const KEY_LEN: usize = 40;

/// The key of Microsoft's verification suite, which many drivers use by default.
pub const DEFAULT_KEY: Key = [
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0,
    0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
    0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
];

/// Both directions of a connection have the same hash under this key: its 16 bits repeat, so that an address and a
/// port may change places with the other. For a program that must see both directions of what it forwards on one core
/// (S. Woo and K. Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling", 2012).
pub const SYMMETRIC_KEY: Key = {
    let mut key = [0x6d; KEY_LEN];
    let mut at = 1;
    while at < KEY_LEN {
        key[at] = 0x5a;
        at += 2;
    }
    key
};

/// A Toeplitz key.
pub type Key = [u8; KEY_LEN];

/// A key as a person writes it: `microsoft`, `symmetric`, or 40 bytes in hex with or without colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedKey(pub Key);

/// What is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no key: use `microsoft`, `symmetric`, or the 40 bytes that `ethtool -x` shows (6d:5a:56:...)"
)]
pub struct BadKey(String);

impl FromStr for NamedKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<NamedKey, BadKey> {
        match text {
            "microsoft" => Ok(NamedKey(DEFAULT_KEY)),
            "symmetric" => Ok(NamedKey(SYMMETRIC_KEY)),
            _ => hex(text).map(NamedKey).ok_or_else(|| BadKey(text.to_owned())),
        }
    }
}

fn hex(text: &str) -> Option<Key> {
    let digits: Vec<u32> =
        text.chars().filter(|&c| c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair.get(1).unwrap_or(&0)) as u8).collect();
    if digits.len() == 2 * KEY_LEN { bytes.try_into().ok() } else { None }
}
