//! Bytes that no field owns. WIRE.md wants zeros there; switches that reuse their buffers leave rubbish.

use ferroflow_wire::codec::{Bytes, Json, JsonError, Value};
use ferroflow_wire::structure;

/// Bytes of padding and of unused slots that are not zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unused {
    /// Where they are, in bytes from the start of the message, and how many in a row.
    runs: Vec<(u16, u16)>,
    bytes: Vec<u8>,
}

structure! {
    /// Bytes in a row, as people see them.
    struct Run {
        offset: u16,
        bytes: Bytes,
    }
}

impl Unused {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds bytes in a row, `offset` bytes from the start of the message. At most 65535 are taken.
    pub fn push(&mut self, offset: u16, bytes: &[u8]) {
        let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.runs.push((offset, len));
        self.bytes.extend_from_slice(&bytes[..len.into()]);
    }

    /// Bytes in a row, with where they are.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let mut rest = &self.bytes[..];
        self.runs.iter().map(move |&(offset, len)| {
            let (bytes, after) = rest.split_at(len.into());
            rest = after;
            (offset, bytes)
        })
    }

    /// Where `msg` differs from `plain`.
    pub(crate) fn between(plain: &[u8], msg: &[u8]) -> Self {
        let mut found = Self::default();
        for (at, (&plain, &byte)) in plain.iter().zip(msg).enumerate() {
            if plain == byte {
                continue;
            }
            match found.runs.last_mut() {
                Some((offset, len)) if usize::from(*offset) + usize::from(*len) == at => *len += 1,
                _ => found.runs.push((at as u16, 1)),
            }
            found.bytes.push(byte);
        }
        found
    }

    /// Puts the bytes where they were. The error is an offset past the end.
    pub(crate) fn lay_into(&self, msg: &mut [u8]) -> Result<(), u16> {
        for (offset, bytes) in self.iter() {
            let at = usize::from(offset);
            msg.get_mut(at..at + bytes.len()).ok_or(offset)?.copy_from_slice(bytes);
        }
        Ok(())
    }
}

impl Json for Unused {
    fn to_json(&self) -> Value {
        let run = |(offset, bytes): (u16, &[u8])| Run { offset, bytes: bytes.into() }.to_json();
        Value::List(self.iter().map(run).collect())
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let mut unused = Self::default();
        for Run { offset, bytes } in Vec::<Run>::from_json(value)? {
            unused.push(offset, &bytes);
        }
        Ok(unused)
    }
}
