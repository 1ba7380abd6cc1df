//! bpf(2): the few commands that our programs need, by the kernel's own structures (linux/bpf.h).

pub(crate) mod assembler;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use assembler::Instruction;

const BPF_MAP_CREATE: i32 = 0;
const BPF_MAP_UPDATE_ELEM: i32 = 2;
const BPF_PROG_LOAD: i32 = 5;
const BPF_LINK_CREATE: i32 = 28;
const BPF_LINK_DETACH: i32 = 34;

const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_MAP_TYPE_XSKMAP: u32 = 17;
/// Its values can be mapped, and so changed without a call and without rights.
const BPF_F_MMAPABLE: u32 = 1 << 10;
const BPF_PROG_TYPE_SOCKET_FILTER: u32 = 1;
const BPF_PROG_TYPE_XDP: u32 = 6;
/// As an attach type.
const BPF_XDP: u32 = 37;

/// Attached before the kernel makes a packet of its own of the frame (linux/if_link.h).
pub(crate) const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;
/// Attached behind that, which every driver allows.
pub(crate) const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;

const NAME_LEN: usize = 16;
/// The name that `bpftool` shows.
const NAME: [u8; NAME_LEN] = *b"ferroflow\0\0\0\0\0\0\0";
/// The helpers that we call are for everyone.
const LICENSE: &std::ffi::CStr = c"Dual MIT/GPL";

/// `union bpf_attr` for `BPF_MAP_CREATE`, as far as we fill it in: the kernel takes the rest for zero.
#[repr(C)]
#[derive(Default)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
    inner_map_fd: u32,
    numa_node: u32,
    map_name: [u8; NAME_LEN],
}

/// For `BPF_MAP_UPDATE_ELEM`.
#[repr(C)]
struct MapUpdate {
    map_fd: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// For `BPF_PROG_LOAD`.
#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; NAME_LEN],
    prog_ifindex: u32,
    expected_attach_type: u32,
}

/// For `BPF_LINK_CREATE`.
#[repr(C)]
struct LinkCreate {
    prog_fd: u32,
    target_ifindex: u32,
    attach_type: u32,
    flags: u32,
}

/// For `BPF_LINK_DETACH`.
#[repr(C)]
struct LinkDetach {
    link_fd: u32,
}

const _: () = assert!(size_of::<MapCreate>() == 44 && size_of::<MapUpdate>() == 32);
const _: () = assert!(size_of::<ProgLoad>() == 72 && size_of::<LinkCreate>() == 16);

/// Most of what the verifier has to say.
const LOG_LEN: usize = 16 << 10;

/// # Safety
/// `attr` is the part of `bpf_attr` that the command reads, and pointers in it are to live memory of the sizes that it tells.
unsafe fn bpf<T>(command: i32, attr: &mut T) -> io::Result<i32> {
    // SAFETY: the kernel reads and writes within the size that it is told; the caller vouches for the rest.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

fn descriptor(number: i32) -> OwnedFd {
    // SAFETY: the kernel has just made it for us (close-on-exec, as all of bpf's are), and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(number) }
}

fn raw(fd: impl AsFd) -> u32 {
    // Descriptors are not negative.
    fd.as_fd().as_raw_fd() as u32
}

/// A map from queues to AF_XDP sockets.
pub(crate) fn xsk_map(queues: u32) -> io::Result<OwnedFd> {
    let mut attr = MapCreate {
        map_type: BPF_MAP_TYPE_XSKMAP,
        key_size: 4,
        value_size: 4,
        max_entries: queues,
        map_name: NAME,
        ..MapCreate::default()
    };
    // SAFETY: there are no pointers in it.
    unsafe { bpf(BPF_MAP_CREATE, &mut attr) }.map(descriptor)
}

/// A map from the numbers below `entries` to words, all zero, to be mapped: each takes eight bytes there.
pub(crate) fn word_map(entries: u32) -> io::Result<OwnedFd> {
    let mut attr = MapCreate {
        map_type: BPF_MAP_TYPE_ARRAY,
        key_size: 4,
        value_size: 4,
        max_entries: entries,
        map_flags: BPF_F_MMAPABLE,
        map_name: NAME,
        ..MapCreate::default()
    };
    // SAFETY: there are no pointers in it.
    unsafe { bpf(BPF_MAP_CREATE, &mut attr) }.map(descriptor)
}

/// Puts a queue's socket into the map.
pub(crate) fn set_socket(map: BorrowedFd<'_>, queue: u32, socket: BorrowedFd<'_>) -> io::Result<()> {
    let value = raw(socket);
    let mut attr = MapUpdate {
        map_fd: raw(map),
        padding: 0,
        key: std::ptr::from_ref(&queue) as u64,
        value: std::ptr::from_ref(&value) as u64,
        flags: 0,
    };
    // SAFETY: key and value are four bytes each, as the map was made, and live until the call returns.
    unsafe { bpf(BPF_MAP_UPDATE_ELEM, &mut attr) }.map(|_| ())
}

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Frames as they come from the card.
    Xdp,
    /// Packets of a socket, or of a TAP interface that are to be steered.
    Filter,
}

