//! What C hands over and gets back: memory that a caller lends, and answers with errno.

use std::ffi::{c_int, c_void};

use ferroflow_stack::sockets::Errno;
use libc::{iovec, size_t, ssize_t};

use super::Result;

/// What a C function returns: the value, or -1 and errno.
fn answer(result: Result<i64>) -> i64 {
    match result {
        Ok(value) => value,
        Err(errno) => {
            // SAFETY: the address of this thread's errno is always valid.
            unsafe { *libc::__errno_location() = errno.number() };
            -1
        }
    }
}

pub(super) fn int(result: Result<impl Into<i64>>) -> c_int {
    answer(result.map(Into::into)) as c_int
}

pub(super) fn size(result: Result<usize>) -> ssize_t {
    answer(result.map(|n| n as i64)) as ssize_t
}

pub(super) fn done(result: Result<()>) -> c_int {
    int(result.map(|()| 0))
}

/// Bytes that a caller lends.
///
/// # Safety
/// `data` is null or leads to `len` readable bytes.
pub(super) unsafe fn bytes<'a>(data: *const c_void, len: size_t) -> Result<&'a [u8]> {
    if data.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(Errno::EFAULT) };
    }
    // SAFETY: not null, so `len` readable bytes (contract of this function).
    Ok(unsafe { std::slice::from_raw_parts(data.cast(), len) })
}

/// Bytes that a caller lends to be written.
///
/// # Safety
/// `data` is null or leads to `len` writable bytes that nobody else uses meanwhile.
pub(super) unsafe fn bytes_mut<'a>(data: *mut c_void, len: size_t) -> Result<&'a mut [u8]> {
    if data.is_null() {
        return if len == 0 { Ok(&mut []) } else { Err(Errno::EFAULT) };
    }
    // SAFETY: not null, so `len` writable bytes (contract of this function).
    Ok(unsafe { std::slice::from_raw_parts_mut(data.cast(), len) })
}

/// The pieces of an iovec array.
///
/// # Safety
/// `iov` is null or leads to `count` iovecs.
pub(super) unsafe fn pieces<'a>(iov: *const iovec, count: usize) -> Result<&'a [iovec]> {
    const IOV_MAX: usize = 1024;
    if count > IOV_MAX {
        return Err(Errno::EINVAL);
    }
    if iov.is_null() {
        return if count == 0 { Ok(&[]) } else { Err(Errno::EFAULT) };
    }
    // SAFETY: not null, so `count` iovecs (contract of this function).
    Ok(unsafe { std::slice::from_raw_parts(iov, count) })
}

/// All bytes of an iovec array, one piece after the other.
///
/// # Safety
/// As [`pieces`], and each iovec leads to readable bytes.
pub(super) unsafe fn gather(iov: *const iovec, count: usize) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    // SAFETY: the contract is passed on.
    for piece in unsafe { pieces(iov, count) }? {
        // SAFETY: the contract is passed on.
        all.extend_from_slice(unsafe { bytes(piece.iov_base, piece.iov_len) }?);
    }
    Ok(all)
}
