//! Bytes that no field owns. The specification wants zeros there; switches that reuse their buffers leave rubbish.

use ferroflow_wire::codec::Bytes;
use ferroflow_wire::structure;

structure! {
    /// Bytes in a row, in padding or in an unused slot.
    pub struct UnusedBytes {
        /// Where, in bytes from the start of the message.
        offset: u16,
        /// What is there instead of zeros.
        bytes: Bytes,
    }
}

/// Where `msg` differs from `plain`.
pub(crate) fn between(plain: &[u8], msg: &[u8]) -> Vec<UnusedBytes> {
    let mut found: Vec<UnusedBytes> = Vec::new();
    for (at, (&plain, &byte)) in plain.iter().zip(msg).enumerate() {
        if plain == byte {
            continue;
        }
        match found.last_mut() {
            Some(last) if usize::from(last.offset) + last.bytes.len() == at => last.bytes.0.push(byte),
            _ => found.push(UnusedBytes { offset: at as u16, bytes: Bytes(vec![byte]) }),
        }
    }
    found
}

/// Puts the bytes where they were. The error is an offset past the end.
pub(crate) fn put(unused: &[UnusedBytes], msg: &mut [u8]) -> Result<(), u16> {
    for UnusedBytes { offset, bytes } in unused {
        let at = usize::from(*offset);
        let place = msg.get_mut(at..at + bytes.len()).ok_or(*offset)?;
        place.copy_from_slice(bytes);
    }
    Ok(())
}
