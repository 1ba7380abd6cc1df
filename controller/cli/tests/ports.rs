//! `ferroflow run` on an interface that is there, one end of a veth pair: a switch at the other end connects, rights are
//! given up, the kernel keeps what is its own, and nothing is left behind, however the process ends.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use cbench::lab::{Need, Netns, Proc, require, veth, wait_until};

const NEEDS: [Need; 4] =
    [Need::Root, Need::Command("ip"), Need::Command("ethtool"), Need::Command("setpriv")];
const PATIENCE: Duration = Duration::from_secs(20);

/// Every kind of port that an interface can be opened by.
const PORTS: [&str; 2] = ["packet:ff0", "xdp:ff0"];

/// OpenFlow 1.0's HELLO.
const HELLO: [u8; 8] = [1, 0, 0, 8, 0, 0, 0, 1];

/// The controller's namespace with ff0, and the switch's at the other end, 10.77.0.9.
struct Scene {
    controller: Netns,
    switch: Netns,
}

impl Scene {
    fn new() -> Scene {
        let scene = Scene { controller: Netns::new("ctl").unwrap(), switch: Netns::new("sw").unwrap() };
        veth((&scene.controller, "ff0"), (&scene.switch, "sw0")).unwrap();
        scene.switch.ip("addr add 10.77.0.9/24 dev sw0").unwrap();
        scene.switch.run("ethtool", &["-K", "sw0", "tx", "off"]).unwrap();
        scene
    }

    fn run(&self, port: &str) -> Proc {
        let args = ["run", "--listen", "6653", "--port", port];
        let process = self.controller.spawn(env!("CARGO_BIN_EXE_ferroflow"), &args).unwrap();
        process
            .wait_for_line("listening on 10.77.0.2:6653", PATIENCE)
            .unwrap_or_else(|e| panic!("{port}: {e}"));
        process
    }

    /// The command must end with a failure that says this.
    fn refused(&self, port: &str, what: &str) {
        let args = ["run", "--port", port];
        let process = self.controller.spawn(env!("CARGO_BIN_EXE_ferroflow"), &args).unwrap();
        process.wait_for_line(what, PATIENCE).unwrap_or_else(|e| panic!("{port}: {e}"));
    }

    /// A switch says hello and hears one.
    fn switch_connects(&self) {
        let heard = self.switch.enter(|| {
            let to = SocketAddr::from(([10, 77, 0, 2], 6653));
            let mut switch = TcpStream::connect_timeout(&to, PATIENCE)?;
            switch.set_read_timeout(Some(PATIENCE))?;
            switch.write_all(&HELLO)?;
            let mut hello = [0; 4];
            switch.read_exact(&mut hello).map(|()| hello)
        });
        let hello = heard.unwrap().unwrap();
        assert_eq!(hello[1], 0, "the first message is HELLO: {hello:?}");
    }

    fn link(&self) -> String {
        self.controller.run("ip", &["-details", "link", "show", "ff0"]).unwrap()
    }
}

/// Every thread of the process.
fn statuses(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("status")).unwrap()).collect()
}

#[test]
fn a_switch_connects_and_no_rights_are_kept() {
    if !require(&NEEDS) {
        return;
    }
    for port in PORTS {
        let scene = Scene::new();
        let process = scene.run(port);
        scene.switch_connects();
        for status in statuses(process.pid()) {
            assert!(status.contains("CapPrm:\t0000000000000000"), "{port}: {status}");
            assert!(status.contains("NoNewPrivs:\t1"), "{port}: {status}");
        }
    }
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    if !require(&NEEDS) {
        return;
    }
    for port in PORTS {
        let scene = Scene::new();
        let before = scene.link();
        for _ in 0..2 {
            let mut process = scene.run(port);
            scene.switch_connects();
            assert_eq!(scene.link().contains("prog/xdp"), port.starts_with("xdp"), "{port}");
            process.kill().unwrap();
            wait_until("everything is as before", PATIENCE, || Ok(scene.link() == before)).unwrap();
        }
    }
}

/// A bridge has no XDP of its own: the kernel's generic one does it, and that is said. `mac=` is the interface's own here.
#[test]
fn without_a_driver_for_it_xdp_is_generic() {
    if !require(&NEEDS) {
        return;
    }
    let scene = Scene::new();
    scene.switch.run("ethtool", &["-K", "sw0", "tso", "off", "gso", "off"]).unwrap();
    let bridge =
        "link add br0 address 02:00:00:00:00:b0 type bridge\nlink set ff0 master br0\nlink set br0 up";
    scene.controller.ip(bridge).unwrap();
    let mut process = scene.run("xdp:br0,mac=02:00:00:00:00:b0");
    process.wait_for_line("by AF_XDP (generic, 1 queue)", PATIENCE).unwrap();
    process.wait_for_line("its driver has no XDP", PATIENCE).unwrap();
    scene.switch_connects();
    let link = || scene.controller.run("ip", &["-details", "link", "show", "br0"]);
    assert!(link().unwrap().contains("prog/xdp"));
    process.kill().unwrap();
    wait_until("the program is gone", PATIENCE, || Ok(!link()?.contains("prog/xdp"))).unwrap();
}

#[test]
fn what_cannot_be_is_said() {
    if !require(&NEEDS) {
        return;
    }
    let scene = Scene::new();
    scene.refused("packet:ff9", "there is no interface ff9");
    scene.refused("packet:lo", "lo is not Ethernet");
    let powerless = ["--bounding-set=-all", env!("CARGO_BIN_EXE_ferroflow"), "run", "--port", "packet:ff0"];
    let process = scene.controller.spawn("setpriv", &powerless).unwrap();
    process.wait_for_line("run as root or with CAP_NET_RAW", PATIENCE).unwrap();
    scene.refused("xdp:ff0,queues=9", "1 receive queues, not 9");
    scene.refused("xdp:ff0,shared", "has no IPv4 address on that interface that could be shared");
    scene.refused("xdp:ff0,sources=4", "`sources` are for `shared`");
    scene.controller.sysctl("net/ipv6/conf/ff0/disable_ipv6", "0").unwrap();
    for address in ["10.77.0.5/24", "2001:db8::5/64"] {
        scene.controller.ip(&format!("addr add {address} dev ff0")).unwrap();
        scene.refused("xdp:ff0,own", "--force");
        scene.controller.ip("addr flush dev ff0 scope global").unwrap();
    }
    scene.controller.ip("addr add 10.77.0.5/24 dev ff0").unwrap();
    scene.refused("xdp:ff0,shared,mac=02:00:00:00:00:0a", "shares its MAC, too");
    scene.refused("xdp:ff0,mac=02:00:00:00:00:0a", "--force");
    scene.controller.ip("addr flush dev ff0").unwrap();
    let running = scene.run("xdp:ff0");
    scene.refused("xdp:ff0", "XDP program of somebody else: number");
    scene.refused("xdp:ff0", "ip link set dev ff0 xdpdrv off");
    drop(running);
    scene.controller.ip("link set ff0 down").unwrap();
    scene.refused("packet:ff0", "ip link set ff0 up");
}
