//! Sockets that do not hear what the stack answers.
//!
//! On an interface whose address is shared, the kernel's sockets at the stack's ports must neither answer nor reset what the
//! XDP program leads to the stack; should any of it come to them (a fragment that was put together, a priority tag that was
//! taken off, a queue that is not ours), it is dropped.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use super::program;
use crate::bpf::{self, Kind};
use crate::sockopt;

/// A filter for such sockets. It is loaded once, with the rights that this takes; to attach it takes none.
#[derive(Debug, Clone)]
pub struct Deaf {
    program: Arc<OwnedFd>,
}

impl Deaf {
    /// To what arrives on the interface with this number for this address.
    pub(crate) fn new(index: u32, address: Ipv4Addr) -> io::Result<Deaf> {
        let program = bpf::load(Kind::Filter, &program::unheard(index, address))?;
        Ok(Deaf { program: Arc::new(program) })
    }

    /// Makes a socket deaf, and those that it accepts.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn make(&self, socket: impl AsFd) -> io::Result<()> {
        let program = self.program.as_fd().as_raw_fd();
        sockopt::set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_BPF, &program)
    }
}
