//! `ferroflow run --port xdp:IFACE,shared` takes over one TCP port of a host that lives on: its other services go on, who is
//! on the host itself is served, and when the process ends, however it ends, the kernel has everything back.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use cbench::lab::{Need, Netns, Proc, require, veth, wait_until};

const NEEDS: [Need; 5] =
    [Need::Root, Need::Command("ip"), Need::Command("ethtool"), Need::Command("ss"), Need::Command("ping")];
const PATIENCE: Duration = Duration::from_secs(20);

const HOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const PORT: u16 = 6653;
/// Where the host's other service is.
const OTHER: u16 = 2222;

/// OpenFlow 1.0's HELLO.
const HELLO: [u8; 8] = [1, 0, 0, 8, 0, 0, 0, 1];

/// The host with ff0, and a switch at the other end, 10.77.0.9.
struct Scene {
    host: Netns,
    switch: Netns,
}

impl Scene {
    fn new() -> Scene {
        let scene = Scene { host: Netns::new("ctl").unwrap(), switch: Netns::new("sw").unwrap() };
        veth((&scene.host, "ff0"), (&scene.switch, "sw0")).unwrap();
        scene.host.ip("link set lo up\naddr add 10.77.0.2/24 dev ff0").unwrap();
        scene.switch.ip("addr add 10.77.0.9/24 dev sw0").unwrap();
        scene.switch.run("ethtool", &["-K", "sw0", "tx", "off"]).unwrap();
        scene
    }

    fn run(&self, args: &[&str]) -> Proc {
        let all = [&["run", "--listen", "6653", "--port", "xdp:ff0,shared"], args].concat();
        self.host.spawn(env!("CARGO_BIN_EXE_ferroflow"), &all).unwrap()
    }

    fn started(&self, args: &[&str]) -> Proc {
        let process = self.run(args);
        process.wait_for_line("listening on 10.77.0.2:6653", PATIENCE).unwrap();
        process
    }

    /// What the kernel has of the interface, of routes and rules, and of neither of which anything may stay behind.
    fn kernels(&self) -> [String; 3] {
        let show = |args: &[&str]| self.host.run("ip", args).unwrap();
        [
            show(&["-details", "link", "show", "ff0"]),
            show(&["rule"]),
            show(&["route", "show", "table", "all"]),
        ]
    }

    /// Connections and listeners at the controller's port.
    fn sockets(&self) -> String {
        self.host.run("ss", &["-Htan", "sport", "=", ":6653"]).unwrap()
    }
}

/// Says hello, hears one, and is still connected.
fn switch_connects(from: &Netns) -> TcpStream {
    let connect = || {
        let mut switch = TcpStream::connect_timeout(&SocketAddr::from((HOST, PORT)), PATIENCE)?;
        switch.set_read_timeout(Some(PATIENCE))?;
        switch.write_all(&HELLO)?;
        let mut hello = [0; 4];
        switch.read_exact(&mut hello)?;
        assert_eq!(hello[1], 0, "the first message is HELLO: {hello:?}");
        Ok::<_, std::io::Error>(switch)
    };
    from.enter(connect).unwrap().unwrap()
}

/// The host's other service: one greeting for each who comes.
fn greeter(scene: &Scene, port: u16) -> TcpListener {
    scene.host.enter(|| TcpListener::bind((HOST, port))).unwrap().unwrap()
}

fn is_greeted(scene: &Scene, listener: &TcpListener) {
    let to = listener.local_addr().unwrap();
    let mut client = scene.switch.enter(|| TcpStream::connect_timeout(&to, PATIENCE)).unwrap().unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    listener.accept().unwrap().0.write_all(b"SSH-2.0").unwrap();
    let mut greeting = [0; 7];
    client.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"SSH-2.0");
}

#[test]
fn a_live_host_goes_on_and_no_rights_are_kept() {
    if !require(&NEEDS) {
        return;
    }
    let scene = Scene::new();
    let other = greeter(&scene, OTHER);
    is_greeted(&scene, &other);
    for args in [&[][..], &["--cores", "2", "--user", "nobody"]] {
        let process = scene.started(args);
        process.wait_for_line("beside the kernel's, on interface ff0 by AF_XDP", PATIENCE).unwrap();
        let switch = switch_connects(&scene.switch);
        let local = switch_connects(&scene.host);
        is_greeted(&scene, &other);
        scene.switch.run("ping", &["-c", "2", "-i", "0.05", "-W", "5", "10.77.0.2"]).unwrap();
        for task in std::fs::read_dir(format!("/proc/{}/task", process.pid())).unwrap() {
            let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            assert!(status.contains("CapPrm:\t0000000000000000"), "{status}");
        }
        // The kernel has the host's own connection, and not the switch's.
        let sockets = scene.sockets();
        assert_eq!(sockets.matches("ESTAB").count(), 1, "{sockets}");
        drop((switch, local));
    }
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    if !require(&NEEDS) {
        return;
    }
    let scene = Scene::new();
    let before = scene.kernels();
    for round in 0..2 {
        let mut process = scene.started(&[]);
        let mut switch = switch_connects(&scene.switch);
        drop(switch_connects(&scene.host));
        assert!(scene.kernels()[0].contains("prog/xdp"));
        process.kill().unwrap();
        // At once.
        let service = greeter(&scene, PORT);
        wait_until("everything is as before", PATIENCE, || Ok(scene.kernels() == before)).unwrap();
        is_greeted(&scene, &service);
        // The old connection is nobody's: its next word is answered with a reset.
        wait_until("the old connection to be reset", PATIENCE, || Ok(switch.write_all(&HELLO).is_err()))
            .unwrap();
        drop(service);
        let left = scene.sockets();
        assert!(!left.contains("ESTAB") && !left.contains("LISTEN"), "round {round}: {left}");
    }
}

#[test]
fn what_cannot_be_shared_is_said() {
    if !require(&NEEDS) {
        return;
    }
    let scene = Scene::new();
    let taken = greeter(&scene, PORT);
    let refused = |args: &[&str], what: &str| {
        scene.run(args).wait_for_line(what, PATIENCE).unwrap_or_else(|e| panic!("{args:?}: {e}"));
    };
    refused(&[], "port 6653 is already in use");
    is_greeted(&scene, &taken);
    drop(taken);
    refused(&["--address", "10.77.0.3/24"], "--address is for an own one");
}
