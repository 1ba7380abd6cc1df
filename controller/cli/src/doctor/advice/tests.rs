use super::super::facts::MachineFacts;
use super::*;

fn root() -> Rights {
    Rights {
        net_admin: true,
        net_raw: true,
        bpf: true,
        ipc_lock: true,
        memlock: Some(64 << 10),
        tun: Device::Open,
        netmap: Device::Absent,
        program: "/usr/bin/ferroflow".to_owned(),
    }
}

fn card() -> Interface {
    Interface {
        name: "eth0".to_owned(),
        driver: Some("ixgbe".to_owned()),
        ethernet: true,
        up: true,
        carrier: true,
        mtu: 1500,
        rx_queues: 4,
        tx_queues: 4,
        max_queues: Some(4),
        xdp: Some("native, zero-copy"),
        ..Interface::default()
    }
}

/// What is said of one interface as a port, before the question whether we have such ports yet.
fn said(port: &Port) -> (bool, &str, Option<&str>) {
    (port.usable, port.why.as_str(), port.mend.as_deref())
}

#[test]
fn a_tap_interface_needs_the_driver_and_a_right() {
    assert!(tap(&root()).usable);
    let mend = |rights: Rights| tap(&rights).mend.unwrap();
    assert_eq!(mend(Rights { tun: Device::Absent, ..root() }), "modprobe tun");
    assert_eq!(mend(Rights { tun: Device::Closed, ..root() }), "chmod 666 /dev/net/tun");
    let plain = Rights { net_admin: false, ..root() };
    assert_eq!(mend(plain), "setcap cap_net_admin+ep /usr/bin/ferroflow");
}

#[test]
fn an_interface_needs_to_be_ethernet_and_up() {
    let tunnel = Interface { ethernet: false, ..card() };
    let down = Interface { up: false, ..card() };
    for port in [packet(&tunnel, &root()), xdp(&tunnel, &root()), netmap(&tunnel, &root())] {
        assert_eq!(said(&port), (false, "it does not carry Ethernet", None));
    }
    for port in [packet(&down, &root()), xdp(&down, &root()), netmap(&down, &root())] {
        assert_eq!(said(&port), (false, "it is down", Some("ip link set eth0 up")));
    }
}

#[test]
fn rights_are_named_and_how_to_give_them() {
    let port = packet(&card(), &Rights { net_raw: false, ..root() });
    assert_eq!(port.mend.as_deref(), Some("setcap cap_net_raw+ep /usr/bin/ferroflow"));
    let port = xdp(&card(), &Rights { bpf: false, ..root() });
    assert_eq!(port.mend.as_deref(), Some("setcap cap_net_admin,cap_net_raw,cap_bpf+ep /usr/bin/ferroflow"));
    assert_eq!(said(&packet(&card(), &root())), (true, "by copies through the kernel", None));
    assert_eq!(said(&xdp(&card(), &root())), (true, "native, zero-copy", None));
}

#[test]
fn an_attached_program_is_in_the_way() {
    let taken = Interface { xdp_attached: Some("generic"), ..card() };
    let port = xdp(&taken, &root());
    assert_eq!(
        said(&port),
        (false, "a program is attached to it (generic)", Some("ip link set eth0 xdp off"))
    );
}

#[test]
fn an_address_of_the_kernels_is_shared_and_nothing_else() {
    let addressed = Interface { addressed: true, ..card() };
    let ipv4 = Interface { ipv4: Some([10, 0, 0, 1].into()), ..addressed.clone() };
    let why = "native, zero-copy; shares 10.0.0.1 with the kernel";
    assert_eq!(said(&xdp(&ipv4, &root())), (true, why, None));
    let port = xdp(&addressed, &root());
    assert_eq!(
        (port.usable, port.mend.as_deref()),
        (false, Some("ferroflow run --port xdp:eth0,own --force"))
    );
}

#[test]
fn every_interface_has_its_ports() {
    let report = about(Facts { rights: root(), interfaces: vec![card()], ..Facts::default() });
    let names: Vec<_> = report.ports.iter().map(|port| port.port.as_str()).collect();
    assert_eq!(names, ["kernel", "shm:PATH", "tap:NAME", "packet:eth0", "xdp:eth0", "netmap:NAME"]);
    let with_netmap = Rights { netmap: Device::Open, ..root() };
    let report = about(Facts { rights: with_netmap, interfaces: vec![card()], ..Facts::default() });
    assert_eq!(report.ports.last().map(|port| port.port.as_str()), Some("netmap:eth0"));
}

#[test]
fn every_port_is_one_of_the_grammar() {
    let report = about(Facts { rights: root(), interfaces: vec![card()], ..Facts::default() });
    for port in report.ports {
        assert!(port.port.parse::<ferroflow_ports::PortSpec>().is_ok(), "{port:?}");
    }
}

#[test]
fn a_machine_that_could_do_better_is_told_how() {
    let machine = MachineFacts {
        online: "0-7".to_owned(),
        allowed: "0-7".to_owned(),
        physical_cores: 4,
        nodes: 1,
        huge_pages: Some((0, 0)),
        transparent_huge_pages: Some("never".to_owned()),
        ..MachineFacts::default()
    };
    let rights = Rights { ipc_lock: false, ..root() };
    let rss = Some(Rss { toeplitz: true, key: vec!["01"; 40].join(":"), queues: 2 });
    let narrow = Interface { rx_queues: 2, max_queues: Some(8), rss, ..card() };
    let rows = advice(&Facts { machine, rights, interfaces: vec![narrow] });
    let mend =
        |about: &str| rows.iter().find(|row| row.about == about).unwrap().mend.clone().unwrap_or_default();
    assert_eq!(mend("processors"), "");
    assert!(mend("isolated processors").contains("isolcpus="));
    assert_eq!(mend("huge pages"), "sysctl vm.nr_hugepages=128");
    assert!(mend("transparent huge pages").starts_with("echo madvise"));
    assert_eq!(mend("memory to be locked"), "ulimit -l unlimited");
    assert_eq!(mend("queues"), "ethtool -L eth0 combined 4", "one for each physical core");
    assert_eq!(mend("receive hash"), "");
}

#[test]
fn a_machine_that_is_well_needs_nothing() {
    let machine = MachineFacts {
        isolated: "2-3".to_owned(),
        physical_cores: 4,
        huge_pages: Some((10, 128)),
        transparent_huge_pages: Some("madvise".to_owned()),
        ..MachineFacts::default()
    };
    let microsoft: Vec<_> = DEFAULT_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    let rss = Rss { toeplitz: true, key: microsoft.join(":"), queues: 4 };
    assert_eq!(key_name(&rss), Some("microsoft"));
    let interfaces = vec![Interface { rss: Some(rss), ..card() }];
    let rows = advice(&Facts { machine, rights: root(), interfaces });
    assert!(rows.iter().all(|row| row.mend.is_none()), "{rows:?}");
    assert!(rows.iter().any(|row| row.here.contains("--cpus 2-3")));
}

#[test]
fn a_hash_that_is_not_ours_is_named() {
    let other = Interface { rss: Some(Rss { toeplitz: false, ..Rss::default() }), ..card() };
    assert_eq!(hash(&other).unwrap().mend.as_deref(), Some("ethtool -X eth0 hfunc toeplitz"));
    assert_eq!(hash(&card()), None);
}
