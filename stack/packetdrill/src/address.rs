//! Socket addresses as C has them.

use std::mem::size_of;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use ferroflow_stack::sockets::Errno;
use libc::{sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, socklen_t};

/// Reads an address.
///
/// # Safety
/// `from` is null or leads to `len` readable bytes.
pub(crate) unsafe fn read(from: *const sockaddr, len: socklen_t) -> Result<SocketAddr, Errno> {
    let len = len as usize;
    if from.is_null() {
        return Err(Errno::EFAULT);
    }
    if len < size_of::<sa_family_t>() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: at least the family is there. C aligns as it likes.
    let family = i32::from(unsafe { from.cast::<sa_family_t>().read_unaligned() });
    match family {
        libc::AF_INET if len >= size_of::<sockaddr_in>() => {
            // SAFETY: long enough.
            let raw = unsafe { from.cast::<sockaddr_in>().read_unaligned() };
            let ip = u32::from_be(raw.sin_addr.s_addr).into();
            Ok(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)).into())
        }
        libc::AF_INET6 if len >= size_of::<sockaddr_in6>() => {
            // SAFETY: long enough.
            let raw = unsafe { from.cast::<sockaddr_in6>().read_unaligned() };
            let ip = raw.sin6_addr.s6_addr.into();
            let port = u16::from_be(raw.sin6_port);
            Ok(SocketAddrV6::new(ip, port, raw.sin6_flowinfo, raw.sin6_scope_id).into())
        }
        libc::AF_INET | libc::AF_INET6 => Err(Errno::EINVAL),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// Writes an address, cut to the room there is, and its length.
///
/// # Safety
/// `into` is null, or `len` leads to the number of bytes that may be written there.
pub(crate) unsafe fn write(address: SocketAddr, into: *mut sockaddr, len: *mut socklen_t) {
    if into.is_null() || len.is_null() {
        return;
    }
    match address {
        SocketAddr::V4(address) => {
            // SAFETY: all zero is an address.
            let mut raw: sockaddr_in = unsafe { std::mem::zeroed() };
            raw.sin_family = libc::AF_INET as sa_family_t;
            raw.sin_port = address.port().to_be();
            raw.sin_addr.s_addr = u32::from(*address.ip()).to_be();
            // SAFETY: the contract is passed on.
            unsafe { copy(&raw, into, len) };
        }
        SocketAddr::V6(address) => {
            // SAFETY: all zero is an address.
            let mut raw: sockaddr_in6 = unsafe { std::mem::zeroed() };
            raw.sin6_family = libc::AF_INET6 as sa_family_t;
            raw.sin6_port = address.port().to_be();
            raw.sin6_addr.s6_addr = address.ip().octets();
            raw.sin6_flowinfo = address.flowinfo();
            raw.sin6_scope_id = address.scope_id();
            // SAFETY: the contract is passed on.
            unsafe { copy(&raw, into, len) };
        }
    }
}

/// Says that there is no address.
///
/// # Safety
/// `len` is null or writable.
pub(crate) unsafe fn write_none(into: *mut sockaddr, len: *mut socklen_t) {
    if !into.is_null() && !len.is_null() {
        // SAFETY: not null, so writable (contract of this function).
        unsafe { *len = 0 };
    }
}

/// # Safety
/// `len` leads to the number of bytes that may be written to `into`.
unsafe fn copy<T>(raw: &T, into: *mut sockaddr, len: *mut socklen_t) {
    // SAFETY: no more is copied than `raw` has and `into` has room for.
    unsafe {
        let n = size_of::<T>().min(*len as usize);
        std::ptr::copy_nonoverlapping(std::ptr::from_ref(raw).cast::<u8>(), into.cast::<u8>(), n);
        *len = size_of::<T>() as socklen_t;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_went() {
        for text in ["192.0.2.1:65535", "[2001:db8::1]:80"] {
            let address: SocketAddr = text.parse().unwrap();
            let (mut storage, mut len) = ([0u8; 28], 28);
            // SAFETY: 28 bytes are there.
            unsafe {
                write(address, storage.as_mut_ptr().cast(), &mut len);
                assert_eq!(read(storage.as_ptr().cast(), len), Ok(address));
                assert_eq!(read(storage.as_ptr().cast(), 8), Err(Errno::EINVAL));
            }
        }
    }
}
