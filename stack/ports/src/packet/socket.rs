//! Making packet sockets: one for each core, with a ring, and joined so that each frame goes to one of them
//! (packet(7), linux/if_packet.h).

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libc::{SOL_PACKET, SOL_SOCKET};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::blocks::Blocks;
use super::{BLOCK_BYTES, BLOCKS, Packet, PacketBuilder, PacketPort, filter};
use crate::link::{Ethernet, Link, LinkError, stack_mac};
use crate::region::Region;
use crate::sockopt;

/// After so many milliseconds a block is handed over that is not full: the least that can be asked for.
const RETIRE_MS: u32 = 1;
/// What a frame takes in the ring on average; with TPACKET_V3 this only has to be consistent.
const FRAME_BYTES: u32 = 2048;
/// What stands for the ring of a socket that only sends.
const NO_RING: usize = 4096;
/// Bytes that the kernel queues for the interface; more than all our buffers hold.
const SEND_BUFFER: i32 = 8 << 20;

const _: () = assert!(size_of::<libc::tpacket_req3>() == 28 && size_of::<libc::packet_mreq>() == 16);
const _: () = assert!(size_of::<libc::sockaddr_ll>() == 20);

pub(super) fn open(builder: &PacketBuilder) -> Result<Packet, LinkError> {
    let name = &builder.interface;
    let link = Link::new(name)?;
    let ethernet = link.ethernet()?;
    let mac = builder.mac.unwrap_or_else(|| stack_mac(ethernet.mac));
    let open = |what| move |e| (what, e);
    let refused = |(what, e)| link.refused(what, "CAP_NET_RAW", e);
    let mut fanout = None;
    let mut ports = Vec::new();
    for queue in 0..builder.queues {
        let fd = socket().map_err(open("open a packet socket")).map_err(refused)?;
        let blocks = ring(&fd).map_err(open("make a receive ring")).map_err(refused)?;
        attach(&fd, &filter::accept(mac), SOL_SOCKET, libc::SO_ATTACH_FILTER)
            .map_err(open("set a filter"))
            .map_err(refused)?;
        bind(&fd, ethernet.index, libc::ETH_P_ALL as u16)
            .map_err(open("bind a packet socket"))
            .map_err(refused)?;
        if mac != ethernet.mac {
            listen_to(&fd, ethernet, mac).map_err(open("add the stack's MAC address")).map_err(refused)?;
        }
        if builder.queues > 1 {
            join(&fd, &mut fanout, builder).map_err(open("join the cores' sockets")).map_err(refused)?;
        }
        ports.push(PacketPort::new(fd, blocks, name, queue, ethernet.mtu));
    }
    Ok(Packet { name: name.clone(), ports, mac, host_mac: ethernet.mac })
}

/// Ports that only send: they receive nothing, whatever arrives.
pub(crate) fn senders(interface: &str, count: usize) -> Result<Vec<PacketPort>, LinkError> {
    let link = Link::new(interface)?;
    let ethernet = link.ethernet()?;
    let open = || -> io::Result<(OwnedFd, Blocks)> {
        let fd = socket()?;
        bind(&fd, ethernet.index, 0)?;
        // Memory that the kernel does not know.
        Ok((fd, Blocks::new(Region::anonymous(NO_RING)?, NO_RING)))
    };
    (0..count)
        .map(|_| {
            let (fd, blocks) = open().map_err(|e| link.refused("open a packet socket", "CAP_NET_RAW", e))?;
            Ok(PacketPort::new(fd, blocks, interface, 0, ethernet.mtu))
        })
        .collect()
}

/// A socket that gets no frame yet.
fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
    let on: i32 = 1;
    sockopt::set(&fd, SOL_PACKET, libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as i32))?;
    sockopt::set(&fd, SOL_PACKET, libc::PACKET_VNET_HDR, &on)?;
    // Else we would see what we send, and what the kernel sends.
    sockopt::set(&fd, SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &on)?;
    // More than the default limit wants CAP_NET_ADMIN; without it less is queued.
    if sockopt::set(&fd, SOL_SOCKET, libc::SO_SNDBUFFORCE, &SEND_BUFFER).is_err() {
        sockopt::set(&fd, SOL_SOCKET, libc::SO_SNDBUF, &SEND_BUFFER)?;
    }
    Ok(fd)
}

fn ring(fd: &OwnedFd) -> io::Result<Blocks> {
    let request = libc::tpacket_req3 {
        tp_block_size: BLOCK_BYTES as u32,
        tp_block_nr: BLOCKS as u32,
        tp_frame_size: FRAME_BYTES,
        tp_frame_nr: (BLOCK_BYTES * BLOCKS) as u32 / FRAME_BYTES,
        tp_retire_blk_tov: RETIRE_MS,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    sockopt::set(fd, SOL_PACKET, libc::PACKET_RX_RING, &request)?;
    Ok(Blocks::new(Region::of(fd, BLOCK_BYTES * BLOCKS, 0)?, BLOCK_BYTES))
}

/// Gives the kernel a classic BPF program.
fn attach(fd: &OwnedFd, program: &[libc::sock_filter], level: i32, option: i32) -> io::Result<()> {
    // The kernel copies it before it answers; it does not write there.
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    sockopt::set(fd, level, option, &program)
}

/// From here on frames of this type come; of type 0 there are none.
fn bind(fd: &OwnedFd, index: u32, ethertype: u16) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: ethertype.to_be(),
        sll_ifindex: index as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes at the pointer, which is a live `sockaddr_ll`.
    let result = unsafe { libc::bind(fd.as_fd().as_raw_fd(), std::ptr::from_ref(&address).cast(), len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Has the interface take frames to `mac` too, as long as what it answers is open.
pub(crate) fn hear(ethernet: Ethernet, mac: [u8; 6]) -> io::Result<OwnedFd> {
    let fd = rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    listen_to(&fd, ethernet, mac)?;
    Ok(fd)
}

/// The same, as long as a socket is open.
fn listen_to(fd: &OwnedFd, ethernet: Ethernet, mac: [u8; 6]) -> io::Result<()> {
    let mut address = [0; 8];
    address[..6].copy_from_slice(&mac);
    let request = libc::packet_mreq {
        mr_ifindex: ethernet.index as i32,
        mr_type: libc::PACKET_MR_UNICAST as u16,
        mr_alen: 6,
        mr_address: address,
    };
    sockopt::set(fd, SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// Joins the sockets, in the order of their cores; `group` is the first one's id.
fn join(fd: &OwnedFd, group: &mut Option<u16>, builder: &PacketBuilder) -> io::Result<()> {
    let mode = libc::PACKET_FANOUT_CBPF | libc::PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
    match *group {
        Some(id) => sockopt::set(fd, SOL_PACKET, libc::PACKET_FANOUT, &(mode << 16 | u32::from(id))),
        None => {
            // The kernel finds an id that nobody has.
            let mode = mode | libc::PACKET_FANOUT_FLAG_UNIQUEID;
            sockopt::set(fd, SOL_PACKET, libc::PACKET_FANOUT, &(mode << 16))?;
            let joined: u32 = sockopt::get(fd, SOL_PACKET, libc::PACKET_FANOUT)?;
            *group = Some(joined as u16);
            let owner = filter::owner(builder.queues, &builder.key);
            attach(fd, &owner, SOL_PACKET, libc::PACKET_FANOUT_DATA)
        }
    }
}
