//! Making AF_XDP sockets: one for each queue, each with memory of its own, and the program that leads frames to them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use libc::{SOL_SOCKET, SOL_XDP};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::chunks::{Chunks, DESCRIPTOR_LEN};
use super::led::Led;
use super::queue::Queue;
use super::ring::{Consumer, Offsets, Producer};
use super::{BUFFERS, Mode, QUEUES_PER_CORE, Xdp, XdpBuilder, XdpError, XdpPort, program};
use crate::bpf;
use crate::ethtool;
use crate::interfaces::{self, Attached};
use crate::link::{Ethernet, Link, stack_mac};
use crate::packet::hear;
use crate::region::Region;
use crate::sockopt;

/// What the kernel keeps free before a received frame (XDP_PACKET_HEADROOM).
const KERNEL_HEADROOM: u32 = 256;
/// Ethernet's header and one VLAN tag.
const LINK_BYTES: u32 = 18;
/// Chunks of these sizes there are: a power of two, at most a page.
const CHUNK_SIZES: [u32; 2] = [2048, 4096];

/// For how long a queue may still belong to a socket that was closed: a second.
const BIND_TRIES: u32 = 100;
const BIND_PAUSE: Duration = Duration::from_millis(10);

const CAPABILITIES: &str = "CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF";

/// Options that the C library does not name on every platform (asm-generic/socket.h).
const SO_BUSY_POLL: i32 = 46;
const SO_PREFER_BUSY_POLL: i32 = 69;
const SO_BUSY_POLL_BUDGET: i32 = 70;
/// Frames that the kernel takes at most when it is polled.
const BUSY_POLL_BUDGET: i32 = 64;

const _: () = assert!(size_of::<libc::sockaddr_xdp>() == 16 && size_of::<libc::xdp_umem_reg>() == 32);
const _: () = assert!(size_of::<libc::xdp_mmap_offsets>() == 128);

/// What keeps the program on the interface: when the last port is dropped, or the process ends, the kernel takes it off.
#[derive(Debug)]
pub(super) struct Held {
    _link: bpf::Link,
    /// Has the card take frames to the stack's MAC address.
    _hears: Option<OwnedFd>,
}

pub(super) fn open(builder: &XdpBuilder) -> Result<Xdp, XdpError> {
    let name = &builder.interface;
    let link = &Link::new(name)?;
    let ethernet = link.ethernet()?;
    let there = ethtool::receive_queues(link);
    let queues = u32::from(builder.queues.unwrap_or(u16::try_from(there).unwrap_or(u16::MAX)));
    if queues > there {
        return Err(XdpError::Queues { name: name.clone(), there, wanted: queues });
    }
    let cores = builder.cores.min(queues as usize).max(1);
    if queues.div_ceil(cores as u32) > QUEUES_PER_CORE {
        return Err(XdpError::Crowded { name: name.clone(), queues, cores });
    }
    let chunk = CHUNK_SIZES.into_iter().find(|&size| ethernet.mtu + LINK_BYTES + KERNEL_HEADROOM <= size);
    let chunk = chunk.ok_or_else(|| XdpError::Mtu { name: name.clone(), mtu: ethernet.mtu })?;
    let refuse = |what: &'static str| move |e: io::Error| XdpError::Link(link.refused(what, CAPABILITIES, e));
    let mac = match builder.shared {
        Some(_) => ethernet.mac,
        None => builder.mac.unwrap_or_else(|| stack_mac(ethernet.mac)),
    };
    let veth = ethtool::is_veth(link);
    let map = bpf::xsk_map(queues).map_err(refuse("make a map of sockets"))?;
    let mut all = Vec::new();
    for number in 0..queues {
        let queue = queue(link, chunk, builder.busy_poll)?;
        bpf::set_socket(map.as_fd(), number, queue.fd()).map_err(refuse("put a socket into the map"))?;
        all.push(queue);
    }
    let led = builder.shared.map(|_| Led::new()).transpose().map_err(refuse("make a map of ports"))?;
    let sockets = map.as_raw_fd();
    let code = match (builder.shared, &led) {
        (Some(address), Some(led)) => {
            program::shared_address(&program::Ours { mac, address, ports: led.fd(), sockets })
        }
        _ => program::own_address(mac, sockets),
    };
    let program = bpf::load(bpf::Kind::Xdp, &code).map_err(refuse("load the XDP program"))?;
    let (attached, mut mode) = attach(link, &program, ethernet.index)?;
    for (number, queue) in (0..).zip(&all) {
        bind_in_time(queue.fd(), ethernet.index, number, mode == Mode::Generic)
            .map_err(refuse("bind an AF_XDP socket"))?;
        let options: u32 = sockopt::get(queue.fd(), SOL_XDP, libc::XDP_OPTIONS).unwrap_or(0);
        if options & libc::XDP_OPTIONS_ZEROCOPY != 0 {
            mode = Mode::ZeroCopy;
        }
    }
    let hears = (mac != ethernet.mac).then(|| hear(ethernet, mac)).transpose();
    let hears = hears.map_err(refuse("add the stack's MAC address"))?;
    let attached = Arc::new(Held { _link: attached, _hears: hears });
    let mut shares: Vec<Vec<Queue>> = (0..cores).map(|_| Vec::new()).collect();
    for (number, queue) in all.into_iter().enumerate() {
        shares[number % cores].push(queue);
    }
    let ports = shares
        .into_iter()
        .enumerate()
        .map(|(core, queues)| {
            XdpPort::new(queues, Arc::clone(&attached), (name, ethernet), core as u16, veth)
        })
        .collect::<io::Result<Vec<_>>>()
        .map_err(refuse("watch several queues"))?;
    let warnings = warnings(link, name, ethernet, mode, veth, there - queues);
    Ok(Xdp {
        name: name.clone(),
        ports,
        mac,
        host_mac: ethernet.mac,
        index: ethernet.index,
        queues,
        mode,
        led: led.map(Arc::new),
        warnings,
    })
}

