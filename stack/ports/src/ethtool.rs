//! What an interface's driver tells about itself, by the ioctls of ethtool (linux/ethtool.h).

use crate::interfaces::Rss;
use crate::link::{Link, LinkError};

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GTXCSUM: u32 = 0x16;
const ETHTOOL_GSTATS: u32 = 0x1d;
const ETHTOOL_GCHANNELS: u32 = 0x3c;
const ETHTOOL_SRSSH: u32 = 0x47;
/// `ETH_RSS_HASH_TOP`, `ETH_RSS_HASH_NO_CHANGE`, `ETH_RXFH_INDIR_NO_CHANGE`
const TOEPLITZ: u8 = 1;
const NO_CHANGE: u8 = 0;
const SAME_TABLE: u32 = u32::MAX;

/// `struct ethtool_drvinfo`
#[repr(C)]
#[derive(Clone, Copy)]
struct DriverInfo {
    cmd: u32,
    driver: [u8; 32],
    versions: [[u8; 32]; 4],
    reserved: [u8; 12],
    n_priv_flags: u32,
    n_stats: u32,
    testinfo_len: u32,
    eedump_len: u32,
    regdump_len: u32,
}

/// `struct ethtool_channels`
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Channels {
    cmd: u32,
    max: [u32; 4],
    rx_count: u32,
    tx_count: u32,
    other_count: u32,
    combined_count: u32,
}

/// `struct ethtool_value`
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Value {
    cmd: u32,
    data: u32,
}

/// Room for what veth counts, with the 4096 queues that an interface can have at most as well (IFLA_NUM_RX_QUEUES). The
/// kernel asks nobody how much room there is, so that it must be enough however many queues there have come to be.
const VETH_STATS_MAX: usize = 1 << 17;

const _: () =
    assert!(size_of::<DriverInfo>() == 196 && size_of::<Channels>() == 36 && size_of::<Value>() == 8);

/// A structure of ethtool's.
///
/// # Safety
/// It is laid out as the kernel has it, and for the commands that it is used with the kernel writes no more than its size.
unsafe trait Question: Copy {}

// SAFETY: the kernel copies out one `struct ethtool_drvinfo`.
unsafe impl Question for DriverInfo {}
// SAFETY: the kernel copies out one `struct ethtool_channels`.
unsafe impl Question for Channels {}
// SAFETY: the kernel copies out one `struct ethtool_value`.
unsafe impl Question for Value {}

/// Asks one question.
fn ask<T: Question>(link: &Link, what: &'static str, question: T) -> Result<T, LinkError> {
    let mut answer = Box::new(question);
    let data = std::ptr::from_mut(&mut *answer);
    link.call(what, libc::SIOCETHTOOL, |r| r.ifr_ifru.ifru_data = data.cast())?;
    Ok(*answer)
}

fn driver_info(link: &Link) -> Result<DriverInfo, LinkError> {
    let question = DriverInfo {
        cmd: ETHTOOL_GDRVINFO,
        driver: [0; 32],
        versions: [[0; 32]; 4],
        reserved: [0; 12],
        n_priv_flags: 0,
        n_stats: 0,
        testinfo_len: 0,
        eedump_len: 0,
        regdump_len: 0,
    };
    ask(link, "read the driver", question)
}

/// Whether it is an end of a veth pair.
pub(crate) fn is_veth(link: &Link) -> bool {
    driver_info(link).is_ok_and(|info| info.driver.starts_with(b"veth\0"))
}

/// How many receive queues are in use; 1 where the driver does not say.
pub(crate) fn receive_queues(link: &Link) -> u32 {
    let question = Channels { cmd: ETHTOOL_GCHANNELS, ..Channels::default() };
    match ask(link, "read the number of queues", question) {
        Ok(channels) => channels.rx_count.saturating_add(channels.combined_count).max(1),
        Err(_) => 1,
    }
}

/// Whether what the interface sends has its transport checksums left out.
pub(crate) fn leaves_checksums_out(link: &Link) -> bool {
    let question = Value { cmd: ETHTOOL_GTXCSUM, data: 0 };
    ask(link, "read the offloads", question).is_ok_and(|value| value.data != 0)
}

/// The other end of a veth, by its index in whatever namespace it is; `None` for what is no veth.
pub(crate) fn veth_peer(link: &Link) -> Option<u32> {
    let count = driver_info(link).ok().filter(|_| is_veth(link))?.n_stats;
    // `struct ethtool_stats`: the command and how many there are, four bytes each, and the counters.
    let mut answer = vec![0u64; 1 + VETH_STATS_MAX];
    let [a, b, c, d] = ETHTOOL_GSTATS.to_ne_bytes();
    let [e, f, g, h] = count.to_ne_bytes();
    answer[0] = u64::from_ne_bytes([a, b, c, d, e, f, g, h]);
    let data = answer.as_mut_ptr();
    link.call("read the counters", libc::SIOCETHTOOL, |r| r.ifr_ifru.ifru_data = data.cast()).ok()?;
    // drivers/net/veth.c: the first of its counters is `peer_ifindex`.
    u32::try_from(answer[1]).ok().filter(|&index| index > 0)
}

/// Gives a card another key and another table for its receive hash, each as long as it `has` them, and has it hash as Toeplitz.
pub(crate) fn set_rss(link: &Link, has: &Rss, table: &[u32], key: &[u8]) -> Result<(), LinkError> {
    let mut request = rss_request(has, table, key);
    let data = request.as_mut_ptr();
    // The kernel reads as many bytes as the request says that it has.
    link.call("set the key of the receive hash", libc::SIOCETHTOOL, |r| r.ifr_ifru.ifru_data = data.cast())?;
    Ok(())
}

/// `struct ethtool_rxfh`: the command, the context (0: the card's main one), the lengths of table and key, the function, what is
/// done to the input before (nothing), six bytes that are 0; then the table and the key.
fn rss_request(has: &Rss, table: &[u32], key: &[u8]) -> Vec<u8> {
    let entries = if table.is_empty() { SAME_TABLE } else { table.len() as u32 };
    let function = if has.toeplitz { NO_CHANGE } else { TOEPLITZ };
    let mut request: Vec<u8> = [ETHTOOL_SRSSH, 0, entries, key.len() as u32].map(u32::to_ne_bytes).concat();
    request.extend([function, 0, 0, 0, 0, 0, 0, 0]);
    request.extend(table.iter().flat_map(|queue| queue.to_ne_bytes()));
    request.extend(key);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_told_its_hash_byte_by_byte() {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
        let has = Rss { toeplitz: true, ..Rss::default() };
        let expected = [words(&[0x47, 0, 4, 3, 0, 0, 0, 1, 0, 1]), vec![7, 8, 9]].concat();
        assert_eq!(rss_request(&has, &[0, 1, 0, 1], &[7, 8, 9]), expected);
        // A card without a table, which hashes otherwise.
        let request = rss_request(&Rss::default(), &[], &[7]);
        assert_eq!(request[..16], words(&[0x47, 0, u32::MAX, 1]));
        assert_eq!(request[16..], [1, 0, 0, 0, 0, 0, 0, 0, 7]);
    }
}
