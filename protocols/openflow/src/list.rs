use crate::error::{DecodeError, Fault};
use std::fmt;
use std::marker::PhantomData;

/// An element that can be read off the front of some bytes.
pub trait Decode<'a>: Sized {
    /// The element and what follows it. Takes at least one byte.
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault>;
}

/// A checked list of elements, read in place.
pub struct List<'a, T> {
    bytes: &'a [u8],
    of: PhantomData<fn() -> T>,
}

impl<'a, T: Decode<'a>> List<'a, T> {
    /// Walks the whole list once; `base` is where it starts in the message.
    #[inline]
    pub(crate) fn check(bytes: &'a [u8], message: &'static str, base: usize) -> Result<Self, DecodeError> {
        Self::checked(bytes).map_err(|fault| fault.in_message(message, base))
    }

    #[inline]
    pub(crate) fn checked(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match T::decode(rest) {
                Ok((_, after)) => after,
                Err(fault) => return Err(fault.shifted(bytes.len() - rest.len())),
            };
        }
        Ok(Self::unchecked(bytes))
    }
}

impl<'a, T> List<'a, T> {
    /// A list known to be well formed.
    #[inline]
    pub(crate) const fn unchecked(bytes: &'a [u8]) -> Self {
        Self { bytes, of: PhantomData }
    }

    /// The list as it is on the wire.
    #[inline]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there is no element.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements in order.
    #[inline]
    pub const fn iter(&self) -> Elements<'a, T> {
        Elements { rest: self.bytes, of: PhantomData }
    }
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self::unchecked(&[])
    }
}

impl<T> PartialEq for List<'_, T> {
    /// The same bytes.
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for List<'_, T> {}

impl<'a, T: Decode<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Decode<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Elements<'a, T>;

    #[inline]
    fn into_iter(self) -> Elements<'a, T> {
        self.iter()
    }
}

/// Iterator over the elements of a [`List`].
pub struct Elements<'a, T> {
    rest: &'a [u8],
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Elements<'_, T> {
    fn clone(&self) -> Self {
        Self { rest: self.rest, of: PhantomData }
    }
}

impl<T> fmt::Debug for Elements<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Elements({} bytes left)", self.rest.len())
    }
}

impl<'a, T: Decode<'a>> Iterator for Elements<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.rest.is_empty() {
            return None;
        }
        // A checked list has no faulty element.
        let (element, rest) = T::decode(self.rest).ok()?;
        self.rest = rest;
        Some(element)
    }
}

impl<'a, T: Decode<'a>> std::iter::FusedIterator for Elements<'a, T> {}
