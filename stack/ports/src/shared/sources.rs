//! The source ports of active opens: bound by sockets that do nothing else, so that nobody else gets them.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// Ports, and what holds them.
#[derive(Debug)]
pub(super) struct Sources {
    ports: Box<[u16]>,
    _held: Box<[OwnedFd]>,
}

impl Sources {
    /// Any `count` ports of the address that nobody has: the kernel chooses among its ephemeral ones.
    pub fn hold(address: Ipv4Addr, count: u16) -> io::Result<Sources> {
        let all = (0..count).map(|_| hold(address)).collect::<Result<Vec<_>, _>>()?;
        let (ports, held): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        Ok(Sources { ports: ports.into(), _held: held.into() })
    }

    pub fn ports(&self) -> &[u16] {
        &self.ports
    }
}

fn hold(address: Ipv4Addr) -> Result<(u16, OwnedFd), Errno> {
    let fd = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::bind(&fd, &SocketAddrV4::new(address, 0))?;
    let bound = SocketAddrV4::try_from(rustix::net::getsockname(&fd)?)?;
    Ok((bound.port(), fd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn nobody_else_gets_what_is_held() {
        let sources = Sources::hold(Ipv4Addr::LOCALHOST, 8).unwrap();
        let ports = sources.ports().to_vec();
        assert!(ports.len() == 8 && ports.iter().all(|&port| port > 0));
        for &port in &ports {
            assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err(), "{port}");
            assert!(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_err(), "{port}");
        }
        drop(sources);
        assert!(ports.iter().any(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()));
    }
}
