//! Frames that belong to no connection (ARP, ICMP, resets), kept until the end of the burst.

/// Bytes kept at most; what does not fit is dropped, as a full card would.
const CAPACITY: usize = 128 * 1024;

/// Whole frames, one behind the other, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Frames already on the port.
    sent: usize,
}

impl Outbox {
    /// Adds a frame of `len` bytes, zeroed and then filled in by `fill`. Returns whether there was room.
    pub(super) fn push(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        let start = self.bytes.len();
        if start + len > CAPACITY {
            return false;
        }
        self.bytes.resize(start + len, 0);
        fill(&mut self.bytes[start..]);
        self.ends.push(start + len);
        true
    }

    /// The oldest frame not sent yet.
    pub(super) fn front(&self) -> Option<&[u8]> {
        let end = *self.ends.get(self.sent)?;
        let start = if self.sent == 0 { 0 } else { self.ends[self.sent - 1] };
        Some(&self.bytes[start..end])
    }

    /// The oldest frame is on the port.
    pub(super) fn pop(&mut self) {
        self.sent += 1;
        if self.sent >= self.ends.len() {
            self.bytes.clear();
            self.ends.clear();
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_is_bounded() {
        let mut out = Outbox::default();
        assert!(out.push(3, |b| b.copy_from_slice(b"abc")));
        assert!(out.push(2, |b| b.copy_from_slice(b"de")));
        assert!(!out.push(CAPACITY - 4, |_| {}));
        assert_eq!(out.front(), Some(&b"abc"[..]));
        out.pop();
        assert_eq!(out.front(), Some(&b"de"[..]));
        out.pop();
        assert!(out.front().is_none());
        assert!(out.push(CAPACITY, |_| {}));
    }
}
