//! Making and configuring the interface: `/dev/net/tun` and the ioctls of netdevice(7).

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Tap, TapBuilder, TapError, TapPort};
use crate::link::{Link, LinkError, hardware_address, inet, ioctl, request};
use crate::spec::{MTU_MAX, QUEUES_MAX, is_interface_name};

/// Frames that the kernel queues for us on an interface of our own; its default of 500 loses a burst of a few
/// connections.
const TX_QUEUE_LEN: i32 = 4096;

pub(super) fn open(builder: &TapBuilder) -> Result<Tap, TapError> {
    let name = builder.name.as_str();
    check(builder)?;
    let found = Existing::look(name)?;
    let mut flags = libc::IFF_TAP | libc::IFF_NO_PI;
    match found {
        Existing::Tap { multi_queue: false } if builder.queues > 1 => {
            return Err(TapError::OneQueue(name.into()));
        }
        Existing::Tap { multi_queue: true } => flags |= libc::IFF_MULTI_QUEUE,
        Existing::Nothing if builder.queues > 1 => flags |= libc::IFF_MULTI_QUEUE,
        _ => {}
    }
    let fds = (0..builder.queues).map(|_| attach(name, flags)).collect::<Result<Vec<_>, _>>()?;
    let created = matches!(found, Existing::Nothing);
    let link = Link::new(name)?;
    configure(&link, builder, created)?;
    let mtu = link.mtu()?.min(MTU_MAX);
    let (_, host_mac) = link.hardware()?;
    let port = |(queue, fd)| TapPort::new(fd, name, queue, mtu);
    Ok(Tap { name: name.into(), ports: (0..).zip(fds).map(port).collect(), host_mac, created })
}

fn check(builder: &TapBuilder) -> Result<(), TapError> {
    if !is_interface_name(&builder.name) {
        return Err(TapError::BadName(builder.name.clone()));
    }
    if !(1..=QUEUES_MAX).contains(&builder.queues) {
        return Err(TapError::BadSetting(format!("{} queues: a TAP interface has 1 to 256", builder.queues)));
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
