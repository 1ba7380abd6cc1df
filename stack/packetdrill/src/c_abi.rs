//! packetdrill's shared-object interface: `packetdrill_interface_init` fills its table of functions.
//!
//! The order of the table and what its functions mean are packetdrill's (`packetdrill.h`, `so_testing.c`). Every call has the
//! prototype and the errors of the C library's call of its name, with `userdata` before the arguments: here a `Shared`
//! host. Script and stack share a virtual clock, see `blocking`.

mod arguments;

use std::ffi::{CStr, c_char, c_int, c_long, c_longlong, c_uint, c_ulong, c_void};

use arguments::{bytes, bytes_mut, done, gather, int, pieces, size};
use ferroflow_stack::Instant;
use ferroflow_stack::sockets::{Errno, Event, Ready};
use libc::{epoll_event, iovec, msghdr, nfds_t, pollfd, size_t, sockaddr, socklen_t, ssize_t, timeval};

use crate::address;
use crate::blocking::Shared;
use crate::host::{Host, PollFd, flag};
use crate::preload;
use crate::settings::Settings;

/// `struct packetdrill_interface`
#[repr(C)]
pub struct Interface {
    userdata: *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    socket: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int) -> c_int,
    bind: unsafe extern "C" fn(*mut c_void, c_int, *const sockaddr, socklen_t) -> c_int,
    listen: unsafe extern "C" fn(*mut c_void, c_int, c_int) -> c_int,
    accept: unsafe extern "C" fn(*mut c_void, c_int, *mut sockaddr, *mut socklen_t) -> c_int,
    connect: unsafe extern "C" fn(*mut c_void, c_int, *const sockaddr, socklen_t) -> c_int,
    read: unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, size_t) -> ssize_t,
    readv: unsafe extern "C" fn(*mut c_void, c_int, *const iovec, c_int) -> ssize_t,
    recv: unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, size_t, c_int) -> ssize_t,
    recvfrom: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *mut c_void,
        size_t,
        c_int,
        *mut sockaddr,
        *mut socklen_t,
    ) -> ssize_t,
    recvmsg: unsafe extern "C" fn(*mut c_void, c_int, *mut msghdr, c_int) -> ssize_t,
    write: unsafe extern "C" fn(*mut c_void, c_int, *const c_void, size_t) -> ssize_t,
    writev: unsafe extern "C" fn(*mut c_void, c_int, *const iovec, c_int) -> ssize_t,
    send: unsafe extern "C" fn(*mut c_void, c_int, *const c_void, size_t, c_int) -> ssize_t,
    sendto: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *const c_void,
        size_t,
        c_int,
        *const sockaddr,
        socklen_t,
    ) -> ssize_t,
    sendmsg: unsafe extern "C" fn(*mut c_void, c_int, *const msghdr, c_int) -> ssize_t,
    fcntl: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_long) -> c_int,
    ioctl: unsafe extern "C" fn(*mut c_void, c_int, c_ulong, *mut c_int) -> c_int,
    close: unsafe extern "C" fn(*mut c_void, c_int) -> c_int,
    shutdown: unsafe extern "C" fn(*mut c_void, c_int, c_int) -> c_int,
    getsockopt: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int, *mut c_void, *mut socklen_t) -> c_int,
    setsockopt: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int, *const c_void, socklen_t) -> c_int,
    poll: unsafe extern "C" fn(*mut c_void, *mut pollfd, nfds_t, c_int) -> c_int,
    netdev_send: unsafe extern "C" fn(*mut c_void, *const c_void, size_t) -> c_int,
    netdev_receive: unsafe extern "C" fn(*mut c_void, *mut c_void, *mut size_t, *mut c_longlong) -> c_int,
    usleep: unsafe extern "C" fn(*mut c_void, c_uint) -> c_int,
    gettimeofday: unsafe extern "C" fn(*mut c_void, *mut timeval, *mut c_void) -> c_int,
    epoll_create: unsafe extern "C" fn(*mut c_void, c_int) -> c_int,
    epoll_ctl: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int, *mut epoll_event) -> c_int,
    epoll_wait: unsafe extern "C" fn(*mut c_void, c_int, *mut epoll_event, c_int, c_int) -> c_int,
    pipe: unsafe extern "C" fn(*mut c_void, *mut c_int) -> c_int,
    splice: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *mut libc::loff_t,
        c_int,
        *mut libc::loff_t,
        size_t,
        c_uint,
    ) -> c_int,
}

