//! Making and configuring the interface: `/dev/net/tun` and the ioctls of netdevice(7).

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Tap, TapBuilder, TapError, TapPort, steering};
use crate::link::{Link, LinkError, hardware_address, inet, ioctl, request};
use crate::spec::{MTU_MAX, QUEUES_MAX, is_interface_name};
use crate::vnet::VNET_LEN;

/// Frames that the kernel queues for us on an interface of our own; its default of 500 loses a burst of a few
/// connections.
const TX_QUEUE_LEN: i32 = 4096;

/// What may be left to us in frames that we receive: checksums and segmentation (linux/if_tun.h).
const OFFLOADS: libc::c_uint = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;

pub(super) fn open(builder: &TapBuilder) -> Result<Tap, TapError> {
    let name = builder.name.as_str();
    check(builder)?;
    let found = Existing::look(name)?;
    let mut warnings = Vec::new();
    let (queues, offload) = match builder.offload {
        Some(offload) => (attach_all(builder, found, offload)?, offload),
        None => match attach_all(builder, found, true) {
            Err(TapError::NoOffload { source, .. }) => {
                warnings.push(format!(
                    "{name}: the kernel refuses offloads ({source}): every frame is one segment"
                ));
                (attach_all(builder, found, false)?, false)
            }
            queues => (queues?, true),
        },
    };
    let created = matches!(found, Existing::Nothing);
    let link = Link::new(name)?;
    configure(&link, builder, created)?;
    let mtu = link.mtu()?.min(MTU_MAX);
    let (_, host_mac) = link.hardware()?;
    let cores = builder.cores.unwrap_or(builder.queues);
    let steered = steer(builder, &queues, cores, created, &mut warnings)?;
    let ports = share_out(&queues, cores, |core, own, out| TapPort::new(own, out, name, core, mtu, offload));
    let ports =
        ports.map_err(|source| TapError::Io { name: name.into(), what: "watch the queues", source })?;
    Ok(Tap { name: name.into(), ports, host_mac, created, offload, steered, warnings })
}

/// Queues go to the cores in turn; a core without one sends by another's.
fn share_out<T>(
    queues: &[Arc<OwnedFd>],
    cores: u16,
    port: impl Fn(u16, Vec<Arc<OwnedFd>>, Arc<OwnedFd>) -> std::io::Result<T>,
) -> std::io::Result<Vec<T>> {
    let own = |core: u16| queues.iter().skip(core.into()).step_by(cores.into()).cloned().collect();
    (0..cores).map(|core| port(core, own(core), queues[usize::from(core) % queues.len()].clone())).collect()
}

/// Has the kernel bring frames to the cores that own their connections, if it lets us.
fn steer(
    builder: &TapBuilder,
    queues: &[Arc<OwnedFd>],
    cores: u16,
    created: bool,
    warnings: &mut Vec<String>,
) -> Result<bool, TapError> {
    let name = &builder.name;
    if queues.len() == 1 || cores == 1 {
        if !created && queues.len() > 1 {
            // Of whoever had the interface before. A kernel without steering programs has none of them either.
            let _ = steering::detach(queues[0].as_fd());
        }
        return Ok(cores == 1);
    }
    match steering::attach(queues[0].as_fd(), cores, &builder.key) {
        Ok(()) => Ok(true),
        Err(e) => {
            warnings.push(format!(
                "{name}: the kernel takes no program that steers ({e}; it wants CAP_BPF): frames that arrive at another \
                 core than their connection's are handed over"
            ));
            Ok(false)
        }
    }
}

/// All queues, with offloads or without.
fn attach_all(builder: &TapBuilder, found: Existing, offload: bool) -> Result<Vec<Arc<OwnedFd>>, TapError> {
    let name = builder.name.as_str();
    let mut flags = libc::IFF_TAP | libc::IFF_NO_PI;
    if offload {
        flags |= libc::IFF_VNET_HDR;
    }
    match found {
        Existing::Tap { multi_queue: false } if builder.queues > 1 => {
            return Err(TapError::OneQueue(name.into()));
        }
        Existing::Tap { multi_queue: true } => flags |= libc::IFF_MULTI_QUEUE,
        Existing::Nothing if builder.queues > 1 => flags |= libc::IFF_MULTI_QUEUE,
        _ => {}
    }
    let open = |_| attach(name, flags).map(Arc::new);
    let queues: Vec<_> = (0..builder.queues).map(open).collect::<Result<_, _>>()?;
    for queue in &queues {
        set_offloads(queue.as_fd(), offload)
            .map_err(|source| TapError::NoOffload { name: name.into(), source })?;
    }
    Ok(queues)
}

/// Says what is left to us. An interface that was there has what its last user said.
fn set_offloads(queue: BorrowedFd<'_>, on: bool) -> std::io::Result<()> {
    let offloads = if on { OFFLOADS } else { 0 };
    // SAFETY: this ioctl's argument is a number, and the kernel touches no memory of ours.
    let result =
        unsafe { libc::ioctl(queue.as_raw_fd(), libc::TUNSETOFFLOAD, libc::c_ulong::from(offloads)) };
    if result < 0 {
        return Err(std::io::Error::last_os_error());
    }
    if on { set_number(queue, libc::TUNSETVNETHDRSZ, VNET_LEN as i32) } else { Ok(()) }
}

