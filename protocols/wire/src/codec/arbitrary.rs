//! Values out of thin air, for tests that hold for every value.

/// A source of choices: the same bytes give the same values, and shorter or smaller bytes smaller values, so that
/// a property test can shrink what it found. When the bytes have run out, every choice is the first one.
#[derive(Debug)]
pub struct Entropy<'a> {
    bytes: &'a [u8],
    version: u8,
}

impl<'a> Entropy<'a> {
    /// Choices for values of `version`.
    pub fn new(bytes: &'a [u8], version: u8) -> Self {
        Self { bytes, version }
    }

    /// The version whose values are wanted.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((&first, rest)) => {
                self.bytes = rest;
                first
            }
            None => 0,
        }
    }

    /// A number of up to `width` bytes.
    pub fn number(&mut self, width: usize) -> u64 {
        (0..width).fold(0, |n, _| n << 8 | u64::from(self.byte()))
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n <= 1 { 0 } else { usize::from(self.byte()) % n }
    }

    /// A list of at most five elements, empty when the bytes have run out.
    pub fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(6)).map(|_| element(self)).collect()
    }

    /// Whether the bytes have run out.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// A type whose values can be made up.
pub trait Arbitrary: Sized {
    /// A value that its wire format can carry.
    fn arbitrary(e: &mut Entropy<'_>) -> Self;
}

impl<T: Arbitrary> Arbitrary for Vec<T> {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        e.list(T::arbitrary)
    }
}

impl<T: Arbitrary, const N: usize> Arbitrary for [T; N] {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        std::array::from_fn(|_| T::arbitrary(e))
    }
}

impl<T: Arbitrary> Arbitrary for Box<T> {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        Box::new(T::arbitrary(e))
    }
}

impl<T: Arbitrary> Arbitrary for Option<T> {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        (e.byte() & 1 == 1).then(|| T::arbitrary(e))
    }
}

impl Arbitrary for bool {
    fn arbitrary(e: &mut Entropy<'_>) -> Self {
        e.byte() & 1 == 1
    }
}