/// In the driver if it can, else behind it.
fn attach(link: &Link, program: &OwnedFd, index: u32) -> Result<(bpf::Link, Mode), XdpError> {
    let error = match bpf::attach(program.as_fd(), index, bpf::XDP_FLAGS_DRV_MODE) {
        Ok(attached) => return Ok((attached, Mode::Native)),
        Err(error) => error,
    };
    // The kernel allows one program, in one mode (net/core/dev.c, `dev_xdp_attach`).
    let is_taken = |e: &io::Error| matches!(Errno::from_io_error(e), Some(Errno::BUSY | Errno::EXIST));
    if is_taken(&error) {
        return Err(taken(link, index));
    }
    match bpf::attach(program.as_fd(), index, bpf::XDP_FLAGS_SKB_MODE) {
        Ok(attached) => Ok((attached, Mode::Generic)),
        Err(e) if is_taken(&e) => Err(taken(link, index)),
        Err(_) => Err(link.refused("attach the XDP program", CAPABILITIES, error).into()),
    }
}

/// What is there already.
fn taken(link: &Link, index: u32) -> XdpError {
    let name = link.name().to_owned();
    let Some((mode, id)) = interfaces::programs(index).unwrap_or_default().into_iter().next() else {
        return XdpError::BusyAbove(name);
    };
    let (how, word) = match mode {
        Attached::Generic => ("behind the driver", "xdpgeneric"),
        Attached::Offloaded => ("on the card", "xdpoffload"),
        _ => ("in the driver", "xdpdrv"),
    };
    let detach = format!("ip link set dev {name} {word} off");
    XdpError::Busy { name, what: format!("number {id}, {how} (`bpftool prog show id {id}`)"), detach }
}

/// A socket with its memory and rings, not bound yet.
fn queue(link: &Link, chunk: u32, busy_poll: Option<u32>) -> Result<Queue, XdpError> {
    let fd = rustix::net::socket_with(
        AddressFamily::from_raw(libc::AF_XDP as u16),
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|e| match e {
        Errno::AFNOSUPPORT => XdpError::NoKernel,
        e => link.refused("open an AF_XDP socket", CAPABILITIES, e.into()).into(),
    })?;
    if let Some(micros) = busy_poll {
        poll_busily(&fd, micros).map_err(|e| link.refused("have the kernel poll busily", CAPABILITIES, e))?;
    }
    let chunks =
        Chunks::new(BUFFERS, chunk).map_err(|e| link.refused("get memory for frames", CAPABILITIES, e))?;
    register(&fd, &chunks, chunk).map_err(|e| match Errno::from_io_error(&e) {
        Some(Errno::NOBUFS | Errno::NOMEM) => XdpError::Locked(link.name().to_owned()),
        _ => link.refused("register memory", CAPABILITIES, e).into(),
    })?;
    let rings = |fd: &OwnedFd| -> io::Result<_> {
        for ring in
            [libc::XDP_UMEM_FILL_RING, libc::XDP_UMEM_COMPLETION_RING, libc::XDP_RX_RING, libc::XDP_TX_RING]
        {
            sockopt::set(fd, SOL_XDP, ring, &BUFFERS)?;
        }
        let at: libc::xdp_mmap_offsets = sockopt::get(fd, SOL_XDP, libc::XDP_MMAP_OFFSETS)?;
        let fill = ring(fd, at.fr, 8, libc::XDP_UMEM_PGOFF_FILL_RING)?;
        let completion = ring(fd, at.cr, 8, libc::XDP_UMEM_PGOFF_COMPLETION_RING)?;
        let rx = ring(fd, at.rx, DESCRIPTOR_LEN, libc::XDP_PGOFF_RX_RING as u64)?;
        let tx = ring(fd, at.tx, DESCRIPTOR_LEN, libc::XDP_PGOFF_TX_RING as u64)?;
        Ok((fill, completion, rx, tx))
    };
    let (fill, completion, rx, tx) = rings(&fd).map_err(|e| link.refused("make rings", CAPABILITIES, e))?;
    Ok(Queue::new(
        fd,
        chunks,
        Producer::new(fill.0, fill.1, BUFFERS),
        Consumer::new(completion.0, completion.1, BUFFERS),
        Consumer::new(rx.0, rx.1, BUFFERS),
        Producer::new(tx.0, tx.1, BUFFERS),
        busy_poll.is_some(),
    ))
}

