//! TCP sequence numbers.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// A TCP sequence number: arithmetic and comparison are modulo 2^32 (RFC 9293 3.4).
///
/// There is no `Ord`: "less" is relative, so it is not transitive. Two numbers exactly 2^31 apart are each less than
/// the other; no window that RFC 7323 2.3 allows is that wide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// How far `self` is ahead of `other` (negative: behind), for numbers less than 2^31 apart.
    #[inline]
    pub const fn diff(self, other: SeqNumber) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }

    /// `self` is before `other`.
    #[inline]
    pub const fn lt(self, other: SeqNumber) -> bool {
        self.diff(other) < 0
    }

    /// `self` is `other` or before it.
    #[inline]
    pub const fn le(self, other: SeqNumber) -> bool {
        !self.gt(other)
    }

    /// `self` is after `other`.
    #[inline]
    pub const fn gt(self, other: SeqNumber) -> bool {
        other.lt(self)
    }

    /// `self` is `other` or after it.
    #[inline]
    pub const fn ge(self, other: SeqNumber) -> bool {
        !self.lt(other)
    }

    /// The later of the two.
    #[inline]
    pub const fn max(self, other: SeqNumber) -> SeqNumber {
        if self.lt(other) { other } else { self }
    }

    /// The earlier of the two.
    #[inline]
    pub const fn min(self, other: SeqNumber) -> SeqNumber {
        if other.lt(self) { other } else { self }
    }

    /// `self` lies in `start .. start + len`, whatever the width of that window.
    #[inline]
    pub const fn in_window(self, start: SeqNumber, len: u32) -> bool {
        self.0.wrapping_sub(start.0) < len
    }
}

impl Add<u32> for SeqNumber {
    type Output = SeqNumber;
    #[inline]
    fn add(self, n: u32) -> SeqNumber {
        SeqNumber(self.0.wrapping_add(n))
    }
}

impl AddAssign<u32> for SeqNumber {
    #[inline]
    fn add_assign(&mut self, n: u32) {
        *self = *self + n;
    }
}

impl Sub<u32> for SeqNumber {
    type Output = SeqNumber;
    #[inline]
    fn sub(self, n: u32) -> SeqNumber {
        SeqNumber(self.0.wrapping_sub(n))
    }
}

impl SubAssign<u32> for SeqNumber {
    #[inline]
    fn sub_assign(&mut self, n: u32) {
        *self = *self - n;
    }
}

/// The number of octets from `other` forward to `self`, modulo 2^32.
impl Sub<SeqNumber> for SeqNumber {
    type Output = u32;
    #[inline]
    fn sub(self, other: SeqNumber) -> u32 {
        self.0.wrapping_sub(other.0)
    }
}

impl From<u32> for SeqNumber {
    #[inline]
    fn from(n: u32) -> Self {
        SeqNumber(n)
    }
}

impl From<SeqNumber> for u32 {
    #[inline]
    fn from(n: SeqNumber) -> Self {
        n.0
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
