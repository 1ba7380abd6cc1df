//! What is seen at an attachment point, in a file for Wireshark and its kin.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use ferroflow_stack::Instant;

/// Bytes kept of each frame: all headers, with every TCP option.
const SNAP: usize = 128;

/// A pcap file (draft-ietf-opsawg-pcap 4) with nanoseconds, counted from boot.
#[derive(Debug)]
pub struct Capture {
    file: BufWriter<File>,
}

impl Capture {
    /// A new file at `path`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &std::path::Path) -> io::Result<Capture> {
        let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
        // Magic for nanoseconds, version 2.4, two reserved words, snap length, link type Ethernet.
        for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, SNAP as u32, 1] {
            file.write_all(&u32::to_le_bytes(word))?;
        }
        Ok(Capture { file })
    }

    /// A frame passed at `now`. What cannot be written is missing in the file.
    pub fn frame(&mut self, now: Instant, bytes: &[u8]) {
        let nanos = now.as_nanos();
        let kept = bytes.len().min(SNAP);
        let words =
            [(nanos / 1_000_000_000) as u32, (nanos % 1_000_000_000) as u32, kept as u32, bytes.len() as u32];
        for word in words {
            let _ = self.file.write_all(&word.to_le_bytes());
        }
        let _ = self.file.write_all(&bytes[..kept]);
    }
}