fn poll_busily(fd: &OwnedFd, micros: u32) -> io::Result<()> {
    let on: i32 = 1;
    sockopt::set(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on)?;
    sockopt::set(fd, SOL_SOCKET, SO_BUSY_POLL, &micros)?;
    sockopt::set(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &BUSY_POLL_BUDGET)
}

fn register(fd: &OwnedFd, chunks: &Chunks, chunk: u32) -> io::Result<()> {
    let registration = libc::xdp_umem_reg {
        addr: chunks.memory().address(),
        len: chunks.memory().len() as u64,
        chunk_size: chunk,
        headroom: 0,
        flags: 0,
        tx_metadata_len: 0,
    };
    sockopt::set(fd, SOL_XDP, libc::XDP_UMEM_REG, &registration)
}

/// Maps a ring.
fn ring(fd: &OwnedFd, at: libc::xdp_ring_offset, width: usize, page: u64) -> io::Result<(Region, Offsets)> {
    let at = Offsets {
        producer: at.producer as usize,
        consumer: at.consumer as usize,
        flags: at.flags as usize,
        entries: at.desc as usize,
    };
    Ok((Region::of(fd, at.entries + BUFFERS as usize * width, page)?, at))
}

/// The kernel takes its time to free the queue of a socket that was closed just now.
fn bind_in_time(fd: impl AsFd, index: u32, queue: u32, copied: bool) -> io::Result<()> {
    for _ in 0..BIND_TRIES {
        match bind(&fd, index, queue, copied) {
            Err(e) if Errno::from_io_error(&e) == Some(Errno::BUSY) => std::thread::sleep(BIND_PAUSE),
            other => return other,
        }
    }
    bind(fd, index, queue, copied)
}

fn bind(fd: impl AsFd, index: u32, queue: u32, copied: bool) -> io::Result<()> {
    let address = libc::sockaddr_xdp {
        sxdp_family: libc::AF_XDP as u16,
        // Without a word about copies the kernel does without them where the driver can.
        sxdp_flags: libc::XDP_USE_NEED_WAKEUP | if copied { libc::XDP_COPY } else { 0 },
        sxdp_ifindex: index,
        sxdp_queue_id: queue,
        sxdp_shared_umem_fd: 0,
    };
    let len = size_of::<libc::sockaddr_xdp>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes at the pointer, which is a live `sockaddr_xdp`.
    let result = unsafe { libc::bind(fd.as_fd().as_raw_fd(), std::ptr::from_ref(&address).cast(), len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What the operator should know.
fn warnings(link: &Link, name: &str, ethernet: Ethernet, mode: Mode, veth: bool, left: u32) -> Vec<String> {
    let mut all = Vec::new();
    if mode == Mode::Generic {
        all.push(format!("{name}: its driver has no XDP, or not now; the generic one is slower"));
    }
    if left > 0 {
        all.push(format!(
            "{name}: {left} of its queues are left to the kernel, and what arrives there is lost to the stack"
        ));
    }
    if veth && let Some(text) = partial_checksums(link, name, ethernet) {
        all.push(text);
    }
    all
}

/// What a veth's other end sends has no transport checksum unless that is switched off, and XDP does not tell.
fn partial_checksums(link: &Link, name: &str, ethernet: Ethernet) -> Option<String> {
    // In another namespace it may have any number, also our own.
    let index = ethtool::veth_peer(link).filter(|&index| index != ethernet.index);
    let peer = index.and_then(|index| Link::by_index(index).ok());
    // Another namespace may have the same index for another interface.
    let peer = peer.filter(|peer| ethtool::veth_peer(peer) == Some(ethernet.index));
    match peer {
        Some(peer) if ethtool::leaves_checksums_out(&peer) => Some(format!(
            "{name}: its other end {0} leaves transport checksums out, and such frames are dropped \
             (xdp_rx_csum_partial): ethtool -K {0} tx off",
            peer.name()
        )),
        Some(_) => None,
        None => Some(format!(
            "{name}: if its other end, in another namespace, leaves transport checksums out, such frames are dropped \
             (xdp_rx_csum_partial): ethtool -K ITS_NAME tx off there"
        )),
    }
}