type Result<T> = std::result::Result<T, Errno>;

/// Fills the table for a new host with the settings in `flags` (see [`crate::settings`]). Bad settings end the process: there
/// is no other way to say so.
///
/// # Safety
/// `flags` is null or a C string; `out` is writable. Both as packetdrill passes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn packetdrill_interface_init(flags: *const c_char, out: *mut Interface) {
    let text = if flags.is_null() {
        String::new()
    } else {
        // SAFETY: not null, so a C string (contract of this function).
        unsafe { CStr::from_ptr(flags) }.to_string_lossy().into_owned()
    };
    let settings = Settings::parse(&text).unwrap_or_else(|error| panic!("--so_flags: {error}"));
    let shared = Box::into_raw(Box::new(Shared::new(Host::new(settings))));
    preload::begin(shared);
    let table = Interface {
        userdata: shared.cast(),
        free,
        socket,
        bind,
        listen,
        accept,
        connect,
        read,
        readv,
        recv,
        recvfrom,
        recvmsg,
        write,
        writev,
        send,
        sendto,
        sendmsg,
        fcntl,
        ioctl,
        close,
        shutdown,
        getsockopt,
        setsockopt,
        poll,
        netdev_send,
        netdev_receive,
        usleep,
        gettimeofday,
        epoll_create,
        epoll_ctl,
        epoll_wait,
        pipe,
        splice,
    };
    // SAFETY: writable (contract of this function).
    unsafe { out.write(table) };
}

/// The host behind `userdata`.
///
/// # Safety
/// `userdata` is what `packetdrill_interface_init` put into the table, and `free` has not been called.
unsafe fn shared<'a>(userdata: *mut c_void) -> &'a Shared {
    // SAFETY: it came from a Box (contract of this function), and is only shared: everything is behind its mutex.
    unsafe { &*userdata.cast::<Shared>() }
}

/// Reads into the pieces of an iovec array.
///
/// # Safety
/// As [`pieces`], and each iovec leads to writable bytes.
unsafe fn scatter(
    shared: &Shared,
    fd: c_int,
    iov: *const iovec,
    count: usize,
    flags: c_int,
) -> Result<usize> {
    // SAFETY: the contract is passed on.
    let pieces = unsafe { pieces(iov, count) }?;
    let mut all = vec![0; pieces.iter().map(|piece| piece.iov_len).sum()];
    let n = receive(shared, fd, &mut all, flags)?;
    let mut rest = &all[..n];
    for piece in pieces {
        // SAFETY: the contract is passed on.
        let into = unsafe { bytes_mut(piece.iov_base, piece.iov_len) }?;
        let (now, later) = rest.split_at(into.len().min(rest.len()));
        into[..now.len()].copy_from_slice(now);
        rest = later;
    }
    Ok(n)
}

fn may_block(host: &Host, fd: c_int, flags: c_int) -> bool {
    host.blocks(fd) && flags & flag::DONTWAIT == 0
}

/// A call that is tried again while it would block, if its descriptor is one that blocks. What would never end is
/// interrupted, as it would be by a signal.
fn retry<T>(
    shared: &Shared,
    fd: c_int,
    flags: c_int,
    mut call: impl FnMut(&mut Host) -> Result<T>,
) -> Result<T> {
    shared
        .block(None, |host| match call(host) {
            Err(Errno::EAGAIN) if may_block(host, fd, flags) => None,
            other => Some(other),
        })
        .unwrap_or(Err(Errno::EINTR))
}

fn receive(shared: &Shared, fd: c_int, into: &mut [u8], flags: c_int) -> Result<usize> {
    if flags & libc::MSG_ERRQUEUE != 0 {
        return Err(Errno::EAGAIN);
    }
    let all = flags & libc::MSG_WAITALL != 0 && flags & flag::PEEK == 0;
    let mut got = 0;
    retry(shared, fd, flags, |host| {
        loop {
            match host.recv(fd, &mut into[got..], flags) {
                Ok(n) if n > 0 && all && got + n < into.len() => got += n,
                Ok(n) => return Ok(got + n),
                Err(error) if error != Errno::EAGAIN && got > 0 => return Ok(got),
                Err(error) => return Err(error),
            }
        }
    })
}

