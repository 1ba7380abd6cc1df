//! What the kernel says about its network interfaces, by rtnetlink, the ethtool and netdev families of generic netlink,
//! and sysfs: for people and programs that choose a port. No rights are needed.

pub(crate) mod addresses;
mod ethtool;
pub(crate) mod netlink;

use std::io;
use std::net::Ipv4Addr;

use rustix::net::netlink::GENERIC;

use ethtool::Families;
use netlink::{About, Attributes, Netlink};

/// One interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it is, where it is none of a card: `veth`, `tun`, `bridge`.
    pub kind: Option<String>,
    /// The driver of its card.
    pub driver: Option<String>,
    /// Whether its frames are Ethernet's.
    pub ethernet: bool,
    /// Whether it is the loopback.
    pub loopback: bool,
    /// Whether it has been switched on.
    pub up: bool,
    /// Whether it has a link.
    pub carrier: bool,
    /// Whether the kernel has an address on it that others may know: of IPv4, or of IPv6 but not link-local.
    pub addressed: bool,
    /// The kernel's IPv4 address on it, and the length of its network's prefix.
    pub ipv4: Option<(Ipv4Addr, u8)>,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// Receive and transmit queues in use.
    pub queues: Queues,
    /// How its receive hash works, where it has one.
    pub rss: Option<Rss>,
    /// The offloads that are on, by the kernel's names.
    pub offloads: Vec<String>,
    /// What its driver can do for XDP; `None` = the kernel does not say (before 6.3).
    pub xdp: Option<Xdp>,
    /// How an XDP program is attached.
    pub attached: Attached,
    /// The memory node of its card.
    pub node: Option<u32>,
}

/// How many queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queues {
    /// To receive.
    pub rx: u32,
    /// To send.
    pub tx: u32,
    /// Most pairs that may be asked for; `None` = the driver does not say.
    pub max: Option<u32>,
}

/// A receive hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rss {
    /// Whether it is Toeplitz's; other functions steer otherwise than [`ferroflow_stack::steer`].
    pub toeplitz: bool,
    /// Its key.
    pub key: Vec<u8>,
    /// The queue for each value of the hash's lowest bits.
    pub table: Vec<u32>,
}

/// What a driver can do for XDP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Xdp {
    /// Run a program itself, before the kernel makes a packet of the frame.
    pub native: bool,
    /// Hand frames to user space without a copy.
    pub zero_copy: bool,
}

/// How an XDP program is attached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Attached {
    /// There is none.
    #[default]
    No,
    /// In the driver.
    Native,
    /// In the kernel's general code.
    Generic,
    /// On the card.
    Offloaded,
    /// More than one.
    Several,
}

// linux/rtnetlink.h, linux/if_link.h, linux/if.h, linux/if_arp.h
const RTM_GETLINK: u16 = 18;
const INFO_LEN: usize = 16;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_CARRIER: u16 = 33;
const IFLA_XDP: u16 = 43;
const IFLA_XDP_ATTACHED: u16 = 2;
/// Where each mode's program is told (IFLA_XDP_DRV_PROG_ID and so on).
const XDP_PROG_IDS: [(Attached, u16); 3] =
    [(Attached::Native, 5), (Attached::Generic, 6), (Attached::Offloaded, 7)];
const ARPHRD_ETHER: u16 = 1;
const IFF_UP: u32 = 1;
const IFF_LOOPBACK: u32 = 8;

/// All interfaces of this network namespace, in the kernel's order. What a driver does not tell is left out.
///
/// # Errors
/// When the kernel does not answer at all.
pub fn list() -> io::Result<Vec<Interface>> {
    let mut interfaces = Vec::new();
    let mut route = Netlink::open(None)?;
    route.ask(RTM_GETLINK, About::All, &[0; INFO_LEN], |answer| interfaces.extend(link(answer)))?;
    let addresses = addresses::all(&mut route)?;
    let mut families = Families::open(Netlink::open(Some(GENERIC))?);
    for interface in &mut interfaces {
        families.describe(interface);
        if let Some((_, found)) = addresses.iter().find(|(index, _)| *index == interface.index) {
            (interface.addressed, interface.ipv4) = (found.any, found.ipv4);
        }
        let device = format!("/sys/class/net/{}/device", interface.name);
        let driver = std::fs::read_link(format!("{device}/driver")).ok();
        interface.driver = driver.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        // -1: the machine has one node, or the card is near to none.
        let node = std::fs::read_to_string(format!("{device}/numa_node")).ok();
        interface.node = node.and_then(|text| text.trim().parse().ok());
    }
    Ok(interfaces)
}