/// Has the kernel check and translate a program. What its verifier says is part of the error.
pub(crate) fn load(kind: Kind, program: &[Instruction]) -> io::Result<OwnedFd> {
    let (prog_type, expected_attach_type) = match kind {
        Kind::Xdp => (BPF_PROG_TYPE_XDP, BPF_XDP),
        Kind::Filter => (BPF_PROG_TYPE_SOCKET_FILTER, 0),
    };
    let attr = |level, log: &mut [u8]| ProgLoad {
        prog_type,
        insn_cnt: program.len() as u32,
        insns: program.as_ptr() as u64,
        license: LICENSE.as_ptr() as u64,
        log_level: level,
        log_size: log.len() as u32,
        log_buf: if log.is_empty() { 0 } else { log.as_mut_ptr() as u64 },
        kern_version: 0,
        prog_flags: 0,
        prog_name: NAME,
        prog_ifindex: 0,
        expected_attach_type,
    };
    // SAFETY: program and licence live until the call returns, and there is no log.
    match unsafe { bpf(BPF_PROG_LOAD, &mut attr(0, &mut [])) } {
        Ok(fd) => Ok(descriptor(fd)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        Err(error) => {
            let mut log = vec![0; LOG_LEN];
            // SAFETY: as above, and the log has room for as much as is told.
            let again = unsafe { bpf(BPF_PROG_LOAD, &mut attr(1, &mut log)) };
            let said = log.split(|&b| b == 0).next().unwrap_or_default();
            match again {
                Ok(fd) => Ok(descriptor(fd)),
                Err(_) if said.is_empty() => Err(error),
                Err(_) => {
                    Err(io::Error::new(error.kind(), format!("{error}: {}", String::from_utf8_lossy(said))))
                }
            }
        }
    }
}

/// Attaches a program to an interface until the link is dropped, or the process ends, however it ends.
pub(crate) fn attach(program: BorrowedFd<'_>, index: u32, flags: u32) -> io::Result<Link> {
    let mut attr = LinkCreate { prog_fd: raw(program), target_ifindex: index, attach_type: BPF_XDP, flags };
    // SAFETY: there are no pointers in it.
    unsafe { bpf(BPF_LINK_CREATE, &mut attr) }.map(|fd| Link(descriptor(fd)))
}

/// A program on an interface.
#[derive(Debug)]
pub(crate) struct Link(OwnedFd);

impl Drop for Link {
    fn drop(&mut self) {
        // The kernel detaches the program with the last descriptor of the link: later than this one is closed where a process
        // just forked has it, too, until it executes its program. If it may not be asked, so be it.
        let mut attr = LinkDetach { link_fd: raw(&self.0) };
        // SAFETY: there are no pointers in it.
        let _ = unsafe { bpf(BPF_LINK_DETACH, &mut attr) };
    }
}
