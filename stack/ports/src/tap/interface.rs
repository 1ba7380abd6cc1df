//! Making and configuring the interface: `/dev/net/tun` and the ioctls of netdevice(7).

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::{Tap, TapBuilder, TapError, TapPort};
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
    link.configure(builder, created)?;
    let mtu = link.mtu()?;
    let host_mac = link.mac()?;
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

/// The kernel's side of the interface.
struct Link<'a> {
    name: &'a str,
    socket: OwnedFd,
}

impl<'a> Link<'a> {
    fn new(name: &'a str) -> Result<Link<'a>, TapError> {
        let socket =
            rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
                .map_err(|e| TapError::Io {
                    name: name.into(),
                    what: "open a control socket",
                    source: e.into(),
                })?;
        Ok(Link { name, socket })
    }

    fn configure(&self, builder: &TapBuilder, created: bool) -> Result<(), TapError> {
        if created {
            let length = |r: &mut libc::ifreq| r.ifr_ifru.ifru_metric = TX_QUEUE_LEN;
            self.set("set the queue length", libc::SIOCSIFTXQLEN, length)?;
        }
        if let Some(mtu) = builder.mtu {
            self.set("set the MTU", libc::SIOCSIFMTU, |r| r.ifr_ifru.ifru_mtu = mtu as i32)?;
        }
        if let Some(mac) = builder.host_mac {
            self.set("set the MAC address", libc::SIOCSIFHWADDR, |r| {
                r.ifr_ifru.ifru_hwaddr = hardware_address(mac);
            })?;
        }
        if let Some((address, len)) = builder.host_address {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            self.set("set the address", libc::SIOCSIFADDR, |r| r.ifr_ifru.ifru_addr = inet(address))?;
            self.set("set the netmask", libc::SIOCSIFNETMASK, |r| {
                r.ifr_ifru.ifru_netmask = inet(Ipv4Addr::from_bits(mask));
            })?;
        }
        self.up()
    }

    fn up(&self) -> Result<(), TapError> {
        let got = self.set("read the flags", libc::SIOCGIFFLAGS, |_| ())?;
        // SAFETY: SIOCGIFFLAGS has filled in the flags.
        let flags = unsafe { got.ifr_ifru.ifru_flags };
        if i32::from(flags) & libc::IFF_UP != 0 {
            return Ok(());
        }
        let up = |r: &mut libc::ifreq| r.ifr_ifru.ifru_flags = flags | libc::IFF_UP as libc::c_short;
        self.set("bring up the kernel's side", libc::SIOCSIFFLAGS, up).map(|_| ())
    }

    fn mtu(&self) -> Result<u32, TapError> {
        let got = self.set("read the MTU", libc::SIOCGIFMTU, |_| ())?;
        // SAFETY: SIOCGIFMTU has filled in the MTU.
        Ok(unsafe { got.ifr_ifru.ifru_mtu }.clamp(0, MTU_MAX as i32) as u32)
    }

    fn mac(&self) -> Result<[u8; 6], TapError> {
        let got = self.set("read the MAC address", libc::SIOCGIFHWADDR, |_| ())?;
        // SAFETY: SIOCGIFHWADDR has filled in the hardware address.
        let data = unsafe { got.ifr_ifru.ifru_hwaddr }.sa_data;
        Ok(std::array::from_fn(|i| data[i] as u8))
    }

    /// One ioctl on the interface.
    fn set(
        &self,
        what: &'static str,
        number: libc::c_ulong,
        fill: impl FnOnce(&mut libc::ifreq),
    ) -> Result<libc::ifreq, TapError> {
        let mut request = request(self.name);
        fill(&mut request);
        match ioctl(self.socket.as_fd(), number, &mut request) {
            Ok(()) => Ok(request),
            Err(e) => Err(match Errno::from_io_error(&e) {
                Some(Errno::PERM | Errno::ACCESS) => TapError::NoRights(self.name.into()),
                _ => TapError::Io { name: self.name.into(), what, source: e },
            }),
        }
    }
}

/// A request that names the interface; the rest is zero.
fn request(name: &str) -> libc::ifreq {
    // SAFETY: `ifreq` is plain data for which all zeroes is a value: an empty name and a zero in every variant.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // One byte less than the field: it stays NUL-terminated. `check` has seen to the length.
    for (to, from) in request.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

fn ioctl(fd: BorrowedFd<'_>, number: libc::c_ulong, request: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: every number used here takes a pointer to an `ifreq`, which the kernel reads and writes within its bounds.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), number as _, std::ptr::from_mut(request)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// An IPv4 address as a `sockaddr`: family, port (2 bytes), address.
fn inet(address: Ipv4Addr) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data[2..6].iter_mut().zip(address.octets()) {
        *to = from as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, sa_data: data }
}

fn hardware_address(mac: [u8; 6]) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data.iter_mut().zip(mac) {
        *to = from as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::ARPHRD_ETHER, sa_data: data }
}
