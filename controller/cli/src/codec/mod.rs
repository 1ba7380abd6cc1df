//! `ferroflow decode` and `ferroflow encode`: messages as JSON for people, and back.
//!
//! | file | what |
//! |---|---|
//! | `decode.rs`, `encode.rs` | the two commands |
//! | `dialect.rs` | a message of OpenFlow or of a profile of POF |
//! | `hex.rs` | hex text |
//! | `cut.rs` | a stream of bytes cut into messages, with their places |
//! | `capture/` | pcap and pcapng: from packets to the streams of their TCP conversations |

mod capture;
mod cut;
mod decode;
mod dialect;
mod encode;
mod hex;

pub(crate) use decode::decode;
pub(crate) use encode::encode;

/// Messages were wrong, or the input was: see stderr.
pub(crate) const WRONG: u8 = 2;
