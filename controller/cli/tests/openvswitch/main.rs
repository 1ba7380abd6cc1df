//! `ferroflow run` with Open vSwitch, end to end: real switches, real hosts, in namespaces of their own.
//!
//! Each test is one combination of OpenFlow version and port, through all scenarios on one lab. They need root and
//! Debian's openvswitch-switch, iproute2, ethtool and iputils-ping, and skip loudly without. With `--nocapture` they
//! tell what they measured.
//!
//! The scenarios know nothing of Ferroflow but how to start it, so they can be tried with Open vSwitch's own test
//! controller (Debian's openvswitch-testcontroller): `cargo test --test openvswitch -- --ignored`.

mod controllers;
mod scenarios;
mod scene;

use cbench::lab::{Need, OpenFlow, Result, require};
use controllers::{Controller, Ferroflow, Port, TestController};
use scene::Scene;

fn all_scenarios(controller: impl Controller, version: OpenFlow) -> Result<()> {
    let mut scene = Scene::start(controller, version)?;
    let done = on_one_scene(&mut scene);
    if done.is_err() {
        scene.tell();
    }
    done
}

fn on_one_scene(scene: &mut Scene<impl Controller>) -> Result<()> {
    scenarios::hosts_talk_on_both_cores(scene)?;
    if scene.controller.follows_moves() {
        scenarios::moved_host_heals(scene)?;
    }
    scenarios::controller_returns(scene, false)?;
    scenarios::controller_returns(scene, true)?;
    scenarios::switch_returns(scene)?;
    scenarios::loop_disturbs_nobody_else(scene)?;
    scenarios::controller_stops_cleanly(scene)
}

fn with_ferroflow(port: Port, version: OpenFlow) {
    if require(&Need::OPEN_VSWITCH_LAB) {
        all_scenarios(Ferroflow { port }, version).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn openflow_1_0_over_tap() {
    with_ferroflow(Port::Tap, OpenFlow::V10);
}

#[test]
fn openflow_1_3_over_tap() {
    with_ferroflow(Port::Tap, OpenFlow::V13);
}

#[test]
fn openflow_1_0_over_kernel_sockets() {
    with_ferroflow(Port::Kernel, OpenFlow::V10);
}

#[test]
fn openflow_1_3_over_kernel_sockets() {
    with_ferroflow(Port::Kernel, OpenFlow::V13);
}

#[test]
fn openflow_1_3_on_the_kernels_address() {
    with_ferroflow(Port::Shared, OpenFlow::V13);
}

#[test]
fn idle_with_16_switches() {
    if require(&Need::OPEN_VSWITCH_LAB) {
        scenarios::idle_is_cheap(&Ferroflow { port: Port::Tap }).unwrap_or_else(|e| panic!("{e}"));
    }
}

fn with_test_controller(flows: bool, version: OpenFlow) {
    let mut needs = Need::OPEN_VSWITCH_LAB.to_vec();
    needs.push(Need::Command("ovs-testcontroller"));
    if require(&needs) {
        all_scenarios(TestController { flows }, version).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
#[ignore = "tries the scenarios themselves, with another controller"]
fn test_controller_1_0() {
    with_test_controller(true, OpenFlow::V10);
}

#[test]
#[ignore = "tries the scenarios themselves, with another controller"]
fn test_controller_1_3() {
    with_test_controller(true, OpenFlow::V13);
}

/// Without flows it sees every packet, and so follows a host that moves.
#[test]
#[ignore = "tries the scenarios themselves, with another controller"]
fn test_controller_without_flows() {
    with_test_controller(false, OpenFlow::V13);
}