/// One of the ioctls of /dev/net/tun whose argument is a pointer to a number.
pub(super) fn set_number(queue: BorrowedFd<'_>, number: libc::Ioctl, value: i32) -> std::io::Result<()> {
    // SAFETY: the ioctls that this is called with read an `int` at the pointer, which is to a live one.
    let result = unsafe { libc::ioctl(queue.as_raw_fd(), number, std::ptr::from_ref(&value)) };
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

fn check(builder: &TapBuilder) -> Result<(), TapError> {
    if !is_interface_name(&builder.name) {
        return Err(TapError::BadName(builder.name.clone()));
    }
    if !(1..=QUEUES_MAX).contains(&builder.queues) {
        return Err(TapError::BadSetting(format!("{} queues: a TAP interface has 1 to 256", builder.queues)));
    }
    if builder.cores == Some(0) {
        return Err(TapError::BadSetting("no cores: a port needs one".into()));
    }
    if let Some(mtu) = builder.mtu
        && !(576..=MTU_MAX).contains(&mtu)
    {
        return Err(TapError::BadSetting(format!("an MTU of {mtu}: use 576 to {MTU_MAX}")));
    }
    if let Some((address, len)) = builder.host_address
        && (len > 32 || address.is_unspecified() || address.is_multicast())
    {
        return Err(TapError::BadSetting(format!("{address}/{len} is no address for an interface")));
    }
    Ok(())
}

/// What has the name already.
#[derive(Debug, Clone, Copy)]
enum Existing {
    Nothing,
    Tap { multi_queue: bool },
}

impl Existing {
    fn look(name: &str) -> Result<Existing, TapError> {
        let dir = Path::new("/sys/class/net").join(name);
        if !dir.exists() {
            return Ok(Existing::Nothing);
        }
        // Only TUN and TAP interfaces have this file; it holds the flags of TUNSETIFF.
        let flags = std::fs::read_to_string(dir.join("tun_flags")).ok();
        let flags = flags.and_then(|f| i32::from_str_radix(f.trim().trim_start_matches("0x"), 16).ok());
        match flags {
            Some(flags) if flags & libc::IFF_TAP != 0 => {
                Ok(Existing::Tap { multi_queue: flags & libc::IFF_MULTI_QUEUE != 0 })
            }
            _ => Err(TapError::NotTap(name.into())),
        }
    }
}

/// Opens one queue.
fn attach(name: &str, flags: i32) -> Result<OwnedFd, TapError> {
    let open = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open("/dev/net/tun", open, Mode::empty()).map_err(|e| match e {
        Errno::NOENT | Errno::NODEV | Errno::NXIO => TapError::NoDevice,
        Errno::ACCESS | Errno::PERM => TapError::NoRights(name.into()),
        e => TapError::Io { name: name.into(), what: "open /dev/net/tun", source: e.into() },
    })?;
    let mut request = request(name);
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    ioctl(fd.as_fd(), libc::TUNSETIFF, &mut request).map_err(|e| match Errno::from_io_error(&e) {
        Some(Errno::PERM | Errno::ACCESS) => TapError::NoRights(name.into()),
        Some(Errno::BUSY) => TapError::Busy(name.into()),
        _ => TapError::Io { name: name.into(), what: "open a queue", source: e },
    })?;
    Ok(fd)
}

/// Sets the kernel's side up.
fn configure(link: &Link, builder: &TapBuilder, created: bool) -> Result<(), LinkError> {
    if created {
        let length = |r: &mut libc::ifreq| r.ifr_ifru.ifru_metric = TX_QUEUE_LEN;
        link.call("set the queue length", libc::SIOCSIFTXQLEN, length)?;
    }
    if let Some(mtu) = builder.mtu {
        link.call("set the MTU", libc::SIOCSIFMTU, |r| r.ifr_ifru.ifru_mtu = mtu as i32)?;
    }
    if let Some(mac) = builder.host_mac {
        let address = hardware_address(mac);
        link.call("set the MAC address", libc::SIOCSIFHWADDR, |r| r.ifr_ifru.ifru_hwaddr = address)?;
    }
    if let Some((address, len)) = builder.host_address {
        let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
        link.call("set the address", libc::SIOCSIFADDR, |r| r.ifr_ifru.ifru_addr = inet(address))?;
        link.call("set the netmask", libc::SIOCSIFNETMASK, |r| {
            r.ifr_ifru.ifru_netmask = inet(Ipv4Addr::from_bits(mask));
        })?;
    }
    link.up()
}

impl From<LinkError> for TapError {
    fn from(error: LinkError) -> TapError {
        match error {
            LinkError::NoRights { name, .. } => TapError::NoRights(name),
            other => TapError::Link(other),
        }
    }
}
