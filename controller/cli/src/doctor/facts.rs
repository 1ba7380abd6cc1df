//! What there is, without judgement.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use ferroflow_ports::interfaces::{self, Attached};
use ferroflow_runtime::{CpuList, Machine};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities};
use serde::Serialize;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Facts {
    pub machine: MachineFacts,
    pub rights: Rights,
    pub interfaces: Vec<Interface>,
}

/// Processors and memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct MachineFacts {
    /// Processors that are online, in the kernel's notation.
    pub online: String,
    /// Those of them that this process may use without asking.
    pub allowed: String,
    /// Those that the scheduler leaves alone.
    pub isolated: String,
    /// Physical cores among them.
    pub physical_cores: usize,
    /// Memory nodes among them.
    pub nodes: usize,
    /// Free and all huge pages of 2 MiB.
    pub huge_pages: Option<(u64, u64)>,
    /// When the kernel uses huge pages by itself: `always`, `madvise` or `never`.
    pub transparent_huge_pages: Option<String>,
}

/// What this process may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Rights {
    pub net_admin: bool,
    pub net_raw: bool,
    pub bpf: bool,
    pub ipc_lock: bool,
    /// Bytes of memory that it may lock; `None` = no limit.
    pub memlock: Option<u64>,
    /// Whether the TAP driver's device is there, and ours to open.
    pub tun: Device,
    pub netmap: Device,
    /// This program, for a command that gives it rights.
    pub program: String,
}

/// A device of the kernel's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Device {
    #[default]
    Absent,
    Closed,
    Open,
}

/// One interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Interface {
    pub name: String,
    /// Its card's driver, or what it is instead.
    pub driver: Option<String>,
    pub ethernet: bool,
    pub up: bool,
    pub carrier: bool,
    /// Whether the kernel has an address on it that others may know.
    pub addressed: bool,
    /// Its IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    pub mtu: u32,
    pub rx_queues: u32,
    pub tx_queues: u32,
    pub max_queues: Option<u32>,
    /// `native`, `native, zero-copy` or `generic`; `None` = the kernel does not say.
    pub xdp: Option<&'static str>,
    /// How a program is attached already.
    pub xdp_attached: Option<&'static str>,
    pub rss: Option<Rss>,
    pub offloads: Vec<String>,
    pub node: Option<u32>,
}

/// A receive hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Rss {
    pub toeplitz: bool,
    /// As `ethtool -x` prints it.
    pub key: String,
    /// Queues that its table names.
    pub queues: usize,
}

/// Looks.
pub(super) fn gather() -> io::Result<Facts> {
    let interfaces = interfaces::list()?.into_iter().filter(|interface| !interface.loopback).map(interface);
    Ok(Facts { machine: machine(&Machine::here()), rights: rights(), interfaces: interfaces.collect() })
}

fn machine(machine: &Machine) -> MachineFacts {
    let all = machine.processors();
    let list = |wanted: fn(&ferroflow_runtime::processors::Processor) -> bool| {
        CpuList(all.iter().filter(|p| wanted(p)).map(|p| p.id).collect()).to_string()
    };
    let mut nodes: Vec<_> = all.iter().map(|p| p.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let pages = |what: &str| {
        let path = format!("/sys/kernel/mm/hugepages/hugepages-2048kB/{what}");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let transparent = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok();
    MachineFacts {
        online: list(|_| true),
        allowed: list(|p| p.allowed),
        isolated: list(|p| p.isolated),
        physical_cores: all.iter().filter(|p| p.thread == 0).count(),
        nodes: nodes.len(),
        huge_pages: pages("free_hugepages").zip(pages("nr_hugepages")),
        transparent_huge_pages: transparent.and_then(|text| chosen(&text)),
    }
}

/// The word in brackets: `always [madvise] never`.
fn chosen(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

fn rights() -> Rights {
    let has = capabilities(None).map(|sets| sets.effective).unwrap_or_else(|_| CapabilitySet::empty());
    let program = std::env::current_exe().map(|path| path.display().to_string());
    Rights {
        net_admin: has.contains(CapabilitySet::NET_ADMIN),
        net_raw: has.contains(CapabilitySet::NET_RAW),
        bpf: has.contains(CapabilitySet::BPF) || has.contains(CapabilitySet::SYS_ADMIN),
        ipc_lock: has.contains(CapabilitySet::IPC_LOCK),
        memlock: getrlimit(Resource::Memlock).current,
        tun: device("/dev/net/tun"),
        netmap: device("/dev/netmap"),
        program: program.unwrap_or_else(|_| "ferroflow".to_owned()),
    }
}

fn device(path: &str) -> Device {
    match std::fs::File::options().read(true).write(true).open(path) {
        Ok(_) => Device::Open,
        Err(_) if Path::new(path).exists() => Device::Closed,
        Err(_) => Device::Absent,
    }
}

fn interface(of: interfaces::Interface) -> Interface {
    Interface {
        name: of.name,
        driver: of.driver.or(of.kind),
        ethernet: of.ethernet,
        up: of.up,
        carrier: of.carrier,
        addressed: of.addressed,
        ipv4: of.ipv4.map(|(address, _)| address),
        mtu: of.mtu,
        rx_queues: of.queues.rx,
        tx_queues: of.queues.tx,
        max_queues: of.queues.max,
        xdp: of.xdp.map(|can| match (can.native, can.zero_copy) {
            (true, true) => "native, zero-copy",
            (true, false) => "native",
            _ => "generic",
        }),
        xdp_attached: match of.attached {
            Attached::No => None,
            Attached::Native => Some("native"),
            Attached::Generic => Some("generic"),
            Attached::Offloaded => Some("offloaded"),
            Attached::Several => Some("several"),
        },
        rss: of.rss.map(rss),
        offloads: of.offloads,
        node: of.node,
    }
}

fn rss(mut of: interfaces::Rss) -> Rss {
    of.table.sort_unstable();
    of.table.dedup();
    let key: Vec<_> = of.key.iter().map(|byte| format!("{byte:02x}")).collect();
    Rss { toeplitz: of.toeplitz, key: key.join(":"), queues: of.table.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_brackets_is_chosen() {
        assert_eq!(chosen("always [madvise] never\n").as_deref(), Some("madvise"));
        assert_eq!(chosen("never"), None);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let facts = gather().unwrap();
        assert!(!facts.machine.online.is_empty() && facts.machine.physical_cores > 0);
        assert!(facts.interfaces.iter().all(|interface| interface.name != "lo"));
        assert_eq!(device("/dev/null"), Device::Open);
        assert_eq!(device("/dev/no such device"), Device::Absent);
    }
}
