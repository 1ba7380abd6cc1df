//! What drivers say: the ethtool and netdev families of generic netlink.

use std::io;

use super::netlink::{About, Attributes, Netlink, attribute, nest};
use super::{Interface, Rss, Xdp};

// linux/genetlink.h
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// `struct genlmsghdr`: the command, a version, two bytes that are 0.
const COMMAND_LEN: usize = 4;

// linux/ethtool_netlink.h: commands, and the attributes of their answers.
const ETHTOOL_MSG_FEATURES_GET: u8 = 11;
const ETHTOOL_MSG_CHANNELS_GET: u8 = 17;
const ETHTOOL_MSG_RSS_GET: u8 = 38;
/// The header is attribute 1 of every request.
const ETHTOOL_A_HEADER: u16 = 1;
const ETHTOOL_A_HEADER_DEV_INDEX: u16 = 1;
const ETHTOOL_A_CHANNELS_RX_MAX: u16 = 2;
const ETHTOOL_A_CHANNELS_TX_MAX: u16 = 3;
const ETHTOOL_A_CHANNELS_COMBINED_MAX: u16 = 5;
const ETHTOOL_A_CHANNELS_RX_COUNT: u16 = 6;
const ETHTOOL_A_CHANNELS_TX_COUNT: u16 = 7;
const ETHTOOL_A_CHANNELS_COMBINED_COUNT: u16 = 9;
const ETHTOOL_A_RSS_HFUNC: u16 = 3;
const ETHTOOL_A_RSS_INDIR: u16 = 4;
const ETHTOOL_A_RSS_HKEY: u16 = 5;
const ETHTOOL_A_RSS_INPUT_XFRM: u16 = 6;
/// `ETH_RSS_HASH_TOP` of linux/ethtool.h.
const TOEPLITZ: u32 = 1;
const ETHTOOL_A_FEATURES_ACTIVE: u16 = 4;
const ETHTOOL_A_BITSET_BITS: u16 = 3;
const ETHTOOL_A_BITSET_BITS_BIT: u16 = 1;
const ETHTOOL_A_BITSET_BIT_NAME: u16 = 2;
const ETHTOOL_A_BITSET_BIT_VALUE: u16 = 3;
const ETHTOOL_A_BITSET_NOMASK: u16 = 1;

// linux/netdev.h
const NETDEV_CMD_DEV_GET: u8 = 1;
const NETDEV_A_DEV_IFINDEX: u16 = 1;
const NETDEV_A_DEV_XDP_FEATURES: u16 = 3;
const NETDEV_XDP_ACT_BASIC: u64 = 1;
const NETDEV_XDP_ACT_XSK_ZEROCOPY: u64 = 8;

/// The families that this kernel has.
pub(super) struct Families {
    netlink: Netlink,
    ethtool: Option<u16>,
    netdev: Option<u16>,
}

impl Families {
    pub fn open(mut netlink: Netlink) -> Families {
        let ethtool = family(&mut netlink, "ethtool");
        let netdev = family(&mut netlink, "netdev");
        Families { netlink, ethtool, netdev }
    }

    /// Adds what the driver of an interface tells. Most tell less than all.
    pub fn describe(&mut self, interface: &mut Interface) {
        let index = interface.index;
        if let Some(answer) = self.ethtool(ETHTOOL_MSG_CHANNELS_GET, index) {
            channels(Attributes(&answer), interface);
        }
        interface.rss = self.rss(index);
        if let Some(answer) = self.ethtool(ETHTOOL_MSG_FEATURES_GET, index) {
            interface.offloads = features(Attributes(&answer));
        }
        interface.xdp = self.xdp(index);
    }

    pub fn rss(&mut self, index: u32) -> Option<Rss> {
        self.ethtool(ETHTOOL_MSG_RSS_GET, index).and_then(|answer| rss(Attributes(&answer)))
    }

    fn ethtool(&mut self, command: u8, index: u32) -> Option<Vec<u8>> {
        call(&mut self.netlink, self.ethtool?, command, &about(index)).ok()?
    }

    fn xdp(&mut self, index: u32) -> Option<Xdp> {
        let request = attribute(NETDEV_A_DEV_IFINDEX, &index.to_ne_bytes());
        let answer = call(&mut self.netlink, self.netdev?, NETDEV_CMD_DEV_GET, &request).ok()??;
        let features = Attributes(&answer).u64(NETDEV_A_DEV_XDP_FEATURES)?;
        Some(Xdp {
            native: features & NETDEV_XDP_ACT_BASIC != 0,
            zero_copy: features & NETDEV_XDP_ACT_XSK_ZEROCOPY != 0,
        })
    }
}

/// The header of a request about an interface.
fn about(index: u32) -> Vec<u8> {
    nest(ETHTOOL_A_HEADER, &attribute(ETHTOOL_A_HEADER_DEV_INDEX, &index.to_ne_bytes()))
}

/// The number that the kernel has given a family.
fn family(netlink: &mut Netlink, name: &str) -> Option<u16> {
    let name = attribute(CTRL_ATTR_FAMILY_NAME, &[name.as_bytes(), &[0]].concat());
    let answer = call(netlink, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, &name).ok()??;
    Some(u16::from_ne_bytes(*Attributes(&answer).get(CTRL_ATTR_FAMILY_ID)?.first_chunk()?))
}

/// One request of a family; the attributes of its answer.
fn call(netlink: &mut Netlink, family: u16, command: u8, request: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut answer = None;
    let payload = [&[command, 1, 0, 0], request].concat();
    netlink
        .ask(family, About::One, &payload, |bytes| answer = bytes.get(COMMAND_LEN..).map(<[u8]>::to_vec))?;
    Ok(answer)
}

