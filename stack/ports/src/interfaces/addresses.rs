//! Which addresses the kernel has on an interface, and where it sends what is for other networks (rtnetlink(7)).

use std::io;
use std::net::Ipv4Addr;

use super::netlink::{About, Attributes, Netlink};

// linux/rtnetlink.h, linux/if_addr.h
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_SECONDARY: u8 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RT_TABLE_MAIN: u8 = 254;
const RTN_UNICAST: u8 = 1;
const RT_SCOPE_LINK: u8 = 253;
const AF_UNSPEC: u8 = 0;
const AF_INET: u8 = libc::AF_INET as u8;
const AF_INET6: u8 = libc::AF_INET6 as u8;

/// `struct ifaddrmsg`
const ADDRESS_LEN: usize = 8;
/// `struct rtmsg`
const ROUTE_LEN: usize = 12;

/// What the kernel has on one interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Its first IPv4 address, and the length of its network's prefix.
    pub ipv4: Option<(Ipv4Addr, u8)>,
    /// Whether there is any that others may know: of IPv4, or of IPv6 but not link-local (every interface has such a one by
    /// itself).
    pub any: bool,
}

/// The addresses of every interface that has some, by number.
pub(super) fn all(route: &mut Netlink) -> io::Result<Vec<(u32, Addresses)>> {
    let mut all: Vec<(u32, Addresses)> = Vec::new();
    let request = [AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0];
    route.ask(RTM_GETADDR, About::All, &request, |answer| {
        let Some((index, found)) = address(answer) else { return };
        match all.iter_mut().find(|(of, _)| *of == index) {
            Some((_, known)) => {
                known.any |= found.any;
                known.ipv4 = known.ipv4.or(found.ipv4);
            }
            None => all.push((index, found)),
        }
    })?;
    Ok(all)
}

/// The addresses of the interface with this number.
pub(crate) fn of(index: u32) -> io::Result<Addresses> {
    let all = all(&mut Netlink::open(None)?)?;
    Ok(all.into_iter().find(|(of, _)| *of == index).map(|(_, addresses)| addresses).unwrap_or_default())
}

/// The router that the default route through an interface names; the most preferred one's.
pub(crate) fn gateway(index: u32) -> io::Result<Option<Ipv4Addr>> {
    let mut best: Option<(u32, Ipv4Addr)> = None;
    let request = [AF_INET, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    Netlink::open(None)?.ask(RTM_GETROUTE, About::All, &request, |answer| {
        let found = default_route(answer, index);
        best = best.into_iter().chain(found).min_by_key(|(priority, _)| *priority);
    })?;
    Ok(best.map(|(_, gateway)| gateway))
}

fn address(answer: &[u8]) -> Option<(u32, Addresses)> {
    let (info, rest) = answer.split_first_chunk::<ADDRESS_LEN>()?;
    let [family, prefix_len, flags, scope, a, b, c, d] = *info;
    let attributes = Attributes(rest);
    // On a point-to-point link the other one is the peer's.
    let local = attributes.ipv4(IFA_LOCAL).or_else(|| attributes.ipv4(IFA_ADDRESS));
    let ipv4 = local.filter(|_| family == AF_INET && flags & IFA_F_SECONDARY == 0);
    let any = family == AF_INET || (family == AF_INET6 && scope != RT_SCOPE_LINK);
    let found = Addresses { ipv4: ipv4.map(|address| (address, prefix_len)), any };
    Some((u32::from_ne_bytes([a, b, c, d]), found))
}

/// Preference (less is better) and router of a default route through the interface.
fn default_route(answer: &[u8], index: u32) -> Option<(u32, Ipv4Addr)> {
    let (info, rest) = answer.split_first_chunk::<ROUTE_LEN>()?;
    let [family, dst_len, _, _, table, _, _, kind, ..] = *info;
    let attributes = Attributes(rest);
    let ours = family == AF_INET
        && (dst_len, table, kind) == (0, RT_TABLE_MAIN, RTN_UNICAST)
        && attributes.u32(RTA_OIF) == Some(index);
    let gateway = attributes.ipv4(RTA_GATEWAY).filter(|_| ours)?;
    Some((attributes.u32(RTA_PRIORITY).unwrap_or(0), gateway))
}

#[cfg(test)]
mod tests {
    use super::super::netlink::attribute;
    use super::*;

    fn answer(head: [u8; 4], index: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        [&head[..], &index.to_ne_bytes(), &attributes.concat()].concat()
    }

    #[test]
    fn addresses_are_told_apart() {
        let here = attribute(IFA_LOCAL, &[10, 0, 0, 2]);
        let there = attribute(IFA_ADDRESS, &[10, 0, 0, 1]);
        let ipv4 = answer([AF_INET, 30, 0, 0], 7, &[there.clone(), here]);
        let expected = Addresses { ipv4: Some((Ipv4Addr::new(10, 0, 0, 2), 30)), any: true };
        assert_eq!(address(&ipv4), Some((7, expected)));
        let second = answer([AF_INET, 24, IFA_F_SECONDARY, 0], 7, &[there]);
        assert_eq!(address(&second), Some((7, Addresses { ipv4: None, any: true })));
        for (scope, any) in [(0, true), (RT_SCOPE_LINK, false)] {
            let ipv6 = answer([AF_INET6, 64, 0, scope], 7, &[attribute(IFA_ADDRESS, &[0xfe; 16])]);
            assert_eq!(address(&ipv6), Some((7, Addresses { ipv4: None, any })));
        }
        assert!((0..ADDRESS_LEN).all(|len| address(&ipv4[..len]).is_none()));
    }

    #[test]
    fn only_default_routes_of_the_interface_count() {
        let route = |dst_len, table, index: u32, priority: u32| {
            let head = [AF_INET, dst_len, 0, 0, table, 3, 0, RTN_UNICAST, 0, 0, 0, 0];
            let index = attribute(RTA_OIF, &index.to_ne_bytes());
            let priority = attribute(RTA_PRIORITY, &priority.to_ne_bytes());
            [&head[..], &attribute(RTA_GATEWAY, &[10, 0, 0, 254]), &index, &priority].concat()
        };
        let gateway = Ipv4Addr::new(10, 0, 0, 254);
        assert_eq!(default_route(&route(0, RT_TABLE_MAIN, 7, 100), 7), Some((100, gateway)));
        for other in [route(8, RT_TABLE_MAIN, 7, 0), route(0, 255, 7, 0), route(0, RT_TABLE_MAIN, 8, 0)] {
            assert_eq!(default_route(&other, 7), None);
        }
    }

    #[test]
    fn the_loopback_has_its_address() {
        let lo = of(1).unwrap();
        assert_eq!(lo.ipv4, Some((Ipv4Addr::LOCALHOST, 8)));
        assert_eq!(gateway(1).unwrap(), None);
    }
}
