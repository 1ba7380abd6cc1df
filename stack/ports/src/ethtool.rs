//! What an interface's driver tells about itself, by the ioctls of ethtool (linux/ethtool.h).

use crate::link::{Link, LinkError};

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GTXCSUM: u32 = 0x16;
const ETHTOOL_GSTATS: u32 = 0x1d;
const ETHTOOL_GCHANNELS: u32 = 0x3c;

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

/// `struct ethtool_stats`, with room for what veth counts.
#[repr(C)]
#[derive(Clone, Copy)]
struct Stats {
    cmd: u32,
    n_stats: u32,
    data: [u64; STATS_MAX],
}

/// More than veth has for 256 queues.
const STATS_MAX: usize = 8192;

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
// SAFETY: the kernel writes as many counters as the driver has, which is asked before.
unsafe impl Question for Stats {}

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

/// The driver's name; empty where there is none.
pub(crate) fn driver(link: &Link) -> String {
    let name = driver_info(link).map_or([0; 32], |info| info.driver);
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
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

/// The other end of a veth, by its index in whatever namespace it is.
pub(crate) fn veth_peer(link: &Link) -> Option<u32> {
    let count = driver_info(link).ok()?.n_stats;
    if count == 0 || count as usize > STATS_MAX {
        return None;
    }
    let question = Stats { cmd: ETHTOOL_GSTATS, n_stats: count, data: [0; STATS_MAX] };
    // drivers/net/veth.c: the first of its counters is `peer_ifindex`.
    let stats = ask(link, "read the counters", question).ok()?;
    u32::try_from(stats.data[0]).ok().filter(|&index| index > 0)
}
