//! What follows from the facts: which ports can be used, and the one command that mends what keeps a port from it.

use ferroflow_stack::steer::{DEFAULT_KEY, NamedKey, SYMMETRIC_KEY};
use serde::Serialize;

use super::facts::{Device, Facts, Interface, Rights, Rss};

/// What the doctor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    pub ports: Vec<Port>,
    pub advice: Vec<Advice>,
    #[serde(flatten)]
    pub facts: Facts,
}

/// A port, as `--port` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Port {
    pub port: String,
    pub usable: bool,
    /// Why not; what to know, if it is.
    pub why: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

/// Something of the machine that is not as it could be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Advice {
    pub about: &'static str,
    pub here: String,
    pub mend: Option<String>,
}

/// Bytes that AF_XDP's buffers take for one queue, about: what a limit on locked memory must allow on kernels before 5.11.
const LOCKED_PER_QUEUE: u64 = 16 << 20;

pub(super) fn about(facts: Facts) -> Report {
    let mut ports =
        vec![usable("kernel", "the kernel's sockets"), usable("shm:PATH", "another process, in memory")];
    ports.push(tap(&facts.rights));
    for interface in &facts.interfaces {
        ports.push(packet(interface, &facts.rights));
        ports.push(xdp(interface, &facts.rights));
        if facts.rights.netmap != Device::Absent {
            ports.push(netmap(interface, &facts.rights));
        }
    }
    if facts.rights.netmap == Device::Absent {
        ports.push(not("netmap:NAME", "the netmap module is not loaded", Some("modprobe netmap".to_owned())));
    }
    Report { ports, advice: advice(&facts), facts }
}

fn usable(port: &str, why: &str) -> Port {
    Port { port: port.to_owned(), usable: true, why: why.to_owned(), mend: None }
}

fn not(port: &str, why: &str, mend: Option<String>) -> Port {
    Port { port: port.to_owned(), usable: false, why: why.to_owned(), mend }
}

/// The command that gives this program a right.
fn grant(rights: &Rights, capabilities: &str) -> Option<String> {
    Some(format!("setcap {capabilities}+ep {}", rights.program))
}

fn tap(rights: &Rights) -> Port {
    let port = "tap:NAME";
    match rights.tun {
        Device::Absent => not(port, "there is no /dev/net/tun", Some("modprobe tun".to_owned())),
        Device::Closed => {
            not(port, "/dev/net/tun is not ours to open", Some("chmod 666 /dev/net/tun".to_owned()))
        }
        Device::Open if rights.net_admin && rights.bpf => {
            usable(port, "an interface of the kernel's, made for us, with offloads")
        }
        Device::Open if rights.net_admin => {
            let why = "made for us, with offloads; without CAP_BPF several cores hand frames over";
            Port { mend: grant(rights, "cap_net_admin,cap_bpf"), ..usable(port, why) }
        }
        Device::Open => not(port, "CAP_NET_ADMIN is missing", grant(rights, "cap_net_admin")),
    }
}

/// What every port on an interface needs of it.
fn fit(port: &str, interface: &Interface) -> Option<Port> {
    let name = &interface.name;
    if !interface.ethernet {
        Some(not(port, "it does not carry Ethernet", None))
    } else if !interface.up {
        Some(not(port, "it is down", Some(format!("ip link set {name} up"))))
    } else {
        None
    }
}

fn packet(interface: &Interface, rights: &Rights) -> Port {
    let port = format!("packet:{}", interface.name);
    if let Some(unfit) = fit(&port, interface) {
        return unfit;
    }
    match (rights.net_raw, interface.carrier) {
        (false, _) => not(&port, "CAP_NET_RAW is missing", grant(rights, "cap_net_raw")),
        (true, false) => usable(&port, "no link at the moment"),
        (true, true) => usable(&port, "by copies through the kernel"),
    }
}

fn xdp(interface: &Interface, rights: &Rights) -> Port {
    let port = format!("xdp:{}", interface.name);
    if let Some(unfit) = fit(&port, interface) {
        return unfit;
    }
    if !(rights.bpf && rights.net_admin && rights.net_raw) {
        let mend = grant(rights, "cap_net_admin,cap_net_raw,cap_bpf");
        return not(&port, "CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF are wanted", mend);
    }
    if let Some(how) = interface.xdp_attached {
        let mend = Some(format!("ip link set {} xdp off", interface.name));
        return not(&port, &format!("a program is attached to it ({how})"), mend);
    }
    if interface.addressed && interface.ipv4.is_none() {
        let mend = Some(format!("ferroflow run --port {port},own --force"));
        return not(&port, "the kernel has an IPv6 address on it, and none of IPv4 to be shared", mend);
    }
    let how = interface.xdp.unwrap_or("the kernel does not say whether natively");
    match interface.ipv4 {
        Some(address) => usable(&port, &format!("{how}; shares {address} with the kernel")),
        None => usable(&port, how),
    }
}