/// A blocking send returns when everything is taken.
fn transmit(shared: &Shared, fd: c_int, data: &[u8], flags: c_int) -> Result<usize> {
    let mut sent = 0;
    let result = retry(shared, fd, flags, |host| {
        loop {
            sent += host.send(fd, &data[sent..], flags)?;
            if sent == data.len() || !may_block(host, fd, flags) {
                return Ok(sent);
            }
        }
    });
    if sent > 0 { Ok(sent) } else { result }
}

unsafe extern "C" fn free(userdata: *mut c_void) {
    preload::end(userdata.cast());
    // SAFETY: it came from a Box, and this is its last use (contract of the interface).
    drop(unsafe { Box::from_raw(userdata.cast::<Shared>()) });
}

unsafe extern "C" fn socket(userdata: *mut c_void, domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    // SAFETY: `userdata` is the table's.
    int(unsafe { shared(userdata) }.call(|host| host.socket(domain, kind, protocol)))
}

unsafe extern "C" fn bind(userdata: *mut c_void, fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int {
    // SAFETY: the address is as long as the caller says.
    let to = unsafe { address::read(to, len) };
    // SAFETY: `userdata` is the table's.
    done(to.and_then(|to| unsafe { shared(userdata) }.call(|host| host.bind(fd, to))))
}

unsafe extern "C" fn listen(userdata: *mut c_void, fd: c_int, backlog: c_int) -> c_int {
    // SAFETY: `userdata` is the table's.
    done(unsafe { shared(userdata) }.call(|host| host.listen(fd, backlog)))
}

unsafe extern "C" fn accept(
    userdata: *mut c_void,
    fd: c_int,
    peer: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    // SAFETY: `userdata` is the table's.
    let accepted = retry(unsafe { shared(userdata) }, fd, 0, |host| host.accept(fd));
    int(accepted.map(|(new, address)| {
        // SAFETY: the caller's place for an address, of the length it says, or null.
        unsafe { address::write(address, peer, len) };
        new
    }))
}

unsafe extern "C" fn connect(userdata: *mut c_void, fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int {
    // SAFETY: the address is as long as the caller says.
    let to = unsafe { address::read(to, len) };
    // SAFETY: `userdata` is the table's.
    done(to.and_then(|to| retry(unsafe { shared(userdata) }, fd, 0, |host| host.connect(fd, to))))
}

unsafe extern "C" fn read(userdata: *mut c_void, fd: c_int, data: *mut c_void, len: size_t) -> ssize_t {
    // SAFETY: the contract is passed on.
    unsafe { recv(userdata, fd, data, len, 0) }
}

unsafe extern "C" fn readv(userdata: *mut c_void, fd: c_int, iov: *const iovec, count: c_int) -> ssize_t {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL);
    // SAFETY: `userdata` is the table's; the iovecs are as many and as long as the caller says.
    size(count.and_then(|count| unsafe { scatter(shared(userdata), fd, iov, count, 0) }))
}

unsafe extern "C" fn recv(
    userdata: *mut c_void,
    fd: c_int,
    data: *mut c_void,
    len: size_t,
    flags: c_int,
) -> ssize_t {
    // SAFETY: the buffer is as long as the caller says.
    let into = unsafe { bytes_mut(data, len) };
    // SAFETY: `userdata` is the table's.
    size(into.and_then(|into| receive(unsafe { shared(userdata) }, fd, into, flags)))
}

unsafe extern "C" fn recvfrom(
    userdata: *mut c_void,
    fd: c_int,
    data: *mut c_void,
    len: size_t,
    flags: c_int,
    from: *mut sockaddr,
    from_len: *mut socklen_t,
) -> ssize_t {
    // SAFETY: as in `accept`. A stream's bytes come from nobody in particular: the address is left empty, as by Linux.
    unsafe { address::write_none(from, from_len) };
    // SAFETY: the contract is passed on.
    unsafe { recv(userdata, fd, data, len, flags) }
}

unsafe extern "C" fn recvmsg(userdata: *mut c_void, fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the caller's message header, or null.
    let Some(msg) = (unsafe { msg.as_mut() }) else { return size(Err(Errno::EFAULT)) };
    (msg.msg_namelen, msg.msg_controllen, msg.msg_flags) = (0, 0, 0);
    // SAFETY: `userdata` is the table's; the iovecs are as many and as long as the header says.
    size(unsafe { scatter(shared(userdata), fd, msg.msg_iov, msg.msg_iovlen, flags) })
}

unsafe extern "C" fn write(userdata: *mut c_void, fd: c_int, data: *const c_void, len: size_t) -> ssize_t {
    // SAFETY: the contract is passed on.
    unsafe { send(userdata, fd, data, len, 0) }
}

unsafe extern "C" fn writev(userdata: *mut c_void, fd: c_int, iov: *const iovec, count: c_int) -> ssize_t {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL);
    // SAFETY: the iovecs are as many and as long as the caller says.
    let data = count.and_then(|count| unsafe { gather(iov, count) });
    // SAFETY: `userdata` is the table's.
    size(data.and_then(|data| transmit(unsafe { shared(userdata) }, fd, &data, 0)))
}

