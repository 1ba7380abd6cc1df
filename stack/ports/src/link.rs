//! An interface of the kernel: what it says of itself and what may be set, by the ioctls of netdevice(7).

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// Why an interface cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is none of the name.
    #[error("there is no interface {0} (`ip link` shows those that there are)")]
    NotThere(String),
    /// Its frames are not Ethernet's.
    #[error("interface {0} is not Ethernet (a loopback or a tunnel?), and the stack speaks nothing else")]
    NotEthernet(String),
    /// It is down.
    #[error("interface {0} is down: ip link set {0} up")]
    Down(String),
    /// Not allowed.
    #[error(
        "not allowed to {what} on interface {name}: run as root or with {capabilities} \
         (setcap on the program; README, \"Where packets come from\")"
    )]
    NoRights {
        /// The interface.
        name: String,
        /// What was tried.
        what: &'static str,
        /// What is wanted for it.
        capabilities: &'static str,
    },
    /// Something else.
    #[error("cannot {what} on interface {name}: {source}")]
    Io {
        /// The interface.
        name: String,
        /// What was tried.
        what: &'static str,
        /// The kernel's reason.
        source: io::Error,
    },
}

/// An Ethernet interface that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ethernet {
    pub index: u32,
    /// The kernel's address.
    pub mac: [u8; 6],
    /// Largest IP packet, in bytes.
    pub mtu: u32,
}

/// The kernel's side of an interface.
#[derive(Debug)]
pub(crate) struct Link {
    name: String,
    socket: OwnedFd,
}

impl Link {
    /// The interface of this name, if there is one.
    pub fn new(name: &str) -> Result<Link, LinkError> {
        // What is longer would be cut to another interface's name.
        if name.len() >= libc::IFNAMSIZ {
            return Err(LinkError::NotThere(name.to_owned()));
        }
        let socket =
            rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
                .map_err(|e| LinkError::Io {
                    name: name.into(),
                    what: "open a control socket",
                    source: e.into(),
                })?;
        Ok(Link { name: name.to_owned(), socket })
    }

