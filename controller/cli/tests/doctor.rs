//! The doctor on interfaces whose state is known: what it says is what `ip` and `ethtool` made.
#![forbid(unsafe_code)]

use std::process::Command;

use cbench::lab::{Need, Netns, require};
use serde_json::Value;

fn doctor(net: &Netns) -> Value {
    let said = net.run(env!("CARGO_BIN_EXE_ferroflow"), &["doctor", "--json"]).expect("it answers");
    serde_json::from_str(&said).expect("JSON")
}

fn named<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    let all = list.as_array().expect("a list");
    all.iter().find(|one| one[key] == name).unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[test]
fn interfaces_are_described_as_they_are() {
    if !require(&[Need::Root, Need::Tun, Need::Command("ip"), Need::Command("ethtool")]) {
        return;
    }
    let net = Netns::new("doctor").expect("a namespace");
    let ip = |words: &str| net.run("ip", &words.split(' ').collect::<Vec<_>>()).expect("it is done");
    ip("link add ve0 numrxqueues 3 numtxqueues 3 mtu 1400 type veth peer name ve1");
    ip("link set ve0 up");
    ip("link set ve1 up");
    ip("address add 192.0.2.1/24 dev ve1");
    ip("link add down0 type veth peer name down1");
    ip("tuntap add tun0 mode tun");
    net.run("ethtool", &["-K", "ve0", "tso", "off"]).expect("it is done");

    let report = doctor(&net);
    let ve0 = named(&report["interfaces"], "name", "ve0");
    assert_eq!((&ve0["driver"], &ve0["mtu"]), (&"veth".into(), &1400.into()), "{ve0}");
    assert_eq!((&ve0["rx_queues"], &ve0["tx_queues"], &ve0["max_queues"]), (&3.into(), &3.into(), &3.into()));
    assert!(ve0["up"] == true && ve0["carrier"] == true && ve0["ethernet"] == true, "{ve0}");
    let on = |interface: &Value, name: &str| {
        interface["offloads"].as_array().expect("a list").contains(&name.into())
    };
    assert!(!on(ve0, "tx-tcp-segmentation"), "{ve0}");
    assert!(on(named(&report["interfaces"], "name", "ve1"), "tx-tcp-segmentation"));

    let port = |name: &str| named(&report["ports"], "port", name).clone();
    assert!(ve0["addressed"] == false && named(&report["interfaces"], "name", "ve1")["addressed"] == true);
    let ve1 = port("xdp:ve1");
    assert!(ve1["usable"] == true && ve1["why"].as_str().expect("text").contains("with the kernel"), "{ve1}");
    assert_eq!(port("packet:down0")["mend"], "ip link set down0 up");
    assert!(port("packet:tun0")["why"].as_str().expect("text").contains("does not carry Ethernet"));
    assert_eq!((&port("tap:NAME")["usable"], &port("kernel")["usable"]), (&true.into(), &true.into()));
    assert!(report["rights"]["net_admin"] == true && report["machine"]["online"].is_string());
}

/// Whoever has no rights gets the same tables, and the command that would give them.
#[test]
fn without_rights_it_says_how_to_get_them() {
    if !require(&[Need::Root, Need::Tun, Need::Command("setpriv")]) {
        return;
    }
    let program = env!("CARGO_BIN_EXE_ferroflow");
    let output = Command::new("setpriv")
        .args(["--bounding-set=-all", "--inh-caps=-all", program, "doctor"])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    let line = said.lines().find(|line| line.contains("tap:NAME")).expect("a row");
    assert!(line.contains(" no "), "{line}");
    assert!(said.contains("CAP_NET_ADMIN") && said.contains("setcap"), "{said}");
    for table in ["what mends it", "receive hash", "this machine"] {
        assert!(said.contains(table), "{said}");
    }
}
