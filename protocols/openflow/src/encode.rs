use crate::bytes::{pad8, put16, put32};
use crate::header::Version;

/// A message that can be written.
pub trait Encode {
    /// The message's exact length in bytes, header included. A length field has 16 bits: a message whose
    /// `wire_len` is over 65535 cannot be written.
    fn wire_len(&self) -> usize;

    /// Writes the message. Every byte of `buf` is written.
    ///
    /// # Panics
    /// If `buf` is not exactly [`wire_len`](Self::wire_len) bytes long.
    fn write(&self, buf: &mut [u8]);

    /// The message in a vector of its own: for tests and for places where speed does not matter.
    fn to_vec(&self) -> Vec<u8> {
        let mut buf = vec![0; self.wire_len()];
        self.write(&mut buf);
        buf
    }
}

/// An element of a message: an action, an instruction, an OXM field, a port.
pub trait Part {
    /// The element's exact length in bytes, its own padding included.
    fn wire_len(&self) -> usize;

    /// Appends the element.
    fn write_to(&self, w: &mut Writer<'_>);
}

impl<T: Part + ?Sized> Part for &T {
    #[inline]
    fn wire_len(&self) -> usize {
        (**self).wire_len()
    }

    #[inline]
    fn write_to(&self, w: &mut Writer<'_>) {
        (**self).write_to(w);
    }
}

/// The lengths of a list's elements together.
#[inline]
pub(crate) fn list_len<L>(list: &L) -> usize
where
    L: Clone + IntoIterator<Item: Part>,
{
    list.clone().into_iter().map(|part| part.wire_len()).sum()
}

/// Appends a list's elements and says how many bytes they took.
#[inline]
pub(crate) fn write_list<L>(list: &L, w: &mut Writer<'_>) -> usize
where
    L: Clone + IntoIterator<Item: Part>,
{
    let start = w.position();
    for part in list.clone() {
        part.write_to(w);
    }
    w.position() - start
}

/// Appends to a buffer whose length is known to be right.
///
/// All methods panic when the buffer has no room left, which [`Encode::write`]'s contract excludes.
#[derive(Debug)]
pub struct Writer<'a> {
    buf: &'a mut [u8],
    pos: usize,
}

impl<'a> Writer<'a> {
    /// Starts at the front of `buf`.
    #[inline]
    pub fn new(buf: &'a mut [u8]) -> Self {
        Self { buf, pos: 0 }
    }

    /// Bytes written so far.
    #[inline]
    pub fn position(&self) -> usize {
        self.pos
    }

    /// The next `N` bytes, to be filled in: what they hold before is not defined.
    #[inline(always)]
    pub fn take<const N: usize>(&mut self) -> &mut [u8; N] {
        let at = self.pos;
        self.pos += N;
        self.buf[at..].first_chunk_mut().expect("buffer of wire_len() bytes")
    }

    /// Appends `bytes`.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let at = self.pos;
        self.pos += bytes.len();
        self.buf[at..self.pos].copy_from_slice(bytes);
    }

    /// Appends `n` zero bytes.
    #[inline]
    pub fn zeros(&mut self, n: usize) {
        let at = self.pos;
        self.pos += n;
        self.buf[at..self.pos].fill(0);
    }

    /// Appends zeros up to the next multiple of 8 after `len` bytes, of which the last was just written.
    #[inline]
    pub(crate) fn pad_after(&mut self, len: usize) {
        // One word of zeros, of which the padding is kept: shorter than a loop over a variable number.
        let n = pad8(len) - len;
        if let Some(word) = self.buf.get_mut(self.pos..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            *word = [0; 8];
            self.pos += n;
        } else {
            self.zeros(n);
        }
    }

    /// Overwrites two bytes at `at`, for a length that is known only later.
    #[inline]
    pub fn patch16(&mut self, at: usize, v: u16) {
        self.buf[at..at + 2].copy_from_slice(&v.to_be_bytes());
    }

    /// Appends an OpenFlow header whose length is the buffer's.
    #[inline]
    pub(crate) fn header(&mut self, version: Version, ty: u8, xid: u32) {
        let length = self.length();
        let b = self.take::<8>();
        fill_header(b, version, ty, length, xid);
    }

    /// Appends a message's fixed part of `N` bytes with the header filled in and the rest zero.
    #[inline]
    pub(crate) fn fixed<const N: usize>(&mut self, version: Version, ty: u8, xid: u32) -> &mut [u8; N] {
        let length = self.length();
        let b = self.take::<N>();
        *b = [0; N];
        fill_header(b, version, ty, length, xid);
        b
    }

    #[inline]
    fn length(&self) -> u16 {
        u16::try_from(self.buf.len()).expect("message of at most 65535 bytes")
    }

    /// Ends a message.
    #[inline]
    pub(crate) fn finish(self) {
        assert_eq!(self.pos, self.buf.len(), "buffer of exactly wire_len() bytes");
    }
}

#[inline(always)]
fn fill_header<const N: usize>(b: &mut [u8; N], version: Version, ty: u8, length: u16, xid: u32) {
    b[0] = version.0;
    b[1] = ty;
    put16(b, 2, length);
    put32(b, 4, xid);
}