fn channels(answer: Attributes<'_>, interface: &mut Interface) {
    let count = |kind| answer.u32(kind).unwrap_or(0);
    let pairs = count(ETHTOOL_A_CHANNELS_COMBINED_COUNT);
    interface.queues.rx = pairs + count(ETHTOOL_A_CHANNELS_RX_COUNT);
    interface.queues.tx = pairs + count(ETHTOOL_A_CHANNELS_TX_COUNT);
    let apart = count(ETHTOOL_A_CHANNELS_RX_MAX).min(count(ETHTOOL_A_CHANNELS_TX_MAX));
    interface.queues.max = Some(count(ETHTOOL_A_CHANNELS_COMBINED_MAX).max(apart));
}

fn rss(answer: Attributes<'_>) -> Option<Rss> {
    let key = answer.get(ETHTOOL_A_RSS_HKEY)?.to_vec();
    let (table, _) = answer.get(ETHTOOL_A_RSS_INDIR).unwrap_or(&[]).as_chunks();
    // What is done to addresses and ports before they are hashed ("symmetric-xor") makes it another function.
    let transformed = answer.u32(ETHTOOL_A_RSS_INPUT_XFRM).is_some_and(|how| how != 0);
    Some(Rss {
        toeplitz: answer.u32(ETHTOOL_A_RSS_HFUNC) == Some(TOEPLITZ) && !transformed,
        key,
        table: table.iter().map(|bytes| u32::from_ne_bytes(*bytes)).collect(),
    })
}

/// The names of the features that are on.
fn features(answer: Attributes<'_>) -> Vec<String> {
    let set = answer.inside(ETHTOOL_A_FEATURES_ACTIVE);
    // Without a mask, the bits that are listed are the ones that are set.
    let listed = set.get(ETHTOOL_A_BITSET_NOMASK).is_some();
    set.inside(ETHTOOL_A_BITSET_BITS)
        .filter(|(kind, _)| *kind == ETHTOOL_A_BITSET_BITS_BIT)
        .map(|(_, bit)| Attributes(bit))
        .filter(|bit| listed || bit.get(ETHTOOL_A_BITSET_BIT_VALUE).is_some())
        .filter_map(|bit| bit.text(ETHTOOL_A_BITSET_BIT_NAME))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_counted_in_pairs_and_apart() {
        let number = |kind, n: u32| attribute(kind, &n.to_ne_bytes());
        let mut card = Interface::default();
        let pairs = [
            number(ETHTOOL_A_CHANNELS_COMBINED_COUNT, 4),
            number(ETHTOOL_A_CHANNELS_COMBINED_MAX, 16),
            number(ETHTOOL_A_CHANNELS_RX_COUNT, 1),
        ];
        channels(Attributes(&pairs.concat()), &mut card);
        assert_eq!((card.queues.rx, card.queues.tx, card.queues.max), (5, 4, Some(16)));
        let apart = [
            number(ETHTOOL_A_CHANNELS_RX_COUNT, 2),
            number(ETHTOOL_A_CHANNELS_TX_COUNT, 3),
            number(ETHTOOL_A_CHANNELS_RX_MAX, 8),
            number(ETHTOOL_A_CHANNELS_TX_MAX, 4),
        ];
        channels(Attributes(&apart.concat()), &mut card);
        assert_eq!((card.queues.rx, card.queues.tx, card.queues.max), (2, 3, Some(4)));
    }

    #[test]
    fn a_hash_is_read() {
        let answer = [
            attribute(ETHTOOL_A_RSS_HFUNC, &1u32.to_ne_bytes()),
            attribute(ETHTOOL_A_RSS_INDIR, &[0u32.to_ne_bytes(), 1u32.to_ne_bytes()].concat()),
            attribute(ETHTOOL_A_RSS_HKEY, &[0x6d; 40]),
        ];
        let expected = Rss { toeplitz: true, key: vec![0x6d; 40], table: vec![0, 1] };
        assert_eq!(rss(Attributes(&answer.concat())), Some(expected));
        assert_eq!(rss(Attributes(&answer[0])), None, "a function without a key");
        let transformed =
            [answer.concat(), attribute(ETHTOOL_A_RSS_INPUT_XFRM, &1u32.to_ne_bytes())].concat();
        assert!(rss(Attributes(&transformed)).is_some_and(|rss| !rss.toeplitz));
    }

    #[test]
    fn the_kernel_is_asked_about_one_interface() {
        // linux/netlink.h: lengths and types of 16 bits; the header is a nest (0x8000) of type 1 with the index in type 1.
        let expected = [[12u16, 0x8001], [8, 1], [7, 0]].concat();
        assert_eq!(about(7), expected.into_iter().flat_map(u16::to_ne_bytes).collect::<Vec<_>>());
    }

    #[test]
    fn offloads_are_named_where_they_are_on() {
        let bit = |name: &str, on: bool| {
            let name = attribute(ETHTOOL_A_BITSET_BIT_NAME, &[name.as_bytes(), &[0]].concat());
            let value = if on { attribute(ETHTOOL_A_BITSET_BIT_VALUE, &[]) } else { Vec::new() };
            nest(ETHTOOL_A_BITSET_BITS_BIT, &[name, value].concat())
        };
        let bits = nest(ETHTOOL_A_BITSET_BITS, &[bit("rx-gro", true), bit("rx-lro", false)].concat());
        let masked = nest(ETHTOOL_A_FEATURES_ACTIVE, &bits);
        assert_eq!(features(Attributes(&masked)), ["rx-gro"]);
        let listed =
            nest(ETHTOOL_A_FEATURES_ACTIVE, &[attribute(ETHTOOL_A_BITSET_NOMASK, &[]), bits].concat());
        assert_eq!(features(Attributes(&listed)), ["rx-gro", "rx-lro"]);
    }
}
