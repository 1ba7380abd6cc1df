//! The Internet checksum (RFC 1071), its pseudo-header and its incremental update (RFC 1624).

use std::net::Ipv4Addr;

/// A one's complement sum that is not complemented yet. Sums of parts can be combined.
///
/// It holds the value as if all words had been read in network order, folded to 16 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum(u16);

impl Sum {
    /// The sum of no bytes.
    pub const ZERO: Sum = Sum(0);

    /// The sum of `bytes`; an odd last byte is padded with a zero (RFC 1071 1).
    #[inline]
    pub fn of(bytes: &[u8]) -> Sum {
        // RFC 1071 2 (B): the sum is independent of the byte order, so sum in ours and swap once.
        Sum(u16::from_be(fold(native_sum(bytes))))
    }

    /// The sum of words that were added up without folding: at most 65,537 of them.
    #[inline]
    pub(crate) const fn of_words_added(sum: u32) -> Sum {
        // Once leaves at most 1_fffe, twice the carry of that.
        let sum = (sum & 0xffff) + (sum >> 16);
        Sum(((sum & 0xffff) + (sum >> 16)) as u16)
    }

    /// Adds `bytes` that start at an even offset of the summed data.
    #[inline]
    pub fn add_bytes(self, bytes: &[u8]) -> Sum {
        self.combine(Sum::of(bytes))
    }

    /// Adds one word.
    #[inline]
    pub const fn add_u16(self, word: u16) -> Sum {
        let (sum, carry) = self.0.overflowing_add(word);
        // Cannot overflow again: after a carry the sum is at most 0xfffe.
        Sum(sum + carry as u16)
    }

    /// Adds two words.
    #[inline]
    pub const fn add_u32(self, words: u32) -> Sum {
        self.add_u16((words >> 16) as u16).add_u16(words as u16)
    }

    /// The sum of this part followed by `next`, where this part has an even number of bytes.
    #[inline]
    pub const fn combine(self, next: Sum) -> Sum {
        self.add_u16(next.0)
    }

    /// The sum of this part followed by `next`, where this part has an odd number of bytes: each byte of `next` then
    /// stands in the other half of its word (RFC 1071 2 (B)).
    #[inline]
    pub const fn combine_at_odd(self, next: Sum) -> Sum {
        self.add_u16(next.0.swap_bytes())
    }

    /// The folded sum, not complemented: what a port with checksum offload wants in the checksum field.
    #[inline]
    pub const fn folded(self) -> u16 {
        self.0
    }

    /// The checksum: the complement of the sum.
    #[inline]
    pub const fn checksum(self) -> u16 {
        !self.0
    }

    /// Whether data summed with its checksum in place is right.
    #[inline]
    pub const fn is_valid(self) -> bool {
        self.0 == 0xffff
    }
}

/// The checksum of `bytes`.
#[inline]
pub fn checksum(bytes: &[u8]) -> u16 {
    Sum::of(bytes).checksum()
}

/// The sum of the pseudo-header of TCP (RFC 9293 3.1) and UDP (RFC 768) over IPv4.
/// `len` is the length of header and payload in bytes; a TSO super-segment's may exceed 65,535 with its headers.
#[inline]
pub const fn pseudo_header_v4(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, len: u32) -> Sum {
    Sum::of_words_added(
        added_words(src.to_bits()) + added_words(dst.to_bits()) + protocol as u32 + added_words(len),
    )
}

/// The checksum after a word under it changed from `old` to `new` (RFC 1624 3, equation 3).
#[inline]
pub const fn update_u16(checksum: u16, old: u16, new: u16) -> u16 {
    Sum(!checksum).add_u16(!old).add_u16(new).checksum()
}

/// The checksum after two words under it (an address, at an even offset) changed from `old` to `new`.
#[inline]
pub const fn update_u32(checksum: u16, old: u32, new: u32) -> u16 {
    Sum(!checksum).add_u32(!old).add_u32(new).checksum()
}

/// The two words of 32 bits, added.
#[inline]
pub(crate) const fn added_words(words: u32) -> u32 {
    (words >> 16) + (words & 0xffff)
}

#[inline]
fn fold(mut sum: u64) -> u16 {
    sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum as u16
}

/// Sums 32-bit words in our byte order into 64 bits: no carry can be lost below 16 GiB of data. Four independent lanes
/// of 64 bits are what the compiler keeps in vector registers best, even with SSE2 alone.
#[inline]
fn native_sum(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if chunks.is_empty() {
        return short_sum(rest);
    }
    long_sum(chunks) + short_sum(rest)
}

fn long_sum(chunks: &[[u8; 32]]) -> u64 {
    let mut lanes = [0; 4];
    for chunk in chunks {
        for (lane, words) in lanes.iter_mut().zip(chunk.as_chunks::<8>().0) {
            *lane += halves(*words);
        }
    }
    lanes.iter().sum()
}

#[inline]
fn short_sum(bytes: &[u8]) -> u64 {
    let (words, mut rest) = bytes.as_chunks::<8>();
    let mut sum: u64 = words.iter().map(|w| halves(*w)).sum();
    if let Some((word, behind)) = rest.split_first_chunk::<4>() {
        sum += u64::from(u32::from_ne_bytes(*word));
        rest = behind;
    }
    if let Some((word, behind)) = rest.split_first_chunk::<2>() {
        sum += u64::from(u16::from_ne_bytes(*word));
        rest = behind;
    }
    match rest {
        [last, ..] => sum + u64::from(u16::from_ne_bytes([*last, 0])),
        [] => sum,
    }
}

/// The sum of the two 32-bit words of eight bytes.
#[inline]
fn halves(bytes: [u8; 8]) -> u64 {
    let words = u64::from_ne_bytes(bytes);
    (words & 0xffff_ffff) + (words >> 32)
}

#[cfg(test)]
mod tests;
