//! Socket options that carry a structure.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};

/// What an option gives: plain data.
///
/// # Safety
/// Any bytes must be a value, and there is no padding.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: whole numbers, and structures of nothing else without padding.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for libc::tpacket_stats_v3 {}
// SAFETY: as above.
unsafe impl Plain for libc::xdp_statistics {}
// SAFETY: as above.
unsafe impl Plain for libc::xdp_mmap_offsets {}

/// Sets an option. `T` is what the option takes, in the kernel's layout.
pub(crate) fn set<T: Copy>(fd: impl AsFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes at the pointer, which is a live `T` of that size.
    let result = unsafe {
        libc::setsockopt(fd.as_fd().as_raw_fd(), level, name, std::ptr::from_ref(value).cast(), len)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Has a socket use one interface only (socket(7), SO_BINDTODEVICE); no rights are needed since Linux 5.7.
pub(crate) fn bind_to_device(fd: impl AsFd, interface: &str) -> io::Result<()> {
    let len = interface.len() as libc::socklen_t;
    let (level, name) = (libc::SOL_SOCKET, libc::SO_BINDTODEVICE);
    // SAFETY: the kernel reads `len` bytes at the pointer, which are the name's.
    let result =
        unsafe { libc::setsockopt(fd.as_fd().as_raw_fd(), level, name, interface.as_ptr().cast(), len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reads an option. `T` is what the option gives, in the kernel's layout. What the kernel does not fill in is zero.
pub(crate) fn get<T: Plain>(fd: impl AsFd, level: i32, name: i32) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes at the pointer, and `len` is the size of the room there.
    let result = unsafe {
        libc::getsockopt(fd.as_fd().as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len)
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all of it was zeroed and then perhaps overwritten, and `T` takes any bytes.
    Ok(unsafe { value.assume_init() })
}
