//! The module: /dev/netmap, one descriptor for each pair of rings.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::NetmapError;
use super::api::{self, Header, Register};
use super::pair::Which;
use crate::region::Region;
use crate::spec::netmap::NAME_LEN;

/// Which ring of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What is to be sent.
    Tx,
    /// What has been received.
    Rx,
}

/// What moves the frames of a pair of rings: the module, or a test's model of it.
pub trait Device: fmt::Debug {
    /// Takes what we have left behind in the ring, and shows what is new there.
    fn sync(&self, direction: Direction) -> Result<(), Errno>;

    /// What becomes ready when there is something new.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}

/// A descriptor of /dev/netmap to which a pair of rings is bound.
#[derive(Debug)]
pub struct Descriptor(OwnedFd);

impl Device for Descriptor {
    fn sync(&self, direction: Direction) -> Result<(), Errno> {
        let number = match direction {
            Direction::Tx => api::NIOCTXSYNC,
            Direction::Rx => api::NIOCRXSYNC,
        };
        // SAFETY: neither of the two takes an argument. What they change are the words of the rings, which are accessed as
        // atomics only, and buffers in slots, of which nothing is lent.
        match unsafe { libc::ioctl(self.0.as_raw_fd(), number as _) } {
            0.. => Ok(()),
            _ => Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)),
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}

/// What the module says of what it has bound.
#[derive(Debug)]
pub(super) struct Bound {
    pub descriptor: Descriptor,
    pub said: Register,
}

impl Bound {
    /// Its memory.
    pub fn memory(&self) -> io::Result<Region> {
        let len = usize::try_from(self.said.nr_memsize).map_err(io::Error::other)?;
        Region::of(&self.descriptor.0, len, 0)
    }
}

/// Binds a pair of the port's rings. `rings` is how many pairs a port is to have that the module makes.
pub(super) fn bind(name: &str, which: Which, rings: u16, extra: u32) -> Result<Bound, NetmapError> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let fd = rustix::fs::open("/dev/netmap", flags, Mode::empty()).map_err(|e| match e {
        Errno::NOENT | Errno::NXIO | Errno::NODEV => NetmapError::NoModule,
        Errno::ACCESS | Errno::PERM => NetmapError::NoRights,
        e => NetmapError::io(name, "open /dev/netmap", e.into()),
    })?;
    let (mode, number) = match which {
        Which::Nic(n) => (api::ONE_NIC, n),
        Which::Host(n) => (api::ONE_SW, n),
    };
    let mut said = Register {
        nr_tx_rings: rings,
        nr_rx_rings: rings,
        nr_ringid: number,
        nr_mode: mode,
        nr_extra_bufs: extra,
        nr_flags: api::EXCLUSIVE | api::NO_TX_POLL,
        ..Register::default()
    };
    let mut header = header(name, &mut said);
    // SAFETY: NIOCCTRL reads and writes a `nmreq_header`, and by its pointer a `nmreq_register`, of just these layouts; both
    // live on until it returns.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), api::NIOCCTRL as _, std::ptr::from_mut(&mut header)) };
    if result < 0 {
        let e = io::Error::last_os_error();
        return Err(match Errno::from_io_error(&e) {
            Some(Errno::INVAL) if header.nr_version != api::API => NetmapError::Version(header.nr_version),
            Some(Errno::BUSY) => NetmapError::Busy(name.to_owned()),
            Some(Errno::NXIO | Errno::NODEV) => NetmapError::NotThere(name.to_owned()),
            Some(Errno::NOMEM) => NetmapError::NoMemory(name.to_owned()),
            _ => NetmapError::io(name, "bind rings", e),
        });
    }
    Ok(Bound { descriptor: Descriptor(fd), said })
}

/// A request to register; it points to its body.
fn header(name: &str, body: &mut Register) -> Header {
    let mut nr_name = [0; NAME_LEN];
    // One byte less than the field: it stays NUL-terminated. Longer names have been refused.
    for (to, from) in nr_name[..NAME_LEN - 1].iter_mut().zip(name.bytes()) {
        *to = from;
    }
    Header {
        nr_version: api::API,
        nr_reqtype: api::REGISTER,
        nr_reserved: 0,
        nr_name,
        nr_options: 0,
        nr_body: std::ptr::from_mut(body) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_laid_out_as_the_module_reads_it() {
        let mut body = Register { nr_mode: api::ONE_NIC, nr_ringid: 3, ..Register::default() };
        let header = header("vale0:1", &mut body);
        assert_eq!((header.nr_version, header.nr_reqtype, header.nr_reserved), (14, 1, 0));
        assert_eq!(&header.nr_name[..9], b"vale0:1\0\0");
        assert_eq!(header.nr_body, std::ptr::from_ref(&body) as u64);
        let long = "x".repeat(80);
        let header = self::header(&long, &mut body);
        assert_eq!((header.nr_name[62], header.nr_name[63]), (b'x', 0));
    }

    #[test]
    fn numbers_are_those_of_the_header_file() {
        // _IO('i', 148), _IO('i', 149)
        assert_eq!((api::NIOCTXSYNC, api::NIOCRXSYNC), (0x6994, 0x6995));
        assert_eq!((api::EXCLUSIVE, api::ONE_NIC, api::BUF_CHANGED, api::MOREFRAG), (0x800, 4, 1, 0x20));
    }

    #[test]
    fn without_the_module_it_says_so() {
        if !std::path::Path::new("/dev/netmap").exists() {
            assert!(matches!(bind("vale0:1", Which::Nic(0), 1, 0), Err(NetmapError::NoModule)));
        }
    }
}
