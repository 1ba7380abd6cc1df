//! Big-endian fields at fixed offsets of arrays: the bounds checks vanish.

#[inline(always)]
pub(super) fn get<const N: usize, const M: usize>(b: &[u8; N], at: usize) -> [u8; M] {
    let mut out = [0; M];
    out.copy_from_slice(&b[at..at + M]);
    out
}

#[inline(always)]
pub(super) fn put<const N: usize, const M: usize>(b: &mut [u8; N], at: usize, v: [u8; M]) {
    b[at..at + M].copy_from_slice(&v);
}