unsafe extern "C" fn send(
    userdata: *mut c_void,
    fd: c_int,
    data: *const c_void,
    len: size_t,
    flags: c_int,
) -> ssize_t {
    // SAFETY: the buffer is as long as the caller says.
    let data = unsafe { bytes(data, len) };
    // SAFETY: `userdata` is the table's.
    size(data.and_then(|data| transmit(unsafe { shared(userdata) }, fd, data, flags)))
}

unsafe extern "C" fn sendto(
    userdata: *mut c_void,
    fd: c_int,
    data: *const c_void,
    len: size_t,
    flags: c_int,
    to: *const sockaddr,
    _: socklen_t,
) -> ssize_t {
    // SAFETY: `userdata` is the table's.
    let connected = unsafe { shared(userdata) }.call(|host| host.peer_address(fd).is_ok());
    // Linux ignores the address of a connected stream. Without a connection it would be TCP Fast Open's.
    if !to.is_null() && !connected && flags & libc::MSG_FASTOPEN != 0 {
        return size(Err(Errno::EOPNOTSUPP));
    }
    // SAFETY: the contract is passed on.
    unsafe { send(userdata, fd, data, len, flags) }
}

unsafe extern "C" fn sendmsg(userdata: *mut c_void, fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the caller's message header, or null.
    let Some(msg) = (unsafe { msg.as_ref() }) else { return size(Err(Errno::EFAULT)) };
    // SAFETY: the iovecs are as many and as long as the header says.
    let data = unsafe { gather(msg.msg_iov, msg.msg_iovlen) };
    // SAFETY: `userdata` is the table's.
    size(data.and_then(|data| transmit(unsafe { shared(userdata) }, fd, &data, flags)))
}

// The interface declares `fcntl` and `ioctl` variadic. Linux's calling conventions pass one further argument where they pass
// a declared one; if there is none, what is in its place is not looked at.
unsafe extern "C" fn fcntl(userdata: *mut c_void, fd: c_int, command: c_int, argument: c_long) -> c_int {
    // SAFETY: `userdata` is the table's.
    int(unsafe { shared(userdata) }.call(|host| host.fcntl(fd, command, argument as c_int)))
}

unsafe extern "C" fn ioctl(
    userdata: *mut c_void,
    fd: c_int,
    request: c_ulong,
    argument: *mut c_int,
) -> c_int {
    // SAFETY: `userdata` is the table's.
    let shared = unsafe { shared(userdata) };
    // SAFETY: the requests that are known take the address of an int; for others it is not looked at.
    let Some(place) = (unsafe { argument.as_mut() }) else { return done(Err(Errno::EFAULT)) };
    done(shared.call(|host| host.ioctl(fd, request, place)))
}