    /// The interface of this index in our namespace.
    pub fn by_index(index: u32) -> Result<Link, LinkError> {
        let mut link = Link::new("")?;
        let asked =
            link.call("read the name", libc::SIOCGIFNAME, |r| r.ifr_ifru.ifru_ifindex = index as i32)?;
        let name = asked.ifr_name.iter().map(|&c| c as u8).take_while(|&c| c != 0).collect();
        link.name = String::from_utf8(name).map_err(|_| LinkError::NotThere(format!("number {index}")))?;
        Ok(link)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a port must know of an interface that is there already.
    pub fn ethernet(&self) -> Result<Ethernet, LinkError> {
        let index = self.index()?;
        let (family, mac) = self.hardware()?;
        if family != libc::ARPHRD_ETHER {
            return Err(LinkError::NotEthernet(self.name.clone()));
        }
        if self.flags()? & libc::IFF_UP == 0 {
            return Err(LinkError::Down(self.name.clone()));
        }
        Ok(Ethernet { index, mac, mtu: self.mtu()? })
    }

    /// The kernel's number for it.
    pub fn index(&self) -> Result<u32, LinkError> {
        let got = self.call("read the index", libc::SIOCGIFINDEX, |_| ())?;
        // SAFETY: SIOCGIFINDEX has filled in the index.
        Ok(unsafe { got.ifr_ifru.ifru_ifindex } as u32)
    }

    /// `IFF_*`
    pub fn flags(&self) -> Result<i32, LinkError> {
        let got = self.call("read the flags", libc::SIOCGIFFLAGS, |_| ())?;
        // SAFETY: SIOCGIFFLAGS has filled in the flags.
        Ok(i32::from(unsafe { got.ifr_ifru.ifru_flags }))
    }

    /// Largest IP packet, in bytes.
    pub fn mtu(&self) -> Result<u32, LinkError> {
        let got = self.call("read the MTU", libc::SIOCGIFMTU, |_| ())?;
        // SAFETY: SIOCGIFMTU has filled in the MTU.
        Ok(unsafe { got.ifr_ifru.ifru_mtu }.max(0) as u32)
    }

    /// `ARPHRD_*`, and the MAC address if that is Ethernet's.
    pub fn hardware(&self) -> Result<(u16, [u8; 6]), LinkError> {
        let got = self.call("read the MAC address", libc::SIOCGIFHWADDR, |_| ())?;
        // SAFETY: SIOCGIFHWADDR has filled in the hardware address.
        let address = unsafe { got.ifr_ifru.ifru_hwaddr };
        Ok((address.sa_family, std::array::from_fn(|i| address.sa_data[i] as u8)))
    }

    /// Brings it up.
    pub fn up(&self) -> Result<(), LinkError> {
        let flags = self.flags()?;
        if flags & libc::IFF_UP != 0 {
            return Ok(());
        }
        let up = |r: &mut libc::ifreq| r.ifr_ifru.ifru_flags = (flags | libc::IFF_UP) as libc::c_short;
        self.call("bring it up", libc::SIOCSIFFLAGS, up).map(|_| ())
    }

    /// One ioctl on the interface.
    pub fn call(
        &self,
        what: &'static str,
        number: libc::c_ulong,
        fill: impl FnOnce(&mut libc::ifreq),
    ) -> Result<libc::ifreq, LinkError> {
        let mut request = request(&self.name);
        fill(&mut request);
        match ioctl(self.socket.as_fd(), number, &mut request) {
            Ok(()) => Ok(request),
            Err(e) => Err(self.refused(what, "CAP_NET_ADMIN", e)),
        }
    }

    /// What to tell when the kernel has refused something that needs these capabilities.
    pub fn refused(&self, what: &'static str, capabilities: &'static str, source: io::Error) -> LinkError {
        let name = self.name.clone();
        match Errno::from_io_error(&source) {
            Some(Errno::PERM | Errno::ACCESS) => LinkError::NoRights { name, what, capabilities },
            Some(Errno::NODEV) => LinkError::NotThere(name),
            _ => LinkError::Io { name, what, source },
        }
    }
}

/// Whether there is no interface of this number any more.
pub(crate) fn is_gone(index: u32) -> bool {
    matches!(Link::by_index(index), Err(LinkError::NotThere(_)))
}

/// A MAC address for the stack: locally administered, the same for the same kernel side, another than it.
pub(crate) fn stack_mac(host: [u8; 6]) -> [u8; 6] {
    let mut mac = host;
    // IEEE 802: locally administered, individual.
    mac[0] = (mac[0] | 0x02) & 0xfe;
    mac[5] ^= 0x80;
    mac
}

/// A request that names the interface; the rest is zero.
pub(crate) fn request(name: &str) -> libc::ifreq {
    // SAFETY: `ifreq` is plain data for which all zeroes is a value: an empty name and a zero in every variant.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // One byte less than the field: it stays NUL-terminated.
    for (to, from) in request.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

pub(crate) fn ioctl(fd: BorrowedFd<'_>, number: libc::c_ulong, request: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: every number used here takes a pointer to an `ifreq`, which the kernel reads and writes within its bounds.
    // If it holds a pointer itself (ethtool), whoever filled it in vouches for that.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), number as _, std::ptr::from_mut(request)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// An IPv4 address as a `sockaddr`: family, port (2 bytes), address.
pub(crate) fn inet(address: Ipv4Addr) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data[2..6].iter_mut().zip(address.octets()) {
        *to = from as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, sa_data: data }
}

pub(crate) fn hardware_address(mac: [u8; 6]) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data.iter_mut().zip(mac) {
        *to = from as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::ARPHRD_ETHER, sa_data: data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_known() {
        assert!(!is_gone(1), "the loopback");
        assert!(is_gone(i32::MAX as u32));
    }

    #[test]
    fn a_name_is_not_cut_to_another_ones() {
        assert!(Link::new("0123456789abcde").is_ok(), "whether it is there is not asked yet");
        let error = Link::new("0123456789abcdef").unwrap_err();
        assert!(matches!(&error, LinkError::NotThere(name) if name == "0123456789abcdef"), "{error}");
    }
}
