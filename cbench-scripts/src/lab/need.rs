//! What a test needs from the machine, and the loud skip when it is missing.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Something a lab needs from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// User id 0: namespaces, veth and TAP interfaces.
    Root,
    /// `/dev/net/tun`: TAP interfaces, and Open vSwitch's userspace datapath.
    Tun,
    /// A program in `PATH`.
    Command(&'static str),
}

impl Need {
    /// All that [`Ovs`](super::Ovs) and [`Host`](super::Host) need.
    pub const OPEN_VSWITCH_LAB: [Need; 9] = [
        Need::Root,
        Need::Tun,
        Need::Command("ip"),
        Need::Command("ethtool"),
        Need::Command("ping"),
        Need::Command("ovsdb-tool"),
        Need::Command("ovsdb-server"),
        Need::Command("ovs-vswitchd"),
        Need::Command("ovs-ofctl"),
    ];

    /// Why the need is not met, or `None` when it is.
    pub fn missing(self) -> Option<String> {
        match self {
            Need::Root if rustix::process::geteuid().is_root() => None,
            Need::Root => Some("root".to_owned()),
            Need::Tun if std::fs::File::options().read(true).write(true).open("/dev/net/tun").is_ok() => None,
            Need::Tun => Some("/dev/net/tun".to_owned()),
            Need::Command(name) if in_path(name) => None,
            Need::Command(name) => Some(match package_of(name) {
                Some(package) => format!("the command `{name}` (Debian package {package})"),
                None => format!("the command `{name}`"),
            }),
        }
    }
}

/// True when every need is met. Otherwise says on standard error what is missing, past the test harness's capture.
///
/// # Panics
/// When something is missing and the environment says `FERROFLOW_NO_SKIP=1`.
#[must_use]
pub fn require(needs: &[Need]) -> bool {
    let missing: Vec<String> = needs.iter().filter_map(|need| need.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(
        std::env::var_os("FERROFLOW_NO_SKIP").is_none_or(|v| v != "1"),
        "FERROFLOW_NO_SKIP=1, and this test needs {missing}"
    );
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test} needs {missing}");
    false
}

fn in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir: std::path::PathBuf| is_program(&dir.join(name)))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

fn package_of(command: &str) -> Option<&'static str> {
    Some(match command {
        "ip" => "iproute2",
        "ethtool" => "ethtool",
        "ping" => "iputils-ping",
        "ovsdb-tool" | "ovsdb-server" | "ovs-vswitchd" | "ovs-vsctl" | "ovs-ofctl" => "openvswitch-switch",
        "ovs-testcontroller" => "openvswitch-testcontroller",
        "iperf3" => "iperf3",
        "tshark" => "tshark",
        "nft" => "nftables",
        _ => return None,
    })
}
