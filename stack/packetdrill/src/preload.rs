//! What `%{ assert tcpi_... }%` blocks ask for.
//!
//! packetdrill hands every call of a script to the shared object but one: for its assertions it calls the C library's
//! `getsockopt`, on whatever file of its own has the number. Loaded by `LD_PRELOAD` too, this object stands before the C
//! library, answers for descriptors of its host, and passes everything else on:
//!
//! ```text
//! LD_PRELOAD=$SO packetdrill --so_filename=$SO script.pkt
//! ```

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use ferroflow_stack::sockets::Errno;
use libc::socklen_t;

use crate::blocking::Shared;

/// The host of this process, if there is one: packetdrill makes one.
static HOST: AtomicPtr<Shared> = AtomicPtr::new(null_mut());

/// Answers for `host` from now on.
pub(crate) fn begin(host: *mut Shared) {
    HOST.store(host, Ordering::Release);
}

/// Answers for `host` no more.
pub(crate) fn end(host: *mut Shared) {
    // Another one may have begun meanwhile; then it stays.
    let _ = HOST.compare_exchange(host, null_mut(), Ordering::AcqRel, Ordering::Relaxed);
}

/// `getsockopt(2)`, of a descriptor of the host or of the process.
///
/// # Safety
/// As the C library's: `len` is null or leads to the length of `value`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    let host = HOST.load(Ordering::Acquire);
    // SAFETY: not null, so it has begun and not ended: packetdrill frees its host on the thread that asserts.
    if let Some(shared) = unsafe { host.as_ref() }
        && shared.call(|host| host.is_open(fd))
    {
        // SAFETY: the contract is passed on.
        return match unsafe { crate::c_abi::option(shared, fd, level, name, value, len) } {
            Ok(()) => 0,
            Err(errno) => fail(errno),
        };
    }
    // SAFETY: the contract is the kernel's too, which checks the pointers.
    unsafe { libc::syscall(libc::SYS_getsockopt, fd, level, name, value, len) as c_int }
}

fn fail(errno: Errno) -> c_int {
    // SAFETY: the address of this thread's errno is always valid.
    unsafe { *libc::__errno_location() = errno.number() };
    -1
}