/// How the receive hash of one interface works, where it has one and the kernel tells.
pub(crate) fn rss(index: u32) -> Option<Rss> {
    Families::open(Netlink::open(Some(GENERIC)).ok()?).rss(index)
}

/// The XDP programs on an interface: how each is attached, and its number.
pub(crate) fn programs(index: u32) -> io::Result<Vec<(Attached, u32)>> {
    let mut request = [0; INFO_LEN];
    request[4..8].copy_from_slice(&index.to_ne_bytes());
    let mut found = Vec::new();
    Netlink::open(None)?.ask(RTM_GETLINK, About::One, &request, |answer| {
        let attributes = Attributes(answer.get(INFO_LEN..).unwrap_or(&[])).inside(IFLA_XDP);
        for (mode, kind) in XDP_PROG_IDS {
            found.extend(attributes.u32(kind).map(|id| (mode, id)));
        }
    })?;
    Ok(found)
}

/// `struct ifinfomsg` and its attributes.
fn link(answer: &[u8]) -> Option<Interface> {
    let (info, rest) = answer.split_first_chunk::<INFO_LEN>()?;
    let attributes = Attributes(rest);
    let flags = u32::from_ne_bytes([info[8], info[9], info[10], info[11]]);
    let queues = |kind| attributes.u32(kind).unwrap_or(1);
    Some(Interface {
        index: u32::from_ne_bytes([info[4], info[5], info[6], info[7]]),
        name: attributes.text(IFLA_IFNAME)?,
        kind: attributes.inside(IFLA_LINKINFO).text(IFLA_INFO_KIND),
        ethernet: u16::from_ne_bytes([info[2], info[3]]) == ARPHRD_ETHER,
        loopback: flags & IFF_LOOPBACK != 0,
        up: flags & IFF_UP != 0,
        carrier: attributes.u8(IFLA_CARRIER) == Some(1),
        mtu: attributes.u32(IFLA_MTU).unwrap_or(0),
        queues: Queues { rx: queues(IFLA_NUM_RX_QUEUES), tx: queues(IFLA_NUM_TX_QUEUES), max: None },
        attached: match attributes.inside(IFLA_XDP).u8(IFLA_XDP_ATTACHED) {
            None | Some(0) => Attached::No,
            Some(1) => Attached::Native,
            Some(2) => Attached::Generic,
            Some(3) => Attached::Offloaded,
            Some(_) => Attached::Several,
        },
        ..Interface::default()
    })
}

#[cfg(test)]
mod tests {
    use super::netlink::{attribute, nest};
    use super::*;

    #[test]
    fn a_link_is_read() {
        let mut answer = vec![0, 0];
        answer.extend(ARPHRD_ETHER.to_ne_bytes());
        answer.extend(7u32.to_ne_bytes());
        answer.extend(IFF_UP.to_ne_bytes());
        answer.extend([0; 4]);
        answer.extend(attribute(IFLA_IFNAME, b"ve0\0"));
        answer.extend(attribute(IFLA_MTU, &9000u32.to_ne_bytes()));
        answer.extend(attribute(IFLA_NUM_RX_QUEUES, &4u32.to_ne_bytes()));
        answer.extend(attribute(IFLA_CARRIER, &[1]));
        answer.extend(nest(IFLA_LINKINFO, &attribute(IFLA_INFO_KIND, b"veth\0")));
        answer.extend(nest(IFLA_XDP, &attribute(IFLA_XDP_ATTACHED, &[2])));
        let expected = Interface {
            index: 7,
            name: "ve0".to_owned(),
            kind: Some("veth".to_owned()),
            ethernet: true,
            up: true,
            carrier: true,
            mtu: 9000,
            queues: Queues { rx: 4, tx: 1, max: None },
            attached: Attached::Generic,
            ..Interface::default()
        };
        assert_eq!(link(&answer), Some(expected));
        assert!((0..INFO_LEN).all(|len| link(&answer[..len]).is_none()));
    }

    #[test]
    fn the_loopback_is_there() {
        let all = list().unwrap();
        let lo = all.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(lo.loopback && !lo.ethernet && lo.index > 0 && lo.rss.is_none());
        assert!(lo.offloads.iter().any(|name| name == "rx-checksum" || name.starts_with("tx-")), "{lo:?}");
    }
}
