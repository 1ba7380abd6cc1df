//! Stacks over netmap, where its module is loaded: over a VALE switch, a pipe, and one end of a veth pair against the kernel's
//! TCP at the other. What needs no module is tested in `ferroflow-ports`.
#![cfg(feature = "netmap")]

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/lab.rs"]
mod lab;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, Outcome, block, exchange};
use ferroflow_runtime::{CoreReport, steer};
use ferroflow_stack::steer::Steer;
use lab::{Cell, End, HOST, KEY, STACK, Stack, connect, full, has_program, in_namespace};

const PORT: u16 = 6653;

/// Bytes of a connection, each way.
fn bytes() -> u64 {
    if full() { 256 << 20 } else { 16 << 20 }
}

fn has_netmap() -> bool {
    let there = Path::new("/dev/netmap").exists();
    if !there {
        lab::skip("the netmap module (/dev/netmap)");
    }
    there
}

fn server(outcome: &Arc<Mutex<Outcome>>) -> Bulk {
    Bulk { listen: Some(PORT), connect: None, total: bytes(), block: block(), outcome: outcome.clone() }
}

fn client(outcome: &Arc<Mutex<Outcome>>) -> Bulk {
    let to = Some((SocketAddr::from((STACK, PORT)), 4));
    Bulk { listen: None, connect: to, total: bytes(), block: block(), outcome: outcome.clone() }
}

fn wait_for(outcome: &Arc<Mutex<Outcome>>, good: usize) {
    let start = Wall::now();
    while outcome.lock().unwrap().good < good {
        let now = outcome.lock().unwrap().clone();
        assert!(now.bad.is_empty() && start.elapsed() < Duration::from_secs(120), "{now:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn all_is_well(reports: &[CoreReport<End>]) {
    for r in reports {
        assert_eq!((r.result.conns, r.result.frames_held), (0, 0), "core {}", r.core);
        assert!(r.result.any_counter("netmap_rx_frames") + r.result.any_counter("handed_over") > 0);
        for bad in ["netmap_rx_damaged", "netmap_tx_damaged", "netmap_rx_in_parts"] {
            assert_eq!(r.result.any_counter(bad), 0, "{bad}");
        }
    }
}

/// Two stacks, one at each of two ports.
fn between(server_at: &'static str, client_at: &'static str, cores: usize) {
    let cell = |port| Cell { port, cores, queues: cores };
    let outcomes: [Arc<Mutex<Outcome>>; 2] = Default::default();
    let serving = cell(server_at).start(|_| server(&outcomes[0]));
    let opened = cell(client_at).open();
    let keyed = |core, cores| Steer::with_key(core, cores, &KEY);
    let calling = Stack::start(
        steer::join(opened.ports, 256, keyed),
        opened.mac,
        |_| client(&outcomes[1]),
        |config| {
            config.steer = keyed(config.steer.core(), config.steer.cores());
            config.address = HOST;
        },
    );
    outcomes.iter().for_each(|outcome| wait_for(outcome, 4 * cores));
    calling.wait_idle();
    serving.wait_idle();
    all_is_well(&calling.stop());
    all_is_well(&serving.stop());
}

#[test]
fn over_a_vale_switch() {
    if has_netmap() {
        between("netmap:valeff:1", "netmap:valeff:2", 1);
        between("netmap:valeff:1", "netmap:valeff:2", 2);
    }
}

#[test]
fn over_a_pipe() {
    if has_netmap() {
        between("netmap:ffpipe{1", "netmap:ffpipe}1", 1);
        between("netmap:ffpipe{2", "netmap:ffpipe}2", 2);
    }
}

/// An interface's rings, as a card's: here netmap's emulation of them, or veth's own where it has been patched.
#[test]
fn over_an_interface_against_the_kernel() {
    if !has_netmap() || !has_program("ip", "iproute2") || !has_program("ethtool", "ethtool") {
        return;
    }
    for (cores, queues) in [(1, 1), (2, 2), (1, 2)] {
        in_namespace(move || {
            lab::veth(queues);
            // netmap cannot take what is left to a card.
            for end in ["ff0", "host0"] {
                lab::ethtool(end, "tx off rx off tso off gso off gro off");
            }
            let outcome = Arc::default();
            let stack = Cell { port: "netmap:ff0", cores, queues }.start(|_| server(&outcome));
            std::thread::scope(|s| {
                (0..4).for_each(|_| {
                    s.spawn(|| exchange(connect(PORT), bytes(), &block()));
                });
            });
            wait_for(&outcome, 4);
            stack.wait_idle();
            all_is_well(&stack.stop());
        });
    }
}

/// A core with nothing to do sleeps in poll, and a frame wakes it.
#[test]
fn an_idle_core_sleeps() {
    if !has_netmap() {
        return;
    }
    let outcome = Arc::default();
    let stack = Cell { port: "netmap:valeidle:1", cores: 1, queues: 1 }.start(|_| server(&outcome));
    std::thread::sleep(Duration::from_secs(2));
    let cpu: Duration = stack.stop().iter().map(|r| r.cpu_time).sum();
    assert!(cpu < Duration::from_millis(20), "{cpu:?} of processor time in 2 s");
}
