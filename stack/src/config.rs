//! Settings of one stack instance.

use std::net::Ipv4Addr;
use std::sync::Arc;

use ferroflow_wire::MacAddr;

use crate::fragments::FragmentConfig;
use crate::steer::Steer;
use crate::tcp::TcpConfig;

/// Settings of one stack instance. The instances of one interface differ in `steer` and `seed` only.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our MAC address.
    pub mac: MacAddr,
    /// Our IPv4 address.
    pub address: Ipv4Addr,
    /// Length of our network's prefix, 0 to 32.
    pub prefix_len: u8,
    /// Where packets to other networks go; `None` = nowhere, unless they can be answered to where they came from.
    pub gateway: Option<Ipv4Addr>,
    /// Time to live of what is sent, 1 to 255 (RFC 9293 3.9.2, MUST-49; RFC 1122 3.2.1.7). 64 is RFC 1700's.
    pub ttl: u8,
    /// The source ports that active opens may have; `None` = all of 32768 to 65535. Of these, each core uses those whose answers
    /// come to it.
    pub source_ports: Option<Arc<[u16]>>,
    /// Which core this is, of how many.
    pub steer: Steer,
    /// Entropy: hash seeds, initial sequence numbers and source ports come from it. A test passes its own.
    pub seed: u64,
    /// TCP's settings.
    pub tcp: TcpConfig,
    /// Frames taken and sent at once. 64 fill no cache and share a kernel entry well.
    pub burst: usize,
    /// Bytes one connection may send in a turn before the others have theirs; where the port cuts segments
    /// ([`crate::port::Caps::tx_gso`]), four times as many.
    pub send_budget: usize,
    /// Most ICMP errors sent a second (RFC 1812 4.3.2.8); each second's number is drawn between half of it and all of it.
    pub icmp_errors_per_second: u32,
    /// How much may wait for the rest of its datagram.
    pub fragments: FragmentConfig,
}

impl Config {
    /// One core, defaults everywhere.
    pub fn new(mac: MacAddr, address: Ipv4Addr, prefix_len: u8, seed: u64) -> Config {
        Config {
            mac,
            address,
            prefix_len,
            gateway: None,
            ttl: 64,
            source_ports: None,
            steer: Steer::single(),
            seed,
            tcp: TcpConfig::default(),
            burst: 64,
            send_budget: 64 * 1024,
            icmp_errors_per_second: 100,
            fragments: FragmentConfig::default(),
        }
    }
}
