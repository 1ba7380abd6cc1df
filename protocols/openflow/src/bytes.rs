//! Big-endian fields at fixed offsets of fixed-size arrays: the bounds checks vanish.

#[inline(always)]
pub(crate) fn get16<const N: usize>(b: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes([b[at], b[at + 1]])
}

#[inline(always)]
pub(crate) fn get32<const N: usize>(b: &[u8; N], at: usize) -> u32 {
    u32::from_be_bytes(get(b, at))
}

#[inline(always)]
pub(crate) fn get64<const N: usize>(b: &[u8; N], at: usize) -> u64 {
    u64::from_be_bytes(get(b, at))
}

#[inline(always)]
pub(crate) fn get<const N: usize, const M: usize>(b: &[u8; N], at: usize) -> [u8; M] {
    let mut out = [0; M];
    out.copy_from_slice(&b[at..at + M]);
    out
}

#[inline(always)]
pub(crate) fn put<const N: usize, const M: usize>(b: &mut [u8; N], at: usize, v: [u8; M]) {
    b[at..at + M].copy_from_slice(&v);
}

#[inline(always)]
pub(crate) fn put16<const N: usize>(b: &mut [u8; N], at: usize, v: u16) {
    put(b, at, v.to_be_bytes());
}

#[inline(always)]
pub(crate) fn put32<const N: usize>(b: &mut [u8; N], at: usize, v: u32) {
    put(b, at, v.to_be_bytes());
}

#[inline(always)]
pub(crate) fn put64<const N: usize>(b: &mut [u8; N], at: usize, v: u64) {
    put(b, at, v.to_be_bytes());
}

/// `n` rounded up to the next multiple of 8.
#[inline(always)]
pub(crate) const fn pad8(n: usize) -> usize {
    (n + 7) & !7
}