fn netmap(interface: &Interface, rights: &Rights) -> Port {
    let port = format!("netmap:{}", interface.name);
    if let Some(unfit) = fit(&port, interface) {
        return unfit;
    }
    if !cfg!(feature = "netmap") {
        let mend = "cargo build --release --features netmap".to_owned();
        return not(&port, "this program was built without netmap", Some(mend));
    }
    match rights.netmap {
        Device::Open if interface.addressed => {
            let mend = Some(format!("ferroflow run --port {port} --force"));
            not(&port, "the kernel has an address on it, and would receive nothing there any more", mend)
        }
        Device::Open => usable(&port, "its rings"),
        _ => not(&port, "/dev/netmap is not ours to open", Some("chmod 666 /dev/netmap".to_owned())),
    }
}

fn advice(facts: &Facts) -> Vec<Advice> {
    let (machine, rights) = (&facts.machine, &facts.rights);
    let processors = format!(
        "{} online, {} for us; physical cores: {}, memory nodes: {}",
        machine.online, machine.allowed, machine.physical_cores, machine.nodes
    );
    let isolated = match machine.isolated.as_str() {
        "" => "none: other programs share the cores' processors".to_owned(),
        list => format!("{list}: ferroflow run --cpus {list}"),
    };
    let isolate = (machine.isolated.is_empty() && machine.physical_cores > 2)
        .then(|| "isolcpus=LIST on the kernel's command line".to_owned());
    let (pages, reserve) = match machine.huge_pages {
        Some((free, all)) => (
            format!("{free} of {all} free (2 MiB each)"),
            (all == 0).then(|| "sysctl vm.nr_hugepages=128".to_owned()),
        ),
        None => ("the kernel has none".to_owned(), None),
    };
    let transparent = machine.transparent_huge_pages.as_deref().unwrap_or("the kernel has none");
    let (locked, raise) = match rights.memlock {
        _ if rights.ipc_lock => ("as much as it likes (CAP_IPC_LOCK)".to_owned(), None),
        None => ("as much as it likes".to_owned(), None),
        Some(limit) => (
            format!("{} KiB", limit / 1024),
            (limit < LOCKED_PER_QUEUE).then(|| "ulimit -l unlimited".to_owned()),
        ),
    };
    let row = |about, here, mend| Advice { about, here, mend };
    let mut rows = vec![
        row("processors", processors, None),
        row("isolated processors", isolated, isolate),
        row("huge pages", pages, reserve),
        row(
            "transparent huge pages",
            transparent.to_owned(),
            (transparent == "never")
                .then(|| "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled".to_owned()),
        ),
        row("memory to be locked", locked, raise),
    ];
    rows.extend(facts.interfaces.iter().filter_map(|interface| queues(interface, machine.physical_cores)));
    rows.extend(facts.interfaces.iter().filter_map(hash));
    rows
}

/// A card that could have a queue for each core and has fewer.
fn queues(interface: &Interface, cores: usize) -> Option<Advice> {
    let possible = interface.max_queues?.min(cores as u32);
    (interface.rx_queues < possible).then(|| Advice {
        about: "queues",
        here: format!("{} has {} of {possible} that it could have", interface.name, interface.rx_queues),
        mend: Some(format!("ethtool -L {} combined {possible}", interface.name)),
    })
}

/// A card that hashes otherwise than our cores do.
fn hash(interface: &Interface) -> Option<Advice> {
    let (name, rss) = (&interface.name, interface.rss.as_ref()?);
    if !rss.toeplitz {
        return Some(Advice {
            about: "receive hash",
            here: format!("{name} does not use Toeplitz's: frames are handed from core to core"),
            mend: Some(format!("ethtool -X {name} hfunc toeplitz")),
        });
    }
    (rss.queues > 1 && key_name(rss) != Some("microsoft")).then(|| Advice {
        about: "receive hash",
        here: format!("{name} has a key of its own, which xdp and netmap follow"),
        mend: None,
    })
}

/// The name of a key that has one.
pub(super) fn key_name(rss: &Rss) -> Option<&'static str> {
    let NamedKey(key) = rss.key.parse().ok()?;
    [("microsoft", DEFAULT_KEY), ("symmetric", SYMMETRIC_KEY)]
        .into_iter()
        .find(|(_, known)| *known == key)
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests;
