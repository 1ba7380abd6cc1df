//! An interface whose address the kernel and the stack share: the kernel keeps it and everything that comes there, but
//! TCP to the ports that we listen on or open from.
//!
//! * [`led`](crate::xdp) says which ports that are. Those that we listen on are held by the listening sockets that serve who
//!   comes to them by other ways (`ferroflow_runtime::beside`); those that we open from are held here (`Sources`).
//! * The stack speaks no ARP there: what it asks, the kernel's table of neighbours answers ([`Resolved`]).

mod neighbors;
mod resolved;
mod sources;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

pub use resolved::Resolved;
use sources::Sources;

use crate::interfaces::addresses;
use crate::xdp::{Deaf, Led};

/// What the stack has of such an interface, and of the kernel, beside its ports.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The interface's number.
    pub index: u32,
    /// The MAC address.
    pub mac: [u8; 6],
    /// The address.
    pub address: Ipv4Addr,
    /// Length of its network's prefix.
    pub prefix_len: u8,
    /// Where the kernel's default route through the interface leads.
    pub gateway: Option<Ipv4Addr>,
    led: Arc<Led>,
    deaf: Deaf,
    sources: Arc<Sources>,
}

impl Shared {
    pub(crate) fn new(
        index: u32,
        mac: [u8; 6],
        (address, prefix_len): (Ipv4Addr, u8),
        sources: u16,
        led: Arc<Led>,
    ) -> io::Result<Shared> {
        let gateway = addresses::gateway(index)?;
        let sources = Sources::hold(address, sources)?;
        sources.ports().iter().for_each(|&port| led.lead(port));
        let deaf = Deaf::new(index, address)?;
        Ok(Shared { index, mac, address, prefix_len, gateway, led, deaf, sources: Arc::new(sources) })
    }

    /// From now on the interface's packets to that TCP port come to the stack, until its last port is dropped. To be called
    /// when a socket holds it.
    pub fn lead(&self, port: u16) {
        self.led.lead(port);
    }

    /// What the kernel's sockets at such ports must have.
    pub fn deaf(&self) -> Deaf {
        self.deaf.clone()
    }

    /// The ports from which the stack may open connections.
    pub fn source_ports(&self) -> Arc<[u16]> {
        self.sources.ports().into()
    }

    /// Whether the kernel would send what is for that address from the shared one to another host: then the stack can.
    pub fn leads_to(&self, to: Ipv4Addr) -> bool {
        to != self.address && self.source_to(to).is_ok_and(|source| source.ip() == self.address)
    }

    /// From which address the kernel would send: connecting a datagram socket sends nothing.
    fn source_to(&self, to: Ipv4Addr) -> io::Result<SocketAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((to, neighbors::DISCARD))?;
        socket.local_addr()
    }
}
