//! TCP whose packets a router on the way fragments: the kernel's, without "don't fragment", to the stack on any number of
//! cores.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/lab.rs"]
mod lab;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, block, exchange};
use ferroflow_runtime::{CoreReport, steer};
use ferroflow_stack::steer::Steer;
use lab::{End, HOST, Stack, connect, has_program, in_namespace, ip, tap, total};
use rustix::thread::{UnshareFlags, gettid, unshare_unsafe};

const PORT: u16 = 6653;
const BYTES: u64 = 4 << 20;
const CONNS: usize = 8;

/// The kernel's TCP in a namespace behind this one. It says its thread's number, waits for its interface, and talks.
fn client(thread: &Sender<i32>, interface: &Receiver<()>) {
    // SAFETY: only the network namespace is left behind; no descriptor table or memory is unshared.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.unwrap();
    thread.send(gettid().as_raw_nonzero().get()).unwrap();
    interface.recv().unwrap();
    // ip(7), IP_PMTUDISC_DONT: packets may be fragmented.
    lab::sysctl("ip_no_pmtu_disc", "1");
    ip("addr add 10.78.0.2/24 dev far0");
    ip("link set far0 up");
    ip("route add default via 10.78.0.1");
    let block = block();
    let clients = (0..CONNS).map(|_| (connect(PORT), block.clone()));
    let clients: Vec<_> =
        clients.map(|(stream, block)| std::thread::spawn(move || exchange(stream, BYTES, &block))).collect();
    clients.into_iter().for_each(|c| c.join().unwrap());
}

/// This namespace is the router: packets to the stack do not fit into 600 bytes, and leave in three fragments.
fn route(client_thread: i32) {
    lab::sysctl("ip_forward", "1");
    ip("link add near0 type veth peer name far0");
    ip(&format!("link set far0 netns {client_thread}"));
    ip("addr add 10.78.0.1/24 dev near0");
    ip("link set near0 up");
    ip("route add 10.77.0.2/32 dev ff0 mtu lock 600");
}

/// The stack on so many cores takes what the client sends; returns what its cores say at the end.
fn talk(cores: u16) -> Vec<CoreReport<End>> {
    let (ports, mac) = tap(cores);
    let outcome = Arc::default();
    let stack = Stack::start(
        steer::join(ports, 256, Steer::new),
        mac,
        |_| Bulk::server(PORT, BYTES, &outcome),
        |config| config.gateway = Some(HOST),
    );
    let ((thread, number), (ready, interface)) = (channel(), channel());
    std::thread::scope(|s| {
        let client = s.spawn(move || client(&thread, &interface));
        route(number.recv().unwrap());
        ready.send(()).unwrap();
        client.join().unwrap();
    });
    let start = Wall::now();
    while outcome.lock().unwrap().good < CONNS {
        let now = outcome.lock().unwrap().clone();
        assert!(now.bad.is_empty() && start.elapsed() < Duration::from_secs(60), "{now:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    stack.wait_idle();
    stack.stop()
}

#[test]
fn the_kernels_tcp_in_fragments() {
    if !has_program("ip", "iproute2") {
        return;
    }
    for cores in [1, 2, 4] {
        in_namespace(move || {
            let reports = talk(cores);
            let (fragments, whole) = (total(&reports, "fragments"), total(&reports, "reassembled"));
            assert!(whole > CONNS as u64 * BYTES / 1460 / 2, "{whole} datagrams of {fragments} fragments");
            assert!(fragments >= 2 * whole);
            for name in ["reassembly_malformed", "reassembly_too_many", "reassembly_ecn"] {
                assert_eq!(total(&reports, name), 0, "{name}");
            }
            // The kernel counts the identification for each connection: now and then two packets have the same at once (RFC
            // 4963).
            assert!(total(&reports, "reassembly_overlap") < whole / 100);
            // Datagrams meet at every core, whosever they are.
            let each: Vec<_> = reports.iter().map(|r| r.result.counter("reassembled")).collect();
            assert!(each.iter().all(|&n| n > whole / u64::from(cores) / 2), "{each:?}");
            for r in &reports {
                assert_eq!((r.result.conns, r.result.frames_held), (0, 0), "core {}", r.core);
            }
        });
    }
}