unsafe extern "C" fn close(userdata: *mut c_void, fd: c_int) -> c_int {
    // SAFETY: `userdata` is the table's.
    let shared = unsafe { shared(userdata) };
    let until = shared.call(|host| host.linger(fd).map(|time| host.now() + time));
    let mut closing = None;
    let closed = shared.block(until, |host| match &closing {
        Some(closing) => host.is_over(closing).then_some(Ok(())),
        None => match host.close(fd) {
            Ok(None) => Some(Ok(())),
            Ok(waits) => {
                closing = waits;
                None
            }
            Err(error) => Some(Err(error)),
        },
    });
    done(closed.unwrap_or(Err(Errno::EINTR)))
}

unsafe extern "C" fn shutdown(userdata: *mut c_void, fd: c_int, how: c_int) -> c_int {
    // SAFETY: `userdata` is the table's.
    done(unsafe { shared(userdata) }.call(|host| host.shutdown(fd, how)))
}

unsafe extern "C" fn getsockopt(
    userdata: *mut c_void,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    // SAFETY: `userdata` is the table's; the value is as long as the caller says.
    done(unsafe { option(shared(userdata), fd, level, name, value, len) })
}

/// `getsockopt(2)`.
///
/// # Safety
/// `len` is null or leads to the length of `value`.
pub(crate) unsafe fn option(
    shared: &Shared,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> Result<()> {
    // SAFETY: null or the length (contract of this function).
    let len = unsafe { len.as_mut() }.ok_or(Errno::EFAULT)?;
    // SAFETY: as long as that says (contract of this function).
    let value = unsafe { bytes_mut(value, *len as usize) }?;
    *len = shared.call(|host| host.option(fd, level, name, value))? as socklen_t;
    Ok(())
}

unsafe extern "C" fn setsockopt(
    userdata: *mut c_void,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: socklen_t,
) -> c_int {
    // SAFETY: the value is as long as the caller says.
    let value = unsafe { bytes(value, len as usize) };
    // SAFETY: `userdata` is the table's.
    let shared = unsafe { shared(userdata) };
    done(value.and_then(|value| shared.call(|host| host.set_option(fd, level, name, value))))
}

/// When a wait of so many milliseconds ends; negative = never.
fn deadline(shared: &Shared, millis: c_int) -> Option<Instant> {
    let millis = u64::try_from(millis).ok()?;
    Some(shared.call(|host| host.now()) + std::time::Duration::from_millis(millis))
}

unsafe extern "C" fn poll(userdata: *mut c_void, fds: *mut pollfd, count: nfds_t, millis: c_int) -> c_int {
    if fds.is_null() && count > 0 {
        return done(Err(Errno::EFAULT));
    }
    let fds = match fds.is_null() {
        true => &mut [],
        // SAFETY: not null, so as many entries as the caller says.
        false => unsafe { std::slice::from_raw_parts_mut(fds, count as usize) },
    };
    let mut entries: Vec<PollFd> =
        fds.iter().map(|entry| PollFd { fd: entry.fd, events: entry.events, revents: 0 }).collect();
    // SAFETY: `userdata` is the table's.
    let shared = unsafe { shared(userdata) };
    let until = deadline(shared, millis);
    let n = shared.block(until, |host| {
        let n = host.poll(&mut entries);
        let over = until.is_some_and(|until| until <= host.now());
        (n > 0 || over).then_some(n)
    });
    let Some(n) = n else { return done(Err(Errno::EINTR)) };
    for (out, entry) in fds.iter_mut().zip(&entries) {
        out.revents = entry.revents;
    }
    n as c_int
}

unsafe extern "C" fn netdev_send(userdata: *mut c_void, data: *const c_void, len: size_t) -> c_int {
    // SAFETY: the packet is as long as the caller says.
    let packet = unsafe { bytes(data, len) };
    // SAFETY: `userdata` is the table's.
    done(packet.map(|packet| unsafe { shared(userdata) }.call(|host| host.inject(packet))))
}

/// How much virtual time `netdev_receive` waits for a packet.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(200);

unsafe extern "C" fn netdev_receive(
    userdata: *mut c_void,
    data: *mut c_void,
    len: *mut size_t,
    usecs: *mut c_longlong,
) -> c_int {
    // SAFETY: the caller's length, and the buffer as long as that says.
    let (len, buf) = unsafe { (&mut *len, bytes_mut(data, *len)) };
    let Ok(buf) = buf else { return done(Err(Errno::EFAULT)) };
    // SAFETY: `userdata` is the table's.
    *len = match unsafe { shared(userdata) }.receive(PATIENCE) {
        Some((at, packet)) if packet.len() <= buf.len() => {
            buf[..packet.len()].copy_from_slice(&packet);
            // SAFETY: the caller's place for a time.
            unsafe { *usecs = (at.as_nanos() / 1000) as c_longlong };
            packet.len()
        }
        _ => 0,
    };
    0
}

unsafe extern "C" fn usleep(userdata: *mut c_void, usecs: c_uint) -> c_int {
    // SAFETY: `userdata` is the table's.
    unsafe { shared(userdata) }.sleep(std::time::Duration::from_micros(usecs.into()));
    0
}

unsafe extern "C" fn gettimeofday(userdata: *mut c_void, time: *mut timeval, _: *mut c_void) -> c_int {
    // SAFETY: `userdata` is the table's.
    let usecs = unsafe { shared(userdata) }.look_at_clock().as_nanos() / 1000;
    // SAFETY: the caller's place for a time, or null.
    if let Some(time) = unsafe { time.as_mut() } {
        time.tv_sec = (usecs / 1_000_000) as libc::time_t;
        time.tv_usec = (usecs % 1_000_000) as libc::suseconds_t;
    }
    0
}

unsafe extern "C" fn epoll_create(userdata: *mut c_void, len: c_int) -> c_int {
    // SAFETY: `userdata` is the table's.
    int(unsafe { shared(userdata) }.call(|host| host.epoll_create(len)))
}

unsafe extern "C" fn epoll_ctl(
    userdata: *mut c_void,
    epoll: c_int,
    operation: c_int,
    fd: c_int,
    event: *mut epoll_event,
) -> c_int {
    // SAFETY: the caller's event, or null (EPOLL_CTL_DEL).
    let (events, data) = unsafe { event.as_ref() }.map_or((0, 0), |event| (event.events, event.u64));
    if event.is_null() && operation != libc::EPOLL_CTL_DEL {
        return done(Err(Errno::EFAULT));
    }
    // SAFETY: `userdata` is the table's.
    done(unsafe { shared(userdata) }.call(|host| host.epoll_ctl(epoll, operation, fd, events, data)))
}

unsafe extern "C" fn epoll_wait(
    userdata: *mut c_void,
    epoll: c_int,
    events: *mut epoll_event,
    max: c_int,
    millis: c_int,
) -> c_int {
    if max <= 0 || events.is_null() {
        return done(Err(if max <= 0 { Errno::EINVAL } else { Errno::EFAULT }));
    }
    // SAFETY: `userdata` is the table's.
    let shared = unsafe { shared(userdata) };
    let until = deadline(shared, millis);
    let mut found = vec![Event { ready: Ready::NONE, data: 0 }; max.min(4096) as usize];
    let n = shared.block(until, |host| {
        let n = host.epoll_wait(epoll, &mut found);
        let over = until.is_some_and(|until| until <= host.now());
        (n != Ok(0) || over).then_some(n)
    });
    let n = n.unwrap_or(Err(Errno::EINTR));
    for (at, event) in found.iter().enumerate().take(n.unwrap_or(0)) {
        let event = epoll_event { events: event.ready.0, u64: event.data };
        // SAFETY: room for `max` events, and `at` is less. The structure is packed, hence unaligned.
        unsafe { events.add(at).write_unaligned(event) };
    }
    size(n) as c_int
}

// There are no files beside sockets here, so nothing to splice with.
unsafe extern "C" fn pipe(_: *mut c_void, _: *mut c_int) -> c_int {
    done(Err(Errno::ENOSYS))
}

unsafe extern "C" fn splice(
    _: *mut c_void,
    _: c_int,
    _: *mut libc::loff_t,
    _: c_int,
    _: *mut libc::loff_t,
    _: size_t,
    _: c_uint,
) -> c_int {
    done(Err(Errno::ENOSYS))
}

#[cfg(test)]
mod tests;
